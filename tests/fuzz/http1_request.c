/* http1_request.c -- what we forward reads back the same: a proxy and an upstream
 * that take one request differently is request smuggling. And a head is found,
 * or refused, whatever the pieces that it comes in. */
#include "base/http1.h"
#include "tests/fuzz/must.h"

static const struct http1_limits limits = { .head_bytes = 4096, .target_bytes = 1024, .fields = 64 };

static enum http1_step feed(struct bytes in, size_t piece, size_t *end, struct err *e)
{
	enum http1_step step = HTTP1_MORE;

	*end = 0;
	for (size_t n = 0; step == HTTP1_MORE && n < in.len;) {
		n = n + piece < in.len ? n + piece : in.len;
		step = http1_head_end(bytes_sub(in, 0, n), end, &limits, e);
	}
	return step;
}

/* The fields that were to go on, all and in order; Host and framing apart. */
static const struct field *next_kept(const struct fields *f, size_t *i)
{
	for (; *i < f->n; (*i)++) {
		enum field_id id = f->at[*i].id;

		if (!f->at[*i].drop && id != FIELD_HOST && id != FIELD_CONTENT_LENGTH &&
		    id != FIELD_TRANSFER_ENCODING)
			return &f->at[(*i)++];
	}
	return NULL;
}

static void must_be_same_fields(const struct fields *a, const struct fields *b)
{
	size_t i = 0, k = 0;
	const struct field *x, *y;

	do {
		x = next_kept(a, &i);
		y = next_kept(b, &k);
		must(!x == !y);
		must(!x || (bytes_eq(x->name, y->name) && bytes_eq(x->value, y->value)));
	} while (x);
}

static void must_read_back(struct arena *a, const struct request *q)
{
	const struct field host = { BYTES("Host"), BYTES("none"), FIELD_HOST, false };
	struct request back;
	struct err e = { 0 };
	struct bytes onward = http1_write_request(a, q, &host, q->host.len == 0, q->framing, q->length);
	/* The Host that is added may be one field more than we ourselves would take. */
	const struct http1_limits theirs = { limits.head_bytes, limits.target_bytes, limits.fields + 1 };
	size_t end = 0;

	must(onward.at != NULL);
	must(http1_head_end(onward, &end, &limits, &e) == HTTP1_DONE || e.code == 431);
	if (onward.len > limits.head_bytes)
		return;
	must(end == onward.len && http1_parse_request(a, onward, &theirs, &back, &e));
	must(bytes_eq(back.method, q->method) && bytes_eq(back.path, q->path));
	must(bytes_eq(back.query, q->query) && !back.query.at == !q->query.at);
	must(bytes_eq(back.host, q->host.len ? q->host : host.value));
	must(!q->host.len || bytes_eq_nocase(back.hostname, q->hostname));
	must(back.framing == q->framing && back.length == q->length);
	must_be_same_fields(&q->fields, &back.fields);
	must(bytes_eq(http1_write_request(a, &back, NULL, 0, back.framing, back.length), onward) ||
	     !q->host.len);
}

static bool is_within(struct bytes part, struct bytes whole)
{
	return part.len == 0 || (part.at >= whole.at && part.at + part.len <= whole.at + whole.len);
}

static void must_be_salvaged(const struct request *q, struct bytes head)
{
	must(is_within(q->line, head) && is_within(q->method, head) && is_within(q->path, head));
	must(is_within(q->query, head) && is_within(q->host, head) && is_within(q->hostname, head));
	must(q->fields.n <= limits.fields && q->framing == BODY_NONE && !q->keep_alive);
	for (size_t i = 0; i < q->fields.n; i++)
		must(is_within(q->fields.at[i].name, head) && is_within(q->fields.at[i].value, head));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = bytes_from((struct bytes){ (const char *)data, size }, 1);
	struct arena *a = arena_new(256 << 10);
	struct err e = { 0 }, cut_e = { 0 };
	struct request q;
	size_t end, cut_end;
	enum http1_step step;

	if (size > 0) {
		step = feed(in, SIZE_MAX / 2, &end, &e);
		must(feed(in, data[0] % 32 + 1u, &cut_end, &cut_e) == step && e.code == cut_e.code);
		must(step != HTTP1_DONE || end == cut_end);
		if (step == HTTP1_DONE)
			in = bytes_sub(in, 0, end);
		if (http1_parse_request(a, in, &limits, &q, &e)) {
			must(step == HTTP1_DONE);
			must_read_back(a, &q);
		} else {
			must(e.side == SIDE_CLIENT && e.code >= 400 && e.code <= 505 && e.text[0]);
			must_be_salvaged(&q, in);
		}
	}
	arena_free(a);
	return 0;
}
