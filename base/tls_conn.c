/* tls_conn.c -- OpenSSL between a stream's bytes and its owner's.
 *
 * The BIO under each connection reads from the slice that the stream has at
 * hand and writes straight to the stream: no copy, and no buffer of OpenSSL's
 * that outlives a call (SSL_MODE_RELEASE_BUFFERS). */
#include "base/ja4.h"
#include "base/tls_parts.h"
#include <openssl/bio.h>
#include <openssl/x509v3.h>

struct tls_conn {
	SSL *ssl;
	struct tls_context *context;
	struct bytes in;
	void (*send)(void *, struct bytes);
	void *arg;
	char failure[96];
	char ja4[JA4_LEN + 1];
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

/* Of a hello's extensions OpenSSL tells only those that it knows itself (SSL_client_hello_get1_extensions_present(3)), so
 * the message is read as it came. The first one: the second, which answers a HelloRetryRequest, is as we asked for it. */
static void on_message(int is_ours, int version, int type, const void *at, size_t n, SSL *ssl, void *arg)
{
	struct bytes message = { at, n };
	struct tls_conn *c = arg;

	(void)version;
	if (is_ours || type != SSL3_RT_HANDSHAKE || n < SSL3_HM_HEADER_LENGTH || message.at[0] != SSL3_MT_CLIENT_HELLO)
		return;
	SSL_set_msg_callback(ssl, NULL);
	ja4_of(bytes_from(message, SSL3_HM_HEADER_LENGTH), c->ja4);
}

static void server_side(struct tls_conn *c)
{
	SSL_set_accept_state(c->ssl);
	SSL_set_msg_callback(c->ssl, on_message);
	SSL_set_msg_callback_arg(c->ssl, c);
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
		server_side(c);
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
	tls_words(c->failure, sizeof c->failure);
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

struct bytes tls_conn_ja4(const struct tls_conn *c)
{
	return (struct bytes){ c->ja4, c->ja4[0] ? JA4_LEN : 0 };
}

const char *tls_conn_failure(const struct tls_conn *c)
{
	return c->failure[0] ? c->failure : "TLS failure";
}
