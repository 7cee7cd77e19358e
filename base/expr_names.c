/* expr_names.c -- names in a source: the host's, and functions.
 *
 * "evt.Meta.http_path" and evt.Meta["http_path"] are one path, which the host is asked for as long as it can be; what is
 * left of it are members of an object. */
#include "base/expr_parse.h"

enum { PATH_BYTES = 512, PATH_PARTS = 16, DISTANCE_MAX = 3, SUGGEST_LEN = 64 };

struct path {
	char text[PATH_BYTES];
	size_t n, ends[PATH_PARTS];
	uint32_t at[PATH_PARTS]; /* offsets in the source */
	bool optional[PATH_PARTS];
};

static bool path_add(struct path *p, struct bytes part, size_t at, bool optional)
{
	size_t from = p->n ? p->ends[p->n - 1] + 1 : 0;

	if (p->n == PATH_PARTS || from + part.len + 1 > sizeof p->text || bytes_index(part, '.') != SIZE_MAX || !part.len)
		return false;
	if (from)
		p->text[from - 1] = '.';
	memcpy(p->text + from, part.at, part.len);
	p->ends[p->n] = from + part.len;
	p->at[p->n] = (uint32_t)at;
	p->optional[p->n++] = optional;
	return true;
}

static struct bytes path_bytes(const struct path *p, size_t parts)
{
	return (struct bytes){ p->text, p->ends[parts - 1] };
}

/* Levenshtein's, of texts that are short. */
static unsigned distance(struct bytes a, struct bytes b)
{
	unsigned row[SUGGEST_LEN + 1];

	if (a.len > SUGGEST_LEN || b.len > SUGGEST_LEN)
		return SUGGEST_LEN;
	for (size_t j = 0; j <= b.len; j++)
		row[j] = (unsigned)j;
	for (size_t i = 1; i <= a.len; i++) {
		unsigned diagonal = row[0];

		row[0] = (unsigned)i;
		for (size_t j = 1; j <= b.len; j++) {
			unsigned change = diagonal + (byte_lower(a.at[i - 1]) != byte_lower(b.at[j - 1]));
			unsigned other = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;

			diagonal = row[j];
			row[j] = change < other ? change : other;
		}
	}
	return row[b.len];
}

static void nearer(struct bytes wanted, const char *name, const char **best, unsigned *least)
{
	unsigned d = distance(wanted, bytes_of(name));

	if (d < *least && d <= wanted.len / 2) {
		*least = d;
		*best = name;
	}
}

static struct node *unknown(struct expr_parser *p, struct bytes name, size_t at, bool call)
{
	const char *best = NULL;
	unsigned least = DISTANCE_MAX + 1;
	int len = (int)(name.len > 80 ? 80 : name.len);

	for (const char *const *n = p->world->names; n && *n; n++)
		nearer(name, *n, &best, &least);
	for (size_t i = 0; call && expr_function_row(i); i++)
		nearer(name, expr_function_row(i)->name, &best, &least);
	expr_lex_error(&p->l, at, best ? "unknown %s '%.*s', did you mean '%s'?" : "unknown %s '%.*s'",
		       call ? "function" : "name", len, name.at, best);
	return NULL;
}

static bool world_find(const struct expr_parser *p, struct bytes path, bool call, uint32_t *number)
{
	return p->world->find && p->world->find(p->world->ctx, path, call, number);
}

/* A path that is not called: the longest that the host knows, then members. */
static struct node *resolve(struct expr_parser *p, const struct path *path, size_t parts, bool *chain)
{
	struct node *x = NULL;
	uint32_t number;
	size_t known = parts;

	while (known && !world_find(p, path_bytes(path, known), false, &number))
		known--;
	if (!known)
		return unknown(p, path_bytes(path, parts), path->at[0], false);
	x = expr_node(p, NODE_LOAD, path->at[0], NULL, 0);
	if (x)
		x->number = number;
	for (size_t i = known; x && i < parts; i++) {
		size_t from = path->ends[i - 1] + 1;

		x = expr_node(p, NODE_MEMBER, path->at[i], &x, 1);
		if (!x || !(x->name = arena_copy(p->arena, (struct bytes){ path->text + from, path->ends[i] - from })).at)
			return NULL;
		x->optional = path->optional[i];
		*chain = *chain || x->optional;
	}
	return x;
}

static struct node *path_call(struct expr_parser *p, const struct path *path, bool *chain)
{
	uint32_t number;
	size_t last = path->n - 1, from = path->ends[last - 1] + 1;
	struct node *x, *of;

	if (world_find(p, path_bytes(path, path->n), true, &number)) {
		x = expr_node(p, NODE_CALL, path->at[last], NULL, 0);
		if (x)
			x->number = number;
		return x && expr_parse_arguments(p, x) ? x : NULL;
	}
	of = resolve(p, path, last, chain);
	x = of ? expr_node(p, NODE_METHOD, path->at[last], &of, 1) : NULL;
	if (!x || !(x->name = arena_copy(p->arena, (struct bytes){ path->text + from, path->ends[last] - from })).at)
		return NULL;
	x->optional = path->optional[last];
	*chain = *chain || x->optional;
	return expr_parse_arguments(p, x) ? x : NULL;
}

/* One more part, ".name" or ["name"]. False: there is none, and nothing is read. */
static bool part(struct expr_parser *p, struct path *path)
{
	struct expr_lexer before = p->l;
	bool optional = expr_parse_symbol(p, "?."), index = expr_parse_symbol(p, "[");
	struct bytes name;
	size_t at;

	if ((optional || index || expr_parse_symbol(p, ".")) && expr_lex_next(&p->l)) {
		name = p->l.text;
		at = p->l.at;
		if (p->l.kind == (index ? TOKEN_TEXT : TOKEN_NAME) && expr_lex_next(&p->l) &&
		    (!index || (expr_parse_symbol(p, "]") && expr_lex_next(&p->l))) && path_add(path, name, at, optional))
			return true;
	}
	if (!p->l.err->text[0])
		p->l = before;
	return false;
}

struct node *expr_parse_name(struct expr_parser *p)
{
	struct expr_lexer before = p->l;
	struct path path = { .n = 0 };
	bool chain = false;
	struct node *x;

	if (!path_add(&path, p->l.text, p->l.at, false)) {
		expr_lex_error(&p->l, p->l.at, "a name that is too long");
		return NULL;
	}
	if (!expr_lex_next(&p->l))
		return NULL;
	if (expr_parse_symbol(p, "(")) {
		p->l = before;
		return expr_parse_call(p, NULL);
	}
	while (!expr_parse_symbol(p, "(") && part(p, &path))
		;
	if (p->l.err->text[0])
		return NULL;
	x = path.n > 1 && expr_parse_symbol(p, "(") ? path_call(p, &path, &chain) : resolve(p, &path, path.n, &chain);
	return x && chain ? expr_node(p, NODE_CHAIN, x->at, &x, 1) : x;
}

/* The predicate of a loop, with braces or without. */
static struct node *closure(struct expr_parser *p)
{
	struct node *x;
	bool brace = expr_parse_symbol(p, "{");

	if (p->loops == EXPR_LOOPS) {
		expr_lex_error(&p->l, p->l.at, "more than %d closures in each other", EXPR_LOOPS);
		return NULL;
	}
	if (brace && !expr_lex_next(&p->l))
		return NULL;
	p->loops++;
	x = brace ? expr_parse_sequence(p) : expr_parse_from(p, 0);
	p->loops--;
	return x && (!brace || expr_parse_expect(p, "}")) ? x : NULL;
}

/* any(list, predicate); count(list) and sum(list) have the item itself for one. */
static struct node *loop(struct expr_parser *p, enum expr_loop which, size_t at, struct node *first)
{
	struct node *kids[2] = { first }, *x;

	if (!expr_parse_expect(p, "(") || (!first && !(kids[0] = expr_parse_from(p, 0))))
		return NULL;
	if ((which == LOOP_COUNT || which == LOOP_SUM) && expr_parse_symbol(p, ")")) {
		kids[1] = expr_node(p, NODE_ITEM, at, NULL, 0);
	} else {
		if (!first && !expr_parse_expect(p, ","))
			return NULL;
		kids[1] = closure(p);
	}
	if (!kids[1] || (expr_parse_symbol(p, ",") && !expr_lex_next(&p->l)) || !expr_parse_expect(p, ")"))
		return NULL;
	x = expr_node(p, NODE_LOOP, at, kids, 2);
	if (x)
		x->op = (uint8_t)which;
	return x;
}

static struct node *function(struct expr_parser *p, const struct expr_function *f, size_t at, struct node *first)
{
	struct node *x = expr_node(p, NODE_FUNCTION, at, &first, first ? 1 : 0);
	size_t min, max;

	if (!f->run) {
		expr_lex_error(&p->l, at, "%s() is not offered: %s", f->name, f->help);
		return NULL;
	}
	if (!x || !expr_parse_arguments(p, x))
		return NULL;
	x->function = f;
	expr_function_takes(f, &min, &max);
	if (x->n >= min && x->n <= max)
		return x;
	if (min == max || x->n < min)
		expr_lex_error(&p->l, at, "%s() takes %s%zu arguments, not %zu", f->name, min == max ? "" : "at least ",
			       min, x->n);
	else
		expr_lex_error(&p->l, at, "%s() takes at most %zu arguments, not %zu", f->name, max, x->n);
	return NULL;
}

struct node *expr_parse_call(struct expr_parser *p, struct node *first)
{
	struct bytes name = p->l.text;
	size_t at = p->l.at;
	int which = expr_loop_find(name);
	const struct expr_function *f = expr_function_find(name);
	uint32_t number;
	struct node *x;

	if (which < 0 && !f && !world_find(p, name, true, &number))
		return unknown(p, name, at, true);
	if (!expr_lex_next(&p->l))
		return NULL;
	if (which >= 0)
		return loop(p, (enum expr_loop)which, at, first);
	if (f)
		return function(p, f, at, first);
	x = expr_node(p, NODE_CALL, at, &first, first ? 1 : 0);
	if (x)
		x->number = number;
	return x && expr_parse_arguments(p, x) ? x : NULL;
}
