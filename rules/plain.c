/* plain.c -- a text, sixteen bytes at a time. */
#include "rules/plain.h"

#define BIT(c) ((uint64_t)PLAIN_BYTE(c) << (c) % 64)
#define FOUR(c) (BIT(c) | BIT((c) + 1) | BIT((c) + 2) | BIT((c) + 3))
#define SIXTEEN(c) (FOUR(c) | FOUR((c) + 4) | FOUR((c) + 8) | FOUR((c) + 12))
#define WORD(c) (SIXTEEN(c) | SIXTEEN((c) + 16) | SIXTEEN((c) + 32) | SIXTEEN((c) + 48))

const uint64_t plain_bytes[4] = { WORD(0), WORD(64), WORD(128), WORD(192) };

typedef unsigned char block __attribute__((vector_size(16)));
typedef uint64_t halves __attribute__((vector_size(16)));

static bool is_plain_block(block c)
{
	block letter = (c | 0x20) - 'a', digit = c - '0', comma = c - '+';
	/* "+,-." stand in a row. */
	halves plain = (halves)((letter < 26) | (digit < 11) | (comma < 4) | (c == ' ') | (c == '_') | (c == '@') | (c > 0x7f));

	return (plain[0] & plain[1]) == UINT64_MAX;
}

bool is_plain(struct bytes text)
{
	block rest;
	size_t i = 0;

	for (; text.len - i >= sizeof rest; i += sizeof rest) {
		memcpy(&rest, text.at + i, sizeof rest);
		if (!is_plain_block(rest))
			return false;
	}
	memset(&rest, ' ', sizeof rest);
	memcpy(&rest, text.at + i, text.len - i);
	return is_plain_block(rest);
}
