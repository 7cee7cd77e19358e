/* bytes.c -- slices: any cut is safe, and a NUL is a value. */
#include "tests/test.h"

static void any_cut_is_safe(void **state)
{
	static const struct { size_t from, to; const char *want; } rows[] = {
		{ 0, 5, "hello" }, { 1, 3, "el" }, { 2, 2, "" }, { 4, 2, "" },
		{ 0, SIZE_MAX, "hello" }, { 5, 9, "" }, { SIZE_MAX, SIZE_MAX, "" }, { SIZE_MAX, 0, "" },
	};
	const struct bytes none = { 0 };

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++)
		assert_bytes(bytes_sub(BYTES("hello"), rows[i].from, rows[i].to), bytes_of(rows[i].want));
	assert_bytes(bytes_from(none, 3), none);
	assert_bytes(bytes_trim(none), none);
}

static void what_is_looked_for_is_found_or_not(void **state)
{
	static const struct { const char *hay, *needle; size_t at, nocase; } rows[] = {
		{ "hello", "l", 2, 2 }, { "hello", "LL", SIZE_MAX, 2 }, { "hello", "hello!", SIZE_MAX, SIZE_MAX },
		{ "", "a", SIZE_MAX, SIZE_MAX }, { "abc", "", 0, 0 }, { "aab", "AB", SIZE_MAX, 1 },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		assert_true(bytes_find(bytes_of(rows[i].hay), bytes_of(rows[i].needle)) == rows[i].at);
		assert_true(bytes_find_nocase(bytes_of(rows[i].hay), bytes_of(rows[i].needle)) == rows[i].nocase);
	}
	assert_int_equal(bytes_index(BYTES("a\0b"), '\0'), 1);
	assert_int_equal(bytes_find(BYTES("a\0b"), BYTES("\0b")), 1);
}

static void beginnings_and_ends(void **state)
{
	(void)state;
	assert_true(bytes_starts(BYTES("GET /"), BYTES("GET ")) && bytes_starts(BYTES("a"), BYTES("")));
	assert_false(bytes_starts(BYTES("GE"), BYTES("GET")));
	assert_true(bytes_starts_nocase(BYTES("Bearer x"), BYTES("bearer ")));
	assert_true(bytes_ends(BYTES("a.js"), BYTES(".js")) && !bytes_ends(BYTES("js"), BYTES(".js")));
	assert_true(bytes_eq_nocase(BYTES("Host"), BYTES("hOST")) && !bytes_eq_nocase(BYTES("a"), BYTES("ab")));
	assert_false(bytes_eq_nocase(BYTES("[\\]"), BYTES("{|}"))); /* letters alone have two cases */
	assert_bytes(bytes_trim(BYTES(" \t a b\t ")), BYTES("a b"));
	assert_bytes(bytes_trim(BYTES("\r\na")), BYTES("\r\na"));
}

static void a_list_is_cut_into_all_its_parts(void **state)
{
	static const struct { const char *list; size_t n; const char *last; } rows[] = {
		{ "a", 1, "a" }, { "a,,b", 3, "b" }, { "a,", 2, "" }, { ",", 2, "" }, { "", 1, "" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct bytes rest = bytes_of(rows[i].list), part = { 0 };
		size_t n = 0;

		while (bytes_cut(&rest, ',', &part))
			n++;
		assert_int_equal(n, rows[i].n);
		assert_bytes(part, bytes_of(rows[i].last));
	}
}

static void numbers_are_digits_that_fit(void **state)
{
	static const struct { const char *text; bool ok; uint64_t n; } rows[] = {
		{ "0", true, 0 }, { "007", true, 7 }, { "18446744073709551615", true, UINT64_MAX },
		{ "18446744073709551616", false, 0 }, { "99999999999999999999", false, 0 },
		{ "", false, 0 }, { "-1", false, 0 }, { "+1", false, 0 }, { " 1", false, 0 }, { "1x", false, 0 },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		uint64_t n = 0;

		assert_int_equal(bytes_u64(bytes_of(rows[i].text), &n), rows[i].ok);
		assert_true(n == rows[i].n);
	}
}

static void a_prefix_sorts_first(void **state)
{
	(void)state;
	assert_true(bytes_cmp(BYTES("a"), BYTES("ab")) < 0 && bytes_cmp(BYTES("b"), BYTES("ab")) > 0);
	assert_true(bytes_cmp(BYTES("ab"), BYTES("ab")) == 0 && bytes_cmp((struct bytes){ 0 }, BYTES("")) == 0);
	assert_true(bytes_cmp(BYTES("\xff"), BYTES("a")) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_cut_is_safe),
		cmocka_unit_test(what_is_looked_for_is_found_or_not),
		cmocka_unit_test(beginnings_and_ends),
		cmocka_unit_test(a_list_is_cut_into_all_its_parts),
		cmocka_unit_test(numbers_are_digits_that_fit),
		cmocka_unit_test(a_prefix_sorts_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
