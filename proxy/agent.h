/* agent.h -- other servers watched through their logs: the thread that reads them.
 *
 * Has a loop of its own; files are read, lines parsed and events given on its thread, never on a worker's. An event's
 * facts are borrowed until `event` returns. Sources that cannot be opened are told to the operator and tried again. */
#ifndef PROXY_AGENT_H
#define PROXY_AGENT_H
#include <stdatomic.h>
#include "proxy/config.h"
#include "proxy/log_source.h"

/* The owner's, so that they survive a reload; read from any thread. */
struct agent_counts {
	atomic_ullong lines;   /* of all sources */
	atomic_ullong events;  /* lines that were events */
	atomic_ullong others;  /* lines of that log which are none */
	atomic_ullong broken;  /* lines that the reader does not know */
	atomic_ullong cut;     /* of `lines`, those that were too long */
	atomic_ullong dropped; /* beyond a rate or a bound: lines that are not in `lines` */
};

struct agent;
typedef void agent_event(void *ctx, struct facts *);
/* The config must live as long. NULL: err; also when it has no `logs` (err->text is empty then). */
struct agent *agent_start(const struct config *, struct agent_counts *, agent_event *, void *ctx, struct err *);
void agent_stop(struct agent *); /* waits for the thread; places are on disk then; NULL is allowed */
#endif
