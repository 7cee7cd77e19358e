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

enum { NONCE = 12, TAG = 16 };

/* sealed: nonce, ciphertext, tag. */
static bool seal(EVP_CIPHER_CTX *c, const uint8_t key[32], struct bytes name, struct bytes plain, uint8_t *out)
{
	int n;

	return tls_random(out, NONCE) && EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, out) == 1 &&
	       EVP_EncryptUpdate(c, NULL, &n, (const uint8_t *)name.at, (int)name.len) == 1 &&
	       EVP_EncryptUpdate(c, out + NONCE, &n, (const uint8_t *)plain.at, (int)plain.len) == 1 &&
	       EVP_EncryptFinal_ex(c, out + NONCE + n, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, TAG, out + NONCE + plain.len) == 1;
}

static bool unseal(EVP_CIPHER_CTX *c, const uint8_t key[32], struct bytes name, struct bytes sealed, uint8_t *out)
{
	const uint8_t *in = (const uint8_t *)sealed.at;
	size_t len = sealed.len - TLS_SEAL;
	uint8_t tag[TAG];
	int n;

	memcpy(tag, in + NONCE + len, TAG);
	return EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, in) == 1 &&
	       EVP_DecryptUpdate(c, NULL, &n, (const uint8_t *)name.at, (int)name.len) == 1 &&
	       EVP_DecryptUpdate(c, out, &n, in + NONCE, (int)len) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, TAG, tag) == 1 && EVP_DecryptFinal_ex(c, out + n, &n) == 1;
}

bool tls_seal(const uint8_t key[32], struct bytes name, struct bytes plain, uint8_t *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	bool good = c && seal(c, key, name, plain, out);

	EVP_CIPHER_CTX_free(c);
	return good;
}

bool tls_unseal(const uint8_t key[32], struct bytes name, struct bytes sealed, uint8_t *out)
{
	EVP_CIPHER_CTX *c = sealed.len >= TLS_SEAL ? EVP_CIPHER_CTX_new() : NULL;
	bool good = c && unseal(c, key, name, sealed, out);

	EVP_CIPHER_CTX_free(c);
	return good;
}

bool tls_same(const void *a, const void *b, size_t n)
{
	return CRYPTO_memcmp(a, b, n) == 0;
}
