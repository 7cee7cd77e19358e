/* Files and options become a configuration, or an error that says where. */
#include "tests/test.h"
#include "proxy/config.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
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
	assert_bytes(c->admin, BYTES("127.0.0.1:9180"));
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
	assert_null(c->admin.at);
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
	assert_int_equal(a->nexceptions, 1);
	assert_true(x->has_path);
	assert_int_equal(x->skip.n, 3);
	assert_bytes(x->skip.at[1], BYTES("arg:a b"));
	assert_int_equal(x->max_body, 2000000000);
	config_free(c);
}

/* An app on lines 2 and 3 of a file, and what is said of it. */
static void errors_name_place_key_and_cause(void **state)
{
	static const struct {
		const char *text, *error;
	} cases[] = {
		{ "", "1:1: 'apps' is missing: the applications, by name" },
		{ "apps: {}", "1:7: apps: needs at least one: the applications, by name" },
		{ "apps:", "1:6: apps: needs at least one: the applications, by name" },
		{ "apps: [a]", "1:7: apps: a list is not a mapping of keys to values" },
		{ "apps: {a: {upstream: []}}", "1:22: apps.a.upstream: needs at least one: URLs of the servers" },
		{ "apps: {a b: {upstream: 'http://h'}}", "1:8: apps: 'a b' is not a name for an app" },
		{ "- a", "1:1: a list is not a mapping of keys to values" },
		{ "a: 1\n---\nb: 1", "3:1: a second document (---) is not read here" },
		{ "version: 2", "1:10: version: 2 is above 1" },
		{ "redis: x", "1:1: 'redis' is not built yet" },
		{ "tls: {acme: {}}", "1:7: tls: 'acme' is not built yet" },
		{ "admin: {writes: off}", "1:9: admin: 'writes' is not built yet" },
		{ "listen: [8080]", "1:10: listen[0]: '8080' is not an address and port; write for example "
				    "\":8080\" (every address), \"127.0.0.1:8080\" or \"[::1]:8080\"" },
		{ "listen: [[':80']]", "1:10: listen[0]: a list is not an address and port" },
		{ "listen: ['localhost:80']", "1:10: listen[0]: 'localhost:80' is not an address" },
		{ "listen: ['::1:80']", "1:10: listen[0]: '::1:80' is not an address" },
		{ "listen: ['[127.0.0.1]:80']", "1:10: listen[0]: '[127.0.0.1]:80' is not an address" },
		{ "listen: [':0']", "1:10: listen[0]: ':0' is not an address" },
		{ "listen: [':65536']", "1:10: listen[0]: ':65536' is not an address" },
		{ "listen: {bind: ':80', proxy_protocol: on}",
		  "1:39: listen: proxy_protocol needs `from`" },
		{ "listen: {bind: ':80', from: '::1'}", "1:29: listen: `from` is for proxy_protocol" },
		{ "listen: {bind: ':80', tls: on, redirect_https: on}",
		  "1:48: listen: redirect_https is for a listener without tls" },
		{ "listen: {tls: on}", "1:9: listen: 'bind' is missing" },
		{ "listen: [':80', ':80']\napps: {a: {upstream: 'http://a'}}",
		  "1:17: listen: ':80' is there twice, first in t.yaml:1:10" },
		{ "workers: 0", "1:10: workers: 0 is below 1" },
		{ "workers: 257", "1:10: workers: 257 is above 256" },
		{ "workers: atuo", "1:10: workers: 'atuo' is not a whole number" },
		{ "timeouts: {haed: 1s}", "1:12: timeouts: unknown key 'haed', did you mean 'head'?" },
		{ "timeouts: {head: 1ms}", "1:18: timeouts.head: 1ms is below 1s" },
		{ "size_limits: {head: 2MiB}", "1:21: size_limits.head: 2MiB is above 1MiB" },
		{ "secret: hunter2", "1:9: secret: is not a reference to a secret" },
		{ "client_ip: {trust: [cloudfare]}",
		  "1:21: client_ip.trust: 'cloudfare' is no address, did you mean 'cloudflare'?" },
		{ "log: {format: ecss}", "1:15: log.format: unknown word 'ecss', did you mean 'ecs'?" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct err e = { 0 };
		struct config *c = config_parse(bytes_of(cases[i].text), "t.yaml", NULL, NULL, &e);

		if (c || strncmp(e.text, "t.yaml:", 7) ||
		    strncmp(e.text + 7, cases[i].error, strlen(cases[i].error)))
			fail_msg("'%s' gives %s", cases[i].text, c ? "no error" : e.text);
	}
}

/* The app is `keys` on line 3, after "apps:\n  shop:\n    {upstream: "http://h", ". */
static void errors_in_an_app_name_place_key_and_cause(void **state)
{
	static const struct {
		const char *keys, *error;
	} cases[] = {
		{ "hots: [a]", "3:28: apps.shop: unknown key 'hots', did you mean 'hosts'?" },
		{ "waf: {}, listen: [], upstreem: []", "3:49: apps.shop: unknown key 'upstreem'" },
		{ "bots: on", "3:28: apps.shop: 'bots' is not built yet" },
		{ "app: wordpress", "3:28: apps.shop: 'app' is not built yet" },
		{ "hosts: ['*']", "3:36: apps.shop.hosts[0]: '*' is not a host name: leave `hosts` out" },
		{ "hosts: ['a.b:80']", "3:36: apps.shop.hosts[0]: 'a.b:80' is not a host name: write the "
				       "name alone; the port belongs to `listen`" },
		{ "hosts: ['https://a.b']", "3:36: apps.shop.hosts[0]: 'https://a.b' is not a host name: "
					    "write the name alone, without scheme" },
		{ "hosts: [a..b]", "3:36: apps.shop.hosts[0]: 'a..b' is not a host name" },
		{ "hosts: [a.*.b]", "3:36: apps.shop.hosts[0]: 'a.*.b' is not a host name" },
		{ "hosts: [\"b\\u00fccher.example\"]", "3:36: apps.shop.hosts[0]: 'b\u00fccher.example' is "
					"not a host name: write an international name in its xn-- form" },
		{ "hosts: [a.b, A.B]", "2:3: apps.shop.hosts: 'a.b' is there twice" },
		{ "limits: [{rate: 5/fortnight}]",
		  "3:44: apps.shop.limits[0].rate: '5/fortnight' is not a rate; write for example 5/min, "
		  "100/s or 1000/h" },
		{ "limits: [{path: /a}]", "3:37: apps.shop.limits[0]: 'rate' is missing" },
		{ "limits: [{rate: 5/s, then: challenge}]",
		  "3:55: apps.shop.limits[0].then: 'challenge' is not built yet" },
		{ "limits: [{rate: 5/s, then: allow}]",
		  "3:55: apps.shop.limits[0].then: unknown word 'allow'; known are throttle, deny, log" },
		{ "rules: [{do: deny}]", "3:36: apps.shop.rules[0]: has no condition" },
		{ "rules: [{path: a, do: deny}]", "3:43: apps.shop.rules[0].path: 'a' is not a path pattern" },
		{ "rules: [{path: /a, do: captcha}]",
		  "3:51: apps.shop.rules[0].do: 'captcha' is not built yet" },
		{ "rules: [{path: /a, when: x, do: deny}]",
		  "3:47: apps.shop.rules[0]: 'when' is not built yet" },
		{ "rules: [{methods: [get], do: deny}]",
		  "3:47: apps.shop.rules[0].methods[0]: 'get' is not a method in upper case" },
		{ "rules: [{headers: {'X A': b}, do: deny}]",
		  "3:47: apps.shop.rules[0]: headers: 'X A' is not the name of a field" },
		{ "exceptions: [{path: /a}]", "3:41: apps.shop.exceptions[0]: excepts nothing" },
		{ "exceptions: [{path: /a, skip: [949110]}]",
		  "3:59: apps.shop.exceptions[0]: skip: 949110 sums up what other rules found" },
		{ "exceptions: [{path: /a, skip: 959100}]",
		  "3:58: apps.shop.exceptions[0]: skip: 959100 sums up what other rules found" },
		{ "exceptions: [{path: /, skip: [all]}]",
		  "3:57: apps.shop.exceptions[0]: skip: all, for every path, switches inspection off" },
		{ "exceptions: [{skip: all}]", "3:48: apps.shop.exceptions[0]: skip: all, for every path" },
		{ "exceptions: [{skip: all, force: off}]", "3:48: apps.shop.exceptions[0]: skip: all" },
		{ "exceptions: [{path: /a, skip: ['arg:']}]",
		  "3:59: apps.shop.exceptions[0]: skip: 'arg:' is neither" },
		{ "exceptions: [{path: /a, skip: [a b]}]",
		  "3:59: apps.shop.exceptions[0]: skip: 'a b' is neither" },
		{ "exceptions: [{path: /a, skip: body, until: tomorrow}]",
		  "3:71: apps.shop.exceptions[0].until: 'tomorrow' is not a date" },
		{ "waf: {mode: blok}", "3:40: apps.shop.waf.mode: unknown word 'blok', did you mean 'block'?" },
		{ "waf: {ruleset: crs}", "3:43: apps.shop.waf.ruleset: 'crs' is not built yet" },
		{ "waf: {paranoia: 1}", "3:34: apps.shop.waf: 'paranoia' is not built yet" },
		{ "waf: {rules: [x.conf]}",
		  "3:42: apps.shop.waf.rules: x.conf: SecLang rules (*.conf) are not built yet" },
		{ "waf: {rules: [/nonexistent.yaml]}",
		  "3:42: apps.shop.waf.rules: /nonexistent.yaml: No such file or directory" },
		{ "waf: {rules: [/nonexistent/*.yaml]}",
		  "3:42: apps.shop.waf.rules: '/nonexistent/*.yaml': it matches no file" },
		{ "waf: {rules: ['/*/x.yaml']}", "3:42: apps.shop.waf.rules: '/*/x.yaml': only the last part" },
		{ "waf: {rules: /dev/null}", "3:41: apps.shop.waf.rules: /dev/null: rules are in *.yaml files" },
		{ "timeouts: {drain: 1s}", "3:46: apps.shop: timeouts.drain is for the top level" },
		{ "timeouts: {head: 1s}", "3:45: apps.shop: timeouts.head is for the top level, or an app" },
		{ "page: {logo: 'javascript:x'}", "3:41: apps.shop.page.logo: 'javascript:x' is not a link" },
		{ "log: {body: off}", "3:34: apps.shop.log: 'body' is not built yet" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct err e = { 0 };
		struct config *c;
		char text[512];

		snprintf(text, sizeof text, "apps:\n  shop:\n    {upstream: \"http://h\", %s}\n", cases[i].keys);
		c = config_parse(bytes_of(text), "t.yaml", NULL, NULL, &e);
		if (c || strncmp(e.text, "t.yaml:", 7) ||
		    strncmp(e.text + 7, cases[i].error, strlen(cases[i].error)))
			fail_msg("'%s' gives %s", cases[i].keys, c ? "no error" : e.text);
	}
}

static void a_server_is_scheme_host_and_port(void **state)
{
	static const struct {
		const char *url, *host; /* NULL: refused, with `why` in the error */
		unsigned port;
		const char *why;
	} cases[] = {
		{ "http://a", "a", 80, NULL },
		{ "https://a.b-c.d", "a.b-c.d", 443, NULL },
		{ "HTTP://a:8080/", "a", 8080, NULL },
		{ "http://[::1]:81", "::1", 81, NULL },
		{ "http://10.0.0.1", "10.0.0.1", 80, NULL },
		{ "a:80", NULL, 0, "neither http:// nor https://" },
		{ "ftp://a", NULL, 0, "neither http:// nor https://" },
		{ "http://", NULL, 0, "its host" },
		{ "http:///x", NULL, 0, "a path or query" },
		{ "http://:80", NULL, 0, "its host" },
		{ "http://::1", NULL, 0, "its host" },
		{ "http://[::1", NULL, 0, "its host" },
		{ "http://[::1]x", NULL, 0, "its host" },
		{ "http://[1.2.3.4]", NULL, 0, "its host" },
		{ "http://a b", NULL, 0, "its host" },
		{ "http://a:0", NULL, 0, "its port" },
		{ "http://a:", NULL, 0, "its port" },
		{ "http://a:65536", NULL, 0, "its port" },
		{ "http://a:8o", NULL, 0, "its port" },
		{ "http://u:p@a", NULL, 0, "a user name or password" },
		{ "http://a/b", NULL, 0, "a path or query" },
		{ "http://a?b", NULL, 0, "a path or query" },
		{ "http://a#b", NULL, 0, "a path or query" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct config_quick q = { .upstream = cases[i].url };
		struct err e = { 0 };
		struct config *c = config_quick(&q, &e);

		if (!c != !cases[i].host || (!c && !strstr(e.text, cases[i].why)))
			fail_msg("'%s' gives %s", cases[i].url, c ? "no error" : e.text);
		if (c) {
			assert_string_equal(c->apps[0].upstream.servers[0].host, cases[i].host);
			assert_int_equal(c->apps[0].upstream.servers[0].port, cases[i].port);
		}
		config_free(c);
	}
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

/* ---- includes ---- */

static char dir[] = "/tmp/embergate-config-XXXXXX";

static int make_dir(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof command, "rm -rf %s", dir);
	return system(command);
}

struct file {
	const char *name, *text;
};

static void write_file(const char *sub, const struct file *f)
{
	char path[128];
	FILE *to;

	snprintf(path, sizeof path, "%s/%s", dir, sub);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		fail_msg("%s", path);
	snprintf(path, sizeof path, "%s/%s/d", dir, sub);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		fail_msg("%s", path);
	snprintf(path, sizeof path, "%s/%s/%s", dir, sub, f->name);
	to = fopen(path, "we");
	assert_non_null(to);
	fputs(f->text, to);
	fclose(to);
}

#define APP "{upstream: 'http://h', hosts: "

static void included_files_join(void **state)
{
	static const struct {
		const char *name;
		struct file files[4];
		size_t napps, nlistens;
		const char *error; /* behind the directory; NULL: loads */
	} cases[] = {
		{ "join", { { "main.yaml", "include: [d/*.yaml]\nlisten: ':1'\napps: {a: " APP "a.a}}" },
			    { "d/1.yaml", "apps: {b: " APP "b.b}}" },
			    { "d/2.yaml", "apps: {c: " APP "c.c}}\n" } }, 3, 1, NULL },
		{ "lists", { { "main.yaml", "include: d/1.yaml\nlisten: [':1']\napps: {a: " APP "a.a}}" },
			     { "d/1.yaml", "listen: [':2', ':3']" } }, 1, 3, NULL },
		{ "nested", { { "main.yaml", "include: d/1.yaml\nlisten: ':1'" },
			      { "d/1.yaml", "include: [2.yaml]" },
			      { "d/2.yaml", "apps: {c: " APP "c.c}}" } }, 1, 1, NULL },
		{ "none", { { "main.yaml", "include: d/*.yaml\nlisten: ':1'\napps: {a: " APP "a.a}}" } }, 1, 1,
		  NULL },
		{ "empty", { { "main.yaml", "include: d/*.yaml\nlisten: ':1'\napps: {a: " APP "a.a}}" },
			     { "d/1.yaml", "# nothing yet\n" } }, 1, 1, NULL },
		{ "same-app", { { "main.yaml", "include: d/1.yaml\napps: {a: " APP "a.a}}" },
				{ "d/1.yaml", "apps:\n  b: " APP "b.b}\n  a: " APP "c.c}\n" } }, 0, 0,
		  "d/1.yaml:3:3: apps: 'a' is also in DIR/main.yaml:2:8" },
		{ "same-key", { { "main.yaml", "include: d/1.yaml\nworkers: 2\napps: {a: " APP "a.a}}" },
				{ "d/1.yaml", "workers: 2" } }, 0, 0,
		  "d/1.yaml:1:1: 'workers' is also in DIR/main.yaml:2:1" },
		{ "circle", { { "main.yaml", "include: d/1.yaml" }, { "d/1.yaml", "include: ../main.yaml" } },
		  0, 0, "d/1.yaml:1:10: include: DIR/d/../main.yaml is read twice, first from the command line" },
		{ "itself", { { "main.yaml", "include: '*.yaml'" } }, 0, 0,
		  "main.yaml:1:10: include: DIR/main.yaml is read twice" },
		{ "twice", { { "main.yaml", "include: [d/1.yaml, d/1.yaml]" }, { "d/1.yaml", "" } }, 0, 0,
		  "main.yaml:1:21: include: DIR/d/1.yaml is read twice, first from DIR/main.yaml" },
		{ "missing", { { "main.yaml", "include: d/none.yaml" } }, 0, 0,
		  "main.yaml:1:10: include: DIR/d/none.yaml: No such file or directory" },
		{ "directory", { { "main.yaml", "include: d" } }, 0, 0, "d:1:1: not a regular file" },
		{ "wild", { { "main.yaml", "include: '*/1.yaml'" } }, 0, 0,
		  "main.yaml:1:10: include: '*/1.yaml': only the last part of a path may hold wildcards" },
		{ "broken", { { "main.yaml", "include: d/1.yaml" }, { "d/1.yaml", "apps: {\n" } }, 0, 0,
		  "d/1.yaml:2:1: did not find expected node content while parsing a flow node" },
		{ "unknown", { { "main.yaml", "include: d/1.yaml" }, { "d/1.yaml", "\naps: {}" } }, 0, 0,
		  "d/1.yaml:2:1: unknown key 'aps', did you mean 'apps'?" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		char path[128], want[512] = "";
		struct err e = { 0 };
		struct config *c;

		for (size_t f = 0; f < nelems(cases[i].files) && cases[i].files[f].name; f++)
			write_file(cases[i].name, &cases[i].files[f]);
		snprintf(path, sizeof path, "%s/%s/main.yaml", dir, cases[i].name);
		c = config_load(path, NULL, NULL, &e);
		if (cases[i].error) {
			const char *rest = strstr(cases[i].error, "DIR");

			snprintf(want, sizeof want, "%s/%s/%.*s%s%s%s%s", dir, cases[i].name,
				 rest ? (int)(rest - cases[i].error) : 200, cases[i].error, rest ? dir : "",
				 rest ? "/" : "", rest ? cases[i].name : "", rest ? rest + 3 : "");
			rest = rest ? strstr(rest + 3, "DIR") : NULL;
			if (c || strncmp(e.text, want, rest ? 60 : strlen(want)))
				fail_msg("%s gives %s\nnot %s", cases[i].name, c ? "no error" : e.text, want);
		} else {
			if (!c)
				fail_msg("%s: %s", cases[i].name, e.text);
			assert_int_equal(c->napps, cases[i].napps);
			assert_int_equal(c->nlistens, cases[i].nlistens);
		}
		config_free(c);
	}
}

static void names_of_files_start_where_they_stand(void **state)
{
	static const struct file main_file = { "main.yaml", "include: d/1.yaml\nstate: var\nlisten: ':1'" };
	static const struct file other = { "d/1.yaml", "tls: {certs: {cert: c.pem, key: /k.pem}}\n"
						       "apps: {a: {upstream: 'http://h', waf: {rules: '*.yaml'}}}" };
	char path[128], want[128];
	struct err e = { 0 };
	struct config *c;

	(void)state;
	write_file("relative", &main_file);
	write_file("relative", &other);
	snprintf(path, sizeof path, "%s/relative/main.yaml", dir);
	c = config_load(path, NULL, NULL, &e);
	if (!c)
		fail_msg("%s", e.text);
	snprintf(want, sizeof want, "%s/relative/var", dir);
	assert_string_equal(c->state, want);
	snprintf(want, sizeof want, "%s/relative/d/c.pem", dir);
	assert_string_equal(c->certs[0].cert, want);
	assert_string_equal(c->certs[0].key, "/k.pem");
	snprintf(want, sizeof want, "%s/relative/d/1.yaml", dir);
	assert_string_equal(c->apps[0].waf.rules[0], want);
	config_free(c);
}

static void the_hash_changes_with_any_file(void **state)
{
	static const struct file main_file = { "main.yaml", "include: d/1.yaml\nlisten: ':1'" };
	static const struct file one = { "d/1.yaml", "apps: {a: {upstream: 'http://h'}}" };
	static const struct file two = { "d/1.yaml", "apps: {a: {upstream: 'http://i'}}" };
	static const struct file *const versions[] = { &one, &one, &two };
	uint64_t hash[3] = { 0 };
	struct err e = { 0 };
	char path[128];

	(void)state;
	snprintf(path, sizeof path, "%s/hash/main.yaml", dir);
	for (size_t i = 0; i < nelems(versions); i++) {
		struct config *c;

		write_file("hash", &main_file);
		write_file("hash", versions[i]);
		c = config_load(path, NULL, NULL, &e);
		assert_non_null(c);
		hash[i] = c->hash;
		config_free(c);
	}
	assert_true(hash[0] == hash[1]);
	assert_true(hash[0] != hash[2]);
}

static void a_file_that_is_not_there_is_an_error_with_a_place(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(config_load("/nonexistent.yaml", NULL, NULL, &e));
	assert_string_equal(e.text, "/nonexistent.yaml:1:1: cannot open: No such file or directory");
}

/* ---- options ---- */

static void options_make_one_app(void **state)
{
	struct config_quick q = { .upstream = "http://127.0.0.1:3000", .host = "Shop.example",
				  .listen = ":8081,127.0.0.1:8443", .admin = "off", .state = "/tmp/x",
				  .detect = true };
	struct err e = { 0 };
	struct config *c = config_quick(&q, &e);

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
	assert_null(c->admin.at);
	assert_string_equal(c->state, "/tmp/x");
	assert_string_equal(c->ctl_socket, "/tmp/x/ctl.sock");
	config_free(c);
	q = (struct config_quick){ .upstream = "http://127.0.0.1:3000" };
	c = config_quick(&q, &e);
	assert_non_null(c);
	assert_int_equal(c->apps[0].hosts.n, 0);
	assert_bytes(c->listens[0].bind, BYTES(":8080"));
	assert_bytes(c->admin, BYTES("127.0.0.1:9180"));
	config_free(c);
}

static void an_error_of_an_option_starts_with_it(void **state)
{
	static const struct {
		struct config_quick q;
		const char *error;
	} cases[] = {
		{ { .upstream = NULL }, "--upstream: 'upstream' is missing" },
		{ { .upstream = "" }, "--upstream: '' is not the URL of a server" },
		{ { .upstream = "foo" }, "--upstream: 'foo' is not the URL of a server: it starts with" },
		{ { .upstream = "http://h", .host = "a b" }, "--host: 'a b' is not a host name" },
		{ { .upstream = "http://h", .listen = "80" }, "--listen: '80' is not an address and port" },
		{ { .upstream = "http://h", .listen = ":1,:1" }, "--listen: listen: ':1' is there twice" },
		{ { .upstream = "http://h", .admin = "x" }, "--admin: 'x' is not an address and port" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct err e = { 0 };
		struct config *c = config_quick(&cases[i].q, &e);

		if (c || strncmp(e.text, cases[i].error, strlen(cases[i].error)))
			fail_msg("want \"%s\", got \"%s\"", cases[i].error, c ? "no error" : e.text);
	}
}

static void the_state_directory_is_systemds(void **state)
{
	struct config_quick q = { .upstream = "http://h" };
	struct err e = { 0 };
	struct config *c;

	(void)state;
	assert_int_equal(setenv("STATE_DIRECTORY", "/var/lib/embergate:/var/lib/other", 1), 0);
	c = config_quick(&q, &e);
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
		c = config_load(path, on_warning, &w, &e);
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
		cmocka_unit_test(errors_name_place_key_and_cause),
		cmocka_unit_test(errors_in_an_app_name_place_key_and_cause),
		cmocka_unit_test(a_server_is_scheme_host_and_port),
		cmocka_unit_test(listeners_follow_from_the_hosts),
		cmocka_unit_test(a_request_has_at_most_one_app),
		cmocka_unit_test(what_is_over_warns_and_no_longer_applies),
		cmocka_unit_test(included_files_join),
		cmocka_unit_test(names_of_files_start_where_they_stand),
		cmocka_unit_test(the_hash_changes_with_any_file),
		cmocka_unit_test(a_file_that_is_not_there_is_an_error_with_a_place),
		cmocka_unit_test(options_make_one_app),
		cmocka_unit_test(an_error_of_an_option_starts_with_it),
		cmocka_unit_test(the_state_directory_is_systemds),
		cmocka_unit_test(the_examples_load_without_a_warning),
	};

	unsetenv("STATE_DIRECTORY");
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
