/* bound.h -- the sockets of one address: as many as there are workers, bound with
 * SO_REUSEPORT so that the kernel spreads connections among them. */
#ifndef PROXY_BOUND_H
#define PROXY_BOUND_H
#include "proxy/handover.h"

struct bound {
	char key[100]; /* "any 8080", "127.0.0.1 9180" */
	int fds[SOCKETS_MAX];
	unsigned n;
};

/* host: "any" or an address. False: err says why, and nothing is left open.
 * Refused when another program listens there, with whom SO_REUSEPORT would
 * otherwise share the port. */
bool bound_open(struct bound *, unsigned n, const char *host, unsigned port, struct err *);
void bound_close(struct bound *);
#endif
