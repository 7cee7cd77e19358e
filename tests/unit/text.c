/* text.c -- the bounded writer: any input, and never a byte too many. */
#include "tests/test.h"
#include "base/text.h"

static void json_is_valid_whatever_comes(void **state)
{
	static const struct { struct bytes in; const char *out; } rows[] = {
		{ BYTES_INIT("plain"), "\"plain\"" },
		{ BYTES_INIT("q\"b\\s"), "\"q\\\"b\\\\s\"" },
		{ BYTES_INIT("\n\r\t\0\x1f\x7f"), "\"\\n\\r\\t\\u0000\\u001f\\u007f\"" },
		{ BYTES_INIT("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80"), "\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\x98\x80\"" },
		{ BYTES_INIT("\xff"), "\"\\u00ff\"" },                    /* never UTF-8 */
		{ BYTES_INIT("\xc3"), "\"\\u00c3\"" },                    /* cut */
		{ BYTES_INIT("\xc0\xaf"), "\"\\u00c0\\u00af\"" },         /* overlong */
		{ BYTES_INIT("\xed\xa0\x80"), "\"\\u00ed\\u00a0\\u0080\"" }, /* a surrogate */
		{ BYTES_INIT("\xf4\x90\x80\x80"), "\"\\u00f4\\u0090\\u0080\\u0080\"" }, /* past U+10FFFF */
		{ BYTES_INIT("\xe2\x82x"), "\"\\u00e2\\u0082x\"" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		char buf[128];
		struct text t = text_over(buf, sizeof buf);

		text_json(&t, rows[i].in);
		assert_bytes(text_bytes(&t), bytes_of(rows[i].out));
	}
}

static void markup_and_control_bytes_are_escaped(void **state)
{
	char buf[128];
	struct text t = text_over(buf, sizeof buf);

	(void)state;
	text_html(&t, BYTES("<a b='\"'>&"));
	assert_bytes(text_bytes(&t), BYTES("&lt;a b=&#39;&quot;&#39;&gt;&amp;"));
	t = text_over(buf, sizeof buf);
	text_plain(&t, BYTES("a\x1b[31m\\\xc3\xa9\0"));
	assert_bytes(text_bytes(&t), BYTES("a\\x1b[31m\\x5c\\xc3\\xa9\\x00"));
}

static void numbers_are_written_to_their_ends(void **state)
{
	static const struct { uint64_t n; const char *decimal, *hex; } rows[] = {
		{ 0, "0", "0" }, { 10, "10", "a" }, { UINT64_MAX, "18446744073709551615", "ffffffffffffffff" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		char buf[64];
		struct text t = text_over(buf, sizeof buf);

		text_u64(&t, rows[i].n);
		text_byte(&t, ' ');
		text_hex(&t, rows[i].n);
		text_printf(&t, " %s", rows[i].hex);
		assert_int_equal(t.len, strlen(rows[i].decimal) + 2 * strlen(rows[i].hex) + 2);
		assert_bytes(bytes_sub(text_bytes(&t), 0, strlen(rows[i].decimal)), bytes_of(rows[i].decimal));
		assert_true(bytes_ends(text_bytes(&t), bytes_of(rows[i].hex)));
	}
}

static void what_does_not_fit_is_not_begun(void **state)
{
	(void)state;
	for (size_t cap = 0; cap < 6; cap++) {
		char buf[8] = "zzzzzzz";
		struct text t = text_over(buf, cap);

		text_str(&t, "abcdef");
		assert_true(t.full);
		text_str(&t, ""); /* nothing follows, however short */
		text_byte(&t, 'x');
		text_printf(&t, "%d", 1);
		assert_int_equal(t.len, 0);
		assert_string_equal(buf, "zzzzzzz");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_is_valid_whatever_comes),
		cmocka_unit_test(markup_and_control_bytes_are_escaped),
		cmocka_unit_test(numbers_are_written_to_their_ends),
		cmocka_unit_test(what_does_not_fit_is_not_begun),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
