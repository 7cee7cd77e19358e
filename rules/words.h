/* words.h -- a set of words, any of which is found in a value in one pass, whatever its case (ASCII).
 *
 *   words_new, once -> words_find, per value
 *
 * A word may hold any bytes. Words are kept in lower case, sorted; of each, the
 * first four bytes are its gram, and a filter of bits says which grams there are,
 * so that nearly every place in an ordinary value costs one look at it. Where the
 * bit is set, the sorted words narrow byte by byte: the cost of a place is bounded
 * by the length of the longest word and the logarithm of their number. */
#ifndef RULES_WORDS_H
#define RULES_WORDS_H
#include "base/arena.h"

struct words;

/* Copies the words; empty ones are left out. NULL: the arena is at its cap. */
const struct words *words_new(struct arena *, const struct bytes *words, size_t n);
/* The leftmost place of any word, and of those that begin there the longest. */
bool words_find(const struct words *, struct bytes in, size_t *at, size_t *len);
#endif
