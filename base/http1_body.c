/* http1_body.c -- bodies, taken apart in place (RFC 9112 6 and 7).
 *
 * The chunk decoder goes byte by byte through what frames the chunks and in one
 * step through what they hold. Each state names what must come next; a byte
 * that is not that ends the message. */
#include "base/http1_parts.h"

enum {
	DIGITS_MAX = 16,          /* of a chunk size, leading zeros included */
	EXTENSIONS_MAX = 16 << 10, /* bytes of chunk extensions in one body */
};

enum state {
	PLAIN,       /* BODY_LENGTH, BODY_UNTIL_CLOSE */
	SIZE,        /* the first digit of a chunk size */
	SIZE_MORE,
	EXT_BLANK,   /* blanks that only a ';' may end */
	EXT_START,   /* behind ';': blanks, then a name */
	EXT_NAME,
	NAME_BLANK,  /* blanks that '=' or ';' must end */
	EXT_EQUALS,  /* behind '=': blanks, then a value */
	EXT_TOKEN,
	EXT_QUOTED,
	EXT_ESCAPE,  /* behind a backslash */
	EXT_VALUE_END,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_START, /* the first byte behind the last chunk's line */
	TRAILER_LF,    /* ... was CR: no trailers */
	TRAILER,
	ENDED,
};

static enum http1_step bad(struct err *e, const char *why)
{
	err_set(e, SIDE_CLIENT, 400, "%s", why);
	return HTTP1_BAD;
}

void http1_body_start(struct http1_body *b, enum framing framing, uint64_t length)
{
	*b = (struct http1_body){ .framing = framing, .left = length };
	if (framing == BODY_CHUNKED)
		b->state = SIZE;
	else if (framing == BODY_NONE || (framing == BODY_LENGTH && length == 0))
		b->state = ENDED;
}

bool http1_body_eof(const struct http1_body *b)
{
	return b->state == ENDED || b->framing == BODY_UNTIL_CLOSE;
}

static struct bytes take(struct http1_body *b, struct bytes *in)
{
	size_t n = in->len;
	struct bytes data;

	if (b->framing != BODY_UNTIL_CLOSE) {
		n = n < b->left ? n : (size_t)b->left;
		b->left -= n;
	}
	data = bytes_sub(*in, 0, n);
	*in = bytes_from(*in, n);
	b->total += n;
	return data;
}

/* Each of these gives the state behind the byte c, or -1. */

static int after_size(struct http1_body *b, char c)
{
	int digit = byte_hex(c);

	if (digit >= 0) {
		if (b->ndigits == DIGITS_MAX || b->left > (uint64_t)INT64_MAX >> 4)
			return -1;
		b->ndigits++;
		b->left = b->left << 4 | (unsigned)digit;
		return SIZE_MORE;
	}
	if (b->state == SIZE)
		return -1;
	if (byte_is_blank(c))
		return EXT_BLANK;
	return c == ';' ? EXT_START : c == '\r' ? SIZE_LF : -1;
}

static bool is_token(char c)
{
	return byte_class(c) & BYTE_TOKEN;
}

/* RFC 9112 7.1.1: blanks may stand around ';' and '=', but not before CR. */
static int after_ext_name(enum state s, char c)
{
	if (s == EXT_BLANK)
		return byte_is_blank(c) ? EXT_BLANK : c == ';' ? EXT_START : -1;
	if (s == EXT_START)
		return byte_is_blank(c) ? EXT_START : is_token(c) ? EXT_NAME : -1;
	if (byte_is_blank(c))
		return NAME_BLANK;
	if (c == '=' || c == ';')
		return c == '=' ? EXT_EQUALS : EXT_START;
	if (s == NAME_BLANK)
		return -1;
	return is_token(c) ? EXT_NAME : c == '\r' ? SIZE_LF : -1;
}

static int after_ext_value(enum state s, char c)
{
	bool text = (unsigned char)c >= 0x20 && c != 0x7f;

	if (s == EXT_QUOTED && c == '"')
		return EXT_VALUE_END;
	if (s == EXT_QUOTED && c == '\\')
		return EXT_ESCAPE;
	if (s == EXT_QUOTED || s == EXT_ESCAPE)
		return text || c == '\t' ? EXT_QUOTED : -1;
	if (s == EXT_EQUALS && byte_is_blank(c))
		return EXT_EQUALS;
	if (s == EXT_EQUALS && c == '"')
		return EXT_QUOTED;
	if ((s == EXT_EQUALS || s == EXT_TOKEN) && is_token(c))
		return EXT_TOKEN;
	if (s == EXT_EQUALS)
		return -1;
	if (byte_is_blank(c))
		return EXT_BLANK;
	return c == ';' ? EXT_START : c == '\r' ? SIZE_LF : -1;
}

static int after_framing(struct http1_body *b, char c)
{
	switch (b->state) {
	case SIZE:
	case SIZE_MORE:
		return after_size(b, c);
	case EXT_BLANK:
	case EXT_START:
	case EXT_NAME:
	case NAME_BLANK:
		return after_ext_name(b->state, c);
	case SIZE_LF:
		return c != '\n' ? -1 : b->left ? DATA : TRAILER_START;
	case DATA_CR:
		return c == '\r' ? DATA_LF : -1;
	case DATA_LF:
		b->ndigits = 0;
		return c == '\n' ? SIZE : -1;
	case TRAILER_LF:
		return c == '\n' ? ENDED : -1;
	default:
		return after_ext_value(b->state, c);
	}
}

static const char *fault(const struct http1_body *b)
{
	switch (b->state) {
	case SIZE:
	case SIZE_MORE:
		return "a malformed chunk size";
	case SIZE_LF:
		return "a bare CR behind a chunk size";
	case DATA_CR:
	case DATA_LF:
		return "a chunk longer than its size";
	case TRAILER_LF:
		return "a bare CR behind the last chunk";
	default:
		return "a malformed chunk extension";
	}
}

/* One byte of what frames the chunks. */
static enum http1_step step(struct http1_body *b, struct bytes *in, struct err *e)
{
	bool extension = b->state >= EXT_BLANK && b->state < SIZE_LF;
	int next;

	if (b->state == TRAILER_START) {
		b->state = in->at[0] == '\r' ? TRAILER_LF : TRAILER;
		*in = bytes_from(*in, b->state == TRAILER_LF);
		return HTTP1_MORE;
	}
	if (extension && ++b->ext_bytes > EXTENSIONS_MAX)
		return bad(e, "too many bytes of chunk extensions");
	next = after_framing(b, in->at[0]);
	if (next < 0)
		return bad(e, fault(b));
	b->state = (uint8_t)next;
	*in = bytes_from(*in, 1);
	return HTTP1_MORE;
}

/* Fields that frame, route, or change what the head said may not come late
 * (RFC 9110 6.5.1); all that the proxy itself looks at are such. */
static void drop_late(struct fields *f)
{
	static const struct bytes late[] = {
		BYTES_INIT("cache-control"),
		BYTES_INIT("content-range"),
		BYTES_INIT("if-match"),
		BYTES_INIT("if-modified-since"),
		BYTES_INIT("if-none-match"),
		BYTES_INIT("if-range"),
		BYTES_INIT("if-unmodified-since"),
		BYTES_INIT("max-forwards"),
		BYTES_INIT("pragma"),
		BYTES_INIT("range"),
		BYTES_INIT("vary"),
		BYTES_INIT("www-authenticate"),
	};

	for (size_t i = 0; i < f->n; i++) {
		f->at[i].drop = f->at[i].drop || f->at[i].id != FIELD_OTHER;
		for (size_t k = 0; k < nelems(late); k++)
			f->at[i].drop = f->at[i].drop || bytes_eq_nocase(f->at[i].name, late[k]);
	}
}

static enum http1_step read_trailers(struct http1_body *b, struct arena *a,
				     const struct http1_limits *limits, struct fields *trailers,
				     struct err *e)
{
	struct fields unwanted = { 0 };
	struct http1_reader r = { .at = b->trailer.at, .end = b->trailer.at + b->trailer.len,
				  .limits = limits, .arena = a, .err = e, .side = SIDE_CLIENT };

	if (!trailers)
		trailers = &unwanted;
	*trailers = (struct fields){ 0 };
	if (!http1_read_fields(&r, trailers)) {
		err_at(e, "trailer");
		return HTTP1_BAD;
	}
	drop_late(trailers);
	b->state = ENDED;
	return HTTP1_DONE;
}

/* Collects the next line, or what there is of it. */
static enum http1_step collect(struct http1_body *b, struct arena *a,
			       const struct http1_limits *limits, struct bytes *in, struct err *e)
{
	size_t n = bytes_index(*in, '\n');
	char *grown;

	n = n == SIZE_MAX ? in->len : n + 1;
	if (n > limits->head_bytes || b->trailer.len > limits->head_bytes - n) {
		err_set(e, SIDE_CLIENT, 431, "the trailers are too long");
		return HTTP1_BAD;
	}
	grown = arena_grow(a, (char *)b->trailer.at, &b->trailer_cap, b->trailer.len + n, 1);
	if (!grown) {
		err_set(e, SIDE_CLIENT, 431, "the trailers are larger than a request may be");
		return HTTP1_BAD;
	}
	memcpy(grown + b->trailer.len, in->at, n);
	b->trailer = (struct bytes){ grown, b->trailer.len + n };
	*in = bytes_from(*in, n);
	if (bytes_ends(b->trailer, BYTES("\n")) && !bytes_ends(b->trailer, BYTES("\r\n")))
		return bad(e, "a bare LF in a trailer");
	return HTTP1_MORE;
}

static enum http1_step next_of_chunks(struct http1_body *b, struct arena *a,
				      const struct http1_limits *limits, struct bytes *in,
				      struct bytes *data, struct fields *trailers, struct err *e)
{
	enum http1_step s = HTTP1_MORE;

	while (in->len && s == HTTP1_MORE && b->state != ENDED) {
		if (b->state == DATA) {
			*data = take(b, in);
			b->state = b->left ? DATA : DATA_CR;
			return HTTP1_DATA;
		}
		if (b->state != TRAILER) {
			s = step(b, in, e);
			continue;
		}
		s = collect(b, a, limits, in, e);
		if (s == HTTP1_MORE && bytes_ends(b->trailer, BYTES("\r\n\r\n")))
			return read_trailers(b, a, limits, trailers, e);
	}
	return b->state == ENDED ? HTTP1_DONE : s;
}

enum http1_step http1_body_next(struct http1_body *b, struct arena *a,
				const struct http1_limits *limits, struct bytes *in,
				struct bytes *data, struct fields *trailers, struct err *e)
{
	*data = (struct bytes){ 0 };
	if (b->state == ENDED)
		return HTTP1_DONE;
	if (b->framing == BODY_CHUNKED)
		return next_of_chunks(b, a, limits, in, data, trailers, e);
	if (in->len == 0)
		return HTTP1_MORE;
	*data = take(b, in);
	if (b->framing == BODY_LENGTH && b->left == 0)
		b->state = ENDED;
	return HTTP1_DATA;
}

enum http1_step http1_body_all(struct http1_body *b, struct arena *a,
			       const struct http1_limits *limits, struct bytes *in,
			       struct bytes *data, struct fields *trailers, struct err *e)
{
	struct bytes more;
	enum http1_step s;

	*data = (struct bytes){ 0 };
	while ((s = http1_body_next(b, a, limits, in, &more, trailers, e)) == HTTP1_DATA)
		if (data->len) {
			memmove((char *)(uintptr_t)data->at + data->len, more.at, more.len);
			data->len += more.len;
		} else {
			*data = more;
		}
	return s;
}
