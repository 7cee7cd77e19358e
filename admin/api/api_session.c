/* api_session.c -- logging in and out, and one's own sessions. */
#include "admin/api/api_session.h"
#include "admin/api/api_tables.h"
#include "admin/audit.h"
#include "admin/edit_hooks.h"
#include "admin/sessions.h"
#include "admin/tokens.h"

/* ---- shapes ---- */

static const char *const roles[] = { "viewer", "operator", "administrator", NULL };
static const char *const ways[] = { "session", "token", "socket", NULL };
static const struct api_field session_fields[] = {
	{ "user", API_TEXT, .help = "the user's or token's name" },
	{ "role", API_TEXT, .words = roles, .help = "each may all that those before it may" },
	{ "way", API_TEXT, .words = ways, .help = "how the caller is known" },
	{ "csrf", API_TEXT, .optional = true, .help = "of a session: its writes say it in X-Embergate-CSRF" },
	{ "totp", API_FLAG, .help = "a code is wanted to log in" },
	{ "expires", API_TIME, .optional = true, .help = "unless it is used before" },
	{ "version", API_TEXT, .help = "of Embergate" },
	{ "writes", API_FLAG, .help = "the API may change the configuration" },
	{ "first_admin_setup", API_FLAG, .help = "nobody can log in yet" },
};
static const struct api_shape session_shape = API_SHAPE("Session", session_fields);

static const struct api_field login_fields[] = {
	{ "user", API_TEXT, .max = USER_NAME_MAX, .help = "name" },
	{ "password", API_TEXT, .max = USER_PASSWORD_MAX, .help = "of the user" },
	{ "code", API_TEXT, .optional = true, .max = CODE_TEXT, .help = "from the phone, or one of the recovery codes" },
};
static const struct api_shape login_shape = API_SHAPE("Login", login_fields);

static const struct api_field setup_fields[] = {
	{ "token", API_TEXT, .max = CODE_TEXT, .help = "of the link: what stands behind #setup=" },
	{ "user", API_TEXT, .max = USER_NAME_MAX, .help = "name: 1 to 63 letters, digits and . _ @ -" },
	{ "password", API_TEXT, .max = USER_PASSWORD_MAX, .help = "10 to 256 bytes" },
};
static const struct api_shape setup_shape = API_SHAPE("SetUp", setup_fields);

static const struct api_field entry_fields[] = {
	{ "id", API_TEXT, .help = "for DELETE" },
	{ "made", API_TIME, .help = "logged in" },
	{ "seen", API_TIME, .help = "last request" },
	{ "address", API_TEXT, .help = "from which it was begun" },
	{ "agent", API_TEXT, .help = "the browser, as it says" },
	{ "current", API_FLAG, .help = "the one that asks" },
};
static const struct api_shape entry_shape = API_SHAPE("SessionEntry", entry_fields);
static const struct api_field list_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &entry_shape, .help = "newest first" },
};
static const struct api_shape list_shape = API_SHAPE("SessionList", list_fields);

/* ---- telling of a session ---- */

static struct bytes name_of(const struct api_call *c)
{
	return bytes_of(c->caller.name);
}

static bool may_write(const struct api_call *c)
{
	const struct admin_hooks *h = &c->admin->hooks;
	struct edit_config config = { .writes = false };

	if (h->edit)
		h->edit->config(h->ctx, c->arena, &config);
	return config.writes;
}

static uint64_t expires_of(const struct api_call *c)
{
	const struct session_info *s = c->caller.way == CALLER_SESSION ? sessions_by_id(c->admin->sessions, c->caller.id) : NULL;
	const struct token_info *t = c->caller.way == CALLER_TOKEN ? tokens_by_id(c->admin->tokens, c->caller.id) : NULL;

	return s ? session_until_ms(s) : t ? t->until_ms : 0;
}

static void answer_session(struct api_call *c, struct bytes cookie)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	const struct user_info *u = c->caller.way == CALLER_SESSION ? users_find(c->admin->users, name_of(c)) : NULL;
	char csrf[SESSION_CSRF];

	out_object(&o, NULL);
	out_str(&o, "user", c->caller.name);
	out_str(&o, "role", role_word(c->caller.role));
	out_str(&o, "way", caller_way_word(c->caller.way));
	out_str(&o, "csrf", c->caller.way == CALLER_SESSION && session_csrf(cookie, csrf) ? csrf : NULL);
	out_flag(&o, "totp", u && u->totp);
	out_time(&o, "expires", expires_of(c));
	out_str(&o, "version", EMBERGATE_VERSION);
	out_flag(&o, "writes", may_write(c));
	out_flag(&o, "first_admin_setup", !c->admin->users || !users_are_set_up(c->admin->users));
	out_end(&o);
	api_answer(c, 200, &o);
}

static void get_session(struct api_call *c)
{
	answer_session(c, door_cookie_of(c->admin, c->http));
}

/* The call is from now on the new session's. */
static void begin_session(struct api_call *c, struct bytes name, const char *action)
{
	struct bytes agent = fields_value(&serve_head(c->http)->fields, FIELD_USER_AGENT);
	const struct user_info *u = users_find(c->admin->users, name);
	struct session_info s;
	char cookie[SESSION_COOKIE], room[DOOR_COOKIE];

	if (!u || !sessions_begin(c->admin->sessions, name, serve_peer(c->http), agent, cookie, &s)) {
		api_problem(c, 503, "no session can be begun");
		return;
	}
	c->caller.role = u->role;
	c->caller.way = CALLER_SESSION;
	c->caller.id = s.id;
	snprintf(c->caller.name, sizeof c->caller.name, "%s", u->name);
	audit_note(c->admin, &c->caller, action, name, bytes_of(s.agent));
	api_field(c, "Set-Cookie", door_cookie(c->admin, cookie, room));
	answer_session(c, bytes_of(cookie));
}

/* ---- logging in ---- */

static void wait(struct api_call *c, unsigned status, unsigned seconds, const char *why)
{
	char room[16];
	struct text t = text_over(room, sizeof room);

	text_u64(&t, seconds);
	api_field(c, "Retry-After", text_bytes(&t));
	api_problem(c, status, "%s", why);
}

/* Who was meant, of those who exist: a password that was typed into the field for the name is not to be written down. */
static void note_refusal(struct api_call *c, struct bytes name, const char *action)
{
	struct caller who = c->caller;
	bool known = users_find(c->admin->users, name);
	uint64_t silent;
	char room[48] = "";

	if (!users_refusal_counts(c->admin->users, &silent))
		return;
	if (silent)
		snprintf(room, sizeof room, "and %llu that are not here", (unsigned long long)silent);
	who.way = CALLER_NOBODY;
	snprintf(who.name, sizeof who.name, "%.*s", known ? (int)name.len : 1, known ? name.at : "?");
	audit_note(c->admin, &who, action, (struct bytes){ 0 }, bytes_of(room));
}

void session_refuse(struct api_call *c, enum user_answer answer, unsigned wait_s, struct bytes name, const char *action)
{
	switch (answer) {
	case USER_WAIT: wait(c, 429, wait_s, "too many tries; wait a minute"); return;
	case USER_BUSY: wait(c, 503, 1, "too many log in at once; try again"); return;
	case USER_CODE_WANTED: api_problem(c, 401, "code wanted"); return;
	default: break;
	}
	note_refusal(c, name, action);
	if (c->route->role)
		api_problem(c, 403, "the password is wrong");
	else
		api_problem(c, 401, "user, password or code is wrong");
}

static void login_told(void *owner, enum user_answer answer, unsigned wait_s)
{
	struct api_call *c = owner;
	struct bytes name = api_member(c, "user");

	if (answer == USER_IN)
		begin_session(c, name, "session.begin");
	else
		session_refuse(c, answer, wait_s, name, "session.refused");
}

static bool has_users(struct api_call *c)
{
	if (c->admin->users)
		return true;
	api_problem(c, 503, "this gate keeps no users");
	return false;
}

static void post_session(struct api_call *c)
{
	const struct user_check check = { .name = api_member(c, "user"), .password = api_member(c, "password"),
					  .code = api_member(c, "code"), .from = serve_peer(c->http) };

	if (has_users(c))
		users_check(c->admin->users, &check, login_told, c);
}

static void setup_told(void *owner, const struct err *e)
{
	struct api_call *c = owner;
	struct bytes name = api_member(c, "user");

	if (e) {
		api_failed(c, e);
		return;
	}
	sessions_end_all(c->admin->sessions, name, 0);
	begin_session(c, name, "user.setup");
}

static void post_setup(struct api_call *c)
{
	struct bytes token = api_member(c, "token");

	if (has_users(c))
		users_set_password(c->admin->users, api_member(c, "user"), api_member(c, "password"), token.len ? token : BYTES("-"),
				   setup_told, c);
}

/* ---- sessions ---- */

bool session_is_callers(struct api_call *c)
{
	if (c->caller.way == CALLER_SESSION)
		return true;
	api_problem(c, 409, "only somebody who has logged in has this");
	return false;
}

static void delete_session(struct api_call *c)
{
	char room[DOOR_COOKIE];

	if (!session_is_callers(c))
		return;
	sessions_end(c->admin->sessions, name_of(c), c->caller.id);
	audit_note(c->admin, &c->caller, "session.end", name_of(c), (struct bytes){ 0 });
	api_field(c, "Set-Cookie", door_cookie(c->admin, NULL, room));
	api_done(c);
}

static void get_sessions(struct api_call *c)
{
	struct session_info all[SESSIONS_OF_USER];
	struct json_out o = json_out(API_ANSWER_MAX);
	size_t n = c->caller.way == CALLER_SESSION ? sessions_list(c->admin->sessions, name_of(c), all, nelems(all)) : 0;

	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < n && i < nelems(all); i++) {
		out_object(&o, NULL);
		out_id(&o, "id", all[i].id);
		out_time(&o, "made", all[i].made_ms);
		out_time(&o, "seen", all[i].seen_ms);
		out_str(&o, "address", all[i].address);
		out_str(&o, "agent", all[i].agent);
		out_flag(&o, "current", all[i].id == c->caller.id);
		out_end(&o);
	}
	out_end(&o);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void delete_one(struct api_call *c)
{
	uint64_t id;

	if (!session_is_callers(c))
		return;
	if (!bytes_u64(c->params[0], &id) || !sessions_end(c->admin->sessions, name_of(c), id)) {
		api_problem(c, 404, "you have no such session");
		return;
	}
	audit_note(c->admin, &c->caller, "session.end", name_of(c), (struct bytes){ 0 });
	api_done(c);
}

static const struct api_route routes[] = {
	{ "POST", "/setup", ROLE_NONE, "session", "sets a password by a one-time link, and logs in", NULL, &setup_shape, &session_shape, post_setup },
	{ "POST", "/session", ROLE_NONE, "session", "logs in", NULL, &login_shape, &session_shape, post_session },
	{ "GET", "/session", ROLE_VIEWER, "session", "who asks, and what they may", NULL, NULL, &session_shape, get_session },
	{ "DELETE", "/session", ROLE_VIEWER, "session", "logs out", NULL, NULL, NULL, delete_session },
	{ "GET", "/sessions", ROLE_VIEWER, "session", "the caller's own", NULL, NULL, &list_shape, get_sessions },
	{ "DELETE", "/sessions/{id}", ROLE_VIEWER, "session", "ends one of one's own", NULL, NULL, NULL, delete_one },
};
const struct api_routes api_session_routes = API_ROUTES(routes);
