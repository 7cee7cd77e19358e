/* client.c -- connections from outside: bytes in, exchanges one at a time. */
#include "proxy/client.h"
#include "proxy/exchange.h"
#include "proxy/forward.h"
#include "proxy/proxy_protocol.h"
#include "proxy/upload.h"
#include "proxy/worker.h"

enum {
	AHEAD_PAUSE = 64 << 10, /* pipelined bytes that wait; more are not read */
	LINGER_MS = 2000,
	TUNNEL_MS = 3600 * 1000, /* a silent tunnel is checked, not cut, before that */
};

static void on_deadline(void *);
static void take(struct client *, struct bytes in);

static const struct config *config_of(const struct client *c)
{
	return c->worker->use->site->config;
}

/* Of the listener it came by, whose app may have its own. */
static const struct timeouts_config *timeouts_of(const struct client *c)
{
	const struct listen *l = site_listen(c->worker->use->site, c->bind);

	return l ? l->config->timeouts : &config_of(c)->timeouts;
}

struct http1_limits client_limits(const struct client *c)
{
	const struct size_limits_config *s = &config_of(c)->size;

	return (struct http1_limits){ s->head_bytes, s->target_bytes, s->fields };
}

static void wait_for(struct client *c, enum client_state state, uint64_t ms)
{
	c->state = state;
	c->watching = false;
	deadline_set(c->worker->loop, &c->deadline, ms, on_deadline, c);
}

static uint64_t taken(const struct client *c)
{
	return c->written - stream_backlog(c->stream);
}

/* Watches the throughput of what is under way, a window at a time. */
static void watch_window(struct client *c)
{
	c->watching = true;
	c->window_read = c->read;
	c->window_taken = taken(c);
	c->window_backlog = stream_backlog(c->stream);
	deadline_set(c->worker->loop, &c->deadline, config_of(c)->min_rate.window_ms, on_deadline, c);
}

bool client_write(struct client *c, const struct bytes *v, size_t n)
{
	if (c->state == CLIENT_CLOSED)
		return false;
	for (size_t i = 0; i < n; i++)
		c->written += v[i].len;
	if (!stream_write(c->stream, v, n))
		return false;
	if (!c->watching && stream_backlog(c->stream))
		watch_window(c);
	return true;
}

/* ---- the end ---- */

static void leave(struct client *c)
{
	struct worker *w = c->worker;

	c->state = CLIENT_CLOSED;
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

static void on_closed(void *owner)
{
	struct client *c = owner;
	struct worker *w = c->worker;

	free(c->ahead);
	free(c);
	worker_client_gone(w);
}

/* The last answer is written: FIN now, and what the client still sends is read
 * and dropped for a while, for a close with unread bytes would be a reset that
 * may overtake the answer. */
static void linger(struct client *c)
{
	stream_finish(c->stream);
	c->nahead = 0;
	if (c->ended && stream_backlog(c->stream) == 0) {
		client_close(c);
		return;
	}
	c->window_backlog = stream_backlog(c->stream);
	wait_for(c, CLIENT_LINGER, LINGER_MS);
	if (c->paused_ahead || c->paused_upload) {
		c->paused_ahead = c->paused_upload = false;
		stream_resume(c->stream);
	}
}

void client_next(struct client *c, bool close, bool unread)
{
	c->x = NULL;
	if (c->state == CLIENT_CLOSED)
		return;
	if (close || unread || c->last || (c->ended && c->nahead == 0)) {
		linger(c);
		return;
	}
	wait_for(c, CLIENT_IDLE, timeouts_of(c)->idle_ms);
	if (c->paused_ahead || c->paused_upload) {
		c->paused_ahead = c->paused_upload = false;
		stream_resume(c->stream);
	}
	if (!c->taking && c->nahead)
		take(c, (struct bytes){ 0 });
}

void client_drain(struct client *c, uint64_t grace_ms)
{
	c->last = true;
	if (c->state == CLIENT_IDLE)
		deadline_set(c->worker->loop, &c->deadline, grace_ms, on_deadline, c);
}

/* ---- reading ---- */

/* Puts what is left of `in` (which may be part of the buffer) at its front. */
static void keep(struct client *c, struct bytes in)
{
	if (c->state == CLIENT_CLOSED || c->state == CLIENT_LINGER)
		in.len = 0;
	if (in.len > c->ahead_cap) {
		char *more = malloc(in.len);

		if (!more) {
			if (c->x)
				exchange_abandon(c->x);
			else
				client_close(c);
			return;
		}
		memcpy(more, in.at, in.len);
		free(c->ahead);
		c->ahead = more;
		c->ahead_cap = (uint32_t)in.len;
	} else if (in.len) {
		memmove(c->ahead, in.at, in.len);
	}
	c->nahead = (uint32_t)in.len;
	if (c->nahead == 0) {
		free(c->ahead);
		c->ahead = NULL;
		c->ahead_cap = 0;
	}
	if (c->x && c->nahead > AHEAD_PAUSE && !c->paused_ahead && c->state == CLIENT_BUSY) {
		c->paused_ahead = true;
		stream_pause(c->stream);
	}
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
		c->state = CLIENT_BUSY;
		c->body_at_hand = in.len > scanned;
		exchange_begin(c, listen, head, NULL);
		return bytes_from(in, scanned);
	case HTTP1_BAD:
		c->scanned = 0;
		c->state = CLIENT_BUSY;
		exchange_begin(c, listen, bytes_sub(in, 0, limits.head_bytes), &fault);
		return (struct bytes){ 0 };
	default:
		c->scanned = (uint32_t)scanned;
		*more = true;
		if (c->state == CLIENT_IDLE && in.len)
			wait_for(c, CLIENT_HEAD, timeouts_of(c)->head_ms);
		return in;
	}
}

static bool enter(struct client *c);

/* The PROXY header in front of everything else. */
static struct bytes take_preface(struct client *c, struct bytes in, bool *more)
{
	const struct listen *listen = site_listen(c->worker->use->site, c->bind);
	enum proxy_protocol version = listen ? listen->config->proxy_protocol : PROXY_PROTOCOL_ANY;
	bool known = false;
	struct err err;
	size_t used = 0;

	switch (proxy_header_read(version, in, &c->from, &c->port, &known, &used, &err)) {
	case PROXY_MORE: *more = true; return in;
	case PROXY_BAD: client_close(c); return in;
	default: break;
	}
	in = bytes_from(in, used);
	if (!known)
		c->from = c->peer;
	if (!enter(c))
		return in;
	if (!listen || !listen->tls) {
		wait_for(c, CLIENT_IDLE, timeouts_of(c)->head_ms);
		return in;
	}
	c->tls = true;
	c->state = CLIENT_SHAKING;
	/* From here on the stream gives plaintext, through on_bytes again. */
	c->taking = false;
	c->nahead = 0;
	if (!stream_start_tls(c->stream, listen->tls, in))
		client_close(c);
	c->taking = true;
	return (struct bytes){ 0 };
}

static struct bytes take_some(struct client *c, struct bytes in, bool *more)
{
	switch (c->state) {
	case CLIENT_PREFACE: return take_preface(c, in, more);
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

static void take(struct client *c, struct bytes in)
{
	char *joined = NULL;
	bool more = false;

	if (c->nahead && in.len) {
		joined = malloc(c->nahead + in.len);
		if (!joined) {
			client_close(c);
			return;
		}
		memcpy(joined, c->ahead, c->nahead);
		memcpy(joined + c->nahead, in.at, in.len);
		in = (struct bytes){ joined, c->nahead + in.len };
	} else if (c->nahead) {
		in = (struct bytes){ c->ahead, c->nahead };
	}
	c->taking = true;
	while (in.len && !more && c->state != CLIENT_CLOSED)
		in = take_some(c, in, &more);
	c->taking = false;
	keep(c, in);
	free(joined);
	if (c->state == CLIENT_BUSY && c->x && !c->x->up.done && !c->watching)
		watch_window(c);
}

/* ---- events of the stream ---- */

static void on_ready(void *owner)
{
	struct client *c = owner;

	metrics_handshake(c->worker->shared->process->metrics, c->worker->number,
			  stream_tls_version(c->stream));
	wait_for(c, CLIENT_IDLE, timeouts_of(c)->head_ms);
}

static void on_bytes(void *owner, struct bytes b)
{
	struct client *c = owner;

	c->read += b.len;
	if (c->state != CLIENT_LINGER)
		take(c, b);
}

static void on_ended(void *owner, enum stream_end end, const char *why)
{
	struct client *c = owner;
	struct exchange *x = c->x;

	(void)why;
	c->ended = true;
	if (c->state == CLIENT_SHAKING)
		metrics_handshake(c->worker->shared->process->metrics, c->worker->number, NULL);
	if (!x) {
		if (c->state == CLIENT_LINGER && end == END_CLEAN && stream_backlog(c->stream))
			return; /* it may still be reading */
		client_close(c);
	} else if (end == END_CLEAN && x->down.tunnel) {
		tunnel_ended(x, true);
	} else if (end == END_BROKEN || !x->up.done) {
		client_close(c);
		exchange_abandon(x);
	}
}

static void on_drained(void *owner)
{
	struct client *c = owner;

	if (c->x)
		respond_drained(c->x);
	else if (c->state == CLIENT_LINGER && c->ended)
		client_close(c);
}

static const struct stream_events events = { on_ready, on_bytes, on_ended, on_drained, on_closed };

void client_pause_upload(struct client *c, bool pause)
{
	if (c->paused_upload == pause || c->state == CLIENT_CLOSED)
		return;
	c->paused_upload = pause;
	if (pause)
		stream_pause(c->stream);
	else if (!c->paused_ahead)
		stream_resume(c->stream);
}

void client_tunnel(struct client *c)
{
	if (c->nahead && !c->taking)
		take(c, (struct bytes){ 0 });
	if (c->paused_ahead) {
		c->paused_ahead = false;
		stream_resume(c->stream);
	}
}

/* ---- deadlines ---- */

/* A refusal before any request: not worth an exchange, but never silent. */
static void say_and_close(struct client *c, const char *answer)
{
	struct bytes b = bytes_of(answer);

	if (!c->tls || c->state >= CLIENT_IDLE)
		stream_write(c->stream, &b, 1);
	linger(c);
}

#define SHORT_ANSWER(status, text)                                                              \
	"HTTP/1.1 " status "\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " text

static bool under(uint64_t bytes, uint64_t rate, const struct min_rate_config *r)
{
	return bytes * 1000 < rate * r->window_ms;
}

/* The client took less, or sent less, than the configuration asks of it. */
static bool window_too_slow(const struct client *c)
{
	const struct min_rate_config *r = &config_of(c)->min_rate;
	uint64_t took = taken(c) - c->window_taken;

	if (stream_backlog(c->stream))
		return took < c->window_backlog && under(took, r->response, r);
	return !c->x->up.done && !c->paused_upload && under(c->read - c->window_read, r->body, r);
}

static void on_busy_deadline(struct client *c)
{
	struct exchange *x = c->x;
	bool needed = !x->up.done || stream_backlog(c->stream);

	if (x->down.tunnel) {
		deadline_set(c->worker->loop, &c->deadline, TUNNEL_MS, on_deadline, c);
	} else if (!c->watching || !window_too_slow(c)) {
		c->watching = false;
		if (needed)
			watch_window(c);
	} else if (!x->up.done && x->status == 0 && !x->up.begun) {
		exchange_rule(x, REMEDY_DENY, SOURCE_PROTOCOL, 408, BYTES("the body came too slowly"));
		x->up.decided = true;
		x->close_client = true;
		exchange_run(x);
	} else {
		client_reset(c);
		exchange_abandon(x);
	}
}

static void on_deadline(void *owner)
{
	struct client *c = owner;

	switch (c->state) {
	case CLIENT_HEAD:
		say_and_close(c, SHORT_ANSWER("408 Request Timeout", "44\r\n\r\n")
			      "The head of the request did not come in time");
		return;
	case CLIENT_LINGER:
		if (stream_backlog(c->stream) && stream_backlog(c->stream) < c->window_backlog) {
			c->window_backlog = stream_backlog(c->stream);
			wait_for(c, CLIENT_LINGER, timeouts_of(c)->stall_ms);
			return;
		}
		if (stream_backlog(c->stream))
			client_reset(c);
		else
			client_close(c);
		return;
	case CLIENT_BUSY: on_busy_deadline(c); return;
	default: client_close(c);
	}
}

/* ---- birth ---- */

/* Counts the connection for its address. False: too many, and it was told. */
static bool enter(struct client *c)
{
	struct shared *s = c->worker->shared;
	uint64_t max = config_of(c)->size.connections_per_address;

	if (max == 0 || ip_is_loopback(&c->from))
		max = UINT32_MAX;
	c->counted = addresses_enter(s->addresses, &c->from, (unsigned)max);
	if (!c->counted)
		say_and_close(c, SHORT_ANSWER("429 Too Many Requests", "42\r\nRetry-After: 10\r\n\r\n")
			      "Too many connections from your address now");
	return c->counted;
}

static struct client *client_new(struct worker *w, struct bytes bind, struct stream *s)
{
	struct client *c = calloc(1, sizeof *c);

	if (!c) {
		stream_close(s);
		return NULL;
	}
	*c = (struct client){ .worker = w, .bind = bind, .stream = s, .next = w->clients };
	if (c->next)
		c->next->prev = c;
	w->clients = c;
	return c;
}

void client_accept(struct worker *w, struct bytes bind, struct stream *s)
{
	const struct listen *listen = site_listen(w->use->site, bind);
	struct client *c = client_new(w, bind, s);
	bool preface;

	if (!c)
		return;
	c->metrics = listen ? listen->metrics : NULL;
	metrics_connection(c->metrics, w->number, 1);
	stream_peer(s, &c->peer, &c->port);
	c->from = c->peer;
	preface = listen && listen->config->proxy_protocol != PROXY_PROTOCOL_OFF;
	c->tls = listen && listen->tls && !preface;
	if (!listen || !stream_start(s, &events, c, c->tls ? listen->tls : NULL) ||
	    (preface && !ip_in_nets(&c->peer, listen->config->from.at, listen->config->from.n))) {
		atomic_fetch_add(&w->shared->connections, 1);
		client_close(c);
		return;
	}
	wait_for(c, preface ? CLIENT_PREFACE : c->tls ? CLIENT_SHAKING : CLIENT_IDLE,
		 timeouts_of(c)->head_ms);
	if (atomic_fetch_add_explicit(&w->shared->connections, 1, memory_order_relaxed) >=
	    worker_connections_max(w)) {
		say_and_close(c, SHORT_ANSWER("503 Service Unavailable", "35\r\nRetry-After: 5\r\n\r\n")
			      "Too many connections; please retry.");
		return;
	}
	if (!preface)
		enter(c);
}
