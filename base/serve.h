/* serve.h -- a small HTTP/1.1 server for what the gate itself offers: CrowdSec's local API, AppSec, the admin's API.
 *
 * Not the data path: requests are collected whole, up to a bound, and answered once, now or later. One request of a
 * connection at a time; keep-alive; gzip bodies are inflated within the same bound. Strict as base/http1 is. Everything of
 * it is on the loop's thread. */
#ifndef BASE_SERVE_H
#define BASE_SERVE_H
#include "base/arena.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/request.h"
#include "base/tls.h"

struct server_http;
struct serve_request; /* from `take` until it is answered, though the client may have gone */

struct serve_options {
	const int *fds;            /* bound TCP or unix sockets; the server owns them, also when it fails */
	size_t nfds;
	struct tls_context *tls;   /* NULL: plain; outlives the server */
	uint64_t body_max;         /* bytes, inflated; more is 413 */
	unsigned connections_max;  /* of all; of one address a quarter */
	uint32_t request_ms, idle_ms; /* for a whole request; between two. 0: 10 s, 75 s */
	/* Called with a whole request. It answers now or later, exactly once. */
	void (*take)(void *ctx, struct serve_request *);
	/* May be NULL. Before a body is read: false refuses it with the status that serve_refuse() was given. */
	bool (*head)(void *ctx, struct serve_request *);
	void *ctx;
};
struct server_http *serve_open(struct loop *, const struct serve_options *, struct err *);
/* No new connections; what is under way has grace_ms. closed(ctx) once nothing is left on the loop. */
void serve_close(struct server_http *, uint32_t grace_ms, void (*closed)(void *), void *ctx);

/* ---- the request: good until the answer ---- */
const struct request *serve_head(const struct serve_request *);
struct bytes serve_body(const struct serve_request *);
struct arena *serve_arena(struct serve_request *);
const struct ip *serve_peer(const struct serve_request *); /* a unix socket's: ::1 */
/* The value of `name` in the query, decoded into the arena; at == NULL: it is not there. */
struct bytes serve_query(struct serve_request *, struct bytes name);
/* One segment of the path, 0 is the first; empty: there is none. */
struct bytes serve_segment(const struct serve_request *, unsigned i);
/* Nobody is there any more to read the answer; it is owed all the same. */
bool serve_is_gone(const struct serve_request *);
/* For whoever must be told so early. NULL: nobody. */
void serve_on_gone(struct serve_request *, void (*gone)(void *ctx), void *ctx);

/* ---- the answer ---- */
struct serve_answer {
	unsigned status;
	struct bytes content_type;   /* empty: no body is named */
	const struct field *fields; size_t nfields; /* beside Date, Content-Length and Connection */
	struct bytes body;           /* copied */
	bool close;
};
void serve_answer(struct serve_request *, const struct serve_answer *);
/* A body of unknown length, chunked (Connection: close for HTTP/1.0): head first, then pieces; `end` false cuts it, so that
 * it never looks whole. `more` (may be NULL) is called whenever the backlog has fallen to nothing. */
void serve_begin(struct serve_request *, const struct serve_answer *head, void (*more)(void *ctx), void *ctx);
void serve_piece(struct serve_request *, struct bytes);
size_t serve_backlog(const struct serve_request *);
void serve_end(struct serve_request *, bool whole);
#endif
