/* transform_html.c -- HTML character references, as single bytes.
 *
 * ModSecurity knows five names, and CRS's expressions look for the others as they
 * stand. CrowdSec's rules rest on Coraza, which knows them all, and browsers do:
 * `javascript&colon;` is an attack as much as `javascript&#58;`. So there are two
 * transformations; the second has all names of HTML 5 that stand for an ASCII byte.
 * The five old ones need no semicolon, in browsers neither: `&ltscript` begins a tag. */
#include "rules/transform_steps.h"

enum { OLD_NAMES = 5 };

static const struct {
	struct bytes name;
	char byte;
	bool bare; /* without a semicolon too; letters may follow */
} names[] = { /* ModSecurity's first */
	{ { "quot", 4 },           '"',  true  },
	{ { "amp", 3 },            '&',  true  },
	{ { "lt", 2 },             '<',  true  },
	{ { "gt", 2 },             '>',  true  },
	{ { "nbsp", 4 },           '\xa0', true  },
	{ { "Tab", 3 },            '\t', false },
	{ { "NewLine", 7 },        '\n', false },
	{ { "excl", 4 },           '!',  false },
	{ { "num", 3 },            '#',  false },
	{ { "dollar", 6 },         '$',  false },
	{ { "percnt", 6 },         '%',  false },
	{ { "apos", 4 },           '\'', false },
	{ { "lpar", 4 },           '(',  false },
	{ { "rpar", 4 },           ')',  false },
	{ { "ast", 3 },            '*',  false },
	{ { "midast", 6 },         '*',  false },
	{ { "plus", 4 },           '+',  false },
	{ { "comma", 5 },          ',',  false },
	{ { "period", 6 },         '.',  false },
	{ { "sol", 3 },            '/',  false },
	{ { "colon", 5 },          ':',  false },
	{ { "semi", 4 },           ';',  false },
	{ { "equals", 6 },         '=',  false },
	{ { "quest", 5 },          '?',  false },
	{ { "commat", 6 },         '@',  false },
	{ { "lsqb", 4 },           '[',  false },
	{ { "lbrack", 6 },         '[',  false },
	{ { "bsol", 4 },           '\\', false },
	{ { "rsqb", 4 },           ']',  false },
	{ { "rbrack", 6 },         ']',  false },
	{ { "Hat", 3 },            '^',  false },
	{ { "lowbar", 6 },         '_',  false },
	{ { "UnderBar", 8 },       '_',  false },
	{ { "grave", 5 },          '`',  false },
	{ { "DiacriticalGrave", 16 }, '`', false },
	{ { "lcub", 4 },           '{',  false },
	{ { "lbrace", 6 },         '{',  false },
	{ { "vert", 4 },           '|',  false },
	{ { "verbar", 6 },         '|',  false },
	{ { "VerticalLine", 12 },  '|',  false },
	{ { "rcub", 4 },           '}',  false },
	{ { "rbrace", 6 },         '}',  false },
};

/* Takes the semicolon too, when it is there. */
static size_t with_semicolon(const char *p, size_t n, size_t left)
{
	return n + (n < left && p[n] == ';');
}

static size_t raw(const char *p, char **out)
{
	*(*out)++ = *p;
	return 1;
}

/* &#60; &#x3c; and both without the semicolon. Any number of digits; the low
 * byte of the code point is given, as ModSecurity does. */
static size_t number_step(const char *p, size_t left, char **out)
{
	unsigned base = left > 2 && byte_lower(p[2]) == 'x' ? 16 : 10, value = 0;
	size_t from = base == 16 ? 3 : 2, n = from;
	int digit;

	for (; n < left && (digit = byte_hex(p[n])) >= 0 && digit < (int)base; n++)
		value = value > 0x10ffff ? 0xffffffff : value * base + (unsigned)digit;
	if (n == from)
		return raw(p, out);
	*(*out)++ = (char)value;
	return with_semicolon(p, n, left);
}

/* ModSecurity compares the whole run of letters and digits. */
static size_t old_step(const char *p, size_t left, char **out)
{
	size_t n = 1;

	if (left > 2 && p[1] == '#')
		return number_step(p, left, out);
	while (n < left && (byte_hex(p[n]) >= 0 || (byte_lower(p[n]) >= 'a' && byte_lower(p[n]) <= 'z')))
		n++;
	for (size_t i = 0; i < OLD_NAMES; i++)
		if (bytes_eq_nocase((struct bytes){ p + 1, n - 1 }, names[i].name)) {
			*(*out)++ = names[i].byte;
			return with_semicolon(p, n, left);
		}
	return raw(p, out);
}

static size_t html_step(const char *p, size_t left, char **out)
{
	struct bytes rest = { p + 1, left - 1 };
	char first = left > 1 ? byte_lower(p[1]) : '\0';

	if (left > 2 && first == '#')
		return number_step(p, left, out);
	for (size_t i = 0; first >= 'a' && first <= 'z' && i < nelems(names); i++) {
		size_t n = names[i].name.len + 1;

		if (byte_lower(names[i].name.at[0]) != first ||
		    !bytes_starts_nocase(rest, names[i].name))
			continue;
		if (names[i].bare || (n < left && p[n] == ';')) {
			*(*out)++ = names[i].byte;
			return with_semicolon(p, n, left);
		}
	}
	return raw(p, out);
}

struct bytes t_html_entity_decode(struct arena *a, struct bytes in)
{
	return transform_decode(a, in, "&&", old_step);
}

struct bytes t_html_entity_decode_all(struct arena *a, struct bytes in)
{
	return transform_decode(a, in, "&&", html_step);
}
