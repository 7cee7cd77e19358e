/* share_outbox.c -- two lists under one short lock. */
#include "cti/share_outbox.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct item {
	struct item *next;
	size_t len;
	char at[];
};

struct queue {
	struct item *first, **last;
};

enum { STRICT, MILD, QUEUES };

struct outbox {
	pthread_mutex_t lock;
	struct queue queues[QUEUES];
	size_t max_items, max_bytes;
	atomic_size_t items, bytes;
	atomic_ullong lost;
};

struct outbox *outbox_new(size_t max_items, size_t max_bytes)
{
	struct outbox *o = calloc(1, sizeof *o);

	if (!o)
		return NULL;
	pthread_mutex_init(&o->lock, NULL);
	for (int i = 0; i < QUEUES; i++)
		o->queues[i].last = &o->queues[i].first;
	o->max_items = max_items;
	o->max_bytes = max_bytes;
	return o;
}

/* ---- under the lock ---- */

static struct item *pop(struct outbox *o, struct queue *q)
{
	struct item *i = q->first;

	if (!i)
		return NULL;
	q->first = i->next;
	if (!q->first)
		q->last = &q->first;
	atomic_fetch_sub(&o->items, 1);
	atomic_fetch_sub(&o->bytes, i->len);
	return i;
}

static void push(struct outbox *o, struct queue *q, struct item *i)
{
	*q->last = i;
	q->last = &i->next;
	atomic_fetch_add(&o->items, 1);
	atomic_fetch_add(&o->bytes, i->len);
}

/* What must go for it, as a list; several if it is long. */
static struct item *make_room(struct outbox *o, size_t len, bool mild)
{
	struct item *gone = NULL, *i;

	while (atomic_load(&o->items) >= o->max_items || atomic_load(&o->bytes) + len > o->max_bytes) {
		i = pop(o, &o->queues[MILD]);
		if (!i && !mild)
			i = pop(o, &o->queues[STRICT]);
		if (!i)
			break;
		i->next = gone;
		gone = i;
	}
	return gone;
}

static bool has_room(const struct outbox *o, size_t len)
{
	return atomic_load(&o->items) < o->max_items && atomic_load(&o->bytes) + len <= o->max_bytes;
}

/* ---- */

static size_t free_items(struct item *i)
{
	size_t n = 0;

	for (struct item *next; i; i = next, n++) {
		next = i->next;
		free(i);
	}
	return n;
}

bool outbox_put(struct outbox *o, struct bytes b, bool mild)
{
	struct item *i = malloc(sizeof *i + b.len), *gone = NULL;
	bool taken = false;
	size_t lost;

	if (i) {
		i->next = NULL;
		i->len = b.len;
		memcpy(i->at, b.at, b.len);
		pthread_mutex_lock(&o->lock);
		gone = make_room(o, b.len, mild);
		taken = has_room(o, b.len);
		if (taken)
			push(o, &o->queues[mild ? MILD : STRICT], i);
		pthread_mutex_unlock(&o->lock);
	}
	lost = free_items(gone) + !taken;
	if (!taken)
		free(i);
	atomic_fetch_add(&o->lost, lost);
	return !lost;
}

size_t outbox_take(struct outbox *o, struct text *to)
{
	struct item *taken = NULL, *i;
	size_t n = 0;

	pthread_mutex_lock(&o->lock);
	for (int q = 0; q < QUEUES; q++)
		while ((i = o->queues[q].first) && i->len <= to->cap - to->len) {
			text_put(to, (struct bytes){ i->at, i->len });
			pop(o, &o->queues[q]);
			i->next = taken;
			taken = i;
			n++;
		}
	pthread_mutex_unlock(&o->lock);
	free_items(taken);
	return n;
}

void outbox_clear(struct outbox *o)
{
	struct item *i;

	pthread_mutex_lock(&o->lock);
	for (int q = 0; q < QUEUES; q++)
		while ((i = pop(o, &o->queues[q])))
			free(i);
	pthread_mutex_unlock(&o->lock);
}

void outbox_free(struct outbox *o)
{
	if (!o)
		return;
	outbox_clear(o);
	pthread_mutex_destroy(&o->lock);
	free(o);
}

size_t outbox_bytes(const struct outbox *o)
{
	return atomic_load(&((struct outbox *)(uintptr_t)o)->bytes);
}

size_t outbox_items(const struct outbox *o)
{
	return atomic_load(&((struct outbox *)(uintptr_t)o)->items);
}

uint64_t outbox_lost(const struct outbox *o)
{
	return atomic_load(&((struct outbox *)(uintptr_t)o)->lost);
}
