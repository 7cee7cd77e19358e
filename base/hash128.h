/* hash128.h -- a keyed hash that is wide enough to stand for the value (SipHash-1-3).
 *
 * With a random key nobody outside can make two values collide, so "seen
 * before" may stand for "equal". With a fixed key it names and checks content
 * of our own. */
#ifndef BASE_HASH128_H
#define BASE_HASH128_H
#include "base/bytes.h"

struct hash128 {
	uint64_t a, b;
};

/* A key from the kernel's random source; false: there is none. */
bool hash128_key(struct hash128 *key);
/* To hash a sequence, use the hash of what came before as the key. */
struct hash128 hash128(struct hash128 key, struct bytes);

static inline bool hash128_eq(struct hash128 x, struct hash128 y)
{
	return x.a == y.a && x.b == y.b;
}
#endif
