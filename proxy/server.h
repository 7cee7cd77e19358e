/* server.h -- the servers behind an app, and which of them is asked next.
 *
 * A `server` is known to the whole process and survives reloads, so that its
 * health, its metrics and the kept connections do too: it is found by app,
 * address and the way it is spoken to. What a configuration says about it now
 * (weight, checks) stands in the upstream that a site builds.
 *
 * Health is learned in passing (failures in a row) and, where a path is given,
 * by asking. A server that is down is left out until its time is over; when all
 * are down all are asked, since a wrong guess must not be an outage. */
#ifndef PROXY_SERVER_H
#define PROXY_SERVER_H
#include "admin/admin.h"
#include "base/tls.h"
#include "proxy/config.h"
#include <netinet/in.h>
#include <stdatomic.h>

enum { SERVER_ADDRESSES = 4, SERVERS_MAX = 64 /* an upstream; one bit each in `tried` */ };

union server_address {
	struct sockaddr any;
	struct sockaddr_in in4;
	struct sockaddr_in6 in6;
};

struct server {
	struct server *next;
	unsigned id;             /* small and dense: workers index their pools by it */
	char *key, *name;        /* name: "127.0.0.1:3000" */
	char *host;              /* for SNI and checks; NULL without TLS */
	union server_address address[SERVER_ADDRESSES];
	unsigned naddress;
	struct server_metrics *metrics;
	atomic_uint inflight;    /* requests under way in all workers */
	atomic_uint fails;       /* in a row */
	atomic_ullong down_until_ms; /* monotonic; 0: up. UINT64_MAX: an active check says down */
};

/* The process's servers; control thread only. */
struct servers;
struct servers *servers_new(void);
void servers_free(struct servers *);

struct backend {
	struct server *server;
	unsigned weight;
};

/* What a site knows of an app's upstream; immutable. */
struct upstream {
	struct backend backends[SERVERS_MAX];
	unsigned n, total_weight;
	struct tls_context *tls; /* when any server is https */
	const struct upstream_config *config;
	const struct timeouts_config *timeouts;
};

/* Resolves names: may block, so it is not called on a loop that serves. */
bool upstream_build(struct upstream *, struct servers *, const struct app_config *, struct app_metrics *,
		    struct err *);
void upstream_clear(struct upstream *);

/* The next server to ask, or NULL when all in `tried` (a bit each) have been.
 * `turn` counts the app's choices; `key` hashes the client. */
const struct backend *upstream_choose(const struct upstream *, uint64_t tried, unsigned turn, uint64_t key,
				      uint64_t now_ms);

bool server_is_up(const struct server *, uint64_t now_ms);
void server_succeeded(struct server *);
void server_failed(struct server *, const struct health_config *, uint64_t now_ms);
/* An active check's finding, after `fails` or `passes` in a row. */
void server_set(struct server *, bool up);
#endif
