/* expr_ops.c -- what operators do to values.
 *
 * As expr-lang does it: integers wrap round, `/` and `**` give floats, an integer and a float are compared as numbers, and
 * values of different kinds are not equal. Whatever else does not fit together fails the run. Unlike there, a division by
 * zero fails too. A text operator of nil is false. */
#include "base/expr_tree.h"
#include "base/matcher.h"
#include "base/text.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

enum { BYTES_A_STEP = 256, REGEX_STEPS = 100, RANGE_MAX = 10000 };

bool expr_fail(struct expr_run *run, const char *why)
{
	if (!run->failed)
		run->failed = why;
	return false;
}

bool expr_failf(struct expr_run *run, const char *fmt, ...)
{
	char why[200];
	va_list ap;
	int n;

	if (run->failed)
		return false;
	va_start(ap, fmt);
	n = vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	run->failed = arena_str(run->arena, (struct bytes){ why, n < 0                    ? 0
								 : (size_t)n < sizeof why ? (size_t)n
											  : sizeof why - 1 });
	return expr_fail(run, "out of memory"); /* unless it says why already */
}

bool expr_charge(struct expr_run *run, size_t steps)
{
	if (steps > run->steps) {
		run->steps = 0;
		return expr_fail(run, "it takes too many steps");
	}
	run->steps -= (unsigned)steps;
	return true;
}

struct expr_value expr_text_value(struct bytes b)
{
	return (struct expr_value){ .kind = EXPR_TEXT, .text = b };
}

struct expr_value expr_bool_value(bool b)
{
	return (struct expr_value){ .kind = EXPR_BOOL, .truth = b };
}

struct expr_value expr_int_value(int64_t n)
{
	return (struct expr_value){ .kind = EXPR_INT, .number = n };
}

struct expr_value expr_float_value(double d)
{
	return (struct expr_value){ .kind = EXPR_FLOAT, .real = d };
}

const char *expr_kind_name(enum expr_kind k)
{
	static const char *const names[] = { "nil", "bool", "int", "float", "string", "array", "object" };

	return names[k];
}

const char *expr_op_name(enum expr_op op)
{
	static const char *const names[] = { "==", "!=", "<", "<=", ">", ">=", "in", "contains", "startsWith", "endsWith",
					     "matches", "..", "+", "-", "*", "/", "%", "**" };

	return names[op];
}

static bool is_number(const struct expr_value *v)
{
	return v->kind == EXPR_INT || v->kind == EXPR_FLOAT;
}

static double real_of(const struct expr_value *v)
{
	return v->kind == EXPR_INT ? (double)v->number : v->real;
}

static bool lists_equal(struct expr_run *run, const struct expr_value *a, const struct expr_value *b)
{
	if (a->list.n != b->list.n || !expr_charge(run, a->list.n))
		return false;
	for (size_t i = 0; i < a->list.n; i++)
		if (!expr_op_equal(run, &a->list.at[i], &b->list.at[i]))
			return false;
	return true;
}

bool expr_op_equal(struct expr_run *run, const struct expr_value *a, const struct expr_value *b)
{
	if (a->kind != b->kind)
		return is_number(a) && is_number(b) && real_of(a) == real_of(b);
	switch (a->kind) {
	case EXPR_NIL: return true;
	case EXPR_BOOL: return a->truth == b->truth;
	case EXPR_INT: return a->number == b->number;
	case EXPR_FLOAT: return a->real == b->real;
	case EXPR_TEXT: return bytes_eq(a->text, b->text);
	case EXPR_LIST: return lists_equal(run, a, b);
	case EXPR_OBJECT: return a->object.is == b->object.is && a->object.self == b->object.self;
	}
	return false;
}

static bool unfit(struct expr_run *run, enum expr_op op, const struct expr_value *a, const struct expr_value *b)
{
	return expr_failf(run, "'%s' is not for %s and %s", expr_op_name(op), expr_kind_name(a->kind),
			  expr_kind_name(b->kind));
}

static bool equality(struct expr_run *run, enum expr_op op, const struct expr_value *a, const struct expr_value *b,
		     struct expr_value *out)
{
	*out = expr_bool_value(expr_op_equal(run, a, b) == (op == OP_EQ));
	return !run->failed;
}

static bool order(struct expr_run *run, enum expr_op op, const struct expr_value *a, const struct expr_value *b,
		  struct expr_value *out)
{
	bool less, greater;

	if (a->kind == EXPR_INT && b->kind == EXPR_INT) {
		less = a->number < b->number;
		greater = a->number > b->number;
	} else if (is_number(a) && is_number(b)) {
		less = real_of(a) < real_of(b);
		greater = real_of(a) > real_of(b);
		if (isnan(real_of(a)) || isnan(real_of(b))) {
			*out = expr_bool_value(false);
			return true;
		}
	} else if (a->kind == EXPR_TEXT && b->kind == EXPR_TEXT) {
		less = bytes_cmp(a->text, b->text) < 0;
		greater = bytes_cmp(a->text, b->text) > 0;
	} else {
		return unfit(run, op, a, b);
	}
	*out = expr_bool_value(op == OP_LT ? less : op == OP_LE ? !greater : op == OP_GT ? greater : !less);
	return true;
}

/* Of a list, or of an object's members. */
static bool in(struct expr_run *run, const struct expr_value *a, const struct expr_value *b, struct expr_value *out)
{
	struct expr_value found;

	*out = expr_bool_value(false);
	if (b->kind == EXPR_NIL)
		return true;
	if (b->kind == EXPR_OBJECT && a->kind == EXPR_TEXT) {
		out->truth = b->object.is->get(run, b->object.self, a->text, &found) && found.kind != EXPR_NIL;
		run->failed = NULL; /* that there is no such member is the answer */
		return true;
	}
	if (b->kind != EXPR_LIST)
		return unfit(run, OP_IN, a, b);
	for (size_t i = 0; i < b->list.n && !out->truth && !run->failed; i++)
		out->truth = expr_charge(run, 1) && expr_op_equal(run, a, &b->list.at[i]);
	return !run->failed;
}

static bool texts(struct expr_run *run, enum expr_op op, const struct expr_value *a, const struct expr_value *b,
		  struct expr_value *out)
{
	if (a->kind == EXPR_NIL || b->kind == EXPR_NIL) {
		*out = expr_bool_value(false);
		return true;
	}
	if (a->kind != EXPR_TEXT || b->kind != EXPR_TEXT)
		return unfit(run, op, a, b);
	if (!expr_charge(run, a->text.len / BYTES_A_STEP))
		return false;
	*out = expr_bool_value(op == OP_STARTS ? bytes_starts(a->text, b->text) :
			       op == OP_ENDS ? bytes_ends(a->text, b->text) :
					       bytes_find(a->text, b->text) != SIZE_MAX);
	return true;
}

/* With an expression that is known only now; constant ones are compiled by expr_compile.c. */
static bool matches(struct expr_run *run, const struct expr_value *a, const struct expr_value *b, struct expr_value *out)
{
	enum regex_result r;
	struct regex *regex;
	struct err e = { 0 };
	size_t from, to;

	*out = expr_bool_value(false);
	if (a->kind == EXPR_NIL || b->kind == EXPR_NIL)
		return true;
	if (a->kind != EXPR_TEXT || b->kind != EXPR_TEXT)
		return unfit(run, OP_MATCHES, a, b);
	if (!expr_charge(run, REGEX_STEPS + (a->text.len + b->text.len) / BYTES_A_STEP))
		return false;
	regex = regex_new(b->text, PATTERN_GO, &e);
	if (!regex)
		return expr_failf(run, "no expression: %s", e.text);
	r = regex_find(regex, a->text, &from, &to);
	regex_free(regex);
	out->truth = r == REGEX_YES;
	return r != REGEX_LIMIT || expr_fail(run, "an expression backtracks too much");
}

static bool range(struct expr_run *run, const struct expr_value *a, const struct expr_value *b, struct expr_value *out)
{
	struct expr_value *at;
	uint64_t n;

	if (a->kind != EXPR_INT || b->kind != EXPR_INT)
		return unfit(run, OP_RANGE, a, b);
	n = b->number < a->number ? 0 : (uint64_t)b->number - (uint64_t)a->number + 1;
	if (b->number >= a->number && (n > RANGE_MAX || n == 0))
		return expr_failf(run, "a range of more than %d", RANGE_MAX);
	if (!expr_charge(run, n))
		return false;
	at = arena_get(run->arena, (n + 1) * sizeof *at);
	if (!at)
		return expr_fail(run, "out of memory");
	for (uint64_t i = 0; i < n; i++)
		at[i] = expr_int_value(a->number + (int64_t)i);
	*out = (struct expr_value){ .kind = EXPR_LIST, .list = { at, n } };
	return true;
}

static bool join(struct expr_run *run, struct bytes a, struct bytes b, struct expr_value *out)
{
	char *at = expr_charge(run, (a.len + b.len) / BYTES_A_STEP) ? arena_raw(run->arena, a.len + b.len + 1) : NULL;
	struct text t = text_over(at, a.len + b.len);

	if (!at)
		return expr_fail(run, "out of memory");
	text_put(&t, a);
	text_put(&t, b);
	*out = expr_text_value(text_bytes(&t));
	return true;
}

static bool integers(struct expr_run *run, enum expr_op op, int64_t a, int64_t b, struct expr_value *out)
{
	uint64_t x = (uint64_t)a, y = (uint64_t)b; /* which wrap round */

	if (op == OP_MOD && b == 0)
		return expr_fail(run, "division by zero");
	if (op == OP_MOD)
		*out = expr_int_value(b == -1 ? 0 : a % b);
	else
		*out = expr_int_value((int64_t)(op == OP_ADD ? x + y : op == OP_SUB ? x - y : x * y));
	return true;
}

static bool arithmetic(struct expr_run *run, enum expr_op op, const struct expr_value *a, const struct expr_value *b,
		       struct expr_value *out)
{
	double x, y;

	if (op == OP_ADD && a->kind == EXPR_TEXT && b->kind == EXPR_TEXT)
		return join(run, a->text, b->text, out);
	if (!is_number(a) || !is_number(b) || (op == OP_MOD && (a->kind != EXPR_INT || b->kind != EXPR_INT)))
		return unfit(run, op, a, b);
	if (a->kind == EXPR_INT && b->kind == EXPR_INT && op != OP_DIV && op != OP_POW)
		return integers(run, op, a->number, b->number, out);
	x = real_of(a);
	y = real_of(b);
	if (op == OP_DIV && y == 0)
		return expr_fail(run, "division by zero");
	*out = expr_float_value(op == OP_ADD   ? x + y
				: op == OP_SUB ? x - y
				: op == OP_MUL ? x * y
				: op == OP_DIV ? x / y
					       : pow(x, y));
	return true;
}

bool expr_op(struct expr_run *run, enum expr_op op, const struct expr_value *a, const struct expr_value *b,
	     struct expr_value *out)
{
	switch (op) {
	case OP_EQ: case OP_NE:
		return equality(run, op, a, b, out);
	case OP_LT: case OP_LE: case OP_GT: case OP_GE:
		return order(run, op, a, b, out);
	case OP_IN:
		return in(run, a, b, out);
	case OP_CONTAINS: case OP_STARTS: case OP_ENDS:
		return texts(run, op, a, b, out);
	case OP_MATCHES:
		return matches(run, a, b, out);
	case OP_RANGE:
		return range(run, a, b, out);
	default:
		return arithmetic(run, op, a, b, out);
	}
}

bool expr_op_minus(struct expr_run *run, struct expr_value *v)
{
	if (!is_number(v))
		return expr_failf(run, "'-' is not for %s", expr_kind_name(v->kind));
	if (v->kind == EXPR_INT)
		v->number = (int64_t)(0 - (uint64_t)v->number);
	else
		v->real = -v->real;
	return true;
}

bool expr_op_member(struct expr_run *run, const struct expr_value *of, struct bytes name, struct expr_value *out)
{
	if (of->kind != EXPR_OBJECT)
		return expr_failf(run, "%s has no member '%.*s'", expr_kind_name(of->kind),
				  (int)(name.len > 60 ? 60 : name.len), name.at);
	if (of->object.is->get(run, of->object.self, name, out))
		return true;
	return expr_failf(run, "%s has no member '%.*s'", of->object.is->name, (int)(name.len > 60 ? 60 : name.len),
			  name.at);
}

/* The place of index i among n, from the end where it is negative; false: there is none. */
static bool place(int64_t i, size_t n, size_t *out)
{
	if (i < 0)
		i += (int64_t)n;
	*out = (size_t)i;
	return i >= 0 && (uint64_t)i < n;
}

bool expr_op_index(struct expr_run *run, const struct expr_value *of, const struct expr_value *i, struct expr_value *out)
{
	struct expr_value copy = *of;
	size_t at;

	if (of->kind == EXPR_OBJECT && i->kind == EXPR_TEXT)
		return expr_op_member(run, of, i->text, out);
	if ((of->kind != EXPR_LIST && of->kind != EXPR_TEXT) || i->kind != EXPR_INT)
		return expr_failf(run, "%s has no index of kind %s", expr_kind_name(of->kind), expr_kind_name(i->kind));
	if (!place(i->number, of->kind == EXPR_LIST ? of->list.n : of->text.len, &at))
		return expr_failf(run, "index %lld is out of range", (long long)i->number);
	*out = copy.kind == EXPR_LIST ? copy.list.at[at] : expr_int_value((unsigned char)copy.text.at[at]);
	return true;
}

/* A slice's end: clamped, from the end where it is negative. */
static size_t clamp(int64_t i, size_t n)
{
	if (i < 0)
		i += (int64_t)n;
	return i < 0 ? 0 : (uint64_t)i > n ? n : (size_t)i;
}

bool expr_op_slice(struct expr_run *run, const struct expr_value *of, const struct expr_value *from,
		   const struct expr_value *to, struct expr_value *out)
{
	struct expr_value copy = *of;
	size_t n = of->kind == EXPR_LIST ? of->list.n : of->text.len, a, b;

	if ((of->kind != EXPR_LIST && of->kind != EXPR_TEXT) || (from && from->kind != EXPR_INT) ||
	    (to && to->kind != EXPR_INT))
		return expr_failf(run, "%s cannot be sliced so", expr_kind_name(of->kind));
	a = from ? clamp(from->number, n) : 0;
	b = to ? clamp(to->number, n) : n;
	if (a > b)
		a = b;
	if (copy.kind == EXPR_TEXT)
		*out = expr_text_value(bytes_sub(copy.text, a, b));
	else
		*out = (struct expr_value){ .kind = EXPR_LIST,
					    .list = { copy.list.n ? copy.list.at + a : copy.list.at, b - a } };
	return true;
}

bool expr_op_method(struct expr_run *run, const struct expr_value *args, size_t n, struct bytes name,
		    struct expr_value *out)
{
	const struct expr_object *is = args[0].kind == EXPR_OBJECT ? args[0].object.is : NULL;
	struct expr_value made;

	if (is && is->call && is->call(run, args[0].object.self, name, args + 1, n - 1, &made)) {
		*out = made;
		return true;
	}
	return expr_failf(run, "%s has no method '%.*s'", is ? is->name : expr_kind_name(args[0].kind),
			  (int)(name.len > 60 ? 60 : name.len), name.at);
}
