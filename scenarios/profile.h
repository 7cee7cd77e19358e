/* profile.h -- what an overflow is worth: a remedy, for how long, against whom.
 *
 * Profiles are asked in their order; the first whose condition is true decides. A condition is an expression over `Alert`
 * (CrowdSec's profiles: GetScope(), GetValue(), GetScenario(), GetEventsCount(), Remediation, Simulated; and ours: Behavior,
 * App) and over GetDecisionsCount(value): how often it was decided against that value before. Without profiles of one's own
 * the built-in ones hold (profile.c). */
#ifndef SCENARIOS_PROFILE_H
#define SCENARIOS_PROFILE_H
#include "scenarios/scenarios.h"

enum { PROFILE_STEPS = 8 };

struct profile_text {
	struct bytes name;
	struct bytes when;            /* empty: always */
	enum remedy_kind remedy;      /* ALLOW: nothing is decided, and no later profile is asked */
	unsigned level;               /* of a challenge; 0: the app's */
	uint64_t for_ms[PROFILE_STEPS]; /* the first time, the second, ...; the last one from then on */
	size_t nfor;                  /* 0: 4 h */
	bool simulated;
	const struct bytes *apps;     /* none: all */
	size_t napps;
};

struct profiles;
/* n == 0: the built-in ones. What the texts point at must live as long. */
struct profiles *profiles_new(const struct profile_text *, size_t n, struct err *);
void profiles_free(struct profiles *); /* NULL is allowed */

struct profiles_ask {
	const struct overflow *overflow;
	struct bytes app;             /* empty: none */
	unsigned (*past)(void *ctx, enum scope, struct bytes value); /* decisions made before */
	void *ctx;
	struct arena *arena;
};
/* False: it is worth nothing. id, made_ms and until_ms are set by wall_ms of the overflow's event. */
bool profiles_decide(const struct profiles *, const struct profiles_ask *, struct decision *out);
#endif
