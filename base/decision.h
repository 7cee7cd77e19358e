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
	REMEDY_CHALLENGE, /* these three come with scenarios/; configuration that */
	REMEDY_CAPTCHA,   /* names them is refused until then */
	REMEDY_TARPIT,
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
	SOURCE_COUNT
};

const char *source_word(enum source);

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

const char *scope_word(enum scope); /* "Ip", "Range", ... */
enum scope scope_from_word(struct bytes); /* without case; SCOPE_OTHER for any other */
#endif
