/* addresses.c -- how many connections an address has. */
#include "tests/test.h"
#include "proxy/addresses.h"
#include <pthread.h>
#include <stdlib.h>

static struct ip numbered(uint32_t n)
{
	struct ip ip = { { [10] = 0xff, [11] = 0xff } };

	for (int i = 0; i < 4; i++)
		ip.b[15 - i] = (uint8_t)(n >> 8 * i);
	return ip;
}

static void an_address_may_have_so_many_and_no_more(void **state)
{
	struct addresses *a = addresses_new();
	struct ip one = numbered(1), other = numbered(2);

	(void)state;
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 5; i++)
			assert_true(addresses_enter(a, &one, 5));
		assert_false(addresses_enter(a, &one, 5));
		assert_true(addresses_enter(a, &other, 5));
		addresses_leave(a, &one);
		assert_true(addresses_enter(a, &one, 5));
		for (int i = 0; i < 5; i++)
			addresses_leave(a, &one);
		addresses_leave(a, &other);
	}
	addresses_free(a);
}

static void one_network_of_ipv6_counts_as_one(void **state)
{
	struct addresses *a = addresses_new();
	struct ip one, same, other;

	(void)state;
	ip_parse(BYTES("2001:db8:1:2::1"), &one);
	ip_parse(BYTES("2001:db8:1:2:ffff::9"), &same);
	ip_parse(BYTES("2001:db8:1:3::1"), &other);
	assert_true(addresses_enter(a, &one, 1));
	assert_false(addresses_enter(a, &same, 1));
	assert_true(addresses_enter(a, &other, 1));
	addresses_leave(a, &same);
	assert_true(addresses_enter(a, &one, 1));
	addresses_free(a);
}

/* Against the plainest table there is: entries that leave must not hide others. */
static void counts_stay_true_through_any_coming_and_going(void **state)
{
	enum { ADDRESSES = 700, MOST = 3, STEPS = 200000 };
	struct addresses *a = addresses_new();
	unsigned counts[ADDRESSES] = { 0 };
	uint32_t random = 1;

	(void)state;
	for (int i = 0; i < STEPS; i++) {
		uint32_t n;
		struct ip ip;

		random = random * 1664525u + 1013904223u;
		n = (random >> 8) % ADDRESSES;
		ip = numbered(n * 2654435761u);
		if (random >> 31) {
			assert_int_equal(addresses_enter(a, &ip, MOST), counts[n] < MOST);
			counts[n] += counts[n] < MOST;
		} else if (counts[n]) {
			addresses_leave(a, &ip);
			counts[n]--;
		}
	}
	addresses_free(a);
}

static void *come_and_go(void *arg)
{
	for (uint32_t i = 0; i < 20000; i++) {
		struct ip ip = numbered(i % 50);

		if (addresses_enter(arg, &ip, 4))
			addresses_leave(arg, &ip);
	}
	return NULL;
}

static void threads_may_count_at_once(void **state)
{
	struct addresses *a = addresses_new();
	pthread_t threads[3];

	(void)state;
	for (size_t i = 0; i < nelems(threads); i++)
		pthread_create(&threads[i], NULL, come_and_go, a);
	for (size_t i = 0; i < nelems(threads); i++)
		pthread_join(threads[i], NULL);
	for (uint32_t i = 0; i < 50; i++) {
		struct ip ip = numbered(i);

		assert_true(addresses_enter(a, &ip, 1)); /* none was left behind */
	}
	addresses_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_address_may_have_so_many_and_no_more),
		cmocka_unit_test(one_network_of_ipv6_counts_as_one),
		cmocka_unit_test(counts_stay_true_through_any_coming_and_going),
		cmocka_unit_test(threads_may_count_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
