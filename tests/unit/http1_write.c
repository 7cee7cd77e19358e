/* http1_write.c -- what is written is what was read, but for what the caller
 * replaces and for the framing. */
#include "tests/test.h"
#include "base/http1.h"

static const struct http1_limits limits = { .head_bytes = 4096, .target_bytes = 1024, .fields = 20 };

#define END "\r\n\r\n"
#define HEAD "POST /p?q HTTP/1.1\r\nHost: a\r\n"

static const struct field for_ = { BYTES_INIT("X-Forwarded-For"), BYTES_INIT("192.0.2.1"), FIELD_X_FORWARDED_FOR, false };
static const struct field host = { BYTES_INIT("Host"), BYTES_INIT("origin:3000"), FIELD_HOST, false };
static const struct field other = { BYTES_INIT("X-Other"), { 0 }, FIELD_OTHER, false };
static const struct field close_ = { BYTES_INIT("Connection"), BYTES_INIT("close"), FIELD_CONNECTION, false };
static const struct field length9 = { BYTES_INIT("Content-Length"), BYTES_INIT("9"), FIELD_CONTENT_LENGTH, true };

static const struct {
	const char *head;
	const struct field *extra[2];
	enum framing framing;
	uint64_t length;
	const char *onward;
} cases[] = {
	{ HEAD "A: b" END, { &for_ }, BODY_NONE, 0, HEAD "A: b\r\nX-Forwarded-For: 192.0.2.1" END },
	{ HEAD "x-forwarded-for: 1\r\nA: b\r\nX-FORWARDED-FOR:2" END, { &for_ }, BODY_NONE, 0,
	  HEAD "A: b\r\nX-Forwarded-For: 192.0.2.1" END },
	{ HEAD "A: b" END, { &host }, BODY_NONE, 0, "POST /p?q HTTP/1.1\r\nA: b\r\nHost: origin:3000" END },
	{ "GET / HTTP/1.0" END, { &host }, BODY_NONE, 0, "GET / HTTP/1.1\r\nHost: origin:3000" END },
	{ HEAD "X-Other: b" END, { &other }, BODY_NONE, 0, HEAD "X-Other: b\r\nX-Other: " END },
	{ HEAD "Connection: x" END, { &close_, &other }, BODY_NONE, 0, HEAD "Connection: close\r\nX-Other: " END },
	/* A dropped extra replaces by nothing. */
	{ HEAD "A: b\r\nContent-Length: 0" END, { &length9 }, BODY_NONE, 0, HEAD "A: b" END },
	/* Another framing than the one received. */
	{ HEAD "Content-Length: 5" END, { 0 }, BODY_CHUNKED, 0, HEAD "Transfer-Encoding: chunked" END },
	{ HEAD "Transfer-Encoding: chunked" END, { 0 }, BODY_LENGTH, UINT64_MAX, HEAD "Content-Length: 18446744073709551615" END },
	{ HEAD "Content-Length: 0" END, { 0 }, BODY_LENGTH, 0, HEAD "Content-Length: 0" END },
	{ HEAD "Content-Length: 0" END, { 0 }, BODY_LENGTH, 7, HEAD "Content-Length: 7" END },
	{ HEAD "Content-Length: 5" END, { 0 }, BODY_NONE, 0, HEAD "\r\n" },
	{ HEAD "Transfer-Encoding: chunked" END, { 0 }, BODY_NONE, 0, HEAD "\r\n" },
	/* Runs that are copied in one piece, and lines that end them. */
	{ HEAD "A: b\r\nB: c\r\nC:d\r\nD: e \r\nE: f\r\nKeep-Alive: 1\r\nF: g\r\nG:\th\r\nH: i" END, { 0 }, BODY_NONE, 0,
	  HEAD "A: b\r\nB: c\r\nC: d\r\nD: e\r\nE: f\r\nF: g\r\nG: h\r\nH: i" END },
	{ HEAD "A:\r\nB: \r\nC:  \r\nD: x" END, { 0 }, BODY_NONE, 0, HEAD "A: \r\nB: \r\nC: \r\nD: x" END },
};

static void the_caller_replaces_and_frames(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct arena *a = arena_new(64 << 10);
		struct field extra[2];
		struct request q;
		size_t n = 0;

		while (n < 2 && cases[i].extra[n]) {
			extra[n] = *cases[i].extra[n];
			n++;
		}
		assert_true(http1_parse_request(a, bytes_of(cases[i].head), &limits, &q, NULL));
		assert_bytes(http1_write_request(a, &q, extra, n, cases[i].framing, cases[i].length),
			     bytes_of(cases[i].onward));
		arena_free(a);
	}
}

static void fields_made_by_hand_are_written(void **state)
{
	struct field f[] = {
		{ BYTES("A"), BYTES("b"), FIELD_OTHER, false },
		{ BYTES("Date"), BYTES("never"), FIELD_DATE, false },
		{ BYTES("Server"), BYTES("x"), FIELD_SERVER, true },
	};
	const struct field server = { BYTES_INIT("Server"), BYTES_INIT("embergate"), FIELD_SERVER, false };
	struct response s = { .status = 507, .reason = BYTES("Out of it"), .fields = { f, 3, 3 },
			      .framing = BODY_UNTIL_CLOSE };
	struct arena *a = arena_new(64 << 10);

	(void)state;
	assert_bytes(http1_write_response(a, &s, &server, 1, BODY_UNTIL_CLOSE, 0),
		     BYTES("HTTP/1.1 507 Out of it\r\nA: b\r\nDate: never\r\nServer: embergate" END));
	s = (struct response){ .status = 100 };
	assert_bytes(http1_write_response(a, &s, NULL, 0, BODY_NONE, 0), BYTES("HTTP/1.1 100 " END));
	arena_free(a);
}

static void an_answer_to_head_keeps_its_length(void **state)
{
	const struct request head = { .method = BYTES_INIT("HEAD") };
	struct arena *a = arena_new(64 << 10);
	struct response s;

	(void)state;
	assert_true(http1_parse_response(a, BYTES("HTTP/1.1 200 OK\r\nContent-Length: 5" END), &limits, &head, &s,
					 NULL));
	assert_bytes(http1_write_response(a, &s, NULL, 0, BODY_NONE, 0), BYTES("HTTP/1.1 200 OK\r\nContent-Length: 5" END));
	/* ... but a length that framed a body which is not sent is not repeated. */
	assert_true(http1_parse_response(a, BYTES("HTTP/1.1 200 OK\r\nContent-Length: 5" END), &limits, NULL, &s,
					 NULL));
	assert_bytes(http1_write_response(a, &s, NULL, 0, BODY_NONE, 0), BYTES("HTTP/1.1 200 OK" END));
	arena_free(a);
}

static void chunk_heads_are_hexadecimal(void **state)
{
	static const struct {
		uint64_t size;
		const char *head;
	} sizes[] = {
		{ 0, "0\r\n" }, { 1, "1\r\n" }, { 15, "f\r\n" }, { 16, "10\r\n" }, { 0x1a2b, "1a2b\r\n" },
		{ UINT64_MAX, "ffffffffffffffff\r\n" },
	};
	char out[18];

	(void)state;
	for (size_t i = 0; i < nelems(sizes); i++)
		assert_bytes(((struct bytes){ out, http1_chunk_head(out, sizes[i].size) }), bytes_of(sizes[i].head));
}

static void dropped_trailers_are_not_written(void **state)
{
	struct field f[] = {
		{ BYTES("A"), BYTES("b"), FIELD_OTHER, false },
		{ BYTES("Host"), BYTES("x"), FIELD_HOST, true },
		{ BYTES("C"), BYTES(""), FIELD_OTHER, false },
	};
	struct arena *a = arena_new(64 << 10);

	(void)state;
	assert_bytes(http1_write_trailers(a, &(struct fields){ f, 3, 3 }), BYTES("A: b\r\nC: " END));
	assert_bytes(http1_write_trailers(a, &(struct fields){ 0 }), BYTES("\r\n"));
	arena_free(a);
}

static void past_the_cap_nothing_is_written(void **state)
{
	struct arena *a = arena_new(0);
	struct request q = { .method = BYTES("GET"), .path = BYTES("/"), .host = BYTES("a") };
	struct response s = { .status = 200 };

	(void)state;
	while (arena_raw(a, 1))
		;
	assert_null(http1_write_request(a, &q, NULL, 0, BODY_NONE, 0).at);
	assert_null(http1_write_response(a, &s, NULL, 0, BODY_NONE, 0).at);
	assert_null(http1_write_trailers(a, &q.fields).at);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_caller_replaces_and_frames),
		cmocka_unit_test(fields_made_by_hand_are_written),
		cmocka_unit_test(an_answer_to_head_keeps_its_length),
		cmocka_unit_test(chunk_heads_are_hexadecimal),
		cmocka_unit_test(dropped_trailers_are_not_written),
		cmocka_unit_test(past_the_cap_nothing_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
