/* decisions.c -- decisions in a sharded table by scope and value.
 *
 * A record is a decision with its texts behind it. One that is over stays for 72 hours after it was made, so that repeaters
 * are known, and is then forgotten. Who is asked for comes to a record only where the front says that there is one. */
#include "base/clock.h"
#include "base/hash.h"
#include "base/hlc.h"
#include "cti/cti.h"
#include "cti/decisions_front.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum {
	SHARDS = 64, HEADS = 16384, /* ten in a chain where there are ten million */
	SPARED_MAX = 256, TEXT_MAX = 256,
	SWEEP_HEADS = 256, /* at once under a lock */
	OWN_SHARE = 8,     /* of the table, for what scenarios decide: who has an IPv6 network has any number of /64 */
	PIECES = SHARDS * HEADS / SWEEP_HEADS,
	GRAVE_SETS = 16384, GRAVE_WAYS = 4, SEQUENCE_BITS = 11, NODE_BITS = 10,
};

struct record {
	struct record *next;
	uint64_t hash;
	struct decision d;
	struct ip_net net; /* of an address or a range */
	unsigned times;    /* it was made so often */
	bool active;       /* it is counted so */
	char text[];
};

struct shard {
	pthread_rwlock_t lock;
	struct record *heads[HEADS];
};

/* A decision that was lifted, so that one that comes late from another gate is not held again. */
struct grave { uint64_t id, until_ms; };

struct decisions {
	struct shard shards[SHARDS];
	struct front *front;
	struct hlc clock;
	atomic_uint node;
	decisions_guard *guard;
	void *guard_ctx;
	pthread_mutex_t graves_lock;
	struct grave graves[GRAVE_SETS][GRAVE_WAYS];
	atomic_size_t records, own;
	atomic_ullong ids;
	atomic_uint hand; /* of the sweep: the next heads, over all shards */
	size_t max;
	pthread_rwlock_t spared_lock;
	struct ip_net spared[SPARED_MAX];
	size_t nspared;
	struct decisions_watch watches[DECISIONS_WATCHES];
	size_t nwatches;
	atomic_ullong made[REMEDY_COUNT], nspares, fulls, guardeds;
	atomic_ullong active[SCOPE_COUNT][REMEDY_COUNT];
};

struct decisions *decisions_new(size_t max)
{
	struct decisions *d = calloc(1, sizeof *d);

	if (!d)
		return NULL;
	d->front = front_new();
	if (!d->front) {
		free(d);
		return NULL;
	}
	d->max = max;
	pthread_mutex_init(&d->graves_lock, NULL);
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
		pthread_rwlock_destroy(&d->shards[i].lock);
	}
	if (d) {
		pthread_rwlock_destroy(&d->spared_lock);
		pthread_mutex_destroy(&d->graves_lock);
	}
	if (d)
		front_free(d->front);
	free(d);
}

void decisions_node(struct decisions *d, unsigned node)
{
	atomic_store(&d->node, node);
}

unsigned decisions_number(const struct decisions *d)
{
	return atomic_load_explicit(&((struct decisions *)(uintptr_t)d)->node, memory_order_relaxed);
}

void decisions_set_guard(struct decisions *d, decisions_guard *guard, void *ctx)
{
	d->guard = guard;
	d->guard_ctx = ctx;
}

void decisions_spare(struct decisions *d, const struct ip_net *nets, size_t n)
{
	pthread_rwlock_wrlock(&d->spared_lock);
	for (d->nspared = 0; d->nspared < n && d->nspared < SPARED_MAX; d->nspared++)
		d->spared[d->nspared] = nets[d->nspared];
	pthread_rwlock_unlock(&d->spared_lock);
}

/* ---- keys ---- */

static struct bytes range_text(const struct ip_net *net, struct text *t)
{
	ip_text(t, &net->base);
	text_byte(t, '/');
	text_u64(t, ip_is4(&net->base) && net->bits >= 96 ? net->bits - 96u : net->bits);
	return text_bytes(t);
}

/* "as64500" is 64500, "fr" is FR. */
static struct bytes place_text(const struct decision *d, struct text *t)
{
	struct bytes v = d->value;
	uint64_t as;

	if (d->scope == SCOPE_AS && bytes_starts_nocase(v, BYTES("AS")) && bytes_u64(bytes_from(v, 2), &as))
		return bytes_from(v, 2);
	if (d->scope != SCOPE_COUNTRY || v.len != 2)
		return v;
	for (size_t i = 0; i < v.len; i++)
		text_byte(t, v.at[i] >= 'a' && v.at[i] <= 'z' ? (char)(v.at[i] - 'a' + 'A') : v.at[i]);
	return text_bytes(t);
}

/* Addresses as they are counted: IPv6 by its /64. Ranges without host bits. */
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
	*value = d->scope == SCOPE_RANGE && ip_net_parse(d->value, net) ? range_text(net, &t) : place_text(d, &t);
	return d->value.len && d->value.len < TEXT_MAX && (d->scope != SCOPE_RANGE || value->at == room);
}

static uint64_t key_of(enum scope scope, struct bytes value)
{
	return hash_bytes(value) ^ (uint64_t)(scope + 1) * 0x9e3779b97f4a7c15u;
}

static struct record **list_of(struct decisions *d, uint64_t hash, struct shard **shard)
{
	*shard = &d->shards[hash % SHARDS];
	return &(*shard)->heads[hash / SHARDS % HEADS];
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

bool decisions_spares(struct decisions *d, const struct ip_net *net)
{
	bool is = false;

	if (ip_is_loopback(&net->base) || covers_loopback(net))
		return true;
	pthread_rwlock_rdlock(&d->spared_lock);
	for (size_t i = 0; i < d->nspared && !is; i++) /* the smaller of the two lies in the other */
		is = ip_in_net(&net->base, &d->spared[i]) || ip_in_net(&d->spared[i].base, net);
	pthread_rwlock_unlock(&d->spared_lock);
	return is;
}

static bool is_spared(struct decisions *d, const struct decision *new, const struct ip_net *net)
{
	return (new->scope == SCOPE_IP || new->scope == SCOPE_RANGE) && decisions_spares(d, net);
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
	if (active && !r->active)
		front_add(d->front, r->d.scope, &r->net, r->hash);
	else if (!active && r->active)
		front_take(d->front, r->d.scope, &r->net, r->hash);
	if (active != r->active)
		atomic_fetch_add(&d->active[r->d.scope][r->d.remedy], active ? 1 : -1); /* unsigned: -1 takes one off */
	r->active = active;
}

static bool is_same(const struct record *r, const struct decision *d, uint64_t hash, struct bytes value)
{
	return is_about(r, d->scope, hash, value) && r->d.remedy == d->remedy && r->d.simulated == d->simulated &&
	       bytes_eq(r->d.reason, d->reason) && bytes_eq(r->d.origin, d->origin);
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
	r->d.stamp = new->stamp;
	r->d.node = new->node;
	r->times++;
}

static void replace(struct record *r, const struct decision *kept, unsigned times)
{
	r->d.made_ms = kept->made_ms;
	r->d.until_ms = kept->until_ms;
	r->d.level = kept->level;
	r->d.stamp = kept->stamp;
	r->d.node = kept->node;
	r->d.hearsay = kept->hearsay;
	r->times = times;
}

/* 42 bits of milliseconds, 10 of node, 11 that count: unique among gates without asking. One that was kept has its id still. */
static uint64_t id_for(struct decisions *d, uint64_t kept)
{
	unsigned long long last = atomic_load(&d->ids), next;
	uint64_t now = clock_wall_ms() << SEQUENCE_BITS;

	if (kept)
		return kept;
	do
		next = now > last ? now : last + 1;
	while (!atomic_compare_exchange_weak(&d->ids, &last, next));
	return next >> SEQUENCE_BITS << (SEQUENCE_BITS + NODE_BITS) | (uint64_t)atomic_load(&d->node) << SEQUENCE_BITS |
	       (next & ((1u << SEQUENCE_BITS) - 1));
}

/* ---- what was lifted ---- */

static struct grave *graves_of(struct decisions *d, uint64_t id)
{
	return d->graves[(id * 0x9e3779b97f4a7c15u >> 32) % GRAVE_SETS];
}

/* Where a set is full, the one that ends first is forgotten. */
static void bury(struct decisions *d, uint64_t id, uint64_t until_ms)
{
	struct grave *set = graves_of(d, id), *g = &set[0];

	pthread_mutex_lock(&d->graves_lock);
	for (int i = 0; i < GRAVE_WAYS && g->id != id; i++)
		if (set[i].id == id || set[i].until_ms < g->until_ms)
			g = &set[i];
	if (until_ms >= g->until_ms)
		*g = (struct grave){ id, until_ms };
	pthread_mutex_unlock(&d->graves_lock);
}

static bool is_buried(struct decisions *d, uint64_t id)
{
	const struct grave *set = graves_of(d, id);
	bool is = false;

	pthread_mutex_lock(&d->graves_lock);
	for (int i = 0; i < GRAVE_WAYS; i++)
		is = is || set[i].id == id;
	pthread_mutex_unlock(&d->graves_lock);
	return is;
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
	front_add_id(d->front, r->d.id, hash);
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

/* Where a decision belongs, and what it is about. */
struct place {
	char room[TEXT_MAX];
	struct bytes value;
	struct ip_net net;
	uint64_t hash;
	struct shard *shard;
	struct record **list;
};

static bool place_of(struct decisions *d, const struct decision *about, struct place *p)
{
	p->net = (struct ip_net){ .bits = 0 };
	if (!normal(about, p->room, &p->value, &p->net))
		return false;
	p->hash = key_of(about->scope, p->value);
	p->list = list_of(d, p->hash, &p->shard);
	return true;
}

static struct record *find_id(struct record *r, uint64_t id)
{
	while (r && r->d.id != id)
		r = r->next;
	return r;
}

/* Under the lock of its shard. NULL: the table is full. */
static struct record *held_now(struct decisions *d, struct place *p, const struct decision *new, unsigned times, enum decision_from from)
{
	struct record *r = from == DECISION_APPLIED ? find_id(*p->list, new->id) : find_same(*p->list, new, p->hash, p->value);

	if (r && from == DECISION_MADE)
		prolong(r, new);
	else if (r && (from == DECISION_RESTORED || new->stamp > r->d.stamp))
		replace(r, new, times);
	else if (!r && (r = insert(d, p->list, new, p->hash, p->value))) {
		r->net = p->net;
		r->times = times;
	}
	return r;
}

static enum decisions_added hold(struct decisions *d, struct decision *new, unsigned times, enum decision_from from)
{
	struct place p;
	struct record *r;
	bool was_lifted;

	if (!place_of(d, new, &p))
		return DECISION_WRONG;
	if (new->remedy != REMEDY_ALLOW && is_spared(d, new, &p.net))
		return DECISION_SPARED;
	pthread_rwlock_wrlock(&p.shard->lock);
	was_lifted = from == DECISION_APPLIED && is_buried(d, new->id); /* lifts are noted under this lock, or before it */
	r = was_lifted ? NULL : held_now(d, &p, new, times, from);
	if (r) {
		record_activate(d, r, from == DECISION_MADE || r->d.until_ms > clock_wall_ms());
		tell_held(d, r, from);
		new->id = r->d.id;
	}
	pthread_rwlock_unlock(&p.shard->lock);
	return r ? DECISION_HELD : was_lifted ? DECISION_WRONG : DECISION_FULL;
}

/* What behaviour decides, and what others say, is over after 72 hours; administrators may think longer ahead. */
static bool is_bounded(const struct decision *new)
{
	return new->hearsay || is_own(new);
}

/* Own sight and administrators are not asked. */
static bool is_guarded(struct decisions *d, const struct decision *new)
{
	bool is_wide = new->scope == SCOPE_RANGE || new->scope == SCOPE_AS || new->scope == SCOPE_COUNTRY;

	return d->guard && is_wide && new->remedy != REMEDY_ALLOW && !is_own(new) &&
	       !bytes_eq(new->origin, BYTES("manual")) && !d->guard(d->guard_ctx, new);
}

enum decisions_added decisions_add(struct decisions *d, struct decision *new)
{
	uint64_t now_ms = clock_wall_ms();
	enum decisions_added result;

	new->id = 0;
	new->node = decisions_number(d);
	new->stamp = hlc_now(&d->clock, now_ms);
	if (is_bounded(new) && new->until_ms > new->made_ms + DECISION_LIFE_MAX_MS)
		new->until_ms = new->made_ms + DECISION_LIFE_MAX_MS;
	if (is_guarded(d, new)) {
		atomic_fetch_add(&d->guardeds, 1);
		return DECISION_GUARDED;
	}
	result = hold(d, new, 1, DECISION_MADE);
	if (result == DECISION_HELD)
		atomic_fetch_add(&d->made[new->remedy], 1);
	else if (result == DECISION_SPARED)
		atomic_fetch_add(&d->nspares, 1);
	else if (result == DECISION_FULL)
		atomic_fetch_add(&d->fulls, 1);
	return result;
}

enum decisions_added decisions_restore(struct decisions *d, const struct decision *kept, unsigned times)
{
	struct decision own = *kept;

	hlc_heard(&d->clock, kept->stamp, clock_wall_ms()); /* what is made now comes after it, if the wall clock was set back too */
	return hold(d, &own, times ? times : 1, DECISION_RESTORED);
}

enum decisions_added decisions_apply(struct decisions *d, const struct decision *of_another)
{
	struct decision own = *of_another;
	uint64_t now_ms = clock_wall_ms();

	if (!own.id || own.until_ms <= now_ms || !hlc_heard(&d->clock, own.stamp, now_ms))
		return DECISION_WRONG;
	return hold(d, &own, 1, DECISION_APPLIED);
}

/* ---- asking ---- */

struct search {
	uint64_t now_ms;
	struct arena *arena;
	struct decision *out;
	bool found, allowed;
};

static void weigh(struct search *q, const struct decision *d)
{
	if (d->until_ms <= q->now_ms || d->simulated || q->allowed)
		return;
	q->allowed = d->remedy == REMEDY_ALLOW;
	if (!q->allowed && q->found && (d->remedy < q->out->remedy || (d->remedy == q->out->remedy && d->until_ms <= q->out->until_ms)))
		return;
	*q->out = *d;
	q->out->value = arena_copy(q->arena, d->value);
	q->out->reason = arena_copy(q->arena, d->reason);
	q->out->origin = arena_copy(q->arena, d->origin);
	q->found = true;
}

static void ask_hash(struct decisions *d, struct search *q, enum scope scope, uint64_t hash, struct bytes value)
{
	struct shard *s;
	struct record **list = list_of(d, hash, &s);

	pthread_rwlock_rdlock(&s->lock);
	for (struct record *r = *list; r; r = r->next)
		if (is_about(r, scope, hash, value))
			weigh(q, &r->d);
	pthread_rwlock_unlock(&s->lock);
}

static void ask_value(struct decisions *d, struct search *q, enum scope scope, struct bytes value)
{
	uint64_t hash;

	if (!value.len || !decisions_any(d, scope))
		return;
	hash = key_of(scope, value);
	if (front_has_value(d->front, hash))
		ask_hash(d, q, scope, hash, value);
}

static void ask_range(struct decisions *d, struct search *q, const struct ip *client, unsigned bits)
{
	struct ip_net net = { *client, (uint8_t)bits };
	char room[64];
	struct text t = text_over(room, sizeof room);
	struct bytes value;

	for (unsigned i = bits; i < 128; i++)
		net.base.b[i / 8] &= (uint8_t)~(0x80u >> i % 8);
	value = range_text(&net, &t);
	ask_hash(d, q, SCOPE_RANGE, key_of(SCOPE_RANGE, value), value);
}

/* Where it is not known which blocks there are, each is asked for. */
static void ask_ranges(struct decisions *d, struct search *q, const struct ip *client)
{
	uint8_t bits[128];
	unsigned n;

	if (front_blocks(d->front, client, bits, &n))
		for (unsigned i = 0; i < n; i++)
			ask_range(d, q, client, bits[i]);
	else
		for (unsigned i = ip_is4(client) ? 96 : 0; i <= 128; i++)
			ask_range(d, q, client, i);
}

static void ask_client(struct decisions *d, struct search *q, const struct ip *client)
{
	char room[64];
	struct text t = text_over(room, sizeof room);
	struct ip key = ip_behaviour_key(client);

	if (!front_has_ip(d->front, client))
		return;
	ip_text(&t, &key);
	ask_hash(d, q, SCOPE_IP, key_of(SCOPE_IP, text_bytes(&t)), text_bytes(&t));
	ask_ranges(d, q, client);
}

bool decisions_find(struct decisions *d, const struct decisions_ask *ask, uint64_t now_ms, struct arena *a, struct decision *out)
{
	struct search q = { .now_ms = now_ms, .arena = a, .out = out };

	if (!atomic_load_explicit(&d->records, memory_order_relaxed))
		return false;
	if (ask->client)
		ask_client(d, &q, ask->client);
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
	list = list_of(d, hash, &s);
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
	front_take_id(d->front, r->d.id);
	atomic_fetch_sub(&d->records, 1);
	atomic_fetch_sub(&d->own, is_own(&r->d));
	free(r);
}

/* By someone here. */
static void note_lifted(struct decisions *d, struct record *r)
{
	r->d.stamp = hlc_now(&d->clock, clock_wall_ms());
	bury(d, r->d.id, r->d.until_ms);
	tell_lifted(d, r, DECISION_MADE);
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
			note_lifted(d, r);
		drop(d, at);
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
	list = list_of(d, hash, &s);
	pthread_rwlock_wrlock(&s->lock);
	n = prune(d, list, is_id, &id, true);
	pthread_rwlock_unlock(&s->lock);
	return n > 0;
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
	list = list_of(d, about.hash, &s);
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
		pthread_rwlock_unlock(&d->shards[i].lock);
	}
}

bool decisions_any(const struct decisions *d, enum scope scope)
{
	for (int r = 0; r < REMEDY_COUNT; r++)
		if (atomic_load_explicit(&((struct decisions *)(uintptr_t)d)->active[scope][r], memory_order_relaxed))
			return true;
	return false;
}

struct asking {
	struct ip_net net;
	bool (*each)(void *ctx, const struct decision *);
	void *ctx;
};

static bool touches(void *ctx, const struct decision *d)
{
	struct asking *a = ctx;
	struct ip_net net;

	if ((d->scope != SCOPE_IP && d->scope != SCOPE_RANGE) || !ip_net_parse(d->value, &net))
		return true;
	if (d->scope == SCOPE_IP && !ip_is4(&net.base))
		net.bits = 64;
	return !(ip_in_net(&net.base, &a->net) || ip_in_net(&a->net.base, &net)) || a->each(a->ctx, d);
}

void decisions_about(struct decisions *d, const struct ip_net *net, uint64_t now_ms, bool (*each)(void *ctx, const struct decision *),
		     void *ctx)
{
	struct asking a = { *net, each, ctx };

	decisions_each(d, now_ms, touches, &a);
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

void decisions_apply_lift(struct decisions *d, const struct decision *of_another)
{
	struct place p;
	struct record **at;

	if (!place_of(d, of_another, &p) || !hlc_heard(&d->clock, of_another->stamp, clock_wall_ms()))
		return;
	bury(d, of_another->id, of_another->until_ms);
	pthread_rwlock_wrlock(&p.shard->lock);
	for (at = p.list; *at && (*at)->d.id != of_another->id;)
		at = &(*at)->next;
	if (*at) {
		tell_lifted(d, *at, DECISION_APPLIED);
		drop(d, at);
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

	if (!normal(kept, room, &value, &net))
		return false;
	hash = key_of(kept->scope, value);
	at = list_of(d, hash, &s);
	pthread_rwlock_wrlock(&s->lock);
	while (*at && !is_same(*at, kept, hash, value))
		at = &(*at)->next;
	found = *at != NULL;
	if (found && tell)
		note_lifted(d, *at);
	if (found)
		drop(d, at);
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
