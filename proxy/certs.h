/* certs.h -- the certificates of a listener: the configured ones, and one made
 * here for every host name that none of them serves. */
#ifndef PROXY_CERTS_H
#define PROXY_CERTS_H
#include "proxy/site.h"

/* Self-signed ones are kept in the state directory, certs/NAME.{crt,key}, and
 * made anew when they are about to end. Sets listen->tls; false: err names the
 * file. A dry process makes none, and the listener may be left without. */
bool certs_open(const struct process *, const struct site *, struct listen *, struct err *);
#endif
