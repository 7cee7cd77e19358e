/* plain.h -- texts without a byte that means something to a shell, a database, a
 * browser or a file system: words, numbers, names, dates. Most values are, and few
 * expressions can match in one. */
#ifndef RULES_PLAIN_H
#define RULES_PLAIN_H
#include "base/bytes.h"

#define PLAIN_IN(c, from, to) ((c) >= (from) && (c) <= (to))
#define PLAIN_BYTE(c)                                                                                 \
	(PLAIN_IN((c) | 0x20, 'a', 'z') || PLAIN_IN(c, '0', '9') || (c) == ' ' || (c) == '_' || (c) == '-' || \
	 (c) == '.' || (c) == ',' || (c) == ':' || (c) == '@' || (c) == '+' || (c) > 0x7f)

/* A bit for each byte. */
extern const uint64_t plain_bytes[4];

bool is_plain(struct bytes);
#endif
