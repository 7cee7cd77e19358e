/* serve_conn.c -- a connection: what it may take its time for, and an end in every case.
 *
 * One deadline each. While a request comes it is the request's; while an answer waits to be taken it ends windows of time
 * in which the client must take something; an answer that its owner is slow with has none. */
#include "base/serve_parts.h"
#include <stdlib.h>

enum {
	TAKE_MIN = 4 << 10,     /* bytes of what waits, in a window */
	LINGER_MS = 1000,       /* a close with unread bytes would be a reset, which may overtake the answer */
	LINGERS = 15,           /* so often again while it still sends */
};

/* ---- deadlines ---- */

static void on_deadline(void *owner);

void serve_conn_wait(struct serve_conn *c, enum serve_state state, uint64_t ms)
{
	c->state = state;
	c->watching = false;
	deadline_set(c->server->loop, &c->deadline, ms, on_deadline, c);
}

/* What is queued for it takes its time, but not for ever: the kernel's word for what the client has taken counts. */
static void watch(struct serve_conn *c)
{
	c->watching = true;
	c->window_delivered = stream_delivered(c->stream);
	c->window_waits = stream_backlog(c->stream) + stream_taken(c->stream) - c->window_delivered;
	deadline_set(c->server->loop, &c->deadline, c->server->o.stall_ms, on_deadline, c);
}

/* First for what is still queued to be taken, then for `ms`. */
static void rest(struct serve_conn *c, enum serve_state state, uint64_t ms)
{
	if (!stream_backlog(c->stream))
		serve_conn_wait(c, state, ms);
	else if (!c->watching)
		watch(c);
	c->state = state;
}

/* ---- the end ---- */

static void on_closed(void *owner)
{
	struct serve_conn *c = owner;
	struct server_http *s = c->server;

	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	serve_drop(s, &c->ahead, &c->ahead_cap);
	free(c);
	s->nconns--;
	serve_left(s);
}

static void leave(struct serve_conn *c, bool reset)
{
	struct serve_request *r = c->request;

	if (c->state == SERVE_CLOSED)
		return;
	c->state = SERVE_CLOSED;
	c->request = NULL;
	deadline_clear(&c->deadline);
	if (c->told)
		c->server->ntold--;
	else
		c->server->nopen--;
	if (reset)
		stream_reset(c->stream);
	else
		stream_close(c->stream);
	if (r && !r->taken) {
		serve_request_free(r);
	} else if (r) {
		r->conn = NULL;
		if (r->gone)
			r->gone(r->gone_ctx); /* may answer: r may be gone */
	}
}

void serve_conn_lose(struct serve_conn *c)
{
	leave(c, false);
}

void serve_conn_reset(struct serve_conn *c)
{
	leave(c, true);
}

void serve_conn_linger(struct serve_conn *c)
{
	if (c->state == SERVE_CLOSED)
		return;
	stream_finish(c->stream);
	c->nahead = 0;
	c->yielded = false;
	if (c->lost || (c->ended && !stream_backlog(c->stream))) {
		serve_conn_lose(c);
		return;
	}
	c->window_read = c->read;
	rest(c, SERVE_LINGER, LINGER_MS);
	stream_resume(c->stream);
}

void serve_conn_drain(struct serve_conn *c)
{
	c->last = true;
	if (c->state == SERVE_IDLE && !c->nahead)
		serve_conn_linger(c);
}

void serve_conn_next(struct serve_conn *c, bool close)
{
	c->request = NULL;
	if (c->state == SERVE_CLOSED)
		return;
	if (close || c->last || c->lost) {
		serve_conn_linger(c);
		return;
	}
	rest(c, SERVE_IDLE, c->server->o.idle_ms);
	stream_resume(c->stream);
	if (!c->taking)
		serve_read(c, (struct bytes){ 0 }); /* what came ahead of its turn */
}

void serve_conn_go_on(struct serve_conn *c)
{
	c->yielded = false;
	stream_resume(c->stream);
	serve_conn_wait(c, SERVE_IDLE, c->server->o.idle_ms);
	serve_read(c, (struct bytes){ 0 });
}

void serve_conn_refuse(struct serve_conn *c, unsigned status, const char *why)
{
	char buf[1024];
	struct text t = text_over(buf, sizeof buf);
	struct bytes out;

	if (c->state == SERVE_CLOSED)
		return;
	if (c->request)
		serve_request_free(c->request);
	c->request = NULL;
	c->server->counts.refused += !c->told;
	if (serve_write_refusal(&t, c->server, status, why)) {
		out = text_bytes(&t);
		serve_conn_write(c, &out, 1);
	}
	serve_conn_linger(c);
}

static void wait_for_reader(struct serve_conn *c)
{
	uint64_t took = stream_delivered(c->stream) - c->window_delivered;

	if (c->watching && took < c->window_waits && took < TAKE_MIN) {
		c->server->counts.cut++;
		serve_conn_reset(c);
	} else {
		watch(c);
	}
}

static void on_linger_deadline(struct serve_conn *c)
{
	if (c->read == c->window_read || c->lingers++ == LINGERS) {
		serve_conn_lose(c);
		return;
	}
	c->window_read = c->read;
	serve_conn_wait(c, SERVE_LINGER, LINGER_MS);
}

static void on_deadline(void *owner)
{
	struct serve_conn *c = owner;

	if (c->lost || stream_is_broken(c->stream))
		serve_conn_lose(c);
	else if (c->state == SERVE_HEAD || c->state == SERVE_BODY)
		serve_conn_refuse(c, 408, "the request did not come in time");
	else if (stream_backlog(c->stream))
		wait_for_reader(c);
	else if (c->yielded)
		serve_conn_go_on(c);
	else if (c->state == SERVE_LINGER)
		on_linger_deadline(c);
	else if (c->state == SERVE_IDLE)
		serve_conn_linger(c);
}

void serve_conn_lose_soon(struct serve_conn *c)
{
	c->lost = true;
	deadline_set(c->server->loop, &c->deadline, 0, on_deadline, c);
}

void serve_conn_write(struct serve_conn *c, const struct bytes *v, size_t n)
{
	if (c->state == SERVE_CLOSED || c->lost)
		return;
	if (!stream_write(c->stream, v, n))
		serve_conn_lose_soon(c);
	else if (stream_backlog(c->stream) && !c->watching)
		watch(c);
}

/* ---- events of the stream ---- */

static void on_ready(void *owner)
{
	struct serve_conn *c = owner;

	serve_conn_wait(c, SERVE_IDLE, c->server->o.request_ms);
}

static void on_bytes(void *owner, struct bytes b)
{
	struct serve_conn *c = owner;

	c->read += b.len;
	if (c->state != SERVE_LINGER && !c->lost)
		serve_read(c, b);
}

static void on_ended(void *owner, enum stream_end end, const char *why)
{
	struct serve_conn *c = owner;

	(void)why;
	c->ended = true;
	if (end == END_BROKEN || c->state == SERVE_BODY)
		serve_conn_lose(c);
	else if (c->state == SERVE_LINGER && !stream_backlog(c->stream))
		serve_conn_lose(c);
	else if ((c->state == SERVE_IDLE && !c->yielded) || c->state == SERVE_HEAD)
		serve_conn_linger(c); /* it may still be reading */
}

static void on_drained(void *owner)
{
	struct serve_conn *c = owner;
	struct serve_request *r = c->request;

	c->watching = false;
	if (c->lost || stream_is_broken(c->stream)) {
		serve_conn_lose(c);
	} else if (c->state == SERVE_BUSY) {
		deadline_clear(&c->deadline);
		if (r->more)
			r->more(r->more_ctx);
	} else if (c->yielded) {
		serve_conn_go_on(c);
	} else if (c->state == SERVE_LINGER) {
		serve_conn_linger(c);
	} else if (c->state == SERVE_IDLE) {
		serve_conn_wait(c, SERVE_IDLE, c->server->o.idle_ms);
	}
}

static const struct stream_events events = { on_ready, on_bytes, on_ended, on_drained, on_closed };

void serve_conn_new(struct server_http *s, struct stream *stream, const struct ip *from, const char *why)
{
	struct serve_conn *c = calloc(1, sizeof *c);

	if (!c) {
		stream_close(stream);
		return;
	}
	*c = (struct serve_conn){ .server = s, .stream = stream, .by_address = from, .told = why, .link = &s->conns,
				  .next = s->conns, .from = from ? *from : (struct ip){ .b[15] = 1 } };
	if (c->next)
		c->next->link = &c->next;
	s->conns = c;
	s->nconns++;
	if (why)
		s->ntold++;
	else
		s->nopen++;
	serve_conn_wait(c, SERVE_IDLE, s->o.request_ms);
	if (!stream_start(stream, &events, c, s->o.tls) || (why && s->o.tls))
		serve_conn_lose(c);
	else if (why)
		serve_conn_refuse(c, 503, why);
}
