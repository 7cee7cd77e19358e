#include "tests/test.h"
#include "proxy/login_form.h"
#include "rules/form.h"
#include <stdio.h>

#define FORM "application/x-www-form-urlencoded"
#define JSON "application/json"

static struct login_form read_as(const char *type, const char *body)
{
	struct login_form f = { .passwords = 0 };

	form_read(bytes_of(type), bytes_of(body), login_form_field, &f);
	return f;
}

static void a_name_and_one_password_are_a_login(void **state)
{
	static const struct { const char *what, *type, *body, *name; } cases[] = {
		{ "WordPress", FORM, "log=Anna&pwd=x&wp-submit=Log+In&redirect_to=%2Fwp-admin%2F&testcookie=1", "anna" },
		{ "Django", FORM, "csrfmiddlewaretoken=q&username=anna&password=x&next=", "anna" },
		{ "Laravel", FORM, "_token=q&email=Anna%40Example.org&password=x&remember=on", "anna@example.org" },
		{ "Devise", FORM, "user%5Bemail%5D=a%40b.c&user%5Bpassword%5D=x&user%5Bremember_me%5D=0&commit=Log+in", "a@b.c" },
		{ "Symfony", FORM, "_username=anna&_password=x&_csrf_token=q", "anna" },
		{ "Keycloak", FORM, "username=anna&password=x&credentialId=", "anna" },
		{ "phpMyAdmin", FORM, "set_session=s&pma_username=root&pma_password=x&server=1&token=t", "root" },
		{ "MediaWiki", FORM, "wpName=Anna&wpPassword=x&wploginattempt=Log+in&wpLoginToken=t&title=Special:UserLogin", "anna" },
		{ "Drupal", FORM, "name=anna&pass=x&form_build_id=f&form_id=user_login_form&op=Log+in", "anna" },
		{ "Joomla", FORM, "username=anna&passwd=x&option=com_login&task=login&return=a", "anna" },
		{ "Java EE", FORM, "j_username=anna&j_password=x", "anna" },
		{ "ASP.NET", FORM, "__VIEWSTATE=q&ctl00%24Main%24UserName=anna&ctl00%24Main%24Password=x&ctl00%24Main%24LoginButton=Log+In", "anna" },
		{ "ASP.NET Identity", FORM, "Input.Email=a%40b.c&Input.Password=x&Input.RememberMe=false", "a@b.c" },
		{ "Confluence: the button is called login", FORM, "os_username=anna&os_password=x&login=Log+in&os_destination=", "anna" },
		{ "GitHub", FORM, "login=anna&password=x&commit=Sign+in", "anna" },
		{ "Roundcube", FORM, "_token=t&_task=login&_action=login&_user=anna&_pass=x", "anna" },
		{ "PrestaShop", FORM, "email=a%40b.c&passwd=x&SubmitLogin=", "a@b.c" },
		{ "Magento", FORM, "form_key=k&login%5Busername%5D=a%40b.c&login%5Bpassword%5D=x&send=", "a@b.c" },
		{ "OAuth", FORM, "grant_type=password&client_id=app&username=anna&password=x", "anna" },
		{ "JSON", JSON, "{\"email\":\"A@b.c\",\"password\":\"x\"}", "a@b.c" },
		{ "JSON, deeper", JSON, "{\"data\":{\"attributes\":{\"userName\":\"anna\",\"passWord\":\"x\"}}}", "anna" },
		{ "JSON that is called text", "text/plain", "{\"user\":\"anna\",\"password\":\"x\"}", "anna" },
		{ "multipart", "multipart/form-data; boundary=b",
		  "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nanna\r\n"
		  "--b\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\nx\r\n--b--\r\n", "anna" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct login_form f = read_as(cases[i].type, cases[i].body);

		if (!login_form_is_login(&f) || !login_form_may_be(bytes_of(cases[i].body)))
			fail_msg("%s is none", cases[i].what);
		assert_bytes(((struct bytes){ f.name, f.len }), bytes_of(cases[i].name));
	}
}

static void other_forms_are_none(void **state)
{
	static const struct { const char *what, *type, *body; } cases[] = {
		{ "a registration", FORM, "username=anna&password1=x&password2=x" },
		{ "another", FORM, "email=a&password=x&password_confirmation=x" },
		{ "one that asks who one is", FORM, "email=a&password=x&first_name=Anna&last_name=B" },
		{ "a password that is changed", FORM, "username=anna&current_password=x&new_password=y" },
		{ "in JSON", JSON, "{\"user\":\"anna\",\"oldPassword\":\"x\",\"password\":\"y\"}" },
		{ "a password and nobody", FORM, "post_password=x&Submit=Enter" },
		{ "somebody without one", FORM, "log=anna&redirect_to=%2F" },
		{ "an empty name", FORM, "username=+&password=x" },
		{ "a token", FORM, "grant_type=refresh_token&refresh_token=t&client_id=app" },
		{ "a journey", FORM, "name=anna&passengers=2&password=x" },
		{ "a search", FORM, "q=password&user=anna" },
		{ "a text about it", JSON, "{\"title\":\"my password\",\"name\":\"anna\"}" },
		{ "XML", "text/xml", "<a><username>anna</username><password>x</password></a>" },
		{ "a file", "application/octet-stream", "username=anna&password=x" },
		{ "nothing", FORM, "" },
		{ "a file of that name", "multipart/form-data; boundary=b",
		  "--b\r\nContent-Disposition: form-data; name=\"username\"\r\n\r\nanna\r\n"
		  "--b\r\nContent-Disposition: form-data; name=\"password\"; filename=\"p\"\r\n\r\nx\r\n--b--\r\n" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct login_form f = read_as(cases[i].type, cases[i].body);

		if (login_form_is_login(&f))
			fail_msg("%s is a login of %.*s", cases[i].what, (int)f.len, f.name);
	}
}

static void a_configured_field_is_the_name_whatever_else_there_is(void **state)
{
	struct login_form f = { .wanted = BYTES("json.who") }, g = { .wanted = BYTES("Who") };

	(void)state;
	form_read(BYTES(JSON), BYTES("{\"who\":\" Anna \",\"user\":\"b\"}"), login_form_field, &f);
	assert_bytes(((struct bytes){ f.name, f.len }), BYTES("anna"));
	form_read_query(BYTES("user=b&who=c&who=d"), login_form_field, &g);
	assert_bytes(((struct bytes){ g.name, g.len }), BYTES("c"));
}

static void a_password_is_seen_wherever_it_begins(void **state)
{
	static const char *const words[] = { "pass", "PASS", "pwd", "Pwd" };
	char body[300];

	(void)state;
	memset(body, '.', sizeof body);
	for (size_t len = 0; len <= sizeof body; len++)
		assert_false(login_form_may_be((struct bytes){ body, len }));
	for (size_t i = 0; i < nelems(words); i++)
		for (size_t at = 0, n = strlen(words[i]); at + n <= sizeof body; at++) {
			memset(body, 'a', sizeof body);
			memcpy(body + at, words[i], n);
			if (!login_form_may_be((struct bytes){ body, sizeof body }) || !login_form_may_be((struct bytes){ body, at + n }))
				fail_msg("%s at %zu", words[i], at);
		}
	memcpy(body, "ap as sa wd pw", 14);
	assert_false(login_form_may_be((struct bytes){ body, 14 }));
}

static void a_name_is_cut_and_never_overflows(void **state)
{
	char body[4000];
	struct login_form f;

	(void)state;
	snprintf(body, sizeof body, "password=x&username=%03000d", 7);
	f = read_as(FORM, body);
	assert_int_equal(f.len, LOGIN_NAME_MAX);
	assert_true(login_form_is_login(&f));
	snprintf(body, sizeof body, "%03000dpassword=x&username=a", 7);
	f = read_as(FORM, body);
	assert_false(login_form_is_login(&f));
}

static void paths_of_registrations_are_elsewhere(void **state)
{
	(void)state;
	assert_true(login_form_is_elsewhere(BYTES("/Account/Register")));
	assert_true(login_form_is_elsewhere(BYTES("/users/sign_up")));
	assert_true(login_form_is_elsewhere(BYTES("/password/reset")));
	assert_false(login_form_is_elsewhere(BYTES("/users/sign_in")));
	assert_false(login_form_is_elsewhere(BYTES("/wp-login.php")));
	assert_false(login_form_is_elsewhere(BYTES("/login/password")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_and_one_password_are_a_login),
		cmocka_unit_test(other_forms_are_none),
		cmocka_unit_test(a_configured_field_is_the_name_whatever_else_there_is),
		cmocka_unit_test(a_password_is_seen_wherever_it_begins),
		cmocka_unit_test(a_name_is_cut_and_never_overflows),
		cmocka_unit_test(paths_of_registrations_are_elsewhere),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
