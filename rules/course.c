/* course.c -- nodes that change nothing, or after which nothing is looked for, are left out. */
#include "rules/course.h"
#include "rules/transforms.h"

/* A plain value is a plain text after the node, and nothing is looked for there. */
static bool is_idle(const struct ruleset *rs, enum zone zone, uint32_t traits, uint16_t node)
{
	const struct step *steps = rs->ir->steps;

	if (traits & TRAIT_RICH || rs->plan.plain[zone] & rs->plan.node_bits[node])
		return false;
	for (; node; node = steps[node].parent)
		if (!steps[node].transform->keeps_plain)
			return false;
	return true;
}

const struct course *course_of(struct courses *all, const struct ruleset *rs, enum zone zone, const struct want *w, uint32_t traits)
{
	uint64_t salt = w->salt.a, hash = (salt ^ traits) * 0x9e3779b97f4a7c15;
	struct course *c = &all->at[hash >> 32 & (COURSES - 1)];

	if (w->n > COURSE_NODES)
		return NULL;
	if (c->traits == traits && c->want == salt)
		return c;
	*c = (struct course){ .want = salt, .traits = traits };
	for (size_t i = 0; i < w->n; i++)
		if (!(rs->ir->steps[w->nodes[i]].needs & traits))
			c->same |= rs->plan.node_bits[w->nodes[i]];
		else if (!is_idle(rs, zone, traits, w->nodes[i]))
			c->nodes[c->n++] = w->nodes[i];
	return c;
}
