/* unicode_map.h -- the ASCII letter that a server makes of a Unicode one.
 *
 * IIS and Windows' conversions fold what a code page lacks to a "best fit": a
 * full-width '<' or a 'Ł' arrives as ASCII behind the filter. Built in are the
 * full-width forms, Latin letters with marks, and the look-alikes of quotes,
 * brackets, slashes and blanks; a file in ModSecurity's unicode.mapping format
 * may be read instead. */
#ifndef RULES_UNICODE_MAP_H
#define RULES_UNICODE_MAP_H
#include "base/arena.h"
#include "base/err.h"

/* code <= 0xffff. Without a fit: its low byte, as ModSecurity does. */
char unicode_best_fit(unsigned code);

struct unicode_map;
/* Reads the mappings of one code page ("20127 (US-ASCII)" and then lines of
 * "00a0:20" pairs) from a file of at most 4 MiB. NULL and err on failure. */
const struct unicode_map *unicode_map_load(struct arena *, const char *path, unsigned code_page,
					   struct err *);
/* What the file says, else unicode_best_fit(). */
char unicode_map_fit(const struct unicode_map *, unsigned code);
#endif
