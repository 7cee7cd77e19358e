/* lists_turn.c -- when a list is read again, and what becomes of what was read.
 *
 * The old one stays until there is a better one: what failed, holds nothing, or has lost nine tenths is told once, and
 * asked for again after half a minute, a minute, two, ... */
#include "cti/lists_parts.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include <errno.h>
#include <sys/stat.h>

enum { WATCH_MS = 2000, RETRY_MS = 30000, RETRY_DOUBLES = 6, SHRINK = 10, SETTLE_MS = 1000 };

/* ---- when ---- */

static uint64_t jitter(const struct list *l, uint64_t ms)
{
	uint64_t seed[2] = { clock_mono_us(), (uintptr_t)l };
	uint64_t tenth = ms / 10;

	return ms - tenth + hash_bytes((struct bytes){ (const char *)seed, sizeof seed }) % (2 * tenth + 1);
}

static uint64_t wait_ms(const struct list *l)
{
	uint64_t every = l->c.every_ms, retry, now_ms = clock_wall_ms(), next;
	unsigned doubles;

	if (l->c.file)
		return WATCH_MS;
	if (l->failures) {
		doubles = l->failures - 1 < RETRY_DOUBLES ? l->failures - 1 : RETRY_DOUBLES;
		retry = (uint64_t)RETRY_MS << doubles;
		return jitter(l, retry < every ? retry : every);
	}
	next = l->mark.confirmed_ms + jitter(l, every);
	return !l->held || next < now_ms ? 0 : next - now_ms < 2 * every ? next - now_ms : every;
}

void list_turn_begin(struct list *l)
{
	deadline_set(l->lists->loop, &l->due, wait_ms(l), list_turn_now, l);
}

/* ---- what it comes to ---- */

static void trouble(struct list *l, const char *why)
{
	bool again = l->failures && strcmp(l->trouble, why) == 0;

	l->failures++;
	snprintf(l->trouble, sizeof l->trouble, "%s", why);
	if (!again)
		log_error("list %.*s: %s: %s", BYTES_ARG(l->c.name), why, l->held ? "the old one stays" : "nothing is held of it");
}

static void fine(struct list *l)
{
	if (l->failures)
		log_info("list %.*s: it can be had again", BYTES_ARG(l->c.name));
	l->failures = 0;
	l->trouble[0] = '\0';
}

static bool is_believed(const struct list *l, const struct list_set *fresh, struct err *err)
{
	size_t had = l->held ? l->held->entries : 0;

	if (l->c.allow_shrink)
		return true;
	if (!fresh->entries)
		return err_set(err, SIDE_UPSTREAM, 0, "it holds no address");
	if (had / SHRINK > fresh->entries)
		return err_set(err, SIDE_UPSTREAM, 0, "it shrank from %zu entries to %zu", had, fresh->entries);
	return true;
}

static void keep(struct list_reading *r, struct list *l)
{
	bool kept = r->out >= 0 && list_keep_end(&l->keep, r->out, true);

	r->out = -1;
	if (l->keep.dir && l->c.url.len && !r->kept && !(kept && list_keep_save(&l->keep, &l->mark)))
		log_error("list %.*s: it is not kept over a restart: %s", BYTES_ARG(l->c.name), strerror(errno));
}

static void say(const struct list *l)
{
	const struct list_set *s = l->held;

	log_info("list %.*s: %zu entries, %zu lines that are none", BYTES_ARG(l->c.name), s->entries, s->skipped);
	if (s->left_out)
		log_error("list %.*s: %zu entries are left out, the first is %s: too wide, spared, or nobody's on the internet",
			  BYTES_ARG(l->c.name), s->left_out, s->left_out_first);
}

/* Readers see the new one, or when memory ends the old one. */
static bool swap(struct list *l, struct list_reading *r)
{
	struct list_set *old = l->held;
	struct list_mark before = l->mark;
	uint64_t now_ms = clock_wall_ms();

	l->held = r->set;
	if (!r->kept) {
		l->mark = r->mark;
		l->mark.read_ms = l->mark.confirmed_ms = now_ms;
	}
	if (!lists_publish(l->lists)) {
		l->held = old;
		l->mark = before;
		return false;
	}
	r->set = old; /* freed with the reading */
	return true;
}

/* "Unchanged", or a file that is what it was. Readers need to know only where it would be too old some day. */
static void confirm(struct list *l)
{
	l->mark.confirmed_ms = clock_wall_ms();
	if (l->keep.dir && l->c.url.len)
		list_keep_save(&l->keep, &l->mark);
	if (l->c.age_ms)
		lists_publish(l->lists);
}

static void take(struct list *l, struct list_reading *r)
{
	if (r->kept && r->err.side)
		log_warn("list %.*s: what was kept of it cannot be read: %s", BYTES_ARG(l->c.name), r->err.text);
	else if (r->err.side || (!r->unchanged && !r->kept && !is_believed(l, r->set, &r->err)))
		trouble(l, r->err.text);
	else if (r->unchanged)
		confirm(l), fine(l);
	else if (!swap(l, r))
		trouble(l, "out of memory");
	else
		fine(l), keep(r, l), say(l);
	/* A file that is not believed is not read again before it changes. */
	if (l->c.file)
		l->mark.mtime = r->mark.mtime, l->mark.size = r->mark.size, l->mark.inode = r->mark.inode;
}

void list_turn_done(struct list_reading *r)
{
	struct list *l = r->of;

	take(l, r);
	list_reading_drop(r);
	lists_tell(l->lists);
	list_turn_begin(l);
}

/* ---- a turn ---- */

static bool is_same(const struct list_mark *m, const struct stat *st)
{
	return m->mtime.tv_sec == st->st_mtim.tv_sec && m->mtime.tv_nsec == st->st_mtim.tv_nsec && m->size == (uint64_t)st->st_size &&
	       m->inode == st->st_ino;
}

/* A file that changed a moment ago may still be written. */
static bool is_settled(const struct stat *st)
{
	uint64_t ms = (uint64_t)st->st_mtim.tv_sec * 1000 + (uint64_t)st->st_mtim.tv_nsec / 1000000, now_ms = clock_wall_ms();

	return ms > now_ms || now_ms - ms >= SETTLE_MS;
}

/* True: it is to be read. */
static bool look_at_file(struct list *l)
{
	struct stat st;

	if (stat(l->c.file, &st) != 0) {
		trouble(l, strerror(errno));
		l->mark.inode = 0;
		lists_tell(l->lists);
		return false;
	}
	if (!is_same(&l->mark, &st))
		return is_settled(&st);
	if (l->held && !l->failures && l->c.age_ms && clock_wall_ms() - l->mark.confirmed_ms > l->c.age_ms / 8)
		confirm(l);
	return false;
}

void list_turn_now(void *list)
{
	struct list *l = list;
	struct err e = { 0 };

	if (l->reading)
		return;
	if (!l->c.file || look_at_file(l)) {
		l->reading = l->c.file ? list_reading_file(l, &e) : list_reading_fetch(l, &e);
		if (l->reading)
			return;
		trouble(l, e.text);
	}
	list_turn_begin(l);
}
