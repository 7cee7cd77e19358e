/* pages.h -- what the shop shows: a request in, a page out, no socket. */
#ifndef DEMO_PAGES_H
#define DEMO_PAGES_H
#include "base/arena.h"
#include "base/request.h"
#include "base/text.h"

enum { PAGE_BYTES = 32 << 10 };

struct page {
	unsigned status;
	const char *type;
	struct text body;             /* in the arena */
	struct bytes location, cookie; /* fields to add; empty: none */
};

/* `body` is the request's, cut where the shop stopped keeping it. False: the arena
 * is past its cap. */
bool page_make(struct arena *, const struct request *, struct bytes body, struct page *);
#endif
