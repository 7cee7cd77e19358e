/* stage_clock.h -- where the time of an inspection goes, measured from outside.
 *
 * The linker puts a probe in front of a few functions of rules/ (--wrap, in
 * CMakeLists.txt), so the engine is the one that serves, without a clock in it. Time
 * belongs to the innermost stage; what a probe itself costs is measured and taken
 * off again. One thread. */
#ifndef BENCHMARKS_STAGE_CLOCK_H
#define BENCHMARKS_STAGE_CLOCK_H
#include "rules/ruleset.h"

enum stage {
	STAGE_REST,      /* what is none of the others */
	STAGE_HEAD,      /* values of the head */
	STAGE_BODY,      /* the body held and taken apart */
	STAGE_MEMO,
	STAGE_TRANSFORM,
	STAGE_JOIN,      /* values put together for the scan */
	STAGE_SCAN,
	STAGE_GATES,     /* conditions asked of one value, to see whether a rule is worth running */
	STAGE_RULES,     /* SecLang's rules, in file order */
	STAGE_ANSWER,    /* phases 3 and 4, everything in them */
	STAGE_COUNT,
};

/* A condition's rule, and what asking it cost. */
struct asked {
	const struct condition *condition;
	const struct rule_info *rule;
	uint64_t as_gate, in_rules; /* times */
	uint64_t ticks;
};

enum probing { PROBE_NOTHING, PROBE_STAGES, PROBE_CONDITIONS };

struct stage_clock {
	enum probing probing;
	bool forget;            /* the memo knows nothing */
	enum stage now;
	uint64_t since;         /* ticks */
	uint64_t ticks[STAGE_COUNT];
	uint64_t entered[STAGE_COUNT], inner[STAGE_COUNT]; /* probes: of it, and right inside it */
	double cpu_share;       /* of the time that passed, in which we had the processor */
	uint64_t memo_asked, memo_knew;
	struct asked *asked;    /* by address of the condition */
	size_t nasked;
};

extern struct stage_clock stage_clock;
extern const char *const stage_names[STAGE_COUNT];

/* matcher_hs with a probe in front. */
extern const struct matcher_kind stage_matcher;

enum stage stage_enter(enum stage); /* returns the one to go back to */
void stage_leave(enum stage back);
/* Learns what a probe and a tick are; before all else. */
void stage_calibrate(void);
double stage_ns(uint64_t ticks);
/* Ends a run that took so much CPU: where it was interrupted is not known, so each
 * stage bears its share. */
void stage_end(double cpu_ns);
/* Without what the probes cost. */
double stage_took_ns(enum stage);
/* Counters back to 0. */
void stage_clear(void);
/* For PROBE_CONDITIONS; false: out of memory. */
bool stage_know(const struct ruleset *);
#endif
