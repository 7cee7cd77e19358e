/* body_content_type.c -- Content-Type is taken apart, and what is odd is flagged. */
#include "tests/test.h"
#include "rules/body/body.h"

static void reads_media_charset_and_boundary(void **state)
{
	static const struct {
		const char *in, *media, *charset, *boundary;
		unsigned flags;
	} cases[] = {
		{ "", "", "", "", 0 },
		{ "Application/JSON", "application/json", "", "", 0 },
		{ " text/html ;  Charset=\"UTF-8\" ", "text/html", "utf-8", "", 0 },
		{ "a/b;charset=iso-8859-15", "a/b", "iso-8859-15", "", 0 },
		{ "multipart/form-data; boundary=AaB03x", "multipart/form-data", "", "AaB03x", 0 },
		{ "multipart/form-data; boundary=\"a b\"", "multipart/form-data", "", "a b", TYPE_BOUNDARY_QUOTED },
		{ "multipart/form-data; BOUNDARY=----WebKitFormBoundaryx/'()+_,.:?", "multipart/form-data", "",
		  "----WebKitFormBoundaryx/'()+_,.:?", 0 },
		{ "m/f; boundary=\"a\\\"b\"", "m/f", "", "a\"b", TYPE_BOUNDARY_QUOTED | TYPE_BOUNDARY_INVALID },
		{ "m/f; boundary=a; boundary=b", "m/f", "", "a", TYPE_BOUNDARY_TWICE },
		{ "m/f; boundary=", "m/f", "", "", TYPE_BOUNDARY_INVALID },
		{ "m/f; boundary=\"x \"", "m/f", "", "x ", TYPE_BOUNDARY_QUOTED | TYPE_BOUNDARY_INVALID },
		{ "m/f; boundary=*****", "m/f", "", "*****", 0 },
		{ "m/f; boundary=a{b}", "m/f", "", "a{b}", TYPE_BOUNDARY_INVALID },
		{ "m/f; boundary=\"abc", "m/f", "", "abc", TYPE_BOUNDARY_QUOTED | TYPE_BAD_QUOTING | TYPE_MALFORMED },
		{ "m/f; boundary=\"a\"b", "m/f", "", "a", TYPE_BOUNDARY_QUOTED | TYPE_BAD_QUOTING | TYPE_MALFORMED },
		{ "m/f boundary=a", "m/f", "", "a", TYPE_MALFORMED },
		{ "m/f; boundary =a", "m/f", "", "a", TYPE_MALFORMED },
		{ "m/f; boundary", "m/f", "", "", TYPE_MALFORMED | TYPE_BOUNDARY_INVALID },
		{ "m/f; boundary*=UTF-8''a", "m/f", "", "UTF-8''a", TYPE_MALFORMED },
		{ "text/xml; charset=UTF-16LE", "text/xml", "utf-16le", "", TYPE_CHARSET_WIDE },
		{ "text/xml; charset=utf-7", "text/xml", "utf-7", "", TYPE_CHARSET_WIDE },
		{ "text/xml; charset=ibm037", "text/xml", "ibm037", "", TYPE_CHARSET_WIDE },
		{ "text/xml; charset=shift_jis", "text/xml", "shift_jis", "", TYPE_CHARSET_UNKNOWN },
		{ "text/xml; charset=utf-8; charset=utf-7", "text/xml", "utf-8", "",
		  TYPE_CHARSET_TWICE | TYPE_CHARSET_WIDE },
		{ "text/xml; charset=utf-8; charset=UTF-8", "text/xml", "utf-8", "", 0 },
		{ "json", "json", "", "", TYPE_MALFORMED },
		{ "/json", "/json", "", "", TYPE_MALFORMED },
		{ "a/b, c/d", "a/b,", "", "", TYPE_MALFORMED },
		{ "a/b;;;", "a/b", "", "", 0 },
		{ "a/b; \"", "a/b", "", "", TYPE_MALFORMED },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct arena *a = arena_new(1 << 16);
		struct content_type t;

		assert_true(content_type_parse(a, bytes_of(cases[i].in), &t));
		assert_bytes(t.media, bytes_of(cases[i].media));
		assert_bytes(t.charset, bytes_of(cases[i].charset));
		assert_bytes(t.boundary, bytes_of(cases[i].boundary));
		if (t.flags != cases[i].flags)
			fail_msg("%s: flags %x, want %x", cases[i].in, t.flags, cases[i].flags);
		arena_free(a);
	}
}

static void keeps_both_of_two_boundaries(void **state)
{
	struct arena *a = arena_new(1 << 16);
	struct content_type t;

	(void)state;
	assert_true(content_type_parse(a, BYTES("m/f; boundary=one; boundary=two"), &t));
	assert_bytes(t.boundary, BYTES("one"));
	assert_bytes(t.boundary_last, BYTES("two"));
	arena_free(a);
}

static void a_media_type_names_its_parser(void **state)
{
	static const struct { const char *in, *parser; } cases[] = {
		{ "application/x-www-form-urlencoded; charset=utf-8", "urlencoded" },
		{ "multipart/form-data; boundary=x", "multipart" },
		{ "application/json", "json" },
		{ "application/problem+JSON", "json" },
		{ "text/xml", "xml" },
		{ "application/soap+xml; action=x", "xml" },
		{ "application/octet-stream", NULL },
		{ "text/plain", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct arena *a = arena_new(1 << 16);
		struct content_type t;
		const struct body_parser *p;

		assert_true(content_type_parse(a, bytes_of(cases[i].in), &t));
		p = body_parser_of(&t);
		assert_int_equal(p != NULL, cases[i].parser != NULL);
		if (p)
			assert_string_equal(body_parser_name(p), cases[i].parser);
		arena_free(a);
	}
}

static void a_body_without_a_type_is_what_it_looks_like(void **state)
{
	static const struct { const char *in, *parser; } cases[] = {
		{ "{\"a\":1}", "json" },
		{ " \n[\"a=b\"]", "json" },
		{ "\xef\xbb\xbf{}", "json" },
		{ "<a/>", "xml" },
		{ "\n<?xml version='1.0'?>", "xml" },
		{ "a=1&b=2", "urlencoded" },
		{ "user[name]=x", "urlencoded" },
		{ "%24a=1", "urlencoded" },
		{ "hello world = x", NULL },
		{ "plain", NULL },
		{ "=x", NULL },
		{ "\x89PNG\r\n", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		const struct body_parser *p = body_parser_by_looks(bytes_of(cases[i].in));

		if ((p != NULL) != (cases[i].parser != NULL))
			fail_msg("%s", cases[i].in);
		if (p)
			assert_string_equal(body_parser_name(p), cases[i].parser);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_media_charset_and_boundary),
		cmocka_unit_test(keeps_both_of_two_boundaries),
		cmocka_unit_test(a_media_type_names_its_parser),
		cmocka_unit_test(a_body_without_a_type_is_what_it_looks_like),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
