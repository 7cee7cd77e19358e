/* client_hooks.h -- what the gate knows of an address, for the card of a client (client_card.h). Control thread; ctx is that of
 * admin_hooks. */
#ifndef ADMIN_CLIENT_HOOKS_H
#define ADMIN_CLIENT_HOOKS_H
#include "base/arena.h"
#include "base/ip.h"

struct geo_found;
/* A bucket of a scenario that groups by the address alone. */
struct client_bucket { struct bytes scenario; uint32_t count, capacity; };
/* What its network has had of an app's passes, of how many it may have in `window_s`. */
struct client_passes { struct bytes app; uint32_t used, of, window_s; };

struct client_hooks {
	bool (*where)(void *ctx, const struct ip *, struct geo_found *); /* false: nothing is known */
	const char *(*bot)(void *ctx, const struct ip *); /* whose published addresses it is among; "": nobody's */
	size_t (*buckets)(void *ctx, const struct ip *, struct arena *, struct client_bucket *, size_t max); /* that are not empty */
	size_t (*passes)(void *ctx, const struct ip *, struct client_passes *, size_t max);
};
#endif
