/* plan.c -- what is worked out once so that requests need not: which groups a
 * pattern is for, which text of a value is scanned, which condition is asked
 * first and which is shown. */
#include "rules/ruleset.h"

bool condition_only_in(const struct condition *c, uint32_t zones)
{
	for (size_t i = 0; i < c->ntargets; i++)
		if (!(zones >> c->targets[i].zone & 1))
			return false;
	return true;
}

const struct condition *group_gate(const struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->at[i].pattern != NO_PATTERN)
			return &g->at[i];
	return NULL;
}

static bool index_users(struct ruleset *rs)
{
	struct arena *a = rs->ir->arena;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t i = 0; pass && i < rs->npatterns; i++) {
			rs->users[i].groups = arena_get(a, rs->users[i].n * sizeof(uint32_t) + 1);
			if (!rs->users[i].groups)
				return false;
			rs->users[i].n = 0;
		}
		for (size_t i = 0; i < rs->ir->ngroups; i++) {
			const struct condition *c = group_gate(&rs->ir->groups[i]);
			struct users *u = c ? &rs->users[c->pattern] : NULL;

			if (u && pass)
				u->groups[u->n] = (uint32_t)i;
			if (u)
				u->n++;
		}
	}
	return true;
}

static bool want_node(struct arena *a, struct want *w, uint16_t node)
{
	uint16_t *at;

	for (size_t i = 0; i < w->n; i++)
		if (w->nodes[i] == node)
			return true;
	at = arena_grow(a, w->nodes, &w->cap, w->n + 1, sizeof *at);
	if (!at)
		return false;
	w->nodes = at;
	at[w->n++] = node;
	return true;
}

static struct want *want_named(struct arena *a, struct wants *ws, struct bytes name)
{
	struct want *at;

	for (size_t i = 0; i < ws->nnamed; i++)
		if (bytes_eq(ws->named[i].name, name))
			return &ws->named[i];
	at = arena_grow(a, ws->named, &ws->cap, ws->nnamed + 1, sizeof *at);
	if (!at)
		return NULL;
	ws->named = at;
	at += ws->nnamed++;
	*at = (struct want){ .name = name };
	return at;
}

static bool want_target(struct ruleset *rs, const struct target *t, uint16_t node)
{
	struct wants *ws = &rs->wants[t->zone];
	struct want *w = t->name.at && !t->except ? want_named(rs->ir->arena, ws, t->name) : &ws->any;

	ws->by_name |= t->except || t->regex;
	return t->except || (w && want_node(rs->ir->arena, w, node));
}

static bool want_finish(struct ruleset *rs, struct wants *ws)
{
	ws->widest = ws->any.n;
	if (!hash128_key(&ws->any.salt))
		return false;
	for (size_t i = 0; i < ws->nnamed; i++) {
		if (!hash128_key(&ws->named[i].salt))
			return false;
		for (size_t k = 0; k < ws->any.n; k++)
			if (!want_node(rs->ir->arena, &ws->named[i], ws->any.nodes[k]))
				return false;
		if (ws->named[i].n > ws->widest)
			ws->widest = ws->named[i].n;
	}
	return true;
}

static bool index_wants(struct ruleset *rs)
{
	for (size_t i = 0; i < rs->ir->ngroups; i++) {
		const struct condition *c = group_gate(&rs->ir->groups[i]);

		for (size_t k = 0; c && k < c->ntargets; k++)
			if (!want_target(rs, &c->targets[k], c->scanned))
				return false;
	}
	for (size_t z = 0; z < ZONE_COUNT; z++)
		if (!want_finish(rs, &rs->wants[z]))
			return false;
	return true;
}

const struct want *ruleset_want(const struct ruleset *rs, enum zone zone, struct bytes name)
{
	const struct wants *ws = &rs->wants[zone];

	for (size_t i = 0; i < ws->nnamed; i++)
		if (bytes_eq_nocase(ws->named[i].name, name))
			return &ws->named[i];
	return ws->any.n ? &ws->any : NULL;
}

/* How long it takes to ask, about: a named value is one, a zone has several. */
static unsigned cost(const struct ruleset *rs, const struct condition *c)
{
	unsigned steps = 0, values = 1;

	for (uint16_t node = c->node; node; node = rs->ir->steps[node].parent)
		steps++;
	for (size_t i = 0; i < c->ntargets; i++)
		if (!c->targets[i].name.at && c->targets[i].zone >= ZONE_ARGS)
			values = 8;
	return (c->op->cost + 20 * steps) * values;
}

/* What is most worth showing: a value that was tested for its content, in a
 * place where content is rare; of equals the last, as ModSecurity has it. */
static int rank(const struct condition *c)
{
	if (c->negate || c->count || c->op->operand == OPERAND_NUMBER)
		return 0;
	if (condition_only_in(c, 1u << ZONE_METHOD | 1u << ZONE_PROTOCOL | 1u << ZONE_BODY_TYPE))
		return 1;
	return condition_only_in(c, 1u << ZONE_URI | 1u << ZONE_URI_FULL) ? 2 : 3;
}

static void order(struct ruleset *rs, struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (rank(&g->at[i]) >= rank(&g->at[g->shown]))
			g->shown = i;
	for (size_t i = 1; i < g->n; i++)
		for (size_t k = i; k && cost(rs, &g->at[k]) < cost(rs, &g->at[k - 1]); k--) {
			struct condition c = g->at[k];

			g->at[k] = g->at[k - 1];
			g->at[k - 1] = c;
			if (g->shown == k || g->shown == k - 1)
				g->shown = 2 * k - 1 - g->shown;
		}
}

static bool is_early(const struct condition *c)
{
	for (size_t i = 0; i < c->ntargets; i++)
		if (!c->targets[i].except && c->targets[i].zone < ZONE_BODY_FIRST)
			return true;
	return false;
}

static void place(struct ruleset *rs, struct group *g, size_t index)
{
	bool early = true, late = false;

	for (size_t i = 0; i < g->n; i++) {
		early &= is_early(&g->at[i]);
		for (size_t k = 0; k < g->at[i].ntargets; k++) {
			late |= g->at[i].targets[k].zone >= ZONE_BODY_FIRST;
			rs->zones |= 1u << g->at[i].targets[k].zone;
		}
	}
	if (early)
		bit_set(rs->early, index);
	if (late)
		bit_set(rs->late, index);
	if (!group_gate(g))
		bit_set(rs->always, index);
	order(rs, g);
}

static bool place_all(struct ruleset *rs)
{
	size_t size;

	rs->nwords = rs->ir->ngroups / 64 + 1;
	size = rs->nwords * sizeof(uint64_t);
	rs->always = arena_get(rs->ir->arena, size);
	rs->early = arena_get(rs->ir->arena, size);
	rs->late = arena_get(rs->ir->arena, size);
	if (!rs->always || !rs->early || !rs->late)
		return false;
	for (size_t i = 0; i < rs->ir->ngroups; i++)
		place(rs, &rs->ir->groups[i], i);
	return true;
}

bool plan_build(struct ruleset *rs, struct err *e)
{
	return (index_users(rs) && index_wants(rs) && place_all(rs)) ||
	       err_set(e, SIDE_SELF, 0, "out of memory while compiling rules");
}
