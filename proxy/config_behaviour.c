/* config_behaviour.c -- the keys of behaviour: scenarios, profiles, logins, routes. */
#include "proxy/config_rows.h"

enum { DAY = 24 * HOUR };

static const struct schema_row scenarios_rows[] = {
	{ .key = "packs", .type = &schema_bool, SCHEMA_FIELD(scenarios_config, packs), .unset = "on",
	  .help = "our own scenarios: scans, credential stuffing, scraping, floods" },
	{ .key = "files", .type = &config_type_rule_files, SCHEMA_FIELDS(scenarios_config, files, nfiles),
	  .help = "more scenarios, CrowdSec's as they are: files, globs, or directories of `*.yaml`" },
	{ .key = "data", .type = &schema_path, SCHEMA_ITEMS(scenarios_config, data, ndata),
	  .help = "directories of the data files that they name, for example `/var/lib/crowdsec/data`" },
	{ .key = "off", .type = &schema_text, SCHEMA_ITEMS(scenarios_config, off.at, off.n),
	  .help = "scenarios that do not watch, by name" },
	{ .key = "simulate", .type = &schema_text, SCHEMA_ITEMS(scenarios_config, simulate.at, simulate.n),
	  .help = "scenarios whose decisions are told and not enforced, by name" },
	{ .key = "buckets", .type = &schema_int, SCHEMA_FIELD(scenarios_config, buckets), .min = 1000, .max = 1000000000,
	  .unset = "5000000", .help = "how many counts may be going on at once; the coldest is forgotten first" },
	{ .key = "memory", .type = &schema_size, SCHEMA_FIELD(scenarios_config, bucket_bytes), .min = MIB, .max = TIB,
	  .unset = "512MiB", .help = "how much memory they may take" },
};

const struct schema_table config_scenarios_table = {
	.name = "scenarios",
	.help = "Behaviour over time. Scenarios count what clients do, and the request that makes a count overflow is itself answered "
		"by what `profiles` say.",
	ROWS(scenarios_rows),
	.shorthand = "files",
};

static const struct schema_word remedies[] = {
	{ "allow", REMEDY_ALLOW, false },         { "log", REMEDY_LOG, false },
	{ "throttle", REMEDY_THROTTLE, false },   { "challenge", REMEDY_CHALLENGE, false },
	{ "captcha", REMEDY_CAPTCHA, false },     { "tarpit", REMEDY_TARPIT, false },
	{ "deny", REMEDY_DENY, false },           { 0 },
};

static const struct schema_word levels[] = { { "wait", 1, false }, { "pow", 2, false }, { 0 } };

static const struct schema_row profile_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(profile_config, where) },
	{ .key = "name", .type = &schema_text, SCHEMA_FIELD(profile_config, name), .needed = true, .help = "for logs" },
	{ .key = "when", .type = &schema_text, SCHEMA_FIELD(profile_config, when),
	  .help = "an expression over `Alert`, as in CrowdSec's profiles: `Alert.Remediation && Alert.GetScope() == \"Ip\"`; "
		  "without it always" },
	{ .key = "do", .type = &schema_enum, .words = remedies, SCHEMA_FIELD(profile_config, act), .needed = true,
	  .help = "the remedy; `allow`: nothing, and no later profile is asked" },
	{ .key = "level", .type = &schema_enum, .words = levels, SCHEMA_FIELD(profile_config, level),
	  .help = "of a challenge; without it the app's" },
	{ .key = "for", .type = &schema_duration, SCHEMA_ITEMS(profile_config, lives, nlives), .min = SECOND, .max = 3 * DAY,
	  .unset = "4h", .help = "how long; several: the first time, the second time, and so on within 72 hours" },
	{ .key = "simulated", .type = &schema_bool, SCHEMA_FIELD(profile_config, simulated), .unset = "off",
	  .help = "told, not enforced" },
	{ .key = "apps", .type = &schema_text, SCHEMA_ITEMS(profile_config, apps.at, apps.n),
	  .help = "only for what these apps saw" },
	NOTE,
};

const struct schema_table config_profile_table = {
	.name = "profile",
	.help = "What is done when a scenario overflows. The first whose `when` is true decides.",
	ROWS(profile_rows),
};

static const struct schema_word watch_modes[] = {
	{ "on", WATCH_ON, false }, { "simulate", WATCH_SIMULATE, false }, { "off", WATCH_OFF, false }, { 0 },
};

static const struct schema_row watch_rows[] = {
	{ .key = "mode", .type = &schema_enum, .words = watch_modes, SCHEMA_FIELD(watch_config, mode), .unset = "on",
	  .help = "`simulate`: decisions are told and not enforced" },
	{ .key = "off", .type = &schema_text, SCHEMA_ITEMS(watch_config, off.at, off.n),
	  .help = "scenarios that do not watch this app, by name" },
	NOTE,
};

const struct schema_table config_watch_table = {
	.name = "app scenarios",
	.help = "Which scenarios watch an app.",
	ROWS(watch_rows),
	.shorthand = "mode",
};

static const struct schema_row login_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(login_config, where) },
	{ .key = "path", .type = &config_type_pattern, SCHEMA_FIELD(login_config, path), .needed = true,
	  .help = "where the form is sent" },
	{ .key = "methods", .type = &config_type_method, SCHEMA_ITEMS(login_config, methods.at, methods.n),
	  .unset = "POST", .help = "how" },
	{ .key = "user", .type = &schema_text, SCHEMA_FIELD(login_config, user), .needed = true,
	  .help = "the argument that holds the name, in a form or as `json.user`; it is kept as a keyed hash only" },
	{ .key = "status", .type = &schema_int, SCHEMA_ITEMS(login_config, statuses, nstatuses), .min = 100, .max = 599,
	  .help = "of the answer when it fails, for example 401" },
	{ .key = "redirect", .type = &config_type_pattern, SCHEMA_FIELD(login_config, redirect),
	  .help = "where the answer leads when it fails, for example `/login*`" },
	{ .key = "marker", .type = &schema_text, SCHEMA_FIELD(login_config, marker), .max = 256,
	  .help = "a text of the page when it fails, in its first 64 KiB" },
	NOTE,
};

static bool login_end(struct schema *s, const struct yaml_node *n, void *out)
{
	struct login_config *l = out;

	if (l->nstatuses || l->redirect.at || l->marker.at)
		return true;
	/* As browsers and APIs are answered mostly. */
	if (!(l->statuses = arena_get(s->arena, 2 * sizeof *l->statuses)))
		return schema_err(s, n, "out of memory");
	l->statuses[0] = 401;
	l->statuses[1] = 403;
	l->nstatuses = 2;
	return true;
}

const struct schema_table config_login_table = {
	.name = "login",
	.help = "Where people log in, and how it looks when that fails: any of `status`, `redirect`, `marker`; without them 401 and 403.",
	ROWS(login_rows),
	.end = login_end,
};

static const struct schema_row route_rows[] = {
	{ .type = &schema_name, SCHEMA_FIELD(route_config, name) },
	{ .key = "paths", .type = &config_type_pattern, SCHEMA_ITEMS(route_config, paths.at, paths.n), .needed = true,
	  .help = "path patterns" },
	NOTE,
};

const struct schema_table config_route_table = {
	.name = "route",
	.help = "A name for paths, which scenarios know as `evt.Gate.route`. Our packs look at `payment`, `scalping` and `trap`.",
	ROWS(route_rows),
	.shorthand = "paths",
};
