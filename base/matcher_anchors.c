/* matcher_anchors.c -- rewrites the anchors of one expression. */
#include "base/matcher_anchors.h"
#include "base/text.h"

enum { DEPTH_MAX = 250 }; /* PCRE2's own bound on nested groups */

/* What the pattern itself has switched on. */
struct flags {
	bool multiline; /* (?m) */
	bool extended;  /* (?x): '#' begins a comment */
};

struct rewrite {
	struct text out;
	struct bytes in;
	size_t at;
	struct flags flags[DEPTH_MAX]; /* by depth of groups */
	unsigned depth;
};

static bool rest_starts(const struct rewrite *r, const char *what)
{
	return bytes_starts(bytes_from(r->in, r->at), bytes_of(what));
}

static void copy(struct rewrite *r, size_t n)
{
	text_put(&r->out, bytes_sub(r->in, r->at, r->at + n));
	r->at = r->at + n < r->in.len ? r->at + n : r->in.len;
}

/* Copies up to and with `end`, or all that is left. */
static void copy_through(struct rewrite *r, const char *end)
{
	size_t found = bytes_find(bytes_from(r->in, r->at), bytes_of(end));

	copy(r, found == SIZE_MAX ? r->in.len - r->at : found + strlen(end));
}

static void escape(struct rewrite *r)
{
	char c = r->at + 1 < r->in.len ? r->in.at[r->at + 1] : '\0';

	if (c == 'Q')
		copy_through(r, "\\E");
	else
		copy(r, 2);
}

size_t matcher_posix_class(struct bytes at)
{
	if (!bytes_starts(at, BYTES("[:")))
		return 0;
	for (size_t i = 2; i + 1 < at.len; i++) {
		if (at.at[i] == ':' && at.at[i + 1] == ']')
			return i + 2;
		if (at.at[i] == ']' || (at.at[i] == '[' && at.at[i + 1] == ':'))
			return 0;
		i += at.at[i] == '\\' && (at.at[i + 1] == ']' || at.at[i + 1] == '\\');
	}
	return 0;
}

/* "[...]": a ']' first in it stands for itself, and so does "[:alpha:]". */
static void class(struct rewrite *r)
{
	copy(r, rest_starts(r, "[^") ? 2 : 1);
	if (rest_starts(r, "]"))
		copy(r, 1);
	while (r->at < r->in.len) {
		size_t posix = matcher_posix_class(bytes_from(r->in, r->at));
		char c = r->in.at[r->at];

		if (posix)
			copy(r, posix);
		else if (rest_starts(r, "\\Q"))
			copy_through(r, "\\E");
		else
			copy(r, c == '\\' ? 2 : 1);
		if (c == ']')
			return;
	}
}

/* "(?i-m:" or "(?m)": reads the letters, tells which of the two it is. */
static bool read_flags(const struct rewrite *r, struct flags *f, bool *own_group)
{
	bool on = true;

	for (size_t i = r->at + 2; i < r->in.len; i++) {
		char c = r->in.at[i];

		if (c == '-')
			on = false;
		else if (c == '^')
			*f = (struct flags){ 0 }; /* (?^...): back to none */
		else if (c == 'm')
			f->multiline = on;
		else if (c == 'x')
			f->extended = on;
		else if (c == ':' || c == ')')
			return *own_group = c == ':', true;
		else if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z'))
			return false; /* a look-around, a name, ... */
	}
	return false;
}

static bool open(struct rewrite *r)
{
	struct flags f = r->flags[r->depth];
	bool own_group = true;

	if (rest_starts(r, "(?#")) {
		copy_through(r, ")");
		return true;
	}
	if (rest_starts(r, "(?") && !read_flags(r, &f, &own_group)) {
		f = r->flags[r->depth];
		own_group = true;
	}
	if (!own_group) {
		r->flags[r->depth] = f;
		copy_through(r, ")");
		return true;
	}
	if (r->depth + 1 == DEPTH_MAX)
		return false;
	r->flags[++r->depth] = f;
	copy(r, 1);
	return true;
}

static void dollar(struct rewrite *r)
{
	text_str(&r->out, r->flags[r->depth].multiline ? "$" : "\\z");
	r->at++;
}

/* Hyperscan does not take one that ends with the pattern. */
static void drop_comment(struct rewrite *r)
{
	size_t line = bytes_index(bytes_from(r->in, r->at), '\n');

	r->at = line == SIZE_MAX ? r->in.len : r->at + line;
}

static bool rewrite(struct rewrite *r)
{
	while (r->at < r->in.len)
		switch (r->in.at[r->at]) {
		case '\0':
			return false;
		case '\\':
			escape(r);
			break;
		case '[':
			class(r);
			break;
		case '(':
			if (!open(r))
				return false;
			break;
		case ')':
			r->depth -= r->depth > 0;
			copy(r, 1);
			break;
		case '$':
			dollar(r);
			break;
		case '#':
			if (r->flags[r->depth].extended)
				drop_comment(r);
			else
				copy(r, 1);
			break;
		default:
			copy(r, 1);
		}
	return true;
}

static void literal(struct rewrite *r)
{
	for (size_t i = 0; i < r->in.len; i++)
		text_printf(&r->out, "\\x%02x", (unsigned char)r->in.at[i]);
}

const char *matcher_expression(struct arena *a, const struct pattern *p)
{
	size_t cap = p->text.len * 4 + 1; /* "\xNN" for a byte; "\z" for "$" */
	struct rewrite *r = arena_get(a, sizeof *r);
	char *out = arena_raw(a, cap);

	if (!r || !out)
		return NULL;
	r->out = text_over(out, cap);
	r->in = p->text;
	if (p->flags & PATTERN_LITERAL)
		literal(r);
	else if (!rewrite(r))
		return NULL;
	text_byte(&r->out, '\0');
	return r->out.full ? NULL : out;
}
