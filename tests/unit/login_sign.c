#include "tests/test.h"
#include "proxy/logins_learned.h"

enum { FIELDS = 4 };

static size_t fields_of(struct field *at, const char *const *lines)
{
	size_t n = 0;

	for (; n < FIELDS && lines[n]; n++) {
		struct bytes line = bytes_of(lines[n]);
		size_t colon = bytes_index(line, ':');
		struct bytes name = bytes_sub(line, 0, colon);

		at[n] = (struct field){ name, bytes_trim(bytes_from(line, colon + 1)), field_id_of(name), false };
	}
	return n;
}

#define COOKIE "Set-Cookie: sid=abc; Path=/; HttpOnly"

static void the_head_of_an_answer_has_a_sign(void **state)
{
	static const struct {
		const char *what, *target, *request[FIELDS];
		unsigned status;
		const char *answer[FIELDS];
		enum login_sign sign;
	} cases[] = {
		{ "refused", "/login", { 0 }, 401, { "WWW-Authenticate: Bearer" }, LOGIN_SIGN_UNAUTHORIZED },
		{ "a handshake", "/login", { 0 }, 401, { "WWW-Authenticate: NTLM" }, LOGIN_SIGN_NONE },
		{ "Devise, Turbo", "/users/sign_in", { 0 }, 422, { 0 }, LOGIN_SIGN_REFUSED },
		{ "forbidden", "/login", { 0 }, 403, { 0 }, LOGIN_SIGN_REFUSED },
		{ "too many", "/login", { 0 }, 429, { 0 }, LOGIN_SIGN_NONE },
		{ "not there", "/login", { 0 }, 404, { 0 }, LOGIN_SIGN_NONE },
		{ "a server in trouble", "/login", { 0 }, 503, { 0 }, LOGIN_SIGN_NONE },
		{ "https, please", "/login", { 0 }, 301, { "Location: https://shop.example/login" }, LOGIN_SIGN_NONE },
		{ "the same, kept", "/login", { 0 }, 308, { "Location: https://shop.example/login" }, LOGIN_SIGN_NONE },
		{ "Laravel fails", "/login", { 0 }, 302, { "Location: https://shop.example/login" }, LOGIN_SIGN_BACK },
		{ "with another port", "/login", { 0 }, 302, { "Location: http://SHOP.example:8080/login" }, LOGIN_SIGN_BACK },
		{ "relative", "/a/login.php", { 0 }, 302, { "Location: login.php" }, LOGIN_SIGN_BACK },
		{ "relative, elsewhere", "/a/login.php", { 0 }, 302, { "Location: index.php", COOKIE }, LOGIN_SIGN_AWAY },
		{ "to a stranger, with a cookie", "/login", { 0 }, 302, { "Location: /login", COOKIE }, LOGIN_SIGN_BACK_NEW },
		{ "to one who has it", "/login", { "Cookie: a=b; sid=old" }, 302, { "Location: /login", COOKIE }, LOGIN_SIGN_BACK },
		{ "another page of a front controller", "/index.php?r=login", { 0 }, 302,
		  { "Location: /index.php?r=home", COOKIE }, LOGIN_SIGN_AWAY },
		{ "the same page of it", "/index.php?r=login", { 0 }, 302, { "Location: /index.php?r=login" }, LOGIN_SIGN_BACK },
		{ "Spring fails", "/login", { 0 }, 302, { "Location: /login?error", COOKIE }, LOGIN_SIGN_ERROR },
		{ "elsewhere, with an error", "/auth", { 0 }, 303, { "Location: /?loginFailed=1", COOKIE }, LOGIN_SIGN_ERROR },
		{ "the page before", "/auth/do", { "Referer: https://shop.example/login?x" }, 302, { "Location: /login" }, LOGIN_SIGN_BACK },
		{ "any page before: a form in the head", "/auth/do", { "Referer: https://shop.example/news" }, 302,
		  { "Location: /news", COOKIE }, LOGIN_SIGN_AWAY },
		{ "WordPress succeeds", "/wp-login.php", { 0 }, 302, { "Location: https://shop.example/wp-admin/", COOKIE }, LOGIN_SIGN_AWAY },
		{ "Keycloak succeeds", "/realms/a/login-actions/authenticate", { 0 }, 302,
		  { "Location: https://app.example/cb?state=s&code=c", COOKIE }, LOGIN_SIGN_AWAY },
		{ "the same path of another host", "/login", { 0 }, 302, { "Location: https://app.example/login", COOKIE }, LOGIN_SIGN_AWAY },
		{ "elsewhere without a cookie", "/login", { 0 }, 302, { "Location: /home" }, LOGIN_SIGN_OTHER },
		{ "elsewhere, a cookie taken away", "/login", { 0 }, 302,
		  { "Location: /home", "Set-Cookie: sid=deleted; expires=Thu, 01-Jan-1970 00:00:01 GMT; Max-Age=0" }, LOGIN_SIGN_OTHER },
		{ "a page", "/login", { 0 }, 200, { "Content-Type: text/html; charset=utf-8" }, LOGIN_SIGN_PAGE },
		{ "JSON", "/api/login", { 0 }, 200, { "Content-Type: application/json" }, LOGIN_SIGN_DONE },
		{ "nothing", "/api/login", { 0 }, 204, { 0 }, LOGIN_SIGN_DONE },
		{ "something made", "/api/users", { 0 }, 201, { "Content-Type: application/json" }, LOGIN_SIGN_OTHER },
		{ "in part", "/login", { 0 }, 206, { 0 }, LOGIN_SIGN_NONE },
		{ "odd: nowhere", "/login", { 0 }, 302, { 0 }, LOGIN_SIGN_BACK },
		{ "odd: no host", "/login", { 0 }, 302, { "Location: //" }, LOGIN_SIGN_OTHER },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct field of_request[FIELDS], of_answer[FIELDS];
		struct bytes target = bytes_of(cases[i].target), path;
		struct request r = { .hostname = BYTES("shop.example"), .fields = { of_request, 0, FIELDS } };
		struct response a = { .status = cases[i].status, .fields = { of_answer, 0, FIELDS } };
		enum login_sign sign;

		path = r.path = bytes_sub(target, 0, bytes_index(target, '?'));
		if (path.len < target.len)
			r.query = bytes_from(target, path.len + 1);
		r.readings = &path;
		r.nreadings = 1;
		r.fields.n = fields_of(of_request, cases[i].request);
		a.fields.n = fields_of(of_answer, cases[i].answer);
		sign = login_sign(&r, &a);
		if (sign != cases[i].sign)
			fail_msg("%s: sign %d, not %d", cases[i].what, sign, cases[i].sign);
	}
}

static void a_route_is_a_path_without_what_changes_in_it(void **state)
{
	static const struct { const char *path, *route; } cases[] = {
		{ "/login", "/login" },
		{ "/login;jsessionid=0A1B2C", "/login" },
		{ "/tenants/4711/login", "/tenants/*/login" },
		{ "/t/6f1c2a34-0b1d-4a5e-9c7f-001122334455/login", "/t/*/login" },
		{ "/wp-login.php", "/wp-login.php" },
		{ "/decade/login", "/decade/login" },
		{ "/", "/" },
	};
	char room[LOGINS_PATH_MAX], longer[LOGINS_PATH_MAX + 2];

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++)
		assert_bytes(login_path(&(struct request){ .path = bytes_of(cases[i].path) }, room), bytes_of(cases[i].route));
	memset(longer, 'z', sizeof longer);
	assert_int_equal(login_path(&(struct request){ .path = { longer, sizeof longer } }, room).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_head_of_an_answer_has_a_sign),
		cmocka_unit_test(a_route_is_a_path_without_what_changes_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
