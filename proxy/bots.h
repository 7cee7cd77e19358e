/* bots.h -- programs that say who they are: search engines, previews, crawlers for AI, tools.
 *
 * A bot is known by a word of its User-Agent (bots_table.c). That anybody can
 * write, so where its vendor says how, the address is looked at too: published
 * ranges (bots_ranges.h), and, where the configuration wants it, the name of the
 * address and the addresses of that name (bots_dns.h). Until that is known, and
 * where it cannot be, a bot is only said to be one. What follows for an app is
 * its `bots`; scenarios know it as `evt.Gate.bot` and `evt.Gate.bot_verified`. */
#ifndef PROXY_BOTS_H
#define PROXY_BOTS_H
#include "base/ip.h"
#include "proxy/config.h"

struct exchange;
struct facts;
struct matcher;
struct process;

enum { BOT_SUFFIXES = 4 };

struct bot {
	const char *name;
	enum bot_category category;
	const char *word;     /* in the User-Agent, without case */
	const char *ranges;   /* the list of its addresses: file NAME.json or NAME.txt; NULL: none is published */
	const char *suffixes[BOT_SUFFIXES]; /* of the names of its addresses, ".googlebot.com"; none: they say nothing */
};

/* Where several words are found the first row counts. */
extern const struct bot bots_table[];
extern const size_t bots_count;

enum bot_proof {
	BOT_UNPROVEN, /* not known, or not known yet */
	BOT_TRUE,     /* the address is one of that bot's */
	BOT_FALSE,    /* it is not: an impostor */
};

/* What an exchange is taken for. */
struct bot_claim {
	const struct bot *bot; /* NULL: it says nothing of the kind */
	enum bot_proof proof;
};

/* Of a site: the words, and the lists of addresses. Immutable. */
struct bots;
/* `shipped` (may be NULL) is the directory of lists that come with the program: they prove who is in them, and no more.
 * `cache` as of a matcher. */
struct bots *bots_new(const struct bots_config *, const char *shipped, const char *cache, struct err *);
void bots_free(struct bots *);
/* By lists alone. */
enum bot_proof bots_listed(const struct bots *, const struct bot *, const struct ip *);

/* Of a worker: room to search in, and what recent User-Agents were. */
struct bots_memo;
struct bots_memo *bots_memo_new(void);
void bots_memo_free(struct bots_memo *);
/* NULL: none. */
const struct bot *bots_find(const struct bots *, struct bots_memo *, struct bytes agent);

/* Sets FACT_BOT and FACT_BOT_VERIFIED, of an exchange ... */
void bots_facts(const struct exchange *, struct facts *);
/* ... and of an event of another server's log, by lists alone. */
void bots_note(const struct bots *, struct bots_memo *, struct facts *);

/* Is it spared challenges, for slower limits instead? pipeline.c asks. `slow`: it has used them up. */
bool bots_spared(struct exchange *, bool *slow);
/* The scenarios that do not watch this exchange. */
const uint64_t *bots_scenarios_off(const struct exchange *);
#endif
