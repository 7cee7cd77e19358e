/* config_tell.c -- the keys of `log: {syslog}` and of `notify`: whom the gate tells what happens. */
#include "proxy/config_rows.h"

/* ---- syslog ---- */

/* The numbers of RFC 5424 6.2.1. */
static const struct schema_word facilities[] = {
	{ "kern", 0, false },   { "user", 1, false },      { "mail", 2, false },    { "daemon", 3, false },  { "auth", 4, false },
	{ "syslog", 5, false }, { "authpriv", 10, false }, { "local0", 16, false }, { "local1", 17, false }, { "local2", 18, false },
	{ "local3", 19, false }, { "local4", 20, false },  { "local5", 21, false }, { "local6", 22, false }, { "local7", 23, false },
	{ 0 },
};

static const struct schema_word syslog_formats[] = {
	{ "ecs", LOG_ECS, false },
	{ "cef", LOG_CEF, false },
	{ 0 },
};

static const struct schema_row syslog_rows[] = {
	{ .key = "to", .type = &schema_text, SCHEMA_FIELD(syslog_config, to), .max = 300, .needed = true,
	  .help = "the receiver: `udp:log.example:514`, `tcp:10.0.0.9:601`, `tls:[2001:db8::9]:6514`" },
	{ .key = "format", .type = &schema_enum, .words = syslog_formats, SCHEMA_FIELD(syslog_config, format), .unset = "ecs",
	  .help = "of the message" },
	{ .key = "facility", .type = &schema_enum, .words = facilities, SCHEMA_FIELD(syslog_config, facility), .unset = "local0",
	  .help = "by which a receiver sorts" },
	{ .key = "ca", .type = &schema_path, SCHEMA_FIELD(syslog_config, ca), .help = "of `tls`: who must have signed the receiver's "
	  "certificate; without it the system's bundle" },
	{ .key = "max", .type = &schema_size, SCHEMA_FIELD(syslog_config, max), .min = SYSLOG_BYTES_MIN, .max = SYSLOG_STREAM_BYTES,
	  .help = "bytes of a message, a longer one is cut; without it 2KiB over UDP, else 64KiB" },
	{ .key = "access", .type = &schema_bool, SCHEMA_FIELD(syslog_config, access), .unset = "off",
	  .help = "a message for each request, not only for alerts" },
	NOTE,
};

static bool syslog_end(struct schema *s, const struct yaml_node *n, void *out)
{
	struct syslog_config *c = out;

	if (!syslog_target_parse(c->to, &c->target))
		return schema_err(s, schema_at(n, "to"), "'%.*s' is no receiver of syslog; write for example udp:log.example:514 or "
				  "tls:log.example:6514", YAML_SHOWN(c->to));
	if (c->ca && c->target.transport != SYSLOG_TLS)
		return schema_err(s, schema_at(n, "ca"), "ca is for `tls`");
	c->target.ca = c->ca;
	c->target.max = (size_t)c->max;
	return true;
}

const struct schema_table config_syslog_table = {
	.name = "syslog",
	.help = "Lines of the log as syslog (RFC 5424), beside the files. What the receiver does not take is kept (4 MiB), then dropped "
		"and counted. Over UDP a message may be lost, and a long one is cut: CEF is shorter than ECS.",
	ROWS(syslog_rows),
	.shorthand = "to",
	.end = syslog_end,
};

/* ---- notify ---- */

static const struct schema_word notify_events[] = {
	{ "attack", NOTIFY_ATTACK, false }, { "decision", NOTIFY_DECISION, false }, { "reload", NOTIFY_RELOAD, false },
	{ "upstream", NOTIFY_UPSTREAM, false }, { "cert", NOTIFY_CERT, false }, { "cti", NOTIFY_CTI, false },
	{ 0 },
};

static const struct schema_row notify_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(notify_config, where) },
	{ .key = "url", .type = &schema_text, SCHEMA_FIELD(notify_config, url), .max = 1000, .needed = true,
	  .help = "where a POST goes; redirects are not followed" },
	{ .key = "events", .type = &schema_enum, .words = notify_events, SCHEMA_ITEMS(notify_config, events, nevents),
	  .help = "of which it is told; without it of all. `attack`: a request was denied; `decision`: someone is held; `reload`: one was "
		  "taken or refused; `upstream`: a server is left out or back; `cert`: a certificate ends within 14 days; `cti`: a list "
		  "could not be had" },
	{ .key = "min", .type = &schema_int, SCHEMA_FIELD(notify_config, min), .min = 1, .max = 1000000, .unset = "1",
	  .help = "attacks in one `every`, of which it is told; fewer are forgotten" },
	{ .key = "every", .type = &schema_duration, SCHEMA_FIELD(notify_config, every_ms), .min = SECOND, .max = 24 * HOUR, .unset = "1m",
	  .help = "what happens in this time goes in one message" },
	{ .key = "secret", .type = &schema_secret, SCHEMA_FIELD(notify_config, secret_from),
	  .help = "by which a message is signed (docs/notify.md)" },
	{ .key = "ca", .type = &schema_path, SCHEMA_FIELD(notify_config, ca),
	  .help = "who must have signed the receiver's certificate; without it the system's bundle" },
	{ .key = "full", .type = &schema_bool, SCHEMA_FIELD(notify_config, full), .unset = "off",
	  .help = "tell the app, the path and the rule of attacks too, not only when, whence and what kind" },
	NOTE,
};

const struct schema_table config_notify_table = {
	.name = "notify",
	.help = "Webhooks. What cannot be delivered is tried again, later each time up to an hour, for a day; meanwhile the next message "
		"gathers what happens.",
	ROWS(notify_rows),
	.shorthand = "url",
};
