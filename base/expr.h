/* expr.h -- expressions of expr-lang, as CrowdSec's scenarios and profiles write them.
 *
 * Source becomes a tree, the tree bytecode for a small stack machine. The language is that of expr-lang v1.17 without its
 * maps: operators, `let`, `if`, closures over lists, the functions of expr_functions.c. Strings are bytes. What is wrong
 * with an expression is an error when it is compiled, with its line and column; what goes wrong when it runs (int(""), a
 * step too many) ends that run alone and says why. Compiled expressions are immutable: any number of threads may run one.
 *
 * The names that it may use are the host's, a `world`. A path of names that is constant, "evt.Meta.http_path", is looked up
 * once, when the expression is compiled, and is a number afterwards. */
#ifndef BASE_EXPR_H
#define BASE_EXPR_H
#include "base/arena.h"
#include "base/err.h"

enum expr_kind { EXPR_NIL, EXPR_BOOL, EXPR_INT, EXPR_FLOAT, EXPR_TEXT, EXPR_LIST, EXPR_OBJECT };

struct expr_run;
struct expr_value;

/* A thing of the host that is reached by its members: x.Name, x["Name"], x.Name(...). Both return false and call expr_fail. */
struct expr_object {
	const char *name; /* for errors: "event" */
	bool (*get)(struct expr_run *, const void *self, struct bytes member, struct expr_value *out);
	bool (*call)(struct expr_run *, const void *self, struct bytes member, const struct expr_value *args, size_t n,
		     struct expr_value *out);
};

struct expr_value {
	enum expr_kind kind;
	union {
		bool truth;
		int64_t number;
		double real;
		struct bytes text;
		struct { const struct expr_value *at; size_t n; } list;
		struct { const struct expr_object *is; const void *self; } object;
	};
};

/* One run. `ctx` is the host's; values that are made live in the arena. */
struct expr_run {
	void *ctx;
	struct arena *arena;
	unsigned steps;     /* that are left; EXPR_STEPS to begin with */
	const char *failed; /* why it ended early: a constant text, or one in the arena; else NULL */
};
enum { EXPR_STEPS = 100000 };
bool expr_fail(struct expr_run *, const char *why); /* returns false */

struct expr_data; /* expr_data.h: what File(), RegexpInFile() and LookupFile() read */

struct expr_world {
	/* The number of "evt.Meta.http_path" or, with `call`, of a function or method "evt.SetMeta"; the longest path that is
	 * known is taken, what follows goes through expr_object. False: there is no such name. */
	bool (*find)(const void *ctx, struct bytes path, bool call, uint32_t *number);
	bool (*load)(struct expr_run *, uint32_t number, struct expr_value *out);
	bool (*call)(struct expr_run *, uint32_t number, const struct expr_value *args, size_t n, struct expr_value *out);
	const void *ctx;              /* of find */
	const struct expr_data *data; /* NULL: there are no files */
	const char *const *names;     /* for "did you mean"; ends with NULL; may be NULL */
};

struct expr;
/* Lives in the arena (so must the world's data); its regular expressions go with it. Errors: "line:column: ...", counted
 * from the start of `source`, side SIDE_CONFIG. */
struct expr *expr_compile(struct arena *, struct bytes source, const struct expr_world *, struct err *);
bool expr_run(const struct expr *, struct expr_run *, struct expr_value *out); /* false: run->failed says why */
/* True only when it ran to its end and was true: nothing else is "true" here. */
bool expr_true(const struct expr *, struct expr_run *);
/* The numbers of the names that it may load, without repetition. */
size_t expr_loads(const struct expr *, const uint32_t **numbers);
/* It is a name and nothing else. */
bool expr_is_name(const struct expr *, uint32_t *number);
/* It is that name, or texts that are joined, of which that is the first. */
bool expr_begins_with(const struct expr *, uint32_t number);

/* ---- what must be so for it to be true ----
 * Each need is a list of tests of which at least one holds whenever the expression is true; so where none does, it need not
 * be run. Only what can be proved is said: no needs at all is always a right answer. */
enum expr_test { EXPR_EQUALS, EXPR_STARTS, EXPR_ENDS, EXPR_CONTAINS, EXPR_MATCHES /* an unanchored expression */ };
enum expr_view { EXPR_AS_IS, EXPR_QUERY_UNESCAPED, EXPR_PATH_UNESCAPED };
struct expr_atom {
	uint32_t load;       /* the name whose text is tested */
	enum expr_view view; /* how it is read first */
	enum expr_test test;
	bool caseless;       /* ASCII */
	struct bytes text;
};
struct expr_need { const struct expr_atom *at; size_t n; };
/* From the arena. A name that is compared with numbers (`int(x) > 3`) or an inequality makes no atoms. A need without atoms
 * can never be met: the expression is never true. EXPR_MATCHES are Go's expressions (PATTERN_GO). */
size_t expr_needs(const struct expr *, struct arena *, const struct expr_need **out);
/* The text as an atom reads it, just as the function in the expression does. False: memory is short. */
bool expr_view_of(struct arena *, enum expr_view, struct bytes, struct bytes *out);
/* The views: RFC 3986 percent decoding, of a query also '+' as a blank; as QueryUnescape() and PathUnescape() read it. */
bool expr_query_unescape(struct arena *, struct bytes, struct bytes *out);
bool expr_path_unescape(struct arena *, struct bytes, struct bytes *out);
#endif
