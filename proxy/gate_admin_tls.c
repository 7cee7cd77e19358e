/* gate_admin_tls.c -- the certificate of the administrator's address; apart, so that a configuration can be checked without a gate. */
#include "base/tls.h"
#include "proxy/gate_admin.h"

struct tls_context *gate_admin_tls(const struct config *c, const uint8_t ticket_secret[32], struct err *err)
{
	struct tls_cert_file cert = { c->admin.cert, c->admin.key };
	struct tls_server_options o = { .certs = &cert, .ncerts = 1, .min_version = c->tls_min };

	memcpy(o.ticket_secret, ticket_secret, sizeof o.ticket_secret);
	return tls_server_new(&o, err);
}

bool gate_admin_check(const struct config *c, struct err *err)
{
	static const uint8_t none[32];
	struct tls_context *tls = c->admin.cert ? gate_admin_tls(c, none, err) : NULL;

	tls_context_free(tls);
	return tls || !c->admin.cert || err_at(err, "admin");
}
