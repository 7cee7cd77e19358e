/* assets.h -- inside admin/: the dashboard's files over HTTP.
 *
 * Names with a hash in them may be kept for ever, the page is asked for again each time (ETag, 304). Every answer carries
 * the policy that keeps foreign scripts, frames and hosts out of it.
 *
 * With `--ui-dir` they are read from a directory for each request, on the control thread: for development only. */
#ifndef ADMIN_API_ASSETS_H
#define ADMIN_API_ASSETS_H
#include "admin/guest.h"
#include "base/serve.h"

/* False: there is no such file; nothing was answered. */
bool assets_serve(struct admin *, struct serve_request *);
#endif
