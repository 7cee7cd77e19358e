/* op_answers.c -- what operators answer, where in the value, and with which operand:
 * our own cases beside ModSecurity's vectors (operators.c). */
#include "tests/made.h"
#include "rules/words.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static enum answer asked(const char *name, const char *argument, struct bytes value, struct span *s)
{
	struct made m = made_of(name, argument);
	enum answer answer;

	*s = (struct span){ 0 };
	if (!m.ok)
		fail_msg("@%s %s: %s", name, argument, m.err.text);
	answer = m.op->test(&m.operand, value, s);
	ir_free(m.ir);
	return answer;
}

struct question {
	const char *name, *argument, *value;
	enum answer answer;
	size_t at, len; /* of a yes */
};

static void check(const struct question *q, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct bytes value = bytes_of(q[i].value);
		struct span s;
		enum answer answer = asked(q[i].name, q[i].argument, value, &s);

		if (answer != q[i].answer || (answer == ANSWER_YES && (s.at != q[i].at || s.len != q[i].len)))
			fail_msg("@%s %s on \"%s\": %d at %zu+%zu", q[i].name, q[i].argument, q[i].value, answer, s.at,
				 s.len);
	}
}

static void a_match_tells_its_place(void **state)
{
	static const struct question rows[] = {
		{ "rx", "b.*d$", "abc\nd", ANSWER_YES, 1, 4 },
		{ "rx", "c$", "abc\n", ANSWER_NO, 0, 0 },
		{ "contains", "cd", "abcdcd", ANSWER_YES, 2, 2 },
		{ "strmatch", "CD", "abcd", ANSWER_NO, 0, 0 },
		{ "containsWord", "ab", "xab ab1", ANSWER_YES, 4, 2 },
		{ "containsWord", "ab", "1ab_", ANSWER_YES, 1, 2 },
		{ "containsWord", "ab", "abab", ANSWER_NO, 0, 0 },
		{ "containsWord", "aa", "aaa aa", ANSWER_YES, 4, 2 },
		{ "endsWith", "cd", "abcd", ANSWER_YES, 2, 2 },
		{ "endsWith", "abcd", "cd", ANSWER_NO, 0, 0 },
		{ "within", "GET,POST", "POST", ANSWER_YES, 0, 4 },
		{ "within", "GET,POST", "post", ANSWER_NO, 0, 0 },
		{ "pm", "union select", "SELECT a UNION b", ANSWER_YES, 0, 6 },
		{ "pm", "ab abc", "xAbCd", ANSWER_YES, 1, 3 },
		{ "validateByteRange", "32-126", "ab\tc", ANSWER_YES, 2, 1 },
		{ "validateByteRange", " 9 , 32 - 126 ", "ab\tc", ANSWER_NO, 0, 0 },
		{ "validateUrlEncoding", "", "a%20%4", ANSWER_YES, 4, 2 },
		{ "validateUrlEncoding", "", "a%20%4zz", ANSWER_YES, 4, 3 },
		{ "validateUtf8Encoding", "", "\xc3\xa9\xc0\xaf", ANSWER_YES, 2, 1 },
		{ "validateUtf8Encoding", "", "\xe2\x82", ANSWER_YES, 0, 1 },
		{ "validateUtf8Encoding", "", "\xed\xa0\x80", ANSWER_YES, 0, 1 },
		{ "validateUtf8Encoding", "", "\xf4\x90\x80\x80", ANSWER_YES, 0, 1 },
		{ "validateUtf8Encoding", "", "\xf4\x8f\xbf\xbf\xf0\x90\x80\x80\xe0\xa0\x80\xc2\x80", ANSWER_NO, 0, 0 },
		{ "verifyCC", "\\d{4}", "1234 4111111111111111 0000", ANSWER_YES, 22, 4 },
		{ "verifyCC", "\\d*", "card 4111111111111111", ANSWER_YES, 5, 16 },
		{ "verifyCPF", "[\\d.-]+", "1 111.111.111-11 529.982.247-25", ANSWER_YES, 17, 14 },
		{ "verifySSN", "[\\d-]+", "666-12-3456 000-12-3456 123-00-1234", ANSWER_NO, 0, 0 },
		{ "verifySVNR", "\\d+", "0000000000 1237010180", ANSWER_YES, 11, 10 },
		{ "unconditionalMatch", "", "abc", ANSWER_YES, 0, 3 },
		{ "noMatch", "", "abc", ANSWER_NO, 0, 0 },
		{ "rbl", "sbl.example", "192.0.2.1", ANSWER_NO, 0, 0 },
		{ "geoLookup", "", "192.0.2.1", ANSWER_NO, 0, 0 },
		{ "detectSQLi", "", "1' OR 1=1--", ANSWER_YES, 0, 11 },
	};

	(void)state;
	check(rows, nelems(rows));
}

static void numbers_are_c_s_in_seclang_and_go_s_in_crowdsec(void **state)
{
	static const struct question rows[] = {
		{ "eq", "12", "12a", ANSWER_YES, 0, 3 },
		{ "eq", " +12 ", "\t12", ANSWER_YES, 0, 3 },
		{ "eq", "0", "a12", ANSWER_YES, 0, 3 },
		{ "eq", "x", "", ANSWER_YES, 0, 0 },
		{ "gt", "9223372036854775806", "99999999999999999999", ANSWER_YES, 0, 20 },
		{ "lt", "-9223372036854775806", "-99999999999999999999", ANSWER_YES, 0, 21 },
		{ "ge", "5", "5", ANSWER_YES, 0, 1 },
		{ "le", "5", "6", ANSWER_NO, 0, 0 },
	};
	static const struct { const char *alias, *value; int64_t number; bool yes; } go[] = {
		{ "eq", "12a", 12, false }, { "eq", "12a", 0, true }, { "gte", "+7", 7, true },
		{ "lte", " 7", 1, true },
		{ "gt", "99999999999999999999", 5, true }, { "lt", "-3", 0, true }, { "eq", "-", 0, true },
	};

	(void)state;
	check(rows, nelems(rows));
	for (size_t i = 0; i < nelems(go); i++) {
		struct operand o = { .number = go[i].number };
		struct span s;

		assert_int_equal(op_by_alias(bytes_of(go[i].alias))->test(&o, bytes_of(go[i].value), &s), go[i].yes);
	}
}

static void the_words_of_pm_stand_for_themselves(void **state)
{
	static const struct question rows[] = {
		{ "pm", "\t ab  |41| \v", "x |41|", ANSWER_YES, 2, 4 },
		{ "pm", "|41|", "A", ANSWER_NO, 0, 0 },
		{ "pm", "a|b c:\\dir", "C:\\DIR", ANSWER_YES, 0, 6 },
		{ "pm", "[x {y", "a{X [y [X", ANSWER_YES, 7, 2 },
		{ "pm", "l", "xL", ANSWER_YES, 1, 1 },
		{ "pm", "fg la", "FL", ANSWER_NO, 0, 0 },
		{ "pm", "select selects", "a SELECTs", ANSWER_YES, 2, 7 },
	};

	(void)state;
	check(rows, nelems(rows));
}

static void an_address_is_looked_for_in_its_own_family(void **state)
{
	static const struct question rows[] = {
		{ "ipMatch", "127.0.0.1,::1", "::1", ANSWER_YES, 0, 3 },
		{ "ipMatch", " 10.0.0.0/8 , 192.0.2.7 ", "192.0.2.7", ANSWER_YES, 0, 9 },
		{ "ipMatch", "10.0.0.0/8", "::ffff:10.1.2.3", ANSWER_YES, 0, 15 },
		{ "ipMatch", "::/0", "10.1.2.3", ANSWER_NO, 0, 0 },
		{ "ipMatch", "::/0", "::ffff:10.1.2.3", ANSWER_YES, 0, 15 },
		{ "ipMatch", "::ffff:10.0.0.0/104", "10.1.2.3", ANSWER_YES, 0, 8 },
		{ "ipMatch", "0.0.0.0/0", "2001:db8::1", ANSWER_NO, 0, 0 },
		{ "ipMatch", "0.0.0.0/0", "255.1.2.3", ANSWER_YES, 0, 9 },
		{ "ipMatch", "10.0.0.0/8,10.1.0.0/16,10.1.2.0/24", "10.255.0.1", ANSWER_YES, 0, 10 },
		{ "ipMatch", "10.0.0.0/8,10.1.0.0/16", "11.0.0.1", ANSWER_NO, 0, 0 },
		{ "ipMatch", "10.0.0.0/8", "10.0.0.1:80", ANSWER_NO, 0, 0 },
		{ "ipMatch", "10.0.0.0/8", "", ANSWER_NO, 0, 0 },
	};

	(void)state;
	check(rows, nelems(rows));
}

static void files_are_read_line_by_line(void **state)
{
	char path[] = "/tmp/operators-file-XXXXXX", *name = strrchr(path, '/') + 1;
	static const struct { const char *op, *text, *value, *says; } rows[] = {
		{ "pmFromFile", "# words\n\n \t# more\n Evil word \r\nother", "an EVIL WORD.", NULL },
		{ "pmFromFile", "a#b\n", "xa#b", NULL },
		{ "pmFromFile", "# only\n \n", NULL, "no lines in" },
		{ "ipMatchFromFile", "10.0.0.0/8 # ours\n\n2001:db8::/32\r\n", "2001:db8::7", NULL },
		{ "ipMatchF", "10.0.0.0/8 # ours\n", "10.9.8.7", NULL },
		{ "ipMatchF", "10.0.0.0/8\nnext\n", NULL, "'next' is neither" },
	};
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < nelems(rows); i++) {
		FILE *f = fopen(path, "w");
		struct made m;
		struct span s;

		fputs(rows[i].text, f);
		fclose(f);
		m = make(bytes_of(rows[i].op), bytes_of(name), "/tmp/rules.conf");
		if (rows[i].value && !m.ok)
			fail_msg("%s", m.err.text);
		if (rows[i].value)
			assert_int_equal(m.op->test(&m.operand, bytes_of(rows[i].value), &s), ANSWER_YES);
		else
			assert_non_null(strstr(m.err.text, rows[i].says));
		ir_free(m.ir);
	}
	remove(path);
}

static void only_cheap_operands_are_made_for_a_request(void **state)
{
	static const char *const no[] = { "rx", "rxGlobal", "pmFromFile", "ipMatchFromFile", "validateByteRange",
					  "verifyCC" };
	static const struct { const char *name, *text, *value; enum answer answer; } rows[] = {
		{ "within", " get post ", "post", ANSWER_YES }, { "streq", "a", "a", ANSWER_YES },
		{ "ge", "5", "7", ANSWER_YES },                { "lt", "5", "7", ANSWER_NO },
		{ "pm", "Ab cd", "xCD", ANSWER_YES },          { "pm", "", "x", ANSWER_NO },
		{ "ipMatch", "nonsense,10.0.0.0/8", "10.1.1.1", ANSWER_YES }, { "ipMatch", "", "10.1.1.1", ANSWER_NO },
	};
	struct arena *a = arena_new(1 << 20);
	struct operand o;
	struct span s;

	(void)state;
	for (size_t i = 0; i < nelems(no); i++)
		assert_false(op_expanded(op_find(bytes_of(no[i])), a, BYTES("1"), &o));
	for (size_t i = 0; i < nelems(rows); i++) {
		const struct op *op = op_find(bytes_of(rows[i].name));

		assert_true(op_expanded(op, a, bytes_of(rows[i].text), &o));
		assert_int_equal(op->test(&o, bytes_of(rows[i].value), &s), rows[i].answer);
	}
	arena_free(a);
}

static void past_the_cap_there_are_no_words(void **state)
{
	static struct bytes many[20000];
	struct arena *a = arena_new(1);
	struct operand o;
	static char text[1 << 20];

	(void)state;
	for (size_t i = 0; i < nelems(many); i++)
		many[i] = BYTES("a word");
	memset(text, ' ', sizeof text);
	assert_null(words_new(a, many, nelems(many)));
	assert_false(op_expanded(op_find(BYTES("pm")), a, (struct bytes){ text, sizeof text }, &o));
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_match_tells_its_place),
		cmocka_unit_test(numbers_are_c_s_in_seclang_and_go_s_in_crowdsec),
		cmocka_unit_test(the_words_of_pm_stand_for_themselves),
		cmocka_unit_test(an_address_is_looked_for_in_its_own_family),
		cmocka_unit_test(files_are_read_line_by_line),
		cmocka_unit_test(only_cheap_operands_are_made_for_a_request),
		cmocka_unit_test(past_the_cap_there_are_no_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
