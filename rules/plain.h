/* plain.h -- texts without a byte that means something to a shell, a database, a
 * browser or a file system: words, numbers, names, dates. Most values are, and few
 * expressions can match in one. */
#ifndef RULES_PLAIN_H
#define RULES_PLAIN_H
#include "base/bytes.h"

/* A set of bytes, a bit for each; with a letter it has the same one of other case. */
extern const uint64_t plain_bytes[4];

bool is_plain(struct bytes);
#endif
