/* api_rules.c -- the rules and scenarios that are loaded, and what they found. */
#include "admin/api/api_tables.h"
#include "admin/rules_hooks.h"
#include "scenarios/scenarios.h"

enum { RULES_ARENA = 64 << 20 };

static const char *const severities[] = { "notice", "warning", "error", "critical", NULL };

static const struct api_field rule_fields[] = {
	{ "id", API_TEXT, .help = "by which exceptions name it" },
	{ "message", API_TEXT, .help = "one line" },
	{ "category", API_TEXT, .help = "sqli, xss, ...; may be empty" },
	{ "severity", API_TEXT, .words = severities, .help = "as the rule says" },
	{ "file", API_TEXT, .help = "that it stands in" },
	{ "line", API_INT, .help = "there" },
	{ "hits", API_INT, .help = "requests that it matched since the start" },
	{ "blocked", API_INT, .help = "of these, those that were stopped" },
	{ "apps", API_TEXT, .list = true, .help = "that have it" },
	{ "cost_ns", API_INT, .optional = true, .help = "always null: rules are sought together, so the time of one is not known" },
};
static const struct api_shape rule_shape = API_SHAPE("Rule", rule_fields);

static const struct api_field rules_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &rule_shape, .help = "by id" },
	{ "next", API_TEXT, .optional = true, .help = "for `after`; null: these were the last" },
	{ "total", API_INT, .help = "that fit, of all pages" },
};
static const struct api_shape rules_shape = API_SHAPE("Rules", rules_fields);

static const struct api_field rules_query[] = {
	{ "q", API_TEXT, .optional = true, .help = "in the id, the message or the file's name, in any case" },
	{ "app", API_TEXT, .optional = true, .help = "only its" },
	{ "category", API_TEXT, .optional = true, .help = "only these" },
	{ "hits", API_FLAG, .optional = true, .help = "true: only rules that matched" },
	{ "after", API_TEXT, .optional = true, .help = "`next` of the page before" },
	{ "limit", API_INT, .optional = true, .min = 1, .help = "50, at most 500" },
};
static const struct api_shape rules_asked = API_SHAPE("RulesQuery", rules_query);

/* ---- rules ---- */

struct wanted {
	struct bytes q, app, category, after;
	bool hits;
};

static bool has_app(const struct admin_rule *r, struct bytes app)
{
	for (size_t i = 0; i < r->napps; i++)
		if (bytes_eq(r->apps[i], app))
			return true;
	return false;
}

static bool holds(const char *text, struct bytes part)
{
	return text && bytes_find_nocase(bytes_of(text), part) != SIZE_MAX;
}

static bool is_wanted(const struct wanted *w, const struct admin_rule *r)
{
	const struct rule_info *i = r->info;

	return (!w->q.len || holds(i->id, w->q) || holds(i->message, w->q) || holds(i->file, w->q)) &&
	       (!w->app.at || has_app(r, w->app)) && (!w->hits || r->hits) &&
	       (!w->category.at || bytes_eq(w->category, bytes_of(i->category ? i->category : "")));
}

static void put_rule(struct json_out *o, const struct admin_rule *r)
{
	const struct rule_info *i = r->info;

	out_object(o, NULL);
	out_str(o, "id", i->id);
	out_str(o, "message", i->message ? i->message : "");
	out_str(o, "category", i->category ? i->category : "");
	out_str(o, "severity", severities[i->severity >= SEVERITY_NOTICE && i->severity <= SEVERITY_CRITICAL ? i->severity - SEVERITY_NOTICE : 0]);
	out_str(o, "file", i->file ? i->file : "");
	out_int(o, "line", i->line);
	out_int(o, "hits", (int64_t)r->hits);
	out_int(o, "blocked", (int64_t)r->blocked);
	out_list(o, "apps");
	for (size_t k = 0; k < r->napps; k++)
		out_text(o, NULL, r->apps[k]);
	out_end(o);
	out_null(o, "cost_ns");
	out_end(o);
}

static void put_rules(struct json_out *o, const struct wanted *w, const struct admin_rule *at, size_t n, uint64_t limit)
{
	const struct admin_rule *last = NULL;
	uint64_t total = 0, shown = 0;
	bool more = false;

	out_object(o, NULL);
	out_list(o, "items");
	for (size_t i = 0; i < n; i++) {
		if (!is_wanted(w, &at[i]))
			continue;
		total++;
		if (w->after.at && bytes_cmp(bytes_of(at[i].info->id), w->after) <= 0)
			continue;
		more = shown == limit;
		if (more)
			continue;
		put_rule(o, last = &at[i]);
		shown++;
	}
	out_end(o);
	out_str(o, "next", more ? last->info->id : NULL);
	out_int(o, "total", (int64_t)total);
	out_end(o);
}

static void get_rules(struct api_call *c)
{
	const struct admin_hooks *h = &c->admin->hooks;
	struct wanted w = { api_query(c, "q"), api_query(c, "app"), api_query(c, "category"), api_query(c, "after"),
			    bytes_eq(api_query(c, "hits"), BYTES("true")) };
	struct json_out o = json_out(API_ANSWER_MAX);
	struct arena *a = arena_new(RULES_ARENA);
	const struct admin_rule *at;
	size_t n = 0;

	at = a ? h->rules->rules(h->ctx, a, &n) : NULL;
	if (at)
		put_rules(&o, &w, at, n, api_query_int(c, "limit", API_PAGE, API_PAGE_MAX));
	arena_free(a);
	if (at)
		api_answer(c, 200, &o);
	else
		api_problem(c, 503, "out of memory");
}

/* ---- scenarios ---- */

static const char *const scenario_modes[] = { "on", "simulate", "off", NULL };

static const struct api_field scenario_fields[] = {
	{ "name", API_TEXT, .help = "author/name" },
	{ "description", API_TEXT, .help = "one line; may be empty" },
	{ "behavior", API_TEXT, .help = "http:scan, ...; may be empty" },
	{ "label", API_TEXT, .help = "for people; may be empty" },
	{ "remediation", API_FLAG, .help = "its overflows lead to decisions" },
	{ "file", API_TEXT, .help = "that it stands in" },
	{ "line", API_INT, .help = "there" },
	{ "mode", API_TEXT, .words = scenario_modes, .help = "simulate: decisions are only told; off: for every app" },
	{ "poured", API_INT, .help = "events that it counted; from zero after a reload, as the next ones" },
	{ "overflowed", API_INT, .help = "counts that overflowed" },
	{ "failed", API_INT, .help = "filters that ended in an error" },
};
static const struct api_shape scenario_shape = API_SHAPE("Scenario", scenario_fields);

static const struct api_field scenarios_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &scenario_shape, .help = "in the order they are asked" },
};
static const struct api_shape scenarios_shape = API_SHAPE("Scenarios", scenarios_fields);

static struct bytes given(struct bytes b)
{
	return b.at ? b : BYTES("");
}

static void put_scenario(struct json_out *o, const struct scenarios *set, size_t i, const char *mode)
{
	const struct scenario_info *s = scenarios_info(set, i);
	struct scenario_counts n;

	scenarios_counts(set, i, &n);
	out_object(o, NULL);
	out_text(o, "name", given(s->name));
	out_text(o, "description", given(s->description));
	out_text(o, "behavior", given(s->behavior));
	out_text(o, "label", given(s->label));
	out_flag(o, "remediation", s->remediation);
	out_str(o, "file", s->file);
	out_int(o, "line", s->line);
	out_str(o, "mode", mode);
	out_int(o, "poured", (int64_t)n.poured);
	out_int(o, "overflowed", (int64_t)n.overflowed);
	out_int(o, "failed", (int64_t)n.failed);
	out_end(o);
}

static void get_scenarios(struct api_call *c)
{
	const struct admin_hooks *h = &c->admin->hooks;
	const struct scenarios *set = h->scenarios(h->ctx);
	struct json_out o = json_out(API_ANSWER_MAX);

	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; set && i < scenarios_count(set); i++)
		put_scenario(&o, set, i, h->rules->scenario_mode(h->ctx, i));
	out_end(&o);
	out_end(&o);
	api_answer(c, 200, &o);
}

static const struct api_route routes[] = {
	{ "GET", "/rules", ROLE_VIEWER, "rules", "what is looked for in requests and answers, and how often it was found", &rules_asked, NULL,
	  &rules_shape, get_rules },
	{ "GET", "/scenarios", ROLE_VIEWER, "rules", "behaviour that is counted", NULL, NULL, &scenarios_shape, get_scenarios },
};
const struct api_routes api_rules_routes = API_ROUTES(routes);
