/* ir.h -- a rule as the engine knows it, whatever language it was written in.
 *
 *   rule      = any of its groups holds: then its actions are done
 *   group     = all of its conditions hold, each on some value of its targets
 *               (SecLang: a rule and its chain; AppSec: one AND of the tree in
 *               disjunctive normal form)
 *   condition = targets x transformations x operator, negated or not, or the
 *               number of values instead of the values
 *
 * A front end (appsec_load.c; SecLang later) makes rules with the functions
 * below, in file order; ruleset.c compiles what came out. Everything lives in
 * the ir's arena and never changes after loading. */
#ifndef RULES_IR_H
#define RULES_IR_H
#include "base/verdict.h"
#include "rules/operators.h"
#include "rules/transforms.h"

/* Where values come from. */
enum zone {
	ZONE_URI,       /* each reading of the path */
	ZONE_URI_FULL,  /* the target as sent */
	ZONE_METHOD,
	ZONE_PROTOCOL,  /* "HTTP/1.1" */
	ZONE_ARGS,      /* of the query */
	ZONE_ARGS_NAMES,
	ZONE_HEADERS,
	ZONE_HEADERS_NAMES,
	ZONE_COOKIES,
	ZONE_COOKIES_NAMES,
	ZONE_BODY_ARGS, /* from here on the body must have been read */
	ZONE_BODY_ARGS_NAMES,
	ZONE_FILES,     /* the names that uploaded files were given */
	ZONE_FILES_NAMES, /* the names of their fields */
	ZONE_FILES_TOTAL_SIZE,
	ZONE_BODY_TYPE, /* "JSON", "XML", "MULTIPART", "URLENCODED" */
	ZONE_RAW_BODY,
	ZONE_COUNT,
	ZONE_BODY_FIRST = ZONE_BODY_ARGS,
};

/* AppSec's word for it; two words may name one zone. */
bool zone_find(struct bytes word, enum zone *);
const char *zone_name(enum zone);
const char *zone_nearest(struct bytes word); /* NULL: nothing is near */

struct target {
	enum zone zone;
	struct bytes name;   /* lower case; at == NULL: whatever the name */
	struct regex *regex; /* or names that match, without case; NULL: none */
	bool except;         /* takes what it names out again (SecLang's `!ARGS:x`) */
};

/* Transformations are a tree, so that what rules share is done once: a node is
 * one step after its parent; node 0 is the value as it came. */
struct step {
	const struct transform *transform; /* NULL: node 0 */
	uint16_t parent;
	uint16_t same;  /* an earlier node with the same transformation; 0: none */
	uint32_t needs; /* traits without which the way from node 0 changes nothing */
};

struct condition {
	const struct target *targets;
	size_t ntargets;
	uint16_t node;
	const struct op *op;
	struct operand operand;
	bool negate;
	bool count;      /* the operator sees how many values there are, in decimal */
	uint32_t pattern; /* in the union database: without its hit this cannot hold */
	uint16_t scanned; /* the node whose text is scanned for it: `node` but for its case */
};
#define NO_PATTERN UINT32_MAX

/* What of the request is there. Response phases come with SecLang. */
enum phase { PHASE_HEAD, PHASE_BODY };

struct group {
	struct condition *at; /* cheapest first: see gates.c */
	size_t n;
	size_t shown;         /* the condition whose match is reported */
	uint32_t rule;
};

/* What a match does. SecLang's setvar, ctl and skipAfter will be more of these. */
struct actions {
	enum remedy_kind remedy; /* DENY or LOG */
	uint16_t status;
};

struct rule {
	struct rule_info info;
	struct actions actions;
	uint32_t first, n; /* of groups */
};

struct ir {
	struct arena *arena;
	struct rule *rules;
	size_t nrules, rules_cap;
	struct group *groups;
	size_t ngroups, groups_cap;
	struct step *steps;
	size_t nsteps, steps_cap;
	struct regex **regexes; /* to be freed */
	size_t nregexes, regexes_cap;
};

struct ir *ir_new(void); /* NULL: out of memory */
void ir_free(struct ir *);
/* The following return NULL or false only when memory is short. */
struct rule *ir_rule(struct ir *);                      /* groups added next are its own */
struct group *ir_group(struct ir *, size_t nconditions); /* of the newest rule; conditions zeroed */
bool ir_step(struct ir *, uint16_t *node, const struct transform *); /* moves *node one step on */
struct regex *ir_regex(struct ir *, struct bytes pattern, unsigned flags, struct err *);
#endif
