/* zone.h -- the places of a request and its answer where values are.
 *
 * AppSec calls them zones, SecLang variables; fields.c and seclang_names.c have
 * the words. A zone of names follows its zone of values. */
#ifndef RULES_ZONE_H
#define RULES_ZONE_H
#include "base/bytes.h"

enum zone {
	ZONE_URI,       /* each reading of the path */
	ZONE_URI_FULL,  /* the target as sent */
	ZONE_METHOD,
	ZONE_PROTOCOL,  /* "HTTP/1.1" */
	ZONE_ARGS,      /* of the query */
	ZONE_ARGS_NAMES,
	ZONE_HEADERS,
	ZONE_HEADERS_NAMES,
	ZONE_COOKIES,
	ZONE_COOKIES_NAMES,
	ZONE_PATH,      /* escapes decoded once, nothing else */
	ZONE_BASENAME,  /* what follows its last slash */
	ZONE_PATH_QUERY, /* path and query as sent, without scheme and host */
	ZONE_LINE,      /* the request line */
	ZONE_QUERY,
	ZONE_HEAD_FACTS, /* single values by their names: "remote_addr", ... */
	ZONE_BODY_ARGS, /* from here on the body must have been read */
	ZONE_BODY_ARGS_NAMES,
	ZONE_XML_ARGS,  /* texts and attributes: xml.a.b, xml.a.@c */
	ZONE_XML_ARGS_NAMES,
	ZONE_XML_TEXT,  /* all text in one */
	ZONE_XML_ATTRIBUTES,
	ZONE_FILES,     /* the names that uploaded files were given */
	ZONE_FILES_NAMES, /* the names of their fields */
	ZONE_FILES_SIZES,
	ZONE_FILES_TOTAL_SIZE,
	ZONE_PART_HEADERS, /* whole lines, by the part's name */
	ZONE_BODY_TYPE, /* "JSON", "XML", "MULTIPART", "URLENCODED" */
	ZONE_RAW_BODY,
	ZONE_FORM_BODY, /* the same of a form or JSON, or where a rule asks for it */
	ZONE_BODY_FACTS, /* "reqbody_error", ... */
	ZONE_STATUS,    /* from here on there must be an answer */
	ZONE_ANSWER_HEADERS,
	ZONE_ANSWER_HEADERS_NAMES,
	ZONE_ANSWER_FACTS,
	ZONE_ANSWER_BODY,
	ZONE_VARS,      /* from here on they are made while rules run: TX, IP, ... */
	ZONE_MATCHED,   /* MATCHED_VAR, _NAME, MATCHED_VARS, _NAMES: matched.h has them by name */
	ZONE_MOMENT,    /* DURATION, TIME, HIGHEST_SEVERITY, ... by name */
	ZONE_COUNT,
	ZONE_BODY_FIRST = ZONE_BODY_ARGS,
	ZONE_ANSWER_FIRST = ZONE_STATUS,
	ZONE_MADE_FIRST = ZONE_VARS,
};

typedef uint64_t zone_set;
#define ZONE_BIT(z) ((zone_set)1 << (z))
_Static_assert(ZONE_COUNT <= 64, "a zone_set has a bit for each zone");

/* SecLang's collections of variables. Those of ModSecurity that outlive a request
 * (all but TX) are kept for one request here: what is to last is a scenario's. */
enum collection { COLLECTION_TX, COLLECTION_IP, COLLECTION_GLOBAL, COLLECTION_SESSION, COLLECTION_USER, COLLECTION_RESOURCE, COLLECTION_GEO };

/* AppSec's word for it; two words may name one zone. */
bool zone_find(struct bytes word, enum zone *);
const char *zone_name(enum zone);
const char *zone_nearest(struct bytes word); /* NULL: nothing is near */
#endif
