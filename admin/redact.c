/* redact.c -- which names are secret. */
#include "admin/redact.h"

enum { NAME_MAX_BYTES = 128 }; /* a longer name is looked at so far */

const struct bytes redacted = { "[redacted]", 10 };

/* Alone or as words of a longer name. */
static const struct bytes words[] = {
	BYTES_INIT("access_key"), BYTES_INIT("api_key"),    BYTES_INIT("apikey"),      BYTES_INIT("assertion"),
	BYTES_INIT("authorization"), BYTES_INIT("cookie"),  BYTES_INIT("jsessionid"),  BYTES_INIT("jwt"),
	BYTES_INIT("otp"),        BYTES_INIT("pass"),       BYTES_INIT("passcode"),    BYTES_INIT("passphrase"),
	BYTES_INIT("passwd"),     BYTES_INIT("password"),   BYTES_INIT("phpsessid"),   BYTES_INIT("private_key"),
	BYTES_INIT("pwd"),        BYTES_INIT("samlresponse"), BYTES_INIT("secret"),    BYTES_INIT("session_id"),
	BYTES_INIT("sessionid"),  BYTES_INIT("sid"),        BYTES_INIT("signature"),   BYTES_INIT("token"),
	BYTES_INIT("totp"),
};

static char fold(char c)
{
	return c == '-' ? '_' : byte_lower(c);
}

/* "__Host-sid", "user[password]", "wsse:Password". */
static bool is_mark(char c)
{
	return c == '_' || c == '-' || c == '.' || c == '[' || c == ']' || c == ':' || c == ' ';
}

static bool is_upper(char c)
{
	return c >= 'A' && c <= 'Z';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* "newPassword": a capital begins a word. */
static bool has_hump(struct bytes name, size_t at)
{
	return is_upper(name.at[at]) && !is_upper(name.at[at - 1]);
}

static bool begins_word(struct bytes name, size_t at)
{
	return at == 0 || is_mark(name.at[at - 1]) || has_hump(name, at);
}

/* "password2", "Cookie2" too. */
static bool ends_word(struct bytes name, size_t at)
{
	return at == name.len || is_mark(name.at[at]) || is_digit(name.at[at]) || has_hump(name, at);
}

static bool stands_at(struct bytes name, size_t at, struct bytes word)
{
	if (word.len > name.len - at)
		return false;
	for (size_t i = 0; i < word.len; i++)
		if (fold(name.at[at + i]) != fold(word.at[i]))
			return false;
	return true;
}

/* What the configuration names is a whole name, or a whole part of one. */
static bool is_part(struct bytes name, size_t at, struct bytes part)
{
	size_t end = at + part.len;

	return stands_at(name, at, part) && (at == 0 || strchr(".[]", name.at[at - 1])) &&
	       (end == name.len || (name.at[end] && strchr(".[]", name.at[end])));
}

bool redact_is_secret(const struct redact *r, struct bytes name)
{
	name = bytes_sub(name, 0, NAME_MAX_BYTES);
	for (size_t at = 0; at < name.len; at++) {
		if (!begins_word(name, at))
			continue;
		for (size_t i = 0; i < nelems(words); i++)
			if (stands_at(name, at, words[i]) && ends_word(name, at + words[i].len))
				return true;
		for (size_t i = 0; r && i < r->n; i++)
			if (is_part(name, at, r->names[i]))
				return true;
	}
	return false;
}
