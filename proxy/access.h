/* access.h -- what else the app says of a request's path. */
#ifndef PROXY_ACCESS_H
#define PROXY_ACCESS_H
#include "proxy/exchange.h"

/* What an own rule may ask. */
struct access_asked {
	const struct request *request;
	struct bytes country, as;  /* of the client; empty: not known */
	struct bytes ja4;          /* of who connected; empty: without TLS, or not known */
	uint64_t now_s;
};
/* The first of the app's own rules that holds; NULL: none does. */
const struct own_rule *access_rule(const struct app_config *, const struct access_asked *);
/* The status that an own rule or a limit stops with. */
unsigned access_status(enum remedy_kind);
/* Does an exception of the app's hold for it? */
bool access_exception_holds(const struct exchange *, const struct exception_config *);
/* The same of a request that is no exchange. */
bool access_exception_meets(const struct request *, const struct exception_config *, uint64_t now_s);
/* Does a pattern match any reading of its path? */
bool access_path_holds(const struct exchange *, struct bytes pattern);
/* Is its method one of these? None: any is. */
bool access_method_holds(const struct exchange *, const struct words *);
/* Is its answer one that is never held back? */
bool access_is_stream(const struct exchange *);
#endif
