/* tls.c -- OpenSSL between a stream's bytes and its owner's.
 *
 * The BIO under each connection reads from the slice that the stream has at
 * hand and writes straight to the stream: no copy, and no buffer of OpenSSL's
 * that outlives a call (SSL_MODE_RELEASE_BUFFERS). */
#include "base/tls.h"
#include "base/clock.h"
#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdatomic.h>
#include <fcntl.h>
#include <unistd.h>

enum { TICKET_DAY_MS = 12 * 3600 * 1000 }; /* a ticket key's life; the one before still opens */

struct name {
	struct bytes text; /* "shop.example", or "*.shop.example" as ".shop.example" */
	bool wild;
	SSL_CTX *ctx;
};

struct tls_context {
	atomic_uint users;
	SSL_CTX **ctxs; /* one a certificate; the first is the default */
	size_t nctxs;
	struct name *names;
	size_t nnames;
	int64_t expiry;
	bool server;
	uint8_t ticket_secret[32];
};

/* ---- words for what OpenSSL says ---- */

static const char *openssl_words(char *buf, size_t cap)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;

	snprintf(buf, cap, "%s", reason ? reason : "unknown TLS failure");
	ERR_clear_error();
	return buf;
}

static bool tls_err(struct err *err, const char *what, const char *file)
{
	char words[128];

	return err_set(err, SIDE_CONFIG, 0, "%s: %s: %s", file, what, openssl_words(words, sizeof words));
}

/* ---- keys ---- */

bool tls_random(void *out, size_t n)
{
	return RAND_bytes(out, (int)n) == 1;
}

bool tls_derive_key(struct bytes secret, const char *purpose, uint8_t out[32])
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)"SHA256", 0),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (char *)(uintptr_t)secret.at, secret.len),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, (char *)(uintptr_t)purpose, strlen(purpose)),
		OSSL_PARAM_END,
	};
	bool ok = ctx && EVP_KDF_derive(ctx, out, 32, params) == 1;

	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return ok;
}

/* 80 bytes for the period: name 16, AES-256 32, HMAC 32. */
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

static struct tls_context *context_of(SSL *ssl);

/* SSL_CTX_set_tlsext_ticket_key_evp_cb(3). */
static int on_ticket(SSL *ssl, unsigned char name[16], unsigned char *iv, EVP_CIPHER_CTX *cipher,
		     EVP_MAC_CTX *mac, int sealing)
{
	const struct tls_context *t = context_of(ssl);
	uint64_t now = clock_wall_ms() / TICKET_DAY_MS;
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

/* ---- names ---- */

static const struct name *name_find(const struct tls_context *t, struct bytes host)
{
	size_t dot = bytes_index(host, '.');
	struct bytes parent = dot == SIZE_MAX ? (struct bytes){ 0 } : bytes_from(host, dot);
	const struct name *wild = NULL;

	for (size_t i = 0; i < t->nnames; i++) {
		if (!t->names[i].wild && bytes_eq_nocase(t->names[i].text, host))
			return &t->names[i];
		if (t->names[i].wild && parent.len && bytes_eq_nocase(t->names[i].text, parent))
			wild = &t->names[i];
	}
	return wild;
}

bool tls_context_serves(const struct tls_context *t, struct bytes host)
{
	return name_find(t, host) != NULL;
}

static int on_server_name(SSL *ssl, int *alert, void *arg)
{
	const char *asked = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
	const struct name *n = asked ? name_find(arg, bytes_of(asked)) : NULL;

	(void)alert;
	if (n)
		SSL_set_SSL_CTX(ssl, n->ctx);
	return SSL_TLSEXT_ERR_OK;
}

static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in,
		   unsigned int inlen, void *arg)
{
	static const unsigned char ours[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl, (void)arg;
	if (SSL_select_next_proto(&chosen, outlen, ours, sizeof ours - 1, in, inlen) !=
	    OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static bool name_add(struct tls_context *t, SSL_CTX *ctx, const char *text, size_t len)
{
	struct name *more = realloc(t->names, (t->nnames + 1) * sizeof *more);
	bool wild = len > 2 && text[0] == '*' && text[1] == '.';
	char *copy;

	if (!more)
		return false;
	t->names = more;
	copy = strndup(text + wild, len - wild);
	if (!copy)
		return false;
	t->names[t->nnames++] = (struct name){ { copy, len - wild }, wild, ctx };
	return true;
}

static bool names_of_cert(struct tls_context *t, SSL_CTX *ctx, X509 *cert)
{
	GENERAL_NAMES *sans = X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL);
	bool ok = true;

	for (int i = 0; ok && i < sk_GENERAL_NAME_num(sans); i++) {
		const GENERAL_NAME *g = sk_GENERAL_NAME_value(sans, i);

		if (g->type == GEN_DNS)
			ok = name_add(t, ctx, (const char *)ASN1_STRING_get0_data(g->d.dNSName),
				      (size_t)ASN1_STRING_length(g->d.dNSName));
	}
	GENERAL_NAMES_free(sans);
	return ok;
}

/* ---- contexts ---- */

static int data_index(void)
{
	static atomic_int index = -1;
	int i = atomic_load(&index);

	if (i >= 0)
		return i;
	i = SSL_CTX_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	atomic_store(&index, i);
	return i;
}

static struct tls_context *context_of(SSL *ssl)
{
	return SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), data_index());
}

static SSL_CTX *ctx_new(struct tls_context *t, const SSL_METHOD *method, unsigned min_version)
{
	SSL_CTX **more = realloc(t->ctxs, (t->nctxs + 1) * sizeof *more);
	SSL_CTX *c = more ? SSL_CTX_new(method) : NULL;

	if (more)
		t->ctxs = more;
	if (!c)
		return NULL;
	t->ctxs[t->nctxs++] = c;
	SSL_CTX_set_ex_data(c, data_index(), t);
	SSL_CTX_set_min_proto_version(c, min_version == 13 ? TLS1_3_VERSION : TLS1_2_VERSION);
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
				    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
				       SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	return c;
}

static int64_t not_after(const X509 *cert)
{
	struct tm tm;

	return ASN1_TIME_to_tm(X509_get0_notAfter(cert), &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

static bool server_ctx(struct tls_context *t, const struct tls_server_options *o, size_t i, struct err *err)
{
	const struct tls_cert_file *f = &o->certs[i];
	SSL_CTX *c = ctx_new(t, TLS_server_method(), o->min_version);
	X509 *cert;
	int64_t end;

	if (!c)
		return err_set(err, SIDE_SELF, 0, "out of memory");
	if (SSL_CTX_use_certificate_chain_file(c, f->cert) != 1)
		return tls_err(err, "cannot read the certificate", f->cert);
	if (SSL_CTX_use_PrivateKey_file(c, f->key, SSL_FILETYPE_PEM) != 1)
		return tls_err(err, "cannot use the private key", f->key);
	if (SSL_CTX_check_private_key(c) != 1)
		return tls_err(err, "the key does not belong to the certificate", f->key);
	SSL_CTX_set_cipher_list(c, "ECDHE+AESGCM:ECDHE+CHACHA20");
	SSL_CTX_set_alpn_select_cb(c, on_alpn, NULL);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_session_id_context(c, (const unsigned char *)"embergate", 9);
	SSL_CTX_set_tlsext_ticket_key_evp_cb(c, on_ticket);
	SSL_CTX_set_num_tickets(c, 1);
	SSL_CTX_set_tlsext_servername_callback(c, on_server_name);
	SSL_CTX_set_tlsext_servername_arg(c, t);
	cert = SSL_CTX_get0_certificate(c);
	end = not_after(cert);
	if (t->expiry == 0 || end < t->expiry)
		t->expiry = end;
	if (!names_of_cert(t, c, cert))
		return err_set(err, SIDE_SELF, 0, "out of memory");
	return true;
}

struct tls_context *tls_server_new(const struct tls_server_options *o, struct err *err)
{
	struct tls_context *t = calloc(1, sizeof *t);

	if (!t) {
		err_set(err, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	t->users = 1;
	t->server = true;
	memcpy(t->ticket_secret, o->ticket_secret, sizeof t->ticket_secret);
	for (size_t i = 0; i < o->ncerts; i++)
		if (!server_ctx(t, o, i, err)) {
			tls_context_free(t);
			return NULL;
		}
	return t;
}

struct tls_context *tls_client_new(bool verify, const char *ca, struct err *err)
{
	struct tls_context *t = calloc(1, sizeof *t);
	SSL_CTX *c = t ? ctx_new(t, TLS_client_method(), 12) : NULL;

	if (!c) {
		free(t);
		err_set(err, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	t->users = 1;
	SSL_CTX_set_verify(c, verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, NULL);
	if (ca ? SSL_CTX_load_verify_locations(c, ca, NULL) != 1
	       : SSL_CTX_set_default_verify_paths(c) != 1) {
		tls_err(err, "cannot read the certificates to trust", ca ? ca : "system bundle");
		tls_context_free(t);
		return NULL;
	}
	return t;
}

void tls_context_free(struct tls_context *t)
{
	if (!t || atomic_fetch_sub(&t->users, 1) != 1)
		return;
	for (size_t i = 0; i < t->nctxs; i++)
		SSL_CTX_free(t->ctxs[i]);
	for (size_t i = 0; i < t->nnames; i++)
		free((char *)(uintptr_t)t->names[i].text.at);
	free(t->ctxs);
	free(t->names);
	free(t);
}

int64_t tls_context_expiry(const struct tls_context *t)
{
	return t->expiry;
}

/* ---- connections ---- */

struct tls_conn {
	SSL *ssl;
	struct tls_context *context;
	struct bytes in;
	void (*send)(void *, struct bytes);
	void *arg;
	char failure[96];
};

static int bio_read(BIO *b, char *out, int cap)
{
	struct tls_conn *c = BIO_get_data(b);
	size_t n = c->in.len < (size_t)cap ? c->in.len : (size_t)cap;

	BIO_clear_retry_flags(b);
	if (n == 0) {
		BIO_set_retry_read(b);
		return -1;
	}
	memcpy(out, c->in.at, n);
	c->in = bytes_from(c->in, n);
	return (int)n;
}

static int bio_write(BIO *b, const char *at, int n)
{
	struct tls_conn *c = BIO_get_data(b);

	BIO_clear_retry_flags(b);
	c->send(c->arg, (struct bytes){ at, (size_t)n });
	return n;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	(void)b, (void)num, (void)ptr;
	return cmd == BIO_CTRL_FLUSH || cmd == BIO_CTRL_PUSH || cmd == BIO_CTRL_POP;
}

static int bio_create(BIO *b)
{
	BIO_set_init(b, 1);
	return 1;
}

static BIO_METHOD *bio_method(void)
{
	static _Atomic(BIO_METHOD *) method;
	BIO_METHOD *m = atomic_load(&method), *none = NULL;

	if (m)
		return m;
	m = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "embergate stream");
	BIO_meth_set_read(m, bio_read);
	BIO_meth_set_write(m, bio_write);
	BIO_meth_set_ctrl(m, bio_ctrl);
	BIO_meth_set_create(m, bio_create);
	if (!atomic_compare_exchange_strong(&method, &none, m)) {
		BIO_meth_free(m);
		m = none;
	}
	return m;
}

static bool client_side(struct tls_conn *c, const char *server_name)
{
	SSL_set_connect_state(c->ssl);
	if (!server_name)
		return true;
	/* An address is checked as an address and sends no SNI (RFC 6066 3). */
	if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(c->ssl), server_name) == 1)
		return true;
	ERR_clear_error();
	return SSL_set1_host(c->ssl, server_name) == 1 &&
	       SSL_set_tlsext_host_name(c->ssl, server_name) == 1;
}

struct tls_conn *tls_conn_new(struct tls_context *t, const char *server_name,
			      void (*send)(void *, struct bytes), void *arg)
{
	struct tls_conn *c = calloc(1, sizeof *c);
	BIO *bio = c ? BIO_new(bio_method()) : NULL;

	if (!bio) {
		free(c);
		return NULL;
	}
	atomic_fetch_add(&t->users, 1);
	*c = (struct tls_conn){ .context = t, .send = send, .arg = arg };
	BIO_set_data(bio, c);
	c->ssl = SSL_new(t->ctxs[0]);
	if (!c->ssl) {
		BIO_free(bio);
		tls_conn_free(c);
		return NULL;
	}
	SSL_set_bio(c->ssl, bio, bio);
	if (t->server)
		SSL_set_accept_state(c->ssl);
	else if (!client_side(c, server_name)) {
		tls_conn_free(c);
		return NULL;
	}
	return c;
}

void tls_conn_free(struct tls_conn *c)
{
	if (!c)
		return;
	SSL_free(c->ssl);
	tls_context_free(c->context);
	free(c);
}

void tls_conn_feed(struct tls_conn *c, struct bytes b)
{
	c->in = b;
}

struct bytes tls_conn_rest(const struct tls_conn *c)
{
	return c->in;
}

static void failed(struct tls_conn *c)
{
	long verify = SSL_get_verify_result(c->ssl);

	if (!c->context->server && verify != X509_V_OK) {
		snprintf(c->failure, sizeof c->failure, "certificate refused: %s",
			 X509_verify_cert_error_string(verify));
		ERR_clear_error();
		return;
	}
	openssl_words(c->failure, sizeof c->failure);
}

static enum tls_want want(struct tls_conn *c, int r)
{
	switch (SSL_get_error(c->ssl, r)) {
	case SSL_ERROR_NONE: return TLS_OK;
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE: return TLS_WANT_MORE;
	case SSL_ERROR_ZERO_RETURN: return TLS_CLOSED;
	default: failed(c); return TLS_FAILED;
	}
}

enum tls_want tls_conn_handshake(struct tls_conn *c)
{
	ERR_clear_error();
	return want(c, SSL_do_handshake(c->ssl));
}

enum tls_want tls_conn_read(struct tls_conn *c, char *buf, size_t cap, size_t *n)
{
	ERR_clear_error();
	return want(c, SSL_read_ex(c->ssl, buf, cap, n));
}

bool tls_conn_write(struct tls_conn *c, struct bytes b)
{
	size_t n;

	ERR_clear_error();
	while (b.len) {
		if (SSL_write_ex(c->ssl, b.at, b.len, &n) != 1)
			return false;
		b = bytes_from(b, n);
	}
	return true;
}

void tls_conn_shutdown(struct tls_conn *c)
{
	ERR_clear_error();
	SSL_shutdown(c->ssl);
	ERR_clear_error();
}

const char *tls_conn_version(const struct tls_conn *c)
{
	return SSL_get_version(c->ssl);
}

const char *tls_conn_cipher(const struct tls_conn *c)
{
	return SSL_get_cipher_name(c->ssl);
}

const char *tls_conn_server_name(const struct tls_conn *c)
{
	return SSL_get_servername(c->ssl, TLSEXT_NAMETYPE_host_name);
}

const char *tls_conn_failure(const struct tls_conn *c)
{
	return c->failure[0] ? c->failure : "TLS failure";
}

/* ---- a certificate of our own ---- */

static bool add_extension(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	bool ok = e && X509_add_ext(x, e, -1) == 1;

	X509_EXTENSION_free(e);
	return ok;
}

static X509 *make_cert(EVP_PKEY *key, const char *name)
{
	X509 *x = X509_new();
	X509_NAME *subject = x ? X509_get_subject_name(x) : NULL;
	uint64_t serial = 0;
	char san[280];
	ASN1_OCTET_STRING *ip = a2i_IPADDRESS(name);

	snprintf(san, sizeof san, "%s:%s", ip ? "IP" : "DNS", name);
	ASN1_OCTET_STRING_free(ip);
	ERR_clear_error();
	if (x && tls_random(&serial, sizeof serial) && X509_set_version(x, 2) == 1 &&
	    ASN1_INTEGER_set_uint64(X509_get_serialNumber(x), serial >> 1) == 1 &&
	    X509_gmtime_adj(X509_getm_notBefore(x), -3600) &&
	    X509_gmtime_adj(X509_getm_notAfter(x), 90L * 24 * 3600) && X509_set_pubkey(x, key) == 1 &&
	    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name,
				       strlen(name) > 64 ? 64 : -1, -1, 0) == 1 &&
	    X509_set_issuer_name(x, subject) == 1 && add_extension(x, NID_subject_alt_name, san) &&
	    add_extension(x, NID_basic_constraints, "critical,CA:FALSE") &&
	    X509_sign(x, key, EVP_sha256()) > 0)
		return x;
	X509_free(x);
	return NULL;
}

static FILE *create(const char *file, mode_t mode)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	return fd < 0 ? NULL : fdopen(fd, "w");
}

bool tls_self_signed(const char *name, const char *cert_file, const char *key_file, struct err *err)
{
	EVP_PKEY *key = EVP_EC_gen("P-256");
	X509 *cert = key ? make_cert(key, name) : NULL;
	FILE *k = cert ? create(key_file, 0600) : NULL, *c = k ? create(cert_file, 0644) : NULL;
	bool ok = c && PEM_write_PrivateKey(k, key, NULL, NULL, 0, NULL, NULL) == 1 &&
		  PEM_write_X509(c, cert) == 1;

	if (k)
		ok = fclose(k) == 0 && ok;
	if (c)
		ok = fclose(c) == 0 && ok;
	X509_free(cert);
	EVP_PKEY_free(key);
	if (!ok)
		return tls_err(err, "cannot make a self-signed certificate", cert_file);
	return true;
}
