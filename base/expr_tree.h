/* expr_tree.h -- inside the expressions: source -> tokens -> tree -> bytecode.
 *
 * Private to base/expr*.c and to the tests, whose naive evaluator walks the same tree. A tree is at most EXPR_DEPTH deep,
 * so what walks it may recurse. */
#ifndef BASE_EXPR_TREE_H
#define BASE_EXPR_TREE_H
#include "base/expr.h"
#include "base/expr_data.h"

enum { EXPR_SOURCE_MAX = 64 << 10, EXPR_DEPTH = 200, EXPR_LOCALS = 64, EXPR_LOOPS = 8 };

enum expr_token { TOKEN_END, TOKEN_NAME, TOKEN_NUMBER, TOKEN_TEXT, TOKEN_SYMBOL };

struct expr_lexer {
	struct arena *arena;
	struct bytes source;
	struct err *err;
	size_t next;             /* where the token after this one is looked for */
	enum expr_token kind;    /* the token that is looked at */
	size_t at;               /* its offset */
	struct bytes text;       /* as written; of a text without its quotes and escapes */
	struct expr_value value; /* of a number */
};
bool expr_lex_next(struct expr_lexer *);
/* "line:column: ..." of an offset; false. */
bool expr_lex_error(struct expr_lexer *, size_t at, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

enum expr_op {
	OP_EQ, OP_NE, OP_LT, OP_LE, OP_GT, OP_GE, OP_IN, OP_CONTAINS, OP_STARTS, OP_ENDS, OP_MATCHES,
	OP_RANGE, OP_ADD, OP_SUB, OP_MUL, OP_DIV, OP_MOD, OP_POW,
};
enum expr_loop {
	LOOP_ANY, LOOP_ALL, LOOP_NONE, LOOP_ONE, LOOP_FILTER, LOOP_MAP, LOOP_COUNT, LOOP_SUM, LOOP_FIND, LOOP_FIND_INDEX,
};

enum expr_node {
	NODE_CONST,
	NODE_LOAD,     /* number */
	NODE_LOCAL,    /* number: the slot; bound */
	NODE_ITEM,     /* # */
	NODE_PLACE,    /* #index */
	NODE_MEMBER,   /* kid, name */
	NODE_INDEX,    /* kids: of what, which */
	NODE_SLICE,    /* kids: of what, from, to; these two may be NULL */
	NODE_NOT, NODE_MINUS, NODE_PLUS,
	NODE_BINARY,   /* op */
	NODE_AND, NODE_OR, /* two kids or more */
	NODE_ELSE,     /* ?? */
	NODE_COND,     /* kids: condition, then, else */
	NODE_LET,      /* kids: value, body; number: the slot */
	NODE_SEQUENCE,
	NODE_LIST,
	NODE_FUNCTION, /* function */
	NODE_CALL,     /* number */
	NODE_METHOD,   /* kids: of what, arguments; name */
	NODE_LOOP,     /* kids: list, predicate; op: enum expr_loop */
	NODE_CHAIN,    /* kid: nil as soon as an optional member of it is of nil */
};

struct node {
	uint8_t kind, op;
	bool optional;           /* "?." before this member, index or method */
	uint16_t depth;
	uint32_t at, number;
	struct node **kids;
	size_t n, cap;
	struct expr_value value; /* NODE_CONST */
	struct bytes name;
	const struct node *bound; /* NODE_LOCAL: what `let` bound; NULL never */
	const struct expr_function *function;
};

struct expr_args {
	const struct expr_value *at;
	size_t n;
	const struct expr_data *data; /* the world's files, or NULL */
};
typedef bool expr_fn(struct expr_run *, const struct expr_args *, struct expr_value *out);
struct expr_function {
	const char *name;
	const char *takes; /* a letter an argument: s text, i int, n number, l list, o object, a any; '?': what follows may
			    * be left out; '*': the last one again and again */
	expr_fn *run;      /* NULL: it is refused, and help says why */
	bool pure;         /* of constants it is constant */
	const char *help;
};
const struct expr_function *expr_function_find(struct bytes name);
/* The i-th of all; NULL behind the last. */
const struct expr_function *expr_function_row(size_t i);
/* How many arguments; *max SIZE_MAX: any number. */
void expr_function_takes(const struct expr_function *, size_t *min, size_t *max);
/* Looks at the kinds of the arguments, then calls it. */
bool expr_function_call(struct expr_run *, const struct expr_data *, const struct expr_function *,
			const struct expr_value *, size_t n, struct expr_value *out);
/* LOOP_*, or -1. */
int expr_loop_find(struct bytes name);

struct expr_parsed {
	struct node *root;
	unsigned slots; /* of `let` */
};
bool expr_parse(struct arena *, struct bytes source, const struct expr_world *, struct expr_parsed *, struct err *);
/* Evaluates what is constant, in place. */
bool expr_fold(struct arena *, struct bytes source, const struct expr_world *, struct node *, struct err *);
struct expr_value expr_text_value(struct bytes);
struct expr_value expr_bool_value(bool);
struct expr_value expr_int_value(int64_t);
struct expr_value expr_float_value(double);

/* ---- expr_ops.c: what operators do to values. False: run->failed says why. ---- */
bool expr_charge(struct expr_run *, size_t steps);
bool expr_op(struct expr_run *, enum expr_op, const struct expr_value *, const struct expr_value *, struct expr_value *out);
bool expr_op_equal(struct expr_run *, const struct expr_value *, const struct expr_value *);
bool expr_op_minus(struct expr_run *, struct expr_value *);
bool expr_op_index(struct expr_run *, const struct expr_value *, const struct expr_value *, struct expr_value *out);
bool expr_op_member(struct expr_run *, const struct expr_value *, struct bytes name, struct expr_value *out);
/* from, to: NULL where not given. */
bool expr_op_slice(struct expr_run *, const struct expr_value *, const struct expr_value *from, const struct expr_value *to,
		   struct expr_value *out);
bool expr_op_method(struct expr_run *, const struct expr_value *args, size_t n, struct bytes name, struct expr_value *out);
const char *expr_op_name(enum expr_op);
const char *expr_kind_name(enum expr_kind);
bool expr_failf(struct expr_run *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* ---- expr_set.c: many texts at once ---- */
struct expr_set;
struct matcher;
/* test: EXPR_EQUALS, EXPR_STARTS, EXPR_ENDS or EXPR_CONTAINS. cache_dir: of compiled databases, may be NULL. NULL: it
 * cannot be made. */
struct expr_set *expr_set_new(struct arena *, const struct bytes *, size_t n, enum expr_test, bool caseless,
			      const char *cache_dir);
/* Is one of the texts in, or at an end of, or all of this? */
bool expr_set_has(struct expr_run *, const struct expr_set *, struct bytes, bool *yes);
/* Does one of the matcher's patterns match? False: memory is short. */
struct matcher_scratch;
struct matcher_scratch *expr_scratch(void); /* of this thread; NULL: memory is short */
bool expr_set_scan(const struct matcher *, struct bytes, bool *yes);

/* ---- expr_data.c ---- */
const char *expr_data_cache(const struct expr_data *); /* NULL: none, or there is no data */
struct expr_file;
struct regex;
const struct expr_file *expr_data_find(const struct expr_data *, struct bytes name, enum expr_data_type);
const struct expr_value *expr_file_lines(const struct expr_file *, size_t *n);
bool expr_file_match(struct expr_run *, const struct expr_file *, struct bytes, bool *yes);
struct expr_file_row {
	struct bytes pattern, tag;
	enum expr_test test; /* EXPR_EQUALS, EXPR_CONTAINS, EXPR_MATCHES */
	struct regex *regex;
};
const struct expr_file_row *expr_file_rows(const struct expr_file *, size_t *n);
bool expr_file_look_up(struct expr_run *, const struct expr_file *, struct bytes, struct bytes *tag);

/* ---- expr_json.c ---- */
/* The value at a path of members and "[i]", as written and without quotes; false: it is not there. */
bool expr_json_find(struct bytes json, struct bytes path, struct bytes *raw, bool *is_text);
/* Without JSON's escapes; at == NULL past the arena's cap. */
struct bytes expr_json_unescape(struct arena *, struct bytes raw);

/* ---- expr_escape.c; false: memory is short. What is broken stays as it is. ---- */
bool expr_query_unescape(struct arena *, struct bytes, struct bytes *out);
bool expr_path_unescape(struct arena *, struct bytes, struct bytes *out);
bool expr_upper(struct arena *, struct bytes, struct bytes *out);
bool expr_lower(struct arena *, struct bytes, struct bytes *out);
#endif
