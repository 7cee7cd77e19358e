/* addresses.h -- how many connections each client address has open, in all
 * workers. Sharded; one short lock when a connection comes and one when it
 * goes. IPv6 is counted by /64. */
#ifndef PROXY_ADDRESSES_H
#define PROXY_ADDRESSES_H
#include "base/ip.h"

struct addresses;

struct addresses *addresses_new(void);
/* Counts one more unless there are `max` already. */
bool addresses_enter(struct addresses *, const struct ip *, unsigned max);
void addresses_leave(struct addresses *, const struct ip *);
void addresses_free(struct addresses *);
#endif
