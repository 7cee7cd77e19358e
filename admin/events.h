/* events.h -- the alerts of the recent past, for `explain ID`.
 *
 * A ring bounded by count and bytes: a new alert pushes the oldest out. Workers
 * offer, the control thread finds; a lock is held for a few pointer moves. */
#ifndef ADMIN_EVENTS_H
#define ADMIN_EVENTS_H
#include "admin/record.h"

struct events;

enum { EVENTS_COUNT = 4096, EVENTS_BYTES = 8 << 20 };

struct events *events_new(size_t count, size_t bytes); /* NULL: out of memory */
/* Keeps a bounded, redacted copy. From any thread. False: no memory, counted. */
bool events_offer(struct events *, const struct event *, const struct redact *);
uint64_t events_dropped(const struct events *);
/* By request id or the start of one that fits a single alert; letters in any
 * case. The caller frees the copy. NULL: err says what to try. */
struct record *events_find(struct events *, struct bytes id, struct err *);
void events_free(struct events *);
#endif
