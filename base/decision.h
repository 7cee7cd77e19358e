/* decision.h -- the remedies, mildest first, and what is held against whom.
 *
 * One enum and the same words in configuration, logs, metrics and the API. */
#ifndef BASE_DECISION_H
#define BASE_DECISION_H
#include "base/ip.h"

enum remedy_kind {
	REMEDY_ALLOW,
	REMEDY_LOG,
	REMEDY_THROTTLE,
	REMEDY_CHALLENGE, /* a page to be solved; a pass lifts it */
	REMEDY_CAPTCHA,   /* the same by a provider's puzzle */
	REMEDY_TARPIT,    /* a deny that is held back */
	REMEDY_DENY,
	REMEDY_COUNT
};

const char *remedy_word(enum remedy_kind);
bool remedy_from_word(struct bytes, enum remedy_kind *);

/* Who decided. */
enum source {
	SOURCE_NONE,
	SOURCE_PROTOCOL, /* malformed HTTP */
	SOURCE_RULE,     /* rules/ */
	SOURCE_OWN_RULE, /* `rules:` of the configuration */
	SOURCE_LIMIT,    /* `limits:` */
	SOURCE_CTI,
	SOURCE_SCENARIO,
	SOURCE_BOT,      /* `bots:` */
	SOURCE_ATTACK,   /* `under_attack:` */
	SOURCE_COUNT
};

const char *source_word(enum source);

/* What a program is that says who it is. */
enum bot_category {
	BOT_SEARCH, BOT_PREVIEW, BOT_FETCHER, BOT_FEED, BOT_MONITOR, BOT_ARCHIVE, BOT_SEO, BOT_AI_SEARCH, BOT_AI_ASSISTANT,
	BOT_AI_TRAINING, BOT_SCRAPER, BOT_AUTOMATION, BOT_CATEGORIES
};
const char *bot_category_word(enum bot_category); /* "search", "ai-training", ... */

/* What a decision is about; the names are CrowdSec's. */
enum scope {
	SCOPE_IP,       /* an address; of IPv6 its /64 */
	SCOPE_RANGE,    /* a block of addresses */
	SCOPE_AS,       /* decimal */
	SCOPE_COUNTRY,  /* ISO 3166-1, two letters */
	SCOPE_SESSION,  /* keyed hash, as facts have it */
	SCOPE_USERNAME, /* likewise */
	SCOPE_OTHER,    /* a word of a scenario's own */
	SCOPE_COUNT
};

/* What is held against someone, until then. Slices are whose that say so. */
struct decision {
	uint64_t id;         /* unique while it is held; 0: not held yet */
	enum scope scope;
	struct bytes value;
	enum remedy_kind remedy;
	unsigned level;      /* of a challenge: 1 wait, 2 proof of work; 0: the app's default */
	struct bytes reason; /* the scenario's name, or an administrator's words */
	struct bytes origin; /* "embergate", "cscli", "lists:NAME", ... */
	uint64_t made_ms, until_ms; /* unix */
	uint64_t stamp;      /* when it was last changed: a hybrid clock (base/hlc.h), greater wherever later; 0: not yet */
	unsigned node;       /* that made it, 0 to DECISION_NODES - 1 */
	bool simulated;      /* told, not enforced */
	bool hearsay;        /* others say so: no gate of this installation saw it */
};
enum {
	DECISION_LIFE_MAX_MS = 72 * 3600 * 1000, /* of what behaviour decides, and of all that came from others */
	DECISION_NODES = 1024,
};

/* It is over, and was made so long ago that it does not count as past any more. */
static inline bool decision_is_past(const struct decision *d, uint64_t now_ms)
{
	return d->until_ms <= now_ms && d->made_ms + DECISION_LIFE_MAX_MS <= now_ms;
}

const char *scope_word(enum scope); /* "Ip", "Range", ... */
enum scope scope_from_word(struct bytes); /* without case; SCOPE_OTHER for any other */
#endif
