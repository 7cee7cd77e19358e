/* server.c -- servers found again, and which of them is asked next. */
#include "tests/test.h"
#include "proxy/server.h"

enum { MOST = 6 };

struct house {
	struct servers *all;
	struct metrics *metrics;
	struct app_metrics *app;
	struct server_config configs[MOST];
	struct app_config config;
	struct upstream upstream;
};

static void build(struct house *h, enum balance balance, const uint32_t *weights, size_t n)
{
	struct err err = { 0 };

	h->config = (struct app_config){ .name = BYTES("app"), .upstream = { .servers = h->configs, .nservers = n,
									    .balance = balance, .verify = true } };
	for (size_t i = 0; i < n; i++)
		h->configs[i] = (struct server_config){ .url = BYTES("http://x"), .host = "127.0.0.1",
							.port = (uint16_t)(3000 + i), .weight = weights[i] };
	if (!upstream_build(&h->upstream, h->all, &h->config, h->app, &err))
		fail_msg("%s", err.text);
}

static int begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);

	*state = h;
	h->all = servers_new();
	h->metrics = metrics_new(1);
	h->app = metrics_app(h->metrics, BYTES("app"));
	return 0;
}

static int end(void **state)
{
	struct house *h = *state;

	upstream_clear(&h->upstream);
	servers_free(h->all);
	metrics_free(h->metrics);
	free(h);
	return 0;
}

static unsigned chosen(const struct house *h, uint64_t tried, unsigned turn, uint64_t key)
{
	const struct backend *b = upstream_choose(&h->upstream, tried, turn, key, 1000);

	return b ? (unsigned)(b - h->upstream.backends) : MOST;
}

static void turns_are_shares_by_weight(void **state)
{
	static const uint32_t weights[] = { 3, 1, 2, 0 }; /* 0: not said, 1 */
	unsigned got[MOST + 1] = { 0 };
	struct house *h = *state;

	build(h, BALANCE_ROUND_ROBIN, weights, 4);
	for (unsigned turn = 0; turn < 70; turn++)
		got[chosen(h, 0, turn, 0)]++;
	assert_int_equal(got[0], 30);
	assert_int_equal(got[1], 10);
	assert_int_equal(got[2], 20);
	assert_int_equal(got[3], 10);
}

static void who_was_tried_or_is_down_is_not_chosen(void **state)
{
	static const uint32_t weights[] = { 1, 1, 1 };
	static const struct { uint64_t tried; unsigned down, may; } rows[] = { /* a bit each */
		{ 0, 0, 7 }, { 1, 0, 6 }, { 0, 1, 6 }, { 1, 2, 4 }, { 7, 0, 0 }, { 3, 4, 0 },
		{ 0, 7, 7 }, { 1, 7, 6 }, { 3, 7, 4 }, { 7, 7, 0 }, /* all are down: all are asked */
	};
	static const enum balance balances[] = { BALANCE_ROUND_ROBIN, BALANCE_LEAST_CONN, BALANCE_HASH };
	struct house *h = *state;

	for (size_t k = 0; k < nelems(balances); k++) {
		build(h, balances[k], weights, 3);
		for (size_t i = 0; i < nelems(rows); i++) {
			unsigned seen = 0;

			for (unsigned s = 0; s < 3; s++)
				h->upstream.backends[s].server->down_until_ms = rows[i].down >> s & 1 ? 2000 : 0;
			for (unsigned turn = 0; turn < 200; turn++) {
				unsigned at = chosen(h, rows[i].tried, turn, turn * 0x9e3779b97f4a7c15u);

				seen |= at == MOST ? 0 : 1u << at;
			}
			assert_int_equal(seen, rows[i].may);
		}
	}
}

static void the_least_busy_is_chosen_by_weight(void **state)
{
	static const uint32_t weights[] = { 1, 2, 1 };
	static const struct { unsigned busy[3], want; } rows[] = {
		{ { 0, 1, 1 }, 0 }, { { 1, 1, 1 }, 1 }, { { 5, 9, 5 }, 1 }, { { 5, 12, 4 }, 2 }, { { 1, 4, 2 }, 0 },
	};
	struct house *h = *state;

	build(h, BALANCE_LEAST_CONN, weights, 3);
	for (size_t i = 0; i < nelems(rows); i++) {
		for (unsigned s = 0; s < 3; s++)
			h->upstream.backends[s].server->inflight = rows[i].busy[s];
		for (unsigned turn = 0; turn < 3; turn++)
			assert_int_equal(chosen(h, 0, turn, 0), rows[i].want);
	}
}

static void when_a_server_goes_its_own_clients_move_alone(void **state)
{
	static const uint32_t weights[] = { 1, 1, 1, 1 };
	struct house *h = *state;
	unsigned at[400], got[4] = { 0 };

	build(h, BALANCE_HASH, weights, 4);
	for (unsigned k = 0; k < nelems(at); k++)
		got[at[k] = chosen(h, 0, k, k * 0x9e3779b97f4a7c15u)]++;
	for (unsigned s = 0; s < 4; s++)
		assert_in_range(got[s], 60, 140);
	h->upstream.backends[2].server->down_until_ms = UINT64_MAX;
	for (unsigned k = 0; k < nelems(at); k++)
		if (at[k] != 2)
			assert_int_equal(chosen(h, 0, k + 7, k * 0x9e3779b97f4a7c15u), at[k]);
		else
			assert_int_not_equal(chosen(h, 0, k, k * 0x9e3779b97f4a7c15u), 2);
}

static void failures_in_a_row_take_a_server_out_for_a_time(void **state)
{
	static const struct health_config health = { .fails = 3, .down_ms = 500 };
	static const uint32_t one[] = { 1 };
	struct house *h = *state;
	struct server *s;

	build(h, BALANCE_ROUND_ROBIN, one, 1);
	s = h->upstream.backends[0].server;
	for (int i = 0; i < 5; i++) {
		server_failed(s, &health, 1000);
		server_failed(s, &health, 1000);
		server_succeeded(s); /* not in a row */
	}
	assert_true(server_is_up(s, 1000));
	for (int i = 0; i < 3; i++)
		server_failed(s, &health, 1000);
	assert_false(server_is_up(s, 1499));
	assert_true(server_is_up(s, 1500));
	server_failed(s, &health, 1500);
	assert_true(server_is_up(s, 1500));
	server_set(s, false);
	assert_false(server_is_up(s, UINT64_MAX - 1));
	server_set(s, true);
	assert_true(server_is_up(s, 0));
}

static void a_server_is_the_same_for_every_configuration_that_has_it(void **state)
{
	static const uint32_t weights[] = { 1, 1 };
	struct house *h = *state;
	struct server *a, *b;
	struct err err;

	build(h, BALANCE_ROUND_ROBIN, weights, 2);
	a = h->upstream.backends[0].server;
	b = h->upstream.backends[1].server;
	assert_int_not_equal(a->id, b->id);
	build(h, BALANCE_HASH, weights, 2);
	assert_ptr_equal(h->upstream.backends[0].server, a);
	assert_ptr_equal(h->upstream.backends[1].server, b);
	h->config.upstream.verify = false; /* spoken to otherwise: another one */
	assert_true(upstream_build(&h->upstream, h->all, &h->config, h->app, &err));
	assert_ptr_not_equal(h->upstream.backends[0].server, a);
}

static void a_name_that_nobody_knows_is_told_with_its_place(void **state)
{
	struct house *h = *state;
	struct err err;

	h->configs[0] = (struct server_config){ .url = BYTES("http://no.invalid:1"), .host = "no.invalid", .port = 1,
						.where = { "file.yaml", 3, 7 } };
	h->config = (struct app_config){ .name = BYTES("app"), .upstream = { .servers = h->configs, .nservers = 1 } };
	assert_false(upstream_build(&h->upstream, h->all, &h->config, h->app, &err));
	assert_true(bytes_starts(bytes_of(err.text), BYTES("file.yaml:3:7: upstream http://no.invalid:1: cannot resolve")));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(turns_are_shares_by_weight),
		TEST(who_was_tried_or_is_down_is_not_chosen),
		TEST(the_least_busy_is_chosen_by_weight),
		TEST(when_a_server_goes_its_own_clients_move_alone),
		TEST(failures_in_a_row_take_a_server_out_for_a_time),
		TEST(a_server_is_the_same_for_every_configuration_that_has_it),
		TEST(a_name_that_nobody_knows_is_told_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
