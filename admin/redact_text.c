/* redact_text.c -- where secrets stand in text of no known syntax, or of several, one within the other.
 *
 * A character may be written as it is, as %XX any number of times over, or as \u00XX: what a server will decode is
 * read here too. A secret is what follows a secret name and '=' or ':', or stands in an element of that name. In doubt more is
 * taken out: an end that is not found is the end of the text. One pass, whatever the text. */
#include "admin/redact.h"

enum { NAME = 128, LOOK_BACK = 8192 };

struct glyph {
	char c;
	unsigned depth; /* how often it is encoded */
	size_t len;
};

struct span {
	size_t from, to;
};

struct scan {
	const struct redact *redact;
	struct bytes text;
	const char *ends; /* of a value, beside those of any text */
	size_t at;
	char name[NAME];  /* the word before `at` */
	size_t n;
	bool ended, quoted; /* blanks or quotes stand behind it */
};

static bool is_in(char c, const char *set)
{
	return c != '\0' && strchr(set, c);
}

static bool is_hex(struct bytes b, size_t i, size_t n)
{
	for (size_t end = i + n; i < end; i++)
		if (i >= b.len || byte_hex(b.at[i]) < 0)
			return false;
	return true;
}

static void read_percent(struct bytes b, size_t i, struct glyph *g)
{
	size_t hex = i + 1;
	unsigned depth = 1;

	for (; bytes_eq(bytes_sub(b, hex, hex + 2), BYTES("25")) && is_hex(b, hex + 2, 2); hex += 2)
		depth++;
	if (is_hex(b, hex, 2))
		*g = (struct glyph){ (char)(byte_hex(b.at[hex]) << 4 | byte_hex(b.at[hex + 1])), depth, hex + 2 - i };
}

static void read_unicode(struct bytes b, size_t i, struct glyph *g)
{
	if (bytes_eq(bytes_sub(b, i + 1, i + 4), BYTES("u00")) && is_hex(b, i + 4, 2))
		*g = (struct glyph){ (char)(byte_hex(b.at[i + 4]) << 4 | byte_hex(b.at[i + 5])), 1, 6 };
}

/* With the NULs behind it, so that UTF-16 reads as ASCII. */
static struct glyph glyph_at(struct bytes b, size_t i)
{
	struct glyph g = { b.at[i], 0, 1 };

	if (g.c == '%')
		read_percent(b, i, &g);
	else if (g.c == '\\')
		read_unicode(b, i, &g);
	while (i + g.len < b.len && b.at[i + g.len] == '\0')
		g.len++;
	return g;
}

/* The n-th glyph of a run may be the last one. */
static struct glyph glyph_or_end(struct bytes b, size_t i)
{
	return i < b.len ? glyph_at(b, i) : (struct glyph){ 0 };
}

static void name_take(struct scan *s, char c)
{
	if (is_in(c, " \t\"'\\")) {
		s->ended = true;
		s->quoted = is_in(c, "\"'");
	} else if (is_in(c, "\r\n&;?,{}=:<>()/|")) {
		s->n = 0;
	} else {
		s->n = s->ended ? 0 : s->n;
		if (s->n < NAME)
			s->name[s->n++] = c;
		s->ended = s->quoted = false;
	}
}

static bool name_is_secret(const struct scan *s)
{
	return redact_is_secret(s->redact, (struct bytes){ s->name, s->n });
}

/* In a head "Cookie: a=1; b=2" goes on to the end of its line. */
static bool is_field_line(const struct scan *s, char separator)
{
	struct bytes name = { s->name, s->n };

	return separator == ':' && !s->quoted &&
	       (bytes_eq_nocase(bytes_from(name, name.len - 6), BYTES("cookie")) ||
		bytes_eq_nocase(bytes_from(name, name.len - 13), BYTES("authorization")));
}

/* From behind an opening quote that `slashes` backslashes stand before: its partner has as many, one within has more. */
static size_t quote_end(struct bytes b, size_t i, struct glyph quote, size_t slashes)
{
	size_t run = 0, slash = 1;

	for (struct glyph g; i < b.len; i += g.len) {
		g = glyph_at(b, i);
		if (g.c == quote.c && g.depth == quote.depth && run % (2 * (slashes + 1)) == slashes)
			return i - slashes * slash;
		run = g.c == '\\' ? run + 1 : 0;
		slash = g.len;
	}
	return b.len;
}

static size_t bracket_end(struct bytes b, size_t i)
{
	struct glyph g = glyph_at(b, i);
	const unsigned depth = g.depth;
	size_t open = 0;

	for (; i < b.len; i += g.len) {
		g = glyph_at(b, i);
		if (g.depth != depth)
			continue;
		if (g.c == '"') {
			i = quote_end(b, i + g.len, g, 0);
			if (i == b.len)
				return i;
		}
		open += g.c == '[' || g.c == '{';
		if ((g.c == ']' || g.c == '}') && --open == 0)
			return i + g.len;
	}
	return b.len;
}

/* What ends a value is no deeper encoded than what began it. */
static size_t word_end(const struct scan *s, size_t i, struct glyph separator)
{
	const char *ends = is_field_line(s, separator.c) ? "\r\n" : separator.c == ':' ? ",}\r\n\"'<" : "&;\r\n\"'<";

	for (struct glyph g; i < s->text.len; i += g.len) {
		g = glyph_at(s->text, i);
		if (g.depth <= separator.depth && (is_in(g.c, ends) || is_in(g.c, s->ends)))
			break;
	}
	return i;
}

/* Behind the separator. False: there is nothing. */
static bool value_span(struct scan *s, struct glyph separator, struct span *out)
{
	const struct bytes b = s->text;
	size_t i = s->at, slashes = 0;
	struct glyph g;

	while ((g = glyph_or_end(b, i)).len && is_in(g.c, " \t=>:"))
		i += g.len;
	out->from = i;
	for (; (g = glyph_or_end(b, i)).len && g.c == '\\'; i += g.len)
		slashes++;
	if (g.len && is_in(g.c, "\"'")) {
		out->from = i + g.len;
		out->to = quote_end(b, out->from, g, slashes);
	} else if (g.len && is_in(g.c, "[{")) {
		out->to = bracket_end(b, i);
	} else {
		out->to = word_end(s, out->from, separator);
	}
	if (out->to < out->from)
		out->to = out->from;
	s->at = out->to;
	s->n = 0;
	return out->from < out->to;
}

/* At most NAME bytes; *i is behind it. */
static struct bytes element_name(struct bytes b, size_t *i, char buf[NAME])
{
	size_t n = 0;

	for (struct glyph g; (g = glyph_or_end(b, *i)).len && !is_in(g.c, " \t\r\n<>/\"'="); *i += g.len)
		if (n < NAME)
			buf[n++] = g.c;
	return (struct bytes){ buf, n };
}

static size_t element_end(struct bytes b, size_t i, struct bytes name)
{
	char buf[NAME];
	struct glyph last = { 0 }, g;

	for (size_t behind; i < b.len; i += g.len, last = g) {
		g = glyph_at(b, i);
		if (g.c != '/' || last.c != '<')
			continue;
		behind = i + g.len;
		if (bytes_eq_nocase(element_name(b, &behind, buf), name))
			return i - last.len;
	}
	return b.len;
}

/* <password>: all up to its end; behind the '<'. */
static bool element_span(struct scan *s, struct span *out)
{
	char buf[NAME];
	size_t i = s->at;
	struct bytes name = element_name(s->text, &i, buf);
	struct glyph g = glyph_or_end(s->text, i);

	s->n = 0;
	if (!redact_is_secret(s->redact, name))
		return false;
	out->from = g.c == '>' ? i + g.len : i;
	out->to = element_end(s->text, out->from, name);
	s->at = out->to;
	return out->from < out->to;
}

static bool next_secret(struct scan *s, struct span *out)
{
	while (s->at < s->text.len) {
		struct glyph g = glyph_at(s->text, s->at);

		s->at += g.len;
		if (g.c == '<' ? element_span(s, out) :
		    (g.c == '=' || g.c == ':') && name_is_secret(s) && value_span(s, g, out))
			return true;
		if (s->at < s->text.len)
			name_take(s, g.c);
	}
	return false;
}

/* Nothing separates a name from a value, and nothing hides that. */
static bool is_plain(struct bytes b)
{
	return b.len == 0 || (!memchr(b.at, '=', b.len) && !memchr(b.at, ':', b.len) && !memchr(b.at, '%', b.len) &&
			      !memchr(b.at, '<', b.len) && !memchr(b.at, '\\', b.len));
}

static void put_safe(struct text *t, struct scan s, size_t from)
{
	struct span secret;

	if (is_plain(s.text)) {
		text_put(t, bytes_from(s.text, from));
		return;
	}
	while (next_secret(&s, &secret)) {
		if (secret.to <= from)
			continue;
		if (secret.from > from)
			text_put(t, bytes_sub(s.text, from, secret.from));
		text_put(t, redacted);
		from = secret.to;
	}
	text_put(t, bytes_from(s.text, from));
}

void redact_loose(struct text *t, const struct redact *r, struct bytes value, size_t from, size_t to)
{
	size_t begin = from > LOOK_BACK ? from - LOOK_BACK : 0;

	put_safe(t, (struct scan){ .redact = r, .text = bytes_sub(value, begin, to), .ends = "" }, from - begin);
}

void redact_path(struct text *t, const struct redact *r, struct bytes path)
{
	put_safe(t, (struct scan){ .redact = r, .text = path, .ends = "/" }, 0);
}

bool redact_is_secret_argument(const struct redact *r, struct bytes name)
{
	char buf[NAME];
	size_t n = 0;

	for (struct glyph g; (g = glyph_or_end(name, 0)).len && n < NAME; name = bytes_from(name, g.len))
		buf[n++] = g.c;
	return redact_is_secret(r, (struct bytes){ buf, n });
}

/* What a secret name stands before goes on to the next '&', whatever is in it: a ';' may be part of a password. */
void redact_query(struct text *t, const struct redact *r, struct bytes query)
{
	for (size_t end; query.len; query = bytes_from(query, end + 1)) {
		struct bytes pair, name;

		end = bytes_index(query, '&');
		pair = bytes_sub(query, 0, end);
		name = bytes_sub(pair, 0, bytes_index(pair, '='));
		if (name.len < pair.len && redact_is_secret_argument(r, name)) {
			text_put(t, bytes_sub(pair, 0, name.len + 1));
			text_put(t, redacted);
		} else {
			redact_loose(t, r, pair, 0, pair.len);
		}
		if (end == SIZE_MAX)
			break;
		text_byte(t, '&');
	}
}

/* "//user:password@host" */
static size_t put_origin(struct text *t, struct bytes url)
{
	size_t slashes = bytes_find(url, BYTES("//")), host, at;

	if (slashes == SIZE_MAX || slashes > bytes_index(url, '?'))
		return 0;
	host = slashes + 2;
	while (host < url.len && !is_in(url.at[host], "/?#"))
		host++;
	for (at = host; at > slashes + 2 && url.at[at - 1] != '@'; at--)
		;
	text_put(t, bytes_sub(url, 0, slashes + 2));
	if (at > slashes + 2) {
		text_put(t, redacted);
		at--;
	}
	text_put(t, bytes_sub(url, at, host));
	return host;
}

void redact_url(struct text *t, const struct redact *r, struct bytes url)
{
	struct bytes rest = bytes_from(url, put_origin(t, url)), path, query;
	size_t end = 0;

	while (end < rest.len && rest.at[end] != '?' && rest.at[end] != '#')
		end++;
	path = bytes_sub(rest, 0, end);
	redact_path(t, r, path);
	for (rest = bytes_from(rest, end); rest.len; rest = bytes_from(rest, 1 + query.len)) {
		text_byte(t, rest.at[0]);
		query = bytes_sub(bytes_from(rest, 1), 0, bytes_index(bytes_from(rest, 1), '#'));
		redact_query(t, r, query);
	}
}
