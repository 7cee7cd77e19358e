/* content_type.c -- media types, parameters and the charsets that hide text. */
#include "rules/body/content_type.h"

static bool is_token(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c));
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static size_t blanks(struct bytes s)
{
	size_t i = 0;

	while (i < s.len && is_blank(s.at[i]))
		i++;
	return i;
}

static size_t until(struct bytes s, const char *stops)
{
	size_t i = 0;

	while (i < s.len && !(s.at[i] && strchr(stops, s.at[i])))
		i++;
	return i;
}

/* The text between the quotes; *rest moves behind the closing one. */
static struct bytes cut_quoted(struct bytes *rest, bool *closed)
{
	struct bytes s = bytes_from(*rest, 1);
	size_t i = 0;

	while (i < s.len && s.at[i] != '"')
		i += s.at[i] == '\\' && i + 1 < s.len ? 2 : 1;
	*closed = i < s.len;
	*rest = bytes_from(s, i + 1);
	return bytes_sub(s, 0, i);
}

/* Takes quoted-pairs apart (RFC 9110 5.6.4). */
static struct bytes unescape(struct arena *a, struct bytes raw)
{
	char *out;
	size_t n = 0;

	if (bytes_index(raw, '\\') == SIZE_MAX)
		return raw;
	out = arena_raw(a, raw.len);
	if (!out)
		return (struct bytes){ 0 };
	for (size_t i = 0; i < raw.len; i++) {
		if (raw.at[i] == '\\' && i + 1 < raw.len)
			i++;
		out[n++] = raw.at[i];
	}
	return (struct bytes){ out, n };
}

static void cut_name(struct bytes *rest, struct param *out)
{
	out->name = bytes_sub(*rest, 0, until(*rest, "=; \t\""));
	*rest = bytes_from(*rest, out->name.len);
	if (bytes_ends(out->name, BYTES("*"))) {
		out->star = true;
		out->name.len--;
	}
}

static void cut_value(struct arena *a, struct bytes *rest, struct param *out)
{
	bool closed;

	if (rest->len && rest->at[0] == '"') {
		out->quoted = true;
		out->raw = cut_quoted(rest, &closed);
		out->value = unescape(a, out->raw);
		out->bad |= !closed || (rest->len && !strchr("; \t", rest->at[0]));
	} else {
		out->raw = out->value = bytes_sub(*rest, 0, until(*rest, "; \t"));
		*rest = bytes_from(*rest, out->raw.len);
	}
}

bool param_cut(struct arena *a, struct bytes *rest, struct param *out)
{
	struct bytes s = *rest;
	bool semicolon = false;
	size_t gap;

	*out = (struct param){ .value = { "", 0 }, .raw = { "", 0 } };
	for (; s.len && (is_blank(s.at[0]) || s.at[0] == ';'); s = bytes_from(s, 1))
		semicolon |= s.at[0] == ';';
	*rest = s;
	if (s.len == 0)
		return false;
	out->no_semicolon = !semicolon;
	cut_name(rest, out);
	gap = blanks(*rest);
	if (gap < rest->len && rest->at[gap] == '=') {
		*rest = bytes_from(*rest, gap + 1);
		out->bad = gap > 0 || blanks(*rest) > 0 || out->name.len == 0;
		*rest = bytes_from(*rest, blanks(*rest));
		cut_value(a, rest, out);
	} else {
		out->bad = true;
		if (rest->len && rest->at[0] == '"') /* a stray quote: step over it */
			*rest = bytes_from(*rest, 1);
	}
	return out->value.at != NULL;
}

static const struct {
	const char *prefix;
	bool wide;
} charsets[] = {
	{ "utf-8",        false },
	{ "utf8",         false },
	{ "us-ascii",     false },
	{ "ascii",        false },
	{ "iso-8859-",    false },
	{ "iso8859-",     false },
	{ "latin1",       false },
	{ "windows-125",  false },
	{ "cp125",        false },
	{ "koi8-",        false },
	{ "utf-7",        true  },
	{ "utf7",         true  },
	{ "utf-16",       true  },
	{ "utf16",        true  },
	{ "utf-32",       true  },
	{ "utf32",        true  },
	{ "ucs-",         true  },
	{ "ucs2",         true  },
	{ "ucs4",         true  },
	{ "unicode",      true  },
	{ "iso-10646-",   true  },
	{ "x-imap",       true  },
	{ "ibm",          true  },
	{ "cp037",        true  },
	{ "cp500",        true  },
	{ "cp10",         true  },
	{ "ebcdic",       true  },
};

unsigned charset_flags(struct bytes name)
{
	for (size_t i = 0; i < nelems(charsets); i++)
		if (bytes_starts_nocase(name, bytes_of(charsets[i].prefix)))
			return charsets[i].wide ? TYPE_CHARSET_WIDE : 0;
	return TYPE_CHARSET_UNKNOWN;
}

/* bchars of RFC 2046 5.1.1, of which a blank may not be the last, and what else
 * a token may hold: "boundary=*****" stands in many tutorials. */
static bool boundary_ok(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if (!is_token(b.at[i]) && !(b.at[i] && strchr("(),/:=? ", b.at[i])))
			return false;
	return b.len > 0 && b.len <= 70 && b.at[b.len - 1] != ' ';
}

static bool lower(struct arena *a, struct bytes in, struct bytes *out)
{
	char *p = arena_raw(a, in.len + 1);

	if (!p)
		return false;
	for (size_t i = 0; i < in.len; i++)
		p[i] = byte_lower(in.at[i]);
	*out = (struct bytes){ p, in.len };
	return true;
}

static bool take_charset(struct arena *a, struct bytes value, struct content_type *out)
{
	struct bytes name;

	if (!lower(a, value, &name))
		return false;
	out->flags |= charset_flags(name);
	if (out->charset.len == 0)
		out->charset = name;
	else if (!bytes_eq(out->charset, name))
		out->flags |= TYPE_CHARSET_TWICE;
	return true;
}

static void take_boundary(const struct param *p, struct content_type *out)
{
	out->flags |= (p->quoted ? TYPE_BOUNDARY_QUOTED : 0) |
		      (boundary_ok(p->value) ? 0 : TYPE_BOUNDARY_INVALID) |
		      (out->boundary.at ? TYPE_BOUNDARY_TWICE : 0);
	if (!out->boundary.at)
		out->boundary = p->value;
	out->boundary_last = p->value;
}

static bool take_param(struct arena *a, const struct param *p, struct content_type *out)
{
	bool charset = bytes_eq_nocase(p->name, BYTES("charset"));
	bool boundary = bytes_eq_nocase(p->name, BYTES("boundary"));

	if (p->bad && p->quoted)
		out->flags |= TYPE_BAD_QUOTING;
	if (p->bad || p->no_semicolon || (p->star && (charset || boundary)))
		out->flags |= TYPE_MALFORMED;
	if (charset)
		return take_charset(a, p->value, out);
	if (boundary)
		take_boundary(p, out);
	return true;
}

static bool media_ok(struct bytes m)
{
	size_t slash = bytes_index(m, '/');

	for (size_t i = 0; i < m.len; i++)
		if (!is_token(m.at[i]) && i != slash)
			return false;
	return slash > 0 && slash != SIZE_MAX && slash + 1 < m.len;
}

bool content_type_parse(struct arena *a, struct bytes field, struct content_type *out)
{
	struct bytes rest = bytes_trim(field);
	struct bytes media = bytes_sub(rest, 0, until(rest, "; \t"));
	struct param p;

	*out = (struct content_type){ .charset = { "", 0 } };
	if (!lower(a, media, &out->media))
		return false;
	if (field.len && !media_ok(media))
		out->flags |= TYPE_MALFORMED;
	rest = bytes_from(rest, media.len);
	while (param_cut(a, &rest, &p))
		if (!take_param(a, &p, out))
			return false;
	return p.value.at != NULL;
}
