/* config_check.c -- what depends on several tables: every request that comes in
 * by a listener must have at most one app, and a listener one meaning. */
#include "proxy/config_parts.h"

/* "On that address, that host (\"\": every other) is that app's." */
struct claim {
	const struct listen_config *listen;
	struct bytes host;
	const struct app_config *app;
};

/* ---- the listeners that follow from the apps ---- */

/* A name that the public DNS may know: with a dot, and no address. */
static bool is_dns_name(struct bytes host)
{
	struct ip ip;

	return !ip_parse(host, &ip) && bytes_index(host, '.') != SIZE_MAX &&
	       !bytes_ends(host, BYTES(".localhost"));
}

static bool has_dns_name(const struct config *c)
{
	for (size_t i = 0; i < c->napps; i++)
		for (size_t h = 0; h < c->apps[i].hosts.n; h++)
			if (!c->apps[i].nlistens && is_dns_name(c->apps[i].hosts.at[h]))
				return true;
	return false;
}

static bool needs_top_level(const struct config *c)
{
	for (size_t i = 0; i < c->napps; i++)
		if (!c->apps[i].nlistens)
			return true;
	return false;
}

static struct listen_config default_listen(struct config *c, struct where top, const char *bind)
{
	struct listen_config l = { .bind = bytes_of(bind), .timeouts = &c->timeouts, .where = top };

	config_bind_parse(l.bind, &l.address, &l.port, &l.any);
	l.tls = l.port == 443;
	l.redirect_https = l.port == 80;
	return l;
}

static bool default_listens(struct config *c, struct where top, struct err *e)
{
	bool names = has_dns_name(c);

	if (c->nlistens || !needs_top_level(c))
		return true;
	if (!(c->listens = arena_get(c->arena, 2 * sizeof *c->listens)))
		return yaml_err(top, e, "out of memory");
	c->nlistens = names ? 2 : 1;
	c->listens[0] = default_listen(c, top, names ? ":80" : ":8080");
	if (names)
		c->listens[1] = default_listen(c, top, ":443");
	return true;
}

/* ---- one meaning a listener ---- */

static int address_order(const struct listen_config *a, const struct listen_config *b)
{
	int d = memcmp(a->address.b, b->address.b, sizeof a->address.b);

	if (d == 0)
		d = (a->any > b->any) - (a->any < b->any);
	return d ? d : (a->port > b->port) - (a->port < b->port);
}

struct door {
	const struct listen_config *listen;
	const struct app_config *app; /* NULL: of the top level */
};

/* The same address lie side by side, in the order of the file. */
static int door_order(const void *pa, const void *pb)
{
	const struct door *a = pa, *b = pb;
	int d = address_order(a->listen, b->listen);

	if (d == 0)
		d = (a->app > b->app) - (a->app < b->app);
	return d ? d : (a->listen > b->listen) - (a->listen < b->listen);
}

static bool nets_eq(const struct nets *a, const struct nets *b)
{
	for (size_t i = 0; a->n == b->n && i < a->n; i++)
		if (a->at[i].bits != b->at[i].bits || !ip_eq(&a->at[i].base, &b->at[i].base))
			return false;
	return a->n == b->n;
}

static bool same_meaning(const struct listen_config *a, const struct listen_config *b)
{
	return a->tls == b->tls && a->redirect_https == b->redirect_https &&
	       a->proxy_protocol == b->proxy_protocol && nets_eq(&a->from, &b->from) &&
	       a->timeouts->head_ms == b->timeouts->head_ms &&
	       a->timeouts->stall_ms == b->timeouts->stall_ms;
}

static bool doors_agree(const struct door *a, const struct door *b, struct err *e)
{
	const struct where *w = &a->listen->where;

	if (address_order(a->listen, b->listen) != 0)
		return true;
	if (a->app == b->app)
		return yaml_err(b->listen->where, e, "listen: '%.*s' is there twice, first in %s:%u:%u",
				YAML_SHOWN(b->listen->bind), w->file, w->line, w->column);
	return same_meaning(a->listen, b->listen) ||
	       yaml_err(b->listen->where, e, "listen: '%.*s' is also in %s:%u:%u, with other settings "
			"(tls, redirect_https, proxy_protocol, from, or timeouts of the app)",
			YAML_SHOWN(b->listen->bind), w->file, w->line, w->column);
}

static bool check_doors(struct config *c, struct where top, struct err *e)
{
	size_t n = c->nlistens, at = 0;
	struct door *doors;

	for (size_t i = 0; i < c->napps; i++)
		n += c->apps[i].nlistens;
	if (!(doors = arena_get(c->arena, n * sizeof *doors + 1)))
		return yaml_err(top, e, "out of memory");
	for (size_t l = 0; l < c->nlistens; l++)
		doors[at++] = (struct door){ &c->listens[l], NULL };
	for (size_t i = 0; i < c->napps; i++)
		for (size_t l = 0; l < c->apps[i].nlistens; l++)
			doors[at++] = (struct door){ &c->apps[i].listens[l], &c->apps[i] };
	qsort(doors, n, sizeof *doors, door_order);
	for (size_t i = 1; i < n; i++)
		if (!doors_agree(&doors[i - 1], &doors[i], e))
			return false;
	return true;
}

/* ---- at most one app a request ---- */

static int claim_order(const void *pa, const void *pb)
{
	const struct claim *a = pa, *b = pb;
	int d = address_order(a->listen, b->listen);

	if (d == 0)
		d = bytes_cmp(a->host, b->host);
	return d ? d : (a->app > b->app) - (a->app < b->app);
}

static bool claims_differ(const struct claim *a, const struct claim *b, struct err *e)
{
	const struct where *w = &a->app->where;

	if (address_order(a->listen, b->listen) != 0 || !bytes_eq(a->host, b->host))
		return true;
	if (a->app == b->app)
		return yaml_err(b->app->where, e, "apps.%.*s.hosts: '%.*s' is there twice",
				YAML_SHOWN(b->app->name), YAML_SHOWN(b->host));
	if (a->host.len)
		return yaml_err(b->app->where, e, "apps.%.*s.hosts: '%.*s' is also a host of apps.%.*s (%s:%u)",
				YAML_SHOWN(b->app->name), YAML_SHOWN(b->host), YAML_SHOWN(a->app->name),
				w->file, w->line);
	return yaml_err(b->app->where, e, "apps.%.*s has no `hosts`, and neither has apps.%.*s (%s:%u): "
			"which of them answers?", YAML_SHOWN(b->app->name), YAML_SHOWN(a->app->name),
			w->file, w->line);
}

/* Fills claims[at..] for one app; with claims == NULL it only counts. */
static size_t claim(const struct config *c, const struct app_config *a, struct claim *claims, size_t at)
{
	const struct listen_config *listens = a->nlistens ? a->listens : c->listens;
	size_t n = a->nlistens ? a->nlistens : c->nlistens, hosts = a->hosts.n ? a->hosts.n : 1;

	for (size_t l = 0; claims && l < n; l++)
		for (size_t h = 0; h < hosts; h++)
			claims[at + l * hosts + h] = (struct claim){
				&listens[l], a->hosts.n ? a->hosts.at[h] : (struct bytes){ 0 }, a
			};
	return at + n * hosts;
}

static bool check_claims(struct config *c, struct where top, struct err *e)
{
	size_t n = 0, at = 0;
	struct claim *claims;

	for (size_t i = 0; i < c->napps; i++)
		n = claim(c, &c->apps[i], NULL, n);
	if (!(claims = arena_get(c->arena, n * sizeof *claims + 1)))
		return yaml_err(top, e, "too many hosts on too many listeners");
	for (size_t i = 0; i < c->napps; i++)
		at = claim(c, &c->apps[i], claims, at);
	qsort(claims, n, sizeof *claims, claim_order);
	for (size_t i = 1; i < n; i++)
		if (!claims_differ(&claims[i - 1], &claims[i], e))
			return false;
	return true;
}

static bool check_places(const struct config *c, struct err *e)
{
	for (size_t i = 0; !c->ngeo && i < c->napps; i++)
		for (size_t k = 0; k < c->apps[i].nrules; k++) {
			const struct own_rule *r = &c->apps[i].rules[k];

			if (r->countries.n || r->not_countries.n || r->ases.n)
				return yaml_err(r->where, e, "apps.%.*s.rules: a country or an AS is known from `geo` files only; none "
						"is named", YAML_SHOWN(c->apps[i].name));
		}
	return true;
}

bool config_check(struct config *c, struct where top, struct err *e)
{
	return default_listens(c, top, e) && check_doors(c, top, e) && check_claims(c, top, e) && check_places(c, e);
}
