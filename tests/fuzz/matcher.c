/* Hyperscan, the automaton of words and PCRE2 find the same literals in the same places. */
#include "tests/matcher_places.h"
#include <stdint.h>
#include <stdlib.h>

enum { WORDS_MAX = 12, EACH = 128, CASELESS = 128 };

/* A byte: how many words, and whether each place is wanted; each word behind its length; the value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct matcher_kind *const kinds[] = { &matcher_plain, &matcher_words, &matcher_hs };
	struct bytes rest = { (const char *)data, size };
	struct pattern p[WORDS_MAX];
	struct places found[nelems(kinds)];
	size_t n = size ? data[0] % (WORDS_MAX + 1) : 0;
	bool each = size && data[0] & EACH;

	rest = bytes_from(rest, 1);
	for (size_t i = 0; i < n; i++) {
		unsigned char said = rest.len ? (unsigned char)rest.at[0] : 0;
		size_t len = (said & 15) + 1u;

		if (rest.len < 1 + len)
			return 0;
		p[i] = (struct pattern){ bytes_sub(rest, 1, 1 + len),
					 PATTERN_LITERAL | (each ? PATTERN_EACH : 0) | (said & CASELESS ? PATTERN_CASELESS : 0),
					 (uint32_t)i % PLACES_IDS };
		rest = bytes_from(rest, 1 + len);
	}
	if (rest.len >= PLACES_ENDS)
		return 0;
	for (size_t i = 0; i < nelems(kinds); i++)
		if (!places_of(kinds[i], p, n, rest, &found[i]) || !places_eq(&found[0], &found[i], each))
			abort();
	return 0;
}
