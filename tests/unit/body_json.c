/* body_json.c -- JSON is read strictly, flattened, and bounded. */
#include "tests/test.h"
#include "tests/body_told.h"

static void check(struct body_setup s, const char *in, enum body_fault fault, const char *want)
{
	for (size_t cut = 0; cut < 9; cut++) {
		struct told t = told_of(&body_json, s, bytes_of(in), cut);

		if (t.fault != fault)
			fail_msg("%s in pieces of %zu: %s (%s)", in, cut, body_fault_word(t.fault),
				 t.complaint);
		if (want)
			assert_bytes(text_bytes(&t.text), bytes_of(want));
		arena_free(t.arena);
	}
}

static void flattens_to_names_and_values(void **state)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "{\"a\":{\"b\":[true,\"x\"]}}", "json.a.b.0=true\njson.a.b.1=x\n" },
		{ "[1,[2,{\"k\":null}],false]", "json.0=1\njson.1.0=2\njson.1.1.k=null\njson.2=false\n" },
		{ "{\"a\":1,\"a\":2}", "json.a=1\njson.a=2\n" },
		{ "{\"a\":{},\"b\":[],\"c\":\"\"}", "json.c=\n" },
		{ "{\"\":\"x\",\"a.b\":{\"\":0}}", "json.=x\njson.a.b.=0\n" },
		{ "\"alone\"", "json=alone\n" },
		{ " \t\r\n-0.5e+10 \n", "json=-0.5e+10\n" },
		{ "0", "json=0\n" },
		{ "[0, -1, 10, 1.5, 1E5, 0e0]",
		  "json.0=0\njson.1=-1\njson.2=10\njson.3=1.5\njson.4=1E5\njson.5=0e0\n" },
		{ "[[],[[]],[{}],7]", "json.3=7\n" },
		{ "\xef\xbb\xbf [7]", "json.0=7\n" }, /* RFC 8259 8.1 */
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		check((struct body_setup){ 0 }, cases[i].in, FAULT_NONE, cases[i].want);
}

static void names_arrays_as_asked(void **state)
{
	(void)state;
	check((struct body_setup){ .arrays = JSON_ARRAYS_WORD }, "{\"a\":[1,[2]]}", FAULT_NONE,
	      "json.a.array_0=1\njson.a.array_1.array_0=2\n");
}

static void unescapes_strings_to_utf8(void **state)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "json=\"\\x5c/\\x08\\x0c\\x0a\\x0d\\x09\n" },
		{ "\"\\u003cscript\\u003E\"", "json=<script>\n" },
		{ "\"\\u00e9\\u20AC\\uD83D\\ude00\"",
		  "json=\\xc3\\xa9\\xe2\\x82\\xac\\xf0\\x9f\\x98\\x80\n" },
		{ "\"a\\u0000b\"", "json=a\\x00b\n" },
		{ "\"\\ud800\"", "json=\\xef\\xbf\\xbd\n" },
		{ "\"\\ud800x\\ud800\\n\\udc00\"",
		  "json=\\xef\\xbf\\xbdx\\xef\\xbf\\xbd\\x0a\\xef\\xbf\\xbd\n" },
		{ "\"\\ud83d\\ud83d\\ude00\"", "json=\\xef\\xbf\\xbd\\xf0\\x9f\\x98\\x80\n" },
		{ "{\"\\u0061\\/\":\"12345678\\\"90123456789\"}", "json.a/=12345678\"90123456789\n" },
		{ "\"\xff\xc3\xa9\"", "json=\\xff\\xc3\\xa9\n" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		check((struct body_setup){ 0 }, cases[i].in, FAULT_NONE, cases[i].want);
}

static void refuses_what_rfc_8259_does_not_allow(void **state)
{
	static const char *const cases[] = {
		"", " ", "{", "[", "\"", "\"\\", "{\"a\"", "{\"a\":", "{\"a\":1", "[1", "[1,", "[1,]",
		"{\"a\":1,}", "{,}", "[,1]", "{a:1}", "{'a':1}", "['a']", "{\"a\" 1}", "{\"a\":}", "{1:2}",
		"1 2", "{}{}", "[]]", "{]", "[}", "]", "}", ":", ",", "[1}", "{\"a\":1]",
		"01", "-", "-a", "+1", ".5", "1.", "1.e5", "1e", "1e+", "0x10", "1a", "--1", "Infinity", "NaN",
		"tru", "True", "truex", "nul", "nulll", "falsey", "undefined",
		"\"\\x41\"", "\"\\u12\"", "\"\\u12g4\"", "\"\\U0041\"", "\"\\'\"", "\"\\\n\"",
		"\"a\nb\"", "\"a\tb\"", "\"1234567\x01\"", "[1] // c", "/* c */ 1",
		"[1]#", "\xef\xbb[1]", "\xef\xbb\xbf", "[1]\xef\xbb\xbf", "\xef\xbb\xbf\xef\xbb\xbf[1]",
		"\v1", "\f1", "\xc2\xa0[1]", "[1 2]", "{\"a\":1 \"b\":2}", "{\"a\":1:2}", "{\"a\",1}",
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		check((struct body_setup){ 0 }, cases[i], FAULT_MALFORMED, NULL);
}

static void a_nul_byte_is_no_end(void **state)
{
	struct told t = told_of(&body_json, (struct body_setup){ 0 }, BYTES("[1]\0"), 0);

	(void)state;
	assert_int_equal(t.fault, FAULT_MALFORMED);
	assert_string_equal(t.complaint, "json: byte 3: text after the value");
	arena_free(t.arena);
}

static void every_bound_has_its_own_fault(void **state)
{
	static const struct {
		struct body_limits limits;
		const char *in;
		enum body_fault fault;
	} cases[] = {
		{ { .depth = 3 }, "[[[1]]]", FAULT_NONE },
		{ { .depth = 3 }, "[[[[1]]]]", FAULT_DEPTH },
		{ { .depth = 3 }, "{\"a\":[{\"b\":{}}]}", FAULT_DEPTH },
		{ { .args = 2 }, "[1,2]", FAULT_NONE },
		{ { .args = 2 }, "[1,2,3]", FAULT_ARGS },
		{ { .name_bytes = 8 }, "{\"abc\":1}", FAULT_NONE },
		{ { .name_bytes = 8 }, "{\"abcd\":1}", FAULT_NAME },
		{ { .name_bytes = 8 }, "{\"a\":[[1]]}", FAULT_NAME },
		{ { .value_bytes = 4 }, "[\"abcd\",1234,true]", FAULT_NONE },
		{ { .value_bytes = 4 }, "\"abcde\"", FAULT_VALUE },
		{ { .value_bytes = 4 }, "\"\\u20ac12\"", FAULT_VALUE },
		{ { .value_bytes = 4 }, "12345", FAULT_VALUE },
		{ { .total_bytes = 12 }, "{\"a\":\"123456\"}", FAULT_NONE },
		{ { .total_bytes = 11 }, "{\"a\":\"123456\"}", FAULT_TOTAL },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		check((struct body_setup){ .limits = cases[i].limits }, cases[i].in, cases[i].fault, NULL);
}

static void a_million_brackets_cost_nothing(void **state)
{
	size_t n = 1 << 20;
	char *in = malloc(n);
	struct told t;

	(void)state;
	memset(in, '[', n);
	t = told_of(&body_json, (struct body_setup){ 0 }, (struct bytes){ in, n }, 0);
	assert_int_equal(t.fault, FAULT_DEPTH);
	assert_string_equal(t.complaint, "json: byte 65: nested too deeply");
	arena_free(t.arena);
	free(in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flattens_to_names_and_values),
		cmocka_unit_test(names_arrays_as_asked),
		cmocka_unit_test(unescapes_strings_to_utf8),
		cmocka_unit_test(refuses_what_rfc_8259_does_not_allow),
		cmocka_unit_test(a_nul_byte_is_no_end),
		cmocka_unit_test(every_bound_has_its_own_fault),
		cmocka_unit_test(a_million_brackets_cost_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
