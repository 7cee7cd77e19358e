/* lapi_log.c -- a pull is told what changed since the one before, the longest of each, and no one is freed whom another
 * decision holds. */
#include "base/clock.h"
#include "cti/lapi_log.h"
#include "tests/test.h"
#include <stdio.h>
#include <stdlib.h>

static struct decisions *decisions;
static struct lapi_log *journal;
static uint64_t now_ms, mark_ms;
static const struct lapi_filter all = { .scopes = 0 };
static char told[4096];

static int setup(void **state)
{
	(void)state;
	decisions = decisions_new(1000000);
	journal = lapi_log_new(decisions);
	now_ms = clock_wall_ms();
	mark_ms = 0;
	return decisions && journal ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	lapi_log_free(journal);
	decisions_free(decisions);
	return 0;
}

static uint64_t hold(const char *value, const char *reason, enum remedy_kind remedy, uint64_t seconds)
{
	struct decision d = { .scope = strchr(value, '/') ? SCOPE_RANGE : SCOPE_IP, .value = bytes_of(value), .remedy = remedy,
		.reason = bytes_of(reason), .origin = BYTES("cscli"), .made_ms = clock_wall_ms(),
		.until_ms = clock_wall_ms() + seconds * 1000 };

	assert_int_equal(decisions_add(decisions, &d), DECISION_HELD);
	return d.id;
}

static void note(void *ctx, const struct decision *d, uint64_t over_ms)
{
	struct text *t = ctx;

	text_str(t, over_ms ? "-" : "+");
	text_put(t, d->value);
	text_byte(t, ':');
	text_put(t, d->reason);
	text_byte(t, ' ');
}

static struct bytes pull(const struct lapi_filter *f, uint64_t since, uint64_t now)
{
	struct text t = text_over(told, sizeof told);
	struct lapi_walk w;

	lapi_walk_begin(&w, journal, f, since, clock_wall_ms());
	while (lapi_walk_step(&w, 1, now, note, &t))
		;
	lapi_walk_over(&w);
	while (lapi_walk_step(&w, 1, now, note, &t))
		;
	mark_ms = w.mark_ms;
	lapi_walk_end(&w);
	return text_bytes(&t);
}

static void a_pull_is_told_what_changed_since_the_last(void **state)
{
	(void)state;
	hold("192.0.2.1", "a", REMEDY_DENY, 60);
	hold("192.0.2.2", "b", REMEDY_CAPTCHA, 60);
	assert_bytes(pull(&all, 0, now_ms), BYTES("+192.0.2.2:b +192.0.2.1:a "));
	hold("192.0.2.3", "c", REMEDY_DENY, 60);
	assert_bytes(pull(&all, mark_ms, now_ms), BYTES("+192.0.2.3:c "));
	assert_bytes(pull(&all, mark_ms, now_ms), BYTES(""));
	decisions_lift(decisions, SCOPE_IP, BYTES("192.0.2.1"));
	assert_bytes(pull(&all, mark_ms, now_ms), BYTES("-192.0.2.1:a "));
	hold("192.0.2.2", "b", REMEDY_CAPTCHA, 600); /* prolonged */
	assert_bytes(pull(&all, mark_ms + LAPI_LOG_OVERLAP_MS, now_ms), BYTES(""));
}

static void a_prolonged_one_is_told_again(void **state)
{
	(void)state;
	hold("192.0.2.2", "b", REMEDY_CAPTCHA, 60);
	pull(&all, 0, now_ms);
	hold("192.0.2.2", "b", REMEDY_CAPTCHA, 600);
	assert_bytes(pull(&all, mark_ms, now_ms), BYTES("+192.0.2.2:b "));
}

static void the_longest_alone_is_told_and_none_is_freed_whom_it_holds(void **state)
{
	uint64_t lesser, longer;

	(void)state;
	lesser = hold("192.0.2.1", "lesser", REMEDY_DENY, 60);
	longer = hold("192.0.2.1", "longer", REMEDY_DENY, 600);
	hold("192.0.2.1", "puzzle", REMEDY_CAPTCHA, 30);
	assert_bytes(pull(&all, 0, now_ms), BYTES("+192.0.2.1:puzzle +192.0.2.1:longer "));
	decisions_lift_id(decisions, lesser);
	assert_bytes(pull(&all, mark_ms, now_ms), BYTES(""));
	hold("192.0.2.1", "lesser", REMEDY_DENY, 60);
	decisions_lift_id(decisions, longer);
	assert_bytes(pull(&all, mark_ms, now_ms), BYTES("+192.0.2.1:lesser "));
	decisions_lift(decisions, SCOPE_IP, BYTES("192.0.2.1"));
	assert_int_equal(pull(&all, mark_ms, now_ms).len, strlen("-192.0.2.1:puzzle -192.0.2.1:lesser "));
}

static void one_whose_time_is_over_is_deleted_unless_it_was_prolonged(void **state)
{
	(void)state;
	hold("192.0.2.1", "a", REMEDY_DENY, 60);
	hold("192.0.2.2", "b", REMEDY_DENY, 60);
	hold("192.0.2.2", "b", REMEDY_DENY, 600);
	pull(&all, 0, now_ms);
	assert_false(lapi_log_expire(journal, now_ms + 59000, 10));
	assert_bytes(pull(&all, mark_ms, now_ms + 59000), BYTES(""));
	assert_true(lapi_log_expire(journal, now_ms + 70000, 1));
	assert_false(lapi_log_expire(journal, now_ms + 70000, 10));
	assert_bytes(pull(&all, mark_ms, now_ms + 70000), BYTES("-192.0.2.1:a "));
	assert_bytes(pull(&all, 0, now_ms + 70000), BYTES("+192.0.2.2:b -192.0.2.1:a "));
}

static void a_bouncer_is_told_of_what_it_asks_for(void **state)
{
	static const struct lapi_filter ranges = { .scopes = 1u << SCOPE_RANGE }, not_long = { .without = BYTES_INIT("longer") };

	(void)state;
	hold("203.0.113.0/28", "r", REMEDY_DENY, 60);
	hold("192.0.2.1", "lesser", REMEDY_DENY, 60);
	hold("192.0.2.1", "longer", REMEDY_DENY, 600);
	hold("192.0.2.9", "let", REMEDY_ALLOW, 600);
	assert_bytes(pull(&ranges, 0, now_ms), BYTES("+203.0.113.0/28:r "));
	assert_bytes(pull(&not_long, 0, now_ms), BYTES("+192.0.2.1:lesser +203.0.113.0/28:r "));
}

static void a_walk_goes_on_though_what_it_stands_at_is_lifted(void **state)
{
	struct text t = text_over(told, sizeof told);
	struct lapi_walk w;

	(void)state;
	hold("192.0.2.1", "a", REMEDY_DENY, 60);
	hold("192.0.2.2", "b", REMEDY_DENY, 60);
	hold("192.0.2.3", "c", REMEDY_DENY, 60);
	lapi_walk_begin(&w, journal, &all, 0, clock_wall_ms());
	assert_true(lapi_walk_step(&w, 1, now_ms, note, &t));
	decisions_lift(decisions, SCOPE_IP, BYTES("192.0.2.2"));
	hold("192.0.2.4", "d", REMEDY_DENY, 60);
	assert_false(lapi_walk_step(&w, 10, now_ms, note, &t));
	assert_bytes(text_bytes(&t), BYTES("+192.0.2.3:c +192.0.2.1:a "));
	mark_ms = w.mark_ms;
	lapi_walk_end(&w);
	assert_bytes(pull(&all, mark_ms, now_ms), BYTES("+192.0.2.4:d -192.0.2.2:b "));
}

static void what_was_held_before_is_known(void **state)
{
	(void)state;
	hold("192.0.2.1", "a", REMEDY_DENY, 60);
	lapi_log_free(journal);
	journal = lapi_log_new(decisions);
	assert_non_null(journal);
	assert_bytes(pull(&all, 0, now_ms), BYTES("+192.0.2.1:a "));
}

static void count(void *ctx, const struct decision *d, uint64_t over_ms)
{
	(void)d;
	(void)over_ms;
	++*(size_t *)ctx;
}

static void a_pull_of_many_is_told_each_and_a_delta_looks_at_few(void **state)
{
	enum { N = 100000 };
	uint64_t worst = 0, begun;
	struct lapi_walk w;
	char value[32];
	size_t n = 0;
	bool more;

	(void)state;
	for (int i = 0; i < N; i++) {
		snprintf(value, sizeof value, "10.%d.%d.%d", i >> 16, i >> 8 & 255, i & 255);
		hold(value, "a", REMEDY_DENY, 3600);
	}
	lapi_walk_begin(&w, journal, &all, 0, clock_wall_ms());
	do {
		begun = clock_mono_us();
		more = lapi_walk_step(&w, 200, now_ms, count, &n);
		if (clock_mono_us() - begun > worst)
			worst = clock_mono_us() - begun;
	} while (more);
	mark_ms = w.mark_ms;
	lapi_walk_end(&w);
	assert_int_equal(n, N);
	print_message("worst step of 200: %llu us\n", (unsigned long long)worst);
	n = 0;
	hold("192.0.2.1", "a", REMEDY_DENY, 60);
	lapi_walk_begin(&w, journal, &all, mark_ms, clock_wall_ms());
	assert_false(lapi_walk_step(&w, 2, now_ms, count, &n)); /* there was but one to look at */
	lapi_walk_end(&w);
	assert_int_equal(n, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_pull_is_told_what_changed_since_the_last),
		TEST(a_prolonged_one_is_told_again),
		TEST(the_longest_alone_is_told_and_none_is_freed_whom_it_holds),
		TEST(one_whose_time_is_over_is_deleted_unless_it_was_prolonged),
		TEST(a_bouncer_is_told_of_what_it_asks_for),
		TEST(a_walk_goes_on_though_what_it_stands_at_is_lifted),
		TEST(what_was_held_before_is_known),
		TEST(a_pull_of_many_is_told_each_and_a_delta_looks_at_few),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
