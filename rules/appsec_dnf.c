/* appsec_dnf.c -- a tree of leaves becomes groups: any of them, all in one.
 *
 * As CrowdSec does it: a node's own leaf, each child of `and`, and `or` as a
 * whole are factors; they are multiplied out, and more than 50 products are
 * refused. */
#include "rules/appsec.h"
#include "base/matcher.h"
#include <errno.h>
#include <stdlib.h>

enum { GROUPS_MAX = 50, ARENA_CAP = 64 << 20 };

const struct transform appsec_count = { .name = "count" };

struct product {
	const struct appsec_tree **leaves;
	size_t n;
};

struct sum {
	struct product *at;
	size_t n;
};

struct flatten {
	struct ir *ir;
	struct arena *arena;
	struct err *err;
};

static bool short_of_memory(struct flatten *f)
{
	return err_set(f->err, SIDE_SELF, 0, "out of memory while reading rules");
}

static bool sum_of_one(struct flatten *f, const struct appsec_tree *leaf, struct sum *out)
{
	*out = (struct sum){ arena_get(f->arena, sizeof *out->at), 1 };
	if (!out->at || !(out->at->leaves = arena_get(f->arena, sizeof leaf)))
		return short_of_memory(f);
	out->at->leaves[0] = leaf;
	out->at->n = 1;
	return true;
}

static bool sum_add(struct flatten *f, struct sum *to, struct sum more)
{
	struct product *at = arena_get(f->arena, (to->n + more.n) * sizeof *at);

	if (!at)
		return short_of_memory(f);
	if (to->n)
		memcpy(at, to->at, to->n * sizeof *at);
	memcpy(at + to->n, more.at, more.n * sizeof *at);
	*to = (struct sum){ at, to->n + more.n };
	return true;
}

static bool product_of(struct flatten *f, struct product a, struct product b, struct product *out)
{
	*out = (struct product){ arena_get(f->arena, (a.n + b.n) * sizeof *out->leaves), a.n + b.n };
	if (!out->leaves)
		return short_of_memory(f);
	memcpy(out->leaves, a.leaves, a.n * sizeof *a.leaves);
	memcpy(out->leaves + a.n, b.leaves, b.n * sizeof *b.leaves);
	return true;
}

static bool sum_times(struct flatten *f, const struct appsec_tree *t, struct sum *to, struct sum factor)
{
	struct sum out = { 0 };

	if (!to->n) {
		*to = factor;
		return true;
	}
	if (to->n * factor.n > GROUPS_MAX)
		return yaml_err(t->where, f->err, "`and` and `or` multiply to %zu groups, at most %d are taken",
				to->n * factor.n, GROUPS_MAX);
	out.at = arena_get(f->arena, to->n * factor.n * sizeof *out.at);
	if (!out.at)
		return short_of_memory(f);
	for (size_t i = 0; i < to->n; i++)
		for (size_t k = 0; k < factor.n; k++)
			if (!product_of(f, to->at[i], factor.at[k], &out.at[out.n++]))
				return false;
	*to = out;
	return true;
}

static bool flatten(struct flatten *f, const struct appsec_tree *t, struct sum *out)
{
	struct sum any = { 0 }, part;

	*out = (struct sum){ 0 };
	if (t->nzones && !sum_of_one(f, t, out))
		return false;
	for (size_t i = 0; i < t->nall; i++)
		if (!flatten(f, &t->all[i], &part) || !sum_times(f, t, out, part))
			return false;
	for (size_t i = 0; i < t->nany; i++)
		if (!flatten(f, &t->any[i], &part) || !sum_add(f, &any, part))
			return false;
	if (any.n && !sum_times(f, t, out, any))
		return false;
	return out->n || yaml_err(t->where, f->err, "neither `zones` nor `and` nor `or`");
}

/* ---- a leaf becomes a condition ---- */

static bool target_of(struct flatten *f, const struct appsec_tree *leaf, enum zone zone, struct bytes variable,
		      struct target *out)
{
	struct err why = { 0 };

	*out = (struct target){ .zone = zone };
	if (variable.len > 2 && variable.at[0] == '/' && variable.at[variable.len - 1] == '/') {
		out->regex = ir_regex(f->ir, bytes_sub(variable, 1, variable.len - 1), PATTERN_CASELESS, &why);
		return out->regex || yaml_err(leaf->where, f->err, "variable %.*s: %s", YAML_SHOWN(variable), why.text);
	}
	if (!variable.at)
		return true;
	out->name = arena_copy(f->ir->arena, variable);
	for (size_t i = 0; out->name.at && i < variable.len; i++)
		((char *)out->name.at)[i] = byte_lower(variable.at[i]);
	return out->name.at || short_of_memory(f);
}

static bool targets_of(struct flatten *f, const struct appsec_tree *leaf, struct condition *c)
{
	size_t n = leaf->nvariables ? leaf->nvariables : 1;
	struct target *at = arena_get(f->ir->arena, 2 * leaf->nzones * n * sizeof *at);

	if (!at)
		return short_of_memory(f);
	c->targets = at;
	for (size_t i = 0; i < leaf->nzones; i++)
		for (size_t k = 0; k < n; k++) {
			struct target *t = &at[c->ntargets++];

			if (!target_of(f, leaf, leaf->zones[i], leaf->nvariables ? leaf->variables[k] : (struct bytes){ 0 }, t))
				return false;
			if (t->zone != ZONE_BODY_ARGS && t->zone != ZONE_BODY_ARGS_NAMES)
				continue;
			at[c->ntargets] = *t; /* what XML holds counts as arguments too */
			at[c->ntargets++].zone += ZONE_XML_ARGS - ZONE_BODY_ARGS;
		}
	return true;
}

static void count_targets(struct condition *c)
{
	struct target *at = (struct target *)(uintptr_t)c->targets; /* made by targets_of */

	for (size_t i = 0; i < c->ntargets; i++)
		at[i].count = true;
}

static bool steps_of(struct flatten *f, const struct appsec_tree *leaf, struct condition *c)
{
	for (size_t i = 0; i < leaf->ntransforms; i++)
		if (leaf->transforms[i] == &appsec_count)
			count_targets(c);
		else if (!ir_step(f->ir, &c->node, leaf->transforms[i]))
			return short_of_memory(f);
	return true;
}

static bool keep_texts(struct flatten *f, const struct bytes *from, size_t n, struct operand *o)
{
	struct bytes *at = arena_get(f->ir->arena, n * sizeof *at);

	if (!at)
		return short_of_memory(f);
	for (size_t i = 0; i < n; i++)
		if (!(at[i] = arena_copy(f->ir->arena, from[i])).at)
			return short_of_memory(f);
	o->texts = at;
	o->ntexts = n;
	return true;
}

/* An empty text is in every value: only `equals` can mean it. */
static bool check_texts(struct flatten *f, const struct appsec_tree *leaf, const struct operand *o)
{
	for (size_t i = 0; i < o->ntexts; i++)
		if (!o->texts[i].len && strcmp(leaf->match.op->alias, "equals") != 0)
			return yaml_err(leaf->where, f->err, "an empty text: every value would match");
	return true;
}

static bool number_of(struct flatten *f, const struct appsec_tree *leaf, struct operand *o)
{
	struct bytes text = o->texts[0];
	char *end;

	errno = 0;
	o->number = strtoll(text.at, &end, 10); /* arena_copy puts a NUL behind it */
	if (errno || !text.len || end != text.at + text.len)
		return yaml_err(leaf->where, f->err, "'%.*s' is not a number", YAML_SHOWN(text));
	return true;
}

/* As every front end makes it, with our place before what is wrong. */
static bool prepared(struct flatten *f, const struct appsec_tree *leaf, struct operand *o)
{
	struct err why = { 0 };

	return op_prepare(leaf->match.op, f->ir, leaf->match.value, leaf->where.file, o, &why) ||
	       yaml_err(leaf->where, f->err, "%s", why.text);
}

static bool operand_of(struct flatten *f, const struct appsec_tree *leaf, struct condition *c)
{
	const struct appsec_match *m = &leaf->match;
	struct operand *o = &c->operand;
	bool several = m->nvalues > 0;

	if (several && (m->value.at || m->op->operand != OPERAND_TEXTS))
		return yaml_err(leaf->where, f->err, "`values` is for equals, contains, startsWith and endsWith, without `value`");
	if (m->op->operand == OPERAND_NONE)
		return true;
	if (!several && !m->value.at)
		return yaml_err(leaf->where, f->err, "`%s` needs a value", m->op->alias);
	if (several ? !keep_texts(f, m->values, m->nvalues, o) : !prepared(f, leaf, o))
		return false;
	return m->op->operand == OPERAND_NUMBER ? number_of(f, leaf, o)
	       : m->op->operand == OPERAND_TEXTS ? check_texts(f, leaf, o) : true;
}

static bool condition_of(struct flatten *f, const struct appsec_tree *leaf, struct condition *c)
{
	if (!leaf->match.op)
		return yaml_err(leaf->where, f->err, "`zones` without `match`");
	c->op = leaf->match.op;
	c->negate = leaf->match.negate;
	return targets_of(f, leaf, c) && steps_of(f, leaf, c) && operand_of(f, leaf, c);
}

/* `body_type: json` is a condition of its own. */
static bool body_condition(struct flatten *f, const struct appsec_tree *leaf, struct condition *c)
{
	static const char *const words[] = { "", "URLENCODED", "MULTIPART", "JSON", "XML" };
	static const struct target body = { .zone = ZONE_BODY_TYPE };
	struct bytes word = bytes_of(words[leaf->body_type]);

	c->op = op_by_alias(BYTES("equals"));
	c->targets = &body;
	c->ntargets = 1;
	return keep_texts(f, &word, 1, &c->operand);
}

static bool group_of(struct flatten *f, const struct product *p)
{
	size_t n = p->n;
	struct group *g;
	struct condition *c;

	for (size_t i = 0; i < p->n; i++)
		n += p->leaves[i]->body_type != APPSEC_ANY_BODY;
	g = ir_group(f->ir, n);
	if (!g)
		return short_of_memory(f);
	c = g->at;
	for (size_t i = 0; i < p->n; i++)
		if (!condition_of(f, p->leaves[i], c++) ||
		    (p->leaves[i]->body_type && !body_condition(f, p->leaves[i], c++)))
			return false;
	return true;
}

bool appsec_add_groups(struct ir *ir, const struct appsec_tree *tree, struct err *e)
{
	struct flatten f = { ir, arena_new(ARENA_CAP), e };
	struct sum sum;
	bool ok = f.arena != NULL || short_of_memory(&f);

	ok = ok && flatten(&f, tree, &sum);
	for (size_t i = 0; ok && i < sum.n; i++)
		ok = group_of(&f, &sum.at[i]);
	arena_free(f.arena);
	return ok;
}
