/* metrics.c -- what is counted is what is printed, and in Prometheus' format. */
#include "tests/test.h"
#include "admin/metrics.h"
#include "cti/cti.h"
#include <ctype.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>

static char page[1 << 20];

static struct bytes scrape(struct metrics *m, const struct metrics_now *now)
{
	static const struct metrics_now nothing;
	struct text t = text_over(page, sizeof page);

	metrics_print(m, now ? now : &nothing, &t);
	assert_false(t.full);
	return text_bytes(&t);
}

static void assert_line(struct bytes all, const char *line)
{
	char whole[512];
	int n = snprintf(whole, sizeof whole, "\n%s\n", line);

	if (bytes_find(all, (struct bytes){ whole, (size_t)n }) == SIZE_MAX)
		fail_msg("no line \"%s\" in:\n%.*s", line, BYTES_ARG(all));
}

static void assert_no(struct bytes all, const char *text)
{
	if (bytes_find(all, bytes_of(text)) != SIZE_MAX)
		fail_msg("\"%s\" in:\n%.*s", text, BYTES_ARG(all));
}

static const struct request get = { .method = BYTES_INIT("GET") }, brew = { .method = BYTES_INIT("BREW") };

static void exchanges_of_all_workers_are_added_up(void **state)
{
	struct metrics *m = metrics_new(3);
	struct app_metrics *shop = metrics_app(m, BYTES("shop"));
	struct event e = { .request = &get, .status = 200, .request_bytes = 10, .response_bytes = 100,
			   .duration_us = 700, .inspection_us = 60 };

	(void)state;
	for (unsigned w = 0; w < 3; w++)
		metrics_exchange(shop, w, &e);
	e.request = &brew;
	e.status = 0;
	e.duration_us = 40000000;
	metrics_exchange(shop, 1, &e);
	scrape(m, NULL);
	struct bytes all = scrape(m, NULL);
	assert_line(all, "embergate_requests_total{app=\"shop\",method=\"GET\",code_class=\"2xx\"} 3");
	assert_line(all, "embergate_requests_total{app=\"shop\",method=\"other\",code_class=\"none\"} 1");
	assert_line(all, "embergate_request_bytes_total{app=\"shop\"} 40");
	assert_line(all, "embergate_response_bytes_total{app=\"shop\"} 400");
	assert_line(all, "embergate_request_duration_seconds_bucket{app=\"shop\",le=\"0.0005\"} 0");
	assert_line(all, "embergate_request_duration_seconds_bucket{app=\"shop\",le=\"0.001\"} 3");
	assert_line(all, "embergate_request_duration_seconds_bucket{app=\"shop\",le=\"30\"} 3");
	assert_line(all, "embergate_request_duration_seconds_bucket{app=\"shop\",le=\"+Inf\"} 4");
	assert_line(all, "embergate_request_duration_seconds_sum{app=\"shop\"} 40.0021");
	assert_line(all, "embergate_request_duration_seconds_count{app=\"shop\"} 4");
	assert_line(all, "embergate_inspection_duration_seconds_bucket{app=\"shop\",phase=\"request\",le=\"0.0001\"} 4");
	metrics_free(m);
}

static void decisions_and_rules_have_their_labels(void **state)
{
	static const struct rule_info rule = { "a/\"b\"", "m", "c", "f", 1, SEVERITY_ERROR };
	const struct hit hit = { .rule = &rule };
	struct metrics *m = metrics_new(1);
	struct app_metrics *shop = metrics_app(m, BYTES("shop"));
	struct event e = { .request = &get, .status = 403, .action = REMEDY_DENY, .source = SOURCE_RULE, .hits = &hit, .nhits = 1 };

	(void)state;
	metrics_exchange(shop, 0, &e);
	metrics_exchange(shop, 0, &e);
	e.action = REMEDY_LOG;
	metrics_exchange(shop, 0, &e);
	metrics_body(shop, 0, BODY_TROUBLE_TOO_LONG);
	struct bytes all = scrape(m, NULL);
	assert_line(all, "embergate_decisions_total{app=\"shop\",action=\"deny\",source=\"rule\"} 2");
	assert_line(all, "embergate_decisions_total{app=\"shop\",action=\"log\",source=\"rule\"} 1");
	assert_line(all, "embergate_rule_matches_total{app=\"shop\",rule=\"a/\\\"b\\\"\",mode=\"block\"} 2");
	assert_line(all, "embergate_rule_matches_total{app=\"shop\",rule=\"a/\\\"b\\\"\",mode=\"detect\"} 1");
	assert_line(all, "embergate_body_too_long_total{app=\"shop\"} 1");
	assert_line(all, "embergate_body_truncated_total{app=\"shop\"} 0");
	metrics_free(m);
}

static void rules_beyond_500_are_other(void **state)
{
	struct metrics *m = metrics_new(1);
	struct app_metrics *shop = metrics_app(m, BYTES("shop"));

	(void)state;
	for (int i = 0; i < 700; i++) {
		char id[16];
		struct rule_info rule = { .id = id };
		struct hit hit = { .rule = &rule };
		struct event e = { .status = 403, .action = REMEDY_DENY, .source = SOURCE_RULE, .hits = &hit, .nhits = 1 };

		snprintf(id, sizeof id, "%d", i);
		metrics_exchange(shop, 0, &e);
	}
	struct bytes all = scrape(m, NULL);
	assert_line(all, "embergate_rule_matches_total{app=\"shop\",rule=\"499\",mode=\"block\"} 1");
	assert_line(all, "embergate_rule_matches_total{app=\"shop\",rule=\"other\",mode=\"block\"} 200");
	assert_no(all, "rule=\"500\"");
	metrics_free(m);
}

static void challenges_and_captchas_are_counted_by_level(void **state)
{
	struct metrics *m = metrics_new(2);
	struct app_metrics *shop = metrics_app(m, BYTES("shop"));

	(void)state;
	metrics_challenge(shop, 0, 2, CHALLENGE_STEP_ISSUED);
	metrics_challenge(shop, 1, 2, CHALLENGE_STEP_ISSUED);
	metrics_solved(shop, 1, 2, 4000000);
	metrics_challenge(shop, 0, 0, CHALLENGE_STEP_FORGED);
	metrics_challenge(shop, 0, 77, CHALLENGE_STEP_FORGED);
	metrics_captcha(shop, 0, "hcaptcha", CAPTCHA_COUNT_PASSED, 30000);
	metrics_captcha(shop, 0, "new one", CAPTCHA_COUNT_UNASKED, 0);
	struct bytes all = scrape(m, NULL);
	assert_line(all, "embergate_challenges_issued_total{app=\"shop\",level=\"pow\"} 2");
	assert_line(all, "embergate_challenges_solved_total{app=\"shop\",level=\"pow\"} 1");
	assert_line(all, "embergate_challenges_failed_total{app=\"shop\",level=\"none\",reason=\"forged\"} 2");
	assert_line(all, "embergate_challenge_solve_seconds_bucket{app=\"shop\",level=\"pow\",le=\"3\"} 0");
	assert_line(all, "embergate_challenge_solve_seconds_bucket{app=\"shop\",level=\"pow\",le=\"5\"} 1");
	assert_line(all, "embergate_captcha_verify_total{app=\"shop\",provider=\"hcaptcha\",result=\"passed\"} 1");
	assert_line(all, "embergate_captcha_verify_total{app=\"shop\",provider=\"custom\",result=\"not_asked\"} 1");
	assert_line(all, "embergate_captcha_verify_duration_seconds_count{app=\"shop\"} 1");
	assert_no(all, "level=\"wait\"");
	metrics_free(m);
}

static void count_issued(void *ctx, const struct metrics_challenge_counts *c)
{
	uint64_t *sums = ctx;

	assert_bytes(c->app, BYTES("shop"));
	assert_string_equal(c->level, "captcha");
	sums[0] += c->steps[CHALLENGE_STEP_ISSUED];
	for (unsigned i = 0; i <= c->nbounds; i++)
		sums[1] += c->solved_within[i];
}

static void the_funnel_can_be_read(void **state)
{
	struct metrics *m = metrics_new(1);
	struct app_metrics *shop = metrics_app(m, BYTES("shop"));
	uint64_t sums[2] = { 0 };

	(void)state;
	metrics_app(m, BYTES("quiet"));
	metrics_challenge(shop, 0, 3, CHALLENGE_STEP_ISSUED);
	metrics_solved(shop, 0, 3, 400000000);
	metrics_challenges(m, count_issued, sums);
	assert_int_equal(sums[0], 1);
	assert_int_equal(sums[1], 1);
	metrics_free(m);
}

static void scores_and_phases_are_spread(void **state)
{
	struct metrics *m = metrics_new(1);
	struct app_metrics *shop = metrics_app(m, BYTES("shop"));
	const struct rule_info rule = { .id = "942100" };
	const struct hit hits[] = { { .rule = &rule, .score = 5 }, { .rule = &rule, .score = 3 } };
	struct event e = { .request = &get, .status = 403, .source = SOURCE_RULE, .hits = hits, .nhits = 2,
			   .inspection_us = 90, .answer_inspection_us = 30 };

	(void)state;
	metrics_exchange(shop, 0, &e);
	e = (struct event){ .request = &get, .status = 200, .inspection_us = 40 };
	metrics_exchange(shop, 0, &e);
	struct bytes all = scrape(m, NULL);
	assert_line(all, "embergate_anomaly_score_bucket{app=\"shop\",le=\"5\"} 0");
	assert_line(all, "embergate_anomaly_score_bucket{app=\"shop\",le=\"8\"} 1");
	assert_line(all, "embergate_anomaly_score_sum{app=\"shop\"} 8");
	assert_line(all, "embergate_anomaly_score_count{app=\"shop\"} 1");
	assert_line(all, "embergate_inspection_duration_seconds_sum{app=\"shop\",phase=\"request\"} 0.0001");
	assert_line(all, "embergate_inspection_duration_seconds_count{app=\"shop\",phase=\"response\"} 1");
	metrics_free(m);
}

static void counters_survive_a_reload_and_what_is_gone_is_not_shown(void **state)
{
	struct metrics *m = metrics_new(1);
	struct event e = { .request = &get, .status = 200 };

	(void)state;
	metrics_exchange(metrics_app(m, BYTES("shop")), 0, &e);
	metrics_server(metrics_app(m, BYTES("shop")), BYTES("127.0.0.1:1"));
	metrics_exchange(metrics_app(m, BYTES("old")), 0, &e);
	metrics_reloaded(m, true, 1795488439120, 0xabc);
	assert_line(scrape(m, NULL), "embergate_requests_total{app=\"old\",method=\"GET\",code_class=\"2xx\"} 1");
	assert_line(scrape(m, NULL), "embergate_upstream_up{app=\"shop\",server=\"127.0.0.1:1\"} 1");
	metrics_exchange(metrics_app(m, BYTES("shop")), 0, &e);
	metrics_server(metrics_app(m, BYTES("shop")), BYTES("127.0.0.1:2"));
	metrics_reloaded(m, true, 1795488440120, 0xdef);
	struct bytes all = scrape(m, NULL);
	assert_line(all, "embergate_requests_total{app=\"shop\",method=\"GET\",code_class=\"2xx\"} 2");
	assert_line(all, "embergate_upstream_up{app=\"shop\",server=\"127.0.0.1:2\"} 1");
	assert_no(all, "127.0.0.1:1\"");
	assert_no(all, "app=\"old\"");
	assert_line(all, "embergate_config_hash_info{hash=\"def\"} 1");
	assert_line(all, "embergate_config_last_reload_success_timestamp_seconds 1795488440.12");
	metrics_reloaded(m, false, 1795488450000, 0);
	all = scrape(m, NULL);
	assert_line(all, "embergate_config_last_reload_successful 0");
	assert_line(all, "embergate_config_hash_info{hash=\"def\"} 1");
	assert_line(all, "embergate_upstream_up{app=\"shop\",server=\"127.0.0.1:2\"} 1");
	metrics_free(m);
}

static void connections_handshakes_servers_and_what_others_know(void **state)
{
	const struct metrics_drops drops[] = { { "access.log", 7 }, { "explain", 0 } };
	const struct metrics_cert certs[] = { { BYTES("shop.example"), 1900000000 }, { BYTES("shop.example"), 1800000000 }, { BYTES("*.b.example"), 1700000000 } };
	const struct metrics_now now = { .drops = drops, .ndrops = nelems(drops), .certs = certs, .ncerts = nelems(certs), .openssl = "3.0.17",
					.crs = BYTES("4.0.0") };
	struct metrics *m = metrics_new(2);
	struct listener_metrics *l = metrics_listener(m, BYTES(":443"));
	struct server_metrics *s = metrics_server(metrics_app(m, BYTES("shop")), BYTES("10.0.0.2:3000"));
	uint64_t connections, requests;

	(void)state;
	metrics_connection(l, 0, +1);
	metrics_connection(l, 1, +1);
	metrics_connection(l, 1, -1);
	metrics_connection(l, 0, +1);
	metrics_connection(l, 1, +1);
	metrics_connection_rests(l, 0, CONNECTION_IDLES, +1);
	metrics_connection_rests(l, 1, CONNECTION_SHAKES, +1);
	metrics_connection_rests(l, 1, CONNECTION_IDLES, +1);
	metrics_connection_rests(l, 1, CONNECTION_IDLES, -1);
	metrics_handshake(m, 0, "TLSv1.3");
	metrics_handshake(m, 1, NULL);
	metrics_upstream(s, 0, 200, 1500);
	metrics_upstream(s, 1, 0, 1500);
	metrics_upstream_connection(s, 0, +1);
	metrics_upstream_up(s, false);
	metrics_loop_lag(m, 1, 3000);
	struct bytes all = scrape(m, &now);
	assert_true(bytes_starts(all, BYTES("# HELP embergate_build_info What runs; always 1.\n# TYPE embergate_build_info gauge\n")));
	assert_line(all, "embergate_build_info{version=\"" EMBERGATE_VERSION "\",crs=\"4.0.0\",openssl=\"3.0.17\"} 1");
	assert_line(all, "embergate_connections{listener=\":443\",state=\"handshake\"} 1");
	assert_line(all, "embergate_connections{listener=\":443\",state=\"idle\"} 1");
	assert_line(all, "embergate_connections{listener=\":443\",state=\"open\"} 1");
	assert_line(all, "embergate_connections_total{listener=\":443\"} 4");
	assert_line(all, "embergate_tls_handshakes_total{version=\"TLSv1.3\",result=\"done\"} 1");
	assert_line(all, "embergate_tls_handshakes_total{version=\"none\",result=\"failed\"} 1");
	assert_line(all, "embergate_tls_cert_expiry_timestamp_seconds{host=\"shop.example\"} 1800000000");
	assert_line(all, "embergate_tls_cert_expiry_timestamp_seconds{host=\"*.b.example\"} 1700000000");
	assert_no(all, "1900000000");
	assert_line(all, "embergate_upstream_requests_total{app=\"shop\",server=\"10.0.0.2:3000\",code_class=\"2xx\"} 1");
	assert_line(all, "embergate_upstream_requests_total{app=\"shop\",server=\"10.0.0.2:3000\",code_class=\"none\"} 1");
	assert_line(all, "embergate_upstream_connections{app=\"shop\",server=\"10.0.0.2:3000\",state=\"open\"} 1");
	assert_line(all, "embergate_upstream_up{app=\"shop\",server=\"10.0.0.2:3000\"} 0");
	assert_line(all, "embergate_events_dropped_total{sink=\"access.log\"} 7");
	assert_line(all, "embergate_loop_lag_seconds_bucket{le=\"0.005\"} 1");
	assert_line(all, "embergate_loop_lag_seconds_sum 0.003");
	metrics_totals(m, &connections, &requests);
	assert_int_equal(connections, 3);
	metrics_free(m);
}

/* The grammar of the format: comment, or name{labels} value. */
static void every_line_is_well_formed(void **state)
{
	struct metrics *m = metrics_new(1);
	static const char start[] = "\nprocess_start_time_seconds ";
	struct bytes rest, line;
	const char *started;

	(void)state;
	metrics_app(m, BYTES("a\\b\"c\nd"));
	rest = scrape(m, NULL);
	assert_line(rest, "embergate_request_bytes_total{app=\"a\\\\b\\\"c\\nd\"} 0");
	started = strstr(page, start);
	while (rest.len && bytes_cut(&rest, '\n', &line)) {
		size_t space = 0;

		if (bytes_starts(line, BYTES("# HELP ")) || bytes_starts(line, BYTES("# TYPE ")))
			continue;
		for (size_t i = 0; i < line.len; i++)
			if (line.at[i] == ' ')
				space = i;
		assert_true(bytes_starts(line, BYTES("embergate_")) || bytes_starts(line, BYTES("process_")));
		assert_true(space > 0 && isdigit((unsigned char)line.at[space + 1]));
		assert_true(isalnum((unsigned char)line.at[space - 1]) || line.at[space - 1] == '}');
	}
	assert_non_null(strstr(page, "process_resident_memory_bytes "));
	assert_non_null(started);
	assert_true(fabs(strtod(started + strlen(start), NULL) - (double)time(NULL)) < 600);
	metrics_free(m);
}

enum { WORKERS = 2, EACH = 50000 };
static struct metrics *shared;

static void *count(void *arg)
{
	static const struct rule_info rule = { .id = "r" };
	static const struct hit hit = { .rule = &rule };
	struct event e = { .request = &get, .status = 200 };
	struct app_metrics *a = metrics_app(shared, BYTES("shop"));

	for (int i = 0; i < EACH; i++) {
		e.hits = &hit;
		e.nhits = i % 10 == 0;
		metrics_exchange(a, *(unsigned *)arg, &e);
	}
	return NULL;
}

static void a_scrape_while_workers_count_loses_nothing(void **state)
{
	unsigned numbers[WORKERS];
	pthread_t threads[WORKERS];

	(void)state;
	shared = metrics_new(WORKERS);
	for (unsigned w = 0; w < WORKERS; w++) {
		numbers[w] = w;
		pthread_create(&threads[w], NULL, count, &numbers[w]);
	}
	for (int i = 0; i < 20; i++)
		scrape(shared, NULL);
	for (unsigned w = 0; w < WORKERS; w++)
		pthread_join(threads[w], NULL);
	assert_line(scrape(shared, NULL), "embergate_requests_total{app=\"shop\",method=\"GET\",code_class=\"2xx\"} 100000");
	assert_line(scrape(shared, NULL), "embergate_rule_matches_total{app=\"shop\",rule=\"r\",mode=\"detect\"} 10000");
	metrics_free(shared);
}

static void scenarios_buckets_and_decisions(void **state)
{
	const struct metrics_scenario scenarios[] = { { BYTES_INIT("own/\"x\""), 12, 3, 1 }, { BYTES_INIT("own/quiet"), 0, 0, 0 } };
	const struct metrics_buckets buckets = { 5, 640, 7, 9 };
	struct decisions_stats decisions = { .spared = 2, .full = 1 };
	struct metrics_now now = { .scenarios = scenarios, .nscenarios = 2, .buckets = &buckets, .decisions = &decisions };
	struct metrics *m = metrics_new(1);

	(void)state;
	decisions.active[SCOPE_RANGE][REMEDY_CHALLENGE] = 4;
	decisions.made[REMEDY_DENY] = 6;
	struct bytes all = scrape(m, &now);
	assert_line(all, "embergate_scenario_events_total{scenario=\"own/\\\"x\\\"\"} 12");
	assert_line(all, "embergate_scenario_overflows_total{scenario=\"own/\\\"x\\\"\"} 3");
	assert_line(all, "embergate_scenario_overflows_total{scenario=\"own/quiet\"} 0");
	assert_line(all, "embergate_scenario_failures_total{scenario=\"own/\\\"x\\\"\"} 1");
	assert_no(all, "embergate_scenario_failures_total{scenario=\"own/quiet\"}");
	assert_line(all, "embergate_buckets 5");
	assert_line(all, "embergate_bucket_bytes 640");
	assert_line(all, "embergate_bucket_ends_total{how=\"died\"} 9");
	assert_line(all, "embergate_bucket_ends_total{how=\"evicted\"} 7");
	assert_line(all, "embergate_active_decisions{scope=\"Ip\",action=\"deny\"} 0");
	assert_line(all, "embergate_active_decisions{scope=\"Range\",action=\"challenge\"} 4");
	assert_line(all, "embergate_decisions_made_total{action=\"deny\"} 6");
	assert_line(all, "embergate_decisions_not_held_total{reason=\"spared\"} 2");
	assert_line(all, "embergate_decisions_not_held_total{reason=\"full\"} 1");
	assert_no(scrape(m, NULL), "\nembergate_buckets ");
	metrics_free(m);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(scenarios_buckets_and_decisions),
		cmocka_unit_test(exchanges_of_all_workers_are_added_up),
		cmocka_unit_test(decisions_and_rules_have_their_labels),
		cmocka_unit_test(rules_beyond_500_are_other),
		cmocka_unit_test(challenges_and_captchas_are_counted_by_level),
		cmocka_unit_test(the_funnel_can_be_read),
		cmocka_unit_test(scores_and_phases_are_spread),
		cmocka_unit_test(counters_survive_a_reload_and_what_is_gone_is_not_shown),
		cmocka_unit_test(connections_handshakes_servers_and_what_others_know),
		cmocka_unit_test(every_line_is_well_formed),
		cmocka_unit_test(a_scrape_while_workers_count_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
