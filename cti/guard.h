/* guard.h -- the clients of the last ten minutes: what a range, an AS or a country would cover of them.
 *
 * A sample: a fixed table, one slot for each hash of an address (IPv6 by its /64), written without locks by every worker. */
#ifndef CTI_GUARD_H
#define CTI_GUARD_H
#include "base/ip.h"

enum { GUARD_SLOTS = 16384, GUARD_WINDOW_MS = 10 * 60 * 1000 };

struct guard;
/* With fewer clients than `least` it does not judge. NULL: out of memory. */
struct guard *guard_new(unsigned least);
void guard_free(struct guard *); /* NULL is allowed */
/* A client is here; times are monotonic. A few nanoseconds. */
void guard_note(struct guard *, const struct ip *, uint64_t now_ms);
/* Percent of the clients that `covers` says are covered; 0 where it does not judge. */
unsigned guard_share_of(struct guard *, bool (*covers)(void *ctx, const struct ip *), void *ctx, uint64_t now_ms);
unsigned guard_share(struct guard *, const struct ip_net *, uint64_t now_ms);
#endif
