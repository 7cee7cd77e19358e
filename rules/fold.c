/* fold.c -- see fold.h. */
#include "rules/fold.h"
#include "rules/vars.h"

static bool has_ordered(const struct ir *ir)
{
	for (size_t i = 0; i < ir->nrules; i++)
		if (ir->rules[i].ordered)
			return true;
	return false;
}

/* Slots are the ir's: a name that no rule has is of no use. */
static bool pin(struct plan *p, const struct ir *ir, const struct ruleset_variable *v)
{
	for (size_t i = 0; i < ir->nslots; i++) {
		struct bytes kept;

		if (ir->slots[i].collection != COLLECTION_TX || !bytes_eq_nocase(ir->slots[i].name, v->name))
			continue;
		kept = arena_copy(p->arena, v->value);
		if (!kept.at)
			return false;
		vars_set_text(&p->start[i], kept);
		p->start[i].pinned = true;
	}
	return true;
}

bool fold(struct ruleset *rs, const struct ruleset_tuning *t, struct err *e)
{
	struct plan *p = &rs->plan;

	if (!has_ordered(rs->ir))
		return true;
	p->start = arena_get(p->arena, (rs->ir->nslots + 1) * sizeof *p->start);
	for (size_t i = 0; p->start && t && i < t->npinned; i++)
		if (!pin(p, rs->ir, &t->pinned[i]))
			p->start = NULL;
	return p->start || err_set(e, SIDE_SELF, 0, "out of memory while compiling rules");
}
