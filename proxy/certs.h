/* certs.h -- the certificates of a listener: the configured ones, and one made
 * here for every host name that none of them serves. */
#ifndef PROXY_CERTS_H
#define PROXY_CERTS_H
#include "proxy/site.h"

/* Self-signed ones are kept in the state directory, certs/NAME.{crt,key}, and
 * made anew when they are about to end. NULL: err names the file. */
struct tls_context *certs_open(const struct site *, const struct listen *, const uint8_t secret[32],
			       struct err *);
#endif
