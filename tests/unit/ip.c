/* ip.c -- addresses and blocks, both families in one form. */
#include "tests/test.h"
#include "base/ip.h"
#include <arpa/inet.h>
#include <netinet/in.h>

static void addresses_are_read_and_written(void **state)
{
	static const struct { const char *text, *written; bool four; } rows[] = {
		{ "192.0.2.1", "192.0.2.1", true },      { "::ffff:192.0.2.1", "192.0.2.1", true },
		{ "::FFFF:c000:201", "192.0.2.1", true }, { "2001:DB8:0:0:0:0:0:1", "2001:db8::1", false },
		{ "::", "::", false },                    { "255.255.255.255", "255.255.255.255", true },
		{ "0.9.10.99", "0.9.10.99", true },       { "100.199.200.250", "100.199.200.250", true },
		{ "192.0.2", NULL, false },               { "192.0.2.256", NULL, false },
		{ "192.0.2.01", NULL, false },            { "192.0.2.1 ", NULL, false },
		{ "[::1]", NULL, false },                 { "::1%lo", NULL, false },
		{ "", NULL, false },                      { "localhost", NULL, false },
		{ "1:2:3:4:5:6:7:8:9", NULL, false },     { "0x7f.1", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		char buf[64];
		struct text t = text_over(buf, sizeof buf);
		struct ip ip;

		assert_int_equal(ip_parse(bytes_of(rows[i].text), &ip), rows[i].written != NULL);
		if (!rows[i].written)
			continue;
		ip_text(&t, &ip);
		assert_bytes(text_bytes(&t), bytes_of(rows[i].written));
		assert_int_equal(ip_is4(&ip), rows[i].four);
	}
	assert_false(ip_parse(BYTES("192.0.2.1\0"), &(struct ip){ 0 }));
}

static void blocks_hold_what_they_say(void **state)
{
	static const struct { const char *net, *ip; bool in; } rows[] = {
		{ "192.0.2.0/24", "192.0.2.255", true },     { "192.0.2.0/24", "192.0.3.0", false },
		{ "192.0.2.77/24", "192.0.2.1", true },      { "192.0.2.1", "192.0.2.1", true },
		{ "192.0.2.1", "192.0.2.2", false },         { "192.0.2.8/29", "192.0.2.15", true },
		{ "192.0.2.8/29", "192.0.2.16", false },     { "0.0.0.0/0", "203.0.113.9", true },
		{ "0.0.0.0/0", "2001:db8::1", false },       { "::/0", "203.0.113.9", true },
		{ "2001:db8::/33", "2001:db8:7fff::", true }, { "2001:db8::/33", "2001:db8:8000::", false },
		{ "::ffff:192.0.2.0/120", "192.0.2.9", true }, { "192.0.2.0/24", "::ffff:192.0.2.9", true },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct ip_net net;
		struct ip ip;

		assert_true(ip_net_parse(bytes_of(rows[i].net), &net) && ip_parse(bytes_of(rows[i].ip), &ip));
		if (ip_in_net(&ip, &net) != rows[i].in)
			fail_msg("%s in %s", rows[i].ip, rows[i].net);
		assert_int_equal(ip_in_nets(&ip, &net, 1), rows[i].in);
	}
	assert_false(ip_in_nets(&(struct ip){ 0 }, NULL, 0));
}

static void what_is_no_block_is_refused(void **state)
{
	static const char *const bad[] = { "192.0.2.0/33", "2001:db8::/129", "192.0.2.0/", "192.0.2.0/-1",
					   "192.0.2.0/24/8", "/24", "192.0.2.0/ 24", "a/8", "" };
	struct ip_net net;

	(void)state;
	for (size_t i = 0; i < nelems(bad); i++)
		if (ip_net_parse(bytes_of(bad[i]), &net))
			fail_msg("%s is taken", bad[i]);
}

static void loopback_and_the_key_of_behaviour(void **state)
{
	static const struct { const char *ip, *key; bool loopback; } rows[] = {
		{ "127.0.0.1", "127.0.0.1", true },   { "127.255.0.9", "127.255.0.9", true },
		{ "::1", "::", true },                { "128.0.0.1", "128.0.0.1", false },
		{ "2001:db8:1:2:3:4:5:6", "2001:db8:1:2::", false }, { "::ffff:127.0.0.1", "127.0.0.1", true },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct ip ip, want, key;

		assert_true(ip_parse(bytes_of(rows[i].ip), &ip) && ip_parse(bytes_of(rows[i].key), &want));
		key = ip_behaviour_key(&ip);
		assert_true(ip_eq(&key, &want));
		assert_int_equal(ip_is_loopback(&ip), rows[i].loopback);
	}
}

static void sockets_tell_the_same_addresses(void **state)
{
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_port = htons(80) };
	struct sockaddr_in6 six = { .sin6_family = AF_INET6, .sin6_port = htons(8080) };
	struct ip a, b;
	uint16_t port;

	(void)state;
	inet_pton(AF_INET, "192.0.2.1", &four.sin_addr);
	inet_pton(AF_INET6, "::ffff:192.0.2.1", &six.sin6_addr);
	assert_true(ip_from_sockaddr((struct sockaddr *)&four, &a, &port));
	assert_int_equal(port, 80);
	assert_true(ip_from_sockaddr((struct sockaddr *)&six, &b, &port));
	assert_int_equal(port, 8080);
	assert_true(ip_eq(&a, &b));
	assert_false(ip_from_sockaddr(&(struct sockaddr){ .sa_family = AF_UNIX }, &a, &port));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_read_and_written),
		cmocka_unit_test(blocks_hold_what_they_say),
		cmocka_unit_test(what_is_no_block_is_refused),
		cmocka_unit_test(loopback_and_the_key_of_behaviour),
		cmocka_unit_test(sockets_tell_the_same_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
