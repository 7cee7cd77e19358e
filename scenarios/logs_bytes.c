/* logs_bytes.c -- taking things off the front of a line. */
#include "scenarios/logs_parts.h"

bool log_take(struct bytes *rest, struct bytes literal)
{
	if (!bytes_starts(*rest, literal))
		return false;
	*rest = bytes_from(*rest, literal.len);
	return true;
}

bool log_take_to(struct bytes *rest, char stop, struct bytes *part)
{
	const char *at = rest->len ? memchr(rest->at, stop, rest->len) : NULL;

	if (!at)
		return false;
	*part = bytes_sub(*rest, 0, (size_t)(at - rest->at));
	*rest = bytes_from(*rest, part->len + 1);
	return true;
}

/* An odd number of backslashes before `end`, none of them before `from`. */
static bool is_escaped(const char *from, const char *end)
{
	const char *p = end;

	while (p > from && p[-1] == '\\')
		p--;
	return (end - p) & 1;
}

bool log_take_quoted(struct bytes *rest, struct bytes *inside)
{
	const char *from, *end, *at;

	if (rest->len < 2 || rest->at[0] != '"')
		return false;
	from = at = rest->at + 1;
	end = rest->at + rest->len;
	while ((at = memchr(at, '"', (size_t)(end - at))) && is_escaped(from, at))
		at++;
	if (!at)
		return false;
	*inside = (struct bytes){ from, (size_t)(at - from) };
	*rest = bytes_from(*rest, inside->len + 2);
	return true;
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
	return is_digit(c) || (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') || c == '_';
}

/* '%': a zone, fe80::1%eth0. */
static bool is_host(char c)
{
	return is_word(c) || c == '.' || c == '-' || c == ':' || c == '%';
}

static inline bool all_of(struct bytes b, bool (*is)(char))
{
	for (size_t i = 0; i < b.len; i++)
		if (!is(b.at[i]))
			return false;
	return b.len > 0;
}

bool log_is_number(struct bytes b)
{
	return all_of(b, is_digit);
}

bool log_is_word(struct bytes b)
{
	return all_of(b, is_word);
}

bool log_is_host(struct bytes b)
{
	return all_of(b, is_host);
}

size_t log_find_last(struct bytes hay, struct bytes needle)
{
	if (needle.len == 0 || needle.len > hay.len)
		return SIZE_MAX;
	for (size_t i = hay.len - needle.len + 1; i-- > 0;)
		if (hay.at[i] == needle.at[0] && memcmp(hay.at + i, needle.at, needle.len) == 0)
			return i;
	return SIZE_MAX;
}
