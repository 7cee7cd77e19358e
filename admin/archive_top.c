/* archive_top.c -- what most events have in common.
 *
 * Counted here (tally.h) and not by SQL, which sorts all of them first and takes ten times as long. Newest first, and no
 * longer than a page may take: then those that were looked at count. */
#include "admin/archive_where.h"
#include "admin/tally.h"
#include "base/clock.h"
#include <stdlib.h>

static const struct { const char *word, *sql; } keys[] = {
	{ "app", "e.app" },         { "country", "e.country" }, { "as", "e.asn" },       { "rule", "e.rule" },
	{ "path", "e.path" },       { "address", "e.client" },  { "action", "e.action" }, { "source", "e.source" },
	{ "ja4", "e.ja4" },
	{ "user_agent", "(SELECT user_agent FROM event_texts t WHERE t.id = e.id)" },
};

struct topping {
	struct archive *archive;
	const char *key;
	bool is_address;
	struct archive_where where;
	archive_topped *done;
	void *owner;
	struct tally tally;
	struct archive_top top;
};

static void read_all(struct topping *t, sqlite3_stmt *s)
{
	struct archive_look *look = &t->archive->look;
	int rc;

	*look = (struct archive_look){ .until_us = clock_mono_us() + ARCHIVE_PAGE_US };
	while ((rc = sqlite3_step(s)) == SQLITE_ROW)
		tally_add(&t->tally, archive_column(s, 0), archive_column(s, 1));
	t->top.partial = look->over;
	t->top.failed = rc != SQLITE_DONE && !look->over;
}

static void show_addresses(struct tally *t, size_t n)
{
	for (size_t i = 0; i < n && i < t->n; i++) {
		char buf[64], *at;
		struct text text = text_over(buf, sizeof buf);
		struct ip ip;

		if (t->at[i].key.len != sizeof ip.b || !(at = malloc(sizeof buf)))
			continue;
		memcpy(ip.b, t->at[i].key.at, sizeof ip.b);
		ip_text(&text, &ip);
		memcpy(at, buf, text.len);
		free((char *)(uintptr_t)t->at[i].key.at);
		t->at[i].key = (struct bytes){ at, text.len };
	}
}

static void count(sqlite3 *db, void *arg)
{
	struct topping *t = arg;
	struct archive_where *w = &t->where;
	sqlite3_stmt *s;

	text_printf(&w->t, "SELECT %s, e.client FROM events e %s WHERE look(e.id)", t->key, archive_where_index(w));
	archive_where_put(w);
	text_str(&w->t, " ORDER BY e.id DESC");
	s = archive_where_prepare(w, t->archive, db);
	t->top.failed = !s;
	if (s)
		read_all(t, s);
	if (t->top.failed)
		store_note_failure(t->archive->store);
	sqlite3_finalize(s);
	tally_sort(&t->tally);
	if (t->is_address)
		show_addresses(&t->tally, w->ask.limit);
	t->top.at = t->tally.at;
	t->top.n = t->tally.n < w->ask.limit ? t->tally.n : w->ask.limit;
}

static void counted(void *arg)
{
	struct topping *t = arg;

	t->done(t->owner, &t->top);
	tally_free(&t->tally);
	free(t);
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
	t->archive = a;
	t->key = sql_of(by);
	t->is_address = bytes_eq(by, BYTES("address"));
	t->done = done;
	t->owner = owner;
	archive_where(&t->where, ask);
	if (store_do(a->store, count, loop, counted, t))
		return true;
	free(t);
	return false;
}
