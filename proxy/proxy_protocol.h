/* proxy_protocol.h -- the PROXY protocol, versions 1 and 2, as a balancer in
 * front of us speaks it (haproxy.org/download/2.6/doc/proxy-protocol.txt).
 *
 * Only read from peers that the listener names; its absence is then an error,
 * for else anybody behind such a peer could choose an address. */
#ifndef PROXY_PROXY_PROTOCOL_H
#define PROXY_PROXY_PROTOCOL_H
#include "proxy/config.h" /* enum proxy_protocol */

enum { PROXY_HEADER_MAX = 4096 }; /* a v2 header with its TLVs; longer is refused */

enum proxy_header { PROXY_MORE, PROXY_DONE, PROXY_BAD };

/* Reads a header of the given version at the front of `in`. DONE: *used bytes are its length, and
 * *known tells whether it names the client (LOCAL and UNKNOWN do not). */
enum proxy_header proxy_header_read(enum proxy_protocol, struct bytes in, struct ip *client, uint16_t *port, bool *known,
				    size_t *used, struct err *);
#endif
