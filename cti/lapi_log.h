/* lapi_log.h -- decisions in the order in which they changed, so that a bouncer's pull costs what has changed since its last.
 *
 * Of those of one scope, value and type only the longest is told, and one that is over is not told while another holds:
 * deleting one must not free whom a longer holds. What was over is known for LAPI_LOG_ENDED of them. Marks are wall-clock
 * milliseconds that never stand still here: what changes after a walk has begun has a later one. Any thread. */
#ifndef CTI_LAPI_LOG_H
#define CTI_LAPI_LOG_H
#include "cti/cti.h"
#include "cti/lapi_form.h"

enum { LAPI_LOG_ENDED = 1 << 20, LAPI_LOG_OVERLAP_MS = 2000 };

struct lapi_log;
/* Watches them, and takes what is held already. NULL: out of memory, or there is no room for a watch. */
struct lapi_log *lapi_log_new(struct decisions *);
void lapi_log_free(struct lapi_log *); /* no walk is left; NULL is allowed */
/* Notices those whose time is over, `max` of them at most; true: there are more. */
bool lapi_log_expire(struct lapi_log *, uint64_t now_ms, unsigned max);
/* When that one ends, by its id, scope, value and remedy; 0: it holds no more. */
uint64_t lapi_log_until(struct lapi_log *, const struct decision *);

/* A pull under way: first what is new, then what is over, newest first. */
struct lapi_walk {
	struct lapi_walk *next;
	struct lapi_log *log;
	const struct lapi_filter *filter;
	void *at;             /* the next entry */
	bool ended;           /* it is among those that are over */
	uint64_t since_ms;    /* mark of the pull before; 0: from the start */
	uint64_t mark_ms;     /* for the next pull */
};
void lapi_walk_begin(struct lapi_walk *, struct lapi_log *, const struct lapi_filter *, uint64_t since_ms, uint64_t now_ms);
void lapi_walk_over(struct lapi_walk *); /* goes on with what is over */
/* Looks at `max` entries, under a lock, and tells those that count. False: there are no more of this kind. */
typedef void lapi_walk_each(void *ctx, const struct decision *, uint64_t over_ms);
bool lapi_walk_step(struct lapi_walk *, unsigned max, uint64_t now_ms, lapi_walk_each *, void *ctx);
void lapi_walk_end(struct lapi_walk *);
#endif
