/* bots_dns.h -- is an address a bot's by its name? Forward-confirmed reverse DNS.
 *
 * The name of the address must end as the bot's do, and that name must have the
 * address. No request waits: who is not known yet is asked for on the resolver's
 * thread and is unproven meanwhile. Answers are kept in a table of fixed size, for
 * hours where they are clear, for minutes where there was none. From any thread. */
#ifndef PROXY_BOTS_DNS_H
#define PROXY_BOTS_DNS_H
#include "base/loop.h"
#include "proxy/bots.h"

enum {
	BOTS_DNS_KEPT = 4096,
	BOTS_DNS_TRUE_MS = 6 * 3600 * 1000,
	BOTS_DNS_FALSE_MS = 3600 * 1000,
	BOTS_DNS_UNKNOWN_MS = 5 * 60 * 1000,
	BOTS_DNS_ASKED_MS = 30 * 1000, /* then it may be asked again */
	BOTS_DNS_NAME = 256,
};

enum bots_dns_found { BOTS_DNS_NO, BOTS_DNS_YES, BOTS_DNS_TROUBLE };

/* The system's resolver, or a test's. They may block. */
struct bots_resolver {
	/* The name of an address. NO: it has none. */
	enum bots_dns_found (*name)(void *ctx, const struct ip *, char out[BOTS_DNS_NAME]);
	/* Has the name that address? */
	enum bots_dns_found (*has)(void *ctx, const char *name, const struct ip *);
	void *ctx;
};

struct bots_dns;
struct bots_dns *bots_dns_new(const struct bots_resolver *); /* NULL: the system's */
void bots_dns_free(struct bots_dns *);
/* What is known; asks where nothing is. */
enum bot_proof bots_dns_proof(struct bots_dns *, struct loop *, const struct bot *, const struct ip *);
/* Asks, and waits: what the thread does. */
enum bot_proof bots_dns_ask(const struct bots_resolver *, const struct bot *, const struct ip *);
#endif
