/* lapi_client.c -- another local API, played: asked as a bouncer asks, told as a machine tells, in trouble too. */
#include "base/clock.h"
#include "cti/lapi_client.h"
#include "tests/ends.h"
#include "tests/player.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define JSON(status, body) { .say = "HTTP/1.1 " status "\r\nConnection: close\r\n\r\n" body }
#define EMPTY JSON("200 OK", "{\"deleted\":null,\"new\":null}")
#define ONE(left) "{\"deleted\":null,\"new\":[{\"duration\":\"" left "\",\"id\":1,\"origin\":\"CAPI\",\"scenario\":\"s\",\"scope\":\"Ip\"," \
	"\"type\":\"ban\",\"value\":\"192.0.2.1\"}]}"

struct house {
	struct loop *loop;
	struct fetcher *fetcher;
	struct decisions *d;
	struct player server;
	struct lapi_client *client;
	bool closed;
	char url[64];
};

static int begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	struct err e;

	signal(SIGPIPE, SIG_IGN);
	*state = h;
	h->loop = loop_new();
	h->fetcher = fetcher_new(NULL, NULL, NULL, &e);
	h->d = decisions_new(400000);
	player_open(&h->server);
	snprintf(h->url, sizeof h->url, "http://127.0.0.1:%u/", h->server.port);
	return h->loop && h->fetcher && h->d ? 0 : -1;
}

static void on_closed(void *ctx)
{
	((struct house *)ctx)->closed = true;
	loop_stop(((struct house *)ctx)->loop);
}

static int end(void **state)
{
	struct house *h = *state;

	lapi_client_close(h->client, on_closed, h);
	RUN_UNTIL(h->loop, h->closed);
	run_for(h->loop, 5);
	fetcher_free(h->fetcher);
	run_for(h->loop, 1);
	loop_free(h->loop);
	decisions_free(h->d);
	player_close(&h->server);
	free(h);
	return 0;
}

static void open_client(struct house *h, bool pulls, bool pushes)
{
	struct lapi_client_config config = { .url = bytes_of(h->url), .every_ms = 20, .most = REMEDY_DENY, .hearsay = true };
	struct err e = { 0 };

	if (pulls)
		config.key = BYTES("the-key");
	if (pushes) {
		config.machine = BYTES("gate\"1");
		config.password = BYTES("secret");
	}
	h->client = lapi_client_open(h->loop, h->fetcher, &config, h->d, &e);
	if (!h->client)
		fail_msg("%s", e.text);
}

static struct lapi_client_counts counts(struct house *h)
{
	struct lapi_client_counts c;

	lapi_client_count(h->client, &c);
	return c;
}

/* Runs until it holds; the loop is stopped every few milliseconds to look. */
#define AWAIT(h, condition)                                                        \
	do {                                                                       \
		uint64_t late_ = clock_mono_ms() + 30000;                          \
		while (!(condition)) {                                             \
			run_for((h)->loop, 5);                                     \
			if (clock_mono_ms() > late_)                               \
				fail_msg("not within 30 s: " #condition);          \
		}                                                                  \
	} while (0)

static void has(const char *asked, const char *what)
{
	if (!strstr(asked, what))
		fail_msg("'%s' is not in: %s", what, asked);
}

static void it_asks_for_all_once_and_then_for_what_changed(void **state)
{
	static const struct script scripts[] = { JSON("200 OK", ONE("1h")), EMPTY,
		JSON("200 OK", "{\"new\":[],\"deleted\":[{\"duration\":\"-1s\",\"origin\":\"CAPI\",\"scenario\":\"s\",\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"192.0.2.1\"}]}") };
	struct house *h = *state;

	player_start(&h->server, scripts, nelems(scripts));
	open_client(h, true, false);
	AWAIT(h, counts(h).decisions == 1);
	assert_int_equal(decisions_held(h->d), 1);
	AWAIT(h, counts(h).pulls > 3 && counts(h).decisions == 0);
	player_done(&h->server);
	has(h->server.asked[0], "GET /v1/decisions/stream?startup=true&scopes=ip,range,as,country HTTP/1.1\r\n");
	has(h->server.asked[0], "X-Api-Key: the-key\r\n");
	has(h->server.asked[0], "User-Agent: crowdsec-embergate-bouncer/v" EMBERGATE_VERSION "\r\n");
	assert_null(strstr(h->server.asked[0], "embergate/"EMBERGATE_VERSION "\r\nUser-Agent"));
	has(h->server.asked[1], "?startup=false&");
	assert_int_equal(decisions_held(h->d), 0);
}

static void what_is_wrong_lifts_nothing_and_all_is_asked_for_anew(void **state)
{
	static const struct script rows[] = {
		JSON("403 Forbidden", "{\"message\":\"access forbidden\"}"), JSON("500 X", ""), JSON("200 OK", "{\"new\":nu"),
		JSON("200 OK", "[]"), { .say = "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"new\":null" }, { .say = "nonsense\r\n\r\n" },
	};
	struct house *h = *state;

	for (size_t i = 0; i < nelems(rows); i++) {
		struct script scripts[] = { JSON("200 OK", ONE("1h")), rows[i], JSON("200 OK", ONE("1h")) };

		player_close(&h->server); /* one that has seen nothing of the row before */
		player_open(&h->server);
		snprintf(h->url, sizeof h->url, "http://127.0.0.1:%u/", h->server.port);
		player_start(&h->server, scripts, nelems(scripts));
		open_client(h, true, false);
		AWAIT(h, counts(h).failed == 1);
		assert_int_equal(decisions_held(h->d), 1);
		assert_true(counts(h).trouble[0]);
		AWAIT(h, !counts(h).trouble[0]);
		player_done(&h->server);
		has(h->server.asked[1], "startup=false");
		has(h->server.asked[2], "startup=true");
		if (i + 1 < nelems(rows)) {
			lapi_client_close(h->client, on_closed, h);
			RUN_UNTIL(h->loop, h->closed);
			h->closed = false;
		}
	}
}

static void push(struct house *h, const char *value, enum scope scope)
{
	struct alert a = { .made_ms = 1795488110000, .scenario = BYTES("embergate/http-\"probing\""), .message = BYTES("GET /secret?path"),
			   .scope = scope, .value = bytes_of(value), .events = 7, .first_ms = 1795488100000, .last_ms = 1795488110000 };

	lapi_client_push(h->client, &a);
}

static void alerts_are_told_as_a_machine_tells_them(void **state)
{
	static const struct script scripts[] = {
		JSON("200 OK", "{\"code\":200,\"expire\":\"2026-11-24T03:41:50Z\",\"token\":\"abc.def\"}"), JSON("201 Created", "[\"1\",\"2\"]"),
		JSON("401 Unauthorized", "{\"code\":401,\"message\":\"Token is expired\"}"),
		JSON("200 OK", "{\"code\":200,\"token\":\"ghi\"}"), JSON("201 Created", "[\"3\"]") };
	struct house *h = *state;

	player_start(&h->server, scripts, nelems(scripts));
	open_client(h, false, true);
	push(h, "192.0.2.1", SCOPE_IP);
	push(h, "0123456789abcdef", SCOPE_USERNAME);
	push(h, "198.51.100.0/24", SCOPE_RANGE);
	AWAIT(h, counts(h).pushed == 2);
	push(h, "192.0.2.3", SCOPE_IP);
	AWAIT(h, counts(h).pushed == 3);
	player_done(&h->server);
	has(h->server.asked[0], "POST /v1/watchers/login HTTP/1.1\r\n");
	has(h->server.asked[0], "{\"machine_id\":\"gate\\\"1\",\"password\":\"secret\",\"scenarios\":[]}");
	has(h->server.asked[1], "Authorization: Bearer abc.def\r\n");
	has(h->server.asked[1], "[{\"scenario\":\"embergate/http-\\\"probing\\\"\",");
	has(h->server.asked[1], "\"start_at\":\"2026-11-24T02:41:40.000Z\",\"stop_at\":\"2026-11-24T02:41:50.000Z\"");
	has(h->server.asked[1], "\"source\":{\"range\":\"198.51.100.0/24\",\"scope\":\"Range\",\"value\":\"198.51.100.0/24\"}}]");
	assert_null(strstr(h->server.asked[1], "0123456789abcdef"));
	assert_null(strstr(h->server.asked[1], "/secret"));
	has(h->server.asked[4], "Authorization: Bearer ghi\r\n");
	assert_int_equal(counts(h).dropped + counts(h).failed, 0);
}

static void at_rest_it_pushes_and_pulls_no_more(void **state)
{
	static const struct script scripts[] = { JSON("200 OK", ONE("1h")), JSON("200 OK", "{\"token\":\"abc\"}"),
						 JSON("201 Created", "[\"1\"]") };
	struct house *h = *state;
	uint64_t pulls;

	player_start(&h->server, scripts, nelems(scripts));
	open_client(h, true, true);
	AWAIT(h, counts(h).pulls == 1);
	lapi_client_rest(h->client); /* while it pulls: that is read to its end */
	AWAIT(h, counts(h).decisions == 1);
	pulls = counts(h).pulls;
	push(h, "192.0.2.1", SCOPE_IP);
	AWAIT(h, counts(h).pushed == 1);
	run_for(h->loop, 100); /* five times what lies between two */
	assert_int_equal(counts(h).pulls, pulls);
	assert_int_equal(decisions_held(h->d), 1);
	player_done(&h->server);
}

static void an_alert_that_is_refused_costs_no_other(void **state)
{
	static const struct script scripts[] = { JSON("200 OK", "{\"token\":\"abc\"}"), JSON("400 Bad Request", "{}"),
						 JSON("201 Created", "[\"1\"]"), JSON("400 Bad Request", "{}"), JSON("201 Created", "[\"2\"]") };
	struct house *h = *state;

	player_start(&h->server, scripts, nelems(scripts));
	open_client(h, false, true);
	push(h, "192.0.2.1", SCOPE_IP);
	push(h, "192.0.2.2", SCOPE_IP);
	push(h, "192.0.2.3", SCOPE_IP);
	AWAIT(h, counts(h).pushed == 2);
	player_done(&h->server);
	assert_int_equal(counts(h).dropped, 1);
	has(h->server.asked[4], "192.0.2.3");
}

static void the_queue_is_bounded_and_outlives_an_api_that_is_away(void **state)
{
	static const struct script scripts[] = { { .say = "", .then = RESET }, JSON("401 Unauthorized", "{}") };
	struct house *h = *state;

	player_start(&h->server, scripts, nelems(scripts));
	open_client(h, false, true);
	for (int i = 0; i < 1005; i++)
		push(h, "192.0.2.1", SCOPE_IP);
	assert_int_equal(counts(h).dropped, 5);
	AWAIT(h, counts(h).failed >= 2);
	player_done(&h->server);
	assert_int_equal(counts(h).queued, 1000);
}

/* Every turn of the loop, by the processor time that its thread took: other threads do not count. */
struct ticks { struct house *h; uint64_t last_us, worst_us; bool over; };

static uint64_t own_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static void tick(void *arg)
{
	struct ticks *t = arg;
	uint64_t now = own_us();

	t->worst_us = now - t->last_us > t->worst_us ? now - t->last_us : t->worst_us;
	t->over = counts(t->h).decisions > 0;
	if (t->over)
		loop_stop(t->h->loop);
	else
		loop_post(t->h->loop, tick, t);
	t->last_us = own_us();
}

static char *large_answer(int n)
{
	size_t cap = (size_t)n * 180;
	char *all = malloc(cap);
	struct text t = text_over(all, cap);

	text_str(&t, "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{\"new\":[");
	for (int i = 0; i < n; i++)
		text_printf(&t, "%s{\"duration\":\"100h0m0s\",\"id\":%d,\"origin\":\"CAPI\",\"scenario\":\"crowdsecurity/http-probing\","
			    "\"scope\":\"Ip\",\"type\":\"ban\",\"value\":\"11.%d.%d.1\"}", i ? "," : "", i, i >> 8, i & 255);
	text_str(&t, "],\"deleted\":[]}");
	text_byte(&t, '\0');
	assert_false(t.full);
	return all;
}

static void a_large_answer_does_not_hold_the_loop(void **state)
{
	enum { N = 50000 };
	struct house *h = *state;
	char *all = large_answer(N);
	struct script scripts[1] = { { .say = all } };
	struct ticks t = { .h = h, .last_us = own_us() };
	uint64_t began = clock_mono_us();

	player_start(&h->server, scripts, 1);
	open_client(h, true, false);
	tick(&t);
	RUN_UNTIL(h->loop, t.over);
	printf("%d decisions in %.0f ms, the longest turn of the loop took %.2f ms\n", N, (double)(clock_mono_us() - began) / 1e3,
	       (double)t.worst_us / 1e3);
	player_done(&h->server);
	assert_int_equal(decisions_held(h->d), N);
	assert_true(t.worst_us < 50000); /* with sanitizers; a tenth of it without */
	free(all);
}

int main(void)
{
#define CLAIM(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
		CLAIM(it_asks_for_all_once_and_then_for_what_changed),
		CLAIM(what_is_wrong_lifts_nothing_and_all_is_asked_for_anew),
		CLAIM(alerts_are_told_as_a_machine_tells_them),
		CLAIM(at_rest_it_pushes_and_pulls_no_more),
		CLAIM(an_alert_that_is_refused_costs_no_other),
		CLAIM(the_queue_is_bounded_and_outlives_an_api_that_is_away),
		CLAIM(a_large_answer_does_not_hold_the_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
