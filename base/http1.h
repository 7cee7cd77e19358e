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
	size_t target_bytes; /* 414 beyond */
	size_t fields;       /* 431 beyond */
};

enum http1_step {
	HTTP1_MORE, /* wants more bytes */
	HTTP1_DATA, /* bodies: *data holds a piece */
	HTTP1_DONE,
	HTTP1_BAD,  /* err says why; err.code is the status to answer */
};

/* Looks for the end of a head in `in`, of which the first *scanned bytes have
 * been looked at before (start at 0). DONE: *scanned is the length of the head
 * with its empty line. BAD: 400 for a bare LF, a NUL or a start that is no
 * request line; 431 (or 414) for one longer than the limits. At most two empty
 * CRLF lines before a request line are skipped by the caller with
 * http1_skip_blank(). */
enum http1_step http1_head_end(struct bytes in, size_t *scanned, const struct http1_limits *,
			       struct err *);
/* Number of bytes of leading CRLF pairs (RFC 9112 2.2), at most 4. */
size_t http1_skip_blank(struct bytes in);

/* `head` is exactly one head. False: refused, err.code is 400, 405, 414, 431,
 * 501 or 505; *out then holds what could be read (method, target, path, query,
 * host, the fields up to the fault), for inspection and the log. */
bool http1_parse_request(struct arena *, struct bytes head, const struct http1_limits *,
			 struct request *out, struct err *);
/* `head` is exactly one response head to `asked`. False: SIDE_UPSTREAM. 1xx are
 * returned as they are; whether one was asked for is the caller's to judge.
 * Framing of answers to HEAD and of 1xx, 204, 304 is BODY_NONE. */
bool http1_parse_response(struct arena *, struct bytes head, const struct http1_limits *,
			  const struct request *asked, struct response *out, struct err *);

/* Decodes a delimited body. */
struct http1_body {
	enum framing framing;
	uint8_t state, ndigits;
	uint64_t left;    /* of the body (BODY_LENGTH) or of the chunk */
	uint64_t total;   /* payload bytes given out so far */
	size_t ext_bytes; /* of chunk extensions in all: bounded, they count for nothing */
	struct bytes trailer; /* collected in the arena, until its empty line */
	size_t trailer_cap;
};

void http1_body_start(struct http1_body *, enum framing, uint64_t length);
/* Takes bytes off the front of *in. DATA: *data borrows from *in. DONE: the
 * body has ended, *in holds what follows it, *trailers (may be NULL for
 * responses whose trailers are dropped) holds checked trailer fields; framing,
 * routing and hop-by-hop fields in a trailer are marked `drop`. BAD: 400, or
 * SIDE_UPSTREAM's 502 when the caller reads a response and maps it. */
enum http1_step http1_body_next(struct http1_body *, struct arena *, const struct http1_limits *,
				struct bytes *in, struct bytes *data, struct fields *trailers,
				struct err *);

/* How the end of the connection ends the body: true when it was complete. */
bool http1_body_eof(const struct http1_body *);

/* The bytes of a head, from the arena, for the next hop: start line, the fields
 * not marked `drop`, then `extra` (which the caller made), then framing fields
 * written anew from `framing`/`length`, then the empty line. A field whose id
 * is not FIELD_OTHER and is in `extra` replaces the received ones. at == NULL:
 * past the arena's cap. */
struct bytes http1_write_request(struct arena *, const struct request *, const struct field *extra,
				 size_t nextra, enum framing, uint64_t length);
/* The same for a response; the status line always says HTTP/1.1. */
struct bytes http1_write_response(struct arena *, const struct response *, const struct field *extra,
				  size_t nextra, enum framing, uint64_t length);
/* "1a2b\r\n" in front of a chunk's data; returns the length written to out[18].
 * The data is followed by "\r\n"; the last chunk is "0\r\n", the trailers and
 * "\r\n". */
size_t http1_chunk_head(char out[18], uint64_t size);
/* "name: value\r\n" for each trailer not marked `drop`, then "\r\n". */
struct bytes http1_write_trailers(struct arena *, const struct fields *);
#endif
