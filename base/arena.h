/* arena.h -- memory that lives exactly as long as one exchange (or one
 * configuration).
 *
 * Headers, decoded arguments and log text all come from here, and
 * arena_free() is their only release. Nothing from an arena may outlive it;
 * to keep a string longer, copy it out. It grows in chunks up to a hard cap;
 * chunks of the usual size are kept in a small per-thread store, so that a
 * request costs no malloc. One thread per arena. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H
#include "base/bytes.h"

struct arena;

struct arena *arena_new(size_t cap_bytes); /* NULL: out of memory */
void *arena_get(struct arena *, size_t n); /* zeroed, 16-aligned; NULL past the cap */
char *arena_raw(struct arena *, size_t n); /* not zeroed, not aligned; NULL past the cap */
/* A copy, with a NUL behind it that is not counted; at == NULL past the cap. */
struct bytes arena_copy(struct arena *, struct bytes);
char *arena_str(struct arena *, struct bytes); /* the same as a C string */
/* Room for `want` elements in a growing array: returns `old` or a moved copy
 * with *cap raised; NULL past the cap. The old block stays until the end. */
void *arena_grow(struct arena *, void *old, size_t *cap, size_t want, size_t each);
/* fn(arg) runs in arena_free(), last first. */
bool arena_defer(struct arena *, void (*fn)(void *), void *arg);
size_t arena_used(const struct arena *);
void arena_free(struct arena *); /* NULL is allowed */
void arena_thread_end(void);     /* gives the thread's spare chunks back */
#endif
