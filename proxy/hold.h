/* hold.h -- bytes of bodies that may not go on yet, within the process-wide
 * budget of them (`size_limits.held`). A hold that is all zero is empty. */
#ifndef PROXY_HOLD_H
#define PROXY_HOLD_H
#include "proxy/exchange.h"

/* False: over the budget, or out of memory; nothing was added. */
bool hold_add(const struct exchange *, struct hold *, struct bytes);
void hold_drop(struct hold *, size_t n); /* the first n bytes have gone on */
void hold_free(const struct exchange *, struct hold *);
#endif
