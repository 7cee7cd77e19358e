/* decisions.c -- decisions in a sharded table by scope and value.
 *
 * A record is a decision with its texts behind it. One that is over stays for 72 hours after it was made, so that repeaters
 * are known, and is then forgotten. Who is asked for comes to a record only where the front says that there is one. */
#include "cti/decisions_parts.h"
#include "base/hash.h"
#include <stdlib.h>
#include <unistd.h>

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
	d->first = (unsigned)getpid() * 2654435761u >> 22;
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

struct bytes decisions_range_text(const struct ip_net *net, struct text *t)
{
	ip_text(t, &net->base);
	text_byte(t, '/');
	text_u64(t, ip_is4(&net->base) && net->bits >= 96 ? net->bits - 96u : net->bits);
	return text_bytes(t);
}

struct bytes decisions_block_of(const struct ip *ip, unsigned bits, struct text *t)
{
	struct ip_net net = { *ip, (uint8_t)bits };

	for (unsigned i = bits; i < 128; i++)
		net.base.b[i / 8] &= (uint8_t)~(0x80u >> i % 8);
	return decisions_range_text(&net, t);
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

/* A value is printed into lists and firewalls. */
static bool is_plain(struct bytes value)
{
	for (size_t i = 0; i < value.len; i++)
		if ((unsigned char)value.at[i] < ' ' || value.at[i] == 0x7f)
			return false;
	return value.len > 0;
}

/* Addresses as they are counted: IPv6 by its /64. Ranges without host bits. */
bool decisions_normal(const struct decision *d, char room[TEXT_MAX], struct bytes *value, struct ip_net *net)
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
	*value = d->scope == SCOPE_RANGE && ip_net_parse(d->value, net) ? decisions_range_text(net, &t) : place_text(d, &t);
	return is_plain(d->value) && d->value.len < TEXT_MAX && (d->scope != SCOPE_RANGE || value->at == room);
}

uint64_t decisions_key(enum scope scope, struct bytes value)
{
	return hash_bytes(value) ^ (uint64_t)(scope + 1) * 0x9e3779b97f4a7c15u;
}

struct record **decisions_list(struct decisions *d, uint64_t hash, struct shard **shard)
{
	*shard = &d->shards[hash % SHARDS];
	return &(*shard)->heads[hash / SHARDS % HEADS];
}

bool record_is_about(const struct record *r, enum scope scope, uint64_t hash, struct bytes value)
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

void record_activate(struct decisions *d, struct record *r, bool active)
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

bool record_is_same(const struct record *r, const struct decision *d, uint64_t hash, struct bytes value)
{
	return record_is_about(r, d->scope, hash, value) && r->d.remedy == d->remedy && r->d.simulated == d->simulated &&
	       bytes_eq(r->d.reason, d->reason) && bytes_eq(r->d.origin, d->origin);
}

static struct record *record_find_same(struct record *r, const struct decision *d, uint64_t hash, struct bytes value)
{
	while (r && !record_is_same(r, d, hash, value))
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
		next = now + d->first > last ? now + d->first : last + 1;
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
void decisions_bury(struct decisions *d, uint64_t id, uint64_t until_ms)
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

bool decision_is_own(const struct decision *d)
{
	return bytes_eq(d->origin, BYTES("embergate"));
}

static bool has_room(const struct decisions *d, const struct decision *new)
{
	return atomic_load(&d->records) < d->max && (!decision_is_own(new) || atomic_load(&d->own) < (d->max + OWN_SHARE - 1) / OWN_SHARE);
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
	atomic_fetch_add(&d->own, decision_is_own(new));
	front_add_id(d->front, r->d.id, hash);
	return r;
}

static void tell_held(struct decisions *d, const struct record *r, enum decision_from from)
{
	for (size_t i = 0; i < d->nwatches; i++)
		if (d->watches[i].held)
			d->watches[i].held(d->watches[i].ctx, &r->d, r->times, from);
}

void decisions_tell_lifted(struct decisions *d, const struct record *r, enum decision_from from)
{
	for (size_t i = 0; i < d->nwatches; i++)
		if (d->watches[i].lifted)
			d->watches[i].lifted(d->watches[i].ctx, &r->d, from);
}

bool decisions_place(struct decisions *d, const struct decision *about, struct place *p)
{
	p->net = (struct ip_net){ .bits = 0 };
	if (!decisions_normal(about, p->room, &p->value, &p->net))
		return false;
	p->hash = decisions_key(about->scope, p->value);
	p->list = decisions_list(d, p->hash, &p->shard);
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
	struct record *r = from == DECISION_APPLIED ? find_id(*p->list, new->id) : record_find_same(*p->list, new, p->hash, p->value);

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

	if (!decisions_place(d, new, &p))
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
	return new->hearsay || decision_is_own(new);
}

/* Own sight and administrators are not asked. */
static bool is_guarded(struct decisions *d, const struct decision *new)
{
	bool is_wide = new->scope == SCOPE_RANGE || new->scope == SCOPE_AS || new->scope == SCOPE_COUNTRY;

	return d->guard && is_wide && new->remedy != REMEDY_ALLOW && !decision_is_own(new) &&
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
