/* fetch_dns.h -- names to addresses without blocking a loop.
 *
 * getaddrinfo() may take as long as it likes: it runs on one thread of its own,
 * which starts with the first name and is shared by all loops. What it says is
 * kept: addresses for a minute, "no such name" for five seconds. An address
 * written as one, and what is kept, is answered at once. One slow name holds up
 * the others in the queue; whoever asks has a deadline of his own. */
#ifndef BASE_FETCH_DNS_H
#define BASE_FETCH_DNS_H
#include "base/ip.h"
#include "base/loop.h"

enum {
	DNS_ADDRESSES = 4,      /* of one name, in the order of the system's preference */
	DNS_NAMES = 64,         /* that are kept */
	DNS_WAITING = 128,      /* questions at a time */
	DNS_KEEP_MS = 60000,    /* getaddrinfo does not tell the record's own TTL */
	DNS_KEEP_BAD_MS = 5000,
};

struct dns_answer {
	struct ip at[DNS_ADDRESSES];
	unsigned n;      /* 0: why not */
	char why[96];
};

struct dns;
struct dns_ask;

/* Fills *out; runs on the thread. `lookup` NULL: getaddrinfo. */
typedef void dns_lookup(void *arg, const char *host, struct dns_answer *out);
struct dns *dns_new(dns_lookup *lookup, void *arg); /* NULL: out of memory */
/* Nobody may be asking any more. A lookup under way is left to end by itself. */
void dns_free(struct dns *);

/* True: *out holds the answer. False: `done` is called on the loop, later, unless it is
 * cancelled, and *ask is what to cancel by; NULL: it cannot even be asked, out->why. */
bool dns_find(struct dns *, struct loop *, struct bytes host, struct dns_answer *out, struct dns_ask **ask,
	      void (*done)(void *ctx, const struct dns_answer *), void *ctx);
/* From the loop's thread. Nothing more is called, and the loop is not used any more. */
void dns_cancel(struct dns *, struct dns_ask *);
#endif
