/* share_seen.c -- a set of 64-bit hashes of id and stamp: open addressing, doubled at two thirds. */
#include "cti/share_known.h"
#include <stdlib.h>

struct seen {
	uint64_t *slots; /* 0: free */
	size_t cap, used;
};

static uint64_t mix(uint64_t x)
{
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u; /* splitmix64's finalizer */
	x = (x ^ x >> 27) * 0x94d049bb133111ebu;
	return x ^ x >> 31;
}

static uint64_t hash_of(const struct share_op *op)
{
	uint64_t h = mix(op->decision.id + mix(op->decision.stamp + (op->lifted ? 0x9e3779b97f4a7c15u : 0)));

	return h ? h : 1;
}

struct seen *seen_new(void)
{
	return calloc(1, sizeof(struct seen));
}

void seen_free(struct seen *s)
{
	if (s)
		free(s->slots);
	free(s);
}

static void put(struct seen *s, uint64_t h)
{
	size_t i = h & (s->cap - 1);

	while (s->slots[i] && s->slots[i] != h)
		i = (i + 1) & (s->cap - 1);
	s->used += !s->slots[i];
	s->slots[i] = h;
}

static bool grow(struct seen *s)
{
	struct seen bigger = { .cap = s->cap ? s->cap * 2 : 1024 };

	if (!(bigger.slots = calloc(bigger.cap, sizeof *bigger.slots)))
		return false;
	for (size_t i = 0; i < s->cap; i++)
		if (s->slots[i])
			put(&bigger, s->slots[i]);
	free(s->slots);
	*s = bigger;
	return true;
}

void seen_add(struct seen *s, const struct share_op *op)
{
	if (s->used * 3 < s->cap * 2 || grow(s))
		put(s, hash_of(op));
}

bool seen_has(const struct seen *s, const struct share_op *op)
{
	uint64_t h = hash_of(op);

	for (size_t i = h & (s->cap - 1); s->cap && s->slots[i]; i = (i + 1) & (s->cap - 1))
		if (s->slots[i] == h)
			return true;
	return false;
}
