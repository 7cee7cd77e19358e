/* diff.h -- how one text becomes another, as `diff -u` writes it.
 *
 * Lines end with LF. The fewest changes are looked for (Myers 1986: An O(ND) Difference Algorithm) up to a bound; texts that
 * differ more are shown as one replaced by the other. */
#ifndef BASE_DIFF_H
#define BASE_DIFF_H
#include "base/arena.h"

/* Empty: they are equal. at == NULL: past the arena's cap. The names stand in the head ("--- from"). */
struct bytes diff_unified(struct arena *, const char *from, struct bytes a, const char *to, struct bytes b);
#endif
