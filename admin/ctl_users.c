/* ctl_users.c -- `embergate ctl user` and `ctl token`: who may use the dashboard and the API. Links and tokens are shown once,
 * here. */
#include "admin/ctl.h"
#include "admin/sessions.h"
#include "admin/tokens.h"
#include "admin/users.h"
#include "base/clock.h"
#include "base/duration.h"
#include <stdlib.h>

static bool is_verb(const struct ctl_ask *ask, const char *verb)
{
	return bytes_eq(ask->nargs ? ask->args[0] : BYTES("list"), bytes_of(verb));
}

static void put_when(struct text *t, uint64_t ms, const char *never)
{
	char room[32];
	struct text word = text_over(room, sizeof room - 1);

	if (ms)
		clock_rfc3339(&word, ms);
	else
		text_str(&word, never);
	room[word.len] = '\0';
	text_printf(t, " %-24s", room);
}

static void put_time(struct text *t, const char *name, uint64_t ms)
{
	text_printf(t, ",\"%s\":", name);
	text_str(t, ms ? "\"" : "null");
	if (!ms)
		return;
	clock_rfc3339(t, ms);
	text_byte(t, '"');
}

/* One secret, once. */
static void show(const struct ctl_ask *ask, const char *member, const char *about, const char *secret)
{
	char line[512];
	struct text t = text_over(line, sizeof line);

	if (ask->answer->json) {
		text_printf(&t, "{\"%s\":", member);
		text_json(&t, bytes_of(secret));
		text_str(&t, "}\n");
	} else {
		text_printf(&t, "%s:\n%s\n", about, secret);
	}
	ctl_reply(ask->answer, CTL_OK, text_bytes(&t));
}

/* ---- users ---- */

static void put_user(struct text *t, const struct user_info *u, bool json)
{
	if (!json) {
		text_printf(t, "%-32s %-14s %-14s", u->name, role_word(u->role), !u->has_password ? "no password" : u->totp ? "code" : "-");
		put_when(t, u->seen_ms, "never");
		text_byte(t, '\n');
		return;
	}
	text_printf(t, "{\"name\":\"%s\",\"role\":\"%s\",\"password\":%s,\"totp\":%s", u->name, role_word(u->role),
		    u->has_password ? "true" : "false", u->totp ? "true" : "false");
	put_time(t, "made", u->made_ms);
	put_time(t, "seen", u->seen_ms);
	text_byte(t, '}');
}

static void write_users(void *ctx, struct text *t)
{
	const struct ctl_ask *ask = ctx;
	struct user_info *all = calloc(USERS_MAX, sizeof *all);
	size_t n = all ? users_list(ask->admin->users, all, USERS_MAX) : 0;
	bool json = ask->answer->json;

	text_str(t, json ? "[" : "");
	if (!json && n)
		text_printf(t, "%-32s %-14s %-14s %s\n", "NAME", "ROLE", "LOGS IN BY", "SEEN");
	for (size_t i = 0; i < n; i++) {
		text_str(t, json && i ? ",\n" : "");
		put_user(t, &all[i], json);
	}
	text_str(t, json ? "]\n" : n ? "" : "there is none: `embergate ctl user setup` makes a link for the first\n");
	free(all);
}

/* A new administrator's where the name is empty. */
static void give_link(const struct ctl_ask *ask, struct bytes name)
{
	char link[USER_LINK_TEXT];
	struct err e;

	if (!users_link_text(ask->admin->users, ask->admin->url, name, link, &e)) {
		admin_answer(ask->answer, false, e.text);
		return;
	}
	ctl_note(ask, "user.link", name, (struct bytes){ 0 });
	show(ask, "link", "open this within 15 minutes and choose a password; it works once", link);
}

static void add_user(const struct ctl_ask *ask)
{
	enum role role;
	struct err e;

	if (ask->nargs != 3 || !role_from_word(ask->args[2], &role)) {
		admin_answer(ask->answer, false, "write: user add NAME viewer, operator or administrator");
	} else if (!users_add(ask->admin->users, ask->args[1], role, &e)) {
		admin_answer(ask->answer, false, e.text);
	} else {
		ctl_note(ask, "user.add", ask->args[1], ask->args[2]);
		give_link(ask, ask->args[1]);
	}
}

static void delete_user(const struct ctl_ask *ask)
{
	struct err e;

	if (!users_delete(ask->admin->users, ask->args[1], &e)) {
		admin_answer(ask->answer, false, e.text);
		return;
	}
	sessions_end_all(ask->admin->sessions, ask->args[1], 0);
	ctl_note(ask, "user.delete", ask->args[1], (struct bytes){ 0 });
	admin_answer(ask->answer, true, "it is deleted");
}

void ctl_users(const struct ctl_ask *ask)
{
	if (!ask->admin->users)
		admin_answer(ask->answer, false, "this gate keeps no users");
	else if (is_verb(ask, "list") && ask->nargs <= 1)
		ctl_reply_text(ask->answer, write_users, (void *)(uintptr_t)ask);
	else if (is_verb(ask, "add"))
		add_user(ask);
	else if (is_verb(ask, "delete") && ask->nargs == 2)
		delete_user(ask);
	else if (is_verb(ask, "setup") && ask->nargs <= 2)
		give_link(ask, ask->nargs == 2 ? ask->args[1] : (struct bytes){ 0 });
	else
		admin_answer(ask->answer, false, "write: user list, user add NAME ROLE, user delete NAME, or user setup [NAME]");
}

/* ---- tokens ---- */

static void put_token(struct text *t, const struct token_info *k, bool json)
{
	if (!json) {
		text_printf(t, "%-12llu %-32s %-14s", (unsigned long long)k->id, k->name, role_word(k->role));
		put_when(t, k->until_ms, "no end");
		put_when(t, k->seen_ms, "never");
		text_byte(t, '\n');
		return;
	}
	text_printf(t, "{\"id\":\"%llu\",\"name\":\"%s\",\"role\":\"%s\"", (unsigned long long)k->id, k->name, role_word(k->role));
	put_time(t, "made", k->made_ms);
	put_time(t, "seen", k->seen_ms);
	put_time(t, "until", k->until_ms);
	text_byte(t, '}');
}

static void write_tokens(void *ctx, struct text *t)
{
	const struct ctl_ask *ask = ctx;
	struct token_info *all = calloc(TOKENS_MAX, sizeof *all);
	size_t n = all ? tokens_list(ask->admin->tokens, all, TOKENS_MAX) : 0;
	bool json = ask->answer->json;

	text_str(t, json ? "[" : "");
	if (!json && n)
		text_printf(t, "%-12s %-32s %-14s %-24s %s\n", "ID", "NAME", "ROLE", "UNTIL", "SEEN");
	for (size_t i = 0; i < n; i++) {
		text_str(t, json && i ? ",\n" : "");
		put_token(t, &all[i], json);
	}
	text_str(t, json ? "]\n" : n ? "" : "there is none\n");
	free(all);
}

static void add_token(const struct ctl_ask *ask)
{
	struct token_info info;
	char token[TOKEN_TEXT];
	uint64_t life_us = 0;
	enum role role;
	struct err e;

	if (ask->nargs < 3 || ask->nargs > 4 || !role_from_word(ask->args[2], &role) ||
	    (ask->nargs == 4 && !duration_parse(ask->args[3], &life_us))) {
		admin_answer(ask->answer, false, "write: token add NAME viewer, operator or administrator, then 90d where it is to end");
		return;
	}
	if (!tokens_add(ask->admin->tokens, ask->args[1], role, life_us ? clock_wall_ms() + life_us / 1000 : 0, token, &info, &e)) {
		admin_answer(ask->answer, false, e.text);
		return;
	}
	ctl_note(ask, "token.add", ask->args[1], ask->args[2]);
	show(ask, "token", "for \"Authorization: Bearer\", shown only now", token);
}

static void delete_token(const struct ctl_ask *ask)
{
	char name[TOKEN_NAME_MAX];
	uint64_t id;

	if (!bytes_u64(ask->args[1], &id) || !tokens_delete(ask->admin->tokens, id, name)) {
		admin_answer(ask->answer, false, "there is no token of that id");
		return;
	}
	ctl_note(ask, "token.delete", bytes_of(name), (struct bytes){ 0 });
	admin_answer(ask->answer, true, "it is deleted");
}

void ctl_tokens(const struct ctl_ask *ask)
{
	if (!ask->admin->tokens)
		admin_answer(ask->answer, false, "this gate keeps no tokens");
	else if (is_verb(ask, "list") && ask->nargs <= 1)
		ctl_reply_text(ask->answer, write_tokens, (void *)(uintptr_t)ask);
	else if (is_verb(ask, "add"))
		add_token(ask);
	else if (is_verb(ask, "delete") && ask->nargs == 2)
		delete_token(ask);
	else
		admin_answer(ask->answer, false, "write: token list, token add NAME ROLE [90d], or token delete ID");
}
