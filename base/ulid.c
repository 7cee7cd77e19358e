/* ulid.c -- request ids. */
#include "base/ulid.h"

void ulid_seed(struct ulid_source *s, const uint8_t random[16])
{
	memcpy(s->state, random, 16);
	s->state[0] |= 1; /* all zero would stay so */
}

static uint64_t next(struct ulid_source *s)
{
	uint64_t a = s->state[0], b = s->state[1];

	s->state[0] = b;
	a ^= a << 23;
	s->state[1] = a ^ b ^ (a >> 18) ^ (b >> 5);
	return s->state[1] + b;
}

void ulid_next(struct ulid_source *s, uint64_t wall_ms, char out[ULID_LEN])
{
	static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
	uint64_t high = next(s), low = next(s);

	for (int i = 9; i >= 0; i--, wall_ms >>= 5)
		out[i] = alphabet[wall_ms & 31];
	for (int i = 10; i < 18; i++, high >>= 5)
		out[i] = alphabet[high & 31];
	for (int i = 18; i < ULID_LEN; i++, low >>= 5)
		out[i] = alphabet[low & 31];
}
