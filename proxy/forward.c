/* forward.c -- the request's way to a server: choice, connection, retries, and
 * the head of the answer.
 *
 * A connection that cannot be made, or that was kept and turns out dead before
 * a byte of the answer, costs nothing: nothing was done yet, or (where the
 * request is idempotent and its body still held) it may be done again. Anything
 * else is told to the client as 502 or 504. */
#include "proxy/forward.h"
#include "base/clock.h"
#include "base/hash.h"
#include "proxy/client.h"
#include "proxy/encode.h"
#include "proxy/peer.h"
#include "proxy/stages.h"
#include "proxy/upload.h"
#include "proxy/vet.h"
#include "proxy/worker.h"

enum {
	RETRIES = 1,            /* after a kept connection that was dead */
	INTERIM_MAX = 16,       /* 1xx answers before the real one */
	KEPT_ANY_MS = 60 * 1000, /* how long a connection may have idled for a request that can be repeated */
	KEPT_ONCE_MS = 4 * 1000, /* for one that cannot: servers close idle ones after 5 s and more */
};

static bool is_idempotent(struct bytes method)
{
	static const struct bytes safe[] = {
		{ "GET", 3 }, { "HEAD", 4 }, { "OPTIONS", 7 }, { "PUT", 3 }, { "DELETE", 6 }, { "TRACE", 5 },
		{ "PROPFIND", 8 }, { "REPORT", 6 }, { "SEARCH", 6 },
	};

	for (size_t i = 0; i < nelems(safe); i++)
		if (bytes_eq(method, safe[i]))
			return true;
	return false;
}

/* ---- letting go ---- */

void forward_release(struct exchange *x, bool reusable)
{
	struct peer *p = x->peer;

	if (!p)
		return;
	x->peer = NULL;
	atomic_fetch_sub_explicit(&p->server->inflight, 1, memory_order_relaxed);
	peer_forget_head(p);
	if (reusable) {
		pool_put(x->worker, p, x->app->config->upstream.max_idle);
		return;
	}
	p->x = NULL;
	peer_close(p);
}

void forward_done(struct exchange *x)
{
	const struct download *d = &x->down;

	forward_release(x, d->done && !d->truncated && x->up.ended && d->head.keep_alive && !d->tunnel);
}

static unsigned bit_of(const struct exchange *x)
{
	return (unsigned)(x->backend - x->app->upstream.backends);
}

/* This attempt is over. `again`: another server, or the same anew, may be asked. */
static void fail(struct exchange *x, unsigned status, const char *why, bool blame, bool again)
{
	const struct server *s = x->backend->server;

	err_set(&x->failure, SIDE_UPSTREAM, (int)status, "%s: %s", s->name, why);
	if (blame)
		server_failed(x->backend->server, &x->app->config->upstream.health,
			      loop_now_ms(x->worker->loop));
	metrics_upstream(s->metrics, x->worker->number, 0, clock_mono_us() - x->asked_us);
	attack_count(x->app, 0, clock_mono_us() - x->asked_us);
	forward_release(x, false);
	upload_rewind(x);
	if (!again)
		x->tried = UINT64_MAX;
	exchange_run(x);
}

/* No connection came about: the server's next address is tried, then other servers. */
static void miss(struct exchange *x, unsigned status, const char *why)
{
	bool more = ++x->misses < x->backend->server->naddress;

	if (!more)
		x->misses = 0;
	fail(x, status, why, !more, true);
}

static bool may_repeat(const struct exchange *x)
{
	return is_idempotent(x->request.method) && upload_replayable(x);
}

static void lost(struct exchange *x, const char *why)
{
	const struct peer *p = x->peer;
	bool stale = p->ready && p->served > 0 && !p->heard;

	if (!p->ready) {
		miss(x, 502, why);
	} else if (stale && x->retries < RETRIES && may_repeat(x)) {
		x->retries++;
		x->tried &= ~((uint64_t)1 << bit_of(x));
		fail(x, 502, why, false, true);
	} else {
		fail(x, 502, why, !stale, false);
	}
}

/* ---- asking ---- */

static void begin(struct exchange *x)
{
	struct bytes head = encode_request(x, x->backend);

	if (!head.at) {
		fail(x, 500, "request too large for its arena", false, false);
		return;
	}
	x->up.begun = true;
	x->peer->heard = false;
	client_pause_upload(x->client, false);
	upload_pump(x, head);
}

static bool next_backend(struct exchange *x)
{
	unsigned turn = atomic_fetch_add_explicit(&x->app->state->turn, 1, memory_order_relaxed);
	uint64_t key = hash_content(HASH_CONTENT_START,
				    (struct bytes){ (const char *)x->request.client.b, 16 });
	const struct backend *b = x->tried == UINT64_MAX
		? NULL : upstream_choose(&x->app->upstream, x->tried, turn, key, loop_now_ms(x->worker->loop));

	if (!b)
		return false;
	x->backend = b;
	x->address = turn;
	x->tried |= (uint64_t)1 << bit_of(x);
	return true;
}

static struct peer *dial(struct exchange *x)
{
	return peer_connect(x->worker, x->backend->server, x->address + x->misses, x->app->upstream.tls,
			    x->app->config->timeouts.connect_ms);
}

/* A connection to the next server; false: none is left. */
static bool next_peer(struct exchange *x)
{
	struct worker *w = x->worker;
	const struct backend *b;

	if (!x->misses && !next_backend(x))
		return false;
	b = x->backend;
	x->asked_us = clock_mono_us();
	if (!x->retries && !x->misses)
		x->peer = pool_take(w, b->server, may_repeat(x) ? KEPT_ANY_MS : KEPT_ONCE_MS);
	if (!x->peer)
		x->peer = dial(x);
	if (!x->peer && pool_close(w)) /* descriptors have run out: kept ones give theirs */
		x->peer = dial(x);
	if (!x->peer) {
		x->misses = 0;
		err_set(&x->failure, SIDE_SELF, 503, "%s: no connection can be opened", b->server->name);
		return true;
	}
	x->peer->x = x;
	atomic_fetch_add_explicit(&b->server->inflight, 1, memory_order_relaxed);
	return true;
}

enum flow stage_forward(struct exchange *x)
{
	if (x->down.have_head)
		return GO;
	if (exchange_stopped(x)) /* by a body that came while a server was dialled */
		return stage_remedy(x);
	if (x->up.begun)
		return WAIT;
	while (!x->peer)
		if (!next_peer(x))
			return answer(x, x->failure.code ? (unsigned)x->failure.code : 503,
				      (struct bytes){ 0 });
	if (x->peer->ready)
		begin(x);
	return WAIT;
}

void forward_ready(struct exchange *x)
{
	begin(x);
}

void forward_drained(struct exchange *x)
{
	client_pause_upload(x->client, false);
}

/* ---- the answer's head ---- */

static bool accept_head(struct exchange *x, const char **why)
{
	struct response *r = &x->down.head;

	if (r->status == 101) {
		if (!x->request.upgrade.at) {
			*why = "switched protocols unasked";
			return false;
		}
		x->down.tunnel = true;
	}
	return true;
}

enum found { HEAD_MORE, HEAD_FOUND, HEAD_WRONG };

/* The first answer that is not interim at the front of *in. */
static enum found find_head(struct exchange *x, struct bytes *in, struct err *err)
{
	struct peer *p = x->peer;
	struct http1_limits limits = client_limits(x->client);
	const char *why = NULL;
	struct bytes head;

	for (unsigned i = 0; i < INTERIM_MAX; i++) {
		size_t scanned = p->scanned;
		enum http1_step step = http1_head_end(*in, &scanned, &limits, err);

		p->scanned = scanned;
		if (step != HTTP1_DONE)
			return step == HTTP1_MORE ? HEAD_MORE : HEAD_WRONG;
		head = bytes_sub(*in, 0, scanned);
		if (x->inspection) /* which keeps slices of it */
			head = arena_copy(x->arena, head);
		if (!http1_parse_response(x->arena, head, &limits, &x->request, &x->down.head, err))
			return HEAD_WRONG;
		p->scanned = 0;
		*in = bytes_from(*in, scanned);
		if (x->down.head.status >= 200 || x->down.head.status == 101) {
			if (accept_head(x, &why))
				return HEAD_FOUND;
			err_set(err, SIDE_UPSTREAM, 502, "%s", why);
			return HEAD_WRONG;
		}
	}
	err_set(err, SIDE_UPSTREAM, 502, "too many interim answers");
	return HEAD_WRONG;
}

/* Keeps what is not yet a head. */
static void keep_head(struct exchange *x, struct bytes rest)
{
	struct peer *p = x->peer;

	if (p->nhead) {
		memmove(p->head, rest.at, rest.len);
		p->nhead = rest.len;
	} else if (!peer_keep(p, rest)) {
		fail(x, 502, "out of memory", false, false);
	}
}

/* How long the server took; 0 where it had to wait for a body, which takes as long as the client likes. */
static uint64_t server_us(const struct exchange *x)
{
	return x->up.hold.start ? 0 : clock_mono_us() - x->asked_us;
}

static void take_head(struct exchange *x, struct bytes in)
{
	struct peer *p = x->peer;
	struct err err = { 0 };

	if (p->nhead) {
		if (!peer_keep(p, in)) {
			fail(x, 502, "out of memory", false, false);
			return;
		}
		in = (struct bytes){ p->head, p->nhead };
	}
	switch (find_head(x, &in, &err)) {
	case HEAD_MORE: keep_head(x, in); return;
	case HEAD_WRONG: fail(x, 502, err.text, true, false); return;
	case HEAD_FOUND: break;
	}
	x->down.have_head = true;
	attack_count(x->app, x->down.head.status, server_us(x));
	upload_forget(x);
	server_succeeded(p->server);
	metrics_upstream(p->server->metrics, x->worker->number, x->down.head.status,
			 clock_mono_us() - x->asked_us);
	http1_body_start(&x->down.decoder, x->down.head.framing, x->down.head.length);
	vet_head(x);
	if (exchange_stopped(x)) {
		exchange_run(x);
		return;
	}
	if (!x->down.held && !respond_head(x)) {
		x->down.have_head = false;
		fail(x, 502, "answer too large for its arena", false, false);
		return;
	}
	respond_bytes(x, in);
	if (x->down.tunnel) {
		stream_probe(p->stream);
		client_tunnel(x->client);
		if (x->client->ended) /* it said its last before the tunnel was open */
			tunnel_ended(x, true);
	}
	exchange_run(x);
}

void forward_bytes(struct exchange *x, struct bytes in)
{
	bool held = x->down.held;

	x->peer->heard = true;
	peer_expect(x->peer, x->app->config->timeouts.idle_ms);
	if (!x->down.have_head) {
		take_head(x, in);
		return;
	}
	respond_bytes(x, in);
	if (!x->down.tunnel && (x->down.done || held))
		exchange_run(x);
}

/* ---- ends ---- */

void forward_ended(struct exchange *x, enum stream_end end, const char *why)
{
	if (x->down.tunnel) {
		if (end == END_BROKEN)
			x->down.truncated = true;
		tunnel_ended(x, false);
	} else if (x->down.have_head) {
		respond_end(x, end == END_CLEAN);
		exchange_run(x);
	} else {
		lost(x, end == END_CLEAN ? "closed without an answer" : why);
	}
}

/* Is it the server that is waited for, and not the client? */
static bool is_waited_for(const struct exchange *x)
{
	struct peer *p = x->peer;
	uint64_t before = p->delivered;

	if (x->down.tunnel || stream_backlog(x->client->stream))
		return false;
	if (!stream_backlog(p->stream))
		return x->up.ended || x->up.broken;
	p->delivered = stream_delivered(p->stream);
	return p->delivered == before; /* of what is left of the request it takes nothing */
}

void forward_late(struct exchange *x)
{
	const struct timeouts_config *t = &x->app->config->timeouts;

	if (!x->peer->ready) {
		miss(x, 504, "no connection in time");
	} else if (!is_waited_for(x)) {
		peer_expect(x->peer, x->down.have_head ? t->idle_ms : t->first_byte_ms);
	} else if (!x->down.have_head) {
		fail(x, 504, "no answer in time", true, false);
	} else {
		respond_end(x, false);
		exchange_run(x);
	}
}
