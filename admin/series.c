/* series.c -- counters become steps of time. */
#include "admin/metrics_sample.h"
#include "admin/series_parts.h"
#include "base/clock.h"
#include <stdlib.h>

enum { TICK_S = 10, TICKS_A_SAVE = 6, LOOK_MS = 900, WINDOW_MS = 10000 };

const char *const series_names[SERIES_COUNTS] = {
	[SERIES_REQUESTS] = "requests",   [SERIES_BLOCKED] = "blocked",     [SERIES_CHALLENGED] = "challenged",
	[SERIES_SOLVED] = "solved",       [SERIES_FAILED] = "failed",       [SERIES_THROTTLED] = "throttled",
	[SERIES_DETECTED] = "detected",   [SERIES_4XX] = "s4xx",            [SERIES_5XX] = "s5xx",
};

const struct series_step series_steps[] = {
	{ "1h", 10, 3600 }, { "24h", 60, 24 * 3600 }, { "30d", 600, 30 * 24 * 3600 },
};
const size_t series_nsteps = nelems(series_steps);

/* ---- what the metrics say ---- */

static uint64_t sum(const struct app_metrics *a, size_t offset)
{
	return sample_sum((void *const *)a->workers, a->all->nworkers, offset);
}

static uint64_t decided(const struct app_metrics *a, enum remedy_kind remedy)
{
	uint64_t n = 0;

	for (int s = 0; s < SOURCE_COUNT; s++)
		n += sum(a, offsetof(struct app_cells, decisions) + ((size_t)remedy * SOURCE_COUNT + (size_t)s) * sizeof(cell));
	return n;
}

static uint64_t answered(const struct app_metrics *a, unsigned class)
{
	uint64_t n = 0;

	for (size_t m = 0; m < METHODS; m++)
		n += sum(a, offsetof(struct app_cells, requests) + (m * CLASSES + class) * sizeof(cell));
	return n;
}

static uint64_t challenges(const struct app_metrics *a, enum challenge_step step)
{
	uint64_t n = 0;

	for (size_t level = 0; level < CHALLENGE_LEVELS; level++)
		n += sum(a, offsetof(struct app_cells, challenges) + (level * CHALLENGE_STEPS + step) * sizeof(cell));
	return n;
}

static void read_app(const struct app_metrics *a, struct series_point *p)
{
	*p = (struct series_point){ .n = {
		[SERIES_BLOCKED] = decided(a, REMEDY_DENY) + decided(a, REMEDY_TARPIT),
		[SERIES_THROTTLED] = decided(a, REMEDY_THROTTLE), [SERIES_DETECTED] = decided(a, REMEDY_LOG),
		[SERIES_CHALLENGED] = challenges(a, CHALLENGE_STEP_ISSUED), [SERIES_SOLVED] = challenges(a, CHALLENGE_STEP_SOLVED),
		[SERIES_FAILED] = challenges(a, CHALLENGE_STEP_WRONG) + challenges(a, CHALLENGE_STEP_FORGED) +
				  challenges(a, CHALLENGE_STEP_EXPIRED),
		[SERIES_4XX] = answered(a, 4), [SERIES_5XX] = answered(a, 5),
	} };
	for (unsigned class = 0; class < CLASSES; class++)
		p->n[SERIES_REQUESTS] += answered(a, class);
	for (size_t i = 0; i < SERIES_BOUNDS; i++)
		p->added[i] = sum(a, offsetof(struct app_cells, inspection) + offsetof(struct histogram, count) + i * sizeof(cell));
}

void series_add(struct series_point *to, const struct series_point *p)
{
	for (size_t i = 0; i < SERIES_COUNTS; i++)
		to->n[i] += p->n[i];
	for (size_t i = 0; i < SERIES_BOUNDS; i++)
		to->added[i] += p->added[i];
}

static struct series_point since(const struct series_point *now, const struct series_point *before)
{
	struct series_point p;

	for (size_t i = 0; i < SERIES_COUNTS; i++)
		p.n[i] = now->n[i] - before->n[i];
	for (size_t i = 0; i < SERIES_BOUNDS; i++)
		p.added[i] = now->added[i] - before->added[i];
	return p;
}

/* Within a bucket all are taken to lie evenly; beyond the last bound, at it. */
bool series_added(const struct series_point *p, unsigned percent, double *us)
{
	const struct buckets *b = &buckets_inspection;
	double all = 0, rank, below = 0;

	for (size_t i = 0; i < SERIES_BOUNDS; i++)
		all += (double)p->added[i];
	rank = all * percent / 100;
	for (unsigned i = 0; i < b->n; i++) {
		double n = (double)p->added[i], from = i ? b->us[i - 1] : 0;

		if (n > 0 && below + n >= rank) {
			*us = from + (b->us[i] - from) * (rank - below) / n;
			return true;
		}
		below += n;
	}
	*us = b->us[b->n - 1];
	return all > 0;
}

/* ---- looking ---- */

static struct series_app *app_of(struct series *s, struct bytes name)
{
	for (size_t i = 0; i < s->napps; i++)
		if (bytes_eq(s->apps[i].name, name))
			return &s->apps[i];
	return NULL;
}

/* The first is all of them, whose name is empty; requests without an app are in it alone. */
static struct series_app *app_for(struct series *s, struct bytes name)
{
	struct series_app *a = app_of(s, name);
	char *copy;

	if (a || s->napps == nelems(s->apps) || !(copy = malloc(name.len)))
		return a;
	memcpy(copy, name.at, name.len);
	a = &s->apps[s->napps++];
	a->name = (struct bytes){ copy, name.len };
	return a;
}

static void look(struct series *s)
{
	struct series_point all = { 0 }, p;

	pthread_mutex_lock(&s->metrics->lock);
	for (const struct app_metrics *m = s->metrics->apps; m; m = m->next) {
		struct series_app *a = m->name.len ? app_for(s, m->name) : NULL;

		read_app(m, &p);
		series_add(&all, &p);
		if (a)
			a->now = p;
	}
	pthread_mutex_unlock(&s->metrics->lock);
	s->apps[0].now = all;
}

/* Kept for the figures of now. */
static void note(struct series *s, uint64_t now_ms)
{
	s->newest = (s->newest + 1) % SERIES_LOOKS;
	s->looked_ms[s->newest] = now_ms;
	for (size_t i = 0; i < s->napps; i++)
		s->apps[i].looks[s->newest] = s->apps[i].now;
}

/* The newest that is old enough, else the oldest. */
static size_t base_of(const struct series *s, uint64_t now_ms)
{
	size_t best = s->newest;

	for (size_t back = 1; back < SERIES_LOOKS; back++) {
		size_t i = (s->newest + SERIES_LOOKS - back) % SERIES_LOOKS;

		if (!s->looked_ms[i] || now_ms - s->looked_ms[best] >= WINDOW_MS)
			break;
		best = i;
	}
	return best;
}

bool series_now(struct series *s, struct bytes name, struct series_now *out)
{
	uint64_t now_ms = clock_mono_ms();
	struct series_app *a;
	double seconds;
	size_t base;

	look(s);
	a = app_of(s, name);
	if (!a)
		return false;
	base = base_of(s, now_ms);
	seconds = (double)(now_ms - s->looked_ms[base]) / 1000;
	out->total = a->now;
	out->last = since(&a->now, &a->looks[base]);
	seconds = seconds > 0.001 ? seconds : 0.001;
	out->rps = (double)out->last.n[SERIES_REQUESTS] / seconds;
	out->blocked_ps = (double)out->last.n[SERIES_BLOCKED] / seconds;
	out->challenged_ps = (double)out->last.n[SERIES_CHALLENGED] / seconds;
	if (now_ms - s->looked_ms[s->newest] >= LOOK_MS)
		note(s, now_ms);
	return true;
}

uint64_t series_connections(const struct series *s)
{
	uint64_t connections, requests;

	metrics_totals(s->metrics, &connections, &requests);
	return connections;
}

/* ---- the clock ---- */

/* What was counted since the last time, into the step that begins at `at_s`. */
static void sample(struct series *s, uint64_t at_s)
{
	look(s);
	for (size_t i = 0; i < s->napps; i++) {
		struct series_app *a = &s->apps[i];
		struct series_point p = since(&a->now, &a->sampled);

		a->sampled = a->now;
		if (!a->npending || a->pending[a->npending - 1].at_s != at_s) {
			if (a->npending == SERIES_PENDING)
				memmove(a->pending, a->pending + 1, --a->npending * sizeof a->pending[0]);
			a->pending[a->npending++] = (struct series_slot){ .at_s = at_s };
		}
		series_add(&a->pending[a->npending - 1].point, &p);
	}
}

static void arm(struct series *);

static void on_tick(void *arg)
{
	struct series *s = arg;
	uint64_t now_s = clock_wall_ms() / 1000 + 1; /* a tick that comes early is of the step that all but ends with it */

	sample(s, now_s / TICK_S * TICK_S - TICK_S);
	note(s, clock_mono_ms());
	if (++s->ticks % TICKS_A_SAVE == 0)
		series_save(s);
	arm(s);
}

/* At the next whole ten seconds, and a little, since a deadline may be early by the clocks' difference. */
static void arm(struct series *s)
{
	uint64_t now_ms = clock_wall_ms();

	deadline_set(s->loop, &s->tick, TICK_S * 1000 - now_ms % (TICK_S * 1000) + 20, on_tick, s);
}

/* ---- life ---- */

struct series *series_open(struct archive *archive, struct metrics *metrics, struct loop *loop)
{
	struct series *s = calloc(1, sizeof *s);

	if (!s || !app_for(s, BYTES(""))) {
		free(s);
		return NULL;
	}
	s->archive = archive;
	s->metrics = metrics;
	s->loop = loop;
	look(s);
	for (size_t i = 0; i < s->napps; i++)
		s->apps[i].sampled = s->apps[i].now;
	note(s, clock_mono_ms());
	series_prepare(s);
	arm(s);
	return s;
}

void series_close(struct series *s)
{
	if (!s)
		return;
	deadline_clear(&s->tick);
	sample(s, clock_wall_ms() / 1000 / TICK_S * TICK_S);
	series_save_now(s);
	for (size_t i = 0; i < s->napps; i++)
		free((char *)(uintptr_t)s->apps[i].name.at);
	free(s);
}
