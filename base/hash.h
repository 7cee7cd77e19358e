/* hash.h -- a keyed hash for tables that clients fill.
 *
 * SipHash-1-3 under a key that the gate derives from its secret: nobody outside
 * can aim at one bucket, and the gates of an installation mean the same by one. */
#ifndef BASE_HASH_H
#define BASE_HASH_H
#include "base/bytes.h"

/* Call once before threads start; without it the key is zero (tests). */
void hash_seed(const uint8_t key[16]);
uint64_t hash_bytes(struct bytes);
/* For seeds and content: FNV-1a, the same in every process. */
uint64_t hash_content(uint64_t sofar, struct bytes);
#define HASH_CONTENT_START 0xcbf29ce484222325u
#endif
