/* peer.c -- connections to servers: events in, one call to the exchange out. */
#include "proxy/peer.h"
#include "proxy/forward.h"
#include "proxy/worker.h"

static void on_ready(void *owner)
{
	struct peer *p = owner;

	p->ready = true;
	deadline_clear(&p->deadline);
	if (p->x)
		forward_ready(p->x);
}

static void on_bytes(void *owner, struct bytes b)
{
	struct peer *p = owner;

	if (p->x)
		forward_bytes(p->x, b);
	else if (p->idle)
		pool_forget(p->worker, p); /* it spoke unasked */
}

static void on_ended(void *owner, enum stream_end end, const char *why)
{
	struct peer *p = owner;

	if (p->x)
		forward_ended(p->x, end, why);
	else if (p->idle)
		pool_forget(p->worker, p);
}

static void on_drained(void *owner)
{
	struct peer *p = owner;

	if (p->x)
		forward_drained(p->x);
}

static void on_closed(void *owner)
{
	struct peer *p = owner;

	free(p->head);
	free(p);
}

static const struct stream_events events = { on_ready, on_bytes, on_ended, on_drained, on_closed };

static void on_late(void *owner)
{
	struct peer *p = owner;

	if (p->x)
		forward_late(p->x);
	else
		pool_forget(p->worker, p);
}

struct peer *peer_connect(struct worker *w, struct server *s, unsigned address, struct tls_context *tls,
			  uint32_t connect_ms)
{
	struct peer *p = calloc(1, sizeof *p);
	const union server_address *to = &s->address[address % s->naddress];

	if (!p)
		return NULL;
	*p = (struct peer){ .worker = w, .server = s };
	p->stream = stream_connect(w->loop, &to->any, &events, p, s->host ? tls : NULL, s->host);
	if (!p->stream) {
		free(p);
		return NULL;
	}
	metrics_upstream_connection(s->metrics, w->number, 1);
	deadline_set(w->loop, &p->deadline, connect_ms, on_late, p);
	return p;
}

void peer_close(struct peer *p)
{
	deadline_clear(&p->deadline);
	p->x = NULL;
	p->idle = false;
	metrics_upstream_connection(p->server->metrics, p->worker->number, -1);
	stream_close(p->stream);
}

void peer_expect(struct peer *p, uint64_t within_ms)
{
	deadline_set(p->worker->loop, &p->deadline, within_ms, on_late, p);
}

bool peer_keep(struct peer *p, struct bytes b)
{
	if (b.len == 0)
		return true;
	if (p->nhead + b.len > p->cap) {
		size_t cap = (p->nhead + b.len) * 2;
		char *more = realloc(p->head, cap);

		if (!more)
			return false;
		p->head = more;
		p->cap = cap;
	}
	memcpy(p->head + p->nhead, b.at, b.len);
	p->nhead += b.len;
	return true;
}

void peer_forget_head(struct peer *p)
{
	free(p->head);
	p->head = NULL;
	p->nhead = p->cap = p->scanned = 0;
}
