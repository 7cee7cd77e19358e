/* api_edit.c -- what the routes of the configuration share. */
#include "admin/api/api_edit.h"
#include "admin/audit.h"
#include "admin/impact.h"
#include "admin/spread.h"

void edit_config_of(struct api_call *c, struct edit_config *e)
{
	const struct admin_hooks *h = &c->admin->hooks;

	h->edit->config(h->ctx, c->arena, e);
}

const struct edit_app *edit_apps_of(struct api_call *c, size_t *n)
{
	const struct admin_hooks *h = &c->admin->hooks;
	const struct edit_app *apps = h->edit->apps(h->ctx, c->arena, n);

	if (!apps)
		api_problem(c, 503, "out of memory");
	return apps;
}

const struct edit_app *edit_app_of(struct api_call *c, struct bytes name)
{
	size_t n;
	const struct edit_app *apps = edit_apps_of(c, &n);

	for (size_t i = 0; apps && i < n; i++)
		if (bytes_eq(apps[i].name, name))
			return &apps[i];
	if (apps)
		api_problem(c, 404, "there is no app '%.*s'", BYTES_ARG(bytes_sub(name, 0, 64)));
	return NULL;
}

struct bytes edit_tag(char room[EDIT_TAG], uint64_t hash)
{
	int n = snprintf(room, EDIT_TAG, "\"%016llx\"", (unsigned long long)hash);

	return (struct bytes){ room, (size_t)n };
}

void edit_put_hash(struct json_out *o, const char *key, uint64_t hash)
{
	char tag[EDIT_TAG];
	struct bytes b = edit_tag(tag, hash);

	out_text(o, key, bytes_sub(b, 1, b.len - 1));
}

void edit_put_words(struct json_out *o, const char *key, const struct edit_words *w)
{
	out_list(o, key);
	for (size_t i = 0; i < w->n; i++)
		out_text(o, NULL, w->at[i]);
	out_end(o);
}

static const struct api_field place_fields[] = {
	{ "file", API_TEXT, .help = "or an option of the command line" },
	{ "line", API_INT, .help = "counted from 1; 0: of an option" },
};
const struct api_shape edit_place_shape = API_SHAPE("Place", place_fields);

void edit_put_place(struct json_out *o, const struct edit_place *p)
{
	out_object(o, "where");
	out_str(o, "file", p->file);
	out_int(o, "line", p->line);
	out_end(o);
}

/* ---- a change ---- */

static const struct api_field error_fields[] = {
	{ "file", API_TEXT, .optional = true, .help = "null: it is not about a place" },
	{ "line", API_INT, .help = "counted from 1" },
	{ "column", API_INT, .help = "counted from 1" },
	{ "text", API_TEXT, .help = "what is wrong" },
};
static const struct api_shape error_shape = API_SHAPE("ConfigError", error_fields);

static const struct api_field impact_fields[] = {
	{ "would_unblock", API_OBJECT, .of = &api_impact_shape, .help = "requests of the last 7 days: stopped now, and not with it" },
	{ "would_open", API_OBJECT, .of = &api_impact_shape, .help = "of those, the ones with other marks against them or their clients" },
	{ "more", API_FLAG, .help = "alerts than were looked at: the newest 1,000" },
};
static const struct api_shape impact_shape = API_SHAPE("ChangeImpact", impact_fields);

static const char *const gate_states[] = { "applied", "same", "differs", "off", "refused", "silent", NULL };
static const struct api_field gate_fields[] = {
	{ "node", API_TEXT, .help = "its name" },
	{ "state", API_TEXT, .words = gate_states, .help = "same: it had it; differs: its overrides were others before, and are as they were; off: "
	  "its own admin.cluster_writes; silent: it did not answer in 15 seconds" },
	{ "why", API_TEXT, .optional = true, .help = "it was refused; of what was applied, the first warning" },
};
static const struct api_shape gate_shape = API_SHAPE("ChangeGate", gate_fields);

static const struct api_field change_fields[] = {
	{ "ok", API_FLAG, .help = "it is a configuration that can be served by" },
	{ "diff", API_TEXT, .help = "of the file for changes, unified" },
	{ "errors", API_OBJECT, .list = true, .of = &error_shape, .help = "why not: the first one found" },
	{ "warnings", API_TEXT, .list = true, .help = "what protects less than before, what is over, what is otherwise bad and would pass" },
	{ "applied", API_FLAG, .help = "it is written, and in force" },
	{ "confirm_until", API_TIME, .optional = true, .help = "undone then unless confirmed" },
	{ "id", API_TEXT, .optional = true, .help = "of the exception that was added" },
	{ "impact", API_OBJECT, .optional = true, .of = &impact_shape, .help = "of an exception to be added; null: a warning says why" },
	{ "gates", API_OBJECT, .list = true, .optional = true, .of = &gate_shape, .help = "with `admin.cluster_writes`: what came of it at the others" },
};
const struct api_shape edit_change_shape = API_SHAPE("Change", change_fields);

enum { CONFIRM_LEAST = 5, CONFIRM_MOST = 3600 };
static const struct api_field change_query[] = {
	{ "dry_run", API_FLAG, .optional = true, .help = "verified only" },
	{ "confirm", API_INT, .optional = true, .help = "seconds, 5 to 3600: undone after that unless POST /config/confirm comes" },
};
const struct api_shape edit_change_query = API_SHAPE("ChangeQuery", change_query);

struct editing {
	struct api_call *call;
	struct edit_ask ask;
	const char *action;
	struct bytes subject;
	struct impact impact;    /* of EDIT_ADD */
	uint64_t base;           /* hash of the overrides before */
	struct json_out out;     /* the answer, while other gates are offered the change */
};

static void put_errors(struct json_out *o, const struct edit_outcome *x)
{
	out_list(o, "errors");
	if (x->error) {
		out_object(o, NULL);
		out_text(o, "file", x->file);
		out_int(o, "line", x->line);
		out_int(o, "column", x->column);
		out_str(o, "text", x->error);
		out_end(o);
	}
	out_end(o);
}

static void put_change(struct json_out *o, const struct editing *e, const struct edit_outcome *x)
{
	bool weighed = e->ask.kind == EDIT_ADD && !x->error;
	struct edit_words warnings = weighed ? impact_warnings(e->call->arena, &e->impact, &x->warnings) : x->warnings;

	out_flag(o, "ok", x->status == 200);
	out_text(o, "diff", x->diff.at ? x->diff : BYTES(""));
	put_errors(o, x);
	edit_put_words(o, "warnings", &warnings);
	out_flag(o, "applied", x->applied);
	out_time(o, "confirm_until", x->confirm_by_ms);
	if (x->id)
		edit_put_hash(o, "id", x->id);
	else
		out_null(o, "id");
	if (weighed)
		impact_json(o, "impact", &e->impact);
	else
		out_null(o, "impact");
}

/* A problem that has the members of a change too. */
static void put_problem(struct json_out *o, const struct edit_outcome *x)
{
	char detail[512];

	if (x->file.at)
		snprintf(detail, sizeof detail, "%.*s:%u:%u: %s", BYTES_ARG(x->file), x->line, x->column, x->error);
	out_str(o, "type", "about:blank");
	out_str(o, "title", api_title(x->status));
	out_int(o, "status", x->status);
	out_str(o, "detail", x->file.at ? detail : x->error);
}

static void spread(void *ctx, const struct spread_told *told)
{
	struct editing *e = ctx;

	out_list(&e->out, "gates");
	for (size_t i = 0; i < told->n; i++) {
		out_object(&e->out, NULL);
		out_str(&e->out, "node", told->at[i].node);
		out_text(&e->out, "state", told->at[i].state);
		out_text(&e->out, "why", told->at[i].why);
		out_end(&e->out);
	}
	out_end(&e->out);
	out_end(&e->out);
	api_answer(e->call, 200, &e->out);
}

static void changed(void *arg, const struct edit_outcome *x)
{
	struct editing *e = arg;
	struct json_out o = json_out(API_ANSWER_MAX);
	bool problem = x->status != 200 && !(x->status == 422 && e->ask.dry);
	struct bytes note = x->diff;

	if (e->ask.kind == EDIT_ADD && !x->error)
		note = impact_note(e->call->arena, &e->impact, x->diff);
	if (x->applied)
		audit_note(e->call->admin, &e->call->caller, e->action, e->subject, note);
	out_object(&o, NULL);
	if (problem)
		put_problem(&o, x);
	put_change(&o, e, x);
	e->out = o;
	if (spread_changed(e->call->admin, &e->ask, x, e->base, spread, e))
		return;
	out_null(&e->out, "gates");
	out_end(&e->out);
	if (problem)
		api_problem_out(e->call, x->status, &e->out);
	else
		api_answer(e->call, 200, &e->out);
}

bool edit_may(struct api_call *c, bool if_match)
{
	const char *why = edit_why_not(c->admin, c->arena);
	struct edit_config now;
	char tag[EDIT_TAG];

	if (why) {
		api_problem(c, 403, "%s", why);
		return false;
	}
	edit_config_of(c, &now);
	return !if_match || api_matches(c, edit_tag(tag, now.hash));
}

static void begin(struct editing *e)
{
	const struct admin_hooks *h = &e->call->admin->hooks;

	e->base = spread_hash(e->call->admin, e->call->arena);
	h->edit->change(h->ctx, &e->ask, changed, e);
}

/* NULL: it was answered. */
static struct editing *editing_new(struct api_call *c, const struct edit_ask *ask, const char *action, struct bytes subject)
{
	struct editing *e = arena_get(c->arena, sizeof *e);
	uint64_t confirm = api_query_int(c, "confirm", 0, UINT32_MAX);

	if (!e) {
		api_problem(c, 503, "out of memory");
		return NULL;
	}
	if (confirm && (confirm < CONFIRM_LEAST || confirm > CONFIRM_MOST)) {
		api_problem(c, 400, "confirm: %d to %d seconds", CONFIRM_LEAST, CONFIRM_MOST);
		return NULL;
	}
	*e = (struct editing){ .call = c, .ask = *ask, .action = action, .subject = subject };
	e->ask.dry = bytes_eq(api_query(c, "dry_run"), BYTES("true"));
	e->ask.confirm_s = (unsigned)confirm;
	e->ask.by = bytes_of(c->caller.name);
	return e;
}

void edit_change(struct api_call *c, const struct edit_ask *ask, const char *action, struct bytes subject)
{
	struct editing *e = editing_new(c, ask, action, subject);

	if (e)
		begin(e);
}

static void weighed(void *ctx, const struct impact *i)
{
	struct editing *e = ctx;

	e->impact = *i;
	begin(e);
}

void edit_add(struct api_call *c, const struct edit_ask *ask, const struct edit_exception *x)
{
	struct editing *e = editing_new(c, ask, "exception.add", x->app);

	if (e)
		impact_ask(c->admin, x, weighed, e);
}
