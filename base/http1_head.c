/* http1_head.c -- where a head ends, while it is still arriving.
 *
 * Every byte is looked at once, however the bytes were cut into pieces, and the
 * verdict does not depend on the cuts: the first fault in the order of the bytes
 * counts. What passes here holds no control byte but HTAB and CRLF. */
#include "base/http1_parts.h"

enum {
	BLANK_LINES = 2, /* in front of a request line */
	AROUND_TARGET = 64, /* method, version, blanks: what else a start line may hold */
};

size_t http1_skip_blank(struct bytes in)
{
	size_t n = 0;

	while (n < 2 * BLANK_LINES && bytes_eq(bytes_sub(in, n, n + 2), BYTES("\r\n")))
		n += 2;
	return n;
}

/* How far a head may go: *status is what to answer beyond. */
static size_t head_limit(struct bytes in, const struct http1_limits *limits, int *status)
{
	size_t line = limits->target_bytes + AROUND_TARGET;

	*status = 431;
	if (limits->target_bytes && line < limits->head_bytes && in.len > line &&
	    !memchr(in.at, '\n', line)) {
		*status = 414;
		return line;
	}
	return limits->head_bytes;
}

static enum http1_step bad(struct err *e, int status, const char *why)
{
	err_set(e, SIDE_CLIENT, status, "%s", why);
	return HTTP1_BAD;
}

static enum http1_step bad_byte(struct err *e, char c)
{
	if (c == '\n')
		return bad(e, 400, "a bare LF in the head");
	if (c == '\r')
		return bad(e, 400, "a bare CR in the head");
	err_set(e, SIDE_CLIENT, 400, "control byte 0x%02x in the head", (unsigned char)c);
	return HTTP1_BAD;
}

enum http1_step http1_head_end(struct bytes in, size_t *scanned, const struct http1_limits *limits,
			       struct err *e)
{
	int status;
	size_t limit = head_limit(in, limits, &status);
	const char *end = in.at + (in.len < limit ? in.len : limit);
	const char *p = in.at + *scanned;

	if (in.len && in.at[0] != '\r' && !(byte_class(in.at[0]) & BYTE_TOKEN))
		return bad(e, 400, "the first byte begins no HTTP message");
	while ((p = http1_control(p, end)) < end) {
		if (*p == '\t') {
			p++;
			continue;
		}
		if (*p == '\r' && p + 1 == end)
			break;
		if (*p != '\r' || p[1] != '\n')
			return bad_byte(e, *p);
		if (p == in.at)
			return bad(e, 400, "an empty line in place of a start line");
		p += 2;
		if (p[-3] == '\n') {
			*scanned = (size_t)(p - in.at);
			return HTTP1_DONE;
		}
	}
	*scanned = (size_t)(p - in.at);
	if (in.len > limit)
		return bad(e, status, status == 414 ? "the request line is too long"
						    : "the head is too long");
	return HTTP1_MORE;
}
