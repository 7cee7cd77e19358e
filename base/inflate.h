/* inflate.h -- a compressed body, unpacked within bounds.
 *
 * gzip (several members in a row too) and deflate, with or without zlib's
 * header. */
#ifndef BASE_INFLATE_H
#define BASE_INFLATE_H
#include "base/arena.h"

struct inflate;

enum inflate_step {
	INFLATE_MORE, /* all of *in is taken */
	INFLATE_DATA, /* *out holds a piece, borrowed until the next call */
	INFLATE_BAD,  /* broken, or more than RATIO_MAX times larger than it came */
};

/* True: the Content-Encoding is one of ours, and *out unpacks it (NULL: past
 * the arena's cap). False: none, or one that nobody here can read. */
bool inflate_new(struct arena *, struct bytes content_encoding, struct inflate **out);
enum inflate_step inflate_next(struct inflate *, struct bytes *in, struct bytes *out);
/* The stream was complete. */
bool inflate_ended(const struct inflate *);
const char *inflate_complaint(const struct inflate *);
#endif
