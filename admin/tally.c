/* tally.c -- tables that double when they are half full. */
#include "admin/tally.h"
#include "base/hash.h"
#include <stdlib.h>

enum { START = 1024 };

static uint64_t mixed(uint64_t h)
{
	h = (h ^ (h >> 32)) * 0xd6e8feb86659fd93u;
	return h ^ (h >> 32);
}

/* ---- keys ---- */

static bool grow_keys(struct tally *t)
{
	size_t n = t->nslots ? 2 * t->nslots : START;
	struct tally_entry *at = realloc(t->at, n / 2 * sizeof *at);
	uint32_t *slots = at ? calloc(n, sizeof *slots) : NULL;

	t->at = at ? at : t->at;
	if (!slots)
		return false;
	for (size_t i = 0; i < t->n; i++) {
		size_t s = hash_bytes(t->at[i].key) % n;

		while (slots[s])
			s = (s + 1) % n;
		slots[s] = (uint32_t)i + 1;
	}
	free(t->slots);
	t->slots = slots;
	t->nslots = n;
	t->cap = n / 2;
	return true;
}

static struct tally_entry *key_new(struct tally *t, struct bytes key)
{
	char *copy;

	if (t->n == TALLY_KEYS || t->n == t->cap || !(copy = malloc(key.len + 1)))
		return NULL;
	memcpy(copy, key.at, key.len);
	t->at[t->n] = (struct tally_entry){ .key = { copy, key.len } };
	return &t->at[t->n++];
}

static struct tally_entry *entry_of(struct tally *t, struct bytes key, uint64_t hash)
{
	struct tally_entry *e;
	size_t s;

	if (t->n == t->cap && t->n < TALLY_KEYS && !grow_keys(t) && !t->nslots)
		return NULL;
	for (s = hash % t->nslots; t->slots[s]; s = (s + 1) % t->nslots)
		if (bytes_eq(t->at[t->slots[s] - 1].key, key))
			return &t->at[t->slots[s] - 1];
	e = key_new(t, key);
	if (e)
		t->slots[s] = (uint32_t)t->n;
	return e;
}

/* ---- clients of a key ---- */

static bool grow_pairs(struct tally *t)
{
	size_t n = t->pair_slots ? 2 * t->pair_slots : START;
	uint64_t *pairs = calloc(n, sizeof *pairs);

	if (!pairs)
		return false;
	for (size_t i = 0; i < t->pair_slots; i++) {
		size_t s = t->pairs[i] % n;

		while (t->pairs[i] && pairs[s])
			s = (s + 1) % n;
		if (t->pairs[i])
			pairs[s] = t->pairs[i];
	}
	free(t->pairs);
	t->pairs = pairs;
	t->pair_slots = n;
	return true;
}

/* By its hash alone: two that are one are not met among a million of 64 bits. */
static bool is_new(struct tally *t, uint64_t pair)
{
	size_t s;

	pair += pair == 0;
	if (2 * t->npairs >= t->pair_slots && (t->npairs >= TALLY_PAIRS || !grow_pairs(t)))
		return false;
	for (s = pair % t->pair_slots; t->pairs[s]; s = (s + 1) % t->pair_slots)
		if (t->pairs[s] == pair)
			return false;
	t->pairs[s] = pair;
	t->npairs++;
	return true;
}

void tally_add(struct tally *t, struct bytes key, struct bytes client)
{
	uint64_t hash;
	struct tally_entry *e;

	key = bytes_sub(key, 0, TALLY_KEY_MAX);
	hash = hash_bytes(key);
	e = entry_of(t, key, hash);
	if (!e)
		return;
	e->count++;
	e->clients += is_new(t, mixed(hash ^ mixed(hash_bytes(client))));
}

/* ---- at the end ---- */

static int by_count(const void *a, const void *b)
{
	const struct tally_entry *x = a, *y = b;

	return x->count != y->count ? (x->count < y->count) - (x->count > y->count) : bytes_cmp(x->key, y->key);
}

void tally_sort(struct tally *t)
{
	if (t->n)
		qsort(t->at, t->n, sizeof t->at[0], by_count);
}

void tally_free(struct tally *t)
{
	for (size_t i = 0; i < t->n; i++)
		free((char *)(uintptr_t)t->at[i].key.at);
	free(t->at);
	free(t->slots);
	free(t->pairs);
	*t = (struct tally){ 0 };
}
