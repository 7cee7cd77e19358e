/* expr_lex.c -- source -> tokens, one at a time.
 *
 * Words such as `and` are names here; the parser knows which of them are operators. Escapes in texts are Go's, and so is
 * what is a number. */
#include "base/expr_tree.h"
#include "base/text.h"
#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>

bool expr_lex_error(struct expr_lexer *l, size_t at, const char *fmt, ...)
{
	unsigned line = 1, column = 1;
	char why[200];
	va_list ap;

	for (size_t i = 0; i < at && i < l->source.len; i++) {
		bool feed = l->source.at[i] == '\n';

		line += feed;
		column = feed ? 1 : column + 1;
	}
	va_start(ap, fmt);
	vsnprintf(why, sizeof why, fmt, ap);
	va_end(ap);
	return err_set(l->err, SIDE_CONFIG, 0, "%u:%u: %s", line, column, why);
}

static char peek(const struct expr_lexer *l, size_t ahead)
{
	return l->next + ahead < l->source.len ? l->source.at[l->next + ahead] : '\0';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_name(char c)
{
	return (byte_lower(c) >= 'a' && byte_lower(c) <= 'z') || c == '_' || c == '$' || (unsigned char)c >= 0x80 ||
	       is_digit(c);
}

/* Blanks and comments; false: a comment does not end. */
static bool skip(struct expr_lexer *l)
{
	for (;;) {
		struct bytes rest = bytes_from(l->source, l->next);
		size_t end;

		if (!rest.len)
			return true;
		if (bytes_index(BYTES(" \t\r\n\v\f"), rest.at[0]) != SIZE_MAX) {
			l->next++;
		} else if (bytes_starts(rest, BYTES("//"))) {
			end = bytes_index(rest, '\n');
			l->next += end == SIZE_MAX ? rest.len : end;
		} else if (bytes_starts(rest, BYTES("/*"))) {
			end = bytes_find(bytes_from(rest, 2), BYTES("*/"));
			if (end == SIZE_MAX)
				return expr_lex_error(l, l->next, "a comment that does not end");
			l->next += end + 4;
		} else {
			return true;
		}
	}
}

static bool put_rune(struct text *t, uint32_t r)
{
	char b[4] = { (char)(0xf0 | r >> 18), (char)(0x80 | (r >> 12 & 63)), (char)(0x80 | (r >> 6 & 63)),
		      (char)(0x80 | (r & 63)) };
	size_t n = r < 0x80 ? 1 : r < 0x800 ? 2 : r < 0x10000 ? 3 : 4;

	if (r > 0x10ffff || (r >= 0xd800 && r < 0xe000))
		return false;
	if (n == 1)
		b[3] = (char)r;
	else if (n == 2)
		b[2] = (char)(0xc0 | r >> 6);
	else if (n == 3)
		b[1] = (char)(0xe0 | r >> 12);
	text_put(t, (struct bytes){ b + 4 - n, n });
	return true;
}

/* `n` digits of a base, from s[*i] on. */
static bool digits(struct bytes s, size_t *i, unsigned n, unsigned base, uint32_t *out)
{
	for (*out = 0; n; n--, ++*i) {
		int d = *i < s.len ? byte_hex(s.at[*i]) : -1;

		if (d < 0 || (unsigned)d >= base)
			return false;
		*out = *out * base + (unsigned)d;
	}
	return true;
}

/* "\u{1F600}" */
static bool braced(struct bytes s, size_t *i, uint32_t *out)
{
	size_t from = ++*i;

	for (*out = 0; *i < s.len && s.at[*i] != '}' && *i - from < 6; ++*i) {
		int d = byte_hex(s.at[*i]);

		if (d < 0)
			return false;
		*out = *out << 4 | (unsigned)d;
	}
	return *i < s.len && *i > from && s.at[(*i)++] == '}';
}

/* What stands behind a backslash; s.at[*i] is the letter. */
static bool escape(struct text *t, struct bytes s, size_t *i)
{
	static const char from[] = "abfnrtv\\'\"`?", to[] = "\a\b\f\n\r\t\v\\'\"`?";
	char c = *i < s.len ? s.at[*i] : '\0';
	const char *plain = c ? strchr(from, c) : NULL;
	uint32_t r;

	if (plain) {
		text_byte(t, to[plain - from]);
		++*i;
		return true;
	}
	if (c >= '0' && c <= '3') {
		if (!digits(s, i, 3, 8, &r))
			return false;
		text_byte(t, (char)r);
		return true;
	}
	++*i;
	if (c == 'x' || c == 'X') {
		if (!digits(s, i, 2, 16, &r))
			return false;
		text_byte(t, (char)r);
		return true;
	}
	if (c == 'u' && *i < s.len && s.at[*i] == '{')
		return braced(s, i, &r) && put_rune(t, r);
	return (c == 'u' || c == 'U') && digits(s, i, c == 'u' ? 4 : 8, 16, &r) && put_rune(t, r);
}

static bool unescape(struct expr_lexer *l, struct bytes s)
{
	char *room = arena_raw(l->arena, s.len + 1); /* an escape is never shorter than what it stands for */
	struct text t = text_over(room, s.len);

	if (!room)
		return err_set(l->err, SIDE_SELF, 0, "out of memory");
	for (size_t i = 0; i < s.len;) {
		size_t at = i;

		if (s.at[i++] != '\\')
			text_byte(&t, s.at[at]);
		else if (!escape(&t, s, &i))
			return expr_lex_error(l, l->at + 1 + at, "no such escape in a text");
	}
	l->text = text_bytes(&t);
	return true;
}

static bool text(struct expr_lexer *l, char quote)
{
	size_t from = l->next + 1, i = from;

	for (; i < l->source.len && l->source.at[i] != quote; i++)
		if (l->source.at[i] == '\\' && quote != '`')
			i++;
	if (i >= l->source.len)
		return expr_lex_error(l, l->at, "a text that does not end");
	l->kind = TOKEN_TEXT;
	l->next = i + 1;
	l->text = bytes_sub(l->source, from, i);
	return quote == '`' || bytes_index(l->text, '\\') == SIZE_MAX || unescape(l, l->text);
}

static bool integer(struct expr_lexer *l, struct bytes d, unsigned base)
{
	uint64_t n = 0;

	for (size_t i = 0; i < d.len; i++) {
		int v = byte_hex(d.at[i]);

		if (v < 0 || (unsigned)v >= base || n > ((uint64_t)INT64_MAX - (unsigned)v) / base)
			return expr_lex_error(l, l->at, "no number, or one that is too large");
		n = n * base + (unsigned)v;
	}
	l->value = expr_int_value((int64_t)n);
	return d.len > 0 || expr_lex_error(l, l->at, "a number without digits");
}

/* The end of the number at l->next. */
static size_t number_end(const struct expr_lexer *l, bool *real)
{
	bool hex = peek(l, 0) == '0' && byte_lower(peek(l, 1)) == 'x';
	size_t i = 0;

	while (is_name(peek(l, i)) || (!hex && peek(l, i) == '.' && is_digit(peek(l, i + 1)) && !*real)) {
		char c = byte_lower(peek(l, i));

		*real = *real || c == '.' || (c == 'e' && !hex);
		i++;
		if (c == 'e' && !hex && (peek(l, i) == '+' || peek(l, i) == '-'))
			i++;
	}
	return l->next + i;
}

static bool number(struct expr_lexer *l)
{
	char plain[64];
	bool real = false;
	size_t n = 0, end = number_end(l, &real);
	char *stop;

	l->kind = TOKEN_NUMBER;
	l->text = bytes_sub(l->source, l->next, end);
	l->next = end;
	for (size_t i = 0; i < l->text.len && n + 1 < sizeof plain; i++)
		if (l->text.at[i] != '_')
			plain[n++] = l->text.at[i];
	plain[n] = '\0';
	if (n + 1 == sizeof plain)
		return expr_lex_error(l, l->at, "a number that is too long");
	if (real) {
		l->value = expr_float_value(strtod(plain, &stop));
		return (!*stop && isfinite(l->value.real)) ||
		       expr_lex_error(l, l->at, "no number, or one that is too large");
	}
	if (plain[0] == '0' && n > 1 && strchr("xbo", byte_lower(plain[1])))
		return integer(l, (struct bytes){ plain + 2, n - 2 },
			       byte_lower(plain[1]) == 'x'   ? 16
			       : byte_lower(plain[1]) == 'b' ? 2
							     : 8);
	return integer(l, (struct bytes){ plain, n }, 10);
}

static bool symbol(struct expr_lexer *l)
{
	static const char *const two[] = { "?.", "??", "||", "&&", "==", "!=", "<=", ">=", "**", ".." };
	struct bytes rest = bytes_from(l->source, l->next);
	size_t n = 1;

	for (size_t i = 0; i < nelems(two); i++)
		if (bytes_starts(rest, bytes_of(two[i])))
			n = 2;
	if (n == 1 && bytes_index(BYTES("?:.()[]{},;<>=!+-*/%^|#"), rest.at[0]) == SIZE_MAX)
		return expr_lex_error(l, l->at, "an unexpected byte 0x%02x", (unsigned char)rest.at[0]);
	l->kind = TOKEN_SYMBOL;
	l->text = bytes_sub(rest, 0, n);
	l->next += n;
	return true;
}

static bool name(struct expr_lexer *l)
{
	size_t n = 0;

	while (l->next + n < l->source.len && is_name(peek(l, n)))
		n++;
	l->kind = TOKEN_NAME;
	l->text = bytes_sub(l->source, l->next, l->next + n);
	l->next += n;
	return true;
}

bool expr_lex_next(struct expr_lexer *l)
{
	char c;

	if (!skip(l))
		return false;
	l->at = l->next;
	c = peek(l, 0);
	if (l->next == l->source.len) {
		l->kind = TOKEN_END;
		l->text = BYTES("the end");
		return true;
	}
	if (is_digit(c) || (c == '.' && is_digit(peek(l, 1))))
		return number(l);
	if (is_name(c))
		return name(l);
	if (c == '"' || c == '\'' || c == '`')
		return text(l, c);
	return symbol(l);
}
