/* expr_naive.h -- an expression evaluated as it stands: no folding, no bytecode, no sets, every operator written out. What
 * expr_run.c gives is compared with it. Functions without closures are the table's own. */
#ifndef TESTS_EXPR_NAIVE_H
#define TESTS_EXPR_NAIVE_H
#include "base/expr_tree.h"
#include "base/matcher.h"
#include <math.h>

enum { NAIVE_STEPS = 300000 };

struct naive {
	struct expr_run *run; /* its steps are not counted, ours are */
	const struct expr_world *world;
	const struct expr_value *item;
	int64_t place;
	struct expr_value local[EXPR_LOCALS];
	unsigned steps;
	bool too_long, chain_ends;
};

static inline bool naive_eval(struct naive *n, const struct node *x, struct expr_value *out);

static inline bool naive_real(const struct expr_value *v, double *d)
{
	*d = v->kind == EXPR_INT ? (double)v->number : v->real;
	return v->kind == EXPR_INT || v->kind == EXPR_FLOAT;
}

static inline bool naive_same(const struct expr_value *a, const struct expr_value *b)
{
	double x, y;

	if (a->kind == EXPR_INT && b->kind == EXPR_INT)
		return a->number == b->number;
	if (naive_real(a, &x) && naive_real(b, &y))
		return x == y;
	if (a->kind != b->kind)
		return false;
	if (a->kind == EXPR_LIST) {
		bool same = a->list.n == b->list.n;

		for (size_t i = 0; same && i < a->list.n; i++)
			same = naive_same(&a->list.at[i], &b->list.at[i]);
		return same;
	}
	return a->kind == EXPR_NIL || (a->kind == EXPR_BOOL && a->truth == b->truth) ||
	       (a->kind == EXPR_TEXT && bytes_eq(a->text, b->text)) ||
	       (a->kind == EXPR_OBJECT && a->object.is == b->object.is && a->object.self == b->object.self);
}

static inline bool naive_yes(struct expr_value *out, bool truth)
{
	*out = (struct expr_value){ .kind = EXPR_BOOL, .truth = truth };
	return true;
}

static inline bool naive_order(enum expr_op op, const struct expr_value *a, const struct expr_value *b,
			       struct expr_value *out)
{
	double x, y;
	int c;

	if (a->kind == EXPR_INT && b->kind == EXPR_INT)
		c = a->number < b->number ? -1 : a->number > b->number;
	else if (a->kind == EXPR_TEXT && b->kind == EXPR_TEXT)
		c = (bytes_cmp(a->text, b->text) > 0) - (bytes_cmp(a->text, b->text) < 0);
	else if (naive_real(a, &x) && naive_real(b, &y))
		c = x < y ? -1 : x > y ? 1 : x == y ? 0 : 2;
	else
		return false;
	return naive_yes(out, c != 2 && (op == OP_LT ? c < 0 : op == OP_LE ? c <= 0 : op == OP_GT ? c > 0 : c >= 0));
}

static inline bool naive_matches(struct bytes text, struct bytes pattern, struct expr_value *out)
{
	struct regex *r = regex_new(pattern, PATTERN_GO, NULL);
	size_t from, to;
	enum regex_result found = r ? regex_find(r, text, &from, &to) : REGEX_LIMIT;

	regex_free(r);
	return naive_yes(out, found == REGEX_YES) && found != REGEX_LIMIT;
}

static inline bool naive_text(enum expr_op op, const struct expr_value *a, const struct expr_value *b,
			      struct expr_value *out)
{
	if (a->kind == EXPR_NIL || b->kind == EXPR_NIL)
		return naive_yes(out, false);
	if (a->kind != EXPR_TEXT || b->kind != EXPR_TEXT)
		return false;
	if (op == OP_MATCHES)
		return naive_matches(a->text, b->text, out);
	if (op == OP_CONTAINS)
		return naive_yes(out, bytes_find(a->text, b->text) != SIZE_MAX);
	return naive_yes(out, b->text.len <= a->text.len &&
				      bytes_eq(b->text, op == OP_STARTS ? bytes_sub(a->text, 0, b->text.len) :
									  bytes_from(a->text, a->text.len - b->text.len)));
}

static inline bool naive_in(struct naive *n, const struct expr_value *a, const struct expr_value *b, struct expr_value *out)
{
	bool found = false;

	if (b->kind == EXPR_OBJECT && a->kind == EXPR_TEXT)
		return expr_op(n->run, OP_IN, a, b, out);
	for (size_t i = 0; b->kind == EXPR_LIST && i < b->list.n; i++)
		found = found || naive_same(a, &b->list.at[i]);
	return naive_yes(out, found) && (b->kind == EXPR_LIST || b->kind == EXPR_NIL);
}

static inline bool naive_arithmetic(struct naive *n, enum expr_op op, const struct expr_value *a,
				    const struct expr_value *b, struct expr_value *out)
{
	double x, y;
	int64_t wrapped = 0; /* which these builtins give, whatever they return */

	if (op == OP_RANGE || (op == OP_ADD && a->kind == EXPR_TEXT && b->kind == EXPR_TEXT))
		return expr_op(n->run, op, a, b, out);
	if (!naive_real(a, &x) || !naive_real(b, &y) || (op == OP_DIV && y == 0))
		return false;
	if (a->kind == EXPR_INT && b->kind == EXPR_INT && op != OP_DIV && op != OP_POW) {
		if (op == OP_MOD && b->number == 0)
			return false;
		if (op == OP_ADD)
			(void)!__builtin_add_overflow(a->number, b->number, &wrapped);
		else if (op == OP_SUB)
			(void)!__builtin_sub_overflow(a->number, b->number, &wrapped);
		else if (op == OP_MUL)
			(void)!__builtin_mul_overflow(a->number, b->number, &wrapped);
		else
			wrapped = b->number == -1 ? 0 : a->number - a->number / b->number * b->number;
		*out = expr_int_value(wrapped);
		return true;
	}
	*out = expr_float_value(op == OP_ADD   ? x + y
				: op == OP_SUB ? x - y
				: op == OP_MUL ? x * y
				: op == OP_DIV ? x / y
					       : pow(x, y));
	return op != OP_MOD;
}

static inline bool naive_binary(struct naive *n, const struct node *x, struct expr_value *out)
{
	enum expr_op op = (enum expr_op)x->op;
	struct expr_value a, b;

	if (!naive_eval(n, x->kids[0], &a) || !naive_eval(n, x->kids[1], &b))
		return false;
	if (op == OP_EQ || op == OP_NE)
		return naive_yes(out, naive_same(&a, &b) == (op == OP_EQ));
	if (op >= OP_LT && op <= OP_GE)
		return naive_order(op, &a, &b, out);
	if (op == OP_IN)
		return naive_in(n, &a, &b, out);
	return op >= OP_CONTAINS && op <= OP_MATCHES ? naive_text(op, &a, &b, out) : naive_arithmetic(n, op, &a, &b, out);
}

static inline bool naive_bool(struct naive *n, const struct node *x, bool *truth)
{
	struct expr_value v = { .kind = EXPR_NIL };

	if (!naive_eval(n, x, &v) || v.kind != EXPR_BOOL)
		return false;
	*truth = v.truth;
	return true;
}

static inline bool naive_junction(struct naive *n, const struct node *x, struct expr_value *out)
{
	bool truth = false;

	for (size_t i = 0; i < x->n; i++) {
		if (!naive_bool(n, x->kids[i], &truth))
			return false;
		if (truth == (x->kind == NODE_OR))
			break;
	}
	return naive_yes(out, truth);
}

static inline bool naive_loop(struct naive *n, const struct node *x, struct expr_value *out)
{
	const struct expr_value *item = n->item;
	int64_t place = n->place, found = -1;
	struct expr_value list, *made, v, sum = expr_int_value(0);
	size_t yes = 0, asked = 0, kept = 0;

	if (!naive_eval(n, x->kids[0], &list) || list.kind != EXPR_LIST)
		return false;
	made = arena_get(n->run->arena, (list.list.n + 1) * sizeof *made);
	for (size_t i = 0; made && i < list.list.n; i++) {
		n->item = &list.list.at[i];
		n->place = (int64_t)i;
		if (!naive_eval(n, x->kids[1], &v))
			return false;
		if (x->op == LOOP_MAP) {
			made[kept++] = v;
			continue;
		}
		if (x->op == LOOP_SUM) {
			if (!naive_arithmetic(n, OP_ADD, &sum, &v, &sum))
				return false;
			continue;
		}
		if (v.kind != EXPR_BOOL)
			return false;
		asked++;
		yes += v.truth;
		if (v.truth && found < 0)
			found = (int64_t)i;
		if (x->op == LOOP_FILTER && v.truth)
			made[kept++] = *n->item;
		if ((v.truth && (x->op == LOOP_ANY || x->op == LOOP_NONE || x->op >= LOOP_FIND)) ||
		    (!v.truth && x->op == LOOP_ALL))
			break;
	}
	n->item = item;
	n->place = place;
	if (!made) {
		n->too_long = true;
		return false;
	}
	switch ((enum expr_loop)x->op) {
	case LOOP_ANY: return naive_yes(out, yes > 0);
	case LOOP_ALL: return naive_yes(out, yes == asked);
	case LOOP_NONE: return naive_yes(out, yes == 0);
	case LOOP_ONE: return naive_yes(out, yes == 1);
	case LOOP_COUNT: *out = expr_int_value((int64_t)yes); return true;
	case LOOP_SUM: *out = sum; return true;
	case LOOP_FIND: *out = found < 0 ? (struct expr_value){ .kind = EXPR_NIL } : list.list.at[found]; return true;
	case LOOP_FIND_INDEX:
		*out = found < 0 ? (struct expr_value){ .kind = EXPR_NIL } : expr_int_value(found);
		return true;
	default: *out = (struct expr_value){ .kind = EXPR_LIST, .list = { made, kept } }; return true;
	}
}

static inline bool naive_call(struct naive *n, const struct node *x, struct expr_value *out)
{
	struct expr_value *args = arena_get(n->run->arena, (x->n + 1) * sizeof *args);

	n->too_long = n->too_long || !args;
	for (size_t i = 0; i < x->n; i++) {
		if (!args || !naive_eval(n, x->kids[i], &args[i]))
			return false;
		if (n->chain_ends)
			return true;
		if (i == 0 && x->optional && args[0].kind == EXPR_NIL) {
			n->chain_ends = true;
			*out = args[0];
			return true;
		}
	}
	if (!args)
		return false;
	switch (x->kind) {
	case NODE_LIST: *out = (struct expr_value){ .kind = EXPR_LIST, .list = { args, x->n } }; return true;
	case NODE_FUNCTION: return expr_function_call(n->run, n->world->data, x->function, args, x->n, out);
	case NODE_CALL: return n->world->call(n->run, x->number, args, x->n, out);
	case NODE_METHOD: return expr_op_method(n->run, args, x->n, x->name, out);
	default: return false;
	}
}

static inline bool naive_member(struct naive *n, const struct node *x, struct expr_value *out)
{
	struct expr_value of, index, from, to;

	*out = (struct expr_value){ .kind = EXPR_NIL };
	if (!naive_eval(n, x->kids[0], &of))
		return false;
	if (n->chain_ends)
		return true;
	if (x->optional && of.kind == EXPR_NIL) {
		n->chain_ends = true;
		return true;
	}
	if (x->kind == NODE_MEMBER)
		return expr_op_member(n->run, &of, x->name, out);
	if (x->kind == NODE_INDEX)
		return naive_eval(n, x->kids[1], &index) && expr_op_index(n->run, &of, &index, out);
	return (!x->kids[1] || naive_eval(n, x->kids[1], &from)) && (!x->kids[2] || naive_eval(n, x->kids[2], &to)) &&
	       expr_op_slice(n->run, &of, x->kids[1] ? &from : NULL, x->kids[2] ? &to : NULL, out);
}

static inline bool naive_chain(struct naive *n, const struct node *x, struct expr_value *out)
{
	bool ok = naive_eval(n, x->kids[0], out);

	if (n->chain_ends)
		*out = (struct expr_value){ .kind = EXPR_NIL };
	n->chain_ends = false;
	return ok;
}

static inline bool naive_eval(struct naive *n, const struct node *x, struct expr_value *out)
{
	bool truth;

	*out = (struct expr_value){ .kind = EXPR_NIL };
	if (!n->steps--) {
		n->too_long = true;
		n->steps = 0;
		return false;
	}
	n->run->steps = EXPR_STEPS;
	switch ((enum expr_node)x->kind) {
	case NODE_CONST: *out = x->value; return true;
	case NODE_LOAD: return n->world->load(n->run, x->number, out);
	case NODE_LOCAL: *out = n->local[x->number]; return true;
	case NODE_ITEM: *out = *n->item; return true;
	case NODE_PLACE: *out = expr_int_value(n->place); return true;
	case NODE_MEMBER: case NODE_INDEX: case NODE_SLICE: return naive_member(n, x, out);
	case NODE_NOT: return naive_bool(n, x->kids[0], &truth) && naive_yes(out, !truth);
	case NODE_MINUS: return naive_eval(n, x->kids[0], out) && expr_op_minus(n->run, out);
	case NODE_PLUS: return naive_eval(n, x->kids[0], out) && (out->kind == EXPR_INT || out->kind == EXPR_FLOAT);
	case NODE_BINARY: return naive_binary(n, x, out);
	case NODE_AND: case NODE_OR: return naive_junction(n, x, out);
	case NODE_ELSE: return naive_eval(n, x->kids[0], out) && (out->kind != EXPR_NIL || naive_eval(n, x->kids[1], out));
	case NODE_COND: return naive_bool(n, x->kids[0], &truth) && naive_eval(n, x->kids[truth ? 1 : 2], out);
	case NODE_LET: return naive_eval(n, x->kids[0], &n->local[x->number]) && naive_eval(n, x->kids[1], out);
	case NODE_SEQUENCE:
		for (size_t i = 0; i < x->n; i++)
			if (!naive_eval(n, x->kids[i], out))
				return false;
		return true;
	case NODE_LIST: case NODE_FUNCTION: case NODE_CALL: case NODE_METHOD: return naive_call(n, x, out);
	case NODE_LOOP: return naive_loop(n, x, out);
	case NODE_CHAIN: return naive_chain(n, x, out);
	}
	return false;
}

/* False: it fails. *too_long: it cannot be said. */
static inline bool naive_value(const struct node *root, const struct expr_world *world, struct expr_run *run,
			       struct expr_value *out, bool *too_long)
{
	struct naive n = { .run = run, .world = world, .steps = NAIVE_STEPS };
	bool ok;

	run->failed = NULL;
	ok = naive_eval(&n, root, out);
	*too_long = n.too_long;
	return ok;
}

/* ---- needs ---- */

static inline bool naive_atom(struct expr_run *run, const struct expr_world *world, const struct expr_atom *a)
{
	struct expr_value v;
	struct bytes text;
	struct regex *r;
	size_t from, to;
	bool yes;

	if (!world->load(run, a->load, &v) || v.kind != EXPR_TEXT || !expr_view_of(run->arena, a->view, v.text, &text))
		return false;
	switch (a->test) {
	case EXPR_EQUALS:
		return a->caseless ? bytes_eq_nocase(text, a->text) : bytes_eq(text, a->text);
	case EXPR_STARTS:
		return a->caseless ? bytes_starts_nocase(text, a->text) : bytes_starts(text, a->text);
	case EXPR_ENDS:
		text = bytes_from(text, text.len < a->text.len ? text.len : text.len - a->text.len);
		return a->caseless ? bytes_eq_nocase(text, a->text) : bytes_eq(text, a->text);
	case EXPR_CONTAINS:
		return (a->caseless ? bytes_find_nocase(text, a->text) : bytes_find(text, a->text)) != SIZE_MAX;
	case EXPR_MATCHES:
		r = regex_new(a->text, PATTERN_GO | (a->caseless ? PATTERN_CASELESS : 0), NULL);
		yes = r && regex_find(r, text, &from, &to) != REGEX_NO;
		regex_free(r);
		return yes;
	}
	return false;
}

static inline bool naive_needs_met(struct expr_run *run, const struct expr_world *world, const struct expr_need *needs,
				   size_t n)
{
	for (size_t i = 0; i < n; i++) {
		bool met = false;

		for (size_t k = 0; !met && k < needs[i].n; k++)
			met = naive_atom(run, world, &needs[i].at[k]);
		if (!met)
			return false;
	}
	return true;
}
#endif
