/* macro.c -- "%{tx.critical_anomaly_score}": text that is made when it is needed. */
#include "base/text.h"
#include "rules/run.h"

enum { EXPANDED_MAX = 64 << 10 }; /* bytes: what is longer is cut */

/* The first value of all zones that the variable has. */
static struct bytes first_value(struct run *r, const struct target *t)
{
	for (bool more = true; more; more = t++->more) {
		struct zone_values found = run_values(r, t);

		for (size_t i = 0; i < found.n; i++)
			if (target_takes(t, &found.at[i]))
				return found.at[i].text;
	}
	return (struct bytes){ "", 0 };
}

static struct bytes piece_text(struct run *r, const struct piece *p)
{
	if (!p->target)
		return p->text;
	if (p->target->zone == ZONE_VARS && p->target->slot != UINT32_MAX)
		return vars_text(r->in->arena, &r->vars.slots[p->target->slot]);
	return first_value(r, p->target);
}

struct bytes macro_expand(struct run *r, const struct macro *m)
{
	struct bytes *parts;
	struct text out;
	size_t len = 0;

	if (m->n == 1)
		return piece_text(r, &m->at[0]);
	parts = arena_get(r->in->arena, (m->n + 1) * sizeof *parts);
	for (size_t i = 0; parts && i < m->n; i++) {
		parts[i] = bytes_sub(piece_text(r, &m->at[i]), 0, EXPANDED_MAX);
		len += parts[i].len;
	}
	out = text_over(arena_raw(r->in->arena, len + 1), len);
	if (!parts || !out.at) {
		r->in->values.spent = true;
		return (struct bytes){ "", 0 };
	}
	for (size_t i = 0; i < m->n; i++)
		text_put(&out, parts[i]);
	return text_bytes(&out);
}

int64_t macro_number(struct run *r, const struct macro *m)
{
	const struct target *t = m->n == 1 ? m->at[0].target : NULL;

	if (m->constant)
		return m->number;
	if (t && t->zone == ZONE_VARS && t->slot != UINT32_MAX)
		return r->vars.slots[t->slot].number;
	return vars_number(macro_expand(r, m));
}
