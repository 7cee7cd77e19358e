/* expr_run.c -- the stack machine.
 *
 * The compiler has seen to it that no stack is too small. Each instruction costs a step, and what works through long texts
 * or lists costs more of them, so that a run ends. Nothing is allocated unless a text or a list is made. */
#include "base/expr_code.h"
#include "base/matcher.h"
#include "base/text.h"

enum { BYTES_A_STEP = 256 };

struct frame {
	const struct expr_value *at;
	size_t n, i, count;
	struct expr_value *made; /* filter, map */
	struct expr_value sum;
};

struct machine {
	struct expr_run *run;
	const struct expr *x;
	struct expr_value *top; /* one above */
	unsigned frames;
	struct frame frame[EXPR_LOOPS];
	struct expr_value local[EXPR_LOCALS];
	struct expr_value stack[EXPR_STACK];
};

/* Written into its place: a value that is put together elsewhere, and copied at once, is not in the cache yet as a whole. */
static void set_bool(struct expr_value *v, bool truth)
{
	v->kind = EXPR_BOOL;
	v->truth = truth;
}

static bool want_bool(struct machine *m)
{
	return m->top[-1].kind == EXPR_BOOL ||
	       expr_failf(m->run, "%s where a bool is wanted", expr_kind_name(m->top[-1].kind));
}

/* ---- texts against constants ---- */

static bool no_text(struct machine *m, enum expr_op op, bool caseless)
{
	enum expr_kind k = m->top[-1].kind;

	if (caseless)
		return expr_failf(m->run, "Upper() and Lower() do not take %s", expr_kind_name(k));
	if (op != OP_EQ && op != OP_NE && op != OP_IN && k != EXPR_NIL)
		return expr_failf(m->run, "'%s' is not for %s and string", expr_op_name(op), expr_kind_name(k));
	set_bool(&m->top[-1], op == OP_NE);
	return true;
}

static bool passes(const struct expr_code_test *t, struct bytes b)
{
	switch (t->op) {
	case OP_EQ:
		return t->caseless ? bytes_eq_nocase(b, t->text) : bytes_eq(b, t->text);
	case OP_NE:
		return !(t->caseless ? bytes_eq_nocase(b, t->text) : bytes_eq(b, t->text));
	case OP_STARTS:
		return t->caseless ? bytes_starts_nocase(b, t->text) : bytes_starts(b, t->text);
	case OP_ENDS:
		return t->caseless ? b.len >= t->text.len && bytes_eq_nocase(bytes_from(b, b.len - t->text.len), t->text) :
				     bytes_ends(b, t->text);
	default:
		return (t->caseless ? bytes_find_nocase(b, t->text) : bytes_find(b, t->text)) != SIZE_MAX;
	}
}

static bool test(struct machine *m, const struct expr_code_test *t)
{
	struct expr_value *v = &m->top[-1];

	if (v->kind != EXPR_TEXT)
		return no_text(m, t->op, t->caseless);
	if (v->text.len >= BYTES_A_STEP && !expr_charge(m->run, v->text.len / BYTES_A_STEP))
		return false;
	set_bool(v, passes(t, v->text));
	return true;
}

static bool match(struct machine *m, const struct regex *r)
{
	struct expr_value *v = &m->top[-1];
	enum regex_result found;
	size_t from, to;

	if (v->kind != EXPR_TEXT)
		return no_text(m, OP_MATCHES, false);
	if (!expr_charge(m->run, v->text.len / BYTES_A_STEP))
		return false;
	found = regex_find(r, v->text, &from, &to);
	set_bool(v, found == REGEX_YES);
	return found != REGEX_LIMIT || expr_fail(m->run, "an expression backtracks too much");
}

static void in(struct machine *m, const struct expr_value *list)
{
	struct expr_value *v = &m->top[-1];
	bool yes = false;

	for (size_t i = 0; v->kind == EXPR_TEXT && !yes && i < list->list.n; i++)
		yes = bytes_eq(v->text, list->list.at[i].text);
	set_bool(v, yes);
}

static bool set(struct machine *m, const struct expr_code_set *s)
{
	struct expr_value *v = &m->top[-1];
	bool yes;

	if (v->kind != EXPR_TEXT)
		return no_text(m, s->op, s->caseless);
	if (!expr_charge(m->run, v->text.len / BYTES_A_STEP) || !expr_set_has(m->run, s->set, v->text, &yes))
		return false;
	set_bool(v, yes);
	return true;
}

static bool regexps(struct machine *m, const struct expr_file *f)
{
	struct expr_value *v = &m->top[-1];
	bool yes;

	if (v->kind != EXPR_TEXT)
		return expr_failf(m->run, "RegexpInFile() does not take %s as argument 1", expr_kind_name(v->kind));
	if (!expr_charge(m->run, v->text.len / BYTES_A_STEP) || !expr_file_match(m->run, f, v->text, &yes))
		return false;
	set_bool(v, yes);
	return true;
}

/* ---- operators ---- */

static bool binary(struct machine *m, enum expr_op op)
{
	struct expr_value out = { .kind = EXPR_NIL };

	m->top--;
	if (!expr_op(m->run, op, &m->top[-1], &m->top[0], &out))
		return false;
	m->top[-1] = out;
	return true;
}

static bool sign(struct machine *m, bool minus)
{
	struct expr_value plus = m->top[-1];

	if (!expr_op_minus(m->run, minus ? &m->top[-1] : &plus)) /* which says that it is no number */
		return false;
	return true;
}

static bool slice(struct machine *m, unsigned n)
{
	struct expr_value *to = n & 2 ? --m->top : NULL, *from = n & 1 ? --m->top : NULL, out = { .kind = EXPR_NIL };

	if (!expr_op_slice(m->run, &m->top[-1], from, to, &out))
		return false;
	m->top[-1] = out;
	return true;
}

static bool indexed(struct machine *m)
{
	struct expr_value out = { .kind = EXPR_NIL };

	m->top--;
	if (!expr_op_index(m->run, &m->top[-1], &m->top[0], &out))
		return false;
	m->top[-1] = out;
	return true;
}

static bool member(struct machine *m, const struct bytes *name)
{
	struct expr_value out = { .kind = EXPR_NIL };

	if (!expr_op_member(m->run, &m->top[-1], *name, &out))
		return false;
	m->top[-1] = out;
	return true;
}

/* ---- values that are made ---- */

static bool list(struct machine *m, size_t n)
{
	struct expr_value *at = arena_get(m->run->arena, (n + 1) * sizeof *at);

	if (!at)
		return expr_fail(m->run, "out of memory");
	m->top -= n;
	memcpy(at, m->top, n * sizeof *at);
	*m->top++ = (struct expr_value){ .kind = EXPR_LIST, .list = { at, n } };
	return true;
}

static bool load(struct machine *m, uint32_t number)
{
	m->top->kind = EXPR_NIL;
	return m->x->world.load(m->run, number, m->top++) || expr_fail(m->run, "a name could not be read");
}

static bool call(struct machine *m, const struct expr_code *c)
{
	struct expr_value out = { .kind = EXPR_NIL };
	bool ok;

	m->top -= c->n;
	if (c->what == DO_FUNCTION)
		ok = expr_function_call(m->run, m->x->world.data, c->with, m->top, c->n, &out);
	else if (c->what == DO_METHOD)
		ok = expr_op_method(m->run, m->top, c->n, *(const struct bytes *)c->with, &out);
	else
		ok = m->x->world.call(m->run, c->to, m->top, c->n, &out) ||
		     expr_fail(m->run, "a function of the host failed");
	*m->top++ = out;
	return ok;
}

/* ---- loops ---- */

static struct expr_value loop_result(const struct frame *f, enum expr_loop which)
{
	switch (which) {
	case LOOP_ALL: case LOOP_NONE:
		return expr_bool_value(true); /* as nothing ended it */
	case LOOP_ONE:
		return expr_bool_value(f->count == 1);
	case LOOP_FILTER: case LOOP_MAP:
		return (struct expr_value){ .kind = EXPR_LIST, .list = { f->made, f->count } };
	case LOOP_COUNT:
		return expr_int_value((int64_t)f->count);
	case LOOP_SUM:
		return f->sum;
	case LOOP_FIND: case LOOP_FIND_INDEX:
		return (struct expr_value){ .kind = EXPR_NIL };
	default:
		return expr_bool_value(false);
	}
}

/* Takes the list; *empty: its result is there already. */
static bool loop_begin(struct machine *m, enum expr_loop which, bool *empty)
{
	struct expr_value *v = &m->top[-1];
	struct frame *f = &m->frame[m->frames];

	if (v->kind != EXPR_LIST)
		return expr_failf(m->run, "%s where a list is wanted", expr_kind_name(v->kind));
	*f = (struct frame){ .at = v->list.at, .n = v->list.n, .sum = expr_int_value(0) };
	*empty = !f->n;
	if (*empty) {
		*v = loop_result(f, which);
		return true;
	}
	if (which == LOOP_FILTER || which == LOOP_MAP)
		f->made = arena_get(m->run->arena, f->n * sizeof *f->made);
	if ((which == LOOP_FILTER || which == LOOP_MAP) && !f->made)
		return expr_fail(m->run, "out of memory");
	m->top--;
	m->frames++;
	return true;
}

static bool loop_sum(struct machine *m, struct frame *f, const struct expr_value *v)
{
	struct expr_value sum;

	if (!expr_op(m->run, OP_ADD, &f->sum, v, &sum))
		return false;
	f->sum = sum;
	return true;
}

/* What the predicate said of one item; *ends: nothing more is to be asked, and *out is the result. */
static bool loop_take(struct machine *m, struct frame *f, enum expr_loop which, const struct expr_value *v, bool *ends,
		      struct expr_value *out)
{
	*ends = false;
	if (which == LOOP_MAP)
		f->made[f->count++] = *v;
	if (which == LOOP_SUM)
		return loop_sum(m, f, v);
	if (which == LOOP_MAP)
		return true;
	if (v->kind != EXPR_BOOL)
		return expr_failf(m->run, "%s where a bool is wanted", expr_kind_name(v->kind));
	if (which == LOOP_FILTER && v->truth)
		f->made[f->count] = f->at[f->i];
	f->count += v->truth;
	*ends = which == LOOP_ALL ? !v->truth : v->truth && (which == LOOP_ANY || which == LOOP_NONE || which >= LOOP_FIND);
	*out = which == LOOP_FIND         ? f->at[f->i]
	       : which == LOOP_FIND_INDEX ? expr_int_value((int64_t)f->i)
					  : expr_bool_value(which == LOOP_ANY);
	return true;
}

/* *more: the body is to be run for the next item. */
static bool loop_next(struct machine *m, enum expr_loop which, bool *more)
{
	struct frame *f = &m->frame[m->frames - 1];
	struct expr_value *v = &m->top[-1], out;
	bool ends;

	if (!loop_take(m, f, which, v, &ends, &out))
		return false;
	*more = !ends && ++f->i < f->n;
	if (*more) {
		m->top--;
		return true;
	}
	*v = ends ? out : loop_result(f, which);
	m->frames--;
	return true;
}

/* ---- the machine ---- */

/* Instructions that only go on to the next. */
static bool step(struct machine *m, const struct expr_code *c)
{
	const struct frame *f = m->frames ? &m->frame[m->frames - 1] : NULL;

	switch ((enum expr_do)c->what) {
	case DO_PUSH: *m->top++ = *(const struct expr_value *)c->with; return true;
	case DO_LOAD: return load(m, c->to);
	case DO_LOCAL: *m->top++ = m->local[c->n]; return true;
	case DO_KEEP: m->local[c->n] = *--m->top; return true;
	case DO_ITEM: *m->top++ = f->at[f->i]; return true;
	case DO_PLACE: *m->top++ = expr_int_value((int64_t)f->i); return true;
	case DO_POP: m->top--; return true;
	case DO_MEMBER: return member(m, c->with);
	case DO_INDEX: return indexed(m);
	case DO_SLICE: return slice(m, c->n);
	case DO_NOT:
		if (!want_bool(m))
			return false;
		m->top[-1].truth = !m->top[-1].truth;
		return true;
	case DO_MINUS: return sign(m, true);
	case DO_PLUS: return sign(m, false);
	case DO_BOOL: return want_bool(m);
	case DO_BINARY: return binary(m, (enum expr_op)c->n);
	case DO_TEST: return test(m, c->with);
	case DO_MATCH: return match(m, c->with);
	case DO_IN: in(m, c->with); return true;
	case DO_SET: return set(m, c->with);
	case DO_REGEXPS: return regexps(m, c->with);
	case DO_LIST: return list(m, c->n);
	default: return call(m, c);
	}
}

/* Where a jump goes on; NULL: the run has failed. */
static const struct expr_code *jump(struct machine *m, const struct expr_code *c, const struct expr_code *target)
{
	struct expr_value *v = &m->top[-1];
	bool flag = false;

	switch ((enum expr_do)c->what) {
	case DO_JUMP:
		return target;
	case DO_UNLESS:
		m->top -= want_bool(m);
		return m->run->failed ? NULL : v->truth ? c + 1 : target;
	case DO_AND: case DO_OR:
		if (!want_bool(m))
			return NULL;
		if (v->truth == (c->what == DO_OR))
			return target;
		m->top--;
		return c + 1;
	case DO_IF_NIL:
		return v->kind == EXPR_NIL ? target : c + 1;
	case DO_ELSE:
		if (v->kind != EXPR_NIL)
			return target;
		m->top--;
		return c + 1;
	case DO_LOOP:
		return !loop_begin(m, (enum expr_loop)c->n, &flag) ? NULL : flag ? target : c + 1;
	default:
		return !loop_next(m, (enum expr_loop)c->n, &flag) ? NULL : flag ? target : c + 1;
	}
}

static bool jumps(unsigned what)
{
	return (what >= DO_JUMP && what <= DO_ELSE) || what == DO_LOOP || what == DO_NEXT;
}

bool expr_run(const struct expr *x, struct expr_run *run, struct expr_value *out)
{
	struct machine m;
	const struct expr_code *c = x->code;

	m.run = run;
	m.x = x;
	m.top = m.stack;
	m.frames = 0;
	run->failed = NULL;
	while (c && c->what != DO_END) {
		if (!run->steps)
			return expr_fail(run, "it takes too many steps");
		run->steps--;
		if (jumps(c->what))
			c = jump(&m, c, x->code + c->to);
		else
			c = step(&m, c) ? c + 1 : NULL;
	}
	if (c)
		*out = m.stack[0];
	return c != NULL;
}

bool expr_true(const struct expr *x, struct expr_run *run)
{
	struct expr_value v;

	return expr_run(x, run, &v) && v.kind == EXPR_BOOL && v.truth;
}
