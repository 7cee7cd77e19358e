/* http1_body.c -- a body is the same in any pieces, and what was taken apart and
 * put together again is the same body. */
#include "base/http1.h"
#include "tests/fuzz/must.h"

static const struct http1_limits limits = { .head_bytes = 512, .target_bytes = 512, .fields = 8 };

struct read {
	enum http1_step step;
	struct text payload;
	struct fields trailers;
	size_t used; /* bytes of the input that are the body's */
	int code;
};

/* Gives `in` in pieces whose lengths go round `cuts`. */
static struct read read_body(struct arena *a, enum framing framing, uint64_t length, struct bytes in,
			     const uint8_t *cuts, size_t ncuts)
{
	struct read r = { .step = HTTP1_MORE };
	struct http1_body b;
	struct bytes now = { in.at, 0 }, data;
	struct err e = { 0 };
	size_t given = 0, turn = 0;

	r.payload = text_over(arena_raw(a, in.len + 1), in.len);
	http1_body_start(&b, framing, length);
	while (r.step == HTTP1_DATA || (r.step == HTTP1_MORE && given < in.len)) {
		if (now.len == 0) {
			now = bytes_sub(in, given, ncuts ? given + 1 + cuts[turn++ % ncuts] % 16 : in.len);
			given += now.len;
		}
		r.step = http1_body_next(&b, a, &limits, &now, &data, &r.trailers, &e);
		text_put(&r.payload, data);
		must(b.total == r.payload.len && (data.len == 0 || data.at + data.len == now.at));
	}
	must(http1_body_eof(&b) == (r.step == HTTP1_DONE || framing == BODY_UNTIL_CLOSE));
	r.used = given - now.len;
	r.code = e.code;
	return r;
}

static bool same_fields(const struct fields *a, const struct fields *b)
{
	bool same = a->n == b->n;

	for (size_t i = 0; same && i < a->n; i++)
		same = bytes_eq(a->at[i].name, b->at[i].name) && bytes_eq(a->at[i].value, b->at[i].value) &&
		       a->at[i].drop == b->at[i].drop;
	return same;
}

static void must_be_same(const struct read *x, const struct read *y)
{
	must(x->step == y->step && x->code == y->code);
	must(bytes_eq(text_bytes(&x->payload), text_bytes(&y->payload)));
	must(x->step != HTTP1_DONE || (x->used == y->used && same_fields(&x->trailers, &y->trailers)));
}

static void put_chunk(struct text *t, struct bytes data)
{
	char head[18];

	text_put(t, (struct bytes){ head, http1_chunk_head(head, data.len) });
	text_put(t, data);
	text_str(t, "\r\n");
}

/* In chunks of other sizes than they came in. */
static void must_survive_the_next_hop(struct arena *a, const struct read *x, size_t each)
{
	struct bytes body = text_bytes(&x->payload), late = http1_write_trailers(a, &x->trailers);
	size_t room = body.len * 24 + late.len + 16;
	struct text t = text_over(arena_raw(a, room), room);
	struct read y;
	size_t kept = 0;

	for (size_t i = 0; i < body.len; i += each)
		put_chunk(&t, bytes_sub(body, i, i + each));
	text_str(&t, "0\r\n");
	text_put(&t, late);
	must(!t.full);
	if (late.len > limits.head_bytes)
		return;
	y = read_body(a, BODY_CHUNKED, 0, text_bytes(&t), NULL, 0);
	must(y.step == HTTP1_DONE && y.used == t.len);
	must(bytes_eq(body, text_bytes(&y.payload)));
	for (size_t i = 0; i < x->trailers.n; i++)
		kept += !x->trailers.at[i].drop;
	must(kept == y.trailers.n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum framing framings[] = { BODY_CHUNKED, BODY_CHUNKED, BODY_LENGTH, BODY_UNTIL_CLOSE };
	struct arena *a = arena_new(1 << 20);
	struct read whole, cut;

	if (size > 4 && size < 4096) {
		struct bytes in = { (const char *)data + 4, size - 4 };
		enum framing framing = framings[data[0] % nelems(framings)];

		whole = read_body(a, framing, data[1], in, NULL, 0);
		cut = read_body(a, framing, data[1], in, data, 4);
		must_be_same(&whole, &cut);
		if (whole.step == HTTP1_DONE)
			must_survive_the_next_hop(a, &whole, data[2] % 32 + 1u);
	}
	arena_free(a);
	return 0;
}
