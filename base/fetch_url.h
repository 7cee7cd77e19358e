/* fetch_url.h -- an http or https URL taken apart.
 *
 * It comes from a configuration, or from a server that redirects: so it is read
 * strictly. Visible ASCII only, no user or password, a host of letters, digits,
 * '-', '_' and '.' or an IPv6 address in brackets. Its fragment is dropped. */
#ifndef BASE_FETCH_URL_H
#define BASE_FETCH_URL_H
#include "base/arena.h"
#include "base/err.h"

enum { FETCH_URL_MAX = 2048, FETCH_HOST_MAX = 253 };

struct fetch_url {
	bool tls;
	uint16_t port;
	struct bytes host;      /* without brackets; from the arena, ends in NUL */
	struct bytes authority; /* as a Host field says it: brackets, and the port unless it is the scheme's own */
	struct bytes path;      /* at least "/" */
	struct bytes query;     /* after '?'; at == NULL: none */
};

/* False: err (SIDE_CONFIG). Everything in *out is the arena's. */
bool fetch_url_parse(struct arena *, struct bytes, struct fetch_url *out, struct err *);
/* Where a Location leads: a whole URL, or a path on the same server. From https
 * to http is refused. */
bool fetch_url_follow(struct arena *, const struct fetch_url *from, struct bytes location,
		      struct fetch_url *out, struct err *);
/* Scheme, host and port are the same. */
bool fetch_url_same_origin(const struct fetch_url *, const struct fetch_url *);
#endif
