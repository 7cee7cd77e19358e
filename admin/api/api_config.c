/* api_config.c -- the configuration's files, as they run, and changes of them. */
#include "admin/api/api_edit.h"
#include "admin/audit.h"
#include "admin/spread.h"

static const struct api_field file_fields[] = {
	{ "path", API_TEXT, .help = "of the file" },
	{ "text", API_TEXT, .help = "as it was read; *** for passwords in URLs, and for their paths unless an administrator asks, who sees all of `overrides`" },
	{ "hash", API_TEXT, .help = "of the text" },
	{ "writable", API_FLAG, .help = "changes are written to it" },
};
static const struct api_shape file_shape = API_SHAPE("ConfigFile", file_fields);

static const struct api_field pending_fields[] = {
	{ "until", API_TIME, .help = "then the change is undone, unless it is confirmed" },
	{ "by", API_TEXT, .help = "who made it" },
};
static const struct api_shape pending_shape = API_SHAPE("ConfigPending", pending_fields);

static const struct api_field config_fields[] = {
	{ "files", API_OBJECT, .list = true, .of = &file_shape, .help = "in the order of reading" },
	{ "overrides", API_TEXT, .help = "the text of the file for changes; empty: there is none yet" },
	{ "hash", API_TEXT, .help = "of all files; also the ETag" },
	{ "pending", API_OBJECT, .optional = true, .of = &pending_shape, .help = "a change that waits to be confirmed" },
	{ "writes", API_FLAG, .help = "the API may change it" },
};
static const struct api_shape config_shape = API_SHAPE("Config", config_fields);

/* ---- what is secret in a text ---- */

static size_t until(struct bytes b, const char *ends)
{
	size_t n = 0;

	while (n < b.len && (!b.at[n] || !strchr(ends, b.at[n])))
		n++;
	return n;
}

/* What follows "://": without its password; `bare`: without path and query too, which may be keys of their own. */
static struct bytes put_url(struct text *t, struct bytes rest, bool bare)
{
	size_t end = until(rest, " \t\r\n\"',]}"), host = until(bytes_sub(rest, 0, end), "/?#"), at = until(bytes_sub(rest, 0, host), "@");
	size_t colon = at < host ? until(bytes_sub(rest, 0, at), ":") : at;

	if (colon < at) {
		text_put(t, bytes_sub(rest, 0, colon + 1));
		text_str(t, "***");
		text_put(t, bytes_sub(rest, at, host));
	} else {
		text_put(t, bytes_sub(rest, 0, host));
	}
	if (bare && end > host + 1)
		text_str(t, "/***");
	else
		text_put(t, bytes_sub(rest, host, end));
	return bytes_from(rest, end);
}

/* Only URLs can hold a secret that is no reference. "://a" is shorter by four bytes than what may stand for it. */
static struct bytes masked(struct arena *a, struct bytes text, bool bare)
{
	struct bytes rest = text;
	size_t at, room = 2 * text.len + 8;
	struct text t = text_over(arena_raw(a, room), room);

	if (!t.at)
		return (struct bytes){ 0 };
	while ((at = bytes_find(rest, BYTES("://"))) != SIZE_MAX) {
		text_put(&t, bytes_sub(rest, 0, at + 3));
		rest = put_url(&t, bytes_from(rest, at + 3), bare);
	}
	text_put(&t, rest);
	return t.full ? (struct bytes){ 0 } : text_bytes(&t);
}

/* The file for changes is an administrator's to write, so to him it is as it stands. */
static struct bytes seen(const struct api_call *c, struct bytes text, bool writable)
{
	bool all = c->caller.role >= ROLE_ADMINISTRATOR;

	return writable && all ? text : masked(c->arena, text, !all);
}

static void put_file(struct json_out *o, const struct api_call *c, const struct edit_file *f)
{
	out_object(o, NULL);
	out_text(o, "path", f->path);
	out_text(o, "text", seen(c, f->text, f->writable));
	edit_put_hash(o, "hash", f->hash);
	out_flag(o, "writable", f->writable);
	out_end(o);
}

static void put_config(struct json_out *o, const struct api_call *c, const struct edit_config *e)
{
	out_object(o, NULL);
	out_list(o, "files");
	for (size_t i = 0; i < e->nfiles; i++)
		put_file(o, c, &e->files[i]);
	out_end(o);
	out_text(o, "overrides", e->overrides.at ? seen(c, e->overrides, true) : BYTES(""));
	edit_put_hash(o, "hash", e->hash);
	if (e->confirm_by_ms) {
		out_object(o, "pending");
		out_time(o, "until", e->confirm_by_ms);
		out_text(o, "by", e->changed_by);
		out_end(o);
	} else {
		out_null(o, "pending");
	}
	out_flag(o, "writes", e->writes);
	out_end(o);
}

static void get_config(struct api_call *c)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	struct edit_config e;
	char tag[EDIT_TAG];

	edit_config_of(c, &e);
	put_config(&o, c, &e);
	api_answer_tagged(c, edit_tag(tag, e.hash), &o);
}

/* ---- changing ---- */

static const struct api_field text_fields[] = {
	{ "text", API_TEXT, .max = 512 << 10, .help = "the whole file for changes: YAML, `apps` alone" },
};
static const struct api_shape text_shape = API_SHAPE("Overrides", text_fields);

static void put_overrides(struct api_call *c)
{
	struct edit_ask ask = { .kind = EDIT_TEXT };

	json_text(c->body, "text", &ask.text);
	if (edit_may(c, true))
		edit_change(c, &ask, "config.change", BYTES("overrides"));
}

static void post_confirm(struct api_call *c)
{
	const struct admin_hooks *h = &c->admin->hooks;
	struct err e = { 0 };

	if (!h->edit->confirm(h->ctx, &e)) {
		api_failed(c, &e);
		return;
	}
	audit_note(c->admin, &c->caller, "config.confirm", (struct bytes){ 0 }, (struct bytes){ 0 });
	spread_confirmed(c->admin);
	api_done(c);
}

static void post_rollback(struct api_call *c)
{
	edit_change(c, &(struct edit_ask){ .kind = EDIT_UNDO }, "config.rollback", (struct bytes){ 0 });
}

static const struct api_field reload_fields[] = {
	{ "ok", API_FLAG, .help = "what the files say is in force" },
	{ "error", API_TEXT, .optional = true, .help = "why not: what ran goes on" },
};
static const struct api_shape reload_shape = API_SHAPE("Reload", reload_fields);

static void reloaded(void *arg, bool ok, const char *text)
{
	struct api_call *c = arg;
	struct json_out o = json_out(API_ANSWER_MAX);

	audit_note(c->admin, &c->caller, "config.reload", (struct bytes){ 0 }, bytes_of(ok ? "" : text));
	out_object(&o, NULL);
	out_flag(&o, "ok", ok);
	out_str(&o, "error", ok ? NULL : text);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void post_reload(struct api_call *c)
{
	const struct admin_hooks *h = &c->admin->hooks;

	h->edit->reload(h->ctx, reloaded, c);
}

/* A reload reads what is on disk: nothing is changed from here. */
static const struct api_route routes[] = {
	{ "GET", "/config", ROLE_VIEWER, "config", "the files, as they run", NULL, NULL, &config_shape, get_config },
	{ "PUT", "/config/overrides", ROLE_ADMINISTRATOR, "config", "the file for changes, anew", &edit_change_query, &text_shape, &edit_change_shape, put_overrides },
	{ "POST", "/config/confirm", ROLE_ADMINISTRATOR, "config", "the change that waits stays", NULL, NULL, NULL, post_confirm },
	{ "POST", "/config/rollback", ROLE_ADMINISTRATOR, "config", "the change that waits is undone", NULL, NULL, &edit_change_shape, post_rollback },
	{ "POST", "/config/reload", ROLE_ADMINISTRATOR, "config", "read all files again", NULL, NULL, &reload_shape, post_reload },
};
const struct api_routes api_config_routes = API_ROUTES(routes);
