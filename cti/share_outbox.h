/* share_outbox.h -- what waits to go out: filled from any thread in a moment, emptied by one.
 *
 * Bounded. When it is full the oldest of what is mild goes first, then the oldest of the rest; the order between the two
 * does not matter, since operations may come in any order. */
#ifndef CTI_SHARE_OUTBOX_H
#define CTI_SHARE_OUTBOX_H
#include "base/text.h"

struct outbox;
struct outbox *outbox_new(size_t max_items, size_t max_bytes); /* NULL: out of memory */
void outbox_free(struct outbox *);
/* False: something was lost for it, perhaps itself. */
bool outbox_put(struct outbox *, struct bytes, bool mild);
/* As many as fit, joined; returns how many. What is not mild first. */
size_t outbox_take(struct outbox *, struct text *);
size_t outbox_bytes(const struct outbox *); /* any thread, as all below */
size_t outbox_items(const struct outbox *);
uint64_t outbox_lost(const struct outbox *); /* ever */
void outbox_clear(struct outbox *);
#endif
