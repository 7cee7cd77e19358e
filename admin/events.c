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
};

struct events {
	pthread_mutex_t lock;
	size_t cap, max_bytes;
	size_t first, n, bytes; /* oldest; how many; what they take */
	_Atomic uint64_t dropped;
	struct kept ring[];
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

static struct kept *kept_at(struct events *v, size_t i)
{
	return &v->ring[(v->first + i) % v->cap];
}

/* Takes out the oldest; the caller frees it. */
static struct record *shift(struct events *v)
{
	struct kept *k = kept_at(v, 0);

	v->first = (v->first + 1) % v->cap;
	v->n--;
	v->bytes -= k->bytes;
	return k->record;
}

/* As many as must go for one of `bytes` to come; true while there are more. */
static bool must_shift(const struct events *v, size_t bytes)
{
	return v->n > 0 && (v->n == v->cap || v->bytes + bytes > v->max_bytes);
}

static void push(struct events *v, struct kept k)
{
	*kept_at(v, v->n) = k;
	v->n++;
	v->bytes += k.bytes;
}

/* A few at a time, so that the lock is short whatever their sizes. */
static void keep(struct events *v, struct kept k)
{
	struct record *old[8];
	bool kept = false;

	while (!kept) {
		size_t n = 0;

		pthread_mutex_lock(&v->lock);
		while (n < nelems(old) && must_shift(v, k.bytes))
			old[n++] = shift(v);
		kept = !must_shift(v, k.bytes);
		if (kept)
			push(v, k);
		pthread_mutex_unlock(&v->lock);
		while (n > 0)
			free(old[--n]);
	}
}

bool events_offer(struct events *v, const struct event *e, const struct redact *redact)
{
	struct record r;
	struct kept k;

	record_of(&r, e, redact);
	k.record = record_copy(&r, &k.bytes);
	if (!k.record || k.bytes > v->max_bytes) {
		free(k.record);
		atomic_fetch_add_explicit(&v->dropped, 1, memory_order_relaxed);
		return false;
	}
	keep(v, k);
	return true;
}

uint64_t events_dropped(const struct events *v)
{
	return atomic_load((_Atomic uint64_t *)(uintptr_t)&v->dropped);
}

/* Newest first. *matches counts up to two. */
static const struct record *search(struct events *v, struct bytes id, unsigned *matches)
{
	const struct record *found = NULL;

	*matches = 0;
	for (size_t i = v->n; i-- > 0 && *matches < 2;) {
		const struct record *r = kept_at(v, i)->record;

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
	if (!v)
		return;
	while (v->n > 0)
		free(shift(v));
	pthread_mutex_destroy(&v->lock);
	free(v);
}
