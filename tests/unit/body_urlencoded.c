/* body_urlencoded.c -- forms are split at '&' and '=' and decoded once. */
#include "tests/test.h"
#include "tests/body_told.h"
#include "rules/body/urlencoded.h"

static void check(struct body_limits l, const char *in, enum body_fault fault, const char *want)
{
	for (size_t cut = 0; cut < 7; cut++) {
		struct told t = told_of(&body_urlencoded, (struct body_setup){ .limits = l },
					bytes_of(in), cut);

		if (t.fault != fault)
			fail_msg("%s in pieces of %zu: %s", in, cut, body_fault_word(t.fault));
		if (want)
			assert_bytes(text_bytes(&t.text), bytes_of(want));
		arena_free(t.arena);
	}
}

static void splits_and_decodes_once(void **state)
{
	static const struct { const char *in, *want; } cases[] = {
		{ "", "" },
		{ "a=1&b=2", "a=1\nb=2\n" },
		{ "a=1&a=2", "a=1\na=2\n" },
		{ "a", "a=\n" },
		{ "a&b", "a=\nb=\n" },
		{ "=x", "=x\n" },
		{ "=", "=\n" },
		{ "&&a=1&&", "a=1\n" },
		{ "a=b=c", "a=b=c\n" },
		{ "a;b=c;d", "a;b=c;d\n" },
		{ "q=un+ion%20x", "q=un ion x\n" },
		{ "%61%3D=%26%253c", "a==&%3c\n" },
		{ "a=%00", "a=\\x00\n" },
		{ "a=100%", "a=100%\n" },
		{ "a=%4", "a=%4\n" },
		{ "a=%zz%4g%%41", "a=%zz%4g%A\n" },
		{ "a=%&b=%4&c=%+", "a=%\nb=%4\nc=% \n" },
		{ "a=%u0041", "a=%u0041\n" },
		{ "a=%4%31=", "a=%41=\n" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		check((struct body_limits){ 0 }, cases[i].in, FAULT_NONE, cases[i].want);
}

static void every_bound_has_its_own_fault(void **state)
{
	static const struct {
		struct body_limits limits;
		const char *in;
		enum body_fault fault;
	} cases[] = {
		{ { .args = 2 }, "a=1&b=2", FAULT_NONE },
		{ { .args = 2 }, "a=1&b=2&c", FAULT_ARGS },
		{ { .name_bytes = 3 }, "abc=12345", FAULT_NONE },
		{ { .name_bytes = 3 }, "abcd=1", FAULT_NAME },
		{ { .value_bytes = 3 }, "abcd=%31%32%33", FAULT_NONE },
		{ { .value_bytes = 3 }, "a=1234", FAULT_VALUE },
		{ { .total_bytes = 4 }, "ab=cd", FAULT_NONE },
		{ { .total_bytes = 4 }, "ab=cd&e", FAULT_TOTAL },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		check(cases[i].limits, cases[i].in, cases[i].fault, NULL);
}

static bool note_offset(void *owner, const struct body_value *v)
{
	*(uint64_t *)owner = v->at;
	return true;
}

static void tells_where_a_value_began(void **state)
{
	static const struct body_sink sink = { note_offset, NULL };
	uint64_t at = 0;
	struct arena *a = arena_new(1 << 20);
	struct body_setup s = { .sink = &sink, .owner = &at };

	(void)state;
	assert_int_equal(urlencoded_parse(a, BYTES("a=1&b%20=22"), &s), FAULT_NONE);
	assert_int_equal(at, 9);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_and_decodes_once),
		cmocka_unit_test(every_bound_has_its_own_fault),
		cmocka_unit_test(tells_where_a_value_began),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
