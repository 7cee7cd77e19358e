/* http1.h -- HTTP/1.0 and 1.1, read strictly and written back.
 *
 * Our byte checker is the authority (RFC 9112, RFC 9110); llhttp in strict
 * mode reads the same head and must agree, else the message is refused. There
 * is one interpretation of every byte: no bare LF or CR, no obs-fold, no NUL
 * or control byte, no blank before a colon, single SP in the start line, no
 * list or sign in Content-Length, only `chunked` as Transfer-Encoding, never
 * both, none in HTTP/1.0.
 *
 * Heads are parsed when whole. The caller collects bytes, asks
 * http1_head_end() with each piece (it refuses early what can never become a
 * head) and then parses; slices of the result point into those bytes.
 * Bodies are decoded in place, piece by piece, without a copy. */
#ifndef BASE_HTTP1_H
#define BASE_HTTP1_H
#include "base/arena.h"
#include "base/err.h"
#include "base/request.h"

struct http1_limits {
	size_t head_bytes;   /* start line and fields; also of trailers */
	size_t target_bytes; /* 414 beyond; may be 0 where only responses are read */
	size_t fields;       /* 431 beyond */
};

enum http1_step {
	HTTP1_MORE, /* wants more bytes */
	HTTP1_DATA, /* bodies: *data holds a piece */
	HTTP1_DONE,
	HTTP1_BAD, /* err says why; err.code is the status to answer */
};

/* Number of bytes of leading CRLF pairs (RFC 9112 2.2), at most 4: skip them in
 * front of a request while *scanned is 0. */
size_t http1_skip_blank(struct bytes in);
/* Looks for the end of a head in `in`, of which the first *scanned bytes have
 * been looked at before (start at 0). DONE: *scanned is the length of the head
 * with its empty line. BAD: 400 for a bare LF or CR, another control byte or a
 * start that is no message; 431 (or 414) beyond the limits. What was BAD may be
 * given to http1_parse_request() all the same, which refuses it and reads what
 * can be read. */
enum http1_step http1_head_end(struct bytes in, size_t *scanned, const struct http1_limits *,
			       struct err *);

/* `head` is exactly one head. False: refused; err.code is 400, 405, 414, 417,
 * 431, 501 or 505, and *out holds what a lenient reader makes of it (line,
 * method, target, path, query, host, fields) for inspection and the log: it is
 * not to be forwarded. */
bool http1_parse_request(struct arena *, struct bytes head, const struct http1_limits *,
			 struct request *out, struct err *);
/* `head` is exactly one response head to `asked` (NULL: to a GET). False:
 * SIDE_UPSTREAM, 502. 1xx are returned as they are; whether one was asked for is
 * the caller's to judge. Answers to HEAD, 1xx, 204 and 304 are BODY_NONE. */
bool http1_parse_response(struct arena *, struct bytes head, const struct http1_limits *,
			  const struct request *asked, struct response *out, struct err *);

/* Decodes a delimited body; BODY_NONE and a length of 0 are DONE at once. */
struct http1_body {
	enum framing framing;
	uint8_t state, ndigits;
	uint64_t left;        /* of the body (BODY_LENGTH) or of the chunk */
	uint64_t total;       /* payload bytes given out so far */
	size_t ext_bytes;     /* of chunk extensions in all: bounded, they count for nothing */
	struct bytes trailer; /* collected in the arena, until its empty line */
	size_t trailer_cap;
};

void http1_body_start(struct http1_body *, enum framing, uint64_t length);
/* Takes bytes off the front of *in. DATA: *data borrows from *in. DONE: the
 * body has ended, *in holds what follows it, and *trailers (NULL: not wanted) the
 * checked trailer fields from the arena; those that may not come late are marked
 * `drop`. BAD: SIDE_CLIENT, 400 or 431; who reads a response makes it a 502. */
enum http1_step http1_body_next(struct http1_body *, struct arena *, const struct http1_limits *,
				struct bytes *in, struct bytes *data, struct fields *trailers,
				struct err *);
/* The same, until *in holds no more of this body: MORE, DONE or BAD, and *data is all the
 * payload before that (it may be empty), moved together in place however small the chunks
 * were: the bytes of *in must be writable. */
enum http1_step http1_body_all(struct http1_body *, struct arena *, const struct http1_limits *,
			       struct bytes *in, struct bytes *data, struct fields *trailers,
			       struct err *);
/* The connection has ended: was the body complete? */
bool http1_body_eof(const struct http1_body *);

/* The bytes of a head for the next hop, from the arena; at == NULL past its cap.
 * Start line (a request's target in origin form, Host first), the fields not
 * marked `drop`, then `extra`, then framing fields written anew, then the empty
 * line. A field with an id in `extra` replaces the received ones of that id.
 * With BODY_NONE a received Content-Length goes on where the message came
 * without a body too: the 0 of a request, what HEAD and 304 say. A request with
 * no host (HTTP/1.0) needs one in `extra`. Connection and Upgrade are extra's. */
struct bytes http1_write_request(struct arena *, const struct request *,
				 const struct field *extra, size_t nextra, enum framing,
				 uint64_t length);
struct bytes http1_write_response(struct arena *, const struct response *,
				  const struct field *extra, size_t nextra, enum framing,
				  uint64_t length);
/* "1a2b\r\n" in front of a chunk's data; returns the length written. The data
 * is followed by "\r\n"; the last chunk is "0\r\n", then the trailers. */
size_t http1_chunk_head(char out[18], uint64_t size);
/* "name: value\r\n" for each trailer not marked `drop`, then "\r\n". */
struct bytes http1_write_trailers(struct arena *, const struct fields *);
#endif
