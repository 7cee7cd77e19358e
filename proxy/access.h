/* access.h -- does an exception of the app's hold for this request? */
#ifndef PROXY_ACCESS_H
#define PROXY_ACCESS_H
#include "proxy/exchange.h"

bool access_exception_holds(const struct exchange *, const struct exception_config *);
#endif
