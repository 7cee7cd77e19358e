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

struct limits *limits_new(size_t buckets); /* rounded up to a power of two; 24 bytes each */
/* Takes one token of the bucket `key`: `count` tokens come back per `per_ms`, at
 * most `burst` are there. Returns 0, or after how many milliseconds to come again. */
uint64_t limits_take(struct limits *, uint64_t key, uint64_t now_ms, uint32_t count, uint32_t per_ms,
		     uint32_t burst);
/* Tokens of it that are taken now; takes none. */
uint32_t limits_taken(struct limits *, uint64_t key, uint64_t now_ms, uint32_t count, uint32_t per_ms);
void limits_free(struct limits *);

/* ---- between gates ----
 *
 * What is taken from a bucket of all gates is told to the others some moments later, so between two tellings each may give
 * away what is left: at most (gates - 1) x rate x LIMITS_TELL_MS is given too much. A bucket that is less than a tenth used
 * is not told of. Keys mean the same at all gates, since hash.h is seeded from the installation's secret. */
enum { LIMITS_TELL_MS = 100, LIMITS_MESSAGE_MAX = 1000 };
void limits_share(struct limits *); /* there are others; before threads use it */
uint64_t limits_take_of_all(struct limits *, uint64_t key, uint64_t now_ms, uint32_t count, uint32_t per_ms, uint32_t burst);
/* What is to be told since the last call, in messages of at most LIMITS_MESSAGE_MAX bytes. Control thread. */
void limits_tell(struct limits *, void (*tell)(void *ctx, struct bytes), void *ctx);
/* What another gate told; false: it is no such message. */
bool limits_heard(struct limits *, uint64_t now_ms, struct bytes);
#endif
