/* health.c -- active health checks. */
#include "proxy/health.h"
#include "base/http1.h"
#include "base/log.h"
#include "base/stream.h"

enum { ANSWER_MAX = 16 << 10 };

struct check {
	struct health *health;
	const struct upstream *upstream;
	struct server *server;
	struct stream *stream;     /* of the question under way */
	struct deadline deadline;  /* the next question, or the end of patience */
	unsigned good, bad;        /* in a row */
	unsigned address, misses;  /* which of the server's is asked; how many were not reached */
	bool up, ready;
	size_t n;
	char answer[ANSWER_MAX];
};

struct health {
	struct loop *loop;
	struct site *site;
	size_t n, open; /* open: checks, and streams that are not closed yet */
	bool stopping;
	struct check **checks;
};

static void ask(void *);

static void unref(struct health *h)
{
	if (--h->open)
		return;
	for (size_t i = 0; i < h->n; i++)
		free(h->checks[i]);
	free(h->checks);
	site_release(h->site);
	free(h);
}

static void judge(struct check *c, bool good)
{
	const struct health_config *k = &c->upstream->config->health;

	c->good = good ? c->good + 1 : 0;
	c->bad = good ? 0 : c->bad + 1;
	if (c->up && c->bad >= k->fails)
		server_set(c->server, c->up = false);
	else if (!c->up && c->good >= k->passes)
		server_set(c->server, c->up = true);
}

/* This question is settled; the next one waits for the interval. An address that
 * is not reached says nothing while the server has others. */
static void settle(struct check *c, bool good)
{
	struct stream *s = c->stream;
	uint64_t next_ms = c->upstream->config->health.interval_ms;

	if (!s)
		return;
	c->stream = NULL;
	if (!c->ready && ++c->misses < c->server->naddress) {
		c->address++;
		next_ms = 0;
	} else {
		c->misses = 0;
		judge(c, good);
	}
	deadline_set(c->health->loop, &c->deadline, next_ms, ask, c);
	stream_close(s);
}

static bool is_good(struct check *c, bool *whole)
{
	static const struct http1_limits limits = { ANSWER_MAX, 0, 256 };
	static const struct request asked = { .method = { "GET", 3 } };
	struct arena *a = arena_new(64 << 10);
	struct response r = { 0 };
	size_t scanned = 0;
	bool good = false;

	*whole = true;
	switch (http1_head_end((struct bytes){ c->answer, c->n }, &scanned, &limits, NULL)) {
	case HTTP1_MORE: *whole = c->n == ANSWER_MAX; break;
	case HTTP1_DONE:
		good = a && http1_parse_response(a, (struct bytes){ c->answer, scanned }, &limits, &asked,
						 &r, NULL) &&
		       r.status >= 200 && r.status < 400;
		break;
	default: break;
	}
	arena_free(a);
	return good;
}

static void on_bytes(void *owner, struct bytes b)
{
	struct check *c = owner;
	bool whole, good;

	b = bytes_sub(b, 0, ANSWER_MAX - c->n);
	memcpy(c->answer + c->n, b.at, b.len);
	c->n += b.len;
	good = is_good(c, &whole);
	if (whole)
		settle(c, good);
}

static void on_ended(void *owner, enum stream_end end, const char *why)
{
	(void)end, (void)why;
	settle(owner, false);
}

static void on_late(void *owner)
{
	settle(owner, false);
}

static void on_closed(void *owner)
{
	struct check *c = owner;

	unref(c->health);
}

static void on_ready(void *owner)
{
	struct check *c = owner;
	struct bytes v[] = {
		BYTES("GET "), c->upstream->config->health.path, BYTES(" HTTP/1.1\r\nHost: "),
		bytes_of(c->server->name),
		BYTES("\r\nUser-Agent: embergate-health\r\nConnection: close\r\n\r\n"),
	};

	c->ready = true;
	stream_write(c->stream, v, nelems(v));
}

static const struct stream_events events = { on_ready, on_bytes, on_ended, NULL, on_closed };

static void ask(void *owner)
{
	struct check *c = owner;
	struct health *h = c->health;
	struct server *s = c->server;

	if (h->stopping)
		return;
	c->n = 0;
	c->ready = false;
	c->stream = stream_connect(h->loop, &s->address[c->address % s->naddress].any, &events, c,
				   s->host ? c->upstream->tls : NULL, s->host);
	if (!c->stream) {
		judge(c, false);
		deadline_set(h->loop, &c->deadline, c->upstream->config->health.interval_ms, ask, c);
		return;
	}
	h->open++;
	deadline_set(h->loop, &c->deadline, c->upstream->config->health.timeout_ms, on_late, c);
}

static void check_add(struct health *h, const struct upstream *u, struct server *s)
{
	struct check *c = calloc(1, sizeof *c);
	struct check **more = realloc(h->checks, (h->n + 1) * sizeof *more);

	if (more)
		h->checks = more;
	if (!c || !more) {
		free(c);
		return;
	}
	*c = (struct check){ .health = h, .upstream = u, .server = s };
	c->up = atomic_load(&s->down_until_ms) != UINT64_MAX;
	h->checks[h->n++] = c;
	deadline_set(h->loop, &c->deadline, 10 * h->n, ask, c);
}

struct health *health_start(struct loop *loop, struct site *site)
{
	struct health *h = calloc(1, sizeof *h);

	if (!h)
		return NULL;
	*h = (struct health){ .loop = loop, .site = site, .open = 1 };
	site_hold(site);
	for (size_t i = 0; i < site->napps; i++) {
		const struct upstream *u = &site->apps[i].upstream;

		for (unsigned k = 0; k < u->n; k++)
			if (u->config->health.path.at)
				check_add(h, u, u->backends[k].server);
			else if (atomic_load(&u->backends[k].server->down_until_ms) == UINT64_MAX)
				server_set(u->backends[k].server, true); /* nobody checks it any more */
	}
	return h;
}

void health_stop(struct health *h)
{
	if (!h)
		return;
	h->stopping = true;
	for (size_t i = 0; i < h->n; i++) {
		deadline_clear(&h->checks[i]->deadline);
		if (h->checks[i]->stream)
			stream_close(h->checks[i]->stream);
	}
	unref(h);
}
