/* hash.c -- SipHash-1-3 (Aumasson, Bernstein: "SipHash", 2012) and FNV-1a. */
#include "base/hash.h"

static uint64_t k0, k1; /* written once, before threads start */

void hash_seed(const uint8_t key[16])
{
	memcpy(&k0, key, 8);
	memcpy(&k1, key + 8, 8);
}

static inline uint64_t rotate(uint64_t x, unsigned by)
{
	return x << by | x >> (64 - by);
}

static inline void sip_round(uint64_t v[4])
{
	v[0] += v[1];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[0] = rotate(v[0], 32);
	v[2] += v[3];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] += v[3];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[2] += v[1];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

uint64_t hash_bytes(struct bytes b)
{
	uint64_t v[4] = { k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du,
			  k0 ^ 0x6c7967656e657261u, k1 ^ 0x7465646279746573u };
	uint64_t word, last = (uint64_t)b.len << 56;
	size_t i;

	for (i = 0; i + 8 <= b.len; i += 8) {
		memcpy(&word, b.at + i, 8);
		v[3] ^= word;
		sip_round(v);
		v[0] ^= word;
	}
	for (unsigned shift = 0; i < b.len; i++, shift += 8)
		last |= (uint64_t)(unsigned char)b.at[i] << shift;
	v[3] ^= last;
	sip_round(v);
	v[0] ^= last;
	v[2] ^= 0xff;
	for (int n = 0; n < 3; n++)
		sip_round(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint64_t hash_content(uint64_t h, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		h = (h ^ (unsigned char)b.at[i]) * 0x100000001b3u;
	return h;
}
