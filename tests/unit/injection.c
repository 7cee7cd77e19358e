/* What is settled without libinjection, and that it would have said the same. */
#include "tests/test.h"
#include "base/text.h"
#include "rules/operators.h"

int libinjection_sqli(const char *s, size_t len, char fingerprint[8]);

static enum answer asked(struct bytes v)
{
	const struct operand none = { 0 };
	struct span s;

	return op_find(BYTES("detectSQLi"))->test(&none, v, &s);
}

static void names_and_numbers_are_no_injection_in_any_order(void **state)
{
	/* The last four begin or end what libinjection reads as one: "current path", "next value". */
	static const char *const words[] = { "lamp", "12", "x1", "current", "path", "next", "value" };
	enum { MOST = 6 };

	(void)state;
	for (size_t n = 1; n <= MOST; n++) {
		size_t combinations = 1;

		for (size_t i = 0; i < n; i++)
			combinations *= nelems(words);
		for (size_t k = 0; k < combinations; k++) {
			char room[80], fingerprint[8];
			struct text t = text_over(room, sizeof room);

			for (size_t i = 0, rest = k; i < n; i++, rest /= nelems(words)) {
				text_str(&t, i ? " " : "");
				text_str(&t, words[rest % nelems(words)]);
			}
			if (libinjection_sqli(t.at, t.len, fingerprint))
				fail_msg("\"%.*s\" has the fingerprint %s", BYTES_ARG(text_bytes(&t)), fingerprint);
			assert_int_equal(asked(text_bytes(&t)), ANSWER_NO);
		}
	}
}

static void words_of_sql_are_still_told(void **state)
{
	static const char *const rows[] = { "1 or 1", "1 OR 1", "1 union select 1", "x UnIoN all select password from users",
					    "1 and 1", "lamp 1 or 1 lamp", "1 or lamp is null", "1; drop table users" };

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		char fingerprint[8];

		/* The second time the words are known. */
		for (int k = 0; k < 2; k++)
			assert_int_equal(asked(bytes_of(rows[i])) == ANSWER_YES, libinjection_sqli(rows[i], strlen(rows[i]), fingerprint));
	}
	assert_int_equal(asked(BYTES("1 union select 1")), ANSWER_YES);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers_are_no_injection_in_any_order),
		cmocka_unit_test(words_of_sql_are_still_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
