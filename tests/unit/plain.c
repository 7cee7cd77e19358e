/* Which texts are plain: each byte at each place, against the set. */
#include "tests/test.h"
#include "rules/plain.h"

static void a_byte_is_as_the_set_says_wherever_it_stands(void **state)
{
	char text[50];

	(void)state;
	for (unsigned c = 0; c < 256; c++)
		for (size_t len = 1; len <= sizeof text; len++)
			for (size_t at = 0; at < len; at++) {
				memset(text, 'x', sizeof text);
				text[at] = (char)c;
				assert_int_equal(is_plain((struct bytes){ text, len }), plain_bytes[c / 64] >> c % 64 & 1);
			}
	assert_true(is_plain((struct bytes){ text, 0 }));
}

static void words_numbers_and_names_are_plain_and_what_is_said_to_machines_is_not(void **state)
{
	static const char *const plain[] = { "", "Anna-Lena", "2026-11-24 10:30", "a.b@c.example", "+49 30 1234,5", "na\xc3\xafve" };
	static const char *const rich[] = { "a/b", "a=b", "x'", "<b>", "a;b", "$x", "(1)", "a\nb", "50%", "a\\b", "`id`", "{1}", "[0]", "a&b",
					    "a|b", "#", "!", "*", "?", "~", "^", "\"", "\t", "\x7f" };

	(void)state;
	for (size_t i = 0; i < nelems(plain); i++)
		assert_true(is_plain(bytes_of(plain[i])));
	for (size_t i = 0; i < nelems(rich); i++)
		assert_false(is_plain(bytes_of(rich[i])));
	for (char c = 'a'; c <= 'z'; c++) /* literals_of() asks for this */
		assert_int_equal(is_plain((struct bytes){ &c, 1 }), is_plain((struct bytes){ (char[]){ (char)(c - 32) }, 1 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_byte_is_as_the_set_says_wherever_it_stands),
		cmocka_unit_test(words_numbers_and_names_are_plain_and_what_is_said_to_machines_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
