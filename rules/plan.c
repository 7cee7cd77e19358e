/* plan.c -- what is worked out once so that requests need not: which groups a
 * pattern is for, which text of a value is scanned, which condition is asked
 * first and which is shown; and for each app, which groups can hold at all. */
#include "rules/conditions.h"
#include "rules/facts.h"
#include "rules/fold.h"
#include "rules/ruleset.h"

enum { PLAN_ARENA = 64 << 20 };

/* ---- for all plans ---- */

const struct condition *group_gate(const struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->at[i].gate != GATE_NONE)
			return &g->at[i];
	return NULL;
}

static enum direction direction_of(enum zone z)
{
	return z >= ZONE_ANSWER_FIRST ? OF_ANSWER : OF_REQUEST;
}

bool condition_is_of(const struct condition *c, enum direction d)
{
	for (size_t i = 0; i < c->ntargets; i++)
		if (direction_of(c->targets[i].zone) != d)
			return false;
	return true;
}

static struct users *users_of(struct compiled *c, uint32_t pattern)
{
	struct union_database *u = &c->unions[pattern >= c->unions[OF_ANSWER].first ? OF_ANSWER : OF_REQUEST];

	return &u->users[pattern - u->first];
}

static bool room_for_users(struct compiled *c)
{
	for (size_t d = 0; d < DIRECTIONS; d++) {
		struct union_database *u = &c->unions[d];

		u->users = arena_get(c->ir->arena, (u->npatterns + 1) * sizeof *u->users);
		if (!u->users)
			return false;
	}
	return true;
}

static void index_user(struct compiled *c, uint32_t pattern, size_t group, bool fill)
{
	struct users *u = pattern == NO_PATTERN ? NULL : users_of(c, pattern);

	if (!u)
		return;
	if (fill)
		u->groups[u->n] = (uint32_t)group;
	u->n++;
}

/* First counted, then filled. */
static bool index_users(struct compiled *c)
{
	struct arena *a = c->ir->arena;

	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; pass && i < c->npatterns; i++) {
			struct users *u = users_of(c, i);

			u->groups = arena_get(a, u->n * sizeof(uint32_t) + 1);
			if (!u->groups)
				return false;
			u->n = 0;
		}
		for (size_t i = 0; i < c->ir->ngroups; i++) {
			const struct condition *gate = group_gate(&c->ir->groups[i]);

			if (!gate || gate->gate != GATE_TEXT)
				continue;
			for (enum texts k = 0; k < TEXTS_KINDS; k++) {
				index_user(c, gate->gates[k].pattern, i, pass);
				index_user(c, gate->gates[k].also, i, pass);
			}
		}
	}
	return true;
}

/* How long it takes to ask, about: a named value is one, a zone has several. */
static unsigned cost(const struct ir *ir, const struct condition *c)
{
	unsigned steps = 0, values = 1;

	for (uint16_t node = c->node; node; node = ir->steps[node].parent)
		steps++;
	for (size_t i = 0; i < c->ntargets; i++)
		if (!c->targets[i].name.at && c->targets[i].zone >= ZONE_ARGS)
			values = 8;
	return (c->op->cost + 20 * steps) * values;
}

static bool counts(const struct condition *c)
{
	for (size_t i = 0; i < c->ntargets; i++)
		if (c->targets[i].count)
			return true;
	return false;
}

/* What is most worth showing: a value that was tested for its content, in a
 * place where content is rare; of equals the last, as ModSecurity has it. */
static int rank(const struct condition *c)
{
	if (!c->op || c->negate || counts(c) || c->op->operand == OPERAND_NUMBER)
		return 0;
	if (condition_only_in(c, ZONE_BIT(ZONE_METHOD) | ZONE_BIT(ZONE_PROTOCOL) | ZONE_BIT(ZONE_BODY_TYPE)))
		return 1;
	return condition_only_in(c, ZONE_BIT(ZONE_URI) | ZONE_BIT(ZONE_URI_FULL) | ZONE_BIT(ZONE_PATH)) ? 2 : 3;
}

static void order(const struct ir *ir, struct group *g)
{
	for (size_t i = 0; i < g->n; i++)
		if (rank(&g->at[i]) >= rank(&g->at[g->shown]))
			g->shown = i;
	for (size_t i = 1; i < g->n && !g->links; i++)
		for (size_t k = i; k && cost(ir, &g->at[k]) < cost(ir, &g->at[k - 1]); k--) {
			struct condition c = g->at[k];

			g->at[k] = g->at[k - 1];
			g->at[k - 1] = c;
			if (g->shown == k || g->shown == k - 1)
				g->shown = 2 * k - 1 - g->shown;
		}
}

bool plan_prepare(struct compiled *c, struct err *e)
{
	for (size_t i = 0; i < c->ir->ngroups; i++)
		order(c->ir, &c->ir->groups[i]);
	return (room_for_users(c) && index_users(c)) || err_set(e, SIDE_SELF, 0, "out of memory while compiling rules");
}

/* ---- for one ---- */

/* NULL: the group has none, or one whose operand this plan does not know beforehand. */
static const struct condition *plan_gate(const struct plan *p, const struct group *g)
{
	const struct condition *c = group_gate(g), *with = c && c->carries ? c + 1 : c;

	return with && with->macro && !p->settled[with->nth_macro] ? NULL : c;
}

static bool want_node(const struct ir *ir, struct arena *a, struct want *w, uint16_t node)
{
	uint16_t *at;

	for (size_t i = 0; i < w->n; i++)
		if (w->nodes[i] == node)
			return true;
	at = arena_grow(a, w->nodes, &w->cap, w->n + 1, sizeof *at);
	if (!at)
		return false;
	w->nodes = at;
	w->needs |= node ? ir->steps[node].needs : 0;
	at[w->n++] = node;
	return true;
}

static bool want_ask(struct arena *a, struct want *w, uint32_t group)
{
	uint32_t *at;

	for (size_t i = 0; i < w->nasks; i++)
		if (w->asks[i] == group)
			return true;
	at = arena_grow(a, w->asks, &w->asks_cap, w->nasks + 1, sizeof *at);
	if (!at)
		return false;
	w->asks = at;
	at[w->nasks++] = group;
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

static bool want_texts(const struct ir *ir, struct arena *a, struct want *w, const struct condition *c)
{
	uint16_t node = c->scanned;

	for (; node && c->multi; node = ir->steps[node].parent)
		if (!want_node(ir, a, w, node))
			return false;
	return want_node(ir, a, w, node);
}

static bool want_target(struct ruleset *rs, const struct target *t, const struct condition *gate, uint32_t group)
{
	struct wants *ws = &rs->plan.wants[t->zone];
	struct arena *a = rs->plan.arena;
	struct want *w;

	ws->by_name |= t->except || t->regex;
	if (t->except)
		return true;
	w = t->name.at ? want_named(a, ws, t->name) : &ws->any;
	if (!w)
		return false;
	return gate->gate == GATE_TEXT ? want_texts(rs->ir, a, w, gate) : want_ask(a, w, group);
}

static bool want_finish(const struct ir *ir, struct arena *a, struct wants *ws)
{
	ws->widest = ws->any.n;
	if (!hash128_key(&ws->any.salt))
		return false;
	for (size_t i = 0; i < ws->nnamed; i++) {
		struct want *w = &ws->named[i];

		if (!hash128_key(&w->salt))
			return false;
		for (size_t k = 0; k < ws->any.n; k++)
			if (!want_node(ir, a, w, ws->any.nodes[k]))
				return false;
		for (size_t k = 0; k < ws->any.nasks; k++)
			if (!want_ask(a, w, ws->any.asks[k]))
				return false;
		if (w->n > ws->widest)
			ws->widest = w->n;
	}
	return true;
}

static bool index_wants(struct ruleset *rs)
{
	for (uint32_t i = 0; i < rs->ir->ngroups; i++) {
		const struct condition *c = bit_is(rs->plan.live, i) ? plan_gate(&rs->plan, &rs->ir->groups[i]) : NULL;

		for (size_t k = 0; c && k < c->ntargets; k++)
			if (!want_target(rs, &c->targets[k], c, i))
				return false;
	}
	for (size_t z = 0; z < ZONE_COUNT; z++)
		if (!want_finish(rs->ir, rs->plan.arena, &rs->plan.wants[z]))
			return false;
	return true;
}

/* ---- what a hit of a pattern is good for ---- */

/* Bits that have been given away. */
struct counted {
	unsigned nodes, pairs;
};

/* Nodes are counted as gates name them, so that bits are shared late. */
static uint64_t node_bit(struct plan *p, uint16_t node, unsigned *seen)
{
	if (!p->node_bits[node])
		p->node_bits[node] = (uint64_t)1 << (*seen)++ % 64;
	return p->node_bits[node];
}

static uint64_t gate_nodes(struct ruleset *rs, const struct condition *c, unsigned *seen)
{
	uint16_t node = c->scanned;
	uint64_t bits = node_bit(&rs->plan, node, seen);

	while (c->multi && node) {
		node = rs->ir->steps[node].parent;
		bits |= node_bit(&rs->plan, node, seen);
	}
	return bits;
}

static const struct union_database *union_of(const struct compiled *c, uint32_t pattern)
{
	return &c->unions[pattern >= c->unions[OF_ANSWER].first ? OF_ANSWER : OF_REQUEST];
}

static void watch_pattern(struct ruleset *rs, uint32_t pattern, const struct watch *where)
{
	const struct union_database *u = union_of(rs->compiled, pattern);
	struct watch *w = &rs->plan.patterns[pattern];

	w->nodes |= where->nodes;
	w->zones |= where->zones;
	for (size_t z = 0; z < ZONE_COUNT; z++) {
		if (!(where->zones >> z & 1))
			continue;
		if (u->kinds[pattern - u->first] == TEXTS_PLAIN)
			rs->plan.plain[z] |= where->nodes;
		else if (!u->thin[pattern - u->first])
			rs->plan.thick[z] |= where->nodes;
	}
}

static uint64_t pair_bit(struct plan *p, uint32_t pattern, unsigned *pairs)
{
	if (!p->paired[pattern] && *pairs < 64)
		p->paired[pattern] = (uint64_t)1 << (*pairs)++;
	return p->paired[pattern];
}

/* Bits of the two that must be there; 0: one will do. */
static uint64_t watch_patterns(struct ruleset *rs, const struct gate_patterns *g, const struct watch *where, struct counted *n)
{
	uint64_t one, also;

	if (g->pattern == NO_PATTERN)
		return 0;
	watch_pattern(rs, g->pattern, where);
	if (g->also == NO_PATTERN || g->also == g->pattern)
		return 0;
	watch_pattern(rs, g->also, where);
	one = pair_bit(&rs->plan, g->pattern, &n->pairs);
	also = pair_bit(&rs->plan, g->also, &n->pairs);
	return one && also ? one | also : 0;
}

static void watch_gate(struct ruleset *rs, size_t group, const struct condition *c, struct counted *n)
{
	struct gate_watch *g = &rs->plan.gates[group];

	g->where.nodes = gate_nodes(rs, c, &n->nodes);
	for (size_t i = 0; i < c->ntargets; i++)
		if (!c->targets[i].except)
			g->where.zones |= ZONE_BIT(c->targets[i].zone);
	for (enum texts k = 0; k < TEXTS_KINDS; k++)
		g->both[k] = watch_patterns(rs, &c->gates[k], &g->where, n);
}

static void watch_bytes(struct plan *p, const struct byte_users *bytes, enum texts kind)
{
	for (size_t c = 0; c < 256; c++)
		for (size_t i = 0; i < bytes[c].n; i++) {
			const struct watch *w = &p->patterns[bytes[c].patterns[i]];

			for (size_t z = 0; z < ZONE_COUNT; z++)
				if (w->zones >> z & 1) {
					p->telling[kind][z][c] |= w->nodes;
					p->tells[kind][z] |= w->nodes;
				}
		}
}

static bool index_watches(struct ruleset *rs)
{
	struct plan *p = &rs->plan;
	struct counted seen = { 0 };

	p->patterns = arena_get(p->arena, (rs->compiled->npatterns + 1) * sizeof *p->patterns);
	p->gates = arena_get(p->arena, (rs->ir->ngroups + 1) * sizeof *p->gates);
	p->node_bits = arena_get(p->arena, (rs->ir->nsteps + 1) * sizeof *p->node_bits);
	p->paired = arena_get(p->arena, (rs->compiled->npatterns + 1) * sizeof *p->paired);
	if (!p->paired || !p->patterns || !p->gates || !p->node_bits)
		return false;
	for (enum texts k = 0; k < TEXTS_KINDS; k++)
		if (!(p->telling[k] = arena_get(p->arena, ZONE_COUNT * sizeof *p->telling[k])))
			return false;
	for (size_t i = 0; i < rs->ir->ngroups; i++) {
		const struct condition *c = bit_is(p->live, i) ? plan_gate(p, &rs->ir->groups[i]) : NULL;

		if (c && c->gate == GATE_TEXT)
			watch_gate(rs, i, c, &seen);
	}
	for (size_t d = 0; d < DIRECTIONS; d++)
		for (enum texts k = 0; k < TEXTS_KINDS; k++)
			watch_bytes(p, rs->compiled->unions[d].bytes[k], k);
	return true;
}

const struct want *plan_want(const struct plan *p, enum zone zone, struct bytes name)
{
	const struct wants *ws = &p->wants[zone];

	for (size_t i = 0; i < ws->nnamed; i++)
		if (value_is_named(name, ws->named[i].name))
			return &ws->named[i];
	return ws->any.n || ws->any.nasks ? &ws->any : NULL;
}

static bool is_early(const struct condition *c)
{
	for (size_t i = 0; i < c->ntargets; i++)
		if (!c->targets[i].except && c->targets[i].zone < ZONE_BODY_FIRST)
			return true;
	return false;
}

static void look_at(struct plan *p, const struct target *t)
{
	p->zones |= ZONE_BIT(t->zone);
	p->facts |= fact_bit(t->zone, t->name);
}

static void look_at_macro(struct plan *p, const struct macro *m)
{
	for (size_t i = 0; m && i < m->n; i++)
		if (m->at[i].target)
			look_at(p, m->at[i].target);
}

/* Every zone that the group looks at, in conditions and in text. */
static void look(struct plan *p, const struct ir *ir, const struct group *g)
{
	for (size_t i = 0; i < g->n; i++) {
		for (size_t k = 0; k < g->at[i].ntargets; k++)
			look_at(p, &g->at[i].targets[k]);
		look_at_macro(p, g->at[i].macro);
		for (size_t k = 0; g->links && k < g->links[i].nsets; k++) {
			look_at_macro(p, g->links[i].sets[k].name);
			look_at_macro(p, g->links[i].sets[k].value);
		}
	}
	look_at_macro(p, ir->rules[g->rule].actions.message);
	look_at_macro(p, ir->rules[g->rule].actions.data);
}

/* AppSec: it may hold on the head, and on the body. */
static void place_unordered(struct plan *p, const struct group *g, size_t index)
{
	bool early = true, late = false;

	for (size_t i = 0; i < g->n; i++) {
		early &= is_early(&g->at[i]);
		for (size_t k = 0; k < g->at[i].ntargets; k++)
			late |= g->at[i].targets[k].zone >= ZONE_BODY_FIRST;
	}
	if (early)
		bit_set(p->early, index);
	if (late)
		bit_set(p->late, index);
}

static void place(struct plan *p, const struct ir *ir, const struct group *g, size_t index)
{
	const struct rule *r = &ir->rules[g->rule];

	look(p, ir, g);
	if (r->ordered) {
		bit_set(p->phases[r->phase], index);
		p->busy[r->phase] = true;
	} else {
		place_unordered(p, g, index);
	}
	if (!plan_gate(p, g))
		bit_set(p->always, index);
}

static bool room(struct plan *p)
{
	uint64_t **sets[] = { &p->live, &p->always, &p->early, &p->late };

	for (size_t i = 0; i < nelems(sets); i++)
		if (!(*sets[i] = arena_get(p->arena, p->nwords * sizeof **sets[i])))
			return false;
	for (size_t i = 0; i < PHASE_COUNT; i++)
		if (!(p->phases[i] = arena_get(p->arena, p->nwords * sizeof *p->phases[i])))
			return false;
	return true;
}

bool plan_build(struct ruleset *rs, const struct ruleset_tuning *tuning, struct err *e)
{
	struct plan *p = &rs->plan;

	p->arena = arena_new(PLAN_ARENA);
	p->nwords = rs->ir->ngroups / 64 + 1;
	if (!p->arena || !room(p))
		return err_set(e, SIDE_SELF, 0, "out of memory while compiling rules");
	for (size_t i = 0; i < rs->ir->ngroups; i++)
		if (!rs->ir->rules[rs->ir->groups[i].rule].removed)
			bit_set(p->live, i);
	if (!fold(rs, tuning, e))
		return false;
	for (size_t i = 0; i < rs->ir->ngroups; i++)
		if (bit_is(p->live, i))
			place(p, rs->ir, &rs->ir->groups[i], i);
	return (index_wants(rs) && index_watches(rs)) || err_set(e, SIDE_SELF, 0, "out of memory while compiling rules");
}
