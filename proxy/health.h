/* health.h -- asking servers how they are: an HTTP GET of the app's health path,
 * every interval, from the control thread. 2xx and 3xx are good. */
#ifndef PROXY_HEALTH_H
#define PROXY_HEALTH_H
#include "proxy/site.h"

struct health;
/* Checks every server of the site that has a path to ask; holds the site. */
struct health *health_start(struct loop *, struct site *);
void health_stop(struct health *); /* NULL is allowed */
#endif
