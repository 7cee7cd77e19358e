/* hlc.h -- a hybrid logical clock: a number that grows wherever it is passed on.
 *
 * 48 bits of unix milliseconds, 16 bits that count within one (Kulkarni et al., Logical Physical Clocks, 2014). What was
 * caused by something has a greater stamp than it, also where the clocks of two machines differ. Any thread. */
#ifndef BASE_HLC_H
#define BASE_HLC_H
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { HLC_AHEAD_MAX_MS = 5 * 60 * 1000 };

struct hlc { atomic_ullong last; };

uint64_t hlc_now(struct hlc *, uint64_t wall_ms);
/* A stamp that came from elsewhere: what is made from now on is greater. False: it is more than HLC_AHEAD_MAX_MS ahead of
 * the wall clock, and the clock here has not moved. */
bool hlc_heard(struct hlc *, uint64_t stamp, uint64_t wall_ms);
static inline uint64_t hlc_ms(uint64_t stamp) { return stamp >> 16; }
#endif
