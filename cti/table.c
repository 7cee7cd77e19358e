/* table.c -- open addressing in generations.
 *
 * A slot's key never changes within a generation: what is taken leaves its key behind with the number GONE, and comes back
 * into the same slot. So a reader that has matched a key may believe its number. While a table moves, the new generation
 * outweighs the old one, which is not written any more. */
#include "cti/table.h"
#include "base/hash.h"
#include "cti/rcu.h"
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>

enum {
	BITS_MIN = 4, BITS_MAX = 34,
	MOVES = 32,             /* slots with each change */
	MARKS = 1 << 18,        /* words of a bitmap of /24s */
	MARKED_BITS = 16,       /* a smaller table is in the cache as well as its bitmap would be */
	HUGE = 2 << 20,
};

struct generation {
	struct rcu_head rcu;
	unsigned bits, shift, words; /* of slots, of a hash; in a slot */
	size_t used, moved;          /* slots: written; of the old one: moved on */
	size_t bytes;
	_Atomic(struct generation *) old;
	atomic_ullong *slots;
	atomic_uchar *filter;        /* a byte for each slot; NULL: a bitmap of /24s does it */
	atomic_ullong *marks;        /* a bitmap of what is in this one, until it becomes the table's */
};

struct table {
	enum table_kind kind;
	unsigned words; /* in a slot */
	size_t count, room;
	uint64_t seeds[2];
	_Atomic(struct generation *) now;
	_Atomic(atomic_ullong *) marks; /* of /24s; a bit too many costs a look */
};

/* ---- memory ---- */

/* Zeroed; on huge pages where it is large, or each look would miss the TLB too. */
static void *memory(size_t *bytes)
{
	size_t whole = (*bytes + HUGE - 1) / HUGE * HUGE;
	char *at, *from;

	if (*bytes < HUGE / 2) {
		*bytes = (*bytes + 63) / 64 * 64;
		at = aligned_alloc(64, *bytes);
		return at ? memset(at, 0, *bytes) : NULL;
	}
	at = mmap(NULL, whole + HUGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (at == MAP_FAILED)
		return NULL;
	from = at + (HUGE - (uintptr_t)at % HUGE) % HUGE;
	if (from > at)
		munmap(at, (size_t)(from - at));
	munmap(from + whole, (size_t)(at + HUGE - from));
	madvise(from, whole, MADV_HUGEPAGE);
	*bytes = whole;
	return from;
}

static void release(void *at, size_t bytes)
{
	if (bytes < HUGE / 2)
		free(at);
	else
		munmap(at, bytes);
}

static void generation_free(struct generation *g)
{
	if (!g)
		return;
	release(g->slots, g->bytes);
	free(g->marks);
	free(g);
}

static void generation_gone(struct rcu_head *h)
{
	rcu_retired(h);
	generation_free((struct generation *)(void *)h); /* its first member */
}

static size_t size_of(const struct generation *g)
{
	return (size_t)1 << g->bits;
}

/* Half: a run of used slots that is longer than foreseen stops the processor until memory has answered. */
static size_t most_of(unsigned bits)
{
	return ((size_t)1 << bits) / 2;
}

static struct generation *generation_new(const struct table *t, unsigned bits)
{
	struct generation *g = calloc(1, sizeof *g);
	bool spatial = t->kind == TABLE_ADDRESSES;
	size_t slots;

	if (!g)
		return NULL;
	g->bits = bits;
	g->shift = 64 - bits;
	g->words = t->words;
	slots = size_of(g) * g->words * 8;
	g->bytes = slots + (spatial ? 0 : size_of(g));
	g->slots = memory(&g->bytes);
	g->filter = g->slots && !spatial ? (atomic_uchar *)g->slots + slots : NULL;
	if (spatial && (bits >= MARKED_BITS || atomic_load(&t->marks)))
		g->marks = calloc(MARKS, sizeof *g->marks);
	if (g->slots && (g->marks || !spatial || bits < MARKED_BITS))
		return g;
	if (g->slots)
		release(g->slots, g->bytes);
	free(g);
	return NULL;
}

struct table *table_new(enum table_kind kind, size_t room)
{
	struct table *t = calloc(1, sizeof *t);

	if (!t)
		return NULL;
	t->kind = kind;
	t->words = kind == TABLE_128 ? 3 : kind == TABLE_64 ? 2 : 1;
	t->room = room;
	t->seeds[0] = hash_bytes(BYTES("table: first"));
	t->seeds[1] = hash_bytes(BYTES("table: second")) | 1;
	return t;
}

void table_free(struct table *t)
{
	struct generation *g = t ? atomic_load(&t->now) : NULL;

	if (g)
		generation_free(atomic_load(&g->old));
	generation_free(g);
	if (t)
		free(atomic_load(&t->marks));
	free(t);
}

/* ---- looking ---- */

__extension__ typedef unsigned __int128 wide;

/* The compiler would leave `words` a variable. */
#define ALWAYS_INLINE inline __attribute__((always_inline))

/* Under the process's own seeds: whoever has a network of addresses cannot aim them at one slot. */
static ALWAYS_INLINE uint64_t hash_words(const struct table *t, struct table_key k, unsigned words)
{
	wide product;

	if (words == 1)
		return (k.hi ^ t->seeds[0]) * t->seeds[1];
	product = (wide)(k.hi ^ t->seeds[0]) * (k.lo ^ t->seeds[1]);
	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

static inline uint64_t hash_of(const struct table *t, struct table_key k)
{
	return hash_words(t, k, t->words);
}

static inline uint64_t gone_of(unsigned words)
{
	return words == 1 ? TABLE_NUMBER_MAX + (uint64_t)1 : UINT64_MAX;
}

static inline uint64_t load(const atomic_ullong *at)
{
	return atomic_load_explicit((atomic_ullong *)(uintptr_t)at, memory_order_acquire);
}

/* The slot that has the key, or the empty one where it belongs; *number 0 says that it is empty. `words` are constant where
 * it counts: how many lookups a processor has under way at once is how short they are. */
static ALWAYS_INLINE size_t seek(const struct generation *g, uint64_t hash, struct table_key k, unsigned words, uint64_t *number)
{
	size_t mask = size_of(g) - 1;

	for (size_t i = hash >> g->shift;; i = (i + 1) & mask) {
		const atomic_ullong *s = &g->slots[i * words];
		uint64_t n = load(s);

		*number = words == 1 ? n >> 32 : n;
		if (!n)
			return i;
		if (words == 1 ? (uint32_t)n == (uint32_t)k.hi : load(s + 1) == k.hi && (words == 2 || load(s + 2) == k.lo))
			return i;
	}
}

/* One bit of the slot's byte. */
static inline unsigned filter_bit(const struct generation *g, uint64_t hash)
{
	return 1u << (hash >> (g->shift - 3) & 7);
}

static ALWAYS_INLINE uint64_t look(const struct generation *g, uint64_t hash, struct table_key k, unsigned words)
{
	uint64_t n;

	if (g->filter && !(atomic_load_explicit(&g->filter[hash >> g->shift], memory_order_relaxed) & filter_bit(g, hash)))
		return 0;
	seek(g, hash, k, words, &n);
	return n;
}

static ALWAYS_INLINE uint64_t get(const struct table *t, struct table_key k, unsigned words)
{
	const struct generation *g = atomic_load_explicit(&t->now, memory_order_acquire), *old;
	uint64_t hash = hash_words(t, k, words), n;

	if (!g)
		return 0;
	old = atomic_load_explicit(&g->old, memory_order_acquire); /* before the look: what it has may be moved meanwhile */
	n = look(g, hash, k, words);
	if (!n && old)
		n = look(old, hash, k, words);
	return n == gone_of(words) ? 0 : n;
}

uint64_t table_get(const struct table *t, struct table_key k)
{
	return t->words == 1 ? get(t, k, 1) : t->words == 2 ? get(t, k, 2) : get(t, k, 3);
}

static bool is_marked(const atomic_ullong *marks, uint32_t address)
{
	return atomic_load_explicit((atomic_ullong *)(uintptr_t)&marks[address >> 14], memory_order_relaxed) >> (address >> 8 & 63) & 1;
}

uint64_t table_get_address(const struct table *t, uint32_t address)
{
	uint64_t n;

	if (!table_may_have(t, address))
		return 0;
	rcu_enter();
	n = get(t, (struct table_key){ address, 0 }, 1);
	rcu_leave();
	return n;
}

bool table_may_have(const struct table *t, uint32_t address)
{
	const atomic_ullong *marks = atomic_load_explicit(&t->marks, memory_order_acquire);

	return !marks || is_marked(marks, address);
}

/* ---- changing ---- */

static void mark(atomic_ullong *marks, uint32_t address)
{
	if (marks && !is_marked(marks, address))
		atomic_fetch_or_explicit(&marks[address >> 14], (uint64_t)1 << (address >> 8 & 63), memory_order_relaxed);
}

/* The number is written last: whoever sees it sees the key, the bit and the mark. */
static void place(struct table *t, struct generation *g, uint64_t hash, struct table_key k, uint64_t number)
{
	uint64_t was;
	size_t i = seek(g, hash, k, t->words, &was);
	atomic_ullong *s = &g->slots[i * g->words];

	if (t->kind == TABLE_ADDRESSES) {
		mark(g->marks, (uint32_t)k.hi);
		mark(atomic_load_explicit(&t->marks, memory_order_relaxed), (uint32_t)k.hi);
	}
	if (!was) {
		g->used++;
		if (g->filter)
			atomic_fetch_or_explicit(&g->filter[hash >> g->shift], filter_bit(g, hash), memory_order_relaxed);
		for (unsigned w = 1; w < g->words; w++)
			atomic_store_explicit(&s[w], w == 1 ? k.hi : k.lo, memory_order_relaxed);
	}
	atomic_store_explicit(s, g->words == 1 ? number << 32 | (uint32_t)k.hi : number, memory_order_release);
}

/* All that is there is in this generation now, and in its bitmap. */
static void settle(struct table *t, struct generation *g)
{
	atomic_ullong *marks = atomic_load(&t->marks);

	if (!g->marks)
		return;
	for (size_t i = 0; marks && i < MARKS; i++)
		atomic_store_explicit(&marks[i], load(&g->marks[i]), memory_order_relaxed);
	if (marks)
		free(g->marks);
	else
		atomic_store_explicit(&t->marks, g->marks, memory_order_release);
	g->marks = NULL;
}

static struct table_key key_at(const struct generation *g, size_t i, uint64_t *number)
{
	const atomic_ullong *s = &g->slots[i * g->words];
	uint64_t n = load(s);

	*number = g->words == 1 ? n >> 32 : n;
	if (g->words == 1)
		return (struct table_key){ (uint32_t)n, 0 };
	return (struct table_key){ load(s + 1), g->words == 3 ? load(s + 2) : 0 };
}

static void move(struct table *t, size_t slots)
{
	struct generation *g = atomic_load(&t->now), *old = g ? atomic_load(&g->old) : NULL;

	if (!old)
		return;
	for (; slots && g->moved < size_of(old); slots--) {
		uint64_t number, newer, hash;
		struct table_key k = key_at(old, g->moved++, &number);

		if (!number || number == gone_of(t->words))
			continue;
		hash = hash_of(t, k);
		seek(g, hash, k, t->words, &newer);
		if (!newer)
			place(t, g, hash, k, number);
	}
	if (g->moved < size_of(old))
		return;
	settle(t, g);
	atomic_store_explicit(&g->old, NULL, memory_order_release);
	rcu_retire(&old->rcu, generation_gone);
}

/* For one more key; what is taken is left behind by moving too. */
static bool make_room(struct table *t)
{
	struct generation *g = atomic_load(&t->now), *next;
	size_t most = t->count + t->count / 2 + 4;
	unsigned bits = BITS_MIN;

	if (g && g->used < most_of(g->bits))
		return true;
	move(t, SIZE_MAX);
	if (most < t->room)
		most = t->room;
	while (bits < BITS_MAX && most_of(bits) < most)
		bits++;
	next = generation_new(t, bits);
	if (!next)
		return g && g->used < size_of(g) / 8 * 7; /* slower, but there is room still */
	atomic_store(&next->old, g);
	if (!g)
		settle(t, next);
	atomic_store_explicit(&t->now, next, memory_order_release);
	return true;
}

bool table_put(struct table *t, struct table_key k, uint64_t number)
{
	bool is_new = !table_get(t, k);

	if (!make_room(t))
		return false;
	place(t, atomic_load_explicit(&t->now, memory_order_relaxed), hash_of(t, k), k, number);
	t->count += is_new;
	move(t, MOVES);
	return true;
}

bool table_take(struct table *t, struct table_key k)
{
	struct generation *g;

	if (!table_get(t, k) || !make_room(t))
		return false;
	g = atomic_load_explicit(&t->now, memory_order_relaxed);
	place(t, g, hash_of(t, k), k, gone_of(t->words));
	t->count--;
	move(t, MOVES);
	return true;
}

/* ---- all of it ---- */

size_t table_count(const struct table *t)
{
	return t->count;
}

static size_t bytes_of_generation(const struct generation *g)
{
	return g ? sizeof *g + g->bytes + (g->marks ? MARKS * sizeof *g->marks : 0) : 0;
}

size_t table_bytes(const struct table *t)
{
	const struct generation *g = atomic_load(&t->now);

	return sizeof *t + bytes_of_generation(g) + (g ? bytes_of_generation(atomic_load(&g->old)) : 0) +
	       (atomic_load(&t->marks) ? MARKS * sizeof(atomic_ullong) : 0);
}

bool table_each(const struct table *t, bool (*each)(void *ctx, struct table_key, uint64_t number), void *ctx)
{
	const struct generation *g = atomic_load_explicit(&t->now, memory_order_acquire);
	const struct generation *both[2] = { g, g ? atomic_load_explicit(&g->old, memory_order_acquire) : NULL };

	for (int n = 0; n < 2 && both[n]; n++)
		for (size_t i = 0; i < size_of(both[n]); i++) {
			uint64_t number, newer = 0;
			struct table_key k = key_at(both[n], i, &number);

			if (!number || number == gone_of(t->words))
				continue;
			if (n == 1)
				seek(g, hash_of(t, k), k, t->words, &newer);
			if (!newer && !each(ctx, k, number))
				return false;
		}
	return true;
}
