/* config_challenge.c -- the keys of an app's `challenge`, and what depends on
 * several of them. */
#include "proxy/config_rows.h"

/* ---- hooks ---- */

static bool captcha_needs(struct schema *s, const struct yaml_node *n, struct bytes value, const char *key)
{
	return value.at || schema_err(s, n, "provider: custom needs `%s`", key);
}

/* Where the page's script and our question go: a typing error must not send a secret in clear. */
static bool is_https(struct schema *s, const struct yaml_node *n, const char *key, struct bytes url)
{
	return !url.at || bytes_starts(url, BYTES("https://")) || bytes_starts(url, BYTES("http://127.0.0.1:")) ||
	       schema_err(s, schema_at(n, key), "%s: '%.*s' does not start with https://", key, YAML_SHOWN(url));
}

/* The script's URL becomes part of a header (Content-Security-Policy) and of the page. */
static bool is_visible(struct schema *s, const struct yaml_node *n, const char *key, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] <= 0x20 || text.at[i] >= 0x7f || strchr(";,'\"<>\\", text.at[i]))
			return schema_err(s, schema_at(n, key), "%s: '%.*s' holds a character that has no place in it", key,
					  YAML_SHOWN(text));
	return true;
}

static bool captcha_end(struct schema *s, const struct yaml_node *n, void *out)
{
	const struct captcha_config *c = out;

	if (c->provider == CAPTCHA_CUSTOM &&
	    !(captcha_needs(s, n, c->script, "script") && captcha_needs(s, n, c->widget, "widget") &&
	      captcha_needs(s, n, c->field, "field") && captcha_needs(s, n, c->verify_url, "verify_url")))
		return false;
	if (c->provider == CAPTCHA_FRIENDLY && !c->script.at)
		return schema_err(s, n, "provider: friendly needs `script`: the URL of its widget, which you serve yourself");
	return is_https(s, n, "script", c->script) && is_https(s, n, "verify_url", c->verify_url) &&
	       is_visible(s, n, "script", c->script) && is_visible(s, n, "verify_url", c->verify_url) &&
	       is_visible(s, n, "widget", c->widget) && is_visible(s, n, "field", c->field);
}

static bool challenge_end(struct schema *s, const struct yaml_node *n, void *out)
{
	const struct challenge_config *c = out;

	if (c->domain.at && bytes_starts(c->domain, BYTES("*.")))
		return schema_err(s, schema_at(n, "domain"), "domain: a cookie's domain has no `*.`: write shop.example, "
				  "which means the hosts below it too");
	if (c->no_js == NO_JS_CAPTCHA && !c->captcha.provider)
		return schema_err(s, schema_at(n, "no_js"), "no_js: captcha needs `captcha`: a provider");
	return true;
}

/* ---- keys ---- */

static const struct schema_word providers[] = {
	{ "turnstile", CAPTCHA_TURNSTILE, false }, { "hcaptcha", CAPTCHA_HCAPTCHA, false },
	{ "recaptcha", CAPTCHA_RECAPTCHA, false }, { "friendly", CAPTCHA_FRIENDLY, false },
	{ "custom", CAPTCHA_CUSTOM, false },       { 0 },
};

static const struct schema_word troubles[] = {
	{ "pow", CAPTCHA_ELSE_POW, false }, { "deny", CAPTCHA_ELSE_DENY, false }, { "allow", CAPTCHA_ELSE_ALLOW, false }, { 0 },
};

static const struct schema_row captcha_rows[] = {
	{ .key = "provider", .type = &schema_enum, .words = providers, SCHEMA_FIELD(captcha_config, provider),
	  .needed = true, .help = "who makes and checks the puzzle; `custom` needs `script`, `widget`, `field` and `verify_url`" },
	{ .key = "sitekey", .type = &schema_text, SCHEMA_FIELD(captcha_config, sitekey), .needed = true, .max = 256,
	  .help = "the public key that the provider gave" },
	{ .key = "secret", .type = &schema_secret, SCHEMA_FIELD(captcha_config, secret_from), .needed = true,
	  .help = "the secret one" },
	{ .key = "verify_url", .type = &schema_text, SCHEMA_FIELD(captcha_config, verify_url), .max = 1024,
	  .help = "where solutions are checked, in place of the provider's own" },
	{ .key = "script", .type = &schema_text, SCHEMA_FIELD(captcha_config, script), .max = 1024,
	  .help = "URL of the script that the page loads, in place of the provider's own" },
	{ .key = "widget", .type = &schema_text, SCHEMA_FIELD(captcha_config, widget), .max = 64,
	  .help = "the CSS class by which the script finds its place, in place of the provider's own" },
	{ .key = "field", .type = &schema_text, SCHEMA_FIELD(captcha_config, field), .max = 64,
	  .help = "the field of the form with the solution, in place of the provider's own" },
	{ .key = "hosts", .type = &config_type_host, SCHEMA_ITEMS(captcha_config, hosts.at, hosts.n),
	  .help = "host names that a solution may be for; without this key the app's `hosts`" },
	{ .key = "on_error", .type = &schema_enum, .words = troubles, SCHEMA_FIELD(captcha_config, on_error), .unset = "pow",
	  .help = "what stands in for the puzzle while the provider is down: a proof of work two bits harder, a refusal, or nothing" },
	{ .key = "send_ip", .type = &schema_bool, SCHEMA_FIELD(captcha_config, send_ip), .unset = "off",
	  .help = "tell the provider the address of the client" },
};

static const struct schema_table captcha_table = {
	.name = "captcha",
	.help = "Who is asked whether a visitor is a person.",
	ROWS(captcha_rows),
	.end = captcha_end,
};

static const struct schema_row budget_rows[] = {
	{ .key = "requests", .type = &schema_rate, SCHEMA_FIELDS(challenge_config, requests.count, requests.per_ms),
	  .unset = "600/min", .help = "of any kind" },
	{ .key = "pages", .type = &schema_rate, SCHEMA_FIELDS(challenge_config, pages.count, pages.per_ms),
	  .unset = "600/h", .help = "that a person navigates to" },
};

static const struct schema_table budget_table = {
	.name = "budget",
	.help = "What one pass is good for; beyond it the visitor is challenged again. A pass from waiting is good for a third.",
	ROWS(budget_rows),
};

static const struct schema_word no_js_words[] = {
	{ "wait", NO_JS_WAIT, false }, { "captcha", NO_JS_CAPTCHA, false }, { "deny", NO_JS_DENY, false }, { 0 },
};

static const struct schema_word bind_words[] = { { "soft", false, false }, { "strict", true, false }, { 0 } };
static const struct schema_word status_words[] = { { "403", 403, false }, { "503", 503, false }, { 0 } };

const struct schema_word config_levels[] = { { "wait", CHALLENGE_WAIT, false }, { "pow", CHALLENGE_POW, false }, { 0 } };

static const struct schema_row challenge_rows[] = {
	{ .key = "level", .type = &schema_enum, .words = config_levels, SCHEMA_FIELD(challenge_config, level), .unset = "pow",
	  .help = "what the word `challenge` asks for: a proof of work, or only to wait" },
	{ .key = "bits", .type = &schema_int, SCHEMA_FIELD(challenge_config, bits), .min = 1, .max = 20, .unset = "16",
	  .help = "how hard the work is; each bit doubles it. 16 take a computer a fraction of a second, an old telephone seconds" },
	{ .key = "wait", .type = &schema_duration, SCHEMA_FIELD(challenge_config, wait_ms),
	  .min = 2 * SECOND, .max = MINUTE, .unset = "6s", .help = "how long a wait is" },
	{ .key = "ttl", .type = &schema_duration, SCHEMA_FIELD(challenge_config, ttl_ms),
	  .min = 5 * MINUTE, .max = HOUR, .unset = "10m", .help = "how long a challenge may be solved" },
	{ .key = "pass", .type = &schema_duration, SCHEMA_FIELD(challenge_config, pass_ms),
	  .min = MINUTE, .max = 48 * HOUR, .unset = "12h", .help = "how long a pass holds" },
	{ .key = "no_js", .type = &schema_enum, .words = no_js_words, SCHEMA_FIELD(challenge_config, no_js), .unset = "wait",
	  .help = "for browsers without JavaScript: `wait` lets waiting stand in for work, with a third of the budget" },
	{ .key = "bind", .type = &schema_enum, .words = bind_words, SCHEMA_FIELD(challenge_config, strict), .unset = "soft",
	  .help = "`strict`: a pass is only for the network (/24, /48) it was made in; `soft`: it may move between six in ten minutes" },
	{ .key = "status", .type = &schema_enum, .words = status_words, SCHEMA_FIELD(challenge_config, status), .unset = "403",
	  .help = "of the page" },
	{ .key = "domain", .type = &config_type_host, SCHEMA_FIELD(challenge_config, domain),
	  .help = "of the cookie, so that several hosts share a pass; without it the one host" },
	{ .key = "partitioned", .type = &schema_bool, SCHEMA_FIELD(challenge_config, partitioned), .unset = "off",
	  .help = "a pass also works in frames of other sites (https only)" },
	{ .key = "budget", .table = &budget_table, SAME(challenge_config), .help = "what one pass is good for" },
	{ .key = "passes", .type = &schema_int, SCHEMA_FIELD(challenge_config, passes), .min = 1, .max = 1000000, .unset = "500",
	  .help = "how many passes one network (/24, /56) may get while the first of them holds" },
	{ .key = "captcha", .type = &schema_nested, .table = &captcha_table, SCHEMA_FIELD(challenge_config, captcha),
	  .inherits = true, .help = "the provider for `captcha`" },
};

const struct schema_table config_challenge_table = {
	.name = "challenge",
	.help = "How a visitor shows to be more than a simple program, and what that buys (docs/challenge.md).",
	ROWS(challenge_rows),
	.shorthand = "level",
	.end = challenge_end,
};
