/* client_pace.c -- deadlines: for a head, for silence, and for throughput.
 *
 * One deadline a client. While an exchange runs it ends windows of time, and a
 * client that moved too little within one is cut. */
#include "proxy/client_parts.h"

enum { LINGERS = 15 /* so often LINGER_MS again, while a refused client still sends */ };

/* A client that is at work rests in none. */
static enum connection_rest rest_of(enum client_state s)
{
	return s == CLIENT_IDLE ? CONNECTION_IDLES : s == CLIENT_SHAKING ? CONNECTION_SHAKES : CONNECTION_RESTS;
}

void client_become(struct client *c, enum client_state state)
{
	enum connection_rest from = rest_of(c->state), to = rest_of(state);

	c->state = state;
	if (from == to)
		return;
	if (from != CONNECTION_RESTS)
		metrics_connection_rests(c->metrics, c->worker->number, from, -1);
	if (to != CONNECTION_RESTS)
		metrics_connection_rests(c->metrics, c->worker->number, to, +1);
}

void client_wait(struct client *c, enum client_state state, uint64_t ms)
{
	client_become(c, state);
	c->watching = false;
	deadline_set(c->worker->loop, &c->deadline, ms, client_on_deadline, c);
}

void client_mark(struct client *c)
{
	c->window_read = c->read;
	c->window_delivered = stream_delivered(c->stream);
	c->window_waits = stream_backlog(c->stream) + stream_taken(c->stream) - c->window_delivered;
}

void client_watch(struct client *c)
{
	const struct min_rate_config *r = &client_config(c)->min_rate;
	bool by_rate = r->response || !stream_backlog(c->stream);

	c->watching = true;
	client_mark(c);
	deadline_set(c->worker->loop, &c->deadline, by_rate ? r->window_ms : client_timeouts(c)->stall_ms,
		     client_on_deadline, c);
}

static bool under(uint64_t bytes, uint64_t rate, uint64_t ms)
{
	return bytes * 1000 < rate * ms;
}

/* Since the window began, of what waited for it then. */
static bool took_too_little(const struct client *c, uint64_t ms)
{
	uint64_t took = stream_delivered(c->stream) - c->window_delivered;

	return took < c->window_waits && (took == 0 || under(took, client_config(c)->min_rate.response, ms));
}

/* The client took less, or sent less, than the configuration asks of it. */
static bool window_too_slow(const struct client *c)
{
	const struct min_rate_config *r = &client_config(c)->min_rate;

	if (stream_backlog(c->stream))
		return took_too_little(c, r->window_ms);
	return !c->x->up.done && !c->paused_upload && under(c->read - c->window_read, r->body, r->window_ms);
}

static void on_busy_deadline(struct client *c)
{
	struct exchange *x = c->x;
	bool needed = !x->up.done || stream_backlog(c->stream);

	if (stream_is_broken(c->stream)) {
		client_lose(c);
	} else if (x->down.tunnel) {
		return; /* it may be silent: the kernel asks whether both ends are there */
	} else if (!c->watching || !window_too_slow(c)) {
		c->watching = false;
		if (needed)
			client_watch(c);
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

/* What is queued for it takes its time, but not more than the configuration grants. */
static void wait_for_reader(struct client *c)
{
	uint32_t stall_ms = client_timeouts(c)->stall_ms;

	if (took_too_little(c, stall_ms)) {
		client_reset(c);
		return;
	}
	client_mark(c);
	client_wait(c, c->state, stall_ms);
}

static void on_linger_deadline(struct client *c)
{
	if (stream_backlog(c->stream)) {
		wait_for_reader(c);
	} else if (c->read != c->window_read && c->lingers++ < LINGERS) {
		client_mark(c);
		client_wait(c, CLIENT_LINGER, LINGER_MS);
	} else {
		client_close(c);
	}
}

/* An answer may still be on its way: who takes of it is not idle. */
static void on_idle_deadline(struct client *c)
{
	if (stream_backlog(c->stream))
		wait_for_reader(c);
	else if (c->yielded)
		client_go_on(c);
	else
		client_close(c);
}

void client_on_deadline(void *owner)
{
	struct client *c = owner;

	switch (c->state) {
	case CLIENT_HEAD: client_late_head(c); return;
	case CLIENT_LINGER: on_linger_deadline(c); return;
	case CLIENT_IDLE: on_idle_deadline(c); return;
	case CLIENT_BUSY: on_busy_deadline(c); return;
	default: client_close(c);
	}
}
