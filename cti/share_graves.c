/* share_graves.c -- ids that were lifted, in 64 parts by id, each a hash of short lists under its own lock. */
#include "cti/share_known.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

enum { HEADS = 256 };

struct grave {
	struct grave *next;
	struct share_op op;
	char value[];
};

struct part {
	pthread_mutex_t lock;
	size_t used;
	struct grave *heads[HEADS];
};

struct graves {
	struct part parts[GRAVES_PARTS];
	size_t max_of_part;
	size_t hand;          /* of the sweep */
	atomic_size_t count;
};

struct graves *graves_new(size_t max)
{
	struct graves *g = calloc(1, sizeof *g);

	if (!g)
		return NULL;
	g->max_of_part = max / GRAVES_PARTS ? max / GRAVES_PARTS : 1;
	for (int i = 0; i < GRAVES_PARTS; i++)
		pthread_mutex_init(&g->parts[i].lock, NULL);
	return g;
}

/* ---- under the lock of the part ---- */

static void drop(struct graves *g, struct part *p, struct grave **link)
{
	struct grave *gone = *link;

	*link = gone->next;
	free(gone);
	p->used--;
	atomic_fetch_sub(&g->count, 1);
}

static void drop_over(struct graves *g, struct part *p, uint64_t now_ms)
{
	for (int h = 0; h < HEADS; h++)
		for (struct grave **link = &p->heads[h]; *link;)
			if ((*link)->op.decision.until_ms <= now_ms)
				drop(g, p, link);
			else
				link = &(*link)->next;
}

static void drop_soonest(struct graves *g, struct part *p)
{
	struct grave **soonest = NULL;

	for (int h = 0; h < HEADS; h++)
		for (struct grave **link = &p->heads[h]; *link; link = &(*link)->next)
			if (!soonest || (*link)->op.decision.until_ms < (*soonest)->op.decision.until_ms)
				soonest = link;
	if (soonest)
		drop(g, p, soonest);
}

static struct grave *grave_new(const struct share_op *op)
{
	struct bytes value = op->decision.value;
	struct grave *new = malloc(sizeof *new + value.len);

	if (!new)
		return NULL;
	memcpy(new->value, value.at, value.len);
	new->op = (struct share_op){ true, { .id = op->decision.id, .scope = op->decision.scope, .value = { new->value, value.len },
					     .stamp = op->decision.stamp, .until_ms = op->decision.until_ms } };
	return new;
}

/* ---- */

void graves_put(struct graves *g, const struct share_op *op)
{
	uint64_t h = op->decision.id * 0x9e3779b97f4a7c15u;
	struct part *p = &g->parts[h >> 58];
	struct grave **head = &p->heads[h >> 50 & (HEADS - 1)], *new, *old;

	if (!op->decision.value.len)
		return;
	pthread_mutex_lock(&p->lock);
	for (old = *head; old && old->op.decision.id != op->decision.id;)
		old = old->next;
	if (old && op->decision.until_ms > old->op.decision.until_ms)
		old->op.decision.until_ms = op->decision.until_ms;
	if (!old && (new = grave_new(op))) {
		if (p->used >= g->max_of_part)
			drop_soonest(g, p);
		new->next = *head;
		*head = new;
		p->used++;
		atomic_fetch_add(&g->count, 1);
	}
	pthread_mutex_unlock(&p->lock);
}

void graves_sweep(struct graves *g, uint64_t now_ms)
{
	struct part *p = &g->parts[g->hand++ % GRAVES_PARTS];

	pthread_mutex_lock(&p->lock);
	drop_over(g, p, now_ms);
	pthread_mutex_unlock(&p->lock);
}

void graves_each(struct graves *g, size_t part, uint64_t now_ms, void (*each)(void *, const struct share_op *), void *ctx)
{
	struct part *p = &g->parts[part];

	pthread_mutex_lock(&p->lock);
	for (int h = 0; h < HEADS; h++)
		for (struct grave *i = p->heads[h]; i; i = i->next)
			if (i->op.decision.until_ms > now_ms)
				each(ctx, &i->op);
	pthread_mutex_unlock(&p->lock);
}

size_t graves_count(const struct graves *g)
{
	return atomic_load(&((struct graves *)(uintptr_t)g)->count);
}

void graves_free(struct graves *g)
{
	for (int i = 0; g && i < GRAVES_PARTS; i++) {
		drop_over(g, &g->parts[i], UINT64_MAX);
		pthread_mutex_destroy(&g->parts[i].lock);
	}
	free(g);
}
