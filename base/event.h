/* event.h -- one exchange as it is written down: to the logs, to metrics, to
 * whoever asks `explain`. Everything borrows from the exchange and is copied
 * by whoever keeps it. */
#ifndef BASE_EVENT_H
#define BASE_EVENT_H
#include "base/request.h"
#include "base/verdict.h"

/* One of the events that a scenario counted, as it kept it. */
struct event_seen {
	uint64_t wall_ms;
	struct bytes verb, target, status; /* empty: it had none yet, or was no request */
};

/* A scenario that the exchange made overflow, and what came of it. */
struct event_overflow {
	struct bytes scenario;
	uint32_t count;               /* of its events */
	struct bytes scope, value;    /* whose they were */
	enum remedy_kind remedy;      /* decided; ALLOW: nothing was */
	uint64_t until_ms;            /* of that */
	bool simulated;               /* told, not enforced */
	const struct event_seen *seen; /* the newest that are known, oldest first */
	size_t nseen;
};

struct event {
	uint64_t wall_ms;
	struct bytes id;              /* ULID, 26 characters */
	struct bytes app;             /* name of the app; empty when no app matched */
	struct ip client;             /* after the trusted hops */
	struct ip peer;               /* who connected */
	uint16_t peer_port;
	struct bytes client_from;     /* how `client` was found: "connection", "X-Forwarded-For", ... */
	const struct request *request; /* what could be parsed, even of a refused one */
	struct bytes tls_version;     /* "TLSv1.3"; empty without TLS */
	struct bytes ja4;             /* of who connected (ja4.h); empty without TLS */
	struct bytes upstream;        /* "127.0.0.1:3000"; empty when none was asked */
	unsigned status;              /* what the client was answered; 0 when it got nothing */
	uint64_t request_bytes, response_bytes; /* bodies */
	uint32_t duration_us;         /* head read to last byte written */
	uint32_t inspection_us;       /* of that, inspection */
	uint32_t answer_inspection_us; /* of that, of the answer */
	enum remedy_kind action;      /* what was done */
	enum remedy_kind would;       /* what would have been done outside detect mode */
	enum source source;           /* who decided it; SOURCE_NONE for plain traffic */
	struct bytes reason;          /* one line in words; empty for plain traffic */
	const struct hit *hits;
	size_t nhits;
	int threshold;                /* from which the score of the hits denies; 0: not known */
	const struct decision *held;  /* the strictest that was held against it; NULL: none */
	struct bytes country, as, as_name; /* of the client; empty: not known */
	struct bytes bot;             /* what it says it is; empty: nothing of the kind */
	enum bot_category bot_category;
	bool bot_proven;              /* and its address agrees */
	bool bot_false;               /* and it does not: an impostor */
	unsigned level;               /* of the pass it showed, as enum challenge_level; 0: none */
	bool allowed, hearsay;        /* an entry allows it; others say no good of it */
	unsigned limits;              /* that were asked */
	bool has_body;                /* the app's log wants it */
	struct bytes body;            /* its beginning */
	const struct event_overflow *overflows;
	size_t noverflows;
};

/* Worth the security log and `explain`: something matched or was refused. */
static inline bool event_is_alert(const struct event *e)
{
	return e->source != SOURCE_NONE;
}
#endif
