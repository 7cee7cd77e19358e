/* serve.h -- a small HTTP/1.1 server for what the gate itself offers: CrowdSec's local API, AppSec, the admin's API.
 *
 * Not the data path: requests are collected whole, up to a bound, and answered once, now or later. One request of a
 * connection at a time, the next when the last answer is taken; keep-alive; bodies by length or in chunks, gzip and deflate
 * are inflated within the same bound. Strict as base/http1 is: what is refused is told in a line of text, and the connection
 * ends. Who sends or takes too slowly is cut. Everything of it is on the loop's thread. */
#ifndef BASE_SERVE_H
#define BASE_SERVE_H
#include "base/arena.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/request.h"
#include "base/tls.h"

struct server_http;
struct serve_request; /* from `head` or `take` until it is answered, though the client may have gone */

struct serve_options {
	const int *fds;            /* bound TCP or unix sockets; the server owns them, also when it fails */
	size_t nfds;
	struct tls_context *tls;   /* NULL: plain; outlives the server */
	uint64_t body_max;         /* bytes, inflated; more is 413 */
	uint64_t held_max;         /* of all requests that are being collected; more is 503. 0: 64 MiB */
	unsigned connections_max;  /* of all; one that idles gives way to a new one */
	unsigned address_max;      /* of one address (not of unix sockets). 0: a quarter of all */
	uint32_t request_ms, idle_ms; /* for a whole request; between two. 0: 10 s, 75 s */
	uint32_t stall_ms;         /* in which a client must take 4 KiB of what waits for it. 0: 10 s */
	/* Called with a whole request. It answers now or later, exactly once. */
	void (*take)(void *ctx, struct serve_request *);
	/* May be NULL. Before a body is read, for who has no key: false says that it answers (serve_refuse), now or later;
	 * the body is not read then, and the connection ends with the answer. */
	bool (*head)(void *ctx, struct serve_request *);
	void *ctx;
};
struct server_http *serve_open(struct loop *, const struct serve_options *, struct err *);
/* No new connections; what is under way has grace_ms. closed(ctx), perhaps at once, when nothing is left on the loop and no
 * request is owed an answer. */
void serve_close(struct server_http *, uint32_t grace_ms, void (*closed)(void *), void *ctx);

struct serve_counts {
	uint64_t requests;  /* given to `take` */
	uint64_t refused;   /* malformed, too large or too slow ones */
	uint64_t shut_out;  /* connections: there were too many */
	uint64_t cut;       /* connections: they took too slowly */
	unsigned connections; /* now */
};
void serve_count(const struct server_http *, struct serve_counts *);

/* A GET that no connection brought: for who asks this server from inside. It goes through the same strict reader, is given to
 * nobody (`take` is not called), and whoever answers it answers `answered`, once; serve_is_gone() says true of it. NULL:
 * `target` is none, or memory is short. */
struct serve_request *serve_inside(struct server_http *, struct bytes target, void (*answered)(void *ctx, unsigned status, struct bytes body),
				   void *ctx);

/* ---- the request: good until the answer ---- */
const struct request *serve_head(const struct serve_request *);
struct bytes serve_body(const struct serve_request *); /* empty in `head` */
/* For what belongs to the request; its cap is a MiB and eight times body_max. */
struct arena *serve_arena(struct serve_request *);
const struct ip *serve_peer(const struct serve_request *); /* a unix socket's: ::1 */
/* The value of `name` in the query, decoded into the arena; at == NULL: it is not there. */
struct bytes serve_query(struct serve_request *, struct bytes name);
/* One segment of the path, decoded, 0 is the first; at == NULL: there is none. "/v1/" has two, the second is empty. */
struct bytes serve_segment(struct serve_request *, unsigned i);
/* Nobody is there any more to read the answer; it is owed all the same. */
bool serve_is_gone(const struct serve_request *);
/* For whoever must be told so early; not from inside a call of the functions here. NULL: nobody. */
void serve_on_gone(struct serve_request *, void (*gone)(void *ctx), void *ctx);

/* ---- the answer: the request is gone with it ---- */
struct serve_answer {
	unsigned status;
	struct bytes content_type;   /* empty: no body is named */
	const struct field *fields; size_t nfields; /* beside Date, Content-Length and Connection; 8 KiB in all */
	struct bytes body;           /* copied, where the client does not take it at once */
	bool close;
};
void serve_answer(struct serve_request *, const struct serve_answer *);
/* A line of text. */
void serve_refuse(struct serve_request *, unsigned status, const char *text);
/* A body of unknown length, chunked (until the end of the connection for HTTP/1.0): head first (its `body` is the first
 * piece), then pieces; `whole` false cuts it, so that it never looks whole. `more` (may be NULL) is called whenever the
 * backlog has fallen to nothing; write on while there is little, for 16 MiB of it cut the connection. */
void serve_begin(struct serve_request *, const struct serve_answer *head, void (*more)(void *ctx), void *ctx);
void serve_piece(struct serve_request *, struct bytes);
size_t serve_backlog(const struct serve_request *);
void serve_end(struct serve_request *, bool whole);
#endif
