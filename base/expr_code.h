/* expr_code.h -- what expr_compile.c makes and expr_run.c runs. Private to them and expr_needs.c.
 *
 * A stack machine: an instruction takes its operands off the stack and puts its result there. */
#ifndef BASE_EXPR_CODE_H
#define BASE_EXPR_CODE_H
#include "base/expr_tree.h"

enum { EXPR_STACK = 256 };

enum expr_do {
	DO_PUSH,          /* with: a value */
	DO_LOAD,          /* to: the world's number */
	DO_LOCAL,         /* n: slot */
	DO_KEEP,          /* n: slot; takes the value */
	DO_ITEM, DO_PLACE,
	DO_POP,
	DO_MEMBER,        /* with: struct bytes */
	DO_INDEX,
	DO_SLICE,         /* n: 1 from, 2 to are on the stack */
	DO_NOT, DO_MINUS, DO_PLUS,
	DO_BOOL,          /* fails for anything else */
	DO_BINARY,        /* n: enum expr_op */
	DO_TEST,          /* with: struct expr_code_test */
	DO_MATCH,         /* with: struct regex */
	DO_IN,            /* with: a value, a list of few texts */
	DO_SET,           /* with: struct expr_code_set */
	DO_REGEXPS,       /* with: struct expr_file */
	DO_JUMP,
	DO_UNLESS,        /* takes a bool, jumps when it is false */
	DO_AND,           /* false stays and jumps, true is taken */
	DO_OR,
	DO_IF_NIL,        /* nil stays and jumps, anything else stays */
	DO_ELSE,          /* nil is taken, anything else stays and jumps */
	DO_LIST,          /* n values */
	DO_FUNCTION,      /* with: struct expr_function; n arguments */
	DO_CALL,          /* to: the world's number; n arguments */
	DO_METHOD,        /* with: struct bytes; n: 1 + arguments */
	DO_LOOP,          /* n: enum expr_loop; to: behind its DO_NEXT */
	DO_NEXT,          /* to: the body */
	DO_END,
};

struct expr_code {
	uint16_t what, n;
	uint32_t to;
	const void *with;
};

/* One text against a constant. */
struct expr_code_test {
	enum expr_op op; /* OP_EQ, OP_NE, OP_CONTAINS, OP_STARTS, OP_ENDS */
	bool caseless;   /* Upper() or Lower() was around it, so anything but a text fails */
	struct bytes text;
};

struct expr_code_set {
	const struct expr_set *set;
	enum expr_op op; /* OP_IN: of what is no text it is false */
	bool caseless;
};

struct expr {
	struct expr_world world;
	const struct expr_code *code;
	const struct node *root;
	const uint32_t *loads;
	size_t n_loads;
};

/* Is it a call of Upper() or Lower(), whichever way it is spelt? Then *inner is what it is of. */
bool expr_is_upper(const struct node *, const struct node **inner);
bool expr_is_lower(const struct node *, const struct node **inner);
/* The value of a tree of constants, pure functions and #, where that is `item`; false: there is none. */
bool expr_known(struct arena *, const struct expr_data *, const struct node *, const struct expr_value *item,
		struct expr_value *out);
#endif
