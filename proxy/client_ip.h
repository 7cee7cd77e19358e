/* client_ip.h -- who is asking: the address behind the trusted hops.
 *
 * Only a connection from a trusted hop may say for whom it speaks. The chain is
 * read from the right, and the first address that is not trusted is the client;
 * what stands left of it was written by that client and counts for nothing. */
#ifndef PROXY_CLIENT_IP_H
#define PROXY_CLIENT_IP_H
#include "base/request.h"
#include "proxy/config.h"

struct client_origin {
	struct ip client;
	struct bytes from;  /* "connection", "X-Forwarded-For", "Forwarded", "X-Real-IP" */
	struct bytes proto; /* what Forwarded says of the client's own connection; else empty */
	bool trusted_hop;   /* the peer is one: its X-Forwarded-Proto and -Host count */
};

struct client_origin client_ip_find(const struct client_ip_config *, const struct fields *,
				    const struct ip *peer);
#endif
