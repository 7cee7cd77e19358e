/* limits.c -- token buckets by the generic cell rate algorithm. */
#include "proxy/limits.h"
#include <pthread.h>

enum { WAYS = 4, LOCKS = 256, TOLD_MAX = 8192, ENTRY = 16, QUIET_SHARE = 10 };

#define DAY_US (86400 * 1000000ull)

struct bucket {
	uint64_t key;        /* 0: free */
	uint64_t arrival_us; /* when it will be full again */
	uint64_t untold_us;  /* taken since the other gates were told */
};

struct limits {
	struct bucket *sets;
	size_t nsets;
	pthread_mutex_t locks[LOCKS];
	bool shared;
	pthread_mutex_t told_lock;
	uint64_t told[TOLD_MAX]; /* keys of which there is something to tell */
	size_t ntold;
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
	pthread_mutex_init(&l->told_lock, NULL);
	return l;
}

void limits_free(struct limits *l)
{
	for (int i = 0; l && i < LOCKS; i++)
		pthread_mutex_destroy(&l->locks[i]);
	if (l) {
		pthread_mutex_destroy(&l->told_lock);
		free(l->sets);
	}
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
	*least = (struct bucket){ .key = key };
	return least;
}

/* Under the lock of its set: the next telling looks at it. What does not fit is told by a later take. */
static void note(struct limits *l, struct bucket *b, uint64_t each_us, uint64_t room_us, uint64_t now_us)
{
	bool is_first = !b->untold_us;

	b->untold_us += each_us;
	if (b->arrival_us - now_us < room_us / QUIET_SHARE) {
		b->untold_us = 0;
		return;
	}
	if (!is_first)
		return;
	pthread_mutex_lock(&l->told_lock);
	if (l->ntold < TOLD_MAX)
		l->told[l->ntold++] = b->key;
	else
		b->untold_us = 0;
	pthread_mutex_unlock(&l->told_lock);
}

static uint64_t take(struct limits *l, uint64_t key, uint64_t now_us, uint64_t each_us, uint64_t room_us, bool of_all)
{
	size_t set = (key >> 8) & (l->nsets - 1);
	uint64_t wait_us = 0;
	struct bucket *b;

	key |= 1;
	pthread_mutex_lock(&l->locks[set % LOCKS]);
	b = find(&l->sets[set * WAYS], key);
	if (b->arrival_us < now_us)
		b->arrival_us = now_us;
	if (b->arrival_us + each_us > now_us + room_us) {
		wait_us = b->arrival_us + each_us - now_us - room_us;
	} else {
		b->arrival_us += each_us;
		if (of_all)
			note(l, b, each_us, room_us, now_us);
	}
	pthread_mutex_unlock(&l->locks[set % LOCKS]);
	return (wait_us + 999) / 1000;
}

uint64_t limits_take(struct limits *l, uint64_t key, uint64_t now_ms, uint32_t count, uint32_t per_ms, uint32_t burst)
{
	uint64_t each_us = (uint64_t)per_ms * 1000 / (count ? count : 1);

	return take(l, key, now_ms * 1000, each_us, each_us * (burst ? burst : 1), false);
}

uint32_t limits_taken(struct limits *l, uint64_t key, uint64_t now_ms, uint32_t count, uint32_t per_ms)
{
	size_t set = (key >> 8) & (l->nsets - 1);
	uint64_t each_us = (uint64_t)per_ms * 1000 / (count ? count : 1), left_us = 0;

	pthread_mutex_lock(&l->locks[set % LOCKS]);
	for (const struct bucket *b = &l->sets[set * WAYS], *end = b + WAYS; b < end; b++)
		if (b->key == (key | 1) && b->arrival_us > now_ms * 1000)
			left_us = b->arrival_us - now_ms * 1000;
	pthread_mutex_unlock(&l->locks[set % LOCKS]);
	return each_us ? (uint32_t)((left_us + each_us - 1) / each_us) : 0;
}

/* ---- between gates ---- */

void limits_share(struct limits *l)
{
	l->shared = true;
}

uint64_t limits_take_of_all(struct limits *l, uint64_t key, uint64_t now_ms, uint32_t count, uint32_t per_ms, uint32_t burst)
{
	uint64_t each_us = (uint64_t)per_ms * 1000 / (count ? count : 1);

	return take(l, key, now_ms * 1000, each_us, each_us * (burst ? burst : 1), l->shared);
}

static uint64_t untold_of(struct limits *l, uint64_t key)
{
	size_t set = (key >> 8) & (l->nsets - 1);
	uint64_t us = 0;

	pthread_mutex_lock(&l->locks[set % LOCKS]);
	for (struct bucket *b = &l->sets[set * WAYS], *end = b + WAYS; b < end; b++)
		if (b->key == key) {
			us = b->untold_us;
			b->untold_us = 0;
		}
	pthread_mutex_unlock(&l->locks[set % LOCKS]);
	return us;
}

/* A message is pairs of a key and of microseconds, eight bytes each, as this kind of machine has them. */
void limits_tell(struct limits *l, void (*tell)(void *ctx, struct bytes), void *ctx)
{
	uint64_t entries[LIMITS_MESSAGE_MAX / ENTRY][2], key;
	size_t n = 0;
	bool more;

	do {
		pthread_mutex_lock(&l->told_lock);
		more = l->ntold > 0;
		key = more ? l->told[--l->ntold] : 0;
		pthread_mutex_unlock(&l->told_lock);
		if (more && (entries[n][1] = untold_of(l, key)))
			entries[n++][0] = key;
		if (n && (!more || n == nelems(entries))) {
			tell(ctx, (struct bytes){ (const char *)entries, n * ENTRY });
			n = 0;
		}
	} while (more);
}

/* However much is told: after a day it is over. */
static void add(struct limits *l, uint64_t key, uint64_t now_us, uint64_t us)
{
	uint64_t last_us = now_us + DAY_US;
	size_t set = (key >> 8) & (l->nsets - 1);
	struct bucket *b;

	pthread_mutex_lock(&l->locks[set % LOCKS]);
	b = find(&l->sets[set * WAYS], key);
	b->arrival_us = (b->arrival_us > now_us ? b->arrival_us : now_us) + us;
	if (b->arrival_us > last_us)
		b->arrival_us = last_us;
	pthread_mutex_unlock(&l->locks[set % LOCKS]);
}

bool limits_heard(struct limits *l, uint64_t now_ms, struct bytes b)
{
	uint64_t entry[2];

	if (!b.len || b.len > LIMITS_MESSAGE_MAX || b.len % ENTRY)
		return false;
	for (; b.len; b = bytes_from(b, ENTRY)) {
		memcpy(entry, b.at, ENTRY);
		if (entry[1] < DAY_US)
			add(l, entry[0] | 1, now_ms * 1000, entry[1]);
	}
	return true;
}
