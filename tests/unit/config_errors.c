/* What is wrong in a configuration is said with its place, its key and its cause. */
#include "tests/test.h"
#include "proxy/config.h"

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
		{ "hub: x", "1:1: 'hub' is not built yet" },
		{ "tls: {acme: {}}", "1:7: tls: 'acme' is not built yet" },
		{ "admin: '0.0.0.0:9180'", "1:8: admin: 0.0.0.0:9180 can be reached from outside this machine: it needs `cert` and `key`" },
		{ "admin: ':9180'", "1:8: admin: :9180 can be reached from outside" },
		{ "admin: '[2001:db8::1]:9180'", "1:8: admin: [2001:db8::1]:9180 can be reached from outside" },
		{ "admin: {cert: a.pem}", "1:8: admin: `cert` and `key` belong together" },
		{ "admin: {bind: ':9180', key: a.pem}", "1:8: admin: `cert` and `key` belong together" },
		{ "admin: {hosts: ['*.example']}", "1:16: admin: '*.example' is no name" },
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
		{ "workers: 257", "1:10: workers: 257 is above 253" },
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
		{ "app: wordpress", "3:28: apps.shop: 'app' is not built yet" },
		{ "rules: [{ja4: t13d1516h2, do: deny}]", "3:42: apps.shop.rules[0].ja4: 't13d1516h2' is not a JA4 fingerprint, or a pattern" },
		{ "rules: [{ja4: ['t13-*'], do: deny}]", "3:43: apps.shop.rules[0].ja4[0]: 't13-*' is not a JA4" },
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
		{ "limits: [{rate: 5/s, then: captcha}]",
		  "3:37: apps.shop: `captcha` needs challenge.captcha: a provider" },
		{ "limits: [{rate: 5/s, then: allow}]",
		  "3:55: apps.shop.limits[0].then: unknown word 'allow'; known are throttle, deny, log" },
		{ "rules: [{do: deny}]", "3:36: apps.shop.rules[0]: has no condition" },
		{ "rules: [{path: a, do: deny}]", "3:43: apps.shop.rules[0].path: 'a' is not a path pattern" },
		{ "rules: [{path: /a, do: captcha}]",
		  "3:36: apps.shop: `captcha` needs challenge.captcha: a provider" },
		{ "rules: [{path: /a, do: challenge, level: captcha}]",
		  "3:69: apps.shop.rules[0].level: unknown word 'captcha'; known are wait, pow" },
		{ "challenge: {bits: 21}", "3:46: apps.shop.challenge.bits: 21 is above 20" },
		{ "challenge: hard", "3:39: apps.shop.challenge: unknown word 'hard'; known are wait, pow" },
		{ "challenge: {no_js: captcha}", "3:47: apps.shop.challenge: no_js: captcha needs `captcha`" },
		{ "challenge: {domain: '*.a.b'}", "3:48: apps.shop.challenge: domain: a cookie's domain has no `*.`" },
		{ "challenge: {captcha: {provider: turnstile, sitekey: a}}", "3:49: apps.shop.challenge.captcha: 'secret' is missing" },
		{ "challenge: {captcha: {provider: friendly, sitekey: a, secret: 'env:A'}}",
		  "3:49: apps.shop.challenge.captcha: provider: friendly needs `script`" },
		{ "challenge: {captcha: {provider: custom, sitekey: a, secret: 'env:A', script: 'https://c.example/a.js'}}",
		  "3:49: apps.shop.challenge.captcha: provider: custom needs `widget`" },
		{ "challenge: {captcha: {provider: hcaptcha, sitekey: a, secret: 'env:A', script: 'http://c.example/a.js'}}",
		  "3:107: apps.shop.challenge.captcha: script: 'http://c.example/a.js' does not start with https://" },
		{ "challenge: {captcha: {provider: hcaptcha, sitekey: a, secret: 'env:A', script: 'https://c.example/a;b'}}",
		  "3:107: apps.shop.challenge.captcha: script: 'https://c.example/a;b' holds a character" },
		{ "rules: [{path: /a, when: x, do: deny}]",
		  "3:47: apps.shop.rules[0]: 'when' is not built yet" },
		{ "rules: [{methods: [get], do: deny}]",
		  "3:47: apps.shop.rules[0].methods[0]: 'get' is not a method in upper case" },
		{ "rules: [{headers: {'X A': b}, do: deny}]",
		  "3:47: apps.shop.rules[0]: headers: 'X A' is not the name of a field" },
		{ "exceptions: [{path: /a}]", "3:41: apps.shop.exceptions[0]: excepts nothing" },
		{ "exceptions: [{path: /a, skip: [949110]}]",
		  "3:59: apps.shop.exceptions[0]: skip: 949110 sums up what other rules found" },
		{ "exceptions: [{path: /a, rules: [942100, 959100]}]",
		  "3:68: apps.shop.exceptions[0]: rules: 959100 sums up what other rules found" },
		{ "exceptions: [{path: /a, rules: 942199-942100}]",
		  "3:59: apps.shop.exceptions[0]: rules: '942199-942100' ends before it begins" },
		{ "exceptions: [{path: /a, rules: 942100, skip: 'arg:a'}]",
		  "3:73: apps.shop.exceptions[0]: `skip` stands alone" },
		{ "exceptions: [{path: /a, rules: 942100, parts: [boddy]}]",
		  "3:75: apps.shop.exceptions[0].parts[0]: unknown word 'boddy', did you mean 'body'?" },
		{ "exceptions: [{path: /a, rule: 942100}]", "3:52: apps.shop.exceptions[0]: unknown key 'rule', did you mean 'rules'?" },
		{ "exceptions: [{path: /a, skip: 959100}]",
		  "3:58: apps.shop.exceptions[0]: skip: 959100 sums up what other rules found" },
		{ "exceptions: [{path: /, skip: [all]}]",
		  "3:57: apps.shop.exceptions[0]: skip: all, for every path, switches inspection off" },
		{ "exceptions: [{skip: all}]", "3:48: apps.shop.exceptions[0]: skip: all, for every path" },
		{ "exceptions: [{skip: all, force: off}]", "3:48: apps.shop.exceptions[0]: skip: all" },
		{ "exceptions: [{path: '/**', skip: all}]", "3:61: apps.shop.exceptions[0]: skip: all, for every path" },
		{ "exceptions: [{rules: 1-999999}]", "3:49: apps.shop.exceptions[0]: rules: so many, for every path, switch inspection off" },
		{ "exceptions: [{path: /*, rules: [1-0, 1-2]}]", "3:60: apps.shop.exceptions[0]: rules: '1-0' ends" },
		{ "exceptions: [{path: '/*', rules: [941000-945999, 930000-934999]}]", "3:61: apps.shop.exceptions[0]: rules: so many" },
		{ "exceptions: [{rules: 0-18446744073709551615}]", "3:49: apps.shop.exceptions[0]: rules: so many" },
		{ "exceptions: [{tags: '*'}]", "3:48: apps.shop.exceptions[0]: tags: so many" },
		{ "exceptions: [{parts: [body, args, cookies, headers]}]", "3:49: apps.shop.exceptions[0]: parts: so many" },
		{ "exceptions: [{args: '*', cookies: '*', headers: '*'}]", "3:41: apps.shop.exceptions[0]: parts: so many" },
		{ "exceptions: [{rules: 1-999999, parts: [args, cookies, headers]}]", "3:49: apps.shop.exceptions[0]: rules: so many" },
		{ "exceptions: [{path: /a, skip: ['arg:']}]",
		  "3:59: apps.shop.exceptions[0]: skip: 'arg:' is neither" },
		{ "exceptions: [{path: /a, skip: [a b]}]",
		  "3:59: apps.shop.exceptions[0]: skip: 'a b' is neither" },
		{ "exceptions: [{path: /a, skip: body, until: tomorrow}]",
		  "3:71: apps.shop.exceptions[0].until: 'tomorrow' is not a date" },
		{ "waf: {mode: blok}", "3:40: apps.shop.waf.mode: unknown word 'blok', did you mean 'block'?" },
		{ "waf: {ruleset: csr}", "3:43: apps.shop.waf.ruleset: unknown word 'csr', did you mean 'crs'?" },
		{ "waf: {paranoia: 5}", "3:44: apps.shop.waf.paranoia: 5 is above 4" },
		{ "waf: {threshold: 0}", "3:45: apps.shop.waf.threshold: 0 is below 1" },
		{ "waf: {rules: [x.conf]}", "3:42: apps.shop.waf.rules: x.conf: No such file" },
		{ "waf: {rules: [/nonexistent.yaml]}",
		  "3:42: apps.shop.waf.rules: /nonexistent.yaml: No such file or directory" },
		{ "waf: {rules: [/nonexistent/*.yaml]}",
		  "3:42: apps.shop.waf.rules: '/nonexistent/*.yaml': it matches no file" },
		{ "waf: {rules: ['/*/x.yaml']}", "3:42: apps.shop.waf.rules: '/*/x.yaml': only the last part" },
		{ "waf: {rules: /dev/null}", "3:41: apps.shop.waf.rules: /dev/null: rules are in *.yaml and *.conf files" },
		{ "timeouts: {drain: 1s}", "3:46: apps.shop: timeouts.drain is for the top level" },
		{ "timeouts: {head: 1s}", "3:45: apps.shop: timeouts.head is for the top level, or an app" },
		{ "page: {logo: 'javascript:x'}", "3:41: apps.shop.page.logo: 'javascript:x' is not a link" },
		{ "log: {body: maybe}", "3:40: apps.shop.log.body: 'maybe' is not on or off" },
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
		struct config *c = config_quick(&q, NULL, &e);

		if (!c != !cases[i].host || (!c && !strstr(e.text, cases[i].why)))
			fail_msg("'%s' gives %s", cases[i].url, c ? "no error" : e.text);
		if (c) {
			assert_string_equal(c->apps[0].upstream.servers[0].host, cases[i].host);
			assert_int_equal(c->apps[0].upstream.servers[0].port, cases[i].port);
		}
		config_free(c);
	}
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
		{ { .upstream = "http://h", .admin = ":9180" }, "--admin: :9180 can be reached from outside" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct err e = { 0 };
		struct config *c = config_quick(&cases[i].q, NULL, &e);

		if (c || strncmp(e.text, cases[i].error, strlen(cases[i].error)))
			fail_msg("want \"%s\", got \"%s\"", cases[i].error, c ? "no error" : e.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_name_place_key_and_cause),
		cmocka_unit_test(errors_in_an_app_name_place_key_and_cause),
		cmocka_unit_test(a_server_is_scheme_host_and_port),
		cmocka_unit_test(an_error_of_an_option_starts_with_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
