/* client_card.h -- inside admin/: all that is known of an address, gathered once, for `ctl client` and the API. */
#ifndef ADMIN_CLIENT_CARD_H
#define ADMIN_CLIENT_CARD_H
#include "admin/client_hooks.h"
#include "admin/guest.h"
#include "base/json_out.h"
#include "cti/alerts.h"
#include "cti/geo.h"

enum { CARD_DECISIONS = 100, CARD_LISTS = 32, CARD_ALERTS = 100, CARD_BUCKETS = 256, CARD_PASSES = 32 };

struct client_card {
	struct ip ip;
	char address[48], prefix[64];  /* of IPv4 its /24, of IPv6 its /48 */
	struct geo_found geo;
	struct bytes bot;              /* whose published addresses it is among; empty: nobody's */
	unsigned decided;              /* decisions in the last 72 hours */
	struct decision decisions[CARD_DECISIONS], allow[CARD_DECISIONS], lists[CARD_LISTS];
	size_t ndecisions, nallow, nlists;
	struct client_bucket buckets[CARD_BUCKETS];
	struct client_passes passes[CARD_PASSES];
	size_t nbuckets, npasses;
	struct alert alerts[CARD_ALERTS]; /* newest first */
	size_t nalerts;
	struct arena *arena;           /* holds it all; the card's own */
};

/* `told` on the loop, perhaps at once; NULL: out of memory. It ends with arena_free(card->arena). */
void client_card_ask(struct admin *, const struct ip *, void (*told)(void *owner, struct client_card *), void *owner);
void client_card_out(struct json_out *, const struct client_card *); /* api/api_clients.c */
#endif
