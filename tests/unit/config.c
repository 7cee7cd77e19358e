/* Files and options become a configuration, or an error that says where. */
#include "tests/test.h"
#include "proxy/config.h"
#include "rules/rules.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct warnings {
	unsigned n;
	char last[256];
};

static void on_warning(void *ctx, const char *text)
{
	struct warnings *w = ctx;

	w->n++;
	snprintf(w->last, sizeof w->last, "%s", text);
}

static struct config *parse(const char *text)
{
	struct err e = { 0 };
	struct config *c = config_parse(bytes_of(text), "t.yaml", NULL, NULL, &e);

	if (!c)
		fail_msg("does not load: %s", e.text);
	return c;
}

static void the_smallest_file_gets_the_defaults(void **state)
{
	struct config *c = parse("apps: {shop: {upstream: \"http://127.0.0.1:3000\"}}");
	const struct app_config *a = &c->apps[0];

	(void)state;
	assert_int_equal(c->napps, 1);
	assert_bytes(a->name, BYTES("shop"));
	assert_int_equal(a->hosts.n, 0);
	assert_int_equal(a->upstream.nservers, 1);
	assert_string_equal(a->upstream.servers[0].host, "127.0.0.1");
	assert_int_equal(a->upstream.servers[0].port, 3000);
	assert_int_equal(a->upstream.servers[0].weight, 1);
	assert_false(a->upstream.servers[0].tls);
	assert_true(a->upstream.verify);
	assert_int_equal(a->upstream.max_idle, 64);
	assert_int_equal(a->upstream.health.interval_ms, 5000);
	assert_int_equal(a->waf.mode, WAF_BLOCK);
	assert_true(a->waf.packs);
	assert_int_equal(a->waf.window, 256 << 10);
	assert_int_equal(a->size.body_bytes, 1 << 30);
	assert_int_equal(a->timeouts.head_ms, 10000);
	assert_int_equal(c->nlistens, 1);
	assert_bytes(c->listens[0].bind, BYTES(":8080"));
	assert_true(c->listens[0].any);
	assert_int_equal(c->min_rate.window_ms, 20000);
	assert_int_equal(c->min_rate.head, 0);
	assert_int_equal(c->min_rate.body, 256);
	assert_int_equal(c->size.head_bytes, 32 << 10);
	assert_int_equal(c->size.connections, 20000);
	assert_int_equal(c->tls_min, 12);
	assert_int_equal(c->workers, 0);
	assert_bytes(c->admin.bind, BYTES("127.0.0.1:9180"));
	assert_true(c->admin.writes);
	assert_null(c->admin.cert);
	assert_string_equal(c->state, "./.embergate");
	assert_string_equal(c->ctl_socket, "./.embergate/ctl.sock");
	assert_null(c->secret);
	assert_string_equal(c->log.access, "-");
	assert_int_equal(c->log.format, LOG_AUTO);
	assert_string_equal(c->file, "t.yaml");
	config_free(c);
}

static const char every_key[] =
	"version: 1\n"
	"listen:\n"
	"  - \":80\"\n"
	"  - {bind: '[::1]:8443', proxy_protocol: v1, from: [10.0.0.0/8], reason: balancer}\n"
	"tls: {min: 1.3, certs: [{cert: a.pem, key: /k.pem, reason: x}]}\n"
	"client_ip: {trust: [private, 192.0.2.1], header: forwarded}\n"
	"timeouts: {connect: 1s, first_byte: 2s, idle: 3s, head: 4s, stall: 5s, drain: 6s}\n"
	"min_rate: {window: 10s, head: 1, body: 1KiB, response: off}\n"
	"size_limits: {head: 8KiB, target: 4KiB, fields: 50, body: 10MB, connections: 7,\n"
	"  connections_per_address: 8, held: 1MiB}\n"
	"workers: 4\n"
	"state: var\n"
	"secret: env:EMBER\n"
	"admin: off\n"
	"ctl: /run/e.sock\n"
	"log: {access: a.log, security: off, format: cef}\n"
	"apps:\n"
	"  one:\n"
	"    hosts: [A.example, '*.b.example', 192.0.2.9, '::1']\n"
	"    listen: {bind: '127.0.0.1:443', tls: off}\n"
	"    upstream:\n"
	"      servers: [{url: 'https://[2001:db8::1]/', weight: 3, reason: r}, 'http://b:81']\n"
	"      balance: hash\n"
	"      health: {path: /up?x=1, interval: 1s, timeout: 500ms, fails: 4, passes: 5, down: 6s}\n"
	"      max_idle: 0\n"
	"      verify: off\n"
	"      ca: ca.pem\n"
	"      host: server\n"
	"    waf: {mode: detect, ruleset: packs, packs: off, window: 1MiB, rules: [/]}\n"
	"    rules:\n"
	"      - {name: n, path: /a*, methods: [GET, POST], host: '*.x', headers: {X-A: 'b*'},\n"
	"         from: [loopback], not_from: ['::1'], nocase: on, do: deny, reason: why, until: 2999-01-01}\n"
	"      - {path: /b, do: allow}\n"
	"    limits:\n"
	"      - {name: l, path: /l, methods: POST, rate: 10/h, burst: 3, then: log, reason: r, until: 2999-01-01}\n"
	"      - rate: 7/s\n"
	"    exceptions:\n"
	"      - {path: /e, methods: [PUT], skip: [sqli, 'arg:a b', body], max_body: 2GB, reason: r, until: 2999-01-01}\n"
	"      - {rules: [942100, 942110-942199], categories: xss, tags: [language-*], args: [a, b*], cookies: c, headers: [x-h],\n"
	"         parts: [files, query]}\n"
	"    streams: [/s, /t*]\n"
	"    client_ip: cloudflare\n"
	"    timeouts: {idle: 9s, head: 8s}\n"
	"    max_body: 1MB\n"
	"    page: {title: T, contact: C, logo: /logo.png, file: p.html}\n"
	"    tls: {certs: [{cert: b.pem, key: b.key}]}\n"
	"    log: {redact: [pin, iban]}\n";

static void every_key_of_the_top_level_is_reached(void **state)
{
	struct config *c = parse(every_key);

	(void)state;
	assert_int_equal(c->nlistens, 2);
	assert_int_equal(c->listens[1].proxy_protocol, PROXY_PROTOCOL_V1);
	assert_int_equal(c->listens[1].from.n, 1);
	assert_true(c->listens[1].tls);
	assert_int_equal(c->listens[1].port, 8443);
	assert_int_equal(c->listens[1].address.b[15], 1);
	assert_int_equal(c->listens[1].where.line, 4);
	assert_false(c->listens[0].tls);
	assert_int_equal(c->tls_min, 13);
	assert_string_equal(c->certs[0].cert, "a.pem");
	assert_string_equal(c->certs[0].key, "/k.pem");
	assert_int_equal(c->client_ip.trust.n, 8);
	assert_int_equal(c->client_ip.header, CLIENT_IP_FORWARDED);
	assert_int_equal(c->timeouts.connect_ms, 1000);
	assert_int_equal(c->timeouts.first_byte_ms, 2000);
	assert_int_equal(c->timeouts.idle_ms, 3000);
	assert_int_equal(c->timeouts.head_ms, 4000);
	assert_int_equal(c->timeouts.stall_ms, 5000);
	assert_int_equal(c->timeouts.drain_ms, 6000);
	assert_int_equal(c->min_rate.window_ms, 10000);
	assert_int_equal(c->min_rate.head, 1);
	assert_int_equal(c->min_rate.body, 1024);
	assert_int_equal(c->min_rate.response, 0);
	assert_int_equal(c->size.head_bytes, 8192);
	assert_int_equal(c->size.target_bytes, 4096);
	assert_int_equal(c->size.fields, 50);
	assert_int_equal(c->size.body_bytes, 10000000);
	assert_int_equal(c->size.connections, 7);
	assert_int_equal(c->size.connections_per_address, 8);
	assert_int_equal(c->size.held_bytes, 1 << 20);
	assert_int_equal(c->workers, 4);
	assert_string_equal(c->state, "var");
	assert_string_equal(c->secret, "env:EMBER");
	assert_null(c->admin.bind.at);
	assert_string_equal(c->ctl_socket, "/run/e.sock");
	assert_string_equal(c->log.access, "a.log");
	assert_null(c->log.security);
	assert_int_equal(c->log.format, LOG_CEF);
	config_free(c);
}

static void every_key_of_an_app_is_reached(void **state)
{
	struct config *c = parse(every_key);
	const struct app_config *a = &c->apps[0];

	(void)state;
	assert_int_equal(a->where.line, 18);
	assert_int_equal(a->hosts.n, 4);
	assert_bytes(a->hosts.at[0], BYTES("a.example"));
	assert_int_equal(a->nlistens, 1);
	assert_false(a->listens[0].tls);
	assert_ptr_equal(a->listens[0].timeouts, &a->timeouts);
	assert_ptr_equal(c->listens[0].timeouts, &c->timeouts);
	assert_int_equal(a->waf.mode, WAF_DETECT);
	assert_false(a->waf.packs);
	assert_int_equal(a->waf.window, 1 << 20);
	assert_int_equal(a->waf.nrules, 1);
	assert_string_equal(a->waf.rules[0], "/");
	assert_int_equal(a->streams.n, 2);
	assert_bytes(a->streams.at[1], BYTES("/t*"));
	assert_int_equal(a->client_ip.trust.n, 22);
	assert_int_equal(a->client_ip.header, CLIENT_IP_FORWARDED); /* from the top level */
	assert_int_equal(a->timeouts.idle_ms, 9000);
	assert_int_equal(a->timeouts.head_ms, 8000);
	assert_int_equal(a->timeouts.connect_ms, 1000); /* from the top level */
	assert_int_equal(a->size.body_bytes, 1000000);
	assert_int_equal(a->size.head_bytes, 8192);
	assert_bytes(a->page.title, BYTES("T"));
	assert_bytes(a->page.contact, BYTES("C"));
	assert_bytes(a->page.logo_url, BYTES("/logo.png"));
	assert_string_equal(a->page.file, "p.html");
	assert_int_equal(a->ncerts, 1);
	assert_int_equal(a->redact.n, 2);
	config_free(c);
}

static void every_key_of_an_upstream_is_reached(void **state)
{
	struct config *c = parse(every_key);
	const struct upstream_config *u = &c->apps[0].upstream;

	(void)state;
	assert_int_equal(u->nservers, 2);
	assert_true(u->servers[0].tls);
	assert_string_equal(u->servers[0].host, "2001:db8::1");
	assert_int_equal(u->servers[0].port, 443);
	assert_int_equal(u->servers[0].weight, 3);
	assert_int_equal(u->servers[1].port, 81);
	assert_int_equal(u->balance, BALANCE_HASH);
	assert_bytes(u->health.path, BYTES("/up?x=1"));
	assert_int_equal(u->health.interval_ms, 1000);
	assert_int_equal(u->health.timeout_ms, 500);
	assert_int_equal(u->health.fails, 4);
	assert_int_equal(u->health.passes, 5);
	assert_int_equal(u->health.down_ms, 6000);
	assert_int_equal(u->max_idle, 0);
	assert_false(u->verify);
	assert_string_equal(u->ca, "ca.pem");
	assert_true(u->host_from_server);
	config_free(c);
}

static void every_key_of_rules_limits_and_exceptions_is_reached(void **state)
{
	struct config *c = parse(every_key);
	const struct app_config *a = &c->apps[0];
	const struct own_rule *r = a->rules;
	const struct limit_config *l = a->limits;
	const struct exception_config *x = a->exceptions;

	(void)state;
	assert_int_equal(a->nrules, 2);
	assert_bytes(r->name, BYTES("n"));
	assert_bytes(r->path, BYTES("/a*"));
	assert_int_equal(r->methods.n, 2);
	assert_bytes(r->host, BYTES("*.x"));
	assert_int_equal(r->nheaders, 1);
	assert_bytes(r->headers[0].name, BYTES("X-A"));
	assert_bytes(r->headers[0].pattern, BYTES("b*"));
	assert_int_equal(r->from.n, 2);
	assert_int_equal(r->not_from.n, 1);
	assert_true(r->nocase);
	assert_int_equal(r->act, REMEDY_DENY);
	assert_bytes(r->reason, BYTES("why"));
	assert_int_equal(r->until_s, 32472230400); /* 2999-01-02T00:00:00Z */
	assert_bytes(r[1].name, BYTES("/b"));
	assert_null(r[1].host.at);
	assert_int_equal(r[1].act, REMEDY_ALLOW);
	assert_int_equal(a->nlimits, 2);
	assert_true(l->has_path);
	assert_int_equal(l->count, 10);
	assert_int_equal(l->per_ms, 3600000);
	assert_int_equal(l->burst, 3);
	assert_int_equal(l->then, REMEDY_LOG);
	assert_int_equal(l->methods.n, 1);
	assert_false(l[1].has_path);
	assert_bytes(l[1].name, BYTES("limits[1]"));
	assert_int_equal(l[1].burst, 7);
	assert_int_equal(l[1].then, REMEDY_THROTTLE);
	assert_int_equal(a->nexceptions, 2);
	assert_true(x->has_path);
	assert_int_equal(x->skip.n, 3);
	assert_bytes(x->skip.at[1], BYTES("arg:a b"));
	assert_int_equal(x->max_body, 2000000000);
	assert_false(x[1].has_path);
	assert_int_equal(x[1].rules.n, 2);
	assert_bytes(x[1].rules.at[1], BYTES("942110-942199"));
	assert_bytes(x[1].categories.at[0], BYTES("xss"));
	assert_bytes(x[1].tags.at[0], BYTES("language-*"));
	assert_bytes(x[1].args.at[1], BYTES("b*"));
	assert_bytes(x[1].cookies.at[0], BYTES("c"));
	assert_bytes(x[1].headers.at[0], BYTES("x-h"));
	assert_int_equal(x[1].nparts, 2);
	assert_int_equal(x[1].parts[1], EXCLUDE_QUERY);
	config_free(c);
}

static void listeners_follow_from_the_hosts(void **state)
{
	static const struct {
		const char *apps, *binds; /* `s` behind TLS ones, `r` behind redirecting ones */
	} cases[] = {
		{ "a: {upstream: 'http://h'}", ":8080 " },
		{ "a: {upstream: 'http://h', hosts: shop.example}", ":80r :443s " },
		{ "a: {upstream: 'http://h', hosts: '*.shop.example'}", ":80r :443s " },
		{ "a: {upstream: 'http://h', hosts: localhost}", ":8080 " },
		{ "a: {upstream: 'http://h', hosts: a.localhost}", ":8080 " },
		{ "a: {upstream: 'http://h', hosts: [192.0.2.1, '::1']}", ":8080 " },
		{ "a: {upstream: 'http://h', hosts: shop.example, listen: ':1'}", "" },
		{ "a: {upstream: 'http://h', hosts: shop.example, listen: ':1'}, b: {upstream: 'http://h'}",
		  ":8080 " },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		char text[256], binds[64] = "";
		struct config *c;

		snprintf(text, sizeof text, "apps: {%s}", cases[i].apps);
		c = parse(text);
		for (size_t l = 0, n = 0; l < c->nlistens; l++)
			n += (size_t)snprintf(binds + n, sizeof binds - n, "%.*s%s%s ",
					      BYTES_ARG(c->listens[l].bind), c->listens[l].tls ? "s" : "",
					      c->listens[l].redirect_https ? "r" : "");
		assert_string_equal(binds, cases[i].binds);
		config_free(c);
	}
}

static void a_request_has_at_most_one_app(void **state)
{
	static const struct {
		const char *a, *b, *error; /* NULL: loads */
	} cases[] = {
		{ "hosts: a.b", "hosts: b.b", NULL },
		{ "hosts: a.b", "nothing: 0", "unknown key" },
		{ "hosts: a.b", "waf: off", NULL },
		{ "waf: off", "waf: off", "t.yaml:3:3: apps.b has no `hosts`, and neither has apps.a (t.yaml:2)" },
		{ "hosts: a.b", "hosts: [c.d, A.b]",
		  "t.yaml:3:3: apps.b.hosts: 'a.b' is also a host of apps.a (t.yaml:2)" },
		{ "hosts: a.b, listen: ':81'", "hosts: a.b, listen: ':82'", NULL },
		{ "hosts: a.b, listen: ':81'", "hosts: a.b, listen: ':81'",
		  "t.yaml:3:3: apps.b.hosts: 'a.b' is also a host of apps.a" },
		{ "hosts: a.b, listen: ':81'", "hosts: b.b, listen: {bind: ':81', tls: on}",
		  "t.yaml:3:49: listen: ':81' is also in t.yaml:2:49, with other settings" },
		{ "hosts: a.b, listen: ':81', timeouts: {head: 1s}", "hosts: b.b, listen: ':81'",
		  "t.yaml:3:49: listen: ':81' is also in t.yaml:2:49, with other settings" },
		{ "listen: [':81', ':81']", "hosts: a.b", "t.yaml:2:45: listen: ':81' is there twice" },
		{ "listen: [':81', '0.0.0.0:81', '127.0.0.1:81']", "hosts: a.b", NULL },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct err e = { 0 };
		struct config *c;
		char text[512];

		snprintf(text, sizeof text, "apps:\n  a: {upstream: 'http://h', %s}\n"
			 "  b: {upstream: 'http://h', %s}\n", cases[i].a, cases[i].b);
		c = config_parse(bytes_of(text), "t.yaml", NULL, NULL, &e);
		if (!c != !!cases[i].error || (!c && !strstr(e.text, cases[i].error)))
			fail_msg("%s gives %s", text, c ? "no error" : e.text);
		config_free(c);
	}
}

static void what_is_over_warns_and_no_longer_applies(void **state)
{
	static const char text[] = "apps:\n  a:\n    upstream: http://h\n    exceptions:\n"
				   "      - {path: /a, skip: body, until: 2020-01-31}\n"
				   "      - {path: /b, skip: body}\n"
				   "      - {path: /c, skip: body, until: 2020-01-31T10:00:00Z}\n"
				   "    rules: [{path: /d, do: deny, until: 2020-01-31}]\n"
				   "    limits: [{rate: 1/s, until: 2020-01-31}]\n";
	struct warnings w = { 0 };
	struct err e = { 0 };
	struct config *c = config_parse(bytes_of(text), "t.yaml", on_warning, &w, &e);

	(void)state;
	assert_non_null(c);
	assert_int_equal(w.n, 4);
	assert_string_equal(w.last, "t.yaml:7:9: apps.a.exceptions: its `until` is over: it no longer applies");
	assert_int_equal(c->apps[0].nexceptions, 1);
	assert_bytes(c->apps[0].exceptions[0].path, BYTES("/b"));
	assert_int_equal(c->apps[0].nrules, 0);
	assert_int_equal(c->apps[0].nlimits, 0);
	config_free(c);
}

static void options_make_one_app(void **state)
{
	struct config_quick q = { .upstream = "http://127.0.0.1:3000", .host = "Shop.example",
				  .listen = ":8081,127.0.0.1:8443", .admin = "off", .state = "/tmp/x",
				  .detect = true };
	struct err e = { 0 };
	struct config *c = config_quick(&q, NULL, &e);

	(void)state;
	if (!c)
		fail_msg("%s", e.text);
	assert_null(c->file);
	assert_int_equal(c->napps, 1);
	assert_bytes(c->apps[0].name, BYTES("app"));
	assert_bytes(c->apps[0].hosts.at[0], BYTES("shop.example"));
	assert_int_equal(c->apps[0].waf.mode, WAF_DETECT);
	assert_int_equal(c->nlistens, 2);
	assert_bytes(c->listens[0].bind, BYTES(":8081"));
	assert_true(c->listens[1].tls);
	assert_null(c->admin.bind.at);
	assert_string_equal(c->state, "/tmp/x");
	assert_string_equal(c->ctl_socket, "/tmp/x/ctl.sock");
	config_free(c);
	q = (struct config_quick){ .upstream = "http://127.0.0.1:3000" };
	c = config_quick(&q, NULL, &e);
	assert_non_null(c);
	assert_int_equal(c->apps[0].hosts.n, 0);
	assert_bytes(c->listens[0].bind, BYTES(":8080"));
	assert_bytes(c->admin.bind, BYTES("127.0.0.1:9180"));
	config_free(c);
}

static void the_state_directory_is_systemds(void **state)
{
	struct config_quick q = { .upstream = "http://h" };
	struct err e = { 0 };
	struct config *c;

	(void)state;
	assert_int_equal(setenv("STATE_DIRECTORY", "/var/lib/embergate:/var/lib/other", 1), 0);
	c = config_quick(&q, NULL, &e);
	unsetenv("STATE_DIRECTORY");
	assert_non_null(c);
	assert_string_equal(c->state, "/var/lib/embergate");
	config_free(c);
}

static void the_examples_load_without_a_warning(void **state)
{
	static const char *const examples[] = { "smallest.yaml", "shop.yaml", "several.yaml",
						"apps.d/wiki.yaml" };

	(void)state;
	for (size_t i = 0; i < nelems(examples); i++) {
		struct warnings w = { 0 };
		struct err e = { 0 };
		char path[512];
		struct config *c;

		snprintf(path, sizeof path, "%s/docs/examples/%s", SOURCE_DIR, examples[i]);
		c = config_load(path, &(struct config_how){ .warn = on_warning, .ctx = &w }, &e);
		if (!c || w.n)
			fail_msg("%s", c ? w.last : e.text);
		config_free(c);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_smallest_file_gets_the_defaults),
		cmocka_unit_test(every_key_of_the_top_level_is_reached),
		cmocka_unit_test(every_key_of_an_app_is_reached),
		cmocka_unit_test(every_key_of_an_upstream_is_reached),
		cmocka_unit_test(every_key_of_rules_limits_and_exceptions_is_reached),
		cmocka_unit_test(listeners_follow_from_the_hosts),
		cmocka_unit_test(a_request_has_at_most_one_app),
		cmocka_unit_test(what_is_over_warns_and_no_longer_applies),
		cmocka_unit_test(options_make_one_app),
		cmocka_unit_test(the_state_directory_is_systemds),
		cmocka_unit_test(the_examples_load_without_a_warning),
	};

	unsetenv("STATE_DIRECTORY");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
