/* verdict.h -- what inspection found in a request, and where. */
#ifndef BASE_VERDICT_H
#define BASE_VERDICT_H
#include "base/decision.h"

enum severity { SEVERITY_NOTICE = 2, SEVERITY_WARNING, SEVERITY_ERROR, SEVERITY_CRITICAL };

/* What is known of a rule without compiling it; lives as long as the ruleset. */
struct rule_info {
	const char *id;       /* "942100", "crowdsecurity/vpatch-env-access", "embergate/dot-files" */
	const char *message;  /* one line for people */
	const char *category; /* "sqli", "scan", ...; exceptions may name it */
	const char *file;
	unsigned line;
	enum severity severity;
};

/* One rule that matched, with the first value that made it match. */
struct hit {
	const struct rule_info *rule;
	struct bytes variable; /* "ARGS:q", "URI", "HEADERS:User-Agent" */
	struct bytes value;    /* the value after the rule's transformations, from the arena */
	size_t offset, len;    /* the match in `value`; len 0 when it has no extent */
	int score;             /* what it added; 0 where rules do not score */
	struct bytes message;  /* the rule's, its macros expanded */
	struct bytes data;     /* SecLang's logdata, expanded; may be empty */
	/* Variables that message and data may quote too: what the links of a chain held on, and what they name. */
	const struct bytes *quoted;
	size_t nquoted;
};

struct verdict {
	enum remedy_kind remedy; /* ALLOW, LOG or DENY */
	unsigned status;         /* of a DENY: 403 unless the rule says otherwise */
	struct bytes location;   /* of a DENY that is a redirect; else empty */
	const struct hit *hits;
	size_t nhits;
	int threshold;           /* from which the score of the hits denies; 0: not known */
	struct bytes error;      /* a body that could not be read, in words; else empty */
};
#endif
