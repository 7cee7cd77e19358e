/* Who is asking, for every chain of hops. */
#include "base/http1.h"
#include "proxy/client_ip.h"
#include "tests/test.h"

static const struct {
	const char *what, *peer;
	enum client_ip_header header;
	struct bytes name, value;
	const char *client, *from;
} cases[] = {
	{ "a stranger's claim counts for nothing", "203.0.113.9", CLIENT_IP_AUTO, { "X-Forwarded-For", 15 }, { "192.0.2.1", 9 }, "203.0.113.9", "connection" },
	{ "a trusted hop names the client", "10.0.0.1", CLIENT_IP_AUTO, { "X-Forwarded-For", 15 }, { "192.0.2.1", 9 }, "192.0.2.1", "X-Forwarded-For" },
	{ "the last untrusted one counts", "10.0.0.1", CLIENT_IP_AUTO, { "X-Forwarded-For", 15 }, { "198.51.100.7, 192.0.2.1, 10.0.0.2", 33 }, "192.0.2.1", "X-Forwarded-For" },
	{ "all hops trusted: the first of them", "10.0.0.1", CLIENT_IP_AUTO, { "X-Forwarded-For", 15 }, { "10.0.0.3, 10.0.0.2", 18 }, "10.0.0.3", "X-Forwarded-For" },
	{ "garbage stops the walk", "10.0.0.1", CLIENT_IP_AUTO, { "X-Forwarded-For", 15 }, { "192.0.2.1, <script>, 10.0.0.2", 29 }, "10.0.0.2", "X-Forwarded-For" },
	{ "garbage alone leaves the peer", "10.0.0.1", CLIENT_IP_AUTO, { "X-Forwarded-For", 15 }, { "unknown", 7 }, "10.0.0.1", "connection" },
	{ "with a port", "10.0.0.1", CLIENT_IP_AUTO, { "X-Forwarded-For", 15 }, { "192.0.2.1:4711", 14 }, "192.0.2.1", "X-Forwarded-For" },
	{ "IPv6 in brackets", "10.0.0.1", CLIENT_IP_AUTO, { "X-Forwarded-For", 15 }, { "[2001:db8::1]:4711", 18 }, "2001:db8::1", "X-Forwarded-For" },
	{ "an IPv4-mapped peer is its IPv4 address", "::ffff:10.0.0.1", CLIENT_IP_AUTO, { "X-Forwarded-For", 15 }, { "192.0.2.1", 9 }, "192.0.2.1", "X-Forwarded-For" },
	{ "Forwarded", "10.0.0.1", CLIENT_IP_AUTO, { "Forwarded", 9 }, { "for=198.51.100.7, proto=https;For=\"[2001:db8::9]:80\"", 52 }, "2001:db8::9", "Forwarded" },
	{ "only the configured field", "10.0.0.1", CLIENT_IP_FORWARDED, { "X-Forwarded-For", 15 }, { "192.0.2.1", 9 }, "10.0.0.1", "connection" },
	{ "X-Real-IP", "10.0.0.1", CLIENT_IP_X_REAL_IP, { "X-Real-IP", 9 }, { "192.0.2.1", 9 }, "192.0.2.1", "X-Real-IP" },
	{ "off", "10.0.0.1", CLIENT_IP_OFF, { "X-Forwarded-For", 15 }, { "192.0.2.1", 9 }, "10.0.0.1", "connection" },
};

static void finds_the_client_behind_trusted_hops_only(void **state)
{
	struct ip_net ten;

	(void)state;
	assert_true(ip_net_parse(BYTES("10.0.0.0/8"), &ten));
	for (size_t i = 0; i < nelems(cases); i++) {
		struct field f = { cases[i].name, cases[i].value, field_id_of(cases[i].name), false };
		struct fields fields = { &f, 1, 1 };
		struct client_ip_config c = { { &ten, 1 }, cases[i].header };
		struct client_origin o;
		struct ip peer, want;

		assert_true(ip_parse(bytes_of(cases[i].peer), &peer));
		assert_true(ip_parse(bytes_of(cases[i].client), &want));
		o = client_ip_find(&c, &fields, &peer);
		if (!ip_eq(&o.client, &want) || !bytes_eq(o.from, bytes_of(cases[i].from)))
			fail_msg("%s: from %.*s", cases[i].what, BYTES_ARG(o.from));
	}
}

static void several_fields_are_one_list(void **state)
{
	struct field f[] = {
		{ BYTES("X-Forwarded-For"), BYTES("198.51.100.7"), FIELD_X_FORWARDED_FOR, false },
		{ BYTES("X-Forwarded-For"), BYTES("192.0.2.1, 10.0.0.2"), FIELD_X_FORWARDED_FOR, false },
	};
	struct fields fields = { f, 2, 2 };
	struct ip_net ten;
	struct ip peer, want;
	struct client_origin o;

	(void)state;
	assert_true(ip_net_parse(BYTES("10.0.0.0/8"), &ten) && ip_parse(BYTES("10.0.0.1"), &peer) &&
		    ip_parse(BYTES("192.0.2.1"), &want));
	o = client_ip_find(&(struct client_ip_config){ { &ten, 1 }, CLIENT_IP_AUTO }, &fields, &peer);
	assert_true(ip_eq(&o.client, &want));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_the_client_behind_trusted_hops_only),
		cmocka_unit_test(several_fields_are_one_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
