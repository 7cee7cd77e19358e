/* decisions.c -- decisions in a sharded table by scope and value.
 *
 * A record is a decision with its texts behind it. One that is over stays for 72 hours after it was made, so that repeaters
 * are known, and is then forgotten. Ranges are few and have a list of their own. */
#include "base/clock.h"
#include "base/hash.h"
#include "cti/cti.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	SHARDS = 64, HEADS = 16384, /* ten in a chain where there are ten million */
	SPARED_MAX = 256, TEXT_MAX = 256,
	SWEEP_HEADS = 256, /* at once under a lock */
	OWN_SHARE = 8,     /* of the table, for what scenarios decide: who has an IPv6 network has any number of /64 */
	PIECES = SHARDS * HEADS / SWEEP_HEADS,
	ID_GAP = 1000,
};

struct record {
	struct record *next;
	uint64_t hash;
	struct decision d;
	struct ip_net net; /* of a range */
	unsigned times;    /* it was made so often */
	bool active;       /* it is counted so */
	char text[];
};

struct shard {
	pthread_rwlock_t lock;
	struct record *heads[HEADS];
	struct record *ranges; /* of shard 0 */
};

struct decisions {
	struct shard shards[SHARDS];
	atomic_size_t records, held_ranges, own;
	atomic_ullong ids;
	atomic_uint hand; /* of the sweep: the next heads, over all shards */
	size_t max;
	pthread_rwlock_t spared_lock;
	struct ip_net spared[SPARED_MAX];
	size_t nspared;
	struct decisions_watch watches[DECISIONS_WATCHES];
	size_t nwatches;
	atomic_ullong made[REMEDY_COUNT], nspares, fulls;
	atomic_ullong active[SCOPE_COUNT][REMEDY_COUNT];
};

struct decisions *decisions_new(size_t max)
{
	struct decisions *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->max = max;
	pthread_rwlock_init(&d->spared_lock, NULL);
	for (int i = 0; i < SHARDS; i++)
		pthread_rwlock_init(&d->shards[i].lock, NULL);
	return d;
}

static void free_list(struct record *r)
{
	for (struct record *next; r; r = next) {
		next = r->next;
		free(r);
	}
}

void decisions_free(struct decisions *d)
{
	for (int i = 0; d && i < SHARDS; i++) {
		for (int k = 0; k < HEADS; k++)
			free_list(d->shards[i].heads[k]);
		free_list(d->shards[i].ranges);
		pthread_rwlock_destroy(&d->shards[i].lock);
	}
	if (d)
		pthread_rwlock_destroy(&d->spared_lock);
	free(d);
}

void decisions_spare(struct decisions *d, const struct ip_net *nets, size_t n)
{
	pthread_rwlock_wrlock(&d->spared_lock);
	for (d->nspared = 0; d->nspared < n && d->nspared < SPARED_MAX; d->nspared++)
		d->spared[d->nspared] = nets[d->nspared];
	pthread_rwlock_unlock(&d->spared_lock);
}

/* ---- keys ---- */

/* Addresses as they are counted: IPv6 by its /64. */
static bool normal(const struct decision *d, char room[TEXT_MAX], struct bytes *value, struct ip_net *net)
{
	struct text t = text_over(room, TEXT_MAX);
	struct ip ip;

	if (d->scope == SCOPE_IP) {
		if (!ip_parse(d->value, &ip))
			return false;
		*net = (struct ip_net){ ip, ip_is4(&ip) ? 128 : 64 };
		ip = ip_behaviour_key(&ip);
		ip_text(&t, &ip);
		*value = text_bytes(&t);
		return true;
	}
	*value = d->value;
	return d->value.len && d->value.len < TEXT_MAX && (d->scope != SCOPE_RANGE || ip_net_parse(d->value, net));
}

static uint64_t key_of(enum scope scope, struct bytes value)
{
	return hash_bytes(value) ^ (uint64_t)(scope + 1) * 0x9e3779b97f4a7c15u;
}

static struct record **list_of(struct decisions *d, enum scope scope, uint64_t hash, struct shard **shard)
{
	*shard = scope == SCOPE_RANGE ? &d->shards[0] : &d->shards[hash % SHARDS];
	return scope == SCOPE_RANGE ? &(*shard)->ranges : &(*shard)->heads[hash / SHARDS % HEADS];
}

static bool is_about(const struct record *r, enum scope scope, uint64_t hash, struct bytes value)
{
	return r->hash == hash && r->d.scope == scope && bytes_eq(r->d.value, value);
}

/* ---- adding ---- */

/* A wide range, 0.0.0.0/0 the widest. */
static bool covers_loopback(const struct ip_net *net)
{
	static const struct ip four = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 127, 0, 0, 1 } }, six = { { [15] = 1 } };

	return ip_in_net(&four, net) || ip_in_net(&six, net);
}

static bool is_spared(struct decisions *d, const struct decision *new, const struct ip_net *net)
{
	bool is = false;

	if (new->scope != SCOPE_IP && new->scope != SCOPE_RANGE)
		return false;
	if (ip_is_loopback(&net->base) || covers_loopback(net))
		return true;
	pthread_rwlock_rdlock(&d->spared_lock);
	for (size_t i = 0; i < d->nspared && !is; i++) /* the smaller of the two lies in the other */
		is = ip_in_net(&net->base, &d->spared[i]) || ip_in_net(&d->spared[i].base, net);
	pthread_rwlock_unlock(&d->spared_lock);
	return is;
}

static struct record *record_new(const struct decision *new, struct bytes value)
{
	struct record *r = calloc(1, sizeof *r + value.len + new->reason.len + new->origin.len);
	struct bytes parts[3] = { value, new->reason, new->origin };
	char *at;

	if (!r)
		return NULL;
	r->d = *new;
	at = r->text;
	for (size_t i = 0; i < nelems(parts); i++) {
		if (parts[i].len)
			memcpy(at, parts[i].at, parts[i].len);
		parts[i].at = at;
		at += parts[i].len;
	}
	r->d.value = parts[0];
	r->d.reason = parts[1];
	r->d.origin = parts[2];
	r->times = 1;
	return r;
}

static void record_activate(struct decisions *d, struct record *r, bool active)
{
	active = active && !r->d.simulated;
	if (active != r->active)
		atomic_fetch_add(&d->active[r->d.scope][r->d.remedy], active ? 1 : -1); /* unsigned: -1 takes one off */
	r->active = active;
}

static bool is_same(const struct record *r, const struct decision *d, uint64_t hash, struct bytes value)
{
	return is_about(r, d->scope, hash, value) && r->d.remedy == d->remedy && r->d.simulated == d->simulated &&
	       bytes_eq(r->d.reason, d->reason);
}

static struct record *find_same(struct record *r, const struct decision *d, uint64_t hash, struct bytes value)
{
	while (r && !is_same(r, d, hash, value))
		r = r->next;
	return r;
}

static void prolong(struct record *r, const struct decision *new)
{
	if (new->until_ms > r->d.until_ms)
		r->d.until_ms = new->until_ms;
	r->d.made_ms = new->made_ms;
	r->times++;
}

static void replace(struct record *r, const struct decision *kept, unsigned times)
{
	r->d.made_ms = kept->made_ms;
	r->d.until_ms = kept->until_ms;
	r->d.level = kept->level;
	r->times = times;
}

/* One that was kept has its id still. */
static uint64_t id_for(struct decisions *d, uint64_t kept)
{
	unsigned long long last = atomic_load(&d->ids);

	while (kept > last && !atomic_compare_exchange_weak(&d->ids, &last, kept))
		;
	return kept ? kept : atomic_fetch_add(&d->ids, 1) + 1;
}

static bool is_own(const struct decision *d)
{
	return bytes_eq(d->origin, BYTES("embergate"));
}

static bool has_room(const struct decisions *d, const struct decision *new)
{
	return atomic_load(&d->records) < d->max && (!is_own(new) || atomic_load(&d->own) < (d->max + OWN_SHARE - 1) / OWN_SHARE);
}

/* Under the lock of the list. NULL: the table is full. */
static struct record *insert(struct decisions *d, struct record **list, const struct decision *new, uint64_t hash, struct bytes value)
{
	struct record *r = has_room(d, new) ? record_new(new, value) : NULL;

	if (!r)
		return NULL;
	r->hash = hash;
	r->d.id = id_for(d, new->id);
	r->next = *list;
	*list = r;
	atomic_fetch_add(&d->records, 1);
	atomic_fetch_add(&d->own, is_own(new));
	if (new->scope == SCOPE_RANGE)
		atomic_fetch_add(&d->held_ranges, 1);
	return r;
}

static void tell_held(struct decisions *d, const struct record *r, enum decision_from from)
{
	for (size_t i = 0; i < d->nwatches; i++)
		if (d->watches[i].held)
			d->watches[i].held(d->watches[i].ctx, &r->d, r->times, from);
}

static void tell_lifted(struct decisions *d, const struct record *r, enum decision_from from)
{
	for (size_t i = 0; i < d->nwatches; i++)
		if (d->watches[i].lifted)
			d->watches[i].lifted(d->watches[i].ctx, &r->d, from);
}

/* times 0: it is new; else it was kept, and was made so often. */
static enum decisions_added hold(struct decisions *d, const struct decision *new, unsigned times)
{
	char room[TEXT_MAX];
	struct ip_net net = { .bits = 0 };
	struct bytes value;
	struct record **list, *r;
	struct shard *s;
	uint64_t hash;

	if (!normal(new, room, &value, &net))
		return DECISION_WRONG;
	if (is_spared(d, new, &net))
		return DECISION_SPARED;
	hash = key_of(new->scope, value);
	list = list_of(d, new->scope, hash, &s);
	pthread_rwlock_wrlock(&s->lock);
	r = find_same(*list, new, hash, value);
	if (r && !times)
		prolong(r, new);
	else if (!r && (r = insert(d, list, new, hash, value)))
		r->net = net;
	if (r && times)
		replace(r, new, times);
	if (r)
		record_activate(d, r, !times || r->d.until_ms > clock_wall_ms());
	if (r)
		tell_held(d, r, times ? DECISION_RESTORED : DECISION_MADE);
	pthread_rwlock_unlock(&s->lock);
	return r ? DECISION_HELD : DECISION_FULL;
}

enum decisions_added decisions_add(struct decisions *d, const struct decision *new)
{
	struct decision own = *new;
	enum decisions_added result;

	own.id = 0;
	result = hold(d, &own, 0);
	if (result == DECISION_HELD)
		atomic_fetch_add(&d->made[own.remedy], 1);
	else if (result == DECISION_SPARED)
		atomic_fetch_add(&d->nspares, 1);
	else if (result == DECISION_FULL)
		atomic_fetch_add(&d->fulls, 1);
	return result;
}

enum decisions_added decisions_restore(struct decisions *d, const struct decision *kept, unsigned times)
{
	return hold(d, kept, times ? times : 1);
}

/* ---- asking ---- */

struct search {
	uint64_t now_ms;
	struct arena *arena;
	struct decision *out;
	bool found;
};

static void weigh(struct search *q, const struct decision *d)
{
	if (d->until_ms <= q->now_ms || d->simulated)
		return;
	if (q->found && (d->remedy < q->out->remedy || (d->remedy == q->out->remedy && d->until_ms <= q->out->until_ms)))
		return;
	*q->out = *d;
	q->out->value = arena_copy(q->arena, d->value);
	q->out->reason = arena_copy(q->arena, d->reason);
	q->out->origin = arena_copy(q->arena, d->origin);
	q->found = true;
}

static void ask_value(struct decisions *d, struct search *q, enum scope scope, struct bytes value)
{
	uint64_t hash;
	struct shard *s;
	struct record **list;

	if (!value.len)
		return;
	hash = key_of(scope, value);
	list = list_of(d, scope, hash, &s);
	pthread_rwlock_rdlock(&s->lock);
	for (struct record *r = *list; r; r = r->next)
		if (is_about(r, scope, hash, value))
			weigh(q, &r->d);
	pthread_rwlock_unlock(&s->lock);
}

static void ask_ranges(struct decisions *d, struct search *q, const struct ip *client)
{
	pthread_rwlock_rdlock(&d->shards[0].lock);
	for (struct record *r = d->shards[0].ranges; r; r = r->next)
		if (ip_in_net(client, &r->net))
			weigh(q, &r->d);
	pthread_rwlock_unlock(&d->shards[0].lock);
}

bool decisions_find(struct decisions *d, const struct decisions_ask *ask, uint64_t now_ms, struct arena *a, struct decision *out)
{
	struct search q = { .now_ms = now_ms, .arena = a, .out = out };
	char room[64];
	struct text t = text_over(room, sizeof room);
	struct ip key;

	if (!atomic_load_explicit(&d->records, memory_order_relaxed))
		return false;
	if (ask->client) {
		key = ip_behaviour_key(ask->client);
		ip_text(&t, &key);
		ask_value(d, &q, SCOPE_IP, text_bytes(&t));
	}
	if (ask->client && atomic_load_explicit(&d->held_ranges, memory_order_relaxed))
		ask_ranges(d, &q, ask->client);
	ask_value(d, &q, SCOPE_COUNTRY, ask->country);
	ask_value(d, &q, SCOPE_AS, ask->as);
	ask_value(d, &q, SCOPE_SESSION, ask->session);
	ask_value(d, &q, SCOPE_USERNAME, ask->user);
	return q.found;
}

unsigned decisions_past(struct decisions *d, enum scope scope, struct bytes value, uint64_t now_ms)
{
	struct decision about = { .scope = scope, .value = value };
	char room[TEXT_MAX];
	struct ip_net net;
	struct record **list;
	struct shard *s;
	unsigned n = 0;
	uint64_t hash;

	if (!normal(&about, room, &value, &net))
		return 0;
	hash = key_of(scope, value);
	list = list_of(d, scope, hash, &s);
	pthread_rwlock_rdlock(&s->lock);
	for (struct record *r = *list; r; r = r->next)
		if (is_about(r, scope, hash, value) && !r->d.simulated && r->d.made_ms + DECISION_LIFE_MAX_MS > now_ms)
			n += r->times;
	pthread_rwlock_unlock(&s->lock);
	return n;
}

/* ---- all of them ---- */

static void drop(struct decisions *d, struct record **at)
{
	struct record *r = *at;

	*at = r->next;
	record_activate(d, r, false);
	if (r->d.scope == SCOPE_RANGE)
		atomic_fetch_sub(&d->held_ranges, 1);
	atomic_fetch_sub(&d->records, 1);
	atomic_fetch_sub(&d->own, is_own(&r->d));
	free(r);
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
			tell_lifted(d, r, DECISION_MADE);
		drop(d, at);
		n++;
	}
	return n;
}

static size_t prune_all(struct decisions *d, bool (*gone)(void *ctx, const struct record *), void *ctx, bool tell)
{
	size_t n = 0;

	for (int i = 0; i < SHARDS; i++) {
		pthread_rwlock_wrlock(&d->shards[i].lock);
		for (int k = 0; k < HEADS; k++)
			n += prune(d, &d->shards[i].heads[k], gone, ctx, tell);
		n += prune(d, &d->shards[i].ranges, gone, ctx, tell);
		pthread_rwlock_unlock(&d->shards[i].lock);
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
		sweep_list(d, &s->ranges, now_ms);
		pthread_rwlock_unlock(&s->lock);
	}
}

static bool is_id(void *ctx, const struct record *r)
{
	return r->d.id == *(uint64_t *)ctx;
}

bool decisions_lift_id(struct decisions *d, uint64_t id)
{
	return prune_all(d, is_id, &id, true) > 0;
}

struct about {
	enum scope scope;
	struct bytes value;
	uint64_t hash;
};

static bool is_of(void *ctx, const struct record *r)
{
	const struct about *a = ctx;

	return is_about(r, a->scope, a->hash, a->value);
}

size_t decisions_lift(struct decisions *d, enum scope scope, struct bytes value)
{
	struct decision wanted = { .scope = scope, .value = value };
	struct about about = { .scope = scope };
	char room[TEXT_MAX];
	struct ip_net net;
	struct shard *s;
	struct record **list;
	size_t n;

	if (!normal(&wanted, room, &about.value, &net))
		return 0;
	about.hash = key_of(scope, about.value);
	list = list_of(d, scope, about.hash, &s);
	pthread_rwlock_wrlock(&s->lock);
	n = prune(d, list, is_of, &about, true);
	pthread_rwlock_unlock(&s->lock);
	return n;
}

static bool tell_list(const struct record *r, uint64_t now_ms, bool (*each)(void *ctx, const struct decision *), void *ctx)
{
	for (; r; r = r->next)
		if (r->d.until_ms > now_ms && !each(ctx, &r->d))
			return false;
	return true;
}

void decisions_each(struct decisions *d, uint64_t now_ms, bool (*each)(void *ctx, const struct decision *), void *ctx)
{
	bool more = true;

	for (int i = 0; i < SHARDS && more; i++) {
		pthread_rwlock_rdlock(&d->shards[i].lock);
		for (int k = 0; k < HEADS && more; k++)
			more = tell_list(d->shards[i].heads[k], now_ms, each, ctx);
		more = more && tell_list(d->shards[i].ranges, now_ms, each, ctx);
		pthread_rwlock_unlock(&d->shards[i].lock);
	}
}

size_t decisions_held(struct decisions *d)
{
	return atomic_load(&d->records);
}

/* ---- for whoever keeps them ---- */

bool decisions_watch(struct decisions *d, const struct decisions_watch *watch)
{
	if (d->nwatches == DECISIONS_WATCHES)
		return false;
	d->watches[d->nwatches++] = *watch;
	return true;
}

void decisions_unwatch(struct decisions *d, const void *ctx)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nwatches; i++)
		if (d->watches[i].ctx != ctx)
			d->watches[n++] = d->watches[i];
	d->nwatches = n;
}

void decisions_begin(struct decisions *d)
{
	unsigned long long last = atomic_load(&d->ids);

	atomic_store(&d->ids, (last + ID_GAP - 1) / ID_GAP * ID_GAP);
}

bool decisions_forget(struct decisions *d, const struct decision *kept)
{
	char room[TEXT_MAX];
	struct bytes value;
	struct ip_net net;
	struct shard *s;
	struct record **at;
	uint64_t hash;
	bool found;

	if (!normal(kept, room, &value, &net))
		return false;
	hash = key_of(kept->scope, value);
	at = list_of(d, kept->scope, hash, &s);
	pthread_rwlock_wrlock(&s->lock);
	while (*at && !is_same(*at, kept, hash, value))
		at = &(*at)->next;
	found = *at != NULL;
	if (found)
		drop(d, at);
	pthread_rwlock_unlock(&s->lock);
	return found;
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
	if (!first)
		tell_kept(s->ranges, each, ctx);
	pthread_rwlock_unlock(&s->lock);
	return true;
}

void decisions_count(struct decisions *d, struct decisions_stats *out)
{
	*out = (struct decisions_stats){ .spared = atomic_load(&d->nspares), .full = atomic_load(&d->fulls) };
	for (int r = 0; r < REMEDY_COUNT; r++) {
		out->made[r] = atomic_load(&d->made[r]);
		for (int scope = 0; scope < SCOPE_COUNT; scope++)
			out->active[scope][r] = atomic_load_explicit(&d->active[scope][r], memory_order_relaxed);
	}
}
