/* Bodies: how long they are held, what of them goes on, and what is refused. */
#include "tests/test.h"
#include "tests/inspected.h"
#include <zlib.h>

static const char rules[] =
	"name: arg\nrules: [{zones: [BODY_ARGS], match: {type: contains, value: evil}}]\n---\n"
	"name: raw\nrules: [{zones: [RAW_BODY], match: {type: contains, value: badraw}}]\n";

static struct ruleset *rs;
static struct rules_scratch *scratch;

static int set_up(void **state)
{
	struct err e = { 0 };

	(void)state;
	rs = rules_of_text(bytes_of(rules), &matcher_hs, &e);
	scratch = rules_scratch_new();
	return rs && scratch ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	rules_scratch_free(scratch);
	ruleset_free(rs);
	return 0;
}

enum { ROOM = 64 << 10, WINDOW = 4096 };

/* A request with this body, after `fields`; with a length or chunked (the body
 * is given decoded either way). */
static struct bytes request(struct text *t, const char *fields, struct bytes body, bool chunked)
{
	t->len = 0;
	text_printf(t, "POST / HTTP/1.1\r\nHost: a\r\n%s", fields);
	if (chunked)
		text_str(t, "Transfer-Encoding: chunked\r\n\r\n");
	else
		text_printf(t, "Content-Length: %zu\r\n\r\n", body.len);
	text_put(t, body);
	assert_false(t->full);
	return text_bytes(t);
}

/* `want` with an open bracket is a beginning. */
static void expect(const char *fields, struct bytes body, bool chunked, size_t cut, const char *want)
{
	static char room[ROOM];
	struct text t = text_over(room, sizeof room);
	struct inspect_options o = { .window = WINDOW };
	struct inspected got = inspect_text(rs, scratch, request(&t, fields, body, chunked), cut, &o);

	if (!bytes_starts(got.outcome, bytes_of(want)) || (!strchr(want, '(') && got.outcome.len != strlen(want)))
		fail_msg("%s cut %zu: want \"%s\", got \"%.*s\"", fields, cut, want, BYTES_ARG(got.outcome));
	arena_free(got.arena);
}

static void expect_all_ways(const char *fields, struct bytes body, const char *want)
{
	static const size_t cuts[] = { 0, 1, 7, 1000 };

	for (size_t i = 0; i < nelems(cuts); i++) {
		expect(fields, body, false, cuts[i], want);
		expect(fields, body, true, cuts[i], want);
	}
}

static struct bytes filled(char *at, size_t n, const char *start, const char *end)
{
	memset(at, 'x', n);
	memcpy(at, start, strlen(start));
	memcpy(at + n - strlen(end), end, strlen(end));
	return (struct bytes){ at, n };
}

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"
#define JSON "Content-Type: application/json\r\n"
#define OPAQUE "Content-Type: application/octet-stream\r\n"
#define MULTIPART "Content-Type: multipart/form-data; boundary=B\r\n"
#define TOO_LONG "too long (a structured body"

static void a_structure_must_fit_the_window(void **state)
{
	static char at[2 * WINDOW];

	(void)state;
	expect_all_ways(FORM, filled(at, WINDOW, "a=", "evil"), "deny arg");
	expect_all_ways(FORM, filled(at, WINDOW + 1, "a=", "evil"), TOO_LONG);
	expect_all_ways(JSON, filled(at, WINDOW + 1, "{\"a\":\"", "\"}"), TOO_LONG);
	expect_all_ways("Content-Type: text/plain\r\n", filled(at, WINDOW + 1, "{\"a\":\"", "\"}"), TOO_LONG);
	expect_all_ways("", filled(at, WINDOW + 1, "a=", ""), TOO_LONG);
	memset(at, ' ', sizeof at);
	expect_all_ways("", (struct bytes){ at, WINDOW + 1 }, TOO_LONG); /* anything could come then */
}

static void of_an_opaque_body_the_window_is_inspected_and_the_rest_streams(void **state)
{
	static char at[2 * WINDOW];

	(void)state;
	expect_all_ways(OPAQUE, filled(at, 2 * WINDOW, "badraw", ""), "deny raw");
	expect_all_ways(OPAQUE, filled(at, 2 * WINDOW, "", "badraw"), "allow");
	expect_all_ways(OPAQUE, filled(at, WINDOW, "", "badraw"), "deny raw");
	/* A picture may look like a document by chance. */
	expect_all_ways("Content-Type: image/x-odd\r\n", filled(at, 2 * WINDOW, "{", ""), "allow");
	expect_all_ways("Content-Type: image/x-odd\r\n", filled(at, 2 * WINDOW, "{badraw", ""), "deny raw");
}

static void nothing_goes_on_before_the_verdict(void **state)
{
	static char at[2 * WINDOW], room[ROOM];
	struct text t = text_over(room, sizeof room);
	struct inspect_options o = { .window = WINDOW };
	struct inspected got;

	(void)state;
	got = inspect_text(rs, scratch, request(&t, FORM, filled(at, WINDOW, "a=", ""), true), 100, &o);
	assert_int_equal(got.released, 0);
	arena_free(got.arena);
	got = inspect_text(rs, scratch, request(&t, OPAQUE, filled(at, WINDOW + 100, "", ""), true), WINDOW, &o);
	assert_int_equal(got.released_early, 0);
	assert_true(got.released == UINT64_MAX);
	arena_free(got.arena);
	/* What has a length and is all there is known to be clean at once. */
	got = inspect_text(rs, scratch, request(&t, FORM, BYTES("a=b"), false), 0, &o);
	assert_true(got.released == UINT64_MAX);
	arena_free(got.arena);
}

#define FILE_PART "--B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x\"\r\n\r\n"
#define FIELD_PART "\r\n--B\r\nContent-Disposition: form-data; name=\"late\"\r\n\r\n"

/* A file of n bytes and then a field. */
static struct bytes upload(struct text *t, size_t n, const char *field)
{
	text_str(t, FILE_PART);
	for (size_t i = 0; i < n; i++)
		text_byte(t, 'x');
	text_str(t, FIELD_PART);
	text_str(t, field);
	text_str(t, "\r\n--B--\r\n");
	return text_bytes(t);
}

static void fields_behind_a_long_file_are_inspected_too(void **state)
{
	static char room[ROOM];
	struct text t = text_over(room, sizeof room);

	(void)state;
	expect_all_ways(MULTIPART, upload(&t, 3 * WINDOW, "good"), "allow");
	t.len = 0;
	expect_all_ways(MULTIPART, upload(&t, 3 * WINDOW, "evil"), "deny arg");
	t.len = 0;
	expect_all_ways(MULTIPART, upload(&t, 10, "evil"), "deny arg");
}

static void a_field_behind_the_window_is_held_until_it_is_known(void **state)
{
	static char room[ROOM], message[ROOM];
	struct text t = text_over(room, sizeof room), m = text_over(message, sizeof message);
	struct inspect_options o = { .window = WINDOW };
	struct bytes body = upload(&t, 3 * WINDOW, "evil");
	size_t field = bytes_find(body, BYTES(FIELD_PART));
	struct inspected got = inspect_text(rs, scratch, request(&m, MULTIPART, body, true), 1, &o);

	(void)state;
	assert_bytes(got.outcome, BYTES("deny arg"));
	assert_true(got.released <= field);
	assert_true(got.released + 200 > field); /* the file has gone on */
	arena_free(got.arena);
}

static void bounds_are_refused_by_name(void **state)
{
	static char at[WINDOW];
	struct text t = text_over(at, sizeof at);

	(void)state;
	for (int i = 0; i < 100; i++)
		text_byte(&t, '[');
	expect_all_ways(JSON, text_bytes(&t), "refused (json: ");
	t.len = 0;
	for (int i = 0; i < 1025; i++)
		text_str(&t, "a&");
	expect_all_ways(FORM, text_bytes(&t), "refused (urlencoded: ");
	expect_all_ways(MULTIPART, BYTES("--B\r\nContent-Disposition: form-data; name=a; name=b\r\n\r\n1\r\n--B--\r\n"),
			"refused (multipart: ");
	expect_all_ways("Content-Type: text/xml\r\n", BYTES("<!DOCTYPE a [<!ENTITY b 'c'>]><a/>"), "refused (xml: ");
}

static void an_error_of_the_parser_is_told_and_no_denial(void **state)
{
	(void)state;
	expect_all_ways(JSON, BYTES("{\"a\": 1,}"), "allow (json: ");
	expect_all_ways(JSON, BYTES("{\"a\": evil"), "deny arg"); /* the whole of it is an argument then */
}

/* window_bits: 31 gzip, 15 zlib, -15 neither. */
static struct bytes packed(char *at, size_t cap, struct bytes in, int window_bits)
{
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window_bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
	z.next_in = (unsigned char *)(uintptr_t)in.at;
	z.avail_in = (unsigned)in.len;
	z.next_out = (unsigned char *)at;
	z.avail_out = (unsigned)cap;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return (struct bytes){ at, cap - z.avail_out };
}

#define GZIP "Content-Encoding: gzip\r\n"

static void packed_bodies_are_unpacked_for_inspection(void **state)
{
	static char at[ROOM], big[1 << 20];
	struct bytes evil = BYTES("a=evil&b=2"), one;

	(void)state;
	expect_all_ways(FORM GZIP, packed(at, sizeof at, evil, 31), "deny arg");
	expect_all_ways(FORM "Content-Encoding: deflate\r\n", packed(at, sizeof at, evil, 15), "deny arg");
	expect(FORM "Content-Encoding: deflate\r\n", packed(at, sizeof at, evil, -15), false, 0, "deny arg");
	one = packed(at, sizeof at, BYTES("a=e"), 31); /* in two members */
	one.len += packed(at + one.len, sizeof at - one.len, BYTES("vil"), 31).len;
	expect_all_ways(FORM GZIP, one, "deny arg");
	expect_all_ways(FORM GZIP, packed(at, sizeof at, filled(big, WINDOW + 1, "a=", "y"), 31), TOO_LONG);
	expect_all_ways(OPAQUE GZIP, packed(at, sizeof at, filled(big, sizeof big, "", ""), 31), "allow");
	expect_all_ways(FORM GZIP, BYTES("a=evil"), "refused (content-encoding: the compressed body is broken");
	expect_all_ways(FORM GZIP, bytes_sub(packed(at, sizeof at, evil, 31), 0, 15),
			"refused (content-encoding: the compressed body ends too early");
}

/* Nobody here can read it: as it came, and as what it looks like. */
static void an_unknown_coding_hides_no_plain_text(void **state)
{
	static char at[2 * WINDOW];

	(void)state;
	expect_all_ways(FORM "Content-Encoding: br\r\n", BYTES("\x8b\x02\x80 badraw"), "deny raw");
	expect_all_ways(JSON "Content-Encoding: br\r\n", BYTES("\x8b\x02\x80{\"a\":1}\x03"), "allow");
	expect_all_ways(FORM "Content-Encoding: br\r\n", BYTES("a=evil"), "deny arg");
	expect_all_ways(FORM "Content-Encoding: br\r\n", filled(at, WINDOW + 1, "a=", "y"), TOO_LONG);
	expect_all_ways(JSON "Content-Encoding: br\r\n", filled(at, WINDOW + 1, "\x8b\x02", "y"), "allow");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_structure_must_fit_the_window),
		cmocka_unit_test(of_an_opaque_body_the_window_is_inspected_and_the_rest_streams),
		cmocka_unit_test(nothing_goes_on_before_the_verdict),
		cmocka_unit_test(fields_behind_a_long_file_are_inspected_too),
		cmocka_unit_test(a_field_behind_the_window_is_held_until_it_is_known),
		cmocka_unit_test(bounds_are_refused_by_name),
		cmocka_unit_test(an_error_of_the_parser_is_told_and_no_denial),
		cmocka_unit_test(packed_bodies_are_unpacked_for_inspection),
		cmocka_unit_test(an_unknown_coding_hides_no_plain_text),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
