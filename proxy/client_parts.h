/* client_parts.h -- what the files of a client share; nobody else includes it.
 *
 *   client.c         bytes in, exchanges one at a time, and the end
 *   client_accept.c  a connection comes: limits, the PROXY header, TLS
 *   client_pace.c    deadlines, and how fast a client has to be */
#ifndef PROXY_CLIENT_PARTS_H
#define PROXY_CLIENT_PARTS_H
#include "proxy/client.h"
#include "proxy/exchange.h"
#include "proxy/worker.h"

enum { LINGER_MS = 2000 };

extern const struct stream_events client_events;

const struct config *client_config(const struct client *);
/* Of the listener it came by, whose app may have its own. */
const struct timeouts_config *client_timeouts(const struct client *);

/* client.c */
void client_take(struct client *, struct bytes in); /* `in` follows what came ahead */
void client_late_head(struct client *); /* what has come of a head is refused, as any that is malformed */
void client_go_on(struct client *);  /* after a yield */
void client_lose(struct client *);   /* nothing can be told to it any more: it is closed, its exchange ends */
void client_linger(struct client *); /* FIN behind the last answer; then what comes is dropped */

/* client_accept.c */
bool client_enter(struct client *); /* counts it for its address; false: too many, and it was told */
/* Takes the PROXY header off the front; *more: it is not whole. */
struct bytes client_preface(struct client *, struct bytes in, bool *more);
/* A connection that is sent away before any request: told so by `answer` (NULL: just
 * closed) and counted. */
void client_refuse(struct client *, enum refusal, const char *answer);

/* client_pace.c */
void client_become(struct client *, enum client_state);
void client_wait(struct client *, enum client_state, uint64_t ms); /* for what ends that state */
void client_mark(struct client *);  /* a window of throughput begins */
void client_watch(struct client *); /* the throughput of what is under way, a window at a time */
void client_on_deadline(void *client);
#endif
