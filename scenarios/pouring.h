/* pouring.h -- one scenario that one event is poured into. Private to scenarios/.
 *
 *   observe.c   which scenarios an event meets      pouring.c  its bucket, and what overflows
 *   cluster.c   events that other gates poured */
#ifndef SCENARIOS_POURING_H
#define SCENARIOS_POURING_H
#include "scenarios/scenario.h"

/* What the pours of one event at one of its points have in common; made by the first that wants it. */
struct moment {
	const struct facts *facts; /* as they are for those that change none */
	struct bytes counted;      /* the source, as buckets count it */
	struct { struct bytes text; struct hash128 hash; } hashed[4];
	unsigned nhashed;
	struct bytes packed[2];    /* as buckets keep it: the few facts, or all */
	char room[2][BUCKET_EVENT_ROOM];
};

struct pouring {
	const struct observe *o;
	struct scenario *s;
	size_t number;
	struct facts *facts;
	struct moment *moment; /* NULL: the event is not our own */
	struct world_run world;
};

void pouring_pour(struct pouring *, unsigned depth);
/* What a pour came to: counted, and told where it overflowed. */
void pouring_done(struct pouring *, const struct pour *, enum poured, const struct bucket_events *, unsigned depth);
/* What was in the bucket goes to the sink. */
void pouring_tell(struct pouring *, const struct bucket_events *, unsigned depth);
/* `judge` and `allow` of a pour, where the scenario has such conditions. */
bool pouring_judge(void *pouring, const struct bucket_events *, uint32_t *latch);
bool pouring_allow(void *pouring, const struct bucket_events *);
void pouring_count(atomic_ullong *);

/* The overflow goes through the scenarios itself. */
void observe_overflow(const struct pouring *, const struct overflow *, unsigned depth);
size_t scenario_by_key(const struct scenarios *, uint64_t key); /* the set's n: it has none */

/* Tells the other gates of an event that was poured here, where the scenario counts for all of them. */
void cluster_tell(const struct pouring *, const struct pour *, enum poured);
#endif
