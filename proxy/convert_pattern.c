/* convert_pattern.c -- "^/a\.php" -> "/a.php*": what of an expression a pattern can say.
 *
 * A pattern has bytes and `*`. So an expression may have bytes, escaped ones, `.*`, and the two
 * anchors; a dot that stands for one byte is taken for a dot, which is what nearly everybody
 * means and excepts less. */
#include "proxy/convert_parts.h"

enum { PATTERN_MAX = 1024 };

bool convert_is_plain(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++) {
		unsigned char c = (unsigned char)b.at[i];

		if (c < 0x20 || c >= 0x7f || c == '*')
			return false;
	}
	return b.len > 0 && b.len <= PATTERN_MAX;
}

struct bytes convert_join(struct convert *c, const char *before, struct bytes b, const char *behind)
{
	size_t n = strlen(before), m = strlen(behind);
	char *at = arena_raw(c->arena, n + b.len + m);

	c->spent |= !at;
	if (!at)
		return (struct bytes){ "", 0 };
	memcpy(at, before, n);
	if (b.len)
		memcpy(at + n, b.at, b.len);
	memcpy(at + n + b.len, behind, m);
	return (struct bytes){ at, n + b.len + m };
}

static bool is_word(char c)
{
	c = byte_lower(c);
	return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
}

/* One piece of the expression at *at, as a byte of the pattern; 0: none can say it. */
static char piece(struct bytes regex, size_t *at)
{
	char c = regex.at[*at], next = *at + 1 < regex.len ? regex.at[*at + 1] : '\0';

	if (c == '.' && next == '*') {
		*at += 2;
		return '*';
	}
	if (c == '\\' && *at + 1 < regex.len && !is_word(next)) {
		*at += 2;
		c = next;
	} else if (strchr("\\[](){}|?+*^$", c)) {
		return '\0';
	} else {
		++*at;
	}
	next = *at < regex.len ? regex.at[*at] : '\0';
	return c == '*' || (next && strchr("?+*{", next)) ? '\0' : c;
}

bool convert_pattern(struct convert *c, struct bytes regex, struct bytes *out)
{
	char *to = regex.len <= PATTERN_MAX ? arena_raw(c->arena, regex.len + 2) : NULL;
	size_t n = 0, at = 0;

	if (!to)
		return false;
	if (regex.len && regex.at[0] == '^')
		at = 1;
	else
		to[n++] = '*';
	while (at < regex.len && !(regex.at[at] == '$' && at + 1 == regex.len)) {
		char b = piece(regex, &at);

		if (!b)
			return false;
		if (b != '*' || !n || to[n - 1] != '*')
			to[n++] = b;
	}
	if (at == regex.len && (!n || to[n - 1] != '*'))
		to[n++] = '*';
	*out = (struct bytes){ to, n };
	for (size_t i = 0; i < n; i++)
		if (to[i] != '*' && !convert_is_plain((struct bytes){ &to[i], 1 }))
			return false;
	return n > 0 && !(n == 1 && to[0] == '*');
}
