/* api_users.c -- users and tokens, for administrators. */
#include "admin/api/api_tables.h"
#include "admin/audit.h"
#include "admin/sessions.h"
#include "admin/tokens.h"
#include "admin/users.h"
#include "base/clock.h"

/* ---- shapes ---- */

static const char *const roles[] = { "viewer", "operator", "administrator", NULL };

static const struct api_field user_fields[] = {
	{ "name", API_TEXT, .help = "of the user" },
	{ "role", API_TEXT, .words = roles, .help = "each may all that those before it may" },
	{ "totp", API_FLAG, .help = "a code is wanted to log in" },
	{ "password", API_FLAG, .help = "there is one: the user can log in" },
	{ "made", API_TIME, .help = "when" },
	{ "seen", API_TIME, .optional = true, .help = "logged in last" },
};
static const struct api_shape user_shape = API_SHAPE("User", user_fields);
static const struct api_field user_list_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &user_shape, .help = "by name" },
};
static const struct api_shape user_list_shape = API_SHAPE("UserList", user_list_fields);

static const struct api_field user_new_fields[] = {
	{ "name", API_TEXT, .max = USER_NAME_MAX, .help = "1 to 63 letters, digits and . _ @ -" },
	{ "role", API_TEXT, .words = roles, .help = "what the user may" },
	{ "password", API_TEXT, .optional = true, .max = USER_PASSWORD_MAX, .help = "without it a link is made" },
};
static const struct api_shape user_new_shape = API_SHAPE("UserNew", user_new_fields);
static const struct api_field user_made_fields[] = {
	{ "name", API_TEXT, .help = "of the user" },
	{ "link", API_TEXT, .optional = true, .help = "with which the user sets a password, once, within 15 minutes" },
};
static const struct api_shape user_made_shape = API_SHAPE("UserMade", user_made_fields);
static const struct api_field user_change_fields[] = {
	{ "role", API_TEXT, .optional = true, .words = roles, .help = "sessions of the user end" },
	{ "password", API_TEXT, .optional = true, .max = USER_PASSWORD_MAX, .help = "sessions of the user end" },
};
static const struct api_shape user_change_shape = API_SHAPE("UserChange", user_change_fields);

static const struct api_field token_fields[] = {
	{ "id", API_TEXT, .help = "for DELETE" },
	{ "name", API_TEXT, .help = "what the audit log says" },
	{ "role", API_TEXT, .words = roles, .help = "what it may" },
	{ "made", API_TIME, .help = "when" },
	{ "seen", API_TIME, .optional = true, .help = "used last" },
	{ "until", API_TIME, .optional = true, .help = "its end" },
};
static const struct api_shape token_shape = API_SHAPE("Token", token_fields);
static const struct api_field token_list_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &token_shape, .help = "newest first" },
};
static const struct api_shape token_list_shape = API_SHAPE("TokenList", token_list_fields);
static const struct api_field token_new_fields[] = {
	{ "name", API_TEXT, .max = TOKEN_NAME_MAX, .help = "1 to 63 letters, digits and . _ @ -" },
	{ "role", API_TEXT, .words = roles, .help = "what it may" },
	{ "until", API_TIME, .optional = true, .help = "its end; without it, it has none" },
};
static const struct api_shape token_new_shape = API_SHAPE("TokenNew", token_new_fields);
static const struct api_field token_made_fields[] = {
	{ "id", API_TEXT, .help = "for DELETE" },
	{ "token", API_TEXT, .help = "for \"Authorization: Bearer\"; shown only now" },
};
static const struct api_shape token_made_shape = API_SHAPE("TokenMade", token_made_fields);

static bool is_kept(struct api_call *c)
{
	if (c->admin->store)
		return true;
	api_problem(c, 503, "this gate keeps no users");
	return false;
}

/* ---- users ---- */

static void put_user(struct json_out *o, const struct user_info *u)
{
	out_object(o, NULL);
	out_str(o, "name", u->name);
	out_str(o, "role", role_word(u->role));
	out_flag(o, "totp", u->totp);
	out_flag(o, "password", u->has_password);
	out_time(o, "made", u->made_ms);
	out_time(o, "seen", u->seen_ms);
	out_end(o);
}

static void get_users(struct api_call *c)
{
	struct user_info *all = arena_get(c->arena, USERS_MAX * sizeof *all);
	struct json_out o = json_out(API_ANSWER_MAX);
	size_t n;

	if (!is_kept(c))
		return;
	if (!all) {
		api_problem(c, 503, "out of memory");
		return;
	}
	n = users_list(c->admin->users, all, USERS_MAX);
	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < n; i++)
		put_user(&o, &all[i]);
	out_end(&o);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void answer_made(struct api_call *c, const char *link)
{
	struct json_out o = json_out(API_ANSWER_MAX);

	audit_note(c->admin, &c->caller, "user.add", api_member(c, "name"), api_member(c, "role"));
	out_object(&o, NULL);
	out_text(&o, "name", api_member(c, "name"));
	out_str(&o, "link", link);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void made_told(void *owner, const struct err *e)
{
	struct api_call *c = owner;
	struct err dropped;

	if (!e) {
		answer_made(c, NULL);
		return;
	}
	users_delete(c->admin->users, api_member(c, "name"), &dropped);
	api_failed(c, e);
}

static void post_user(struct api_call *c)
{
	struct bytes name = api_member(c, "name"), password = api_member(c, "password");
	char link[USER_LINK_TEXT];
	enum role role = ROLE_VIEWER;
	struct err e;

	if (!is_kept(c))
		return;
	role_from_word(api_member(c, "role"), &role);
	if ((password.at && !user_password_is(password, name, &e)) || !users_add(c->admin->users, name, role, &e))
		api_failed(c, &e);
	else if (password.at)
		users_set_password(c->admin->users, name, password, (struct bytes){ 0 }, made_told, c);
	else if (users_link_text(c->admin->users, c->admin->url, name, link, &e))
		answer_made(c, link);
	else
		api_failed(c, &e);
}

/* Whoever changes his own keeps the session in which he does it. */
static void end_sessions(struct api_call *c)
{
	sessions_end_all(c->admin->sessions, c->params[0], c->caller.way == CALLER_SESSION ? c->caller.id : 0);
}

static void answer_user(struct api_call *c)
{
	const struct user_info *u = users_find(c->admin->users, c->params[0]);
	struct json_out o = json_out(API_ANSWER_MAX);

	end_sessions(c);
	if (!u) {
		json_out_free(&o);
		api_problem(c, 404, "there is no such user any more");
		return;
	}
	put_user(&o, u);
	api_answer(c, 200, &o);
}

static void changed_told(void *owner, const struct err *e)
{
	struct api_call *c = owner;

	if (e) {
		api_failed(c, e);
		return;
	}
	audit_note(c->admin, &c->caller, "user.password", c->params[0], (struct bytes){ 0 });
	answer_user(c);
}

static void patch_user(struct api_call *c)
{
	struct bytes name = c->params[0], password = api_member(c, "password"), word = api_member(c, "role");
	enum role role;
	struct err e;

	if (!is_kept(c))
		return;
	if (password.at && !user_password_is(password, name, &e)) {
		api_failed(c, &e);
		return;
	}
	if (role_from_word(word, &role)) {
		if (!users_set_role(c->admin->users, name, role, &e)) {
			api_failed(c, &e);
			return;
		}
		audit_note(c->admin, &c->caller, "user.role", name, word);
		end_sessions(c);
	}
	if (password.at)
		users_set_password(c->admin->users, name, password, (struct bytes){ 0 }, changed_told, c);
	else
		answer_user(c);
}

static void delete_user(struct api_call *c)
{
	struct err e;

	if (!is_kept(c))
		return;
	if (!users_delete(c->admin->users, c->params[0], &e)) {
		api_failed(c, &e);
		return;
	}
	sessions_end_all(c->admin->sessions, c->params[0], 0);
	audit_note(c->admin, &c->caller, "user.delete", c->params[0], (struct bytes){ 0 });
	api_done(c);
}

/* ---- tokens ---- */

static void put_token(struct json_out *o, const struct token_info *t)
{
	out_object(o, NULL);
	out_id(o, "id", t->id);
	out_str(o, "name", t->name);
	out_str(o, "role", role_word(t->role));
	out_time(o, "made", t->made_ms);
	out_time(o, "seen", t->seen_ms);
	out_time(o, "until", t->until_ms);
	out_end(o);
}

static void get_tokens(struct api_call *c)
{
	struct token_info *all = arena_get(c->arena, TOKENS_MAX * sizeof *all);
	struct json_out o = json_out(API_ANSWER_MAX);
	size_t n;

	if (!is_kept(c))
		return;
	if (!all) {
		api_problem(c, 503, "out of memory");
		return;
	}
	n = tokens_list(c->admin->tokens, all, TOKENS_MAX);
	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < n; i++)
		put_token(&o, &all[i]);
	out_end(&o);
	out_end(&o);
	api_answer(c, 200, &o);
}

static bool read_until(struct api_call *c, uint64_t *until_ms)
{
	struct bytes until = api_member(c, "until");
	uint64_t now = clock_wall_ms();

	*until_ms = until.at ? api_time(until, now) : 0;
	if (!until.at || *until_ms > now)
		return true;
	api_problem(c, 422, "until: a time to come is wanted");
	return false;
}

static void post_token(struct api_call *c)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	struct token_info info;
	char text[TOKEN_TEXT];
	enum role role = ROLE_VIEWER;
	uint64_t until_ms;
	struct err e;

	if (!is_kept(c) || !read_until(c, &until_ms))
		return;
	role_from_word(api_member(c, "role"), &role);
	if (!tokens_add(c->admin->tokens, api_member(c, "name"), role, until_ms, text, &info, &e)) {
		api_failed(c, &e);
		return;
	}
	audit_note(c->admin, &c->caller, "token.add", api_member(c, "name"), api_member(c, "role"));
	out_object(&o, NULL);
	out_id(&o, "id", info.id);
	out_str(&o, "token", text);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void delete_token(struct api_call *c)
{
	char name[TOKEN_NAME_MAX];
	uint64_t id;

	if (!is_kept(c))
		return;
	if (!bytes_u64(c->params[0], &id) || !tokens_delete(c->admin->tokens, id, name)) {
		api_problem(c, 404, "there is no such token");
		return;
	}
	audit_note(c->admin, &c->caller, "token.delete", bytes_of(name), (struct bytes){ 0 });
	api_done(c);
}

static const struct api_route routes[] = {
	{ "GET", "/users", ROLE_ADMINISTRATOR, "users", "who may log in", NULL, NULL, &user_list_shape, get_users },
	{ "POST", "/users", ROLE_ADMINISTRATOR, "users", "adds one", NULL, &user_new_shape, &user_made_shape, post_user },
	{ "PATCH", "/users/{name}", ROLE_ADMINISTRATOR, "users", "another role, or a new password", NULL, &user_change_shape, &user_shape, patch_user },
	{ "DELETE", "/users/{name}", ROLE_ADMINISTRATOR, "users", "removes one; never the last administrator", NULL, NULL, NULL, delete_user },
	{ "GET", "/tokens", ROLE_ADMINISTRATOR, "users", "programs that may use the API", NULL, NULL, &token_list_shape, get_tokens },
	{ "POST", "/tokens", ROLE_ADMINISTRATOR, "users", "adds one", NULL, &token_new_shape, &token_made_shape, post_token },
	{ "DELETE", "/tokens/{id}", ROLE_ADMINISTRATOR, "users", "takes one back", NULL, NULL, NULL, delete_token },
};
const struct api_routes api_users_routes = API_ROUTES(routes);
