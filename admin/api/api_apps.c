/* api_apps.c -- the apps: as they are configured, how they are, and changes of them. */
#include "admin/api/api_edit.h"
#include "admin/audit.h"

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

static const struct api_field login_fields[] = {
	{ "path", API_TEXT, .help = "`*` stands for a number" },
	{ "failed", API_INT, .help = "since it is known how a failure looks" },
	{ "succeeded", API_INT, .help = "likewise" },
};
static const struct api_shape login_shape = API_SHAPE("AppLogin", login_fields);

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
	{ "logins", API_OBJECT, .list = true, .of = &login_shape, .help = "where people log in, as was learned" },
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
	out_list(o, "logins");
	for (size_t i = 0; i < a->nlogins; i++) {
		out_object(o, NULL);
		out_text(o, "path", a->logins[i].path);
		out_int(o, "failed", (int64_t)a->logins[i].failed);
		out_int(o, "succeeded", (int64_t)a->logins[i].succeeded);
		out_end(o);
	}
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

static void get_app(struct api_call *c)
{
	const struct edit_app *a = edit_app_of(c, c->params[0]);
	struct json_out o = json_out(API_ANSWER_MAX);

	if (!a)
		return;
	put_app(&o, a);
	api_answer(c, 200, &o);
}

/* ---- changing ---- */

enum { KEYS_MAX = 32 };

static const struct api_field patch_fields[] = {
	{ "mode", API_TEXT, .words = modes, .optional = true, .help = "of its rules" },
	{ "paranoia", API_INT, .optional = true, .max = 4, .help = "of the Core Rule Set, 1 to 4" },
	{ "threshold", API_INT, .optional = true, .max = 10000, .help = "the score from which is denied" },
	{ "bots", API_MAP, .optional = true, .help = "`mode` and remedies, by category" },
	{ "attack", API_TEXT, .words = attack_modes, .optional = true, .help = "when everyone is challenged" },
};
static const struct api_shape patch_shape = API_SHAPE("AppPatch", patch_fields);

struct patch {
	struct arena *arena;
	struct edit_key keys[KEYS_MAX];
	size_t n;
	const char *why; /* NULL: all is well */
};

static void add_key(struct patch *p, const char *path, const struct json *value)
{
	struct bytes text;
	char digits[24];
	int64_t n;

	if (p->n == KEYS_MAX) {
		p->why = "too many keys";
		return;
	}
	p->keys[p->n] = (struct edit_key){ path, NULL };
	if (json_number(value, "", &n)) {
		snprintf(digits, sizeof digits, "%lld", (long long)n);
		text = arena_copy(p->arena, bytes_of(digits));
	} else if (!json_text(value, "", &text)) {
		text = (struct bytes){ 0 };
		p->why = json_of_null(value) ? p->why : "bots: texts are wanted";
	}
	if (!json_of_null(value) && !p->why && !(p->keys[p->n].value = text.at ? edit_scalar(p->arena, text) : NULL))
		p->why = "out of memory";
	p->n++;
}

static bool add_bot(void *ctx, const char *category, const struct json *value)
{
	struct patch *p = ctx;
	size_t room = strlen(category) + sizeof "bots.";
	char *path = arena_raw(p->arena, room);

	if (!path || strchr(category, '.')) {
		p->why = path ? "bots: there is no such category" : "out of memory";
		return false;
	}
	snprintf(path, room, "bots.%s", category);
	add_key(p, path, value);
	return !p->why;
}

/* null: the key is as the files have it. */
static void patch_app(struct api_call *c)
{
	static const struct { const char *member, *path; } members[] = {
		{ "mode", "waf.mode" }, { "paranoia", "waf.paranoia" }, { "threshold", "waf.threshold" }, { "attack", "under_attack.mode" },
	};
	const struct edit_app *a = edit_app_of(c, c->params[0]);
	struct patch *p = a ? arena_get(c->arena, sizeof *p) : NULL;
	const struct json *value;

	if (!p) {
		if (a)
			api_problem(c, 503, "out of memory");
		return;
	}
	p->arena = c->arena;
	for (size_t i = 0; i < nelems(members); i++)
		if ((value = json_at(c->body, members[i].member)))
			add_key(p, members[i].path, value);
	if ((value = json_at(c->body, "bots")))
		json_keys(value, add_bot, p);
	if (p->why || !p->n) {
		api_problem(c, 422, "%s", p->why ? p->why : "nothing is to be changed");
		return;
	}
	if (edit_may(c, true))
		edit_change(c, &(struct edit_ask){ .kind = EDIT_SET, .app = c->params[0], .keys = p->keys, .nkeys = p->n }, "app.change",
			    c->params[0]);
}

/* ---- until the next start ---- */

static const struct api_field mode_fields[] = { { "mode", API_TEXT, .words = modes, .help = "of its rules" } };
static const struct api_shape mode_shape = API_SHAPE("AppMode", mode_fields);
static const struct api_field attack_fields[] = { { "mode", API_TEXT, .words = attack_modes, .help = "when everyone is challenged" } };
static const struct api_shape attack_shape = API_SHAPE("AppAttack", attack_fields);

static void set_mode(struct api_call *c, bool (*set)(void *, struct bytes, struct bytes, struct err *), const char *action)
{
	struct bytes mode = { 0 };
	struct err e = { 0 };

	json_text(c->body, "mode", &mode);
	if (!edit_may(c, false))
		return;
	if (!set(c->admin->hooks.ctx, c->params[0], mode, &e)) {
		api_failed(c, &e);
		return;
	}
	audit_note(c->admin, &c->caller, action, c->params[0], mode);
	api_done(c);
}

static void post_mode(struct api_call *c)
{
	set_mode(c, c->admin->hooks.mode, "app.mode");
}

static void post_attack(struct api_call *c)
{
	set_mode(c, c->admin->hooks.attack, "app.attack");
}

static const struct api_route routes[] = {
	{ "GET", "/apps", ROLE_VIEWER, "apps", "the apps, as they are configured and how they are", NULL, NULL, &list_shape, get_apps },
	{ "GET", "/apps/{name}", ROLE_VIEWER, "apps", "one of them", NULL, NULL, &app_shape, get_app },
	{ "PATCH", "/apps/{name}", ROLE_ADMINISTRATOR, "apps", "changes it for good; null: as the files have it", &edit_change_query, &patch_shape, &edit_change_shape, patch_app },
	{ "POST", "/apps/{name}/mode", ROLE_OPERATOR, "apps", "what its rules may do, until the next start", NULL, &mode_shape, NULL, post_mode },
	{ "POST", "/apps/{name}/attack", ROLE_OPERATOR, "apps", "challenge everyone, until the next start", NULL, &attack_shape, NULL, post_attack },
};
const struct api_routes api_apps_routes = API_ROUTES(routes);
