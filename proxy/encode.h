/* encode.h -- what we tell the server about the client, and the client about
 * the answer: the fields that the gate itself writes. */
#ifndef PROXY_ENCODE_H
#define PROXY_ENCODE_H
#include "proxy/exchange.h"

/* The request's head for that server; at == NULL: out of arena. */
struct bytes encode_request(struct exchange *, const struct backend *);
/* The answer's head; decides framing towards the client and whether its
 * connection goes on (x->close_client). */
struct bytes encode_response(struct exchange *);
#endif
