/* costs.h -- what each of many parts (rules, scenarios) costs by itself, learnt from a few runs.
 *
 * What all parts share, as the scan for the words of all rules is, nobody can charge to one of them. What is a part's own
 * comes after it. One run in so many is timed round each part, and the time that is left is what all share. The others pay for
 * a look at one pointer where a part is asked. */
#ifndef BASE_COSTS_H
#define BASE_COSTS_H
#include "base/arena.h"
#include <stdatomic.h>

/* Of all threads. Atomic: so few runs write that they hardly meet. */
struct costs {
	_Atomic uint64_t samples, shared_ns;
	struct cost {
		_Atomic uint64_t ns, asked; /* asked: samples in which it was */
	} *parts;
	size_t n;
	uint64_t clock_ns; /* that reading the clock takes */
};

/* One run that is timed; where it is NULL, one that is not. */
struct cost_sample {
	struct costs *costs;
	uint64_t *asked;    /* parts, as bits */
	unsigned depth;     /* of begin and end: only the outermost is timed */
	uint64_t since;     /* ns; it began */
	uint64_t elsewhere; /* ns since then that are not shared: of parts, and of the clock */
};

/* Which runs are timed: one in `every`, at random distances, so that what comes every so many requests is not
 * always or never among them. */
struct cost_pace {
	unsigned every; /* 0: none */
	unsigned left;  /* that come before the next that is */
	uint64_t random;
};

void cost_pace_set(struct cost_pace *, unsigned every);
bool cost_pace_is_due(struct cost_pace *);

struct costs *costs_new(size_t n); /* NULL: out of memory */
void costs_free(struct costs *);
/* NULL also when memory is short: then it is not timed. */
struct cost_sample *cost_sample_new(struct arena *, struct costs *);
/* Round whatever of the run takes time; they may nest. */
void cost_sample_begin(struct cost_sample *);
void cost_sample_end(struct cost_sample *);
/* Round all that is done for one part; begun: what cost_begin() gave. Parts do not nest. */
uint64_t cost_begin(void);
void cost_end(struct cost_sample *, size_t part, uint64_t begun);
#endif
