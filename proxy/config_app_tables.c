/* config_app_tables.c -- the keys of an app: their values, units, bounds,
 * defaults and help. */
#include "proxy/config_rows.h"
#include "rules/rules.h"

/* ---- upstream ---- */

static const struct schema_row server_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(server_config, where) },
	{ .key = "url", .type = &config_type_url, SCHEMA_FIELD(server_config, url), .needed = true,
	  .help = "`http://HOST:PORT` or `https://HOST:PORT`, without path" },
	{ .key = "weight", .type = &schema_int, SCHEMA_FIELD(server_config, weight),
	  .min = 1, .max = 1000, .unset = "1", .help = "its share of the requests beside the others'" },
	NOTE,
};

static const struct schema_table server_table = {
	.name = "server",
	.help = "A server of an app.",
	ROWS(server_rows),
	.shorthand = "url",
	.end = config_server_end,
};

static const struct schema_row health_rows[] = {
	{ .key = "path", .type = &config_type_path, SCHEMA_FIELD(health_config, path),
	  .help = "asked for with GET; 200 to 399 is healthy. Without it only real requests tell" },
	{ .key = "interval", .type = &schema_duration, SCHEMA_FIELD(health_config, interval_ms),
	  .min = 100, .max = HOUR, .unset = "5s", .help = "between two checks" },
	{ .key = "timeout", .type = &schema_duration, SCHEMA_FIELD(health_config, timeout_ms),
	  .min = 10, .max = 5 * MINUTE, .unset = "2s", .help = "of a check" },
	{ .key = "fails", .type = &schema_int, SCHEMA_FIELD(health_config, fails),
	  .min = 1, .max = 100, .unset = "3", .help = "failures in a row that take a server out" },
	{ .key = "passes", .type = &schema_int, SCHEMA_FIELD(health_config, passes),
	  .min = 1, .max = 100, .unset = "2", .help = "good checks in a row that bring it back" },
	{ .key = "down", .type = &schema_duration, SCHEMA_FIELD(health_config, down_ms),
	  .min = 100, .max = HOUR, .unset = "10s",
	  .help = "how long a server that real requests found failing stays out" },
};

static const struct schema_table health_table = {
	.name = "health",
	.help = "When a server counts as down.",
	ROWS(health_rows),
	.shorthand = "path",
};

const struct schema_word config_balances[] = {
	{ "round_robin", BALANCE_ROUND_ROBIN, false },
	{ "least_conn", BALANCE_LEAST_CONN, false },
	{ "hash", BALANCE_HASH, false },
	{ 0 },
};

static const struct schema_word host_sources[] = { { "client", false, false }, { "server", true, false }, { 0 } };

static const struct schema_row upstream_rows[] = {
	{ .key = "servers", .type = &schema_nested, .table = &server_table,
	  SCHEMA_ITEMS(upstream_config, servers, nservers), .needed = true, .help = "URLs of the servers" },
	{ .key = "balance", .type = &schema_enum, .words = config_balances, SCHEMA_FIELD(upstream_config, balance),
	  .unset = "round_robin", .help = "how a server is chosen; `hash`: by the address of the client" },
	{ .key = "health", .type = &schema_nested, .table = &health_table,
	  SCHEMA_FIELD(upstream_config, health), .help = "when a server counts as down" },
	{ .key = "max_idle", .type = &schema_int, SCHEMA_FIELD(upstream_config, max_idle),
	  .max = 10000, .unset = "64", .help = "kept connections for a server and worker" },
	{ .key = "verify", .type = &schema_bool, SCHEMA_FIELD(upstream_config, verify), .unset = "on",
	  .help = "check the certificates of https servers" },
	{ .key = "ca", .type = &schema_path, SCHEMA_FIELD(upstream_config, ca),
	  .help = "PEM file of the authorities to trust instead of the system's" },
	{ .key = "host", .type = &schema_enum, .words = host_sources,
	  SCHEMA_FIELD(upstream_config, host_from_server), .unset = "client",
	  .help = "the Host that a server sees: the client's, or its own name" },
};

static const struct schema_table upstream_table = {
	.name = "upstream",
	.help = "The servers of an app.",
	ROWS(upstream_rows),
	.shorthand = "servers",
};

/* ---- waf, rules, limits, exceptions ---- */

static const struct schema_word modes[] = {
	{ "block", WAF_BLOCK, false }, { "detect", WAF_DETECT, false }, { "off", WAF_OFF, false }, { 0 },
};

const struct schema_word config_rulesets[] = {
	{ "auto", RULESET_AUTO, false }, { "packs", RULESET_PACKS, false }, { "crs", RULESET_CRS, false }, { 0 },
};

static const struct schema_row waf_rows[] = {
	{ .key = "mode", .type = &schema_enum, .words = modes, SCHEMA_FIELD(waf_config, mode),
	  .unset = "block", .help = "`detect` lets everything pass and writes down what `block` would have done" },
	{ .key = "ruleset", .type = &schema_enum, .words = config_rulesets, SCHEMA_FIELD(waf_config, ruleset), .unset = "auto",
	  .help = "`crs` is the OWASP Core Rule Set, and not to find it is an error; `auto` takes it where it is found; "
		  "`packs` is our own packs alone" },
	{ .key = "crs", .type = &schema_path, SCHEMA_FIELD(waf_config, crs),
	  .help = "directory of the Core Rule Set, with crs-setup.conf and rules/*.conf; without it Debian's "
		  "`modsecurity-crs` is taken" },
	{ .key = "paranoia", .type = &schema_int, SCHEMA_FIELD(waf_config, paranoia), .min = 1, .max = 4,
	  .help = "of the Core Rule Set: a higher level has more rules and more false positives; without it what "
		  "crs-setup.conf says, else 1" },
	{ .key = "threshold", .type = &schema_int, SCHEMA_FIELD(waf_config, threshold), .min = 1, .max = 10000,
	  .help = "of the Core Rule Set: the score from which a request is denied, where a critical rule counts 5; "
		  "without it what crs-setup.conf says, else 5" },
	{ .key = "packs", .type = &schema_bool, SCHEMA_FIELD(waf_config, packs), .unset = "on",
	  .help = "our own packs" },
	{ .key = "rules", .type = &config_type_rule_files, SCHEMA_FIELDS(waf_config, rules, nrules),
	  .help = "more rules: SecLang (`*.conf`), which are read before those of the Core Rule Set, and CrowdSec AppSec (`*.yaml`)" },
	{ .key = "window", .type = &schema_size, SCHEMA_FIELD(waf_config, window),
	  .min = KIB, .max = 64 * MIB, .unset = "256KiB",
	  .help = "how much of a body is held and inspected; a larger form, JSON or XML is refused (413), "
		  "files stream on" },
	{ .key = "decode_answers", .type = &schema_bool, SCHEMA_FIELD(waf_config, decode_answers), .unset = "off",
	  .help = "unpack answers that come as gzip or deflate for rules that look into them; they go on as they came. "
		  "Else such rules see only the head of a packed answer" },
};

static const struct schema_table waf_table = {
	.name = "waf",
	.help = "Inspection of requests and, where SecLang's rules ask for it, of answers.",
	ROWS(waf_rows),
	.shorthand = "mode",
};

static const struct schema_row header_rows[] = {
	{ .type = &schema_name, SCHEMA_FIELD(header_match, name) },
	{ .key = "pattern", .type = &schema_text, SCHEMA_FIELD(header_match, pattern), .needed = true,
	  .help = "matches the whole value without case; `*` is any run of characters; a field that is not "
		  "there has an empty value" },
};

static const struct schema_table header_table = {
	.name = "header",
	.help = "A pattern for the value of the field of that name.",
	ROWS(header_rows),
	.shorthand = "pattern",
};

static const struct schema_word rule_acts[] = {
	{ "allow", REMEDY_ALLOW, false },         { "log", REMEDY_LOG, false },
	{ "throttle", REMEDY_THROTTLE, false },   { "challenge", REMEDY_CHALLENGE, false },
	{ "captcha", REMEDY_CAPTCHA, false },     { "tarpit", REMEDY_TARPIT, false },
	{ "deny", REMEDY_DENY, false },           { 0 },
};

#define LEVEL(s) { .key = "level", .type = &schema_enum, .words = config_levels, SCHEMA_FIELD(s, level), \
	.help = "of a challenge; without it `challenge.level`" }

static const struct schema_row rule_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(own_rule, where) },
	{ .key = "name", .type = &schema_text, SCHEMA_FIELD(own_rule, name), .max = 64,
	  .help = "in logs and `explain`; without it the path" },
	{ .key = "path", .type = &config_type_pattern, SCHEMA_FIELD(own_rule, path),
	  .help = "matches the whole path in any plausible reading; `*` is any run of characters" },
	{ .key = "methods", .type = &config_type_method, SCHEMA_ITEMS(own_rule, methods.at, methods.n),
	  .help = "one of these" },
	{ .key = "host", .type = &schema_text, SCHEMA_FIELD(own_rule, host),
	  .help = "a pattern for the host name, without port" },
	{ .key = "headers", .type = &schema_nested, .table = &header_table,
	  SCHEMA_NAMED(own_rule, headers, nheaders), .help = "every one of these" },
	{ .key = "from", .type = &schema_nets, SCHEMA_FIELDS(own_rule, from.at, from.n),
	  .help = "the client is in one of these" },
	{ .key = "not_from", .type = &schema_nets, SCHEMA_FIELDS(own_rule, not_from.at, not_from.n),
	  .help = "the client is in none of these" },
	{ .key = "country", .type = &schema_text, SCHEMA_ITEMS(own_rule, countries.at, countries.n), .min = 2, .max = 2,
	  .help = "the client is in one of these (ISO 3166-1: `DE`); needs `geo`" },
	{ .key = "not_country", .type = &schema_text, SCHEMA_ITEMS(own_rule, not_countries.at, not_countries.n), .min = 2, .max = 2,
	  .help = "the client is in none of these, nor where nobody knows" },
	{ .key = "as", .type = &schema_text, SCHEMA_ITEMS(own_rule, ases.at, ases.n), .max = 12,
	  .help = "the client's network is one of these (`AS64500`); needs `geo`" },
	{ .key = "ja4", .type = &config_type_ja4, SCHEMA_ITEMS(own_rule, ja4s.at, ja4s.n),
	  .help = "the TLS fingerprint of who connects is one of these; `*` is any run of characters. A program may have any that it likes" },
	{ .key = "nocase", .type = &schema_bool, SCHEMA_FIELD(own_rule, nocase), .unset = "off",
	  .help = "the path matches without case; host and headers always do" },
	{ .key = "do", .type = &schema_enum, .words = rule_acts, SCHEMA_FIELD(own_rule, act), .needed = true,
	  .help = "`allow` ends the search and skips no inspection" },
	LEVEL(own_rule),
	{ .key = "reason", .type = &schema_text, SCHEMA_FIELD(own_rule, reason), .help = "a note on why" },
	{ .key = "until", .type = &schema_date, SCHEMA_FIELD(own_rule, until_s),
	  .help = "after this the rule no longer applies" },
	RESERVED("when"),
};

static const struct schema_table rule_table = {
	.name = "rule",
	.help = "An own rule of an app. All conditions that are there must hold; the first rule that matches wins.",
	ROWS(rule_rows),
	.end = config_rule_end,
};

static const struct schema_word limit_acts[] = {
	{ "throttle", REMEDY_THROTTLE, false },   { "deny", REMEDY_DENY, false },
	{ "log", REMEDY_LOG, false },             { "challenge", REMEDY_CHALLENGE, false },
	{ "captcha", REMEDY_CAPTCHA, false },     { "tarpit", REMEDY_TARPIT, false },
	{ 0 },
};

static const struct schema_row limit_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(limit_config, where) },
	{ .key = "name", .type = &schema_text, SCHEMA_FIELD(limit_config, name), .max = 64,
	  .help = "in logs and `explain`; without it the path" },
	{ .key = "path", .type = &config_type_pattern, SCHEMA_FIELD(limit_config, path),
	  .help = "matches the whole path; `*` is any run of characters; without it every path" },
	{ .key = "methods", .type = &config_type_method, SCHEMA_ITEMS(limit_config, methods.at, methods.n),
	  .help = "one of these; without it every method" },
	{ .key = "ja4", .type = &config_type_ja4, SCHEMA_ITEMS(limit_config, ja4s.at, ja4s.n),
	  .help = "only for those whose TLS fingerprint is one of these, as in a rule; each address still by itself" },
	{ .key = "rate", .type = &schema_rate, SCHEMA_FIELDS(limit_config, count, per_ms), .needed = true,
	  .help = "requests of one address (IPv6: one /64)" },
	{ .key = "burst", .type = &schema_int, SCHEMA_FIELD(limit_config, burst),
	  .min = 1, .max = 1000000, .help = "how many at once; without it as many as the rate names" },
	{ .key = "then", .type = &schema_enum, .words = limit_acts, SCHEMA_FIELD(limit_config, then),
	  .unset = "throttle", .help = "with what is more; `throttle`: 429 with Retry-After" },
	LEVEL(limit_config),
	{ .key = "reason", .type = &schema_text, SCHEMA_FIELD(limit_config, reason), .help = "a note on why" },
	{ .key = "until", .type = &schema_date, SCHEMA_FIELD(limit_config, until_s),
	  .help = "after this the limit no longer applies" },
};

static const struct schema_table limit_table = {
	.name = "limit",
	.help = "How often one client may ask for something. Every limit that matches counts.",
	ROWS(limit_rows),
	.end = config_limit_end,
};

const struct schema_word config_exception_parts[] = {
	{ "body", EXCLUDE_BODY, false },           { "args", EXCLUDE_ALL_ARGS, false },
	{ "cookies", EXCLUDE_ALL_COOKIES, false }, { "headers", EXCLUDE_ALL_HEADERS, false },
	{ "files", EXCLUDE_FILES, false },         { "path", EXCLUDE_PATH, false },
	{ "query", EXCLUDE_QUERY, false },         { "answer", EXCLUDE_ANSWER, false },
	{ 0 },
};

static const struct schema_row exception_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(exception_config, where) },
	{ .key = "path", .type = &config_type_pattern, SCHEMA_FIELD(exception_config, path),
	  .help = "matches the whole path; `*` is any run of characters; without it every path" },
	{ .key = "methods", .type = &config_type_method, SCHEMA_ITEMS(exception_config, methods.at, methods.n),
	  .help = "one of these; without it every method" },
	{ .key = "rules", .type = &schema_text, SCHEMA_ITEMS(exception_config, rules.at, rules.n),
	  .help = "these rules, by id or as a range of ids (`942100-942199`): they do not hold or, with one of the keys "
		  "from `args` to `parts`, do not look at what these name" },
	{ .key = "categories", .type = &schema_text, SCHEMA_ITEMS(exception_config, categories.at, categories.n),
	  .help = "all rules of a category: `sqli`, `xss`, `rce`, `lfi`, ..." },
	{ .key = "tags", .type = &schema_text, SCHEMA_ITEMS(exception_config, tags.at, tags.n),
	  .help = "all SecLang rules with a tag (`language-php`); `*` is any run of characters" },
	{ .key = "args", .type = &schema_text, SCHEMA_ITEMS(exception_config, args.at, args.n),
	  .help = "arguments of the query or the body by their names, where `*` is any run of characters and `a.b` is b in a "
		  "of JSON; without `rules`, `categories` or `tags` no rule looks at them" },
	{ .key = "cookies", .type = &schema_text, SCHEMA_ITEMS(exception_config, cookies.at, cookies.n),
	  .help = "the same with cookies" },
	{ .key = "headers", .type = &schema_text, SCHEMA_ITEMS(exception_config, headers.at, headers.n),
	  .help = "the same with header fields" },
	{ .key = "parts", .type = &schema_enum, .words = config_exception_parts, SCHEMA_ITEMS(exception_config, parts, nparts),
	  .help = "the same with all of a kind; `query` and `path` are also where the target is looked at as a whole" },
	{ .key = "skip", .type = &schema_text, SCHEMA_ITEMS(exception_config, skip.at, skip.n),
	  .help = "the short form, instead of these: a rule's id, a category, `body`, `arg:NAME`, "
		  "`cookie:NAME`, `header:NAME`, or `all`" },
	{ .key = "max_body", .type = &schema_size, SCHEMA_FIELD(exception_config, max_body),
	  .min = 1, .max = 64 * TIB, .help = "in place of the app's" },
	{ .key = "force", .type = &schema_bool, .unset = "off",
	  .help = "yes, `skip: all`, all `parts` or all `rules` for every path are meant" },
	{ .key = "reason", .type = &schema_text, SCHEMA_FIELD(exception_config, reason), .help = "a note on why" },
	{ .key = "until", .type = &schema_date, SCHEMA_FIELD(exception_config, until_s),
	  .help = "after this the exception no longer applies" },
};

static const struct schema_table exception_table = {
	.name = "exception",
	.help = "What is let through for a path: the answer to a false positive or a large upload.",
	ROWS(exception_rows),
	.end = config_exception_end,
};

/* ---- apps ---- */

static const struct schema_row page_rows[] = {
	{ .key = "title", .type = &schema_text, SCHEMA_FIELD(page_config, title), .max = 128,
	  .help = "the name of the site" },
	{ .key = "contact", .type = &schema_text, SCHEMA_FIELD(page_config, contact), .max = 256,
	  .help = "whom a visitor may ask: an address, a telephone number" },
	{ .key = "logo", .type = &config_type_link, SCHEMA_FIELD(page_config, logo_url), .max = 64 * KIB,
	  .help = "a picture" },
	{ .key = "file", .type = &schema_path, SCHEMA_FIELD(page_config, file),
	  .help = "a page of your own with `{{id}}`, `{{status}}`, `{{title}}`, `{{message}}`, `{{site}}`, "
		  "`{{contact}}`, `{{logo}}`" },
};

static const struct schema_table page_table = {
	.name = "page",
	.help = "How the pages look that the gate itself answers with.",
	ROWS(page_rows),
};

static const struct schema_row app_tls_rows[] = {
	{ .key = "certs", .type = &schema_nested, .table = &config_cert_table,
	  SCHEMA_ITEMS(app_config, certs, ncerts), .help = "certificates, chosen by the names in them" },
	RESERVED("acme"),
};

static const struct schema_table app_tls_table = {
	.name = "app tls",
	.help = "Certificates of one app, beside those of the top level.",
	ROWS(app_tls_rows),
};

static const struct schema_row app_log_rows[] = {
	{ .key = "redact", .type = &schema_text, SCHEMA_ITEMS(app_config, redact.at, redact.n),
	  .help = "names of arguments and fields whose values are never written down, beside passwords, "
		  "tokens, cookies and Authorization" },
	{ .key = "body", .type = &schema_bool, SCHEMA_FIELD(app_config, log_body), .unset = "off",
	  .help = "keep the beginning of the body, 4 KiB, of requests that a rule, limit or the protocol had something "
		  "against; what looks like a secret is taken out, what else it holds is kept as it came" },
};

static const struct schema_table app_log_table = {
	.name = "app log",
	.help = "What is left out of the log for one app, and what is kept beside it.",
	ROWS(app_log_rows),
};

static const struct schema_row app_rows[] = {
	{ .type = &schema_name, SCHEMA_FIELD(app_config, name) },
	{ .type = &schema_place, SCHEMA_FIELD(app_config, where) },
	{ .key = "hosts", .type = &config_type_host, SCHEMA_ITEMS(app_config, hosts.at, hosts.n),
	  .help = "its names; `*.shop.example` is every name below; without this key every host" },
	{ .key = "listen", .type = &schema_nested, .table = &config_listen_table,
	  SCHEMA_ITEMS(app_config, listens, nlistens), .help = "its own addresses, in place of the top level's" },
	{ .key = "upstream", .type = &schema_nested, .table = &upstream_table,
	  SCHEMA_FIELD(app_config, upstream), .needed = true, .help = "URL of the server, or servers" },
	{ .key = "waf", .type = &schema_nested, .table = &waf_table, SCHEMA_FIELD(app_config, waf),
	  .help = "inspection" },
	{ .key = "rules", .type = &schema_nested, .table = &rule_table, SCHEMA_ITEMS(app_config, rules, nrules),
	  .help = "own rules, before everything else; the first that matches wins" },
	{ .key = "limits", .type = &schema_nested, .table = &limit_table,
	  SCHEMA_ITEMS(app_config, limits, nlimits), .help = "how often one client may ask" },
	{ .key = "exceptions", .type = &schema_nested, .table = &exception_table,
	  SCHEMA_ITEMS(app_config, exceptions, nexceptions), .help = "what is let through where" },
	{ .key = "streams", .type = &config_type_pattern, SCHEMA_ITEMS(app_config, streams.at, streams.n),
	  .help = "paths whose answers are never held back: server-sent events, long polls" },
	{ .key = "client_ip", .type = &schema_nested, .table = &config_client_ip_table,
	  SCHEMA_FIELD(app_config, client_ip), .inherits = true, .help = "in place of the top level's" },
	{ .key = "timeouts", .type = &schema_nested, .table = &config_timeouts_table,
	  SCHEMA_FIELD(app_config, timeouts), .inherits = true, .help = "in place of the top level's" },
	{ .key = "max_body", .type = &schema_size, SCHEMA_FIELD(app_config, size.body_bytes),
	  .max = 64 * TIB, .help = "of a request: else 413; without it `size_limits.body`" },
	{ .key = "page", .type = &schema_nested, .table = &page_table, SCHEMA_FIELD(app_config, page),
	  .help = "looks of the gate's own pages" },
	{ .key = "challenge", .type = &schema_nested, .table = &config_challenge_table, SCHEMA_FIELD(app_config, challenge),
	  .help = "of rules and limits that ask for a challenge or a captcha" },
	{ .key = "tarpit", .type = &schema_duration, SCHEMA_FIELD(app_config, tarpit_ms), .min = SECOND, .max = 5 * MINUTE,
	  .unset = "20s", .help = "how long a request that a rule or limit puts into the `tarpit` waits for its refusal" },
	{ .key = "scenarios", .type = &schema_nested, .table = &config_watch_table, SCHEMA_FIELD(app_config, watch),
	  .help = "which scenarios watch it" },
	{ .key = "logins", .type = &schema_nested, .table = &config_login_table,
	  SCHEMA_ITEMS(app_config, logins, nlogins), .help = "where people log in, for scenarios against credential stuffing" },
	{ .key = "learn_logins", .type = &schema_bool, SCHEMA_FIELD(app_config, learn_logins), .unset = "on",
	  .help = "where else people log in, and how a failure looks there, is learned from what passes" },
	{ .key = "routes", .type = &schema_nested, .table = &config_route_table, SCHEMA_NAMED(app_config, routes, nroutes),
	  .help = "what a path is to scenarios, by name: `payment`, `scalping`, `trap`" },
	{ .key = "bots", .type = &schema_nested, .table = &config_app_bots_table, SCHEMA_FIELD(app_config, bots),
	  .help = "what is done about bots; without it they are known to scenarios, and nothing else is done" },
	{ .key = "under_attack", .type = &schema_nested, .table = &config_attack_table, SCHEMA_FIELD(app_config, attack),
	  .help = "everyone is challenged: `off`, `on`, or by itself when its servers are overloaded" },
	{ .key = "tls", .table = &app_tls_table, SAME(app_config), .help = "its certificates" },
	{ .key = "log", .table = &app_log_table, SAME(app_config), .help = "what is never written down, and what is" },
	RESERVED("app"),
	RESERVED("use"),
	RESERVED("profiles"),
};

const struct schema_table config_app_table = {
	.name = "app",
	.help = "A web application behind the gate.",
	ROWS(app_rows),
	.begin = config_app_begin,
	.end = config_app_end,
};
