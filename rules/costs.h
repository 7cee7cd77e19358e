/* costs.h -- what a rule costs by itself, learnt from a few inspections.
 *
 * All rules are sought by one scan, which nobody can charge to one of them. What is a rule's own comes after it: its gate
 * asked of a value, its conditions, its actions. One inspection in about 256 is timed there; the time that is left is
 * what all share. The others pay for a look at one pointer where a rule is asked. What a transformation makes is
 * kept, so the first rule that wants it pays for those that come after it. */
#ifndef RULES_COSTS_H
#define RULES_COSTS_H
#include "base/arena.h"
#include <stdatomic.h>

/* Of all apps and workers that have the compiled rules. Atomic: so few inspections write that they hardly meet. */
struct costs {
	_Atomic uint64_t samples, shared_ns;
	struct cost {
		_Atomic uint64_t ns, asked; /* asked: samples in which it was */
	} *rules;
	size_t nrules;
	uint64_t clock_ns; /* that reading the clock takes */
};

/* One inspection that is timed; where it is NULL, one that is not. */
struct cost_sample {
	struct costs *costs;
	uint64_t *asked;    /* rules, as bits */
	unsigned depth;     /* of calls into the inspection: only the outermost is timed */
	uint64_t since;     /* ns; it began */
	uint64_t elsewhere; /* ns since then that are not shared: of rules, and of the clock */
};

/* Which inspections are timed: one in `every`, at random distances, so that what comes every so many requests is not
 * always or never among them. */
struct cost_pace {
	unsigned every; /* 0: none */
	unsigned left;  /* that come before the next that is */
	uint64_t random;
};

void cost_pace_set(struct cost_pace *, unsigned every);
bool cost_pace_is_due(struct cost_pace *);

struct costs *costs_new(size_t nrules); /* NULL: out of memory */
void costs_free(struct costs *);
/* NULL also when memory is short: then it is not timed. */
struct cost_sample *cost_sample_new(struct arena *, struct costs *);
/* Round whatever of an inspection takes time; they may nest. */
void cost_sample_begin(struct cost_sample *);
void cost_sample_end(struct cost_sample *);
/* Round all that is done for one rule: what begin gave, and the rule. */
uint64_t cost_begin(void);
void cost_end(struct cost_sample *, size_t rule, uint64_t began);
#endif
