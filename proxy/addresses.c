/* addresses.c -- connections per address: 64 open-addressing tables. */
#include "proxy/addresses.h"
#include "base/hash.h"
#include <pthread.h>

enum { SHARDS = 64 };

struct entry {
	struct ip key;
	unsigned n; /* 0: free */
};

struct shard {
	pthread_mutex_t lock;
	struct entry *entries;
	size_t cap, used; /* cap is a power of two */
};

struct addresses {
	struct shard shards[SHARDS];
};

struct addresses *addresses_new(void)
{
	struct addresses *a = calloc(1, sizeof *a);

	for (int i = 0; a && i < SHARDS; i++)
		pthread_mutex_init(&a->shards[i].lock, NULL);
	return a;
}

void addresses_free(struct addresses *a)
{
	for (int i = 0; a && i < SHARDS; i++) {
		pthread_mutex_destroy(&a->shards[i].lock);
		free(a->shards[i].entries);
	}
	free(a);
}

static uint64_t hash_of(const struct ip *key)
{
	return hash_bytes((struct bytes){ (const char *)key->b, sizeof key->b });
}

static struct entry *find(const struct shard *s, const struct ip *key, uint64_t h)
{
	size_t i = (h >> 8) & (s->cap - 1);

	while (s->entries[i].n && !ip_eq(&s->entries[i].key, key))
		i = (i + 1) & (s->cap - 1);
	return &s->entries[i];
}

static bool grow(struct shard *s)
{
	struct shard bigger = { .cap = s->cap ? s->cap * 2 : 64 };

	bigger.entries = calloc(bigger.cap, sizeof *bigger.entries);
	if (!bigger.entries)
		return false;
	for (size_t i = 0; i < s->cap; i++)
		if (s->entries[i].n)
			*find(&bigger, &s->entries[i].key, hash_of(&s->entries[i].key)) = s->entries[i];
	free(s->entries);
	s->entries = bigger.entries;
	s->cap = bigger.cap;
	return true;
}

bool addresses_enter(struct addresses *a, const struct ip *address, unsigned max)
{
	struct ip key = ip_behaviour_key(address);
	uint64_t h = hash_of(&key);
	struct shard *s = &a->shards[h % SHARDS];
	bool ok = true;

	pthread_mutex_lock(&s->lock);
	if (s->used * 2 < s->cap || grow(s)) {
		struct entry *e = find(s, &key, h);

		ok = e->n < max;
		if (ok && e->n++ == 0) {
			e->key = key;
			s->used++;
		}
	}
	pthread_mutex_unlock(&s->lock);
	return ok;
}

/* Removes entry i and moves up what its going would hide (Knuth 6.4, R). */
static void remove_at(struct shard *s, size_t i)
{
	size_t mask = s->cap - 1;

	s->used--;
	s->entries[i].n = 0;
	for (size_t j = (i + 1) & mask; s->entries[j].n; j = (j + 1) & mask) {
		size_t home = (hash_of(&s->entries[j].key) >> 8) & mask;

		if (((j - home) & mask) < ((j - i) & mask))
			continue;
		s->entries[i] = s->entries[j];
		s->entries[j].n = 0;
		i = j;
	}
}

void addresses_leave(struct addresses *a, const struct ip *address)
{
	struct ip key = ip_behaviour_key(address);
	uint64_t h = hash_of(&key);
	struct shard *s = &a->shards[h % SHARDS];
	struct entry *e;

	pthread_mutex_lock(&s->lock);
	e = s->cap ? find(s, &key, h) : NULL;
	if (e && e->n && --e->n == 0)
		remove_at(s, (size_t)(e - s->entries));
	pthread_mutex_unlock(&s->lock);
}
