/* counters.h -- buckets that end by the clock (type counter), in the order of their ends. */
#ifndef SCENARIOS_COUNTERS_H
#define SCENARIOS_COUNTERS_H
#include "scenarios/bucket.h"

struct counter_due {
	uint64_t at_us;
	uint64_t bucket;   /* its key */
	uint64_t scenario; /* whose it is: the first half of the scenario's key */
};

struct counters;
struct counters *counters_new(void);
void counters_free(struct counters *); /* NULL is allowed */
/* Out of memory, or too many: the bucket dies without an overflow. */
void counters_expect(struct counters *, const struct counter_due *);
/* Takes the first that is due; false: none is. */
bool counters_due(struct counters *, uint64_t now_us, struct counter_due *);
#endif
