/* expr_needs.c -- what must be so for an expression to be true.
 *
 * A walk over the tree that asks of each part what follows from its being true, or false: of `a and b` both, of `a or b`
 * one of each, of `c ? a : b` either c and a, or not c and b. Names that `let` binds are followed; in `any(File("f"),
 * {...})` the closure is walked once for each line. What is not understood says nothing, which is always right.
 *
 * It is taken that a name loads the same before and during a run: what the host's functions change meanwhile (SetMeta) is
 * not seen. A need of no atoms says that the expression is never true. */
#include "base/expr_code.h"
#include "base/expr_functions.h"

enum {
	PRODUCT_MAX = 16,    /* needs that come of an `or`; where there would be more, there is one */
	ATOMS_MAX = 1 << 17, /* in one need */
	VISITS_MAX = 1 << 20,
	EXPRESSIONS_MAX = 32, /* in one need: a file of more is one database already, which the filter asks in one pass */
};

struct needs {
	bool never;
	struct expr_need *at;
	size_t n, cap;
};

struct walk {
	struct arena *arena;
	const struct expr_data *data;
	const struct expr_value *item; /* what # is; NULL: not known */
	unsigned visits;               /* that are left */
	bool gave_up;                  /* no memory, or too much to look at */
};

/* A name as it is tested. */
struct subject {
	uint32_t load;
	enum expr_view view;
	bool caseless;
	bool part; /* it is a piece of the name's text only */
};

static struct needs needs_of(struct walk *w, const struct node *x, bool want);

static const struct needs nothing = { false, NULL, 0, 0 }, never = { true, NULL, 0, 0 };

static void *room(struct walk *w, size_t n)
{
	void *at = arena_get(w->arena, n + 1);

	w->gave_up = w->gave_up || !at;
	return at;
}

/* Both hold. */
static struct needs both(struct walk *w, struct needs a, struct needs b)
{
	struct expr_need *at;

	if (a.never || b.never)
		return never;
	if (!a.n || !b.n)
		return a.n ? a : b;
	at = arena_grow(w->arena, a.at, &a.cap, a.n + b.n, sizeof *at);
	if (!at) {
		w->gave_up = true;
		return nothing;
	}
	memcpy(at + a.n, b.at, b.n * sizeof *at);
	a.at = at;
	a.n += b.n;
	return a;
}

/* ---- or ---- */

static bool atom_eq(const struct expr_atom *a, const struct expr_atom *b)
{
	return a->load == b->load && a->view == b->view && a->test == b->test && a->caseless == b->caseless &&
	       bytes_eq(a->text, b->text);
}

/* Among those that were added last: a list of thousands may repeat itself. */
static bool has_atom(const struct expr_atom *at, size_t n, const struct expr_atom *a)
{
	for (size_t i = n; i-- > 0 && n - i <= 8;)
		if (atom_eq(&at[i], a))
			return true;
	return false;
}

/* Few atoms are better than many, and long ones than short. */
static size_t best(const struct needs *x)
{
	size_t least = 0;

	for (size_t i = 1; i < x->n; i++) {
		const struct expr_need *a = &x->at[i], *b = &x->at[least];

		if (a->n < b->n || (a->n == b->n && a->n && a->at[0].text.len > b->at[0].text.len))
			least = i;
	}
	return least;
}

/* Which need of an alternative is taken: each with each; or the first of all, then the second of all, which is right for
 * what a closure gives for the lines of a file; or the best alone. */
enum choice { CHOICE_PRODUCT, CHOICE_ALIGNED, CHOICE_BEST };

static const struct expr_need *chosen(const struct needs *x, enum choice how, size_t rest)
{
	return &x->at[how == CHOICE_PRODUCT ? rest % x->n : how == CHOICE_ALIGNED ? rest : best(x)];
}

/* Adds the atoms of one need of each alternative. */
static bool unite(struct walk *w, const struct needs *all, size_t n, enum choice how, size_t which, struct expr_need *out)
{
	struct expr_atom *at;
	size_t total = 0, divide;

	for (size_t i = 0, rest = which; i < n; rest /= divide, i++) {
		divide = how == CHOICE_PRODUCT ? all[i].n : 1;
		total += chosen(&all[i], how, rest)->n;
	}
	if (total > ATOMS_MAX || !(at = room(w, total * sizeof *at)))
		return false;
	out->n = 0;
	for (size_t i = 0, rest = which; i < n; rest /= divide, i++) {
		const struct expr_need *from = chosen(&all[i], how, rest);

		divide = how == CHOICE_PRODUCT ? all[i].n : 1;
		for (size_t k = 0; k < from->n; k++)
			if (!has_atom(at, out->n, &from->at[k]))
				at[out->n++] = from->at[k];
	}
	out->at = at;
	return true;
}

/* One of the alternatives holds. `alike`: they are one closure's. */
static struct needs either(struct walk *w, struct needs *all, size_t n, bool alike)
{
	struct needs out = nothing;
	size_t left = 0, product = 1;
	bool aligned = true;
	enum choice how;

	for (size_t i = 0; i < n; i++)
		if (!all[i].never)
			all[left++] = all[i];
	for (size_t i = 0; i < left; i++) {
		if (!all[i].n)
			return nothing;
		product = product > PRODUCT_MAX ? product : product * all[i].n;
		aligned = aligned && all[i].n == all[0].n && all[0].n <= PRODUCT_MAX;
	}
	if (left < 2)
		return left ? all[0] : never;
	how = alike && aligned ? CHOICE_ALIGNED : product <= PRODUCT_MAX ? CHOICE_PRODUCT : CHOICE_BEST;
	out.cap = how == CHOICE_PRODUCT ? product : how == CHOICE_ALIGNED ? all[0].n : 1;
	out.at = room(w, out.cap * sizeof *out.at);
	for (size_t i = 0; out.at && i < out.cap; i++)
		out.n += unite(w, all, left, how, i, &out.at[out.n]);
	return out;
}

/* ---- atoms ---- */

static bool is_trim(const struct node *x)
{
	static expr_fn *const trims[] = { fn_trim, fn_trim_left, fn_trim_right, fn_trim_prefix, fn_trim_suffix };

	for (size_t i = 0; x->kind == NODE_FUNCTION && i < nelems(trims); i++)
		if (x->function->run == trims[i])
			return true;
	return x->kind == NODE_SLICE;
}

/* From the outermost function to the name. False: there is no name in it, or it is read in a way that no atom has. */
static bool subject(const struct node *x, struct subject *s)
{
	const struct node *inner;

	*s = (struct subject){ .view = EXPR_AS_IS };
	for (;; x = inner) {
		if (x->kind == NODE_LOAD) {
			s->load = x->number;
			return true;
		}
		if (x->kind == NODE_LOCAL) {
			inner = x->bound;
		} else if (expr_is_upper(x, &inner) || expr_is_lower(x, &inner)) {
			s->caseless = true;
		} else if (is_trim(x) && s->view == EXPR_AS_IS) {
			s->part = true; /* under a view a piece might cut an escape */
			inner = x->kids[0];
		} else if (x->kind == NODE_FUNCTION && s->view == EXPR_AS_IS &&
			   (x->function->run == fn_query_unescape || x->function->run == fn_path_unescape)) {
			s->view = x->function->run == fn_query_unescape ? EXPR_QUERY_UNESCAPED : EXPR_PATH_UNESCAPED;
			inner = x->kids[0];
		} else {
			return false;
		}
	}
}

/* Does a class that is negated, "[^...]", leave all letters in? *i: behind the "^". */
static bool class_is_even(struct bytes p, size_t *i)
{
	for (bool first = true; *i < p.len; first = false) {
		char c = p.at[(*i)++];

		if (c == ']' && !first)
			return true;
		if (c == '\\' && *i < p.len) {
			c = p.at[(*i)++];
			if (bytes_index(BYTES("dswDW/\\.-+?*()[]{}|^$&=%\"':;,<>!#@~_ nrt"), c) == SIZE_MAX)
				return false;
			continue;
		}
		if ((byte_lower(c) >= 'a' && byte_lower(c) <= 'z') || c == '-' || c == '[')
			return false;
	}
	return false;
}

/* Would what matches an upper or lower copy match the text itself when case is ignored? Not with classes that leave letters
 * out, look-arounds, groups that do not go back, or anything else that is not plainly monotonous. */
static bool ignores_case(struct bytes p)
{
	static const char *const groups[] = { "?:", "?P<", "?i)", "?i:" };

	for (size_t i = 0; i < p.len;) {
		char c = p.at[i++];
		bool known = true;

		if (c == '\\')
			known = i < p.len && bytes_index(BYTES("dswDWSbBnrtAz/\\.-+?*()[]{}|^$&=%\"':;,<>!#@~_ "),
							 p.at[i++]) != SIZE_MAX;
		else if (c == '[' && i < p.len && p.at[i] == '^')
			known = class_is_even(p, (i++, &i));
		else if (c == '[' && i < p.len && p.at[i] == ']')
			i++;
		else if (c == '[' && bytes_starts(bytes_from(p, i), BYTES(":^")))
			known = false;
		else if (c == '(' && i < p.len && (p.at[i] == '?' || p.at[i] == '*')) {
			known = false;
			for (size_t k = 0; k < nelems(groups); k++)
				known = known || bytes_starts(bytes_from(p, i), bytes_of(groups[k]));
		} else if (bytes_index(BYTES("?*+}"), c) != SIZE_MAX && i < p.len && p.at[i] == '+') {
			known = false; /* possessive */
		}
		if (!known)
			return false;
	}
	return true;
}

/* False: it says nothing. */
static bool atom_of(const struct subject *s, enum expr_test test, struct bytes text, struct expr_atom *out)
{
	if (test == EXPR_MATCHES && (s->part || (s->caseless && !ignores_case(text))))
		return false;
	if (s->part)
		test = EXPR_CONTAINS;
	*out = (struct expr_atom){ s->load, s->view, test, s->caseless, text };
	return text.len > 0 || test == EXPR_EQUALS || test == EXPR_MATCHES;
}

static struct needs one_need(struct walk *w, const struct expr_atom *atoms, size_t n)
{
	struct needs out = { false, room(w, sizeof *out.at), 1, 1 };

	if (!out.at)
		return nothing;
	out.at[0] = (struct expr_need){ atoms, n };
	return n ? out : never;
}

static struct needs one_atom(struct walk *w, const struct node *x, enum expr_test test, const struct node *text)
{
	struct expr_value v;
	struct subject s;
	struct expr_atom *a;

	if (!subject(x, &s) || !expr_known(w->arena, w->data, text, w->item, &v) || v.kind != EXPR_TEXT ||
	    !(a = room(w, sizeof *a)))
		return nothing;
	return atom_of(&s, test, v.text, a) ? one_need(w, a, 1) : nothing;
}

static struct needs in_list(struct walk *w, const struct node *x)
{
	struct expr_value list;
	struct expr_atom *a;
	struct subject s;

	if (!subject(x->kids[0], &s) || !expr_known(w->arena, w->data, x->kids[1], w->item, &list) ||
	    list.kind != EXPR_LIST || !(a = room(w, list.list.n * sizeof *a)))
		return nothing;
	for (size_t i = 0; i < list.list.n; i++)
		if (list.list.at[i].kind != EXPR_TEXT || !atom_of(&s, EXPR_EQUALS, list.list.at[i].text, &a[i]))
			return nothing;
	return one_need(w, a, list.list.n);
}

static struct needs regexps(struct walk *w, const struct node *x)
{
	const struct expr_file *f = NULL;
	const struct expr_value *lines;
	struct expr_value name;
	struct expr_atom *a;
	struct subject s;
	size_t n;

	if (w->data && expr_known(w->arena, w->data, x->kids[1], w->item, &name) && name.kind == EXPR_TEXT)
		f = expr_data_find(w->data, name.text, EXPR_DATA_REGEXP);
	if (!f || !subject(x->kids[0], &s))
		return nothing;
	lines = expr_file_lines(f, &n);
	a = room(w, n * sizeof *a);
	for (size_t i = 0; a && i < n; i++)
		if (!atom_of(&s, EXPR_MATCHES, lines[i].text, &a[i]))
			return nothing;
	return a ? one_need(w, a, n) : nothing;
}

/* LookupFile(x, f) == tag; or != "", which is any tag. */
static struct needs look_up(struct walk *w, const struct node *x, struct bytes tag)
{
	const struct expr_file *f = NULL;
	const struct expr_file_row *rows;
	struct expr_value name;
	struct expr_atom *a;
	struct subject s;
	size_t n, used = 0;

	if (w->data && expr_known(w->arena, w->data, x->kids[1], w->item, &name) && name.kind == EXPR_TEXT)
		f = expr_data_find(w->data, name.text, EXPR_DATA_MAP);
	if (!f || !subject(x->kids[0], &s))
		return nothing;
	rows = expr_file_rows(f, &n);
	a = room(w, n * sizeof *a);
	for (size_t i = 0; a && i < n; i++)
		if (rows[i].tag.len && (!tag.len || bytes_eq(rows[i].tag, tag)) &&
		    !atom_of(&s, rows[i].test, rows[i].pattern, &a[used++]))
			return nothing;
	return a ? one_need(w, a, used) : nothing;
}

/* ---- the walk ---- */

static const struct node *followed(const struct node *x)
{
	while (x->kind == NODE_LOCAL)
		x = x->bound;
	return x;
}

static bool is_function(const struct node *x, const char *name)
{
	return x->kind == NODE_FUNCTION && x->function == expr_function_find(bytes_of(name));
}

/* The two are equal. */
static struct needs equal(struct walk *w, const struct node *a, const struct node *b)
{
	const struct node *look = followed(a);
	struct needs out;

	if (b->kind == NODE_CONST && b->value.kind == EXPR_BOOL)
		return needs_of(w, a, b->value.truth);
	if (is_function(look, "LookupFile") && b->kind == NODE_CONST && b->value.kind == EXPR_TEXT && b->value.text.len)
		return look_up(w, look, b->value.text);
	out = one_atom(w, a, EXPR_EQUALS, b);
	return out.n ? out : one_atom(w, b, EXPR_EQUALS, a);
}

static struct needs binary(struct walk *w, const struct node *x, bool want)
{
	const struct node *a = x->kids[0], *b = x->kids[1], *look = followed(a);

	if (x->op == (want ? OP_EQ : OP_NE))
		return a->kind == NODE_CONST ? equal(w, b, a) : equal(w, a, b);
	if (!want)
		return nothing;
	switch ((enum expr_op)x->op) {
	case OP_NE:
		if (is_function(look, "LookupFile") && b->kind == NODE_CONST && b->value.kind == EXPR_TEXT &&
		    !b->value.text.len)
			return look_up(w, look, BYTES(""));
		return nothing;
	case OP_IN: return in_list(w, x);
	case OP_CONTAINS: return one_atom(w, a, EXPR_CONTAINS, b);
	case OP_STARTS: return one_atom(w, a, EXPR_STARTS, b);
	case OP_ENDS: return one_atom(w, a, EXPR_ENDS, b);
	case OP_MATCHES: return one_atom(w, a, EXPR_MATCHES, b);
	default: return nothing;
	}
}

static struct needs function(struct walk *w, const struct node *x)
{
	if (x->function->run == fn_has_prefix)
		return one_atom(w, x->kids[0], EXPR_STARTS, x->kids[1]);
	if (x->function->run == fn_has_suffix)
		return one_atom(w, x->kids[0], EXPR_ENDS, x->kids[1]);
	return is_function(x, "RegexpInFile") ? regexps(w, x) : nothing;
}

static struct needs junction(struct walk *w, const struct node *x, bool want)
{
	struct needs all = nothing, *each = room(w, x->n * sizeof *each);

	for (size_t i = 0; each && i < x->n; i++) {
		each[i] = needs_of(w, x->kids[i], want);
		if ((x->kind == NODE_AND) == want)
			all = both(w, all, each[i]);
	}
	if ((x->kind == NODE_AND) == want || !each)
		return all;
	return either(w, each, x->n, false);
}

static struct needs condition(struct walk *w, const struct node *x, bool want)
{
	struct needs ways[2];

	ways[0] = both(w, needs_of(w, x->kids[0], true), needs_of(w, x->kids[1], want));
	ways[1] = both(w, needs_of(w, x->kids[0], false), needs_of(w, x->kids[2], want));
	return either(w, ways, 2, false);
}

/* The closure is true for some item. */
static struct needs some_item(struct walk *w, const struct node *x)
{
	const struct expr_value *outer = w->item;
	struct expr_value list;
	struct needs *each, out;

	if (!expr_known(w->arena, w->data, x->kids[0], w->item, &list) || list.kind != EXPR_LIST) {
		w->item = NULL;
		out = needs_of(w, x->kids[1], true);
	} else {
		each = room(w, list.list.n * sizeof *each);
		for (size_t i = 0; each && i < list.list.n; i++) {
			w->item = &list.list.at[i];
			each[i] = needs_of(w, x->kids[1], true);
			if (!each[i].never && !each[i].n) { /* of the others no more can be said */
				w->item = outer;
				return nothing;
			}
		}
		out = each ? either(w, each, list.list.n, true) : nothing;
	}
	w->item = outer;
	return out;
}

static struct needs constant(const struct node *x, bool want)
{
	return x->value.kind == EXPR_BOOL && x->value.truth == want ? nothing : never;
}

/* A variable may be of an outer closure, whose # is another. */
static struct needs local(struct walk *w, const struct node *x, bool want)
{
	const struct expr_value *item = w->item;
	struct needs out;

	w->item = NULL;
	out = needs_of(w, x->bound, want);
	w->item = item;
	return out;
}

static struct needs needs_of(struct walk *w, const struct node *x, bool want)
{
	if (w->gave_up || !w->visits) {
		w->gave_up = true;
		return nothing;
	}
	w->visits--;
	switch ((enum expr_node)x->kind) {
	case NODE_CONST: return constant(x, want);
	case NODE_LOCAL: return local(w, x, want);
	case NODE_NOT: return needs_of(w, x->kids[0], !want);
	case NODE_BINARY: return binary(w, x, want);
	case NODE_AND: case NODE_OR: return junction(w, x, want);
	case NODE_COND: return condition(w, x, want);
	case NODE_LET: return needs_of(w, x->kids[1], want);
	case NODE_SEQUENCE: return needs_of(w, x->kids[x->n - 1], want);
	case NODE_FUNCTION: return want ? function(w, x) : nothing;
	case NODE_LOOP: return x->op == (want ? LOOP_ANY : LOOP_NONE) ? some_item(w, x) : nothing;
	default: return nothing;
	}
}

static bool is_cheap(const struct expr_need *need)
{
	size_t expressions = 0;

	for (size_t i = 0; i < need->n; i++)
		expressions += need->at[i].test == EXPR_MATCHES;
	return expressions <= EXPRESSIONS_MAX;
}

size_t expr_needs(const struct expr *x, struct arena *a, const struct expr_need **out)
{
	struct walk w = { .arena = a, .data = x->world.data, .visits = VISITS_MAX };
	struct needs n = needs_of(&w, x->root, true);
	size_t kept = 0;

	for (size_t i = 0; i < n.n; i++)
		if (is_cheap(&n.at[i]))
			n.at[kept++] = n.at[i];
	n.n = kept;
	if (w.gave_up)
		n = nothing;
	if (n.never && !w.gave_up)
		n = (struct needs){ false, room(&w, sizeof *n.at), 1, 1 };
	*out = n.at;
	return n.at ? n.n : 0;
}

bool expr_view_of(struct arena *a, enum expr_view view, struct bytes text, struct bytes *out)
{
	*out = text;
	return view == EXPR_AS_IS ||
	       (view == EXPR_QUERY_UNESCAPED ? expr_query_unescape : expr_path_unescape)(a, text, out);
}
