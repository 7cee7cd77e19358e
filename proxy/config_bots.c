/* config_bots.c -- the keys about bots and attack mode. */
#include "proxy/config_rows.h"

static const struct schema_row bots_rows[] = {
	{ .key = "ranges", .type = &schema_path, SCHEMA_FIELD(bots_config, ranges),
	  .help = "directory of the lists of addresses that vendors publish, `googlebot.json`, `gptbot.json`, ...: whoever is in none of a "
		  "bot's list there is an impostor. Read at every reload" },
	{ .key = "dns", .type = &schema_bool, SCHEMA_FIELD(bots_config, dns), .unset = "off",
	  .help = "look up the name of an address that says it is a bot, and that name's addresses; no request waits for it" },
};

const struct schema_table config_bots_table = {
	.name = "bots",
	.help = "How bots are verified (docs/bots.md).",
	ROWS(bots_rows),
	.shorthand = "ranges",
};

const struct schema_word config_bots_modes[] = { { "on", BOTS_ON, false }, { "watch", BOTS_WATCH, false }, { "off", BOTS_OFF, false }, { 0 } };

static const struct schema_word acts[] = {
	{ "allow", REMEDY_ALLOW, false },         { "log", REMEDY_LOG, false },
	{ "throttle", REMEDY_THROTTLE, false },   { "challenge", REMEDY_CHALLENGE, false },
	{ "captcha", REMEDY_CAPTCHA, false },     { "deny", REMEDY_DENY, false },
	{ 0 },
};

#define POLICY(k, field, by_default, what) \
	{ .key = k, .type = &schema_enum, .words = acts, SCHEMA_FIELD(app_bots_config, field), .unset = by_default, .help = what }

static const struct schema_row app_bots_rows[] = {
	{ .key = "mode", .type = &schema_enum, .words = config_bots_modes, SCHEMA_FIELD(app_bots_config, mode),
	  .help = "`on` where `bots` is written; `watch`, as without it: bots are known to scenarios, and the keys below do nothing; `off`: they are not looked for" },
	POLICY("search", act[BOT_SEARCH], "allow", "search engines; `allow` here and below: who is verified is never challenged, only slowed"),
	POLICY("preview", act[BOT_PREVIEW], "allow", "previews of links; also unverified a few requests a minute are never challenged"),
	POLICY("fetcher", act[BOT_FETCHER], "allow", "what fetches for a person: a translation, reading aloud"),
	POLICY("feed", act[BOT_FEED], "allow", "feed readers"),
	POLICY("monitor", act[BOT_MONITOR], "allow", "whether a site is up"),
	POLICY("archive", act[BOT_ARCHIVE], "allow", "archives of the web"),
	POLICY("seo", act[BOT_SEO], "log", "those who sell what they find about sites"),
	POLICY("ai-search", act[BOT_AI_SEARCH], "allow", "search engines of language models, which name their sources"),
	POLICY("ai-assistant", act[BOT_AI_ASSISTANT], "allow", "a language model that fetches for a person who asked"),
	POLICY("ai-training", act[BOT_AI_TRAINING], "deny", "what collects text to train language models"),
	POLICY("scrapers", act[BOT_SCRAPER], "challenge", "programs made to copy sites"),
	POLICY("automation", act[BOT_AUTOMATION], "log", "libraries and tools: curl, python-requests, Go, headless browsers"),
	POLICY("impostors", impostors, "challenge", "who says that he is a bot, from an address that is not that bot's"),
	NOTE,
};

/* Whoever writes `bots` wants them handled. */
static bool app_bots_begin(struct schema *s, const struct yaml_node *n, void *out)
{
	struct app_bots_config *c = out;

	(void)s;
	(void)n;
	c->mode = BOTS_ON;
	return true;
}

const struct schema_table config_app_bots_table = {
	.name = "app bots",
	.help = "What is done about each kind of bot. The app's robots.txt is its own.",
	ROWS(app_bots_rows),
	.begin = app_bots_begin,
	.shorthand = "mode",
};

static const struct schema_word attack_modes[] = {
	{ "off", ATTACK_OFF, false }, { "on", ATTACK_ON, false }, { "auto", ATTACK_AUTO, false }, { 0 },
};

static const struct schema_row attack_rows[] = {
	{ .key = "mode", .type = &schema_enum, .words = attack_modes, SCHEMA_FIELD(attack_config, mode), .unset = "off",
	  .help = "`auto`: by itself while the servers are overloaded, as the keys below say. `ctl attack-mode` sets it by hand" },
	{ .key = "errors", .type = &schema_int, SCHEMA_FIELD(attack_config, errors), .min = 1, .max = 100, .unset = "30",
	  .help = "percent of the answers that are 502, 503, 504 or none" },
	{ .key = "latency", .type = &schema_duration, SCHEMA_FIELD(attack_config, latency_ms), .min = 10, .max = 10 * MINUTE, .unset = "5s",
	  .help = "an answer is slow whose head takes longer" },
	{ .key = "slow", .type = &schema_int, SCHEMA_FIELD(attack_config, slow), .min = 1, .max = 100, .unset = "50",
	  .help = "percent of the answers that are slow" },
	{ .key = "queue", .type = &schema_int, SCHEMA_FIELD(attack_config, queue), .min = 1, .max = 1000000,
	  .help = "requests under way at the app's servers, WebSockets and streams too; without it they are not counted" },
	{ .key = "least", .type = &schema_int, SCHEMA_FIELD(attack_config, least), .min = 1, .max = 1000000, .unset = "50",
	  .help = "with fewer answers in the window nothing is concluded" },
	{ .key = "window", .type = &schema_duration, SCHEMA_FIELD(attack_config, window_ms), .min = 2 * SECOND, .max = 2 * MINUTE, .unset = "30s",
	  .help = "how far back is looked" },
	{ .key = "stay", .type = &schema_duration, SCHEMA_FIELD(attack_config, stay_ms), .min = SECOND, .max = 24 * HOUR, .unset = "5m",
	  .help = "how long it lasts at least; it ends when a whole window was below half of all that started it" },
	NOTE,
};

const struct schema_table config_attack_table = {
	.name = "under attack",
	.help = "While it is on, a visitor without a pass is challenged, and what cannot show a page is slowed down (docs/bots.md).",
	ROWS(attack_rows),
	.shorthand = "mode",
};
