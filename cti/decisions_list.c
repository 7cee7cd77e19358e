/* decisions_list.c -- all of them, those against an address or block, and a page of them for people. */
#include "cti/decisions_parts.h"
#include <stdlib.h>

/* ---- all ---- */

static bool tell_list(const struct record *r, uint64_t now_ms, bool (*each)(void *ctx, const struct decision *), void *ctx)
{
	for (; r; r = r->next)
		if (r->d.until_ms > now_ms && !each(ctx, &r->d))
			return false;
	return true;
}

void decisions_each(struct decisions *d, uint64_t now_ms, bool (*each)(void *ctx, const struct decision *), void *ctx)
{
	bool more = true;

	for (int i = 0; i < SHARDS && more; i++) {
		pthread_rwlock_rdlock(&d->shards[i].lock);
		for (int k = 0; k < HEADS && more; k++)
			more = tell_list(d->shards[i].heads[k], now_ms, each, ctx);
		pthread_rwlock_unlock(&d->shards[i].lock);
	}
}

/* ---- against an address, or those of a block ---- */

struct asking {
	struct decisions *decisions;
	uint64_t now_ms;
	struct ip_net net;
	bool (*each)(void *ctx, const struct decision *);
	void *ctx;
};

static bool touches(const struct record *r, const struct ip_net *net)
{
	return (r->d.scope == SCOPE_IP || r->d.scope == SCOPE_RANGE) &&
	       (ip_in_net(&r->net.base, net) || ip_in_net(&net->base, &r->net));
}

static bool tell_value(struct asking *a, enum scope scope, struct bytes value)
{
	uint64_t hash = decisions_key(scope, value);
	struct shard *s;
	struct record **list = decisions_list(a->decisions, hash, &s);
	bool more = true;

	pthread_rwlock_rdlock(&s->lock);
	for (struct record *r = *list; r && more; r = r->next)
		if (r->d.until_ms > a->now_ms && record_is_about(r, scope, hash, value))
			more = a->each(a->ctx, &r->d);
	pthread_rwlock_unlock(&s->lock);
	return more;
}

/* It is found as a request finds it: by itself, and by each block around it. */
static void tell_address(struct asking *a)
{
	struct ip key = ip_behaviour_key(&a->net.base);
	char room[64];
	struct text t = text_over(room, sizeof room);
	bool more;

	ip_text(&t, &key);
	more = tell_value(a, SCOPE_IP, text_bytes(&t));
	for (unsigned bits = ip_is4(&a->net.base) ? 96 : 0; bits <= 128 && more; bits++) {
		t = text_over(room, sizeof room);
		more = tell_value(a, SCOPE_RANGE, decisions_block_of(&a->net.base, bits, &t));
	}
}

static bool tell_touching(const struct record *r, struct asking *a)
{
	for (; r; r = r->next)
		if (r->d.until_ms > a->now_ms && touches(r, &a->net) && !a->each(a->ctx, &r->d))
			return false;
	return true;
}

static void tell_block(struct asking *a)
{
	bool more = true;

	for (int i = 0; i < SHARDS && more; i++) {
		struct shard *s = &a->decisions->shards[i];

		pthread_rwlock_rdlock(&s->lock);
		for (int k = 0; k < HEADS && more; k++)
			more = tell_touching(s->heads[k], a);
		pthread_rwlock_unlock(&s->lock);
	}
}

void decisions_about(struct decisions *d, const struct ip_net *net, uint64_t now_ms, bool (*each)(void *ctx, const struct decision *),
		     void *ctx)
{
	struct asking a = { d, now_ms, *net, each, ctx };

	if (net->bits == 128)
		tell_address(&a);
	else
		tell_block(&a);
}

/* ---- a page ----
 *
 * The table has no order. One walk (a million records: some 40 ms, 90 ms where a text is looked for) keeps the ids that come first, in a heap whose top is the last of them; their records are
 * looked for when it has ended, and one that is gone by then is left out. */

enum { AHEAD = 8 /* heads */, LINE = 64 /* bytes */, TEXTS = 128 /* bytes, of nearly every record */, WORD = 32 };

struct place_of { uint64_t id, hash; };

struct paging {
	const struct decisions_filter *filter;
	struct bytes lower;      /* its text */
	uint64_t now_ms;
	size_t total, behind, most, n; /* behind: that fit and come after `before`; n: in the heap */
	struct place_of heap[DECISIONS_PAGE_MAX];
};

/* Does a match of the texts, which lie behind one another, lie within one of them? */
static bool is_in_one(const struct decision *d, size_t from, size_t to)
{
	size_t reason = d->value.len, origin = reason + d->reason.len;

	return to <= reason || (from >= reason && to <= origin) || from >= origin;
}

static bool says_each(const struct decision *d, struct bytes text)
{
	return bytes_find_nocase(d->value, text) < d->value.len || bytes_find_nocase(d->reason, text) < d->reason.len ||
	       bytes_find_nocase(d->origin, text) < d->origin.len;
}

/* Where its first and last byte are right, of WORD places at once. */
static bool begins(const char *at, struct bytes lower, bool is[WORD])
{
	char first = lower.at[0], last = lower.at[lower.len - 1];
	uint64_t any[WORD / 8];

	for (size_t i = 0; i < WORD; i++)
		is[i] = (at[i] == first) & (at[i + lower.len - 1] == last);
	memcpy(any, is, WORD);
	return any[0] | any[1] | any[2] | any[3];
}

/* All its texts at once, in loops that a compiler makes a few instructions of: a million records may be asked. */
static bool says(const struct record *r, struct bytes lower)
{
	size_t len = r->d.value.len + r->d.reason.len + r->d.origin.len;
	char all[2 * TEXTS] = { 0 };
	bool is[WORD];

	if (len > TEXTS)
		return says_each(&r->d, lower);
	if (lower.len > len)
		return false;
	memcpy(all, r->text, len);
	for (size_t word = 0; word < len; word += WORD)
		for (size_t i = 0; i < WORD; i++)
			all[word + i] = byte_lower(all[word + i]);
	for (size_t word = 0; word < len; word += WORD)
		for (size_t i = begins(all + word, lower, is) ? 0 : WORD; i < WORD; i++)
			if (is[i] && memcmp(all + word + i, lower.at, lower.len) == 0 && is_in_one(&r->d, word + i, word + i + lower.len))
				return true;
	return false;
}

/* lower: f->text, in lower case. */
static bool fits(const struct record *r, const struct decisions_filter *f, struct bytes lower, uint64_t now_ms)
{
	const struct decision *d = &r->d;

	return d->until_ms > now_ms && (f->scope == SCOPE_COUNT || d->scope == f->scope) &&
	       (f->remedy == REMEDY_COUNT || d->remedy == f->remedy) && (!f->origin.len || bytes_eq(d->origin, f->origin)) &&
	       (!f->against || touches(r, f->against)) && (!f->text.len || says(r, lower));
}

static void sink(struct place_of *heap, size_t n, size_t at)
{
	struct place_of moved = heap[at];

	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && heap[child + 1].id < heap[child].id)
			child++;
		if (heap[child].id >= moved.id)
			break;
		heap[at] = heap[child];
	}
	heap[at] = moved;
}

static void rise(struct place_of *heap, size_t at)
{
	struct place_of moved = heap[at];

	for (; at && heap[(at - 1) / 2].id > moved.id; at = (at - 1) / 2)
		heap[at] = heap[(at - 1) / 2];
	heap[at] = moved;
}

static void keep(struct paging *p, const struct record *r)
{
	struct place_of new = { r->d.id, r->hash };

	p->total++;
	if (p->filter->before && new.id >= p->filter->before)
		return;
	p->behind++;
	if (p->n < p->most) {
		p->heap[p->n] = new;
		rise(p->heap, p->n++);
	} else if (new.id > p->heap[0].id) {
		p->heap[0] = new;
		sink(p->heap, p->n, 0);
	}
}

/* Records lie anywhere, and to wait for memory is what a walk does most: what is looked at soon is on its way meanwhile. */
static void fetch_soon(const struct record *r)
{
	for (size_t at = 0; r && at < sizeof *r + LINE; at += LINE)
		__builtin_prefetch((const char *)r + at);
}

static void walk(struct decisions *d, struct paging *p)
{
	for (unsigned piece = 0; piece < PIECES; piece++) {
		struct shard *s = &d->shards[piece % SHARDS];
		unsigned first = piece / SHARDS * SWEEP_HEADS;

		pthread_rwlock_rdlock(&s->lock);
		for (unsigned k = first; k < first + SWEEP_HEADS; k++) {
			if (k + 2 * AHEAD < first + SWEEP_HEADS)
				fetch_soon(s->heads[k + 2 * AHEAD]);
			if (k + AHEAD < first + SWEEP_HEADS && s->heads[k + AHEAD])
				fetch_soon(s->heads[k + AHEAD]->next);
			for (const struct record *r = s->heads[k]; r; r = r->next)
				if (fits(r, p->filter, p->lower, p->now_ms))
					keep(p, r);
		}
		pthread_rwlock_unlock(&s->lock);
	}
}

static struct bytes lower_of(struct arena *a, struct bytes text)
{
	char *at = arena_raw(a, text.len + 1);

	for (size_t i = 0; at && i < text.len; i++)
		at[i] = byte_lower(text.at[i]);
	return (struct bytes){ at, text.len };
}

static int newest_first(const void *a, const void *b)
{
	const struct place_of *x = a, *y = b;

	return x->id < y->id ? 1 : x->id > y->id ? -1 : 0;
}

static bool copy(struct arena *a, const struct decision *from, struct decision *to)
{
	*to = *from;
	to->value = arena_copy(a, from->value);
	to->reason = arena_copy(a, from->reason);
	to->origin = arena_copy(a, from->origin);
	return to->value.at && (to->reason.at || !from->reason.len) && (to->origin.at || !from->origin.len);
}

static bool take_record(struct decisions *d, struct place_of at, struct arena *a, struct decisions_page *page)
{
	struct shard *s;
	struct record **list = decisions_list(d, at.hash, &s), *r;
	bool good = true;

	pthread_rwlock_rdlock(&s->lock);
	for (r = *list; r && r->d.id != at.id;)
		r = r->next;
	if (r && (good = copy(a, &r->d, &page->at[page->n])))
		page->n++;
	pthread_rwlock_unlock(&s->lock);
	return good;
}

bool decisions_page(struct decisions *d, const struct decisions_filter *f, uint64_t now_ms, size_t limit, struct arena *a,
		    struct decisions_page *page)
{
	struct paging p = { .filter = f, .now_ms = now_ms, .most = limit < DECISIONS_PAGE_MAX ? limit : DECISIONS_PAGE_MAX };
	bool good = true;

	p.lower = lower_of(a, f->text);
	if (!p.lower.at)
		return false;
	walk(d, &p);
	qsort(p.heap, p.n, sizeof *p.heap, newest_first);
	page->n = 0;
	page->total = p.total;
	page->next = p.n && p.behind > p.n ? p.heap[p.n - 1].id : 0;
	for (size_t i = 0; i < p.n && good; i++)
		good = take_record(d, p.heap[i], a, page);
	return good;
}
