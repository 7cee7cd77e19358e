/* request.c -- every field that the proxy looks at is found by its name. */
#include "tests/test.h"
#include "base/request.h"

static const struct {
	const char *name;
	enum field_id id;
} names[] = {
	{ "Host", FIELD_HOST },
	{ "Connection", FIELD_CONNECTION },
	{ "Content-Length", FIELD_CONTENT_LENGTH },
	{ "Transfer-Encoding", FIELD_TRANSFER_ENCODING },
	{ "Content-Type", FIELD_CONTENT_TYPE },
	{ "Content-Encoding", FIELD_CONTENT_ENCODING },
	{ "Cookie", FIELD_COOKIE },
	{ "User-Agent", FIELD_USER_AGENT },
	{ "Referer", FIELD_REFERER },
	{ "Accept", FIELD_ACCEPT },
	{ "Expect", FIELD_EXPECT },
	{ "Upgrade", FIELD_UPGRADE },
	{ "TE", FIELD_TE },
	{ "Trailer", FIELD_TRAILER },
	{ "Keep-Alive", FIELD_KEEP_ALIVE },
	{ "Proxy-Connection", FIELD_PROXY_CONNECTION },
	{ "Proxy-Authorization", FIELD_PROXY_AUTHORIZATION },
	{ "Proxy-Authenticate", FIELD_PROXY_AUTHENTICATE },
	{ "HTTP2-Settings", FIELD_HTTP2_SETTINGS },
	{ "Authorization", FIELD_AUTHORIZATION },
	{ "Forwarded", FIELD_FORWARDED },
	{ "X-Forwarded-For", FIELD_X_FORWARDED_FOR },
	{ "X-Forwarded-Proto", FIELD_X_FORWARDED_PROTO },
	{ "X-Forwarded-Host", FIELD_X_FORWARDED_HOST },
	{ "X-Real-IP", FIELD_X_REAL_IP },
	{ "X-Request-ID", FIELD_X_REQUEST_ID },
	{ "Date", FIELD_DATE },
	{ "Server", FIELD_SERVER },
	{ "Location", FIELD_LOCATION },
	{ "Set-Cookie", FIELD_SET_COOKIE },
};

static struct bytes with_case(char *out, const char *name, bool upper)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < n; i++)
		out[i] = upper && name[i] >= 'a' && name[i] <= 'z' ? (char)(name[i] - 32)
								    : byte_lower(name[i]);
	return (struct bytes){ out, n };
}

static void a_name_is_known_in_any_case(void **state)
{
	char buf[32];

	(void)state;
	assert_int_equal(nelems(names), FIELD_ID_COUNT - 1);
	for (size_t i = 0; i < nelems(names); i++) {
		assert_int_equal(field_id_of(bytes_of(names[i].name)), names[i].id);
		assert_int_equal(field_id_of(with_case(buf, names[i].name, true)), names[i].id);
		assert_int_equal(field_id_of(with_case(buf, names[i].name, false)), names[i].id);
	}
}

static void another_name_is_other(void **state)
{
	static const char *const others[] = {
		"", "T", "Hos", "Hostt", "Most", "Content_Length", "Content-Lengt", "Content-Length ",
		"Accept-Encoding", "X-Forwarded-Forx", "Proxy-Authorizations", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	};

	(void)state;
	for (size_t i = 0; i < nelems(others); i++)
		assert_int_equal(field_id_of(bytes_of(others[i])), FIELD_OTHER);
}

static void the_first_field_of_a_name_is_found(void **state)
{
	struct field f[] = {
		{ BYTES("X-A"), BYTES("1"), FIELD_OTHER, false },
		{ BYTES("Cookie"), BYTES("2"), FIELD_COOKIE, false },
		{ BYTES("cookie"), BYTES("3"), FIELD_COOKIE, false },
	};
	const struct fields all = { f, 3, 3 };

	(void)state;
	assert_ptr_equal(fields_first(&all, FIELD_COOKIE), &f[1]);
	assert_null(fields_first(&all, FIELD_HOST));
	assert_ptr_equal(fields_named(&all, BYTES("x-a")), &f[0]);
	assert_ptr_equal(fields_named(&all, BYTES("COOKIE")), &f[1]);
	assert_null(fields_named(&all, BYTES("x")));
	assert_bytes(fields_value(&all, FIELD_COOKIE), BYTES("2"));
	assert_int_equal(fields_value(&all, FIELD_HOST).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_known_in_any_case),
		cmocka_unit_test(another_name_is_other),
		cmocka_unit_test(the_first_field_of_a_name_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
