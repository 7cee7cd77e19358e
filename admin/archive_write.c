/* archive_write.c -- the tables, and what comes into them and goes.
 *
 * `events` has the columns that lists are filtered by, and little else: most filters are answered by reading all of it
 * backwards until the page is full, which at 200,000 rows takes a few dozen milliseconds whatever is asked together, while an
 * index for each column would cost every alert more than it is worth. `event_texts` has what `q` looks into, in lower case;
 * `event_details` the record as the API prints it. */
#include "admin/archive_parts.h"
#include "admin/event_json.h"
#include "base/clock.h"
#include <stdlib.h>

enum {
	BATCH = 8 * EVENTS_TAKEN, /* events: some 20 ms */
	TRIM = 1000,              /* rows deleted at a time */
	TEXTS_MAX = 1024,         /* bytes that `q` looks into */
	RULES_MAX_BYTES = 1024,
	LOOKS = 256,              /* rows between two looks at the clock */
};

static const char tables[] =
	"CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, time_ms INTEGER, app TEXT, action TEXT, source TEXT,"
	" status INTEGER, method TEXT, country TEXT, asn INTEGER, client BLOB, rule TEXT, rules TEXT, path TEXT, ulid TEXT,"
	" ja4 TEXT);"
	"CREATE TABLE IF NOT EXISTS event_texts (id INTEGER PRIMARY KEY, words TEXT, as_name TEXT, user_agent TEXT);"
	"CREATE TABLE IF NOT EXISTS event_details (id INTEGER PRIMARY KEY, row TEXT, rest TEXT);"
	"CREATE INDEX IF NOT EXISTS events_ulid ON events (ulid);"
	"CREATE INDEX IF NOT EXISTS events_client ON events (client);"
	"PRAGMA cache_size = -32768;";

/* holds(text, part): SQLite's instr() compares at every byte, which takes ten times as long. */
static void holds(sqlite3_context *c, int n, sqlite3_value **v)
{
	const void *hay = sqlite3_value_text(v[0]), *needle = sqlite3_value_text(v[1]);

	(void)n;
	sqlite3_result_int(c, hay && needle && memmem(hay, (size_t)sqlite3_value_bytes(v[0]), needle,
						       (size_t)sqlite3_value_bytes(v[1])) != NULL);
}

/* look(id): true, until the time of the list is over; then it is an error, which ends the statement. */
static void look(sqlite3_context *c, int n, sqlite3_value **v)
{
	struct archive_look *l = &((struct archive *)sqlite3_user_data(c))->look;

	(void)n;
	if (l->n++ % LOOKS == LOOKS - 1 && clock_mono_us() >= l->until_us) {
		l->over = true;
		sqlite3_result_error(c, "the time is over", -1);
		return;
	}
	l->last = sqlite3_value_int64(v[0]);
	sqlite3_result_int(c, 1);
}

/* A file of before has all columns but this one, and its events have none. */
static bool add_ja4(sqlite3 *db)
{
	sqlite3_stmt *s = NULL;
	bool is_there = sqlite3_prepare_v2(db, "SELECT ja4 FROM events", -1, &s, NULL) == SQLITE_OK;

	sqlite3_finalize(s);
	return is_there || sqlite3_exec(db, "ALTER TABLE events ADD COLUMN ja4 TEXT", NULL, NULL, NULL) == SQLITE_OK;
}

bool archive_make(struct archive *a, sqlite3 *db)
{
	return sqlite3_exec(db, tables, NULL, NULL, NULL) == SQLITE_OK && add_ja4(db) &&
	       sqlite3_create_function(db, "holds", 2, SQLITE_UTF8 | SQLITE_DETERMINISTIC, NULL, holds, NULL, NULL) == SQLITE_OK &&
	       sqlite3_create_function(db, "look", 1, SQLITE_UTF8, a, look, NULL, NULL) == SQLITE_OK;
}

sqlite3_stmt *archive_prepare(struct archive *a, sqlite3 *db, const char *sql)
{
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(db, sql, -1, &s, NULL) == SQLITE_OK)
		return s;
	store_note_failure(a->store);
	return NULL;
}

/* ---- what comes ---- */

static const char *const inserts[] = {
	("INSERT INTO events (time_ms, app, action, source, status, method, country, asn, client, rule, rules, path, ulid, ja4)"
	 " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
	"INSERT INTO event_texts (id, words, as_name, user_agent) VALUES (?, ?, ?, ?)",
	"INSERT INTO event_details (id, row, rest) VALUES (?, ?, ?)",
};
enum { EVENTS, TEXTS, DETAILS, INSERTS };

static void put_lower(struct text *t, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		text_byte(t, byte_lower(b.at[i]));
	text_byte(t, '\n');
}

/* " 942100 942110 ": each between blanks, so that a whole one is looked for. */
static void put_rules(struct text *t, const struct record *r)
{
	text_byte(t, ' ');
	for (size_t i = 0; i < r->nhits; i++) {
		struct bytes rule = r->hits[i].rule;

		if (t->cap - t->len < rule.len + 1)
			return;
		text_put(t, rule);
		text_byte(t, ' ');
	}
}

static void bind_event(sqlite3_stmt *s, const struct record *r, struct bytes rules)
{
	const struct record_hit *worst = event_json_worst(r);
	uint64_t as;

	sqlite3_bind_int64(s, 1, (sqlite3_int64)r->wall_ms);
	archive_bind(s, 2, r->app);
	archive_bind(s, 3, bytes_of(remedy_word(r->action)));
	archive_bind(s, 4, bytes_of(source_word(r->source)));
	sqlite3_bind_int64(s, 5, r->status);
	archive_bind(s, 6, r->method);
	archive_bind(s, 7, r->country);
	if (bytes_u64(r->as, &as))
		sqlite3_bind_int64(s, 8, (sqlite3_int64)as);
	sqlite3_bind_blob(s, 9, r->client.b, sizeof r->client.b, SQLITE_STATIC);
	if (worst)
		archive_bind(s, 10, worst->rule);
	archive_bind(s, 11, rules);
	archive_bind(s, 12, r->path);
	archive_bind(s, 13, r->id);
	if (r->ja4.len)
		archive_bind(s, 14, r->ja4);
}

static bool step(sqlite3_stmt *s)
{
	bool good = sqlite3_step(s) == SQLITE_DONE;

	sqlite3_reset(s);
	sqlite3_clear_bindings(s);
	return good;
}

static bool insert_texts(sqlite3_stmt *s, int64_t id, const struct record *r, struct bytes rules)
{
	char buf[TEXTS_MAX + TEXTS_MAX];
	struct text t = text_over(buf, sizeof buf);
	const struct bytes parts[] = { r->host, r->path, r->query, r->reason, r->user_agent, rules };

	for (size_t i = 0; i < nelems(parts); i++)
		put_lower(&t, bytes_sub(parts[i], 0, TEXTS_MAX / 4));
	sqlite3_bind_int64(s, 1, id);
	archive_bind(s, 2, text_bytes(&t));
	archive_bind(s, 3, r->as_name);
	archive_bind(s, 4, r->user_agent);
	return step(s);
}

static bool insert_details(sqlite3_stmt *s, int64_t id, const struct record *r)
{
	struct json_out row = json_out(EVENT_ROW_MAX), rest = json_out(EVENT_REST_MAX);
	bool good;

	event_json_row(&row, r);
	event_json_rest(&rest, r);
	sqlite3_bind_int64(s, 1, id);
	archive_bind(s, 2, json_out_bytes(&row));
	archive_bind(s, 3, json_out_bytes(&rest));
	good = !row.failed && !rest.failed && step(s);
	json_out_free(&row);
	json_out_free(&rest);
	return good;
}

static bool insert(sqlite3 *db, sqlite3_stmt *const s[INSERTS], const struct record *r)
{
	char buf[RULES_MAX_BYTES];
	struct text rules = text_over(buf, sizeof buf);
	int64_t id;

	put_rules(&rules, r);
	bind_event(s[EVENTS], r, text_bytes(&rules));
	if (!step(s[EVENTS]))
		return false;
	id = sqlite3_last_insert_rowid(db);
	return insert_texts(s[TEXTS], id, r, text_bytes(&rules)) && insert_details(s[DETAILS], id, r);
}

/* A row without its details would be worse than none. */
static void keep(struct archive *a, sqlite3 *db, sqlite3_stmt *const s[INSERTS], const struct record *r)
{
	bool good = sqlite3_exec(db, "SAVEPOINT event", NULL, NULL, NULL) == SQLITE_OK && insert(db, s, r);

	if (good) {
		sqlite3_exec(db, "RELEASE event", NULL, NULL, NULL);
		atomic_fetch_add(&a->written, 1);
		return;
	}
	store_note_failure(a->store);
	sqlite3_exec(db, "ROLLBACK TO event; RELEASE event", NULL, NULL, NULL);
	atomic_fetch_add(&a->lost, 1);
}

bool archive_write(struct archive *a, sqlite3 *db)
{
	const struct record *taken[EVENTS_TAKEN];
	sqlite3_stmt *s[INSERTS] = { NULL };
	bool ready = true;
	size_t n = 1, all = 0;

	for (size_t i = 0; i < INSERTS; i++)
		ready = (s[i] = archive_prepare(a, db, inserts[i])) && ready;
	for (; all < BATCH && n && (n = events_take(a->events, taken)); all += n)
		for (size_t i = 0; i < n; i++)
			if (ready)
				keep(a, db, s, taken[i]);
			else
				atomic_fetch_add(&a->lost, 1);
	for (size_t i = 0; i < INSERTS; i++)
		sqlite3_finalize(s[i]);
	return n == 0;
}

/* ---- what goes ---- */

static int64_t number_of(struct archive *a, sqlite3 *db, const char *sql, int64_t arg)
{
	sqlite3_stmt *s = archive_prepare(a, db, sql);
	int64_t n = 0;

	if (s && sqlite3_bind_parameter_count(s))
		sqlite3_bind_int64(s, 1, arg);
	if (s && sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

/* Rows below this number are too many or too old; at most TRIM at a time. Numbers have few gaps. */
static int64_t end_of_old(struct archive *a, sqlite3 *db, int64_t first, int64_t last)
{
	int64_t pages = number_of(a, db, "SELECT (SELECT page_count FROM pragma_page_count) -"
					 " (SELECT freelist_count FROM pragma_freelist_count)", 0);
	int64_t page_bytes = number_of(a, db, "SELECT page_size FROM pragma_page_size", 0);
	int64_t end = last + 1 - (int64_t)a->bounds.count, now = (int64_t)clock_wall_ms();
	int64_t young = number_of(a, db, "SELECT id FROM events NOT INDEXED WHERE time_ms >= ? ORDER BY id LIMIT 1",
				  now - (int64_t)a->bounds.age_ms);

	if (young > end || !young)
		end = young ? young : last + 1;
	if ((uint64_t)(pages * page_bytes) > a->bounds.bytes && end <= first)
		end = first + TRIM;
	return end < first + TRIM ? end : first + TRIM;
}

void archive_trim(struct archive *a, sqlite3 *db)
{
	static const char *const deletes[] = {
		"DELETE FROM events WHERE id < ?", "DELETE FROM event_texts WHERE id < ?", "DELETE FROM event_details WHERE id < ?",
	};
	int64_t first = number_of(a, db, "SELECT min(id) FROM events", 0), last = number_of(a, db, "SELECT max(id) FROM events", 0);
	int64_t end = first ? end_of_old(a, db, first, last) : 0;

	for (size_t i = 0; end > first && i < nelems(deletes); i++)
		number_of(a, db, deletes[i], end);
}
