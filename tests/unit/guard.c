/* guard.c -- what a range would cover of the clients of the last ten minutes. */
#include "cti/guard.h"
#include "cti/signal.h"
#include "tests/test.h"
#include <stdio.h>

static struct ip address(const char *text)
{
	struct ip ip = { { 0 } };

	assert_true(ip_parse(bytes_of(text), &ip));
	return ip;
}

static void visit(struct guard *g, const char *form, unsigned n, uint64_t now_ms)
{
	for (unsigned i = 0; i < n; i++) {
		char text[64];
		struct ip ip;

		snprintf(text, sizeof text, form, i);
		ip = address(text);
		guard_note(g, &ip, now_ms);
		guard_note(g, &ip, now_ms);
	}
}

static unsigned share(struct guard *g, const char *range, uint64_t now_ms)
{
	struct ip_net net;

	assert_true(ip_net_parse(bytes_of(range), &net));
	return guard_share(g, &net, now_ms);
}

static void a_share_is_of_distinct_clients(void **state)
{
	struct guard *g = guard_new(50);

	(void)state;
	visit(g, "192.0.2.%u", 60, 1000);
	visit(g, "198.51.100.%u", 140, 1000);
	assert_in_range(share(g, "192.0.2.0/24", 2000), 28, 32);
	assert_in_range(share(g, "198.51.100.0/25", 2000), 60, 68);
	assert_int_equal(share(g, "0.0.0.0/0", 2000), 100);
	assert_int_equal(share(g, "203.0.113.0/24", 2000), 0);
	guard_free(g);
}

static void few_clients_are_no_judges_and_old_ones_do_not_count(void **state)
{
	struct guard *g = guard_new(50);

	(void)state;
	visit(g, "192.0.2.%u", 40, 1000);
	assert_int_equal(share(g, "192.0.2.0/24", 2000), 0);
	visit(g, "2001:db8:0:%x::1", 100, 1000 + GUARD_WINDOW_MS);
	assert_int_equal(share(g, "192.0.2.0/24", 3000 + GUARD_WINDOW_MS), 0);
	assert_int_equal(share(g, "2001:db8::/32", 3000 + GUARD_WINDOW_MS), 100);
	guard_free(g);
}

/* Three fields, and of few. */
static void only_time_address_and_behaviour_leave(void **state)
{
	struct decision d = { .scope = SCOPE_IP, .value = BYTES("203.0.113.7"), .remedy = REMEDY_DENY, .reason = BYTES("a/scan"),
			      .origin = BYTES("embergate"), .made_ms = 1790000000123, .until_ms = 1790003600000 };
	static const char *const kept[] = { "10.1.2.3", "127.0.0.1", "fe80::1", "192.168.1.1", "100.64.9.9", "fd00::1" };
	char room[512];
	struct text t = text_over(room, sizeof room);

	(void)state;
	assert_true(signal_write(&t, &d, BYTES("http:scan")));
	assert_true(bytes_eq(text_bytes(&t), BYTES("{\"ts\":1790000000,\"ip\":\"203.0.113.7\",\"behaviour\":\"http:scan\"}")));
	for (size_t i = 0; i < nelems(kept); i++) {
		d.value = bytes_of(kept[i]);
		assert_false(signal_write(&t, &d, BYTES("http:scan")));
	}
	d.value = BYTES("203.0.113.7");
	d.hearsay = true;
	assert_false(signal_write(&t, &d, BYTES("http:scan")));
	d.hearsay = false;
	d.scope = SCOPE_USERNAME;
	assert_false(signal_write(&t, &d, BYTES("http:scan")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_share_is_of_distinct_clients),
		cmocka_unit_test(few_clients_are_no_judges_and_old_ones_do_not_count),
		cmocka_unit_test(only_time_address_and_behaviour_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
