/* admin/api: what is taken is what the shape says. */
#include "tests/test.h"
#include "admin/api/api.h"
#include "base/json.h"

static const char *const words[] = { "block", "detect", NULL };
static const struct api_field inner_fields[] = { { "name", API_TEXT, .max = 8 } };
static const struct api_shape inner = API_SHAPE("Inner", inner_fields);
static const struct api_field fields[] = {
	{ "mode", API_TEXT, .words = words },
	{ "count", API_INT, .optional = true, .max = 10 },
	{ "share", API_DECIMAL, .optional = true },
	{ "on", API_FLAG, .optional = true },
	{ "until", API_TIME, .optional = true },
	{ "one", API_OBJECT, .optional = true, .of = &inner },
	{ "many", API_OBJECT, .list = true, .optional = true, .of = &inner },
	{ "map", API_MAP, .optional = true, .of = &inner },
	{ "any", API_ANY, .optional = true },
};
static const struct api_shape shape = API_SHAPE("Shape", fields);

static bool takes(const char *text, struct err *e)
{
	const struct json_limits limits = { 4096, 16 };
	struct json *v = json_read(bytes_of(text), &limits, e);
	bool taken;

	assert_non_null(v);
	taken = api_check(v, &shape, e);
	json_free(v);
	return taken;
}

static void what_the_shape_says_is_taken(void **state)
{
	static const char *const good[] = {
		"{\"mode\":\"block\"}",
		"{\"mode\":\"detect\",\"count\":10,\"share\":0.5,\"on\":false,\"until\":\"2026-11-24T20:00:00Z\"}",
		"{\"mode\":\"block\",\"count\":null,\"one\":null,\"many\":null}",
		"{\"mode\":\"block\",\"one\":{\"name\":\"a\"},\"many\":[{\"name\":\"a\"},{\"name\":\"b\"}],\"map\":{\"k\":{\"name\":\"a\"}}}",
		"{\"mode\":\"block\",\"many\":[],\"map\":{},\"any\":[1,{\"x\":null}]}",
		"{\"mode\":\"block\",\"until\":\"90m\"}",
	};
	struct err e = { 0 };

	(void)state;
	for (size_t i = 0; i < nelems(good); i++)
		if (!takes(good[i], &e))
			fail_msg("%s: %s", good[i], e.text);
}

static void what_it_does_not_say_is_refused_by_name(void **state)
{
	static const struct { const char *text, *why; } bad[] = {
		{ "[]", "an object is wanted" },
		{ "{}", "mode is wanted" },
		{ "{\"mode\":null}", "mode: a text is wanted" },
		{ "{\"mode\":\"off\"}", "mode: 'off' is none of its words" },
		{ "{\"mode\":\"block\",\"extra\":1}", "'extra' is not known here" },
		{ "{\"mode\":\"block\",\"count\":11}", "count: more than 10" },
		{ "{\"mode\":\"block\",\"count\":-1}", "count: a whole number is wanted" },
		{ "{\"mode\":\"block\",\"count\":\"1\"}", "count: a whole number is wanted" },
		{ "{\"mode\":\"block\",\"share\":\"x\"}", "share: a number is wanted" },
		{ "{\"mode\":\"block\",\"on\":1}", "on: true or false is wanted" },
		{ "{\"mode\":\"block\",\"until\":\"soon\"}", "until: a time is wanted" },
		{ "{\"mode\":\"block\",\"one\":{\"name\":\"123456789\"}}", "one: name: longer than 8 bytes" },
		{ "{\"mode\":\"block\",\"one\":[]}", "one: an object is wanted" },
		{ "{\"mode\":\"block\",\"many\":{}}", "many: a list is wanted" },
		{ "{\"mode\":\"block\",\"many\":[{}]}", "many: name is wanted" },
		{ "{\"mode\":\"block\",\"map\":[]}", "map: an object is wanted" },
		{ "{\"mode\":\"block\",\"map\":{\"k\":{\"x\":1}}}", "map: k: 'x' is not known here" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(bad); i++) {
		struct err e = { 0 };

		assert_false(takes(bad[i].text, &e));
		if (!strstr(e.text, bad[i].why))
			fail_msg("%s: '%s', wanted '%s'", bad[i].text, e.text, bad[i].why);
		assert_int_equal(e.side, SIDE_CLIENT);
	}
}

static void a_time_is_absolute_or_so_long_ago(void **state)
{
	static const struct { const char *text; uint64_t ms; } times[] = {
		{ "1970-01-01T00:00:01Z", 1000 }, { "90m", 1000000000000 - 5400000 }, { "7d", 1000000000000 - 604800000 },
		{ "10000d", 1000000000000 - 864000000000 }, { "soon", 0 }, { "", 0 }, { "-1h", 0 },
	};

	(void)state;
	for (size_t i = 0; i < nelems(times); i++)
		assert_int_equal(api_time(bytes_of(times[i].text), 1000000000000), times[i].ms);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_shape_says_is_taken),
		cmocka_unit_test(what_it_does_not_say_is_refused_by_name),
		cmocka_unit_test(a_time_is_absolute_or_so_long_ago),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
