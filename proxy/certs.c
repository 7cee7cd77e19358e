/* certs.c -- certificates of a listener. */
#include "proxy/certs.h"
#include "base/clock.h"
#include "base/log.h"
#include <errno.h>
#include <sys/stat.h>

enum { RENEW_S = 30 * 24 * 3600 };

struct files {
	struct tls_cert_file *at;
	size_t n;
};

static bool configured(const struct site *s, const struct listen *l, struct files *f)
{
	const struct config *c = s->config;
	size_t most = c->ncerts + l->nhosts + 1;

	for (size_t i = 0; i < c->napps; i++)
		most += c->apps[i].ncerts;
	f->at = arena_get(c->arena, most * sizeof *f->at);
	if (!f->at)
		return false;
	for (size_t i = 0; i < c->ncerts; i++)
		f->at[f->n++] = (struct tls_cert_file){ c->certs[i].cert, c->certs[i].key };
	for (size_t i = 0; i < c->napps; i++)
		for (size_t k = 0; k < c->apps[i].ncerts; k++)
			f->at[f->n++] = (struct tls_cert_file){ c->apps[i].certs[k].cert,
								c->apps[i].certs[k].key };
	return true;
}

static struct tls_context *open_files(const struct site *s, const struct files *f, const uint8_t secret[32],
				      struct err *err)
{
	struct tls_server_options o = { .certs = f->at, .ncerts = f->n, .min_version = s->config->tls_min };

	if (!tls_derive_key((struct bytes){ (const char *)secret, 32 }, "tls tickets", o.ticket_secret)) {
		err_set(err, SIDE_SELF, 0, "no key for TLS tickets");
		return NULL;
	}
	return tls_server_new(&o, err);
}

static bool still_good(const char *cert, const char *key)
{
	struct tls_cert_file f = { cert, key };
	struct tls_server_options o = { .certs = &f, .ncerts = 1, .min_version = 12 };
	struct tls_context *t = tls_server_new(&o, NULL);
	bool ok = t && tls_context_expiry(t) > (int64_t)(clock_wall_ms() / 1000) + RENEW_S;

	tls_context_free(t);
	return ok;
}

static bool self_signed(const struct site *s, struct bytes name, struct files *f, struct err *err)
{
	char dir[3000], cert[4000], key[4000], host[256];

	snprintf(host, sizeof host, "%s%.*s", name.at[0] == '.' ? "*" : "", BYTES_ARG(name));
	snprintf(dir, sizeof dir, "%s/certs", s->config->state);
	snprintf(cert, sizeof cert, "%s/%s%.*s.crt", dir, name.at[0] == '.' ? "any" : "", BYTES_ARG(name));
	snprintf(key, sizeof key, "%s/%s%.*s.key", dir, name.at[0] == '.' ? "any" : "", BYTES_ARG(name));
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return err_set(err, SIDE_CONFIG, errno, "%s: cannot make it: %s", dir, strerror(errno));
	if (!still_good(cert, key)) {
		if (!tls_self_signed(host, cert, key, err))
			return false;
		log_warn("made a self-signed certificate for %s: browsers will warn until `tls.certs` names a real one",
			 host);
	}
	f->at[f->n++] = (struct tls_cert_file){ arena_str(s->config->arena, bytes_of(cert)),
						arena_str(s->config->arena, bytes_of(key)) };
	return true;
}

/* A wildcard is served when a name under it is. */
static bool served(const struct tls_context *t, struct bytes name)
{
	char sample[300];

	if (name.at[0] == '.') {
		snprintf(sample, sizeof sample, "x%.*s", BYTES_ARG(name));
		name = bytes_of(sample);
	}
	return t && tls_context_serves(t, name);
}

static bool make_missing(const struct site *s, const struct listen *l, struct files *f, struct err *err)
{
	for (size_t i = 0; i < l->nhosts; i++)
		if (!served(l->tls, l->hosts[i].name) && !self_signed(s, l->hosts[i].name, f, err))
			return false;
	return f->n || self_signed(s, BYTES("localhost"), f, err);
}

bool certs_open(const struct process *p, const struct site *s, struct listen *l, struct err *err)
{
	struct files f = { 0 };
	size_t given;

	if (!configured(s, l, &f))
		return err_set(err, SIDE_SELF, 0, "out of memory");
	given = f.n;
	if (given && !(l->tls = open_files(s, &f, p->secret, err)))
		return false;
	if (p->dry)
		return true;
	if (!make_missing(s, l, &f, err))
		return false;
	if (f.n == given)
		return true;
	tls_context_free(l->tls);
	l->tls = open_files(s, &f, p->secret, err);
	return l->tls != NULL;
}
