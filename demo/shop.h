/* shop.h -- a small shop for a first look at the gate.
 *
 * Pages, a search, a login form, a cart and a JSON API on a free port of
 * 127.0.0.1. It has no state but the visitors' cookies, escapes what it echoes
 * and bounds what it reads. It is also the shortest example of a server made of
 * base_wire. */
#ifndef DEMO_SHOP_H
#define DEMO_SHOP_H
#include "base/loop.h"
#include "base/err.h"

struct shop;

/* NULL: err says why. Everything happens on the loop's thread. */
struct shop *demo_shop_start(struct loop *, uint16_t *port, struct err *);
/* Cuts what is open; the last of it is gone when loop_free() returns. */
void demo_shop_stop(struct shop *);
#endif
