/* ir.c -- how a front end puts rules together. */
#include "rules/ir.h"
#include "base/matcher.h"

enum { ARENA_CAP = 512 << 20 };

/* TX:0 to TX:9 */
static bool slots_for_captures(struct ir *ir)
{
	uint32_t slot;

	for (char c = '0'; c <= '9'; c++)
		if (!ir_slot(ir, COLLECTION_TX, (struct bytes){ &c, 1 }, &slot))
			return false;
	return true;
}

struct ir *ir_new(void)
{
	struct arena *a = arena_new(ARENA_CAP);
	struct ir *ir = a ? arena_get(a, sizeof *ir) : NULL;

	if (ir)
		ir->arena = a;
	if (ir && (ir->steps = arena_grow(a, NULL, &ir->steps_cap, 1, sizeof *ir->steps))) {
		ir->steps[0] = (struct step){ 0 };
		ir->nsteps = 1;
		ir->bodies.access = true;
		if (slots_for_captures(ir))
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

bool ir_slot(struct ir *ir, enum collection collection, struct bytes name, uint32_t *slot)
{
	struct slot *at;
	struct bytes kept;

	for (size_t i = 0; i < ir->nslots; i++)
		if (ir->slots[i].collection == collection && bytes_eq_nocase(ir->slots[i].name, name)) {
			*slot = (uint32_t)i;
			return true;
		}
	at = arena_grow(ir->arena, ir->slots, &ir->slots_cap, ir->nslots + 1, sizeof *at);
	kept = arena_copy(ir->arena, name);
	if (!at || !kept.at)
		return false;
	for (size_t i = 0; i < name.len; i++)
		((char *)kept.at)[i] = byte_lower(name.at[i]);
	ir->slots = at;
	at[ir->nslots] = (struct slot){ collection, kept };
	*slot = (uint32_t)ir->nslots++;
	return true;
}

static bool selects(const struct selection *s, struct bytes text)
{
	size_t from, to;

	return s->regex ? regex_find(s->regex, text, &from, &to) == REGEX_YES : bytes_eq_nocase(s->text, text);
}

bool selection_has(const struct selection *s, const struct rule *r)
{
	if (!r->ordered)
		return false;
	if (s->by == SELECT_ID)
		return r->number >= s->from && r->number <= s->to;
	if (s->by == SELECT_MSG)
		return selects(s, bytes_of(r->info.message));
	for (size_t i = 0; i < r->ntags; i++)
		if (selects(s, r->tags[i]))
			return true;
	return false;
}
