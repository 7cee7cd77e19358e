/* run.h -- SecLang's rules of one request, run phase by phase.
 *
 * Rules run in file order, but only those that can hold: a rule whose gate no
 * value has is passed over without being looked at, and as a rule that does not
 * hold does nothing, that is the same as asking it. What is left are the few that
 * have no gate: most of them look at variables. */
#ifndef RULES_RUN_H
#define RULES_RUN_H
#include "rules/conditions.h"
#include "rules/inspect.h"
#include "rules/vars.h"

/* A value that the last link held on. */
struct matched {
	struct bytes name, text; /* "ARGS:q"; after the transformations */
};

struct run {
	struct inspection *in;
	struct vars vars;
	enum phase phase;
	bool done[PHASE_COUNT];
	enum engine engine;
	uint8_t allow;             /* enum allow */
	uint64_t *off;             /* groups that a ctl took out; NULL: none */
	const struct change **cuts; /* targets that one took out */
	size_t ncuts, cuts_cap;
	struct matched *matched;   /* by the last link of the rule in hand */
	size_t nmatched, matched_cap;
	const struct rule *rule;   /* in hand */
	struct bytes *quoted;      /* names of what its message and data may quote */
	size_t nquoted, quoted_cap;
	int severity;              /* the worst so far; 255: none */
	int score;                 /* what the rule in hand added */
	uint64_t began;            /* us, by clock_mono_us() */
	bool body_variable;        /* REQUEST_BODY is there whatever the body is */
	bool body_access, answer_access;
	struct bytes processor;    /* that a rule chose for the body; empty: none */
	struct run *as_body_began; /* a copy, to begin PHASE_BODY anew from */
	size_t hits_as_body_began;
	size_t seen;               /* values that there were when PHASE_BODY ran last */
};

/* NULL: out of memory. */
struct run *run_new(struct inspection *);
/* Once; PHASE_BODY may be run again when more of the body has come: it then begins
 * anew from where PHASE_HEAD ended. */
void run_phase(struct run *, enum phase);
/* The score from which the Core Rule Set denies a request; 0: there is none. */
int run_threshold(struct run *);

/* ---- for run.c, macro.c and changes.c ---- */

/* The values of a target, in the order of the request; made ones are made here. */
struct zone_values run_values(struct run *, const struct target *);
/* "ARGS:q" */
struct bytes run_name(struct run *, const struct target *, const struct value *);
struct bytes macro_expand(struct run *, const struct macro *);
int64_t macro_number(struct run *, const struct macro *);
/* setvar and ctl. */
void run_assign(struct run *, const struct assignment *);
void run_change(struct run *, const struct change *);
/* A ctl has taken this value out of the targets of the group. */
bool run_is_cut(const struct run *, uint32_t group, enum zone, const struct value *);
#endif
