/* observe.c -- an event meets the scenarios: gate, filter, bucket (pouring.c).
 *
 * What expressions make is gone when the event has been asked: however much they need, nothing of the exchange's arena is
 * used up, and no long target keeps a later scenario from being asked. */
#include "base/ip.h"
#include "scenarios/counters.h"
#include "scenarios/pouring.h"

enum { REPROCESS_DEPTH = 3, SCRATCH_BYTES = 16 << 20, ENDS_AT_ONCE = 64 };

/* Whoever has an address of an IPv6 /64 has them all. */
static struct bytes counted_source(struct arena *a, const struct facts *f)
{
	struct bytes source = f->at[FACT_SOURCE_IP];
	struct ip ip;
	char room[64];
	struct text t = text_over(room, sizeof room);

	if (bytes_index(source, ':') == SIZE_MAX || !ip_parse(source, &ip))
		return source;
	ip = ip_behaviour_key(&ip);
	ip_text(&t, &ip);
	return arena_copy(a, text_bytes(&t));
}

static void moment_begin(struct moment *m, struct arena *a, const struct facts *f)
{
	m->facts = f;
	m->counted = counted_source(a, f);
	m->nhashed = 0;
	m->packed[false] = m->packed[true] = (struct bytes){ 0 };
}

static void ask(const struct observe *o, struct facts *f, struct moment *moment, size_t number, unsigned depth)
{
	struct scenario *s = o->set->at[number];
	struct facts own;
	struct pouring p = { .o = o, .s = s, .number = number, .facts = f, .moment = moment };
	struct expr_run run;

	if (s->writes) { /* what SetMeta changes is this scenario's alone */
		own = *f;
		p.facts = &own;
	}
	p.world = (struct world_run){ .set = o->set, .arena = o->arena, .facts = p.facts };
	run = world_begin(&p.world);
	pouring_count(&s->asked);
	if (expr_true(s->filter, &run))
		pouring_pour(&p, depth);
	else if (run.failed)
		pouring_count(&s->failed);
}

static void ask_timed(const struct observe *o, struct facts *f, struct moment *moment, size_t number, unsigned depth,
		      struct cost_sample *sample)
{
	uint64_t began = cost_begin();

	ask(o, f, moment, number, depth);
	cost_end(sample, number, began);
}

/* Most points of most events ask nothing, and need no scratch. */
static void ask_those_concerned(const struct observe *o, struct facts *f, enum observe_point point, unsigned depth)
{
	uint64_t may[GATE_WORDS_MAX];
	struct cost_sample *sample = ((struct gate_marks *)*o->marks)->sample;
	struct observe own = *o;
	struct moment moment;

	own.arena = NULL;
	gate_ask(o->set->gate, o->observer, o->arena, f, *o->marks, point, may);
	for (size_t i = 0; i < gate_words(o->set->gate); i++)
		for (uint64_t bits = o->off ? may[i] & ~o->off[i] : may[i]; bits; bits &= bits - 1) {
			if (!own.arena) {
				if (!(own.arena = arena_new(SCRATCH_BYTES)))
					return;
				moment_begin(&moment, own.arena, f);
			}
			if (sample)
				ask_timed(&own, f, &moment, i * 64 + (size_t)__builtin_ctzll(bits), depth, sample);
			else
				ask(&own, f, &moment, i * 64 + (size_t)__builtin_ctzll(bits), depth);
		}
	arena_free(own.arena);
}

/* An overflow that is an event again is part of what the scenario took that made it. */
static struct gate_marks *marks_new(const struct observe *o, unsigned depth)
{
	struct gate_marks *m = arena_get(o->arena, sizeof *m);

	if (m && !depth && cost_pace_is_due(observer_pace(o->observer)))
		m->sample = cost_sample_new(o->arena, o->set->costs);
	return m;
}

static void observe_at(const struct observe *o, struct facts *f, enum observe_point point, unsigned depth)
{
	const struct gate_marks *marks;

	if (!*o->marks && !(*o->marks = marks_new(o, depth)))
		return;
	marks = *o->marks;
	if (marks->sample)
		cost_sample_begin(marks->sample);
	ask_those_concerned(o, f, point, depth);
	if (marks->sample)
		cost_sample_end(marks->sample);
}

/* The overflow goes through the scenarios itself, as an event of its own kind. */
void observe_overflow(const struct pouring *p, const struct overflow *over, unsigned depth)
{
	struct observe o = *p->o;
	struct facts f = *p->facts;
	void *marks = NULL;

	if (depth >= REPROCESS_DEPTH)
		return;
	o.marks = &marks;
	f.at[FACT_LOG_TYPE] = BYTES("overflow");
	facts_put(&f, o.arena, BYTES("Overflow.scenario"), over->scenario->name);
	for (int point = AT_HEAD; point < OBSERVE_POINTS; point++)
		observe_at(&o, &f, (enum observe_point)point, depth + 1);
}

void scenarios_observe(const struct observe *o, struct facts *f, enum observe_point point)
{
	observe_at(o, f, point, 0);
}

void scenarios_observe_whole(const struct observe *o, struct facts *f)
{
	struct observe own = *o;
	void *marks = NULL;

	own.marks = &marks;
	for (int point = AT_HEAD; point < OBSERVE_POINTS; point++)
		observe_at(&own, f, (enum observe_point)point, 0);
}

/* ---- counters end by the clock ---- */

size_t scenario_by_key(const struct scenarios *set, uint64_t key)
{
	size_t i = 0;

	while (i < set->n && set->at[i]->key.a != key)
		i++;
	return i;
}

static void end_counter(const struct observe *o, const struct counter_due *due, uint64_t wall_ms)
{
	size_t number = scenario_by_key(o->set, due->scenario);
	struct facts f = { .at_us = due->at_us, .wall_ms = wall_ms };
	struct pouring p = { .o = o, .number = number, .facts = &f };
	struct pour pour = { .key = due->bucket, .now_us = due->at_us, .ctx = &p, .arena = o->arena };
	struct bucket_events out;
	enum poured r;

	if (number == o->set->n)
		return; /* the scenario is gone: the bucket dies by itself */
	p.s = o->set->at[number];
	pour.kind = &p.s->kind;
	p.world = (struct world_run){ .set = o->set, .arena = o->arena, .facts = &f };
	pour.allow = p.s->overflow_filter ? pouring_allow : NULL;
	if (!bucket_take(o->buckets, &pour, &r, &out) || r != POURED_OVER)
		return;
	atomic_fetch_add_explicit(&p.s->overflowed, 1, memory_order_relaxed);
	if (out.nkept) { /* who it was: the newest event */
		evidence_unpack(o->arena, out.kept[out.nkept - 1], &f);
		f.at_us = due->at_us;
	}
	pouring_tell(&p, &out, REPROCESS_DEPTH);
}

void scenarios_tick(const struct observe *o, uint64_t now_us, uint64_t wall_ms)
{
	struct observe own = *o;
	struct counter_due due;
	bool more;

	do {
		if (!(own.arena = arena_new(SCRATCH_BYTES)))
			return;
		more = counters_due(buckets_counters(o->buckets), now_us, &due);
		for (unsigned left = ENDS_AT_ONCE; more; more = --left && counters_due(buckets_counters(o->buckets), now_us, &due))
			end_counter(&own, &due, wall_ms - (now_us - due.at_us) / 1000);
		arena_free(own.arena);
	} while (more);
}

struct scenarios_costs scenarios_costs(const struct scenarios *set)
{
	return (struct scenarios_costs){
		.samples = atomic_load_explicit(&set->costs->samples, memory_order_relaxed),
		.shared_ns = atomic_load_explicit(&set->costs->shared_ns, memory_order_relaxed),
	};
}

void scenarios_counts(const struct scenarios *set, size_t i, struct scenario_counts *out)
{
	const struct scenario *s = set->at[i];
	const struct cost *c = &set->costs->parts[i];

	*out = (struct scenario_counts){
		.asked = atomic_load_explicit(&s->asked, memory_order_relaxed),
		.failed = atomic_load_explicit(&s->failed, memory_order_relaxed),
		.poured = atomic_load_explicit(&s->poured, memory_order_relaxed),
		.overflowed = atomic_load_explicit(&s->overflowed, memory_order_relaxed),
		.silent = atomic_load_explicit(&s->silent, memory_order_relaxed),
		.timed_asked = atomic_load_explicit(&c->asked, memory_order_relaxed),
		.timed_ns = atomic_load_explicit(&c->ns, memory_order_relaxed),
	};
}
