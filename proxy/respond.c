/* respond.c -- the answer's way to the client, and tunnels.
 *
 * The head waits for the first bytes of the body of the same read, so that a
 * small answer leaves in one system call; while vet.c holds the answer, nothing
 * leaves. A truncated answer never looks whole:
 * a length is not reached, the last chunk is missing, or the connection is reset. */
#include "proxy/behaviour.h"
#include "proxy/client.h"
#include "proxy/encode.h"
#include "proxy/forward.h"
#include "proxy/hold.h"
#include "proxy/peer.h"
#include "proxy/stages.h"
#include "proxy/upload.h"
#include "proxy/vet.h"
#include "proxy/worker.h"

enum {
	BACKLOG_HIGH = 256 << 10, /* bytes on their way to a client; beyond, the server waits */
	PIECES = 6,               /* of one write: a head, a chunk with its frame, the last chunk with trailers */
};

struct gather {
	struct exchange *x;
	struct bytes v[PIECES];
	size_t n;
	char chunk[18];
};

static void flush(struct gather *g)
{
	if (g->n && !client_write(g->x->client, g->v, g->n))
		g->x->close_client = true; /* the client is gone, and will be told so */
	g->n = 0;
}

static void add(struct gather *g, struct bytes b)
{
	if (b.len)
		g->v[g->n++] = b;
}

static void add_head(struct gather *g)
{
	add(g, g->x->down.pending_head);
	g->x->down.pending_head = (struct bytes){ 0 };
}

static void add_data(struct gather *g, struct bytes data)
{
	bool chunked = g->x->down.chunked_out;

	if (!data.len)
		return;
	if (chunked)
		add(g, (struct bytes){ g->chunk, http1_chunk_head(g->chunk, data.len) });
	add(g, data);
	if (chunked)
		add(g, BYTES("\r\n"));
	g->x->response_bytes += data.len;
}

static void add_end(struct gather *g, const struct fields *trailers)
{
	struct bytes end;

	if (!g->x->down.chunked_out)
		return;
	end = http1_write_trailers(g->x->arena, trailers);
	add(g, BYTES("0\r\n"));
	add(g, end.at ? end : BYTES("\r\n"));
}

bool respond_head(struct exchange *x)
{
	x->status = x->down.head.status;
	x->down.pending_head = encode_response(x);
	if (!x->inspection)
		x->down.head.fields = (struct fields){ 0 }; /* they borrowed from the read buffer */
	return x->down.pending_head.at != NULL;
}

static void pause_if_full(struct exchange *x)
{
	if (x->peer && !x->down.done && stream_backlog(x->client->stream) > BACKLOG_HIGH)
		stream_pause(x->peer->stream);
}

bool respond_release(struct exchange *x, struct bytes more)
{
	struct download *d = &x->down;
	struct gather g = { .x = x };

	if (!respond_head(x))
		return false;
	d->held = false;
	add_head(&g);
	add_data(&g, (struct bytes){ d->hold.at, d->hold.len });
	if (more.len) {
		flush(&g);
		add_data(&g, more);
	}
	if (d->done)
		add_end(&g, &d->trailers);
	flush(&g);
	hold_free(x, &d->hold);
	pause_if_full(x);
	return true;
}

static void decode(struct exchange *x, struct gather *g, struct bytes in)
{
	struct http1_limits limits = client_limits(x->client);
	struct download *d = &x->down;
	struct bytes data;
	struct err err;

	enum http1_step step = http1_body_all(&d->decoder, x->arena, &limits, &in, &data, &d->trailers, &err);

	if (step == HTTP1_DONE && in.len)
		d->head.keep_alive = false; /* more than an answer */
	d->truncated = step == HTTP1_BAD;
	d->done = step != HTTP1_MORE;
	behaviour_answer_bytes(x, data);
	if (d->held) {
		if (!d->truncated)
			vet_take(x, data);
		return;
	}
	add_data(g, data);
	if (step == HTTP1_DONE)
		add_end(g, &d->trailers);
}

void respond_bytes(struct exchange *x, struct bytes in)
{
	struct gather g = { .x = x };

	if (x->down.tunnel && !in.len)
		return;
	add_head(&g);
	if (x->down.tunnel) {
		add(&g, in);
		x->response_bytes += in.len;
	} else {
		decode(x, &g, in);
	}
	flush(&g);
	pause_if_full(x);
}

void respond_drained(struct exchange *x)
{
	if (x->peer)
		stream_resume(x->peer->stream);
}

void respond_end(struct exchange *x, bool clean)
{
	struct gather g = { .x = x };

	x->down.done = true;
	if (!clean || !http1_body_eof(&x->down.decoder)) {
		x->down.truncated = true;
		return;
	}
	if (x->down.held) {
		vet_take(x, (struct bytes){ 0 });
		return;
	}
	add_head(&g);
	add_end(&g, &(struct fields){ 0 });
	flush(&g);
}

static void flush_head(struct exchange *x)
{
	struct gather g = { .x = x };

	add_head(&g);
	flush(&g);
}

/* Where it is delimited the client sees that some is missing, and gets what came;
 * else only a reset tells. */
static void cut_short(struct exchange *x)
{
	err_set(&x->failure, SIDE_UPSTREAM, 502, "%s: the answer was cut", x->backend->server->name);
	x->close_client = true;
	if (!x->down.chunked_out && x->down.head.framing != BODY_LENGTH)
		client_reset(x->client);
}

enum flow stage_respond(struct exchange *x)
{
	flush_head(x);
	if (!x->down.done)
		return WAIT;
	if (x->down.truncated)
		cut_short(x);
	forward_done(x);
	if (!x->up.done)
		x->close_client = true;
	return GO;
}

/* ---- tunnels ---- */

void tunnel_up(struct exchange *x, struct bytes in)
{
	if (!x->peer || !stream_write(x->peer->stream, &in, 1))
		return;
	if (stream_backlog(x->peer->stream) > BACKLOG_HIGH)
		client_pause_upload(x->client, true);
}

/* One side said its last: the other is told, and goes on until it has too. */
void tunnel_ended(struct exchange *x, bool by_client)
{
	if (by_client) {
		x->up.ended = true;
		stream_finish(x->peer->stream);
	} else {
		x->down.truncated ? client_reset(x->client) : stream_finish(x->client->stream);
		x->down.done = true;
	}
	if (x->down.truncated || (x->client->ended && x->down.done)) {
		x->down.done = true;
		x->close_client = true;
		exchange_run(x);
	}
}
