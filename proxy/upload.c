/* upload.c -- the request's body.
 *
 * Payload bytes are decoded in place, shown to inspection and appended to the
 * hold, unless nothing has to be held any more: then they go straight to the
 * server. A body that is wholly held can be sent again on another connection. */
#include "proxy/upload.h"
#include "base/clock.h"
#include "proxy/client.h"
#include "proxy/forward.h"
#include "proxy/hold.h"
#include "proxy/login.h"
#include "proxy/peer.h"
#include "proxy/stages.h"
#include "proxy/worker.h"

enum {
	BACKLOG_HIGH = 256 << 10, /* bytes on their way to a server; beyond, the client waits */
	HOLD_SLACK = 64 << 10,    /* over the window, before the client waits */
	OURS_MAX = 16 << 10,      /* to an endpoint of ours: the solution of a captcha has some 2 KiB */
};

void upload_start(struct exchange *x)
{
	http1_body_start(&x->up.decoder, x->request.framing, x->request.length);
	x->up.done = x->fault.code == 0 &&
		     (x->request.framing == BODY_NONE ||
		      (x->request.framing == BODY_LENGTH && x->request.length == 0));
}

void upload_free(struct exchange *x)
{
	hold_free(x, &x->up.hold);
}

/* In detect mode too: what cannot be kept cannot be passed on. */
static void refuse(struct exchange *x, unsigned status, struct bytes reason)
{
	x->ruling = (struct ruling){ .act = REMEDY_DENY, .would = REMEDY_DENY, .source = SOURCE_LIMIT, .status = status,
				     .reason = reason };
}

static void keep(struct exchange *x, struct bytes b)
{
	if (!hold_add(x, &x->up.hold, b))
		refuse(x, 503, BYTES("too many bytes of bodies are held"));
}

/* ---- inspection ---- */

static void judge(struct exchange *x, enum body_flow flow, uint64_t release)
{
	struct upload *u = &x->up;

	inspect_heed(x);
	switch (flow) {
	case BODY_GO: u->released = release; break;
	case BODY_HIT: break;
	case BODY_TOO_LONG:
		metrics_body(x->app->state->metrics, x->worker->number, BODY_TROUBLE_TOO_LONG);
		exchange_rule(x, REMEDY_DENY, SOURCE_LIMIT, 413,
			      BYTES("structured body longer than waf.window; an exception for this path "
				    "with skip: [body] lets it through uninspected"));
		break;
	case BODY_REFUSED:
		exchange_rule(x, REMEDY_DENY, SOURCE_RULE, 400, inspection_verdict(x->inspection)->error);
		break;
	}
	/* In detect mode the body goes on. */
	if (flow != BODY_GO && !exchange_stopped(x))
		u->released = UINT64_MAX;
}

static void inspect_piece(struct exchange *x, struct bytes piece)
{
	uint64_t release = UINT64_MAX, from;
	enum body_flow flow;

	if (x->up.ours)
		return;
	if (!x->inspection || x->up.released == UINT64_MAX) {
		if (!login_holds_body(x))
			x->up.released = UINT64_MAX;
		return;
	}
	from = clock_mono_us();
	flow = inspection_body(x->inspection, piece, &release);
	judge(x, flow, release);
	x->inspection_us += clock_mono_us() - from;
}

static void inspect_end(struct exchange *x)
{
	uint64_t from = clock_mono_us();

	if (x->inspection && !exchange_stopped(x))
		judge(x, inspection_end(x->inspection), UINT64_MAX);
	if (!exchange_stopped(x))
		x->up.released = UINT64_MAX;
	x->inspection_us += clock_mono_us() - from;
}

/* ---- from the client ---- */

static bool straight(const struct exchange *x)
{
	const struct upload *u = &x->up;

	return u->begun && !u->broken && u->hold.len == 0 && u->released == UINT64_MAX && x->peer;
}

static void send_straight(struct exchange *x, struct bytes data);

static uint64_t body_max(const struct exchange *x)
{
	if (x->body_exception && x->body_exception->max_body)
		return x->body_exception->max_body;
	return exchange_limits(x)->body_bytes;
}

static void note(struct exchange *x, struct bytes data)
{
	struct text *t = &x->up.log;

	if (!t->at) {
		t->at = arena_get(x->arena, RECORD_BODY);
		t->cap = t->at ? RECORD_BODY : 0;
	}
	text_put(t, bytes_sub(data, 0, t->cap - t->len));
}

static void take_piece(struct exchange *x, struct bytes data)
{
	if (x->app && x->app->config->log_body)
		note(x, data);
	if (x->up.ours && x->up.decoder.total > OURS_MAX)
		refuse(x, 413, BYTES("body longer than an endpoint of the gate takes"));
	else if (x->up.decoder.total > body_max(x))
		exchange_rule(x, REMEDY_DENY, SOURCE_LIMIT, 413, BYTES("body longer than max_body"));
	if (!exchange_stopped(x))
		inspect_piece(x, data);
	if (exchange_stopped(x) || x->up.broken)
		return;
	if (straight(x))
		send_straight(x, data);
	else
		keep(x, data);
}

/* Takes off `in` what belongs to the body, and looks at it. */
static void take_body(struct exchange *x, struct bytes *in)
{
	struct http1_limits limits = client_limits(x->client);
	struct bytes data;
	struct err err;
	enum http1_step step = http1_body_all(&x->up.decoder, x->arena, &limits, in, &data,
					      &x->request.trailers, &err);

	if (data.len)
		take_piece(x, data);
	if (step == HTTP1_BAD) {
		x->fault = err;
		exchange_rule(x, REMEDY_DENY, SOURCE_PROTOCOL, 400,
			      arena_copy(x->arena, bytes_of(err.text)));
	} else if (step == HTTP1_DONE) {
		x->up.done = true;
		inspect_end(x);
	}
}

/* What a deny means once the server has part of the request. */
static void cut(struct exchange *x)
{
	if (x->down.have_head && !x->down.held) {
		client_reset(x->client);
	} else { /* the client has nothing yet, and may be told */
		forward_release(x, false);
		answer_ruling(x);
	}
	exchange_abandon(x);
}

static void pause_if_full(struct exchange *x)
{
	size_t most = x->app ? x->app->config->waf.window + HOLD_SLACK : HOLD_SLACK;

	if (!x->up.done &&
	    (x->up.hold.len > most || (x->peer && stream_backlog(x->peer->stream) > BACKLOG_HIGH)))
		client_pause_upload(x->client, true);
}

struct bytes upload_take(struct exchange *x, struct bytes in)
{
	struct upload *u = &x->up;
	bool was_decided = u->decided;

	take_body(x, &in);
	if (exchange_stopped(x)) {
		u->decided = true;
		if (!u->done) {
			in.len = 0;
			x->close_client = true;
		}
		if (u->begun)
			cut(x);
		else
			exchange_run(x);
		return in;
	}
	u->decided = u->decided || u->released > 0 || u->done;
	pause_if_full(x);
	if (!was_decided && u->decided)
		exchange_run(x);
	else if (u->begun)
		upload_pump(x, (struct bytes){ 0 });
	return in;
}

/* ---- to the server ---- */

enum { PIECES = 6 };

struct pieces {
	struct bytes v[PIECES];
	size_t n;
	char chunk[18];
};

static void piece(struct pieces *p, struct bytes b)
{
	if (b.len)
		p->v[p->n++] = b;
}

static void piece_data(struct pieces *p, struct bytes data, bool chunked)
{
	if (!data.len)
		return;
	if (chunked)
		piece(p, (struct bytes){ p->chunk, http1_chunk_head(p->chunk, data.len) });
	piece(p, data);
	if (chunked)
		piece(p, BYTES("\r\n"));
}

static void send_straight(struct exchange *x, struct bytes data)
{
	struct pieces p = { .n = 0 };

	piece_data(&p, data, x->request.framing == BODY_CHUNKED);
	if (!stream_write(x->peer->stream, p.v, p.n))
		x->up.broken = true;
	x->up.sent += data.len;
	x->up.hold.start = x->up.sent;
}

static bool ends_now(const struct upload *u, uint64_t upto)
{
	return u->done && !u->ended && upto == u->hold.start + u->hold.len;
}

bool upload_pump(struct exchange *x, struct bytes head)
{
	struct upload *u = &x->up;
	struct hold *h = &u->hold;
	bool chunked = x->request.framing == BODY_CHUNKED;
	uint64_t upto = h->start + h->len < u->released ? h->start + h->len : u->released;
	struct pieces p = { .n = 0 };
	struct bytes end;

	if (u->broken || !x->peer)
		return false;
	piece(&p, head);
	if (upto > u->sent)
		piece_data(&p, bytes_sub((struct bytes){ h->at, h->len }, u->sent - h->start,
					 upto - h->start), chunked);
	if (ends_now(u, upto)) {
		u->ended = true;
		if (chunked) {
			end = http1_write_trailers(x->arena, &x->request.trailers);
			piece(&p, BYTES("0\r\n"));
			piece(&p, end.at ? end : BYTES("\r\n"));
		}
	}
	if (p.n && !stream_write(x->peer->stream, p.v, p.n))
		u->broken = true;
	u->sent = upto > u->sent ? upto : u->sent;
	/* What may have to be sent again stays; of a stream the sent part goes. */
	if (!u->done || h->start > 0)
		hold_drop(h, u->sent - h->start);
	if (!x->down.have_head) /* its time runs from the last byte that it got */
		peer_expect(x->peer, x->app->config->timeouts.first_byte_ms);
	pause_if_full(x);
	return !u->broken;
}

bool upload_replayable(const struct exchange *x)
{
	return x->up.done && x->up.hold.start == 0;
}

void upload_rewind(struct exchange *x)
{
	x->up.sent = 0;
	x->up.begun = x->up.ended = x->up.broken = false;
}

void upload_forget(struct exchange *x)
{
	if (x->up.ended)
		upload_free(x);
}
