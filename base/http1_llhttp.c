/* http1_llhttp.c -- the second reader of every head.
 *
 * llhttp in strict mode is what many servers behind us read with. A head that
 * it takes otherwise than we do is refused, whoever is right. It is stopped
 * where the head ends: bodies are ours alone. */
#include "base/http1_parts.h"
#include <llhttp.h>

struct opinion {
	unsigned flags;
	uint64_t length;
	bool keep_alive;
};

static int on_head(llhttp_t *p)
{
	struct opinion *o = p->data;

	o->flags = p->flags;
	o->length = p->content_length;
	o->keep_alive = llhttp_should_keep_alive(p);
	return 2; /* no body, and stop here */
}

static const llhttp_settings_t settings = { .on_headers_complete = on_head };

static bool read_head(struct http1_reader *r, struct bytes head, llhttp_t *p, llhttp_type_t type,
		      struct opinion *o)
{
	llhttp_errno_t got;

	*o = (struct opinion){ 0 };
	llhttp_init(p, type, &settings);
	p->data = o;
	got = llhttp_execute(p, head.at, head.len);
	if (got == HPE_PAUSED_UPGRADE && p->error_pos == head.at + head.len)
		return true;
	if (got == HPE_INVALID_METHOD)
		return reader_bad(r, 501, "an unknown method");
	if (got == HPE_OK || got == HPE_PAUSED_UPGRADE)
		return reader_bad(r, 400, "parsers disagree: llhttp ends the head elsewhere");
	return reader_bad(r, 400, "parsers disagree: llhttp says: %s",
			  p->reason ? p->reason : llhttp_errno_name(got));
}

static bool same_framing(struct http1_reader *r, const struct opinion *o)
{
	bool chunked = (o->flags & F_CHUNKED) != 0, sized = (o->flags & F_CONTENT_LENGTH) != 0;

	return chunked == reader_saw(r, FIELD_TRANSFER_ENCODING) &&
	       sized == reader_saw(r, FIELD_CONTENT_LENGTH);
}

bool http1_agrees_request(struct http1_reader *r, struct bytes head, struct request *out)
{
	struct opinion o;
	llhttp_t p;

	if (!read_head(r, head, &p, HTTP_REQUEST, &o))
		return false;
	if (!same_framing(r, &o) || o.length != out->length || p.http_minor != out->minor ||
	    p.http_major != 1)
		return reader_bad(r, 400, "parsers disagree: llhttp frames the body otherwise");
	out->keep_alive = out->keep_alive && o.keep_alive;
	return true;
}

bool http1_agrees_response(struct http1_reader *r, struct bytes head, struct response *out)
{
	struct opinion o;
	llhttp_t p;

	if (!read_head(r, head, &p, HTTP_RESPONSE, &o))
		return false;
	if (!same_framing(r, &o) || o.length != out->length || p.http_minor != out->minor ||
	    p.http_major != 1 || p.status_code != out->status)
		return reader_bad(r, 502, "parsers disagree: llhttp frames the body otherwise");
	out->keep_alive = out->keep_alive && o.keep_alive;
	return true;
}
