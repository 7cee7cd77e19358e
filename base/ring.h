/* ring.h -- a queue of byte strings between many threads and one.
 *
 * A fixed number of bytes. Putting never waits: room is reserved by one
 * compare-and-swap and filled without a lock, so a thread that is stopped
 * half-way holds up the reader and no other writer. The order is that of the
 * reservations. */
#ifndef BASE_RING_H
#define BASE_RING_H
#include "base/bytes.h"

struct ring;

struct ring *ring_new(size_t bytes); /* a power of two; NULL: out of memory */
/* The parts, joined, as one entry. False: no room. From any thread. */
bool ring_put(struct ring *, const struct bytes *parts, size_t n);
/* Joins as many whole entries as fit; returns the bytes written to `to`. From
 * one thread. `cap` must hold the longest entry there may be. */
size_t ring_take(struct ring *, char *to, size_t cap);
bool ring_is_empty(const struct ring *);
void ring_free(struct ring *);
#endif
