/* record.h -- what may be written down of an exchange: bounded and redacted.
 *
 * Every sink (log formats, `explain`, the API) prints a record,
 * never an event, so a secret is taken out in one place and a field has one
 * bound. Of a value that matched a rule it holds a
 * snippet round the match; fields as received, and the beginning of a body where the app wants that, only when
 * record_request() is called, for alerts that are kept. Slices borrow from the event and from the record's
 * own scratch; record_copy() makes one block that stands alone. */
#ifndef ADMIN_RECORD_H
#define ADMIN_RECORD_H
#include "admin/redact.h"
#include "base/event.h"

enum {
	RECORD_HITS = 48,      /* shown of an exchange; the rest is a number */
	RECORD_SNIPPET = 96,   /* bytes of a matched value */
	RECORD_DATA = 160,     /* of what a rule says of its match */
	RECORD_OVERFLOWS = 4,  /* scenarios that overflowed */
	RECORD_SEEN = 20,      /* events of theirs, in all */
	RECORD_FIELDS = 64,
	RECORD_FIELD_BYTES = 8192, /* names and values of them all */
	RECORD_BODY = 4096,
	RECORD_SCRATCH = 49152, /* redacted copies */
};

/* What was held against who asked. */
struct record_held {
	uint64_t id;             /* 0: nothing was */
	enum scope scope;
	struct bytes value, reason, origin;
	enum remedy_kind remedy;
	uint64_t made_ms, until_ms;
};

/* An event that a scenario counted. */
struct record_seen {
	uint64_t wall_ms;
	struct bytes verb, target, status;
};

struct record_field {
	struct bytes name, value;
};

struct record_overflow {
	struct bytes scenario, scope, value;
	uint32_t count;
	enum remedy_kind remedy; /* ALLOW: nothing was decided */
	uint64_t until_ms;
	bool simulated;
	size_t first, nseen;     /* its events among those seen */
};

struct record_hit {
	struct bytes rule, message, category, variable;
	struct bytes snippet;    /* part of the value; "[redacted]" */
	struct bytes data;       /* SecLang's logdata; may be empty */
	bool before, after;      /* the value goes on at that side of the snippet */
	size_t offset, len;      /* of the match in the whole value */
	int score;
	enum severity severity;
};

struct record {
	uint64_t wall_ms;
	struct bytes id, app;
	struct ip client, peer;
	uint16_t peer_port;
	struct bytes client_from, tls_version, ja4, upstream, reason;
	struct bytes method, host, path, query, referer, user_agent; /* host without port, query without '?' */
	bool has_request, has_query;
	uint8_t minor;           /* HTTP/1.minor */
	unsigned status;
	uint64_t request_bytes, response_bytes;
	uint32_t duration_us, inspection_us;
	enum remedy_kind action, would;
	enum source source;
	int score;               /* of all hits */
	int threshold;           /* from which the score denies; 0: not known */
	struct record_held held;
	struct bytes country, as, as_name, bot;
	bool bot_proven, allowed, hearsay;
	unsigned level, limits;
	struct record_overflow overflows[RECORD_OVERFLOWS];
	size_t noverflows;
	struct record_seen *seen; /* its own, below; of a copy behind its hits */
	size_t nseen;
	struct record_field *fields; /* as seen is */
	size_t nfields, more_fields; /* kept; beyond the bounds */
	bool has_body, more_body;
	struct bytes body;       /* its beginning, redacted */
	size_t nhits, more_hits; /* shown; not shown */
	size_t scratch_used;
	struct record_hit hits[RECORD_HITS]; /* of a copy only as many as there are */
	char scratch[RECORD_SCRATCH];
	struct record_seen own_seen[RECORD_SEEN];
	struct record_field own_fields[RECORD_FIELDS];
};

/* `redact` may be NULL. */
void record_of(struct record *, const struct event *, const struct redact *);
/* After it: the request as received. */
void record_request(struct record *, const struct event *, const struct redact *);
/* One malloc'ed block, free() is its release; *bytes is its size. NULL: out of memory. */
struct record *record_copy(const struct record *, size_t *bytes);
#endif
