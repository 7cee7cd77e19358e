/* expr_parse.h -- what the parser's two files share: how it makes nodes, and how it reads names. Private to them. */
#ifndef BASE_EXPR_PARSE_H
#define BASE_EXPR_PARSE_H
#include "base/expr_tree.h"

struct expr_scope {
	struct bytes name; /* empty: a value of the parser's own */
	struct node *value;
	unsigned slot; /* never used again: an operand may be evaluated later than it is read */
};

struct expr_parser {
	struct expr_lexer l;
	struct arena *arena;
	const struct expr_world *world;
	struct expr_scope scope[EXPR_LOCALS];
	unsigned scopes, slots; /* now, and ever */
	unsigned depth, loops;
};

/* All that return a node return NULL when the error is set. */
struct node *expr_node(struct expr_parser *, enum expr_node, size_t at, struct node *const *kids, size_t n);
struct node *expr_parse_from(struct expr_parser *, unsigned precedence);
struct node *expr_parse_sequence(struct expr_parser *); /* a; b; c */
bool expr_parse_symbol(const struct expr_parser *, const char *); /* is it the token that is looked at? */
bool expr_parse_expect(struct expr_parser *, const char *);
struct node *expr_parse_unexpected(struct expr_parser *);
/* Arguments up to the ')' become further kids. */
bool expr_parse_arguments(struct expr_parser *, struct node *into);
bool expr_node_add(struct expr_parser *, struct node *into, struct node *kid);
/* The name that is looked at, with the members that belong to it. */
struct node *expr_parse_name(struct expr_parser *);
/* `first`: of `x | f()`, else NULL. */
struct node *expr_parse_call(struct expr_parser *, struct node *first);
#endif
