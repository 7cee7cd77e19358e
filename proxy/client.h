/* client.h -- one connection from outside.
 *
 * Reads heads, one exchange at a time; bytes that come ahead of their turn
 * (pipelining) wait in a bounded buffer. An idle connection is this struct and
 * its stream, no buffer. */
#ifndef PROXY_CLIENT_H
#define PROXY_CLIENT_H
#include "base/http1.h"
#include "base/stream.h"
#include "proxy/site.h"

struct worker;
struct exchange;

enum client_state {
	CLIENT_PREFACE,  /* the PROXY header is due */
	CLIENT_SHAKING,  /* TLS */
	CLIENT_IDLE,     /* between requests */
	CLIENT_HEAD,     /* part of a head has come */
	CLIENT_BUSY,     /* an exchange runs */
	CLIENT_LINGER,   /* the last answer is out; what still comes is thrown away */
	CLIENT_CLOSED,
};

struct client {
	struct stream *stream;
	struct worker *worker;
	struct client *prev, *next; /* all clients of the worker */
	struct bytes bind;          /* the listener's, static for the process */
	struct listener_metrics *metrics;
	struct exchange *x;
	char *ahead;                /* bytes not yet used */
	uint32_t nahead, ahead_cap;
	uint32_t scanned;           /* of them, looked at for the end of a head */
	enum client_state state;
	bool tls, taking, ended, counted, last; /* last: ends after the running exchange */
	bool paused_ahead, paused_upload, watching;
	bool yielded;               /* what came ahead goes on later */
	bool body_at_hand;          /* the head's read brought part of the body too */
	struct ip peer, from;       /* who connected; the same or what the PROXY header said */
	uint16_t port;
	uint64_t head_us;           /* when a head that comes in pieces began; 0: it came whole */
	uint64_t read;              /* bytes of this connection */
	uint64_t window_read, window_delivered, window_waits; /* as the window of throughput began */
	uint8_t lingers;
	struct deadline deadline;
};

/* Takes over a connection that a listener gave. */
void client_accept(struct worker *, struct bytes bind, struct stream *);
/* After an exchange: close, or read the next request. `unread`: part of the
 * request's body has not been read, so the connection cannot go on. */
void client_next(struct client *, bool close, bool unread);
void client_close(struct client *);  /* at once */
void client_reset(struct client *);  /* at once, visibly cut */
/* Ends it now if idle (after a grace), else after the running exchange. */
void client_drain(struct client *, uint64_t grace_ms);
/* Descriptors have run out: closes one of the worker's, the newest idle one where there is one. */
void client_shed(struct worker *);
struct http1_limits client_limits(const struct client *);
/* Writes to the client and watches that it takes what it is given. */
bool client_write(struct client *, const struct bytes *, size_t n);
/* The exchange has become a tunnel: bytes that came ahead belong to it. */
void client_tunnel(struct client *);
/* A pump wants less, or more again, of the request's body. */
void client_pause_upload(struct client *, bool);
#endif
