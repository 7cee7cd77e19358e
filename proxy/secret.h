/* secret.h -- the installation's secret, from which every key is derived. The
 * same on all nodes of a cluster; never logged, never sent. */
#ifndef PROXY_SECRET_H
#define PROXY_SECRET_H
#include "proxy/config.h"

/* From where the configuration says, else from `secret.key` in the state
 * directory, which is made on first start (mode 0600). Any length is accepted
 * from 16 bytes on; what is returned is derived from it. */
bool secret_load(const struct config *, uint8_t out[32], struct err *);
/* What stands there ("file:..", "env:..", "cred:.."), without blanks and line ends
 * behind it. For secrets of others: a provider's key. */
bool secret_read(const char *from, struct arena *, struct bytes *out, struct err *);
#endif
