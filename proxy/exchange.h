/* exchange.h -- one request and its answer.
 *
 * Born when a head has been read, it walks the steps of pipeline.c and dies in
 * `record`. Until `forward` the steps alone govern; from then on two pumps run
 * side by side (upload.h and forward.h), and the steps wait for them.
 *
 * Everything is in the exchange's arena, itself too, but for the held body.
 * Streams copy what they cannot write at once, so nothing borrows from an
 * exchange and only exchange_run() ends it: a call of it is the last statement
 * of its function. */
#ifndef PROXY_EXCHANGE_H
#define PROXY_EXCHANGE_H
#include "base/event.h"
#include "base/http1.h"
#include "base/ulid.h"
#include "proxy/challenge_class.h"
#include "proxy/challenge_token.h"
#include "proxy/captcha.h"
#include "proxy/client_ip.h"
#include "proxy/site.h"

struct behaviour;
struct bot;
struct client;
struct inflate;
struct peer;
struct worker;

/* What is to be done, the strictest of all that was said. */
struct ruling {
	enum remedy_kind act;
	enum remedy_kind would;  /* outside detect mode */
	enum source source;
	unsigned status;         /* of a deny or throttle */
	uint32_t retry_after_s;  /* of a throttle */
	unsigned level;          /* of a challenge: enum challenge_level, what a pass must be worth */
	struct bytes reason;     /* for logs */
	struct bytes detail;     /* for the client; usually empty */
	struct bytes location;   /* of a deny that leads elsewhere; else empty */
};

/* Body bytes that may not go on yet, or may have to be sent once more. */
struct hold {
	char *at;
	size_t len, cap;
	uint64_t start; /* offset in the body of at[0] */
};

/* How far the body of the request is. */
struct upload {
	struct http1_body decoder;
	struct hold hold;
	uint64_t released;  /* offset up to which bytes may go on */
	uint64_t sent;      /* offset up to which they were sent */
	bool done;          /* wholly received */
	bool ended;         /* its end was sent too */
	bool decided;       /* nothing is held any more but for order */
	bool begun;         /* the head went to the server */
	bool broken;        /* the server takes no more of it */
	bool ours;          /* held to its end, for an endpoint of ours; short */
	struct text log;    /* its beginning, where the app's log wants bodies */
};

enum { VISIT_PASSES = 4 };

/* What it brings towards a challenge: challenge.c. */
struct visit {
	struct bytes passes[VISIT_PASSES]; /* the cookies, as they came */
	size_t npasses;
	uint32_t retry_after_s;            /* of who asks our endpoints too often; 0: not so */
	bool read, charged, spent;   /* they have been looked at; their budget was asked, and is used up */
	struct token_pass pass;      /* the best that holds; level 0: none */
	struct captcha_question *captcha; /* under way */
	bool captcha_answered;
	enum captcha_result captcha_result;
};

/* What it says it is: bots.c. */
struct bot_visit {
	const struct bot *bot;         /* NULL: nothing of the kind */
	uint32_t proof;                /* enum bot_proof */
	bool charged, slow;            /* its share was asked for, and is used up */
};

/* A refusal held back: tarpit.c. */
struct tarpit {
	struct deadline deadline;
	bool in, over;
};

/* How far the answer is. */
struct download {
	struct response head;
	struct http1_body decoder;
	struct bytes pending_head; /* written, together with the first bytes of the body */
	bool have_head, done, truncated, tunnel;
	bool chunked_out;          /* we delimit by chunks towards the client */
	/* until the rules have seen it: vet.c */
	bool held;                 /* nothing of it has gone */
	struct hold hold;          /* payload */
	struct fields trailers;    /* set once the body has ended */
	struct inflate *inflate;   /* unpacks what the rules see; NULL: it is not packed */
	struct deadline deadline;  /* of holding */
};

struct exchange {
	struct arena *arena;
	struct client *client;
	struct worker *worker;
	struct site_use *use;
	const struct listen *listen;
	const struct app *app;     /* NULL: none takes it */
	unsigned step;
	struct request request;
	struct err fault;          /* malformed: code is the status */
	char id[ULID_LEN];
	uint64_t started_us, inspection_us, answer_inspection_us; /* the latter apart */
	uint64_t head_us;          /* that the head took to come; 0: it came whole */
	struct client_origin origin;
	bool is_https;             /* as the client of a trusted hop saw it */
	struct ruling ruling;
	struct behaviour *behaviour; /* NULL: no scenario watches it */
	const struct decision *held; /* the strictest that was held against it; NULL: none */
	bool allowed;              /* an entry says that nothing is held against it */
	bool hearsay;              /* others say no good of it */
	unsigned limits_asked;
	struct bytes country, as, as_name; /* of the client, where geo files are named; else empty */
	struct event_overflow *overflows;
	size_t noverflows, overflows_room;
	struct visit visit;
	struct bot_visit bot;
	struct tarpit tarpit;
	struct inspection *inspection;
	size_t request_hits;       /* those of the request come first */
	const struct exception_config *body_exception;
	struct upload up;
	/* the server asked */
	struct peer *peer;
	const struct backend *backend;
	uint64_t tried;            /* a bit each backend */
	unsigned address, misses;  /* the backend's address to begin with; those that did not connect */
	unsigned retries;
	uint64_t asked_us;
	struct err failure;        /* of the last attempt; code is the status: 502, 503, 504 */
	struct download down;
	unsigned status;           /* answered; 0: nothing yet */
	uint64_t response_bytes;
	bool close_client;         /* the connection ends with this answer */
	bool answered_here;        /* by a page of ours */
};

/* Copies the head and starts. `fault` non-NULL: it is malformed, as that says. */
void exchange_begin(struct client *, const struct listen *, struct bytes head, const struct err *fault);
/* Goes on with the steps; the exchange may be gone afterwards. */
void exchange_run(struct exchange *);
/* The client went away, or was cut. */
void exchange_abandon(struct exchange *);
/* Makes the ruling stricter if `act` is; `status` of a deny. */
void exchange_rule(struct exchange *, enum remedy_kind act, enum source, unsigned status, struct bytes reason);
/* What was decided against the client, now or before. */
void exchange_decide(struct exchange *, const struct decision *, enum source);
/* The same, told and not done. */
void exchange_simulate(struct exchange *, enum remedy_kind would, struct bytes reason);
/* The same with a challenge of that level (enum challenge_level; 0: the app's), unless the
 * exchange has a pass for it. exchange_rule() comes here with REMEDY_CHALLENGE and _CAPTCHA. */
void exchange_challenge(struct exchange *, unsigned level, enum source, struct bytes reason);
/* Is it to be answered by us, whatever else happens? */
static inline bool exchange_stopped(const struct exchange *x)
{
	return x->ruling.act > REMEDY_LOG;
}
const struct size_limits_config *exchange_limits(const struct exchange *);
#endif
