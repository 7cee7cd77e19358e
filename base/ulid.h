/* ulid.h -- request ids: 26 characters, sorted by time, unique without asking.
 *
 * 48 bits of milliseconds and 80 random bits in Crockford's base 32
 * (github.com/ulid/spec). One generator a thread. */
#ifndef BASE_ULID_H
#define BASE_ULID_H
#include "base/bytes.h"

enum { ULID_LEN = 26 };

struct ulid_source {
	uint64_t state[2]; /* xorshift128+, seeded at random; ids are no secrets */
};

void ulid_seed(struct ulid_source *, const uint8_t random[16]);
void ulid_next(struct ulid_source *, uint64_t wall_ms, char out[ULID_LEN]);
#endif
