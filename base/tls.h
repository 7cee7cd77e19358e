/* tls.h -- TLS 1.2 and 1.3 over a stream (OpenSSL).
 *
 * A context is immutable and shared by threads; connections hold it, so a
 * reload may drop it at any time. Tickets are sealed with keys derived from the
 * installation's secret and the day: resumption survives a reload and works on
 * every gate that has the same secret. */
#ifndef BASE_TLS_H
#define BASE_TLS_H
#include "base/err.h"
#include "base/bytes.h"

struct tls_context;

struct tls_cert_file {
	const char *cert, *key; /* PEM; cert with its chain */
};

struct tls_server_options {
	const struct tls_cert_file *certs; /* the first serves names that no other has */
	size_t ncerts;
	unsigned min_version;  /* 12 or 13 */
	uint8_t ticket_secret[32];
};

/* Errors name the file. Certificate and key must belong together. */
struct tls_context *tls_server_new(const struct tls_server_options *, struct err *);
/* For upstreams. `ca` NULL: the system's bundle. */
struct tls_context *tls_client_new(bool verify, const char *ca, struct err *);
void tls_context_free(struct tls_context *); /* NULL is allowed */

/* Earliest notAfter of the context's certificates, unix seconds. */
int64_t tls_context_expiry(const struct tls_context *);
/* What one of a server's certificates says of itself; false: there are no more. */
struct tls_cert_info {
	char hosts[512];  /* names, apart by blanks; cut with "..." */
	char issuer[128];
	int64_t expires_s;
};
bool tls_context_cert(const struct tls_context *, size_t i, struct tls_cert_info *);
/* Does one of the certificates serve `name`? */
bool tls_context_serves(const struct tls_context *, struct bytes name);

/* Writes a key and a self-signed certificate (ECDSA P-256, 90 days) for
 * `name`, the key readable by its owner only. */
bool tls_self_signed(const char *name, const char *cert_file, const char *key_file, struct err *);
/* HKDF-SHA256 (RFC 5869), salt "embergate/v1", `purpose` as info: a 32-byte key from the installation's secret. */
bool tls_derive_key(struct bytes secret, const char *purpose, uint8_t out[32]);
/* HMAC-SHA256 over the parts, joined. */
bool tls_hmac(struct bytes key, const struct bytes *parts, size_t n, uint8_t out[32]); /* a key of others: of any length but 0 */
bool tls_mac(const uint8_t key[32], const struct bytes *parts, size_t n, uint8_t out[32]);
const char *tls_library(void); /* the version of OpenSSL that runs: "3.0.17" */
bool tls_random(void *out, size_t n);
bool tls_make_secret(char out[65]); /* 256 random bits in hexadecimal: a key, a token, a password of nobody's choice */
/* SHA-256 of what is put, piece by piece; the end frees it. */
struct tls_sha256;
struct tls_sha256 *tls_sha256_new(void); /* NULL: out of memory */
void tls_sha256_put(struct tls_sha256 *, struct bytes);
void tls_sha256_end(struct tls_sha256 *, uint8_t out[32]); /* NULL is allowed */
bool tls_sha512(struct bytes, uint8_t out[64]);
/* scrypt (RFC 7914), N = 2^cost, r = 8, p = 1: cost 15 takes 32 MiB and some 0.1 s. */
bool tls_scrypt(struct bytes password, const uint8_t salt[16], unsigned cost, uint8_t out[32]);
/* A password as it is kept. */
struct tls_password { uint8_t salt[16], hash[32]; unsigned cost; };
bool tls_password_make(struct bytes password, struct tls_password *out);
/* NULL: of somebody who is not there; it takes as long, and is false. */
bool tls_password_is(struct bytes password, const struct tls_password *);
bool tls_mac_sha1(struct bytes key, struct bytes, uint8_t out[20]); /* HMAC-SHA1: TOTP has no other (RFC 6238) */
/* AES-256-GCM with a random nonce: `out` takes plain.len + TLS_SEAL bytes. `name` is what it is of: sealed for another it does not open. */
enum { TLS_SEAL = 12 + 16 };
bool tls_seal(const uint8_t key[32], struct bytes name, struct bytes plain, uint8_t *out);
bool tls_unseal(const uint8_t key[32], struct bytes name, struct bytes sealed, uint8_t *out); /* sealed.len - TLS_SEAL bytes */
bool tls_same(const void *, const void *, size_t n); /* in a time that does not tell where they differ */

/* ---- for stream_tls.c ---- */
struct tls_conn;
enum tls_want { TLS_OK, TLS_WANT_MORE, TLS_CLOSED, TLS_FAILED };
/* `send` writes ciphertext; it may not fail (a broken stream swallows). */
struct tls_conn *tls_conn_new(struct tls_context *, const char *server_name,
			      void (*send)(void *arg, struct bytes), void *arg);
void tls_conn_free(struct tls_conn *);
/* More ciphertext; must be used up (WANT_MORE) before the next. */
void tls_conn_feed(struct tls_conn *, struct bytes);
struct bytes tls_conn_rest(const struct tls_conn *); /* ciphertext not yet used */
enum tls_want tls_conn_handshake(struct tls_conn *);
enum tls_want tls_conn_read(struct tls_conn *, char *buf, size_t cap, size_t *n);
bool tls_conn_write(struct tls_conn *, struct bytes); /* at most one record's worth */
void tls_conn_shutdown(struct tls_conn *);
const char *tls_conn_version(const struct tls_conn *);
const char *tls_conn_cipher(const struct tls_conn *);
const char *tls_conn_server_name(const struct tls_conn *);
struct bytes tls_conn_ja4(const struct tls_conn *); /* of a client of ours; empty before its hello */
const char *tls_conn_failure(const struct tls_conn *); /* in words */
#endif
