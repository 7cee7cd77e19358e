/* archive_query.c -- lists and details, on the store's thread.
 *
 * Which rows, from the narrow table, at most as many as a page has, and no longer than it may take; then what the API shows
 * of those. Which index is used is said here and not left to the planner, which knows nothing of what is in the file: the one
 * of ids or addresses where one is named whole, else none (archive_write.c says why). */
#include "admin/archive_parts.h"
#include "admin/event_json.h"
#include "base/clock.h"
#include <stdlib.h>

enum {
	SQL_MAX = 2048, LOWER_MAX = 256,
	WHOLE_ID = 10,    /* characters of an id that are its time: fewer fit too many */
	PAGE_BYTES = 32 << 20,
};

struct listing {
	struct archive *archive;
	struct archive_ask ask;
	archive_listed *done;
	void *owner;
	struct archive_page page;
	struct archive_row *rows;
	char *at;                 /* what rows borrow from */
	size_t len, cap;
	char id[32], end[32], q[LOWER_MAX], rule[LOWER_MAX + 2]; /* as they are looked for */
	struct ip first, last;    /* of the net */
};

/* ---- what is asked, as SQL ---- */

#define ASK(field) offsetof(struct archive_ask, field)
static const struct { const char *sql; size_t at; } words[] = {
	{ " AND e.app = ", ASK(app) },         { " AND e.action = ", ASK(action) },   { " AND e.source = ", ASK(source) },
	{ " AND e.method = ", ASK(method) },   { " AND e.country = ", ASK(country) },
};

/* Parameters are numbered as they come. */
struct sql {
	struct text t;
	struct { struct bytes text; int64_t number; bool is_blob; } values[24];
	int n;
};

static void put_value(struct sql *s, const char *sql, struct bytes text, int64_t number, const char *behind)
{
	s->values[s->n].text = text;
	s->values[s->n++].number = number;
	text_printf(&s->t, "%s?%d%s", sql, s->n, behind);
}

static void put_text(struct sql *s, const char *sql, struct bytes text, const char *behind)
{
	if (text.at)
		put_value(s, sql, text, 0, behind);
}

static void put_number(struct sql *s, const char *sql, bool is_there, int64_t n)
{
	if (is_there)
		put_value(s, sql, (struct bytes){ 0 }, n, "");
}

static void put_address(struct sql *s, const char *sql, const struct ip *ip)
{
	s->values[s->n].is_blob = true;
	put_value(s, sql, (struct bytes){ (const char *)ip->b, sizeof ip->b }, 0, "");
}

static bool is_one(const struct archive_ask *ask)
{
	return ask->has_net && ask->net.bits == 128;
}

static const char *index_for(const struct archive_ask *ask)
{
	if (ask->id.len >= WHOLE_ID)
		return "INDEXED BY events_ulid";
	return is_one(ask) ? "INDEXED BY events_client" : "NOT INDEXED";
}

static void put_net(struct sql *s, const struct listing *l)
{
	if (is_one(&l->ask)) {
		put_address(s, " AND e.client = ", &l->first);
	} else if (l->ask.has_net) {
		put_address(s, " AND e.client >= ", &l->first);
		put_address(s, " AND e.client <= ", &l->last);
	}
}

static void put_where(struct sql *s, const struct listing *l)
{
	const struct archive_ask *ask = &l->ask;

	if (ask->id.at) {
		put_text(s, " AND e.ulid >= ", bytes_of(l->id), "");
		put_text(s, " AND e.ulid <= ", bytes_of(l->end), "");
	}
	put_net(s, l);
	for (size_t i = 0; i < nelems(words); i++)
		put_text(s, words[i].sql, *(const struct bytes *)(const void *)((const char *)ask + words[i].at), "");
	put_number(s, " AND e.asn = ", ask->has_as, (int64_t)ask->as);
	put_number(s, " AND e.status = ", ask->status, (int64_t)ask->status);
	put_number(s, " AND e.time_ms >= ", ask->from_ms, (int64_t)ask->from_ms);
	put_number(s, " AND e.time_ms < ", ask->to_ms, (int64_t)ask->to_ms);
	put_number(s, " AND e.id < ", ask->before, ask->before);
	put_number(s, " AND e.id > ", ask->is_behind, ask->behind);
	if (ask->rule.at)
		put_text(s, " AND holds(e.rules, ", bytes_of(l->rule), ")");
	put_text(s, " AND holds(e.path, ", ask->path, ")");
	if (ask->q.at)
		put_text(s, " AND holds((SELECT words FROM event_texts t WHERE t.id = e.id), ", bytes_of(l->q), ")");
}

static void put_list(struct sql *s, const struct listing *l)
{
	text_printf(&s->t, "SELECT e.id FROM events e %s WHERE look(e.id)", index_for(&l->ask));
	put_where(s, l);
	text_str(&s->t, l->ask.is_behind ? " ORDER BY e.id ASC" : " ORDER BY e.id DESC");
	put_number(s, " LIMIT ", true, (int64_t)l->ask.limit + 1);
	text_byte(&s->t, '\0');
}

static void bind(const struct sql *s, sqlite3_stmt *stmt)
{
	for (int i = 0; i < s->n; i++)
		if (s->values[i].is_blob)
			sqlite3_bind_blob(stmt, i + 1, s->values[i].text.at, (int)s->values[i].text.len, SQLITE_STATIC);
		else if (s->values[i].text.at)
			archive_bind(stmt, i + 1, s->values[i].text);
		else
			sqlite3_bind_int64(stmt, i + 1, s->values[i].number);
}

/* ---- what is found ---- */

static bool keep_bytes(struct listing *l, struct bytes b)
{
	size_t cap = l->cap ? l->cap : 64 << 10;
	char *at;

	while (cap - l->len < b.len && cap <= PAGE_BYTES)
		cap *= 2;
	if (cap > PAGE_BYTES || !(at = realloc(l->at, cap)))
		return false;
	l->at = at;
	l->cap = cap;
	memcpy(l->at + l->len, b.at, b.len);
	l->len += b.len;
	return true;
}

/* As many as a page has; then, or when its time is over, where the next one goes on. */
static bool read_numbers(struct listing *l, sqlite3_stmt *s)
{
	struct archive_look *look = &l->archive->look;
	int rc;

	*look = (struct archive_look){ .until_us = clock_mono_us() + ARCHIVE_PAGE_US };
	while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
		if (l->page.n == l->ask.limit) {
			l->page.next = l->rows[l->page.n - 1].number;
			return true;
		}
		l->rows[l->page.n++].number = sqlite3_column_int64(s, 0);
	}
	if (look->over)
		l->page.next = look->last;
	return rc == SQLITE_DONE || look->over;
}

/* Lengths first, since what holds the bytes may move. What has no room comes with the next page. */
static bool read_rows(struct listing *l, sqlite3_stmt *s)
{
	size_t at = 0;
	bool good = true;

	for (size_t i = 0; i < l->page.n && good; i++) {
		sqlite3_bind_int64(s, 1, l->rows[i].number);
		good = sqlite3_step(s) == SQLITE_ROW;
		l->rows[i].json.len = good ? archive_column(s, 0).len : 0;
		if (good && !keep_bytes(l, archive_column(s, 0))) {
			l->page.next = i ? l->rows[i - 1].number : 0;
			l->page.n = i;
		}
		sqlite3_reset(s);
	}
	for (size_t i = 0; i < l->page.n; at += l->rows[i++].json.len)
		l->rows[i].json.at = l->at + at;
	return good;
}

static bool read_page(struct listing *l, sqlite3 *db)
{
	char text[SQL_MAX];
	struct sql sql = { .t = text_over(text, sizeof text) };
	sqlite3_stmt *numbers, *rows = archive_prepare(l->archive, db, "SELECT row FROM event_details WHERE id = ?");
	bool good;

	put_list(&sql, l);
	l->rows = calloc(l->ask.limit + 1, sizeof *l->rows);
	numbers = l->rows && !sql.t.full ? archive_prepare(l->archive, db, text) : NULL;
	if (numbers)
		bind(&sql, numbers);
	good = numbers && rows && read_numbers(l, numbers) && read_rows(l, rows);
	sqlite3_finalize(numbers);
	sqlite3_finalize(rows);
	return good;
}

static void list(sqlite3 *db, void *arg)
{
	struct listing *l = arg;

	l->page.failed = !read_page(l, db);
	l->page.rows = l->rows;
	if (l->page.failed)
		store_note_failure(l->archive->store);
}

static void listing_free(struct listing *l)
{
	free(l->rows);
	free(l->at);
	free(l);
}

static void listed(void *arg)
{
	struct listing *l = arg;

	l->done(l->owner, &l->page);
	listing_free(l);
}

/* ---- asking ---- */

/* From the first address to the last; the base has its host bits cleared. */
static void set_net(struct listing *l)
{
	l->first = l->last = l->ask.net.base;
	for (unsigned bit = l->ask.net.bits; bit < 128; bit++)
		l->last.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
}

/* Ids are upper case; '~' is behind all that they may hold. */
static void set_id(struct listing *l)
{
	size_t n = l->ask.id.len < sizeof l->id - 2 ? l->ask.id.len : sizeof l->id - 2;

	for (size_t i = 0; i < n; i++)
		l->id[i] = l->end[i] = l->ask.id.at[i] >= 'a' && l->ask.id.at[i] <= 'z' ? (char)(l->ask.id.at[i] - 32) : l->ask.id.at[i];
	l->end[n] = '~';
}

static void set_texts(struct listing *l)
{
	size_t n = l->ask.q.len < sizeof l->q - 1 ? l->ask.q.len : sizeof l->q - 1;

	for (size_t i = 0; i < n; i++)
		l->q[i] = byte_lower(l->ask.q.at[i]);
	snprintf(l->rule, sizeof l->rule, " %.*s ", (int)(l->ask.rule.len < LOWER_MAX - 2 ? l->ask.rule.len : LOWER_MAX - 2),
		 l->ask.rule.at ? l->ask.rule.at : "");
}

bool archive_list(struct archive *a, const struct archive_ask *ask, struct loop *loop, archive_listed *done, void *owner)
{
	struct listing *l = calloc(1, sizeof *l);

	if (!l)
		return false;
	l->archive = a;
	l->ask = *ask;
	l->done = done;
	l->owner = owner;
	if (!l->ask.limit || l->ask.limit > ARCHIVE_PAGE_MAX)
		l->ask.limit = ARCHIVE_PAGE_MAX;
	set_net(l);
	set_id(l);
	set_texts(l);
	if (store_do(a->store, list, loop, listed, l))
		return true;
	free(l);
	return false;
}

/* ---- one ---- */

struct finding {
	struct archive *archive;
	char id[32];
	archive_found *done;
	void *owner;
	struct json_out out;
};

/* Of the same app, path and worst rule, itself not counted. */
static int64_t count_similar(struct archive *a, sqlite3 *db, int64_t number, uint64_t time_ms)
{
	sqlite3_stmt *s = archive_prepare(a, db, "SELECT count(*) FROM events e NOT INDEXED, events x WHERE x.id = ?1 AND e.time_ms >= ?2"
						 " AND e.app = x.app AND e.rule IS x.rule AND e.path = x.path AND e.id <> x.id");
	int64_t n = 0;

	if (!s)
		return 0;
	sqlite3_bind_int64(s, 1, number);
	sqlite3_bind_int64(s, 2, time_ms > ARCHIVE_SIMILAR_MS ? (sqlite3_int64)(time_ms - ARCHIVE_SIMILAR_MS) : 0);
	if (sqlite3_step(s) == SQLITE_ROW)
		n = sqlite3_column_int64(s, 0);
	sqlite3_finalize(s);
	return n;
}

static void find(sqlite3 *db, void *arg)
{
	struct finding *f = arg;
	sqlite3_stmt *s = archive_prepare(f->archive, db, "SELECT e.id, d.row, d.rest FROM events e INDEXED BY events_ulid"
							  " JOIN event_details d ON d.id = e.id WHERE e.ulid = ?");

	if (!s)
		return;
	archive_bind(s, 1, bytes_of(f->id));
	if (sqlite3_step(s) == SQLITE_ROW) {
		event_json_join(&f->out, archive_column(s, 1), archive_column(s, 2));
		out_int(&f->out, "similar", count_similar(f->archive, db, sqlite3_column_int64(s, 0), clock_wall_ms()));
		out_end(&f->out);
	}
	sqlite3_finalize(s);
}

static void found(void *arg)
{
	struct finding *f = arg;

	f->done(f->owner, f->out.failed ? (struct bytes){ 0 } : json_out_bytes(&f->out));
	json_out_free(&f->out);
	free(f);
}

bool archive_find(struct archive *a, struct bytes id, struct loop *loop, archive_found *done, void *owner)
{
	struct finding *f = calloc(1, sizeof *f);

	if (!f)
		return false;
	f->archive = a;
	f->done = done;
	f->owner = owner;
	f->out = json_out(EVENT_ROW_MAX + EVENT_REST_MAX + 1024);
	for (size_t i = 0; i < id.len && i < sizeof f->id - 1; i++)
		f->id[i] = id.at[i] >= 'a' && id.at[i] <= 'z' ? (char)(id.at[i] - 32) : id.at[i];
	if (store_do(a->store, find, loop, found, f))
		return true;
	free(f);
	return false;
}
