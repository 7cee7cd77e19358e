/* ir.h -- a rule as the engine knows it, whatever language it was written in.
 *
 *   rule      = any of its groups holds: then its actions are done
 *   group     = all of its conditions hold, each on some value of its targets
 *               (AppSec: one AND of the tree in disjunctive normal form;
 *               SecLang: a rule and its chain, which are the links of one group)
 *   condition = targets x transformations x operator, negated or not
 *
 * Groups of AppSec rules are asked in any order, once. Those of SecLang run in
 * file order, phase by phase (run.c), for what one does another may read: their
 * conditions keep their order, and each has a link that says what is done when it
 * holds.
 *
 * A front end (appsec_load.c, seclang_load.c) makes rules with the functions
 * below, in file order; ruleset.c compiles what came out. Everything lives in
 * the ir's arena and never changes after loading. */
#ifndef RULES_IR_H
#define RULES_IR_H
#include "base/verdict.h"
#include "rules/operators.h"
#include "rules/transforms.h"
#include "rules/zone.h"

struct target {
	enum zone zone;
	struct bytes name;   /* lower case; at == NULL: whatever the name */
	struct regex *regex; /* or names that match, without case; NULL: none */
	struct bytes pattern; /* that expression */
	const char *word;    /* what SecLang called it: "ARGS_GET"; NULL: zone_name() */
	enum collection collection; /* ZONE_VARS */
	uint32_t slot;       /* ZONE_VARS with a name: where it is kept; else UINT32_MAX */
	bool except;         /* takes what it names out again (SecLang's `!ARGS:x`) */
	bool count;          /* the operator sees how many values there are, in decimal */
	bool more;           /* the next target is of the same variable: they are counted together */
};

/* Transformations are a tree, so that what rules share is done once: a node is
 * one step after its parent; node 0 is the value as it came. */
struct step {
	const struct transform *transform; /* NULL: node 0 */
	uint16_t parent;
	uint16_t same;  /* an earlier node with the same transformation; 0: none */
	uint32_t needs; /* traits without which the way from node 0 changes nothing */
};

/* Text with %{names} in it, which are looked up when it is needed. */
struct piece {
	struct bytes text;           /* as written; of a name: what stands for it when there is none */
	const struct target *target; /* NULL: text; one that names one value */
};

struct macro {
	struct piece *at;
	size_t n;
	int64_t number; /* of a macro without names: what it is as a number */
	bool constant;
};

/* What must be there before a condition can hold, found by a look at a value alone. */
enum gate_kind {
	GATE_NONE,   /* nothing: it depends on more than one value, or there is no value */
	GATE_TEXT,   /* a text of the union database */
	GATE_VALUE,  /* itself: it is asked of each new value, and the answer remembered */
};

#define NO_PATTERN UINT32_MAX

/* A text is plain (plain.h), and only few patterns are looked for in it, or it is not. */
enum texts { TEXTS_RICH, TEXTS_PLAIN, TEXTS_KINDS };

struct condition {
	const struct target *targets; /* none and no op: holds always (SecAction) */
	size_t ntargets;
	uint16_t node;
	uint16_t scanned; /* GATE_TEXT: the node whose text is scanned for it: `node` but for its case */
	bool negate;
	bool multi;       /* asked after every step of the way to its node, not only the last */
	const struct carry *carries; /* GATE_VALUE: and the next link must hold on what it makes of the value; NULL: it need not */
	uint8_t gate;     /* enum gate_kind; GATE_NONE but for the one that was chosen */
	struct gate_patterns {
		uint32_t pattern; /* GATE_TEXT: in the union database: without its hit this cannot hold; NO_PATTERN: it cannot */
		uint32_t also;    /* nor without this one's; NO_PATTERN: it is alone */
	} gates[TEXTS_KINDS]; /* by the kind of text */
	const struct op *op;
	struct operand operand;
	const struct macro *macro; /* the operand is made of this; NULL: it is as it is */
	uint32_t nth_macro;        /* among all: where a plan keeps the operand when it is known beforehand */
};

/* When a rule runs. AppSec's run as soon as what they look at is there. */
enum phase { PHASE_HEAD, PHASE_BODY, PHASE_ANSWER, PHASE_ANSWER_BODY, PHASE_LOG, PHASE_COUNT };

/* setvar */
struct assignment {
	const struct macro *name; /* without the collection; NULL: `slot` */
	enum collection collection;
	uint32_t slot;
	enum assign { ASSIGN_SET, ASSIGN_ADD, ASSIGN_SUBTRACT, ASSIGN_UNSET } how;
	const struct macro *value;
	bool scores; /* adds to an anomaly score: shown with the hit */
};

/* ctl */
enum change_kind {
	CHANGE_ENGINE,        /* word: On, Off, DetectionOnly */
	CHANGE_REMOVE_RULES,  /* `rules` no longer hold */
	CHANGE_REMOVE_TARGET, /* `targets` are no longer theirs */
	CHANGE_BODY_PROCESSOR, /* word: URLENCODED, MULTIPART, JSON, XML */
	CHANGE_BODY_VARIABLE, /* REQUEST_BODY is there whatever the body is */
	CHANGE_BODY_ACCESS,   /* on or off */
	CHANGE_ANSWER_ACCESS, /* on or off */
};

enum engine { ENGINE_ON, ENGINE_DETECT, ENGINE_OFF };

/* Which rules a ctl or an exception means; resolved to rules when all are there. */
struct selection {
	enum select { SELECT_ID, SELECT_TAG, SELECT_MSG } by;
	uint64_t from, to;   /* SELECT_ID */
	struct regex *regex; /* the others: of the tag or message; searched for */
	struct bytes text;   /* without regex: exactly this, any case */
};

struct change {
	enum change_kind kind;
	bool on;
	enum engine engine;
	struct bytes word;
	struct selection rules;
	const struct target *targets; /* what is removed */
	size_t ntargets;
	const uint64_t *groups; /* bits, by resolve: those of `rules` */
};

/* What holding does, besides going on to the next link. */
struct link {
	struct assignment *sets;
	size_t nsets;
	struct change *changes;
	size_t nchanges;
	bool capture; /* TX:0 to TX:9 */
};

struct group {
	struct condition *at; /* of AppSec: cheapest first, see plan.c */
	size_t n;
	size_t shown;         /* the condition whose match is reported */
	struct link *links;   /* as many as conditions; NULL: not of SecLang */
	uint32_t rule;
};

/* Bits. */
enum allow { ALLOW_ALL = 1, ALLOW_PHASE = 2, ALLOW_REQUEST = 4 };

/* What a match does. */
struct actions {
	enum remedy_kind remedy; /* DENY, LOG or, of SecLang, ALLOW: nothing */
	uint16_t status;
	bool quiet;         /* SecLang's nolog: no hit is reported */
	uint8_t allow;      /* enum allow; 0: none */
	uint32_t skip_to;   /* the group to go on with; 0: the next one */
	const struct macro *message, *data; /* NULL: none */
	struct bytes location; /* redirect; empty: none */
};

struct rule {
	struct rule_info info;
	struct actions actions;
	uint32_t first, n; /* of groups */
	bool ordered;      /* SecLang's: runs in its phase */
	bool removed;      /* SecRuleRemove* */
	uint8_t phase;     /* enum phase; of ordered ones */
	uint64_t number;   /* its id; 0: it is no number */
	const struct bytes *tags;
	size_t ntags;
};

/* A variable that some rule names: vars.h. */
struct slot {
	enum collection collection;
	struct bytes name; /* lower case */
};

/* What SecLang's directives say of bodies. */
struct body_settings {
	bool access, answer_access;
	size_t answer_window;             /* bytes */
	const struct bytes *answer_types; /* media types; none: text/plain and text/html */
	size_t nanswer_types;
	size_t args_max;                  /* SecArgumentsLimit; 0: not said */
	size_t json_depth;                /* SecRequestBodyJsonDepthLimit; 0: not said */
	enum engine engine;
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
	struct slot *slots;     /* the first ten are TX:0 to TX:9 */
	size_t nslots, slots_cap;
	struct body_settings bodies;
	bool of_text;           /* what is being read is no file: it names none either */
	struct bytes crs;       /* the version that its rules tell: "3.3.4"; empty: none is the Core Rule Set's */
	uint32_t nmacros;       /* conditions that have one */
};

struct ir *ir_new(void); /* NULL: out of memory */
void ir_free(struct ir *);
/* The following return NULL or false only when memory is short. */
struct rule *ir_rule(struct ir *);                      /* groups added next are its own */
struct group *ir_group(struct ir *, size_t nconditions); /* of the newest rule; conditions zeroed */
bool ir_step(struct ir *, uint16_t *node, const struct transform *); /* moves *node one step on */
/* name in any case. */
bool ir_slot(struct ir *, enum collection, struct bytes name, uint32_t *slot);
struct regex *ir_regex(struct ir *, struct bytes pattern, unsigned flags, struct err *);
/* The rule is one of them. */
bool selection_has(const struct selection *, const struct rule *);
#endif
