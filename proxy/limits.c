/* limits.c -- token buckets by the generic cell rate algorithm. */
#include "proxy/limits.h"
#include <pthread.h>

enum { WAYS = 4, LOCKS = 256 };

struct bucket {
	uint64_t key;       /* 0: free */
	uint64_t arrival_us; /* when it will be full again */
};

struct limits {
	struct bucket *sets;
	size_t nsets;
	pthread_mutex_t locks[LOCKS];
};

struct limits *limits_new(size_t buckets)
{
	struct limits *l = calloc(1, sizeof *l);
	size_t n = 64;

	while (n < buckets / WAYS)
		n *= 2;
	if (!l || !(l->sets = calloc(n * WAYS, sizeof *l->sets))) {
		free(l);
		return NULL;
	}
	l->nsets = n;
	for (int i = 0; i < LOCKS; i++)
		pthread_mutex_init(&l->locks[i], NULL);
	return l;
}

void limits_free(struct limits *l)
{
	for (int i = 0; l && i < LOCKS; i++)
		pthread_mutex_destroy(&l->locks[i]);
	if (l)
		free(l->sets);
	free(l);
}

static struct bucket *find(struct bucket *set, uint64_t key)
{
	struct bucket *least = &set[0];

	for (int i = 0; i < WAYS; i++) {
		if (set[i].key == key)
			return &set[i];
		if (set[i].arrival_us < least->arrival_us)
			least = &set[i];
	}
	*least = (struct bucket){ key, 0 };
	return least;
}

uint64_t limits_take(struct limits *l, uint64_t key, uint64_t now_ms, uint32_t count, uint32_t per_ms,
		     uint32_t burst)
{
	uint64_t each_us = (uint64_t)per_ms * 1000 / (count ? count : 1), now_us = now_ms * 1000;
	uint64_t room_us = each_us * (burst ? burst : 1), wait_us = 0;
	size_t set = (key >> 8) & (l->nsets - 1);
	struct bucket *b;

	key |= 1;
	pthread_mutex_lock(&l->locks[set % LOCKS]);
	b = find(&l->sets[set * WAYS], key);
	if (b->arrival_us < now_us)
		b->arrival_us = now_us;
	if (b->arrival_us + each_us > now_us + room_us)
		wait_us = b->arrival_us + each_us - now_us - room_us;
	else
		b->arrival_us += each_us;
	pthread_mutex_unlock(&l->locks[set % LOCKS]);
	return (wait_us + 999) / 1000;
}
