/* http1_llhttp.c -- the second reader of every head.
 *
 * llhttp in strict mode is what many servers behind us read with. A head that
 * it takes otherwise than we do is refused, whoever is right. It is stopped
 * where the head ends: bodies are ours alone. */
#include "base/http1_parts.h"
#include <llhttp.h>

struct opinion {
	bool bodiless; /* told to llhttp: it does not know what was asked */
	unsigned flags;
	uint64_t length;
	bool keep_alive;
};

static int on_head(llhttp_t *p)
{
	struct opinion *o = p->data;

	o->flags = p->flags;
	o->length = p->content_length;
	p->flags |= o->bodiless ? F_SKIPBODY : 0;
	o->keep_alive = llhttp_should_keep_alive(p);
	return 2; /* no body, and stop here */
}

static const llhttp_settings_t settings = { .on_headers_complete = on_head };

/* llhttp 8.1 takes no HTAB behind these two values, which RFC 9110 5.5 allows
 * and we do not pass on: it is not shown the blanks there. */
static const struct field *framing_field(const struct http1_reader *r, const struct fields *f)
{
	if (reader_saw(r, FIELD_CONTENT_LENGTH))
		return fields_first(f, FIELD_CONTENT_LENGTH);
	if (reader_saw(r, FIELD_TRANSFER_ENCODING))
		return fields_first(f, FIELD_TRANSFER_ENCODING);
	return NULL;
}

static llhttp_errno_t execute(llhttp_t *p, struct bytes head, const struct field *framing)
{
	const char *end = head.at + head.len;
	const char *cut = framing ? framing->value.at + framing->value.len : end, *on = cut;
	llhttp_errno_t got;

	while (on < end && byte_is_blank(*on))
		on++;
	if (on == cut)
		return llhttp_execute(p, head.at, head.len);
	got = llhttp_execute(p, head.at, (size_t)(cut - head.at));
	return got == HPE_OK ? llhttp_execute(p, on, (size_t)(end - on)) : got;
}

/* We have read the rest of the request line already. PRI makes llhttp expect
 * another version, methods of RTSP another protocol. */
static bool is_method_fault(llhttp_errno_t got)
{
	return got == HPE_INVALID_METHOD || got == HPE_INVALID_CONSTANT ||
	       got == HPE_INVALID_VERSION;
}

static bool read_head(struct http1_reader *r, struct bytes head, llhttp_t *p,
		      const struct fields *f, struct opinion *o)
{
	llhttp_errno_t got;

	llhttp_init(p, r->side == SIDE_CLIENT ? HTTP_REQUEST : HTTP_RESPONSE, &settings);
	p->data = o;
	got = execute(p, head, framing_field(r, f));
	if (got == HPE_PAUSED_UPGRADE && p->error_pos == head.at + head.len)
		return true;
	if (got == HPE_OK || got == HPE_PAUSED_UPGRADE)
		return reader_bad(r, 400, "parsers disagree: llhttp ends the head elsewhere");
	if (r->side == SIDE_CLIENT && is_method_fault(got))
		return reader_bad(r, 501, "an unknown method");
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
	struct opinion o = { 0 };
	llhttp_t p;

	if (!read_head(r, head, &p, &out->fields, &o))
		return false;
	if (!same_framing(r, &o) || o.length != out->length || p.http_minor != out->minor ||
	    p.http_major != 1)
		return reader_bad(r, 400, "parsers disagree: llhttp frames the body otherwise");
	out->keep_alive = out->keep_alive && o.keep_alive;
	return true;
}

bool http1_agrees_response(struct http1_reader *r, struct bytes head, struct response *out)
{
	struct opinion o = { .bodiless = out->framing == BODY_NONE };
	llhttp_t p;

	if (!read_head(r, head, &p, &out->fields, &o))
		return false;
	if (!same_framing(r, &o) || o.length != out->length || p.http_minor != out->minor ||
	    p.http_major != 1 || p.status_code != out->status)
		return reader_bad(r, 502, "parsers disagree: llhttp frames the body otherwise");
	out->keep_alive = out->keep_alive && o.keep_alive;
	return true;
}
