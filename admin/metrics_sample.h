/* metrics_sample.h -- inside admin/: the Prometheus text format (0.0.4), line by line.
 *
 *   sample_open(s, ""); sample_label(s, "app", name); sample_close(s, 7);
 *
 * writes  embergate_requests_total{app="shop"} 7 */
#ifndef ADMIN_METRICS_SAMPLE_H
#define ADMIN_METRICS_SAMPLE_H
#include "admin/metrics_cells.h"

struct scrape {
	struct text *t;
	const struct metrics *m;
	const struct metrics_now *now;
	const char *family; /* with its prefix */
};

void sample_open(struct scrape *, const char *suffix);
void sample_label(struct scrape *, const char *name, struct bytes value);
void sample_close(struct scrape *, uint64_t value);
void sample_value(struct scrape *); /* in place of sample_close(): the caller writes the value */
void sample_seconds(struct text *, uint64_t us); /* decimal, no more digits than it takes */

/* Apps that the configuration in place has. */
#define EACH_APP(s, a) \
	for (const struct app_metrics *a = (s)->m->apps; a; a = a->next) \
		if (a->used >= (s)->m->generation)

/* The sum of the cells at `offset` in each worker's block. */
uint64_t sample_sum(void *const *workers, unsigned n, size_t offset);
#define SUM(s, owner, type, field) \
	sample_sum((void *const *)(owner)->workers, (s)->m->nworkers, offsetof(struct type, field))

/* An object's labels in front of those of a sample. */
typedef void labels(struct scrape *, const void *owner);

struct spread { /* a histogram that is spread over the workers */
	void *const *workers;
	size_t offset;
	const struct buckets *buckets;
};

uint64_t sample_count(const struct scrape *, const struct spread *); /* of its observations */
void sample_histogram(struct scrape *, const struct spread *, labels *, const void *owner);

/* metrics_challenge.c: each writes the samples of its family. */
void metrics_print_issued(struct scrape *);
void metrics_print_solved(struct scrape *);
void metrics_print_failed(struct scrape *);
void metrics_print_solve_seconds(struct scrape *);
void metrics_print_bots(struct scrape *);
void metrics_print_captchas(struct scrape *);
void metrics_print_captcha_duration(struct scrape *);
/* metrics_behaviour.c: each writes the samples of its family. */
void metrics_print_poured(struct scrape *);
void metrics_print_overflows(struct scrape *);
void metrics_print_scenario_failures(struct scrape *);
void metrics_print_buckets(struct scrape *);
void metrics_print_bucket_bytes(struct scrape *);
void metrics_print_bucket_ends(struct scrape *);
void metrics_print_active(struct scrape *);
void metrics_print_made(struct scrape *);
void metrics_print_not_held(struct scrape *);
/* metrics_reputation.c: likewise. */
void metrics_print_redis_up(struct scrape *);
void metrics_print_redis_duration(struct scrape *);
void metrics_print_redis_errors(struct scrape *);
void metrics_print_nodes(struct scrape *);
void metrics_print_shared(struct scrape *);
void metrics_print_outbox(struct scrape *);
void metrics_print_list_entries(struct scrape *);
void metrics_print_list_confirmed(struct scrape *);
void metrics_print_lapi(struct scrape *);
void metrics_print_crowdsec(struct scrape *);
#endif
