/* vars.h -- SecLang's variables: TX and the other collections, of one request.
 *
 * A variable that some rule names has a slot, which its name was exchanged for
 * when rules were loaded; one that is made up while rules run ("paramcounter_" and
 * the name of an argument) is found by its name. */
#ifndef RULES_VARS_H
#define RULES_VARS_H
#include "base/arena.h"
#include "rules/ir.h"

/* A value is text, number or both: each is made of the other when asked for. */
struct var {
	struct bytes text; /* at == NULL: not made yet */
	int64_t number;
	bool set;
	bool pinned;       /* the configuration says what it is; rules cannot change it */
};

struct made_var {
	enum collection collection;
	struct bytes name; /* lower case */
	struct var var;
};

struct vars {
	struct arena *arena;
	const struct ir *ir;
	struct var *slots;
	struct made_var *made;
	size_t nmade, cap;
};

enum { VARS_MADE_MAX = 4096 }; /* more names are refused, which vars_find tells by NULL */

/* As ModSecurity's: an optional sign and digits, then whatever; 0 without. */
int64_t vars_number(struct bytes);
void vars_set_text(struct var *, struct bytes);
void vars_set_number(struct var *, int64_t);
/* Empty for one that is not set; at == NULL: past the arena's cap. */
struct bytes vars_text(struct arena *, struct var *);
/* By name in any case; made when it is not there and `make`; NULL: not there, or no room. */
struct var *vars_find(struct vars *, enum collection, struct bytes name, bool make);
/* The whole state, to go back to. */
bool vars_copy(struct arena *, const struct vars *from, struct vars *to);
#endif
