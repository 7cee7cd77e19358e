/* expr_parse.c -- tokens -> tree, by precedence climbing.
 *
 * The table of operators is the grammar; precedences are those of expr-lang v1.17 (operator.go). `and` and `or` take all
 * operands of a run into one node, so that a filter of a thousand alternatives is not a thousand levels deep. A comparison
 * that goes on (`1 < x < 3`) and `a ?: b` bind what they need twice to a slot of their own, as `let` does. */
#include "base/expr_parse.h"
#include "base/text.h"

enum { IS_OP, IS_AND, IS_OR, IS_ELSE, IS_PIPE };

static const struct binary {
	const char *name;
	uint16_t precedence;
	uint8_t what, op;
	bool right;   /* associates to the right */
	bool not_too; /* there is `not in` */
	bool chains;
} binaries[] = {
	{ "|", 0, IS_PIPE, 0, false, false, false },
	{ "or", 10, IS_OR, 0, false, false, false },
	{ "||", 10, IS_OR, 0, false, false, false },
	{ "and", 15, IS_AND, 0, false, false, false },
	{ "&&", 15, IS_AND, 0, false, false, false },
	{ "==", 20, IS_OP, OP_EQ, false, false, false },
	{ "!=", 20, IS_OP, OP_NE, false, false, false },
	{ "<", 20, IS_OP, OP_LT, false, false, true },
	{ ">", 20, IS_OP, OP_GT, false, false, true },
	{ "<=", 20, IS_OP, OP_LE, false, false, true },
	{ ">=", 20, IS_OP, OP_GE, false, false, true },
	{ "in", 20, IS_OP, OP_IN, false, true, false },
	{ "matches", 20, IS_OP, OP_MATCHES, false, true, false },
	{ "contains", 20, IS_OP, OP_CONTAINS, false, true, false },
	{ "startsWith", 20, IS_OP, OP_STARTS, false, true, false },
	{ "endsWith", 20, IS_OP, OP_ENDS, false, true, false },
	{ "..", 25, IS_OP, OP_RANGE, false, false, false },
	{ "+", 30, IS_OP, OP_ADD, false, false, false },
	{ "-", 30, IS_OP, OP_SUB, false, false, false },
	{ "*", 60, IS_OP, OP_MUL, false, false, false },
	{ "/", 60, IS_OP, OP_DIV, false, false, false },
	{ "%", 60, IS_OP, OP_MOD, false, false, false },
	{ "**", 100, IS_OP, OP_POW, true, false, false },
	{ "^", 100, IS_OP, OP_POW, true, false, false },
	{ "??", 500, IS_ELSE, 0, false, false, false },
};
enum { NOT_BINDS = 50, SIGN_BINDS = 90 };

static bool is_word(const struct expr_parser *p, const char *word)
{
	return p->l.kind == TOKEN_NAME && bytes_eq(p->l.text, bytes_of(word));
}

bool expr_parse_symbol(const struct expr_parser *p, const char *symbol)
{
	return p->l.kind == TOKEN_SYMBOL && bytes_eq(p->l.text, bytes_of(symbol));
}

struct node *expr_parse_unexpected(struct expr_parser *p)
{
	char shown[64];
	struct text t = text_over(shown, sizeof shown);

	text_plain(&t, bytes_sub(p->l.text, 0, 15));
	expr_lex_error(&p->l, p->l.at, p->l.kind == TOKEN_END ? "unexpected end" : "unexpected '%.*s'", (int)t.len, shown);
	return NULL;
}

bool expr_parse_expect(struct expr_parser *p, const char *symbol)
{
	char shown[64];
	struct text t = text_over(shown, sizeof shown);

	if (expr_parse_symbol(p, symbol))
		return expr_lex_next(&p->l);
	text_plain(&t, bytes_sub(p->l.text, 0, 15));
	return expr_lex_error(&p->l, p->l.at, "expected '%s', not '%.*s'", symbol, (int)t.len, shown);
}

bool expr_node_add(struct expr_parser *p, struct node *into, struct node *kid)
{
	struct node **kids = arena_grow(p->arena, into->kids, &into->cap, into->n + 1, sizeof *kids);

	if (!kids)
		return err_set(p->l.err, SIDE_SELF, 0, "out of memory");
	into->kids = kids;
	kids[into->n++] = kid;
	if (kid && kid->depth >= into->depth)
		into->depth = (uint16_t)(kid->depth + 1);
	return into->depth <= EXPR_DEPTH || expr_lex_error(&p->l, into->at, "nested too deeply");
}

struct node *expr_node(struct expr_parser *p, enum expr_node kind, size_t at, struct node *const *kids, size_t n)
{
	struct node *x = arena_get(p->arena, sizeof *x);

	if (!x) {
		err_set(p->l.err, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	x->kind = (uint8_t)kind;
	x->at = (uint32_t)at;
	x->depth = 1;
	for (size_t i = 0; i < n; i++)
		if (!expr_node_add(p, x, kids[i]))
			return NULL;
	return x;
}

static struct node *constant(struct expr_parser *p, struct expr_value v)
{
	struct node *x = expr_node(p, NODE_CONST, p->l.at, NULL, 0);

	if (!x || !expr_lex_next(&p->l))
		return NULL;
	x->value = v;
	return x;
}

static bool bind(struct expr_parser *p, struct bytes name, struct node *value)
{
	if (p->slots == EXPR_LOCALS)
		return expr_lex_error(&p->l, value->at, "more than %d variables", EXPR_LOCALS);
	p->scope[p->scopes++] = (struct expr_scope){ name, value, p->slots++ };
	return true;
}

static struct node *local(struct expr_parser *p, unsigned scope, size_t at)
{
	struct node *x = expr_node(p, NODE_LOCAL, at, NULL, 0);

	if (x) {
		x->number = p->scope[scope].slot;
		x->bound = p->scope[scope].value;
	}
	return x;
}

/* The innermost variable is bound; wraps the body, and unbinds it. */
static struct node *bound_in(struct expr_parser *p, struct node *body)
{
	struct expr_scope scope = p->scope[--p->scopes];
	struct node *let = body ? expr_node(p, NODE_LET, scope.value->at, (struct node *[]){ scope.value, body }, 2) : NULL;

	if (let)
		let->number = scope.slot;
	return let;
}

struct node *expr_parse_sequence(struct expr_parser *p)
{
	struct node *x = expr_parse_from(p, 0), *all;

	if (!x || !expr_parse_symbol(p, ";"))
		return x;
	all = expr_node(p, NODE_SEQUENCE, x->at, &x, 1);
	while (all && expr_parse_symbol(p, ";")) {
		if (!expr_lex_next(&p->l))
			return NULL;
		if (p->l.kind == TOKEN_END || expr_parse_symbol(p, ")") || expr_parse_symbol(p, "}"))
			break;
		x = expr_parse_from(p, 0);
		if (!x || !expr_node_add(p, all, x))
			return NULL;
	}
	return all;
}

static struct node *let(struct expr_parser *p)
{
	struct node *value;
	struct bytes name;

	if (!expr_lex_next(&p->l))
		return NULL;
	name = p->l.text;
	if (p->l.kind != TOKEN_NAME)
		return expr_parse_unexpected(p);
	for (unsigned i = 0; i < p->scopes; i++)
		if (bytes_eq(p->scope[i].name, name)) {
			expr_lex_error(&p->l, p->l.at, "'%.*s' is declared already", (int)(name.len > 60 ? 60 : name.len),
				       name.at);
			return NULL;
		}
	if (!expr_lex_next(&p->l) || !expr_parse_expect(p, "=") || !(value = expr_parse_from(p, 0)) ||
	    !expr_parse_expect(p, ";") || !bind(p, name, value))
		return NULL;
	return bound_in(p, expr_parse_sequence(p));
}

static struct node *braced(struct expr_parser *p)
{
	struct node *x = expr_parse_expect(p, "{") ? expr_parse_sequence(p) : NULL;

	return x && expr_parse_expect(p, "}") ? x : NULL;
}

static struct node *if_else(struct expr_parser *p)
{
	struct node *kids[3];
	size_t at = p->l.at;

	if (++p->depth > EXPR_DEPTH) {
		expr_lex_error(&p->l, at, "nested too deeply");
		return NULL;
	}
	if (!expr_lex_next(&p->l) || !(kids[0] = expr_parse_from(p, 0)) || !(kids[1] = braced(p)))
		return NULL;
	if (!is_word(p, "else")) {
		expr_lex_error(&p->l, p->l.at, "expected 'else'");
		return NULL;
	}
	if (!expr_lex_next(&p->l) || !(kids[2] = is_word(p, "if") ? if_else(p) : braced(p)))
		return NULL;
	p->depth--;
	return expr_node(p, NODE_COND, at, kids, 3);
}

/* c ? a : b, and c ?: b */
static struct node *conditional(struct expr_parser *p, struct node *c)
{
	while (c && expr_parse_symbol(p, "?")) {
		struct node *kids[3] = { c };
		bool once;

		if (!expr_lex_next(&p->l))
			return NULL;
		once = expr_parse_symbol(p, ":");
		if (once && (!bind(p, (struct bytes){ 0 }, c) || !(kids[0] = local(p, p->scopes - 1, c->at)) ||
			     !(kids[1] = local(p, p->scopes - 1, c->at))))
			return NULL;
		if (!once && !(kids[1] = expr_parse_from(p, 0)))
			return NULL;
		if (!expr_parse_expect(p, ":") || !(kids[2] = expr_parse_from(p, 0)))
			return NULL;
		c = expr_node(p, NODE_COND, c->at, kids, 3);
		if (once)
			c = bound_in(p, c);
	}
	return c;
}

static struct node *list(struct expr_parser *p)
{
	struct node *all = expr_node(p, NODE_LIST, p->l.at, NULL, 0), *x;

	if (!all || !expr_lex_next(&p->l))
		return NULL;
	while (!expr_parse_symbol(p, "]")) {
		if (!(x = expr_parse_from(p, 0)) || !expr_node_add(p, all, x))
			return NULL;
		if (!expr_parse_symbol(p, "]") && !expr_parse_expect(p, ","))
			return NULL;
	}
	return expr_lex_next(&p->l) ? all : NULL;
}

bool expr_parse_arguments(struct expr_parser *p, struct node *into)
{
	struct node *x;

	if (!expr_parse_expect(p, "("))
		return false;
	while (!expr_parse_symbol(p, ")")) {
		if (!(x = expr_parse_from(p, 0)) || !expr_node_add(p, into, x))
			return false;
		if (!expr_parse_symbol(p, ")") && !expr_parse_expect(p, ","))
			return false;
	}
	return expr_lex_next(&p->l);
}

/* What a closure is called with: #, #index, and .Field for #.Field. */
static struct node *item(struct expr_parser *p)
{
	struct node *x;

	if (!p->loops) {
		expr_lex_error(&p->l, p->l.at, "'#' outside of a closure");
		return NULL;
	}
	x = expr_node(p, NODE_ITEM, p->l.at, NULL, 0);
	if (!x || expr_parse_symbol(p, ".")) /* which the caller then reads as a member */
		return x;
	if (!expr_lex_next(&p->l))
		return NULL;
	if (p->l.kind != TOKEN_NAME || p->l.at != x->at + 1)
		return x;
	if (!is_word(p, "index"))
		return expr_parse_unexpected(p);
	x->kind = NODE_PLACE;
	return expr_lex_next(&p->l) ? x : NULL;
}

static struct node *primary(struct expr_parser *p)
{
	struct node *x;

	if (p->l.kind == TOKEN_NUMBER)
		return constant(p, p->l.value);
	if (p->l.kind == TOKEN_TEXT)
		return constant(p, expr_text_value(p->l.text));
	if (is_word(p, "true") || is_word(p, "false"))
		return constant(p, expr_bool_value(is_word(p, "true")));
	if (is_word(p, "nil"))
		return constant(p, (struct expr_value){ .kind = EXPR_NIL });
	if (expr_parse_symbol(p, "["))
		return list(p);
	if (expr_parse_symbol(p, "#") || expr_parse_symbol(p, "."))
		return item(p);
	if (expr_parse_symbol(p, "(")) {
		x = expr_lex_next(&p->l) ? expr_parse_sequence(p) : NULL;
		return x && expr_parse_expect(p, ")") ? x : NULL;
	}
	if (p->l.kind != TOKEN_NAME)
		return expr_parse_unexpected(p);
	for (size_t i = 0; i < nelems(binaries); i++)
		if (is_word(p, binaries[i].name))
			return expr_parse_unexpected(p);
	for (unsigned i = p->scopes; i-- > 0;)
		if (bytes_eq(p->scope[i].name, p->l.text)) {
			x = local(p, i, p->l.at);
			return x && expr_lex_next(&p->l) ? x : NULL;
		}
	return expr_parse_name(p);
}

static struct node *member(struct expr_parser *p, struct node *of)
{
	struct node *x = expr_node(p, NODE_MEMBER, p->l.at, &of, 1);

	if (!x)
		return NULL;
	if (p->l.kind != TOKEN_NAME)
		return expr_parse_unexpected(p);
	x->name = p->l.text;
	if (!expr_lex_next(&p->l))
		return NULL;
	if (expr_parse_symbol(p, "(")) {
		x->kind = NODE_METHOD;
		if (!expr_parse_arguments(p, x))
			return NULL;
	}
	return x;
}

/* x[i], x[a:b] */
static struct node *bracket(struct expr_parser *p, struct node *of)
{
	struct node *kids[3] = { of };
	size_t at = p->l.at;
	bool slice;

	if (!expr_lex_next(&p->l) || (!expr_parse_symbol(p, ":") && !(kids[1] = expr_parse_from(p, 0))))
		return NULL;
	slice = expr_parse_symbol(p, ":");
	if (slice && (!expr_lex_next(&p->l) || (!expr_parse_symbol(p, "]") && !(kids[2] = expr_parse_from(p, 0)))))
		return NULL;
	if (!expr_parse_expect(p, "]"))
		return NULL;
	return expr_node(p, slice ? NODE_SLICE : NODE_INDEX, at, kids, slice ? 3 : 2);
}

static struct node *postfix(struct expr_parser *p, struct node *x)
{
	bool chain = false;

	while (x && (expr_parse_symbol(p, ".") || expr_parse_symbol(p, "?.") || expr_parse_symbol(p, "["))) {
		bool optional = expr_parse_symbol(p, "?.");

		if (x->kind == NODE_CHAIN) { /* it goes on */
			x = x->kids[0];
			chain = true;
		}
		if (!expr_parse_symbol(p, "[") && !expr_lex_next(&p->l))
			return NULL;
		x = expr_parse_symbol(p, "[") ? bracket(p, x) : member(p, x);
		if (x)
			x->optional = optional;
		chain = chain || optional;
	}
	return x && chain ? expr_node(p, NODE_CHAIN, x->at, &x, 1) : x;
}

static struct node *unary(struct expr_parser *p)
{
	bool no = is_word(p, "not") || expr_parse_symbol(p, "!"), minus = expr_parse_symbol(p, "-");
	size_t at = p->l.at;
	struct node *x;

	if (!no && !minus && !expr_parse_symbol(p, "+"))
		return postfix(p, primary(p));
	x = expr_lex_next(&p->l) ? expr_parse_from(p, no ? NOT_BINDS : SIGN_BINDS) : NULL;
	return postfix(p, x ? expr_node(p, no ? NODE_NOT : minus ? NODE_MINUS : NODE_PLUS, at, &x, 1) : NULL);
}

static const struct binary *binary_here(const struct expr_parser *p, unsigned precedence)
{
	for (size_t i = 0; i < nelems(binaries); i++)
		if ((p->l.kind == TOKEN_SYMBOL || p->l.kind == TOKEN_NAME) &&
		    bytes_eq(p->l.text, bytes_of(binaries[i].name)))
			return binaries[i].precedence >= precedence ? &binaries[i] : NULL;
	return NULL;
}

/* As binary_here(), and steps over the operator; *no: `not` stood before it. */
static const struct binary *binary_take(struct expr_parser *p, unsigned precedence, bool *no)
{
	struct expr_lexer before = p->l;
	const struct binary *b;

	*no = is_word(p, "not");
	if (*no && !expr_lex_next(&p->l))
		return NULL;
	b = binary_here(p, precedence);
	if (b && (!*no || b->not_too))
		return expr_lex_next(&p->l) ? b : NULL;
	p->l = before;
	return NULL;
}

static struct node *operation(struct expr_parser *p, const struct binary *b, size_t at, struct node *left,
			      struct node *right)
{
	static const uint8_t kinds[] = {
		[IS_OP] = NODE_BINARY, [IS_AND] = NODE_AND, [IS_OR] = NODE_OR, [IS_ELSE] = NODE_ELSE
	};
	struct node *x;

	if ((b->what == IS_AND || b->what == IS_OR) && left->kind == kinds[b->what])
		return expr_node_add(p, left, right) ? left : NULL;
	x = expr_node(p, kinds[b->what], at, (struct node *[]){ left, right }, 2);
	if (x)
		x->op = b->op;
	return x;
}

/* a < b < c: (a < b) and (b < c) */
static struct node *comparison(struct expr_parser *p, const struct binary *b, size_t at, struct node *left)
{
	struct node *right = expr_parse_from(p, b->precedence + 1u), *x, *rest;
	const struct binary *next = right ? binary_here(p, b->precedence) : NULL;
	size_t next_at = p->l.at;

	if (!next || !next->chains)
		return right ? operation(p, b, at, left, right) : NULL;
	if (++p->depth > EXPR_DEPTH) {
		expr_lex_error(&p->l, at, "nested too deeply");
		return NULL;
	}
	if (!bind(p, (struct bytes){ 0 }, right) || !(right = local(p, p->scopes - 1, right->at)) ||
	    !(x = operation(p, b, at, left, right)) || !expr_lex_next(&p->l) ||
	    !(right = local(p, p->scopes - 1, right->at)) || !(rest = comparison(p, next, next_at, right)))
		return NULL;
	p->depth--;
	return bound_in(p, expr_node(p, NODE_AND, at, (struct node *[]){ x, rest }, 2));
}

static struct node *binary(struct expr_parser *p, const struct binary *b, size_t at, struct node *left)
{
	struct node *right;

	if (b->what == IS_PIPE)
		return postfix(p, p->l.kind == TOKEN_NAME ? expr_parse_call(p, left) : expr_parse_unexpected(p));
	if (b->chains)
		return comparison(p, b, at, left);
	right = expr_parse_from(p, b->right ? b->precedence : b->precedence + 1u);
	return right ? operation(p, b, at, left, right) : NULL;
}

static struct node *operations(struct expr_parser *p, unsigned precedence, struct node *x)
{
	const struct binary *b, *before = NULL;
	size_t at = p->l.at;
	bool no;

	for (; x && (b = binary_take(p, precedence, &no)); at = p->l.at, before = b) {
		if (before && before->what == IS_ELSE && b->what != IS_ELSE) {
			expr_lex_error(&p->l, at, "'%s' beside '?\?' wants parentheses", b->name);
			return NULL;
		}
		x = binary(p, b, at, x);
		if (x && no)
			x = expr_node(p, NODE_NOT, at, &x, 1);
	}
	return x && !p->l.err->text[0] ? x : NULL;
}

struct node *expr_parse_from(struct expr_parser *p, unsigned precedence)
{
	struct node *x;

	if (++p->depth > EXPR_DEPTH) {
		expr_lex_error(&p->l, p->l.at, "nested too deeply");
		return NULL;
	}
	if (precedence == 0 && is_word(p, "let"))
		x = let(p);
	else if (precedence == 0 && is_word(p, "if"))
		x = if_else(p);
	else
		x = operations(p, precedence, unary(p));
	if (x && precedence == 0)
		x = conditional(p, x);
	p->depth--;
	return x;
}

bool expr_parse(struct arena *a, struct bytes source, const struct expr_world *world, struct expr_parsed *out,
		struct err *e)
{
	struct err mine = { 0 };
	struct expr_parser p = { .l = { .arena = a, .source = source, .err = &mine }, .arena = a, .world = world };

	out->root = NULL;
	if (source.len > EXPR_SOURCE_MAX)
		expr_lex_error(&p.l, 0, "longer than %d bytes", EXPR_SOURCE_MAX);
	else if (expr_lex_next(&p.l))
		out->root = expr_parse_sequence(&p);
	if (out->root && p.l.kind != TOKEN_END)
		out->root = expr_parse_unexpected(&p);
	out->slots = p.slots;
	if (!out->root && e)
		*e = mine;
	return out->root != NULL;
}
