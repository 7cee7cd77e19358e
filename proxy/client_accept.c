/* client_accept.c -- a connection comes: who it is, whether there is room. */
#include "proxy/client_parts.h"
#include "proxy/proxy_protocol.h"

enum { REFUSED_MAX = 128 /* connections too many that are told so, not just closed */ };

#define SHORT_ANSWER(status, text)                                                              \
	"HTTP/1.1 " status "\r\nContent-Type: text/plain\r\nConnection: close\r\nContent-Length: " text

void client_refuse(struct client *c, enum refusal why, const char *answer)
{
	struct bytes b = bytes_of(answer);

	metrics_refused(c->metrics, c->worker->number, why);
	if (!answer) {
		client_close(c);
		return;
	}
	if (!c->tls || c->state >= CLIENT_IDLE)
		stream_write(c->stream, &b, 1);
	client_linger(c);
}

bool client_enter(struct client *c)
{
	struct shared *s = c->worker->shared;
	uint64_t max = client_config(c)->size.connections_per_address;

	if (max == 0 || ip_is_loopback(&c->from))
		max = UINT32_MAX;
	c->counted = addresses_enter(s->addresses, &c->from, (unsigned)max);
	if (!c->counted)
		client_refuse(c, REFUSAL_ADDRESS,
			      SHORT_ANSWER("429 Too Many Requests", "42\r\nRetry-After: 10\r\n\r\n")
			      "Too many connections from your address now");
	return c->counted;
}

struct bytes client_preface(struct client *c, struct bytes in, bool *more)
{
	const struct listen *listen = site_listen(c->worker->use->site, c->bind);
	enum proxy_protocol version = listen ? listen->config->proxy_protocol : PROXY_PROTOCOL_ANY;
	bool known = false;
	struct err err;
	size_t used = 0;

	switch (proxy_header_read(version, in, &c->from, &c->port, &known, &used, &err)) {
	case PROXY_MORE: *more = true; return in;
	case PROXY_BAD: client_refuse(c, REFUSAL_PREFACE, NULL); return in;
	default: break;
	}
	in = bytes_from(in, used);
	if (!known)
		c->from = c->peer;
	c->tls = listen && listen->tls;
	if (!client_enter(c))
		return in;
	if (!c->tls) {
		client_wait(c, CLIENT_IDLE, client_timeouts(c)->head_ms);
		return in;
	}
	/* From here on the stream gives plaintext, through on_bytes; none before the
	 * client has had an answer to its hello. */
	client_become(c, CLIENT_SHAKING);
	if (!stream_start_tls(c->stream, listen->tls, in))
		client_close(c);
	return (struct bytes){ 0 };
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
		client_refuse(c, REFUSAL_LIMIT, NULL);
	else
		client_refuse(c, REFUSAL_LIMIT,
			      SHORT_ANSWER("503 Service Unavailable", "35\r\nRetry-After: 5\r\n\r\n")
			      "Too many connections; please retry.");
}

void client_accept(struct worker *w, struct bytes bind, struct stream *s)
{
	const struct listen *listen = site_listen(w->use->site, bind);
	struct client *c = listen ? client_new(w, bind, listen, s) : NULL;
	unsigned long max = worker_connections_max(w), others;
	bool preface;

	if (!c) {
		if (listen)
			metrics_refused(listen->metrics, w->number, REFUSAL_STARVED);
		stream_close(s); /* out of memory, or the site has no such listener any more */
		return;
	}
	preface = listen->config->proxy_protocol != PROXY_PROTOCOL_OFF;
	c->tls = listen->tls && !preface;
	client_wait(c, preface ? CLIENT_PREFACE : c->tls ? CLIENT_SHAKING : CLIENT_IDLE,
		 client_timeouts(c)->head_ms);
	others = atomic_fetch_add_explicit(&w->shared->connections, 1, memory_order_relaxed);
	if (!stream_start(s, &client_events, c, c->tls ? listen->tls : NULL))
		client_close(c);
	else if (others >= max)
		refuse(c, others, max);
	else if (preface && !ip_in_nets(&c->peer, listen->config->from.at, listen->config->from.n))
		client_refuse(c, REFUSAL_PREFACE, NULL);
	else if (!preface)
		client_enter(c);
}

void client_shed(struct worker *w)
{
	struct client *c = w->clients;

	while (c && c->state != CLIENT_LINGER && c->state != CLIENT_IDLE)
		c = c->next;
	if (c)
		client_refuse(c, REFUSAL_STARVED, NULL);
	else if (w->clients)
		client_lose(w->clients);
}
