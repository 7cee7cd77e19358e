/* changes.c -- what a rule does to others while a request passes: setvar, ctl. */
#include "rules/run.h"

static struct var *var_of(struct run *r, const struct assignment *a)
{
	if (!a->name)
		return &r->vars.slots[a->slot];
	return vars_find(&r->vars, a->collection, macro_expand(r, a->name), a->how != ASSIGN_UNSET);
}

void run_assign(struct run *r, const struct assignment *a)
{
	struct var *v = var_of(r, a);
	int64_t by;

	if (!v) { /* unset what never was, or too many names */
		r->in->values.spent |= a->how != ASSIGN_UNSET;
		return;
	}
	if (v->pinned)
		return;
	switch (a->how) {
	case ASSIGN_UNSET:
		*v = (struct var){ .set = false };
		break;
	case ASSIGN_SET:
		vars_set_text(v, macro_expand(r, a->value));
		break;
	default:
		by = macro_number(r, a->value);
		if (a->how == ASSIGN_SUBTRACT)
			by = -by;
		if (a->scores)
			r->score += (int)by;
		vars_set_number(v, v->number + by);
	}
}

static void remove_rules(struct run *r, const uint64_t *groups)
{
	size_t n = r->in->rules->plan.nwords;

	if (!r->off)
		r->off = arena_get(r->in->arena, n * sizeof *r->off);
	r->in->values.spent |= !r->off;
	for (size_t i = 0; r->off && i < n; i++)
		r->off[i] |= groups[i];
}

static void remove_target(struct run *r, const struct change *c)
{
	const struct change **at = arena_grow(r->in->arena, r->cuts, &r->cuts_cap, r->ncuts + 1, sizeof *at);

	r->in->values.spent |= !at;
	if (!at)
		return;
	r->cuts = at;
	at[r->ncuts++] = c;
}

void run_change(struct run *r, const struct change *c)
{
	switch (c->kind) {
	case CHANGE_ENGINE:
		r->engine = c->engine;
		break;
	case CHANGE_REMOVE_RULES:
		remove_rules(r, c->groups);
		break;
	case CHANGE_REMOVE_TARGET:
		remove_target(r, c);
		break;
	case CHANGE_BODY_PROCESSOR:
		r->processor = c->word;
		break;
	case CHANGE_BODY_VARIABLE:
		r->body_variable = c->on;
		break;
	case CHANGE_BODY_ACCESS:
		r->body_access = c->on;
		break;
	case CHANGE_ANSWER_ACCESS:
		r->answer_access = c->on;
		break;
	}
}

static bool cuts(const struct change *c, enum zone z, const struct value *v)
{
	for (size_t i = 0; i < c->ntargets; i++)
		if (c->targets[i].zone == z && target_takes(&c->targets[i], v))
			return true;
	return false;
}

bool run_is_cut(const struct run *r, uint32_t group, enum zone z, const struct value *v)
{
	for (size_t i = 0; i < r->ncuts; i++)
		if (bit_is(r->cuts[i]->groups, group) && cuts(r->cuts[i], z, v))
			return true;
	return false;
}
