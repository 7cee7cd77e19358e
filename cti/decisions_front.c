/* decisions_front.c -- counts in a netset and in tables; a mutex makes one writer of many. */
#include "cti/decisions_front.h"
#include "cti/netset.h"
#include "cti/rcu.h"
#include "cti/table.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { BLOCK = 256, COUNT_MAX = 254 }; /* a count that has reached its end stays there */

struct front {
	pthread_mutex_t lock; /* of who changes it */
	struct netset *nets;  /* of addresses and blocks */
	struct table *values, *ids;
	atomic_bool lacking;  /* something is held that is not here */
};

struct front *front_new(void)
{
	struct front *f = calloc(1, sizeof *f);

	if (!f)
		return NULL;
	pthread_mutex_init(&f->lock, NULL);
	f->nets = netset_new(0, 0);
	f->values = table_new(TABLE_64, 0);
	f->ids = table_new(TABLE_64, 0);
	if (f->nets && f->values && f->ids)
		return f;
	front_free(f);
	return NULL;
}

void front_free(struct front *f)
{
	if (!f)
		return;
	netset_free(f->nets);
	table_free(f->values);
	table_free(f->ids);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

static bool is_net(enum scope scope)
{
	return scope == SCOPE_IP || scope == SCOPE_RANGE;
}

static struct table_key key_of(uint64_t n)
{
	return (struct table_key){ n, 0 };
}

/* A byte for addresses and one for blocks: a /64 may be both, and who is held by address need not be looked for by block. */
static bool count_net(struct front *f, enum scope scope, const struct ip_net *net, bool more)
{
	unsigned n = netset_get(f->nets, net), unit = scope == SCOPE_RANGE ? BLOCK : 1, count = n / unit % BLOCK;

	if (count == COUNT_MAX || (!count && !more))
		return true;
	n = more ? n + unit : n - unit;
	return n ? netset_put(f->nets, net, n) : netset_take(f->nets, net);
}

static bool count_value(struct front *f, uint64_t hash, bool more)
{
	uint64_t n = table_get(f->values, key_of(hash));

	if (!n && !more)
		return true;
	if (!more && n == 1)
		return table_take(f->values, key_of(hash));
	return table_put(f->values, key_of(hash), more ? n + 1 : n - 1);
}

/* One that could not be taken out costs a look into the records; one that could not be put in would be missed. */
void front_add(struct front *f, enum scope scope, const struct ip_net *net, uint64_t hash)
{
	pthread_mutex_lock(&f->lock);
	if (!(is_net(scope) ? count_net(f, scope, net, true) : count_value(f, hash, true)))
		atomic_store(&f->lacking, true);
	pthread_mutex_unlock(&f->lock);
}

void front_take(struct front *f, enum scope scope, const struct ip_net *net, uint64_t hash)
{
	pthread_mutex_lock(&f->lock);
	if (is_net(scope))
		count_net(f, scope, net, false);
	else
		count_value(f, hash, false);
	pthread_mutex_unlock(&f->lock);
}

static bool is_lacking(const struct front *f)
{
	return atomic_load_explicit(&((struct front *)(uintptr_t)f)->lacking, memory_order_relaxed);
}

bool front_has_ip(const struct front *f, const struct ip *ip)
{
	return netset_find(f->nets, ip) || is_lacking(f);
}

bool front_has_value(const struct front *f, uint64_t hash)
{
	bool has;

	rcu_enter();
	has = table_get(f->values, key_of(hash));
	rcu_leave();
	return has || is_lacking(f);
}

struct blocks { uint8_t *bits; unsigned n; };

static bool note_bits(void *ctx, unsigned bits, unsigned value)
{
	struct blocks *b = ctx;

	if (value >= BLOCK)
		b->bits[b->n++] = (uint8_t)bits;
	return b->n < 128;
}

bool front_blocks(const struct front *f, const struct ip *ip, uint8_t bits[128], unsigned *n)
{
	struct blocks b = { bits, 0 };

	netset_each_of(f->nets, ip, note_bits, &b);
	*n = b.n;
	return !is_lacking(f);
}

/* ---- ids ---- */

void front_add_id(struct front *f, uint64_t id, uint64_t hash)
{
	pthread_mutex_lock(&f->lock);
	table_put(f->ids, key_of(id), hash << 1 | 1);
	pthread_mutex_unlock(&f->lock);
}

void front_take_id(struct front *f, uint64_t id)
{
	pthread_mutex_lock(&f->lock);
	table_take(f->ids, key_of(id));
	pthread_mutex_unlock(&f->lock);
}

bool front_find_id(struct front *f, uint64_t id, uint64_t *hash)
{
	uint64_t number;

	pthread_mutex_lock(&f->lock);
	number = table_get(f->ids, key_of(id));
	pthread_mutex_unlock(&f->lock);
	*hash = number >> 1;
	return number;
}
