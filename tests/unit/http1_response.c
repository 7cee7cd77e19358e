/* http1_response.c -- which response heads an origin may send, how their bodies
 * end, and what of them goes on to the client. */
#include "tests/test.h"
#include "base/http1.h"

static const struct http1_limits limits = { .head_bytes = 4096, .target_bytes = 1024, .fields = 20 };
static const struct request get = { .method = BYTES_INIT("GET") }, head = { .method = BYTES_INIT("HEAD") };

#define OK "HTTP/1.1 200 OK\r\n"
#define END "\r\n\r\n"

static const struct {
	struct bytes head;
	const char *why; /* part of the error's text */
} refusals[] = {
	{ BYTES_INIT(""), "no status line" },
	{ BYTES_INIT("\r\n"), "no status line" },
	{ BYTES_INIT("<html>" END), "no status line" }, /* HTTP/0.9 */
	{ BYTES_INIT("HTTP/1.1" END), "no status line" },
	{ BYTES_INIT("HTTP/2.0 200 OK" END), "no status line" },
	{ BYTES_INIT("HTTP/1.2 200 OK" END), "no status line" },
	{ BYTES_INIT("http/1.1 200 OK" END), "no status line" },
	{ BYTES_INIT("HTTP/1.1  200 OK" END), "three digits" },
	{ BYTES_INIT("HTTP/1.1\t200 OK" END), "no status line" },
	{ BYTES_INIT(" HTTP/1.1 200 OK" END), "no status line" },
	{ BYTES_INIT("HTTP/1.1 99 x" END), "three digits" },
	{ BYTES_INIT("HTTP/1.1 099 x" END), "status 99" },
	{ BYTES_INIT("HTTP/1.1 600 x" END), "status 600" },
	{ BYTES_INIT("HTTP/1.1 999 x" END), "status 999" },
	{ BYTES_INIT("HTTP/1.1 1000 x" END), "three digits" },
	{ BYTES_INIT("HTTP/1.1 -20 x" END), "three digits" },
	{ BYTES_INIT("HTTP/1.1 2x0 x" END), "three digits" },
	{ BYTES_INIT("HTTP/1.1 200OK" END), "three digits" },
	{ BYTES_INIT("HTTP/1.1 200\tOK" END), "three digits" },
	{ BYTES_INIT("HTTP/1.1 200 O\0K" END), "byte 0x00" },
	{ BYTES_INIT("HTTP/1.1 200 O\x1bK" END), "byte 0x1b" },
	{ BYTES_INIT("HTTP/1.1 200 OK\nA: b" END), "bare LF after the status line" },
	{ BYTES_INIT("HTTP/1.1 200 OK\rA: b" END), "bare CR after the status line" },
	{ BYTES_INIT("HTTP/1.1 200 OK\n\n"), "bare LF" },
	{ BYTES_INIT(OK "Content-Length: 5\r\nTransfer-Encoding: chunked" END), "together" },
	{ BYTES_INIT(OK "Content-Length: 5\r\nContent-Length: 5" END), "twice" },
	{ BYTES_INIT(OK "Content-Length: 5\r\nContent-Length: 6" END), "twice" },
	{ BYTES_INIT(OK "Content-Length: 5, 5" END), "no number" },
	{ BYTES_INIT(OK "Content-Length: -1" END), "no number" },
	{ BYTES_INIT(OK "Content-Length:" END), "no number" },
	{ BYTES_INIT(OK "Content-Length: 18446744073709551618" END), "below 2^63" },
	{ BYTES_INIT(OK "Content-Length: 9223372036854775808" END), "below 2^63" },
	{ BYTES_INIT(OK "Transfer-Encoding: gzip, chunked" END), "other than chunked" },
	{ BYTES_INIT(OK "Transfer-Encoding: identity" END), "other than chunked" },
	{ BYTES_INIT(OK "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked" END), "twice" },
	{ BYTES_INIT("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked" END), "in HTTP/1.0" },
	{ BYTES_INIT(OK "A: b\r\n c" END), "folded" },
	{ BYTES_INIT(OK "A : b" END), "before its colon" },
	{ BYTES_INIT(OK "A: b\0" END), "byte 0x00" },
	{ BYTES_INIT(OK "A: b\nSet-Cookie: c" END), "bare LF" },
	{ BYTES_INIT(OK "A: b\rSet-Cookie: c" END), "bare CR" },
	{ BYTES_INIT(OK "no colon" END), "blank in a field name" },
	{ BYTES_INIT(OK "Connection: Content-Length\r\nContent-Length: 5" END), "Connection names" },
	{ BYTES_INIT("HTTP/1.1 100 Continue\r\nContent-Length: 5" END), "body with status 100" },
	{ BYTES_INIT("HTTP/1.1 101 x\r\nTransfer-Encoding: chunked" END), "body with status 101" },
	{ BYTES_INIT("HTTP/1.1 200 OK\r\nA: b"), "ends within" },
	{ BYTES_INIT("HTTP/1.1 200 OK\r\nA: b\r\n\r\nbody"), "bytes behind" },
};

static void what_is_no_response_is_a_bad_gateway(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(refusals); i++) {
		struct arena *a = arena_new(64 << 10);
		struct response s;
		struct err e = { 0 };

		if (http1_parse_response(a, refusals[i].head, &limits, &get, &s, &e))
			fail_msg("case %zu is taken: %.*s", i, BYTES_ARG(refusals[i].head));
		if (e.code != 502 || e.side != SIDE_UPSTREAM || !strstr(e.text, refusals[i].why))
			fail_msg("case %zu: %d %s, want %s", i, e.code, e.text, refusals[i].why);
		arena_free(a);
	}
}

static const struct {
	const char *head;
	const struct request *asked;
	enum framing framing;
	uint64_t length;
	bool keep;
	const char *onward;
} taken[] = {
	{ OK "Content-Length: 5" END, &get, BODY_LENGTH, 5, true, OK "Content-Length: 5" END },
	{ OK "Content-Length:\t5\t\r\nA: b" END, NULL, BODY_LENGTH, 5, true, OK "A: b\r\nContent-Length: 5" END },
	{ OK "Content-Length: 0" END, &get, BODY_NONE, 0, true, OK "Content-Length: 0" END },
	{ OK "Transfer-Encoding: Chunked" END, &get, BODY_CHUNKED, 0, true, OK "Transfer-Encoding: chunked" END },
	{ OK "A: b" END, &get, BODY_UNTIL_CLOSE, 0, false, OK "A: b" END },
	{ OK "\r\n", &get, BODY_UNTIL_CLOSE, 0, false, OK "\r\n" },
	{ "HTTP/1.1 200" END, &get, BODY_UNTIL_CLOSE, 0, false, "HTTP/1.1 200 " END },
	{ "HTTP/1.1 200 " END, &get, BODY_UNTIL_CLOSE, 0, false, "HTTP/1.1 200 " END },
	{ "HTTP/1.1 200  a\tb \xe9" END, &get, BODY_UNTIL_CLOSE, 0, false, "HTTP/1.1 200  a\tb \xe9" END },
	{ "HTTP/1.1 299 x\r\nContent-Length: 1" END, &get, BODY_LENGTH, 1, true, "HTTP/1.1 299 x\r\nContent-Length: 1" END },
	{ "HTTP/1.1 599 x\r\nContent-Length: 1" END, &get, BODY_LENGTH, 1, true, "HTTP/1.1 599 x\r\nContent-Length: 1" END },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 5" END, &get, BODY_LENGTH, 5, false, OK "Content-Length: 5" END },
	{ "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5" END, &get, BODY_LENGTH, 5, true,
	  OK "Content-Length: 5" END },
	{ "HTTP/1.0 200 OK\r\nConnection: keep-alive" END, &get, BODY_UNTIL_CLOSE, 0, false, OK "\r\n" },
	{ OK "Connection: close\r\nContent-Length: 5" END, &get, BODY_LENGTH, 5, false, OK "Content-Length: 5" END },
	/* No body whatever the fields say; what HEAD and 304 say of one is kept. */
	{ OK "Content-Length: 5" END, &head, BODY_NONE, 5, true, OK "Content-Length: 5" END },
	{ OK "Transfer-Encoding: chunked" END, &head, BODY_NONE, 0, true, OK "\r\n" },
	{ OK "A: b" END, &head, BODY_NONE, 0, true, OK "A: b" END },
	{ "HTTP/1.1 304 x\r\nContent-Length: 5\r\nETag: \"e\"" END, &get, BODY_NONE, 5, true,
	  "HTTP/1.1 304 x\r\nContent-Length: 5\r\nETag: \"e\"" END },
	{ "HTTP/1.1 204 x" END, &get, BODY_NONE, 0, true, "HTTP/1.1 204 x" END },
	{ "HTTP/1.1 204 x\r\nContent-Length: 0" END, &get, BODY_NONE, 0, true, "HTTP/1.1 204 x" END },
	/* An origin that gives a 204 a body is not asked again on that connection. */
	{ "HTTP/1.1 204 x\r\nContent-Length: 5" END, &get, BODY_NONE, 5, false, "HTTP/1.1 204 x" END },
	{ "HTTP/1.1 204 x\r\nTransfer-Encoding: chunked" END, &get, BODY_NONE, 0, false, "HTTP/1.1 204 x" END },
	{ "HTTP/1.1 100 Continue" END, &get, BODY_NONE, 0, true, "HTTP/1.1 100 Continue" END },
	{ "HTTP/1.1 103 x\r\nLink: </a>\r\nContent-Length: 0" END, &get, BODY_NONE, 0, true,
	  "HTTP/1.1 103 x\r\nLink: </a>" END },
	{ "HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: y" END, &get,
	  BODY_NONE, 0, true, "HTTP/1.1 101 x\r\nSec-WebSocket-Accept: y" END },
	/* Fields of this hop stay here. */
	{ OK "Content-Length: 1\r\nConnection: x-a\r\nX-A: 1\r\nKeep-Alive: x\r\nProxy-Connection: x\r\nTrailer: x\r\n"
	  "Upgrade: x\r\nTE: x\r\nTransfer_Encoding: x\r\nProxy-Authenticate: x\r\nSet-Cookie: a\r\nset-cookie: b" END,
	  &get, BODY_LENGTH, 1, true, OK "Set-Cookie: a\r\nset-cookie: b\r\nContent-Length: 1" END },
};

static void a_body_ends_in_one_way(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(taken); i++) {
		struct arena *a = arena_new(64 << 10);
		struct response s;
		struct err e = { 0 };

		if (!http1_parse_response(a, bytes_of(taken[i].head), &limits, taken[i].asked, &s, &e))
			fail_msg("case %zu is refused: %s", i, e.text);
		if (s.framing != taken[i].framing || s.length != taken[i].length || s.keep_alive != taken[i].keep)
			fail_msg("case %zu: framing %d, length %d, keep-alive %d", i, (int)s.framing,
				 (int)s.length, s.keep_alive);
		assert_bytes(http1_write_response(a, &s, NULL, 0, s.framing, s.length),
			     bytes_of(taken[i].onward));
		arena_free(a);
	}
}

static void the_head_is_bounded(void **state)
{
	static const struct http1_limits tight = { .head_bytes = 64, .target_bytes = 64, .fields = 2 };
	struct arena *a = arena_new(64 << 10);
	struct response s;
	struct err e = { 0 };

	(void)state;
	assert_true(http1_parse_response(a, BYTES(OK "A: b\r\nC: d" END), &tight, &get, &s, &e));
	assert_false(http1_parse_response(a, BYTES(OK "A: b\r\nC: d\r\nE: f" END), &tight, &get, &s, &e));
	assert_int_equal(e.code, 502);
	assert_false(http1_parse_response(a, BYTES(OK "A: 3456789012345678901234567890123456789012345" END),
					  &tight, &get, &s, &e));
	assert_int_equal(e.code, 502);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_no_response_is_a_bad_gateway),
		cmocka_unit_test(a_body_ends_in_one_way),
		cmocka_unit_test(the_head_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
