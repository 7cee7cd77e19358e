/* archive.c -- when a batch is written, and the life of it all. */
#include "admin/archive_parts.h"
#include "base/log.h"
#include <stdlib.h>
#include <sys/resource.h>

enum {
	AGAIN_MS = 1000,
	PACE_MS = 250, /* between batches, when one did not take all: in a flood some 2,000 events a second are kept */
	NICE = 10,     /* of the thread: whoever is attacked has better to do */
};

static void write_soon(struct archive *, uint32_t after_ms);

/* On the store's thread. */
static void write_batch(sqlite3 *db, void *arg)
{
	struct archive *a = arg;

	atomic_store(&a->more, !archive_write(a, db));
	archive_trim(a, db);
}

static void on_written(void *arg)
{
	struct archive *a = arg;

	a->writing = false;
	if (atomic_load(&a->more))
		write_soon(a, PACE_MS);
	else if (a->asked)
		write_soon(a, ARCHIVE_DELAY_MS);
	if (a->told)
		a->told(a->told_ctx);
}

static void on_time(void *arg)
{
	struct archive *a = arg;

	a->asked = false;
	a->writing = store_do(a->store, write_batch, a->loop, on_written, a);
	if (!a->writing)
		write_soon(a, AGAIN_MS);
}

static void write_soon(struct archive *a, uint32_t after_ms)
{
	if (!a->writing && !a->deadline.link)
		deadline_set(a->loop, &a->deadline, after_ms, on_time, a);
}

/* Also between the end of a batch and on_written(): then that begins the next one. */
static void on_some(void *arg)
{
	struct archive *a = arg;

	a->asked = true;
	write_soon(a, ARCHIVE_DELAY_MS);
}

/* On a worker's thread. Without memory the next batch takes it with it: there is one when the process ends. */
static void some(void *ctx)
{
	struct archive *a = ctx;

	loop_post(a->loop, on_some, a);
}

/* ---- life ---- */

static void make(sqlite3 *db, void *arg)
{
	struct archive *a = arg;

	setpriority(PRIO_PROCESS, 0, NICE); /* on Linux: this thread's */
	a->good = archive_make(a, db);
	if (a->good)
		archive_trim(a, db);
}

struct archive *archive_open(const char *path, struct events *events, struct loop *loop, const struct archive_bounds *bounds,
			     struct err *e)
{
	struct archive *a = calloc(1, sizeof *a);

	if (!a) {
		err_set(e, SIDE_SELF, 0, "events: out of memory");
		return NULL;
	}
	*a = (struct archive){ .events = events, .loop = loop, .bounds = *bounds };
	a->store = store_open(path, e);
	if (a->store && store_do_now(a->store, make, a) && a->good) {
		events_watch(events, some, a);
		return a;
	}
	if (a->store)
		err_set(e, SIDE_SELF, 0, "%s: its tables cannot be made or read", path);
	store_close(a->store);
	free(a);
	return NULL;
}

static void write_all(sqlite3 *db, void *arg)
{
	struct archive *a = arg;

	while (!archive_write(a, db))
		;
	archive_trim(a, db);
}

void archive_flush(struct archive *a)
{
	store_do_now(a->store, write_all, a);
}

void archive_close(struct archive *a)
{
	if (!a)
		return;
	deadline_clear(&a->deadline);
	archive_flush(a);
	store_close(a->store);
	free(a);
}

struct store *archive_store(struct archive *a)
{
	return a->store;
}

void archive_count(struct archive *a, struct archive_counts *out)
{
	struct store_counts c;

	store_count(a->store, &c);
	*out = (struct archive_counts){ .written = atomic_load(&a->written), .bytes = c.bytes,
					.dropped = atomic_load(&a->lost) + events_missed(a->events) };
}

void archive_follow(struct archive *a, void (*told)(void *), void *ctx)
{
	a->told = told;
	a->told_ctx = ctx;
}
