/* share_known.h -- what else a gate remembers of the shared set: which operations Redis has, and what was lifted. */
#ifndef CTI_SHARE_KNOWN_H
#define CTI_SHARE_KNOWN_H
#include "cti/share_record.h"

/* Which operations were read since it was begun: what a gate holds beside them is pushed. One thread. */
struct seen;
struct seen *seen_new(void); /* NULL: out of memory */
void seen_free(struct seen *);
void seen_add(struct seen *, const struct share_op *);
bool seen_has(const struct seen *, const struct share_op *); /* false too of what it could not take: pushing it twice harms not */

/* What was lifted is told until it would be over, so that an add which comes late does not bring it back. Any thread. */
struct graves;
struct graves *graves_new(size_t max);
void graves_free(struct graves *);
/* Full: the one that would be over first is forgotten, in its part of the table. */
void graves_put(struct graves *, const struct share_op *);
/* Forgets those that are over: a 64th of the table a call, in turn. */
enum { GRAVES_PARTS = 64 };
void graves_sweep(struct graves *, uint64_t now_ms);
/* Of a part, 0 to GRAVES_PARTS - 1; under a lock, so `each` must be quick. */
void graves_each(struct graves *, size_t part, uint64_t now_ms, void (*each)(void *ctx, const struct share_op *), void *ctx);
size_t graves_count(const struct graves *);
#endif
