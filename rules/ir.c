/* ir.c -- how a front end puts rules together. */
#include "rules/ir.h"
#include "base/matcher.h"

enum { ARENA_CAP = 512 << 20 };

struct ir *ir_new(void)
{
	struct arena *a = arena_new(ARENA_CAP);
	struct ir *ir = a ? arena_get(a, sizeof *ir) : NULL;

	if (ir)
		ir->arena = a;
	if (ir && (ir->steps = arena_grow(a, NULL, &ir->steps_cap, 1, sizeof *ir->steps))) {
		ir->steps[0] = (struct step){ 0 };
		ir->nsteps = 1;
		return ir;
	}
	arena_free(a);
	return NULL;
}

void ir_free(struct ir *ir)
{
	if (!ir)
		return;
	for (size_t i = 0; i < ir->nregexes; i++)
		regex_free(ir->regexes[i]);
	arena_free(ir->arena);
}

struct rule *ir_rule(struct ir *ir)
{
	struct rule *at = arena_grow(ir->arena, ir->rules, &ir->rules_cap, ir->nrules + 1, sizeof *at);

	if (!at)
		return NULL;
	ir->rules = at;
	at += ir->nrules++;
	*at = (struct rule){ .first = (uint32_t)ir->ngroups };
	return at;
}

struct group *ir_group(struct ir *ir, size_t nconditions)
{
	struct group *at = arena_grow(ir->arena, ir->groups, &ir->groups_cap, ir->ngroups + 1, sizeof *at);
	struct condition *c = arena_get(ir->arena, nconditions * sizeof *c);

	if (!at || !c)
		return NULL;
	ir->groups = at;
	at += ir->ngroups++;
	*at = (struct group){ .at = c, .n = nconditions, .rule = (uint32_t)ir->nrules - 1 };
	ir->rules[ir->nrules - 1].n++;
	return at;
}

bool ir_step(struct ir *ir, uint16_t *node, const struct transform *t)
{
	uint16_t same = 0;
	struct step *at;

	if (t->idempotent && ir->steps[*node].transform == t)
		return true;
	for (size_t i = 1; i < ir->nsteps; i++) {
		if (ir->steps[i].transform != t)
			continue;
		if (ir->steps[i].parent == *node) {
			*node = (uint16_t)i;
			return true;
		}
		same = (uint16_t)i;
	}
	if (ir->nsteps > UINT16_MAX)
		return false;
	at = arena_grow(ir->arena, ir->steps, &ir->steps_cap, ir->nsteps + 1, sizeof *at);
	if (!at)
		return false;
	ir->steps = at;
	at[ir->nsteps] = (struct step){ t, *node, same, at[*node].needs | t->needs };
	*node = (uint16_t)ir->nsteps++;
	return true;
}

struct regex *ir_regex(struct ir *ir, struct bytes pattern, unsigned flags, struct err *e)
{
	struct regex **at = arena_grow(ir->arena, ir->regexes, &ir->regexes_cap, ir->nregexes + 1, sizeof *at);
	struct regex *r = at ? regex_new(pattern, flags, e) : NULL;

	if (!at)
		err_set(e, SIDE_SELF, 0, "out of memory");
	if (!r)
		return NULL;
	ir->regexes = at;
	at[ir->nregexes++] = r;
	return r;
}
