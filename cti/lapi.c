/* lapi.c -- the local API: which route is whose, who may ask, and the small answers. */
#include "base/clock.h"
#include "base/tls.h"
#include "cti/lapi_parts.h"
#include <stdlib.h>

enum { TICK_MS = 250, EXPIRE_AT_ONCE = 1000, GRACE_MS = 2000, CONNECTIONS_MAX = 1024 };

/* Who may ask: anyone, a bouncer by its key, a machine by its token, either. */
enum who { ANYONE, BOUNCER, MACHINE, EITHER };

/* In the order of docs/lapi.md. '*' is one segment of any text. HEAD asks as GET does and changes nothing. */
static const struct route {
	const char *method, *path;
	enum who who;
	lapi_route *run;
} routes[] = {
	{ "GET",    "/v1/decisions/stream", BOUNCER, lapi_stream           },
	{ "GET",    "/v1/decisions",        BOUNCER, lapi_decisions_get    },
	{ "DELETE", "/v1/decisions",        MACHINE, lapi_decisions_delete },
	{ "DELETE", "/v1/decisions/*",      MACHINE, lapi_decision_delete  },
	{ "POST",   "/v1/alerts",           MACHINE, lapi_alerts_post      },
	{ "GET",    "/v1/alerts",           MACHINE, lapi_alerts_get       },
	{ "DELETE", "/v1/alerts",           MACHINE, lapi_alerts_delete    },
	{ "GET",    "/v1/alerts/*",         MACHINE, lapi_alert_get        },
	{ "DELETE", "/v1/alerts/*",         MACHINE, lapi_alert_delete     },
	{ "POST",   "/v1/watchers",         ANYONE,  lapi_register         },
	{ "POST",   "/v1/watchers/login",   ANYONE,  lapi_login            },
	{ "DELETE", "/v1/watchers/self",    MACHINE, lapi_leave            },
	{ "GET",    "/v1/refresh_token",    MACHINE, lapi_refresh          },
	{ "GET",    "/v1/heartbeat",        MACHINE, lapi_heartbeat        },
	{ "POST",   "/v1/usage-metrics",    EITHER,  lapi_metrics          },
	{ "GET",    "/v1/allowlists",       MACHINE, lapi_nothing          },
	{ "POST",   "/v1/allowlists/check", MACHINE, lapi_allowed          },
	{ "GET",    "/v1/allowlists/*",     MACHINE, lapi_allowlist        },
	{ "GET",    "/v1/allowlists/check/*", MACHINE, lapi_allowed        },
	{ "GET",    "/health",              ANYONE,  lapi_health           },
};

/* ---- answers ---- */

void lapi_answer(struct call *c, unsigned status, struct bytes json)
{
	static const struct field realm = { .name = BYTES_INIT("Www-Authenticate"), .value = BYTES_INIT("JWT realm=Crowdsec API local") };
	struct serve_answer a = { .status = status, .body = json };

	if (json.len)
		a.content_type = BYTES("application/json; charset=utf-8");
	if (status == 401) {
		a.fields = &realm;
		a.nfields = 1;
	}
	c->lapi->counts.refused += status >= 400;
	serve_answer(c->request, &a);
}

void lapi_message(struct call *c, unsigned status, const char *message)
{
	char room[2400];
	struct text t = text_over(room, sizeof room);

	text_str(&t, status == 401 ? "{\"code\":401,\"message\":" : "{\"message\":");
	text_json(&t, bytes_of(message));
	text_byte(&t, '}');
	lapi_answer(c, status, t.full ? BYTES("{\"message\":\"\"}") : text_bytes(&t));
}

void lapi_error(struct call *c, const struct lapi_error *why)
{
	lapi_message(c, why->status, why->text);
}

void lapi_deleted(struct call *c, size_t n)
{
	char room[64];
	struct text t = text_over(room, sizeof room);

	text_printf(&t, "{\"nbDeleted\":\"%zu\"}", n);
	lapi_answer(c, 200, text_bytes(&t));
}

struct bytes lapi_param_of(void *ctx, struct bytes name)
{
	return serve_query(((struct call *)ctx)->request, name);
}

void lapi_health(struct call *c)
{
	lapi_answer(c, 200, BYTES("{\"status\":\"up\"}"));
}

/* Allow lists are the gate's configuration: to machines there is none. */
void lapi_nothing(struct call *c)
{
	lapi_answer(c, 200, BYTES("[]"));
}

void lapi_allowlist(struct call *c)
{
	lapi_message(c, 404, "allowlist not found");
}

void lapi_allowed(struct call *c)
{
	bool many = bytes_eq(serve_head(c->request)->method, BYTES("POST"));

	lapi_answer(c, 200, many ? BYTES("{\"results\":[]}") : BYTES("{\"allowlisted\":false,\"reason\":\"\"}"));
}

/* ---- who asks ---- */

static bool is_bouncer(struct call *c)
{
	const struct request *head = serve_head(c->request);
	const struct field *key = fields_named(&head->fields, BYTES("X-Api-Key"));

	c->key = key ? keys_bouncer(c->lapi->options.keys, key->value) : NULL;
	if (!c->key || !(c->key->scopes & (KEY_BOUNCER | (c->head ? KEY_APPSEC : 0))))
		return false;
	keys_seen(c->lapi->options.keys, c->key, fields_value(&head->fields, FIELD_USER_AGENT), serve_peer(c->request));
	return true;
}

static bool is_machine(struct call *c, const char **why)
{
	const struct request *head = serve_head(c->request);
	struct bytes auth = fields_value(&head->fields, FIELD_AUTHORIZATION);
	const struct key_info *machine;

	*why = "cookie token is empty";
	if (!bytes_starts_nocase(auth, BYTES("Bearer ")))
		return false;
	c->machine = lapi_token_read(c->lapi->options.key, bytes_trim(bytes_from(auth, 7)), clock_wall_ms(), serve_arena(c->request), why);
	if (!c->machine.at)
		return false;
	*why = "machine not found";
	machine = keys_machine(c->lapi->options.keys, c->machine);
	if (machine)
		keys_seen(c->lapi->options.keys, machine, fields_value(&head->fields, FIELD_USER_AGENT), serve_peer(c->request));
	return machine != NULL;
}

static bool may_ask(struct call *c, enum who who)
{
	const char *why;

	if (who == ANYONE || (who != MACHINE && is_bouncer(c)))
		return true;
	if (who == BOUNCER) {
		lapi_message(c, 403, "access forbidden");
		return false;
	}
	if (is_machine(c, &why))
		return true;
	lapi_message(c, 401, why);
	return false;
}

/* ---- routes ---- */

static bool matches(struct call *c, const char *route)
{
	struct bytes want = bytes_from(bytes_of(route), 1), part;
	unsigned i = 0;

	for (; bytes_cut(&want, '/', &part); i++) {
		struct bytes have = serve_segment(c->request, i);

		if (!have.at || (!bytes_eq(part, BYTES("*")) && !bytes_eq(part, have)))
			return false;
		c->last = have;
	}
	return !serve_segment(c->request, i).at;
}

/* NULL: *status says why not. An exact route outranks one with '*', which stands behind it. */
static const struct route *route_of(struct call *c, unsigned *status)
{
	struct bytes method = c->head ? BYTES("GET") : serve_head(c->request)->method;

	*status = 404;
	for (size_t i = 0; i < nelems(routes); i++)
		if (matches(c, routes[i].path)) {
			if (bytes_eq(method, bytes_of(routes[i].method)))
				return &routes[i];
			*status = 405;
		}
	return NULL;
}

static bool is_appsec(const struct serve_request *r)
{
	return fields_named(&serve_head(r)->fields, BYTES("X-Crowdsec-Appsec-Api-Key")) != NULL;
}

static void ask_appsec(struct lapi *l, struct serve_request *r)
{
	const struct field *f = fields_named(&serve_head(r)->fields, BYTES("X-Crowdsec-Appsec-Api-Key"));
	const struct key_info *key = keys_bouncer(l->options.keys, f->value);

	if (key && key->scopes & KEY_APPSEC) {
		keys_seen(l->options.keys, key, (struct bytes){ 0 }, serve_peer(r)); /* the User-Agent is the client's */
		l->options.appsec(l->options.ctx, r, key);
		return;
	}
	l->counts.refused++;
	serve_answer(r, &(struct serve_answer){ .status = 401 });
}

static void take(void *ctx, struct serve_request *r)
{
	struct lapi *l = ctx;
	struct call *c;
	const struct route *route;
	unsigned status;

	l->counts.requests++;
	if (l->options.appsec && is_appsec(r)) {
		ask_appsec(l, r);
		return;
	}
	c = arena_get(serve_arena(r), sizeof *c);
	if (!c) {
		serve_answer(r, &(struct serve_answer){ .status = 503 });
		return;
	}
	*c = (struct call){ .lapi = l, .request = r, .head = bytes_eq(serve_head(r)->method, BYTES("HEAD")) };
	route = route_of(c, &status);
	if (!route)
		lapi_answer(c, status, (struct bytes){ NULL, 0 });
	else if (!may_ask(c, route->who))
		return; /* it was answered, and the call is gone with that */
	else if (c->head)
		serve_answer(r, &(struct serve_answer){ .status = 200, .content_type = BYTES("text/plain; charset=utf-8") });
	else
		route->run(c);
}

/* ---- opening and closing ---- */

static void tick(void *owner)
{
	struct lapi *l = owner;
	bool more = lapi_log_expire(l->log, clock_wall_ms(), EXPIRE_AT_ONCE);

	deadline_set(l->loop, &l->tick, more ? 1 : TICK_MS, tick, l);
}

struct lapi *lapi_open(struct loop *loop, const struct lapi_options *options, struct err *e)
{
	struct lapi *l = calloc(1, sizeof *l);

	if (l) {
		l->loop = loop;
		l->options = *options;
		l->options.serve.body_max = LAPI_BODY_MAX;
		l->options.serve.connections_max = CONNECTIONS_MAX;
		l->options.serve.take = take;
		l->options.serve.ctx = l;
		l->log = lapi_log_new(options->decisions);
	}
	if (!l || !l->log || !tls_random(&l->who, sizeof l->who)) {
		err_set(e, SIDE_SELF, 0, "lapi: out of memory");
	} else {
		l->server = serve_open(loop, &l->options.serve, e);
		if (l->server) {
			tick(l);
			return l;
		}
	}
	if (l)
		lapi_log_free(l->log);
	free(l);
	return NULL;
}

static void on_closed(void *ctx)
{
	struct lapi *l = ctx;
	void (*closed)(void *) = l->closed;
	void *closed_ctx = l->closed_ctx;

	lapi_stream_free(l);
	lapi_log_free(l->log);
	free(l->rates);
	free(l);
	if (closed)
		closed(closed_ctx);
}

void lapi_close(struct lapi *l, void (*closed)(void *), void *ctx)
{
	l->closed = closed;
	l->closed_ctx = ctx;
	deadline_clear(&l->tick);
	serve_close(l->server, GRACE_MS, on_closed, l);
}

void lapi_count(const struct lapi *l, struct lapi_counts *out)
{
	*out = l->counts;
}
