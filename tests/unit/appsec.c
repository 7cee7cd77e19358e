/* appsec.c -- what bouncers of CrowdSec ask is judged as if it had come here itself. */
#include "proxy/appsec.h"
#include "tests/test.h"
#include "tests/inspected.h"

/* As lua-cs-bouncer and Traefik's plugin send it: the client's fields, and the bouncer's. */
#define ASK(method, verb, uri, fields) \
	method " / HTTP/1.1\r\nHost: 127.0.0.1:7422\r\nX-Crowdsec-Appsec-Ip: 203.0.113.9\r\nX-Crowdsec-Appsec-Verb: " verb \
	"\r\nX-Crowdsec-Appsec-Uri: " uri "\r\nX-Crowdsec-Appsec-Host: shop.example\r\nX-Crowdsec-Appsec-Api-Key: k\r\n" \
	"X-Crowdsec-Appsec-User-Agent: Mozilla/5.0\r\nX-Crowdsec-Appsec-Http-Version: 11\r\n" fields "\r\n"
#define GET(uri) ASK("GET", "GET", uri, "")
#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"
#define ALLOW "{\"action\":\"allow\",\"http_status\":200}"
#define BAN(status) "{\"action\":\"ban\",\"http_status\":" #status "}"
#define NEEDED "{\"message\":\"X-Crowdsec-Appsec-Ip, -Uri and -Verb are needed\"}"

static const char rules[] =
	"name: args\nrules: [{zones: [ARGS, BODY_ARGS], transform: [lowercase], match: {type: contains, value: 'union select'}}]\n---\n"
	"name: env\nrules: [{zones: [URI], match: {type: endsWith, value: '/.env'}}]\n---\n"
	"name: agent\nrules: [{zones: [HEADERS], variables: [User-Agent], match: {type: contains, value: zgrab}}]\n---\n"
	"name: bouncer\nrules: [{zones: [HEADERS_NAMES], match: {type: startsWith, value: X-Crowdsec}}]\n---\n"
	"name: method\nrules: [{zones: [METHOD], match: {type: equals, value: PURGE}}]\n";

struct house {
	struct ruleset *rules;
	struct appsec *appsec;
	struct key_info key;
	struct arena *arena;
	struct appsec_told told;
	bool enforced;
};

static bool choose(void *ctx, const struct request *r, struct arena *a, struct appsec_app *out)
{
	struct house *h = ctx;

	(void)a;
	*out = (struct appsec_app){ h->rules, { .window = 4096 }, h->enforced };
	return bytes_eq(r->hostname, BYTES("shop.example"));
}

static int begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	struct err e = { 0 };

	h->rules = rules_of_text(bytes_of(rules), &matcher_plain, &e);
	h->appsec = appsec_new(&(struct appsec_options){ choose, NULL, h });
	h->key.scopes = KEY_APPSEC | KEY_TRUSTED;
	h->enforced = true;
	*state = h;
	return h->rules && h->appsec ? 0 : -1;
}

static int end(void **state)
{
	struct house *h = *state;

	arena_free(h->arena);
	appsec_free(h->appsec);
	ruleset_free(h->rules);
	free(h);
	return 0;
}

static void ask_with(struct house *h, const char *head, struct bytes body, const struct key_info *key)
{
	static const struct http1_limits limits = { 64 << 10, 64 << 10, 100 };
	struct request r;
	struct appsec_asked q = { &r, body, { { 0 } }, key };
	struct err e = { 0 };

	arena_free(h->arena);
	h->arena = arena_new(APPSEC_ARENA);
	ip_parse(BYTES("192.0.2.200"), &q.peer);
	if (!http1_parse_request(h->arena, bytes_of(head), &limits, &r, &e))
		fail_msg("%s", e.text);
	appsec_judge(h->appsec, h->arena, &q, &h->told);
}

static void attacks_are_denied_and_look_alikes_pass(void **state)
{
	static const struct { const char *head, *body; unsigned status; const char *answer; } rows[] = {
		{ GET("/?q=1%20UNION%20SELECT%202"), "", 403, BAN(403) },
		{ GET("/?q=union+of+workers"), "", 200, ALLOW },
		{ GET("/app/.env"), "", 403, BAN(403) },
		{ GET("/app/.environment"), "", 200, ALLOW },
		{ ASK("GET", "PURGE", "/", ""), "", 403, BAN(403) },
		{ ASK("POST", "POST", "/login", FORM "Content-Length: 19\r\n"), "q=x+union+select+yz", 403, BAN(403) },
		{ ASK("POST", "POST", "/login", FORM "Transfer-Encoding: chunked\r\n"), "q=x+union+select+yz", 403, BAN(403) },
		{ ASK("POST", "POST", "/login", FORM "Content-Length: 10\r\n"), "q=x+select", 200, ALLOW },
		{ ASK("GET", "GET", "/", "User-Agent: Go-http-client\r\nAccept: */*\r\n"), "", 200, ALLOW },
		{ GET("/%00"), "", 403, BAN(400) }, /* what we would not take ourselves */
		{ GET("no-path"), "", 403, BAN(400) },
		{ GET("/a b"), "", 403, BAN(400) },
	};
	struct house *h = *state;

	for (size_t i = 0; i < nelems(rows); i++) {
		ask_with(h, rows[i].head, bytes_of(rows[i].body), &h->key);
		if (h->told.status != rows[i].status || !bytes_eq(h->told.answer, bytes_of(rows[i].answer)))
			fail_msg("row %zu: %u %.*s", i, h->told.status, BYTES_ARG(h->told.answer));
		assert_int_equal(h->told.denied, rows[i].status == 403);
		assert_true(h->told.verdict != NULL);
	}
}

static void the_agent_is_the_clients_not_the_bouncers(void **state)
{
	struct house *h = *state;

	ask_with(h, "GET / HTTP/1.1\r\nHost: a\r\nX-Crowdsec-Appsec-Ip: 203.0.113.9\r\nX-Crowdsec-Appsec-Verb: GET\r\nX-Crowdsec-Appsec-Uri: /\r\n"
		 "X-Crowdsec-Appsec-Host: shop.example\r\nUser-Agent: lua\r\nX-Crowdsec-Appsec-User-Agent: zgrab/0.x\r\n\r\n",
		 (struct bytes){ 0 }, &h->key);
	assert_int_equal(h->told.status, 403);
}

static void who_may_not_ask_is_told_so(void **state)
{
	struct house *h = *state;
	struct key_info reader = { .scopes = KEY_BOUNCER };

	ask_with(h, GET("/app/.env"), (struct bytes){ 0 }, NULL);
	assert_int_equal(h->told.status, 401);
	ask_with(h, GET("/app/.env"), (struct bytes){ 0 }, &reader);
	assert_int_equal(h->told.status, 401);
	assert_null(h->told.verdict);
	ask_with(h, "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", (struct bytes){ 0 }, &h->key);
	assert_int_equal(h->told.status, 200);
	assert_int_equal(h->told.answer.len, 0);
	ask_with(h, "GET / HTTP/1.1\r\nHost: a\r\nX-Crowdsec-Appsec-Uri: /\r\n\r\n", (struct bytes){ 0 }, &h->key);
	assert_int_equal(h->told.status, 500);
	assert_bytes(h->told.answer, BYTES(NEEDED));
}

static void only_who_is_trusted_names_the_client(void **state)
{
	struct house *h = *state;
	struct ip named, peer;

	ip_parse(BYTES("203.0.113.9"), &named);
	ip_parse(BYTES("192.0.2.200"), &peer);
	ask_with(h, GET("/"), (struct bytes){ 0 }, &h->key);
	assert_true(ip_eq(&h->told.request.client, &named));
	h->key.scopes = KEY_APPSEC;
	ask_with(h, GET("/"), (struct bytes){ 0 }, &h->key);
	assert_true(ip_eq(&h->told.request.client, &peer));
}

static void an_app_that_only_detects_denies_nothing(void **state)
{
	struct house *h = *state;

	h->enforced = false;
	ask_with(h, GET("/app/.env"), (struct bytes){ 0 }, &h->key);
	assert_int_equal(h->told.status, 200);
	assert_true(h->told.denied && h->told.verdict->nhits == 1);
}

static void a_body_past_the_window_is_no_bypass(void **state)
{
	struct house *h = *state;
	char body[6000];

	memset(body, 'a', sizeof body);
	memcpy(body, "q=", 2);
	ask_with(h, ASK("POST", "POST", "/login", FORM), (struct bytes){ body, sizeof body }, &h->key);
	assert_bytes(h->told.answer, BYTES(BAN(413)));
	ask_with(h, ASK("POST", "POST", "/up", "Content-Type: application/octet-stream\r\n"), (struct bytes){ body, sizeof body }, &h->key);
	assert_int_equal(h->told.status, 200);
}

int main(void)
{
#define CLAIM(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		CLAIM(attacks_are_denied_and_look_alikes_pass),
		CLAIM(the_agent_is_the_clients_not_the_bouncers),
		CLAIM(who_may_not_ask_is_told_so),
		CLAIM(only_who_is_trusted_names_the_client),
		CLAIM(an_app_that_only_detects_denies_nothing),
		CLAIM(a_body_past_the_window_is_no_bypass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
