/* lapi_client.h -- another CrowdSec's local API, asked: its decisions are pulled as a bouncer does, our alerts pushed as a
 * machine. What it says is hearsay unless it is configured as one's own. Control thread.
 *
 * Pulled decisions have the origin "crowdsec:" and what they were told with. They live 72 hours from when they were last
 * told at most; while the API is away, what it told last stays. Everything is asked for anew after a failure and every hour,
 * and what is not told then is lifted. An answer is read and applied on a thread of its own. */
#ifndef CTI_LAPI_CLIENT_H
#define CTI_LAPI_CLIENT_H
#include "base/fetch.h"
#include "cti/alerts.h"
#include "cti/cti.h"

struct lapi_client_config {
	struct bytes url;          /* http://127.0.0.1:8080 */
	struct bytes key;          /* of a bouncer; empty: nothing is pulled */
	struct bytes machine, password; /* empty: nothing is pushed */
	uint32_t every_ms;         /* 0: 10 s */
	enum remedy_kind most;     /* deny: its decisions count as they are; challenge: they are capped */
	bool hearsay;              /* false: it is one's own */
	bool full;                 /* alerts carry their message; else address, scenario, times */
};
struct lapi_client;
/* Copies the configuration. NULL: err (SIDE_CONFIG). */
struct lapi_client *lapi_client_open(struct loop *, struct fetcher *, const struct lapi_client_config *, struct decisions *,
				     struct err *);
/* What is held stays so. Both must live until closed(ctx). */
void lapi_client_close(struct lapi_client *, void (*closed)(void *), void *ctx);
/* No more pulls, once and for all; what is pushed still goes. Another client with the same key gets the deltas. */
void lapi_client_rest(struct lapi_client *);
/* Copied, batched. One whose source is no address, range, AS or country is left out: names of users do not leave. */
void lapi_client_push(struct lapi_client *, const struct alert *);

struct lapi_client_counts {
	uint64_t pulls, failed; /* of pulls and pushes */
	uint64_t decisions;     /* told and not over */
	uint64_t refused;       /* of them, all in all: guarded, spared, full */
	uint64_t pushed, dropped; /* alerts: taken; refused by the API, or more than the queue holds */
	uint64_t queued;
	uint64_t pulled_ms;     /* wall clock, of the last that was applied */
	char trouble[160];      /* empty: none */
};
void lapi_client_count(const struct lapi_client *, struct lapi_client_counts *);
#endif
