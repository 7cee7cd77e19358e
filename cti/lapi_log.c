/* lapi_log.c -- two lists by the time of change, of those that hold and of those that are over; a table that groups them by
 * scope, value and type; a heap of when they end. A prolonged one stays in the heap where it was, and is put back when its
 * old time comes. Whoever walks a list is moved on when the entry it stands at leaves. */
#include "base/clock.h"
#include "base/hash.h"
#include "cti/lapi_log.h"
#include <pthread.h>
#include <stdlib.h>

/* As many as never grow: to do so would stop whoever decides, for tens of milliseconds at a million. Memory that is not
 * touched costs nothing. */
enum { HEADS = 1 << 20, HEAP_FIRST = 1024 };

struct entry {
	struct entry *group;        /* the next of its chain */
	struct entry *older, *newer;
	uint64_t hash;
	uint64_t mark_ms;           /* changed */
	uint64_t over_ms;           /* 0: it holds */
	size_t place;               /* in the heap, from 1; 0: not in it */
	uint64_t due_ms;            /* the heap's order */
	struct decision d;
	char text[];
};

struct list {
	struct entry *newest, *oldest;
	size_t n;
};

struct lapi_log {
	pthread_mutex_t lock;
	struct decisions *of;
	struct list lists[2];       /* holding, over */
	struct entry **heads;
	struct entry **heap;        /* from 1 */
	size_t nheap, heap_cap;
	struct lapi_walk *walks;
	uint64_t mark_ms;           /* of the latest walk */
};

/* ---- lists ---- */

static void unlink_entry(struct lapi_log *l, struct entry *e)
{
	struct list *of = &l->lists[e->over_ms > 0];

	for (struct lapi_walk *w = l->walks; w; w = w->next)
		if (w->at == e)
			w->at = e->older;
	*(e->newer ? &e->newer->older : &of->newest) = e->older;
	*(e->older ? &e->older->newer : &of->oldest) = e->newer;
	of->n--;
}

static void link_entry(struct lapi_log *l, struct entry *e)
{
	struct list *to = &l->lists[e->over_ms > 0];
	uint64_t now = clock_wall_ms(), last = to->newest ? to->newest->mark_ms : 0;

	e->mark_ms = now > l->mark_ms ? now : l->mark_ms + 1;
	if (e->mark_ms < last)
		e->mark_ms = last;
	e->newer = NULL;
	e->older = to->newest;
	*(to->newest ? &to->newest->newer : &to->oldest) = e;
	to->newest = e;
	to->n++;
}

/* ---- the heap ---- */

static void heap_set(struct lapi_log *l, size_t i, struct entry *e)
{
	l->heap[i] = e;
	e->place = i;
}

static void heap_up(struct lapi_log *l, size_t i, struct entry *e)
{
	for (; i > 1 && l->heap[i / 2]->due_ms > e->due_ms; i /= 2)
		heap_set(l, i, l->heap[i / 2]);
	heap_set(l, i, e);
}

static void heap_down(struct lapi_log *l, size_t i, struct entry *e)
{
	for (size_t k; (k = i * 2) <= l->nheap; i = k) {
		if (k < l->nheap && l->heap[k + 1]->due_ms < l->heap[k]->due_ms)
			k++;
		if (l->heap[k]->due_ms >= e->due_ms)
			break;
		heap_set(l, i, l->heap[k]);
	}
	heap_set(l, i, e);
}

static bool heap_add(struct lapi_log *l, struct entry *e)
{
	if (l->nheap + 2 > l->heap_cap) {
		size_t cap = l->heap_cap ? l->heap_cap * 2 : HEAP_FIRST;
		struct entry **bigger = realloc(l->heap, cap * sizeof(struct entry *));

		if (!bigger)
			return false;
		l->heap = bigger;
		l->heap_cap = cap;
	}
	e->due_ms = e->d.until_ms;
	heap_up(l, ++l->nheap, e);
	return true;
}

static void heap_take(struct lapi_log *l, struct entry *e)
{
	size_t i = e->place;
	struct entry *last = l->heap[l->nheap--];

	e->place = 0;
	if (last == e)
		return;
	if (i > 1 && l->heap[i / 2]->due_ms > last->due_ms)
		heap_up(l, i, last);
	else
		heap_down(l, i, last);
}

/* ---- the table ---- */

static uint64_t group_of(const struct decision *d)
{
	const char *type = lapi_type(d->remedy);

	return hash_bytes(d->value) ^ (uint64_t)(d->scope + 1) * 0x9e3779b97f4a7c15u ^ (uint64_t)(uint8_t)type[0] << 32;
}

static bool same_group(const struct entry *e, uint64_t hash, const struct decision *d)
{
	return e->hash == hash && e->d.scope == d->scope && lapi_type(e->d.remedy) == lapi_type(d->remedy) &&
	       bytes_eq(e->d.value, d->value);
}

static struct entry **head_of(const struct lapi_log *l, uint64_t hash)
{
	return &l->heads[(hash ^ hash >> 32) & (HEADS - 1)];
}

static struct entry *find(const struct lapi_log *l, const struct decision *d, uint64_t hash)
{
	struct entry *e = *head_of(l, hash);

	while (e && !(e->d.id == d->id && same_group(e, hash, d)))
		e = e->group;
	return e;
}

static void forget(struct lapi_log *l, struct entry *e)
{
	struct entry **at = head_of(l, e->hash);

	while (*at != e)
		at = &(*at)->group;
	*at = e->group;
	if (e->place)
		heap_take(l, e);
	unlink_entry(l, e);
	free(e);
}

static char *put(char *at, struct bytes *b)
{
	if (b->len)
		memcpy(at, b->at, b->len);
	b->at = at;
	return at + b->len;
}

static struct entry *entry_new(struct lapi_log *l, const struct decision *d, uint64_t hash)
{
	struct entry *e = calloc(1, sizeof *e + d->value.len + d->reason.len + d->origin.len);

	if (!e)
		return NULL;
	e->d = *d;
	put(put(put(e->text, &e->d.value), &e->d.reason), &e->d.origin);
	e->hash = hash;
	if (!heap_add(l, e)) {
		free(e);
		return NULL;
	}
	e->group = *head_of(l, hash);
	*head_of(l, hash) = e;
	return e;
}

/* ---- what becomes of decisions ---- */

static bool is_told(const struct decision *d)
{
	return lapi_type(d->remedy) && !d->simulated && d->scope != SCOPE_USERNAME && d->scope != SCOPE_SESSION;
}

static void end(struct lapi_log *l, struct entry *e, uint64_t over_ms)
{
	if (e->place)
		heap_take(l, e);
	unlink_entry(l, e);
	e->over_ms = over_ms;
	link_entry(l, e);
	while (l->lists[1].n > LAPI_LOG_ENDED)
		forget(l, l->lists[1].oldest);
}

static void on_held(void *ctx, const struct decision *d, unsigned times, enum decision_from from)
{
	struct lapi_log *l = ctx;
	struct entry *e;
	uint64_t hash;

	(void)times;
	(void)from;
	if (!is_told(d) || d->until_ms <= clock_wall_ms())
		return;
	hash = group_of(d);
	pthread_mutex_lock(&l->lock);
	e = find(l, d, hash);
	if (e) {
		unlink_entry(l, e);
		e->over_ms = 0;
		e->d.until_ms = d->until_ms;
		if (e->place && d->until_ms < e->due_ms)
			heap_take(l, e);
		if (!e->place)
			heap_add(l, e); /* the heap never shrinks: there is room */
	} else {
		e = entry_new(l, d, hash);
	}
	if (e)
		link_entry(l, e);
	pthread_mutex_unlock(&l->lock);
}

static void on_lifted(void *ctx, const struct decision *d, enum decision_from from)
{
	struct lapi_log *l = ctx;
	struct entry *e;

	(void)from;
	if (!is_told(d))
		return;
	pthread_mutex_lock(&l->lock);
	e = find(l, d, group_of(d));
	if (e && !e->over_ms)
		end(l, e, clock_wall_ms());
	pthread_mutex_unlock(&l->lock);
}

bool lapi_log_expire(struct lapi_log *l, uint64_t now_ms, unsigned max)
{
	bool more;

	pthread_mutex_lock(&l->lock);
	for (; max && l->nheap && l->heap[1]->due_ms <= now_ms; max--) {
		struct entry *e = l->heap[1];

		heap_take(l, e);
		if (e->d.until_ms > now_ms)
			heap_add(l, e);
		else
			end(l, e, e->d.until_ms ? e->d.until_ms : 1);
	}
	more = l->nheap && l->heap[1]->due_ms <= now_ms;
	pthread_mutex_unlock(&l->lock);
	return more;
}

uint64_t lapi_log_until(struct lapi_log *l, const struct decision *d)
{
	const struct entry *e;
	uint64_t until = 0;

	if (!is_told(d))
		return 0;
	pthread_mutex_lock(&l->lock);
	e = find(l, d, group_of(d));
	if (e && !e->over_ms)
		until = e->d.until_ms;
	pthread_mutex_unlock(&l->lock);
	return until;
}

/* ---- from the first to the last ---- */

static bool take_held(void *ctx, const struct decision *d)
{
	on_held(ctx, d, 1, DECISION_RESTORED);
	return true;
}

struct lapi_log *lapi_log_new(struct decisions *of)
{
	struct lapi_log *l = calloc(1, sizeof *l);
	struct decisions_watch watch = { on_held, on_lifted, l };

	if (!l)
		return NULL;
	l->of = of;
	l->heads = calloc(HEADS, sizeof(struct entry *));
	if (!l->heads || !decisions_watch(of, &watch)) {
		free(l->heads);
		free(l);
		return NULL;
	}
	pthread_mutex_init(&l->lock, NULL);
	decisions_each(of, clock_wall_ms(), take_held, l);
	return l;
}

void lapi_log_free(struct lapi_log *l)
{
	if (!l)
		return;
	decisions_unwatch(l->of, l);
	for (size_t i = 0; i < nelems(l->lists); i++)
		for (struct entry *e = l->lists[i].newest, *older; e; e = older) {
			older = e->older;
			free(e);
		}
	pthread_mutex_destroy(&l->lock);
	free(l->heads);
	free(l->heap);
	free(l);
}

/* ---- walks ---- */

void lapi_walk_begin(struct lapi_walk *w, struct lapi_log *l, const struct lapi_filter *f, uint64_t since_ms, uint64_t now_ms)
{
	*w = (struct lapi_walk){ .log = l, .filter = f, .since_ms = since_ms };
	pthread_mutex_lock(&l->lock);
	w->at = l->lists[0].newest;
	l->mark_ms = now_ms > l->mark_ms ? now_ms : l->mark_ms;
	for (size_t i = 0; i < nelems(l->lists); i++) /* of a clock that was set back */
		if (l->lists[i].newest && l->lists[i].newest->mark_ms > l->mark_ms)
			l->mark_ms = l->lists[i].newest->mark_ms;
	w->mark_ms = l->mark_ms;
	w->next = l->walks;
	l->walks = w;
	pthread_mutex_unlock(&l->lock);
}

void lapi_walk_over(struct lapi_walk *w)
{
	pthread_mutex_lock(&w->log->lock);
	w->ended = true;
	w->at = w->log->lists[1].newest;
	pthread_mutex_unlock(&w->log->lock);
}

void lapi_walk_end(struct lapi_walk *w)
{
	struct lapi_walk **at = &w->log->walks;

	pthread_mutex_lock(&w->log->lock);
	while (*at != w)
		at = &(*at)->next;
	*at = w->next;
	pthread_mutex_unlock(&w->log->lock);
}

/* Does another of its group hold, that this bouncer is told of, and longer than it? Of two that end at once the lower id. */
static bool is_outlasted(const struct lapi_walk *w, const struct entry *e, uint64_t now_ms)
{
	for (struct entry *o = *head_of(w->log, e->hash); o; o = o->group)
		if (o != e && !o->over_ms && o->d.until_ms > now_ms && same_group(o, e->hash, &e->d) && lapi_filter_takes(w->filter, &o->d) &&
		    (w->ended || o->d.until_ms > e->d.until_ms || (o->d.until_ms == e->d.until_ms && o->d.id < e->d.id)))
			return true;
	return false;
}

/* Of several of one group that are over only the one that ended last is told. */
static bool is_followed(const struct lapi_walk *w, const struct entry *e)
{
	for (struct entry *o = *head_of(w->log, e->hash); w->ended && o; o = o->group)
		if (o != e && o->over_ms && same_group(o, e->hash, &e->d) && lapi_filter_takes(w->filter, &o->d) &&
		    (o->mark_ms > e->mark_ms || (o->mark_ms == e->mark_ms && o->d.id > e->d.id)))
			return true;
	return false;
}

static bool is_due(const struct lapi_walk *w, const struct entry *e, uint64_t now_ms)
{
	if (!w->ended && e->d.until_ms <= now_ms)
		return false;
	return lapi_filter_takes(w->filter, &e->d) && !is_outlasted(w, e, now_ms) && !is_followed(w, e);
}

bool lapi_walk_step(struct lapi_walk *w, unsigned max, uint64_t now_ms, lapi_walk_each *each, void *ctx)
{
	uint64_t since = w->since_ms;
	bool more;

	if (w->ended)
		since = since > LAPI_LOG_OVERLAP_MS ? since - LAPI_LOG_OVERLAP_MS : 0;
	pthread_mutex_lock(&w->log->lock);
	for (struct entry *e; max && (e = w->at) && e->mark_ms > since; max--, w->at = e->older)
		if (is_due(w, e, now_ms))
			each(ctx, &e->d, e->over_ms);
	more = w->at && ((struct entry *)w->at)->mark_ms > since;
	pthread_mutex_unlock(&w->log->lock);
	return more;
}
