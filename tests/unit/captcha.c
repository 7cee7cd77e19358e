/* captcha.c -- what providers answer, what it is taken for, and when they are not
 * asked any more. The provider is a server on loopback that plays scripts. */
#include "base/fetch.h"
#include "proxy/captcha_parts.h"
#include "proxy/site.h"
#include "proxy/worker.h"
#include "tests/player.h"
#include "tests/turns.h"
#include <signal.h>

#define NOW "2026-11-24T02:47:19"
enum { NOW_S = 1795488439 };

/* ---- what an answer means ---- */

static struct bytes shops[] = { BYTES_INIT("shop.example"), BYTES_INIT("*.wild.example") };

#define YES "{\"success\":true,\"challenge_ts\":\"" NOW "Z\",\"hostname\":\"shop.example\""
#define FOR(ts, host) "{\"success\":true,\"challenge_ts\":\"" ts "\",\"hostname\":\"" host "\"}"
#define NO(code) "{\"success\":false,\"error-codes\":[" code "]}"

static void only_a_clear_yes_passes(void **state)
{
	static const struct { uint32_t provider; unsigned status; const char *body; enum captcha_why why; } rows[] = {
		{ CAPTCHA_TURNSTILE, 200, YES "}", CAPTCHA_WHY_GOOD },
		{ CAPTCHA_HCAPTCHA, 200, YES ",\"error-codes\":[]}", CAPTCHA_WHY_GOOD },
		{ CAPTCHA_TURNSTILE, 200, NO("\"timeout-or-duplicate\""), CAPTCHA_WHY_BAD },
		{ CAPTCHA_TURNSTILE, 200, NO("\"invalid-input-response\""), CAPTCHA_WHY_BAD },
		{ CAPTCHA_TURNSTILE, 400, NO("\"invalid-input-response\""), CAPTCHA_WHY_BAD },
		{ CAPTCHA_TURNSTILE, 200, NO("\"something-new\""), CAPTCHA_WHY_BAD },
		{ CAPTCHA_TURNSTILE, 200, "{\"success\":false}", CAPTCHA_WHY_BAD },
		{ CAPTCHA_TURNSTILE, 200, NO("\"invalid-input-secret\""), CAPTCHA_WHY_SECRET },
		{ CAPTCHA_TURNSTILE, 400, NO("\"invalid-input-secret\""), CAPTCHA_WHY_SECRET },
		{ CAPTCHA_TURNSTILE, 200, NO("\"bad-request\",\"missing-input-secret\",\"internal-error\""),
		  CAPTCHA_WHY_SECRET },
		{ CAPTCHA_HCAPTCHA, 200, NO("\"sitekey-secret-mismatch\""), CAPTCHA_WHY_SECRET },
		{ CAPTCHA_TURNSTILE, 200, NO("\"bad-request\",\"internal-error\""), CAPTCHA_WHY_BROKEN },
		/* who says yes must say what for */
		{ CAPTCHA_TURNSTILE, 200, "{\"success\":true}", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 200, "{\"success\":true,\"hostname\":\"shop.example\"}", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 200, "{\"success\":true,\"challenge_ts\":\"" NOW "Z\"}", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 200, FOR("today", "shop.example"), CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 200, FOR(NOW "Z", "SHOP.example"), CAPTCHA_WHY_GOOD },
		{ CAPTCHA_TURNSTILE, 200, FOR(NOW "Z", "a.wild.example"), CAPTCHA_WHY_GOOD },
		{ CAPTCHA_TURNSTILE, 200, FOR(NOW "Z", "wild.example"), CAPTCHA_WHY_HOST },
		{ CAPTCHA_TURNSTILE, 200, FOR(NOW "Z", "evilwild.example"), CAPTCHA_WHY_HOST },
		{ CAPTCHA_TURNSTILE, 200, FOR(NOW "Z", "shop.example.evil"), CAPTCHA_WHY_HOST },
		{ CAPTCHA_TURNSTILE, 200, FOR(NOW "Z", "shop.example\\u0000"), CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 200, FOR("2026-11-24T02:42:10Z", "shop.example"), CAPTCHA_WHY_OLD },
		{ CAPTCHA_TURNSTILE, 200, FOR("2026-11-24T02:42:30Z", "shop.example"), CAPTCHA_WHY_GOOD },
		{ CAPTCHA_TURNSTILE, 200, FOR("2026-11-24T02:49:00Z", "shop.example"), CAPTCHA_WHY_OLD },
		{ CAPTCHA_TURNSTILE, 200,
		  "{\"success\":\"true\",\"challenge_ts\":\"" NOW "Z\",\"hostname\":\"shop.example\"}", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 200, "{\"success\":1}", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 200, "{\"success\":false,\"success\":true}", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 200, YES ",\"error-codes\":[\"invalid-input-response\"]}", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 201, YES "}", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 500, YES "}", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 302, "", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 500, NO("\"invalid-input-response\""), CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 404, "not found", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 200, "<html>true</html>", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 200, "", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 200, "true", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 200, "[{\"success\":true}]", CAPTCHA_WHY_BROKEN },
		{ CAPTCHA_TURNSTILE, 200, "{\"success\":true,\"hostname\"", CAPTCHA_WHY_BROKEN },
		/* reCAPTCHA version 3 says yes to everybody, with a score */
		{ CAPTCHA_RECAPTCHA, 200, YES "}", CAPTCHA_WHY_GOOD },
		{ CAPTCHA_RECAPTCHA, 200, YES ",\"score\":0.9}", CAPTCHA_WHY_GOOD },
		{ CAPTCHA_RECAPTCHA, 200, YES ",\"score\":0.1}", CAPTCHA_WHY_BAD },
		{ CAPTCHA_RECAPTCHA, 200, YES ",\"score\":0}", CAPTCHA_WHY_BAD },
		/* hCaptcha's score is a risk, the other way round: not ours to judge */
		{ CAPTCHA_HCAPTCHA, 200, YES ",\"score\":0.1}", CAPTCHA_WHY_GOOD },
		{ CAPTCHA_FRIENDLY, 200, "{\"success\":true}", CAPTCHA_WHY_GOOD },
		{ CAPTCHA_FRIENDLY, 200, "{\"success\":false,\"errors\":[\"solution_timeout_or_duplicate\"]}", CAPTCHA_WHY_BAD },
		{ CAPTCHA_FRIENDLY, 401, "{\"success\":false,\"errors\":[\"secret_invalid\"]}", CAPTCHA_WHY_SECRET },
		{ CAPTCHA_FRIENDLY, 400, "{\"success\":false,\"errors\":[\"bad_request\"]}", CAPTCHA_WHY_BAD },
		{ CAPTCHA_CUSTOM, 200, "{\"success\":true}", CAPTCHA_WHY_GOOD },
		{ CAPTCHA_CUSTOM, 200, "{\"success\":true,\"hostname\":\"evil.example\"}", CAPTCHA_WHY_HOST },
		{ CAPTCHA_CUSTOM, 200, "{\"success\":true,\"challenge_ts\":\"2020-01-01T00:00:00Z\"}", CAPTCHA_WHY_OLD },
	};
	static const enum captcha_result results[] = {
		[CAPTCHA_WHY_GOOD] = CAPTCHA_PASSED,    [CAPTCHA_WHY_BAD] = CAPTCHA_FAILED,
		[CAPTCHA_WHY_HOST] = CAPTCHA_FAILED,    [CAPTCHA_WHY_OLD] = CAPTCHA_FAILED,
		[CAPTCHA_WHY_SECRET] = CAPTCHA_TROUBLE, [CAPTCHA_WHY_BROKEN] = CAPTCHA_TROUBLE,
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct captcha_config c = { .provider = rows[i].provider, .hosts = { shops, nelems(shops) } };
		struct captcha_judgement j;

		captcha_judge(&c, rows[i].status, bytes_of(rows[i].body), (uint64_t)NOW_S * 1000, &j);
		if (j.why != rows[i].why)
			fail_msg("row %zu: %s: taken for %d (%s), not %d", i, rows[i].body, j.why, j.text, rows[i].why);
		assert_int_equal(j.result, results[j.why]);
		assert_true(j.text[0]);
	}
}

static void without_hosts_any_host_will_do(void **state)
{
	struct captcha_config c = { .provider = CAPTCHA_TURNSTILE };
	struct captcha_judgement j;

	(void)state;
	captcha_judge(&c, 200, BYTES(YES "}"), (uint64_t)NOW_S * 1000, &j);
	assert_int_equal(j.result, CAPTCHA_PASSED);
}

static void times_are_read_as_providers_write_them(void **state)
{
	static const struct { const char *text; uint64_t ms; } good[] = {
		{ NOW "Z", (uint64_t)NOW_S * 1000 }, { NOW ".5Z", (uint64_t)NOW_S * 1000 },
		{ NOW ".123456789Z", (uint64_t)NOW_S * 1000 }, { "2026-11-24T04:47:19+02:00", (uint64_t)NOW_S * 1000 },
		{ "2026-11-23T21:47:19-0500", (uint64_t)NOW_S * 1000 }, { "1970-01-01T00:00:01z", 1000 },
		{ "1970-01-01T00:00:00+01:00", 0 },
	};
	static const char *const bad[] = {
		"", "2026-11-24", NOW, NOW "ZZ", NOW ".Z", NOW "+2", NOW "+02:0",
		NOW "+24:00", NOW "+02:60", NOW "+02:00Z", "2026-13-01T00:00:00Z",
		"2026-00-01T00:00:00Z", "2026-01-32T00:00:00Z", "2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z", "+026-01-01T00:00:00Z",
		"2026-11-24T02:47:1 Z", "2026/11/24T02:47:19Z",
	};
	uint64_t ms;

	(void)state;
	for (size_t i = 0; i < nelems(good); i++) {
		assert_true(captcha_time(bytes_of(good[i].text), &ms));
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < nelems(bad); i++)
		if (captcha_time(bytes_of(bad[i]), &ms))
			fail_msg("'%s' is no time", bad[i]);
}

/* ---- the breaker ---- */

static void five_troubles_in_a_row_take_a_provider_down(void **state)
{
	struct captcha_breaker b = { 0 };

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(captcha_breaker_told(&b, true, 1000), CAPTCHA_SAME);
	assert_int_equal(captcha_breaker_told(&b, false, 1000), CAPTCHA_SAME); /* not in a row */
	for (int i = 0; i < 4; i++)
		assert_int_equal(captcha_breaker_told(&b, true, 1000), CAPTCHA_SAME);
	assert_false(captcha_breaker_is_down(&b, 1000));
	assert_int_equal(captcha_breaker_told(&b, true, 1000), CAPTCHA_WENT_DOWN);
	for (int i = 0; i < 100; i++) /* those that were under way */
		assert_int_equal(captcha_breaker_told(&b, true, 1001), CAPTCHA_SAME);
	assert_true(captcha_breaker_is_down(&b, 10999));
	assert_false(captcha_breaker_enter(&b, 10999));
}

static void then_one_client_tries_it(void **state)
{
	struct captcha_breaker b = { .fails = CAPTCHA_FAILS, .until_ms = 10000 };

	(void)state;
	assert_false(captcha_breaker_is_down(&b, 10000));
	assert_true(captcha_breaker_enter(&b, 10000));
	assert_true(captcha_breaker_is_down(&b, 10000)); /* for the others */
	assert_false(captcha_breaker_enter(&b, 10000));
	captcha_breaker_leave(&b);
	captcha_breaker_told(&b, true, 11000); /* 20 s this time */
	assert_true(captcha_breaker_is_down(&b, 30999));
	assert_false(captcha_breaker_is_down(&b, 31000));
	for (int i = 0; i < 20; i++)
		captcha_breaker_told(&b, true, 100000000u + (unsigned)i * 1000000u);
	assert_false(captcha_breaker_is_down(&b, 100000000u + 19 * 1000000u + 80000));
	assert_int_equal(captcha_breaker_told(&b, false, 0), CAPTCHA_CAME_BACK);
	assert_true(captcha_breaker_enter(&b, 0) && captcha_breaker_enter(&b, 0));
}

static void no_more_are_asked_at_a_time_than_allowed(void **state)
{
	struct captcha_breaker b = { 0 };

	(void)state;
	for (int i = 0; i < CAPTCHA_ASKED; i++)
		assert_true(captcha_breaker_enter(&b, 0));
	assert_false(captcha_breaker_enter(&b, 0));
	assert_false(captcha_breaker_is_down(&b, 0)); /* busy is not down */
	captcha_breaker_leave(&b);
	assert_true(captcha_breaker_enter(&b, 0));
}

/* ---- asking ---- */

struct house {
	struct process process;
	struct worker worker;
	struct arena *arena;
	struct app_metrics *app;
	struct captcha_config config;
	struct player provider;
	char url[64], secret[64];
	unsigned done;
	bool asking;
	enum captcha_result result;
};

static int begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	struct err e;

	signal(SIGPIPE, SIG_IGN);
	*state = h;
	setenv("EMBERGATE_TEST_SECRET", "s&cret=1", 1);
	h->worker.loop = loop_new();
	h->arena = arena_new(1 << 20);
	h->process.metrics = metrics_new(1);
	h->app = metrics_app(h->process.metrics, BYTES("shop"));
	player_open(&h->provider);
	snprintf(h->url, sizeof h->url, "http://127.0.0.1:%u/siteverify", h->provider.port);
	h->config = (struct captcha_config){ .provider = CAPTCHA_CUSTOM, .secret_from = "env:EMBERGATE_TEST_SECRET",
					     .sitekey = BYTES("site/key"), .verify_url = bytes_of(h->url),
					     .hosts = { shops, nelems(shops) } };
	if (!captcha_open(&h->process, h->arena, &h->config, h->app, &e))
		fail_msg("%s", e.text);
	return 0;
}

static int end(void **state)
{
	struct house *h = *state;

	for (struct captcha_breaker *b = h->process.captchas, *next; b; b = next) {
		next = b->next;
		assert_int_equal(b->asking, 0);
		free(b);
	}
	fetcher_free(h->process.fetcher);
	run_for(h->worker.loop, 1);
	loop_free(h->worker.loop);
	player_close(&h->provider);
	metrics_free(h->process.metrics);
	arena_free(h->arena);
	free(h);
	return 0;
}

static void on_done(void *ctx, enum captcha_result r)
{
	struct house *h = ctx;

	assert_false(h->asking);
	h->done++;
	h->result = r;
	loop_stop(h->worker.loop);
}

static struct captcha_question *start(struct house *h, struct bytes response)
{
	struct captcha_question *q;
	struct ip client;

	ip_parse(BYTES("192.0.2.7"), &client);
	h->done = 0;
	h->asking = true;
	q = captcha_ask(&h->worker, &h->config, response, client, on_done, h);
	h->asking = false;
	assert_non_null(q);
	return q;
}

static enum captcha_result ask(struct house *h, struct bytes response)
{
	start(h, response);
	RUN_UNTIL(h->worker.loop, h->done);
	run_for(h->worker.loop, 5);
	assert_int_equal(h->done, 1);
	return h->result;
}

static uint64_t counted(struct house *h, const char *result)
{
	char *buf = malloc(1 << 16), want[128];
	struct text t = text_over(buf, (1 << 16) - 1);
	const char *at;
	uint64_t n = 0;

	metrics_print(h->process.metrics, &(struct metrics_now){ 0 }, &t);
	buf[t.len] = '\0';
	snprintf(want, sizeof want, "embergate_captcha_verify_total{app=\"shop\",provider=\"custom\",result=\"%s\"} ", result);
	if ((at = strstr(buf, want)))
		n = strtoull(at + strlen(want), NULL, 10);
	free(buf);
	return n;
}

#define OK "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"

static void each_answer_has_its_outcome(void **state)
{
	static const struct { struct script script; enum captcha_result result; const char *counted; } rows[] = {
		{ { .say = OK "Content-Length: 16\r\n\r\n{\"success\":true}" }, CAPTCHA_PASSED, "passed" },
		{ { .say = OK "\r\n{\"success\":false,\"error-codes\":[\"invalid-input-response\"]}" }, CAPTCHA_FAILED, "failed" },
		{ { .say = OK "\r\n{\"success\":true,\"hostname\":\"evil.example\"}" }, CAPTCHA_FAILED, "failed" },
		{ { .say = OK "\r\n{\"success\":false,\"error-codes\":[\"invalid-input-secret\"]}" },
		  CAPTCHA_TROUBLE, "secret_refused" },
		{ { .say = "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n" }, CAPTCHA_TROUBLE, "trouble" },
		{ { .say = OK "\r\n<html>" }, CAPTCHA_TROUBLE, "trouble" },
		{ { .say = OK "Content-Length: 16\r\n\r\n{\"success\":true" }, CAPTCHA_TROUBLE, "trouble" },
		{ { .say = OK "\r\n{\"success\":true}", .then = RESET }, CAPTCHA_TROUBLE, "trouble" },
		{ { .say = "HTTP/1.1 200 O", .then = RESET }, CAPTCHA_TROUBLE, "trouble" },
		{ { .say = OK "\r\n", .more = 10 << 20 }, CAPTCHA_TROUBLE, "trouble" },
		{ { .say = OK "\r\n{\"success\":true}", .then = HOLD }, CAPTCHA_TROUBLE, "trouble" }, /* 3 s */
		{ { .say = "HTTP/1.1 302 X\r\nLocation: /good\r\nContent-Length: 0\r\n\r\n" }, CAPTCHA_TROUBLE, "trouble" },
	};
	struct house *h = *state;

	for (size_t i = 0; i < nelems(rows); i++) {
		uint64_t before = counted(h, rows[i].counted), from = loop_now_ms(h->worker.loop);
		enum captcha_result r;

		h->config.ready->breaker->fails = 0; /* this is about single answers */
		player_start(&h->provider, &rows[i].script, 1);
		r = ask(h, BYTES("token"));
		player_done(&h->provider);
		if (r != rows[i].result)
			fail_msg("row %zu: %d, not %d", i, r, rows[i].result);
		assert_int_equal(counted(h, rows[i].counted), before + 1);
		assert_int_equal(h->config.ready->breaker->fails, r == CAPTCHA_TROUBLE);
		assert_true(loop_now_ms(h->worker.loop) - from < CAPTCHA_TIMEOUT_MS + 1500);
	}
}

static void the_question_is_an_encoded_form_and_says_no_more_than_it_must(void **state)
{
	static const struct script s[] = { { .say = OK "\r\n{\"success\":true}" }, { .say = OK "\r\n{\"success\":true}" } };
	struct house *h = *state;

	player_start(&h->provider, s, 2);
	ask(h, BYTES("a+b c&remoteip=1"));
	h->config.send_ip = true;
	ask(h, BYTES("x"));
	player_done(&h->provider);
	assert_memory_equal(h->provider.asked[0], "POST /siteverify HTTP/1.1\r\n", 27);
	assert_non_null(strstr(h->provider.asked[0], "\r\nContent-Type: application/x-www-form-urlencoded\r\n"));
	assert_non_null(strstr(h->provider.asked[0], "\r\nAccept-Encoding: identity\r\n"));
	assert_string_equal(strstr(h->provider.asked[0], "\r\n\r\n"),
			    "\r\n\r\nsecret=s%26cret%3D1&response=a%2Bb+c%26remoteip%3D1");
	assert_string_equal(strstr(h->provider.asked[1], "\r\n\r\n"),
			    "\r\n\r\nsecret=s%26cret%3D1&response=x&remoteip=192.0.2.7");
}

static void some_providers_want_the_sitekey_or_another_word(void **state)
{
	static const struct { uint32_t provider; const char *form; } rows[] = {
		{ CAPTCHA_HCAPTCHA, "secret=s%26cret%3D1&response=x&sitekey=site%2Fkey" },
		{ CAPTCHA_TURNSTILE, "secret=s%26cret%3D1&response=x" },
		{ CAPTCHA_FRIENDLY, "secret=s%26cret%3D1&solution=x&sitekey=site%2Fkey" },
	};
	static const struct script s = { .say = OK "\r\n{}" };
	struct house *h = *state;
	struct err e;

	for (size_t i = 0; i < nelems(rows); i++) {
		h->config.provider = rows[i].provider;
		assert_true(captcha_open(&h->process, h->arena, &h->config, h->app, &e));
		player_start(&h->provider, &s, 1);
		ask(h, BYTES("x"));
		player_done(&h->provider);
		assert_string_equal(strstr(h->provider.asked[0], "\r\n\r\n") + 4, rows[i].form);
	}
}

static void no_solution_is_none_without_asking(void **state)
{
	static char many[CAPTCHA_RESPONSE_MAX + 1];
	struct house *h = *state;

	memset(many, 'x', sizeof many);
	assert_int_equal(ask(h, (struct bytes){ 0 }), CAPTCHA_FAILED);
	assert_int_equal(ask(h, (struct bytes){ many, sizeof many }), CAPTCHA_FAILED);
	captcha_cancel(start(h, (struct bytes){ 0 }));
	run_for(h->worker.loop, 100);
	assert_int_equal(h->done, 0);
}

static void the_longest_solution_is_asked_for(void **state)
{
	static const struct script s = { .say = OK "\r\n{\"success\":true}", .unread = true, .then = HOLD };
	static char many[CAPTCHA_RESPONSE_MAX];
	struct house *h = *state;

	memset(many, '&', sizeof many);
	player_start(&h->provider, &s, 1);
	start(h, (struct bytes){ many, sizeof many });
	RUN_UNTIL(h->worker.loop, h->done);
	player_done(&h->provider);
	assert_int_equal(counted(h, "not_asked"), 0);
}

static void a_provider_that_is_down_is_left_alone(void **state)
{
	static const struct script bad = { .say = "HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n" };
	const struct script s[] = { bad, bad, bad, bad, bad };
	struct house *h = *state;

	player_start(&h->provider, s, 5);
	for (int i = 0; i < 5; i++) {
		assert_false(captcha_is_down(&h->worker, &h->config));
		assert_int_equal(ask(h, BYTES("x")), CAPTCHA_TROUBLE);
	}
	player_done(&h->provider);
	assert_true(captcha_is_down(&h->worker, &h->config));
	assert_int_equal(ask(h, BYTES("x")), CAPTCHA_TROUBLE); /* nobody listens any more: it would wait 3 s */
	assert_int_equal(counted(h, "trouble"), 5);
	assert_int_equal(counted(h, "not_asked"), 1);
}

static void the_state_outlives_a_reload_but_not_a_new_secret(void **state)
{
	struct house *h = *state;
	struct captcha_breaker *b = h->config.ready->breaker;
	struct err e;

	assert_true(captcha_open(&h->process, h->arena, &h->config, h->app, &e));
	assert_ptr_equal(h->config.ready->breaker, b);
	setenv("EMBERGATE_TEST_SECRET", "another", 1);
	assert_true(captcha_open(&h->process, h->arena, &h->config, h->app, &e));
	assert_ptr_not_equal(h->config.ready->breaker, b);
	unsetenv("EMBERGATE_TEST_SECRET");
	assert_false(captcha_open(&h->process, h->arena, &h->config, h->app, &e));
	assert_non_null(strstr(e.text, "challenge.captcha.secret"));
	assert_null(strstr(e.text, "another"));
}

static void a_question_may_be_cancelled(void **state)
{
	static const struct script s = { .say = "", .then = HOLD };
	struct house *h = *state;
	struct captcha_question *q;

	captcha_cancel(start(h, BYTES("x")));
	player_start(&h->provider, &s, 1);
	q = start(h, BYTES("x"));
	run_for(h->worker.loop, 50);
	captcha_cancel(q);
	run_for(h->worker.loop, 50);
	player_done(&h->provider);
	assert_int_equal(h->done, 0);
	assert_int_equal(h->config.ready->breaker->fails, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_clear_yes_passes),
		cmocka_unit_test(without_hosts_any_host_will_do),
		cmocka_unit_test(times_are_read_as_providers_write_them),
		cmocka_unit_test(five_troubles_in_a_row_take_a_provider_down),
		cmocka_unit_test(then_one_client_tries_it),
		cmocka_unit_test(no_more_are_asked_at_a_time_than_allowed),
		TEST(each_answer_has_its_outcome),
		TEST(the_question_is_an_encoded_form_and_says_no_more_than_it_must),
		TEST(some_providers_want_the_sitekey_or_another_word),
		TEST(no_solution_is_none_without_asking),
		TEST(the_longest_solution_is_asked_for),
		TEST(a_provider_that_is_down_is_left_alone),
		TEST(the_state_outlives_a_reload_but_not_a_new_secret),
		TEST(a_question_may_be_cancelled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
