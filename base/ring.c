/* ring.c -- reserve, fill, publish.
 *
 * An entry is a word that holds its length plus one, then its bytes, padded to
 * a word. The word is zero until the entry is filled: the reader stops there.
 * What has been read is zeroed before the room is given back, because any word
 * of it may become the head of a later entry. */
#include "base/ring.h"
#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { WORD = sizeof(uint64_t), LINE = 64 };

struct ring {
	size_t size;
	char *data;
	/* Positions only grow; modulo size they are offsets. */
	_Alignas(LINE) _Atomic uint64_t head; /* reserved up to here */
	_Alignas(LINE) _Atomic uint64_t tail; /* read up to here */
};

struct ring *ring_new(size_t bytes)
{
	struct ring *r = aligned_alloc(LINE, sizeof *r);

	assert((bytes & (bytes - 1)) == 0 && bytes >= WORD);
	if (!r)
		return NULL;
	*r = (struct ring){ .size = bytes, .data = calloc(1, bytes) };
	if (r->data)
		return r;
	free(r);
	return NULL;
}

static _Atomic uint64_t *word_at(const struct ring *r, uint64_t pos)
{
	return (_Atomic uint64_t *)(void *)(r->data + (pos & (r->size - 1)));
}

static uint64_t room_for(uint64_t len)
{
	return WORD + ((len + WORD - 1) & ~(uint64_t)(WORD - 1));
}

static void copy_in(struct ring *r, uint64_t pos, struct bytes b)
{
	size_t at = pos & (r->size - 1);
	size_t first = b.len < r->size - at ? b.len : r->size - at;

	if (b.len == 0)
		return;
	memcpy(r->data + at, b.at, first);
	memcpy(r->data, b.at + first, b.len - first);
}

static void copy_out(struct ring *r, uint64_t pos, char *to, size_t len)
{
	size_t at = pos & (r->size - 1);
	size_t first = len < r->size - at ? len : r->size - at;

	memcpy(to, r->data + at, first);
	memcpy(to + first, r->data, len - first);
}

static void wipe(struct ring *r, uint64_t pos, size_t len)
{
	size_t at = pos & (r->size - 1);
	size_t first = len < r->size - at ? len : r->size - at;

	memset(r->data + at, 0, first);
	memset(r->data, 0, len - first);
}

/* A stale `at` behind the tail makes the difference wrap and the test pass;
 * the exchange then fails, because the head has moved too. */
static bool reserve(struct ring *r, uint64_t need, uint64_t *at)
{
	*at = atomic_load_explicit(&r->head, memory_order_relaxed);
	do {
		uint64_t used = *at - atomic_load_explicit(&r->tail, memory_order_acquire);

		if (need > r->size - used)
			return false;
	} while (!atomic_compare_exchange_weak_explicit(&r->head, at, *at + need,
							memory_order_relaxed, memory_order_relaxed));
	return true;
}

bool ring_put(struct ring *r, const struct bytes *parts, size_t n)
{
	uint64_t len = 0, at, pos;

	for (size_t i = 0; i < n; i++)
		len += parts[i].len;
	if (!reserve(r, room_for(len), &at))
		return false;
	pos = at + WORD;
	for (size_t i = 0; i < n; pos += parts[i++].len)
		copy_in(r, pos, parts[i]);
	atomic_store_explicit(word_at(r, at), len + 1, memory_order_release);
	return true;
}

size_t ring_take(struct ring *r, char *to, size_t cap)
{
	uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
	uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	size_t used = 0;

	while (tail != head) {
		uint64_t word = atomic_load_explicit(word_at(r, tail), memory_order_acquire);

		if (word == 0 || word - 1 > cap - used)
			break;
		copy_out(r, tail + WORD, to + used, word - 1);
		used += word - 1;
		wipe(r, tail, room_for(word - 1));
		tail += room_for(word - 1);
		atomic_store_explicit(&r->tail, tail, memory_order_release);
	}
	return used;
}

bool ring_is_empty(const struct ring *r)
{
	return atomic_load(&r->head) == atomic_load(&r->tail);
}

void ring_free(struct ring *r)
{
	if (!r)
		return;
	free(r->data);
	free(r);
}
