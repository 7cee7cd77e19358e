/* client.c -- connections from outside: bytes in, exchanges one at a time. */
#include "base/clock.h"
#include "proxy/client_parts.h"
#include "proxy/forward.h"
#include "proxy/tarpit.h"
#include "proxy/upload.h"

enum {
	AHEAD_PAUSE = 64 << 10, /* pipelined bytes that wait; more are not read */
	AT_ONCE = 16,           /* pipelined requests that may be answered before others have their turn */
};

const struct config *client_config(const struct client *c)
{
	return c->worker->use->site->config;
}

const struct timeouts_config *client_timeouts(const struct client *c)
{
	const struct listen *l = site_listen(c->worker->use->site, c->bind);

	return l ? l->config->timeouts : &client_config(c)->timeouts;
}

struct http1_limits client_limits(const struct client *c)
{
	const struct size_limits_config *s = &client_config(c)->size;

	return (struct http1_limits){ s->head_bytes, s->target_bytes, s->fields };
}

/* ---- the end ---- */

static void leave(struct client *c)
{
	struct worker *w = c->worker;

	client_become(c, CLIENT_CLOSED);
	deadline_clear(&c->deadline);
	if (c->prev)
		c->prev->next = c->next;
	else
		w->clients = c->next;
	if (c->next)
		c->next->prev = c->prev;
	if (c->counted)
		addresses_leave(w->shared->addresses, &c->from);
	atomic_fetch_sub_explicit(&w->shared->connections, 1, memory_order_relaxed);
	metrics_connection(c->metrics, w->number, -1);
}

void client_close(struct client *c)
{
	if (c->state == CLIENT_CLOSED)
		return;
	leave(c);
	stream_close(c->stream);
}

void client_reset(struct client *c)
{
	if (c->state == CLIENT_CLOSED)
		return;
	leave(c);
	stream_reset(c->stream);
}

/* Nothing can be told to it any more. */
void client_lose(struct client *c)
{
	struct exchange *x = c->x;

	client_close(c);
	if (x)
		exchange_abandon(x);
}

static void on_closed(void *owner)
{
	struct client *c = owner;
	struct worker *w = c->worker;

	free(c->ahead);
	free(c);
	worker_client_gone(w);
}

static void read_or_not(struct client *c)
{
	if (c->paused_ahead || c->paused_upload)
		stream_pause(c->stream);
	else
		stream_resume(c->stream);
}

/* The last answer is written: FIN now, and what the client still sends is read
 * and dropped for a while, for a close with unread bytes would be a reset that
 * may overtake the answer. */
void client_linger(struct client *c)
{
	stream_finish(c->stream);
	c->nahead = 0;
	if (c->ended && stream_backlog(c->stream) == 0) {
		client_close(c);
		return;
	}
	client_mark(c);
	client_wait(c, CLIENT_LINGER, stream_backlog(c->stream) ? client_timeouts(c)->stall_ms : LINGER_MS);
	c->paused_ahead = c->paused_upload = false;
	read_or_not(c);
}

void client_next(struct client *c, bool close, bool unread)
{
	c->x = NULL;
	if (c->state == CLIENT_CLOSED)
		return;
	if (close || unread || c->last) {
		client_linger(c);
		return;
	}
	client_wait(c, CLIENT_IDLE, client_timeouts(c)->idle_ms);
	c->paused_ahead = c->paused_upload = false;
	read_or_not(c);
	if (!c->taking)
		client_take(c, (struct bytes){ 0 }); /* what came ahead of its turn */
}

void client_drain(struct client *c, uint64_t grace_ms)
{
	c->last = true;
	if (c->state == CLIENT_IDLE)
		deadline_set(c->worker->loop, &c->deadline, grace_ms, client_on_deadline, c);
	if (c->x)
		tarpit_let_out(c->x);
}

/* ---- reading ---- */

/* Makes room for n bytes in the buffer of what came ahead. */
static bool reserve(struct client *c, size_t n)
{
	size_t cap = c->ahead_cap ? 2 * (size_t)c->ahead_cap : n;
	char *more;

	if (n <= c->ahead_cap)
		return true;
	if (cap < n)
		cap = n;
	more = realloc(c->ahead, cap);
	if (!more)
		return false;
	c->ahead = more;
	c->ahead_cap = (uint32_t)cap;
	return true;
}

static void forget_ahead(struct client *c)
{
	free(c->ahead);
	c->ahead = NULL;
	c->nahead = c->ahead_cap = 0;
}

/* Puts what is left of `in` (which may be part of the buffer) at its front. */
static void keep(struct client *c, struct bytes in)
{
	if (in.len == 0 || c->state == CLIENT_CLOSED || c->state == CLIENT_LINGER) {
		forget_ahead(c);
		return;
	}
	if (!reserve(c, in.len)) {
		client_lose(c);
		return;
	}
	if (in.at != c->ahead)
		memmove(c->ahead, in.at, in.len);
	c->nahead = (uint32_t)in.len;
	if (c->state == CLIENT_BUSY && c->nahead > AHEAD_PAUSE) {
		c->paused_ahead = true;
		read_or_not(c);
	}
}

/* What came in place of a head meets the rules and the log as any request does. */
static void refuse_head(struct client *c, struct bytes in, const struct err *fault)
{
	c->scanned = 0;
	client_become(c, CLIENT_BUSY);
	exchange_begin(c, site_listen(c->worker->use->site, c->bind),
		       bytes_sub(in, 0, client_limits(c).head_bytes), fault);
}

void client_late_head(struct client *c)
{
	struct err late;

	err_set(&late, SIDE_CLIENT, 408, "the head of the request did not come in time");
	refuse_head(c, (struct bytes){ c->ahead, c->nahead }, &late);
}

/* A head, or the fault that it can never become one. Returns what follows it. */
static struct bytes take_head(struct client *c, struct bytes in, bool *more)
{
	const struct listen *listen = site_listen(c->worker->use->site, c->bind);
	struct http1_limits limits = client_limits(c);
	size_t scanned = c->scanned;
	struct err fault;
	struct bytes head;

	if (scanned == 0)
		in = bytes_from(in, http1_skip_blank(in));
	switch (http1_head_end(in, &scanned, &limits, &fault)) {
	case HTTP1_DONE:
		c->scanned = 0;
		head = bytes_sub(in, 0, scanned);
		client_become(c, CLIENT_BUSY);
		c->body_at_hand = in.len > scanned;
		exchange_begin(c, listen, head, NULL);
		return bytes_from(in, scanned);
	case HTTP1_BAD:
		refuse_head(c, in, &fault);
		return (struct bytes){ 0 };
	default:
		c->scanned = (uint32_t)scanned;
		*more = true;
		if (c->state == CLIENT_IDLE && in.len) {
			c->head_us = clock_mono_us();
			client_wait(c, CLIENT_HEAD, client_timeouts(c)->head_ms);
		}
		return in;
	}
}

static struct bytes take_some(struct client *c, struct bytes in, bool *more)
{
	switch (c->state) {
	case CLIENT_PREFACE: return client_preface(c, in, more);
	case CLIENT_IDLE:
	case CLIENT_HEAD: return take_head(c, in, more);
	case CLIENT_BUSY:
		if (c->x->down.tunnel) {
			tunnel_up(c->x, in);
			return (struct bytes){ 0 };
		}
		if (!c->x->up.done)
			return upload_take(c->x, in);
		*more = true; /* pipelined: its turn comes */
		return in;
	default: return (struct bytes){ 0 };
	}
}

/* It has said its last: half a request stays one, and what was whole is answered. */
static void settle(struct client *c)
{
	if (c->state == CLIENT_BUSY && !c->x->up.done)
		client_lose(c);
	else if (c->state == CLIENT_IDLE || c->state == CLIENT_HEAD)
		client_linger(c);
}

/* What came ahead waits: for its answers to be taken, or for others to have their turn. */
static void yield(struct client *c)
{
	bool slow = stream_backlog(c->stream) > 0;

	c->yielded = c->paused_ahead = true;
	read_or_not(c);
	client_mark(c);
	deadline_set(c->worker->loop, &c->deadline, slow ? client_timeouts(c)->stall_ms : 0, client_on_deadline, c);
}

void client_go_on(struct client *c)
{
	c->yielded = c->paused_ahead = false;
	read_or_not(c);
	if (stream_is_broken(c->stream))
		client_lose(c);
	else
		client_take(c, (struct bytes){ 0 });
}

void client_take(struct client *c, struct bytes in)
{
	bool more = false;
	unsigned begun = 0;

	if (c->nahead && in.len) {
		if (!reserve(c, c->nahead + in.len)) {
			client_lose(c);
			return;
		}
		memcpy(c->ahead + c->nahead, in.at, in.len);
		c->nahead += (uint32_t)in.len;
	}
	if (c->nahead)
		in = (struct bytes){ c->ahead, c->nahead };
	c->taking = true;
	while (in.len && !more && c->state != CLIENT_CLOSED && !c->yielded)
		if (c->state == CLIENT_IDLE && (begun++ == AT_ONCE || stream_backlog(c->stream)))
			yield(c);
		else
			in = take_some(c, in, &more);
	c->taking = false;
	keep(c, in);
	if (c->yielded)
		return;
	if (c->ended)
		settle(c);
	else if (c->state == CLIENT_BUSY && !c->x->up.done && !c->watching)
		client_watch(c);
}

/* ---- events of the stream ---- */

static void on_ready(void *owner)
{
	struct client *c = owner;

	metrics_handshake(c->worker->shared->process->metrics, c->worker->number,
			  stream_tls_version(c->stream));
	client_wait(c, CLIENT_IDLE, client_timeouts(c)->head_ms);
}

static void on_bytes(void *owner, struct bytes b)
{
	struct client *c = owner;

	c->read += b.len;
	if (c->state != CLIENT_LINGER)
		client_take(c, b);
}

static void on_ended(void *owner, enum stream_end end, const char *why)
{
	struct client *c = owner;
	struct exchange *x = c->x;

	(void)why;
	c->ended = true;
	if (c->state == CLIENT_SHAKING)
		metrics_handshake(c->worker->shared->process->metrics, c->worker->number, NULL);
	if (!x && (end == END_BROKEN || !stream_backlog(c->stream))) {
		client_close(c);
	} else if (!x) {
		if (c->state != CLIENT_LINGER) /* it may still be reading */
			client_linger(c);
	} else if (end == END_CLEAN && x->down.tunnel) {
		tunnel_ended(x, true);
	} else if (end == END_BROKEN || !x->up.done) {
		client_lose(c);
	} else {
		tarpit_let_out(x);
	}
}

static void on_drained(void *owner)
{
	struct client *c = owner;

	if (stream_is_broken(c->stream))
		client_lose(c);
	else if (c->x)
		respond_drained(c->x);
	else if (c->yielded)
		client_go_on(c);
	else if (c->state == CLIENT_LINGER && c->ended)
		client_close(c);
}

const struct stream_events client_events = { on_ready, on_bytes, on_ended, on_drained, on_closed };

void client_pause_upload(struct client *c, bool pause)
{
	if (c->paused_upload == pause || c->state == CLIENT_CLOSED)
		return;
	c->paused_upload = pause;
	read_or_not(c);
}

void client_tunnel(struct client *c)
{
	stream_probe(c->stream);
	client_take(c, (struct bytes){ 0 });
	c->paused_ahead = false;
	read_or_not(c);
}

bool client_write(struct client *c, const struct bytes *v, size_t n)
{
	if (c->state == CLIENT_CLOSED)
		return false;
	if (!stream_write(c->stream, v, n)) {
		/* Where it is not read, nobody else would notice that it has gone. */
		deadline_set(c->worker->loop, &c->deadline, 0, client_on_deadline, c);
		return false;
	}
	if (!c->watching && stream_backlog(c->stream))
		client_watch(c);
	return true;
}
