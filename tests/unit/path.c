/* path.c -- every form that some server takes for another path is read so. */
#include "tests/test.h"
#include "base/path.h"

static const struct {
	const char *path;
	const char *readings[PATH_READINGS_MAX]; /* all of them, in order */
} cases[] = {
	/* Plain, or plain once decoded: one reading. */
	{ "/", { "/" } },
	{ "", { "" } },
	{ "*", { "*" } },
	{ "/a/b.c/~d-e_f/!$&'()*+,=:@", { "/a/b.c/~d-e_f/!$&'()*+,=:@" } },
	{ "/a.b/c..d/e/", { "/a.b/c..d/e/" } },
	{ "/a%20b/%c3%a9", { "/a b/\xc3\xa9" } },
	{ "/%61dmin", { "/admin" } },
	{ "/a%2fb", { "/a/b" } },
	{ "/.well-known/x", { "/.well-known/x" } },
	{ "/...", { "/..." } },
	{ "/.../x", { "/.../x" } },
	{ "/a/..b", { "/a/..b" } },
	/* Dot and empty segments. */
	{ "/a/./b", { "/a/b", "/a/./b" } },
	{ "/a/../b", { "/b", "/a/../b" } },
	{ "/a/..", { "/", "/a/.." } },
	{ "/a/b/..", { "/a/", "/a/b/.." } },
	{ "/a/.", { "/a/", "/a/." } },
	{ "/..", { "/", "/.." } },
	{ "/../../a", { "/a", "/../../a" } },
	{ "/a/%2e%2E/b", { "/b", "/a/../b" } },
	{ "/a%2f..%2fb", { "/b", "/a/../b" } },
	{ "//a///b", { "/a/b", "//a///b" } },
	{ "//", { "/", "//" } },
	{ "/a//../b", { "/b", "/a/b", "/a//../b" } },
	{ "/a//..//b", { "/b", "/a/b", "/a//..//b" } },
	/* One decoding more. */
	{ "/%2561dmin", { "/%61dmin", "/admin" } },
	{ "/x/%252e%252e/y", { "/x/%2e%2e/y", "/y" } },
	{ "/a%25", { "/a%" } },
	/* Backslashes. */
	{ "/a\\b", { "/a\\b", "/a/b" } },
	{ "/a%5c..%5Cb", { "/a\\..\\b", "/b" } },
	{ "/\\a", { "/\\a", "/a" } },
	{ "/a%255cb", { "/a%5cb", "/a\\b", "/a/b" } },
	/* Parameters. */
	{ "/admin;x", { "/admin;x", "/admin" } },
	{ "/admin;x/y;z=1", { "/admin;x/y;z=1", "/admin/y" } },
	{ "/a/..;/b", { "/a/..;/b", "/b" } },
	{ "/;a/admin", { "/;a/admin", "/admin" } },
	{ "/admin%3bx", { "/admin;x", "/admin" } },
	{ "/a;b%3bc/d", { "/a;b;c/d", "/a/d" } },
	{ "/x/../admin/%2e%2e/y", { "/y", "/admin/../y", "/x/../admin/../y" } },
	{ "/a%3bb;c", { "/a;b;c", "/a;b", "/a" } },
	{ "/a;/b\\..;\\c", { "/a;/b\\..;\\c", "/a/b\\..", "/a;/b/..;/c", "/a/", "/a/c" } },
	/* All at once, as an attacker would. */
	{ "/static/..%255c;x%252fadmin",
	  { "/static/..%5c;x%2fadmin", "/static/..%5c", "/static/..\\;x/admin", "/static/..\\",
	    "/static/..\\/admin", "/;x/admin", "/", "/admin" } },
};

static void a_path_has_these_readings(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct arena *a = arena_new(64 << 10);
		struct bytes out[PATH_READINGS_MAX];
		size_t n = path_readings(a, bytes_of(cases[i].path), out), want = 0;

		while (want < PATH_READINGS_MAX && cases[i].readings[want])
			want++;
		for (size_t k = 0; k < n && k < want; k++)
			assert_bytes(out[k], bytes_of(cases[i].readings[k]));
		if (n != want)
			fail_msg("%s has %zu readings, want %zu", cases[i].path, n, want);
		arena_free(a);
	}
}

static void a_second_decoding_may_give_a_nul(void **state)
{
	struct arena *a = arena_new(64 << 10);
	struct bytes out[PATH_READINGS_MAX];

	(void)state;
	assert_int_equal(path_readings(a, BYTES("/a%2500b"), out), 2);
	assert_bytes(out[0], BYTES("/a%00b"));
	assert_bytes(out[1], BYTES("/a\0b"));
	arena_free(a);
}

static void a_plain_path_is_not_copied(void **state)
{
	struct bytes path = BYTES("/a/b"), out[PATH_READINGS_MAX];

	(void)state;
	assert_int_equal(path_readings(NULL, path, out), 1);
	assert_ptr_equal(out[0].at, path.at);
}

static void past_the_cap_there_is_no_reading(void **state)
{
	struct arena *a = arena_new(0);
	struct bytes out[PATH_READINGS_MAX];

	(void)state;
	while (arena_raw(a, 1))
		;
	assert_int_equal(path_readings(a, BYTES("/a%20b"), out), 0);
	assert_int_equal(path_readings(a, BYTES("/a/../b"), out), 0);
	arena_free(a);
}

static const struct {
	struct bytes path;
	const char *why; /* NULL: accepted */
} checks[] = {
	{ BYTES_INIT(""), NULL },
	{ BYTES_INIT("*"), NULL },
	{ BYTES_INIT("/a/b"), NULL },
	{ BYTES_INIT("/%41%2f%2E"), NULL },
	{ BYTES_INIT("/%"), "broken" },
	{ BYTES_INIT("/%4"), "broken" },
	{ BYTES_INIT("/%4g"), "broken" },
	{ BYTES_INIT("/%g4"), "broken" },
	{ BYTES_INIT("/%%34"), "broken" },
	{ BYTES_INIT("/%u0041"), "broken" },
	{ BYTES_INIT("/100%/x"), "broken" },
	{ BYTES_INIT("/a\0"), "NUL" },
	{ BYTES_INIT("/a%00"), "NUL" },
	{ BYTES_INIT("/a%2500"), NULL }, /* a second decoding is the rules' matter */
	{ BYTES_INIT("/%c0%af"), "overlong" },
	{ BYTES_INIT("/\xc0\xaf"), "overlong" },
	{ BYTES_INIT("/\xc0%af"), "overlong" },
	{ BYTES_INIT("/%C0%80"), "overlong" },
	{ BYTES_INIT("/%c1%9c"), "overlong" },
	{ BYTES_INIT("/%c0%2f"), "overlong" },
	{ BYTES_INIT("/%c1%1c"), "overlong" },
	{ BYTES_INIT("/%c0%2e%c0%2e"), "overlong" },
	{ BYTES_INIT("/%e0%80%af"), "overlong" },
	{ BYTES_INIT("/%e0%81%9c"), "overlong" },
	{ BYTES_INIT("/\xe0\x80\xaf"), "overlong" },
	{ BYTES_INIT("/%f0%80%80%af"), "overlong" },
	{ BYTES_INIT("/%f8%80%80%80%af"), "overlong" },
	{ BYTES_INIT("/%fc%80%80%80%80%af"), "overlong" },
	/* UTF-8, and other encodings that are merely not UTF-8. */
	{ BYTES_INIT("/%c3%a9%e2%82%ac%f0%9f%98%80"), NULL },
	{ BYTES_INIT("/\xc3\xa9"), NULL },
	{ BYTES_INIT("/%e9t%e9"), NULL },         /* Latin-1 */
	{ BYTES_INIT("/%c0%e7%e1%f3%ea%e0"), NULL }, /* Windows-1251 */
	{ BYTES_INIT("/%c0/x%c1"), NULL },
	{ BYTES_INIT("/%c0%20x"), NULL },
	{ BYTES_INIT("/%e0%a0%80"), NULL },
	{ BYTES_INIT("/%e0%80"), NULL },
	{ BYTES_INIT("/%e0%82%a0"), NULL }, /* overlong, but of no ASCII */
	{ BYTES_INIT("/%f0%80%af"), NULL },
	{ BYTES_INIT("/%c0"), NULL },
};

static void a_path_that_hides_bytes_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(checks); i++) {
		struct err e = { 0 };
		bool ok = path_check(checks[i].path, &e);

		if (ok != !checks[i].why || (!ok && (e.code != 400 || !strstr(e.text, checks[i].why))))
			fail_msg("case %zu: %.*s: %d %s", i, BYTES_ARG(checks[i].path), e.code, e.text);
	}
}

static const struct {
	const char *pattern, *reading;
	bool exact, nocase;
} matches[] = {
	{ "/a", "/a", true, true },
	{ "/a", "/A", false, true },
	{ "/a", "/ab", false, false },
	{ "/ab", "/a", false, false },
	{ "", "", true, true },
	{ "", "/", false, false },
	{ "*", "", true, true },
	{ "*", "/a/b", true, true },
	{ "/admin/*", "/admin/", true, true },
	{ "/admin/*", "/admin/a/b", true, true },
	{ "/admin/*", "/admin", false, false },
	{ "/admin*", "/ADMINx", false, true },
	{ "*.php", "/a/b.php", true, true },
	{ "*.php", "/a.php/b", false, false },
	{ "*.php", "/a.php.php", true, true },
	{ "/*/edit", "/a/b/edit", true, true },
	{ "/*/edit", "/edit", false, false },
	{ "/a**b", "/ab", true, true },
	{ "/a*b*c", "/axbxbxc", true, true },
	{ "/a*b*c", "/axbxbx", false, false },
	{ "/a*", "/a\xc3\xa9", true, true },
	{ "/a?", "/ab", false, false },
	{ "/a.b", "/axb", false, false },
};

static void a_star_stands_for_any_run(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(matches); i++) {
		struct bytes p = bytes_of(matches[i].pattern), r = bytes_of(matches[i].reading);

		if (path_matches(p, r, false) != matches[i].exact || path_matches(p, r, true) != matches[i].nocase)
			fail_msg("%s %s", matches[i].pattern, matches[i].reading);
	}
}

/* Ten stars over 100,000 bytes: a matcher that tried all ways would not end. */
static void stars_do_not_multiply(void **state)
{
	static char long_path[100000];

	(void)state;
	memset(long_path, 'a', sizeof long_path);
	assert_false(path_matches(BYTES("*a*a*a*a*a*a*a*a*a*b"), (struct bytes){ long_path, sizeof long_path }, false));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_has_these_readings),
		cmocka_unit_test(a_second_decoding_may_give_a_nul),
		cmocka_unit_test(a_plain_path_is_not_copied),
		cmocka_unit_test(past_the_cap_there_is_no_reading),
		cmocka_unit_test(a_path_that_hides_bytes_is_refused),
		cmocka_unit_test(a_star_stands_for_any_run),
		cmocka_unit_test(stars_do_not_multiply),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
