/* archive_top.c -- what most events have in common: one statement that counts them all. */
#include "admin/archive_where.h"
#include <stdlib.h>

static const struct { const char *word, *sql; } keys[] = {
	{ "app", "e.app" },         { "country", "e.country" }, { "as", "e.asn" },       { "rule", "e.rule" },
	{ "path", "e.path" },       { "address", "e.client" },  { "action", "e.action" }, { "source", "e.source" },
	{ "user_agent", "(SELECT user_agent FROM event_texts t WHERE t.id = e.id)" },
};

struct topping {
	struct archive *archive;
	const char *key;
	bool is_address;
	struct archive_where where;
	archive_topped *done;
	void *owner;
	struct archive_top_entry *at;
	size_t n;
	bool failed;
};

static void put_top(struct topping *t)
{
	struct archive_where *w = &t->where;

	text_printf(&w->t, "SELECT %s AS key, count(*) AS n, count(DISTINCT e.client) FROM events e %s WHERE 1", t->key,
		    archive_where_index(w));
	archive_where_put(w);
	text_str(&w->t, " GROUP BY key ORDER BY n DESC, key");
	archive_where_number(w, " LIMIT ", (int64_t)w->ask.limit);
}

/* A copy; at == NULL: no memory. */
static struct bytes key_of(const struct topping *t, sqlite3_stmt *s)
{
	struct bytes b = archive_column(s, 0);
	char buf[64], *at;
	struct text text = text_over(buf, sizeof buf);
	struct ip ip;

	if (t->is_address && b.len == sizeof ip.b) {
		memcpy(ip.b, b.at, sizeof ip.b);
		ip_text(&text, &ip);
		b = text_bytes(&text);
	}
	at = malloc(b.len + 1);
	if (at)
		memcpy(at, b.at, b.len);
	return (struct bytes){ at, at ? b.len : 0 };
}

static void count(sqlite3 *db, void *arg)
{
	struct topping *t = arg;
	sqlite3_stmt *s;
	int rc = SQLITE_ERROR;

	put_top(t);
	s = archive_where_prepare(&t->where, t->archive, db);
	while (s && t->n < t->where.ask.limit && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		t->at[t->n] = (struct archive_top_entry){ key_of(t, s), sqlite3_column_int64(s, 1), sqlite3_column_int64(s, 2) };
		if (!t->at[t->n].key.at)
			break;
		t->n++;
	}
	sqlite3_finalize(s);
	t->failed = rc != SQLITE_DONE && rc != SQLITE_ROW;
	if (t->failed)
		store_note_failure(t->archive->store);
}

static void topping_free(struct topping *t)
{
	for (size_t i = 0; i < t->n; i++)
		free((char *)(uintptr_t)t->at[i].key.at);
	free(t->at);
	free(t);
}

static void counted(void *arg)
{
	struct topping *t = arg;

	t->done(t->owner, t->at, t->n, t->failed);
	topping_free(t);
}

static const char *sql_of(struct bytes word)
{
	for (size_t i = 0; i < nelems(keys); i++)
		if (bytes_eq(word, bytes_of(keys[i].word)))
			return keys[i].sql;
	return NULL;
}

bool archive_top(struct archive *a, struct bytes by, const struct archive_ask *ask, struct loop *loop, archive_topped *done, void *owner)
{
	struct topping *t = sql_of(by) ? calloc(1, sizeof *t) : NULL;

	if (!t)
		return false;
	*t = (struct topping){ .archive = a, .key = sql_of(by), .is_address = bytes_eq(by, BYTES("address")), .done = done, .owner = owner };
	archive_where(&t->where, ask);
	t->at = calloc(ask->limit + 1, sizeof *t->at);
	if (t->at && store_do(a->store, count, loop, counted, t))
		return true;
	topping_free(t);
	return false;
}
