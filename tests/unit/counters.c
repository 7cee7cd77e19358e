/* Ends come due in their order, each once, whoever expects them. */
#include "scenarios/counters.h"
#include "tests/test.h"
#include <pthread.h>
#include <stdatomic.h>

static void expect(struct counters *c, uint64_t at_us, uint64_t bucket)
{
	counters_expect(c, &(struct counter_due){ at_us, bucket, bucket + 1 });
}

static void none_is_due_before_its_time(void **state)
{
	struct counters *c = counters_new();
	struct counter_due due;

	(void)state;
	assert_false(counters_due(c, UINT64_MAX, &due));
	expect(c, 100, 7);
	assert_false(counters_due(c, 99, &due));
	assert_true(counters_due(c, 100, &due));
	assert_int_equal(due.at_us, 100);
	assert_int_equal(due.bucket, 7);
	assert_int_equal(due.scenario, 8);
	assert_false(counters_due(c, UINT64_MAX, &due));
	counters_free(c);
}

static void whatever_the_order_they_are_expected_in_the_nearest_comes_first(void **state)
{
	enum { MANY = 10000 };
	struct counters *c = counters_new();
	struct counter_due due;
	uint64_t last = 0, keys = 0, r = 88172645463325252u;

	(void)state;
	for (uint64_t i = 0; i < MANY; i++) {
		r ^= r << 13, r ^= r >> 7, r ^= r << 17;
		expect(c, r % 1000, i); /* many at one time */
	}
	for (uint64_t now = 0; now < 1000; now++)
		while (counters_due(c, now, &due)) {
			assert_int_equal(due.at_us, now); /* not later than it could */
			assert_true(due.at_us >= last);
			last = due.at_us;
			keys += due.bucket;
		}
	assert_int_equal(keys, (uint64_t)MANY * (MANY - 1) / 2);
	assert_false(counters_due(c, UINT64_MAX, &due));
	counters_free(c);
}

static void too_many_are_refused_and_the_others_come(void **state)
{
	enum { MOST = 1 << 20 };
	struct counters *c = counters_new();
	struct counter_due due;
	uint64_t n = 0;

	(void)state;
	for (uint64_t i = 0; i < MOST + 1000; i++)
		expect(c, i, i);
	while (counters_due(c, UINT64_MAX, &due))
		assert_int_equal(due.at_us, n++);
	assert_int_equal(n, MOST);
	expect(c, 5, 5);
	assert_true(counters_due(c, 5, &due));
	counters_free(c);
}

/* ---- threads ---- */

enum { EACH = 20000 };

static void *expect_many(void *arg)
{
	for (uint64_t i = 0; i < EACH; i++)
		expect(arg, i % 97, i);
	return NULL;
}

static void *take_some(void *arg)
{
	struct counter_due due;
	uint64_t n = 0;

	for (int i = 0; i < EACH; i++)
		n += counters_due(arg, 50, &due);
	return (void *)(uintptr_t)n;
}

static void threads_get_each_end_once(void **state)
{
	struct counters *c = counters_new();
	pthread_t threads[4];
	struct counter_due due;
	uint64_t n = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, i < 2 ? expect_many : take_some, c), 0);
	for (int i = 0; i < 4; i++) {
		void *took;

		pthread_join(threads[i], &took);
		n += (uintptr_t)took;
	}
	while (counters_due(c, 97, &due))
		n++;
	assert_int_equal(n, 2 * EACH);
	counters_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_is_due_before_its_time),
		cmocka_unit_test(whatever_the_order_they_are_expected_in_the_nearest_comes_first),
		cmocka_unit_test(too_many_are_refused_and_the_others_come),
		cmocka_unit_test(threads_get_each_end_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
