/* run.c -- one phase: the rules that are due, in file order, each link by link. */
#include "rules/run.h"
#include "base/clock.h"
#include "base/text.h"

enum { NO_SEVERITY = 255 };

struct run *run_new(struct inspection *in)
{
	const struct ruleset *rs = in->rules;
	struct run *r = arena_get(in->arena, sizeof *r);
	size_t n = rs->ir->nslots;

	if (!r)
		return NULL;
	r->in = in;
	r->vars = (struct vars){ .arena = in->arena, .ir = rs->ir, .slots = arena_get(in->arena, (n + 1) * sizeof *r->vars.slots) };
	if (!r->vars.slots)
		return NULL;
	memcpy(r->vars.slots, rs->plan.start, n * sizeof *r->vars.slots);
	if (in->values.exclusions.off) { /* as if a ctl had taken them out before all else */
		if (!(r->off = arena_get(in->arena, rs->plan.nwords * sizeof *r->off)))
			return NULL;
		memcpy(r->off, in->values.exclusions.off, rs->plan.nwords * sizeof *r->off);
	}
	r->engine = rs->ir->bodies.engine;
	r->body_access = rs->ir->bodies.access;
	r->answer_access = rs->ir->bodies.answer_access;
	r->severity = NO_SEVERITY;
	r->began = clock_mono_us();
	return r;
}

struct bytes run_name(struct run *r, const struct target *t, const struct value *v)
{
	const char *word = t->word ? t->word : zone_name(t->zone);
	struct bytes name = v && t->zone != ZONE_MATCHED && t->zone != ZONE_MOMENT ? v->name : (struct bytes){ 0 };
	size_t cap = strlen(word) + 2 + name.len;
	struct text out = text_over(arena_raw(r->in->arena, cap), cap);

	if (!out.at)
		return bytes_of(word);
	if (!v)
		text_byte(&out, '&');
	text_str(&out, word);
	if (name.len) {
		text_byte(&out, ':');
		text_put(&out, name);
	}
	return text_bytes(&out);
}

/* ---- one link ---- */

struct link_at {
	struct run *run;
	uint32_t group;
	const struct condition *condition;
	const struct link *link;
	const struct operand *operand;
	struct match *last; /* the newest match */
	struct matched *matched; /* of this link; become the run's when it has ended */
	size_t nmatched, cap;
};

static void capture(struct run *r, const struct condition *c, const struct operand *o, const struct match *m)
{
	size_t at[20], n = 0;

	if (c->op->operand == OPERAND_REGEX && o->regex && !c->negate) {
		n = regex_groups(o->regex, m->text, at, nelems(at) / 2);
	} else if (m->span.len) {
		at[0] = m->span.at;
		at[1] = m->span.at + m->span.len;
		n = 1;
	}
	for (size_t i = 0; i < nelems(at) / 2; i++)
		if (i < n)
			vars_set_text(&r->vars.slots[i], bytes_sub(m->text, at[2 * i], at[2 * i + 1]));
		else
			r->vars.slots[i] = (struct var){ .set = false };
}

static void remember(struct link_at *l, const struct match *m)
{
	struct run *r = l->run;
	struct matched *at = arena_grow(r->in->arena, l->matched, &l->cap, l->nmatched + 1, sizeof *at);

	r->in->values.spent |= !at;
	if (!at)
		return;
	l->matched = at;
	at[l->nmatched++] = (struct matched){ run_name(r, m->target, m->value), m->text };
}

/* What a rule does as soon as it holds on a value; the values that follow may
 * make it do it again. */
static void act(struct link_at *l, const struct match *m)
{
	struct run *r = l->run;
	struct matched *before = r->matched;
	size_t nbefore = r->nmatched;

	if (m->gave_up)
		r->in->verdict.error = BYTES("an expression reached its limit on a value, which counts as a match");
	*l->last = *m;
	if (m->target)
		remember(l, m);
	if (l->link->capture && l->condition->op)
		capture(r, l->condition, l->operand, m);
	r->matched = l->matched; /* %{MATCHED_VAR} is this one */
	r->nmatched = l->nmatched;
	for (size_t i = 0; i < l->link->nsets; i++)
		run_assign(r, &l->link->sets[i]);
	for (size_t i = 0; i < l->link->nchanges; i++)
		run_change(r, &l->link->changes[i]);
	r->matched = before;
	r->nmatched = nbefore;
}

static bool takes(const struct link_at *l, const struct target *t, const struct value *v)
{
	const struct values *all = &l->run->in->values;

	return condition_takes(l->condition, t, v) && !(l->run->ncuts && run_is_cut(l->run, l->group, t->zone, v)) &&
	       !(all->exclusions.cuts && exclusions_cut(all, l->group, t->zone, v->name));
}

static void try_values(struct link_at *l, const struct target *t)
{
	struct zone_values z = run_values(l->run, t);

	for (size_t i = 0; i < z.n; i++) {
		struct match m = { .target = t };

		if (takes(l, t, &z.at[i]) &&
		    condition_test(&l->run->in->values, l->condition, l->operand, &z.at[i], &m))
			act(l, &m);
	}
}

static void try_count(struct link_at *l, const struct target *t)
{
	char *digits = arena_raw(l->run->in->arena, 20);
	struct text text = text_over(digits, 20);
	struct match m = { .target = t };
	size_t n = 0;

	l->run->in->values.spent |= !digits;
	if (!digits || (l->run->in->values.exclusions.n && t->name.at &&
			exclusions_hide(&l->run->in->values, l->group, t->zone, t->name)))
		return;
	for (bool more = true; more; more = t++->more) {
		struct zone_values z = run_values(l->run, t);

		for (size_t i = 0; i < z.n; i++)
			n += takes(l, t, &z.at[i]);
	}
	text_u64(&text, n);
	if (condition_test_text(l->condition, l->operand, text_bytes(&text), &m))
		act(l, &m);
}

/* The commonest of all conditions: a variable that has a slot is compared with a
 * number. False: it is another condition, or it holds. */
static bool fails_on_number(struct link_at *l, const struct target *t)
{
	const struct condition *c = l->condition;
	struct match m = { 0 };
	struct var *v;
	char digits[24];
	struct text text = text_over(digits, sizeof digits);

	if (t->zone != ZONE_VARS || t->slot == UINT32_MAX || c->op->operand != OPERAND_NUMBER || c->node)
		return false;
	v = &l->run->vars.slots[t->slot];
	if (!t->count && !v->set)
		return true;
	if (!t->count && v->text.at)
		return !condition_test_text(c, l->operand, v->text, &m);
	text_printf(&text, "%lld", (long long)(t->count ? v->set : v->number));
	return !condition_test_text(c, l->operand, text_bytes(&text), &m);
}

/* The operand that the macro makes for this request. */
static bool expand(struct link_at *l, struct operand *o)
{
	const struct condition *c = l->condition;
	struct run *r = l->run;

	if (!c->macro)
		return true;
	if (r->in->rules->plan.settled[c->nth_macro]) {
		l->operand = r->in->rules->plan.settled[c->nth_macro];
		return true;
	}
	if (c->op->operand == OPERAND_NUMBER)
		*o = (struct operand){ .number = macro_number(r, c->macro) };
	else if (c->op->operand == OPERAND_REGEX)
		*o = (struct operand){ .regex = regex_once(r->in->arena, macro_expand(r, c->macro)) };
	else if (!op_expanded(c->op, r->in->arena, macro_expand(r, c->macro), o))
		r->in->values.spent = true;
	r->in->values.spent |= c->op->operand == OPERAND_REGEX && !o->regex;
	l->operand = o;
	return !r->in->values.spent;
}

static bool link_holds(struct link_at *l)
{
	const struct condition *c = l->condition;
	struct match always = { 0 };
	struct operand made;

	if (!c->op) {
		act(l, &always);
		return true;
	}
	if (!expand(l, &made))
		return false;
	for (size_t i = 0; i < c->ntargets; i++) {
		const struct target *t = &c->targets[i];

		if (t->except || fails_on_number(l, t))
			continue;
		if (!t->count)
			try_values(l, t);
		else if (i == 0 || !t[-1].more)
			try_count(l, t);
	}
	return l->nmatched > 0;
}

/* ---- one rule ---- */

static void quote(struct run *r, struct bytes name)
{
	struct bytes *at = arena_grow(r->in->arena, r->quoted, &r->quoted_cap, r->nquoted + 1, sizeof *at);

	r->in->values.spent |= !at;
	if (!at)
		return;
	r->quoted = at;
	at[r->nquoted++] = name;
}

/* %{ARGS.password} */
static void quote_named(struct run *r, const struct macro *m)
{
	for (size_t i = 0; m && i < m->n; i++) {
		const struct target *t = m->at[i].target;

		if (t && t->zone != ZONE_VARS)
			quote(r, run_name(r, t, &(struct value){ .name = t->name }));
	}
}

static bool quotes(const struct run *r)
{
	return r->rule->actions.message || r->rule->actions.data;
}

static void report(struct run *r, const struct group *g, const struct match *shown)
{
	struct inspection *in = r->in;
	const struct rule *rule = r->rule;
	struct hit *at = arena_grow(in->arena, in->hits, &in->hits_cap, in->verdict.nhits + 1, sizeof *at);
	bool has_value = g->at[g->shown].op != NULL;

	quote_named(r, rule->actions.message);
	quote_named(r, rule->actions.data);

	in->values.spent |= !at;
	if (!at)
		return;
	in->verdict.hits = in->hits = at;
	at[in->verdict.nhits++] = (struct hit){
		.rule = &rule->info,
		.variable = has_value ? run_name(r, shown->target, shown->value) : (struct bytes){ 0 },
		.value = has_value ? inspection_keep(in, shown->text) : (struct bytes){ 0 },
		.offset = shown->span.at,
		.len = shown->span.len,
		.score = r->score,
		.message = rule->actions.message ? inspection_keep(in, macro_expand(r, rule->actions.message)) : bytes_of(rule->info.message),
		.data = rule->actions.data ? inspection_keep(in, macro_expand(r, rule->actions.data)) : (struct bytes){ 0 },
		.quoted = r->quoted,
		.nquoted = r->nquoted,
	};
}

static void conclude(struct run *r, const struct group *g, const struct match *shown)
{
	const struct actions *a = &r->rule->actions;
	struct inspection *in = r->in;

	atomic_fetch_add_explicit(&in->rules->hits[g->rule], 1, memory_order_relaxed);
	if (a->remedy == REMEDY_LOG || a->remedy == REMEDY_DENY || !a->quiet) {
		int severity = 7 - (int)r->rule->info.severity;

		if (severity < r->severity)
			r->severity = severity;
	}
	if (!a->quiet)
		report(r, g, shown);
	inspection_act(in, a, r->engine != ENGINE_ON); /* its own ctl may have turned it off */
	r->allow |= a->allow;
}

/* The group to go on with; 0: the next one. */
static uint32_t run_group(struct run *r, uint32_t index)
{
	const struct group *g = &r->in->rules->ir->groups[index];
	struct match shown = { 0 }, last = { 0 };

	r->rule = &r->in->rules->ir->rules[g->rule];
	r->nmatched = 0;
	r->score = 0;
	r->quoted = NULL; /* the last rule's hit has it */
	r->nquoted = r->quoted_cap = 0;
	for (size_t i = 0; i < g->n; i++) {
		struct link_at l = { .run = r, .group = index, .condition = &g->at[i], .link = &g->links[i],
				     .operand = &g->at[i].operand, .last = &last };

		if (!link_holds(&l))
			return 0;
		r->matched = l.matched;
		r->nmatched = l.nmatched;
		if (l.nmatched && quotes(r))
			quote(r, l.matched[l.nmatched - 1].name);
		if (i == g->shown)
			shown = last;
	}
	conclude(r, g, &shown);
	return r->rule->actions.skip_to;
}

static uint32_t run_group_timed(struct run *r, uint32_t index)
{
	uint64_t began = cost_begin();
	uint32_t next = run_group(r, index);

	cost_end(r->in->values.sample, r->in->rules->ir->groups[index].rule, began);
	return next;
}

/* ---- one phase ---- */

static uint64_t due(const struct run *r, enum phase phase, size_t word)
{
	const struct plan *p = &r->in->rules->plan;
	uint64_t due = p->phases[phase][word] & (r->in->groups[word] | p->always[word]);

	return r->off ? due & ~r->off[word] : due;
}

/* The next group that is due, from `from` on; SIZE_MAX: none. */
static size_t next(const struct run *r, enum phase phase, size_t from)
{
	size_t word = from / 64, n = r->in->rules->plan.nwords;
	uint64_t bits;

	if (word >= n)
		return SIZE_MAX;
	bits = due(r, phase, word) & (UINT64_MAX << from % 64);
	while (!bits && ++word < n)
		bits = due(r, phase, word);
	return bits ? word * 64 + (size_t)__builtin_ctzll(bits) : SIZE_MAX;
}

/* More of a body has come: what PHASE_BODY did before is undone. */
static void begin_again(struct run *r)
{
	struct run *saved = r->as_body_began;

	*r = *saved;
	r->as_body_began = saved;
	r->in->values.spent |= !vars_copy(r->in->arena, &saved->vars, &r->vars);
	r->in->verdict.nhits = saved->hits_as_body_began;
}

static void save(struct run *r)
{
	struct run *saved = arena_get(r->in->arena, sizeof *saved);

	r->in->values.spent |= !saved;
	if (!saved)
		return;
	r->hits_as_body_began = r->in->verdict.nhits;
	*saved = *r;
	r->in->values.spent |= !vars_copy(r->in->arena, &saved->vars, &r->vars);
	r->as_body_began = saved;
}

static bool is_allowed(const struct run *r, enum phase phase)
{
	return (r->allow & ALLOW_ALL && phase != PHASE_LOG) || (r->allow & ALLOW_REQUEST && phase <= PHASE_BODY);
}

void run_phase(struct run *r, enum phase phase)
{
	const bool timed = r->in->values.sample;

	if (r->done[phase] && (phase != PHASE_BODY || !r->in->body_may_go_on || r->seen == r->in->values.added))
		return;
	if (!r->in->rules->plan.busy[phase] || r->engine == ENGINE_OFF || is_allowed(r, phase)) {
		r->done[phase] = true;
		return;
	}
	if (phase == PHASE_BODY && r->in->body_may_go_on) {
		if (r->done[phase])
			begin_again(r);
		else
			save(r);
	}
	r->done[phase] = true;
	r->seen = r->in->values.added;
	r->phase = phase;
	for (size_t i = 0; (i = next(r, phase, i)) != SIZE_MAX;) {
		uint32_t skip = timed ? run_group_timed(r, (uint32_t)i) : run_group(r, (uint32_t)i);

		i = skip ? skip : i + 1;
		if (r->engine == ENGINE_OFF || r->allow)
			break;
	}
	r->allow &= (uint8_t)~ALLOW_PHASE;
	r->nmatched = 0;
}

int run_threshold(struct run *r)
{
	struct var *v = vars_find(&r->vars, COLLECTION_TX, BYTES("inbound_anomaly_score_threshold"), false);

	return v && v->set ? (int)v->number : 0;
}
