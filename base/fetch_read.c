/* fetch_read.c -- the answer: heads until the final one, then the body in pieces. */
#include "base/fetch_parts.h"

enum { HEAD_FIELDS = 100 };

static const struct http1_limits limits = { FETCH_HEAD_MAX, 0, HEAD_FIELDS };

static void read_body(struct fetch *f, struct bytes in)
{
	struct err e = { 0 };
	struct bytes data;
	enum http1_step step;

	while ((step = http1_body_next(&f->body, f->arena, &limits, &in, &data, NULL, &e)) == HTTP1_DATA) {
		if (f->body.total > f->ask.body_max) {
			fetch_fail(f, 502, "an answer of more than %llu bytes",
				   (unsigned long long)f->ask.body_max);
			return;
		}
		if (f->on->bytes)
			f->on->bytes(f->owner, data);
		if (f->over)
			return;
	}
	if (step == HTTP1_DONE)
		fetch_finish(f, NULL);
	else if (step == HTTP1_BAD)
		fetch_fail(f, 502, "%s", e.text);
}

/* ---- heads ---- */

/* 300 and 304 are answers; where nothing is to be followed, all are. */
static bool is_redirect(const struct fetch *f)
{
	unsigned s = f->response.status;

	return f->ask.redirects > 0 && (s == 301 || s == 302 || s == 303 || s == 307 || s == 308) &&
	       bytes_eq(f->ask.method, BYTES("GET")) && fields_value(&f->response.fields, FIELD_LOCATION).len;
}

static bool is_plain(const struct fields *f)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->at[i].id == FIELD_CONTENT_ENCODING && f->at[i].value.len &&
		    !bytes_eq_nocase(f->at[i].value, BYTES("identity")))
			return false;
	return true;
}

/* NULL: the answer is one that we take. */
static const char *refusal(const struct fetch *f)
{
	const struct response *s = &f->response;

	if (s->status == 101)
		return "it changes the protocol unasked";
	if (!f->ask.packed && !is_plain(&s->fields))
		return "a compressed answer, which was not asked for";
	return s->framing == BODY_LENGTH && s->length > f->ask.body_max ? "the answer is too long" : NULL;
}

static void take_head(struct fetch *f, struct bytes rest)
{
	const char *why;

	if (is_redirect(f)) {
		fetch_redirect(f);
		return;
	}
	if ((why = refusal(f))) {
		fetch_fail(f, 502, "%s", why);
		return;
	}
	f->in_body = true;
	http1_body_start(&f->body, f->response.framing, f->response.length);
	if (f->on->head)
		f->on->head(f->owner, &f->response);
	if (!f->over)
		read_body(f, rest);
}

/* Interim answers are read over; their bytes stay counted, and so are bounded. */
static enum http1_step next_head(struct fetch *f, struct err *e)
{
	struct request q = fetch_asked(f);
	enum http1_step step;

	while ((step = http1_head_end((struct bytes){ f->head, f->nhead }, &f->scanned, &limits, e)) == HTTP1_DONE) {
		if (!http1_parse_response(f->arena, (struct bytes){ f->head, f->scanned }, &limits, &q,
					  &f->response, e))
			return HTTP1_BAD;
		if (f->response.status >= 200 || f->response.status == 101)
			return HTTP1_DONE;
		f->head += f->scanned; /* not moved: what was parsed points into it */
		f->nhead -= f->scanned;
		f->scanned = 0;
	}
	return step;
}

void fetch_read(struct fetch *f, struct bytes in)
{
	size_t room = FETCH_HEAD_MAX - f->nread, n = in.len < room ? in.len : room, behind;
	struct err e = { 0 };
	enum http1_step step;

	if (f->in_body) {
		read_body(f, in);
		return;
	}
	memcpy(f->head + f->nhead, in.at, n);
	f->nhead += n;
	f->nread += n;
	step = next_head(f, &e);
	if (step == HTTP1_DONE) {
		/* The head ended in these bytes, else it had been found before. */
		behind = f->nhead - f->scanned;
		take_head(f, bytes_from(in, n - behind));
	} else if (step == HTTP1_BAD) {
		fetch_fail(f, 502, "%s", e.text);
	} else if (n == room) {
		fetch_fail(f, 502, "the head is too long");
	}
}
