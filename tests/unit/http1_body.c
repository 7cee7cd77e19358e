/* http1_body.c -- a body is the same however it was cut, and what frames the
 * chunks has one spelling. */
#include "tests/test.h"
#include <stdio.h>
#include "base/http1.h"

static const struct http1_limits limits = { .head_bytes = 200, .target_bytes = 200, .fields = 4 };

/* What reading a body gave: payload, trailers as "name=value;" ('-' in front of a
 * dropped one), the rest, and the error. */
struct result {
	struct text payload, trailers;
	struct bytes rest;
	enum http1_step step;
	bool whole; /* if the connection ended now */
	struct err e;
	char buf[2][1024];
};

static void note_trailers(struct result *r, const struct fields *f)
{
	for (size_t i = 0; i < f->n; i++) {
		text_str(&r->trailers, f->at[i].drop ? "-" : "");
		text_put(&r->trailers, f->at[i].name);
		text_byte(&r->trailers, '=');
		text_put(&r->trailers, f->at[i].value);
		text_byte(&r->trailers, ';');
	}
}

/* Reads `in`, which arrives in pieces of `piece` bytes. */
static void read_body(struct result *r, struct arena *a, enum framing framing, uint64_t length,
		      struct bytes in, size_t piece)
{
	struct http1_body b;
	struct bytes data, now = { in.at, 0 };
	struct fields trailers = { 0 };
	size_t given = 0;

	*r = (struct result){ 0 };
	r->payload = text_over(r->buf[0], sizeof r->buf[0]);
	r->trailers = text_over(r->buf[1], sizeof r->buf[1]);
	http1_body_start(&b, framing, length);
	for (;;) {
		r->step = http1_body_next(&b, a, &limits, &now, &data, &trailers, &r->e);
		text_put(&r->payload, data);
		if (r->step == HTTP1_DONE || r->step == HTTP1_BAD || (r->step == HTTP1_MORE && given == in.len))
			break;
		if (r->step == HTTP1_DATA)
			continue;
		assert_int_equal(now.len, 0);
		now = bytes_sub(in, given, given + piece);
		given += now.len;
	}
	r->rest = (struct bytes){ now.at, (size_t)(in.at + in.len - now.at) };
	r->whole = http1_body_eof(&b);
	if (r->step == HTTP1_DONE)
		note_trailers(r, &trailers);
	assert_int_equal(b.total, r->payload.len);
}

#define SIXTEEN "abcdefghijklmnop"

static const struct {
	enum framing framing;
	uint64_t length;
	struct bytes in;
	enum http1_step step;
	bool whole;
	const char *payload, *rest, *trailers;
} bodies[] = {
	{ BODY_NONE, 0, BYTES_INIT("GET"), HTTP1_DONE, true, "", "GET", "" },
	{ BODY_LENGTH, 0, BYTES_INIT("GET"), HTTP1_DONE, true, "", "GET", "" },
	{ BODY_LENGTH, 5, BYTES_INIT("helloGET"), HTTP1_DONE, true, "hello", "GET", "" },
	{ BODY_LENGTH, 5, BYTES_INIT("hello"), HTTP1_DONE, true, "hello", "", "" },
	{ BODY_LENGTH, 5, BYTES_INIT("hell"), HTTP1_MORE, false, "hell", "", "" },
	{ BODY_LENGTH, 5, BYTES_INIT(""), HTTP1_MORE, false, "", "", "" },
	{ BODY_LENGTH, INT64_MAX, BYTES_INIT("x"), HTTP1_MORE, false, "x", "", "" },
	{ BODY_UNTIL_CLOSE, 0, BYTES_INIT("hello\r\n"), HTTP1_MORE, true, "hello\r\n", "", "" },
	{ BODY_UNTIL_CLOSE, 0, BYTES_INIT(""), HTTP1_MORE, true, "", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("0\r\n\r\n"), HTTP1_DONE, true, "", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("0\r\n\r\nGET"), HTTP1_DONE, true, "", "GET", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("5\r\nhello\r\n0\r\n\r\nGET"), HTTP1_DONE, true, "hello", "GET", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("1\r\na\r\n2\r\nbc\r\n00\r\n\r\n"), HTTP1_DONE, true, "abc", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("0000000000000005\r\nhello\r\n0\r\n\r\n"), HTTP1_DONE, true, "hello", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("a\r\n\r\n0\r\n\r\n0\r\n\r\n0\r\n\r\n"), HTTP1_DONE, true, "\r\n0\r\n\r\n0\r\n", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("A\r\n0123456789\r\nF\r\n0123456789abcde\r\n0\r\n\r\n"), HTTP1_DONE, true,
	  "01234567890123456789abcde", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("10\r\n" SIXTEEN "\r\n0\r\n\r\n"), HTTP1_DONE, true, SIXTEEN, "", "" },
	/* Not at the end yet. */
	{ BODY_CHUNKED, 0, BYTES_INIT(""), HTTP1_MORE, false, "", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("5"), HTTP1_MORE, false, "", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("5\r"), HTTP1_MORE, false, "", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("5\r\nhel"), HTTP1_MORE, false, "hel", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("5\r\nhello"), HTTP1_MORE, false, "hello", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("5\r\nhello\r\n"), HTTP1_MORE, false, "hello", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("5\r\nhello\r\n0\r\n"), HTTP1_MORE, false, "hello", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("0\r\n\r"), HTTP1_MORE, false, "", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("0\r\nA: b\r\n"), HTTP1_MORE, false, "", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("7fffffffffffffff\r\nx"), HTTP1_MORE, false, "x", "", "" },
	/* Extensions: read, and never passed on. */
	{ BODY_CHUNKED, 0, BYTES_INIT("1;a\r\nx\r\n0;b=c\r\n\r\n"), HTTP1_DONE, true, "x", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("1;a=b;c=d;e\r\nx\r\n0\r\n\r\n"), HTTP1_DONE, true, "x", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("1 ;\ta = b\t; c\r\nx\r\n0\r\n\r\n"), HTTP1_DONE, true, "x", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("1;a=\"b;\\\"c\t\\\\ \xff=\"\r\nx\r\n0\r\n\r\n"), HTTP1_DONE, true, "x", "", "" },
	{ BODY_CHUNKED, 0, BYTES_INIT("1;a=\"\" ;b=\"\";c\r\nx\r\n0\r\n\r\n"), HTTP1_DONE, true, "x", "", "" },
	/* Trailers. */
	{ BODY_CHUNKED, 0, BYTES_INIT("0\r\nA: b\r\n\r\nGET"), HTTP1_DONE, true, "", "GET", "A=b;" },
	{ BODY_CHUNKED, 0, BYTES_INIT("1\r\nx\r\n0\r\nA:\t b \r\nC:\r\n\r\n"), HTTP1_DONE, true, "x", "", "A=b;C=;" },
	{ BODY_CHUNKED, 0, BYTES_INIT("0\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: x\r\nB: c\r\n\r\n"),
	  HTTP1_DONE, true, "", "", "-Host=a;-Content-Length=5;-Transfer-Encoding=x;B=c;" },
	{ BODY_CHUNKED, 0, BYTES_INIT("0\r\nconnection: a\r\nCookie: b\r\nX-Forwarded-For: c\r\nTE: d\r\n\r\n"),
	  HTTP1_DONE, true, "", "", "-connection=a;-Cookie=b;-X-Forwarded-For=c;-TE=d;" },
	{ BODY_CHUNKED, 0, BYTES_INIT("0\r\nRange: a\r\nCache-Control: b\r\nX_Forwarded_For: c\r\nETag: d\r\n\r\n"),
	  HTTP1_DONE, true, "", "", "-Range=a;-Cache-Control=b;-X_Forwarded_For=c;ETag=d;" },
};

static void a_body_does_not_depend_on_the_cuts(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(bodies); i++)
		for (size_t piece = 1; piece <= bodies[i].in.len + 1; piece++) {
			struct arena *a = arena_new(64 << 10);
			struct result r;

			read_body(&r, a, bodies[i].framing, bodies[i].length, bodies[i].in, piece);
			if (r.step != bodies[i].step || r.whole != bodies[i].whole)
				fail_msg("case %zu by %zu: step %d %s", i, piece, (int)r.step, r.e.text);
			assert_bytes(text_bytes(&r.payload), bytes_of(bodies[i].payload));
			assert_bytes(text_bytes(&r.trailers), bytes_of(bodies[i].trailers));
			assert_bytes(r.rest, bytes_of(bodies[i].rest));
			arena_free(a);
		}
}

static const struct {
	struct bytes in;
	int status;
	const char *why, *payload; /* payload: what was given out before */
} faults[] = {
	{ BYTES_INIT("\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("g\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT(" 5\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("5 \r\nhello\r\n"), 400, "extension", "" },
	{ BYTES_INIT("5\t\r\nhello\r\n"), 400, "extension", "" },
	{ BYTES_INIT("0 \r\n\r\n"), 400, "extension", "" },
	{ BYTES_INIT("+5\r\nhello\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("-5\r\nhello\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("0x5\r\nhello\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("5h\r\nhello\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("5_0\r\nhello\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("5,5\r\nhello\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("5.\r\nhello\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("5\0\r\nhello\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("\"5\"\r\nhello\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("\xef\xbc\x95\r\nhello\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("8000000000000000\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("ffffffffffffffff\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("10000000000000005\r\nhello\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("00000000000000005\r\nhello\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("5\nhello\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("5\rhello\r\n"), 400, "bare CR", "" },
	{ BYTES_INIT("5\r\r\nhello\r\n"), 400, "bare CR", "" },
	{ BYTES_INIT("5\r\nhello0\r\n\r\n"), 400, "longer than its size", "hello" },
	{ BYTES_INIT("5\r\nhello\n0\r\n\r\n"), 400, "longer than its size", "hello" },
	{ BYTES_INIT("5\r\nhello\r0\r\n\r\n"), 400, "longer than its size", "hello" },
	{ BYTES_INIT("5\r\nhello \r\n0\r\n\r\n"), 400, "longer than its size", "hello" },
	{ BYTES_INIT("5\r\nhello\r\n\r\n0\r\n\r\n"), 400, "chunk size", "hello" },
	{ BYTES_INIT("4\r\nhello\r\n"), 400, "longer than its size", "hell" },
	{ BYTES_INIT("0\n\n"), 400, "chunk size", "" },
	{ BYTES_INIT("0\r\n\n"), 400, "bare LF", "" },
	{ BYTES_INIT("0\n\r\n"), 400, "chunk size", "" },
	{ BYTES_INIT("0\r\n\rG"), 400, "bare CR", "" },
	{ BYTES_INIT("0\r\r\n\r\n"), 400, "bare CR", "" },
	{ BYTES_INIT("1;\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;;a\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;=b\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;a=\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;a=b=c\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;a \r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;a=b \r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;a b\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1 a\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;a\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;a=b\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;a\rb\r\nx\r\n"), 400, "bare CR", "" },
	{ BYTES_INIT("1;a\0\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;a=\"b\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;a=\"b\nc\"\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;a=\"\\\r\"\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;a=\"b\"c\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;a=\"\x7f\"\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("1;\xff=b\r\nx\r\n"), 400, "extension", "" },
	{ BYTES_INIT("0\r\nA: b\n\r\n"), 400, "bare LF", "" },
	{ BYTES_INIT("0\r\nA: b\r\n\n"), 400, "bare LF", "" },
	{ BYTES_INIT("0\r\n A: b\r\n\r\n"), 400, "folded", "" },
	{ BYTES_INIT("0\r\nA: b\r\n c\r\n\r\n"), 400, "folded", "" },
	{ BYTES_INIT("0\r\nA : b\r\n\r\n"), 400, "before its colon", "" },
	{ BYTES_INIT("0\r\n: b\r\n\r\n"), 400, "empty field name", "" },
	{ BYTES_INIT("0\r\nA\r\n\r\n"), 400, "in a field name", "" },
	{ BYTES_INIT("0\r\nA: b\rC: d\r\n\r\n"), 400, "bare CR", "" },
	{ BYTES_INIT("0\r\nA: b\0\r\n\r\n"), 400, "byte 0x00", "" },
	{ BYTES_INIT("0\r\nContent_Length: 5\r\n\r\n"), 400, "imitates", "" },
	{ BYTES_INIT("0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n"), 400, "blank in a field name", "" },
	{ BYTES_INIT("0\r\nA:\r\nB:\r\nC:\r\nD:\r\nE:\r\n\r\n"), 431, "more than 4 fields", "" },
	{ BYTES_INIT("0\r\nA: 456789012345678901234567890123456789012345678901234567890123456789012345678901234567890"
	  "12345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234"
	  "56789\r\n\r\n"), 431, "too long", "" },
};

static void a_malformed_chunk_ends_the_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(faults); i++)
		for (size_t piece = 1; piece <= faults[i].in.len; piece++) {
			struct arena *a = arena_new(64 << 10);
			struct result r;

			read_body(&r, a, BODY_CHUNKED, 0, faults[i].in, piece);
			if (r.step != HTTP1_BAD || r.e.code != faults[i].status || r.e.side != SIDE_CLIENT ||
			    !strstr(r.e.text, faults[i].why))
				fail_msg("case %zu by %zu: step %d, %d %s", i, piece, (int)r.step, r.e.code, r.e.text);
			assert_false(r.whole);
			assert_bytes(text_bytes(&r.payload), bytes_of(faults[i].payload));
			arena_free(a);
		}
}

static void extensions_are_bounded_over_the_whole_body(void **state)
{
	struct arena *a = arena_new(64 << 10);
	struct http1_body b;
	struct bytes in, data;
	enum http1_step step = HTTP1_MORE;
	struct err e = { 0 };
	size_t chunks = 0;

	(void)state;
	http1_body_start(&b, BODY_CHUNKED, 0);
	while (step != HTTP1_BAD && chunks < 100000) {
		in = BYTES("1;abcdefghijklmno\r\nx\r\n");
		do
			step = http1_body_next(&b, a, &limits, &in, &data, NULL, &e);
		while (step == HTTP1_DATA);
		chunks++;
	}
	assert_int_equal(step, HTTP1_BAD);
	assert_in_range(chunks, 1000, 1100); /* of 16 bytes each: 16 KiB */
	arena_free(a);
}

static void data_is_given_out_where_it_stands(void **state)
{
	struct arena *a = arena_new(64 << 10);
	struct http1_body b;
	struct bytes in = BYTES("5\r\nhello\r\n0\r\n\r\n"), all = in, data;

	(void)state;
	http1_body_start(&b, BODY_CHUNKED, 0);
	assert_int_equal(http1_body_next(&b, a, &limits, &in, &data, NULL, NULL), HTTP1_DATA);
	assert_ptr_equal(data.at, all.at + 3);
	assert_int_equal(data.len, 5);
	assert_int_equal(http1_body_next(&b, a, &limits, &in, &data, NULL, NULL), HTTP1_DONE);
	assert_int_equal(http1_body_next(&b, a, &limits, &in, &data, NULL, NULL), HTTP1_DONE);
	arena_free(a);
}

static void small_chunks_are_joined_in_place(void **state)
{
	static const struct {
		const char *in, *data, *rest;
		enum http1_step step;
	} rows[] = {
		{ "1\r\na\r\n2\r\nbc\r\n1\r\nd\r\n0\r\n\r\nGET", "abcd", "GET", HTTP1_DONE },
		{ "1\r\na\r\n1\r\nb\r\n3", "ab", "", HTTP1_MORE },
		{ "1\r\na\r\n1\r\nb\r\nz", "ab", "z", HTTP1_BAD },
		{ "0\r\n\r\n", "", "", HTTP1_DONE },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *a = arena_new(64 << 10);
		char room[64];
		struct bytes in = { room, (size_t)snprintf(room, sizeof room, "%s", rows[i].in) }, data;
		struct http1_body b;

		http1_body_start(&b, BODY_CHUNKED, 0);
		assert_int_equal(http1_body_all(&b, a, &limits, &in, &data, NULL, NULL), rows[i].step);
		assert_bytes(data, bytes_of(rows[i].data));
		assert_bytes(in, bytes_of(rows[i].rest));
		arena_free(a);
	}
}

static void a_full_arena_takes_no_trailers(void **state)
{
	struct arena *a = arena_new(0);
	struct http1_body b;
	struct bytes in = BYTES("0\r\nA: b\r\n\r\n"), data;
	struct err e = { 0 };

	(void)state;
	while (arena_raw(a, 16))
		;
	http1_body_start(&b, BODY_CHUNKED, 0);
	assert_int_equal(http1_body_next(&b, a, &limits, &in, &data, NULL, &e), HTTP1_BAD);
	assert_int_equal(e.code, 431);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_body_does_not_depend_on_the_cuts),
		cmocka_unit_test(a_malformed_chunk_ends_the_message),
		cmocka_unit_test(extensions_are_bounded_over_the_whole_body),
		cmocka_unit_test(data_is_given_out_where_it_stands),
		cmocka_unit_test(small_chunks_are_joined_in_place),
		cmocka_unit_test(a_full_arena_takes_no_trailers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
