/* lapi_client.h -- another CrowdSec's local API, asked: its decisions are pulled as a bouncer does, our alerts pushed as a
 * machine. What it says is hearsay unless it is configured as one's own. Control thread. */
#ifndef CTI_LAPI_CLIENT_H
#define CTI_LAPI_CLIENT_H
#include "base/fetch.h"
#include "cti/alerts.h"
#include "cti/cti.h"

struct lapi_client_config {
	struct bytes url;          /* http://127.0.0.1:8080 */
	struct bytes key;          /* of a bouncer; empty: nothing is pulled */
	struct bytes machine, password; /* empty: nothing is pushed */
	uint32_t every_ms;         /* 10 s */
	enum remedy_kind most;     /* deny: its decisions count as they are; challenge: they are capped */
	bool hearsay;              /* false: it is one's own */
	bool full;                 /* alerts carry paths and user agents; else address, scenario, times */
};
struct lapi_client;
struct lapi_client *lapi_client_open(struct loop *, struct fetcher *, const struct lapi_client_config *, struct decisions *,
				     struct err *);
void lapi_client_close(struct lapi_client *, void (*closed)(void *), void *ctx);
void lapi_client_push(struct lapi_client *, const struct alert *); /* copied, batched; bounded, and counted when full */

struct lapi_client_counts { uint64_t pulls, failed, decisions, pushed, dropped; uint64_t pulled_ms; char trouble[160]; };
void lapi_client_count(const struct lapi_client *, struct lapi_client_counts *);
#endif
