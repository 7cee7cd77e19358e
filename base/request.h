/* request.h -- a request and a response as every folder speaks of them.
 *
 * Slices point into the exchange's arena (or, in tests, wherever the caller
 * keeps the bytes) and are as they came on the wire: nothing decoded, nothing
 * folded, so that what is inspected is what is forwarded. base/http1 fills
 * them; after it they are trusted to be well formed. */
#ifndef BASE_REQUEST_H
#define BASE_REQUEST_H
#include "base/ip.h"

/* The fields that the proxy itself looks at; every other is FIELD_OTHER. */
enum field_id {
	FIELD_OTHER,
	FIELD_HOST,
	FIELD_CONNECTION,
	FIELD_CONTENT_LENGTH,
	FIELD_TRANSFER_ENCODING,
	FIELD_CONTENT_TYPE,
	FIELD_CONTENT_ENCODING,
	FIELD_COOKIE,
	FIELD_USER_AGENT,
	FIELD_REFERER,
	FIELD_ACCEPT,
	FIELD_EXPECT,
	FIELD_UPGRADE,
	FIELD_TE,
	FIELD_TRAILER,
	FIELD_KEEP_ALIVE,
	FIELD_PROXY_CONNECTION,
	FIELD_PROXY_AUTHORIZATION,
	FIELD_PROXY_AUTHENTICATE,
	FIELD_HTTP2_SETTINGS,
	FIELD_AUTHORIZATION,
	FIELD_FORWARDED,
	FIELD_X_FORWARDED_FOR,
	FIELD_X_FORWARDED_PROTO,
	FIELD_X_FORWARDED_HOST,
	FIELD_X_REAL_IP,
	FIELD_X_REQUEST_ID,
	FIELD_DATE,
	FIELD_SERVER,
	FIELD_LOCATION,
	FIELD_SET_COOKIE,
	FIELD_ID_COUNT
};

struct field {
	struct bytes name; /* spelt as it came */
	struct bytes value; /* without surrounding blanks */
	enum field_id id;
	bool drop; /* hop-by-hop (RFC 9110 7.6.1) or named by Connection: never forwarded */
};

struct fields {
	struct field *at;
	size_t n, cap;
};

/* How the body is delimited (RFC 9112 6.3). */
enum framing {
	BODY_NONE,
	BODY_LENGTH,  /* `length` bytes */
	BODY_CHUNKED,
	BODY_UNTIL_CLOSE, /* responses only */
};

struct request {
	struct bytes line;   /* the request line without its CRLF */
	struct bytes method; /* a token, case kept */
	struct bytes target; /* as sent: origin-form, absolute-form or "*" */
	struct bytes path;   /* of the target, before '?'; "*" for asterisk-form; "/" when absolute-form has none */
	struct bytes query;  /* after the first '?'; at == NULL when there is no '?' */
	struct bytes host;   /* authority: of the absolute-form target, else of Host; port included */
	struct bytes hostname; /* host without port and brackets, for routing; compare without case */
	struct fields fields;
	struct fields trailers; /* set once the body has ended */
	enum framing framing;
	uint64_t length;       /* BODY_LENGTH only */
	uint8_t minor;         /* HTTP/1.minor: 0 or 1 */
	bool keep_alive;       /* what the client asked for */
	bool expect_continue;
	struct bytes upgrade;  /* value of a valid Upgrade that Connection names (never h2c); else at == NULL */

	/* Filled by the proxy. */
	struct ip client;      /* after the trusted hops */
	struct bytes scheme;   /* "http" or "https" */
	struct bytes id;       /* the request's own, as in logs */
	/* Other plausible readings of the path (base/path.h), the first being
	 * the path decoded once; every one counts for rules and routing. */
	const struct bytes *readings;
	size_t nreadings;
};

struct response {
	unsigned status;      /* 100..599 */
	struct bytes reason;  /* may be empty */
	struct fields fields;
	enum framing framing;
	uint64_t length;
	uint8_t minor;
	bool keep_alive;      /* the upstream connection may be used again */
};

/* The first field of that id, or NULL. */
const struct field *fields_first(const struct fields *, enum field_id);
/* By name, without case. */
const struct field *fields_named(const struct fields *, struct bytes name);
/* The value of fields_first, or an empty slice. */
struct bytes fields_value(const struct fields *, enum field_id);
/* FIELD_OTHER for a name that is not in the list. */
enum field_id field_id_of(struct bytes name);
#endif
