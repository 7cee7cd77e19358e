/* config_tell.c -- the keys of `log: {syslog}`: whom the gate tells what happens. */
#include "proxy/config_rows.h"

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
