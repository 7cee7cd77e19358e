/* hooks_rules.c -- what the admin asks of the rules and scenarios in force, and has judged by them. */
#include "proxy/gate.h"
#include <stdlib.h>

/* ---- rules ---- */

static int by_id(const void *a, const void *b)
{
	return strcmp(((const struct admin_rule *)a)->info->id, ((const struct admin_rule *)b)->info->id);
}

/* Rulesets that are tuned from one another have the same rules: one row for all their apps. */
static bool shares(const struct app *a, const struct app *b)
{
	return b->rules && ruleset_count(b->rules) && ruleset_rule(a->rules, 0) == ruleset_rule(b->rules, 0);
}

static bool is_first(const struct site *s, const struct app *a)
{
	for (const struct app *b = s->apps; b < a; b++)
		if (shares(a, b))
			return false;
	return true;
}

static bool add_rules(const struct site *s, const struct app *a, struct arena *arena, struct admin_rule **at, size_t *n, size_t *cap)
{
	struct bytes *apps = arena_get(arena, s->napps * sizeof *apps);
	size_t count = ruleset_count(a->rules), napps = 0;

	*at = arena_grow(arena, *at, cap, *n + count, sizeof **at);
	if (!apps || !*at)
		return false;
	for (size_t i = 0; i < s->napps; i++)
		if (shares(a, &s->apps[i]))
			apps[napps++] = s->apps[i].config->name;
	for (size_t i = 0; i < count; i++) {
		struct rule_cost cost = ruleset_cost(a->rules, i);

		(*at)[(*n)++] = (struct admin_rule){ .info = ruleset_rule(a->rules, i), .apps = apps, .napps = napps,
						     .samples = ruleset_costs(a->rules).samples, .ns = cost.ns, .asked = cost.asked };
	}
	return true;
}

static bool merge(struct arena *arena, struct admin_rule *into, const struct admin_rule *r)
{
	struct bytes *apps = arena_get(arena, (into->napps + r->napps) * sizeof *apps);

	if (!apps)
		return false;
	memcpy(apps, into->apps, into->napps * sizeof *apps);
	memcpy(apps + into->napps, r->apps, r->napps * sizeof *apps);
	into->apps = apps;
	into->napps += r->napps;
	into->samples += r->samples;
	into->ns += r->ns;
	into->asked += r->asked;
	return true;
}

/* Apps with other files have rules of the same id too. */
static bool merge_all(struct arena *arena, struct admin_rule *at, size_t *n)
{
	size_t out = 0;

	for (size_t i = 0; i < *n; i++) {
		if (!out || by_id(&at[out - 1], &at[i]) != 0)
			at[out++] = at[i];
		else if (!merge(arena, &at[out - 1], &at[i]))
			return false;
	}
	*n = out;
	return true;
}

static void count(const struct site *s, struct admin_rule *r)
{
	struct metrics_rule_matches m;

	for (size_t i = 0; i < r->napps; i++) {
		metrics_rule(site_app(s, r->apps[i])->state->metrics, bytes_of(r->info->id), &m);
		r->hits += m.detected + m.blocked;
		r->blocked += m.blocked;
	}
}

static const struct admin_rule *hook_rules(void *ctx, struct arena *arena, size_t *n)
{
	const struct site *s = ((struct gate *)ctx)->site;
	size_t cap = 0;
	struct admin_rule *at = arena_grow(arena, NULL, &cap, 1, sizeof *at);

	*n = 0;
	for (size_t i = 0; at && i < s->napps; i++) {
		const struct app *a = &s->apps[i];

		if (a->rules && ruleset_count(a->rules) && is_first(s, a) && !add_rules(s, a, arena, &at, n, &cap))
			return NULL;
	}
	if (!at)
		return NULL;
	qsort(at, *n, sizeof *at, by_id);
	if (!merge_all(arena, at, n))
		return NULL;
	for (size_t i = 0; i < *n; i++)
		count(s, &at[i]);
	return at;
}

static struct admin_costs hook_costs(void *ctx, struct bytes app)
{
	const struct site *s = ((struct gate *)ctx)->site;
	struct admin_costs sum = { 0 };

	for (const struct app *a = s->apps; a < s->apps + s->napps; a++) {
		const struct app *of = app.at ? site_app(s, app) : a;
		struct ruleset_costs c;

		if (!a->rules || !ruleset_count(a->rules) || !is_first(s, a) || !of || !of->rules || !shares(a, of))
			continue;
		c = ruleset_costs(a->rules);
		sum.samples += c.samples;
		sum.shared_ns += c.shared_ns;
		for (size_t i = 0; i < ruleset_count(a->rules); i++)
			sum.rules_ns += ruleset_cost(a->rules, i).ns;
	}
	return sum;
}

/* ---- scenarios ---- */

static bool bit_is(const uint64_t *set, size_t i)
{
	return set && set[i / 64] >> i % 64 & 1;
}

static const char *hook_scenario_mode(void *ctx, size_t i)
{
	const struct site *s = ((struct gate *)ctx)->site;
	size_t off = 0;

	for (size_t a = 0; a < s->napps; a++)
		off += bit_is(s->apps[a].scenarios_off, i);
	if (s->napps && off == s->napps)
		return "off";
	return scenarios_info(s->scenarios, i)->simulated || bit_is(s->scenarios_simulated, i) ? "simulate" : "on";
}

/* ---- requests of the past ---- */

static bool hook_replay(void *ctx, struct replay_job *j)
{
	struct gate *g = ctx;

	return replay_take(g->replay, g->site, j);
}

const struct rules_hooks hooks_rules = { hook_rules, hook_costs, hook_scenario_mode, hook_replay };
