/* events.c -- a ring of records.
 *
 * What a worker does outside the lock: making the record, copying it, freeing
 * what was pushed out. Inside: a few stores. */
#include "admin/events.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct kept {
	struct record *record;
	size_t bytes;
	unsigned holders; /* the ring, who took it; under the lock */
};

struct events {
	pthread_mutex_t lock;
	size_t cap, max_bytes;
	size_t first, n, bytes; /* oldest; how many; what they take */
	size_t untaken;         /* of n, the newest */
	struct kept *taken[EVENTS_TAKEN];
	size_t ntaken;
	void (*some)(void *);
	void *ctx;
	bool awaited;           /* whoever offers calls `some` */
	_Atomic uint64_t dropped, missed;
	struct kept *ring[];
};

struct events *events_new(size_t count, size_t bytes)
{
	struct events *v = calloc(1, sizeof *v + count * sizeof v->ring[0]);

	if (!v)
		return NULL;
	pthread_mutex_init(&v->lock, NULL);
	v->cap = count;
	v->max_bytes = bytes;
	return v;
}

static struct kept **kept_at(struct events *v, size_t i)
{
	return &v->ring[(v->first + i) % v->cap];
}

static void kept_free(struct kept *k)
{
	free(k->record);
	free(k);
}

/* Takes out the oldest; the caller frees it, where it is not NULL. */
static struct kept *shift(struct events *v)
{
	struct kept *k = *kept_at(v, 0);

	if (v->untaken == v->n) {
		v->untaken--;
		if (v->some)
			atomic_fetch_add_explicit(&v->missed, 1, memory_order_relaxed);
	}
	v->first = (v->first + 1) % v->cap;
	v->n--;
	v->bytes -= k->bytes;
	return --k->holders ? NULL : k;
}

/* As many as must go for one of `bytes` to come; true while there are more. */
static bool must_shift(const struct events *v, size_t bytes)
{
	return v->n > 0 && (v->n == v->cap || v->bytes + bytes > v->max_bytes);
}

static void push(struct events *v, struct kept *k)
{
	*kept_at(v, v->n) = k;
	v->n++;
	v->untaken++;
	v->bytes += k->bytes;
}

/* A few at a time, so that the lock is short whatever their sizes. True: somebody waits for it. */
static bool keep(struct events *v, struct kept *k)
{
	struct kept *old[8];
	bool kept = false, awaited = false;

	while (!kept) {
		size_t n = 0;

		pthread_mutex_lock(&v->lock);
		while (n < nelems(old) && must_shift(v, k->bytes))
			if ((old[n] = shift(v)))
				n++;
		kept = !must_shift(v, k->bytes);
		if (kept) {
			push(v, k);
			awaited = v->awaited;
			v->awaited = false;
		}
		pthread_mutex_unlock(&v->lock);
		while (n > 0)
			kept_free(old[--n]);
	}
	return awaited;
}

static struct kept *kept_new(const struct events *v, const struct event *e, const struct redact *redact)
{
	struct kept *k = calloc(1, sizeof *k);
	struct record r;

	if (!k)
		return NULL;
	record_of(&r, e, redact);
	record_request(&r, e, redact);
	k->holders = 1;
	k->record = record_copy(&r, &k->bytes);
	if (k->record && k->bytes <= v->max_bytes)
		return k;
	kept_free(k);
	return NULL;
}

bool events_offer(struct events *v, const struct event *e, const struct redact *redact)
{
	struct kept *k = kept_new(v, e, redact);

	if (!k) {
		atomic_fetch_add_explicit(&v->dropped, 1, memory_order_relaxed);
		return false;
	}
	if (keep(v, k))
		v->some(v->ctx);
	return true;
}

void events_watch(struct events *v, void (*some)(void *), void *ctx)
{
	v->some = some;
	v->ctx = ctx;
	v->awaited = true;
}

/* Under the lock. */
static size_t take(struct events *v, const struct record *out[EVENTS_TAKEN])
{
	size_t n = 0;

	for (; v->untaken && n < EVENTS_TAKEN; n++, v->untaken--) {
		struct kept *k = *kept_at(v, v->n - v->untaken);

		k->holders++;
		v->taken[n] = k;
		out[n] = k->record;
	}
	v->awaited = n == 0;
	return n;
}

size_t events_take(struct events *v, const struct record *out[EVENTS_TAKEN])
{
	struct kept *gone[EVENTS_TAKEN];
	size_t ngone = 0, n;

	pthread_mutex_lock(&v->lock);
	for (size_t i = 0; i < v->ntaken; i++)
		if (--v->taken[i]->holders == 0)
			gone[ngone++] = v->taken[i];
	n = v->ntaken = take(v, out);
	pthread_mutex_unlock(&v->lock);
	while (ngone > 0)
		kept_free(gone[--ngone]);
	return n;
}

static uint64_t count_of(const _Atomic uint64_t *count)
{
	return atomic_load((_Atomic uint64_t *)(uintptr_t)count);
}

uint64_t events_dropped(const struct events *v)
{
	return count_of(&v->dropped);
}

uint64_t events_missed(const struct events *v)
{
	return count_of(&v->missed);
}

/* Newest first. *matches counts up to two. */
static const struct record *search(struct events *v, struct bytes id, unsigned *matches)
{
	const struct record *found = NULL;

	*matches = 0;
	for (size_t i = v->n; i-- > 0 && *matches < 2;) {
		const struct record *r = (*kept_at(v, i))->record;

		if (!bytes_starts_nocase(r->id, id))
			continue;
		found = r;
		++*matches;
		if (r->id.len == id.len) {
			*matches = 1; /* it is the whole id */
			break;
		}
	}
	return found;
}

struct record *events_find(struct events *v, struct bytes id, struct err *e)
{
	struct record *copy = NULL;
	const struct record *r;
	unsigned matches;
	size_t bytes, n;

	if (id.len == 0) {
		err_set(e, SIDE_CONFIG, 0, "an id is wanted: the request id of a page or a log line");
		return NULL;
	}
	pthread_mutex_lock(&v->lock);
	n = v->n;
	r = search(v, id, &matches);
	if (matches == 1)
		copy = record_copy(r, &bytes);
	pthread_mutex_unlock(&v->lock);
	if (matches == 0)
		err_set(e, SIDE_CONFIG, 0, "%.*s is not among the %zu alerts that are kept; older ones are in the security log",
			(int)(id.len < 64 ? id.len : 64), id.at, n);
	else if (matches > 1)
		err_set(e, SIDE_CONFIG, 0, "several alerts begin with %.*s: give more of the id",
			(int)(id.len < 64 ? id.len : 64), id.at);
	else if (!copy)
		err_set(e, SIDE_SELF, 0, "out of memory");
	return copy;
}

void events_free(struct events *v)
{
	struct kept *k;

	if (!v)
		return;
	for (size_t i = 0; i < v->ntaken; i++)
		if (--v->taken[i]->holders == 0)
			kept_free(v->taken[i]);
	while (v->n > 0)
		if ((k = shift(v)))
			kept_free(k);
	pthread_mutex_destroy(&v->lock);
	free(v);
}
