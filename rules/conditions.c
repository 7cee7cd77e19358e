/* conditions.c -- targets, transformations, operator: in that order. */
#include "rules/conditions.h"

static bool is_excepted(const struct condition *c, enum zone z, const struct value *v)
{
	for (size_t i = 0; i < c->ntargets; i++)
		if (c->targets[i].except && c->targets[i].zone == z && target_takes(&c->targets[i], v))
			return true;
	return false;
}

bool condition_takes(const struct condition *c, const struct target *t, const struct value *v)
{
	return target_takes(t, v) && !is_excepted(c, t->zone, v);
}

bool condition_test_text(const struct condition *c, const struct operand *o, struct bytes text, struct match *m)
{
	enum answer a = c->op->test(o, text, &m->span);

	m->text = text;
	if (a == ANSWER_LIMIT)
		return m->gave_up = true; /* an attacker must not gain by reaching it */
	if (c->negate)
		m->span = (struct span){ 0 };
	return (a == ANSWER_YES) != c->negate;
}

static bool test_after(struct values *v, const struct condition *c, const struct operand *o, uint16_t node, struct match *m)
{
	struct bytes text = value_after(v, m->value, node);

	return !text.at || condition_test_text(c, o, text, m);
}

/* The way to a node is as long as a rule's list of transformations. */
static bool test_on_the_way(struct values *v, const struct condition *c, const struct operand *o, uint16_t node,
			    struct match *m)
{
	uint16_t parent = v->ir->steps[node].parent;

	if (node && test_on_the_way(v, c, o, parent, m))
		return true;
	if (node && bytes_eq(value_after(v, m->value, node), value_after(v, m->value, parent)))
		return false;
	return test_after(v, c, o, node, m);
}

bool condition_test(struct values *v, const struct condition *c, const struct operand *o, struct value *value,
		    struct match *m)
{
	m->value = value;
	return c->multi ? test_on_the_way(v, c, o, c->node, m) : test_after(v, c, o, c->node, m);
}

static bool is_of_variables(const struct macro *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->at[i].target && (m->at[i].target->zone != ZONE_VARS || m->at[i].target->slot == UINT32_MAX))
			return false;
	return true;
}

bool condition_needs_value(const struct condition *c)
{
	struct match m = { 0 };

	if (!c->op || c->macro || !c->ntargets)
		return false;
	for (size_t i = 0; i < c->ntargets; i++)
		if (!c->targets[i].count || c->targets[i].except || c->targets[i].zone >= ZONE_MADE_FIRST)
			return false;
	return !condition_test_text(c, &c->operand, BYTES("0"), &m);
}

bool condition_is_pure(const struct condition *c)
{
	if (!c->op || (c->macro && (c->op->operand == OPERAND_REGEX || !is_of_variables(c->macro))))
		return false;
	for (size_t i = 0; i < c->ntargets; i++)
		if (c->targets[i].count || c->targets[i].zone >= ZONE_MADE_FIRST)
			return false;
	return true;
}

bool condition_only_in(const struct condition *c, zone_set zones)
{
	for (size_t i = 0; i < c->ntargets; i++)
		if (!(zones >> c->targets[i].zone & 1))
			return false;
	return true;
}
