/* facts.h -- what is known of one event, by the names that CrowdSec's scenarios use.
 *
 * An event is an exchange, or a line of a log. Facts that have a number are slices in a table; the rest (a parser's own
 * field, what SetMeta added) is a short list by name. A fact that is not known is empty, never nil. The exchange of a proxy
 * becomes known step by step: each fact has the point from which it is settled, and scenarios are asked at the earliest
 * point at which all that they use is. Sources: crowdsec-docs (scenarios/format.md) and the hub's parsers, as the table in
 * facts.c says; what only a gate knows is under `evt.Gate`. */
#ifndef SCENARIOS_FACTS_H
#define SCENARIOS_FACTS_H
#include "base/arena.h"
#include "base/ip.h"

enum observe_point { AT_HEAD, AT_BODY, AT_ANSWER, AT_END, OBSERVE_POINTS };

enum fact {
	/* of every event */
	FACT_SOURCE_IP, FACT_SERVICE, FACT_LOG_TYPE, FACT_SUB_TYPE, FACT_TIMESTAMP, FACT_DATASOURCE_TYPE, FACT_DATASOURCE_PATH,
	FACT_USERNAME, FACT_COUNTRY, FACT_AS_NUMBER, FACT_AS_NAME, FACT_SOURCE_RANGE,
	/* of a request */
	FACT_HTTP_PATH,      /* target as sent, query and all */
	FACT_REQUEST,        /* before the last '?' */
	FACT_HTTP_ARGS,      /* behind it */
	FACT_HTTP_ARGS_LEN,  /* decimal */
	FACT_FILE_DIR, FACT_FILE_NAME, FACT_FILE_FRAG, FACT_FILE_EXT,
	FACT_STATIC,         /* "true", "false": by the extension */
	FACT_VERB, FACT_HTTP_VERSION, FACT_TARGET_FQDN, FACT_USER_AGENT, FACT_REFERER, FACT_RAW_REQUEST,
	/* of its answer */
	FACT_STATUS, FACT_BODY_BYTES, FACT_IMPACT,
	/* of our own inspection */
	FACT_RULE_NAME, FACT_ACTION, FACT_OUT_OF_BAND_ACTION, FACT_ORIGIN, FACT_HAS_OUT_OF_BAND, FACT_APPSEC_NAME,
	/* that only a gate knows */
	FACT_APP,
	FACT_NETWORK,        /* /24 or /48 of the client */
	FACT_SESSION,        /* keyed hash of what the app's own cookies hold; empty without cookies */
	FACT_COOKIES,        /* "true", "false": did it send any? */
	FACT_FINGERPRINT,    /* keyed hash of the order of its header names, and of how TLS was offered */
	FACT_JA4,            /* of its TLS (ja4.h); empty without */
	FACT_NAVIGATION,     /* "true", "false": a page that someone looks at */
	FACT_ROUTE,          /* of the app's own routes that it meets: "login", "payment", "trap", ... */
	FACT_BOT,            /* category of a bot that says who it is: "search", "ai-training", ... */
	FACT_BOT_VERIFIED,   /* "true": and its address is one of that bot's; "false": it is not; else empty */
	FACT_PASS,           /* level of a challenge that it has passed: "", "1" to "3" */
	FACT_MALFORMED,      /* "true", "false" */
	FACT_HEAD_MS,        /* from the first byte to the last of the head */
	FACT_USER,           /* keyed hash of the user name that was given to log in */
	FACT_REQUEST_BYTES,
	FACT_LOGIN,          /* "success", "failure"; empty: no login, or not known */
	FACT_ANSWER_MS,      /* until the head of the answer */
	FACT_COUNT
};

struct fact_extra {
	const struct fact_extra *next;
	struct bytes name; /* "Meta.cve", "Parsed.program" */
	struct bytes value;
};

struct facts {
	struct bytes at[FACT_COUNT];
	const struct fact_extra *extra; /* newest first */
	uint64_t at_us;   /* by the clock of the buckets: monotonic in a gate, the log's time where a log is read */
	uint64_t wall_ms; /* unix; for what is told */
};

/* The number of a name such as "Meta.http_path"; FACT_COUNT: it has none. */
enum fact fact_find(struct bytes name);
enum observe_point fact_point(enum fact);
/* CrowdSec's first name of it, "Meta.http_path". */
const char *fact_name(enum fact);
/* The i-th of all names; NULL behind the last. */
const char *fact_row_name(size_t i);

/* Sets all that follows from a request target (path, arguments, parts of the file name). */
void facts_target(struct facts *, struct arena *, struct bytes target);
void facts_status(struct facts *, struct arena *, unsigned status);
/* Adds one by name, "Meta.cve"; into the table where it has a number. */
bool facts_put(struct facts *, struct arena *, struct bytes name, struct bytes value);
struct bytes facts_get(const struct facts *, struct bytes name);
/* Decimal, from the arena. */
struct bytes fact_number(struct arena *, uint64_t);
#endif
