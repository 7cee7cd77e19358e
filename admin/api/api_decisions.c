/* api_decisions.c -- who is held to be what: listed, held, lifted, imported, exported; and against whom nothing is held. */
#include "admin/api/api_tables.h"
#include "admin/api/reputation_shapes.h"
#include "admin/audit.h"
#include "admin/held.h"
#include "base/clock.h"
#include "base/duration.h"
#include <stdlib.h>

enum { PAGE_ARENA = 1 << 20 };

/* ---- a page, walked on the store's thread ---- */

static const struct api_field list_query[] = {
	{ "scope", API_TEXT, .optional = true, .words = scope_words, .help = "only these" },
	{ "value", API_TEXT, .optional = true, .max = 64, .help = "an address: what a request of it would meet; a block: what is in it or around it" },
	{ "origin", API_TEXT, .optional = true, .max = 255, .help = "the whole word" },
	{ "remedy", API_TEXT, .optional = true, .words = remedy_words, .help = "only these" },
	{ "q", API_TEXT, .optional = true, .max = 255, .help = "somewhere in value, reason or origin" },
	{ "after", API_INT, .optional = true, .help = "`next` of the page before" },
	{ "limit", API_INT, .optional = true, .min = 1, .help = "50, at most 500" },
};
static const struct api_shape list_asked = API_SHAPE("DecisionQuery", list_query);

static const struct api_field list_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &decision_shape, .help = "newest first" },
	{ "next", API_TEXT, .optional = true, .help = "for `after`; null: these were the last" },
	{ "total", API_INT, .help = "how many there are on all pages" },
};
static const struct api_shape decisions_shape = API_SHAPE("Decisions", list_fields);

struct listing {
	struct api_call *call;
	struct decisions *decisions;
	struct decisions_filter filter;
	struct ip_net against;
	size_t limit;
	bool good;
	struct json_out out;
};

static void put_page(struct json_out *o, const struct decisions_page *p)
{
	out_object(o, NULL);
	out_list(o, "items");
	for (size_t i = 0; i < p->n; i++)
		decision_out(o, &p->at[i]);
	out_end(o);
	if (p->next)
		out_id(o, "next", p->next);
	else
		out_null(o, "next");
	out_int(o, "total", (int64_t)p->total);
	out_end(o);
}

static void run_page(struct sqlite3 *db, void *arg)
{
	struct listing *l = arg;
	struct arena *a = arena_new(PAGE_ARENA);
	struct decisions_page *p = a ? arena_get(a, sizeof *p) : NULL;

	(void)db;
	l->good = p && decisions_page(l->decisions, &l->filter, clock_wall_ms(), l->limit, a, p);
	if (l->good)
		put_page(&l->out, p);
	arena_free(a);
}

static void page_done(void *arg)
{
	struct listing *l = arg;

	if (l->good) {
		api_answer(l->call, 200, &l->out);
		return;
	}
	json_out_free(&l->out);
	api_problem(l->call, 503, "out of memory");
}

static void list(struct api_call *c, struct listing *of)
{
	struct listing *l = arena_get(c->arena, sizeof *l);

	if (l) {
		*l = *of;
		l->call = c;
		l->decisions = c->admin->hooks.decisions;
		l->filter.against = of->filter.against ? &l->against : NULL;
		l->filter.before = api_query_int(c, "after", 0, INT64_MAX);
		l->limit = (size_t)api_query_int(c, "limit", API_PAGE, API_PAGE_MAX);
		l->out = json_out(API_ANSWER_MAX);
	}
	if (!l || !c->admin->store || !store_do(c->admin->store, run_page, c->admin->loop, page_done, l))
		api_problem(c, 503, "decisions cannot be listed now");
}

static void get_decisions(struct api_call *c)
{
	struct bytes scope = api_query(c, "scope"), remedy = api_query(c, "remedy"), value = api_query(c, "value");
	struct listing l = { .filter = { .scope = SCOPE_COUNT, .remedy = REMEDY_COUNT, .origin = api_query(c, "origin"),
					 .text = api_query(c, "q") } };

	if (scope.at)
		l.filter.scope = scope_from_word(scope);
	if (remedy.at)
		remedy_from_word(remedy, &l.filter.remedy);
	if (value.len && !ip_net_parse(value, &l.against)) {
		api_problem(c, 400, "value: an address or a block is wanted; for other scopes use q");
		return;
	}
	l.filter.against = value.len ? &l.against : NULL;
	list(c, &l);
}

/* ---- holding ---- */

static const char *const held_remedies[] = { "log", "throttle", "challenge", "captcha", "tarpit", "deny", NULL };
static const struct api_field wish_fields[] = {
	{ "value", API_TEXT, .max = 255, .help = "an address, a block, or what the scope says" },
	{ "scope", API_TEXT, .optional = true, .words = scope_words, .help = "Ip or Range by what the value looks like" },
	{ "remedy", API_TEXT, .optional = true, .words = held_remedies, .help = "deny" },
	{ "duration", API_TEXT, .optional = true, .max = 32, .help = "\"30m\", \"7d\"; four hours" },
	{ "reason", API_TEXT, .optional = true, .max = 200, .help = "by hand" },
};
static const struct api_shape wish_shape = API_SHAPE("DecisionWish", wish_fields);

static const struct api_field allow_fields[] = {
	{ "value", API_TEXT, .max = 255, .help = "an address, a block, or what the scope says" },
	{ "scope", API_TEXT, .optional = true, .words = scope_words, .help = "Ip or Range by what the value looks like" },
	{ "duration", API_TEXT, .optional = true, .max = 32, .help = "ten years" },
	{ "reason", API_TEXT, .optional = true, .max = 200, .help = "by hand" },
};
static const struct api_shape allow_wish_shape = API_SHAPE("AllowWish", allow_fields);

static void hold(struct api_call *c, enum remedy_kind remedy)
{
	struct held_wish w = { .scope = SCOPE_OTHER, .remedy = remedy };
	struct json_out o = json_out(API_ANSWER_MAX);
	struct bytes word;
	struct decision d;
	struct err e = { 0 };

	json_text(c->body, "value", &w.value);
	json_text(c->body, "reason", &w.reason);
	if (json_text(c->body, "scope", &word))
		w.scope = scope_from_word(word);
	if (remedy != REMEDY_ALLOW && json_text(c->body, "remedy", &word))
		remedy_from_word(word, &w.remedy);
	if (json_text(c->body, "duration", &word) && (!duration_parse(word, &w.life_us) || !w.life_us)) {
		api_problem(c, 422, "duration: a time is wanted, as 30m, 4h or 7d");
		return;
	}
	if (!held_add(c->admin, &c->caller, &w, &d, &e)) {
		api_failed(c, &e);
		return;
	}
	decision_out(&o, &d);
	api_answer(c, 200, &o);
}

static void post_decision(struct api_call *c)
{
	hold(c, REMEDY_DENY);
}

/* ---- lifting ---- */

static void delete_decision(struct api_call *c)
{
	uint64_t id;

	if (bytes_u64(c->params[0], &id) && held_lift_id(c->admin, &c->caller, id))
		api_done(c);
	else
		api_problem(c, 404, "there is no decision of that id");
}

static const struct api_field lift_fields[] = { { "value", API_TEXT, .max = 255, .help = "an address, a block, or what the scope says" } };
static const struct api_shape lift_shape = API_SHAPE("DecisionLift", lift_fields);
static const struct api_field lifted_fields[] = { { "lifted", API_INT, .help = "how many" } };
static const struct api_shape lifted_shape = API_SHAPE("DecisionsLifted", lifted_fields);

static void post_lift(struct api_call *c)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	struct bytes value = { 0 };

	json_text(c->body, "value", &value);
	out_object(&o, NULL);
	out_int(&o, "lifted", (int64_t)held_lift(c->admin, &c->caller, value));
	out_end(&o);
	api_answer(c, 200, &o);
}

/* ---- lists of decisions: read and written on the store's thread ---- */

static const char *const import_words[] = { "auto", "plain", "csv", "json", NULL }; /* in the order of enum list_format */
static const struct api_field import_fields[] = {
	{ "format", API_TEXT, .optional = true, .words = import_words, .help = "auto" },
	{ "text", API_TEXT, .max = API_BODY_MAX, .help = "addresses and blocks a line, CSV or JSON, as `ctl decisions import` reads them" },
};
static const struct api_shape import_shape = API_SHAPE("DecisionImport", import_fields);
static const struct api_field imported_fields[] = {
	{ "added", API_INT, .help = "how many are held" },
	{ "refused", API_INT, .help = "how many are not" },
	{ "errors", API_TEXT, .list = true, .help = "the first hundred, with their lines" },
};
static const struct api_shape imported_shape = API_SHAPE("DecisionsImported", imported_fields);

struct importing {
	struct api_call *call;
	struct held_import import;
	struct bytes text;
	struct json_out out;
};

static void put_trouble(void *ctx, struct bytes line)
{
	out_text(ctx, NULL, line);
}

static void run_import(struct sqlite3 *db, void *arg)
{
	struct importing *i = arg;
	struct err e = { 0 };

	(void)db;
	out_object(&i->out, NULL);
	out_list(&i->out, "errors");
	if (!held_import(&i->import, i->text, &e))
		out_str(&i->out, NULL, e.text);
	out_end(&i->out);
	out_int(&i->out, "added", (int64_t)i->import.added);
	out_int(&i->out, "refused", (int64_t)i->import.refused);
	out_end(&i->out);
}

static void import_done(void *arg)
{
	struct importing *i = arg;
	char room[64];
	struct text t = text_over(room, sizeof room);

	text_printf(&t, "%zu decisions", i->import.added);
	if (i->import.added)
		audit_note(i->call->admin, &i->call->caller, "decision.import", text_bytes(&t), (struct bytes){ 0 });
	api_answer(i->call, 200, &i->out);
}

static void post_import(struct api_call *c)
{
	struct importing *i = arena_get(c->arena, sizeof *i);
	struct bytes format = { 0 };

	if (i) {
		*i = (struct importing){ .call = c, .out = json_out(API_ANSWER_MAX) };
		i->import = (struct held_import){ .decisions = c->admin->hooks.decisions, .trouble = put_trouble, .ctx = &i->out };
		json_text(c->body, "text", &i->text);
		if (json_text(c->body, "format", &format))
			while (!bytes_eq(format, bytes_of(import_words[i->import.format])))
				i->import.format++;
	}
	if (!i || !c->admin->store || !store_do(c->admin->store, run_import, c->admin->loop, import_done, i))
		api_problem(c, 503, "decisions cannot be imported now");
}

static const char *const export_words[] = { "plain", "csv", "json", "nft", "ipset", "haproxy", "nginx", NULL };
_Static_assert(nelems(export_words) == LIST_FORMS + 1, "a word for each");
static const struct api_field export_query[] = {
	{ "format", API_TEXT, .optional = true, .words = export_words, .help = "plain" },
};
static const struct api_shape export_asked = API_SHAPE("DecisionExport", export_query);

struct exporting {
	struct api_call *call;
	struct decisions *decisions;
	enum list_form form;
	struct bytes out;
	struct err err;
};

static void run_export(struct sqlite3 *db, void *arg)
{
	struct exporting *e = arg;

	(void)db;
	held_export(e->decisions, e->form, &e->out, &e->err);
}

static void export_done(void *arg)
{
	struct exporting *e = arg;
	struct bytes out = e->out; /* e is gone with the answer */

	if (out.at)
		api_answer_text(e->call, out);
	else
		api_failed(e->call, &e->err);
	free((char *)(uintptr_t)out.at);
}

static void get_export(struct api_call *c)
{
	struct exporting *e = arena_get(c->arena, sizeof *e);
	struct bytes format = api_query(c, "format");

	if (e) {
		*e = (struct exporting){ .call = c, .decisions = c->admin->hooks.decisions };
		e->form = format.at ? list_form_named(format) : LIST_AS_PLAIN;
	}
	if (!e || !c->admin->store || !store_do(c->admin->store, run_export, c->admin->loop, export_done, e))
		api_problem(c, 503, "decisions cannot be exported now");
}

/* ---- against whom nothing is held ---- */

static const struct api_field allow_query[] = {
	{ "q", API_TEXT, .optional = true, .max = 255, .help = "somewhere in value or reason" },
	{ "after", API_INT, .optional = true, .help = "`next` of the page before" },
	{ "limit", API_INT, .optional = true, .min = 1, .help = "50, at most 500" },
};
static const struct api_shape allow_asked = API_SHAPE("AllowQuery", allow_query);

static void get_allow(struct api_call *c)
{
	list(c, &(struct listing){ .filter = { .scope = SCOPE_COUNT, .remedy = REMEDY_ALLOW, .text = api_query(c, "q") } });
}

static void post_allow(struct api_call *c)
{
	hold(c, REMEDY_ALLOW);
}

static void delete_allow(struct api_call *c)
{
	if (held_disallow(c->admin, &c->caller, c->params[0]))
		api_done(c);
	else
		api_problem(c, 404, "that value is not allowed");
}

static const struct api_route routes[] = {
	{ "GET", "/decisions", ROLE_VIEWER, "decisions", "who is held to be what, newest first", &list_asked, NULL, &decisions_shape,
	  get_decisions },
	{ "POST", "/decisions", ROLE_OPERATOR, "decisions", "hold something against a value", NULL, &wish_shape, &decision_shape, post_decision },
	{ "DELETE", "/decisions/{id}", ROLE_OPERATOR, "decisions", "lift one", NULL, NULL, NULL, delete_decision },
	{ "POST", "/decisions/lift", ROLE_OPERATOR, "decisions", "lift all against a value", NULL, &lift_shape, &lifted_shape, post_lift },
	{ "POST", "/decisions/import", ROLE_OPERATOR, "decisions", "hold what a list says", NULL, &import_shape, &imported_shape, post_import },
	{ "GET", "/decisions/export", ROLE_VIEWER, "decisions", "for firewalls and proxies, as text", &export_asked, NULL, NULL, get_export },
	{ "GET", "/allow", ROLE_VIEWER, "decisions", "against whom nothing is held", &allow_asked, NULL, &decisions_shape, get_allow },
	{ "POST", "/allow", ROLE_OPERATOR, "decisions", "hold nothing against a value", NULL, &allow_wish_shape, &decision_shape, post_allow },
	{ "DELETE", "/allow/{value}", ROLE_OPERATOR, "decisions", "a block's slash is %2F", NULL, NULL, NULL, delete_allow },
};
const struct api_routes api_decisions_routes = API_ROUTES(routes);
