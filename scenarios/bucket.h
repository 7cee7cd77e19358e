/* bucket.h -- live buckets: how full each key of each scenario is.
 *
 * One table for all scenarios, sharded by the key; a pour takes one short lock. A key is a keyed hash of the scenario and of
 * what it groups by, so nothing of the table can be aimed at from outside. A bucket is 64 bytes, and one block more where
 * events are kept for the alert or values are told apart. It dies when it has been idle for its life; the table has a bound
 * in buckets and in bytes, and what was touched longest ago goes first. All of it survives a reload: nothing here points
 * at a scenario.
 *
 * Meaning and order of steps are CrowdSec's (crowdsec-docs: log_processor/scenarios/format.md; its leakybucket package):
 * trigger | distinct, cancel, pour, condition; then blackhole. Times are microseconds of one clock, which may be a log's. */
#ifndef SCENARIOS_BUCKET_H
#define SCENARIOS_BUCKET_H
#include "base/arena.h"

enum { BUCKET_EVENT_ROOM = 4096 }; /* bytes of one kept event */
/* These bits of a key say where its bucket is: what one event is poured into has them in common, and so one shard and a few
 * lines of the cache. */
#define BUCKET_PLACE ((uint64_t)0xffffff)

enum bucket_type { BUCKET_TRIGGER, BUCKET_LEAKY, BUCKET_COUNTER, BUCKET_CONDITIONAL, BUCKET_BAYESIAN };

/* Of a scenario, what a pour needs. */
struct bucket_kind {
	enum bucket_type type;
	uint32_t capacity;     /* leaky: events that it holds; the one past them overflows */
	uint64_t leak_us;      /* leaky: the time in which one event leaves */
	uint64_t life_us;      /* without an event; of a counter: from its first event */
	uint64_t blackhole_us; /* after an overflow, the key is silent so long; 0: it is not */
	uint32_t keep;         /* events kept for the alert, newest; 0: none */
};

struct bucket_events {
	uint32_t count;           /* poured so far, this one too */
	uint64_t first_us;
	const struct bytes *kept; /* as they were given, oldest first */
	size_t nkept;
	bool ours;                /* one of them was poured by this gate */
};

struct pour {
	uint64_t key;
	const struct bucket_kind *kind;
	uint64_t now_us;
	bool is_distinct;         /* `value` tells: one that the bucket has seen is not poured */
	uint64_t value;           /* a keyed hash */
	bool cancel;              /* the bucket is thrown away */
	bool heard;               /* another gate's event */
	struct bytes event;       /* kept for the alert */
	/* conditional and bayesian, and a leaky one with a condition: does it overflow now? Called under the lock. `latch` is
	 * kept with the bucket, zero at first. */
	bool (*judge)(void *ctx, const struct bucket_events *, uint32_t *latch);
	/* May an overflow be told? False: the bucket is gone as if nothing had been. NULL: it may. Under the lock. */
	bool (*allow)(void *ctx, const struct bucket_events *);
	void *ctx;                /* of both */
	struct arena *arena;      /* of the events that come out; NULL: none do */
};

enum poured {
	POURED,          /* it holds it */
	POURED_SEEN,     /* not distinct */
	POURED_CANCELED, /* the bucket is gone; or its overflow was not allowed */
	POURED_OVER,     /* it overflows, and is gone */
	POURED_SILENT,   /* it overflows in silence (blackhole), and is gone */
};

struct buckets;
struct buckets *buckets_new(size_t max_buckets, size_t max_bytes); /* NULL: out of memory */
void buckets_free(struct buckets *);                               /* NULL is allowed */
/* *out has how many events it holds, and of an overflow also what was in it. Out of memory: something is not kept. */
enum poured bucket_pour(struct buckets *, const struct pour *, struct bucket_events *out);
/* Ends a counter, half its life after its first event; false: there is none to end now. May be POURED_SILENT. */
bool bucket_take(struct buckets *, const struct pour *, enum poured *, struct bucket_events *out);
/* How many events were poured into it; and how many of them it still holds, which of a leaky one leave with time. */
uint32_t bucket_count(struct buckets *, uint64_t key, uint64_t now_us);
uint32_t bucket_level(struct buckets *, uint64_t key, const struct bucket_kind *, uint64_t now_us);
/* Frees some of what has died; call about once a second. The whole table is looked at in 16 calls. */
void buckets_sweep(struct buckets *, uint64_t now_us);

/* Those that end by the clock (counters.h). */
struct counters *buckets_counters(struct buckets *);

struct buckets_stats {
	uint64_t live, bytes, evicted, died;
};
void buckets_count(struct buckets *, struct buckets_stats *);
#endif
