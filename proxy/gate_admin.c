/* gate_admin.c -- how the administrator comes in. */
#include "proxy/gate_admin.h"
#include "base/tls.h"
#include "proxy/gate.h"

static bool derive(const struct gate *g, const char *purpose, uint8_t key[32], struct err *err)
{
	const struct bytes secret = { (const char *)g->process.secret, sizeof g->process.secret };

	return tls_derive_key(secret, purpose, key) || err_set(err, SIDE_SELF, 0, "no key can be derived");
}

static bool tls_open(struct gate *g, const struct config *c, struct err *err)
{
	uint8_t key[32];

	if (!c->admin.cert)
		return true;
	if (!derive(g, "admin tickets", key, err))
		return false;
	g->admin_tls = gate_admin_tls(c, key, err);
	return g->admin_tls != NULL;
}

/* What a person types: the address, or a name where it is every address. */
static void write_url(struct gate *g, const struct config *c, const struct listen_config *bind)
{
	const char *scheme = c->admin.cert ? "https" : "http";
	struct bytes name = c->admin.hosts.n ? c->admin.hosts.at[0] : BYTES("localhost");

	if (bind->any || c->admin.hosts.n)
		snprintf(g->admin_url, sizeof g->admin_url, "%s://%.*s:%u", scheme, BYTES_ARG(bytes_sub(name, 0, 128)), bind->port);
	else
		snprintf(g->admin_url, sizeof g->admin_url, "%s://%.*s", scheme, BYTES_ARG(bytes_sub(c->admin.bind, 0, 128)));
}

bool gate_admin_open(struct gate *g, struct err *err)
{
	const struct config *c = g->site->config;
	struct admin_options o = {
		.events = g->shared.events, .archive = g->archive, .series = g->series, .ctl_socket = c->ctl_socket, .api_socket = c->api_socket,
		.hosts = c->admin.hosts.at, .nhosts = c->admin.hosts.n, .ui_dir = g->options.ui_dir,
		.store = g->reputation.store, .hooks = hooks_of(g),
	};
	struct listen_config bind;
	int fd;

	if (!derive(g, "second factors", o.seal_key, err))
		return err_at(err, "admin");
	if (c->admin.bind.at) {
		if (!tls_open(g, c, err) || !handover_parse(c->admin.bind, &bind, err) ||
		    !handover_bind(g->supervisor, &bind, 1, &fd, err))
			return err_at(err, "admin");
		write_url(g, c, &bind);
		o.url = g->admin_url;
		o.tls = g->admin_tls;
		o.fds = &fd;
		o.nfds = 1;
	}
	g->admin = admin_open(g->loop, &o, err);
	return g->admin != NULL;
}
