/* api_series.c -- figures: over time, of now, and whom and what they are of. */
#include "admin/api/api_tables.h"
#include "admin/api/peers.h"
#include "admin/guest.h"
#include "admin/series.h"
#include "admin/tally.h"

/* ---- now ---- */

static const struct api_field stats_query_fields[] = {
	{ "app", API_TEXT, .optional = true, .help = "of that one; without it of all" },
	{ "nodes", API_TEXT, .optional = true, .words = api_all_nodes, .help = "of all gates of the cluster together, half a second at most: sums; of latency and `decisions` the highest of the gates" },
};
static const struct api_shape stats_query_shape = API_SHAPE("StatsQuery", stats_query_fields);

static const struct api_field stats_fields[] = {
	{ "time", API_TIME, .help = "now" },
	{ "rps", API_DECIMAL, .help = "requests a second, of the last 10 s or a little more" },
	{ "blocked_ps", API_DECIMAL, .help = "of these, denied" },
	{ "challenged_ps", API_DECIMAL, .help = "of these, shown a challenge" },
	{ "added_p50_us", API_DECIMAL, .optional = true, .help = "what inspection added, median; null: no requests" },
	{ "added_p99_us", API_DECIMAL, .optional = true, .help = "the same, 99 of 100 are below" },
	{ "connections", API_INT, .help = "of clients, open; of all apps" },
	{ "decisions", API_INT, .help = "in force; of all apps" },
	{ "requests_total", API_INT, .help = "since the process began" },
	{ "blocked_total", API_INT, .help = "since the process began" },
	{ "events_total", API_INT, .help = "written since the process began; of all apps" },
	{ "events_dropped", API_INT, .help = "not kept, since the process began; of all apps" },
	{ "silent", API_TEXT, .list = true, .optional = true, .help = "with `nodes=all`: gates that did not answer" },
};
static const struct api_shape stats_shape = API_SHAPE("Stats", stats_fields);

static void no_app(struct api_call *c, struct bytes app)
{
	api_problem(c, 404, "there are no figures of '%.*s'", BYTES_ARG(bytes_sub(app, 0, 64)));
}

static void get_stats(struct api_call *c)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	struct bytes app = api_query(c, "app");

	if (peers_wanted(c))
		peers_stats(c);
	else if (series_stats_json(c->admin, app, &o))
		api_answer(c, 200, &o);
	else
		no_app(c, app);
}

/* ---- over time ---- */

static const char *const ranges[] = { "1h", "24h", "30d", NULL };
static const struct api_field series_query_fields[] = {
	{ "range", API_TEXT, .words = ranges, .help = "by steps of 10 s, 1 min, 10 min" },
	{ "app", API_TEXT, .optional = true, .help = "of that one; without it of all" },
	{ "nodes", API_TEXT, .optional = true, .words = api_all_nodes,
	  .help = "of all gates of the cluster together, half a second at most: sums; of latency the highest of the gates" },
};
static const struct api_shape series_query_shape = API_SHAPE("SeriesQuery", series_query_fields);

static const struct api_field row_fields[] = {
	{ "requests", API_INT, .list = true, .gaps = true, .help = "a number a step, oldest first; null: nothing is known of it" },
	{ "blocked", API_INT, .list = true, .gaps = true, .help = "denied" },
	{ "challenged", API_INT, .list = true, .gaps = true, .help = "challenges shown" },
	{ "solved", API_INT, .list = true, .gaps = true, .help = "challenges solved" },
	{ "failed", API_INT, .list = true, .gaps = true, .help = "solutions that were none" },
	{ "throttled", API_INT, .list = true, .gaps = true, .help = "told to come back later" },
	{ "detected", API_INT, .list = true, .gaps = true, .help = "let through, though something was found" },
	{ "s4xx", API_INT, .list = true, .gaps = true, .help = "answers 400 to 499" },
	{ "s5xx", API_INT, .list = true, .gaps = true, .help = "answers 500 to 599" },
	{ "added_p50_us", API_DECIMAL, .list = true, .gaps = true, .help = "what inspection added, median" },
	{ "added_p99_us", API_DECIMAL, .list = true, .gaps = true, .help = "the same, 99 of 100 are below" },
};
static const struct api_shape row_shape = API_SHAPE("SeriesRows", row_fields);

static const struct api_field series_fields[] = {
	{ "step_s", API_INT, .help = "seconds a step" },
	{ "from", API_TIME, .help = "the first step begins" },
	{ "to", API_TIME, .help = "the last one ends" },
	{ "series", API_OBJECT, .of = &row_shape, .help = "each as long as the others" },
	{ "silent", API_TEXT, .list = true, .optional = true, .help = "with `nodes=all`: gates that did not answer" },
};
static const struct api_shape series_shape = API_SHAPE("Series", series_fields);

static void put_counts(struct json_out *o, const struct series_range *r, enum series_count what)
{
	out_list(o, series_names[what]);
	for (size_t i = 0; i < r->n; i++)
		if (r->known[i])
			out_int(o, NULL, (int64_t)r->at[i].n[what]);
		else
			out_null(o, NULL);
	out_end(o);
}

static void put_added(struct json_out *o, const struct series_range *r, const char *key, unsigned percent)
{
	double us;

	out_list(o, key);
	for (size_t i = 0; i < r->n; i++)
		if (r->known[i] && series_added(&r->at[i], percent, &us))
			out_decimal(o, NULL, us);
		else
			out_null(o, NULL);
	out_end(o);
}

static void on_range(void *owner, const struct series_range *r)
{
	struct json_out o = json_out(API_ANSWER_MAX);

	if (r->failed) {
		api_problem(owner, 503, "the series cannot be read: the log says why");
		return;
	}
	out_object(&o, NULL);
	out_int(&o, "step_s", r->step->step_s);
	out_time(&o, "from", r->from_s * 1000);
	out_time(&o, "to", (r->from_s + r->step->range_s) * 1000);
	out_object(&o, "series");
	for (int i = 0; i < SERIES_COUNTS; i++)
		put_counts(&o, r, (enum series_count)i);
	put_added(&o, r, "added_p50_us", 50);
	put_added(&o, r, "added_p99_us", 99);
	out_end(&o);
	out_end(&o);
	api_answer(owner, 200, &o);
}

static void get_series(struct api_call *c)
{
	struct bytes range = api_query(c, "range"), app = api_query(c, "app");
	const struct series_step *step = series_steps;

	if (peers_wanted(c)) {
		peers_series(c);
		return;
	}
	while (!bytes_eq(range, bytes_of(step->range)))
		step++;
	if (api_has_turn(c) && (!c->admin->series || !series_range(c->admin->series, app, step, on_range, c)))
		api_problem(c, 503, "no series are kept: the log says why");
}

/* ---- whom and what ---- */

static const char *const keys[] = {
	"app", "country", "as", "rule", "path", "address", "action", "source", "ja4", "user_agent", NULL,
};
static const struct api_field top_query_fields[] = {
	{ "by", API_TEXT, .words = keys, .help = "what events are counted by; a rule: the one that told most" },
	{ "from", API_TIME, .optional = true, .help = "not earlier" },
	{ "to", API_TIME, .optional = true, .help = "earlier" },
	{ "app", API_TEXT, .optional = true, .help = "of that one" },
	{ "action", API_TEXT, .optional = true, .help = "of these" },
	{ "limit", API_INT, .optional = true, .min = 1, .help = "of entries; 10 without it, at most 500" },
	{ "nodes", API_TEXT, .optional = true, .words = api_all_nodes,
	  .help = "of all gates of the cluster together, half a second at most: sums of the 500 most of each" },
};
static const struct api_shape top_query_shape = API_SHAPE("TopQuery", top_query_fields);

static const struct api_field entry_fields[] = {
	{ "key", API_TEXT, .help = "of the events that were counted; empty: those that have none" },
	{ "count", API_INT, .help = "of events" },
	{ "clients", API_INT, .help = "addresses among them; with `nodes=all` one that several gates saw counts at each" },
};
static const struct api_shape entry_shape = API_SHAPE("TopEntry", entry_fields);
static const struct api_field top_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &entry_shape, .help = "the most first" },
	{ "partial", API_FLAG, .help = "there are so many that only the newest were counted; with `nodes=all` also: a gate has 500 or more" },
	{ "silent", API_TEXT, .list = true, .optional = true, .help = "with `nodes=all`: gates that did not answer" },
};
static const struct api_shape top_shape = API_SHAPE("Top", top_fields);

static void on_top(void *owner, const struct archive_top *top)
{
	struct json_out o = json_out(API_ANSWER_MAX);

	if (top->failed) {
		api_problem(owner, 503, "the events cannot be read: the log says why");
		return;
	}
	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < top->n; i++) {
		out_object(&o, NULL);
		out_text(&o, "key", top->at[i].key);
		out_int(&o, "count", (int64_t)top->at[i].count);
		out_int(&o, "clients", (int64_t)top->at[i].clients);
		out_end(&o);
	}
	out_end(&o);
	out_flag(&o, "partial", top->partial);
	out_end(&o);
	api_answer(owner, 200, &o);
}

static void get_top(struct api_call *c)
{
	const struct archive_ask ask = {
		.app = api_query(c, "app"), .action = api_query(c, "action"),
		.from_ms = api_query_time(c, "from"), .to_ms = api_query_time(c, "to"),
		.limit = (size_t)api_query_int(c, "limit", 10, ARCHIVE_PAGE_MAX),
	};

	if (peers_wanted(c))
		peers_top(c);
	else if (api_has_turn(c) && (!c->admin->archive || !archive_top(c->admin->archive, api_query(c, "by"), &ask, c->admin->loop, on_top, c)))
		api_problem(c, 503, "events are not kept: the log says why");
}

static const struct api_route routes[] = {
	{ "GET", "/series", ROLE_VIEWER, "figures", "counters and latency over time", &series_query_shape, NULL, &series_shape, get_series },
	{ "GET", "/stats", ROLE_VIEWER, "figures", "the figures of now", &stats_query_shape, NULL, &stats_shape, get_stats },
	{ "GET", "/top", ROLE_VIEWER, "figures", "what most events have in common", &top_query_shape, NULL, &top_shape, get_top },
};
const struct api_routes api_series_routes = API_ROUTES(routes);
