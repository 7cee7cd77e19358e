/* base/json_out: what is written is JSON, whatever is put into it. */
#include "tests/test.h"
#include "base/json.h"
#include "base/json_out.h"
#include <math.h>

static void assert_written(struct json_out *o, const char *expected)
{
	assert_false(o->failed);
	assert_int_equal(o->depth, 0);
	assert_int_equal(o->len, strlen(expected));
	assert_memory_equal(o->at, expected, o->len);
	json_out_free(o);
}

static void commas_stand_between_values_only(void **state)
{
	struct json_out o = json_out(4096);

	(void)state;
	out_object(&o, NULL);
	out_list(&o, "none");
	out_end(&o);
	out_list(&o, "some");
	out_int(&o, NULL, -1);
	out_object(&o, NULL);
	out_end(&o);
	out_flag(&o, NULL, true);
	out_end(&o);
	out_str(&o, "word", "a\"b");
	out_str(&o, "nothing", NULL);
	out_raw(&o, "raw", BYTES("[1,2]"));
	out_end(&o);
	assert_written(&o, "{\"none\":[],\"some\":[-1,{},true],\"word\":\"a\\\"b\",\"nothing\":null,\"raw\":[1,2]}");
}

static void numbers_are_what_a_program_reads(void **state)
{
	struct json_out o = json_out(4096);

	(void)state;
	out_list(&o, NULL);
	out_decimal(&o, NULL, 0.5);
	out_decimal(&o, NULL, NAN);
	out_decimal(&o, NULL, INFINITY);
	out_id(&o, NULL, UINT64_MAX);
	out_int(&o, NULL, INT64_MIN);
	out_time(&o, NULL, 0);
	out_time(&o, NULL, 1764028926123);
	out_end(&o);
	assert_written(&o, "[0.5,null,null,\"18446744073709551615\",-9223372036854775808,null,\"2025-11-25T00:02:06.123Z\"]");
}

static void any_bytes_are_a_text(void **state)
{
	const struct json_limits limits = { 1 << 20, 4 };
	struct json_out o = json_out(1 << 20);
	char all[256];
	struct json *read;
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof all; i++)
		all[i] = (char)i;
	out_object(&o, NULL);
	for (size_t i = 0; i < 100; i++)
		out_text(&o, i % 2 ? "odd" : "even", (struct bytes){ all, i < 2 ? sizeof all : i });
	out_end(&o);
	assert_false(o.failed);
	json_out_free(&o);
	out_object(&o, NULL);
	out_text(&o, "all", (struct bytes){ all, sizeof all });
	out_end(&o);
	/* A NUL inside is \u0000, which our reader refuses in a text: it is JSON all the same. */
	read = json_read(json_out_bytes(&o), &limits, &e);
	assert_true(read || strstr(e.text, "\\u0000"));
	json_free(read);
	json_out_free(&o);
}

static void too_much_fails_once_and_stays_failed(void **state)
{
	struct json_out o = json_out(64);

	(void)state;
	out_list(&o, NULL);
	for (int i = 0; i < 100; i++)
		out_str(&o, NULL, "0123456789");
	out_end(&o);
	assert_true(o.failed);
	assert_true(o.len <= 64);
	json_out_free(&o);
	o = json_out(4096);
	for (int i = 0; i < JSON_OUT_DEPTH + 10; i++)
		out_list(&o, NULL);
	assert_true(o.failed);
	json_out_free(&o);
	o = json_out(4096);
	out_end(&o);
	assert_true(o.failed);
	json_out_free(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commas_stand_between_values_only),
		cmocka_unit_test(numbers_are_what_a_program_reads),
		cmocka_unit_test(any_bytes_are_a_text),
		cmocka_unit_test(too_much_fails_once_and_stays_failed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
