/* api_status.c -- what runs, and how it is. */
#include "admin/api/api_tables.h"

enum { STATUS_ARENA = 1 << 20 };

static const struct api_field server_fields[] = {
	{ "address", API_TEXT, .help = "host:port" },
	{ "up", API_FLAG, .help = "it is asked" },
	{ "requests", API_INT, .help = "under way" },
};
static const struct api_shape server_shape = API_SHAPE("Server", server_fields);

static const char *const modes[] = { "block", "detect", "off", NULL };
static const struct api_field app_fields[] = {
	{ "name", API_TEXT, .help = "as the configuration calls it" },
	{ "mode", API_TEXT, .words = modes, .help = "what its rules may do" },
	{ "rules", API_INT, .help = "that look at its requests" },
	{ "under_attack", API_FLAG, .help = "everyone is challenged" },
	{ "servers", API_OBJECT, .list = true, .of = &server_shape, .help = "its upstream" },
};
static const struct api_shape app_shape = API_SHAPE("AppStatus", app_fields);

static const struct api_field status_fields[] = {
	{ "version", API_TEXT, .help = "of Embergate" },
	{ "started", API_TIME, .help = "the serving process" },
	{ "pid", API_INT, .help = "of the serving process" },
	{ "workers", API_INT, .help = "threads that serve" },
	{ "draining", API_FLAG, .help = "it takes no new work" },
	{ "config", API_TEXT, .help = "the file, or how it was made" },
	{ "config_hash", API_TEXT, .help = "the same at every gate that has the same" },
	{ "reloaded", API_TIME, .optional = true, .help = "the last reload" },
	{ "reload_error", API_TEXT, .optional = true, .help = "why it was refused" },
	{ "connections", API_INT, .help = "of clients, now" },
	{ "requests", API_INT, .help = "since the start" },
	{ "listeners", API_TEXT, .list = true, .help = "addresses" },
	{ "apps", API_OBJECT, .list = true, .of = &app_shape, .help = "in the configuration's order" },
};
static const struct api_shape status_shape = API_SHAPE("Status", status_fields);

static void put_server(struct json_out *o, const struct admin_server *s)
{
	out_object(o, NULL);
	out_text(o, "address", s->address);
	out_flag(o, "up", s->up);
	out_int(o, "requests", (int64_t)s->connections);
	out_end(o);
}

static void put_app(struct json_out *o, const struct admin_app *a)
{
	out_object(o, NULL);
	out_text(o, "name", a->name);
	out_str(o, "mode", a->mode);
	out_int(o, "rules", (int64_t)a->rules);
	out_flag(o, "under_attack", a->under_attack);
	out_list(o, "servers");
	for (size_t i = 0; i < a->nservers; i++)
		put_server(o, &a->servers[i]);
	out_end(o);
	out_end(o);
}

static void put_status(struct json_out *o, const struct admin_status *s)
{
	char hash[17];

	snprintf(hash, sizeof hash, "%016llx", (unsigned long long)s->config_hash);
	out_object(o, NULL);
	out_str(o, "version", EMBERGATE_VERSION);
	out_time(o, "started", s->started_ms);
	out_int(o, "pid", s->pid);
	out_int(o, "workers", s->workers);
	out_flag(o, "draining", s->draining);
	out_str(o, "config", s->config);
	out_str(o, "config_hash", hash);
	out_time(o, "reloaded", s->reloaded_ms);
	if (s->reload_error.len)
		out_text(o, "reload_error", s->reload_error);
	out_int(o, "connections", (int64_t)s->connections);
	out_int(o, "requests", (int64_t)s->requests);
	out_list(o, "listeners");
	for (size_t i = 0; i < s->nlisteners; i++)
		out_text(o, NULL, s->listeners[i]);
	out_end(o);
	out_list(o, "apps");
	for (size_t i = 0; i < s->napps; i++)
		put_app(o, &s->apps[i]);
	out_end(o);
	out_end(o);
}

static void get_status(struct api_call *c)
{
	const struct admin_hooks *h = &c->admin->hooks;
	struct json_out o = json_out(API_ANSWER_MAX);
	struct arena *a = arena_new(STATUS_ARENA);
	struct admin_status s = { .config = "" };

	if (!a) {
		api_problem(c, 503, "out of memory");
		return;
	}
	h->status(h->ctx, a, &s);
	put_status(&o, &s);
	arena_free(a);
	api_answer(c, 200, &o);
}

static const struct api_route routes[] = {
	{ "GET", "/status", ROLE_VIEWER, "status", "what runs, since when, with which servers", NULL, NULL, &status_shape, get_status },
};
const struct api_routes api_status_routes = API_ROUTES(routes);
