/* costs.c -- nanoseconds of the timed runs, by part and shared. */
#include "base/costs.h"
#include "base/clock.h"
#include <stdlib.h>

/* The least of many: a reading that is disturbed takes longer. */
static uint64_t time_of_clock(void)
{
	uint64_t least = UINT64_MAX;

	for (int i = 0; i < 64; i++) {
		uint64_t from = clock_mono_ns(), took = clock_mono_ns() - from;

		least = took < least ? took : least;
	}
	return least;
}

/* ---- which ---- */

static unsigned distance(struct cost_pace *p)
{
	p->random ^= p->random << 13; /* xorshift64 (Marsaglia, 2003) */
	p->random ^= p->random >> 7;
	p->random ^= p->random << 17;
	return 1 + (unsigned)(p->random % (2 * (uint64_t)p->every - 1));
}

void cost_pace_set(struct cost_pace *p, unsigned every)
{
	*p = (struct cost_pace){ .every = every, .random = clock_mono_ns() | 1 };
	p->left = every ? distance(p) : 0;
}

bool cost_pace_is_due(struct cost_pace *p)
{
	if (!p->left || --p->left)
		return false;
	p->left = distance(p);
	return true;
}

/* ---- what they took ---- */

struct costs *costs_new(size_t n)
{
	struct costs *c = calloc(1, sizeof *c);

	if (!c || !(c->parts = calloc(n + 1, sizeof *c->parts))) {
		free(c);
		return NULL;
	}
	c->n = n;
	c->clock_ns = time_of_clock();
	return c;
}

void costs_free(struct costs *c)
{
	if (!c)
		return;
	free(c->parts);
	free(c);
}

struct cost_sample *cost_sample_new(struct arena *a, struct costs *c)
{
	struct cost_sample *s = arena_get(a, sizeof *s);

	if (!s || !(s->asked = arena_get(a, (c->n / 64 + 1) * sizeof *s->asked)))
		return NULL;
	s->costs = c;
	atomic_fetch_add_explicit(&c->samples, 1, memory_order_relaxed);
	return s;
}

void cost_sample_begin(struct cost_sample *s)
{
	if (s->depth++)
		return;
	s->elsewhere = s->costs->clock_ns;
	s->since = clock_mono_ns();
}

void cost_sample_end(struct cost_sample *s)
{
	uint64_t took;

	if (--s->depth)
		return;
	took = clock_mono_ns() - s->since;
	if (took > s->elsewhere)
		atomic_fetch_add_explicit(&s->costs->shared_ns, took - s->elsewhere, memory_order_relaxed);
}

uint64_t cost_begin(void)
{
	return clock_mono_ns();
}

void cost_end(struct cost_sample *s, size_t part, uint64_t begun)
{
	struct cost *c = &s->costs->parts[part];
	uint64_t took = clock_mono_ns() - begun, clock = s->costs->clock_ns, bit = (uint64_t)1 << part % 64;
	uint64_t own = took > clock ? took - clock : 0;

	s->elsewhere += own + 2 * clock;
	atomic_fetch_add_explicit(&c->ns, own, memory_order_relaxed);
	if (!(s->asked[part / 64] & bit))
		atomic_fetch_add_explicit(&c->asked, 1, memory_order_relaxed);
	s->asked[part / 64] |= bit;
}
