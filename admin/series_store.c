/* series_store.c -- steps of time as rows: by app, length and beginning, their counters added to what is there. */
#include "admin/archive_parts.h"
#include "admin/series_parts.h"
#include "base/clock.h"
#include <stdlib.h>

enum { TRIM_STEPS = 4 /* kept beyond a range, so that its oldest is whole */ };

static const char table[] =
	"CREATE TABLE IF NOT EXISTS series (app TEXT, step_s INTEGER, at_s INTEGER, point BLOB, PRIMARY KEY (app, step_s, at_s))"
	" WITHOUT ROWID";

/* ---- writing ---- */

struct saved {
	struct archive *archive;
	size_t n;
	struct saved_slot { char app[256]; struct series_slot slot; } slots[];
};

/* Points are as this machine has them; of another length they are of another version, and not known. */
static bool read_point(sqlite3_stmt *s, int column, struct series_point *p)
{
	struct bytes b = archive_column(s, column);

	if (b.len != sizeof *p)
		return false;
	memcpy(p, b.at, sizeof *p);
	return true;
}

static void bind_key(sqlite3_stmt *s, const char *app, uint32_t step_s, uint64_t at_s)
{
	archive_bind(s, 1, bytes_of(app));
	sqlite3_bind_int64(s, 2, step_s);
	sqlite3_bind_int64(s, 3, (sqlite3_int64)at_s);
}

static void add_row(sqlite3_stmt *get, sqlite3_stmt *put, const struct saved_slot *slot, uint32_t step_s)
{
	uint64_t at_s = slot->slot.at_s / step_s * step_s;
	struct series_point p = slot->slot.point, there;

	bind_key(get, slot->app, step_s, at_s);
	if (sqlite3_step(get) == SQLITE_ROW && read_point(get, 0, &there))
		series_add(&p, &there);
	sqlite3_reset(get);
	bind_key(put, slot->app, step_s, at_s);
	sqlite3_bind_blob(put, 4, &p, sizeof p, SQLITE_STATIC);
	sqlite3_step(put);
	sqlite3_reset(put);
}

static void trim(struct archive *a, sqlite3 *db, uint64_t now_s)
{
	sqlite3_stmt *s = archive_prepare(a, db, "DELETE FROM series WHERE step_s = ? AND at_s < ?");

	for (size_t i = 0; s && i < series_nsteps; i++) {
		const struct series_step *step = &series_steps[i];

		sqlite3_bind_int64(s, 1, step->step_s);
		sqlite3_bind_int64(s, 2, (sqlite3_int64)(now_s - step->range_s - (uint64_t)TRIM_STEPS * step->step_s));
		sqlite3_step(s);
		sqlite3_reset(s);
	}
	sqlite3_finalize(s);
}

/* Events that are too old go too, though no new one comes. */
static void save(sqlite3 *db, void *arg)
{
	struct saved *saved = arg;
	struct archive *a = saved->archive;
	sqlite3_stmt *get = archive_prepare(a, db, "SELECT point FROM series WHERE app = ? AND step_s = ? AND at_s = ?");
	sqlite3_stmt *put = archive_prepare(a, db, "INSERT OR REPLACE INTO series (app, step_s, at_s, point) VALUES (?, ?, ?, ?)");

	for (size_t i = 0; get && put && i < saved->n; i++)
		for (size_t step = 0; step < series_nsteps; step++)
			add_row(get, put, &saved->slots[i], series_steps[step].step_s);
	sqlite3_finalize(get);
	sqlite3_finalize(put);
	trim(a, db, clock_wall_ms() / 1000);
	archive_trim(a, db);
	free(saved);
}

/* What is pending, taken out; NULL: nothing is, or no memory, and it stays. */
static struct saved *take(struct series *s)
{
	struct saved *saved;
	size_t n = 0;

	for (size_t i = 0; i < s->napps; i++)
		n += s->apps[i].npending;
	saved = n && s->archive ? calloc(1, sizeof *saved + n * sizeof saved->slots[0]) : NULL;
	if (!saved)
		return NULL;
	saved->archive = s->archive;
	for (size_t i = 0; i < s->napps; i++) {
		struct series_app *a = &s->apps[i];

		for (size_t p = 0; p < a->npending; p++) {
			struct saved_slot *slot = &saved->slots[saved->n++];

			memcpy(slot->app, a->name.at, a->name.len < sizeof slot->app - 1 ? a->name.len : sizeof slot->app - 1);
			slot->slot = a->pending[p];
		}
	}
	return saved;
}

static void taken(struct series *s)
{
	for (size_t i = 0; i < s->napps; i++)
		s->apps[i].npending = 0;
}

void series_save(struct series *s)
{
	struct saved *saved = take(s);

	if (saved && store_do(archive_store(s->archive), save, NULL, NULL, saved))
		taken(s);
	else
		free(saved); /* tried again in a minute; of more than SERIES_PENDING the oldest go */
}

void series_save_now(struct series *s)
{
	struct saved *saved = take(s);

	if (saved && store_do_now(archive_store(s->archive), save, saved))
		taken(s);
	else
		free(saved);
}

static void make(sqlite3 *db, void *arg)
{
	if (sqlite3_exec(db, table, NULL, NULL, NULL) != SQLITE_OK)
		store_note_failure(archive_store(arg));
}

void series_prepare(struct series *s)
{
	if (s->archive)
		store_do_now(archive_store(s->archive), make, s->archive);
}

/* ---- reading ---- */

struct ranging {
	struct archive *archive;
	char app[256];
	struct series_range range;
	series_ranged *done;
	void *owner;
	struct series_point *at;
	bool *known;
};

static void read_range(sqlite3 *db, void *arg)
{
	struct ranging *r = arg;
	const struct series_range *range = &r->range;
	sqlite3_stmt *s = archive_prepare(r->archive, db, "SELECT at_s, point FROM series WHERE app = ? AND step_s = ? AND at_s >= ?");

	r->range.failed = !s;
	if (!s)
		return;
	bind_key(s, r->app, range->step->step_s, range->from_s);
	while (sqlite3_step(s) == SQLITE_ROW) {
		uint64_t i = ((uint64_t)sqlite3_column_int64(s, 0) - range->from_s) / range->step->step_s;

		if (i < range->n)
			r->known[i] = read_point(s, 1, &r->at[i]);
	}
	sqlite3_finalize(s);
}

static void ranging_free(struct ranging *r)
{
	free(r->at);
	free(r->known);
	free(r);
}

static void ranged(void *arg)
{
	struct ranging *r = arg;

	r->done(r->owner, &r->range);
	ranging_free(r);
}

bool series_range(struct series *s, struct bytes app, const struct series_step *step, series_ranged *done, void *owner)
{
	struct ranging *r = s->archive ? calloc(1, sizeof *r) : NULL;
	uint64_t now_s = clock_wall_ms() / 1000;

	if (!r)
		return false;
	series_save(s);
	r->range = (struct series_range){ .step = step, .n = step->range_s / step->step_s,
					  .from_s = now_s / step->step_s * step->step_s - step->range_s };
	r->at = calloc(r->range.n, sizeof *r->at);
	r->known = calloc(r->range.n, sizeof *r->known);
	r->range.at = r->at;
	r->range.known = r->known;
	r->archive = s->archive;
	r->done = done;
	r->owner = owner;
	memcpy(r->app, app.at ? app.at : "", app.len < sizeof r->app - 1 ? app.len : sizeof r->app - 1);
	if (r->at && r->known && store_do(archive_store(s->archive), read_range, s->loop, ranged, r))
		return true;
	ranging_free(r);
	return false;
}
