/* access.h -- what else the app says of a request's path. */
#ifndef PROXY_ACCESS_H
#define PROXY_ACCESS_H
#include "proxy/exchange.h"

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
