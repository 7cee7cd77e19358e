/* observe.c -- an event meets the scenarios: gate, filter, bucket, overflow.
 *
 * What expressions make is gone when the event has been asked: however much they need, nothing of the exchange's arena is
 * used up, and no long target keeps a later scenario from being asked. */
#include "base/ip.h"
#include "scenarios/counters.h"
#include "scenarios/scenario.h"

enum { REPROCESS_DEPTH = 3, SOURCES_MAX = 64, SCRATCH_BYTES = 16 << 20, ENDS_AT_ONCE = 64 };

/* One scenario that one event is poured into. */
struct pouring {
	const struct observe *o;
	struct scenario *s;
	size_t number;
	struct facts *facts;
	struct bytes counted; /* the source, as buckets count it */
	struct world_run world;
};

/* Not exact where two threads count at once: a locked addition for each filter would cost more than the filter. */
static void count(atomic_ullong *n)
{
	atomic_store_explicit(n, atomic_load_explicit(n, memory_order_relaxed) + 1, memory_order_relaxed);
}

static struct bytes text_of(struct pouring *p, const struct expr *e)
{
	struct expr_run run = world_begin(&p->world);
	struct expr_value v;

	if (!e || !expr_run(e, &run, &v) || v.kind != EXPR_TEXT)
		return (struct bytes){ 0 };
	return v.text;
}

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

/* What buckets are told apart by. */
static struct bytes key_text(struct pouring *p, const struct expr *e)
{
	struct bytes real = p->facts->at[FACT_SOURCE_IP], key;

	p->facts->at[FACT_SOURCE_IP] = p->counted;
	key = text_of(p, e);
	p->facts->at[FACT_SOURCE_IP] = real;
	return key;
}

static bool is_true(struct pouring *p, const struct expr *e)
{
	struct expr_run run = world_begin(&p->world);

	return expr_true(e, &run);
}

/* ---- conditions over what is in the bucket ---- */

static void look_into(struct pouring *p, const struct bucket_events *e)
{
	struct facts *list = arena_get(p->o->arena, (e->nkept + 1) * sizeof *list);

	p->world.count = e->count;
	p->world.queue = list;
	p->world.nqueue = list ? e->nkept : 0;
	for (size_t i = 0; list && i < e->nkept; i++)
		evidence_unpack(p->o->arena, e->kept[i], &list[i]);
}

/* Bayes' rule, from the prior at each event, over all conditions (CrowdSec: pkg/leakybucket/bayesian.go). */
static bool is_likely(struct pouring *p, uint32_t *latch)
{
	double belief = p->s->prior;

	for (size_t i = 0; i < p->s->nbayes; i++) {
		const struct bayes_condition *c = &p->s->bayes[i];
		bool holds = (*latch >> i & 1) || is_true(p, c->condition);
		double evil = holds ? c->if_evil : 1 - c->if_evil, benign = holds ? c->if_benign : 1 - c->if_benign;
		double both = evil * belief + benign * (1 - belief);

		if (holds && c->guillotine)
			*latch |= 1u << i;
		belief = both > 0 ? evil * belief / both : belief;
	}
	return belief > p->s->threshold;
}

static bool judge(void *ctx, const struct bucket_events *e, uint32_t *latch)
{
	struct pouring *p = ctx;

	look_into(p, e);
	return p->s->kind.type == BUCKET_BAYESIAN ? is_likely(p, latch) : is_true(p, p->s->condition);
}

static bool allow(void *ctx, const struct bucket_events *e)
{
	struct pouring *p = ctx;

	look_into(p, e);
	return is_true(p, p->s->overflow_filter);
}

/* ---- overflow ---- */

static void observe_at(const struct observe *, struct facts *, enum observe_point, unsigned depth);

static size_t distinct_sources(const struct facts *events, size_t n, struct bytes *out)
{
	size_t found = 0;

	for (size_t i = 0; i < n && found < SOURCES_MAX; i++) {
		struct bytes ip = events[i].at[FACT_SOURCE_IP];
		size_t k = 0;

		while (k < found && !bytes_eq(out[k], ip))
			k++;
		if (k == found && ip.len)
			out[found++] = ip;
	}
	return found;
}

static struct bytes scope_value(struct pouring *p)
{
	if (p->s->scope_value)
		return text_of(p, p->s->scope_value);
	return p->facts->at[p->s->scope == SCOPE_RANGE ? FACT_SOURCE_RANGE : FACT_SOURCE_IP];
}

/* The overflow goes through the scenarios itself, as an event of its own kind. */
static void reprocess(const struct pouring *p, const struct overflow *over, unsigned depth)
{
	struct observe o = *p->o;
	struct facts f = *p->facts;
	void *marks = NULL;

	o.marks = &marks;
	f.at[FACT_LOG_TYPE] = BYTES("overflow");
	facts_put(&f, o.arena, BYTES("Overflow.scenario"), over->scenario->name);
	for (int point = AT_HEAD; point < OBSERVE_POINTS; point++)
		observe_at(&o, &f, (enum observe_point)point, depth + 1);
}

static void tell(struct pouring *p, const struct bucket_events *e, unsigned depth)
{
	struct arena *a = p->o->arena;
	struct facts *events = arena_get(a, (e->nkept + 1) * sizeof *events);
	struct bytes *sources = arena_get(a, SOURCES_MAX * sizeof *sources);
	struct overflow over = {
		.scenario = &p->s->info, .number = p->number, .scope = p->s->scope, .scope_name = p->s->scope_name,
		.value = scope_value(p), .sources = sources, .count = e->count, .last_ms = p->facts->wall_ms,
		.event = p->facts, .events = events,
	};

	if (!events || !sources)
		return;
	over.first_ms = over.last_ms - (p->facts->at_us - e->first_us) / 1000;
	for (size_t i = 0; i < e->nkept; i++)
		evidence_unpack(a, e->kept[i], &events[over.nevents++]);
	if (!e->nkept)
		events[over.nevents++] = *p->facts;
	over.nsources = distinct_sources(events, over.nevents, sources);
	p->o->over(p->o->ctx, &over);
	if (p->s->reprocess && depth < REPROCESS_DEPTH)
		reprocess(p, &over, depth);
}

/* ---- pouring ---- */

/* Its expressions may read what is in the bucket. */
static bool asks_queue(const struct scenario *s)
{
	return s->condition || s->overflow_filter || s->nbayes;
}

static void pour(struct pouring *p, unsigned depth)
{
	struct scenario *s = p->s;
	char room[BUCKET_EVENT_ROOM];
	struct bucket_events out;
	struct pour pour = {
		.key = hash128(s->key, key_text(p, s->groupby)).a,
		.kind = &s->kind,
		.now_us = p->facts->at_us,
		.is_distinct = s->distinct && s->kind.type != BUCKET_TRIGGER,
		.cancel = s->cancel_on && s->kind.type != BUCKET_TRIGGER && is_true(p, s->cancel_on),
		.judge = s->condition || s->nbayes ? judge : NULL,
		.allow = s->overflow_filter ? allow : NULL,
		.ctx = p,
		.arena = p->o->arena,
	};

	if (pour.is_distinct)
		pour.value = hash128(s->key, key_text(p, s->distinct)).a;
	if (s->kind.keep)
		pour.event = evidence_pack(p->o->set->keep_all || asks_queue(s), p->facts, room, sizeof room);
	switch (bucket_pour(p->o->buckets, &pour, &out)) {
	case POURED:
		count(&s->poured);
		if (s->kind.type == BUCKET_COUNTER && out.count == 1)
			counters_expect(buckets_counters(p->o->buckets),
					&(struct counter_due){ pour.now_us + s->kind.life_us / 2, pour.key, s->key.a });
		break;
	case POURED_SEEN:
	case POURED_CANCELED: break;
	case POURED_OVER:
		atomic_fetch_add_explicit(&s->overflowed, 1, memory_order_relaxed);
		tell(p, &out, depth);
		break;
	case POURED_SILENT: atomic_fetch_add_explicit(&s->silent, 1, memory_order_relaxed); break;
	}
}

static void ask(const struct observe *o, struct facts *f, struct bytes counted, size_t number, unsigned depth)
{
	struct scenario *s = o->set->at[number];
	struct facts own;
	struct pouring p = { .o = o, .s = s, .number = number, .facts = f, .counted = counted };
	struct expr_run run;

	if (s->writes) { /* what SetMeta changes is this scenario's alone */
		own = *f;
		p.facts = &own;
	}
	p.world = (struct world_run){ .set = o->set, .arena = o->arena, .facts = p.facts };
	run = world_begin(&p.world);
	count(&s->asked);
	if (expr_true(s->filter, &run))
		pour(&p, depth);
	else if (run.failed)
		count(&s->failed);
}

/* Most points of most events ask nothing, and need no scratch. */
static void observe_at(const struct observe *o, struct facts *f, enum observe_point point, unsigned depth)
{
	uint64_t may[GATE_WORDS_MAX];
	struct observe own = *o;
	struct bytes counted = { 0 };

	if (!*o->marks && !(*o->marks = arena_get(o->arena, sizeof(struct gate_marks))))
		return;
	own.arena = NULL;
	gate_ask(o->set->gate, o->observer, o->arena, f, *o->marks, point, may);
	for (size_t i = 0; i < gate_words(o->set->gate); i++)
		for (uint64_t bits = o->off ? may[i] & ~o->off[i] : may[i]; bits; bits &= bits - 1) {
			if (!own.arena) {
				if (!(own.arena = arena_new(SCRATCH_BYTES)))
					return;
				counted = counted_source(own.arena, f);
			}
			ask(&own, f, counted, i * 64 + (size_t)__builtin_ctzll(bits), depth);
		}
	arena_free(own.arena);
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

static size_t by_key(const struct scenarios *set, uint64_t key)
{
	size_t i = 0;

	while (i < set->n && set->at[i]->key.a != key)
		i++;
	return i;
}

static void end_counter(const struct observe *o, const struct counter_due *due, uint64_t wall_ms)
{
	size_t number = by_key(o->set, due->scenario);
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
	pour.allow = p.s->overflow_filter ? allow : NULL;
	if (!bucket_take(o->buckets, &pour, &r, &out) || r != POURED_OVER)
		return;
	atomic_fetch_add_explicit(&p.s->overflowed, 1, memory_order_relaxed);
	if (out.nkept) { /* who it was: the newest event */
		evidence_unpack(o->arena, out.kept[out.nkept - 1], &f);
		f.at_us = due->at_us;
	}
	tell(&p, &out, REPROCESS_DEPTH);
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

void scenarios_counts(const struct scenarios *set, size_t i, struct scenario_counts *out)
{
	const struct scenario *s = set->at[i];

	*out = (struct scenario_counts){
		.asked = atomic_load_explicit(&s->asked, memory_order_relaxed),
		.failed = atomic_load_explicit(&s->failed, memory_order_relaxed),
		.poured = atomic_load_explicit(&s->poured, memory_order_relaxed),
		.overflowed = atomic_load_explicit(&s->overflowed, memory_order_relaxed),
		.silent = atomic_load_explicit(&s->silent, memory_order_relaxed),
	};
}
