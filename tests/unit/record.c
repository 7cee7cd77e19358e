/* record.c, redact.c -- secrets stay in, fields have bounds, copies stand alone. */
#include "tests/test.h"
#include "admin/record.h"
#include <stdlib.h>

static const struct bytes own_names[] = { BYTES_INIT("pin"), BYTES_INIT("X-Member") };
static const struct redact own = { own_names, nelems(own_names) };

static void names_are_secret_in_any_dress(void **state)
{
	static const struct { const char *name; bool secret; } names[] = {
		{ "password", true }, { "PassWord", true }, { "user[password]", true }, { "login.password", true },
		{ "set-cookie", true }, { "Authorization", true }, { "pin", true }, { "x_member", true },
		{ "api-key", true }, { "passwords", false }, { "pins", false }, { "", false }, { "[]", false },
		{ "comment", false }, { "xpassword", false }, { "newPassword", true }, { "password_confirmation", true },
		{ "password2", true }, { "Cookie2", true }, { "X-Authorization", true }, { "X-CSRF-Token", true }, { "wsse:Password", true },
		{ "JSESSIONID", true }, { "accessToken", true }, { "compass", false }, { "side", false }, { "x.pin", true }, { "x_pin", false },
		{ "PASSWORDS", false },
	};

	(void)state;
	for (size_t i = 0; i < nelems(names); i++)
		if (redact_is_secret(&own, bytes_of(names[i].name)) != names[i].secret)
			fail_msg("%s", names[i].name);
}

static void queries_keep_their_shape(void **state)
{
	static const struct { const char *query, *want; } queries[] = {
		{ "a=1&b=2", "a=1&b=2" },
		{ "password=x", "password=[redacted]" },
		{ "a=1&password=x=y&c", "a=1&password=[redacted]&c" },
		{ "a;pin=1;b=2", "a;pin=[redacted];b=2" },
		{ "pass%77ord=x&token", "pass%77ord=[redacted]&token" },
		{ "u%5Bpassword%5d=x", "u%5Bpassword%5d=[redacted]" },
		{ "=&&==%", "=&&==%" },
		{ "password=", "password=[redacted]" },
		{ "password=a;b=c&d", "password=[redacted]&d" },
		{ "a=password%3DX", "a=password%3D[redacted]" },
		{ "a=password%253DX%2526b%253D1", "a=password%253D[redacted]%2526b%253D1" },
		{ "a=p%61ssword%3d%22X%26Y%22%26b", "a=p%61ssword%3d%22[redacted]%22%26b" },
		{ "password%3DX&b=1", "password%3D[redacted]&b=1" },
		{ "j=%7B%22password%22%3A%22a%5C%22b%22%2C%22c%22%3A1%7D", "j=%7B%22password%22%3A%22[redacted]%22%2C%22c%22%3A1%7D" },
		{ "u=/in?token%3DX%26x=1", "u=/in?token%3D[redacted]%26x=1" },
		{ "%", "%" }, { "%3", "%3" }, { "a=%252525", "a=%252525" }, { "&&", "&&" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(queries); i++) {
		char buf[256];
		struct text t = text_over(buf, sizeof buf);

		redact_query(&t, &own, bytes_of(queries[i].query));
		assert_bytes(text_bytes(&t), bytes_of(queries[i].want));
	}
}

static void loose_text_hides_what_follows_a_secret_name(void **state)
{
	static const struct { const char *value; size_t from, to; const char *want; } values[] = {
		{ "/a?x=1&password=hunter2&y=2", 0, 99, "/a?x=1&password=[redacted]&y=2" },
		{ "{\"password\": \"a b c\", \"x\": 1}", 0, 99, "{\"password\": \"[redacted]\", \"x\": 1}" },
		{ "{\"password\":\"a\\\"b\",\"x\":1}", 0, 99, "{\"password\":\"[redacted]\",\"x\":1}" },
		{ "{\"password\":\"a\\\\\",\"x\":1}", 0, 99, "{\"password\":\"[redacted]\",\"x\":1}" },
		{ "{\"pass\\u0077ord\":\"a\",\"x\":1}", 0, 99, "{\"pass\\u0077ord\":\"[redacted]\",\"x\":1}" },
		{ "{\"pin\":[\"a\",\"]b\",{\"c\":1}],\"x\":1}", 0, 99, "{\"pin\":[redacted],\"x\":1}" },
		{ "{\"pin\":1234,\"x\":1}", 0, 99, "{\"pin\":[redacted],\"x\":1}" },
		{ "{\"pin\":\"12", 0, 99, "{\"pin\":\"[redacted]" },
		{ "{\"cookie\":null,\"x\":1}", 0, 99, "{\"cookie\":[redacted],\"x\":1}" },
		{ "{\"u\":\"/?pin\\u003d1\\u0026b\"}", 0, 99, "{\"u\":\"/?pin\\u003d[redacted]\\u0026b\"}" },
		{ "<a><pin>1</pin><b>2</b></a>", 0, 99, "<a><pin>[redacted]</pin><b>2</b></a>" },
		{ "<w:Password T=\"x\">1</w:Password>2", 0, 99, "<w:Password[redacted]</w:Password>2" },
		{ "<u password=\"1\" b=\"2\"/>", 0, 99, "<u password=\"[redacted]\" b=\"2\"/>" },
		{ "<pin>1", 0, 99, "<pin>[redacted]" },
		{ "%3Cpin%3E1%3C/pin%3E2", 0, 99, "%3Cpin%3E[redacted]%3C/pin%3E2" },
		{ "'pin' => 'a', 'b' => 'c'", 0, 99, "'pin' => '[redacted]', 'b' => 'c'" },
		{ "/?password=a,b}c&y", 0, 99, "/?password=[redacted]&y" },
		{ "Cookie: a=1; b=2\r\nX: y", 0, 99, "Cookie: [redacted]\r\nX: y" },
		{ "{\\\"token\\\":\\\"abc\\\"}", 0, 99, "{\\\"token\\\":\\\"[redacted]\\\"}" },
		{ "a=1&password=hunter2&y=2", 15, 22, "[redacted]&y" },      /* cut inside the secret */
		{ "a=1&password=hunter2", 0, 15, "a=1&password=[redacted]" },
		{ "http://x/y", 0, 99, "http://x/y" },
		{ "pin=;b", 0, 99, "pin=;b" },
		{ "Authorization: Bearer abc.def\r\nX: y", 0, 99, "Authorization: [redacted]\r\nX: y" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(values); i++) {
		char buf[256];
		struct text t = text_over(buf, sizeof buf);

		redact_loose(&t, &own, bytes_of(values[i].value), values[i].from, values[i].to);
		assert_bytes(text_bytes(&t), bytes_of(values[i].want));
	}
}

static void paths_and_urls_hide_what_is_secret_in_them(void **state)
{
	static const struct { const char *url, *want; } urls[] = {
		{ "/a;jsessionid=1F;v=2/b;pin=3/c", "/a;jsessionid=[redacted];v=2/b;pin=[redacted]/c" },
		{ "/a;jsessionid=1F?pin=1&b=2", "/a;jsessionid=[redacted]?pin=[redacted]&b=2" },
		{ "/a%3Bpin%3D3%2Fb", "/a%3Bpin%3D[redacted]%2Fb" },
		{ "https://me:pw@host:8/a?b#token=1&c=2", "https://[redacted]@host:8/a?b#token=[redacted]&c=2" },
		{ "https://host/a@b", "https://host/a@b" },
		{ "/a?u=//x@y", "/a?u=//x@y" },
		{ "//a:b@c", "//[redacted]@c" },
		{ "", "" }, { "?", "?" }, { "#?#", "#?#" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(urls); i++) {
		char buf[256];
		struct text t = text_over(buf, sizeof buf);

		redact_url(&t, &own, bytes_of(urls[i].url));
		assert_bytes(text_bytes(&t), bytes_of(urls[i].want));
	}
}

static void utf_16_hides_nothing(void **state)
{
	static const char text[] = "{\0\"\0p\0i\0n\0\"\0:\0\"\0s\0\"\0}\0";
	char buf[256];
	struct text t = text_over(buf, sizeof buf);

	(void)state;
	redact_loose(&t, &own, (struct bytes){ text, sizeof text - 1 }, 0, SIZE_MAX);
	assert_int_equal(bytes_index(text_bytes(&t), 's'), SIZE_MAX);
	assert_true(bytes_find(text_bytes(&t), BYTES("[redacted]\"")) != SIZE_MAX);
}

/* What is written tells who it is, by whatever way it came. */
static void no_form_of_a_secret_is_written(void **state)
{
	static const struct field fields[] = {
		{ BYTES_INIT("Referer"), BYTES_INIT("https://a:s3cret@x/;sid=s3cret/?q=token%3Ds3cret#pin=s3cret"), FIELD_REFERER, false },
		{ BYTES_INIT("User-Agent"), BYTES_INIT("curl (password=s3cret)"), FIELD_USER_AGENT, false },
		{ BYTES_INIT("X-Whatever"), BYTES_INIT("bearer s3cret"), FIELD_OTHER, false },
		{ BYTES_INIT("X-Original-Authorization"), BYTES_INIT("s3cret"), FIELD_OTHER, false },
		{ BYTES_INIT("X-Original-URL"), BYTES_INIT("/a?pin=s3cret"), FIELD_OTHER, false },
	};
	const struct request q = { .method = BYTES("GET"), .path = BYTES("/a;jsessionid=s3cret"), .query = BYTES("a=password%3Ds3cret"),
				   .fields = { (struct field *)(uintptr_t)fields, nelems(fields), nelems(fields) } };
	const struct event e = { .request = &q };
	static struct record r;
	size_t bytes;
	struct record *copy;

	(void)state;
	record_of(&r, &e, &own);
	record_request(&r, &e, &own);
	copy = record_copy(&r, &bytes);
	assert_int_equal(copy->nfields, nelems(fields));
	assert_int_equal(bytes_find((struct bytes){ (const char *)copy, bytes }, BYTES("s3cret")), SIZE_MAX);
	free(copy);
}

static const struct rule_info rule = { "r/1", "a rule", "scan", "x.yaml", 1, SEVERITY_ERROR };

static void a_snippet_shows_the_match_and_its_surroundings(void **state)
{
	static char value[1000];
	struct hit hit = { .rule = &rule, .variable = BYTES("ARGS:q"), .value = { value, sizeof value }, .offset = 500, .len = 5, .score = 3 };
	struct event e = { .hits = &hit, .nhits = 1 };
	struct record r;

	(void)state;
	memset(value, 'a', sizeof value);
	memcpy(value + 500, "match", 5);
	record_of(&r, &e, NULL);
	assert_int_equal(r.nhits, 1);
	assert_int_equal(r.hits[0].offset, 500);
	assert_true(r.hits[0].before && r.hits[0].after);
	assert_int_equal(r.hits[0].snippet.len, RECORD_SNIPPET);
	assert_int_equal(bytes_find(r.hits[0].snippet, BYTES("match")), 24);
	assert_int_equal(r.score, 3);
	hit.offset = 5000; /* a rule that cannot count */
	record_of(&r, &e, NULL);
	assert_true(r.hits[0].snippet.len <= RECORD_SNIPPET);
}

static void cookies_and_secret_headers_show_no_snippet(void **state)
{
	static const struct { const char *variable; bool shown; } variables[] = {
		{ "COOKIES:sid", false }, { "REQUEST_COOKIES", false }, { "COOKIES_NAMES", true },
		{ "HEADERS:Authorization", false }, { "HEADERS:Cookie", false }, { "HEADERS:User-Agent", true },
		{ "ARGS:password", false }, { "ARGS:pin", false }, { "ARGS:q", true }, { "URI", true },
		{ "XML", false }, { "BODY_TYPE:xml.a.password", false }, { "BODY_TYPE:xml.a.b", true },
	};

	(void)state;
	for (size_t i = 0; i < nelems(variables); i++) {
		struct hit hit = { &rule, bytes_of(variables[i].variable), BYTES("s3cret"), 0, 6, 0, BYTES("has s3cret"),
				   BYTES("found s3cret"), NULL, 0 };
		struct event e = { .hits = &hit, .nhits = 1 };
		struct record r;

		record_of(&r, &e, &own);
		assert_bytes(r.hits[0].snippet, variables[i].shown ? BYTES("s3cret") : BYTES("[redacted]"));
		assert_bytes(r.hits[0].data, variables[i].shown ? BYTES("found s3cret") : BYTES("[redacted]"));
		assert_bytes(r.hits[0].message, variables[i].shown ? BYTES("has s3cret") : BYTES("a rule"));
	}
}

static void bodies_hide_what_is_secret_in_them(void **state)
{
	static const struct { const char *type, *body, *want; } bodies[] = {
		{ "application/x-www-form-urlencoded", "a=1&pass%77ord=s3cret&b=2", "a=1&pass%77ord=[redacted]&b=2" },
		{ "application/json; charset=utf-8", "{\"a\":1,\"password\":\"s3cret\"}", "{\"a\":1,\"password\":\"[redacted]\"}" },
		{ "multipart/form-data; boundary=x",
		  "--x\r\nContent-Disposition: form-data; name=\"pin\"\r\n\r\ns3cret\r\n--x\r\nContent-Disposition: form-data; "
		  "name=\"q\"\r\n\r\nshown\r\n--x--\r\n",
		  "--x\r\nContent-Disposition: form-data; name=\"pin\"\r\n\r\n[redacted]\r\n--x\r\nContent-Disposition: form-data; "
		  "name=\"q\"\r\n\r\nshown\r\n--x--\r\n" },
		{ "multipart/form-data; boundary=x", "--x\r\nname=\"pin\"\r\n\r\ns3cre", "--x\r\nname=\"pin\"\r\n\r\n[redacted]" },
		{ "multipart/form-data; boundary=\"x\"", "--x\nA: b; filename=\"pin\"; name=q\n\nshown\n--x\nA: b; NAME*=utf-8''pi%6e\n\n1\n--x--",
		  "--x\nA: b; filename=\"pin\"; name=q\n\nshown\n--x\nA: b; NAME*=utf-8''pi%6e\n\n[redacted]\n--x--" },
		{ "multipart/form-data; boundary=x", "--x\r\nA: b; name=\"q\"\r\n\r\n{\"pin\":\"1\"}\r\n--x--",
		  "--x\r\nA: b; name=\"q\"\r\n\r\n{\"pin\":\"[redacted]\"}\r\n--x--" },
		{ "multipart/form-data", "password=s3cret", "password=[redacted]" },
		{ "multipart/form-data; boundary=x", "name=\"name=\"pin", "name=\"name=\"pin" },
		{ "", "password=s3cret", "password=[redacted]" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(bodies); i++) {
		struct field type = { .name = BYTES("Content-Type"), .value = bytes_of(bodies[i].type), .id = FIELD_CONTENT_TYPE };
		const struct request q = { .fields = { &type, 1, 1 } };
		const struct event e = { .request = &q, .has_body = true, .body = bytes_of(bodies[i].body) };
		struct record r;

		record_of(&r, &e, &own);
		assert_false(r.has_body);
		record_request(&r, &e, &own);
		assert_bytes(r.body, bytes_of(bodies[i].want));
	}
}

static void fields_have_one_bound_in_all(void **state)
{
	static char long_value[5000];
	struct field fields[100] = {
		{ .name = BYTES("Cookie"), .value = BYTES("s3cret"), .id = FIELD_COOKIE },
		{ .name = BYTES("X-Member"), .value = BYTES("s3cret") },
		{ .name = BYTES("Referer"), .value = BYTES("/?pin=s3cret"), .id = FIELD_REFERER },
		{ .name = BYTES("X-Long"), .value = { long_value, sizeof long_value } },
		{ .name = BYTES("X-Long"), .value = { long_value, sizeof long_value } },
	};
	const char *const wanted[] = { "[redacted]", "[redacted]", "/?pin=[redacted]" };
	const struct request q = { .fields = { fields, 100, 100 } };
	const struct event e = { .request = &q };
	struct record r, *copy;
	size_t bytes;

	(void)state;
	memset(long_value, 'x', sizeof long_value);
	for (size_t i = 5; i < nelems(fields); i++)
		fields[i] = (struct field){ .name = BYTES("A"), .value = BYTES("b") };
	record_of(&r, &e, &own);
	assert_int_equal(r.nfields, 0);
	record_request(&r, &e, &own);
	assert_int_equal(r.nfields, RECORD_FIELDS);
	assert_int_equal(r.more_fields, 100 - RECORD_FIELDS); /* the second long one is among them */
	copy = record_copy(&r, &bytes);
	memset(&r, 0, sizeof r);
	for (size_t i = 0; i < nelems(wanted); i++)
		assert_bytes(copy->fields[i].value, bytes_of(wanted[i]));
	assert_bytes(copy->fields[4].name, BYTES("A"));
	free(copy);
}

static void a_reason_quotes_no_secret(void **state)
{
	static const struct rule_info told = { "r/2", "token: shown", "scan", "x.yaml", 2, SEVERITY_ERROR };
	struct hit hits[] = {
		{ .rule = &rule, .variable = BYTES("ARGS:password"), .value = BYTES("s3cret"), .message = BYTES("has s3cret") },
		{ .rule = &rule, .variable = BYTES("REQUEST_BODY"), .value = BYTES("x"), .message = BYTES("in a=1&password=s3cret&b") },
		{ .rule = &told, .variable = BYTES("ARGS:password"), .value = BYTES("x"), .message = bytes_of(told.message) },
	};
	const struct { struct bytes reason, want; } reasons[] = {
		{ hits[0].message, BYTES_INIT("a rule") },
		{ hits[1].message, BYTES_INIT("in a=1&password=[redacted]&b") },
		{ hits[2].message, BYTES_INIT("token: shown") },
		{ BYTES_INIT("another source's"), BYTES_INIT("another source's") },
		{ BYTES_INIT("body: password=s3cret"), BYTES_INIT("body: password=[redacted]") },
		{ BYTES_INIT(""), BYTES_INIT("") },
	};

	(void)state;
	for (size_t i = 0; i < nelems(reasons); i++) {
		struct event e = { .hits = hits, .nhits = nelems(hits), .reason = reasons[i].reason };
		struct record r;

		record_of(&r, &e, &own);
		assert_bytes(r.reason, reasons[i].want);
		assert_bytes(r.hits[1].message, BYTES("in a=1&password=[redacted]&b"));
	}
}

static void what_a_chain_held_on_may_be_quoted(void **state)
{
	static const struct bytes chain[] = { BYTES_INIT("REQUEST_URI"), BYTES_INIT("ARGS:password") };
	static const struct bytes harmless[] = { BYTES_INIT("REQUEST_URI"), BYTES_INIT("ARGS:q") };
	static const struct { struct bytes variable; const struct bytes *quoted; bool snippet, words; } cases[] = {
		{ BYTES_INIT("REQUEST_URI"), chain, true, false },
		{ BYTES_INIT("TX:1"), chain, false, false },
		{ BYTES_INIT("MATCHED_VAR"), chain, false, false },
		{ BYTES_INIT("TX:1"), harmless, true, true },
		{ BYTES_INIT("REQUEST_URI"), harmless, true, true },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct hit hit = { .rule = &rule, .variable = cases[i].variable, .value = BYTES("s3cret"), .message = BYTES("has s3cret"),
				   .data = BYTES("found s3cret"), .quoted = cases[i].quoted, .nquoted = 2 };
		struct event e = { .hits = &hit, .nhits = 1, .reason = hit.message };
		struct record r;

		record_of(&r, &e, &own);
		assert_bytes(r.hits[0].snippet, cases[i].snippet ? BYTES("s3cret") : BYTES("[redacted]"));
		assert_bytes(r.hits[0].data, cases[i].words ? BYTES("found s3cret") : BYTES("[redacted]"));
		assert_bytes(r.hits[0].message, cases[i].words ? BYTES("has s3cret") : BYTES("a rule"));
		assert_bytes(r.reason, cases[i].words ? BYTES("has s3cret") : BYTES("a rule"));
	}
}

static void fields_have_bounds_and_are_not_cut_inside_a_character(void **state)
{
	static char path[5000];
	struct request q = { .method = BYTES("GET"), .path = { path, sizeof path }, .query = { path, sizeof path } };
	struct event e = { .request = &q };
	struct record r;

	(void)state;
	for (size_t i = 0; i + 1 < sizeof path; i += 3)
		memcpy(path + i, "\xe2\x82\xac", sizeof path - i < 3 ? 2 : 3);
	record_of(&r, &e, NULL);
	assert_int_equal(r.path.len, 1023);
	assert_int_equal(r.query.len, 1023);
}

static void hits_past_the_bound_are_a_number(void **state)
{
	struct hit many[RECORD_HITS + 5];
	struct event e = { .hits = many, .nhits = nelems(many) };
	struct record r;

	(void)state;
	for (size_t i = 0; i < nelems(many); i++)
		many[i] = (struct hit){ .rule = &rule, .variable = BYTES("ARGS:q"), .value = BYTES("x"), .len = 1, .score = 1 };
	record_of(&r, &e, NULL);
	assert_int_equal(r.nhits, RECORD_HITS);
	assert_int_equal(r.more_hits, 5);
	assert_int_equal(r.score, RECORD_HITS + 5);
}

static void a_copy_outlives_what_it_was_made_of(void **state)
{
	char id[] = "01JD3", value[] = "value";
	struct hit hit = { .rule = &rule, .variable = BYTES("ARGS:q"), .value = { value, 5 }, .len = 5, .score = 2, .data = { value, 5 } };
	struct request q = { .method = BYTES("GET"), .path = BYTES("/p"), .query = BYTES("password=1") };
	struct event e = { .id = { id, 5 }, .request = &q, .hits = &hit, .nhits = 1, .status = 403 };
	struct record r, *copy;
	size_t bytes;

	(void)state;
	record_of(&r, &e, NULL);
	copy = record_copy(&r, &bytes);
	memset(&r, 0xff, sizeof r);
	memset(id, 'x', 5);
	memset(value, 'x', 5);
	assert_true(bytes < 2048);
	assert_bytes(copy->id, BYTES("01JD3"));
	assert_bytes(copy->query, BYTES("password=[redacted]"));
	assert_bytes(copy->hits[0].snippet, BYTES("value"));
	assert_bytes(copy->hits[0].data, BYTES("value"));
	assert_bytes(copy->hits[0].rule, BYTES("r/1"));
	assert_int_equal(copy->status, 403);
	free(copy);
}

static void what_overflowed_and_what_was_held_is_bounded_redacted_and_copied(void **state)
{
	static char reason[400], target[3000];
	struct event_seen seen[15];
	struct event_overflow over[RECORD_OVERFLOWS + 2];
	struct decision held = { .id = 7, .scope = SCOPE_USERNAME, .value = BYTES("0123abcd"), .remedy = REMEDY_DENY,
				 .reason = { reason, sizeof reason }, .origin = BYTES("manual"), .made_ms = 5, .until_ms = 9 };
	struct event e = { .held = &held, .overflows = over, .noverflows = nelems(over) };
	struct record r, *copy;
	size_t bytes;

	(void)state;
	memset(reason, 'r', sizeof reason);
	memset(target, '/', sizeof target);
	for (size_t i = 0; i < nelems(seen); i++)
		seen[i] = (struct event_seen){ i, BYTES("GET"), BYTES("/a?password=hunter2&b=1"), BYTES("404") };
	seen[14].target = (struct bytes){ target, sizeof target };
	for (size_t i = 0; i < nelems(over); i++)
		over[i] = (struct event_overflow){ BYTES("test/it"), 5, BYTES("Ip"), BYTES("203.0.113.1"), REMEDY_DENY, 77, true, seen, 15 };
	over[0].nseen = 10;
	record_of(&r, &e, &own);
	copy = record_copy(&r, &bytes);
	memset(&r, 0xff, sizeof r);
	memset(reason, 'x', sizeof reason);
	assert_int_equal(copy->held.id, 7);
	assert_int_equal(copy->held.reason.len, 128);
	assert_int_equal(copy->held.reason.at[0], 'r');
	assert_bytes(copy->held.value, BYTES("0123abcd"));
	assert_int_equal(copy->noverflows, RECORD_OVERFLOWS);
	assert_int_equal(copy->nseen, RECORD_SEEN);
	assert_int_equal(copy->overflows[0].nseen, 10);
	assert_int_equal(copy->overflows[1].first, 10);
	assert_int_equal(copy->overflows[1].nseen, 10);
	assert_int_equal(copy->overflows[2].nseen, 0);
	assert_bytes(copy->overflows[3].value, BYTES("203.0.113.1"));
	assert_bytes(copy->seen[0].target, BYTES("/a?password=[redacted]&b=1"));
	assert_int_equal(copy->seen[10].wall_ms, 5); /* of 15 the newest ten */
	assert_int_equal(copy->seen[19].target.len, 200);
	assert_bytes(copy->seen[19].status, BYTES("404"));
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_secret_in_any_dress),
		cmocka_unit_test(queries_keep_their_shape),
		cmocka_unit_test(loose_text_hides_what_follows_a_secret_name),
		cmocka_unit_test(paths_and_urls_hide_what_is_secret_in_them),
		cmocka_unit_test(utf_16_hides_nothing),
		cmocka_unit_test(no_form_of_a_secret_is_written),
		cmocka_unit_test(a_snippet_shows_the_match_and_its_surroundings),
		cmocka_unit_test(cookies_and_secret_headers_show_no_snippet),
		cmocka_unit_test(bodies_hide_what_is_secret_in_them),
		cmocka_unit_test(fields_have_one_bound_in_all),
		cmocka_unit_test(a_reason_quotes_no_secret),
		cmocka_unit_test(what_a_chain_held_on_may_be_quoted),
		cmocka_unit_test(fields_have_bounds_and_are_not_cut_inside_a_character),
		cmocka_unit_test(hits_past_the_bound_are_a_number),
		cmocka_unit_test(a_copy_outlives_what_it_was_made_of),
		cmocka_unit_test(what_overflowed_and_what_was_held_is_bounded_redacted_and_copied),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
