/* rows.c -- reading a table, and writing a row of it behind. */
#include "admin/rows.h"
#include "base/bytes.h"
#include "base/log.h"
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- reading ---- */

struct reading {
	const char *create, *select;
	void (*take)(void *, sqlite3_stmt *);
	void *ctx;
	bool good;
	char why[128];
};

static void run_read(sqlite3 *db, void *arg)
{
	struct reading *r = arg;
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_exec(db, r->create, NULL, NULL, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, r->select, -1, &s, NULL);
	while (rc == SQLITE_OK && (rc = sqlite3_step(s)) == SQLITE_ROW) {
		r->take(r->ctx, s);
		rc = SQLITE_OK;
	}
	r->good = rc == SQLITE_DONE;
	if (!r->good)
		snprintf(r->why, sizeof r->why, "%s", sqlite3_errmsg(db));
	sqlite3_finalize(s);
}

bool rows_read(struct store *store, const char *create, const char *select,
	       void (*take)(void *, sqlite3_stmt *), void *ctx, struct err *e)
{
	struct reading r = { .create = create, .select = select, .take = take, .ctx = ctx, .why = "the store takes no more" };

	return (store_do_now(store, run_read, &r) && r.good) || err_set(e, SIDE_SELF, 0, "%s", r.why);
}

/* ---- writing ---- */

struct writing {
	struct store *store;
	const char *sql;
	void (*bind)(sqlite3_stmt *, const void *);
	_Alignas(max_align_t) char row[];
};

static void run_write(sqlite3 *db, void *arg)
{
	struct writing *w = arg;
	sqlite3_stmt *s = NULL;

	if (sqlite3_prepare_v2(db, w->sql, -1, &s, NULL) == SQLITE_OK)
		w->bind(s, w->row);
	if (!s || sqlite3_step(s) != SQLITE_DONE)
		store_note_failure(w->store);
	sqlite3_finalize(s);
	free(w);
}

bool rows_write(struct store *store, const char *sql, void (*bind)(sqlite3_stmt *, const void *), const void *row, size_t size)
{
	struct writing *w = malloc(sizeof *w + size);

	if (!w)
		return false;
	*w = (struct writing){ .store = store, .sql = sql, .bind = bind };
	memcpy(w->row, row, size);
	if (store_do(store, run_write, NULL, NULL, w))
		return true;
	log_error("the store takes no more: not done: %s", sql);
	free(w);
	return false;
}

/* ---- columns ---- */

void row_text(sqlite3_stmt *s, int column, char *to, size_t cap)
{
	const unsigned char *at = sqlite3_column_text(s, column);

	snprintf(to, cap, "%s", at ? (const char *)at : "");
}

bool row_blob(sqlite3_stmt *s, int column, void *to, size_t n)
{
	const void *at = sqlite3_column_blob(s, column);

	if (!at || sqlite3_column_bytes(s, column) != (int)n)
		return false;
	memcpy(to, at, n);
	return true;
}
