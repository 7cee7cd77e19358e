/* tls_sha256.c -- a digest, piece by piece. */
#include "base/tls.h"
#include <openssl/evp.h>

struct tls_sha256 *tls_sha256_new(void)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();

	if (ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1)
		return (struct tls_sha256 *)ctx;
	EVP_MD_CTX_free(ctx);
	return NULL;
}

void tls_sha256_put(struct tls_sha256 *s, struct bytes b)
{
	EVP_DigestUpdate((EVP_MD_CTX *)s, b.at, b.len);
}

void tls_sha256_end(struct tls_sha256 *s, uint8_t out[32])
{
	unsigned len = 0;

	memset(out, 0, 32);
	if (s)
		EVP_DigestFinal_ex((EVP_MD_CTX *)s, out, &len);
	EVP_MD_CTX_free((EVP_MD_CTX *)s);
}
