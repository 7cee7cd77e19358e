/* pool.h -- kept connections to servers, a worker's own.
 *
 * The one used last is taken first: the others may idle out. A kept connection
 * goes on being read, so one that the server closes, or that says anything
 * unasked, leaves at once. */
#ifndef PROXY_POOL_H
#define PROXY_POOL_H
#include "proxy/server.h"

struct peer;
struct worker;

struct pool {
	struct pool_slot *slots; /* by server id */
	unsigned n;
};

/* An idle connection to that server, or NULL. max_age_ms: longest time it may
 * have been idle. */
struct peer *pool_take(struct worker *, struct server *, uint64_t max_age_ms);
/* Keeps it, or closes it when there are `max_idle` already. */
void pool_put(struct worker *, struct peer *, unsigned max_idle);
void pool_forget(struct worker *, struct peer *); /* it ended while idle */
bool pool_close(struct worker *);                 /* all of them; false: there was none */
#endif
