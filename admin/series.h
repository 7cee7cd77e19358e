/* series.h -- inside admin/: figures over time, and those of now.
 *
 *   metrics -> every 10 s what was added since -> every minute into events.db
 *
 * Three resolutions (series_steps): 10 s of the last hour, 1 min of a day, 10 min of 30 days; of all requests, and of each of
 * the first SERIES_APPS apps. A step is a row by its time, to which is added: what a process counted before it ended and its
 * successor after it are one row, and a restart loses nothing but what was not written yet. Only the minute that is not
 * written is in memory. The loop's thread. */
#ifndef ADMIN_SERIES_H
#define ADMIN_SERIES_H
#include "admin/archive.h"
#include "admin/metrics.h"

enum series_count {
	SERIES_REQUESTS, SERIES_BLOCKED, SERIES_CHALLENGED, SERIES_SOLVED, SERIES_FAILED, SERIES_THROTTLED, SERIES_DETECTED,
	SERIES_4XX, SERIES_5XX, SERIES_COUNTS
};
enum { SERIES_BOUNDS = 13, SERIES_APPS = 32 };
extern const char *const series_names[SERIES_COUNTS];

struct series_point {
	uint64_t n[SERIES_COUNTS];
	uint64_t added[SERIES_BOUNDS]; /* requests by what inspection took: the buckets of the metric */
};
/* Of the requests of a point, in us: below which `percent` of them were. False: there were none. */
bool series_added(const struct series_point *, unsigned percent, double *us);

struct series_step { const char *range; uint32_t step_s, range_s; };
extern const struct series_step series_steps[];
extern const size_t series_nsteps;

struct admin;
struct series;
/* `archive` NULL: nothing is kept. NULL: out of memory. */
struct series *series_open(struct archive *, struct metrics *, struct loop *);
void series_close(struct series *); /* writes what is not written; before the archive is closed; NULL is allowed */

/* The steps that are over, `range` back from now. On the loop; known[i] false: nothing is known of that one. */
struct series_range { const struct series_step *step; uint64_t from_s; size_t n; const struct series_point *at; const bool *known; bool failed; };
typedef void series_ranged(void *owner, const struct series_range *);
bool series_range(struct series *, struct bytes app, const struct series_step *, series_ranged *done, void *owner);

/* Of the last ten seconds or a little more, a second's share; and since the process began. app empty: of all. */
struct series_now {
	double rps, blocked_ps, challenged_ps;
	struct series_point last, total;
};
bool series_now(struct series *, struct bytes app, struct series_now *); /* false: there is no such app */
uint64_t series_connections(const struct series *); /* of clients, open */
/* What GET /stats says; `app` empty: of all. */
bool series_stats_json(struct admin *, struct bytes app, struct json_out *);
#endif
