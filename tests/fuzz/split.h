/* split.h -- the property that all body parsers share: any cut gives the same. */
#ifndef TESTS_FUZZ_SPLIT_H
#define TESTS_FUZZ_SPLIT_H
#include "tests/body_told.h"
#include "tests/fuzz/must.h"

/* The first byte is the length of the pieces, the second says whether the bounds
 * are tight; returns what follows. */
static inline struct bytes split_input(const uint8_t *data, size_t size, size_t *cut,
				       struct body_limits *limits)
{
	static const struct body_limits tight = {
		.args = 3, .name_bytes = 12, .value_bytes = 8, .total_bytes = 60, .depth = 3,
		.parts = 2, .header_lines = 2, .header_bytes = 60, .nodes = 6, .look_bytes = 4,
	};

	*cut = size ? 1 + data[0] % 16 : 1;
	*limits = size > 1 && data[1] & 1 ? tight : (struct body_limits){ .look_bytes = 16 };
	return bytes_from((struct bytes){ (const char *)data, size }, 2);
}

/* What is told before a bound is met may depend on the cut; that it is met, not.
 * libxml2 reads ahead, so there one cut may show an error of form and another a
 * bound that is met before it; that there is a fault is the same. */
static inline void split_claim(const struct body_parser *p, const struct body_setup *s,
			       struct bytes in, size_t cut)
{
	struct told whole = told_of(p, *s, in, 0), pieces = told_of(p, *s, in, cut);
	bool malformed = whole.fault == FAULT_MALFORMED || pieces.fault == FAULT_MALFORMED;

	must((whole.fault == FAULT_NONE) == (pieces.fault == FAULT_NONE));
	must(whole.fault == pieces.fault || (p == &body_xml && malformed));
	if (whole.fault == FAULT_NONE) {
		must(whole.anomalies == pieces.anomalies);
		must(bytes_eq(text_bytes(&whole.text), text_bytes(&pieces.text)));
	}
	arena_free(whole.arena);
	arena_free(pieces.arena);
}
#endif
