/* memo.h -- values that were found clean, remembered by a hash of 128 bits.
 *
 * Set-associative and of fixed size: forgetting costs a scan. The key is random
 * and the worker's own, so nobody can make a bad value look like a good one. */
#ifndef RULES_MEMO_H
#define RULES_MEMO_H
#include "base/hash128.h"

struct memo;

struct memo *memo_new(void); /* NULL: out of memory, or no random key */
void memo_free(struct memo *);
/* salt: what the value was to be scanned for, and of which ruleset. */
struct hash128 memo_key(const struct memo *, struct hash128 salt, struct bytes value);
bool memo_has(const struct memo *, struct hash128);
void memo_add(struct memo *, struct hash128);
#endif
