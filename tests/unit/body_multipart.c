/* body_multipart.c -- multipart is read strictly, what is odd is flagged, and
 * every piece of a field is held until it is told. */
#include "tests/test.h"
#include "tests/body_told.h"

#define FIELD "Content-Disposition: form-data; name="
#define END "\r\n--b--\r\n"

static const struct content_type type_b = { .boundary = { "b", 1 }, .boundary_last = { "b", 1 } };

static void check(struct body_limits l, const char *in, unsigned odd, enum body_fault fault,
		  const char *want)
{
	for (size_t cut = 0; cut < 12; cut++) {
		struct body_setup s = { .type = &type_b, .limits = l };
		struct told t = told_of(&body_multipart, s, bytes_of(in), cut);

		if (t.fault != fault)
			fail_msg("%s in pieces of %zu: %s (%s)", in, cut, body_fault_word(t.fault),
				 t.complaint);
		if (!fault && t.anomalies != odd)
			fail_msg("%s in pieces of %zu: anomalies %x, not %x", in, cut, t.anomalies, odd);
		if (want)
			assert_bytes(text_bytes(&t.text), bytes_of(want));
		arena_free(t.arena);
	}
}

static void fields_and_files_are_told(void **state)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "--b\r\n" FIELD "\"q\"\r\n\r\nhello" END,
		  "header q=" FIELD "\"q\"\nq=hello\n" },
		{ "--b\r\n" FIELD "q\r\n\r\n" END, "header q=" FIELD "q\nq=\n" },
		{ "--b\r\n" FIELD "q\r\n\r\n\r\n\r\n" END, "header q=" FIELD "q\nq=\\x0d\\x0a\\x0d\\x0a\n" },
		{ "--b\r\n" FIELD "q\r\n\r\na\r\n--\r\n--bc\rd\n-b" END, NULL },
		{ "--b\r\n" FIELD "a\r\n\r\n1\r\n--b\r\n" FIELD "a\r\n\r\n2" END,
		  "header a=" FIELD "a\na=1\nheader a=" FIELD "a\na=2\n" },
		{ "--b\r\n" FIELD "f; filename=\"a.php\"\r\nContent-Type: text/x\r\n\r\nabc" END,
		  "header f=" FIELD "f; filename=\"a.php\"\nheader f=Content-Type: text/x\n"
		  "file f=a.php\nlook f=abc\nsize 3 f=a.php\n" },
		{ "--b\r\n" FIELD "f; filename=\"\"\r\n\r\n" END,
		  "header f=" FIELD "f; filename=\"\"\nfile f=\nsize 0 f=\n" },
		{ "--b--\r\n", "" },
		{ "--b--", "" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		if (cases[i].want)
			check((struct body_limits){ 0 }, cases[i].in, 0, FAULT_NONE, cases[i].want);
	check((struct body_limits){ 0 }, cases[3].in, ODD_UNMATCHED | ODD_DASHES, FAULT_NONE,
	      "header q=" FIELD "q\nq=a\\x0d\\x0a--\\x0d\\x0a--bc\\x0dd\\x0a-b\n");
}

static void what_is_odd_is_flagged(void **state)
{
	static const struct { const char *in; unsigned odd; const char *want; } cases[] = {
		{ "x\r\n--b\r\n" FIELD "q\r\n\r\nv" END, ODD_PREAMBLE, "header q=" FIELD "q\nq=v\n" },
		{ "--b\r\n" FIELD "q\r\n\r\nv" END "x", ODD_EPILOGUE, "header q=" FIELD "q\nq=v\n" },
		{ "--b\r\n" FIELD "q\r\n\r\nv" END "\r\n", ODD_EPILOGUE, NULL },
		{ "--b\r\n" FIELD "q\r\n\r\nv\r\n--b--  \r\n", 0, NULL },
		{ "--b\r\n" FIELD "q\r\n\r\nv\r\n--b-- x", ODD_EPILOGUE, NULL },
		{ "--b \t\r\n" FIELD "q\r\n\r\nv" END, ODD_DELIMITER_PADDED, NULL },
		{ "--b\n" FIELD "q\n\nv\n--b--\n", ODD_LF_LINES, "header q=" FIELD "q\nq=v\n" },
		{ "--b\r\n" FIELD "q\n\nv" END, ODD_LF_LINES | ODD_MIXED_LINES, "header q=" FIELD "q\nq=v\n" },
		{ "--b\r\nContent-Disposition: form-data;\r\n name=q\r\n\r\nv" END, ODD_HEADER_FOLDED,
		  "header q=" FIELD "q\nq=v\n" },
		{ "--b\r\n " FIELD "q\r\n\r\nv" END, ODD_HEADER, "header q= " FIELD "q\nq=v\n" },
		{ "--b\r\nContent-Disposition: form-data; name=q filename=x\r\n\r\nv" END,
		  ODD_MISSING_SEMICOLON, "header q=" FIELD "q filename=x\nfile q=x\nq=v\nsize 1 q=x\n" },
		{ "--b\r\n" FIELD "'q'\r\n\r\nv" END, ODD_QUOTING, NULL },
		{ "--b\r\n" FIELD "\"q\r\n\r\nv" END, ODD_QUOTING, "header q=" FIELD "\"q\nq=v\n" },
		{ "--b\r\n" FIELD "\"q\"; filename=\"x\r\n\r\nv" END, ODD_QUOTING,
		  "header q=" FIELD "\"q\"; filename=\"x\nfile q=x\nq=v\nsize 1 q=x\n" },
		{ "--b\r\n" FIELD "\"a\\b\"\r\n\r\nv" END, ODD_ESCAPE,
		  "header ab=" FIELD "\"a\\x5cb\"\nab=v\na\\x5cb=v\n" },
		{ "--b\r\n" FIELD "\"a\\\"; filename=x\"\r\n\r\nv" END, ODD_ESCAPE | ODD_QUOTING, NULL },
		{ "--b\r\nContent-Type: text/plain\r\n\r\nv" END, ODD_PART,
		  "header =Content-Type: text/plain\n=v\n" },
		{ "--b\r\n\r\nv" END, ODD_PART, "=v\n" },
		{ "--b\r\nContent-Disposition: attachment; name=q\r\n\r\nv" END, ODD_PART, NULL },
		{ "--b\r\nContent-Disposition: form-data\r\n\r\nv" END, ODD_PART, NULL },
		{ "--b\r\n" FIELD "q\r\nnonsense\r\n\r\nv" END, ODD_HEADER, NULL },
		{ "--b\r\n" FIELD "q\r\n: x\r\n\r\nv" END, ODD_HEADER, NULL },
		{ "--b\r\n" FIELD "q\r\nA : x\r\n\r\nv" END, ODD_HEADER, NULL },
		{ "--b\r\n" FIELD "q\rX: y\r\n\r\nv" END,
		  ODD_HEADER | ODD_QUOTING | ODD_MISSING_SEMICOLON, NULL },
		{ "--b\r\n" FIELD "q; name=r\r\n\r\nv" END, ODD_NAME_TWICE,
		  "header q=" FIELD "q; name=r\nq=v\nr=v\n" },
		{ "--b\r\n" FIELD "q\r\n" FIELD "r\r\n\r\nv" END, ODD_NAME_TWICE,
		  "header q=" FIELD "q\nheader q=" FIELD "r\nq=v\nr=v\n" },
		{ "--b\r\n" FIELD "f; filename=a; filename=b\r\n\r\nv" END, ODD_NAME_TWICE,
		  "header f=" FIELD "f; filename=a; filename=b\nfile f=a\nfile f=b\nf=v\n"
		  "size 1 f=a\nsize 1 again f=b\n" },
		{ "--b\r\n" FIELD "f; filename*=UTF-8''a%20b.php\r\n\r\nv" END, ODD_FILENAME_STAR,
		  "header f=" FIELD "f; filename*=UTF-8''a%20b.php\nfile f=a b.php\nf=v\n"
		  "size 1 f=a b.php\n" },
		{ "--b\r\n" FIELD "f; filename=a; filename*=utf-8''a\r\n\r\nv" END, ODD_FILENAME_STAR,
		  "header f=" FIELD "f; filename=a; filename*=utf-8''a\nfile f=a\nlook f=v\nsize 1 f=a\n" },
		{ "--b\r\n" FIELD "q\r\nContent-Transfer-Encoding: base64\r\n\r\nv" END, ODD_ENCODING, NULL },
		{ "--b\r\n" FIELD "q\r\nContent-Transfer-Encoding: 8BIT\r\n\r\nv" END, 0, NULL },
		{ "--b\r\n" FIELD "q\r\nContent-Type: text/plain; charset=utf-7\r\n\r\nv" END, ODD_CHARSET, NULL },
		{ "--b\r\n" FIELD "_charset_\r\n\r\nutf-16" END, ODD_CHARSET, NULL },
		{ "--b\r\n" FIELD "_charset_\r\n\r\nUTF-8" END, 0, NULL },
		{ "--b\r\n" FIELD "q\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\nv" END, ODD_PART, NULL },
		{ "--b\r\n" FIELD "q\r\n\r\nv", ODD_NO_FINAL, "header q=" FIELD "q\nq=v\n" },
		{ "--b\r\n" FIELD "q\r\n\r\nv\r\n--b", ODD_NO_FINAL, "header q=" FIELD "q\nq=v\n" },
		{ "--b\r\n" FIELD "q\r\n\r\nv\r\n-", ODD_NO_FINAL, "header q=" FIELD "q\nq=v\\x0d\\x0a-\n" },
		{ "--b\r\n" FIELD "q\r\n\r\nv\r\n--c" END, ODD_DASHES, "header q=" FIELD "q\nq=v\\x0d\\x0a--c\n" },
		{ "--b\r\n" FIELD "q\r\n\r\nv--c\r\n-c" END, 0, NULL },
		{ "--\r\n--b\r\n" FIELD "q\r\n\r\nv" END, ODD_DASHES | ODD_PREAMBLE, NULL },
		{ "--b\r\n" FIELD "q\r\n\r\nv\r\n--bb\r\n--b-x" END, ODD_UNMATCHED,
		  "header q=" FIELD "q\nq=v\\x0d\\x0a--bb\\x0d\\x0a--b-x\n" },
		{ "--b\r\n" FIELD "q\r\n--b\r\n" FIELD "r\r\n\r\nv" END, ODD_PART,
		  "header q=" FIELD "q\nq=\nheader r=" FIELD "r\nr=v\n" },
		{ "--b\r\n--b\r\n" FIELD "r\r\n\r\nv" END, ODD_PART, "header r=" FIELD "r\nr=v\n" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		check((struct body_limits){ 0 }, cases[i].in, cases[i].odd, FAULT_NONE, cases[i].want);
}

static void what_cannot_be_read_is_malformed(void **state)
{
	static const char *const cases[] = {
		"", "hello", "--c\r\nx", "--b\r\n", "--b\r\n" FIELD "q\r\n", "--b\r\n" FIELD "q", "-", "--",
		"a=1&b=2", "\r\n--bb--",
	};
	static const struct content_type none;
	struct body_setup s = { .type = &none };
	struct told t = told_of(&body_multipart, s, BYTES("--\r\n"), 0);

	(void)state;
	assert_int_equal(t.fault, FAULT_MALFORMED);
	arena_free(t.arena);
	for (size_t i = 0; i < nelems(cases); i++)
		check((struct body_limits){ 0 }, cases[i], 0, FAULT_MALFORMED, NULL);
}

static void every_bound_has_its_own_fault(void **state)
{
	static const char two[] = "--b\r\n" FIELD "q\r\nX-A: 1\r\n\r\n12345678\r\n--b\r\n" FIELD "r\r\n\r\n1" END;
	static const struct { struct body_limits limits; enum body_fault fault; } cases[] = {
		{ { .args = 2, .parts = 2, .header_lines = 2, .header_bytes = 45, .value_bytes = 8 }, FAULT_NONE },
		{ { .args = 1 }, FAULT_ARGS },
		{ { .parts = 1 }, FAULT_PARTS },
		{ { .header_lines = 1 }, FAULT_HEADERS },
		{ { .header_bytes = 40 }, FAULT_HEADERS },
		{ { .value_bytes = 7 }, FAULT_VALUE },
		{ { .total_bytes = 50 }, FAULT_TOTAL },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		check(cases[i].limits, two, 0, cases[i].fault, NULL);
}

static void a_file_is_looked_into_and_counted(void **state)
{
	(void)state;
	check((struct body_limits){ .look_bytes = 4, .value_bytes = 5 },
	      "--b\r\n" FIELD "f; filename=x\r\n\r\n12345\r\n--9\r\n" END, ODD_DASHES, FAULT_NONE,
	      "header f=" FIELD "f; filename=x\nfile f=x\nlook f=1234\nsize 12 f=x\n");
}

static bool note(void *owner, const struct body_value *v)
{
	(void)owner;
	(void)v;
	return true;
}

static void only_the_field_being_read_is_held(void **state)
{
	static const char file[] = "--b\r\n" FIELD "f; filename=x\r\n\r\n";
	static const char data[] = "0123456789";
	static const char field[] = "\r\n--b\r\n" FIELD "q\r\n\r\nvalue";
	static const struct body_sink sink = { note, NULL };
	struct arena *a = arena_new(1 << 20);
	struct body_setup s = { .type = &type_b, .sink = &sink, .limits = { .look_bytes = 4 } };
	struct body *b = body_new(a, &body_multipart, &s);

	(void)state;
	body_push(b, bytes_of(file));
	assert_int_equal(body_settled(b), 0); /* its first bytes are not seen yet */
	body_push(b, BYTES("012"));
	assert_int_equal(body_settled(b), 0);
	body_push(b, BYTES("3456789"));
	assert_int_equal(body_settled(b), strlen(file) + strlen(data));
	assert_false(body_in_field(b));
	body_push(b, bytes_of(field));
	assert_int_equal(body_settled(b), strlen(file) + strlen(data));
	assert_true(body_in_field(b));
	body_push(b, BYTES("\r\n--"));
	assert_int_equal(body_settled(b), strlen(file) + strlen(data));
	body_push(b, BYTES("b\r\n"));
	assert_int_equal(body_settled(b), strlen(file) + strlen(data) + strlen(field));
	body_push(b, BYTES(FIELD "g; filename=y\r\n\r\n0123"));
	assert_false(body_in_field(b));
	body_push(b, BYTES("\r\n--b--\r\n"));
	assert_int_equal(body_end(b), FAULT_NONE);
	arena_free(a);
}

static void the_boundary_of_the_header_is_judged(void **state)
{
	static const struct { const char *type; unsigned odd; } cases[] = {
		{ "multipart/form-data; boundary=b", 0 },
		{ "multipart/form-data; boundary=\"b\"", ODD_BOUNDARY_QUOTED },
		{ "multipart/form-data; boundary=b; boundary=c", ODD_BOUNDARY_TWICE },
		{ "multipart/form-data; boundary=\"b", ODD_BOUNDARY_QUOTED | ODD_BOUNDARY_INVALID | ODD_TYPE },
		{ "multipart/form-data; boundary= b", ODD_TYPE },
		{ "multipart/form-data; boundary=b c", ODD_TYPE },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct arena *a = arena_new(1 << 16);
		struct content_type type;
		struct body_setup s = { .type = &type };
		struct told t;

		assert_true(content_type_parse(a, bytes_of(cases[i].type), &type));
		t = told_of(&body_multipart, s, BYTES("--b--\r\n"), 0);
		assert_int_equal(t.fault, FAULT_NONE);
		assert_int_equal(t.anomalies, cases[i].odd);
		arena_free(t.arena);
		arena_free(a);
	}
	assert_string_equal(multipart_anomaly_name(ODD_ESCAPE), "backslash in name");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_and_files_are_told),
		cmocka_unit_test(what_is_odd_is_flagged),
		cmocka_unit_test(what_cannot_be_read_is_malformed),
		cmocka_unit_test(every_bound_has_its_own_fault),
		cmocka_unit_test(a_file_is_looked_into_and_counted),
		cmocka_unit_test(only_the_field_being_read_is_held),
		cmocka_unit_test(the_boundary_of_the_header_is_judged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
