/* expr_compile.c -- tree -> bytecode.
 *
 * A text compared with a constant is one instruction, `Upper(x) contains "ABC"` too: it ignores case instead of making an
 * upper copy (and where the constant has a small letter it stays as it is written, and is never true). A list of constants
 * behind `in`, and `any(File("f"), { x contains # })` with its kin, are tests against all texts at once. */
#include "base/expr_code.h"
#include "base/expr_functions.h"
#include "base/matcher.h"

enum { FEW = 4 /* texts of `in` that are compared one by one */ };

struct patch {
	struct patch *next;
	size_t at;
};

struct compiler {
	struct arena *arena;
	const struct expr_data *data;
	struct expr_lexer place; /* for errors */
	struct expr_code *code;
	size_t n, cap;
	unsigned height;         /* of the stack here */
	struct patch *chain;     /* jumps to the end of the optional chain that is compiled */
	uint32_t *loads;
	size_t n_loads, cap_loads;
};

static bool compile(struct compiler *c, const struct node *x);

static bool no_memory(struct compiler *c)
{
	return err_set(c->place.err, SIDE_SELF, 0, "out of memory");
}

/* `change`: of the stack's height. */
static bool emit(struct compiler *c, struct expr_code code, int change)
{
	struct expr_code *at = arena_grow(c->arena, c->code, &c->cap, c->n + 1, sizeof *at);

	if (!at)
		return no_memory(c);
	c->code = at;
	at[c->n++] = code;
	c->height = (unsigned)((int)c->height + change);
	return true;
}

static bool emit_op(struct compiler *c, enum expr_do what, unsigned n, const void *with, int change)
{
	return emit(c, (struct expr_code){ .what = (uint16_t)what, .n = (uint16_t)n, .with = with }, change);
}

static bool emit_jump(struct compiler *c, enum expr_do what, size_t *at, int change)
{
	*at = c->n;
	return emit_op(c, what, 0, NULL, change);
}

static void land(struct compiler *c, size_t jump)
{
	c->code[jump].to = (uint32_t)c->n;
}

static bool add_load(struct compiler *c, uint32_t number)
{
	uint32_t *at;

	for (size_t i = 0; i < c->n_loads; i++)
		if (c->loads[i] == number)
			return true;
	at = arena_grow(c->arena, c->loads, &c->cap_loads, c->n_loads + 1, sizeof *at);
	if (!at)
		return no_memory(c);
	c->loads = at;
	at[c->n_loads++] = number;
	return true;
}

static bool is_text(const struct node *x)
{
	return x->kind == NODE_CONST && x->value.kind == EXPR_TEXT;
}

static bool push(struct compiler *c, struct expr_value v)
{
	struct expr_value *at = arena_get(c->arena, sizeof *at);

	if (!at)
		return no_memory(c);
	*at = v;
	return emit_op(c, DO_PUSH, 0, at, 1);
}

/* ---- texts against constants ---- */

/* Would Upper() or Lower() leave this text as it is? */
static bool stays(struct bytes b, bool upper)
{
	for (size_t i = 0; i < b.len; i++)
		if (upper ? b.at[i] >= 'a' && b.at[i] <= 'z' : b.at[i] >= 'A' && b.at[i] <= 'Z')
			return false;
	return true;
}

static bool has_test(enum expr_op op)
{
	return op == OP_EQ || op == OP_NE || op == OP_CONTAINS || op == OP_STARTS || op == OP_ENDS;
}

static bool compile_test(struct compiler *c, enum expr_op op, const struct node *x, struct bytes text)
{
	struct expr_code_test *t = arena_get(c->arena, sizeof *t);
	const struct node *inner;

	if (!t)
		return no_memory(c);
	*t = (struct expr_code_test){ .op = op, .text = text };
	if ((expr_is_upper(x, &inner) && stays(text, true)) || (expr_is_lower(x, &inner) && stays(text, false))) {
		t->caseless = true;
		x = inner;
	}
	return compile(c, x) && emit_op(c, DO_TEST, 0, t, 0);
}

static void regex_free_late(void *r)
{
	regex_free(r);
}

static bool compile_matches(struct compiler *c, const struct node *x)
{
	struct err why;
	struct regex *r = regex_new(x->kids[1]->value.text, PATTERN_GO, &why);

	if (!r)
		return expr_lex_error(&c->place, x->kids[1]->at, "no expression: %.150s", why.text);
	if (!arena_defer(c->arena, regex_free_late, r)) {
		regex_free(r);
		return no_memory(c);
	}
	return compile(c, x->kids[0]) && emit_op(c, DO_MATCH, 0, r, 0);
}

static bool all_texts(const struct node *x)
{
	for (size_t i = 0; x->kind == NODE_CONST && x->value.kind == EXPR_LIST && i < x->value.list.n; i++)
		if (x->value.list.at[i].kind != EXPR_TEXT)
			return false;
	return x->kind == NODE_CONST && x->value.kind == EXPR_LIST;
}

static bool emit_set(struct compiler *c, const struct expr_set *set, enum expr_op op, bool caseless)
{
	struct expr_code_set *at = arena_get(c->arena, sizeof *at);

	if (!at)
		return no_memory(c);
	*at = (struct expr_code_set){ set, op, caseless };
	return emit_op(c, DO_SET, 0, at, 0);
}

static bool compile_in(struct compiler *c, const struct node *x)
{
	const struct expr_value *list = &x->kids[1]->value;
	struct bytes *texts = arena_get(c->arena, (list->list.n + 1) * sizeof *texts);
	struct expr_set *set;

	if (!texts || !compile(c, x->kids[0]))
		return texts ? false : no_memory(c);
	if (list->list.n <= FEW)
		return emit_op(c, DO_IN, 0, list, 0);
	for (size_t i = 0; i < list->list.n; i++)
		texts[i] = list->list.at[i].text;
	set = expr_set_new(c->arena, texts, list->list.n, EXPR_EQUALS, false, NULL);
	return set ? emit_set(c, set, OP_IN, false) : no_memory(c);
}

/* ---- any(list, { x contains # }) ---- */

/* The same for every item, and without an effect? */
static bool steady(const struct node *x)
{
	if (x->kind == NODE_ITEM || x->kind == NODE_PLACE || x->kind == NODE_CALL || x->kind == NODE_METHOD ||
	    x->kind == NODE_LOOP || x->kind == NODE_LET || (x->kind == NODE_FUNCTION && !x->function->pure))
		return false;
	for (size_t i = 0; i < x->n; i++)
		if (x->kids[i] && !steady(x->kids[i]))
			return false;
	return true;
}

/* What the tests' texts are: `of` with each item of the list for #. A text that can never be met is left out. */
static bool item_texts(struct compiler *c, const struct node *list, const struct node *of, bool upper, bool lower,
		       struct bytes *texts, size_t *n)
{
	struct expr_value v;

	*n = 0;
	for (size_t i = 0; i < list->value.list.n; i++) {
		if (!expr_known(c->arena, c->data, of, &list->value.list.at[i], &v) || v.kind != EXPR_TEXT)
			return false;
		if ((!upper || stays(v.text, true)) && (!lower || stays(v.text, false)))
			texts[(*n)++] = v.text;
	}
	return true;
}

static struct expr_set *any_set(struct compiler *c, const struct node *list, enum expr_op op, const struct node *of,
				bool upper, bool lower)
{
	static const enum expr_test tests[] = {
		[OP_EQ] = EXPR_EQUALS, [OP_CONTAINS] = EXPR_CONTAINS, [OP_STARTS] = EXPR_STARTS, [OP_ENDS] = EXPR_ENDS
	};
	struct bytes *texts = arena_get(c->arena, (list->value.list.n + 1) * sizeof *texts);
	size_t n;

	if (!texts || !item_texts(c, list, of, upper, lower, texts, &n))
		return NULL;
	return expr_set_new(c->arena, texts, n, tests[op], upper || lower, expr_data_cache(c->data));
}

/* False without an error: it is no such loop. */
static bool compile_any(struct compiler *c, const struct node *x, bool *done)
{
	const struct node *list = x->kids[0], *test = x->kids[1], *of, *inner;
	struct expr_set *set;
	bool upper, lower;

	*done = false;
	if (x->op != LOOP_ANY || !all_texts(list) || !list->value.list.n || test->kind != NODE_BINARY ||
	    !has_test((enum expr_op)test->op) || test->op == OP_NE)
		return true;
	of = test->kids[0];
	inner = test->kids[1];
	if (test->op != OP_EQ || steady(of)) {
		of = test->kids[1];
		inner = test->kids[0];
	}
	if (!steady(inner) || steady(of))
		return true;
	upper = expr_is_upper(inner, &inner);
	lower = !upper && expr_is_lower(inner, &inner);
	set = any_set(c, list, (enum expr_op)test->op, of, upper, lower);
	*done = set != NULL;
	return !set || (compile(c, inner) && emit_set(c, set, (enum expr_op)test->op, upper || lower));
}

/* ---- the rest ---- */

static bool is_bool(const struct node *x)
{
	switch (x->kind) {
	case NODE_NOT: case NODE_AND: case NODE_OR:
		return true;
	case NODE_CONST:
		return x->value.kind == EXPR_BOOL;
	case NODE_BINARY:
		return x->op < OP_RANGE;
	case NODE_LOOP:
		return x->op <= LOOP_ONE;
	default:
		return false;
	}
}

static bool compile_kids(struct compiler *c, const struct node *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (x->kids[i] && !compile(c, x->kids[i]))
			return false;
	return true;
}

static bool compile_junction(struct compiler *c, const struct node *x)
{
	struct patch *jumps = arena_get(c->arena, x->n * sizeof *jumps);
	size_t last = x->n - 1;

	if (!jumps)
		return no_memory(c);
	for (size_t i = 0; i < last; i++)
		if (!compile(c, x->kids[i]) || !emit_jump(c, x->kind == NODE_AND ? DO_AND : DO_OR, &jumps[i].at, -1))
			return false;
	if (!compile(c, x->kids[last]) || (!is_bool(x->kids[last]) && !emit_op(c, DO_BOOL, 0, NULL, 0)))
		return false;
	for (size_t i = 0; i < last; i++)
		land(c, jumps[i].at);
	return true;
}

static bool compile_cond(struct compiler *c, const struct node *x)
{
	size_t otherwise, end;

	if (!compile(c, x->kids[0]) || !emit_jump(c, DO_UNLESS, &otherwise, -1) || !compile(c, x->kids[1]) ||
	    !emit_jump(c, DO_JUMP, &end, -1))
		return false;
	land(c, otherwise);
	if (!compile(c, x->kids[2]))
		return false;
	land(c, end);
	return true;
}

static bool compile_else(struct compiler *c, const struct node *x)
{
	size_t end;

	if (!compile(c, x->kids[0]) || !emit_jump(c, DO_ELSE, &end, -1) || !compile(c, x->kids[1]))
		return false;
	land(c, end);
	return true;
}

static bool compile_chain(struct compiler *c, const struct node *x)
{
	struct patch *outer = c->chain;

	c->chain = NULL;
	if (!compile(c, x->kids[0]))
		return false;
	for (struct patch *p = c->chain; p; p = p->next)
		land(c, p->at);
	c->chain = outer;
	return true;
}

/* The first kid, and a jump out of the chain if the member of it is optional and it is nil. */
static bool compile_of(struct compiler *c, const struct node *x)
{
	struct patch *p = arena_get(c->arena, sizeof *p);

	if (!p)
		return no_memory(c);
	if (!compile(c, x->kids[0]) || !x->optional)
		return !c->place.err->text[0];
	p->next = c->chain;
	c->chain = p;
	return emit_jump(c, DO_IF_NIL, &p->at, 0);
}

static bool compile_member(struct compiler *c, const struct node *x)
{
	if (!compile_of(c, x))
		return false;
	for (size_t i = 1; i < x->n; i++)
		if (x->kids[i] && !compile(c, x->kids[i]))
			return false;
	switch (x->kind) {
	case NODE_MEMBER:
		return emit_op(c, DO_MEMBER, 0, &x->name, 0);
	case NODE_INDEX:
		return emit_op(c, DO_INDEX, 0, NULL, -1);
	case NODE_SLICE:
		return emit_op(c, DO_SLICE, (x->kids[1] ? 1 : 0) | (x->kids[2] ? 2 : 0), NULL,
			       -(x->kids[1] != NULL) - (x->kids[2] != NULL));
	default:
		return emit_op(c, DO_METHOD, (unsigned)x->n, &x->name, -(int)(x->n - 1));
	}
}

static bool compile_loop(struct compiler *c, const struct node *x)
{
	size_t loop, body;
	bool done;

	if (!compile_any(c, x, &done) || done)
		return done && !c->place.err->text[0];
	if (!compile(c, x->kids[0]) || !emit_jump(c, DO_LOOP, &loop, -1))
		return false;
	c->code[loop].n = x->op;
	body = c->n;
	if (!compile(c, x->kids[1]) ||
	    !emit(c, (struct expr_code){ .what = DO_NEXT, .n = x->op, .to = (uint32_t)body }, 0))
		return false;
	land(c, loop);
	return true;
}

static bool compile_function(struct compiler *c, const struct node *x)
{
	const struct expr_function *regexps = expr_function_find(BYTES("RegexpInFile"));
	const struct expr_file *f;

	if (x->function == regexps && is_text(x->kids[1])) {
		f = c->data ? expr_data_find(c->data, x->kids[1]->value.text, EXPR_DATA_REGEXP) : NULL;
		if (!f)
			return expr_lex_error(&c->place, x->kids[1]->at, "there is no file '%.*s' of type regexp",
					      (int)(x->kids[1]->value.text.len > 80 ? 80 : x->kids[1]->value.text.len),
					      x->kids[1]->value.text.at);
		return compile(c, x->kids[0]) && emit_op(c, DO_REGEXPS, 0, f, 0);
	}
	return compile_kids(c, x) && emit_op(c, DO_FUNCTION, (unsigned)x->n, x->function, 1 - (int)x->n);
}

static bool compile_binary(struct compiler *c, const struct node *x)
{
	enum expr_op op = (enum expr_op)x->op;

	if (has_test(op) && is_text(x->kids[1]))
		return compile_test(c, op, x->kids[0], x->kids[1]->value.text);
	if ((op == OP_EQ || op == OP_NE) && is_text(x->kids[0]))
		return compile_test(c, op, x->kids[1], x->kids[0]->value.text);
	if (op == OP_MATCHES && is_text(x->kids[1]))
		return compile_matches(c, x);
	if (op == OP_IN && all_texts(x->kids[1]))
		return compile_in(c, x);
	return compile_kids(c, x) && emit_op(c, DO_BINARY, op, NULL, -1);
}

static bool compile_sequence(struct compiler *c, const struct node *x)
{
	for (size_t i = 0; i < x->n; i++)
		if (!compile(c, x->kids[i]) || (i + 1 < x->n && !emit_op(c, DO_POP, 0, NULL, -1)))
			return false;
	return true;
}

static bool compile_node(struct compiler *c, const struct node *x)
{
	switch ((enum expr_node)x->kind) {
	case NODE_CONST:
		return push(c, x->value);
	case NODE_LOAD:
		return add_load(c, x->number) && emit(c, (struct expr_code){ .what = DO_LOAD, .to = x->number }, 1);
	case NODE_LOCAL:
		return emit_op(c, DO_LOCAL, x->number, NULL, 1);
	case NODE_ITEM:
		return emit_op(c, DO_ITEM, 0, NULL, 1);
	case NODE_PLACE:
		return emit_op(c, DO_PLACE, 0, NULL, 1);
	case NODE_MEMBER: case NODE_INDEX: case NODE_SLICE: case NODE_METHOD:
		return compile_member(c, x);
	case NODE_NOT: case NODE_MINUS: case NODE_PLUS:
		return compile(c, x->kids[0]) &&
		       emit_op(c, x->kind == NODE_NOT ? DO_NOT : x->kind == NODE_MINUS ? DO_MINUS : DO_PLUS, 0, NULL, 0);
	case NODE_BINARY:
		return compile_binary(c, x);
	case NODE_AND: case NODE_OR:
		return compile_junction(c, x);
	case NODE_ELSE:
		return compile_else(c, x);
	case NODE_COND:
		return compile_cond(c, x);
	case NODE_LET:
		return compile(c, x->kids[0]) && emit_op(c, DO_KEEP, x->number, NULL, -1) && compile(c, x->kids[1]);
	case NODE_SEQUENCE:
		return compile_sequence(c, x);
	case NODE_LIST:
		return compile_kids(c, x) && emit_op(c, DO_LIST, (unsigned)x->n, NULL, 1 - (int)x->n);
	case NODE_FUNCTION:
		return compile_function(c, x);
	case NODE_CALL:
		return compile_kids(c, x) &&
		       emit(c, (struct expr_code){ .what = DO_CALL, .n = (uint16_t)x->n, .to = x->number }, 1 - (int)x->n);
	case NODE_LOOP:
		return compile_loop(c, x);
	case NODE_CHAIN:
		return compile_chain(c, x);
	}
	return false;
}

static bool compile(struct compiler *c, const struct node *x)
{
	if (c->height >= EXPR_STACK - 1)
		return expr_lex_error(&c->place, x->at, "too many values at once");
	return compile_node(c, x);
}

struct expr *expr_compile(struct arena *a, struct bytes source, const struct expr_world *world, struct err *e)
{
	struct err why = { 0 };
	struct compiler c = { .arena = a, .data = world->data, .place = { .arena = a, .err = &why } };
	struct expr *x = arena_get(a, sizeof *x);
	struct expr_parsed parsed;

	c.place.source = source = arena_copy(a, source); /* names and texts are slices of it */
	if (!x || !source.at)
		no_memory(&c);
	else if (expr_parse(a, source, world, &parsed, &why) && expr_fold(a, source, world, parsed.root, &why) &&
		 compile(&c, parsed.root) && emit_op(&c, DO_END, 0, NULL, 0)) {
		*x = (struct expr){ *world, c.code, parsed.root, c.loads, c.n_loads };
		return x;
	}
	if (e)
		*e = why;
	return NULL;
}

bool expr_is_name(const struct expr *x, uint32_t *number)
{
	*number = x->code[0].to;
	return x->code[0].what == DO_LOAD && x->code[1].what == DO_END;
}

bool expr_begins_with(const struct expr *x, uint32_t number)
{
	const struct expr_code *c = x->code;

	if (c->what != DO_LOAD || c->to != number)
		return false;
	while (c->what == DO_LOAD || c->what == DO_PUSH || (c->what == DO_BINARY && c->n == OP_ADD))
		c++;
	return c->what == DO_END;
}

size_t expr_loads(const struct expr *x, const uint32_t **numbers)
{
	*numbers = x->loads;
	return x->n_loads;
}
