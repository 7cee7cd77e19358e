/* reputation.h -- what the gate knows of addresses beyond its own table of decisions: what other gates, lists and another
 * CrowdSec say; who asks the local API; and what was seen. Opened with the gate, before a worker runs; all but what says
 * otherwise is the control thread's. A part that is not configured is NULL and costs nothing. */
#ifndef PROXY_REPUTATION_H
#define PROXY_REPUTATION_H
#include "cti/alerts.h"
#include "cti/guard.h"
#include "cti/keys.h"
#include "cti/lapi.h"
#include "cti/lapi_client.h"
#include "cti/lists.h"
#include "cti/share.h"
#include "proxy/behaviour.h"
#include "proxy/challenge_passes.h"

struct gate;

struct reputation {
	struct gate *gate;
	struct store *store;           /* state/embergate.db */
	struct alerts *alerts;
	struct keys *keys;
	struct guard *guard;           /* clients of the last ten minutes */
	struct share *share;
	struct lists *lists;
	struct lapi *lapi;
	struct tls_context *lapi_tls;  /* NULL: it is plain */
	struct lapi_client *crowdsec;
	struct appsec *appsec;         /* of the local API, for other proxies' bouncers */
	struct arena *configs;         /* of the lists' */
	struct deadline limits;        /* the next telling */
};

/* What `embergate check` can tell without connecting: the urls of Redis, its password's place. */
bool reputation_check(const struct config *, struct err *);
bool reputation_open(struct reputation *, struct gate *, struct err *);
/* Lists follow a reload; the connections to Redis and to a CrowdSec, and the local API, are those of the start. */
void reputation_reload(struct reputation *);
/* At the end, perhaps with a successor that serves already: what is decided or told here would not reach it. The local API
 * is closed, and no deltas are pulled in its place; alerts are still pushed. */
void reputation_drain(struct reputation *);
void reputation_close(struct reputation *); /* blocks until what was decided is written */

/* ---- from any thread ---- */
void reputation_tell_pass(struct reputation *, const struct pass_news *);
void reputation_tell_bucket(struct reputation *, struct bytes message);
unsigned reputation_node(const struct reputation *);             /* of this gate, among gates */
/* An overflow and what came of it: kept, and told to the CrowdSec that is configured. */
void reputation_alert(struct reputation *, const struct overflow *, const struct decision *, size_t n);
#endif
