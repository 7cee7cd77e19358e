/* transform_escape.c -- backslash escapes of JavaScript, CSS and C, and SQL's
 * hexadecimal strings. */
#include "rules/transform_steps.h"

/* The letter behind a backslash: "aA" pairs, as C and JavaScript have them. */
static bool letter(char c, char *out)
{
	static const char pairs[] = "a\ab\bf\fn\nr\rt\tv\v";

	for (size_t i = 0; i + 1 < sizeof pairs; i += 2)
		if (pairs[i] == c) {
			*out = pairs[i + 1];
			return true;
		}
	return false;
}

/* Up to three octal digits at p; 0 when there is none. */
static size_t octal(const char *p, size_t left, unsigned *value)
{
	size_t n = 0;

	for (*value = 0; n < 3 && n < left && p[n] >= '0' && p[n] <= '7'; n++)
		*value = *value << 3 | (unsigned)(p[n] - '0');
	return n;
}

static size_t js_step(const char *p, size_t left, char **out)
{
	unsigned value;
	size_t n;

	if (left >= 6 && p[1] == 'u' && is_hex(p + 2, 4)) {
		*(*out)++ = code_to_byte(hex_value(p + 2, 4));
		return 6;
	}
	if (left >= 4 && p[1] == 'x' && is_hex(p + 2, 2)) {
		*(*out)++ = (char)hex_value(p + 2, 2);
		return 4;
	}
	n = octal(p + 1, left - 1, &value);
	if (n == 3 && value > 0xff) { /* the third digit is text */
		value >>= 3;
		n = 2;
	}
	if (n) {
		*(*out)++ = (char)value;
		return n + 1;
	}
	if (left == 1 || !letter(p[1], *out))
		**out = p[left > 1];
	(*out)++;
	return left > 1 ? 2 : 1;
}

/* CSS 2.1 4.1.3: up to six digits and one white space behind them; a backslash
 * before a line end or at the end of the text is nothing. */
static size_t css_step(const char *p, size_t left, char **out)
{
	size_t n = 1;

	while (n < 7 && n < left && byte_hex(p[n]) >= 0)
		n++;
	if (n > 1) {
		*(*out)++ = code_to_byte(hex_value(p + 1, n - 1));
		return n + (n < left && byte_is_space(p[n]));
	}
	if (left == 1)
		return 1;
	if (p[1] != '\n')
		*(*out)++ = p[1];
	return 2;
}

static size_t escape_seq_step(const char *p, size_t left, char **out)
{
	unsigned value;
	size_t n;

	if (left == 1) {
		*(*out)++ = *p;
		return 1;
	}
	if (left >= 4 && byte_lower(p[1]) == 'x' && is_hex(p + 2, 2)) {
		*(*out)++ = (char)hex_value(p + 2, 2);
		return 4;
	}
	n = octal(p + 1, left - 1, &value);
	if (n) {
		*(*out)++ = (char)value;
		return n + 1;
	}
	if (!letter(p[1], *out))
		**out = p[1];
	(*out)++;
	return 2;
}

/* 0x and at least one pair of digits. */
static size_t sql_hex_step(const char *p, size_t left, char **out)
{
	size_t n = 2;

	if (left < 4 || byte_lower(p[1]) != 'x' || !is_hex(p + 2, 2)) {
		*(*out)++ = *p;
		return 1;
	}
	for (; n + 2 <= left && is_hex(p + n, 2); n += 2)
		*(*out)++ = (char)hex_value(p + n, 2);
	return n;
}

struct bytes t_js_decode(struct arena *a, struct bytes in)
{
	return transform_decode(a, in, "\\\\", js_step);
}

struct bytes t_css_decode(struct arena *a, struct bytes in)
{
	return transform_decode(a, in, "\\\\", css_step);
}

struct bytes t_escape_seq_decode(struct arena *a, struct bytes in)
{
	return transform_decode(a, in, "\\\\", escape_seq_step);
}

struct bytes t_sql_hex_decode(struct arena *a, struct bytes in)
{
	return transform_decode(a, in, "00", sql_hex_step);
}
