/* bucket.c -- what a pour does to a bucket; bucket_table.c has the table. */
#include "scenarios/bucket_table.h"

static uint32_t at_most(uint64_t n, uint32_t most)
{
	return n < most ? (uint32_t)n : most;
}

/* ---- leaky arithmetic ----
 *
 * CrowdSec's limiter has `capacity` tokens at first, gives one back each leak_us and takes one an event. The same without
 * fractions: the time at which all tokens are back moves on by leak_us an event, and an event has no token when that time
 * is more than capacity * leak_us ahead (the generic cell rate algorithm). A clock that steps back leaves the tokens as
 * they are, as Go's limiter does: what was missing is missing still. */
static void step_back(struct bucket *b, uint64_t now_us)
{
	b->full_us = b->full_us > b->last_us ? now_us + (b->full_us - b->last_us) : 0;
}

static bool overfills(struct bucket *b, const struct bucket_kind *k, uint64_t now_us)
{
	uint64_t back = (b->full_us > now_us ? b->full_us : now_us) + k->leak_us, room;

	if (__builtin_mul_overflow(k->leak_us, k->capacity, &room) || room > UINT64_MAX - now_us)
		room = UINT64_MAX - now_us;
	if (back > now_us + room)
		return true;
	b->full_us = back;
	return false;
}

/* ---- events ---- */

/* Each is a length of two bytes and the bytes. */
enum { LENGTH = sizeof(uint16_t) };

static uint32_t event_size(const char *at)
{
	uint16_t len;

	memcpy(&len, at, LENGTH);
	return (uint32_t)LENGTH + len;
}

static void drop_oldest(struct bucket_more *m)
{
	uint32_t size = event_size(m->events);

	memmove(m->events, m->events + size, m->len - size);
	m->len -= size;
	m->nevents--;
}

static void keep_event(struct bucket_shard *s, struct bucket *b, struct bytes event, uint32_t keep)
{
	uint16_t len = (uint16_t)event.len;
	uint32_t size = (uint32_t)LENGTH + len;
	struct bucket_more *m;

	if (!keep || !event.len || event.len > BUCKET_EVENT_MAX)
		return;
	keep = at_most(keep, BUCKET_KEEP_MAX);
	while (b->more && b->more->nevents >= keep) /* more than one after a reload that keeps fewer */
		drop_oldest(b->more);
	if (!(m = bucket_room(s, b, size)))
		return;
	memcpy(m->events + m->len, &len, LENGTH);
	memcpy(m->events + m->len + LENGTH, event.at, event.len);
	m->len += size;
	m->nevents++;
}

static void summary(const struct bucket *b, struct bucket_events *out)
{
	*out = (struct bucket_events){ .count = b->count, .first_us = bucket_first_us(b), .ours = b->ours };
}

/* What is in it, copied where the arena is given; else it points into the bucket. */
static void contents(const struct bucket *b, struct arena *a, struct bytes *list, struct bucket_events *out)
{
	const struct bucket_more *m = b->more;
	size_t n = 0;

	summary(b, out);
	out->kept = list;
	for (uint32_t at = 0; m && at < m->len && list; at += event_size(m->events + at)) {
		struct bytes e = { m->events + at + LENGTH, event_size(m->events + at) - LENGTH };

		list[n] = a ? arena_copy(a, e) : e;
		if (list[n].at)
			n++;
	}
	out->nkept = n;
}

static struct bytes *list_for(const struct bucket *b, struct arena *a)
{
	return a && b->more && b->more->nevents ? arena_get(a, b->more->nevents * sizeof(struct bytes)) : NULL;
}

/* ---- the steps of a pour ---- */

/* A bucket that died, or that is new, starts over. Its silence stays. */
static void begin(struct bucket_shard *s, struct bucket *b, const struct bucket_kind *k, uint64_t now_us)
{
	bucket_empty(s, b);
	b->full_us = 0;
	b->ours = false;
	b->last_us = now_us;
	b->first_ms = (uint32_t)(now_us / 1000);
	b->life_ms = at_most(k->life_us / 1000 + (k->life_us % 1000 != 0), UINT32_MAX);
}

/* Clocks of threads and of lines of logs differ: an event may be older than the one before it. */
static void move_clock(struct bucket *b, const struct bucket_kind *k, uint64_t now_us)
{
	uint32_t now_ms = (uint32_t)(now_us / 1000);

	if (now_us < b->last_us && k->type == BUCKET_LEAKY)
		step_back(b, now_us);
	if ((int32_t)(now_ms - b->first_ms) < 0)
		b->first_ms = now_ms;
	if (k->type != BUCKET_COUNTER)
		b->last_us = now_us;
}

static bool judged_over(const struct pour *p, struct bucket_shard *s, struct bucket *b)
{
	struct bucket_events e;
	struct bucket_more *m = bucket_room(s, b, 0);

	if (!m)
		return false;
	contents(b, NULL, list_for(b, p->arena), &e);
	return p->judge(p->ctx, &e, &m->latch);
}

static bool is_over(const struct pour *p, struct bucket_shard *s, struct bucket *b)
{
	switch (p->kind->type) {
	case BUCKET_TRIGGER: return true;
	case BUCKET_LEAKY:
		if (overfills(b, p->kind, p->now_us))
			return true;
		break;
	case BUCKET_COUNTER: /* by time: bucket_take */
	case BUCKET_CONDITIONAL:
	case BUCKET_BAYESIAN: break;
	}
	return p->judge && judged_over(p, s, b);
}

/* The bucket is gone, but for the silence of its key. */
static void end(struct bucket_shard *s, struct bucket *b)
{
	if (b->silent)
		bucket_empty(s, b);
	else
		bucket_remove(s, b);
}

/* A silence that is over is forgotten, before 32 bits take it for one to come. */
static bool is_silent(struct bucket *b, uint64_t now_us)
{
	b->silent = b->silent && bucket_silence_lasts(b, now_us);
	return b->silent;
}

static enum poured overflow(struct bucket_shard *s, struct bucket *b, const struct pour *p, struct bucket_events *out)
{
	bool silent = is_silent(b, p->now_us);

	contents(b, p->arena, list_for(b, p->arena), out);
	if (p->allow && !p->allow(p->ctx, out)) {
		*out = (struct bucket_events){ .count = 0 };
		end(s, b);
		return POURED_CANCELED;
	}
	if (!silent && p->kind->blackhole_us) {
		b->silent = true;
		b->silent_until_ms = (uint32_t)(p->now_us / 1000) + at_most(p->kind->blackhole_us / 1000, INT32_MAX);
	}
	end(s, b);
	return silent ? POURED_SILENT : POURED_OVER;
}

static enum poured pour(struct bucket_shard *s, struct bucket *b, const struct pour *p, struct bucket_events *out)
{
	const struct bucket_kind *k = p->kind;

	is_silent(b, p->now_us);
	if (b->count == 0 || bucket_is_dead(b, p->now_us))
		begin(s, b, k, p->now_us);
	if (k->type != BUCKET_TRIGGER) {
		if (p->is_distinct && !bucket_is_new(s, b, p->value)) {
			summary(b, out);
			return POURED_SEEN;
		}
		if (p->cancel) {
			end(s, b);
			return POURED_CANCELED;
		}
	}
	b->count++;
	b->ours |= !p->heard;
	move_clock(b, k, p->now_us);
	keep_event(s, b, p->event, k->keep);
	if (is_over(p, s, b))
		return overflow(s, b, p, out);
	summary(b, out);
	return POURED;
}

enum poured bucket_pour(struct buckets *all, const struct pour *p, struct bucket_events *out)
{
	struct bucket_shard *s = buckets_lock(all, p->key);
	struct bucket *b = bucket_get(s, p->key, p->now_us);
	enum poured r = POURED;

	*out = (struct bucket_events){ .count = 0 };
	if (b)
		r = pour(s, b, p, out);
	else if (p->kind->type == BUCKET_TRIGGER) {
		*out = (struct bucket_events){ .count = 1, .first_us = p->now_us };
		r = POURED_OVER; /* no room to be silent in */
	}
	buckets_unlock(s);
	return r;
}

/* A bucket that began again (after a cancel) has a later end than the first that was expected of its key. A counter lives
 * twice its time, in whole milliseconds. */
static bool ends_by(const struct bucket *b, uint64_t now_us)
{
	return now_us + 1000 > b->last_us + (uint64_t)b->life_ms * 1000 / 2;
}

bool bucket_take(struct buckets *all, const struct pour *p, enum poured *r, struct bucket_events *out)
{
	struct bucket_shard *s = buckets_lock(all, p->key);
	struct bucket *b = bucket_find(s, p->key);
	bool there = b && b->count && !bucket_is_dead(b, p->now_us) && ends_by(b, p->now_us);

	if (there)
		*r = overflow(s, b, p, out);
	buckets_unlock(s);
	return there;
}

uint32_t bucket_count(struct buckets *all, uint64_t key, uint64_t now_us)
{
	struct bucket_shard *s = buckets_lock(all, key);
	struct bucket *b = bucket_find(s, key);
	uint32_t n = b && !bucket_is_dead(b, now_us) ? b->count : 0;

	buckets_unlock(s);
	return n;
}

uint32_t bucket_level(struct buckets *all, uint64_t key, const struct bucket_kind *k, uint64_t now_us)
{
	struct bucket_shard *s = buckets_lock(all, key);
	struct bucket *b = bucket_find(s, key);
	uint64_t n = b && !bucket_is_dead(b, now_us) ? b->count : 0, left_us = 0;

	if (n && k->type == BUCKET_LEAKY && k->leak_us) {
		left_us = b->full_us > now_us ? b->full_us - now_us : 0;
		n = (left_us + k->leak_us - 1) / k->leak_us;
	}
	buckets_unlock(s);
	return n < UINT32_MAX ? (uint32_t)n : UINT32_MAX;
}
