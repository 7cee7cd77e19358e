/* metrics_cells.h -- inside admin/: what is counted, and where.
 *
 * Cells are atomic so that a scrape may read them while they are written; each
 * has one writer, so adding is a load and a store. A worker's cells of an app
 * are one block of their own cache lines. */
#ifndef ADMIN_METRICS_CELLS_H
#define ADMIN_METRICS_CELLS_H
#include "admin/metrics.h"
#include <pthread.h>
#include <stdatomic.h>

typedef _Atomic uint64_t cell;

static inline void cell_add(cell *c, uint64_t n)
{
	atomic_store_explicit(c, atomic_load_explicit(c, memory_order_relaxed) + n, memory_order_relaxed);
}

static inline uint64_t cell_read(const cell *c)
{
	return atomic_load_explicit((cell *)(uintptr_t)c, memory_order_relaxed);
}

enum {
	METHODS = 9,     /* the last is "other" */
	CLASSES = 6,     /* none, 1xx .. 5xx */
	BUCKETS_MAX = 16,
	VERSIONS = 3,    /* TLSv1.2, TLSv1.3, other */
	CAPTCHA_PROVIDERS = 5, /* those that proxy/captcha_provider.c knows */
	RULES_MAX = 500, /* of an app; then "other" */
	RULE_SLOTS = 1024,
};

extern const char *const metrics_methods[METHODS];
extern const char *const metrics_classes[CLASSES];
extern const char *const metrics_versions[VERSIONS];
extern const char *const metrics_providers[CAPTCHA_PROVIDERS];

/* Upper bounds, ascending: in microseconds, printed as seconds, or in whole points. */
struct buckets {
	unsigned n;
	uint32_t us[BUCKETS_MAX];
	bool points;
};

extern const struct buckets buckets_request, buckets_inspection, buckets_lag, buckets_solve, buckets_score;

struct histogram {
	cell sum_us;
	cell count[BUCKETS_MAX + 1]; /* not cumulative; the last: beyond every bound */
};

static inline void histogram_add(struct histogram *h, const struct buckets *b, uint64_t value)
{
	unsigned i = 0;

	while (i < b->n && value > b->us[i])
		i++;
	cell_add(&h->count[i], 1);
	cell_add(&h->sum_us, value);
}

struct app_cells {
	cell requests[METHODS][CLASSES];
	cell decisions[REMEDY_COUNT][SOURCE_COUNT];
	cell request_bytes, response_bytes;
	cell body[BODY_TROUBLE_COUNT];
	cell captcha[CAPTCHA_PROVIDERS][CAPTCHA_COUNTS];
	cell challenges[CHALLENGE_LEVELS][CHALLENGE_STEPS];
	cell bots[BOT_CATEGORIES][BOT_PROOFS];
	struct histogram duration, inspection, answer_inspection, score;
	struct histogram captcha_duration, solve[CHALLENGE_LEVELS];
};

struct server_cells {
	cell answers[CLASSES];
	cell opened, closed;
	struct histogram duration;
};

struct listener_cells {
	cell opened, closed, rests[CONNECTION_RESTS], refused[REFUSAL_COUNT];
};

struct worker_cells {
	cell handshakes[VERSIONS], failed;
	struct histogram lag;
};

struct rule_count {
	struct bytes id;
	cell detected, blocked;
};

/* A match is rare and a rule may be any of thousands: a small lock instead of
 * a cell per worker and rule. */
struct rule_counts {
	pthread_mutex_t lock;
	unsigned n;
	struct rule_count *slots[RULE_SLOTS];
	struct rule_count other;
};

struct server_metrics {
	struct server_metrics *next;
	struct bytes address;
	uint64_t used; /* generation that named it last */
	atomic_bool up;
	struct server_cells *workers[];
};

struct listener_metrics {
	struct listener_metrics *next;
	struct bytes bind;
	uint64_t used;
	struct listener_cells *workers[];
};

struct app_metrics {
	struct app_metrics *next;
	struct metrics *all;
	struct bytes name;
	uint64_t used;
	struct server_metrics *servers;
	struct rule_counts rules;
	atomic_bool attack;
	struct app_cells *workers[];
};

struct metrics {
	pthread_mutex_t lock; /* of the lists; workers hold what they need directly */
	unsigned nworkers;
	uint64_t generation; /* of the configuration in place */
	bool reload_ok;
	uint64_t reloaded_ms, config_hash;
	struct app_metrics *apps;
	struct listener_metrics *listeners;
	struct worker_cells *workers[];
};

/* process_*: from /proc. */
void metrics_print_process(struct text *);
#endif
