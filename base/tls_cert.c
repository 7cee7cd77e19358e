/* tls_cert.c -- a certificate of our own, for names that have none. */
#include "base/tls_parts.h"
#include <openssl/x509v3.h>
#include <fcntl.h>

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
