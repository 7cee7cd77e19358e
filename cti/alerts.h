/* alerts.h -- what was seen: each overflow of a scenario here, and what agents told. In the store, bounded by count and by
 * 72 hours. */
#ifndef CTI_ALERTS_H
#define CTI_ALERTS_H
#include "base/arena.h"
#include "base/decision.h"
#include "base/json.h"
#include "base/store.h"

enum { ALERTS_MAX = 50000, ALERT_BODY_MAX = 256 << 10, ALERT_DECISIONS_MAX = 100 };

struct alert {
	uint64_t id;                 /* 0: not kept yet */
	uint64_t made_ms;
	struct bytes scenario, message;
	enum scope scope;
	struct bytes value;          /* its source */
	struct bytes machine;        /* empty: this gate */
	uint32_t events;
	uint64_t first_ms, last_ms;
	bool simulated;
	const struct decision *decisions; /* that it led to; ids count */
	size_t ndecisions;
	struct bytes body;           /* as an agent sent it (JSON); empty: this gate's own */
};

struct alerts;
struct alerts *alerts_open(struct store *, struct err *);
void alerts_close(struct alerts *); /* NULL is allowed */
/* From any thread; copied. Gets its id at once. 0: not kept (the queue is full), and counted. */
uint64_t alerts_add(struct alerts *, const struct alert *);

struct alerts_ask {
	uint64_t id;                 /* 0: any */
	struct bytes scenario, value, machine; /* empty: any */
	enum scope scope; bool has_scope;
	bool active;                 /* only those with a decision that holds still: `is_held` is asked */
	uint64_t since_ms, until_ms; /* made; 0: no bound */
	uint64_t before;             /* ids below it; 0: from the newest */
	size_t limit;                /* newest first; 0: 100 */
};
/* `each` for every one found, then `done`; on the loop. Slices live while it runs. False: not asked. */
typedef void alerts_each(void *owner, const struct alert *);
bool alerts_find(struct alerts *, const struct alerts_ask *, struct loop *, alerts_each *, void (*done)(void *owner), void *owner);
/* How many were deleted. */
bool alerts_delete(struct alerts *, const struct alerts_ask *, struct loop *, void (*done)(void *owner, size_t n), void *owner);
uint64_t alerts_dropped(const struct alerts *);
#endif
