/* netset.c -- a table for each prefix length that is there, asked from the longest on.
 *
 * IPv4: the bitmap of the addresses' table, and for each /16 the lengths of blocks that lie in it or cover it, leave one or
 * two tables to be asked, or none. IPv6: the tables' filters do that. */
#include "cti/netset.h"
#include "cti/rcu.h"
#include "cti/table.h"
#include <endian.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { LENGTHS4 = 33, LENGTHS6 = 129, WORDS = 3, SIXTEENS = 1 << 16 };
static const uint64_t addresses = (uint64_t)1 << 32; /* among lengths */

struct netset {
	struct table *v4[LENGTHS4], *v6[LENGTHS6]; /* of lengths that are, or were, there */
	atomic_ullong lengths4, lengths6[WORDS];   /* a bit for each that is there */
	atomic_uint *sixteens;                     /* lengths 0 to 31 in each /16 of IPv4; none is ever taken out */
	size_t room4, room6;
};

struct netset *netset_new(size_t v4, size_t v6)
{
	struct netset *s = calloc(1, sizeof *s);

	if (!s || !(s->sixteens = calloc(SIXTEENS, sizeof *s->sixteens))) {
		free(s);
		return NULL;
	}
	s->room4 = v4;
	s->room6 = v6;
	return s;
}

void netset_free(struct netset *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < LENGTHS4; i++)
		table_free(s->v4[i]);
	for (size_t i = 0; i < LENGTHS6; i++)
		table_free(s->v6[i]);
	free(s->sixteens);
	free(s);
}

/* ---- keys ---- */

static inline uint64_t number_at(const uint8_t *at)
{
	uint64_t n;

	memcpy(&n, at, sizeof n);
	return be64toh(n);
}

static inline bool is4(const struct ip *ip)
{
	return !number_at(ip->b) && number_at(ip->b + 8) >> 32 == 0xffff;
}

static inline uint64_t high_bits(uint64_t n, unsigned bits)
{
	return bits ? n & ~(uint64_t)0 << (64 - bits) : 0;
}

static inline struct table_key key6(const struct ip *ip, unsigned bits)
{
	return (struct table_key){ high_bits(number_at(ip->b), bits < 64 ? bits : 64), bits > 64 ? high_bits(number_at(ip->b + 8), bits - 64) : 0 };
}

static inline struct table_key key4(uint32_t address, unsigned bits)
{
	return (struct table_key){ bits ? address & ~(uint32_t)0 << (32 - bits) : 0, 0 };
}

static inline uint64_t lengths(const atomic_ullong *at)
{
	return atomic_load_explicit((atomic_ullong *)(uintptr_t)at, memory_order_acquire);
}

static inline unsigned longest(uint64_t lengths)
{
	return 63 - (unsigned)__builtin_clzll(lengths);
}

/* ---- asking ---- */

/* Of which lengths one may cover it; no lock is needed to find that there is none. */
static inline uint64_t candidates4(const struct netset *s, uint32_t address)
{
	uint64_t m = lengths(&s->lengths4);

	if (m & addresses && !table_may_have(s->v4[32], address))
		m &= ~addresses;
	if (m & ~addresses)
		m &= addresses | atomic_load_explicit(&s->sixteens[address >> 16], memory_order_relaxed);
	return m;
}

typedef bool each_prefix(void *ctx, unsigned bits, unsigned value);

/* `bits` are those of an ip_net. */
static inline void walk4(const struct netset *s, uint32_t address, each_prefix *each, void *ctx)
{
	uint64_t m = candidates4(s, address), value;

	if (!m)
		return;
	rcu_enter();
	for (; m; m &= ~((uint64_t)1 << longest(m))) {
		value = table_get(s->v4[longest(m)], key4(address, longest(m)));
		if (value && !each(ctx, 96 + longest(m), (unsigned)value))
			break;
	}
	rcu_leave();
}

static inline void walk6(const struct netset *s, const struct ip *ip, each_prefix *each, void *ctx)
{
	bool more = true;

	rcu_enter();
	for (unsigned w = WORDS; w-- && more;)
		for (uint64_t m = lengths(&s->lengths6[w]); m && more; m &= ~((uint64_t)1 << longest(m))) {
			unsigned bits = w * 64 + longest(m);
			uint64_t value = table_get(s->v6[bits], key6(ip, bits));

			more = !value || each(ctx, bits, (unsigned)value);
		}
	rcu_leave();
}

static inline void walk(const struct netset *s, const struct ip *ip, each_prefix *each, void *ctx)
{
	if (is4(ip))
		walk4(s, (uint32_t)number_at(ip->b + 8), each, ctx);
	else
		walk6(s, ip, each, ctx);
}

static bool take_first(void *ctx, unsigned bits, unsigned value)
{
	(void)bits;
	*(unsigned *)ctx = value;
	return false;
}

unsigned netset_find(const struct netset *s, const struct ip *ip)
{
	unsigned value = 0;

	if (is4(ip) && lengths(&s->lengths4) == addresses)
		return (unsigned)table_get_address(s->v4[32], (uint32_t)number_at(ip->b + 8));
	walk(s, ip, take_first, &value);
	return value;
}

void netset_each_of(const struct netset *s, const struct ip *ip, each_prefix *each, void *ctx)
{
	walk(s, ip, each, ctx);
}

/* ---- changing ---- */

struct place {
	struct table **table;
	atomic_ullong *lengths;
	uint64_t bit;
	unsigned bits; /* of its own family */
	bool four;
	struct table_key key;
};

static struct place place_of(struct netset *s, const struct ip_net *net)
{
	bool four = ip_is4(&net->base) && net->bits >= 96;
	unsigned bits = four ? net->bits - 96u : net->bits;

	return (struct place){
		.table = four ? &s->v4[bits] : &s->v6[bits], .lengths = four ? &s->lengths4 : &s->lengths6[bits / 64],
		.bit = (uint64_t)1 << (four ? bits : bits % 64), .bits = bits, .four = four,
		.key = four ? key4((uint32_t)number_at(net->base.b + 8), bits) : key6(&net->base, bits),
	};
}

static enum table_kind kind_of(const struct place *p)
{
	if (p->four)
		return p->bits == 32 ? TABLE_ADDRESSES : TABLE_32;
	return p->bits > 64 ? TABLE_128 : TABLE_64;
}

static void note_sixteens(struct netset *s, const struct place *p)
{
	uint32_t first = (uint32_t)p->key.hi >> 16, n = p->bits < 16 ? (uint32_t)1 << (16 - p->bits) : 1;

	for (uint32_t i = first; p->four && p->bits < 32 && i < first + n; i++)
		if (!(atomic_load_explicit(&s->sixteens[i], memory_order_relaxed) & p->bit))
			atomic_fetch_or_explicit(&s->sixteens[i], (unsigned)p->bit, memory_order_relaxed);
}

unsigned netset_get(const struct netset *s, const struct ip_net *net)
{
	struct place p = place_of((struct netset *)(uintptr_t)s, net);

	return *p.table ? (unsigned)table_get(*p.table, p.key) : 0;
}

bool netset_put(struct netset *s, const struct ip_net *net, unsigned value)
{
	struct place p = place_of(s, net);

	if (!*p.table && !(*p.table = table_new(kind_of(&p), p.four && p.bits == 32 ? s->room4 : !p.four && p.bits == 64 ? s->room6 : 0)))
		return false;
	note_sixteens(s, &p);
	if (!table_put(*p.table, p.key, value))
		return false;
	if (!(lengths(p.lengths) & p.bit))
		atomic_fetch_or_explicit(p.lengths, p.bit, memory_order_release);
	return true;
}

bool netset_take(struct netset *s, const struct ip_net *net)
{
	struct place p = place_of(s, net);

	if (!*p.table || !table_take(*p.table, p.key))
		return false;
	if (!table_count(*p.table))
		atomic_fetch_and_explicit(p.lengths, ~p.bit, memory_order_release);
	return true;
}

/* ---- all of it ---- */

static size_t sum(const struct netset *s, size_t (*of)(const struct table *))
{
	size_t n = 0;

	for (size_t i = 0; i < LENGTHS4; i++)
		n += s->v4[i] ? of(s->v4[i]) : 0;
	for (size_t i = 0; i < LENGTHS6; i++)
		n += s->v6[i] ? of(s->v6[i]) : 0;
	return n;
}

size_t netset_count(const struct netset *s)
{
	return sum(s, table_count);
}

size_t netset_bytes(const struct netset *s)
{
	return sizeof *s + SIXTEENS * sizeof *s->sixteens + sum(s, table_bytes);
}

struct telling {
	bool four;
	unsigned bits;
	bool (*each)(void *ctx, const struct ip_net *, unsigned value);
	void *ctx;
};

static bool tell_one(void *ctx, struct table_key k, uint64_t number)
{
	const struct telling *t = ctx;
	struct ip_net net = { .bits = (uint8_t)(t->four ? 96 + t->bits : t->bits) };
	uint64_t hi = htobe64(t->four ? 0 : k.hi), lo = htobe64(t->four ? (uint64_t)0xffff << 32 | k.hi : k.lo);

	memcpy(net.base.b, &hi, sizeof hi);
	memcpy(net.base.b + 8, &lo, sizeof lo);
	return t->each(t->ctx, &net, (unsigned)number);
}

void netset_each(const struct netset *s, bool (*each)(void *ctx, const struct ip_net *, unsigned value), void *ctx)
{
	bool more = true;

	rcu_enter();
	for (unsigned i = 0; i < LENGTHS4 && more; i++)
		if (lengths(&s->lengths4) >> i & 1)
			more = table_each(s->v4[i], tell_one, &(struct telling){ true, i, each, ctx });
	for (unsigned i = 0; i < LENGTHS6 && more; i++)
		if (lengths(&s->lengths6[i / 64]) >> (i % 64) & 1)
			more = table_each(s->v6[i], tell_one, &(struct telling){ false, i, each, ctx });
	rcu_leave();
}
