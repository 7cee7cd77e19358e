/* server.c -- a table of routes, and one answer a request. */
#include "admin/server.h"
#include "admin/api/api.h"
#include "admin/api/assets.h"
#include <stdlib.h>

enum { CONNECTIONS_MAX = 64 };

static void answer(struct serve_request *r, unsigned status, struct bytes type, struct bytes body)
{
	static const struct field fields[] = {
		{ .name = BYTES_INIT("Cache-Control"), .value = BYTES_INIT("no-store") },
		{ .name = BYTES_INIT("X-Content-Type-Options"), .value = BYTES_INIT("nosniff") },
		{ .name = BYTES_INIT("Allow"), .value = BYTES_INIT("GET, HEAD") },
	};

	serve_answer(r, &(struct serve_answer){ .status = status, .content_type = type, .body = body, .fields = fields,
						.nfields = status == 405 ? 3 : 2 });
}

static void text_answer(struct serve_request *r, unsigned status, struct bytes body)
{
	answer(r, status, BYTES("text/plain; charset=utf-8"), body);
}

/* --- routes ---------------------------------------------------------------- */

static void get_front(struct admin *, struct serve_request *);

static void get_metrics(struct admin *a, struct serve_request *r)
{
	struct text t;

	if (!admin_text(a->hooks.metrics, a->hooks.ctx, &t)) {
		text_answer(r, 503, BYTES("the metrics take more memory than there is\n"));
		return;
	}
	answer(r, 200, BYTES("text/plain; version=0.0.4; charset=utf-8"), text_bytes(&t));
	free(t.at);
}

static void get_health(struct admin *a, struct serve_request *r)
{
	(void)a;
	text_answer(r, 200, BYTES("ok\n"));
}

static void get_ready(struct admin *a, struct serve_request *r)
{
	char why[128];
	struct text t = text_over(why, sizeof why - 1);

	if (a->hooks.ready(a->hooks.ctx, &t)) {
		text_answer(r, 200, BYTES("ready\n"));
		return;
	}
	why[t.len++] = '\n';
	text_answer(r, 503, t.len > 1 ? text_bytes(&t) : BYTES("not ready\n"));
}

static const struct route {
	const char *path, *help;
	bool any_host; /* says nothing that is worth guarding */
	void (*get)(struct admin *, struct serve_request *);
} routes[] = {
	{ "/", "the dashboard; or this page, where it was built without", false, get_front },
	{ "/metrics", "Prometheus metrics", false, get_metrics },
	{ "/healthz", "200 while the process lives", true, get_health },
	{ "/readyz", "200 while it takes requests, 503 while it drains", true, get_ready },
};

static void get_front(struct admin *a, struct serve_request *r)
{
	char page[1024];
	struct text t = text_over(page, sizeof page);

	if (assets_serve(a, r))
		return;
	text_str(&t, "embergate " EMBERGATE_VERSION "\n\n");
	for (size_t i = 0; i < nelems(routes); i++)
		text_printf(&t, "%-10s %s\n", routes[i].path, routes[i].help);
	text_answer(r, 200, text_bytes(&t));
}

static const struct route *route_for(struct bytes path)
{
	for (size_t i = 0; i < nelems(routes); i++)
		if (bytes_eq(path, bytes_of(routes[i].path)))
			return &routes[i];
	return NULL;
}

/* --- who may ask ------------------------------------------------------------ */

/* An address cannot be rebound; a request without Host is not a browser's. */
static bool is_known_host(const struct admin *a, struct bytes host)
{
	struct ip ip;

	return host.len == 0 || ip_parse(host, &ip) || door_knows_host(a, host);
}

static bool is_api(const struct serve_request *r)
{
	return bytes_starts(serve_head(r)->path, BYTES("/api/"));
}

static bool reads_body(struct server_way *way, struct serve_request *r)
{
	if (is_api(r))
		return api_head(way->admin, r, way->is_socket);
	if (serve_head(r)->framing == BODY_NONE)
		return true;
	text_answer(r, 413, BYTES("no bodies here\n"));
	return false;
}

static bool on_head(void *ctx, struct serve_request *r)
{
	return reads_body(ctx, r);
}

static void take(void *ctx, struct serve_request *r)
{
	const struct server_way *way = ctx;
	const struct request *q = serve_head(r);
	const struct route *route = route_for(q->path);

	if (!(route && route->any_host) && !is_known_host(way->admin, q->hostname))
		text_answer(r, 403, BYTES("Host must be an address, localhost or this machine's name\n"));
	else if (is_api(r))
		api_take(way->admin, r, way->is_socket);
	else if (!bytes_eq(q->method, BYTES("GET")) && !bytes_eq(q->method, BYTES("HEAD")))
		text_answer(r, 405, BYTES("GET and HEAD only\n"));
	else if (route)
		route->get(way->admin, r);
	else if (!assets_serve(way->admin, r))
		text_answer(r, 404, BYTES("not found\n"));
}

struct server_http *server_open(struct server_way *way, const int *fds, size_t nfds, struct err *e)
{
	const struct serve_options o = { .fds = fds, .nfds = nfds, .tls = way->tls, .head = on_head, .take = take, .ctx = way,
					 .body_max = API_BODY_MAX, .connections_max = CONNECTIONS_MAX,
					 .address_max = CONNECTIONS_MAX };

	return serve_open(way->admin->loop, &o, e);
}
