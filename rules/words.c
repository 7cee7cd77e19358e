/* words.c -- grams, a filter, and sorted words.
 *
 * Words shorter than a gram stand apart; their filter is a bit for each pair of
 * bytes that one may begin with. A filter folds by setting bit 5 of each byte,
 * which makes more equal than case does ('[' and '{'); the words tell them apart. */
#include "rules/words.h"
#include <stdlib.h>

enum { GRAM = 4 /* bytes */, FILTER_BITS_MIN = 10, FILTER_BITS_MAX = 22, PAIRS = 1 << 16 };

struct word {
	const char *at; /* in lower case */
	uint32_t len, gram;
};

/* The words of one gram: long words [low, high). */
struct slot {
	uint32_t gram, low, high; /* high 0: the slot is free */
};

struct words {
	struct word *longs, *shorts; /* sorted: longs by gram, then all by their bytes */
	uint32_t nlongs, nshorts;
	uint64_t *filter;            /* of hashed grams */
	uint64_t *pairs;             /* NULL: there are no short words */
	struct slot *slots;          /* open addressing, at most half full */
	unsigned filter_shift, slots_shift;
};

static inline uint32_t gram_at(const char *p)
{
	uint32_t g;

	memcpy(&g, p, GRAM);
	return g | 0x20202020u;
}

static inline unsigned pair_at(const char *p)
{
	uint16_t pair;

	memcpy(&pair, p, sizeof pair);
	return pair | 0x2020u;
}

static inline uint32_t mixed(uint32_t gram)
{
	return gram * 0x9e3779b1u;
}

static inline bool bit_of(const uint64_t *set, uint32_t i)
{
	return set[i / 64] >> i % 64 & 1;
}

/* ---- making ---- */

static int word_order(const void *a, const void *b)
{
	const struct word *x = a, *y = b;

	if (x->gram != y->gram)
		return x->gram < y->gram ? -1 : 1;
	return bytes_cmp((struct bytes){ x->at, x->len }, (struct bytes){ y->at, y->len });
}

static void sort_words(struct word *words, uint32_t *n)
{
	uint32_t kept = 0;

	if (*n)
		qsort(words, *n, sizeof *words, word_order);
	for (uint32_t i = 0; i < *n; i++)
		if (!kept || word_order(&words[i], &words[kept - 1]))
			words[kept++] = words[i];
	*n = kept;
}

/* The power of two that is at least n, as an exponent from 1 on. */
static unsigned bits_for(uint64_t n)
{
	unsigned bits = 1;

	while ((uint64_t)1 << bits < n)
		bits++;
	return bits;
}

static uint32_t slot_mask(const struct words *w)
{
	return UINT32_MAX >> w->slots_shift;
}

static void file_gram(struct words *w, uint32_t low, uint32_t high)
{
	uint32_t gram = w->longs[low].gram, bit = mixed(gram) >> w->filter_shift, i = mixed(gram) >> w->slots_shift;

	while (w->slots[i].high)
		i = (i + 1) & slot_mask(w);
	w->slots[i] = (struct slot){ gram, low, high };
	w->filter[bit / 64] |= (uint64_t)1 << bit % 64;
}

static bool file_longs(struct words *w, struct arena *a)
{
	unsigned slots_bits, bits = bits_for(32 * (uint64_t)w->nlongs);

	sort_words(w->longs, &w->nlongs);
	slots_bits = bits_for(2 * (uint64_t)w->nlongs);
	bits = bits < FILTER_BITS_MIN ? FILTER_BITS_MIN : bits > FILTER_BITS_MAX ? FILTER_BITS_MAX : bits;
	w->slots_shift = 32 - slots_bits;
	w->filter_shift = 32 - bits;
	w->slots = arena_get(a, sizeof *w->slots << slots_bits);
	w->filter = arena_get(a, ((size_t)1 << bits) / 8);
	if (!w->slots || !w->filter)
		return false;
	for (uint32_t low = 0, high; low < w->nlongs; low = high) {
		for (high = low + 1; high < w->nlongs && w->longs[high].gram == w->longs[low].gram;)
			high++;
		file_gram(w, low, high);
	}
	return true;
}

static bool file_shorts(struct words *w, struct arena *a)
{
	sort_words(w->shorts, &w->nshorts);
	w->pairs = arena_get(a, PAIRS / 8);
	for (uint32_t i = 0; w->pairs && i < w->nshorts; i++)
		for (unsigned c = 0; c < 256; c++) {
			char two[2] = { w->shorts[i].at[0], w->shorts[i].len > 1 ? w->shorts[i].at[1] : (char)c };

			w->pairs[pair_at(two) / 64] |= (uint64_t)1 << pair_at(two) % 64;
		}
	return w->pairs != NULL;
}

static bool add_word(struct words *w, struct arena *a, struct bytes word)
{
	struct word *to = word.len < GRAM ? &w->shorts[w->nshorts++] : &w->longs[w->nlongs++];
	char *at = arena_raw(a, word.len);

	if (!at)
		return false;
	for (size_t i = 0; i < word.len; i++)
		at[i] = byte_lower(word.at[i]);
	*to = (struct word){ at, (uint32_t)word.len, word.len < GRAM ? 0 : gram_at(at) };
	return true;
}

const struct words *words_new(struct arena *a, const struct bytes *words, size_t n)
{
	struct words *w = arena_get(a, sizeof *w);
	size_t nshorts = 0;

	for (size_t i = 0; i < n; i++) {
		nshorts += words[i].len < GRAM;
		if (words[i].len > UINT32_MAX)
			return NULL;
	}
	if (!w || n > UINT32_MAX / 4 || !(w->longs = arena_get(a, (n - nshorts + 1) * sizeof *w->longs)) ||
	    !(w->shorts = arena_get(a, (nshorts + 1) * sizeof *w->shorts)))
		return NULL;
	for (size_t i = 0; i < n; i++)
		if (words[i].len && !add_word(w, a, words[i]))
			return NULL;
	return file_longs(w, a) && (!w->nshorts || file_shorts(w, a)) ? w : NULL;
}

/* ---- finding ---- */

/* The first of words [low, high) whose byte d is at least c; all are longer than d. */
static uint32_t first_from(const struct word *words, uint32_t low, uint32_t high, size_t d, unsigned c)
{
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if ((unsigned char)words[middle].at[d] < c)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* The length of the longest of words [low, high) that `rest` begins with; 0: none. */
static size_t longest(const struct word *words, uint32_t low, uint32_t high, struct bytes rest)
{
	size_t best = 0;

	for (size_t d = 0; low < high; d++) {
		unsigned c;

		if (words[low].len == d) {
			best = d;
			low++;
		}
		if (d == rest.len || low == high)
			break;
		c = (unsigned char)byte_lower(rest.at[d]);
		low = first_from(words, low, high, d, c);
		if (low < high && (unsigned char)words[high - 1].at[d] != c)
			high = first_from(words, low, high, d, c + 1);
	}
	return best;
}

static size_t long_at(const struct words *w, uint32_t gram, struct bytes rest)
{
	for (uint32_t i = mixed(gram) >> w->slots_shift; w->slots[i].high; i = (i + 1) & slot_mask(w))
		if (w->slots[i].gram == gram)
			return longest(w->longs, w->slots[i].low, w->slots[i].high, rest);
	return 0;
}

static size_t short_at(const struct words *w, struct bytes rest)
{
	return longest(w->shorts, 0, w->nshorts, rest);
}

/* Of two words at one place the long one is the longer. */
static bool word_at(const struct words *w, struct bytes in, size_t i, size_t *at, size_t *len)
{
	struct bytes rest = bytes_from(in, i);

	*at = i;
	*len = rest.len < GRAM ? 0 : long_at(w, gram_at(rest.at), rest);
	return *len || (*len = short_at(w, rest));
}

bool words_find(const struct words *w, struct bytes in, size_t *at, size_t *len)
{
	size_t i = 0;

	for (; i + GRAM <= in.len; i++)
		if ((bit_of(w->filter, mixed(gram_at(in.at + i)) >> w->filter_shift) ||
		     (w->pairs && bit_of(w->pairs, pair_at(in.at + i)))) &&
		    word_at(w, in, i, at, len))
			return true;
	for (; w->pairs && i < in.len; i++)
		if (word_at(w, in, i, at, len))
			return true;
	return false;
}
