/* path.h -- every plausible reading of a request's path.
 *
 * Servers differ in what they make of a path: one takes `\` for `/`, one cuts
 * `;v=1`, one decodes percent escapes twice. We forward the bytes as they
 * came, but access rules, routing and inspection look at every reading, and
 * the strictest outcome counts. */
#ifndef BASE_PATH_H
#define BASE_PATH_H
#include "base/arena.h"
#include "base/err.h"

enum { PATH_READINGS_MAX = 26 };

/* Refused outright (err.code 400): NUL (raw or %00), a broken percent escape,
 * overlong UTF-8 forms of ASCII after one decoding, and C0 or C1 with an escaped
 * byte that lenient decoders take for a separator or a dot (%c0%2f). `path` is
 * without the query; in a query all of these are left to the rules. */
bool path_check(struct bytes path, struct err *);

/* Writes the distinct readings to out[]; returns how many (at least 1). The
 * first is the path decoded once with runs of `/` collapsed and dot segments
 * removed. Where that removed something, up to two readings keep such segments,
 * as servers do that route on what they got; the others have none. A path of
 * plain characters costs one pass and no copy. When the arena is past its cap
 * returns 0 and the caller refuses. */
size_t path_readings(struct arena *, struct bytes path, struct bytes out[PATH_READINGS_MAX]);

/* Does `pattern` match the whole of `reading`? A pattern is literal but for
 * `*`, which stands for any run of bytes within and across segments; without a
 * star it must be equal. Never exponential. */
bool path_matches(struct bytes pattern, struct bytes reading, bool nocase);
#endif
