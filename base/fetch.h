/* fetch.h -- one request to another server, one answer: HTTP/1.1 on our own loop.
 *
 * For what the gate itself asks of others (a captcha's provider, lists, a LAPI,
 * webhooks). Nothing blocks: names are looked up by a thread. Certificates are
 * verified, a compressed answer is refused (we ask for none), and everything has
 * a bound: the whole by the deadline, the head by FETCH_HEAD_MAX, the body by the
 * caller. An answer that is cut short is a failure, however good its beginning.
 *
 * `done` comes exactly once unless the fetch is cancelled, never from within
 * fetch_start(), and is the last call: the handle is gone with it. From inside
 * any callback the fetch may be cancelled. Slices that callbacks are given are
 * borrowed until they return; what a request points to is copied. */
#ifndef BASE_FETCH_H
#define BASE_FETCH_H
#include "base/fetch_dns.h"
#include "base/request.h"

struct tls_context;
struct fetcher; /* of the process: the resolver, and whom to trust */
struct fetch;

enum {
	FETCH_HEAD_MAX = 32 << 10, /* of the answer, interim ones included */
	FETCH_SEND_MAX = 1 << 20,  /* of the request's body */
	FETCH_FIELDS = 16,         /* of the request's own */
};

/* `ca` NULL: the system's bundle. `lookup` NULL: the system's resolver. */
struct fetcher *fetcher_new(const char *ca, dns_lookup *lookup, void *arg, struct err *);
/* No fetch may be under way. A lookup that is does not hold it up. */
void fetcher_free(struct fetcher *); /* NULL is allowed */

struct fetch_request {
	struct bytes url;          /* http or https */
	struct bytes method;       /* empty: GET, or POST where there is a body */
	const struct field *fields; /* beside Host, Accept-Encoding, Connection and framing; User-Agent if it is not ours */
	size_t nfields;
	struct bytes content_type, body; /* at == NULL: no body */
	uint32_t deadline_ms;      /* for everything, redirects included; 0: 10 s */
	uint64_t body_max;         /* bytes of the answer's; one more is a failure */
	bool packed;               /* an answer with a Content-Encoding is taken, as it comes: servers say so of .gz files */
	unsigned redirects;        /* so many are followed, of GET only and never from https to http. At
				    * another origin `fields` are left out: they may be secrets. */
	struct tls_context *tls;   /* NULL: the fetcher's own, which verifies; outlives the fetch */
};

struct fetch_events {
	void (*head)(void *owner, const struct response *); /* the final one; may be NULL */
	void (*bytes)(void *owner, struct bytes);           /* of the body, decoded; may be NULL */
	/* NULL: the answer was whole, whatever its status. Else SIDE_UPSTREAM with code 502, or 504
	 * when the deadline has passed, or SIDE_CONFIG for a URL or field that cannot be. */
	void (*done)(void *owner, const struct err *failed);
};

/* NULL: out of memory; every other failure is told by `done`. */
struct fetch *fetch_start(struct fetcher *, struct loop *, const struct fetch_request *,
			  const struct fetch_events *, void *owner);
void fetch_cancel(struct fetch *); /* nothing more is called */

/* The same with the body collected: `answer` is NULL when it failed. */
struct fetch_answer {
	unsigned status;
	const struct fields *fields;
	struct bytes body;
};
typedef void fetch_told(void *owner, const struct fetch_answer *, const struct err *failed);
struct fetch *fetch_whole(struct fetcher *, struct loop *, const struct fetch_request *, fetch_told *,
			  void *owner);

/* For a configuration: can this be fetched? False: err (SIDE_CONFIG). */
bool fetch_url_check(struct bytes url, struct err *);
/* application/x-www-form-urlencoded: appends "name=value", and '&' before all but the first. */
void fetch_form_put(struct text *, struct bytes name, struct bytes value);
#endif
