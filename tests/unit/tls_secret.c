/* tls_secret.c -- digests as their standards have them; a password is itself and nothing else. */
#include "tests/test.h"
#include "base/tls.h"

static void hmac_sha1_is_that_of_rfc_2202(void **state)
{
	static const struct { const char *key, *text, *mac; } rows[] = {
		{ "\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b\x0b", "Hi There",
		  "b617318655057264e28bc0b6fb378c8ef146be00" },
		{ "Jefe", "what do ya want for nothing?", "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79" },
	};
	uint8_t mac[20];
	char hex[41];

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		assert_true(tls_mac_sha1(bytes_of(rows[i].key), bytes_of(rows[i].text), mac));
		bytes_hex(mac, sizeof mac, hex);
		assert_string_equal(hex, rows[i].mac);
	}
}

static void a_password_is_itself_and_nothing_else(void **state)
{
	struct tls_password kept, again;

	(void)state;
	assert_true(tls_password_make(BYTES("a long password"), &kept) && tls_password_make(BYTES("a long password"), &again));
	assert_memory_not_equal(kept.hash, again.hash, sizeof kept.hash); /* each has a salt of its own */
	assert_true(tls_password_is(BYTES("a long password"), &kept) && tls_password_is(BYTES("a long password"), &again));
	assert_false(tls_password_is(BYTES("a long passwore"), &kept));
	assert_false(tls_password_is(BYTES(""), &kept));
	kept.cost--;
	assert_false(tls_password_is(BYTES("a long password"), &kept));
	assert_false(tls_password_is(BYTES(""), NULL));
}

static void a_secret_is_64_digits_and_another_each_time(void **state)
{
	char a[65], b[65];

	(void)state;
	assert_true(tls_make_secret(a) && tls_make_secret(b));
	assert_int_equal(strspn(a, "0123456789abcdef"), 64);
	assert_int_equal(strlen(a), 64);
	assert_string_not_equal(a, b);
}

static void what_is_sealed_opens_for_its_name_and_key_only(void **state)
{
	static const uint8_t key[32] = { 1 }, wrong[32] = { 2 };
	const struct bytes plain = BYTES("twenty bytes of seed"), anna = BYTES("anna");
	uint8_t sealed[20 + TLS_SEAL], again[20 + TLS_SEAL], out[20];
	const struct bytes whole = { (const char *)sealed, sizeof sealed };

	(void)state;
	assert_true(tls_seal(key, anna, plain, sealed) && tls_seal(key, anna, plain, again));
	assert_memory_not_equal(sealed, again, sizeof sealed);
	assert_true(tls_unseal(key, anna, whole, out));
	assert_memory_equal(out, plain.at, plain.len);
	assert_false(tls_unseal(wrong, anna, whole, out));
	assert_false(tls_unseal(key, BYTES("ben"), whole, out));
	for (size_t i = 0; i < whole.len; i++)
		assert_false(tls_unseal(key, anna, bytes_sub(whole, 0, i), out));
	for (size_t i = 0; i < whole.len; i++) {
		sealed[i] ^= 1;
		assert_false(tls_unseal(key, anna, whole, out));
		sealed[i] ^= 1;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hmac_sha1_is_that_of_rfc_2202),
		cmocka_unit_test(a_password_is_itself_and_nothing_else),
		cmocka_unit_test(what_is_sealed_opens_for_its_name_and_key_only),
		cmocka_unit_test(a_secret_is_64_digits_and_another_each_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
