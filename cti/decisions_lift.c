/* decisions_lift.c -- what is lifted, what is forgotten in time. */
#include "cti/decisions_parts.h"
#include <stdlib.h>

void record_drop(struct decisions *d, struct record **at)
{
	struct record *r = *at;

	*at = r->next;
	record_activate(d, r, false);
	front_take_id(d->front, r->d.id);
	atomic_fetch_sub(&d->records, 1);
	atomic_fetch_sub(&d->own, decision_is_own(&r->d));
	free(r);
}

/* By someone here. */
void record_note_lifted(struct decisions *d, struct record *r)
{
	r->d.stamp = hlc_now(&d->clock, clock_wall_ms());
	decisions_bury(d, r->d.id, r->d.until_ms);
	decisions_tell_lifted(d, r, DECISION_MADE);
}

/* Walks a list and removes those that `gone` says; the watch is told of what someone lifts. */
static size_t prune(struct decisions *d, struct record **at, bool (*gone)(void *ctx, const struct record *), void *ctx, bool tell)
{
	size_t n = 0;

	while (*at) {
		struct record *r = *at;

		if (!gone(ctx, r)) {
			at = &r->next;
			continue;
		}
		if (tell)
			record_note_lifted(d, r);
		record_drop(d, at);
		n++;
	}
	return n;
}

static bool is_old(void *ctx, const struct record *r)
{
	return decision_is_past(&r->d, *(uint64_t *)ctx);
}

/* Those that are over are active no more, but count as past. */
static void sweep_list(struct decisions *d, struct record **list, uint64_t now_ms)
{
	for (struct record *r = *list; r; r = r->next)
		if (r->d.until_ms <= now_ms)
			record_activate(d, r, false);
	prune(d, list, is_old, &now_ms, false);
}

void decisions_sweep(struct decisions *d, uint64_t now_ms)
{
	enum { LOOKS = PIECES / DECISIONS_SWEEPS };

	for (unsigned looks = atomic_load(&d->records) ? LOOKS : 0; looks; looks--) {
		unsigned piece = atomic_fetch_add(&d->hand, 1) % PIECES, first = piece / SHARDS * SWEEP_HEADS;
		struct shard *s = &d->shards[piece % SHARDS];

		pthread_rwlock_wrlock(&s->lock);
		for (unsigned k = first; k < first + SWEEP_HEADS; k++)
			sweep_list(d, &s->heads[k], now_ms);
		pthread_rwlock_unlock(&s->lock);
	}
}

static bool is_id(void *ctx, const struct record *r)
{
	return r->d.id == *(uint64_t *)ctx;
}

bool decisions_lift_id(struct decisions *d, uint64_t id)
{
	struct record **list;
	struct shard *s;
	uint64_t hash;
	size_t n;

	if (!front_find_id(d->front, id, &hash))
		return false;
	list = decisions_list(d, hash, &s);
	pthread_rwlock_wrlock(&s->lock);
	n = prune(d, list, is_id, &id, true);
	pthread_rwlock_unlock(&s->lock);
	return n > 0;
}

struct about {
	enum scope scope;
	bool allowing; /* only what allows */
	struct bytes value;
	uint64_t hash;
};

static bool is_of(void *ctx, const struct record *r)
{
	const struct about *a = ctx;

	return record_is_about(r, a->scope, a->hash, a->value) && (!a->allowing || r->d.remedy == REMEDY_ALLOW);
}

static size_t lift(struct decisions *d, enum scope scope, struct bytes value, bool allowing)
{
	struct decision wanted = { .scope = scope, .value = value };
	struct about about = { .scope = scope, .allowing = allowing };
	char room[TEXT_MAX];
	struct ip_net net;
	struct shard *s;
	struct record **list;
	size_t n;

	if (!decisions_normal(&wanted, room, &about.value, &net))
		return 0;
	about.hash = decisions_key(scope, about.value);
	list = decisions_list(d, about.hash, &s);
	pthread_rwlock_wrlock(&s->lock);
	n = prune(d, list, is_of, &about, true);
	pthread_rwlock_unlock(&s->lock);
	return n;
}

size_t decisions_lift(struct decisions *d, enum scope scope, struct bytes value)
{
	return lift(d, scope, value, false);
}

size_t decisions_lift_allowing(struct decisions *d, enum scope scope, struct bytes value)
{
	return lift(d, scope, value, true);
}

bool decisions_any(const struct decisions *d, enum scope scope)
{
	for (int r = 0; r < REMEDY_COUNT; r++)
		if (atomic_load_explicit(&((struct decisions *)(uintptr_t)d)->active[scope][r], memory_order_relaxed))
			return true;
	return false;
}

size_t decisions_held(struct decisions *d)
{
	return atomic_load(&d->records);
}
