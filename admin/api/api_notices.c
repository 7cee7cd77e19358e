/* api_notices.c -- what a person has to act on. */
#include "admin/api/api_tables.h"
#include "admin/api/peers.h"
#include "admin/edit_hooks.h"
#include "base/hash.h"
#include "cti/share.h"

enum { STATUS_ARENA = 1 << 20 };

static const char *const kinds[] = { "reload", "draining", "server", "attack", "unprotected", "redis", NULL };
static const struct api_field notice_fields[] = {
	{ "kind", API_TEXT, .words = kinds, .help = "reload: the last was refused; draining: no new connections; server: it does not answer; attack: everyone is "
	  "challenged; unprotected: an app's mode is off; redis: it cannot be reached" },
	{ "app", API_TEXT, .optional = true, .help = "whose" },
	{ "text", API_TEXT, .optional = true, .help = "the server; or why" },
	{ "node", API_TEXT, .optional = true, .help = "of all gates: at which" },
};
static const struct api_shape notice_shape = API_SHAPE("Notice", notice_fields);

static const struct api_field gate_fields[] = {
	{ "node", API_TEXT, .help = "its name" },
	{ "overrides", API_TEXT, .help = "hash of its file for changes" },
	{ "differs", API_FLAG, .help = "from that of the gate that was asked" },
};
static const struct api_shape gate_shape = API_SHAPE("GateOverrides", gate_fields);

static const struct api_field notices_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &notice_shape, .help = "none while all is well" },
	{ "overrides", API_TEXT, .help = "hash of the file for changes, the same at every gate that has the same" },
	{ "cluster_writes", API_FLAG, .help = "changes here are offered to the other gates, and theirs are taken" },
	{ "gates", API_OBJECT, .list = true, .optional = true, .of = &gate_shape, .help = "of all gates: who has which overrides" },
	{ "silent", API_TEXT, .list = true, .optional = true, .help = "of all gates: those that did not answer" },
};
static const struct api_shape notices_shape = API_SHAPE("Notices", notices_fields);

static const struct api_field query_fields[] = {
	{ "nodes", API_TEXT, .optional = true, .words = api_all_nodes, .help = "of all gates of the cluster" },
};
static const struct api_shape query_shape = API_SHAPE("NoticesQuery", query_fields);

/* at == NULL: it has none. */
static void put(struct json_out *o, const char *kind, struct bytes app, struct bytes text)
{
	out_object(o, NULL);
	out_str(o, "kind", kind);
	out_text(o, "app", app);
	out_text(o, "text", text);
	out_end(o);
}

static void put_app(struct json_out *o, const struct admin_app *a)
{
	const struct bytes none = { 0 };

	for (size_t i = 0; i < a->nservers; i++)
		if (!a->servers[i].up)
			put(o, "server", a->name, a->servers[i].address);
	if (a->under_attack)
		put(o, "attack", a->name, none);
	if (strcmp(a->mode, "off") == 0)
		put(o, "unprotected", a->name, none);
}

static void put_items(struct json_out *o, const struct admin_status *s, const struct share *share)
{
	const struct bytes none = { 0 };
	struct share_counts counts;

	out_list(o, "items");
	if (s->reload_error.len)
		put(o, "reload", none, s->reload_error);
	if (s->draining)
		put(o, "draining", none, none);
	for (size_t i = 0; i < s->napps; i++)
		put_app(o, &s->apps[i]);
	if (share) {
		share_count(share, &counts);
		if (!counts.up)
			put(o, "redis", none, none);
	}
	out_end(o);
}

static void put_overrides(struct json_out *o, struct api_call *c)
{
	const struct admin_hooks *h = &c->admin->hooks;
	struct edit_config now = { 0 };
	char hash[17];

	if (h->edit)
		h->edit->config(h->ctx, c->arena, &now);
	snprintf(hash, sizeof hash, "%016llx", (unsigned long long)hash_content(HASH_CONTENT_START, now.overrides));
	out_str(o, "overrides", hash);
	out_flag(o, "cluster_writes", now.cluster_writes);
}

static void get_notices(struct api_call *c)
{
	const struct admin_hooks *h = &c->admin->hooks;
	struct json_out o = json_out(API_ANSWER_MAX);
	struct admin_status s = { .config = "" };
	struct arena *a;

	if (peers_wanted(c)) {
		json_out_free(&o);
		peers_notices(c);
		return;
	}
	if (!(a = arena_new(STATUS_ARENA))) {
		api_problem(c, 503, "out of memory");
		return;
	}
	h->status(h->ctx, a, &s);
	out_object(&o, NULL);
	put_items(&o, &s, h->share);
	put_overrides(&o, c);
	out_end(&o);
	arena_free(a);
	api_answer(c, 200, &o);
}

static const struct api_route routes[] = {
	{ "GET", "/notices", ROLE_VIEWER, "status", "what a person has to act on", &query_shape, NULL, &notices_shape, get_notices },
};
const struct api_routes api_notices_routes = API_ROUTES(routes);
