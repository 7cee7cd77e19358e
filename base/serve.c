/* serve.c -- the server: who may come, what all of them may hold, and the end.
 *
 * When there are as many connections as may be, one that idles gives way; where none does, the new one is told so. Of one
 * address there may be a quarter, so that nobody keeps the others out. */
#include "base/serve_parts.h"
#include "base/clock.h"
#include <assert.h>
#include <stdlib.h>
#include <unistd.h>

enum { REQUEST_MS = 10000, IDLE_MS = 75000, STALL_MS = 10000, HELD_MAX = 64 << 20 };

/* ---- memory ---- */

bool serve_hold(struct server_http *s, char **at, size_t *cap, size_t want)
{
	size_t grown = *cap ? *cap * 2 : 512;
	char *more;

	if (want <= *cap)
		return true;
	if (grown < want || s->held + (grown - *cap) > s->o.held_max)
		grown = want;
	if (s->held + (grown - *cap) > s->o.held_max || !(more = realloc(*at, grown)))
		return false;
	s->held += grown - *cap;
	*at = more;
	*cap = grown;
	return true;
}

void serve_drop(struct server_http *s, char **at, size_t *cap)
{
	free(*at);
	s->held -= *cap;
	*at = NULL;
	*cap = 0;
}

struct bytes serve_date(struct server_http *s)
{
	uint64_t now_ms = clock_wall_ms();
	struct text t = text_over(s->date, sizeof s->date);

	if (now_ms / 1000 != s->date_s) {
		s->date_s = now_ms / 1000;
		clock_http_date(&t, now_ms);
	}
	return (struct bytes){ s->date, 29 }; /* IMF-fixdate has one length */
}

/* ---- who comes ---- */

static unsigned of_address(const struct server_http *s, const struct ip *from)
{
	unsigned n = 0;

	for (const struct serve_conn *c = s->conns; c; c = c->next)
		n += c->state != SERVE_CLOSED && !c->told && c->by_address && ip_eq(&c->from, from);
	return n;
}

/* The oldest that idles, of that address (NULL: of any), is closed. */
static bool give_way(struct server_http *s, const struct ip *from)
{
	struct serve_conn *oldest = NULL;

	for (struct serve_conn *c = s->conns; c; c = c->next)
		if ((c->state == SERVE_IDLE || c->state == SERVE_LINGER) && !c->told && !c->nahead &&
		    !stream_backlog(c->stream) && (!from || (c->by_address && ip_eq(&c->from, from))))
			oldest = c;
	if (oldest)
		serve_conn_lose(oldest);
	return oldest != NULL;
}

/* Why it may not stay; NULL: it may. */
static const char *unwelcome(struct server_http *s, bool tcp, const struct ip *from)
{
	if (tcp && of_address(s, from) >= s->o.address_max && !give_way(s, from))
		return "too many connections from your address";
	return s->nopen >= s->o.connections_max && !give_way(s, NULL) ? "too many connections" : NULL;
}

static void accepted(void *ctx, struct stream *stream)
{
	struct server_http *s = ctx;
	struct ip from;
	uint16_t port;
	bool tcp = stream_peer(stream, &from, &port);
	const char *why = unwelcome(s, tcp, &from);

	s->counts.shut_out += why != NULL;
	if (why && s->ntold > s->o.connections_max / 8)
		stream_close(stream);
	else
		serve_conn_new(s, stream, tcp ? &from : NULL, why);
}

static void starved(void *ctx)
{
	give_way(ctx, NULL);
}

/* ---- life ---- */

static void complete(struct serve_options *o)
{
	o->request_ms = o->request_ms ? o->request_ms : REQUEST_MS;
	o->idle_ms = o->idle_ms ? o->idle_ms : IDLE_MS;
	o->stall_ms = o->stall_ms ? o->stall_ms : STALL_MS;
	o->held_max = o->held_max ? o->held_max : HELD_MAX;
	if (!o->address_max)
		o->address_max = o->connections_max / 4 ? o->connections_max / 4 : 1;
}

static void stop_listening(struct server_http *s)
{
	for (size_t i = 0; s->listeners && i < s->o.nfds; i++) {
		listener_close(s->listeners[i]);
		s->listeners[i] = NULL;
	}
}

static bool listen_all(struct server_http *s, struct err *e)
{
	bool good = true;

	for (size_t i = 0; i < s->o.nfds; i++) {
		if (good)
			s->listeners[i] = listener_open(s->loop, s->o.fds[i], accepted, s, e);
		else
			close(s->o.fds[i]);
		good = s->listeners[i];
		if (good)
			listener_on_starved(s->listeners[i], starved);
	}
	return good;
}

static void free_server(struct server_http *s)
{
	deadline_clear(&s->grace);
	free(s->listeners);
	free(s);
}

struct server_http *serve_open(struct loop *l, const struct serve_options *o, struct err *e)
{
	struct server_http *s = calloc(1, sizeof *s);
	struct listener **listeners = calloc(o->nfds + 1, sizeof(struct listener *));

	assert(o->take && o->connections_max);
	if (!s || !listeners) {
		for (size_t i = 0; i < o->nfds; i++)
			close(o->fds[i]);
		free(s);
		free(listeners);
		err_set(e, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	s->loop = l;
	s->o = *o;
	s->listeners = listeners;
	complete(&s->o);
	if (listen_all(s, e)) {
		s->o.fds = NULL; /* the listeners have them */
		return s;
	}
	stop_listening(s);
	free_server(s);
	return NULL;
}

void serve_left(struct server_http *s)
{
	void (*closed)(void *) = s->closed;
	void *ctx = s->closed_ctx;

	if (!s->closing || s->nconns || s->nrequests)
		return;
	free_server(s);
	if (closed)
		closed(ctx);
}

static void each_conn(struct server_http *s, void (*fn)(struct serve_conn *))
{
	for (struct serve_conn *c = s->conns, *next; c; c = next) {
		next = c->next; /* a connection is freed from the loop alone */
		fn(c);
	}
}

static void on_grace(void *server)
{
	each_conn(server, serve_conn_lose);
}

void serve_close(struct server_http *s, uint32_t grace_ms, void (*closed)(void *), void *ctx)
{
	assert(!s->closing);
	s->closing = true;
	s->closed = closed;
	s->closed_ctx = ctx;
	stop_listening(s);
	deadline_set(s->loop, &s->grace, grace_ms, on_grace, s);
	each_conn(s, serve_conn_drain);
	serve_left(s); /* s may be gone */
}

void serve_count(const struct server_http *s, struct serve_counts *out)
{
	*out = s->counts;
	out->connections = s->nopen;
}
