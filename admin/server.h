/* server.h -- inside admin/: /metrics, /healthz, /readyz, the API and the dashboard over HTTP.
 *
 * GET and HEAD only, without bodies, but for the API. A page in a browser cannot read them by
 * naming this address (DNS rebinding): Host must be an address, localhost, this
 * machine's name or one that the configuration lists. Probes may say anything.
 * What begins with /api/ goes to admin/api; what is none of these is looked for among the dashboard's files (api/assets.h). */
#ifndef ADMIN_SERVER_H
#define ADMIN_SERVER_H
#include "admin/guest.h"
#include "base/serve.h"

/* By the address or by the socket of its own: the ways lead to the same table, by the socket as administrator. */
struct server_http *server_open(struct server_way *, const int *fds, size_t nfds, struct err *);
#endif
