/* codes.c -- TOTP as RFC 6238 has it, each code once; Base32 as RFC 4648 has it. */
#include "tests/test.h"
#include "admin/codes.h"
#include <stdio.h>

/* RFC 6238, appendix B, SHA-1; ours are the last six of its eight digits. */
static const uint8_t rfc_secret[CODE_TOTP_BYTES] = "12345678901234567890";
static const struct { uint64_t at_s; unsigned code; } rfc[] = {
	{ 59, 94287082 }, { 1111111109, 7081804 }, { 1111111111, 14050471 }, { 1234567890, 89005924 },
	{ 2000000000, 69279037 }, { 20000000000, 65353130 },
};

static struct bytes six(unsigned code, char room[8])
{
	snprintf(room, 8, "%06u", code);
	return bytes_of(room);
}

static void codes_are_those_of_rfc_6238(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(rfc); i++)
		assert_int_equal(code_totp(rfc_secret, rfc[i].at_s / 30), rfc[i].code % 1000000);
}

static void a_clock_may_be_wrong_by_one_step(void **state)
{
	uint64_t now = 1234567890, step = now / 30;
	char room[8];

	(void)state;
	for (int off = -3; off <= 3; off++) {
		uint64_t at = step + (uint64_t)(int64_t)off;

		assert_int_equal(code_totp_step(rfc_secret, six(code_totp(rfc_secret, at), room), now, 0),
				 off >= -1 && off <= 1 ? at : 0);
	}
}

static void a_code_counts_once_and_none_before_it_after_that(void **state)
{
	uint64_t now = 1234567890, step = now / 30;
	char room[8];

	(void)state;
	assert_int_equal(code_totp_step(rfc_secret, six(code_totp(rfc_secret, step), room), now, step - 1), step);
	assert_int_equal(code_totp_step(rfc_secret, six(code_totp(rfc_secret, step), room), now, step), 0);
	assert_int_equal(code_totp_step(rfc_secret, six(code_totp(rfc_secret, step - 1), room), now, step), 0);
	assert_int_equal(code_totp_step(rfc_secret, six(code_totp(rfc_secret, step + 1), room), now, step), step + 1);
}

static void what_is_no_code_is_none(void **state)
{
	static const char *const typed[] = { "", "00592", "0059244", "+05924", "00 924", "abcdef", "00592\0" };
	char room[8];

	(void)state;
	for (size_t i = 0; i < nelems(typed); i++)
		assert_int_equal(code_totp_step(rfc_secret, bytes_of(typed[i]), 1234567890, 0), 0);
	assert_int_equal(code_totp_step(rfc_secret, BYTES(" 005924 "), 1234567890, 0), 1234567890 / 30);
	assert_int_equal(code_totp_step(rfc_secret, six(code_totp(rfc_secret, 0), room), 0, 0), 0); /* step 0 is none */
}

static void base32_is_that_of_rfc_4648(void **state)
{
	char out[CODE_TEXT];

	(void)state;
	code_base32(BYTES("fooba"), out);
	assert_string_equal(out, "MZXW6YTB");
	code_base32(BYTES(""), out);
	assert_string_equal(out, "");
	code_base32((struct bytes){ (const char *)rfc_secret, 20 }, out);
	assert_string_equal(out, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
}

static void a_code_may_be_typed_with_or_without_its_hyphens(void **state)
{
	uint8_t a[CODE_HASH], b[CODE_HASH];
	char code[CODE_TEXT], other[CODE_TEXT];

	(void)state;
	assert_true(code_make(CODE_RECOVERY_BYTES, code) && code_make(CODE_RECOVERY_BYTES, other));
	assert_int_equal(strlen(code), 19);
	assert_string_not_equal(code, other);
	assert_true(code_hash(BYTES("Q7K2-ABCD"), a));
	for (size_t i = 0; i < 3; i++) {
		static const char *const same[] = { "q7k2abcd", "Q7K2ABCD", " q7K2 - abcd" };

		assert_true(code_hash(bytes_of(same[i]), b));
		assert_memory_equal(a, b, CODE_HASH);
	}
	assert_true(code_hash(BYTES("Q7K2-ABCE"), b));
	assert_memory_not_equal(a, b, CODE_HASH);
	assert_true(code_make(CODE_LINK_BYTES, code));
	assert_int_equal(strlen(code), 29);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(codes_are_those_of_rfc_6238),
		cmocka_unit_test(a_clock_may_be_wrong_by_one_step),
		cmocka_unit_test(a_code_counts_once_and_none_before_it_after_that),
		cmocka_unit_test(what_is_no_code_is_none),
		cmocka_unit_test(base32_is_that_of_rfc_4648),
		cmocka_unit_test(a_code_may_be_typed_with_or_without_its_hyphens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
