/* access.c -- an app's own rules, its rate limits, and its exceptions.
 *
 * A path condition that tightens (deny, throttle, log) holds when any plausible
 * reading of the path matches; one that loosens (allow, an exception) only when
 * every reading does. */
#include "base/hash.h"
#include "base/path.h"
#include "proxy/access.h"
#include "proxy/client.h"
#include "proxy/stages.h"
#include "proxy/worker.h"

static bool path_holds(const struct request *r, struct bytes pattern, bool nocase, bool every)
{
	for (size_t i = 0; i < r->nreadings; i++)
		if (path_matches(pattern, r->readings[i], nocase) != every)
			return !every;
	return every && r->nreadings > 0;
}

static bool word_in(const struct words *words, struct bytes word)
{
	if (words->n == 0)
		return true;
	for (size_t i = 0; i < words->n; i++)
		if (bytes_eq(words->at[i], word))
			return true;
	return false;
}

/* ---- own rules ---- */

static bool headers_hold(const struct own_rule *rule, const struct fields *fields)
{
	for (size_t i = 0; i < rule->nheaders; i++) {
		const struct field *f = fields_named(fields, rule->headers[i].name);

		if (!path_matches(rule->headers[i].pattern, f ? f->value : (struct bytes){ 0 }, true))
			return false;
	}
	return true;
}

static bool place_in(const struct words *places, struct bytes place)
{
	for (size_t i = 0; i < places->n; i++)
		if (bytes_eq_nocase(places->at[i], place))
			return true;
	return false;
}

static bool is_of_as(const struct words *ases, struct bytes as)
{
	for (size_t i = 0; i < ases->n; i++)
		if (as.len && bytes_eq(bytes_from(ases->at[i], bytes_starts_nocase(ases->at[i], BYTES("AS")) ? 2 : 0), as))
			return true;
	return false;
}

static bool is_from_there(const struct own_rule *rule, const struct access_asked *q)
{
	return (!rule->countries.n || place_in(&rule->countries, q->country)) &&
	       !(rule->not_countries.n && (!q->country.len || place_in(&rule->not_countries, q->country))) &&
	       (!rule->ases.n || is_of_as(&rule->ases, q->as));
}

static bool ja4_in(const struct words *patterns, struct bytes ja4)
{
	for (size_t i = 0; i < patterns->n; i++)
		if (ja4.len && path_matches(patterns->at[i], ja4, false))
			return true;
	return patterns->n == 0;
}

static bool rule_holds(const struct own_rule *rule, const struct access_asked *q)
{
	const struct request *r = q->request;

	return !config_over(rule->until_s, q->now_s) && word_in(&rule->methods, r->method) &&
	       (!rule->path.at || path_holds(r, rule->path, rule->nocase, rule->act == REMEDY_ALLOW)) &&
	       (!rule->host.at || path_matches(rule->host, r->hostname, true)) &&
	       (!rule->from.n || ip_in_nets(&r->client, rule->from.at, rule->from.n)) &&
	       !(rule->not_from.n && ip_in_nets(&r->client, rule->not_from.at, rule->not_from.n)) &&
	       is_from_there(rule, q) && ja4_in(&rule->ja4s, q->ja4) && headers_hold(rule, &r->fields);
}

const struct own_rule *access_rule(const struct app_config *app, const struct access_asked *q)
{
	for (size_t i = 0; i < app->nrules; i++)
		if (rule_holds(&app->rules[i], q))
			return &app->rules[i];
	return NULL;
}

unsigned access_status(enum remedy_kind act)
{
	return act == REMEDY_THROTTLE ? 429 : 403;
}

static void own_rule_heed(struct exchange *x, const struct own_rule *rule)
{
	struct bytes reason = rule->reason.len ? rule->reason : rule->name;

	if (rule->act == REMEDY_THROTTLE)
		x->ruling.retry_after_s = 60;
	if (rule->act == REMEDY_CHALLENGE)
		exchange_challenge(x, rule->level, SOURCE_OWN_RULE, reason);
	else if (rule->act > REMEDY_ALLOW)
		exchange_rule(x, rule->act, SOURCE_OWN_RULE, access_status(rule->act), reason);
}

enum flow stage_access(struct exchange *x)
{
	const struct app_config *app = x->app ? x->app->config : NULL;
	struct access_asked q = { &x->request, x->country, x->as, stream_tls_ja4(x->client->stream),
				  app && app->nrules ? worker_wall_ms(x->worker) / 1000 : 0 };
	const struct own_rule *rule = app ? access_rule(app, &q) : NULL;

	if (rule)
		own_rule_heed(x, rule);
	return GO;
}

/* ---- rate limits ---- */

static void limit_ask(struct exchange *x, const struct limit_config *l, size_t index)
{
	struct ip key = ip_behaviour_key(&x->request.client);
	uint64_t bucket = hash_bytes((struct bytes){ (const char *)key.b, sizeof key.b }) ^
			  hash_content(x->app->limit_seed + index, l->name) * 0x9e3779b97f4a7c15u;
	uint64_t wait_ms = limits_take_of_all(x->worker->shared->limits, bucket, loop_now_ms(x->worker->loop),
					      l->count, l->per_ms, l->burst);

	x->limits_asked++;
	if (wait_ms == 0)
		return;
	if (l->then == REMEDY_CHALLENGE)
		exchange_challenge(x, l->level, SOURCE_LIMIT, l->name);
	else
		exchange_rule(x, l->then, SOURCE_LIMIT, access_status(l->then), l->name);
	if (x->ruling.act == REMEDY_THROTTLE)
		x->ruling.retry_after_s = (uint32_t)((wait_ms + 999) / 1000);
}

enum flow stage_limits(struct exchange *x)
{
	const struct app_config *app = x->app ? x->app->config : NULL;

	for (size_t i = 0; app && i < app->nlimits; i++) {
		const struct limit_config *l = &app->limits[i];

		if (!config_over(l->until_s, worker_wall_ms(x->worker) / 1000) && word_in(&l->methods, x->request.method) &&
		    ja4_in(&l->ja4s, stream_tls_ja4(x->client->stream)) &&
		    (!l->has_path || path_holds(&x->request, l->path, false, false)))
			limit_ask(x, l, i);
	}
	return GO;
}

/* ---- exceptions ---- */

bool access_exception_meets(const struct request *r, const struct exception_config *e, uint64_t now_s)
{
	return !config_over(e->until_s, now_s) && word_in(&e->methods, r->method) &&
	       (!e->has_path || path_holds(r, e->path, false, true));
}

bool access_exception_holds(const struct exchange *x, const struct exception_config *e)
{
	return access_exception_meets(&x->request, e, worker_wall_ms(x->worker) / 1000);
}

bool access_path_holds(const struct exchange *x, struct bytes pattern)
{
	return path_holds(&x->request, pattern, false, false);
}

bool access_method_holds(const struct exchange *x, const struct words *methods)
{
	return word_in(methods, x->request.method);
}

bool access_is_stream(const struct exchange *x)
{
	const struct words *paths = &x->app->config->streams;

	for (size_t i = 0; i < paths->n; i++)
		if (path_holds(&x->request, paths->at[i], false, true))
			return true;
	return false;
}
