/* expr_fold.c -- what is constant is evaluated when an expression is compiled.
 *
 * Upper('/PATH\d') is a constant then, and so is File("f"): a list in memory. What fails is an error at its place, though
 * it might never have been run. Ranges stay: they would be lists in memory. */
#include "base/expr_code.h"
#include "base/expr_functions.h"
#include <limits.h>

struct fold {
	struct arena *arena;
	const struct expr_data *data;
	struct expr_lexer place; /* for errors */
};

static bool is_const(const struct node *x)
{
	return !x || x->kind == NODE_CONST;
}

static bool kids_const(const struct node *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (!is_const(x->kids[i]))
			return false;
	return true;
}

static struct expr_value *values(struct arena *a, struct node *const *kids, size_t n)
{
	struct expr_value *v = arena_get(a, (n + 1) * sizeof *v);

	for (size_t i = 0; v && i < n; i++)
		v[i] = kids[i]->value;
	return v;
}

/* What one node makes of values; false: it is none of these, or run->failed. */
static bool apply(struct expr_run *run, const struct expr_data *data, const struct node *x, const struct expr_value *v,
		  struct expr_value *out)
{
	switch (x->kind) {
	case NODE_NOT:
		*out = expr_bool_value(v[0].kind == EXPR_BOOL && !v[0].truth);
		return v[0].kind == EXPR_BOOL || expr_fail(run, "'not' is for bool only");
	case NODE_MINUS:
		*out = v[0];
		return expr_op_minus(run, out);
	case NODE_BINARY:
		return x->op != OP_RANGE && expr_op(run, (enum expr_op)x->op, &v[0], &v[1], out);
	case NODE_INDEX:
		return expr_op_index(run, &v[0], &v[1], out);
	case NODE_LIST:
		*out = (struct expr_value){ .kind = EXPR_LIST, .list = { v, x->n } };
		return true;
	case NODE_FUNCTION:
		return x->function->pure && expr_function_call(run, data, x->function, v, x->n, out);
	default:
		return false;
	}
}

static bool fold_kids(struct fold *f, struct node *x);

static bool fold(struct fold *f, struct node *x)
{
	struct expr_run run = { .arena = f->arena, .steps = INT_MAX };
	struct expr_value *v, out;

	if (!fold_kids(f, x))
		return false;
	if (x->kind == NODE_LOCAL && x->bound->kind == NODE_CONST) {
		x->kind = NODE_CONST;
		x->value = x->bound->value;
		return true;
	}
	if (x->kind == NODE_CONST || x->kind == NODE_SLICE || !kids_const(x))
		return true;
	v = values(f->arena, x->kids, x->n);
	if (!v)
		return err_set(f->place.err, SIDE_SELF, 0, "out of memory");
	if (!apply(&run, f->data, x, v, &out))
		return !run.failed || expr_lex_error(&f->place, x->at, "%s", run.failed);
	x->kind = NODE_CONST;
	x->value = out;
	return true;
}

static bool fold_kids(struct fold *f, struct node *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->kids[i] && !fold(f, x->kids[i]))
			return false;
	return true;
}

bool expr_fold(struct arena *a, struct bytes source, const struct expr_world *world, struct node *root, struct err *e)
{
	struct fold f = { .arena = a, .data = world->data, .place = { .arena = a, .source = source, .err = e } };

	return fold(&f, root);
}

bool expr_known(struct arena *a, const struct expr_data *data, const struct node *x, const struct expr_value *item,
		struct expr_value *out)
{
	struct expr_run run = { .arena = a, .steps = EXPR_STEPS };
	struct expr_value v[8];

	if (x->kind == NODE_CONST)
		*out = x->value;
	else if (x->kind == NODE_ITEM && item)
		*out = *item;
	if (x->kind == NODE_CONST || x->kind == NODE_ITEM)
		return x->kind == NODE_CONST || item;
	if (x->kind == NODE_LOCAL) /* which may be of an outer closure, whose # is another */
		return expr_known(a, data, x->bound, NULL, out);
	if ((x->kind != NODE_FUNCTION && x->kind != NODE_BINARY && x->kind != NODE_INDEX) || x->n > nelems(v))
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (!expr_known(a, data, x->kids[i], item, &v[i]))
			return false;
	return apply(&run, data, x, v, out);
}

static bool is_call_of(const struct node *x, expr_fn *fn, const struct node **inner)
{
	if (x->kind != NODE_FUNCTION || x->function->run != fn)
		return false;
	*inner = x->kids[0];
	return true;
}

bool expr_is_upper(const struct node *x, const struct node **inner)
{
	return is_call_of(x, fn_upper, inner);
}

bool expr_is_lower(const struct node *x, const struct node **inner)
{
	return is_call_of(x, fn_lower, inner);
}
