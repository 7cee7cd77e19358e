#include "tests/test.h"
#include "proxy/challenge_page.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { GZIPPED_MAX = 3 << 10 };

static const struct page_config look = { .title = BYTES_INIT("A & B"), .contact = BYTES_INIT("mailto:owner@shop.example") };
static const struct page_config bare;

static struct challenge_view view_of(enum challenge_level level, const char *language)
{
	return (struct challenge_view){
		.kind = VIEW_ASK, .level = level, .accept_language = bytes_of(language), .id = BYTES("01M86W29VSDZG0ZHGTRFGCYZ5M"),
		.nonce = BYTES("4d69d7d3ead61dde4d69d7d3ead61dde"), .prefix = BYTES("642eede881834e66aa4bd535becaa616"),
		.token = BYTES("AU4gZv8wAAEsAhBNadfT6tYd3qChoqOkpaanqKmqqwAKL2NhcnQ_aWQ9MdIXiO2-Fei1Go-CWwBEIwk"),
		.bits = 16, .wait_s = 7, .may_wait = level != CHALLENGE_CAPTCHA, .look = &look,
		.script = BYTES("https://c.example/api.js"), .widget = BYTES("cf-turnstile"), .sitekey = BYTES("1x0\"><b>"),
	};
}

static bool holds(struct bytes page, const char *what)
{
	return bytes_find(page, bytes_of(what)) != SIZE_MAX;
}

static size_t gzipped(struct bytes page)
{
	char name[] = "/tmp/challenge_page.XXXXXX", command[64];
	int fd = mkstemp(name);
	unsigned long n = 0;
	FILE *f;

	assert_true(fd >= 0 && write(fd, page.at, page.len) == (ssize_t)page.len);
	close(fd);
	snprintf(command, sizeof command, "gzip -9 -c %s | wc -c", name);
	f = popen(command, "re");
	assert_true(f && fscanf(f, "%lu", &n) == 1);
	pclose(f);
	unlink(name);
	return n;
}

static void every_page_is_small(void **state)
{
	static const char *const languages[] = { "en", "de", "fr", "es" };

	(void)state;
	for (int level = CHALLENGE_WAIT; level <= CHALLENGE_CAPTCHA; level++)
		for (size_t i = 0; i < nelems(languages); i++) {
			struct arena *a = arena_new(1 << 20);
			struct challenge_view v = view_of((enum challenge_level)level, languages[i]);
			struct bytes page = challenge_page(a, &v);
			size_t n = gzipped(page);

			print_message("level %d in %s: %zu bytes, %zu gzipped\n", level, languages[i], page.len, n);
			assert_true(n > 500 && n <= GZIPPED_MAX);
			arena_free(a);
		}
}

static void nothing_is_left_of_the_template(void **state)
{
	(void)state;
	for (int kind = VIEW_ASK; kind <= VIEW_CROWDED; kind++)
		for (int level = CHALLENGE_WAIT; level <= CHALLENGE_CAPTCHA; level++) {
			struct arena *a = arena_new(1 << 20);
			struct challenge_view v = view_of((enum challenge_level)level, "");
			struct bytes page;

			v.kind = (enum challenge_view_kind)kind;
			v.look = level == CHALLENGE_WAIT ? &bare : &look;
			page = challenge_page(a, &v);
			assert_true(page.len > 0 && !holds(page, "{{") && !holds(page, "/*") && !holds(page, "<!--"));
			assert_true(holds(page, "</html>") && holds(page, "<html lang=\"en\">"));
			assert_int_equal(holds(page, "</script>"), kind == VIEW_ASK);
			assert_int_equal(holds(page, "solve("), kind == VIEW_ASK && level == CHALLENGE_POW);
			assert_int_equal(holds(page, "cf-turnstile"), kind == VIEW_ASK && level == CHALLENGE_CAPTCHA);
			arena_free(a);
		}
}

static void what_comes_from_elsewhere_is_escaped(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct challenge_view v = view_of(CHALLENGE_CAPTCHA, "en");
	struct bytes page = challenge_page(a, &v);

	(void)state;
	assert_true(holds(page, "A &amp; B") && !holds(page, "A & B") && !holds(page, "<b>"));
	arena_free(a);
}

static void the_page_speaks_the_language_liked_best(void **state)
{
	static const struct {
		const char *accept, *lang;
	} cases[] = {
		{ "", "en" }, { "de", "de" }, { "de-AT,de;q=0.9,en;q=0.8", "de" }, { "ja,fr;q=0.5", "fr" },
		{ "en;q=0.3, es;q=0.8", "es" }, { "FR-ca", "fr" }, { "tlh", "en" }, { "de;q=0", "en" }, { ";;,,q=", "en" },
		{ "*", "en" }, { "en, de", "en" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct arena *a = arena_new(1 << 20);
		struct challenge_view v = view_of(CHALLENGE_POW, cases[i].accept);
		char want[32];

		snprintf(want, sizeof want, "<html lang=\"%s\">", cases[i].lang);
		if (!holds(challenge_page(a, &v), want))
			fail_msg("'%s' is not answered in %s", cases[i].accept, cases[i].lang);
		arena_free(a);
	}
}

static void without_javascript_there_is_a_way_or_a_word(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct challenge_view v = view_of(CHALLENGE_POW, "en");
	struct bytes page = challenge_page(a, &v);

	(void)state;
	assert_true(holds(page, "http-equiv=\"refresh\" content=\"7;url=/.embergate/wait?t=AU4g"));
	v.may_wait = false;
	page = challenge_page(a, &v);
	assert_true(!holds(page, "refresh") && holds(page, "<noscript><p>The check needs JavaScript."));
	v.may_puzzle = true;
	page = challenge_page(a, &v);
	assert_true(!holds(page, "refresh") && holds(page, "?level=captcha"));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_page_is_small),
		cmocka_unit_test(nothing_is_left_of_the_template),
		cmocka_unit_test(what_comes_from_elsewhere_is_escaped),
		cmocka_unit_test(the_page_speaks_the_language_liked_best),
		cmocka_unit_test(without_javascript_there_is_a_way_or_a_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
