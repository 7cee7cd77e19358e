/* client_pace.c -- deadlines: for a head, for silence, and for throughput.
 *
 * One deadline a client. While an exchange runs it ends windows of time, and a
 * client that moved too little within one is cut. */
#include "proxy/client_parts.h"

enum { LINGERS = 15 /* so often LINGER_MS again, while a refused client still sends */ };

void client_wait(struct client *c, enum client_state state, uint64_t ms)
{
	c->state = state;
	c->watching = false;
	deadline_set(c->worker->loop, &c->deadline, ms, client_on_deadline, c);
}

void client_watch(struct client *c)
{
	c->watching = true;
	c->window_read = c->read;
	c->window_taken = stream_taken(c->stream);
	c->window_backlog = stream_backlog(c->stream);
	deadline_set(c->worker->loop, &c->deadline, client_config(c)->min_rate.window_ms, client_on_deadline, c);
}

static bool under(uint64_t bytes, uint64_t rate, const struct min_rate_config *r)
{
	return bytes * 1000 < rate * r->window_ms;
}

/* The client took less, or sent less, than the configuration asks of it. */
static bool window_too_slow(const struct client *c)
{
	const struct min_rate_config *r = &client_config(c)->min_rate;
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

static void on_linger_deadline(struct client *c)
{
	size_t backlog = stream_backlog(c->stream);

	if (backlog && backlog < c->window_backlog) {
		c->window_backlog = backlog;
		client_wait(c, CLIENT_LINGER, client_timeouts(c)->stall_ms);
	} else if (backlog) {
		client_reset(c);
	} else if (c->read != c->window_read && c->lingers++ < LINGERS) {
		c->window_read = c->read;
		client_wait(c, CLIENT_LINGER, LINGER_MS);
	} else {
		client_close(c);
	}
}

/* An answer may still be on its way: who takes of it is not idle. */
static void on_idle_deadline(struct client *c)
{
	if (stream_backlog(c->stream) && stream_taken(c->stream) != c->window_taken) {
		c->window_taken = stream_taken(c->stream);
		deadline_set(c->worker->loop, &c->deadline, client_timeouts(c)->stall_ms, client_on_deadline, c);
	} else if (c->yielded && !stream_backlog(c->stream)) {
		client_go_on(c);
	} else {
		client_close(c);
	}
}

void client_on_deadline(void *owner)
{
	struct client *c = owner;

	switch (c->state) {
	case CLIENT_HEAD:
		client_say(c, SHORT_ANSWER("408 Request Timeout", "44\r\n\r\n")
			      "The head of the request did not come in time");
		return;
	case CLIENT_LINGER: on_linger_deadline(c); return;
	case CLIENT_IDLE: on_idle_deadline(c); return;
	case CLIENT_BUSY: on_busy_deadline(c); return;
	default: client_close(c);
	}
}
