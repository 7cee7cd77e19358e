/* login_form.c -- names of fields, by what they end in: "user[password]", "pma_username", "Input.Email". */
#include "proxy/login_form.h"

/* From the surest on: GitHub's name is in `login`, which elsewhere is the button. `is_whole`: nothing may stand before it. */
static const struct {
	struct bytes word;
	unsigned rank;
	bool is_whole;
} names[] = {
	{ BYTES_INIT("username"), 1, false },    { BYTES_INIT("user_name"), 1, false },
	{ BYTES_INIT("user-name"), 1, false },   { BYTES_INIT("userid"), 1, false },
	{ BYTES_INIT("user_id"), 1, false },     { BYTES_INIT("user_login"), 1, false },
	{ BYTES_INIT("userlogin"), 1, false },   { BYTES_INIT("loginname"), 1, false },
	{ BYTES_INIT("login_name"), 1, false },  { BYTES_INIT("login_id"), 1, false },
	{ BYTES_INIT("username_or_email"), 1, false }, { BYTES_INIT("session_key"), 1, true },
	{ BYTES_INIT("user"), 1, true },         { BYTES_INIT("usr"), 1, true },
	{ BYTES_INIT("uname"), 1, true },        { BYTES_INIT("wpname"), 1, true },
	{ BYTES_INIT("identifier"), 1, true },   { BYTES_INIT("principal"), 1, true },
	{ BYTES_INIT("email"), 2, false },       { BYTES_INIT("e-mail"), 2, false },
	{ BYTES_INIT("mail"), 2, true },         { BYTES_INIT("emailaddress"), 2, false },
	{ BYTES_INIT("email_address"), 2, false }, { BYTES_INIT("account"), 3, true },
	{ BYTES_INIT("login"), 4, true },        { BYTES_INIT("log"), 4, true },
	{ BYTES_INIT("logon"), 4, true },        { BYTES_INIT("nickname"), 4, true },
	{ BYTES_INIT("phone"), 5, true },        { BYTES_INIT("mobile"), 5, true },
	{ BYTES_INIT("uid"), 5, true },          { BYTES_INIT("name"), 6, true },
	{ BYTES_INIT("id"), 7, true },
};

static const struct bytes passwords[] = {
	BYTES_INIT("password"), BYTES_INIT("passwd"), BYTES_INIT("passwort"), BYTES_INIT("passphrase"), BYTES_INIT("passcode"),
	BYTES_INIT("pwd"), BYTES_INIT("user_pass"), BYTES_INIT("userpass"), BYTES_INIT("login_pass"), BYTES_INIT("loginpass"),
};

/* A box to be ticked, not what it speaks of. */
static const struct bytes switches[] = {
	BYTES_INIT("remember"), BYTES_INIT("save"), BYTES_INIT("show"), BYTES_INIT("forgot"), BYTES_INIT("hint"),
};

/* Of a password that is to be, or was. */
static const struct bytes changes[] = {
	BYTES_INIT("new"), BYTES_INIT("old"), BYTES_INIT("current"), BYTES_INIT("confirm"), BYTES_INIT("again"), BYTES_INIT("repeat"),
	BYTES_INIT("retype"),
};

/* Of someone who is asked more than who he is. */
static const struct bytes others[] = {
	BYTES_INIT("confirm"), BYTES_INIT("firstname"), BYTES_INIT("first_name"), BYTES_INIT("lastname"), BYTES_INIT("last_name"),
	BYTES_INIT("birth"),
};

static bool speaks_of(struct bytes name, const struct bytes *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_find(name, words[i]) != SIZE_MAX)
			return true;
	return false;
}

#define SPEAKS_OF(name, words) speaks_of(name, words, nelems(words))

static bool is_one_of(char c, const char *set)
{
	return c && strchr(set, c);
}

/* The last part of "user[password]", "ctl00$Main$Password", "auth.password", without what marks a name as private, in lower
 * case. Longer names are none of those. */
static struct bytes last_part(struct bytes name, char *room, size_t cap)
{
	size_t end = name.len, at;

	while (end && is_one_of(name.at[end - 1], "[]. "))
		end--;
	for (at = end; at && !is_one_of(name.at[at - 1], "[].$:/"); at--)
		;
	while (at < end && (name.at[at] == '_' || name.at[at] == '-'))
		at++;
	if (end - at > cap)
		return (struct bytes){ 0 };
	for (size_t i = at; i < end; i++)
		room[i - at] = byte_lower(name.at[i]);
	return (struct bytes){ room, end - at };
}

static unsigned rank_of(struct bytes part)
{
	for (size_t i = 0; i < nelems(names); i++)
		if (names[i].is_whole ? bytes_eq(part, names[i].word) : bytes_ends(part, names[i].word))
			return names[i].rank;
	return 0;
}

static bool is_password(struct bytes part)
{
	if (bytes_eq(part, BYTES("pass")))
		return true;
	for (size_t i = 0; i < nelems(passwords); i++)
		if (bytes_ends(part, passwords[i]))
			return !SPEAKS_OF(part, changes);
	return false;
}

static void take_name(struct login_form *f, struct bytes value, unsigned rank)
{
	value = bytes_sub(bytes_trim(value), 0, sizeof f->name);
	if (!value.len || (f->rank && f->rank <= rank))
		return;
	f->rank = rank;
	f->len = value.len;
	for (size_t i = 0; i < value.len; i++)
		f->name[i] = byte_lower(value.at[i]);
}

static bool is_wanted(const struct login_form *f, struct bytes name)
{
	return bytes_eq_nocase(name, f->wanted) ||
	       (bytes_starts_nocase(f->wanted, BYTES("json.")) && bytes_eq_nocase(name, bytes_from(f->wanted, 5)));
}

void login_form_field(void *ctx, struct bytes name, struct bytes value)
{
	struct login_form *f = ctx;
	char room[64];
	struct bytes part;

	if (f->wanted.at) {
		if (is_wanted(f, name))
			take_name(f, value, 1);
		return;
	}
	part = last_part(name, room, sizeof room);
	if (!part.len || SPEAKS_OF(part, switches))
		return;
	if (is_password(part))
		f->passwords++;
	else if (bytes_find(part, BYTES("pass")) != SIZE_MAX || bytes_find(part, BYTES("pwd")) != SIZE_MAX || SPEAKS_OF(part, others))
		f->is_other = true;
	else if (rank_of(part))
		take_name(f, value, rank_of(part));
}

bool login_form_is_login(const struct login_form *f)
{
	return f->len && f->passwords == 1 && !f->is_other;
}

/* "ass" or "pwd" in any case, and some that differ in a bit: a look only, which costs every POST. */
static inline uint8_t begins_here(const char *at)
{
	uint8_t a = at[0] | 0x20, b = at[1] | 0x20, c = at[2] | 0x20;
	uint8_t ass = (a ^ 'a') | (b ^ 's') | (c ^ 's'), pwd = (a ^ 'p') | (b ^ 'w') | (c ^ 'd');

	return (uint8_t)!ass | (uint8_t)!pwd;
}

bool login_form_may_be(struct bytes body)
{
	enum { BLOCK = 64, MORE = 2 }; /* so many places at once, which a compiler makes vectors of */
	size_t at = 0;
	uint8_t may = 0;

	for (; at + BLOCK + MORE <= body.len && !may; at += BLOCK)
		for (size_t i = 0; i < BLOCK; i++)
			may |= begins_here(body.at + at + i);
	for (; at + MORE < body.len && !may; at++)
		may |= begins_here(body.at + at);
	return may;
}

bool login_form_is_elsewhere(struct bytes path)
{
	static const struct bytes words[] = {
		BYTES_INIT("register"), BYTES_INIT("registration"), BYTES_INIT("signup"), BYTES_INIT("sign-up"), BYTES_INIT("sign_up"),
		BYTES_INIT("reset"), BYTES_INIT("forgot"), BYTES_INIT("recover"), BYTES_INIT("invit"), BYTES_INIT("activat"),
		BYTES_INIT("install"), BYTES_INIT("setup"), BYTES_INIT("change"), BYTES_INIT("create"),
	};

	for (size_t i = 0; i < nelems(words); i++)
		if (bytes_find_nocase(path, words[i]) != SIZE_MAX)
			return true;
	return false;
}
