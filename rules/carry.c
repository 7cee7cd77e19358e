/* carry.c -- who else reads and writes variables, and the second link asked alone. */
#include "rules/carry.h"
#include "base/text.h"

enum { CAPTURES = 10 };

/* ---- names of variables ---- */

/* What a variable's made-up name begins with. */
static struct bytes written_prefix(const struct assignment *a)
{
	return a->name && a->name->n && !a->name->at[0].target ? a->name->at[0].text : BYTES("");
}

/* "^name_": the text behind '^'; another expression: empty. */
static struct bytes read_prefix(const struct target *t)
{
	struct bytes text = t->pattern.len && t->pattern.at[0] == '^' ? bytes_from(t->pattern, 1) : BYTES("");

	for (size_t i = 0; i < text.len; i++) {
		char c = byte_lower(text.at[i]);

		if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_')
			return BYTES("");
	}
	return text;
}

/* Some name may begin with both. */
static bool may_meet(struct bytes a, struct bytes b)
{
	return bytes_starts_nocase(a, b) || bytes_starts_nocase(b, a);
}

/* ---- who else ---- */

/* What nobody else may touch. */
struct own {
	struct ir *ir;
	enum collection collection;
	struct bytes written, read;
	struct carry *carry;
};

/* By expression it may read, which carry_holds looks at. */
static bool reads_own(const struct own *o, const struct target *t)
{
	struct carry *c = o->carry;
	struct regex **at;

	if (t->zone != ZONE_VARS || t->collection != o->collection || t->slot != UINT32_MAX) /* of slots, names_own knows */
		return false;
	if (!t->regex)
		return true;
	if (read_prefix(t).len && !may_meet(read_prefix(t), o->written))
		return false;
	at = arena_grow(o->ir->arena, c->readers, &c->cap, c->n + 1, sizeof *at);
	if (!at)
		return true;
	c->readers = at;
	at[c->n++] = t->regex;
	return false;
}

static bool is_capture(const struct target *t)
{
	return t->zone == ZONE_VARS && t->slot < CAPTURES;
}

/* captured: the rule itself has set TX:0 to TX:9 by then. */
static bool macro_notices(const struct own *o, const struct macro *m, bool captured)
{
	for (size_t i = 0; m && i < m->n; i++) {
		const struct target *t = m->at[i].target;

		if (t && (reads_own(o, t) || (!captured && is_capture(t))))
			return true;
	}
	return false;
}

static bool sets_notice(const struct own *o, const struct link *l, bool captured)
{
	for (size_t i = 0; i < l->nsets; i++) {
		const struct assignment *a = &l->sets[i];

		if (macro_notices(o, a->name, captured) || macro_notices(o, a->value, captured) ||
		    (a->name && a->collection == o->collection &&
		     (may_meet(written_prefix(a), o->written) || may_meet(written_prefix(a), o->read))))
			return true;
	}
	return false;
}

static bool condition_notices(const struct own *o, const struct condition *c, bool captured)
{
	for (size_t i = 0; i < c->ntargets; i++)
		if (reads_own(o, &c->targets[i]) || (!captured && is_capture(&c->targets[i])))
			return true;
	return macro_notices(o, c->macro, captured);
}

static bool group_notices(const struct own *o, const struct group *g)
{
	const struct actions *a = &o->ir->rules[g->rule].actions;
	bool captured = false;

	for (size_t i = 0; i < g->n; i++) {
		if (condition_notices(o, &g->at[i], captured))
			return true;
		captured |= g->links && g->links[i].capture && g->at[i].op;
		if (g->links && sets_notice(o, &g->links[i], captured))
			return true;
	}
	/* What a message shows of TX:0 without capturing is what some rule before has left there: not kept for it. */
	return macro_notices(o, a->message, true) || macro_notices(o, a->data, true);
}

/* A variable that has a name of its own. */
static bool names_own(const struct own *o)
{
	for (size_t i = 0; i < o->ir->nslots; i++)
		if (o->ir->slots[i].collection == o->collection &&
		    (bytes_starts_nocase(o->ir->slots[i].name, o->written) || bytes_starts_nocase(o->ir->slots[i].name, o->read)))
			return true;
	return false;
}

/* ---- the chain itself ---- */

/* Text, and of variables only the whole match. */
static bool is_of_match(const struct macro *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->at[i].target && (m->at[i].target->zone != ZONE_VARS || m->at[i].target->slot != 0))
			return false;
	return true;
}

static bool hands_on(const struct condition *c, const struct link *l)
{
	if (!condition_is_pure(c) || c->macro || !l->capture || l->nsets != 1 || l->nchanges)
		return false;
	return l->sets[0].how == ASSIGN_SET && !l->sets[0].scores && written_prefix(&l->sets[0]).len &&
	       is_of_match(l->sets[0].name) && l->sets[0].value && is_of_match(l->sets[0].value);
}

static bool takes_over(const struct condition *c, enum collection collection)
{
	const struct target *t = c->targets;

	return c->op && c->ntargets == 1 && t->zone == ZONE_VARS && t->collection == collection && t->regex && !t->count &&
	       !t->except && read_prefix(t).len && !c->node && !c->multi && !(c->macro && c->op->operand == OPERAND_REGEX);
}

const struct carry *carry_of(struct ir *ir, const struct group *g)
{
	struct own o = { .ir = ir };

	if (!g->links || g->n < 2 || !hands_on(&g->at[0], &g->links[0]))
		return NULL;
	o.collection = g->links[0].sets[0].collection;
	o.written = written_prefix(&g->links[0].sets[0]);
	o.read = read_prefix(g->at[1].targets);
	o.carry = arena_get(ir->arena, sizeof *o.carry);
	if (!o.carry || !takes_over(&g->at[1], o.collection) || names_own(&o))
		return NULL;
	for (size_t i = 0; i < ir->ngroups; i++)
		if (&ir->groups[i] != g && group_notices(&o, &ir->groups[i]))
			return NULL;
	return o.carry;
}

/* ---- one match ---- */

static struct bytes made_of(struct arena *a, const struct macro *m, struct bytes match)
{
	size_t cap = 0;
	struct text t;

	for (size_t i = 0; i < m->n; i++)
		cap += m->at[i].target ? match.len : m->at[i].text.len;
	t = text_over(arena_raw(a, cap + 1), cap);
	for (size_t i = 0; t.at && i < m->n; i++)
		text_put(&t, m->at[i].target ? match : m->at[i].text);
	return text_bytes(&t);
}

static bool is_read(const struct carry *c, struct bytes name)
{
	size_t from, to;

	for (size_t i = 0; i < c->n; i++)
		if (regex_find(c->readers[i], name, &from, &to) != REGEX_NO)
			return true;
	return false;
}

bool carry_holds(struct arena *a, const struct group *g, const struct operand *o, const struct match *first)
{
	const struct assignment *set = &g->links[0].sets[0];
	struct bytes match = bytes_sub(first->text, first->span.at, first->span.at + first->span.len);
	struct bytes name = made_of(a, set->name, match), value = made_of(a, set->value, match);
	struct match second = { 0 };

	return first->gave_up || !name.at || !value.at || is_read(g->at[0].carries, name) ||
	       condition_test_text(&g->at[1], o, value, &second);
}
