/* worker.h -- one thread that serves: its loop, listeners, kept connections,
 * scratch and counters. A request lives and dies on one worker. */
#ifndef PROXY_WORKER_H
#define PROXY_WORKER_H
#include "base/stream.h"
#include "base/ulid.h"
#include "cti/cti.h"
#include "proxy/addresses.h"
#include "proxy/challenge_passes.h"
#include "proxy/challenge_token.h"
#include "proxy/limits.h"
#include "proxy/pool.h"
#include "proxy/site.h"
#include <pthread.h>

/* Shared by all workers; made once, before they start. */
struct shared {
	struct process *process;
	struct webhooks *webhooks;   /* who is told what happens; NULL: before they are there */
	struct events *events;
	struct addresses *addresses; /* connections per client address */
	struct limits *limits;       /* token buckets */
	struct buckets *buckets;     /* of scenarios */
	struct decisions *decisions; /* who is held to be what */
	struct reputation *reputation; /* what others say, and are told */
	struct passes *passes;       /* of challenges: where each is used */
	atomic_ulong tarpits;        /* refusals that are held back */
	atomic_ullong held_bytes;    /* of request bodies, in all */
	atomic_ulong connections;
	unsigned long connections_max; /* from RLIMIT_NOFILE, a reserve kept */
	atomic_bool draining;         /* `ctl drain`: still served, but sent away */
};

struct worker {
	unsigned number;
	struct loop *loop;
	struct shared *shared;
	struct site_use *use;        /* the site new requests go by */
	struct listening *listening; /* see worker.c */
	struct client *clients;      /* all of them, for draining */
	struct pool pool;
	struct rules_scratch *scratch;
	struct observer *observer;
	struct bots_memo *bots;
	struct ulid_source ids;
	struct token_keys keys;      /* of challenges */
	uint64_t wall_offset_ms, clock_read_ms; /* wall minus monotonic; when it was read */
	struct drain {
		void (*done)(void *);
		void *ctx;
	} drain;                     /* who waits for the last client to go */
	bool draining;
	pthread_t thread;
};

struct worker *worker_new(unsigned number, struct shared *, struct site *, struct err *);
bool worker_start(struct worker *); /* its thread */

/* From the control thread; done on the worker's own loop, in order. */
bool worker_listen(struct worker *, struct bytes bind, int fd); /* the worker owns fd */
bool worker_unlisten(struct worker *, struct bytes bind);
bool worker_switch(struct worker *, struct site *);             /* takes a hold of its own */
/* No new connections; idle ones end; when the last is gone `drained(ctx)` is
 * called on the worker's thread. */
bool worker_drain(struct worker *, void (*drained)(void *ctx), void *ctx);
/* Measures how long an order waits until the loop takes it, for the metrics. */
void worker_probe(struct worker *);
/* Ends the thread; the process is about to exit. */
void worker_stop(struct worker *);

/* ---- for what runs on it ---- */
uint64_t worker_wall_ms(struct worker *);
unsigned long worker_connections_max(const struct worker *);
void worker_client_gone(struct worker *);
/* Are clients to be sent away (`Connection: close`)? */
static inline bool worker_leaving(const struct worker *w)
{
	return w->draining || atomic_load_explicit(&w->shared->draining, memory_order_relaxed);
}
#endif
