/* matcher_anchors.h -- for the two matchers: an expression in which the ends of
 * the string mean what base/matcher.h says.
 *
 * Perl's `$` also matches before a last line feed; ours does not, so it becomes
 * `\z`. What stands escaped, in a class or behind a pattern's own (?m) stays as
 * it is. */
#ifndef BASE_MATCHER_ANCHORS_H
#define BASE_MATCHER_ANCHORS_H
#include "base/matcher.h"

/* A C string from the arena; a literal comes out as \xNN escapes. NULL: past the
 * arena's cap, a NUL byte in an expression, or groups nested deeper than 250. */
const char *matcher_expression(struct arena *, const struct pattern *);
/* In a class: the length of the "[:alpha:]" that `at` begins with, or 0: then "[:"
 * is two bytes like others (PCRE2 looks no further than the next ']'). */
size_t matcher_posix_class(struct bytes at);
#endif
