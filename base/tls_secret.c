/* tls_secret.c -- what is kept of keys and passwords, so that who reads the file has neither. */
#include "base/tls.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { PASSWORD_COST = 15, SCRYPT_R = 8, SCRYPT_P = 1, SCRYPT_COST_MAX = 20 };

bool tls_make_secret(char out[65])
{
	uint8_t random[32];

	if (!tls_random(random, sizeof random))
		return false;
	bytes_hex(random, sizeof random, out);
	return true;
}

bool tls_sha512(struct bytes b, uint8_t out[64])
{
	return EVP_Digest(b.at ? b.at : "", b.len, out, NULL, EVP_sha512(), NULL) == 1;
}

bool tls_scrypt(struct bytes password, const uint8_t salt[16], unsigned cost, uint8_t out[32])
{
	uint64_t n = (uint64_t)1 << (cost <= SCRYPT_COST_MAX ? cost : SCRYPT_COST_MAX);

	/* OpenSSL's own bound is 32 MiB, all of which cost 15 takes. */
	return EVP_PBE_scrypt(password.at ? password.at : "", password.len, salt, 16, n, SCRYPT_R, SCRYPT_P,
			      256 * n * SCRYPT_R, out, 32) == 1;
}

bool tls_password_make(struct bytes password, struct tls_password *out)
{
	out->cost = PASSWORD_COST;
	return tls_random(out->salt, sizeof out->salt) && tls_scrypt(password, out->salt, out->cost, out->hash);
}

bool tls_password_is(struct bytes password, const struct tls_password *kept)
{
	static const struct tls_password nobodys = { .cost = PASSWORD_COST };
	const struct tls_password *p = kept ? kept : &nobodys;
	uint8_t got[32];

	return tls_scrypt(password, p->salt, p->cost, got) && tls_same(got, p->hash, sizeof got) && kept;
}

bool tls_mac_sha1(struct bytes key, struct bytes b, uint8_t out[20])
{
	unsigned len = 20;

	return HMAC(EVP_sha1(), key.at, (int)key.len, (const unsigned char *)b.at, b.len, out, &len) != NULL;
}

bool tls_same(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
