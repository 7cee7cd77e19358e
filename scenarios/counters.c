/* counters.c -- a heap of ends, the nearest first. */
#include "scenarios/counters.h"
#include <pthread.h>
#include <stdlib.h>

enum { COUNTERS_MAX = 1 << 20 };

struct counters {
	pthread_mutex_t lock;
	struct counter_due *at;
	size_t n, cap;
};

struct counters *counters_new(void)
{
	struct counters *c = calloc(1, sizeof *c);

	if (c)
		pthread_mutex_init(&c->lock, NULL);
	return c;
}

void counters_free(struct counters *c)
{
	if (!c)
		return;
	pthread_mutex_destroy(&c->lock);
	free(c->at);
	free(c);
}

static bool has_room(struct counters *c)
{
	size_t cap = c->cap ? c->cap * 2 : 64;
	struct counter_due *at;

	if (c->n < c->cap)
		return true;
	if (c->n >= COUNTERS_MAX || !(at = realloc(c->at, cap * sizeof *at)))
		return false;
	c->at = at;
	c->cap = cap;
	return true;
}

void counters_expect(struct counters *c, const struct counter_due *due)
{
	pthread_mutex_lock(&c->lock);
	if (has_room(c)) {
		size_t i = c->n++;

		for (; i && c->at[(i - 1) / 2].at_us > due->at_us; i = (i - 1) / 2)
			c->at[i] = c->at[(i - 1) / 2];
		c->at[i] = *due;
	}
	pthread_mutex_unlock(&c->lock);
}

/* The last takes the place of the first and sinks. */
static void remove_first(struct counters *c)
{
	struct counter_due last = c->at[--c->n];
	size_t i = 0;

	for (size_t child; (child = 2 * i + 1) < c->n; i = child) {
		if (child + 1 < c->n && c->at[child + 1].at_us < c->at[child].at_us)
			child++;
		if (c->at[child].at_us >= last.at_us)
			break;
		c->at[i] = c->at[child];
	}
	c->at[i] = last;
}

bool counters_due(struct counters *c, uint64_t now_us, struct counter_due *out)
{
	bool due;

	pthread_mutex_lock(&c->lock);
	due = c->n && c->at[0].at_us <= now_us;
	if (due) {
		*out = c->at[0];
		remove_first(c);
	}
	pthread_mutex_unlock(&c->lock);
	return due;
}
