/* serve_read.c -- bytes become a request: a head, then a body, whatever the pieces that they come in.
 *
 * A head is parsed from a copy in the request's arena; a body gathers in a buffer of its own, which grows with what comes,
 * never with what is promised. */
#include "base/serve_parts.h"
#include <assert.h>
#include <stdlib.h>

enum {
	AHEAD_PAUSE = 64 << 10, /* pipelined bytes that wait; more are not read */
	BLANKS_MAX = 4,         /* empty lines in front of a request (RFC 9112 2.2) */
	AT_ONCE = 16,           /* pipelined requests that may be answered before others have their turn */
	ARENA = 1 << 20,
};

/* AppSec is asked with the fields of another server's request. */
static const struct http1_limits limits = { .head_bytes = 64 << 10, .target_bytes = 16 << 10, .fields = 256 };

/* ---- a request ---- */

static struct serve_request *request_new(struct serve_conn *c)
{
	struct arena *a = arena_new(ARENA + 8 * (size_t)c->server->o.body_max);
	struct serve_request *r = a ? arena_get(a, sizeof *r) : NULL;

	if (!r) {
		arena_free(a);
		return NULL;
	}
	*r = (struct serve_request){ .conn = c, .server = c->server, .arena = a, .from = c->from };
	c->server->nrequests++;
	return r;
}

void serve_request_free(struct serve_request *r)
{
	struct server_http *s = r->server;

	if (r->answered) /* it was answered in pieces: those go nowhere */
		serve_tell_inside(r, 0, (struct bytes){ 0 });
	serve_drop(s, &r->body, &r->body_cap);
	s->nrequests--;
	arena_free(r->arena);
	serve_left(s);
}

/* ---- the body ---- */

static bool body_add(struct serve_conn *c, struct bytes piece)
{
	struct serve_request *r = c->request;

	if (r->nbody + piece.len > c->server->o.body_max)
		serve_conn_refuse(c, 413, "the body is too large");
	else if (!serve_hold(c->server, &r->body, &r->body_cap, r->nbody + piece.len))
		serve_conn_refuse(c, 503, "too much is being sent at once");
	else {
		if (piece.len)
			memcpy(r->body + r->nbody, piece.at, piece.len);
		r->nbody += piece.len;
		return true;
	}
	return false;
}

static bool body_inflate(struct serve_conn *c, struct bytes piece)
{
	struct inflate *i = c->request->inflate;
	enum inflate_step step;
	struct bytes out;

	while ((step = inflate_next(i, &piece, &out)) == INFLATE_DATA)
		if (!body_add(c, out))
			return false;
	if (step == INFLATE_BAD)
		serve_conn_refuse(c, 400, inflate_complaint(i));
	return step != INFLATE_BAD;
}

/* The whole request goes to its owner. */
static void give(struct serve_conn *c)
{
	struct serve_request *r = c->request;
	struct server_http *s = c->server;

	if (r->inflate && r->decoder.total && !inflate_ended(r->inflate)) {
		serve_conn_refuse(c, 400, "content-encoding: the compressed body is cut");
		return;
	}
	c->state = SERVE_BUSY;
	deadline_clear(&c->deadline);
	r->taken = true;
	s->counts.requests++;
	s->o.take(s->o.ctx, r);
}

static struct bytes read_body(struct serve_conn *c, struct bytes in)
{
	struct serve_request *r = c->request;
	enum http1_step step;
	struct bytes data;
	struct err e;

	while ((step = http1_body_next(&r->decoder, r->arena, &limits, &in, &data, NULL, &e)) == HTTP1_DATA)
		if (r->inflate ? !body_inflate(c, data) : !body_add(c, data))
			return (struct bytes){ 0 };
	if (step == HTTP1_DONE)
		give(c);
	else if (step == HTTP1_BAD)
		serve_conn_refuse(c, (unsigned)e.code, e.text);
	return in;
}

/* ---- the head ---- */

/* Only what is known to be no coding, or one that we unpack. */
static bool read_coding(struct serve_conn *c)
{
	struct serve_request *r = c->request;
	const struct field *coding = fields_first(&r->head.fields, FIELD_CONTENT_ENCODING);

	if (!coding || r->head.framing == BODY_NONE || bytes_eq_nocase(coding->value, BYTES("identity")))
		return true;
	if (inflate_new(r->arena, coding->value, &r->inflate) && r->inflate)
		return true;
	serve_conn_refuse(c, 415, "Content-Encoding: only gzip and deflate");
	return false;
}

/* True: its body is wanted. Its owner may have answered, and the connection gone on, when it is not. */
static bool is_wanted(struct serve_conn *c)
{
	struct serve_request *r = c->request;
	struct server_http *s = c->server;

	if (s->o.head) {
		c->state = SERVE_BUSY;
		r->taken = true;
		r->unread = r->head.framing != BODY_NONE;
		if (!s->o.head(s->o.ctx, r))
			return false;
		assert(c->request == r); /* it said that it does not answer */
		r->taken = r->unread = false;
	}
	if (r->head.length > s->o.body_max) {
		serve_conn_refuse(c, 413, "the body is too large");
		return false;
	}
	return read_coding(c);
}

static void invite(struct serve_conn *c)
{
	static const struct bytes go_on = BYTES_INIT("HTTP/1.1 100 Continue\r\n\r\n");

	serve_conn_write(c, &go_on, 1);
}

static struct bytes begin(struct serve_conn *c, struct bytes head, struct bytes rest)
{
	struct serve_request *r = c->request = request_new(c);
	struct bytes kept = r ? arena_copy(r->arena, head) : (struct bytes){ 0 };
	struct err e;

	if (!kept.at) {
		serve_conn_refuse(c, 503, "out of memory");
	} else if (!http1_parse_request(r->arena, kept, &limits, &r->head, &e)) {
		serve_conn_refuse(c, (unsigned)e.code, e.text);
	} else {
		r->head_only = bytes_eq(r->head.method, BYTES("HEAD"));
		r->close = !r->head.keep_alive || r->head.minor == 0;
		if (!is_wanted(c))
			return rest;
		http1_body_start(&r->decoder, r->head.framing, r->head.length);
		c->state = SERVE_BODY;
		if (r->head.expect_continue && !rest.len)
			invite(c);
		return read_body(c, rest);
	}
	return (struct bytes){ 0 };
}

/* Counted over all pieces. */
static struct bytes skip_blank(struct serve_conn *c, struct bytes in)
{
	for (; c->blanks < BLANKS_MAX && bytes_starts(in, BYTES("\r\n")); c->blanks++)
		in = bytes_from(in, 2);
	return in;
}

static struct bytes read_head(struct serve_conn *c, struct bytes in, bool *more)
{
	size_t scanned = c->scanned;
	struct err e;

	if (scanned == 0)
		in = skip_blank(c, in);
	if (bytes_eq(in, BYTES("\r"))) { /* half an empty line, it may be */
		*more = true;
		return in;
	}
	switch (http1_head_end(in, &scanned, &limits, &e)) {
	case HTTP1_DONE:
		c->scanned = c->blanks = 0;
		if (c->state == SERVE_IDLE)
			serve_conn_wait(c, SERVE_HEAD, c->server->o.request_ms); /* of the body too */
		return begin(c, bytes_sub(in, 0, scanned), bytes_from(in, scanned));
	case HTTP1_BAD:
		serve_conn_refuse(c, (unsigned)e.code, e.text);
		return (struct bytes){ 0 };
	default:
		c->scanned = scanned;
		*more = true;
		if (c->state == SERVE_IDLE && in.len)
			serve_conn_wait(c, SERVE_HEAD, c->server->o.request_ms);
		return in;
	}
}

/* ---- bytes ---- */

/* Pipelined requests wait: for the last answer to be taken, or for others to have their turn. */
static void yield(struct serve_conn *c)
{
	c->yielded = true;
	stream_pause(c->stream);
	if (!stream_backlog(c->stream))
		serve_conn_wait(c, SERVE_IDLE, 0);
}

static struct bytes read_some(struct serve_conn *c, struct bytes in, bool *more)
{
	switch (c->state) {
	case SERVE_IDLE:
	case SERVE_HEAD: return read_head(c, in, more);
	case SERVE_BODY: return read_body(c, in);
	case SERVE_BUSY: *more = true; return in; /* its turn comes */
	default: return (struct bytes){ 0 };
	}
}

/* Puts what is left of `in` (which may be part of the buffer) at its front. */
static void keep(struct serve_conn *c, struct bytes in)
{
	if (in.len == 0 || c->state == SERVE_CLOSED || c->state == SERVE_LINGER) {
		serve_drop(c->server, &c->ahead, &c->ahead_cap);
		c->nahead = 0;
		return;
	}
	if (!serve_hold(c->server, &c->ahead, &c->ahead_cap, in.len)) {
		serve_conn_lose(c);
		return;
	}
	if (in.at != c->ahead)
		memmove(c->ahead, in.at, in.len);
	c->nahead = in.len;
	if (c->state == SERVE_BUSY && c->nahead > AHEAD_PAUSE)
		stream_pause(c->stream);
}

/* It has said its last: half a request stays one, and what was whole is answered. */
static void settle(struct serve_conn *c)
{
	if (c->state == SERVE_BODY)
		serve_conn_lose(c);
	else if (c->state == SERVE_IDLE || c->state == SERVE_HEAD)
		serve_conn_linger(c);
}

void serve_read(struct serve_conn *c, struct bytes in)
{
	unsigned begun = 0;
	bool more = false;

	if (c->nahead && in.len) {
		if (!serve_hold(c->server, &c->ahead, &c->ahead_cap, c->nahead + in.len)) {
			serve_conn_lose(c);
			return;
		}
		memcpy(c->ahead + c->nahead, in.at, in.len);
		c->nahead += in.len;
	}
	if (c->nahead)
		in = (struct bytes){ c->ahead, c->nahead };
	c->taking = true;
	while (in.len && !more && c->state != SERVE_CLOSED && !c->yielded)
		if (c->state == SERVE_IDLE && (begun++ == AT_ONCE || stream_backlog(c->stream)))
			yield(c);
		else
			in = read_some(c, in, &more);
	c->taking = false;
	keep(c, in);
	if (c->ended && !c->yielded)
		settle(c);
}
