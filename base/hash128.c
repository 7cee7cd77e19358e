/* hash128.c -- SipHash (Aumasson, Bernstein 2012) with one round a word, three at
 * the end and the 128-bit output of its reference code. */
#include "base/hash128.h"
#include <sys/random.h>

struct state {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, unsigned n)
{
	return x << n | x >> (64 - n);
}

static inline void round_one(struct state *s)
{
	s->v0 += s->v1;
	s->v2 += s->v3;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v1;
	s->v0 += s->v3;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 = rotl(s->v2, 32);
}

static inline void word(struct state *s, uint64_t m)
{
	s->v3 ^= m;
	round_one(s);
	s->v0 ^= m;
}

/* Little-endian; a short tail is zero-filled. */
static inline uint64_t load(const char *at, size_t n)
{
	uint64_t w = 0;

	memcpy(&w, at, n);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
	w = __builtin_bswap64(w);
#endif
	return w;
}

static uint64_t finish(struct state *s)
{
	round_one(s);
	round_one(s);
	round_one(s);
	return s->v0 ^ s->v1 ^ s->v2 ^ s->v3;
}

struct hash128 hash128(struct hash128 key, struct bytes in)
{
	struct state s = {
		key.a ^ 0x736f6d6570736575, key.b ^ 0x646f72616e646f6d ^ 0xee,
		key.a ^ 0x6c7967656e657261, key.b ^ 0x7465646279746573,
	};
	struct hash128 out;
	size_t i = 0;

	for (; i + 8 <= in.len; i += 8)
		word(&s, load(in.at + i, 8));
	word(&s, (uint64_t)in.len << 56 | (i < in.len ? load(in.at + i, in.len - i) : 0));
	s.v2 ^= 0xee;
	out.a = finish(&s);
	s.v1 ^= 0xdd;
	out.b = finish(&s);
	return out;
}

bool hash128_key(struct hash128 *key)
{
	return getrandom(key, sizeof *key, 0) == (ssize_t)sizeof *key;
}
