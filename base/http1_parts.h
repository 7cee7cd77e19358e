/* http1_parts.h -- what the http1_*.c files share; nobody else includes it.
 *
 * A head is read front to back by one reader: a start line (http1_request.c,
 * http1_response.c), then the field lines (http1_fields.c), then what they mean
 * together (http1_connection.c, http1_framing.c). The first fault ends it. */
#ifndef BASE_HTTP1_PARTS_H
#define BASE_HTTP1_PARTS_H
#include "base/http1.h"

/* What a byte may be part of; one table look-up tells. */
enum {
	BYTE_TOKEN = 1,      /* methods, field names, options (RFC 9110 5.6.2) */
	BYTE_TARGET = 2,     /* request targets: visible ASCII without '#' */
	BYTE_HOST = 4,       /* letters, digits and - . _ ~ */
	BYTE_UNDERSCORE = 8,
};
extern const uint8_t http1_class[256];

static inline unsigned byte_class(char c)
{
	return http1_class[(unsigned char)c];
}

/* The first control byte (0x00..0x1f, 0x7f; HTAB too) of [at, end), or end. */
const char *http1_control(const char *at, const char *end);
bool http1_is_token(struct bytes); /* at least one byte, all of BYTE_TOKEN */

static inline bool byte_is_blank(char c)
{
	return c == ' ' || c == '\t';
}

struct http1_reader {
	const char *at, *end;
	const struct http1_limits *limits;
	struct arena *arena;
	struct err *err;
	enum side side;      /* whose head it is */
	uint64_t seen, twice; /* bits of the field ids met once, and again */
};

static inline bool reader_saw(const struct http1_reader *r, enum field_id id)
{
	return r->seen >> id & 1;
}

/* False. `status` is for requests; a bad response is always a 502. */
#define reader_bad(r, status, ...) \
	err_set((r)->err, (r)->side, (r)->side == SIDE_CLIENT ? (status) : 502, __VA_ARGS__)

/* Takes the CRLF that must be next. */
bool http1_read_crlf(struct http1_reader *, const char *after_what);
/* Field lines up to the empty line, and that. Hop-by-hop ones are marked. */
bool http1_read_fields(struct http1_reader *, struct fields *);

/* What the Connection fields say; the fields that they name are marked. */
struct http1_options {
	bool close, keep_alive, upgrade;
};
bool http1_read_options(struct http1_reader *, struct fields *, struct http1_options *);
/* Content-Length and Transfer-Encoding. BODY_NONE when there is neither, or a
 * length of 0. */
bool http1_read_framing(struct http1_reader *, const struct fields *, uint8_t minor,
			enum framing *, uint64_t *length);

/* The target's form, its path, query and authority; then Host. */
bool http1_read_target(struct http1_reader *, struct request *);
bool http1_read_host(struct http1_reader *, struct request *);

/* llhttp reads the same head: must end where ours ends and frame it alike.
 * *keep_alive becomes false when llhttp would close. */
bool http1_agrees_request(struct http1_reader *, struct bytes head, struct request *);
bool http1_agrees_response(struct http1_reader *, struct bytes head, struct response *);

/* What a refused request says all the same, for inspection. */
void http1_salvage(struct arena *, struct bytes head, const struct http1_limits *,
		   struct request *);
#endif
