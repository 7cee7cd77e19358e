/* http1_response.c -- the answer that we pass on ends where the origin's ended,
 * and says the same. */
#include "base/http1.h"
#include "tests/fuzz/must.h"

static const struct http1_limits limits = { .head_bytes = 4096, .target_bytes = 1024, .fields = 64 };

static bool is_kept(const struct field *f, bool bodiless)
{
	return !f->drop && f->id != FIELD_TRANSFER_ENCODING &&
	       (f->id != FIELD_CONTENT_LENGTH || bodiless);
}

static void must_be_same_fields(const struct fields *a, const struct fields *b, bool bodiless)
{
	size_t k = 0;

	for (size_t i = 0; i < a->n; i++) {
		if (!is_kept(&a->at[i], bodiless))
			continue;
		while (k < b->n && !is_kept(&b->at[k], bodiless))
			k++;
		must(k < b->n && bytes_eq(a->at[i].name, b->at[k].name));
		must(bytes_eq(a->at[i].value, b->at[k].value));
		k++;
	}
	while (k < b->n)
		must(!is_kept(&b->at[k++], bodiless));
}

static void must_read_back(struct arena *a, const struct request *asked, const struct response *s)
{
	bool bodiless = s->framing == BODY_NONE;
	struct response back;
	struct err e = { 0 };
	struct bytes onward = http1_write_response(a, s, NULL, 0, s->framing, s->length);

	must(onward.at != NULL);
	if (onward.len > limits.head_bytes)
		return;
	must(http1_parse_response(a, onward, &limits, asked, &back, &e));
	must(back.status == s->status && bytes_eq(back.reason, s->reason));
	must(back.framing == s->framing);
	must(back.length == s->length || s->status < 200 || s->status == 204);
	must_be_same_fields(&s->fields, &back.fields, bodiless);
	must(bytes_eq(http1_write_response(a, &back, NULL, 0, back.framing, back.length), onward));
}

/* What RFC 9112 6.3 leaves without a body, and what may not be reused. */
static void must_be_framed(const struct request *asked, const struct response *s)
{
	bool none = s->status < 200 || s->status == 204 || s->status == 304 ||
		    bytes_eq(asked->method, BYTES("HEAD"));

	must(s->status >= 100 && s->status <= 599);
	must(!none || s->framing == BODY_NONE);
	must(s->framing != BODY_UNTIL_CLOSE || !s->keep_alive);
	must(s->framing != BODY_LENGTH || (s->length > 0 && s->length <= INT64_MAX));
	must(s->framing != BODY_CHUNKED || s->minor == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct request get = { .method = BYTES_INIT("GET") }, head = { .method = BYTES_INIT("HEAD") };
	const struct request *asked = size && data[0] % 2 ? &head : &get;
	struct bytes in = bytes_from((struct bytes){ (const char *)data, size }, 1);
	struct arena *a = arena_new(256 << 10);
	struct err e = { 0 };
	struct response s;

	if (size > 0) {
		if (http1_parse_response(a, in, &limits, asked, &s, &e)) {
			must_be_framed(asked, &s);
			must_read_back(a, asked, &s);
		} else {
			must(e.side == SIDE_UPSTREAM && e.code == 502 && e.text[0]);
		}
	}
	arena_free(a);
	return 0;
}
