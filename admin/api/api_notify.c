/* api_notify.c -- who is told what happens: webhooks and syslog, how that goes, and a test of it. */
#include "admin/api/api_edit.h"
#include "admin/audit.h"
#include "admin/notify_hooks.h"

static const char *const kinds[] = { "webhook", "syslog", NULL };
static const char *const states[] = { "good", "failing", "untried", NULL };

static const struct api_field outlet_fields[] = {
	{ "id", API_TEXT, .help = "the same as long as the configuration has it so" },
	{ "kind", API_TEXT, .words = kinds, .help = "docs/notify.md, docs/logs.md" },
	{ "to", API_TEXT, .help = "host and port; administrators are told the URL, without a password" },
	{ "events", API_TEXT, .list = true, .help = "of which it is told" },
	{ "min", API_INT, .optional = true, .help = "attacks in one `every`, of which it is told; null: of syslog" },
	{ "every_s", API_INT, .optional = true, .help = "what happens in so many seconds goes in one message; null: of syslog" },
	{ "full", API_FLAG, .help = "it is told app, path and rule of attacks too" },
	{ "signed", API_FLAG, .help = "its messages are signed by a secret" },
	{ "state", API_TEXT, .words = states, .help = "failing: the last try failed; untried: nothing was to be told" },
	{ "taken", API_INT, .optional = true, .help = "messages that it took, since the start; null: of syslog" },
	{ "failures", API_INT, .optional = true, .help = "tries that failed, since the start; null: of syslog" },
	{ "taken_at", API_TIME, .optional = true, .help = "the last success" },
	{ "failed_at", API_TIME, .optional = true, .help = "the last failure" },
	{ "why", API_TEXT, .optional = true, .help = "of the last failure" },
	{ "next", API_TIME, .optional = true, .help = "the next try of what failed" },
	{ "waiting", API_INT, .help = "happenings that are to be told; of syslog bytes" },
	{ "dropped", API_INT, .optional = true, .help = "lines that it could not be told any more; null: of webhooks, see embergate_events_dropped_total" },
	{ "where", API_OBJECT, .of = &edit_place_shape, .help = "in the configuration" },
};
static const struct api_shape outlet_shape = API_SHAPE("Outlet", outlet_fields);
static const struct api_field list_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &outlet_shape, .help = "as configured" },
};
static const struct api_shape list_shape = API_SHAPE("Outlets", list_fields);
static const struct api_field test_fields[] = {
	{ "taken", API_FLAG, .help = "by the receiver; of syslog: it is on its way" },
	{ "text", API_TEXT, .help = "in words, or why not" },
};
static const struct api_shape test_shape = API_SHAPE("OutletTest", test_fields);

/* ---- the list ---- */

static void put_to(struct json_out *o, struct api_call *c, const struct notify_outlet *x)
{
	size_t scheme = bytes_find(x->url, BYTES("://"));
	struct bytes path = bytes_from(x->url, scheme == SIZE_MAX ? x->url.len : scheme + 3);
	char room[2048];
	struct text t = text_over(room, sizeof room);

	if (c->caller.role == ROLE_ADMINISTRATOR && scheme != SIZE_MAX) {
		text_put(&t, bytes_sub(x->url, 0, scheme + 3));
		text_put(&t, x->host);
		text_put(&t, bytes_from(path, bytes_index(path, '/') < path.len ? bytes_index(path, '/') : path.len));
	} else {
		text_put(&t, x->host);
	}
	out_text(o, "to", text_bytes(&t));
}

static void put_number(struct json_out *o, const char *key, bool known, uint64_t n)
{
	if (known)
		out_int(o, key, (int64_t)n);
	else
		out_null(o, key);
}

static void put_outlet(struct json_out *o, struct api_call *c, const struct notify_outlet *x)
{
	out_object(o, NULL);
	edit_put_hash(o, "id", x->id);
	out_str(o, "kind", kinds[!x->is_webhook]);
	put_to(o, c, x);
	edit_put_words(o, "events", &x->events);
	put_number(o, "min", x->is_webhook, x->min);
	put_number(o, "every_s", x->is_webhook, x->every_ms / 1000);
	out_flag(o, "full", x->full);
	out_flag(o, "signed", x->is_signed);
	out_str(o, "state", x->down ? "failing" : x->taken_ms ? "good" : "untried");
	put_number(o, "taken", x->is_webhook, x->taken);
	put_number(o, "failures", x->is_webhook, x->failures);
	out_time(o, "taken_at", x->taken_ms);
	out_time(o, "failed_at", x->failed_ms);
	out_str(o, "why", x->why);
	out_time(o, "next", x->next_ms);
	put_number(o, "waiting", true, x->waiting);
	put_number(o, "dropped", !x->is_webhook, x->dropped);
	edit_put_place(o, &x->where);
	out_end(o);
}

static void get_notify(struct api_call *c)
{
	const struct admin_hooks *h = &c->admin->hooks;
	struct json_out o = json_out(API_ANSWER_MAX);
	size_t n;
	const struct notify_outlet *at = h->notify->outlets(h->ctx, c->arena, &n);

	if (!at) {
		api_problem(c, 503, "out of memory");
		return;
	}
	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < n; i++)
		put_outlet(&o, c, &at[i]);
	out_end(&o);
	out_end(&o);
	api_answer(c, 200, &o);
}

/* ---- a test ---- */

static void tested(void *arg, const struct notify_tested *t)
{
	struct api_call *c = arg;
	struct json_out o = json_out(API_ANSWER_MAX);

	if (t->status != 200) {
		api_problem(c, t->status, "%s", t->text);
		return;
	}
	audit_note(c->admin, &c->caller, "notify.test", c->params[0], bytes_of(t->text));
	out_object(&o, NULL);
	out_flag(&o, "taken", t->taken);
	out_str(&o, "text", t->text);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void post_test(struct api_call *c)
{
	const struct admin_hooks *h = &c->admin->hooks;
	uint64_t id;

	if (edit_id(c->params[0], &id))
		h->notify->test(h->ctx, id, bytes_of(c->caller.name), tested, c);
	else
		api_problem(c, 404, "there is no such receiver");
}

static const struct api_route routes[] = {
	{ "GET", "/notify", ROLE_VIEWER, "notify", "who is told what happens, and how that goes", NULL, NULL, &list_shape, get_notify },
	{ "POST", "/notify/{id}/test", ROLE_ADMINISTRATOR, "notify", "sends one message that says it is a test", NULL, NULL, &test_shape, post_test },
};
const struct api_routes api_notify_routes = API_ROUTES(routes);
