/* limits.h -- token buckets for `limits:`, shared by all workers.
 *
 * A fixed table of 4-way sets; a bucket is one word, the theoretical arrival
 * time of the generic cell rate algorithm (ITU-T I.371, annex A). When a set is
 * full the bucket nearest to empty makes room, so a flood of addresses costs
 * the least loaded first. */
#ifndef PROXY_LIMITS_H
#define PROXY_LIMITS_H
#include "base/bytes.h"

struct limits;

struct limits *limits_new(size_t buckets); /* rounded up to a power of two; 16 bytes each */
/* Takes one token of the bucket `key`: `count` tokens come back per `per_ms`, at
 * most `burst` are there. Returns 0, or after how many milliseconds to come again. */
uint64_t limits_take(struct limits *, uint64_t key, uint64_t now_ms, uint32_t count, uint32_t per_ms,
		     uint32_t burst);
void limits_free(struct limits *);
#endif
