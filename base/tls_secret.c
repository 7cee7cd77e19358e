/* tls_secret.c -- what is kept of keys and passwords, so that who reads the file has neither. */
#include "base/tls.h"
#include <openssl/crypto.h>
#include <openssl/evp.h>

enum { SCRYPT_R = 8, SCRYPT_P = 1, SCRYPT_COST_MAX = 20 };

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

bool tls_same(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
