/* arena.c -- bump allocation in chunks.
 *
 * The first chunk holds the arena itself, so the usual request is one chunk
 * taken from and put back to the thread's store. Under ASan the unused rest
 * of a chunk is poisoned: a write past a slice is found where it happens. */
#include "base/arena.h"
#include <stdlib.h>

#ifndef __has_feature /* clang's way to ask; gcc defines __SANITIZE_ADDRESS__ */
#define __has_feature(x) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || __has_feature(address_sanitizer)
#include <sanitizer/asan_interface.h>
#define POISON(at, n) __asan_poison_memory_region(at, n)
#define UNPOISON(at, n) __asan_unpoison_memory_region(at, n)
#define REDZONE 16
#else
#define POISON(at, n) ((void)(at), (void)(n))
#define UNPOISON(at, n) ((void)(at), (void)(n))
#define REDZONE 0
#endif

enum { CHUNK = 8192, SPARES = 64 };

struct chunk {
	struct chunk *next;
	size_t size, used; /* bytes behind this header */
	size_t pad;        /* keeps data[] 16-aligned */
	char data[];
};

struct defer {
	struct defer *next;
	void (*fn)(void *);
	void *arg;
};

struct arena {
	struct chunk *chunks; /* newest first; the last one holds this struct */
	struct defer *defers;
	size_t cap, total;
};

static _Thread_local struct chunk *spares;
static _Thread_local unsigned nspares;

static struct chunk *chunk_new(size_t size)
{
	struct chunk *c = size == CHUNK ? spares : NULL;

	if (c) {
		spares = c->next;
		nspares--;
	} else if (!(c = malloc(sizeof *c + size))) {
		return NULL;
	}
	c->next = NULL;
	c->size = size;
	c->used = 0;
	POISON(c->data, size);
	return c;
}

static void chunk_free(struct chunk *c)
{
	if (c->size == CHUNK && nspares < SPARES) {
		POISON(c->data, c->size);
		c->next = spares;
		spares = c;
		nspares++;
		return;
	}
	UNPOISON(c->data, c->size);
	free(c);
}

static char *take(struct chunk *c, size_t n, size_t align)
{
	size_t at = (c->used + align - 1) & ~(align - 1);

	if (at > c->size || n + REDZONE > c->size - at)
		return NULL;
	c->used = at + n + REDZONE;
	UNPOISON(c->data + at, n);
	return c->data + at;
}

static char *get(struct arena *a, size_t n, size_t align)
{
	char *p = take(a->chunks, n, align);
	size_t size = n + REDZONE > CHUNK / 2 ? n + REDZONE : CHUNK;
	struct chunk *c;

	if (p)
		return p;
	if (n > a->cap || size > a->cap - a->total || !(c = chunk_new(size)))
		return NULL;
	a->total += size;
	/* A big block goes behind the current chunk, whose rest stays in use. */
	if (size > CHUNK) {
		c->next = a->chunks->next;
		a->chunks->next = c;
	} else {
		c->next = a->chunks;
		a->chunks = c;
	}
	return take(c, n, align);
}

struct arena *arena_new(size_t cap_bytes)
{
	struct chunk *c = chunk_new(CHUNK);
	struct arena *a = c ? (struct arena *)take(c, sizeof *a, 16) : NULL;

	if (!a)
		return NULL;
	*a = (struct arena){ .chunks = c, .cap = cap_bytes > CHUNK ? cap_bytes : CHUNK };
	a->total = CHUNK;
	return a;
}

void *arena_get(struct arena *a, size_t n)
{
	char *p = get(a, n, 16);

	return p ? memset(p, 0, n) : NULL;
}

char *arena_raw(struct arena *a, size_t n)
{
	return get(a, n, 1);
}

char *arena_str(struct arena *a, struct bytes b)
{
	char *p = b.len < SIZE_MAX ? get(a, b.len + 1, 1) : NULL;

	if (!p)
		return NULL;
	if (b.len)
		memcpy(p, b.at, b.len);
	p[b.len] = '\0';
	return p;
}

struct bytes arena_copy(struct arena *a, struct bytes b)
{
	char *p = arena_str(a, b);

	return (struct bytes){ p, p ? b.len : 0 };
}

void *arena_grow(struct arena *a, void *old, size_t *cap, size_t want, size_t each)
{
	size_t n = *cap ? *cap : 4;
	void *p;

	if (want <= *cap)
		return old;
	while (n < want)
		n *= 2;
	if (n > SIZE_MAX / each || !(p = arena_get(a, n * each)))
		return NULL;
	if (*cap)
		memcpy(p, old, *cap * each);
	*cap = n;
	return p;
}

bool arena_defer(struct arena *a, void (*fn)(void *), void *arg)
{
	struct defer *d = arena_get(a, sizeof *d);

	if (!d)
		return false;
	*d = (struct defer){ a->defers, fn, arg };
	a->defers = d;
	return true;
}

size_t arena_used(const struct arena *a)
{
	return a->total;
}

void arena_free(struct arena *a)
{
	struct chunk *c, *next;

	if (!a)
		return;
	for (struct defer *d = a->defers; d; d = d->next)
		d->fn(d->arg);
	for (c = a->chunks; c; c = next) {
		next = c->next;
		chunk_free(c);
	}
}

void arena_thread_end(void)
{
	for (struct chunk *c = spares, *next; c; c = next) {
		next = c->next;
		UNPOISON(c->data, c->size);
		free(c);
	}
	spares = NULL;
	nspares = 0;
}
