/* api_exceptions.c -- what is let through where. */
#include "admin/api/api_edit.h"
#include "base/clock.h"

static const struct api_field exception_fields[] = {
	{ "id", API_TEXT, .help = "of what it says: the same after a reload and at every gate" },
	{ "app", API_TEXT, .help = "whose it is" },
	{ "path", API_TEXT, .optional = true, .help = "a pattern; null: every path" },
	{ "methods", API_TEXT, .list = true, .help = "none: every method" },
	{ "rules", API_TEXT, .list = true, .help = "ids, or ranges of them" },
	{ "categories", API_TEXT, .list = true, .help = "sqli, xss, ..." },
	{ "tags", API_TEXT, .list = true, .help = "of SecLang" },
	{ "args", API_TEXT, .list = true, .help = "names of arguments" },
	{ "cookies", API_TEXT, .list = true, .help = "names of cookies" },
	{ "headers", API_TEXT, .list = true, .help = "names of fields" },
	{ "parts", API_TEXT, .list = true, .help = "body, args, cookies, headers, files, path, query, answer" },
	{ "skip", API_TEXT, .list = true, .help = "the short form" },
	{ "max_body", API_INT, .optional = true, .help = "bytes, in place of the app's" },
	{ "reason", API_TEXT, .optional = true, .help = "why" },
	{ "until", API_TIME, .optional = true, .help = "it holds before that; null: for ever" },
	{ "over", API_FLAG, .help = "that has passed: it does not hold any more" },
	{ "by", API_TEXT, .optional = true, .help = "who made it here" },
	{ "made", API_TIME, .optional = true, .help = "when" },
	{ "where", API_OBJECT, .of = &edit_place_shape, .help = "in the files" },
	{ "writable", API_FLAG, .help = "it can be lifted here; else it is in a file of the administrator's" },
};
const struct api_shape edit_exception_shape = API_SHAPE("Exception", exception_fields);

static void put_what(struct json_out *o, const struct edit_exception *e)
{
	edit_put_words(o, "methods", &e->methods);
	edit_put_words(o, "rules", &e->rules);
	edit_put_words(o, "categories", &e->categories);
	edit_put_words(o, "tags", &e->tags);
	edit_put_words(o, "args", &e->args);
	edit_put_words(o, "cookies", &e->cookies);
	edit_put_words(o, "headers", &e->headers);
	edit_put_words(o, "parts", &e->parts);
	edit_put_words(o, "skip", &e->skip);
	if (e->max_body)
		out_int(o, "max_body", (int64_t)e->max_body);
	else
		out_null(o, "max_body");
}

void edit_put_exception(struct json_out *o, const struct edit_exception *e)
{
	out_object(o, NULL);
	edit_put_hash(o, "id", e->id);
	out_text(o, "app", e->app);
	out_text(o, "path", e->path);
	put_what(o, e);
	out_text(o, "reason", e->reason);
	out_time(o, "until", e->until_ms);
	out_flag(o, "over", e->over);
	out_text(o, "by", e->by);
	out_text(o, "made", e->made);
	edit_put_place(o, &e->where);
	out_flag(o, "writable", e->writable);
	out_end(o);
}

/* ---- the list ---- */

static const struct api_field list_query[] = {
	{ "app", API_TEXT, .optional = true, .help = "only its" },
};
static const struct api_shape list_asked = API_SHAPE("ExceptionsQuery", list_query);

static const struct api_field list_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &edit_exception_shape, .help = "app by app, in the files' order; those that are over last" },
};
static const struct api_shape list_shape = API_SHAPE("Exceptions", list_fields);

static void get_exceptions(struct api_call *c)
{
	struct bytes only = api_query(c, "app");
	struct json_out o = json_out(API_ANSWER_MAX);
	const struct edit_app *apps;
	size_t n;

	if (!(apps = edit_apps_of(c, &n)))
		return;
	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; (!only.at || bytes_eq(only, apps[i].name)) && k < apps[i].nexceptions; k++)
			edit_put_exception(&o, &apps[i].exceptions[k]);
	out_end(&o);
	out_end(&o);
	api_answer(c, 200, &o);
}

/* ---- one more, one less ---- */

enum { WORD_MAX = 256 };
static const char *const parts[] = { "body", "args", "cookies", "headers", "files", "path", "query", "answer", NULL };
static const struct api_field add_fields[] = {
	{ "app", API_TEXT, .help = "whose requests" },
	{ "path", API_TEXT, .optional = true, .help = "a pattern; without it every path" },
	{ "methods", API_TEXT, .list = true, .optional = true, .max = WORD_MAX, .help = "without: every method" },
	{ "rules", API_TEXT, .list = true, .optional = true, .max = WORD_MAX, .help = "ids, or ranges of them" },
	{ "categories", API_TEXT, .list = true, .optional = true, .max = WORD_MAX, .help = "sqli, xss, ..." },
	{ "tags", API_TEXT, .list = true, .optional = true, .max = WORD_MAX, .help = "of SecLang" },
	{ "args", API_TEXT, .list = true, .optional = true, .max = WORD_MAX, .help = "names of arguments" },
	{ "cookies", API_TEXT, .list = true, .optional = true, .max = WORD_MAX, .help = "names of cookies" },
	{ "headers", API_TEXT, .list = true, .optional = true, .max = WORD_MAX, .help = "names of fields" },
	{ "parts", API_TEXT, .list = true, .optional = true, .words = parts, .help = "all of a kind" },
	{ "reason", API_TEXT, .help = "why" },
	{ "until", API_TEXT, .optional = true, .max = 40, .help = "the last day (2026-12-31), a length of time (90d), or a time" },
};
static const struct api_shape add_shape = API_SHAPE("ExceptionNew", add_fields);

static struct edit_words words_of(struct api_call *c, const char *name)
{
	const struct json *list = json_at(c->body, name);
	size_t n = list ? json_length(list, "") : 0;
	struct bytes *at = arena_get(c->arena, n * sizeof *at + 1);

	for (size_t i = 0; at && i < n; i++)
		json_text(json_item(list, i), "", &at[i]);
	return (struct edit_words){ at, at ? n : 0 };
}

static struct edit_exception exception_of(struct api_call *c)
{
	struct edit_exception e = {
		.methods = words_of(c, "methods"), .rules = words_of(c, "rules"), .categories = words_of(c, "categories"),
		.tags = words_of(c, "tags"), .args = words_of(c, "args"), .cookies = words_of(c, "cookies"),
		.headers = words_of(c, "headers"), .parts = words_of(c, "parts"),
	};

	json_text(c->body, "app", &e.app);
	json_text(c->body, "path", &e.path);
	json_text(c->body, "reason", &e.reason);
	return e;
}

static void post_exception(struct api_call *c)
{
	struct edit_exception e = exception_of(c);
	struct edit_ask ask = { .kind = EDIT_ADD, .app = e.app };
	struct bytes until;

	if (!edit_may(c, false) || !edit_app_of(c, e.app))
		return;
	if (!e.reason.len)
		api_problem(c, 422, "reason: why is wanted");
	else if (json_text(c->body, "until", &until) && !edit_until(until, clock_wall_ms(), &e.until_ms))
		api_problem(c, 422, "until: '%.*s' is no day, time or length of time", BYTES_ARG(until));
	else if (!(ask.entry = edit_entry(c->arena, &e)))
		api_problem(c, 503, "out of memory");
	else
		edit_add(c, &ask, &e);
}

static void delete_exception(struct api_call *c)
{
	struct edit_ask ask = { .kind = EDIT_DROP };

	if (!edit_may(c, false))
		return;
	if (edit_id(c->params[0], &ask.id))
		edit_change(c, &ask, "exception.delete", c->params[0]);
	else
		api_problem(c, 404, "there is no exception with this id");
}

static const struct api_route routes[] = {
	{ "GET", "/exceptions", ROLE_VIEWER, "exceptions", "what is let through where", &list_asked, NULL, &list_shape, get_exceptions },
	{ "POST", "/exceptions", ROLE_OPERATOR, "exceptions", "one more", &edit_change_query, &add_shape, &edit_change_shape, post_exception },
	{ "DELETE", "/exceptions/{id}", ROLE_OPERATOR, "exceptions", "one less", &edit_change_query, NULL, &edit_change_shape, delete_exception },
};
const struct api_routes api_exceptions_routes = API_ROUTES(routes);
