/* events.h -- the alerts of the recent past, for `explain ID`, and the queue to those who keep them (archive.h).
 *
 * A ring bounded by count and bytes: a new alert pushes the oldest out. Workers
 * offer, the control thread finds, one thread takes; a lock is held for a few pointer moves. */
#ifndef ADMIN_EVENTS_H
#define ADMIN_EVENTS_H
#include "admin/record.h"

struct events;

enum { EVENTS_COUNT = 4096, EVENTS_BYTES = 16 << 20, EVENTS_TAKEN = 64 };

struct events *events_new(size_t count, size_t bytes); /* NULL: out of memory */
/* Keeps a bounded, redacted copy. From any thread. False: no memory, counted. */
bool events_offer(struct events *, const struct event *, const struct redact *);
uint64_t events_dropped(const struct events *);
/* By request id or the start of one that fits a single alert; letters in any
 * case. The caller frees the copy. NULL: err says what to try. */
struct record *events_find(struct events *, struct bytes id, struct err *);

/* ---- the one who takes ---- */
/* From now on what is pushed out untaken is counted, and `some` called when there is something to take: once, by whoever
 * offers it, until events_take() has said that there is nothing more. Before anybody offers. */
void events_watch(struct events *, void (*some)(void *ctx), void *ctx);
/* The oldest that were not taken yet, at most EVENTS_TAKEN; they are good until the next call. */
size_t events_take(struct events *, const struct record *out[EVENTS_TAKEN]);
uint64_t events_missed(const struct events *); /* pushed out before they were taken */
void events_free(struct events *);
#endif
