/* http1_response.c -- a response head (RFC 9112 4). What an origin may not send
 * is a 502: passing it on would let the client read another answer than ours. */
#include "base/http1_parts.h"

static bool read_status(struct http1_reader *r, struct response *out)
{
	unsigned status = 0;

	for (int i = 0; i < 3; i++, r->at++) {
		if (r->at == r->end || *r->at < '0' || *r->at > '9')
			return reader_bad(r, 502, "the status is not three digits");
		status = status * 10 + (unsigned)(*r->at - '0');
	}
	if (status < 100 || status > 599)
		return reader_bad(r, 502, "status %u does not exist", status);
	out->status = status;
	return true;
}

/* Some real servers leave the blank before an empty reason out. */
static bool read_reason(struct http1_reader *r, struct response *out)
{
	const char *from;

	if (r->at < r->end && *r->at == '\r')
		return true;
	if (r->at == r->end || *r->at != ' ')
		return reader_bad(r, 502, "the status is not three digits");
	from = ++r->at;
	while ((r->at = http1_control(r->at, r->end)) < r->end && *r->at == '\t')
		r->at++;
	out->reason = (struct bytes){ from, (size_t)(r->at - from) };
	return true;
}

static bool read_line(struct http1_reader *r, struct response *out)
{
	struct bytes start = { r->at, (size_t)(r->end - r->at) };

	if (!bytes_starts(start, BYTES("HTTP/1.1 ")) && !bytes_starts(start, BYTES("HTTP/1.0 ")))
		return reader_bad(r, 502, "no status line of HTTP/1.1");
	out->minor = (uint8_t)(start.at[7] - '0');
	r->at += 9;
	return read_status(r, out) && read_reason(r, out) && http1_read_crlf(r, "the status line");
}

static void drop_lengths(struct fields *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->at[i].id == FIELD_CONTENT_LENGTH)
			f->at[i].drop = true;
}

/* RFC 9112 6.3. An interim answer with a body would shift every answer behind
 * it; a 204 with one is read as none, and its connection is not trusted again. */
static bool read_body(struct http1_reader *r, const struct request *asked, struct response *out)
{
	enum framing framing;
	bool interim = out->status < 200, none = out->status == 204;
	bool head = asked && bytes_eq(asked->method, BYTES("HEAD"));

	if (!http1_read_framing(r, &out->fields, out->minor, &framing, &out->length))
		return false;
	if (interim && framing != BODY_NONE)
		return reader_bad(r, 502, "a body with status %u", out->status);
	if (interim || none)
		drop_lengths(&out->fields);
	if (none && framing != BODY_NONE)
		out->keep_alive = false;
	if (interim || none || head || out->status == 304)
		return true;
	out->framing = framing;
	if (framing != BODY_NONE || reader_saw(r, FIELD_CONTENT_LENGTH))
		return true;
	out->framing = BODY_UNTIL_CLOSE;
	out->keep_alive = false;
	return true;
}

static bool read_meaning(struct http1_reader *r, const struct request *asked, struct response *out)
{
	struct http1_options o;

	if (!http1_read_options(r, &out->fields, &o))
		return false;
	out->keep_alive = !o.close && (out->minor == 1 || o.keep_alive);
	return read_body(r, asked, out);
}

bool http1_parse_response(struct arena *a, struct bytes head, const struct http1_limits *limits,
			  const struct request *asked, struct response *out, struct err *e)
{
	struct http1_reader r = { .at = head.at, .end = head.at + head.len, .limits = limits,
				  .arena = a, .err = e, .side = SIDE_UPSTREAM };

	*out = (struct response){ 0 };
	return (head.len <= limits->head_bytes || reader_bad(&r, 502, "the head is too long")) &&
	       read_line(&r, out) && http1_read_fields(&r, &out->fields) &&
	       (r.at == r.end || reader_bad(&r, 502, "bytes behind the head")) &&
	       read_meaning(&r, asked, out) && http1_agrees_response(&r, head, out);
}
