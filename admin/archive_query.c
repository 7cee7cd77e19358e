/* archive_query.c -- lists and details, on the store's thread.
 *
 * Which rows, from the narrow table, at most as many as a page has, and no longer than it may take; then what the API shows
 * of those. */
#include "admin/archive_where.h"
#include "admin/event_json.h"
#include "base/clock.h"
#include <stdlib.h>

enum { PAGE_BYTES = 32 << 20 };

struct listing {
	struct archive *archive;
	struct archive_where where;
	archive_listed *done;
	void *owner;
	struct archive_page page;
	struct archive_row *rows;
	char *at;                 /* what rows borrow from */
	size_t len, cap;
};

static void put_list(struct archive_where *w)
{
	text_printf(&w->t, "SELECT e.id FROM events e %s WHERE look(e.id)", archive_where_index(w));
	archive_where_put(w);
	text_str(&w->t, w->ask.is_behind ? " ORDER BY e.id ASC" : " ORDER BY e.id DESC");
	archive_where_number(w, " LIMIT ", (int64_t)w->ask.limit + 1);
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
		if (l->page.n == l->where.ask.limit) {
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
	sqlite3_stmt *numbers, *rows = archive_prepare(l->archive, db, "SELECT row FROM event_details WHERE id = ?");
	bool good;

	put_list(&l->where);
	l->rows = calloc(l->where.ask.limit + 1, sizeof *l->rows);
	numbers = l->rows ? archive_where_prepare(&l->where, l->archive, db) : NULL;
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

bool archive_list(struct archive *a, const struct archive_ask *ask, struct loop *loop, archive_listed *done, void *owner)
{
	struct listing *l = calloc(1, sizeof *l);

	if (!l)
		return false;
	l->archive = a;
	archive_where(&l->where, ask);
	l->done = done;
	l->owner = owner;
	if (!ask->limit || ask->limit > ARCHIVE_PAGE_MAX)
		l->where.ask.limit = ARCHIVE_PAGE_MAX;
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

/* Of the same app, path and worst rule, itself not counted; newest first, as far as the time of a page goes. */
static int64_t count_similar(struct archive *a, sqlite3 *db, int64_t number, uint64_t time_ms)
{
	sqlite3_stmt *s = archive_prepare(a, db, "SELECT 1 FROM events x CROSS JOIN events e NOT INDEXED WHERE x.id = ?1 AND look(e.id)"
						 " AND e.time_ms >= ?2 AND e.app = x.app AND e.rule IS x.rule AND e.path = x.path"
						 " AND e.id <> x.id ORDER BY e.id DESC");
	int64_t n = 0;

	if (!s)
		return 0;
	a->look = (struct archive_look){ .until_us = clock_mono_us() + ARCHIVE_PAGE_US };
	sqlite3_bind_int64(s, 1, number);
	sqlite3_bind_int64(s, 2, time_ms > ARCHIVE_SIMILAR_MS ? (sqlite3_int64)(time_ms - ARCHIVE_SIMILAR_MS) : 0);
	while (sqlite3_step(s) == SQLITE_ROW)
		n++;
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
