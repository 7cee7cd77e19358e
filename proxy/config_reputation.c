/* config_reputation.c -- the keys of reputation: redis, cti, lapi. */
#include "cti/lists.h"
#include "proxy/config_rows.h"

enum { DAY = 24 * HOUR };

static const struct schema_word remedies[] = {
	{ "allow", REMEDY_ALLOW, false },         { "log", REMEDY_LOG, false },
	{ "throttle", REMEDY_THROTTLE, false },   { "challenge", REMEDY_CHALLENGE, false },
	{ "captcha", REMEDY_CAPTCHA, false },     { "tarpit", REMEDY_TARPIT, false },
	{ "deny", REMEDY_DENY, false },           { 0 },
};

/* ---- redis ---- */

static const struct schema_row redis_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(redis_table, where) },
	{ .key = "url", .type = &schema_text, SCHEMA_ITEMS(redis_table, urls.at, urls.n), .needed = true,
	  .help = "`redis://[[user]:password@]host[:port][/db]`, `rediss://` with TLS; several: "
		  "sentinels, or nodes of a cluster" },
	{ .key = "sentinel", .type = &schema_text, SCHEMA_FIELD(redis_table, sentinel),
	  .help = "the urls are sentinels, and this is the master's name" },
	{ .key = "cluster", .type = &schema_bool, SCHEMA_FIELD(redis_table, cluster), .unset = "off",
	  .help = "the urls are nodes of a Redis Cluster" },
	{ .key = "user", .type = &schema_text, SCHEMA_FIELD(redis_table, user), .help = "of an ACL" },
	{ .key = "password", .type = &schema_secret, SCHEMA_FIELD(redis_table, password_from),
	  .help = "where it is kept, so that it need not stand in the url" },
	{ .key = "verify", .type = &schema_bool, SCHEMA_FIELD(redis_table, verify), .unset = "on",
	  .help = "whether its certificate must be good" },
	{ .key = "ca", .type = &schema_path, SCHEMA_FIELD(redis_table, ca), .help = "PEM bundle to check it by; without it the system's" },
	{ .key = "prefix", .type = &schema_text, SCHEMA_FIELD(redis_table, prefix), .unset = "embergate", .max = 64,
	  .help = "how the keys begin: one a installation" },
	{ .key = "name", .type = &schema_text, SCHEMA_FIELD(redis_table, name), .max = 63,
	  .help = "of this gate; without it the machine's" },
	NOTE,
};

const struct schema_table config_redis_table = {
	.name = "redis",
	.help = "What one gate decides all know at once, and challenges and counts are shared. No request waits for it; while it is away "
		"each gate goes on with what it knows.",
	ROWS(redis_rows),
	.shorthand = "url",
};

/* ---- cti ---- */

static const struct schema_word formats[] = {
	{ "auto", LIST_AUTO, false }, { "plain", LIST_PLAIN, false }, { "csv", LIST_CSV, false }, { "json", LIST_JSON, false }, { 0 },
};

static const struct schema_row list_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(cti_list_config, where) },
	{ .key = "name", .type = &schema_text, SCHEMA_FIELD(cti_list_config, name), .max = 64,
	  .help = "for logs; without it the last part of the url or file" },
	{ .key = "url", .type = &schema_text, SCHEMA_FIELD(cti_list_config, url), .help = "where it is fetched" },
	{ .key = "file", .type = &schema_path, SCHEMA_FIELD(cti_list_config, file), .help = "or the file that holds it" },
	{ .key = "format", .type = &schema_enum, .words = formats, SCHEMA_FIELD(cti_list_config, format), .unset = "auto",
	  .help = "`plain`: an address or block a line; gzip is told by itself" },
	{ .key = "column", .type = &schema_text, SCHEMA_FIELD(cti_list_config, column),
	  .help = "of CSV and JSON: what holds the address; without it the first that is one" },
	{ .key = "do", .type = &schema_enum, .words = remedies, SCHEMA_FIELD(cti_list_config, act), .unset = "challenge",
	  .help = "the remedy; `allow`: whoever is in it is held to be nothing else" },
	{ .key = "level", .type = &schema_enum, .words = config_levels, SCHEMA_FIELD(cti_list_config, level),
	  .help = "of a challenge; without it the app's" },
	{ .key = "every", .type = &schema_duration, SCHEMA_FIELD(cti_list_config, every_ms), .min = 10 * SECOND, .max = 7 * DAY,
	  .unset = "6h", .help = "how often it is looked at anew, give or take a tenth" },
	{ .key = "age", .type = &schema_duration, SCHEMA_FIELD(cti_list_config, age_ms), .min = MINUTE, .max = (uint64_t)3650 * DAY,
	  .help = "for so long it is believed when it cannot be had anew; without it 72 h of a url, for ever of a file" },
	{ .key = "max_size", .type = &schema_size, SCHEMA_FIELD(cti_list_config, max_bytes), .min = KIB, .max = TIB,
	  .unset = "256MiB", .help = "the largest it may be, unpacked" },
	{ .key = "max_entries", .type = &schema_int, SCHEMA_FIELD(cti_list_config, max_entries), .min = 1, .max = 200000000,
	  .unset = "20000000", .help = "the most it may hold" },
	{ .key = "sha256", .type = &schema_text, SCHEMA_FIELD(cti_list_config, sha256), .min = 64, .max = 64,
	  .help = "of what is fetched, in hex; needed for `do: allow` from a url" },
	{ .key = "allow_shrink", .type = &schema_bool, SCHEMA_FIELD(cti_list_config, allow_shrink), .unset = "off",
	  .help = "whether it is believed when it is empty, or a tenth of what it was" },
	NOTE,
};

static struct bytes last_part(struct bytes b)
{
	size_t slash;

	while ((slash = bytes_index(b, '/')) != SIZE_MAX && slash + 1 < b.len)
		b = bytes_from(b, slash + 1);
	return bytes_sub(b, 0, bytes_index(b, '?') == SIZE_MAX ? b.len : bytes_index(b, '?'));
}

static bool is_sha256(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (!strchr("0123456789abcdefABCDEF", b.at[i]))
			return false;
	return !b.len || b.len == 64;
}

static bool list_end(struct schema *s, const struct yaml_node *at, void *out)
{
	struct cti_list_config *l = out;

	if (!l->url.len == !l->file)
		return schema_err(s, at, "a list has a `url` or a `file`");
	if (l->url.len && !bytes_starts_nocase(l->url, BYTES("http://")) && !bytes_starts_nocase(l->url, BYTES("https://")))
		return schema_err(s, at, "a list is fetched by http or https");
	if (l->url.len && l->act == REMEDY_ALLOW && !l->sha256.len)
		return schema_err(s, at, "`do: allow` from a url needs its `sha256`: whoever changes it would choose who is never stopped");
	if (!is_sha256(l->sha256))
		return schema_err(s, at, "`sha256` is 64 hex digits");
	if (!l->name.len)
		l->name = last_part(l->url.len ? l->url : bytes_of(l->file));
	if (!l->age_ms && l->url.len)
		l->age_ms = DECISION_LIFE_MAX_MS;
	if (l->url.len && l->age_ms > DECISION_LIFE_MAX_MS && l->act != REMEDY_ALLOW)
		return schema_err(s, at, "nothing that others say is held for more than 72 h after it was last confirmed");
	return true;
}

static const struct schema_table list_table = {
	.name = "list",
	.help = "Addresses and blocks from a file or a url.",
	ROWS(list_rows),
	.end = list_end,
};

static const struct schema_word most_words[] = { { "challenge", REMEDY_CHALLENGE, false }, { "deny", REMEDY_DENY, false }, { 0 } };
static const struct schema_word contexts[] = { { "small", 0, false }, { "full", 1, false }, { 0 } };

static const struct schema_row crowdsec_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(cti_crowdsec_config, where) },
	{ .key = "lapi", .type = &schema_text, SCHEMA_FIELD(cti_crowdsec_config, lapi), .needed = true,
	  .help = "its address, for example `http://127.0.0.1:8080`" },
	{ .key = "key", .type = &schema_secret, SCHEMA_FIELD(cti_crowdsec_config, key_from),
	  .help = "a bouncer's key (`cscli bouncers add`): its decisions hold here too" },
	{ .key = "machine", .type = &schema_text, SCHEMA_FIELD(cti_crowdsec_config, machine),
	  .help = "a machine (`cscli machines add`): it is told what scenarios see here" },
	{ .key = "password", .type = &schema_secret, SCHEMA_FIELD(cti_crowdsec_config, password_from), .help = "the machine's" },
	{ .key = "every", .type = &schema_duration, SCHEMA_FIELD(cti_crowdsec_config, every_ms), .min = SECOND, .max = HOUR,
	  .unset = "10s", .help = "how often decisions are pulled" },
	{ .key = "most", .type = &schema_enum, .words = most_words, SCHEMA_FIELD(cti_crowdsec_config, most), .unset = "challenge",
	  .help = "the strictest remedy that its decisions may have; `deny` for an installation of one's own" },
	{ .key = "own", .type = &schema_bool, SCHEMA_FIELD(cti_crowdsec_config, own), .unset = "off",
	  .help = "what it says counts as seen here, not as hearsay" },
	{ .key = "context", .type = &schema_enum, .words = contexts, SCHEMA_FIELD(cti_crowdsec_config, full), .unset = "small",
	  .help = "what it is told: `small`: address, scenario, times; `full`: paths and user agents too" },
	NOTE,
};

static const struct schema_table crowdsec_table = {
	.name = "crowdsec",
	.help = "An existing CrowdSec installation.",
	ROWS(crowdsec_rows),
	.shorthand = "lapi",
};

static const struct schema_row cti_rows[] = {
	{ .key = "lists", .type = &schema_nested, .table = &list_table, SCHEMA_ITEMS(cti_config, lists, nlists),
	  .help = "block lists and allow lists" },
	{ .key = "crowdsec", .type = &schema_nested, .table = &crowdsec_table, SCHEMA_FIELD(cti_config, crowdsec),
	  .help = "an existing CrowdSec installation to listen to and to tell" },
	{ .key = "share", .type = &schema_bool, SCHEMA_FIELD(cti_config, share), .unset = "off",
	  .help = "whether {time, address, behaviour} of what was seen here may leave; `embergate ctl privacy` prints it" },
	{ .key = "guard", .type = &schema_int, SCHEMA_FIELD(cti_config, guard_percent), .min = 1, .max = 100, .unset = "20",
	  .help = "a range, AS or country that others name and that covers more than so many percent of the clients of the last ten "
		  "minutes is refused" },
	{ .key = "guard_clients", .type = &schema_int, SCHEMA_FIELD(cti_config, guard_clients), .min = 1, .max = 1000000,
	  .unset = "50", .help = "with fewer clients the guard does not judge" },
};

static bool cti_end(struct schema *s, const struct yaml_node *at, void *out)
{
	const struct cti_config *c = out;

	for (size_t i = 0; i < c->nlists; i++)
		for (size_t k = 0; k < i; k++)
			if (bytes_eq(c->lists[k].name, c->lists[i].name))
				return schema_err(s, at, "two lists are called '%.*s': give one a `name`", BYTES_ARG(c->lists[i].name));
	return true;
}

const struct schema_table config_cti_table = {
	.name = "cti",
	.help = "Reputation: what others say of addresses, and what they are told.",
	ROWS(cti_rows),
	.end = cti_end,
};

/* ---- lapi ---- */

static const struct schema_row lapi_rows[] = {
	{ .key = "bind", .type = &schema_text, SCHEMA_FIELD(lapi_config, bind), .needed = true,
	  .help = "address and port, for example `127.0.0.1:8081`" },
	{ .key = "cert", .type = &schema_path, SCHEMA_FIELD(lapi_config, cert), .help = "PEM file; with it TLS is spoken" },
	{ .key = "key", .type = &schema_path, SCHEMA_FIELD(lapi_config, key), .help = "PEM file" },
	{ .key = "registration", .type = &schema_bool, SCHEMA_FIELD(lapi_config, registration), .unset = "off",
	  .help = "whether machines may register themselves; an administrator validates them" },
	{ .key = "appsec", .type = &schema_bool, SCHEMA_FIELD(lapi_config, appsec), .unset = "off",
	  .help = "whether bouncers may ask for verdicts (CrowdSec's AppSec protocol)" },
	NOTE,
};

const struct schema_table config_lapi_table = {
	.name = "lapi",
	.help = "CrowdSec's local API. Keys and machines are managed by `embergate ctl bouncers` and `embergate ctl machines`.",
	ROWS(lapi_rows),
	.shorthand = "bind",
};
