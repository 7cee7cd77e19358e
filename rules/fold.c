/* fold.c -- the rules run once without a request, as far as that goes.
 *
 * Phase after phase, in file order. A variable is known until a rule that is kept
 * may have set it. A rule whose conditions look at known variables alone is decided:
 *
 *   it does not hold  dropped
 *   it holds          what it sets is set now, what it skips is dropped, and so is it;
 *                     unless a rule that is kept could notice: one before it reads or
 *                     sets the same variable, may skip it, or may take it out by ctl
 *
 * Everything else is kept, and what it may set is no longer known. */
#include "rules/fold.h"
#include "base/text.h"
#include "rules/vars.h"

enum { CAPTURES = 10 };

struct folding {
	struct ruleset *rules;
	const struct ir *ir;
	struct arena *arena;
	struct var *vars;   /* by slot: plan->start */
	bool *unknown;      /* by slot: a kept rule may have set it */
	bool *read;         /* by slot: a kept rule looks at it */
	const uint64_t **removals; /* sets of groups that a kept rule may take out */
	size_t nremovals, removals_cap;
	enum phase phase;
	size_t horizon;     /* groups before it may be skipped by a kept rule */
	bool failed;        /* out of memory */
};

/* ---- what a text is, when all its names are known ---- */

static bool slot_known(const struct folding *f, const struct target *t)
{
	return t->zone == ZONE_VARS && t->slot != UINT32_MAX && !f->unknown[t->slot];
}

static bool macro_known(const struct folding *f, const struct macro *m)
{
	for (size_t i = 0; m && i < m->n; i++)
		if (m->at[i].target && !slot_known(f, m->at[i].target))
			return false;
	return true;
}

static struct bytes macro_text(struct folding *f, const struct macro *m)
{
	char *at = arena_raw(f->arena, 4096);
	struct text t = text_over(at, at ? 4096 : 0);

	for (size_t i = 0; i < m->n; i++)
		text_put(&t, m->at[i].target ? vars_text(f->arena, &f->vars[m->at[i].target->slot]) : m->at[i].text);
	f->failed |= !at || t.full;
	return text_bytes(&t);
}

/* ---- conditions ---- */

static bool condition_known(const struct folding *f, const struct condition *c)
{
	if (!c->op)
		return true;
	if (c->node || c->multi || !macro_known(f, c->macro) || (c->macro && c->op->operand == OPERAND_REGEX))
		return false;
	for (size_t i = 0; i < c->ntargets; i++)
		if (c->targets[i].except || !slot_known(f, &c->targets[i]))
			return false;
	return true;
}

static bool operand_now(struct folding *f, const struct condition *c, struct operand *o)
{
	*o = c->operand;
	return !c->macro || op_expanded(c->op, f->arena, macro_text(f, c->macro), o);
}

static bool holds(struct folding *f, const struct condition *c)
{
	struct operand o;
	struct span s;

	if (!c->op)
		return true;
	if (!operand_now(f, c, &o))
		return !(f->failed = true);
	for (size_t i = 0; i < c->ntargets; i++) {
		struct var *v = &f->vars[c->targets[i].slot];
		struct bytes text = c->targets[i].count ? (v->set ? BYTES("1") : BYTES("0")) : vars_text(f->arena, v);

		if ((c->targets[i].count || v->set) && (c->op->test(&o, text, &s) == ANSWER_YES) != c->negate)
			return true;
	}
	return false;
}

/* ---- what a rule that holds does ---- */

static bool assignment_is_free(const struct folding *f, const struct assignment *a)
{
	return !a->name && !f->unknown[a->slot] && !f->read[a->slot] && macro_known(f, a->value);
}

static bool is_of_phase(const struct folding *f, size_t group)
{
	const struct rule *r = &f->ir->rules[f->ir->groups[group].rule];

	return r->ordered && r->phase == f->phase;
}

/* Taken out while a request passes, it would not set or skip anything. That makes no
 * difference when it only skips, and what it skips is taken out with it. */
static bool removal_matters(const struct folding *f, size_t index, size_t skip_to, bool sets)
{
	for (size_t i = 0; i < f->nremovals; i++) {
		if (!bit_is(f->removals[i], index))
			continue;
		if (sets)
			return true;
		for (size_t k = index + 1; k < skip_to; k++)
			if (is_of_phase(f, k) && bit_is(f->rules->plan.live, k) && !bit_is(f->removals[i], k))
				return true;
	}
	return false;
}

/* Nobody could tell whether it was done now or then. */
static bool effects_are_free(const struct folding *f, const struct group *g, size_t index)
{
	const struct actions *a = &f->ir->rules[g->rule].actions;
	bool sets = false;

	if (!a->quiet || a->remedy > REMEDY_ALLOW || a->allow)
		return false;
	for (size_t i = 0; i < g->n; i++) {
		if (g->links[i].nchanges || g->links[i].capture)
			return false;
		for (size_t k = 0; k < g->links[i].nsets; k++) {
			if (!assignment_is_free(f, &g->links[i].sets[k]))
				return false;
			sets = true;
		}
	}
	return !removal_matters(f, index, a->skip_to, sets) &&
	       (index >= f->horizon || (!sets && (!a->skip_to || a->skip_to <= f->horizon)));
}

static void assign(struct folding *f, const struct assignment *a)
{
	struct var *v = &f->vars[a->slot];
	struct bytes value;

	if (v->pinned)
		return;
	if (a->how == ASSIGN_UNSET) {
		*v = (struct var){ .set = false };
		return;
	}
	value = arena_copy(f->rules->plan.arena, macro_text(f, a->value));
	f->failed |= !value.at;
	if (a->how == ASSIGN_SET)
		vars_set_text(v, value);
	else
		vars_set_number(v, a->how == ASSIGN_ADD ? v->number + vars_number(value) : v->number - vars_number(value));
}

static void do_effects(struct folding *f, const struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		for (size_t k = 0; k < g->links[i].nsets; k++)
			assign(f, &g->links[i].sets[k]);
}

/* ---- a rule that is kept ---- */

static void reads(struct folding *f, const struct target *t)
{
	if (t->zone != ZONE_VARS)
		return;
	if (t->slot != UINT32_MAX)
		f->read[t->slot] = true;
	else
		memset(f->read, true, f->ir->nslots); /* by expression: any of them */
}

static void reads_macro(struct folding *f, const struct macro *m)
{
	for (size_t i = 0; m && i < m->n; i++)
		if (m->at[i].target)
			reads(f, m->at[i].target);
}

/* A name that is made up begins with what is written of it. */
static void writes(struct folding *f, const struct assignment *a)
{
	struct bytes prefix = a->name && !a->name->at[0].target ? a->name->at[0].text : BYTES("");

	if (!a->name) {
		f->unknown[a->slot] = true;
		return;
	}
	for (size_t i = 0; i < f->ir->nslots; i++)
		f->unknown[i] |= f->ir->slots[i].collection == a->collection && bytes_starts_nocase(f->ir->slots[i].name, prefix);
}

static void keep_removal(struct folding *f, const uint64_t *groups)
{
	const uint64_t **at = arena_grow(f->arena, f->removals, &f->removals_cap, f->nremovals + 1, sizeof *at);

	f->failed |= !at;
	if (!at)
		return;
	f->removals = at;
	at[f->nremovals++] = groups;
}

/* An operand that is made of known variables is made once. */
static void settle(struct folding *f, const struct condition *c)
{
	struct arena *a = f->rules->plan.arena;
	struct operand *o;

	if (!c->macro || !macro_known(f, c->macro) || c->op->operand == OPERAND_REGEX)
		return;
	o = arena_get(a, sizeof *o);
	f->failed |= !o || !op_expanded(c->op, a, arena_copy(a, macro_text(f, c->macro)), o);
	f->rules->plan.settled[c->nth_macro] = o;
}

static void keep_link(struct folding *f, const struct condition *c, const struct link *l)
{
	for (size_t i = 0; i < c->ntargets; i++)
		reads(f, &c->targets[i]);
	reads_macro(f, c->macro);
	settle(f, c);
	if (l->capture)
		memset(f->unknown, true, CAPTURES);
	for (size_t i = 0; i < l->nsets; i++) {
		reads_macro(f, l->sets[i].name);
		reads_macro(f, l->sets[i].value);
		writes(f, &l->sets[i]);
	}
	for (size_t i = 0; i < l->nchanges; i++)
		if (l->changes[i].kind == CHANGE_REMOVE_RULES)
			keep_removal(f, l->changes[i].groups);
}

static void keep(struct folding *f, const struct group *g)
{
	const struct actions *a = &f->ir->rules[g->rule].actions;

	for (size_t i = 0; i < g->n; i++)
		keep_link(f, &g->at[i], &g->links[i]);
	reads_macro(f, a->message);
	reads_macro(f, a->data);
	if (a->skip_to > f->horizon)
		f->horizon = a->skip_to;
}

/* ---- one rule ---- */

enum fate { UNDECIDED, NEVER, ALWAYS };

static enum fate fate_of(struct folding *f, const struct group *g)
{
	bool known = true;

	for (size_t i = 0; i < g->n; i++) {
		if (!condition_known(f, &g->at[i]))
			known = false;
		else if (!holds(f, &g->at[i]))
			return NEVER;
	}
	return known ? ALWAYS : UNDECIDED;
}

/* A first link that holds acts, whatever follows. */
static bool acts_early(const struct group *g)
{
	for (size_t i = 0; i + 1 < g->n; i++)
		if (g->links[i].nsets || g->links[i].nchanges)
			return true;
	return false;
}

static void drop(struct folding *f, size_t from, size_t to)
{
	for (size_t i = from; i < to && i < f->ir->ngroups; i++)
		if (is_of_phase(f, i))
			bit_clear(f->rules->plan.live, i);
}

/* The group to go on with. */
static size_t one(struct folding *f, size_t index)
{
	const struct group *g = &f->ir->groups[index];
	size_t skip = f->ir->rules[g->rule].actions.skip_to, next = skip ? skip : index + 1;
	enum fate fate = acts_early(g) ? UNDECIDED : fate_of(f, g);

	if (fate == NEVER) {
		bit_clear(f->rules->plan.live, index);
		return index + 1;
	}
	if (fate == ALWAYS && effects_are_free(f, g, index)) {
		do_effects(f, g);
		drop(f, index, next);
		return next;
	}
	keep(f, g);
	return index + 1;
}

static void phase(struct folding *f, enum phase p)
{
	f->phase = p;
	f->horizon = 0;
	for (size_t i = 0; i < f->ir->ngroups;)
		i = is_of_phase(f, i) && bit_is(f->rules->plan.live, i) ? one(f, i) : i + 1;
}

/* ---- what the app pins ---- */

/* Slots are the ir's: a name that no rule has is of no use. */
static void pin(struct folding *f, const struct ruleset_variable *v)
{
	for (size_t i = 0; i < f->ir->nslots; i++) {
		struct bytes kept;

		if (f->ir->slots[i].collection != COLLECTION_TX || !bytes_eq_nocase(f->ir->slots[i].name, v->name))
			continue;
		kept = arena_copy(f->rules->plan.arena, v->value);
		f->failed |= !kept.at;
		vars_set_text(&f->vars[i], kept);
		f->vars[i].pinned = true;
	}
}

static bool has_ordered(const struct ir *ir)
{
	for (size_t i = 0; i < ir->nrules; i++)
		if (ir->rules[i].ordered)
			return true;
	return false;
}

static bool begin(struct folding *f)
{
	size_t n = f->ir->nslots + 1;

	f->vars = arena_get(f->rules->plan.arena, n * sizeof *f->vars);
	f->unknown = arena_get(f->arena, n);
	f->read = arena_get(f->arena, n);
	f->rules->plan.start = f->vars;
	f->rules->plan.settled = arena_get(f->rules->plan.arena, (f->ir->nmacros + 1) * sizeof *f->rules->plan.settled);
	return f->rules->plan.settled && f->vars && f->unknown && f->read;
}

bool fold(struct ruleset *rs, const struct ruleset_tuning *t, struct err *e)
{
	struct folding f = { .rules = rs, .ir = rs->ir };

	if (!has_ordered(rs->ir))
		return true;
	f.arena = arena_new(64 << 20);
	f.failed = !f.arena || !begin(&f);
	for (size_t i = 0; !f.failed && t && i < t->npinned; i++)
		pin(&f, &t->pinned[i]);
	for (enum phase p = PHASE_HEAD; !f.failed && !(t && t->unfolded) && p < PHASE_COUNT; p++)
		phase(&f, p);
	for (size_t i = 0; !f.failed && i < rs->ir->nslots; i++) /* texts made meanwhile go with the arena */
		if (f.vars[i].set && f.vars[i].text.at)
			f.failed |= !(f.vars[i].text = arena_copy(rs->plan.arena, f.vars[i].text)).at;
	arena_free(f.arena);
	return !f.failed || err_set(e, SIDE_SELF, 0, "out of memory while compiling rules");
}
