/* forward.h -- the server's side of an exchange: what a peer tells it. Each call
 * may end the exchange. */
#ifndef PROXY_FORWARD_H
#define PROXY_FORWARD_H
#include "base/stream.h"
#include "proxy/exchange.h"

void forward_ready(struct exchange *);
void forward_bytes(struct exchange *, struct bytes);
void forward_ended(struct exchange *, enum stream_end, const char *why);
void forward_drained(struct exchange *);
void forward_late(struct exchange *); /* the peer's deadline passed */
/* Lets the peer go: back to the pool when it is fit for another exchange. */
void forward_release(struct exchange *, bool reusable);
void forward_done(struct exchange *); /* the same, after an answer: it is fit when both bodies were whole */

/* respond.c: the answer's way to the client. */
bool respond_head(struct exchange *);                 /* makes the head; false: out of memory */
/* Sends what was held, then `more`; from now on it is held no more. False: out of memory, and nothing has gone. */
bool respond_release(struct exchange *, struct bytes more);
void respond_bytes(struct exchange *, struct bytes);  /* body or tunnel bytes; sets down.done; never ends the exchange */
void respond_end(struct exchange *, bool clean);      /* the server ended its side */
void respond_drained(struct exchange *);               /* the client took what was queued */
void tunnel_up(struct exchange *, struct bytes);      /* bytes from the client */
void tunnel_ended(struct exchange *, bool by_client); /* may end the exchange */
#endif
