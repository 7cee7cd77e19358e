/* Token buckets give what they promise and count connections exactly. */
#include "base/hash.h"
#include "proxy/addresses.h"
#include "proxy/limits.h"
#include "tests/test.h"

static void a_burst_passes_then_the_rate_holds(void **state)
{
	struct limits *l = limits_new(1024);
	/* 60 a minute, 3 at once: one token comes back a second. */
	static const struct { uint64_t at_ms, wait_ms; } takes[] = {
		{ 1000, 0 }, { 1000, 0 }, { 1000, 0 }, { 1000, 1000 }, { 1500, 500 },
		{ 2000, 0 }, { 2000, 1000 }, { 9000, 0 }, { 9000, 0 }, { 9000, 0 }, { 9000, 1000 },
	};

	(void)state;
	for (size_t i = 0; i < nelems(takes); i++)
		assert_int_equal(limits_take(l, 42, takes[i].at_ms, 60, 60000, 3), takes[i].wait_ms);
	assert_int_equal(limits_take(l, 4300, 9000, 60, 60000, 3), 0); /* another key, another bucket */
	limits_free(l);
}

static void a_flood_of_keys_stays_in_its_memory(void **state)
{
	struct limits *l = limits_new(1024);

	(void)state;
	for (uint64_t k = 0; k < 100000; k++)
		assert_int_equal(limits_take(l, k * 0x9e3779b97f4a7c15u, 5, 1, 1000, 1), 0);
	limits_free(l);
}

static void connections_are_counted_by_address(void **state)
{
	struct addresses *a = addresses_new();
	struct ip ip;

	(void)state;
	assert_true(ip_parse(BYTES("192.0.2.1"), &ip));
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 4; i++)
			assert_true(addresses_enter(a, &ip, 4));
		assert_false(addresses_enter(a, &ip, 4));
		for (int i = 0; i < 4; i++)
			addresses_leave(a, &ip);
	}
	addresses_free(a);
}

static void neighbours_in_a_64_share_a_count(void **state)
{
	struct addresses *a = addresses_new();
	struct ip one, other;

	(void)state;
	assert_true(ip_parse(BYTES("2001:db8::1"), &one) && ip_parse(BYTES("2001:db8::ffff"), &other));
	assert_true(addresses_enter(a, &one, 1));
	assert_false(addresses_enter(a, &other, 1));
	addresses_leave(a, &one);
	assert_true(addresses_enter(a, &other, 1));
	addresses_free(a);
}

static void many_addresses_come_and_go(void **state)
{
	struct addresses *a = addresses_new();
	struct ip ip = { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff } };
	enum { MANY = 50000 };

	(void)state;
	for (int pass = 0; pass < 2; pass++) {
		for (uint32_t i = 0; i < MANY; i++) {
			memcpy(ip.b + 12, &i, 4);
			assert_true(addresses_enter(a, &ip, 1));
		}
		for (uint32_t i = 0; i < MANY; i++) {
			memcpy(ip.b + 12, &i, 4);
			assert_false(addresses_enter(a, &ip, 1));
		}
		for (uint32_t i = 0; i < MANY; i++) {
			memcpy(ip.b + 12, &i, 4);
			addresses_leave(a, &ip);
		}
	}
	addresses_free(a);
}

/* ---- two gates ---- */

enum { MESSAGES = 8 };

struct told {
	char at[MESSAGES][LIMITS_MESSAGE_MAX];
	size_t lens[MESSAGES], n;
};

static void on_told(void *ctx, struct bytes b)
{
	struct told *t = ctx;

	assert_true(t->n < MESSAGES && b.len <= LIMITS_MESSAGE_MAX);
	memcpy(t->at[t->n], b.at, b.len);
	t->lens[t->n++] = b.len;
}

static void pass_on(struct limits *from, struct limits *to, uint64_t now_ms)
{
	struct told t = { .n = 0 };

	limits_tell(from, on_told, &t);
	for (size_t i = 0; i < t.n; i++)
		assert_true(limits_heard(to, now_ms, (struct bytes){ t.at[i], t.lens[i] }));
}

static void what_one_gives_away_the_other_lacks(void **state)
{
	struct limits *a = limits_new(1024), *b = limits_new(1024);
	unsigned given = 0;

	(void)state;
	limits_share(a);
	limits_share(b);
	for (unsigned i = 0; i < 60; i++) { /* 20 an hour, told after each */
		given += limits_take_of_all(i % 2 ? a : b, 42, 1000 + i, 20, 3600000, 20) == 0;
		pass_on(a, b, 1000 + i);
		pass_on(b, a, 1000 + i);
	}
	assert_in_range(given, 20, 24); /* of less than a tenth nothing is told */
	assert_int_equal(limits_take_of_all(a, 4300, 1000, 20, 3600000, 20), 0); /* another key is another bucket */
	limits_free(a);
	limits_free(b);
}

static void a_gate_alone_tells_nothing(void **state)
{
	struct limits *l = limits_new(1024);
	struct told t = { .n = 0 };

	(void)state;
	for (unsigned i = 0; i < 20; i++)
		assert_int_equal(limits_take_of_all(l, 42, 1000, 20, 3600000, 20), 0);
	limits_tell(l, on_told, &t);
	assert_int_equal(t.n, 0);
	limits_free(l);
}

static void many_keys_are_told_in_messages_and_none_twice(void **state)
{
	struct limits *l = limits_new(4096);
	struct told t = { .n = 0 };
	size_t bytes = 0;

	(void)state;
	limits_share(l);
	for (uint64_t k = 0; k < 200; k++)
		for (unsigned i = 0; i < 5; i++)
			limits_take_of_all(l, k << 9, 1000, 5, 3600000, 5);
	limits_tell(l, on_told, &t);
	for (size_t i = 0; i < t.n; i++)
		bytes += t.lens[i];
	assert_int_equal(bytes, 200 * 16);
	t.n = 0;
	limits_tell(l, on_told, &t);
	assert_int_equal(t.n, 0);
	limits_free(l);
}

static void what_is_no_message_changes_nothing(void **state)
{
	struct limits *l = limits_new(1024);
	uint64_t absurd[2] = { 42, UINT64_MAX };

	(void)state;
	assert_false(limits_heard(l, 1000, (struct bytes){ NULL, 0 }));
	assert_false(limits_heard(l, 1000, (struct bytes){ (const char *)absurd, 15 }));
	assert_true(limits_heard(l, 1000, (struct bytes){ (const char *)absurd, sizeof absurd }));
	assert_int_equal(limits_take(l, 42, 1000, 5, 1000, 1), 0);
	limits_free(l);
}

static void no_gate_shuts_a_limit_for_more_than_a_day(void **state)
{
	struct limits *l = limits_new(1024);
	uint64_t long_one[2] = { 42, 86000ull * 1000000 };

	(void)state;
	for (int i = 0; i < 10; i++)
		assert_true(limits_heard(l, 1000, (struct bytes){ (const char *)long_one, sizeof long_one }));
	assert_in_range(limits_take(l, 42, 1000, 1, 1000, 1), 86000 * 1000, 86400 * 1000);
	limits_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_passes_then_the_rate_holds),
		cmocka_unit_test(a_flood_of_keys_stays_in_its_memory),
		cmocka_unit_test(connections_are_counted_by_address),
		cmocka_unit_test(neighbours_in_a_64_share_a_count),
		cmocka_unit_test(many_addresses_come_and_go),
		cmocka_unit_test(what_one_gives_away_the_other_lacks),
		cmocka_unit_test(a_gate_alone_tells_nothing),
		cmocka_unit_test(many_keys_are_told_in_messages_and_none_twice),
		cmocka_unit_test(what_is_no_message_changes_nothing),
		cmocka_unit_test(no_gate_shuts_a_limit_for_more_than_a_day),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
