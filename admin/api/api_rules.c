/* api_rules.c -- the rules and scenarios that are loaded, and what they found. */
#include "admin/api/api_tables.h"
#include "admin/edit_hooks.h"
#include "admin/rules_hooks.h"
#include "admin/suggest_ask.h"
#include "base/clock.h"
#include "scenarios/scenarios.h"
#include <stdlib.h>

enum { RULES_ARENA = 64 << 20, MISTAKES_MS = 7 * 24 * 3600 * 1000 };

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
	{ "alerts", API_INT, .optional = true, .help = "of the newest 1,000 alerts by rules within 7 days, those that it was in; null: they cannot be read now" },
	{ "fp_ratio", API_DECIMAL, .optional = true, .help = "the share of these in which it seems mistaken: of suggestions (GET /suggestions) that were "
	  "accepted, or are likely false positives and not kept; null: not enough known, in fewer than 10 alerts" },
	{ "cost_ns", API_DECIMAL, .optional = true, .help = "its own time, on average of all requests inspected: what comes after the scan that all rules "
	  "share; measured in one request of about 256; null: in none yet" },
	{ "asked_ratio", API_DECIMAL, .optional = true, .help = "of these requests, the share in which it was asked" },
	{ "samples", API_INT, .help = "these requests, since the rules were loaded" },
};
static const struct api_shape rule_shape = API_SHAPE("Rule", rule_fields);

static const struct api_field costs_fields[] = {
	{ "samples", API_INT, .help = "inspections that were timed: one of about 256, since the rules were loaded" },
	{ "shared_ns", API_DECIMAL, .help = "on average of these: taking the request apart and the scan that all rules share" },
	{ "rules_ns", API_DECIMAL, .help = "the same: what is the rules' own, of all rules" },
};
static const struct api_shape costs_shape = API_SHAPE("RuleCosts", costs_fields);

static const struct api_field rules_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &rule_shape, .help = "as `sort` says" },
	{ "next", API_TEXT, .optional = true, .help = "for `after`; null: these were the last" },
	{ "total", API_INT, .help = "that fit, of all pages" },
	{ "costs", API_OBJECT, .optional = true, .of = &costs_shape, .help = "of whole inspections; of the app that was asked for, and others with the same "
	  "rules; null: none was timed yet" },
};
static const struct api_shape rules_shape = API_SHAPE("Rules", rules_fields);

static const char *const sorts[] = { "id", "name", "hits", "fp", "cost", NULL };
enum sort { BY_ID, BY_NAME, BY_HITS, BY_MISTAKES, BY_COST };

static const struct api_field rules_query[] = {
	{ "q", API_TEXT, .optional = true, .help = "in the id, the message or the file's name, in any case" },
	{ "app", API_TEXT, .optional = true, .help = "only its" },
	{ "category", API_TEXT, .optional = true, .help = "only these" },
	{ "hits", API_FLAG, .optional = true, .help = "true: only rules that matched" },
	{ "sort", API_TEXT, .optional = true, .words = sorts, .help = "id, else name: by message; hits, fp, cost: the most first" },
	{ "after", API_TEXT, .optional = true, .help = "`next` of the page before, in the same order" },
	{ "limit", API_INT, .optional = true, .min = 1, .help = "50, at most 500" },
};
static const struct api_shape rules_asked = API_SHAPE("RulesQuery", rules_query);

/* ---- rules ---- */

struct wanted {
	struct bytes q, app, category;
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

/* A rule that is wanted, and what the alerts say of it. */
struct row { const struct admin_rule *rule; const struct suggest_rule *alerts; /* NULL: it was in none, or not known */ };

/* Below 0: not enough is known. */
static double mistakes(const struct row *r)
{
	return r->alerts && r->alerts->alerts >= SUGGEST_RULE_MIN ? (double)r->alerts->mistaken / r->alerts->alerts : -1;
}

static int by_id(const void *a, const void *b)
{
	const struct row *l = a, *r = b;

	return strcmp(l->rule->info->id, r->rule->info->id);
}

static int by_name(const void *a, const void *b)
{
	const struct row *l = a, *r = b;
	const char *left = l->rule->info->message, *right = r->rule->info->message;
	int order = strcasecmp(left ? left : "", right ? right : "");

	return order ? order : by_id(a, b);
}

static int by_hits(const void *a, const void *b)
{
	const struct row *l = a, *r = b;

	return l->rule->hits != r->rule->hits ? (l->rule->hits < r->rule->hits) - (l->rule->hits > r->rule->hits) : by_id(a, b);
}

static int by_mistakes(const void *a, const void *b)
{
	double l = mistakes(a), r = mistakes(b);

	return l < r || l > r ? (l < r) - (l > r) : by_hits(a, b);
}

static double mean(uint64_t sum, uint64_t n)
{
	return n ? (double)sum / (double)n : 0;
}

static int by_cost(const void *a, const void *b)
{
	const struct row *l = a, *r = b;
	double left = mean(l->rule->ns, l->rule->samples), right = mean(r->rule->ns, r->rule->samples);

	return left < right || left > right ? (left < right) - (left > right) : by_id(a, b);
}

static int (*const orders[])(const void *, const void *) = {
	[BY_ID] = by_id, [BY_NAME] = by_name, [BY_HITS] = by_hits, [BY_MISTAKES] = by_mistakes, [BY_COST] = by_cost,
};

static enum sort sort_of(struct bytes word)
{
	size_t i = BY_ID;

	while (sorts[i] && !bytes_eq(word, bytes_of(sorts[i])))
		i++;
	return sorts[i] ? (enum sort)i : BY_ID;
}

static void put_mean(struct json_out *o, const char *key, uint64_t sum, uint64_t n)
{
	if (n)
		out_decimal(o, key, mean(sum, n));
	else
		out_null(o, key);
}

static void put_rule(struct json_out *o, const struct row *r, bool alerts_known)
{
	const struct rule_info *i = r->rule->info;

	out_object(o, NULL);
	out_str(o, "id", i->id);
	out_str(o, "message", i->message ? i->message : "");
	out_str(o, "category", i->category ? i->category : "");
	out_str(o, "severity", severities[i->severity >= SEVERITY_NOTICE && i->severity <= SEVERITY_CRITICAL ? i->severity - SEVERITY_NOTICE : 0]);
	out_str(o, "file", i->file ? i->file : "");
	out_int(o, "line", i->line);
	out_int(o, "hits", (int64_t)r->rule->hits);
	out_int(o, "blocked", (int64_t)r->rule->blocked);
	out_list(o, "apps");
	for (size_t k = 0; k < r->rule->napps; k++)
		out_text(o, NULL, r->rule->apps[k]);
	out_end(o);
	if (alerts_known)
		out_int(o, "alerts", r->alerts ? r->alerts->alerts : 0);
	else
		out_null(o, "alerts");
	if (mistakes(r) >= 0)
		out_decimal(o, "fp_ratio", mistakes(r));
	else
		out_null(o, "fp_ratio");
	put_mean(o, "cost_ns", r->rule->ns, r->rule->samples);
	put_mean(o, "asked_ratio", r->rule->asked, r->rule->samples);
	out_int(o, "samples", (int64_t)r->rule->samples);
	out_end(o);
}

/* Behind the row that `after` names; where that has gone, behind all. */
static size_t start_of(const struct row *rows, size_t n, struct bytes after)
{
	size_t i = 0;

	while (after.at && i < n && !bytes_eq(bytes_of(rows[i].rule->info->id), after))
		i++;
	return after.at && i < n ? i + 1 : i;
}

struct alerts { const struct suggest_rule *at; size_t n; };

static const struct suggest_rule *alerts_of(const struct alerts *a, const char *id)
{
	for (size_t i = 0; i < a->n; i++)
		if (bytes_eq(a->at[i].id, bytes_of(id)))
			return &a->at[i];
	return NULL;
}

static void put_costs(struct json_out *o, const struct admin_costs *c)
{
	if (!c->samples) {
		out_null(o, "costs");
		return;
	}
	out_object(o, "costs");
	out_int(o, "samples", (int64_t)c->samples);
	put_mean(o, "shared_ns", c->shared_ns, c->samples);
	put_mean(o, "rules_ns", c->rules_ns, c->samples);
	out_end(o);
}

static void put_rules(struct json_out *o, struct api_call *c, struct row *rows, size_t n, bool alerts_known)
{
	const struct admin_hooks *h = &c->admin->hooks;
	struct admin_costs costs = h->rules->costs(h->ctx, api_query(c, "app"));
	size_t i, end, limit = api_query_int(c, "limit", API_PAGE, API_PAGE_MAX);

	qsort(rows, n, sizeof *rows, orders[sort_of(api_query(c, "sort"))]);
	i = start_of(rows, n, api_query(c, "after"));
	end = n - i > limit ? i + limit : n;
	out_object(o, NULL);
	out_list(o, "items");
	for (; i < end; i++)
		put_rule(o, &rows[i], alerts_known);
	out_end(o);
	out_str(o, "next", end && end < n ? rows[end - 1].rule->info->id : NULL);
	out_int(o, "total", (int64_t)n);
	put_costs(o, &costs);
	out_end(o);
}

/* alerts->at NULL: not known. False: out of memory. */
static bool list_rules(struct json_out *o, struct api_call *c, struct arena *a, const struct alerts *alerts)
{
	const struct admin_hooks *h = &c->admin->hooks;
	struct wanted w = { api_query(c, "q"), api_query(c, "app"), api_query(c, "category"),
			    bytes_eq(api_query(c, "hits"), BYTES("true")) };
	size_t n, kept = 0;
	const struct admin_rule *at = h->rules->rules(h->ctx, a, &n);
	struct row *rows = at ? arena_get(a, (n + 1) * sizeof *rows) : NULL;

	for (size_t i = 0; rows && i < n; i++)
		if (is_wanted(&w, &at[i]))
			rows[kept++] = (struct row){ &at[i], alerts_of(alerts, at[i].info->id) };
	if (rows)
		put_rules(o, c, rows, kept, alerts->at);
	return rows;
}

static void answer_rules(struct api_call *c, const struct alerts *alerts)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	struct arena *a = arena_new(RULES_ARENA);
	bool listed = a && list_rules(&o, c, a, alerts);

	arena_free(a);
	if (listed)
		api_answer(c, 200, &o);
	else
		api_problem(c, 503, "out of memory");
}

/* What cannot be read now is not known, and the rules are told all the same. */
static void on_alerts(struct suggest_ask *ask, const struct err *e)
{
	struct api_call *c = ask->ctx;
	const struct admin_hooks *h = &c->admin->hooks;
	size_t napps;
	const struct edit_app *apps = e ? NULL : h->edit->apps(h->ctx, c->arena, &napps);
	struct alerts alerts = { 0 };

	if (apps)
		alerts.at = suggest_rules(&ask->set, apps, napps, &alerts.n);
	answer_rules(c, &alerts);
}

static void get_rules(struct api_call *c)
{
	struct suggest_ask *ask = suggest_ask_new(c->admin);

	if (!ask) {
		api_problem(c, 503, "out of memory");
		return;
	}
	ask->since_ms = clock_wall_ms() - MISTAKES_MS;
	ask->app = api_query(c, "app");
	ask->unjudged = true;
	ask->done = on_alerts;
	ask->ctx = c;
	suggest_ask_start(ask);
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
	{ "cost_ns", API_DECIMAL, .optional = true, .help = "its own time (filter, bucket, overflow), on average of all requests; measured in one of about 256; "
	  "null: in none yet" },
	{ "asked_ratio", API_DECIMAL, .optional = true, .help = "of these requests, the share in which its filter ran" },
};
static const struct api_shape scenario_shape = API_SHAPE("Scenario", scenario_fields);

static const struct api_field scenarios_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &scenario_shape, .help = "in the order they are asked" },
	{ "samples", API_INT, .help = "requests that were timed: one of about 256, since the scenarios were loaded" },
	{ "shared_ns", API_DECIMAL, .optional = true, .help = "on average of these: what is no scenario's own; null: none was timed yet" },
};
static const struct api_shape scenarios_shape = API_SHAPE("Scenarios", scenarios_fields);

static struct bytes given(struct bytes b)
{
	return b.at ? b : BYTES("");
}

static void put_scenario(struct json_out *o, const struct scenarios *set, size_t i, const char *mode, uint64_t samples)
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
	put_mean(o, "cost_ns", n.timed_ns, samples);
	put_mean(o, "asked_ratio", n.timed_asked, samples);
	out_end(o);
}

static void get_scenarios(struct api_call *c)
{
	const struct admin_hooks *h = &c->admin->hooks;
	const struct scenarios *set = h->scenarios(h->ctx);
	struct scenarios_costs costs = set ? scenarios_costs(set) : (struct scenarios_costs){ 0 };
	struct json_out o = json_out(API_ANSWER_MAX);

	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; set && i < scenarios_count(set); i++)
		put_scenario(&o, set, i, h->rules->scenario_mode(h->ctx, i), costs.samples);
	out_end(&o);
	out_int(&o, "samples", (int64_t)costs.samples);
	put_mean(&o, "shared_ns", costs.shared_ns, costs.samples);
	out_end(&o);
	api_answer(c, 200, &o);
}

static const struct api_route routes[] = {
	{ "GET", "/rules", ROLE_VIEWER, "rules", "what is looked for in requests and answers, and how often it was found", &rules_asked, NULL,
	  &rules_shape, get_rules },
	{ "GET", "/scenarios", ROLE_VIEWER, "rules", "behaviour that is counted", NULL, NULL, &scenarios_shape, get_scenarios },
};
const struct api_routes api_rules_routes = API_ROUTES(routes);
