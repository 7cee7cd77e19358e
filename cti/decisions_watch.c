/* decisions_watch.c -- for whoever keeps decisions or passes them on. */
#include "cti/decisions_parts.h"

/* Nobody tells meanwhile: whoever does holds the lock of a shard. */
static void lock_all(struct decisions *d)
{
	for (int i = 0; i < SHARDS; i++)
		pthread_rwlock_wrlock(&d->shards[i].lock);
}

static void unlock_all(struct decisions *d)
{
	for (int i = 0; i < SHARDS; i++)
		pthread_rwlock_unlock(&d->shards[i].lock);
}

bool decisions_watch(struct decisions *d, const struct decisions_watch *watch)
{
	bool room;

	lock_all(d);
	room = d->nwatches < DECISIONS_WATCHES;
	if (room)
		d->watches[d->nwatches++] = *watch;
	unlock_all(d);
	return room;
}

void decisions_unwatch(struct decisions *d, const void *ctx)
{
	size_t n = 0;

	lock_all(d);
	for (size_t i = 0; i < d->nwatches; i++)
		if (d->watches[i].ctx != ctx)
			d->watches[n++] = d->watches[i];
	d->nwatches = n;
	unlock_all(d);
}

void decisions_apply_lift(struct decisions *d, const struct decision *of_another)
{
	struct place p;
	struct record **at;

	if (!decisions_place(d, of_another, &p) || !hlc_heard(&d->clock, of_another->stamp, clock_wall_ms()))
		return;
	decisions_bury(d, of_another->id, of_another->until_ms);
	pthread_rwlock_wrlock(&p.shard->lock);
	for (at = p.list; *at && (*at)->d.id != of_another->id;)
		at = &(*at)->next;
	if (*at) {
		decisions_tell_lifted(d, *at, DECISION_APPLIED);
		record_drop(d, at);
	}
	pthread_rwlock_unlock(&p.shard->lock);
}

static bool take_same(struct decisions *d, const struct decision *kept, bool tell)
{
	char room[TEXT_MAX];
	struct bytes value;
	struct ip_net net;
	struct shard *s;
	struct record **at;
	uint64_t hash;
	bool found;

	if (!decisions_normal(kept, room, &value, &net))
		return false;
	hash = decisions_key(kept->scope, value);
	at = decisions_list(d, hash, &s);
	pthread_rwlock_wrlock(&s->lock);
	while (*at && !record_is_same(*at, kept, hash, value))
		at = &(*at)->next;
	found = *at != NULL;
	if (found && tell)
		record_note_lifted(d, *at);
	if (found)
		record_drop(d, at);
	pthread_rwlock_unlock(&s->lock);
	return found;
}

bool decisions_lift_same(struct decisions *d, const struct decision *which)
{
	return take_same(d, which, true);
}

bool decisions_forget(struct decisions *d, const struct decision *kept)
{
	return take_same(d, kept, false);
}

static void tell_kept(const struct record *r, void (*each)(void *ctx, const struct decision *, unsigned times), void *ctx)
{
	for (; r; r = r->next)
		each(ctx, &r->d, r->times);
}

bool decisions_part(struct decisions *d, size_t part, void (*each)(void *ctx, const struct decision *, unsigned times), void *ctx)
{
	struct shard *s = &d->shards[part % SHARDS];
	size_t first = part / SHARDS * SWEEP_HEADS;

	if (part >= PIECES)
		return false;
	pthread_rwlock_rdlock(&s->lock);
	for (size_t k = first; k < first + SWEEP_HEADS; k++)
		tell_kept(s->heads[k], each, ctx);
	pthread_rwlock_unlock(&s->lock);
	return true;
}

void decisions_count(struct decisions *d, struct decisions_stats *out)
{
	*out = (struct decisions_stats){ .spared = atomic_load(&d->nspares), .full = atomic_load(&d->fulls),
					  .guarded = atomic_load(&d->guardeds) };
	for (int r = 0; r < REMEDY_COUNT; r++) {
		out->made[r] = atomic_load(&d->made[r]);
		for (int scope = 0; scope < SCOPE_COUNT; scope++)
			out->active[scope][r] = atomic_load_explicit(&d->active[scope][r], memory_order_relaxed);
	}
}
