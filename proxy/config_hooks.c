/* config_hooks.c -- what depends on several keys of one table. */
#include "proxy/config_parts.h"
#include "base/hash.h"

static bool no_memory(struct schema *s, const struct yaml_node *n)
{
	return schema_err(s, n, "out of memory");
}

/* ---- listen ---- */

bool config_listen_end(struct schema *s, const struct yaml_node *n, void *out)
{
	struct config_reading *r = s->user;
	struct listen_config *l = out;

	l->timeouts = &r->config->timeouts;
	config_bind_parse(l->bind, &l->address, &l->port, &l->any);
	if (!yaml_get(n, "tls"))
		l->tls = (l->port == 443 || l->port == 8443) && !l->redirect_https;
	if (l->tls && l->redirect_https)
		return schema_err(s, schema_at(n, "redirect_https"),
				  "redirect_https is for a listener without tls");
	if (l->proxy_protocol && !l->from.n)
		return schema_err(s, schema_at(n, "proxy_protocol"),
				  "proxy_protocol needs `from`: the load balancers that may send it");
	if (!l->proxy_protocol && l->from.n)
		return schema_err(s, schema_at(n, "from"), "`from` is for proxy_protocol; rules with "
				  "`not_from` say who may come in");
	return true;
}

/* ---- admin ---- */

static bool is_reachable(struct bytes bind)
{
	struct ip ip;
	uint16_t port;
	bool any = true;

	config_bind_parse(bind, &ip, &port, &any);
	return any || !ip_is_loopback(&ip);
}

bool config_admin_end(struct schema *s, const struct yaml_node *n, void *out)
{
	const struct admin_config *a = out;

	if (!a->cert != !a->key)
		return schema_err(s, n, "`cert` and `key` belong together");
	if (a->bind.at && !a->cert && is_reachable(a->bind))
		return schema_err(s, n, "%.*s can be reached from outside this machine: it needs `cert` and `key` (TLS); or bind "
				  "127.0.0.1:9180", BYTES_ARG(a->bind));
	for (size_t i = 0; i < a->hosts.n; i++)
		if (bytes_index(a->hosts.at[i], '*') != SIZE_MAX)
			return schema_err(s, schema_at(n, "hosts"), "'%.*s' is no name: wildcards have no meaning here",
					  BYTES_ARG(a->hosts.at[i]));
	return true;
}

/* ---- servers ---- */

bool config_server_end(struct schema *s, const struct yaml_node *n, void *out)
{
	struct server_config *c = out;
	struct bytes host;
	const char *why;

	config_url_parse(c->url, &c->tls, &host, &c->port, &why);
	c->host = arena_str(s->arena, host);
	return c->host || no_memory(s, n);
}

/* ---- limits, rules, exceptions ---- */

/* "limits[2]": the last part of "apps.shop.limits[2]". */
static struct bytes last_of_path(const struct schema *s)
{
	const char *dot = strrchr(s->path, '.');

	return bytes_of(dot ? dot + 1 : s->path);
}

/* An entry without a name is known by its path, or by its number. */
static bool default_name(struct schema *s, const struct yaml_node *n, struct bytes path,
			 struct bytes *name)
{
	if (!name->at)
		*name = path.at ? path : arena_copy(s->arena, last_of_path(s));
	return name->at || no_memory(s, n);
}

bool config_limit_end(struct schema *s, const struct yaml_node *n, void *out)
{
	struct limit_config *l = out;

	l->has_path = l->path.at != NULL;
	if (!l->burst)
		l->burst = l->count;
	return default_name(s, n, l->path, &l->name);
}

/* A field name is a token (RFC 9110 5.1, 5.6.2). */
static bool is_token(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		char c = byte_lower(b.at[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c))))
			return false;
	}
	return b.len > 0;
}

static bool headers_named(struct schema *s, const struct yaml_node *n, const struct own_rule *rule)
{
	for (size_t i = 0; i < rule->nheaders; i++)
		if (!is_token(rule->headers[i].name))
			return schema_err(s, yaml_get(n, "headers")->keys[i],
					  "headers: '%.*s' is not the name of a field",
					  YAML_SHOWN(rule->headers[i].name));
	return true;
}

bool config_rule_end(struct schema *s, const struct yaml_node *n, void *out)
{
	struct own_rule *r = out;

	if (!r->path.at && !r->host.at && !r->methods.n && !r->nheaders && !r->from.n && !r->not_from.n &&
	    !r->countries.n && !r->not_countries.n && !r->ases.n && !r->ja4s.n)
		return schema_err(s, n, "has no condition; write path: \"*\" for every request");
	return headers_named(s, n, r) && default_name(s, n, r->path, &r->name);
}

/* ---- apps ---- */

bool config_app_begin(struct schema *s, const struct yaml_node *n, void *out)
{
	struct config_reading *r = s->user;
	struct app_config *a = out;

	(void)n;
	a->client_ip = r->config->client_ip;
	a->timeouts = r->config->timeouts;
	a->size = r->config->size;
	return true;
}

/* Names are labels of metrics and words of `embergate ctl`. */
static bool app_named(struct schema *s, const struct app_config *a)
{
	bool good = a->name.len > 0 && a->name.len <= 64 && a->name.at[0] != '-';

	for (size_t i = 0; good && i < a->name.len; i++) {
		char c = byte_lower(a->name.at[i]);

		good = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
	}
	return good || yaml_err(a->where, s->err, "apps: '%.*s' is not a name for an app: letters, digits, "
				"'-', '_' and '.', at most 64", YAML_SHOWN(a->name));
}

/* Until its head is read a connection is no app's, but for an app's own listener. */
static bool timeouts_apply(struct schema *s, const struct yaml_node *n, struct app_config *a)
{
	static const char *const early[] = { "head", "stall" };
	const struct yaml_node *t = yaml_get(n, "timeouts"), *v;

	if ((v = yaml_get(t, "drain")))
		return schema_err(s, v, "timeouts.drain is for the top level");
	for (size_t i = 0; i < nelems(early); i++)
		if (!a->nlistens && (v = yaml_get(t, early[i])))
			return schema_err(s, v, "timeouts.%s is for the top level, or an app with its own "
					  "`listen`", early[i]);
	for (size_t i = 0; i < a->nlistens; i++)
		a->listens[i].timeouts = &a->timeouts;
	return true;
}

static bool is_over(struct config_reading *r, struct where w, const char *path, const char *what,
		    uint64_t until_s)
{
	struct err e;

	if (!config_over(until_s, r->now_s))
		return false;
	yaml_err(w, &e, "%s.%s: its `until` is over: it no longer applies", path, what);
	if (r->warn)
		r->warn(r->ctx, e.text);
	return true;
}

/* Those that are over go behind the others, for who shows them. */
static bool exceptions_over(struct schema *s, struct app_config *a)
{
	struct config_reading *r = s->user;
	struct exception_config *all = arena_get(r->config->arena, a->nexceptions * sizeof *all + 1);
	size_t live = 0;

	if (!all)
		return yaml_err(a->where, s->err, "out of memory");
	for (size_t i = 0; i < a->nexceptions; i++) {
		bool over = is_over(r, a->exceptions[i].where, s->path, "exceptions", a->exceptions[i].until_s);

		all[over ? a->nexceptions - ++a->nexceptions_over : live++] = a->exceptions[i];
	}
	a->exceptions = all;
	a->nexceptions = live;
	return true;
}

/* Entries whose `until` is over are left out, with a warning each. */
static void drop_over(struct schema *s, struct app_config *a)
{
	struct config_reading *r = s->user;
	size_t rules = 0, limits = 0;

	for (size_t i = 0; i < a->nrules; i++)
		if (!is_over(r, a->rules[i].where, s->path, "rules", a->rules[i].until_s))
			a->rules[rules++] = a->rules[i];
	for (size_t i = 0; i < a->nlimits; i++)
		if (!is_over(r, a->limits[i].where, s->path, "limits", a->limits[i].until_s))
			a->limits[limits++] = a->limits[i];
	a->nrules = rules;
	a->nlimits = limits;
}

/* ---- ids of exceptions ---- */

/* A NUL ends a text, and one more a list: no two say the same and mean different things. */
static uint64_t hash_text(uint64_t h, struct bytes b)
{
	return hash_content(hash_content(h, b), BYTES("\0"));
}

static uint64_t hash_words(uint64_t h, const struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		h = hash_text(h, w->at[i]);
	return hash_content(h, BYTES("\0"));
}

static uint64_t exception_id(const struct app_config *a, const struct exception_config *e)
{
	const struct words *const lists[] = { &e->methods, &e->skip, &e->rules, &e->categories, &e->tags, &e->args, &e->cookies, &e->headers };
	const uint64_t numbers[] = { e->max_body, e->until_s };
	uint64_t h = hash_text(hash_text(hash_text(HASH_CONTENT_START, a->name), e->path), e->reason);

	for (size_t i = 0; i < nelems(lists); i++)
		h = hash_words(h, lists[i]);
	for (size_t i = 0; i < e->nparts; i++)
		h = hash_text(h, bytes_of(config_word(config_exception_parts, e->parts[i])));
	for (size_t i = 0; i < nelems(numbers); i++) {
		char digits[24];

		snprintf(digits, sizeof digits, "%llu", (unsigned long long)numbers[i]);
		h = hash_text(h, bytes_of(digits));
	}
	return h;
}

/* Nobody to ask: a mistake, not a milder remedy. */
static bool captcha_there(struct schema *s, const struct app_config *a, enum remedy_kind act, struct where w)
{
	return act != REMEDY_CAPTCHA || a->challenge.captcha.provider ||
	       yaml_err(w, s->err, "%s: `captcha` needs challenge.captcha: a provider", s->path);
}

static bool captchas_there(struct schema *s, struct app_config *a)
{
	for (size_t i = 0; i < a->nrules; i++)
		if (!captcha_there(s, a, a->rules[i].act, a->rules[i].where))
			return false;
	for (size_t i = 0; i < a->nlimits; i++)
		if (!captcha_there(s, a, a->limits[i].then, a->limits[i].where))
			return false;
	if (!a->challenge.captcha.hosts.n)
		a->challenge.captcha.hosts = a->hosts;
	return true;
}

bool config_app_end(struct schema *s, const struct yaml_node *n, void *out)
{
	struct app_config *a = out;

	if (!app_named(s, a) || !timeouts_apply(s, n, a) || !captchas_there(s, a))
		return false;
	drop_over(s, a);
	for (size_t i = 0; i < a->nexceptions; i++)
		a->exceptions[i].id = exception_id(a, &a->exceptions[i]);
	return exceptions_over(s, a);
}
