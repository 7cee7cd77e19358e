/* bucket_table.c -- shards of slabs, a chained index, and the order in which buckets were touched.
 *
 * Numbers stand for pointers: 32 bits, and slabs never move. Number 0 of a shard is no bucket but the anchor of the list
 * of touch, whose `newer` is the oldest and whose `older` the newest. Whoever makes a bucket looks at two others in passing
 * and frees those that are dead, so a table that grows stays clean by itself. */
#include "scenarios/bucket_table.h"
#include "scenarios/counters.h"
#include <stdlib.h>

enum {
	SLAB = 1024,
	LINE = 64 / sizeof(uint32_t), /* heads in a line of the cache */
	HEADS_FIRST = 64,
	HEADS_MOST = (BUCKET_PLACE + 1) / BUCKET_SHARDS * LINE,
	SWEEPS = 16,
};

struct bucket_shard {
	pthread_mutex_t lock;
	struct bucket **slabs;
	uint32_t nslabs, slabs_cap;
	uint32_t used;   /* numbers given so far, the anchor too */
	uint32_t free;   /* first free one; 0: none */
	uint32_t live, max;
	uint32_t *heads;
	uint32_t nheads; /* a power of two */
	uint32_t hand;   /* of the sweep */
	size_t bytes, max_bytes; /* of `more` blocks and buckets */
	uint64_t evicted, died;
} __attribute__((aligned(64)));

struct buckets {
	struct bucket_shard shards[BUCKET_SHARDS];
	struct counters *counters;
};

static struct bucket *numbered(struct bucket_shard *s, uint32_t n)
{
	return &s->slabs[n / SLAB][n % SLAB];
}

/* ---- memory ---- */

static struct bucket *slab_more(struct bucket_shard *s)
{
	struct bucket *slab;

	if (s->nslabs == s->slabs_cap) {
		uint32_t cap = s->slabs_cap ? s->slabs_cap * 2 : 8;
		struct bucket **at = realloc(s->slabs, cap * sizeof *at);

		if (!at)
			return NULL;
		s->slabs = at;
		s->slabs_cap = cap;
	}
	if (!(slab = aligned_alloc(64, SLAB * sizeof *slab))) /* a bucket is one line of the cache */
		return NULL;
	s->slabs[s->nslabs++] = slab;
	return slab;
}

/* NULL: out of memory. */
static uint32_t *heads_new(uint32_t n)
{
	uint32_t *heads = aligned_alloc(64, n * sizeof *heads);

	return heads ? memset(heads, 0, n * sizeof *heads) : NULL;
}

static bool shard_init(struct bucket_shard *s, uint32_t max, size_t max_bytes)
{
	pthread_mutex_init(&s->lock, NULL);
	s->max = max;
	s->max_bytes = max_bytes;
	s->nheads = HEADS_FIRST;
	s->used = 1;
	s->hand = 1;
	s->heads = heads_new(s->nheads);
	if (!s->heads || !slab_more(s))
		return false;
	*numbered(s, 0) = (struct bucket){ .number = 0 };
	return true;
}

struct buckets *buckets_new(size_t max_buckets, size_t max_bytes)
{
	struct buckets *all = aligned_alloc(64, sizeof *all);
	bool ok;

	if (!all)
		return NULL;
	memset(all, 0, sizeof *all);
	ok = (all->counters = counters_new()) != NULL;
	for (int i = 0; i < BUCKET_SHARDS; i++)
		ok &= shard_init(&all->shards[i], (uint32_t)(max_buckets / BUCKET_SHARDS + 1),
				 max_bytes / BUCKET_SHARDS + 1);
	if (ok)
		return all;
	buckets_free(all);
	return NULL;
}

void buckets_free(struct buckets *all)
{
	for (int i = 0; all && i < BUCKET_SHARDS; i++) {
		struct bucket_shard *s = &all->shards[i];

		for (uint32_t n = 1; n < s->used; n++)
			bucket_empty(s, numbered(s, n));
		for (uint32_t k = 0; k < s->nslabs; k++)
			free(s->slabs[k]);
		free(s->slabs);
		free(s->heads);
		pthread_mutex_destroy(&s->lock);
	}
	if (all)
		counters_free(all->counters);
	free(all);
}

struct counters *buckets_counters(struct buckets *all)
{
	return all->counters;
}

struct bucket_shard *buckets_lock(struct buckets *all, uint64_t key)
{
	struct bucket_shard *s = &all->shards[key % BUCKET_SHARDS];

	pthread_mutex_lock(&s->lock);
	return s;
}

void buckets_unlock(struct bucket_shard *s)
{
	pthread_mutex_unlock(&s->lock);
}

/* ---- index ---- */

/* A line of the cache for each place, and in it one head or another. */
static uint32_t *head_of(struct bucket_shard *s, uint64_t key)
{
	uint64_t line = (key & BUCKET_PLACE) / BUCKET_SHARDS & (s->nheads / LINE - 1);

	return &s->heads[line * LINE + (key >> 60) % LINE];
}

static void rehash(struct bucket_shard *s)
{
	uint32_t *old = s->heads, n = s->nheads;

	if (n == HEADS_MOST)
		return;
	if (!(s->heads = heads_new(n * 2))) {
		s->heads = old; /* longer chains */
		return;
	}
	s->nheads = n * 2;
	for (uint32_t i = 0; i < n; i++)
		for (uint32_t at = old[i], next; at; at = next) {
			struct bucket *b = numbered(s, at);
			uint32_t *head = head_of(s, b->key);

			next = b->next;
			b->next = *head;
			*head = at;
		}
	free(old);
}

struct bucket *bucket_find(struct bucket_shard *s, uint64_t key)
{
	for (uint32_t at = *head_of(s, key); at; at = numbered(s, at)->next)
		if (numbered(s, at)->key == key)
			return numbered(s, at);
	return NULL;
}

/* ---- order of touch ---- */

static void unlink_touch(struct bucket_shard *s, struct bucket *b)
{
	numbered(s, b->older)->newer = b->newer;
	numbered(s, b->newer)->older = b->older;
}

static void link_newest(struct bucket_shard *s, struct bucket *b)
{
	struct bucket *anchor = numbered(s, 0);

	b->older = anchor->older;
	b->newer = 0;
	numbered(s, b->older)->newer = b->number;
	anchor->older = b->number;
}

static bool is_free(const struct bucket *b)
{
	return b->older == b->number;
}

/* ---- life and death ---- */

static uint32_t seen_cap(const struct bucket_more *m)
{
	return m->seen_bits ? 1u << m->seen_bits : 0;
}

void bucket_empty(struct bucket_shard *s, struct bucket *b)
{
	if (b->more) {
		s->bytes -= sizeof *b->more + b->more->cap + seen_cap(b->more) * sizeof(uint64_t);
		if (b->more->seen_bits)
			free(b->more->seen.many);
		free(b->more);
		b->more = NULL;
	}
	b->count = 0;
}

void bucket_remove(struct bucket_shard *s, struct bucket *b)
{
	uint32_t *at = head_of(s, b->key);

	bucket_empty(s, b);
	while (*at != b->number)
		at = &numbered(s, *at)->next;
	*at = b->next;
	unlink_touch(s, b);
	b->older = b->newer = b->number;
	b->next = s->free;
	s->free = b->number;
	s->live--;
	s->bytes -= sizeof *b;
}

static bool is_spent(const struct bucket *b, uint64_t now_us)
{
	if (b->silent && bucket_silence_lasts(b, now_us))
		return false;
	return b->count == 0 || bucket_is_dead(b, now_us);
}

static void sweep(struct bucket_shard *s, uint64_t now_us, uint32_t looks)
{
	while (looks-- && s->used > 1) {
		struct bucket *b;

		if (++s->hand >= s->used)
			s->hand = 1;
		b = numbered(s, s->hand);
		if (!is_free(b) && is_spent(b, now_us)) {
			bucket_remove(s, b);
			s->died++;
		}
	}
}

/* The oldest go until there are at most `most` and their bytes are within bounds; `spare`, a number, stays. */
static void evict_to_fit(struct bucket_shard *s, uint32_t most, uint32_t spare)
{
	while (s->live > most || s->bytes > s->max_bytes) {
		uint32_t oldest = numbered(s, 0)->newer;

		if (oldest == spare)
			return;
		bucket_remove(s, numbered(s, oldest));
		s->evicted++;
	}
}

static struct bucket *make(struct bucket_shard *s, uint64_t key)
{
	uint32_t number = s->free ? s->free : s->used;
	struct bucket *b;
	uint32_t *head;

	if (number / SLAB >= s->nslabs && !slab_more(s))
		return NULL;
	b = numbered(s, number);
	if (s->free)
		s->free = b->next;
	else
		s->used++;
	if (s->live * 2 >= s->nheads) /* a chain is mostly one: the next would be a miss of the cache */
		rehash(s);
	head = head_of(s, key);
	*b = (struct bucket){ .key = key, .number = number, .next = *head };
	*head = number;
	link_newest(s, b);
	s->live++;
	s->bytes += sizeof *b;
	return b;
}

struct bucket *bucket_get(struct bucket_shard *s, uint64_t key, uint64_t now_us)
{
	struct bucket *b = bucket_find(s, key);

	if (b) {
		unlink_touch(s, b);
		link_newest(s, b);
		evict_to_fit(s, s->max, b->number); /* it may have grown when it was last poured into */
		return b;
	}
	sweep(s, now_us, 2);
	evict_to_fit(s, s->max - 1, 0);
	return make(s, key);
}

/* ---- what only some have ---- */

struct bucket_more *bucket_room(struct bucket_shard *s, struct bucket *b, uint32_t size)
{
	struct bucket_more *m = b->more;
	uint32_t want = (m ? m->len : 0) + size;

	if (m && want <= m->cap)
		return m;
	want = m && want < m->cap * 2 ? m->cap * 2 : want;
	if (!(m = realloc(b->more, sizeof *m + want)))
		return NULL;
	s->bytes += b->more ? want - m->cap : sizeof *m + want;
	if (!b->more)
		memset(m, 0, sizeof *m);
	m->cap = want;
	b->more = m;
	return m;
}

static uint64_t *slot_of(uint64_t *at, uint32_t cap, uint64_t value)
{
	uint32_t slot = (uint32_t)value & (cap - 1);

	while (at[slot] && at[slot] != value)
		slot = (slot + 1) & (cap - 1);
	return &at[slot];
}

static bool seen_grow(struct bucket_shard *s, struct bucket_more *m)
{
	uint32_t old = seen_cap(m), bits = old ? m->seen_bits + 1 : 2, cap = 1u << bits;
	uint64_t *at = calloc(cap, sizeof *at);

	if (!at)
		return false;
	for (uint32_t i = 0; i < old; i++)
		if (m->seen.many[i])
			*slot_of(at, cap, m->seen.many[i]) = m->seen.many[i];
	if (old)
		free(m->seen.many);
	else
		*slot_of(at, cap, m->seen.only) = m->seen.only;
	s->bytes += (cap - old) * sizeof *at;
	m->seen.many = at;
	m->seen_bits = bits & 31;
	return true;
}

/* It is the first value, or it is asked whether it is the only one. */
static bool is_new_alone(struct bucket_more *m, uint64_t value, bool *is_new)
{
	if (m->seen_bits || (m->nseen && m->seen.only != value))
		return false;
	*is_new = !m->nseen;
	m->seen.only = value;
	m->nseen = 1;
	return true;
}

bool bucket_is_new(struct bucket_shard *s, struct bucket *b, uint64_t value)
{
	struct bucket_more *m = bucket_room(s, b, 0);
	uint64_t *slot;
	bool is_new;

	value = value ? value : 1;
	if (!m)
		return true;
	if (is_new_alone(m, value, &is_new))
		return is_new;
	if (m->nseen >= BUCKET_SEEN_MAX) {
		memset(m->seen.many, 0, seen_cap(m) * sizeof *m->seen.many);
		m->nseen = 0;
	}
	if ((m->nseen + 1u) * 4 > seen_cap(m) * 3 && !seen_grow(s, m))
		return true;
	slot = slot_of(m->seen.many, seen_cap(m), value);
	if (*slot)
		return false;
	*slot = value;
	m->nseen++;
	return true;
}

/* ---- from time to time ---- */

void buckets_sweep(struct buckets *all, uint64_t now_us)
{
	for (int i = 0; i < BUCKET_SHARDS; i++) {
		struct bucket_shard *s = &all->shards[i];

		pthread_mutex_lock(&s->lock);
		sweep(s, now_us, s->used / SWEEPS + 1);
		pthread_mutex_unlock(&s->lock);
	}
}

void buckets_count(struct buckets *all, struct buckets_stats *out)
{
	*out = (struct buckets_stats){ 0 };
	for (int i = 0; i < BUCKET_SHARDS; i++) {
		struct bucket_shard *s = &all->shards[i];

		pthread_mutex_lock(&s->lock);
		out->live += s->live;
		out->bytes += s->bytes;
		out->evicted += s->evicted;
		out->died += s->died;
		pthread_mutex_unlock(&s->lock);
	}
}
