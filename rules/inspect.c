/* inspect.c -- the values of a request and the rules, brought together.
 *
 *   values  -> scan.c: which groups could hold      (a few microseconds)
 *   groups  -> asked in file order, on the values   (nearly always none)
 *   matches -> hits, and the strictest action of all
 *
 * What cannot be finished (memory, a limit of PCRE2, too many values) never
 * passes: it is a match, or the request is denied and the error says why. */
#include "rules/conditions.h"
#include "rules/facts.h"
#include "rules/inspect.h"
#include "rules/run.h"
#include "rules/scan.h"

enum { VALUES_MAX = 1024 };

struct inspection *inspection_new(struct arena *a, const struct ruleset *rs, struct rules_scratch *scratch,
				  const struct request *r, const struct inspect_options *o)
{
	struct inspection *in = arena_get(a, sizeof *in);

	if (!in)
		return NULL;
	in->arena = a;
	in->rules = rs;
	in->scratch = scratch;
	in->request = r;
	in->options = *o;
	in->values = (struct values){ .arena = a, .ir = rs->ir, .wanted = rs->plan.zones,
				      .max = o->max_args ? o->max_args : VALUES_MAX };
	in->values.args_max = rs->ir->bodies.args_max && rs->ir->bodies.args_max < in->values.max ? rs->ir->bodies.args_max
												  : in->values.max;
	if (!exclusions_read(&in->values.exclusions, a, o, rs->plan.nwords))
		return NULL;
	if (cost_pace_is_due(scratch_pace(scratch)) && !in->values.exclusions.all)
		in->values.sample = cost_sample_new(a, rs->compiled->costs);
	inspection_time(in, true);
	in->groups = arena_get(a, rs->plan.nwords * sizeof *in->groups);
	in->fired = arena_get(a, (rs->ir->nrules / 64 + 1) * sizeof *in->fired);
	in->verdict.status = 200;
	if (!in->groups || !in->fired || (rs->plan.start && !(in->run = run_new(in))))
		return NULL;
	inspection_time(in, false);
	return in;
}

bool inspection_fail(struct inspection *in, unsigned status, struct bytes why)
{
	in->verdict.remedy = REMEDY_DENY;
	in->verdict.status = status;
	in->verdict.error = why;
	return true;
}

static bool out_of_memory(struct inspection *in)
{
	return inspection_fail(in, 503, BYTES("the request needs more memory than it may have"));
}

/* "ARGS:q" */
static struct bytes variable(struct inspection *in, const struct match *m)
{
	const char *zone = zone_name(m->target->zone);
	size_t cap = strlen(zone) + 1 + (m->value ? m->value->name.len : m->target->name.len);
	struct text t = text_over(arena_raw(in->arena, cap), cap);
	struct bytes name = m->value ? m->value->name : m->target->name;

	if (!t.at)
		return bytes_of(zone);
	text_str(&t, zone);
	if (name.len) {
		text_byte(&t, ':');
		text_put(&t, name);
	}
	return text_bytes(&t);
}

/* No exception has taken the value out for this group. */
static bool is_seen(const struct inspection *in, uint32_t group, enum zone z, const struct value *v)
{
	return !in->values.exclusions.cuts || !exclusions_cut(&in->values, group, z, v->name);
}

static bool holds_on_some(struct inspection *in, uint32_t group, const struct condition *c, struct match *m)
{
	const struct zone_values *z = &in->values.zones[m->target->zone];

	for (size_t i = 0; i < z->n; i++) {
		if (condition_takes(c, m->target, &z->at[i]) && is_seen(in, group, m->target->zone, &z->at[i]) &&
		    condition_test(&in->values, c, &c->operand, &z->at[i], m))
			return true;
	}
	return false;
}

static bool holds_on_count(struct inspection *in, uint32_t group, const struct condition *c, struct match *m)
{
	const struct zone_values *z = &in->values.zones[m->target->zone];
	struct text t = text_over(arena_raw(in->arena, 20), 20);
	size_t n = 0;

	if (!t.at)
		return in->values.spent = true;
	if (in->values.exclusions.n && m->target->name.at && exclusions_hide(&in->values, group, m->target->zone, m->target->name))
		return false;
	for (size_t i = 0; i < z->n; i++)
		n += condition_takes(c, m->target, &z->at[i]) && is_seen(in, group, m->target->zone, &z->at[i]);
	text_u64(&t, n);
	return condition_test_text(c, &c->operand, text_bytes(&t), m);
}

/* While there is only the head, a body without values says nothing. */
static bool is_there(const struct inspection *in, const struct target *t)
{
	return !t->except && (t->zone < ZONE_BODY_FIRST || in->phase == PHASE_BODY);
}

static bool condition_holds(struct inspection *in, uint32_t group, const struct condition *c, struct match *m)
{
	for (size_t i = 0; i < c->ntargets; i++) {
		m->target = &c->targets[i];
		if (is_there(in, m->target) && (m->target->count ? holds_on_count : holds_on_some)(in, group, c, m))
			return true;
	}
	return false;
}

static bool group_holds(struct inspection *in, const struct group *g, struct match *shown)
{
	for (size_t i = 0; i < g->n; i++) {
		struct match m = { 0 };

		if (!condition_holds(in, (uint32_t)(g - in->rules->ir->groups), &g->at[i], &m))
			return false;
		if (m.gave_up)
			in->verdict.error = BYTES("an expression reached its limit on a value, which counts as a match");
		if (i == g->shown)
			*shown = m;
	}
	return true;
}

struct bytes inspection_keep(struct inspection *in, struct bytes b)
{
	struct bytes kept = arena_copy(in->arena, b);

	in->values.spent |= !kept.at;
	return kept.at ? kept : (struct bytes){ 0 };
}

void inspection_act(struct inspection *in, const struct actions *a, bool detect)
{
	enum remedy_kind remedy = detect && a->remedy > REMEDY_LOG ? REMEDY_LOG : a->remedy;

	if (remedy <= in->verdict.remedy)
		return;
	in->verdict.remedy = remedy;
	if (remedy != REMEDY_DENY)
		return;
	in->verdict.status = a->status;
	in->verdict.location = a->location;
}

static void report(struct inspection *in, uint32_t rule, const struct match *m)
{
	const struct rule *r = &in->rules->ir->rules[rule];
	struct hit *at;

	bit_set(in->fired, rule);
	inspection_act(in, &r->actions, false);
	atomic_fetch_add_explicit(&in->rules->hits[rule], 1, memory_order_relaxed);
	at = arena_grow(in->arena, in->hits, &in->hits_cap, in->verdict.nhits + 1, sizeof *at);
	if (!at) {
		in->values.spent = true;
		return;
	}
	in->verdict.hits = in->hits = at;
	at[in->verdict.nhits++] = (struct hit){ .rule = &r->info, .variable = variable(in, m),
						.value = inspection_keep(in, m->text),
						.offset = m->span.at, .len = m->span.len,
						.message = bytes_of(r->info.message) };
}

static void ask(struct inspection *in, const struct group *g)
{
	struct match shown = { 0 };

	if (!bit_is(in->fired, g->rule) && group_holds(in, g, &shown))
		report(in, g->rule, &shown);
}

static void ask_timed(struct inspection *in, const struct group *g)
{
	uint64_t began = cost_begin();

	ask(in, g);
	cost_end(in->values.sample, g->rule, began);
}

/* Groups of the head alone are asked once: their bits go. A body may come in
 * pieces, so the bits of others stay. */
static void ask_all(struct inspection *in)
{
	const struct plan *p = &in->rules->plan;
	const uint64_t *off = in->values.exclusions.off;

	for (size_t w = 0; w < p->nwords; w++) {
		uint64_t unordered = p->early[w] | p->late[w], due = (in->groups[w] | p->always[w]) & unordered;

		if (in->phase == PHASE_HEAD)
			due &= p->early[w];
		else if (in->head_asked)
			due &= in->groups[w] | p->late[w];
		if (off)
			due &= ~off[w];

		in->groups[w] &= p->late[w] | ~unordered;
		for (; due; due &= due - 1) {
			const struct group *g = &in->rules->ir->groups[w * 64 + (size_t)__builtin_ctzll(due)];

			if (in->values.sample)
				ask_timed(in, g);
			else
				ask(in, g);
		}
	}
}

bool inspection_decide(struct inspection *in, enum phase phase)
{
	enum direction direction = phase >= PHASE_ANSWER ? OF_ANSWER : OF_REQUEST;

	inspection_time(in, true);
	in->phase = phase;
	if (!scan_new_values(in->scratch, in->rules, &in->values, direction, in->groups))
		memset(in->groups, 0xff, in->rules->plan.nwords * sizeof *in->groups);
	if (direction == OF_REQUEST)
		ask_all(in);
	in->head_asked = true;
	for (enum phase p = 0; in->run && p <= phase; p++)
		if (p == phase || p == PHASE_HEAD)
			run_phase(in->run, p);
	inspection_time(in, false);
	if (in->values.spent)
		return out_of_memory(in);
	return in->verdict.remedy == REMEDY_DENY;
}

const struct verdict *inspection_head(struct inspection *in)
{
	if (in->values.exclusions.all)
		return &in->verdict;
	inspection_time(in, true);
	if (!values_head(&in->values, in->request) && in->values.fault.len)
		inspection_fail(in, 400, in->values.fault);
	facts_add(in, ZONE_HEAD_FACTS);
	if (in->request->framing == BODY_NONE)
		facts_add(in, ZONE_BODY_FACTS);
	inspection_decide(in, in->request->framing == BODY_NONE ? PHASE_BODY : PHASE_HEAD);
	inspection_time(in, false);
	return &in->verdict;
}

void inspection_finish(struct inspection *in)
{
	if (!in->run || in->values.exclusions.all)
		return;
	inspection_time(in, true);
	run_phase(in->run, PHASE_LOG);
	inspection_time(in, false);
	if (in->verdict.nhits)
		in->verdict.threshold = run_threshold(in->run);
}

const struct verdict *inspection_verdict(const struct inspection *in)
{
	return &in->verdict;
}
