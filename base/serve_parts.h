/* serve_parts.h -- what the serve*.c files share; nobody else includes it.
 *
 *   serve.c          the server: who may come, counts, the end
 *   serve_conn.c     a connection: its deadlines and its end
 *   serve_read.c     bytes become a request
 *   serve_request.c  what a request tells
 *   serve_answer.c   and what it is told
 *   serve_inside.c   one that no connection brought */
#ifndef BASE_SERVE_PARTS_H
#define BASE_SERVE_PARTS_H
#include "base/http1.h"
#include "base/inflate.h"
#include "base/serve.h"
#include "base/stream.h"

struct server_http {
	struct loop *loop;
	struct serve_options o;
	struct listener **listeners;
	struct serve_conn *conns;
	unsigned nconns, nrequests; /* that exist */
	unsigned nopen, ntold;      /* connections that are open; that are told to come later */
	uint64_t held;              /* bytes of collected requests */
	struct serve_counts counts;
	struct deadline grace;
	bool closing;
	void (*closed)(void *);
	void *closed_ctx;
	uint64_t date_s; /* of `date` */
	char date[32];
};

/* Grows *at to `want` bytes, of what the server may hold; false: it is too much. */
bool serve_hold(struct server_http *, char **at, size_t *cap, size_t want);
void serve_drop(struct server_http *, char **at, size_t *cap);
struct bytes serve_date(struct server_http *);
void serve_left(struct server_http *); /* something ended; perhaps the server with it */

enum serve_state {
	SERVE_IDLE, /* between requests, before the first */
	SERVE_HEAD,
	SERVE_BODY,
	SERVE_BUSY, /* an answer is owed */
	SERVE_LINGER, /* FIN is sent; what comes is dropped */
	SERVE_CLOSED,
};

struct serve_conn {
	struct serve_conn *next, **link;
	struct server_http *server;
	struct stream *stream;
	struct serve_request *request; /* being read, or owed an answer */
	struct deadline deadline;
	struct ip from;
	enum serve_state state;
	bool by_address;   /* not a unix socket's */
	bool told;         /* to come later: one too many */
	bool ended;        /* it has said its last */
	bool taking;       /* serve_take() is running */
	bool yielded;      /* pipelined requests wait */
	bool watching;     /* the deadline is a window in which it must take something */
	bool lost;         /* broken, found where it could not be said */
	bool last;         /* no request after this one */
	unsigned lingers;
	size_t scanned;    /* of the head */
	unsigned blanks;   /* empty lines in front of it */
	char *ahead;       /* read and not used yet */
	size_t nahead, ahead_cap;
	uint64_t read;     /* bytes */
	uint64_t window_read, window_delivered, window_waits;
};

struct serve_request {
	struct serve_conn *conn; /* NULL: it has gone */
	struct server_http *server;
	struct arena *arena;
	struct request head;
	struct ip from;
	struct http1_body decoder;
	struct inflate *inflate; /* NULL: the body is as it came */
	char *body;
	size_t nbody, body_cap;
	bool taken;    /* its owner knows it */
	bool unread;   /* its body was not read */
	bool head_only, chunked, close, begun;
	void (*gone)(void *), *gone_ctx;
	void (*more)(void *), *more_ctx;
	void (*answered)(void *, unsigned status, struct bytes), *answered_ctx; /* of one from inside */
};

/* Takes the stream over. `from` is NULL for a unix socket's; `why` it may not stay is told (NULL: it may). */
void serve_conn_new(struct server_http *, struct stream *, const struct ip *from, const char *why);
void serve_conn_wait(struct serve_conn *, enum serve_state, uint64_t ms);
void serve_conn_write(struct serve_conn *, const struct bytes *, size_t n);
/* Its answer is given: the next request, or the end. */
void serve_conn_next(struct serve_conn *, bool close);
void serve_conn_linger(struct serve_conn *);
void serve_conn_lose(struct serve_conn *);  /* now; whoever owes an answer is told */
void serve_conn_lose_soon(struct serve_conn *); /* from the loop: whoever calls still has its request */
void serve_conn_reset(struct serve_conn *); /* the same, and the client sees that it was cut */
void serve_conn_drain(struct serve_conn *); /* what is under way is its last */
void serve_conn_go_on(struct serve_conn *); /* with what it had sent ahead of its turn */
/* A fault of a request that nobody was given: told, and the end. */
void serve_conn_refuse(struct serve_conn *, unsigned status, const char *text);

void serve_read(struct serve_conn *, struct bytes);
void serve_request_free(struct serve_request *);
void serve_tell_inside(struct serve_request *, unsigned status, struct bytes body); /* once */
/* Head and body of a line of text; false: it does not fit. */
bool serve_write_refusal(struct text *, struct server_http *, unsigned status, const char *text);
#endif
