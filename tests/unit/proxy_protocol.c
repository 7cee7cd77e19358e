/* What proxy_protocol.h promises of the PROXY protocol's headers. */
#include "proxy/proxy_protocol.h"
#include "tests/test.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"

static const struct {
	const char *what;
	enum proxy_protocol version;
	struct bytes in;
	enum proxy_header result;
	const char *client; /* NULL: not known */
	uint16_t port;
	size_t used;
} cases[] = {
	{ "v1 TCP4", PROXY_PROTOCOL_ANY, { "PROXY TCP4 192.0.2.1 198.51.100.1 5632 443\r\nGET", 47 }, PROXY_DONE, "192.0.2.1", 5632, 44 },
	{ "v1 TCP6", PROXY_PROTOCOL_V1, { "PROXY TCP6 2001:db8::1 2001:db8::2 1 2\r\n", 40 }, PROXY_DONE, "2001:db8::1", 1, 40 },
	{ "v1 UNKNOWN", PROXY_PROTOCOL_V1, { "PROXY UNKNOWN\r\n", 15 }, PROXY_DONE, NULL, 0, 15 },
	{ "v1 UNKNOWN with anything behind", PROXY_PROTOCOL_V1, { "PROXY UNKNOWN ff x\r\n", 20 }, PROXY_DONE, NULL, 0, 20 },
	{ "v1 in part", PROXY_PROTOCOL_ANY, { "PROXY TCP4 192.0", 16 }, PROXY_MORE, NULL, 0, 0 },
	{ "one byte", PROXY_PROTOCOL_ANY, { "P", 1 }, PROXY_MORE, NULL, 0, 0 },
	{ "no header", PROXY_PROTOCOL_ANY, { "GET / HTTP/1.1\r\n", 16 }, PROXY_BAD, NULL, 0, 0 },
	{ "v1 where only v2 is asked", PROXY_PROTOCOL_V2, { "PROXY UNKNOWN\r\n", 15 }, PROXY_BAD, NULL, 0, 0 },
	{ "v2 where only v1 is asked", PROXY_PROTOCOL_V1, { V2 "\x20\0\0\0", 16 }, PROXY_BAD, NULL, 0, 0 },
	{ "v1 family and address differ", PROXY_PROTOCOL_ANY, { "PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n", 40 }, PROXY_BAD, NULL, 0, 0 },
	{ "v1 port with a leading zero", PROXY_PROTOCOL_ANY, { "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", 37 }, PROXY_BAD, NULL, 0, 0 },
	{ "v1 port too large", PROXY_PROTOCOL_ANY, { "PROXY TCP4 192.0.2.1 192.0.2.2 65536 2\r\n", 40 }, PROXY_BAD, NULL, 0, 0 },
	{ "v1 a part missing", PROXY_PROTOCOL_ANY, { "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", 34 }, PROXY_BAD, NULL, 0, 0 },
	{ "v1 a part too many", PROXY_PROTOCOL_ANY, { "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", 38 }, PROXY_BAD, NULL, 0, 0 },
	{ "v2 TCP4", PROXY_PROTOCOL_V2, { V2 "\x21\x11\0\x0c\xc0\0\x02\x01\xc6\x33\x64\x01\x16\0\x01\xbbGET", 31 }, PROXY_DONE, "192.0.2.1", 5632, 28 },
	{ "v2 LOCAL", PROXY_PROTOCOL_ANY, { V2 "\x20\0\0\0", 16 }, PROXY_DONE, NULL, 0, 16 },
	{ "v2 in part", PROXY_PROTOCOL_ANY, { V2 "\x21\x11\0\x0c\xc0", 17 }, PROXY_MORE, NULL, 0, 0 },
	{ "v2 shorter than its addresses", PROXY_PROTOCOL_ANY, { V2 "\x21\x11\0\x02\xc0\0", 18 }, PROXY_BAD, NULL, 0, 0 },
	{ "v2 of version 3", PROXY_PROTOCOL_ANY, { V2 "\x31\x11\0\0", 16 }, PROXY_BAD, NULL, 0, 0 },
	{ "v2 too long", PROXY_PROTOCOL_ANY, { V2 "\x21\x11\xff\xff", 16 }, PROXY_BAD, NULL, 0, 0 },
};

static void reads_what_the_specification_says(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct ip client = { { 0 } }, want;
		bool known = false;
		uint16_t port = 0;
		size_t used = 0;
		struct err err;
		enum proxy_header got = proxy_header_read(cases[i].version, cases[i].in, &client, &port,
							  &known, &used, &err);

		if (got != cases[i].result)
			fail_msg("%s: %d, want %d", cases[i].what, got, cases[i].result);
		if (got != PROXY_DONE)
			continue;
		assert_int_equal(used, cases[i].used);
		assert_int_equal(known, cases[i].client != NULL);
		if (!cases[i].client)
			continue;
		assert_true(ip_parse(bytes_of(cases[i].client), &want));
		assert_true(ip_eq(&client, &want));
		assert_int_equal(port, cases[i].port);
	}
}

static void a_header_without_end_is_refused(void **state)
{
	char line[200];
	struct ip client;
	uint16_t port;
	bool known;
	size_t used;
	struct err err;

	(void)state;
	memset(line, 'x', sizeof line);
	memcpy(line, "PROXY TCP4 ", 11);
	assert_int_equal(proxy_header_read(PROXY_PROTOCOL_ANY, (struct bytes){ line, 106 }, &client, &port,
					   &known, &used, &err), PROXY_MORE);
	assert_int_equal(proxy_header_read(PROXY_PROTOCOL_ANY, (struct bytes){ line, 107 }, &client, &port,
					   &known, &used, &err), PROXY_BAD);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_the_specification_says),
		cmocka_unit_test(a_header_without_end_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
