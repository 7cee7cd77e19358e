/* tls_parts.h -- what the files behind base/tls.h share; nobody else's. */
#ifndef BASE_TLS_PARTS_H
#define BASE_TLS_PARTS_H
#include "base/tls.h"
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdatomic.h>

struct tls_name {
	struct bytes text; /* "shop.example", or "*.shop.example" as ".shop.example" */
	bool wild;
	SSL_CTX *ctx;
};

struct tls_context {
	atomic_uint users;
	SSL_CTX **ctxs; /* one a certificate; the first is the default */
	size_t nctxs;
	struct tls_name *names;
	size_t nnames;
	int64_t expiry;
	bool server;
	uint8_t ticket_secret[32];
};

/* OpenSSL's last error in words; clears its queue. Returns buf. */
const char *tls_words(char *buf, size_t cap);
bool tls_err(struct err *, const char *what, const char *file); /* always false */

/* tls_ticket.c: for SSL_CTX_set_tlsext_ticket_key_evp_cb(3). */
int tls_on_ticket(SSL *, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *, EVP_MAC_CTX *,
		  int sealing);
/* Whose connection it is. */
struct tls_context *tls_context_of(SSL *);
#endif
