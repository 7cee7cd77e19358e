/* api_account.c -- what a user does to himself: password, second factor. */
#include "admin/api/api_session.h"
#include "admin/api/api_tables.h"
#include "admin/audit.h"
#include "admin/sessions.h"

static const struct api_field password_fields[] = {
	{ "old", API_TEXT, .max = USER_PASSWORD_MAX, .help = "the present one" },
	{ "new", API_TEXT, .max = USER_PASSWORD_MAX, .help = "10 to 256 bytes" },
};
static const struct api_shape password_shape = API_SHAPE("PasswordChange", password_fields);

static const struct api_shape empty_shape = { "Empty", NULL, 0 };
static const struct api_field secret_fields[] = {
	{ "secret", API_TEXT, .help = "Base32, to be typed" },
	{ "uri", API_TEXT, .help = "otpauth://, to be shown as a QR code" },
};
static const struct api_shape secret_shape = API_SHAPE("TotpSecret", secret_fields);
static const struct api_field code_fields[] = { { "code", API_TEXT, .max = CODE_TEXT, .help = "from the phone" } };
static const struct api_shape code_shape = API_SHAPE("TotpCode", code_fields);
static const struct api_field recovery_fields[] = {
	{ "recovery", API_TEXT, .list = true, .help = "codes for when the phone is lost: each once; shown only now" },
};
static const struct api_shape recovery_shape = API_SHAPE("TotpRecovery", recovery_fields);
static const struct api_field off_fields[] = { { "password", API_TEXT, .max = USER_PASSWORD_MAX, .help = "the present one" } };
static const struct api_shape off_shape = API_SHAPE("TotpOff", off_fields);

static struct bytes name_of(const struct api_call *c)
{
	return bytes_of(c->caller.name);
}

/* ---- the password ---- */

static void new_told(void *owner, const struct err *e)
{
	struct api_call *c = owner;

	if (e) {
		api_failed(c, e);
		return;
	}
	sessions_end_all(c->admin->sessions, name_of(c), c->caller.id);
	audit_note(c->admin, &c->caller, "user.password", name_of(c), (struct bytes){ 0 });
	api_done(c);
}

static void old_told(void *owner, enum user_answer answer, unsigned wait_s)
{
	struct api_call *c = owner;

	if (answer == USER_IN)
		users_set_password(c->admin->users, name_of(c), api_member(c, "new"), (struct bytes){ 0 }, new_told, c);
	else
		session_refuse(c, answer, wait_s, name_of(c), "user.password.refused");
}

static void check_password(struct api_call *c, const char *name, void (*told)(void *, enum user_answer, unsigned))
{
	const struct user_check check = { .name = name_of(c), .password = api_member(c, name), .from = serve_peer(c->http),
					  .password_only = true };

	if (session_is_callers(c))
		users_check(c->admin->users, &check, told, c);
}

static void post_password(struct api_call *c)
{
	check_password(c, "old", old_told);
}

/* ---- the second factor ---- */

static void post_totp(struct api_call *c)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	const struct user_info *u;
	char secret[CODE_TEXT], uri[256];

	if (!session_is_callers(c))
		return;
	/* Another one in its place would take none of it: neither the password nor a code of the first. */
	if ((u = users_find(c->admin->users, name_of(c))) && u->totp) {
		api_problem(c, 409, "a code is wanted already: POST /session/totp/off first, with the password");
		return;
	}
	if (!users_totp_begin(c->admin->users, name_of(c), secret)) {
		api_problem(c, 503, "no secret can be made");
		return;
	}
	snprintf(uri, sizeof uri, "otpauth://totp/Embergate:%s?secret=%s&issuer=Embergate", c->caller.name, secret);
	out_object(&o, NULL);
	out_str(&o, "secret", secret);
	out_str(&o, "uri", uri);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void put_totp(struct api_call *c)
{
	char recovery[USER_RECOVERY_CODES][CODE_TEXT];
	struct json_out o = json_out(API_ANSWER_MAX);
	struct err e;

	if (!session_is_callers(c))
		return;
	if (!users_totp_on(c->admin->users, name_of(c), api_member(c, "code"), recovery, &e)) {
		api_failed(c, &e);
		return;
	}
	audit_note(c->admin, &c->caller, "totp.on", name_of(c), (struct bytes){ 0 });
	out_object(&o, NULL);
	out_list(&o, "recovery");
	for (size_t i = 0; i < USER_RECOVERY_CODES; i++)
		out_str(&o, NULL, recovery[i]);
	out_end(&o);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void off_told(void *owner, enum user_answer answer, unsigned wait_s)
{
	struct api_call *c = owner;

	if (answer != USER_IN) {
		session_refuse(c, answer, wait_s, name_of(c), "totp.off.refused");
	} else if (!users_totp_off(c->admin->users, name_of(c))) {
		api_problem(c, 503, "it could not be kept");
	} else {
		audit_note(c->admin, &c->caller, "totp.off", name_of(c), (struct bytes){ 0 });
		api_done(c);
	}
}

static void post_totp_off(struct api_call *c)
{
	check_password(c, "password", off_told);
}

static const struct api_route routes[] = {
	{ "POST", "/session/password", ROLE_VIEWER, "session", "changes one's own password; other sessions end", NULL, &password_shape, NULL, post_password },
	{ "POST", "/session/totp", ROLE_VIEWER, "session", "a secret for the phone, not in force yet", NULL, &empty_shape, &secret_shape, post_totp },
	{ "PUT", "/session/totp", ROLE_VIEWER, "session", "puts it in force, by a code", NULL, &code_shape, &recovery_shape, put_totp },
	{ "POST", "/session/totp/off", ROLE_VIEWER, "session", "log in without a code again", NULL, &off_shape, NULL, post_totp_off },
};
const struct api_routes api_account_routes = API_ROUTES(routes);
