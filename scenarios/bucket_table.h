/* bucket_table.h -- where the buckets are: shards of slabs, a chained index, and the order in which they were touched.
 *
 * Private to bucket.c and bucket_table.c. Everything about a shard happens under its lock. */
#ifndef SCENARIOS_BUCKET_TABLE_H
#define SCENARIOS_BUCKET_TABLE_H
#include "scenarios/bucket.h"
#include <pthread.h>

enum {
	BUCKET_SHARDS = 256,
	BUCKET_EVENT_MAX = BUCKET_EVENT_ROOM,
	BUCKET_SEEN_MAX = 8192,  /* values told apart; beyond them it forgets and starts over */
	BUCKET_KEEP_MAX = 8191,
};

/* What only some buckets have; every byte is there millions of times. */
struct bucket_more {
	union {
		uint64_t only;  /* while seen_bits is 0: most keys come with one value */
		uint64_t *many; /* open addressing in 2^seen_bits, 0 is free */
	} seen;
	uint32_t latch;
	uint32_t len, cap;      /* of the events */
	uint32_t nevents : 13, nseen : 14, seen_bits : 5;
	char events[];
};

/* Milliseconds in 32 bits are those of the clock, low half: right while what they say is less than 24 days from now. */
struct bucket {
	uint64_t key;
	uint64_t full_us; /* when a leaky one is empty again */
	uint64_t last_us; /* poured; of a counter: first */
	struct bucket_more *more;
	uint32_t first_ms;
	uint32_t silent_until_ms;
	uint32_t life_ms;
	uint32_t count : 30; /* events; 0: only its silence is left */
	uint32_t silent : 1;
	uint32_t ours : 1;   /* one of them was this gate's */
	uint32_t next;          /* in its chain; of a free one: the next free one */
	uint32_t older, newer;  /* in the order of touch; both its own number when it is free */
	uint32_t number;
};

struct bucket_shard;

struct bucket_shard *buckets_lock(struct buckets *, uint64_t key);
void buckets_unlock(struct bucket_shard *);
struct bucket *bucket_find(struct bucket_shard *, uint64_t key); /* NULL: none */
/* Finds or makes it, and touches it; evicts the coldest others where the shard is full. NULL: out of memory. */
struct bucket *bucket_get(struct bucket_shard *, uint64_t key, uint64_t now_us);
void bucket_remove(struct bucket_shard *, struct bucket *);
/* Forgets what was poured; the bucket stays. */
void bucket_empty(struct bucket_shard *, struct bucket *);
/* Room for `size` more bytes of events. NULL: out of memory. */
struct bucket_more *bucket_room(struct bucket_shard *, struct bucket *, uint32_t size);
/* Remembers a value; false: it was there. */
bool bucket_is_new(struct bucket_shard *, struct bucket *, uint64_t value);

static inline bool bucket_is_dead(const struct bucket *b, uint64_t now_us)
{
	return now_us > b->last_us + (uint64_t)b->life_ms * 1000;
}

/* For a bucket that has a silence. */
static inline bool bucket_silence_lasts(const struct bucket *b, uint64_t now_us)
{
	return (int32_t)(b->silent_until_ms - (uint32_t)(now_us / 1000)) > 0;
}

static inline uint64_t bucket_first_us(const struct bucket *b)
{
	uint64_t last_ms = b->last_us / 1000;

	return (last_ms - (uint32_t)((uint32_t)last_ms - b->first_ms)) * 1000;
}
#endif
