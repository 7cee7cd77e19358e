/* identify.c -- who asks, and for which app. */
#include "base/path.h"
#include "proxy/client.h"
#include "proxy/stages.h"

static void malformed(struct exchange *x)
{
	x->close_client = true;
	exchange_rule(x, REMEDY_DENY, SOURCE_PROTOCOL, x->fault.code ? (unsigned)x->fault.code : 400,
		      arena_copy(x->arena, bytes_of(x->fault.text)));
}

/* Also of a refused request: what can be read of its path is looked at. */
static void read_path(struct exchange *x)
{
	struct request *r = &x->request;
	struct bytes *out = arena_get(x->arena, PATH_READINGS_MAX * sizeof *out);

	if (!out || !r->path.at)
		return;
	r->readings = out;
	r->nreadings = path_readings(x->arena, r->path, out);
}

static bool said_https(const struct exchange *x)
{
	struct bytes proto = fields_value(&x->request.fields, FIELD_X_FORWARDED_PROTO);

	if (!proto.len)
		proto = x->origin.proto;
	if (x->origin.trusted_hop && proto.len)
		return bytes_eq_nocase(proto, BYTES("https"));
	return x->client->tls;
}

enum flow stage_client(struct exchange *x)
{
	const struct config *c = x->use->site->config;

	if (!x->fault.code)
		path_check(x->request.path, &x->fault);
	if (x->fault.code)
		malformed(x);
	read_path(x);
	x->origin = client_ip_find(&c->client_ip, &x->request.fields, &x->client->from);
	x->request.client = x->origin.client;
	x->request.scheme = said_https(x) ? BYTES("https") : BYTES("http");
	return GO;
}

static enum flow to_https(struct exchange *x)
{
	size_t n = x->request.hostname.len + x->request.target.len + 24;
	unsigned port = x->use->site->https_port;
	struct text t = text_over(arena_raw(x->arena, n), n);
	bool six = bytes_index(x->request.hostname, ':') != SIZE_MAX;

	if (!t.at)
		return answer(x, 503, (struct bytes){ 0 });
	text_str(&t, six ? "https://[" : "https://");
	text_put(&t, x->request.hostname);
	text_str(&t, six ? "]" : "");
	if (port && port != 443) {
		text_byte(&t, ':');
		text_u64(&t, port);
	}
	text_put(&t, x->request.path);
	if (x->request.query.at) {
		text_byte(&t, '?');
		text_put(&t, x->request.query);
	}
	return answer_redirect(x, 308, text_bytes(&t));
}

enum flow stage_route(struct exchange *x)
{
	const struct client_ip_config *own;

	if (x->listen && x->listen->config->redirect_https && !x->fault.code &&
	    x->request.hostname.len && x->request.path.len && x->request.path.at[0] == '/')
		return to_https(x);
	x->app = x->listen ? listen_app(x->listen, x->request.hostname) : NULL;
	if (!x->app && !x->fault.code)
		return answer(x, 404, BYTES("No application here answers for this host name."));
	own = x->app ? &x->app->config->client_ip : NULL;
	if (own && own->trust.n) {
		x->origin = client_ip_find(own, &x->request.fields, &x->client->from);
		x->request.client = x->origin.client;
		x->request.scheme = said_https(x) ? BYTES("https") : BYTES("http");
	}
	return GO;
}
