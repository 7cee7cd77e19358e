/* lapi_client_parts.h -- what the files of the client share; nobody else includes it.
 *
 *   lapi_client.c       its life, and pulling      lapi_client_push.c  logging in, alerts
 *   lapi_answer.c       an answer, read            lapi_told.c         and applied */
#ifndef CTI_LAPI_CLIENT_PARTS_H
#define CTI_LAPI_CLIENT_PARTS_H
#include "base/clock.h"
#include "base/log.h"
#include "cti/lapi_client.h"
#include "cti/lapi_told.h"
#include <pthread.h>
#include <stdlib.h>

#define LAPI_AGENT "crowdsec-embergate-bouncer/v" EMBERGATE_VERSION
enum { LAPI_TOKEN_MAX = 4096, LAPI_TRIES_MAX = 5, LAPI_WAIT_MAX_MS = 60000 };

/* One half's trouble: said once when it begins, and when it ends. */
struct lapi_trouble { unsigned failures; char text[160]; };

struct lapi_line { struct lapi_line *next; size_t len; char text[]; }; /* an alert, as JSON */

struct lapi_push {
	struct fetch *asking;
	struct deadline due;
	struct lapi_trouble trouble;
	char token[LAPI_TOKEN_MAX]; /* "Bearer ..."; empty: not logged in */
	bool fresh;            /* the token has not been taken yet */
	struct lapi_line *first, **last;
	size_t nqueued, nsent; /* of them, in the batch that is under way; 0: it logs in */
	size_t single;         /* so many go one by one: one of a batch was refused */
	unsigned tries;        /* of the first */
};

struct lapi_client {
	struct loop *loop;
	struct fetcher *fetcher;
	struct arena *arena;
	struct lapi_client_config config; /* texts are copies */
	struct lapi_client_counts counts;
	/* pulling */
	struct lapi_told *told;
	struct fetch *pull;
	struct deadline due;
	struct lapi_trouble trouble;
	unsigned status;
	bool whole, synced;    /* it asks for everything; deltas may follow */
	bool resting;          /* it does not ask any more */
	uint64_t whole_at_ms;  /* loop time, of the last that was applied */
	char *body;
	size_t nbody, cap;
	pthread_t reader;      /* of an answer, while `reading` */
	bool reading;
	atomic_bool stop;
	struct lapi_applied applied;
	struct err err;        /* of the reader; side 0: none */
	size_t ntold;
	struct lapi_push push;
	void (*closed)(void *ctx); /* not NULL: it closes */
	void *ctx;
};

/* Tells the log; returns how long to wait before the next attempt. */
uint32_t lapi_trouble_begins(struct lapi_client *, struct lapi_trouble *, const char *what, const char *why);
void lapi_trouble_ends(struct lapi_client *, struct lapi_trouble *, const char *what);
struct bytes lapi_client_url(const struct lapi_client *, struct text *, const char *path);

void lapi_push_open(struct lapi_client *);
void lapi_push_close(struct lapi_client *);
#endif
