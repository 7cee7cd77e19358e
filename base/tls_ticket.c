/* tls_ticket.c -- keys: of session tickets, and derived ones for others.
 *
 * A ticket is sealed with keys of the half day it is made in and opened with
 * those of this one and the one before, so a stolen key opens a day at most. */
#include "base/clock.h"
#include "base/tls_parts.h"
#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>

enum { PERIOD_MS = 12 * 3600 * 1000 };

bool tls_random(void *out, size_t n)
{
	return RAND_bytes(out, (int)n) == 1;
}

bool tls_derive_key(struct bytes secret, const char *purpose, uint8_t out[32])
{
	static const char salt[] = "embergate/v1";
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)"SHA256", 0),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (char *)(uintptr_t)secret.at, secret.len),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, (char *)(uintptr_t)salt, sizeof salt - 1),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, (char *)(uintptr_t)purpose, strlen(purpose)),
		OSSL_PARAM_END,
	};
	bool ok = ctx && EVP_KDF_derive(ctx, out, 32, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

bool tls_hmac(struct bytes key, const struct bytes *parts, size_t n, uint8_t out[32])
{
	EVP_MAC *mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	EVP_MAC_CTX *ctx = mac ? EVP_MAC_CTX_new(mac) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)"SHA256", 0),
		OSSL_PARAM_END,
	};
	bool ok = ctx && EVP_MAC_init(ctx, (const unsigned char *)key.at, key.len, params) == 1;
	size_t len;

	for (size_t i = 0; ok && i < n; i++)
		ok = !parts[i].len || EVP_MAC_update(ctx, (const unsigned char *)parts[i].at, parts[i].len) == 1;
	ok = ok && EVP_MAC_final(ctx, out, &len, 32) == 1;
	EVP_MAC_CTX_free(ctx);
	EVP_MAC_free(mac);
	return ok;
}

bool tls_mac(const uint8_t key[32], const struct bytes *parts, size_t n, uint8_t out[32])
{
	return tls_hmac((struct bytes){ (const char *)key, 32 }, parts, n, out);
}

/* For the period: 32 bytes whose first 16 are its name, 32 for AES-256, 32 for HMAC. */
static bool ticket_keys(const struct tls_context *t, uint64_t period, uint8_t out[96])
{
	struct bytes secret = { (const char *)t->ticket_secret, sizeof t->ticket_secret };
	char purpose[64];

	for (unsigned part = 0; part < 3; part++) {
		snprintf(purpose, sizeof purpose, "ticket %llu %u", (unsigned long long)period, part);
		if (!tls_derive_key(secret, purpose, out + 32 * part))
			return false;
	}
	return true;
}

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3). */
int tls_on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
		  EVP_MAC_CTX *mac, int sealing)
{
	const struct tls_context *t = tls_context_of(ssl);
	uint64_t now = clock_wall_ms() / PERIOD_MS;
	uint8_t keys[96];
	OSSL_PARAM params[] = {
		OSSL_PARAM_octet_string(OSSL_MAC_PARAM_KEY, keys + 64, 32),
		OSSL_PARAM_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)(uintptr_t)"SHA256", 0),
		OSSL_PARAM_END,
	};

	if (sealing) {
		if (!ticket_keys(t, now, keys) || RAND_bytes(iv, 16) != 1)
			return -1;
		memcpy(name, keys, 16);
		return EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, keys + 32, iv) == 1 &&
		       EVP_MAC_CTX_set_params(mac, params) == 1 ? 1 : -1;
	}
	for (uint64_t back = 0; back < 2; back++) {
		if (!ticket_keys(t, now - back, keys) || memcmp(name, keys, 16) != 0)
			continue;
		if (EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, keys + 32, iv) != 1 ||
		    EVP_MAC_CTX_set_params(mac, params) != 1)
			return -1;
		return back == 0 ? 1 : 2; /* 2: opened, and renew it */
	}
	return 0;
}

