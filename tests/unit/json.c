/* json.c -- what others answer with. */
#include "base/json.h"
#include "tests/test.h"

static const struct json_limits limits = { 1000, 4 };

static void values_are_found_by_their_path(void **state)
{
	struct json *j = json_read(BYTES("{\"ok\": true, \"n\": -5, \"half\": 0.5, \"none\": null, \"t\": \"h\\u00e9\","
					 " \"error-codes\": [\"a\", {\"b\": [1, 2]}]}"), &limits, NULL);
	struct bytes t;
	int64_t n;
	double half;
	bool flag = false;

	(void)state;
	assert_non_null(j);
	assert_true(json_flag(j, "ok", &flag) && flag);
	assert_true(json_number(j, "n", &n) && n == -5);
	assert_true(json_decimal(j, "half", &half) && half == 0.5);
	assert_true(json_decimal(j, "n", &half) && half == -5);
	assert_false(json_decimal(j, "t", &half));
	assert_true(json_text(j, "t", &t));
	assert_bytes(t, BYTES("h\xc3\xa9"));
	assert_true(json_text(j, "error-codes.0", &t));
	assert_bytes(t, BYTES("a"));
	assert_int_equal(json_length(j, "error-codes"), 2);
	assert_true(json_number(j, "error-codes.1.b.1", &n) && n == 2);
	assert_true(json_number(json_item(json_at(j, "error-codes.1.b"), 0), "", &n) && n == 1);
	assert_ptr_equal(json_at(j, ""), j);
	json_free(j);
}

static void what_is_not_there_or_of_another_kind_is_not_found(void **state)
{
	static const char *const none[] = { "x", "ok.x", "l.2", "l.-1", "l.x", "l.", ".", "o.k.x", "l.18446744073709551616" };
	struct json *j = json_read(BYTES("{\"ok\": \"true\", \"n\": \"5\", \"half\": 0.5, \"l\": [1, 2], \"o\": {\"k\": 1}}"),
				   &limits, NULL);
	struct bytes t;
	int64_t n;
	bool flag;

	(void)state;
	for (size_t i = 0; i < nelems(none); i++)
		if (json_at(j, none[i]))
			fail_msg("there is no '%s'", none[i]);
	assert_false(json_flag(j, "ok", &flag)); /* a text that says true */
	assert_false(json_number(j, "n", &n));
	assert_false(json_number(j, "half", &n));
	assert_false(json_text(j, "l", &t));
	assert_int_equal(json_length(j, "o"), 0);
	assert_int_equal(json_length(j, "x"), 0);
	assert_null(json_item(j, 0));
	assert_null(json_item(json_at(j, "l"), 2));
	assert_null(json_at(NULL, "x"));
	json_free(j);
	json_free(NULL);
}

static void what_is_no_json_or_too_much_of_it_is_refused(void **state)
{
	static const struct { struct bytes text; const char *why; } rows[] = {
		{ BYTES_INIT(""), "no JSON" }, { BYTES_INIT("{"), "no JSON" }, { BYTES_INIT("<html>"), "no JSON" },
		{ BYTES_INIT("{} x"), "no JSON" }, { BYTES_INIT("{\"a\":1,\"a\":2}"), "no JSON" },
		{ BYTES_INIT("{\"a\":\"\xff\"}"), "no JSON" }, { BYTES_INIT("[\"\\u0000\"]"), "no JSON" },
		{ BYTES_INIT("[1,]"), "no JSON" }, { BYTES_INIT("[1]\0"), "no JSON" }, { BYTES_INIT("[NaN]"), "no JSON" },
		{ BYTES_INIT("[[[[[]]]]]"), "nested" }, { BYTES_INIT("{\"a\":[{\"b\":[{}]}]}"), "nested" },
		{ BYTES_INIT("[123456789012345678901234567890]"), "no JSON" },
	};
	struct json_limits few = { 3, 4 };
	struct err e = { 0 };
	struct json *j;

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		assert_null(json_read(rows[i].text, &limits, &e));
		assert_int_equal(e.side, SIDE_UPSTREAM);
		if (!strstr(e.text, rows[i].why))
			fail_msg("row %zu: %s", i, e.text);
	}
	assert_null(json_read(BYTES("[ 1]"), &few, &e));
	assert_null(json_read((struct bytes){ 0 }, &limits, &e));
	j = json_read(BYTES("[[[[]],\"[[[[[[\\\"[[\"]]"), &limits, &e);
	assert_non_null(j);
	json_free(j);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_found_by_their_path),
		cmocka_unit_test(what_is_not_there_or_of_another_kind_is_not_found),
		cmocka_unit_test(what_is_no_json_or_too_much_of_it_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
