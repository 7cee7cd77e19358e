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

enum { PATH_READINGS_MAX = 25 };

/* Refused outright (err.code 400): NUL (raw or %00), a broken percent escape,
 * overlong or otherwise invalid UTF-8 forms of ASCII after decoding.
 * `path` is without the query. */
bool path_check(struct bytes path, struct err *);

/* Writes the distinct readings to out[]; returns how many (at least 1). The
 * first is the path decoded once with dot segments removed and runs of `/`
 * collapsed. A path of plain characters costs one pass and no copy. When the
 * arena is past its cap returns 0 and the caller refuses. */
size_t path_readings(struct arena *, struct bytes path, struct bytes out[PATH_READINGS_MAX]);

/* Does `pattern` match the whole of `reading`? A pattern is literal but for
 * `*`, which stands for any run of bytes within and across segments; without a
 * star it must be equal. Never exponential. */
bool path_matches(struct bytes pattern, struct bytes reading, bool nocase);
#endif
