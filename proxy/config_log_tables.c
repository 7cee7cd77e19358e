/* config_log_tables.c -- the keys of `logs`: which logs of other servers are read. */
#include "proxy/config_rows.h"

/* By the names and in the order of scenarios/logs.c, as a test shows. */
const struct schema_word config_log_types[] = {
	{ "nginx", 0, false },
	{ "apache2", 1, false },
	{ "json", 2, false },
	{ "caddy", 3, false },
	{ "traefik", 4, false },
	{ "envoy", 5, false },
	{ "haproxy", 6, false },
	{ "bunkerweb", 7, false },
	{ "litespeed", 8, false },
	{ "nginx-proxy-manager", 9, false },
	{ "zoraxy", 10, false },
	{ "aws-alb", 11, false },
	{ "sshd", 12, false },
	{ "syslog", 13, false },
	{ 0 },
};

static const struct schema_word starts[] = {
	{ "end", LOG_FROM_END, false },
	{ "start", LOG_FROM_START, false },
	{ 0 },
};

static const struct schema_row input_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(log_input_config, where) },
	{ .key = "files", .type = &schema_path, SCHEMA_ITEMS(log_input_config, files, nfiles),
	  .help = "files that other servers write; the last part may hold wildcards. Rotation is followed, by rename "
		  "and by truncation" },
	{ .key = "syslog", .type = &schema_text, SCHEMA_FIELD(log_input_config, syslog), .max = 100,
	  .help = "listen for syslog: `udp:127.0.0.1:5514`, `tcp:[::1]:5514`" },
	{ .key = "journal", .type = &schema_text, SCHEMA_ITEMS(log_input_config, journal.at, journal.n), .max = 200,
	  .help = "units of systemd's journal, read through `journalctl`" },
	{ .key = "type", .type = &schema_enum, .words = config_log_types, SCHEMA_FIELD(log_input_config, type), .needed = true,
	  .help = "how a line reads; frames of syslog and of containers are taken off for every type, and `syslog` "
		  "asks the program's name which of the others it is" },
	{ .key = "from", .type = &schema_enum, .words = starts, SCHEMA_FIELD(log_input_config, from), .unset = "end",
	  .help = "where a file is read from that is there at the first start; later ones, and after a restart, where "
		  "reading ended" },
	{ .key = "senders", .type = &schema_nets, SCHEMA_FIELDS(log_input_config, from_nets.at, from_nets.n),
	  .help = "who may send syslog; without this key everyone who reaches the address. UDP proves nobody's address" },
	{ .key = "rate", .type = &schema_int, SCHEMA_FIELD(log_input_config, rate), .min = 1, .max = 10000000,
	  .unset = "20000", .help = "lines a second of syslog; beyond it UDP is dropped and TCP made to wait" },
	NOTE,
};

static bool is_prefix(struct bytes *text, struct bytes prefix)
{
	if (!bytes_starts(*text, prefix))
		return false;
	*text = bytes_from(*text, prefix.len);
	return true;
}

/* "udp:127.0.0.1:5514"; without an address everyone could send. */
static bool read_syslog(struct schema *s, const struct yaml_node *n, struct log_input_config *in)
{
	struct bytes rest = in->syslog;
	bool any = false;

	in->udp = is_prefix(&rest, BYTES("udp:"));
	if ((!in->udp && !is_prefix(&rest, BYTES("tcp:"))) || !config_bind_parse(rest, &in->address, &in->port, &any) || any)
		return schema_err(s, n, "'%.*s' is not an address for syslog; write for example udp:127.0.0.1:5514 or tcp:[::1]:5514",
				  YAML_SHOWN(in->syslog));
	return true;
}

static bool input_end(struct schema *s, const struct yaml_node *n, void *out)
{
	struct log_input_config *in = out;
	unsigned sources = (in->nfiles > 0) + (in->syslog.len > 0) + (in->journal.n > 0);

	if (sources != 1)
		return schema_err(s, n, "an entry of `logs` needs exactly one of `files`, `syslog` and `journal`");
	if (in->from_nets.n && !in->syslog.len)
		return schema_err(s, schema_at(n, "senders"), "senders is for `syslog`");
	return !in->syslog.len || read_syslog(s, schema_at(n, "syslog"), in);
}

const struct schema_table config_log_input_table = {
	.name = "logs",
	.help = "Logs of other servers, which scenarios judge as they judge requests.",
	ROWS(input_rows),
	.end = input_end,
};
