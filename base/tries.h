/* tries.h -- how often somebody may guess a password: by address, and by the name that is tried.
 *
 * Counted in slots, a minute at a time; several may share a slot, which can only refuse the more. What was no guess is given
 * back. One thread. */
#ifndef BASE_TRIES_H
#define BASE_TRIES_H
#include "base/ip.h"

enum { TRIES_OF_ADDRESS = 10, TRIES_OF_NAME = 3 * TRIES_OF_ADDRESS /* a minute */, TRIES_SLOTS = 2048 };

struct tries {
	struct { uint32_t minute; uint16_t n; } slots[TRIES_SLOTS];
};
struct try { size_t slots[2]; };

/* 0: it is counted and may be made; else after so many seconds. */
unsigned tries_take(struct tries *, const struct ip *from, struct bytes name, struct try *);
void tries_give_back(struct tries *, const struct try *);
#endif
