/* tls.c -- contexts: certificates by name, and what is agreed with a client. */
#include "base/tls_parts.h"
#include "base/text.h"
#include <openssl/x509v3.h>

/* ---- words for what OpenSSL says ---- */

const char *tls_words(char *buf, size_t cap)
{
	unsigned long e = ERR_peek_last_error();
	const char *reason = e ? ERR_reason_error_string(e) : NULL;

	snprintf(buf, cap, "%s", reason ? reason : "unknown TLS failure");
	ERR_clear_error();
	return buf;
}

bool tls_err(struct err *err, const char *what, const char *file)
{
	char words[128];

	return err_set(err, SIDE_CONFIG, 0, "%s: %s: %s", file, what, tls_words(words, sizeof words));
}

/* ---- names ---- */

static const struct tls_name *name_find(const struct tls_context *t, struct bytes host)
{
	size_t dot = bytes_index(host, '.');
	struct bytes parent = dot == SIZE_MAX ? (struct bytes){ 0 } : bytes_from(host, dot);
	const struct tls_name *wild = NULL;

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
	const struct tls_name *n = asked ? name_find(arg, bytes_of(asked)) : NULL;

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
	struct tls_name *more = realloc(t->names, (t->nnames + 1) * sizeof *more);
	bool wild = len > 2 && text[0] == '*' && text[1] == '.';
	char *copy;

	if (!more)
		return false;
	t->names = more;
	copy = strndup(text + wild, len - wild);
	if (!copy)
		return false;
	t->names[t->nnames++] = (struct tls_name){ { copy, len - wild }, wild, ctx };
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

struct tls_context *tls_context_of(SSL *ssl)
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
	SSL_CTX_set_tlsext_ticket_key_evp_cb(c, tls_on_ticket);
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

static void put_issuer(const X509 *cert, struct tls_cert_info *out)
{
	X509_NAME *name = X509_get_issuer_name(cert);

	if (X509_NAME_get_text_by_NID(name, NID_commonName, out->issuer, sizeof out->issuer) <= 0 &&
	    X509_NAME_get_text_by_NID(name, NID_organizationName, out->issuer, sizeof out->issuer) <= 0)
		out->issuer[0] = '\0';
}

static void put_hosts(const struct tls_context *t, size_t i, struct tls_cert_info *out)
{
	struct text hosts = text_over(out->hosts, sizeof out->hosts - sizeof "...");

	for (size_t n = 0; n < t->nnames && !hosts.full; n++) {
		if (t->names[n].ctx != t->ctxs[i])
			continue;
		text_str(&hosts, hosts.len ? " " : "");
		text_str(&hosts, t->names[n].wild ? "*" : "");
		text_put(&hosts, t->names[n].text);
	}
	memcpy(out->hosts + hosts.len, hosts.full ? "..." : "", hosts.full ? sizeof "..." : 1);
}

bool tls_context_cert(const struct tls_context *t, size_t i, struct tls_cert_info *out)
{
	X509 *cert = i < t->nctxs ? SSL_CTX_get0_certificate(t->ctxs[i]) : NULL;

	if (!cert)
		return false;
	out->expires_s = not_after(cert);
	put_issuer(cert, out);
	put_hosts(t, i, out);
	return true;
}

const char *tls_library(void)
{
	return OpenSSL_version(OPENSSL_VERSION_STRING);
}
