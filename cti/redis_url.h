/* redis_url.h -- redis://[user[:password]@]host[:port][/db], rediss:// with TLS. Percent escapes in user and password. */
#ifndef CTI_REDIS_URL_H
#define CTI_REDIS_URL_H
#include "base/arena.h"
#include "base/err.h"

enum { REDIS_URL_MAX = 1024, REDIS_HOST_MAX = 253, REDIS_PORT = 6379, SENTINEL_PORT = 26379 };

struct redis_url {
	bool tls;
	struct bytes user, password; /* empty: none */
	struct bytes host;           /* without brackets */
	uint16_t port;               /* 0: not said */
	unsigned db;
};
/* False: err (SIDE_CONFIG) says what is wrong, without the password. Everything in *out is the arena's. */
bool redis_url_parse(struct arena *, struct bytes, struct redis_url *out, struct err *);
#endif
