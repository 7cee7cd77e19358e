/* expr_set.c -- is any of many texts in this one?
 *
 * Whole texts, beginnings and ends are looked up in one hash table: the hash of a beginning of n bytes follows from that
 * of n-1, so all beginnings of a text cost one pass over it, and ends are hashed from behind. The table's texts come from
 * files and filters; who sends requests cannot make them collide.
 *
 * Texts inside are Hyperscan's while they are few. Its time to compile grows with the square of their number (40 s for
 * 10,000), so many are sorted instead, without those that begin with another: then at most one can stand at a place of the
 * text that is looked at, the one before that place in the order. Which pairs of bytes begin a text keeps most places out. */
#include "base/expr_tree.h"
#include "base/matcher.h"
#include <pthread.h>
#include <stdlib.h>

enum { DATABASE_MAX = 256 /* texts; more are sorted */, PAIRS = 1 << 16 };

struct expr_set {
	enum expr_test test;
	bool caseless;
	struct bytes *texts;
	uint32_t *slots; /* 1 + index of a text; 0: free */
	uint64_t mask;
	size_t longest;
	bool *lengths;   /* is there a text of that length? */
	struct matcher *matcher;
	struct bytes *sorted;
	size_t n;
	uint8_t *pairs;  /* a bit for each pair of bytes that a sorted text begins with */
};

static uint64_t hash_byte(const struct expr_set *s, uint64_t h, char c)
{
	return (h ^ (unsigned char)(s->caseless ? byte_lower(c) : c)) * 0x100000001b3; /* FNV-1a */
}

static const uint64_t hash_start = 0xcbf29ce484222325;

/* The i-th byte in the order of hashing. */
static char at(const struct expr_set *s, struct bytes b, size_t i)
{
	return b.at[s->test == EXPR_ENDS ? b.len - 1 - i : i];
}

static bool found(const struct expr_set *s, struct bytes b, uint64_t hash)
{
	for (uint64_t i = (hash ^ hash >> 29) & s->mask; s->slots[i]; i = (i + 1) & s->mask) {
		struct bytes text = s->texts[s->slots[i] - 1];

		if (s->caseless ? bytes_eq_nocase(text, b) : bytes_eq(text, b))
			return true;
	}
	return false;
}

static void put(struct expr_set *s, uint32_t index)
{
	struct bytes b = s->texts[index];
	uint64_t h = hash_start, i;

	for (size_t k = 0; k < b.len; k++)
		h = hash_byte(s, h, at(s, b, k));
	for (i = (h ^ h >> 29) & s->mask; s->slots[i]; i = (i + 1) & s->mask)
		;
	s->slots[i] = index + 1;
	s->lengths[b.len] = true;
}

static bool table(struct arena *a, struct expr_set *s, size_t n)
{
	size_t room = 4;

	while (room < 2 * n)
		room *= 2;
	for (size_t i = 0; i < n; i++)
		if (s->texts[i].len > s->longest)
			s->longest = s->texts[i].len;
	s->mask = room - 1;
	s->slots = arena_get(a, room * sizeof *s->slots);
	s->lengths = arena_get(a, s->longest + 1);
	for (size_t i = 0; s->slots && s->lengths && i < n; i++)
		put(s, (uint32_t)i);
	return s->slots && s->lengths;
}

static void matcher_free_late(void *m)
{
	matcher_hs.free(m);
}

static bool literals(struct arena *a, struct expr_set *s, size_t n, const char *cache_dir)
{
	struct pattern *p = arena_get(a, (n + 1) * sizeof *p);

	for (size_t i = 0; p && i < n; i++) {
		if (!s->texts[i].len) /* which is in every text, and no pattern */
			return false;
		p[i] = (struct pattern){ s->texts[i], PATTERN_LITERAL | (s->caseless ? PATTERN_CASELESS : 0), 0 };
	}
	s->matcher = p ? matcher_hs.compile(p, n, cache_dir, NULL) : NULL;
	if (!s->matcher || arena_defer(a, matcher_free_late, s->matcher))
		return s->matcher != NULL;
	matcher_hs.free(s->matcher);
	return false;
}

/* ---- many texts, sorted ---- */

static int by_bytes(const void *a, const void *b)
{
	return bytes_cmp(*(const struct bytes *)a, *(const struct bytes *)b);
}

static void pair_set(struct expr_set *s, struct bytes text)
{
	unsigned first = (unsigned char)text.at[0] << 8u;

	for (unsigned second = 0; second < 256; second++)
		if (text.len == 1 || second == (unsigned char)text.at[1])
			s->pairs[(first | second) / 8] |= (uint8_t)(1u << second % 8);
}

static bool sorted(struct arena *a, struct expr_set *s, size_t n)
{
	size_t kept = 0;

	s->sorted = arena_get(a, n * sizeof *s->sorted);
	s->pairs = arena_get(a, PAIRS / 8);
	for (size_t i = 0; s->sorted && i < n; i++) {
		s->sorted[i] = s->texts[i];
		if (!s->texts[i].len || (s->caseless && !expr_lower(a, s->texts[i], &s->sorted[i])))
			return false;
	}
	if (!s->sorted || !s->pairs)
		return false;
	qsort(s->sorted, n, sizeof *s->sorted, by_bytes);
	for (size_t i = 0; i < n; i++)
		if (!kept || !bytes_starts(s->sorted[i], s->sorted[kept - 1]))
			s->sorted[kept++] = s->sorted[i];
	s->n = kept;
	for (size_t i = 0; i < kept; i++)
		pair_set(s, s->sorted[i]);
	return true;
}

/* A sorted text against what stands at a place: 0: it stands there. */
static int compare_at(const struct expr_set *s, struct bytes text, struct bytes place)
{
	size_t n = text.len < place.len ? text.len : place.len;

	for (size_t i = 0; i < n; i++) {
		unsigned char x = (unsigned char)text.at[i];
		unsigned char y = (unsigned char)(s->caseless ? byte_lower(place.at[i]) : place.at[i]);

		if (x != y)
			return x < y ? -1 : 1;
	}
	return text.len > place.len;
}

static bool stands_at(const struct expr_set *s, struct bytes place)
{
	size_t low = 0, high = s->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int c = compare_at(s, s->sorted[middle], place);

		if (!c)
			return true;
		if (c < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

static bool has_sorted(const struct expr_set *s, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		unsigned char first = (unsigned char)(s->caseless ? byte_lower(b.at[i]) : b.at[i]), second = 0;

		if (i + 1 < b.len)
			second = (unsigned char)(s->caseless ? byte_lower(b.at[i + 1]) : b.at[i + 1]);
		if (s->pairs[(first << 8u | second) / 8] >> second % 8 & 1 && stands_at(s, bytes_from(b, i)))
			return true;
	}
	return false;
}

struct expr_set *expr_set_new(struct arena *a, const struct bytes *texts, size_t n, enum expr_test test, bool caseless,
			      const char *cache_dir)
{
	struct expr_set *s = arena_get(a, sizeof *s);
	bool ok;

	if (!s || n >= UINT32_MAX || !(s->texts = arena_get(a, (n + 1) * sizeof *texts)))
		return NULL;
	if (n)
		memcpy(s->texts, texts, n * sizeof *texts);
	s->test = test;
	s->caseless = caseless;
	ok = test != EXPR_CONTAINS ? table(a, s, n) : n > DATABASE_MAX ? sorted(a, s, n) : literals(a, s, n, cache_dir);
	return ok ? s : NULL;
}

/* ---- scratch, one a thread ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static pthread_key_t key; /* of a struct matcher_scratch */

static void scratch_free(void *s)
{
	matcher_scratch_free(s);
}

static void key_make(void)
{
	if (pthread_key_create(&key, scratch_free) != 0)
		abort(); /* no more than a handful of keys exist in this program */
}

struct matcher_scratch *expr_scratch(void)
{
	struct matcher_scratch *s;

	pthread_once(&once, key_make);
	s = pthread_getspecific(key);
	if (s)
		return s;
	s = matcher_scratch_new();
	if (s && pthread_setspecific(key, s) == 0)
		return s;
	matcher_scratch_free(s);
	return NULL;
}

static bool on_hit(void *ctx, uint32_t id, size_t end)
{
	(void)id, (void)end;
	return *(bool *)ctx = true;
}

bool expr_set_scan(const struct matcher *m, struct bytes b, bool *yes)
{
	struct matcher_scratch *s = expr_scratch();

	*yes = false;
	return s && matcher_hs.scan(m, s, b, on_hit, yes);
}

bool expr_set_has(struct expr_run *run, const struct expr_set *s, struct bytes b, bool *yes)
{
	uint64_t h = hash_start;

	*yes = s->sorted && has_sorted(s, b);
	if (s->sorted)
		return true;
	if (s->test == EXPR_CONTAINS)
		return expr_set_scan(s->matcher, b, yes) || expr_fail(run, "out of memory");
	if (s->test == EXPR_EQUALS && (b.len > s->longest || !s->lengths[b.len]))
		return true;
	for (size_t i = 0;; i++) {
		if (i <= s->longest && s->lengths[i] && (s->test != EXPR_EQUALS || i == b.len))
			*yes = found(s, s->test == EXPR_ENDS ? bytes_from(b, b.len - i) : bytes_sub(b, 0, i), h);
		if (*yes || i == b.len || i == s->longest)
			return true;
		h = hash_byte(s, h, at(s, b, i));
	}
}
