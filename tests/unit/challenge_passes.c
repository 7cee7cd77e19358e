#include "tests/test.h"
#include "proxy/challenge_passes.h"

enum { A_DAY = 86400 };

static void six_networks_may_share_a_pass_for_ten_minutes(void **state)
{
	struct passes *p = passes_new(64);
	struct pass_news news;

	(void)state;
	for (int turn = 0; turn < 3; turn++)
		for (uint64_t network = 0; network < PASSES_NETWORKS; network++)
			assert_int_equal(passes_use(p, 7, network, 100, A_DAY, &news), PASSES_GOOD);
	assert_int_equal(passes_use(p, 8, 99, 100, A_DAY, &news), PASSES_GOOD);
	assert_int_equal(passes_use(p, 7, 99, 100, A_DAY, &news), PASSES_JUST_REVOKED);
	assert_int_equal(passes_use(p, 7, 0, 101, A_DAY, &news), PASSES_REVOKED);
	assert_int_equal(passes_use(p, 7, 0, A_DAY - 1, 2 * A_DAY, &news), PASSES_REVOKED);
	assert_int_equal(passes_use(p, 7, 0, A_DAY, 2 * A_DAY, &news), PASSES_GOOD);
	passes_free(p);
}

/* A traveller: never more than six in ten minutes. */
static void networks_of_long_ago_do_not_count(void **state)
{
	struct passes *p = passes_new(64);
	struct pass_news news;

	(void)state;
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(passes_use(p, 7, i, i * PASSES_WINDOW_S / PASSES_NETWORKS, 10 * A_DAY, &news), PASSES_GOOD);
	passes_free(p);
}

static void a_pass_is_known_once_it_was_made(void **state)
{
	struct passes *p = passes_new(64);

	(void)state;
	assert_false(passes_has(p, 0) || passes_has(p, 7));
	passes_add(p, 7, 1);
	assert_true(passes_has(p, 7) && !passes_has(p, 8));
	passes_free(p);
}

/* Whoever makes many passes pushes out old ones, not what is revoked. */
static void revoked_ones_leave_last(void **state)
{
	struct pass_news news;
	struct passes *p = passes_new(4);

	(void)state;
	for (uint64_t network = 0; network <= PASSES_NETWORKS; network++)
		passes_use(p, 1, network, 10, A_DAY, &news);
	for (uint64_t jti = 2; jti < 1000; jti++)
		passes_add(p, jti, 11);
	assert_int_equal(passes_use(p, 1, 0, 12, A_DAY, &news), PASSES_REVOKED);
	assert_true(passes_has(p, 999) && !passes_has(p, 2));
	passes_free(p);
}

/* Three networks at each of two gates, then a seventh: both know that it is handed around. */
static void gates_tell_each_other_where_a_pass_was_seen(void **state)
{
	struct passes *a = passes_new(64), *b = passes_new(64);
	struct pass_news news;

	(void)state;
	for (uint64_t network = 1; network <= PASSES_NETWORKS; network++) {
		assert_int_equal(passes_use(network % 2 ? a : b, 7, network, 100, A_DAY, &news), PASSES_GOOD);
		assert_true(news.is);
		passes_heard(network % 2 ? b : a, &news, 100);
	}
	assert_int_equal(passes_use(a, 7, 1, 101, A_DAY, &news), PASSES_GOOD);
	assert_false(news.is); /* it is known */
	assert_int_equal(passes_use(a, 7, 99, 101, A_DAY, &news), PASSES_JUST_REVOKED);
	assert_true(news.is && news.revoked_s > 0);
	passes_heard(b, &news, 101);
	assert_int_equal(passes_use(b, 7, 2, 102, A_DAY, &news), PASSES_REVOKED);
	passes_free(a);
	passes_free(b);
}

static void what_another_gate_says_of_a_pass_is_bounded(void **state)
{
	struct passes *p = passes_new(64);
	struct pass_news none = { .network = 1 }, long_one = { .jti = 9, .network = 1, .revoked_s = UINT32_MAX }, news;

	(void)state;
	passes_heard(p, &none, 100); /* 0 marks a free slot; such a pass is kept as 1 */
	assert_true(passes_has(p, 0));
	passes_heard(p, &long_one, 100);
	assert_int_equal(passes_use(p, 9, 1, 200, A_DAY, &news), PASSES_REVOKED);
	passes_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(six_networks_may_share_a_pass_for_ten_minutes),
		cmocka_unit_test(networks_of_long_ago_do_not_count),
		cmocka_unit_test(a_pass_is_known_once_it_was_made),
		cmocka_unit_test(revoked_ones_leave_last),
		cmocka_unit_test(gates_tell_each_other_where_a_pass_was_seen),
		cmocka_unit_test(what_another_gate_says_of_a_pass_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
