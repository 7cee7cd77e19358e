/* config_tables.c -- the keys of the top level: their values, units, bounds,
 * defaults and help. */
#include "proxy/config_rows.h"

static const struct schema_word off[] = { { "off", 0, false }, { 0 } };

/* ---- listen ---- */

static const struct schema_word proxy_protocols[] = {
	{ "off", PROXY_PROTOCOL_OFF, false },
	{ "on", PROXY_PROTOCOL_ANY, false },
	{ "v1", PROXY_PROTOCOL_V1, false },
	{ "v2", PROXY_PROTOCOL_V2, false },
	{ 0 },
};

static const struct schema_row listen_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(listen_config, where) },
	{ .key = "bind", .type = &config_type_bind, SCHEMA_FIELD(listen_config, bind), .needed = true,
	  .help = "address and port; `:443` is every address of both families" },
	{ .key = "tls", .type = &schema_bool, SCHEMA_FIELD(listen_config, tls),
	  .help = "speak TLS; without this key: on for ports 443 and 8443" },
	{ .key = "redirect_https", .type = &schema_bool, SCHEMA_FIELD(listen_config, redirect_https),
	  .unset = "off", .help = "answer every request with a redirect (308) to https" },
	{ .key = "proxy_protocol", .type = &schema_enum, .words = proxy_protocols,
	  SCHEMA_FIELD(listen_config, proxy_protocol), .unset = "off",
	  .help = "connections begin with a PROXY header of this version (`on`: either); needs `from`" },
	{ .key = "from", .type = &schema_nets, SCHEMA_FIELDS(listen_config, from.at, from.n),
	  .help = "the load balancers that may send a PROXY header; others are not served" },
	NOTE,
};

const struct schema_table config_listen_table = {
	.name = "listen",
	.help = "An address to listen on.",
	ROWS(listen_rows),
	.shorthand = "bind",
	.end = config_listen_end,
};

/* ---- tls ---- */

static const struct schema_row cert_rows[] = {
	{ .type = &schema_place, SCHEMA_FIELD(cert_config, where) },
	{ .key = "cert", .type = &schema_path, SCHEMA_FIELD(cert_config, cert), .needed = true,
	  .help = "PEM file: the certificate, then its chain" },
	{ .key = "key", .type = &schema_path, SCHEMA_FIELD(cert_config, key), .needed = true,
	  .help = "PEM file: the private key" },
	NOTE,
};

const struct schema_table config_cert_table = {
	.name = "certificate",
	.help = "A certificate and its key. A host name without one gets a self-signed certificate.",
	ROWS(cert_rows),
};

static const struct schema_word tls_versions[] = { { "1.2", 12, false }, { "1.3", 13, false }, { 0 } };

static const struct schema_row tls_rows[] = {
	{ .key = "certs", .type = &schema_nested, .table = &config_cert_table, SCHEMA_ITEMS(config, certs, ncerts),
	  .help = "certificates, chosen by the names in them" },
	{ .key = "min", .type = &schema_enum, .words = tls_versions, SCHEMA_FIELD(config, tls_min),
	  .unset = "1.2", .help = "the oldest version of TLS that is spoken" },
	RESERVED("acme"),
};

static const struct schema_table tls_table = {
	.name = "tls",
	.help = "Certificates for every app.",
	ROWS(tls_rows),
};

/* ---- client_ip, timeouts, rates, sizes ---- */

static const struct schema_word ip_headers[] = {
	{ "auto", CLIENT_IP_AUTO, false },
	{ "x-forwarded-for", CLIENT_IP_XFF, false },
	{ "forwarded", CLIENT_IP_FORWARDED, false },
	{ "x-real-ip", CLIENT_IP_X_REAL_IP, false },
	{ "off", CLIENT_IP_OFF, false },
	{ 0 },
};

static const struct schema_row client_ip_rows[] = {
	{ .key = "trust", .type = &schema_nets, SCHEMA_FIELDS(client_ip_config, trust.at, trust.n),
	  .help = "proxies whose word on the client's address counts: addresses, blocks, or `private`, "
		  "`loopback`, `cloudflare`" },
	{ .key = "header", .type = &schema_enum, .words = ip_headers, SCHEMA_FIELD(client_ip_config, header),
	  .unset = "auto", .help = "the field that they write; `auto` takes the first that is there" },
};

const struct schema_table config_client_ip_table = {
	.name = "client_ip",
	.help = "Where the address of a client is read when other proxies stand in front.",
	ROWS(client_ip_rows),
	.shorthand = "trust",
};

static const struct schema_row timeouts_rows[] = {
	{ .key = "connect", .type = &schema_duration, SCHEMA_FIELD(timeouts_config, connect_ms),
	  .min = 10, .max = 5 * MINUTE, .unset = "2s", .help = "for a connection to a server" },
	{ .key = "first_byte", .type = &schema_duration, SCHEMA_FIELD(timeouts_config, first_byte_ms),
	  .min = 10, .max = 24 * HOUR, .unset = "30s",
	  .help = "from the last byte of a request to the first of its answer" },
	{ .key = "idle", .type = &schema_duration, SCHEMA_FIELD(timeouts_config, idle_ms),
	  .min = SECOND, .max = 24 * HOUR, .unset = "60s",
	  .help = "a kept connection without a request; an answer of a server that pauses" },
	{ .key = "head", .type = &schema_duration, SCHEMA_FIELD(timeouts_config, head_ms),
	  .min = SECOND, .max = 5 * MINUTE, .unset = "10s",
	  .help = "for a whole request head and for the TLS handshake" },
	{ .key = "stall", .type = &schema_duration, SCHEMA_FIELD(timeouts_config, stall_ms),
	  .min = SECOND, .max = HOUR, .unset = "30s",
	  .help = "a client that takes nothing of an answer for so long is cut" },
	{ .key = "drain", .type = &schema_duration, SCHEMA_FIELD(timeouts_config, drain_ms),
	  .max = HOUR, .unset = "30s",
	  .help = "at the end of the process, for what is under way; top level only" },
};

const struct schema_table config_timeouts_table = {
	.name = "timeouts",
	.help = "How long the gate waits. An app sets its own `connect`, `first_byte` and `idle`; `head` and "
		"`stall` too when it has its own `listen`, since a connection belongs to no app before.",
	ROWS(timeouts_rows),
};

static const struct schema_row min_rate_rows[] = {
	{ .key = "window", .type = &schema_duration, SCHEMA_FIELD(min_rate_config, window_ms),
	  .min = SECOND, .max = 10 * MINUTE, .unset = "20s", .help = "over which the rates are taken" },
	{ .key = "head", .type = &schema_size, .words = off, SCHEMA_FIELD(min_rate_config, head),
	  .max = MIB, .unset = "off", .help = "of a request head (`timeouts.head` bounds it already)" },
	{ .key = "body", .type = &schema_size, .words = off, SCHEMA_FIELD(min_rate_config, body),
	  .max = MIB, .unset = "256B", .help = "of a request body" },
	{ .key = "response", .type = &schema_size, .words = off, SCHEMA_FIELD(min_rate_config, response),
	  .max = MIB, .unset = "256B", .help = "of an answer, while some of it waits for the client" },
};

static const struct schema_table min_rate_table = {
	.name = "min_rate",
	.help = "Bytes a second below which a client is cut: against connections that are held open by a "
		"trickle. The slowest mobile link is faster.",
	ROWS(min_rate_rows),
};

static const struct schema_row size_rows[] = {
	{ .key = "head", .type = &schema_size, SCHEMA_FIELD(size_limits_config, head_bytes),
	  .min = KIB, .max = MIB, .unset = "32KiB", .help = "of a request head or trailer: else 431" },
	{ .key = "target", .type = &schema_size, SCHEMA_FIELD(size_limits_config, target_bytes),
	  .min = 64, .max = MIB, .unset = "16KiB", .help = "of a path with its query: else 414" },
	{ .key = "fields", .type = &schema_int, SCHEMA_FIELD(size_limits_config, fields),
	  .min = 8, .max = 1000, .unset = "128", .help = "in a head or trailer: else 431" },
	{ .key = "body", .type = &schema_size, SCHEMA_FIELD(size_limits_config, body_bytes),
	  .max = 64 * TIB, .unset = "1GiB", .help = "of a request: else 413; an app's `max_body` stands before it" },
	{ .key = "connections", .type = &schema_int, SCHEMA_FIELD(size_limits_config, connections),
	  .min = 1, .max = 1000000, .unset = "20000", .help = "of clients, at once" },
	{ .key = "connections_per_address", .type = &schema_int,
	  SCHEMA_FIELD(size_limits_config, connections_per_address), .min = 1, .max = 1000000,
	  .unset = "256", .help = "of one address (IPv6: one /64), at once" },
	{ .key = "held", .type = &schema_size, SCHEMA_FIELD(size_limits_config, held_bytes),
	  .min = MIB, .max = TIB, .unset = "512MiB",
	  .help = "of all bodies that wait for inspection: else 503" },
	{ .key = "tarpits", .type = &schema_int, SCHEMA_FIELD(size_limits_config, tarpits), .max = 1000000,
	  .unset = "1000", .help = "refusals that are held back at once (`tarpit`); one more is given at once" },
};

static const struct schema_table size_table = {
	.name = "size_limits",
	.help = "The largest and the most that is taken. (How often, is `limits` of an app.)",
	ROWS(size_rows),
};

/* ---- admin, log ---- */

static const struct schema_row admin_rows[] = {
	{ .key = "bind", .type = &config_type_bind, .words = off, SCHEMA_FIELD(admin_config, bind),
	  .unset = "127.0.0.1:9180", .help = "where the dashboard, `/api/v1`, `/metrics`, `/healthz` and `/readyz` are" },
	{ .key = "cert", .type = &schema_path, SCHEMA_FIELD(admin_config, cert),
	  .help = "PEM file: a certificate with its chain; with it TLS is spoken. An address that is not loopback needs it" },
	{ .key = "key", .type = &schema_path, SCHEMA_FIELD(admin_config, key), .help = "PEM file: the private key" },
	{ .key = "hosts", .type = &config_type_host, SCHEMA_ITEMS(admin_config, hosts.at, hosts.n),
	  .help = "names by which it may be asked (the Host field), beside localhost, the machine's name and any address" },
	{ .key = "writes", .type = &schema_bool, SCHEMA_FIELD(admin_config, writes), .unset = "on",
	  .help = "whether the API may change the configuration, or an app's mode until the next start; `off`: neither, and `embergate ctl` may do the second alone" },
	{ .key = "cluster_writes", .type = &schema_bool, SCHEMA_FIELD(admin_config, cluster_writes), .unset = "off",
	  .help = "with `redis`, where all gates have it: a change made at one is made at the others too, if their overrides were the same before" },
};

static const struct schema_table admin_table = {
	.name = "admin",
	.help = "The administrator's address. Who may use the API is told by `embergate ctl user` and `token`; metrics and probes ask "
		"nobody who he is: keep it local.",
	ROWS(admin_rows),
	.shorthand = "bind",
	.end = config_admin_end,
};

static const struct schema_word log_formats[] = {
	{ "auto", LOG_AUTO, false },
	{ "ecs", LOG_ECS, false },
	{ "combined", LOG_COMBINED, false },
	{ "cef", LOG_CEF, false },
	{ "logfmt", LOG_LOGFMT, false },
	{ "human", LOG_HUMAN, false },
	{ 0 },
};

static const struct schema_row log_rows[] = {
	{ .key = "access", .type = &config_type_log_file, .words = off, SCHEMA_FIELD(log_config, access),
	  .unset = "-", .help = "a line a request" },
	{ .key = "security", .type = &config_type_log_file, .words = off, SCHEMA_FIELD(log_config, security),
	  .unset = "-", .help = "a line a request that a rule, limit or the protocol had something against" },
	{ .key = "format", .type = &schema_enum, .words = log_formats, SCHEMA_FIELD(log_config, format),
	  .unset = "auto", .help = "`auto`: `human` on a terminal, else `ecs` (JSON lines)" },
	{ .key = "syslog", .type = &schema_nested, .table = &config_syslog_table, SCHEMA_FIELD(log_config, syslog),
	  .help = "a receiver of syslog beside the files" },
};

static const struct schema_table log_table = {
	.name = "log",
	.help = "What is written down, and where. Files are opened again at a reload.",
	ROWS(log_rows),
};

static const struct schema_row events_rows[] = {
	{ .key = "count", .type = &schema_int, SCHEMA_FIELD(events_config, count), .min = 100, .max = 10000000,
	  .unset = "200000", .help = "of events, at most" },
	{ .key = "bytes", .type = &schema_size, SCHEMA_FIELD(events_config, bytes), .min = MIB, .max = TIB,
	  .unset = "1GiB", .help = "of the file, at most" },
	{ .key = "age", .type = &schema_duration, SCHEMA_FIELD(events_config, age_ms), .min = MINUTE, .max = 3650 * 24 * (uint64_t)HOUR,
	  .unset = "30d", .help = "they are deleted after that time" },
};

static const struct schema_table events_table = {
	.name = "events",
	.help = "Requests that a rule, limit or the protocol had something against, with all that is known of them: `events.db` in "
		"the state directory, for the API and the dashboard. The oldest give way. Holds from the next start on.",
	ROWS(events_rows),
};

/* ---- the file ---- */

static const struct schema_word auto_workers[] = { { "auto", 0, false }, { 0 } };

/* `apps` is last: an app starts from what the rows before it have read. */
static const struct schema_row config_rows[] = {
	{ .key = "version", .type = &schema_int, .min = 1, .max = 1, .unset = "1",
	  .help = "of this language" },
	{ .key = "include", .type = &schema_text, .many = SCHEMA_LIST,
	  .help = "more files, relative to this one; the last part may hold wildcards. Their `apps` and lists "
		  "are joined to those here" },
	{ .key = "listen", .type = &schema_nested, .table = &config_listen_table,
	  SCHEMA_ITEMS(config, listens, nlistens),
	  .help = "where clients come in; without it `:80` (redirecting) and `:443` when an app has a DNS host "
		  "name, else `:8080`" },
	{ .key = "tls", .table = &tls_table, SAME(config), .help = "certificates" },
	{ .key = "client_ip", .type = &schema_nested, .table = &config_client_ip_table,
	  SCHEMA_FIELD(config, client_ip), .help = "which proxies in front are trusted" },
	{ .key = "timeouts", .type = &schema_nested, .table = &config_timeouts_table, SCHEMA_FIELD(config, timeouts),
	  .help = "how long the gate waits" },
	{ .key = "min_rate", .type = &schema_nested, .table = &min_rate_table, SCHEMA_FIELD(config, min_rate),
	  .help = "how slow a client may be" },
	{ .key = "size_limits", .type = &schema_nested, .table = &size_table, SCHEMA_FIELD(config, size),
	  .help = "the largest and the most that is taken" },
	{ .key = "workers", .type = &schema_int, .words = auto_workers, SCHEMA_FIELD(config, workers),
	  .min = 1, .max = 253, .unset = "auto", .help = "threads that serve; `auto`: one a core" },
	{ .key = "state", .type = &schema_path, SCHEMA_FIELD(config, state),
	  .help = "directory for what is kept; without it `./.embergate`, under systemd `$STATE_DIRECTORY`" },
	{ .key = "secret", .type = &schema_secret, SCHEMA_FIELD(config, secret),
	  .help = "the installation's secret; without it one is made in the state directory" },
	{ .key = "admin", .type = &schema_nested, .table = &admin_table, SCHEMA_FIELD(config, admin),
	  .help = "dashboard, API, metrics and health" },
	{ .key = "ctl", .type = &schema_path, SCHEMA_FIELD(config, ctl_socket),
	  .help = "the unix socket of `embergate ctl`; without it `ctl.sock` in systemd's runtime directory, else in the state directory" },
	{ .key = "log", .type = &schema_nested, .table = &log_table, SCHEMA_FIELD(config, log),
	  .help = "what is written down" },
	{ .key = "events", .type = &schema_nested, .table = &events_table, SCHEMA_FIELD(config, events),
	  .help = "alerts that are kept on disk" },
	{ .key = "notify", .type = &schema_nested, .table = &config_notify_table, SCHEMA_ITEMS(config, notify, nnotify),
	  .help = "webhooks that are told what happens" },
	{ .key = "logs", .type = &schema_nested, .table = &config_log_input_table, SCHEMA_ITEMS(config, logs, nlogs),
	  .help = "logs of other servers that are read too" },
	{ .key = "apps", .type = &schema_nested, .table = &config_app_table, SCHEMA_NAMED(config, apps, napps),
	  .needed = true, .help = "the applications, by name" },
	{ .key = "scenarios", .type = &schema_nested, .table = &config_scenarios_table, SCHEMA_FIELD(config, scenarios),
	  .help = "behaviour over time: which scenarios watch" },
	{ .key = "profiles", .type = &schema_nested, .table = &config_profile_table,
	  SCHEMA_ITEMS(config, profiles, nprofiles),
	  .help = "what is done when a scenario overflows; without it: deny for 4 h, 24 h, 72 h; crowds, floods and whole networks are challenged" },
	{ .key = "bots", .type = &schema_nested, .table = &config_bots_table, SCHEMA_FIELD(config, bots),
	  .help = "how bots are told from those who only say that they are one" },
	{ .key = "redis", .type = &schema_nested, .table = &config_redis_table, SCHEMA_FIELD(config, redis),
	  .help = "what the gates of an installation share; without it this one is alone" },
	{ .key = "cti", .type = &schema_nested, .table = &config_cti_table, SCHEMA_FIELD(config, cti),
	  .help = "reputation: lists, another CrowdSec, what is shared" },
	{ .key = "lapi", .type = &schema_nested, .table = &config_lapi_table, SCHEMA_FIELD(config, lapi),
	  .help = "CrowdSec's local API, served to its agents, bouncers and cscli; without it none" },
	{ .key = "geo", .type = &schema_path, SCHEMA_ITEMS(config, geo, ngeo),
	  .help = "MaxMind DB files (`*.mmdb`) of countries and ASes" },
	RESERVED("hub"),
};

const struct schema_table config_table = {
	.name = "file",
	.help = "The keys at the top level. One file needs no more than `apps` with one name and its `upstream`.",
	ROWS(config_rows),
};
