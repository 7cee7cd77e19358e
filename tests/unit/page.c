/* page.c -- everyone reads the form that suits them, and nothing that a client sent is markup. */
#include "tests/test.h"
#include "proxy/page.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FIELDS = 3 };

static struct request ask_with(struct field fields[FIELDS])
{
	struct request r = { .fields = { fields, 0, FIELDS } };

	while (r.fields.n < FIELDS && fields[r.fields.n].name.len)
		r.fields.n++;
	return r;
}

static struct bytes render(struct arena *a, const struct page_ask *ask)
{
	struct bytes type;

	return page_render(a, ask, &type);
}

#define F(label, text, which) { .name = BYTES_INIT(label), .value = BYTES_INIT(text), .id = which }

static void the_form_follows_the_client(void **state)
{
	static struct { struct field fields[FIELDS]; const char *type; } cases[] = {
		{ { F("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", FIELD_ACCEPT) }, "text/html; charset=utf-8" },
		{ { F("Accept", "*/*", FIELD_ACCEPT) }, "text/plain; charset=utf-8" },
		{ { { .name = { 0 } } }, "text/plain; charset=utf-8" },
		{ { F("Accept", "application/json, text/plain, */*", FIELD_ACCEPT) }, "application/problem+json" },
		{ { F("Accept", "application/vnd.api+json", FIELD_ACCEPT) }, "application/problem+json" },
		{ { F("Accept", "application/json;q=0.5, text/html", FIELD_ACCEPT) }, "text/html; charset=utf-8" },
		{ { F("Accept", "text/html;q=0.1, application/json;q=0.9", FIELD_ACCEPT) }, "application/problem+json" },
		{ { F("Accept", "text/html;q=0", FIELD_ACCEPT) }, "text/plain; charset=utf-8" },
		{ { F("Accept", "TEXT/HTML", FIELD_ACCEPT) }, "text/html; charset=utf-8" },
		{ { F("Accept", "*/*", FIELD_ACCEPT), F("X-Requested-With", "XMLHttpRequest", FIELD_OTHER) }, "application/problem+json" },
		{ { F("Accept", "*/*", FIELD_ACCEPT), F("Sec-Fetch-Mode", "cors", FIELD_OTHER) }, "application/problem+json" },
		{ { F("Sec-Fetch-Mode", "navigate", FIELD_OTHER) }, "text/plain; charset=utf-8" },
		{ { F("Accept", "*/*", FIELD_ACCEPT), F("Content-Type", "application/json; charset=utf-8", FIELD_CONTENT_TYPE) }, "application/problem+json" },
		{ { F("Accept", ",;,q=;;,", FIELD_ACCEPT) }, "text/plain; charset=utf-8" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct arena *a = arena_new(1 << 20);
		struct request r = ask_with(cases[i].fields);
		struct page_ask ask = { .status = 403, .id = BYTES("01JD3"), .request = &r };
		struct bytes type;

		assert_non_null(page_render(a, &ask, &type).at);
		assert_bytes(type, bytes_of(cases[i].type));
		arena_free(a);
	}
}

static struct field html_field[FIELDS] = { F("Accept", "text/html", FIELD_ACCEPT) };
static struct field json_field[FIELDS] = { F("Accept", "application/json", FIELD_ACCEPT) };

static void plain_and_problem_to_the_byte(void **state)
{
	const struct page_config look = { .contact = BYTES("ops@shop.example") };
	struct err e;
	struct page_brand *brand = page_brand_new(&look, &e);
	struct request json = ask_with(json_field);
	struct arena *a = arena_new(1 << 20);

	(void)state;
	assert_bytes(render(a, &(struct page_ask){ .status = 403, .id = BYTES("01JD3"), .brand = brand }),
		     BYTES("403 Forbidden\n\nThis site is protected, and this request looked like something that it does not allow. "
			   "If that is a mistake, please tell the site's owner the request id.\n"
			   "Request id: 01JD3\nContact: ops@shop.example\n"));
	assert_bytes(render(a, &(struct page_ask){ .status = 413, .id = BYTES("01JD3"), .request = &json, .detail = BYTES("a \"quoted\" word") }),
		     BYTES("{\"type\":\"about:blank\",\"title\":\"Content Too Large\",\"status\":413,"
			   "\"detail\":\"a \\\"quoted\\\" word\",\"instance\":\"01JD3\"}\n"));
	arena_free(a);
	page_brand_free(brand);
}

static bool holds(struct bytes page, const char *text)
{
	return bytes_find(page, bytes_of(text)) != SIZE_MAX;
}

static void the_page_is_whole_small_and_loads_nothing(void **state)
{
	static const unsigned statuses[] = { 400, 403, 404, 405, 408, 413, 414, 417, 429, 431, 500, 501, 502, 503, 504, 505, 418, 599 };
	struct request html = ask_with(html_field);

	(void)state;
	for (size_t i = 0; i < nelems(statuses); i++) {
		struct arena *a = arena_new(1 << 20);
		struct bytes page = render(a, &(struct page_ask){ .status = statuses[i], .id = BYTES("01JD3"), .request = &html });

		assert_true(bytes_starts(page, BYTES("<!doctype html>")) && bytes_ends(page, BYTES("</html>\n")));
		assert_true(holds(page, "<code>01JD3</code>"));
		assert_true(page.len < 2048);
		assert_false(holds(page, "src=") || holds(page, "href=") || holds(page, "url(") || holds(page, "<script"));
		arena_free(a);
	}
}

static void nothing_from_outside_is_markup(void **state)
{
	const struct page_config look = { .title = BYTES("<b>Shop</b>"), .contact = BYTES("https://x/\"><script>"), .logo_url = BYTES("/logo.svg?\"><script>") };
	struct err e;
	struct page_brand *brand = page_brand_new(&look, &e);
	struct request html = ask_with(html_field);
	struct arena *a = arena_new(1 << 20);
	struct bytes page = render(a, &(struct page_ask){ .status = 403, .id = BYTES("<i>"), .request = &html, .brand = brand,
							   .detail = BYTES("<script>alert(1)</script>'") });

	(void)state;
	assert_false(holds(page, "<script") || holds(page, "<b>") || holds(page, "<i>"));
	assert_true(holds(page, "&lt;b&gt;Shop") && holds(page, "src=\"/logo.svg?&quot;&gt;") && holds(page, "href=\"https://x/&quot;"));
	assert_true(holds(page, "&lt;script&gt;alert(1)&lt;/script&gt;&#39;"));
	arena_free(a);
	page_brand_free(brand);
}

static char *template_of(const char *text)
{
	static char name[32];
	int fd;

	memcpy(name, "/tmp/test_page.XXXXXX", 22);
	fd = mkstemp(name);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
	return name;
}

static void a_template_is_filled(void **state)
{
	struct page_config look = { .title = BYTES("A & B"), .file = template_of("{{status}} {{ title }}\n{{message}}|{{id}}|{{site}}|{{contact}}|{{logo}}| {not} }} one") };
	struct err e;
	struct page_brand *brand = page_brand_new(&look, &e);
	struct request html = ask_with(html_field);
	struct arena *a = arena_new(1 << 20);

	(void)state;
	assert_non_null(brand);
	assert_bytes(render(a, &(struct page_ask){ .status = 404, .id = BYTES("01JD3"), .request = &html, .brand = brand, .detail = BYTES("<x>") }),
		     BYTES("404 Not Found\nThere is no site of that name here. &lt;x&gt;|01JD3|A &amp; B||| {not} }} one"));
	arena_free(a);
	page_brand_free(brand);
	unlink(look.file);
}

static void a_wrong_template_is_refused_with_its_place(void **state)
{
	static const struct { const char *text, *error; } cases[] = {
		{ "a\nb {{idd}}", ":2: unknown placeholder '{{idd}}'" },
		{ "{{id", ":1: unknown placeholder '{{id}}'" },
		{ "", ": empty" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct page_config look = { .file = template_of(cases[i].text) };
		struct err e = { 0 };

		assert_null(page_brand_new(&look, &e));
		assert_non_null(strstr(e.text, cases[i].error));
		unlink(look.file);
	}
	assert_null(page_brand_new(&(struct page_config){ .file = "/no/such/file" }, NULL));
	assert_null(page_brand_new(&(struct page_config){ .logo_url = BYTES("javascript:alert(1)") }, NULL));
}

static void a_full_arena_gives_no_page(void **state)
{
	struct arena *a = arena_new(8192);
	struct bytes type;

	(void)state;
	while (arena_raw(a, 256))
		;
	assert_null(page_render(a, &(struct page_ask){ .status = 500 }, &type).at);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_form_follows_the_client),
		cmocka_unit_test(plain_and_problem_to_the_byte),
		cmocka_unit_test(the_page_is_whole_small_and_loads_nothing),
		cmocka_unit_test(nothing_from_outside_is_markup),
		cmocka_unit_test(a_template_is_filled),
		cmocka_unit_test(a_wrong_template_is_refused_with_its_place),
		cmocka_unit_test(a_full_arena_gives_no_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
