/* api_bots.c -- what became of challenges, and who said that it is a bot. */
#include "admin/api/api_tables.h"
#include "admin/series.h"

enum { APPS_MAX = 256, BOUNDS_MAX = 17 };

static const char *const ranges[] = { "1h", "24h", "30d", NULL };
static const struct api_field query_fields[] = {
	{ "range", API_TEXT, .optional = true, .words = ranges, .help = "for `over`" },
};
static const struct api_shape query_shape = API_SHAPE("BotsQuery", query_fields);

#define STEP_FIELDS \
	{ "issued", API_INT, .help = "pages that were shown" }, \
	{ "solved", API_INT, .help = "passes that were given" }, \
	{ "wrong", API_INT, .help = "no solution, or too early" }, \
	{ "forged", API_INT, .help = "not ours, or another client's" }, \
	{ "expired", API_INT, .help = "left open for too long" }, \
	{ "crowded", API_INT, .help = "its network had its share of passes" }, \
	{ "shared", API_INT, .help = "a pass was seen in too many networks, and revoked" }, \
	{ "trouble", API_INT, .help = "the provider of captchas gave no answer" }

static const struct api_field funnel_fields[] = { STEP_FIELDS };
static const struct api_shape funnel_shape = API_SHAPE("ChallengeFunnel", funnel_fields);
static const struct api_field app_fields[] = { { "app", API_TEXT, .help = "its name" }, STEP_FIELDS };
static const struct api_shape app_shape = API_SHAPE("ChallengeFunnelOfApp", app_fields);

static const struct api_field over_fields[] = {
	{ "issued", API_INT, .help = "requests that were shown a challenge" },
	{ "solved", API_INT, .help = "passes that were given" },
	{ "failed", API_INT, .help = "for whatever reason" },
};
static const struct api_shape over_shape = API_SHAPE("ChallengesOverRange", over_fields);

static const struct api_field category_fields[] = {
	{ "category", API_TEXT, .help = "search, ai-training, ..." },
	{ "requests", API_INT, .help = "that say so" },
	{ "verified", API_INT, .help = "of these, from an address that agrees" },
	{ "impostors", API_INT, .help = "of these, from one that does not" },
};
static const struct api_shape category_shape = API_SHAPE("BotCategory", category_fields);

static const struct api_field times_fields[] = {
	{ "buckets", API_INT, .list = true, .help = "upper bounds, milliseconds" },
	{ "counts", API_INT, .list = true, .help = "of each, and one more above them" },
};
static const struct api_shape times_shape = API_SHAPE("SolveTimes", times_fields);

static const struct api_field bots_fields[] = {
	{ "since", API_TIME, .help = "when counting began, with this process" },
	{ "funnel", API_OBJECT, .of = &funnel_shape, .help = "of all apps, since then" },
	{ "by_app", API_OBJECT, .list = true, .of = &app_shape, .help = "of apps that challenged anybody, since then" },
	{ "categories", API_OBJECT, .list = true, .of = &category_shape, .help = "that named themselves, since then" },
	{ "solve_ms", API_OBJECT, .of = &times_shape, .help = "from the page to the pass, to the second, since then" },
	{ "over", API_OBJECT, .optional = true, .of = &over_shape, .help = "of the range that was asked for, over restarts too" },
};
static const struct api_shape bots_shape = API_SHAPE("Bots", bots_fields);

/* ---- gathered ---- */

struct gathering {
	struct { struct bytes app; uint64_t steps[CHALLENGE_STEPS]; } apps[APPS_MAX];
	size_t napps;
	uint64_t steps[CHALLENGE_STEPS], within[BOUNDS_MAX];
	const uint32_t *bounds_us;
	unsigned nbounds;
};

/* Levels of an app come one after the other. */
static void take(void *ctx, const struct metrics_challenge_counts *c)
{
	struct gathering *g = ctx;

	if (!g->napps || !bytes_eq(g->apps[g->napps - 1].app, c->app)) {
		if (g->napps == APPS_MAX)
			return;
		g->apps[g->napps++].app = c->app;
	}
	for (int i = 0; i < CHALLENGE_STEPS; i++) {
		g->apps[g->napps - 1].steps[i] += c->steps[i];
		g->steps[i] += c->steps[i];
	}
	g->bounds_us = c->bounds_us;
	g->nbounds = c->nbounds;
	for (unsigned i = 0; i <= c->nbounds && i < BOUNDS_MAX; i++)
		g->within[i] += c->solved_within[i];
}

/* ---- written ---- */

static void put_steps(struct json_out *o, const uint64_t steps[CHALLENGE_STEPS])
{
	for (int i = 0; i < CHALLENGE_STEPS; i++)
		out_int(o, metrics_step_word((enum challenge_step)i), (int64_t)steps[i]);
}

static void put_apps(struct json_out *o, const struct gathering *g)
{
	out_list(o, "by_app");
	for (size_t i = 0; i < g->napps; i++) {
		out_object(o, NULL);
		out_text(o, "app", g->apps[i].app);
		put_steps(o, g->apps[i].steps);
		out_end(o);
	}
	out_end(o);
}

static void put_times(struct json_out *o, const struct gathering *g)
{
	out_object(o, "solve_ms");
	out_list(o, "buckets");
	for (unsigned i = 0; i < g->nbounds; i++)
		out_int(o, NULL, g->bounds_us[i] / 1000);
	out_end(o);
	out_list(o, "counts");
	for (unsigned i = 0; i <= g->nbounds && i < BOUNDS_MAX; i++)
		out_int(o, NULL, (int64_t)g->within[i]);
	out_end(o);
	out_end(o);
}

static void put_categories(struct json_out *o, struct metrics *m)
{
	uint64_t n[BOT_CATEGORIES][BOT_PROOFS];

	metrics_bots(m, n);
	out_list(o, "categories");
	for (int i = 0; i < BOT_CATEGORIES; i++) {
		uint64_t all = n[i][BOT_COUNT_UNPROVEN] + n[i][BOT_COUNT_PROVEN] + n[i][BOT_COUNT_IMPOSTOR];

		if (!all)
			continue;
		out_object(o, NULL);
		out_str(o, "category", bot_category_word((enum bot_category)i));
		out_int(o, "requests", (int64_t)all);
		out_int(o, "verified", (int64_t)n[i][BOT_COUNT_PROVEN]);
		out_int(o, "impostors", (int64_t)n[i][BOT_COUNT_IMPOSTOR]);
		out_end(o);
	}
	out_end(o);
}

static uint64_t started_ms(struct admin *a)
{
	struct arena *arena = arena_new(1 << 20);
	struct admin_status s = { .config = "" };

	if (arena)
		a->hooks.status(a->hooks.ctx, arena, &s);
	arena_free(arena);
	return s.started_ms;
}

static void put_bots(struct json_out *o, struct admin *a)
{
	struct gathering g = { .napps = 0 };

	metrics_challenges(a->hooks.counts, take, &g);
	out_time(o, "since", started_ms(a));
	out_object(o, "funnel");
	put_steps(o, g.steps);
	out_end(o);
	put_apps(o, &g);
	put_categories(o, a->hooks.counts);
	put_times(o, &g);
}

/* ---- over a range ---- */

static void answer(struct api_call *c, const struct series_range *r)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	uint64_t n[SERIES_COUNTS] = { 0 };

	for (size_t i = 0; r && !r->failed && i < r->n; i++)
		for (int k = 0; k < SERIES_COUNTS; k++)
			n[k] += r->known[i] ? r->at[i].n[k] : 0;
	out_object(&o, NULL);
	put_bots(&o, c->admin);
	if (r && !r->failed) {
		out_object(&o, "over");
		out_int(&o, "issued", (int64_t)n[SERIES_CHALLENGED]);
		out_int(&o, "solved", (int64_t)n[SERIES_SOLVED]);
		out_int(&o, "failed", (int64_t)n[SERIES_FAILED]);
		out_end(&o);
	} else {
		out_null(&o, "over");
	}
	out_end(&o);
	api_answer(c, 200, &o);
}

static void on_range(void *owner, const struct series_range *r)
{
	answer(owner, r);
}

static void get_bots(struct api_call *c)
{
	struct bytes range = api_query(c, "range");

	for (size_t i = 0; range.at && c->admin->series && i < series_nsteps; i++)
		if (bytes_eq(range, bytes_of(series_steps[i].range)) &&
		    series_range(c->admin->series, (struct bytes){ 0 }, &series_steps[i], on_range, c))
			return;
	answer(c, NULL);
}

static const struct api_route routes[] = {
	{ "GET", "/bots", ROLE_VIEWER, "bots", "what became of challenges, and who said that it is a bot", &query_shape, NULL, &bots_shape, get_bots },
};
const struct api_routes api_bots_routes = API_ROUTES(routes);
