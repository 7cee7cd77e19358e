/* inspect.c -- the values of a request and the rules, brought together.
 *
 *   values  -> scan.c: which groups could hold      (a few microseconds)
 *   groups  -> asked in file order, on the values   (nearly always none)
 *   matches -> hits, and the strictest action of all
 *
 * What cannot be finished (memory, a limit of PCRE2, too many values) never
 * passes: it is a match, or the request is denied and the error says why. */
#include "rules/inspect.h"
#include "rules/scan.h"

/* The match of one condition. */
struct match {
	const struct target *target;
	struct value *value;
	struct bytes text; /* after the transformations */
	struct span span;
};

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
	in->values = (struct values){ .arena = a, .ir = rs->ir, .wanted = rs->zones,
				      .max = o->max_args ? o->max_args : 1024 };
	exclusions_read(&in->values.exclusions, o);
	in->groups = arena_get(a, rs->nwords * sizeof *in->groups);
	in->fired = arena_get(a, (rs->ir->nrules / 64 + 1) * sizeof *in->fired);
	in->verdict.status = 200;
	return in->groups && in->fired ? in : NULL;
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

/* Limits of PCRE2 count as a match: an attacker must not gain by reaching them. */
static bool gave_up(struct inspection *in)
{
	in->verdict.error = BYTES("an expression reached its limit on a value, which counts as a match");
	return true;
}

static bool test(struct inspection *in, const struct condition *c, struct bytes text, struct match *m)
{
	enum answer a = c->op->test(&c->operand, text, &m->span);

	if (a == ANSWER_LIMIT)
		return gave_up(in);
	if (c->negate)
		m->span = (struct span){ 0 };
	m->text = text;
	return (a == ANSWER_YES) != c->negate;
}

static bool excepted(const struct condition *c, enum zone z, const struct value *v)
{
	for (size_t i = 0; i < c->ntargets; i++)
		if (c->targets[i].except && c->targets[i].zone == z && target_takes(&c->targets[i], v))
			return true;
	return false;
}

static bool takes(const struct condition *c, const struct target *t, const struct value *v)
{
	return target_takes(t, v) && !excepted(c, t->zone, v);
}

static bool holds_on_some(struct inspection *in, const struct condition *c, struct match *m)
{
	const struct zone_values *z = &in->values.zones[m->target->zone];

	for (size_t i = 0; i < z->n; i++) {
		struct bytes text;

		m->value = &z->at[i];
		if (!takes(c, m->target, m->value))
			continue;
		text = value_after(&in->values, m->value, c->node);
		if (!text.at || test(in, c, text, m))
			return true; /* without memory the verdict is a denial anyway */
	}
	return false;
}

static bool holds_on_count(struct inspection *in, const struct condition *c, struct match *m)
{
	const struct zone_values *z = &in->values.zones[m->target->zone];
	struct text t = text_over(arena_raw(in->arena, 20), 20);
	size_t n = 0;

	if (!t.at)
		return in->values.spent = true;
	for (size_t i = 0; i < z->n; i++)
		n += takes(c, m->target, &z->at[i]);
	text_u64(&t, n);
	m->value = NULL;
	return test(in, c, text_bytes(&t), m);
}

/* While there is only the head, a body without values says nothing. */
static bool is_there(const struct inspection *in, const struct target *t)
{
	return !t->except && (t->zone < ZONE_BODY_FIRST || in->phase == PHASE_BODY);
}

static bool condition_holds(struct inspection *in, const struct condition *c, struct match *m)
{
	for (size_t i = 0; i < c->ntargets; i++) {
		m->target = &c->targets[i];
		if (is_there(in, m->target) && (c->count ? holds_on_count(in, c, m) : holds_on_some(in, c, m)))
			return true;
	}
	return false;
}

static bool group_holds(struct inspection *in, const struct group *g, struct match *shown)
{
	for (size_t i = 0; i < g->n; i++) {
		struct match m = { 0 };

		if (!condition_holds(in, &g->at[i], &m))
			return false;
		if (i == g->shown)
			*shown = m;
	}
	return true;
}

/* Slices of a body may be gone when the verdict is read. */
static struct bytes keep(struct inspection *in, struct bytes b)
{
	struct bytes kept = arena_copy(in->arena, b);

	in->values.spent |= !kept.at;
	return kept.at ? kept : (struct bytes){ 0 };
}

static void do_actions(struct inspection *in, const struct actions *a)
{
	if (a->remedy <= in->verdict.remedy)
		return;
	in->verdict.remedy = a->remedy;
	if (a->remedy == REMEDY_DENY)
		in->verdict.status = a->status;
}

static void report(struct inspection *in, uint32_t rule, const struct match *m)
{
	const struct rule *r = &in->rules->ir->rules[rule];
	struct hit *at;

	bit_set(in->fired, rule);
	if (in->values.exclusions.n && exclusions_rule(&in->values.exclusions, &r->info))
		return;
	do_actions(in, &r->actions);
	atomic_fetch_add_explicit(&in->rules->hits[rule], 1, memory_order_relaxed);
	at = arena_grow(in->arena, in->hits, &in->hits_cap, in->verdict.nhits + 1, sizeof *at);
	if (!at) {
		in->values.spent = true;
		return;
	}
	in->verdict.hits = in->hits = at;
	at[in->verdict.nhits++] = (struct hit){ .rule = &r->info, .variable = variable(in, m),
						.value = keep(in, m->text),
						.offset = m->span.at, .len = m->span.len };
}

static void ask(struct inspection *in, const struct group *g)
{
	struct match shown = { 0 };

	if (!bit_is(in->fired, g->rule) && group_holds(in, g, &shown))
		report(in, g->rule, &shown);
}

/* Groups of the head alone are asked once: their bits go. A body may come in
 * pieces, so the bits of others stay. */
static void ask_all(struct inspection *in)
{
	const struct ruleset *rs = in->rules;

	for (size_t w = 0; w < rs->nwords; w++) {
		uint64_t due = in->groups[w] | rs->always[w];

		if (in->phase == PHASE_HEAD)
			due &= rs->early[w];
		else if (in->head_asked)
			due &= in->groups[w] | rs->late[w];

		in->groups[w] &= rs->late[w];
		for (; due; due &= due - 1)
			ask(in, &rs->ir->groups[w * 64 + (size_t)__builtin_ctzll(due)]);
	}
}

bool inspection_decide(struct inspection *in, enum phase phase)
{
	in->phase = phase;
	if (!scan_new_values(in->scratch, in->rules, &in->values, in->groups))
		for (size_t i = 0; i < in->rules->ir->ngroups; i++)
			bit_set(in->groups, i);
	ask_all(in);
	in->head_asked = true;
	if (in->values.spent)
		return out_of_memory(in);
	return in->verdict.remedy == REMEDY_DENY;
}

const struct verdict *inspection_head(struct inspection *in)
{
	if (in->values.exclusions.all)
		return &in->verdict;
	if (!values_head(&in->values, in->request) && in->values.fault.len)
		inspection_fail(in, 400, in->values.fault);
	inspection_decide(in, in->request->framing == BODY_NONE ? PHASE_BODY : PHASE_HEAD);
	return &in->verdict;
}

const struct verdict *inspection_verdict(const struct inspection *in)
{
	return &in->verdict;
}
