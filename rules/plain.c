/* plain.c -- a text, byte by byte. */
#include "rules/plain.h"

#define BIT(c) ((uint64_t)PLAIN_BYTE(c) << (c) % 64)
#define FOUR(c) (BIT(c) | BIT((c) + 1) | BIT((c) + 2) | BIT((c) + 3))
#define SIXTEEN(c) (FOUR(c) | FOUR((c) + 4) | FOUR((c) + 8) | FOUR((c) + 12))
#define WORD(c) (SIXTEEN(c) | SIXTEEN((c) + 16) | SIXTEEN((c) + 32) | SIXTEEN((c) + 48))

const uint64_t plain_bytes[4] = { WORD(0), WORD(64), WORD(128), WORD(192) };

enum { STRIDE = 32 }; /* bytes that are looked at before the question is put */

bool is_plain(struct bytes text)
{
	size_t i = 0;

	while (i < text.len) {
		size_t end = text.len - i < STRIDE ? text.len : i + STRIDE;
		unsigned rich = 0;

		for (; i < end; i++) {
			unsigned char c = (unsigned char)text.at[i];

			rich |= !PLAIN_BYTE(c);
		}
		if (rich)
			return false;
	}
	return true;
}
