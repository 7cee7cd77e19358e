/* http1_head.c -- the end of a head is found at the same place, and a fault is
 * the same fault, however the bytes arrive. */
#include "tests/test.h"
#include "base/http1.h"

static const struct http1_limits limits = { .head_bytes = 200, .target_bytes = 20, .fields = 10 };

#define X50 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
	struct bytes in;
	enum http1_step step;
	size_t end; /* DONE */
	int status; /* BAD */
} cases[] = {
	{ BYTES_INIT(""), HTTP1_MORE, 0, 0 },
	{ BYTES_INIT("G"), HTTP1_MORE, 0, 0 },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r"), HTTP1_MORE, 0, 0 },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), HTTP1_DONE, 27, 0 },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\n\n"), HTTP1_DONE, 27, 0 },
	{ BYTES_INIT("GET / HTTP/1.1\r\n\r\n\r\n"), HTTP1_DONE, 18, 0 },
	{ BYTES_INIT("GET / HTTP/1.1\r\nA:\tb\xff\r\n\r\n"), HTTP1_DONE, 25, 0 },
	{ BYTES_INIT("HTTP/1.1 200 OK\r\n\r\n"), HTTP1_DONE, 19, 0 },
	{ BYTES_INIT("GET / HTTP/1.1\nHost"), HTTP1_BAD, 0, 400 },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a\n\n"), HTTP1_BAD, 0, 400 },
	{ BYTES_INIT("GET / HTTP/1.1\r\nHost: a\r\n\n"), HTTP1_BAD, 0, 400 },
	{ BYTES_INIT("GET / HTTP/1.1\rHost: a"), HTTP1_BAD, 0, 400 },
	{ BYTES_INIT("GET / HTTP/1.1\r\r\n"), HTTP1_BAD, 0, 400 },
	{ BYTES_INIT("GET / HTTP/1.1\r\n\r\r\n"), HTTP1_BAD, 0, 400 },
	{ BYTES_INIT("GET /\0"), HTTP1_BAD, 0, 400 },
	{ BYTES_INIT("GET /\x1b"), HTTP1_BAD, 0, 400 },
	{ BYTES_INIT("GET /\x7f"), HTTP1_BAD, 0, 400 },
	{ BYTES_INIT("\x16\x03\x01\x02"), HTTP1_BAD, 0, 400 }, /* TLS on a plain port */
	{ BYTES_INIT(" GET / HTTP/1.1\r\n\r\n"), HTTP1_BAD, 0, 400 },
	{ BYTES_INIT("\nGET / HTTP/1.1\r\n\r\n"), HTTP1_BAD, 0, 400 },
	{ BYTES_INIT("\r\nGET / HTTP/1.1\r\n\r\n"), HTTP1_BAD, 0, 400 },
	{ BYTES_INIT("\r"), HTTP1_MORE, 0, 0 },
	/* A request line may have 84 bytes here, a head 200. */
	{ BYTES_INIT(X50 "345678901234567890123456789012"), HTTP1_MORE, 0, 0 },
	{ BYTES_INIT(X50 "3456789012345678901234567890123456"), HTTP1_MORE, 0, 0 },
	{ BYTES_INIT(X50 "34567890123456789012345678901234567"), HTTP1_BAD, 0, 414 },
	{ BYTES_INIT(X50 X50 "\n"), HTTP1_BAD, 0, 414 },
	{ BYTES_INIT(X50 "\r\n" X50 X50 "7890123456789012345678901234567890123456\r\n\r\n"), HTTP1_DONE, 196, 0 },
	{ BYTES_INIT(X50 "\r\n" X50 X50 "78901234567890123456789012345678901234567890\r\n\r\n"), HTTP1_DONE, 200, 0 },
	{ BYTES_INIT(X50 "\r\n" X50 X50 "789012345678901234567890123456789012345678901\r\n\r\n"), HTTP1_BAD, 0, 431 },
	{ BYTES_INIT(X50 "\r\n" X50 X50 X50), HTTP1_BAD, 0, 431 },
	{ BYTES_INIT(X50 "\r\n" X50 X50 X50 "\n"), HTTP1_BAD, 0, 431 },
};

/* Gives the bytes in pieces of `piece`, as a connection would. */
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

static void cuts_do_not_matter(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		for (size_t piece = 1; piece <= cases[i].in.len; piece++) {
			struct err e = { 0 };
			size_t end;
			enum http1_step step = feed(cases[i].in, piece, &end, &e);

			if (step != cases[i].step || (step == HTTP1_DONE && end != cases[i].end) ||
			    (step == HTTP1_BAD && e.code != cases[i].status))
				fail_msg("case %zu by %zu: step %d, end %zu, %d %s", i, piece, (int)step, end,
					 e.code, e.text);
		}
}

static void two_empty_lines_are_skipped(void **state)
{
	(void)state;
	assert_int_equal(http1_skip_blank(BYTES("")), 0);
	assert_int_equal(http1_skip_blank(BYTES("\r")), 0);
	assert_int_equal(http1_skip_blank(BYTES("\nGET")), 0);
	assert_int_equal(http1_skip_blank(BYTES("GET")), 0);
	assert_int_equal(http1_skip_blank(BYTES("\r\nGET")), 2);
	assert_int_equal(http1_skip_blank(BYTES("\r\n\r")), 2);
	assert_int_equal(http1_skip_blank(BYTES("\r\n\r\n")), 4);
	assert_int_equal(http1_skip_blank(BYTES("\r\n\r\n\r\n")), 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(cuts_do_not_matter),
		cmocka_unit_test(two_empty_lines_are_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
