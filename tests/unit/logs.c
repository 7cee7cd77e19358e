/* logs.c -- lines of logs, good, odd and broken, and what is read in them. */
#include "tests/test.h"
#include "base/text.h"
#include "scenarios/logs.h"

enum { ARENA_CAP = 1 << 20, WANTS = 8 };

#define UA "\"-\" \"curl/7.68.0\""

struct line_row {
	const char *type, *line;
	struct { const char *name, *value; } want[WANTS];
};

static void check_row(const struct line_row *row)
{
	struct arena *a = arena_new(ARENA_CAP);
	struct facts f = { 0 };
	const struct log_reader *r = log_reader_find(bytes_of(row->type));

	assert_non_null(r);
	if (r->read(a, bytes_of(row->line), &f) != LOG_READ)
		fail_msg("not read: %s", row->line);
	for (size_t i = 0; i < WANTS && row->want[i].name; i++) {
		struct bytes got = facts_get(&f, bytes_of(row->want[i].name));

		if (!bytes_eq(got, bytes_of(row->want[i].value)))
			fail_msg("%s: %s is \"%.*s\", not \"%s\"", row->line, row->want[i].name, BYTES_ARG(got), row->want[i].value);
	}
	arena_free(a);
}

static void lines_give_the_facts_of_crowdsecs_parsers(void **state)
{
	static const struct line_row rows[] = {
		{ "nginx", "192.0.2.1 - - [29/Sep/2021:17:29:58 +0200] \"GET /a/b.PHP?x=1&y HTTP/1.1\" 404 162 " UA,
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.timestamp", "2021-09-29T17:29:58+02:00" },
		    { "Meta.http_path", "/a/b.PHP?x=1&y" }, { "Parsed.request", "/a/b.PHP" }, { "Meta.http_args_len", "5" },
		    { "Parsed.impact_completion", "false" }, { "Meta.http_user_agent", "curl/7.68.0" }, { "Parsed.file_ext", ".PHP" } } },
		{ "nginx", "www.example.com:443 2001:db8::1 - - [29/Sep/2021:17:29:58 +0000] \"PRI * HTTP/2.0\" 400 0 " UA " \"-\"",
		  { { "Meta.source_ip", "2001:db8::1" }, { "Meta.target_fqdn", "www.example.com" }, { "Meta.http_verb", "PRI" },
		    { "Parsed.http_version", "2.0" }, { "Meta.timestamp", "2021-09-29T17:29:58Z" }, { "Parsed.static_ressource", "false" },
		    { "Meta.http_args_len", "" } } },
		{ "nginx", "192.0.2.1 - j [1/x] d [29/Sep/2021:17:29:58 +0000] \"GET /a b HTTP/1.1\" 200 - " UA,
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.http_path", "/a b" } } },
		{ "nginx", "192.0.2.1 - - [29/Sep/2021:17:29:58 +0000] \"M-SEARCH * HTTP/1.1\" 400 0 " UA,
		  { { "Meta.http_path", "M-SEARCH * HTTP/1.1" }, { "Meta.http_verb", "" } } },
		{ "nginx", "192.0.2.1 - - [29/Sep/2021:17:29:58 +0000] \"GET /\\\" 200 0 HTTP/1.1\" 404 9 \"\" \"a\\\"b\"",
		  { { "Meta.http_status", "404" }, { "Meta.http_user_agent", "a\\\"b" } } },
		{ "nginx", "192.0.2.1 - - [29/Sep/2021:17:29:58 +0000] \"\" 400 0 " UA, { { "Meta.http_path", "" }, { "Meta.http_status", "400" } } },
		{ "nginx", "<134>Sep 15 16:13:46 host nginx[9]: 192.0.2.1 - - [15/Sep/2021:16:13:46 +0000] \"GET / HTTP/1.1\" 200 1 " UA,
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.timestamp", "2021-09-15T16:13:46Z" } } },
		{ "nginx", "<134>1 2021-09-15T16:13:46.5Z host nginx 9 - [x y=\"a\\]b\"][z] 192.0.2.1 - - "
			   "[15/Sep/2021:16:13:46 +0000] \"GET / HTTP/1.1\" 200 1 " UA, { { "Meta.source_ip", "192.0.2.1" } } },
		{ "nginx", "2021-09-15T16:13:46.5+02:00 stdout F 192.0.2.1 - - [15/Sep/2021:16:13:46 +0000] \"GET / HTTP/1.1\" 200 1 " UA "\r\n",
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.http_user_agent", "curl/7.68.0" } } },
		{ "nginx", "2021/09/30 09:23:53 [error] 1#2: *17 user \"foo\" was not found in \"/tmp/a\", client: 192.0.2.1, server: _, "
			   "request: \"GET http://h/x?y=1 HTTP/1.1\", host: \"h\"",
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.log_type", "http_error-log" }, { "Meta.sub_type", "auth_fail" },
		    { "Meta.username", "foo" }, { "Meta.http_path", "//h/x?y=1" }, { "Meta.http_verb", "GET" }, { "Meta.target_fqdn", "_" },
		    { "Meta.timestamp", "2021-09-30T09:23:53Z" } } },
		{ "nginx", "2021/09/30 09:23:53 [error] 1#2: *17 user \"a\": password mismatch, client: 192.0.2.1, server: s, "
			   "request: \"GET /, client: 198.51.100.9, server: HTTP/1.1\"",
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.sub_type", "auth_fail" }, { "Meta.username", "a" } } },
		{ "nginx", "2021/09/30 09:23:53 [error] 1#2: *5 limiting requests, excess: 5.1 by zone \"z\", client: 192.0.2.1, server: s, "
			   "request: \"GET / HTTP/1.1\", host: \"h\"", { { "Meta.sub_type", "req_limit_exceeded" }, { "Meta.username", "" } } },
		{ "bunkerweb", "example.com 192.0.2.1 - abc1 bob [29/Sep/2021:14:11:34 +0200] \"HEAD / HTTP/1.1\" 200 0 " UA,
		  { { "Meta.request_id", "abc1" }, { "Meta.target_fqdn", "example.com" } } },
		{ "apache2", "192.0.2.1 - - [29/Sep/2021:12:37:05 +0000] \"GET /src/?a=http://b/c.txt?? HTTP/1.1\" 404 196",
		  { { "Meta.http_path", "/src/?a=http://b/c.txt??" }, { "Parsed.request", "/src/?a=http://b/c.txt?" },
		    { "Meta.http_args_len", "0" }, { "Meta.http_user_agent", "" } } },
		{ "apache2", "h.example:80 192.0.2.1 ident user [29/Sep/2021:12:37:05 +0000] \"GET /\" 200 - \"-\" \"x\"",
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.target_fqdn", "h.example" }, { "Meta.http_verb", "GET" },
		    { "Parsed.body_bytes_sent", "-" }, { "Parsed.http_version", "" } } },
		{ "apache2", "192.0.2.1 ident user [29/Sep/2021:12:37:05 +0000] \"\\x16\\x03 \\x01\" 400 226 \"-\" \"-\"",
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.target_fqdn", "" }, { "Parsed.rawrequest", "\\x16\\x03 \\x01" },
		    { "Meta.http_path", "\\x16\\x03 \\x01" }, { "Parsed.request", "" } } },
		{ "apache2", "192.0.2.1 - - [29/Sep/2021:12:37:05 +0000] \"GET /a b HTTP/1.1\" 400 226 \"-\" \"-\"",
		  { { "Parsed.rawrequest", "GET /a b HTTP/1.1" }, { "Meta.http_verb", "" }, { "Meta.http_args_len", "" } } },
		{ "apache2", "[Fri Oct 08 17:08:41.203277 2021] [core:error] [pid 7005:tid 1] [client 192.0.2.1:14532] AH00126: Invalid URI in "
			     "request GET /.%2E/etc HTTP/1.1",
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.sub_type", "invalid_uri" }, { "Meta.http_path", "/.%2E/etc" },
		    { "Meta.timestamp", "2021-10-08T17:08:41.203277Z" } } },
		{ "apache2", "[Fri Oct 08 17:08:41.2 2021] [auth_basic:error] [pid 7] [client 2001:db8::1:14532] AH01617: user foo: "
			     "authentication failure for \"/x\": Password Mismatch",
		  { { "Meta.source_ip", "2001:db8::1" }, { "Meta.sub_type", "auth_fail" }, { "Meta.username", "foo" },
		    { "Meta.http_path", "/x" }, { "Parsed.target_uri", "/x" } } },
		{ "apache2", "[Fri Oct 08 17:08:41 2021] [auth_basic:error] [pid 7] [client 192.0.2.1:1] AH01618: user foo not found: /x",
		  { { "Meta.sub_type", "auth_fail" }, { "Meta.username", "foo" }, { "Meta.http_path", "/x" } } },
		{ "apache2", "[Fri Oct 08 17:08:41 2021] [error] [client 2001:db8::1] File does not exist: /x",
		  { { "Meta.source_ip", "2001:db8::1" }, { "Meta.sub_type", "" } } },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++)
		check_row(&rows[i]);
}

static void other_servers_lines_give_the_same_facts(void **state)
{
	static const struct line_row rows[] = {
		{ "json", "{\"remote_addr\":\"192.0.2.1\",\"request\":\"GET /a?\\u00e9\\ud83d\\ude00\\\" HTTP/1.1\",\"status\":404,\"x\":[{\"y\":null}],"
			  "\"time_iso8601\":\"2021-09-29T17:29:58+02:00\",\"http_user_agent\":\"a\\/b\"}",
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.http_path", "/a?\xC3\xA9\xF0\x9F\x98\x80\"" }, { "Meta.http_status", "404" },
		    { "Meta.http_user_agent", "a/b" }, { "Meta.timestamp", "2021-09-29T17:29:58+02:00" }, { "Meta.http_verb", "GET" } } },
		{ "caddy", "{\"ts\":1711741827.96,\"request\":{\"remote_ip\":\"198.51.100.1\",\"client_ip\":\"192.0.2.1\",\"proto\":\"HTTP/2.0\","
			   "\"uri\":\"/\",\"method\":\"GET\",\"headers\":{\"User-Agent\":[\"x\",\"y\"],\"client_ip\":[\"6\"]}},\"status\":401,"
			   "\"resp_headers\":{\"Www-Authenticate\":[\"Basic realm\"]}}",
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.sub_type", "auth_fail" }, { "Parsed.http_version", "2.0" },
		    { "Meta.timestamp", "2024-03-29T19:50:27Z" }, { "Meta.http_user_agent", "x" } } },
		{ "traefik", "{\"ClientHost\":\"10.0.0.9, 192.0.2.1\",\"RequestPath\":\"/x\",\"RouterName\":\"a@docker\",\"DownstreamStatus\":200}",
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.traefik_router_name", "a@docker" } } },
		{ "traefik", "192.0.2.1 - - [08/Dec/2021:14:02:43 +0000] \"GET /x HTTP/1.1\" 404 19 \"-\" \"Nik\" 9 \"a@docker\" \"-\" 0ms",
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.traefik_router_name", "a@docker" }, { "Meta.http_user_agent", "Nik" } } },
		{ "envoy", "{\"downstream_remote_address\":\"[2001:db8::1]:9\",\"x-envoy-origin-path\":\"/a\",\":authority\":\"h\"}",
		  { { "Meta.source_ip", "2001:db8::1" }, { "Meta.target_fqdn", "h" } } },
		{ "nginx", "{\"log\":\"192.0.2.1 - - [29/Sep/2021:17:29:58 +0000] \\\"GET / HTTP/1.1\\\" 200 1 \\\"-\\\" \\\"x\\\"\\n\","
			   "\"stream\":\"stdout\",\"time\":\"2021-09-29T17:29:59.1Z\"}", { { "Meta.source_ip", "192.0.2.1" } } },
		{ "haproxy", "<134>Feb  6 12:14:14 h haproxy[1]: 192.0.2.1:33317 [06/Feb/2009:12:14:14.655] in st/s1 10/0/30/69/109 404 2750 - - "
			     "---- 1/1/1/1/0 0/0 {a|b} {} \"GET https://h:8443/index.html HTTP/2.0\"",
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.http_path", "/index.html" }, { "Meta.http_status", "404" },
		    { "Meta.http_host", "h" }, { "Meta.http_port", "8443" }, { "Meta.timestamp", "2009-02-06T12:14:14.655Z" } } },
		{ "nginx-proxy-manager", "[29/Jul/2023:10:26:06 -0700] - 200 404 - GET https h.example \"/x?y\" [Client 192.0.2.1] [Length 5] "
					 "[Gzip 2.1] [Sent-to 10.0.0.1] \"ua\" \"-\"",
		  { { "Meta.source_ip", "192.0.2.1" }, { "Meta.http_status", "404" }, { "Meta.http_path", "/x?y" }, { "Meta.http_verb", "GET" },
		    { "Meta.target_fqdn", "h.example" }, { "Meta.http_user_agent", "ua" } } },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++)
		check_row(&rows[i]);
}

static void failures_of_ssh_name_the_address_that_sshd_wrote(void **state)
{
	static const struct { const char *message, *type, *user, *from; } rows[] = {
		{ "Failed password for root from 192.0.2.1 port 22 ssh2", "ssh_failed-auth", "root", "192.0.2.1" },
		{ "Failed password for invalid user a b from 192.0.2.1 port 22 ssh2", "ssh_failed-auth", "a b", "192.0.2.1" },
		{ "Failed keyboard-interactive/pam for invalid user x from 2001:db8::1 port 22 ssh2", "ssh_failed-auth", "x", "2001:db8::1" },
		{ "Invalid user  from 192.0.2.1 port 22", "ssh_failed-auth", "", "192.0.2.1" },
		{ "Invalid user x from 198.51.100.9 port 1 from 192.0.2.1 port 22", "ssh_failed-auth", "x from 198.51.100.9 port 1", "192.0.2.1" },
		{ "User x from 192.0.2.1 not allowed because not listed in AllowUsers", "ssh_failed-auth", "x", "192.0.2.1" },
		{ "Connection closed by invalid user a 198.51.100.9 port 1 [preauth] 192.0.2.1 port 9 [preauth]", "ssh_failed-auth",
		  "a 198.51.100.9 port 1 [preauth]", "192.0.2.1" },
		{ "Connection reset by 192.0.2.1 port 9 [preauth]", "ssh_failed-auth", "", "192.0.2.1" },
		{ "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1  user=root", "ssh_failed-auth",
		  "root", "192.0.2.1" },
		{ "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=192.0.2.1", "ssh_failed-auth", "",
		  "192.0.2.1" },
		{ "error: banner exchange: Connection from 192.0.2.1 port 9: invalid format", "ssh_failed-auth", "", "192.0.2.1" },
		{ "Unable to negotiate with 192.0.2.1 port 9: no matching MAC found. Their offer: x [preauth]", "ssh_bad_keyexchange", "", "192.0.2.1" },
		{ "fatal: Timeout before authentication for 192.0.2.1 port 9", "ssh_auth_timeout", "", "192.0.2.1" },
		{ "refused connect from h (::ffff:192.0.2.1)", "ssh_refused_conn", "", "192.0.2.1" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		char line[512];
		struct text t = text_over(line, sizeof line - 1);
		struct line_row row = { "syslog", line, { { "Meta.service", "ssh" }, { "Meta.log_type", rows[i].type },
							  { "Meta.target_user", rows[i].user }, { "Meta.source_ip", rows[i].from },
							  { "Meta.machine", "host" } } };

		text_printf(&t, "Sep  5 16:13:46 host sshd-session[9]: %s", rows[i].message);
		line[t.len] = 0;
		check_row(&row);
		row.type = "sshd";
		check_row(&row);
	}
}

static void lines_that_are_none_are_told_apart(void **state)
{
	static const struct { const char *type, *line; enum log_read want; } rows[] = {
		{ "nginx", "", LOG_BROKEN },
		{ "nginx", "-", LOG_BROKEN },
		{ "nginx", "192.0.2.1", LOG_BROKEN },
		{ "nginx", "192.0.2.1 - - ", LOG_BROKEN },
		{ "nginx", "192.0.2.1 - - [29/Sep/2021:17:29:58 +0200", LOG_BROKEN },
		{ "nginx", "192.0.2.1 - - [29/Sep/2021:17:29:58 +0200] \"", LOG_BROKEN },
		{ "nginx", "192.0.2.1 - - [31/Sep/2021:17:29:58 +0200] \"GET / HTTP/1.1\" 200 0 " UA, LOG_BROKEN },
		{ "nginx", "192.0.2.1 - - [29/Sep/2021:17:29:58 +0200] \"GET / HTTP/1.1\" 2000 0 " UA, LOG_BROKEN },
		{ "nginx", "192.0.2.1 - - [29/Sep/2021:17:29:58 +0200] \"GET / HTTP/1.1\" 200 0", LOG_BROKEN },
		{ "nginx", "192.0.2.1 - - [29/Sep/2021:17:29:58 +0200] \"GET / HTTP/1.1\" 200 0 \"-\" \"cut", LOG_BROKEN },
		{ "nginx", "unix: - - [29/Sep/2021:17:29:58 +0200] \"GET / HTTP/1.1\" 200 0 " UA, LOG_READ },
		{ "nginx", "<134>1 2021-09-15T16:13:46Z h p - - [x y=\"", LOG_BROKEN },
		{ "nginx", "<134>", LOG_BROKEN },
		{ "nginx", "2021/09/30 09:23:53 [notice] 1#1: start worker processes", LOG_OTHER },
		{ "nginx", "2021/09/30 09:23:53 [error] 1#1: *1 open() \"/, client: 192.0.2.9, s\" failed, client: 192.0.2.1, server: _", LOG_BROKEN },
		{ "apache2", "[Fri Oct 08 17:08:41 2021] [mpm_event:notice] [pid 7:tid 8] AH00489: resuming normal operations", LOG_OTHER },
		{ "apache2", "[Fri Oct 08 17:08:41 2021] [core:error] [pid 7:tid 8] [client", LOG_OTHER },
		{ "apache2", "[Fri", LOG_BROKEN },
		{ "json", "{", LOG_BROKEN },
		{ "json", "{\"a\":1}x", LOG_BROKEN },
		{ "json", "{\"remote_addr\":\"\\ud800\\u12\"}", LOG_BROKEN },
		{ "json", "{\"status\":[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]}", LOG_BROKEN },
		{ "json", "{\"status\":404}", LOG_OTHER },
		{ "json", "{\"remote_addr\":\"\\\" OR 1\",\"uri\":\"/\"}", LOG_OTHER },
		{ "syslog", "Sep  5 16:13:46 host cron[9]: Failed password for root from 192.0.2.1 port 22 ssh2", LOG_OTHER },
		{ "sshd", "Sep  5 16:13:46 host sudo: Failed password for root from 192.0.2.1 port 22 ssh2", LOG_OTHER },
		{ "syslog", "Sep  5 16:13:46 host sshd[9]: Accepted publickey for root from 192.0.2.1 port 22 ssh2", LOG_OTHER },
		{ "syslog", "Failed password for root from 192.0.2.1 port 22 ssh2", LOG_BROKEN },
		{ "syslog", "Sep 5", LOG_BROKEN },
		{ "haproxy", "192.0.2.1:1 [06/Feb/2009:12:14:14.655] in st/s1", LOG_BROKEN },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *a = arena_new(ARENA_CAP);
		struct facts f = { 0 };

		if (log_reader_find(bytes_of(rows[i].type))->read(a, bytes_of(rows[i].line), &f) != rows[i].want)
			fail_msg("%s", rows[i].line);
		arena_free(a);
	}
}

static void times_of_lines_are_microseconds_of_the_epoch(void **state)
{
	static const struct { const char *line; uint64_t us; } rows[] = {
		{ "1 - - [01/Jan/1970:00:00:00 +0000] \"\" 400 0 " UA, 0 },
		{ "1 - - [01/Jan/1970:00:00:00 +0100] \"\" 400 0 " UA, 0 }, /* before the epoch: its start */
		{ "1 - - [29/Feb/2000:12:00:00 +0000] \"\" 400 0 " UA, 951825600000000 },
		{ "1 - - [29/Sep/2021:17:29:58 +0200] \"\" 400 0 " UA, 1632929398000000 },
		{ "1 - - [29/Sep/2021:17:29:58 -0930] \"\" 400 0 " UA, 1632970798000000 },
		{ "1 - - [31/Dec/2016:23:59:60 +0000] \"\" 400 0 " UA, 1483228799000000 },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *a = arena_new(ARENA_CAP);
		struct facts f = { 0 };

		assert_int_equal(log_reader_find(BYTES("nginx"))->read(a, bytes_of(rows[i].line), &f), LOG_READ);
		assert_int_equal(f.at_us, rows[i].us);
		assert_int_equal(f.wall_ms, rows[i].us / 1000);
		arena_free(a);
	}
}

static void readers_are_found_by_their_names(void **state)
{
	size_t n;
	const struct log_reader *r = log_readers(&n);

	(void)state;
	assert_null(log_reader_find(BYTES("")));
	assert_null(log_reader_find(BYTES("nginx2")));
	for (size_t i = 0; i < n; i++)
		assert_ptr_equal(log_reader_find(bytes_of(r[i].name)), &r[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_give_the_facts_of_crowdsecs_parsers),
		cmocka_unit_test(other_servers_lines_give_the_same_facts),
		cmocka_unit_test(failures_of_ssh_name_the_address_that_sshd_wrote),
		cmocka_unit_test(lines_that_are_none_are_told_apart),
		cmocka_unit_test(times_of_lines_are_microseconds_of_the_epoch),
		cmocka_unit_test(readers_are_found_by_their_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
