/* api_apps.c -- the apps: as they are configured, and how they are. */
#include "admin/api/api_edit.h"

/* ---- their shape ---- */

static const struct api_field server_fields[] = {
	{ "address", API_TEXT, .help = "host:port" },
	{ "url", API_TEXT, .help = "as configured" },
	{ "weight", API_INT, .help = "its share" },
	{ "up", API_FLAG, .help = "it is asked" },
	{ "requests", API_INT, .help = "under way" },
};
static const struct api_shape server_shape = API_SHAPE("AppServer", server_fields);

static const struct api_field cert_fields[] = {
	{ "listener", API_TEXT, .help = "an address" },
	{ "expires", API_TIME, .help = "the first of its certificates to end" },
};
static const struct api_shape cert_shape = API_SHAPE("AppCert", cert_fields);

static const struct api_field challenge_fields[] = {
	{ "level", API_TEXT, .help = "wait, pow" },
	{ "bits", API_INT, .help = "of a proof of work" },
	{ "pass", API_INT, .help = "seconds that a pass holds" },
};
static const struct api_shape challenge_shape = API_SHAPE("AppChallenge", challenge_fields);

static const struct api_field bots_fields[] = {
	{ "mode", API_TEXT, .help = "on, watch, off" },
	{ "acts", API_MAP, .help = "by category, and `impostors`: a remedy" },
};
static const struct api_shape bots_shape = API_SHAPE("AppBots", bots_fields);

static const struct api_field limit_fields[] = {
	{ "path", API_TEXT, .optional = true, .help = "a pattern; null: every path" },
	{ "methods", API_TEXT, .list = true, .help = "none: every method" },
	{ "rate", API_TEXT, .help = "requests, and the time for them: 5/60s" },
	{ "burst", API_INT, .help = "at once" },
	{ "then", API_TEXT, .help = "a remedy" },
};
static const struct api_shape limit_shape = API_SHAPE("AppLimit", limit_fields);

static const char *const modes[] = { "block", "detect", "off", NULL };
static const char *const attack_modes[] = { "on", "off", "auto", NULL };
static const struct api_field app_fields[] = {
	{ "name", API_TEXT, .help = "as the configuration calls it" },
	{ "hosts", API_TEXT, .list = true, .help = "none: every host" },
	{ "listeners", API_TEXT, .list = true, .help = "addresses" },
	{ "mode", API_TEXT, .words = modes, .help = "what its rules may do now" },
	{ "configured_mode", API_TEXT, .words = modes, .help = "what they may after the next start" },
	{ "paranoia", API_INT, .optional = true, .help = "null: as crs-setup.conf says, else 1" },
	{ "threshold", API_INT, .optional = true, .help = "null: as crs-setup.conf says, else 5" },
	{ "ruleset", API_TEXT, .help = "auto, packs, crs" },
	{ "rules", API_INT, .help = "that look at its requests" },
	{ "window", API_INT, .help = "bytes of a body that are inspected" },
	{ "servers", API_OBJECT, .list = true, .of = &server_shape, .help = "its upstream" },
	{ "balance", API_TEXT, .help = "how one is chosen" },
	{ "certs", API_OBJECT, .list = true, .of = &cert_shape, .help = "where it listens with TLS" },
	{ "challenge", API_OBJECT, .of = &challenge_shape, .help = "what a challenge is" },
	{ "bots", API_OBJECT, .of = &bots_shape, .help = "what is done about bots" },
	{ "limits", API_OBJECT, .list = true, .of = &limit_shape, .help = "how often one client may ask" },
	{ "exceptions", API_OBJECT, .list = true, .of = &edit_exception_shape, .help = "what is let through where" },
	{ "under_attack", API_FLAG, .help = "everyone is challenged" },
	{ "attack_mode", API_TEXT, .words = attack_modes, .help = "auto: while its servers are overloaded" },
	{ "where", API_OBJECT, .of = &edit_place_shape, .help = "in the files" },
};
static const struct api_shape app_shape = API_SHAPE("App", app_fields);

static const struct api_field list_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &app_shape, .help = "in the configuration's order" },
};
static const struct api_shape list_shape = API_SHAPE("Apps", list_fields);

/* ---- their values ---- */

static void put_server(struct json_out *o, const struct edit_server *s)
{
	out_object(o, NULL);
	out_text(o, "address", s->address);
	out_text(o, "url", s->url);
	out_int(o, "weight", s->weight);
	out_flag(o, "up", s->up);
	out_int(o, "requests", (int64_t)s->requests);
	out_end(o);
}

static void put_limit(struct json_out *o, const struct edit_limit *l)
{
	char rate[48];

	snprintf(rate, sizeof rate, l->per_ms % 1000 ? "%u/%ums" : "%u/%us", l->count, l->per_ms % 1000 ? l->per_ms : l->per_ms / 1000);
	out_object(o, NULL);
	out_text(o, "path", l->path);
	edit_put_words(o, "methods", &l->methods);
	out_str(o, "rate", rate);
	out_int(o, "burst", l->burst);
	out_str(o, "then", l->then);
	out_end(o);
}

/* 0: the rules say. */
static void put_level(struct json_out *o, const char *key, unsigned n)
{
	if (n)
		out_int(o, key, n);
	else
		out_null(o, key);
}

static void put_waf(struct json_out *o, const struct edit_app *a)
{
	out_str(o, "mode", a->mode);
	out_str(o, "configured_mode", a->configured_mode);
	put_level(o, "paranoia", a->paranoia);
	put_level(o, "threshold", a->threshold);
	out_str(o, "ruleset", a->ruleset);
	out_int(o, "rules", (int64_t)a->rules);
	out_int(o, "window", (int64_t)a->window);
}

static void put_ways(struct json_out *o, const struct edit_app *a)
{
	out_list(o, "servers");
	for (size_t i = 0; i < a->nservers; i++)
		put_server(o, &a->servers[i]);
	out_end(o);
	out_str(o, "balance", a->balance);
	out_list(o, "certs");
	for (size_t i = 0; i < a->ncerts; i++) {
		out_object(o, NULL);
		out_text(o, "listener", a->certs[i].listener);
		out_time(o, "expires", a->certs[i].expires_ms);
		out_end(o);
	}
	out_end(o);
}

static void put_people(struct json_out *o, const struct edit_app *a)
{
	out_object(o, "challenge");
	out_str(o, "level", a->challenge_level);
	out_int(o, "bits", a->challenge_bits);
	out_int(o, "pass", (int64_t)(a->pass_ms / 1000));
	out_end(o);
	out_object(o, "bots");
	out_str(o, "mode", a->bots_mode);
	out_object(o, "acts");
	for (size_t i = 0; i < a->nbots; i++)
		out_str(o, a->bots[i].category, a->bots[i].remedy);
	out_end(o);
	out_end(o);
}

static void put_app(struct json_out *o, const struct edit_app *a)
{
	out_object(o, NULL);
	out_text(o, "name", a->name);
	edit_put_words(o, "hosts", &a->hosts);
	edit_put_words(o, "listeners", &a->listeners);
	put_waf(o, a);
	put_ways(o, a);
	put_people(o, a);
	out_list(o, "limits");
	for (size_t i = 0; i < a->nlimits; i++)
		put_limit(o, &a->limits[i]);
	out_end(o);
	out_list(o, "exceptions");
	for (size_t i = 0; i < a->nexceptions; i++)
		edit_put_exception(o, &a->exceptions[i]);
	out_end(o);
	out_flag(o, "under_attack", a->under_attack);
	out_str(o, "attack_mode", a->attack_mode);
	edit_put_place(o, &a->where);
	out_end(o);
}

/* ---- reading ---- */

static void get_apps(struct api_call *c)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	const struct edit_app *apps;
	size_t n;

	if (!(apps = edit_apps_of(c, &n)))
		return;
	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < n; i++)
		put_app(&o, &apps[i]);
	out_end(&o);
	out_end(&o);
	api_answer(c, 200, &o);
}

/* NULL: 404 was answered. */
static const struct edit_app *named(struct api_call *c)
{
	size_t n;
	const struct edit_app *apps = edit_apps_of(c, &n);

	for (size_t i = 0; apps && i < n; i++)
		if (bytes_eq(apps[i].name, c->params[0]))
			return &apps[i];
	if (apps)
		api_problem(c, 404, "there is no app '%.*s'", BYTES_ARG(bytes_sub(c->params[0], 0, 64)));
	return NULL;
}

static void get_app(struct api_call *c)
{
	const struct edit_app *a = named(c);
	struct json_out o = json_out(API_ANSWER_MAX);

	if (!a)
		return;
	put_app(&o, a);
	api_answer(c, 200, &o);
}

static const struct api_route routes[] = {
	{ "GET", "/apps", ROLE_VIEWER, "apps", "the apps, as they are configured and how they are", NULL, NULL, &list_shape, get_apps },
	{ "GET", "/apps/{name}", ROLE_VIEWER, "apps", "one of them", NULL, NULL, &app_shape, get_app },
};
const struct api_routes api_apps_routes = API_ROUTES(routes);
