/* server.h -- inside admin/: /metrics, /healthz and /readyz over HTTP.
 *
 * GET and HEAD only, without bodies. A page in a browser cannot read them by
 * naming this address (DNS rebinding): Host must be an address, localhost, this
 * machine's name or one that the configuration lists. Probes may say anything.
 * The dashboard and its API will have their routes in the same table. */
#ifndef ADMIN_SERVER_H
#define ADMIN_SERVER_H
#include "admin/guest.h"
#include "base/serve.h"

struct server_http *server_open(struct admin *, const int *fds, size_t nfds, struct err *);
#endif
