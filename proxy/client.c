/* client.c -- connections from outside: bytes in, exchanges one at a time. */
#include "proxy/client.h"
#include "proxy/exchange.h"
#include "proxy/forward.h"
#include "proxy/proxy_protocol.h"
#include "proxy/upload.h"
#include "proxy/worker.h"

enum {
	AHEAD_PAUSE = 64 << 10, /* pipelined bytes that wait; more are not read */
	LINGER_MS = 2000,       /* and again, while the client still sends, */
	LINGERS = 15,           /* so often */
	REFUSED_MAX = 128,      /* connections too many that are told so, not just closed */
	AT_ONCE = 16,           /* pipelined requests that may be answered before others have their turn */
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

/* Watches the throughput of what is under way, a window at a time. */
static void watch_window(struct client *c)
{
	c->watching = true;
	c->window_read = c->read;
	c->window_taken = stream_taken(c->stream);
	c->window_backlog = stream_backlog(c->stream);
	deadline_set(c->worker->loop, &c->deadline, config_of(c)->min_rate.window_ms, on_deadline, c);
}

bool client_write(struct client *c, const struct bytes *v, size_t n)
{
	if (c->state == CLIENT_CLOSED)
		return false;
	if (!stream_write(c->stream, v, n)) {
		/* Where it is not read, nobody else would notice that it has gone. */
		deadline_set(c->worker->loop, &c->deadline, 0, on_deadline, c);
		return false;
	}
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

/* Nothing can be told to it any more. */
static void lose(struct client *c)
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
static void linger(struct client *c)
{
	stream_finish(c->stream);
	c->nahead = 0;
	if (c->ended && stream_backlog(c->stream) == 0) {
		client_close(c);
		return;
	}
	c->window_backlog = stream_backlog(c->stream);
	c->window_read = c->read;
	wait_for(c, CLIENT_LINGER, LINGER_MS);
	c->paused_ahead = c->paused_upload = false;
	read_or_not(c);
}

void client_next(struct client *c, bool close, bool unread)
{
	c->x = NULL;
	if (c->state == CLIENT_CLOSED)
		return;
	if (close || unread || c->last) {
		linger(c);
		return;
	}
	wait_for(c, CLIENT_IDLE, timeouts_of(c)->idle_ms);
	c->paused_ahead = c->paused_upload = false;
	read_or_not(c);
	if (!c->taking)
		take(c, (struct bytes){ 0 }); /* what came ahead of its turn */
}

void client_drain(struct client *c, uint64_t grace_ms)
{
	c->last = true;
	if (c->state == CLIENT_IDLE)
		deadline_set(c->worker->loop, &c->deadline, grace_ms, on_deadline, c);
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
		lose(c);
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
	c->tls = listen && listen->tls;
	if (!enter(c))
		return in;
	if (!c->tls) {
		wait_for(c, CLIENT_IDLE, timeouts_of(c)->head_ms);
		return in;
	}
	/* From here on the stream gives plaintext, through on_bytes; none before the
	 * client has had an answer to its hello. */
	c->state = CLIENT_SHAKING;
	if (!stream_start_tls(c->stream, listen->tls, in))
		client_close(c);
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

/* It has said its last: half a request stays one, and what was whole is answered. */
static void settle(struct client *c)
{
	if (c->state == CLIENT_BUSY && !c->x->up.done)
		lose(c);
	else if (c->state == CLIENT_IDLE || c->state == CLIENT_HEAD)
		linger(c);
}

/* What came ahead waits: for its answers to be taken, or for others to have their turn. */
static void yield(struct client *c)
{
	bool slow = stream_backlog(c->stream) > 0;

	c->yielded = c->paused_ahead = true;
	read_or_not(c);
	c->window_taken = stream_taken(c->stream);
	deadline_set(c->worker->loop, &c->deadline, slow ? timeouts_of(c)->stall_ms : 0, on_deadline, c);
}

static void go_on(struct client *c)
{
	c->yielded = c->paused_ahead = false;
	read_or_not(c);
	if (stream_is_broken(c->stream))
		lose(c);
	else
		take(c, (struct bytes){ 0 });
}

static void take(struct client *c, struct bytes in)
{
	bool more = false;
	unsigned begun = 0;

	if (c->nahead && in.len) {
		if (!reserve(c, c->nahead + in.len)) {
			lose(c);
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
		lose(c);
	}
}

static void on_drained(void *owner)
{
	struct client *c = owner;

	if (stream_is_broken(c->stream))
		lose(c);
	else if (c->x)
		respond_drained(c->x);
	else if (c->yielded)
		go_on(c);
	else if (c->state == CLIENT_LINGER && c->ended)
		client_close(c);
}

static const struct stream_events events = { on_ready, on_bytes, on_ended, on_drained, on_closed };

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
	take(c, (struct bytes){ 0 });
	c->paused_ahead = false;
	read_or_not(c);
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
	uint64_t took = stream_taken(c->stream) - c->window_taken;

	if (stream_backlog(c->stream))
		return took < c->window_backlog && under(took, r->response, r);
	return !c->x->up.done && !c->paused_upload && under(c->read - c->window_read, r->body, r);
}

static void on_busy_deadline(struct client *c)
{
	struct exchange *x = c->x;
	bool needed = !x->up.done || stream_backlog(c->stream);

	if (stream_is_broken(c->stream)) {
		lose(c);
	} else if (x->down.tunnel) {
		return; /* it may be silent: the kernel asks whether both ends are there */
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

static void on_linger_deadline(struct client *c)
{
	size_t backlog = stream_backlog(c->stream);

	if (backlog && backlog < c->window_backlog) {
		c->window_backlog = backlog;
		wait_for(c, CLIENT_LINGER, timeouts_of(c)->stall_ms);
	} else if (backlog) {
		client_reset(c);
	} else if (c->read != c->window_read && c->lingers++ < LINGERS) {
		c->window_read = c->read;
		wait_for(c, CLIENT_LINGER, LINGER_MS);
	} else {
		client_close(c);
	}
}

/* An answer may still be on its way: who takes of it is not idle. */
static void on_idle_deadline(struct client *c)
{
	if (stream_backlog(c->stream) && stream_taken(c->stream) != c->window_taken) {
		c->window_taken = stream_taken(c->stream);
		deadline_set(c->worker->loop, &c->deadline, timeouts_of(c)->stall_ms, on_deadline, c);
	} else if (c->yielded && !stream_backlog(c->stream)) {
		go_on(c);
	} else {
		client_close(c);
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
	case CLIENT_LINGER: on_linger_deadline(c); return;
	case CLIENT_IDLE: on_idle_deadline(c); return;
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

static struct client *client_new(struct worker *w, struct bytes bind, const struct listen *listen,
				 struct stream *s)
{
	struct client *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	*c = (struct client){ .worker = w, .bind = bind, .stream = s, .next = w->clients,
			      .metrics = listen->metrics };
	if (c->next)
		c->next->prev = c;
	w->clients = c;
	metrics_connection(c->metrics, w->number, 1);
	stream_peer(s, &c->peer, &c->port);
	c->from = c->peer;
	return c;
}

/* There are too many: it is told so; when even those that are being told are too
 * many, it is just closed. */
static void refuse(struct client *c, unsigned long others, unsigned long max)
{
	unsigned long told = max / 8 + 1;

	if (others >= max + (told < REFUSED_MAX ? told : REFUSED_MAX))
		client_close(c);
	else
		say_and_close(c, SHORT_ANSWER("503 Service Unavailable", "35\r\nRetry-After: 5\r\n\r\n")
			      "Too many connections; please retry.");
}

void client_accept(struct worker *w, struct bytes bind, struct stream *s)
{
	const struct listen *listen = site_listen(w->use->site, bind);
	struct client *c = listen ? client_new(w, bind, listen, s) : NULL;
	unsigned long max = worker_connections_max(w), others;
	bool preface;

	if (!c) {
		stream_close(s); /* out of memory, or the site has no such listener any more */
		return;
	}
	preface = listen->config->proxy_protocol != PROXY_PROTOCOL_OFF;
	c->tls = listen->tls && !preface;
	wait_for(c, preface ? CLIENT_PREFACE : c->tls ? CLIENT_SHAKING : CLIENT_IDLE,
		 timeouts_of(c)->head_ms);
	others = atomic_fetch_add_explicit(&w->shared->connections, 1, memory_order_relaxed);
	if (!stream_start(s, &events, c, c->tls ? listen->tls : NULL))
		client_close(c);
	else if (others >= max)
		refuse(c, others, max);
	else if (preface && !ip_in_nets(&c->peer, listen->config->from.at, listen->config->from.n))
		client_close(c);
	else if (!preface)
		enter(c);
}

void client_shed(struct worker *w)
{
	struct client *c = w->clients;

	while (c && c->state != CLIENT_LINGER && c->state != CLIENT_IDLE)
		c = c->next;
	if (c)
		client_close(c);
	else if (w->clients)
		lose(w->clients);
}
