/* server.c -- a table of routes, and one answer a request. */
#include "admin/server.h"
#include "base/clock.h"
#include "base/http1.h"
#include <stdlib.h>

static const struct http1_limits limits = { .head_bytes = 4096, .target_bytes = 1024, .fields = 64 };

enum { ARENA = 64 << 10, FIELDS_MAX = 8 };

struct reply {
	unsigned status;
	const char *reason, *content_type;
	struct bytes body;
	bool close; /* the connection cannot be used again */
};

/* --- routes ---------------------------------------------------------------- */

struct call {
	struct guest *guest;
	struct arena *arena;
	const struct request *request;
	struct reply *reply;
};

static void text_reply(struct call *c, unsigned status, const char *reason, struct bytes body)
{
	*c->reply = (struct reply){ status, reason, "text/plain; charset=utf-8", body, c->reply->close };
}

static void get_front(struct call *);

static void get_metrics(struct call *c)
{
	const struct admin_hooks *h = &c->guest->admin->hooks;
	struct text t;

	if (!admin_text(h->metrics, h->ctx, &t)) {
		text_reply(c, 503, "Service Unavailable", BYTES("the metrics take more memory than there is\n"));
		return;
	}
	text_reply(c, 200, "OK", text_bytes(&t));
	c->reply->content_type = "text/plain; version=0.0.4; charset=utf-8";
	if (!arena_defer(c->arena, free, t.at)) {
		free(t.at);
		text_reply(c, 503, "Service Unavailable", (struct bytes){ 0 });
	}
}

static void get_health(struct call *c)
{
	text_reply(c, 200, "OK", BYTES("ok\n"));
}

static void get_ready(struct call *c)
{
	const struct admin_hooks *h = &c->guest->admin->hooks;
	char *at = arena_raw(c->arena, 128);
	struct text t = text_over(at, at ? 127 : 0);
	bool ready = h->ready(h->ctx, &t);

	if (at)
		at[t.len++] = '\n';
	if (ready)
		text_reply(c, 200, "OK", BYTES("ready\n"));
	else
		text_reply(c, 503, "Service Unavailable", t.len > 1 ? text_bytes(&t) : BYTES("not ready\n"));
}

static const struct route {
	const char *path, *help;
	bool any_host; /* says nothing that is worth guarding */
	void (*get)(struct call *);
} routes[] = {
	{ "/", "this page", false, get_front },
	{ "/metrics", "Prometheus metrics", false, get_metrics },
	{ "/healthz", "200 while the process lives", true, get_health },
	{ "/readyz", "200 while it takes requests, 503 while it drains", true, get_ready },
};

static void get_front(struct call *c)
{
	size_t cap = 1024;
	char *at = arena_raw(c->arena, cap);
	struct text t = text_over(at, at ? cap : 0);

	text_str(&t, "embergate " EMBERGATE_VERSION "\n\n");
	for (size_t i = 0; i < nelems(routes); i++)
		text_printf(&t, "%-10s %s\n", routes[i].path, routes[i].help);
	text_reply(c, 200, "OK", text_bytes(&t));
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

	if (host.len == 0 || ip_parse(host, &ip))
		return true;
	for (char **name = a->hosts; *name; name++)
		if (bytes_eq_nocase(host, bytes_of(*name)))
			return true;
	return false;
}

static void call_route(struct call *c)
{
	const struct request *r = c->request;
	const struct route *route = route_for(r->path);

	if (r->framing == BODY_CHUNKED || r->length > 0) {
		c->reply->close = true; /* its body is not read */
		text_reply(c, 413, "Content Too Large", BYTES("no bodies here\n"));
	} else if (!bytes_eq(r->method, BYTES("GET")) && !bytes_eq(r->method, BYTES("HEAD"))) {
		text_reply(c, 405, "Method Not Allowed", BYTES("GET and HEAD only\n"));
	} else if (route && (route->any_host || is_known_host(c->guest->admin, r->hostname))) {
		route->get(c);
	} else if (route) {
		text_reply(c, 403, "Forbidden", BYTES("Host must be an address, localhost or this machine's name\n"));
	} else {
		text_reply(c, 404, "Not Found", BYTES("not found\n"));
	}
}

/* --- the answer --------------------------------------------------------------- */

static struct bytes date_now(struct arena *a)
{
	char *at = arena_raw(a, 32);
	struct text t = text_over(at, at ? 32 : 0);

	clock_http_date(&t, clock_wall_ms());
	return text_bytes(&t);
}

static void send(struct guest *g, struct arena *a, const struct reply *reply, bool head_only)
{
	struct field fields[FIELDS_MAX] = {
		{ .name = BYTES("Content-Type"), .value = bytes_of(reply->content_type) },
		{ .name = BYTES("Date"), .value = date_now(a) },
		{ .name = BYTES("Cache-Control"), .value = BYTES("no-store") },
		{ .name = BYTES("X-Content-Type-Options"), .value = BYTES("nosniff") },
	};
	size_t n = 4;
	struct response r;
	struct bytes out[2];

	if (reply->status == 405)
		fields[n++] = (struct field){ .name = BYTES("Allow"), .value = BYTES("GET, HEAD") };
	if (reply->close)
		fields[n++] = (struct field){ .name = BYTES("Connection"), .value = BYTES("close") };
	r = (struct response){ .status = reply->status, .reason = bytes_of(reply->reason), .minor = 1,
			       .fields = { fields, n, n } };
	out[0] = http1_write_response(a, &r, NULL, 0, BODY_LENGTH, reply->body.len);
	out[1] = reply->body;
	if (!out[0].at) {
		guest_close(g);
		return;
	}
	guest_write(g, out, head_only ? 1 : 2);
	if (reply->close)
		guest_end(g);
}

static const struct { unsigned status; const char *reason; } refusals[] = {
	{ 405, "Method Not Allowed" }, { 414, "URI Too Long" }, { 417, "Expectation Failed" },
	{ 431, "Request Header Fields Too Large" }, { 501, "Not Implemented" }, { 505, "HTTP Version Not Supported" },
};

static void refuse(struct guest *g, struct arena *a, const struct err *e)
{
	struct reply reply = { 400, "Bad Request", "text/plain; charset=utf-8", bytes_of(e->text), true };

	for (size_t i = 0; i < nelems(refusals); i++)
		if (e->code == (int)refusals[i].status)
			reply = (struct reply){ refusals[i].status, refusals[i].reason, reply.content_type, reply.body, true };
	send(g, a, &reply, false);
}

static void serve(struct guest *g, struct arena *a, struct bytes head)
{
	struct reply reply = { 0 };
	struct request request = { 0 };
	struct call call = { g, a, &request, &reply };
	struct err e;

	if (!http1_parse_request(a, head, &limits, &request, &e)) {
		refuse(g, a, &e);
		return;
	}
	reply.close = !request.keep_alive || request.minor == 0;
	call_route(&call);
	send(g, a, &reply, bytes_eq(request.method, BYTES("HEAD")));
}

/* One request, or nothing yet; what can never become one is refused. */
static size_t server_read(struct guest *g)
{
	struct bytes in = { g->buf, g->len };
	size_t blank = g->scanned == 0 ? http1_skip_blank(in) : 0;
	enum http1_step step;
	struct arena *a;
	struct err e;

	if (blank)
		return blank;
	step = http1_head_end(in, &g->scanned, &limits, &e);
	if (step == HTTP1_MORE)
		return 0;
	a = arena_new(ARENA);
	if (!a)
		guest_close(g);
	else if (step == HTTP1_DONE)
		serve(g, a, bytes_sub(in, 0, g->scanned));
	else
		refuse(g, a, &e);
	arena_free(a);
	return step == HTTP1_DONE ? g->scanned : g->len;
}

const struct guest_kind server_kind = { server_read, 10000, 75000 };
