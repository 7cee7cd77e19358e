/* literal.c -- reads an expression for the literal that its matches share.
 *
 * A branch is a row of atoms. A run of plain bytes grows until something comes
 * that may be absent, repeated or unknown; the longest run counts. Groups bring
 * their own, alternatives the shortest of theirs. */
#include "rules/literal.h"
#include "base/text.h"

enum { DEPTH_MAX = 100 };

struct reader {
	struct arena *arena;
	struct bytes in;
	size_t at;
	unsigned depth;
	bool extended;  /* (?x): blanks and comments mean nothing */
	bool lost;      /* not understood: nothing holds */
	bool spoilable; /* a neighbour in a joined string could change the outcome */
};

static struct literal alternatives(struct reader *r);

static bool more(const struct reader *r)
{
	return !r->lost && r->at < r->in.len;
}

static char peek(const struct reader *r, size_t ahead)
{
	return r->at + ahead < r->in.len ? r->in.at[r->at + ahead] : '\0';
}

static bool ahead_is(const struct reader *r, const char *what)
{
	return bytes_starts(bytes_from(r->in, r->at), bytes_of(what));
}

/* How often an atom must be there. */
enum often { ONCE, MAYBE, REPEATED };

static size_t digits(const struct reader *r, size_t from)
{
	size_t i = from;

	while (peek(r, i) >= '0' && peek(r, i) <= '9')
		i++;
	return i - from;
}

/* "{3}", "{3,}" or "{0,3}"; any other brace is a byte like others. PCRE2's next
 * release takes "{,3}" for a quantifier too, so that one is not understood. */
static enum often braces(struct reader *r)
{
	size_t low = digits(r, 1), high = 0, end = 1 + low;
	bool zero = true;

	r->lost |= peek(r, 1) == ',';
	if (peek(r, end) == ',') {
		high = digits(r, end + 1);
		end += 1 + high;
	}
	if (!low || peek(r, end) != '}')
		return ONCE;
	for (size_t i = 1; i <= low; i++)
		zero &= peek(r, i) == '0';
	r->at += end + 1;
	return zero ? MAYBE : REPEATED;
}

/* Under (?x), blanks and comments. */
static void skip_blank(struct reader *r)
{
	while (r->extended && more(r) && peek(r, 0) && strchr(" \t\n\v\f\r#", peek(r, 0))) {
		size_t line = bytes_index(bytes_from(r->in, r->at), '\n');

		if (peek(r, 0) != '#')
			r->at++;
		else
			r->at = line == SIZE_MAX ? r->in.len : r->at + line + 1;
	}
}

static enum often quantifier(struct reader *r)
{
	enum often often = ONCE;
	char c;

	skip_blank(r);
	c = peek(r, 0);
	if (!more(r) || !(c == '*' || c == '+' || c == '?' || c == '{'))
		return ONCE;
	if (c == '{') {
		size_t before = r->at;

		often = braces(r);
		if (r->at == before)
			return ONCE;
	} else {
		often = c == '+' ? REPEATED : MAYBE;
		r->at++;
	}
	if (peek(r, 0) == '?' && more(r))
		r->at++;
	if (peek(r, 0) == '+' && more(r)) {
		r->spoilable = true; /* possessive */
		r->at++;
	}
	return often;
}

/* "[...]": not a run, unless it is one byte in brackets. */
static bool class(struct reader *r, char *single)
{
	size_t start = ++r->at, n = 0;

	r->at += peek(r, 0) == '^';
	r->at += peek(r, 0) == ']';
	for (; more(r) && peek(r, 0) != ']'; n++) {
		if (ahead_is(r, "[:")) {
			size_t end = bytes_find(bytes_from(r->in, r->at), BYTES(":]"));

			r->at += end == SIZE_MAX ? 1 : end + 2;
		} else if (ahead_is(r, "\\Q")) {
			r->lost = true;
		} else {
			r->at += peek(r, 0) == '\\' ? 2 : 1;
		}
	}
	r->lost |= r->at >= r->in.len;
	*single = r->in.at[start];
	r->at++;
	return r->at - start == 2 && *single != '^' && *single != '\\';
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

enum atom {
	ATOM_BYTE,    /* this very byte */
	ATOM_UNKNOWN, /* takes something */
	ATOM_EMPTY,   /* takes nothing: an anchor, a word boundary */
};

static enum atom escape(struct reader *r, char *byte)
{
	char c = peek(r, 1);

	r->lost |= r->at + 1 >= r->in.len;
	r->at += 2;
	if (c == 'x' && hex(peek(r, 0)) >= 0 && hex(peek(r, 1)) >= 0) {
		*byte = (char)(hex(peek(r, 0)) << 4 | hex(peek(r, 1)));
		r->at += 2;
		return ATOM_BYTE;
	}
	if (c && strchr("bBAzZ", c))
		return ATOM_EMPTY;
	if (c && strchr("dDsSwWvVhHNR", c))
		return ATOM_UNKNOWN;
	if (c && strchr("nrtfea", c)) {
		*byte = "\n\r\t\f\033\a"[strchr("nrtfea", c) - "nrtfea"];
		return ATOM_BYTE;
	}
	if (c >= '1' && c <= '9') {
		while (peek(r, 0) >= '0' && peek(r, 0) <= '9')
			r->at++;
		r->spoilable = true; /* a back reference, or octal */
		return ATOM_UNKNOWN;
	}
	/* Other letters are properties, \Q, \K, \G, ... */
	r->lost |= c == '0' || ((c | 32) >= 'a' && (c | 32) <= 'z');
	*byte = c;
	return ATOM_BYTE;
}

/* Behind "(?": flags only, as "(?i)" or "(?s:". */
static bool flags(struct reader *r)
{
	for (; more(r) && !ahead_is(r, "xx"); r->at++) {
		char c = peek(r, 0);

		if (c == ')' || c == ':')
			return true;
		if (c == 'x')
			r->extended = true;
		else if (c != 'i' && c != 's' && c != 'm')
			break; /* - may switch m off, xx changes classes */
	}
	return false;
}

/* Behind '(': what kind of group it is, and past its introduction. */
enum kind { GROUP, LOOK_AROUND, SETTING };

static enum kind introduction(struct reader *r)
{
	bool setting;
	size_t name;

	if (peek(r, 0) != '?') {
		r->lost |= peek(r, 0) == '*'; /* (*VERB) */
		return GROUP;
	}
	r->at++;
	if (ahead_is(r, "=") || ahead_is(r, "!") || ahead_is(r, "<=") || ahead_is(r, "<!")) {
		r->at += peek(r, 0) == '<' ? 2 : 1;
		r->spoilable = true;
		return LOOK_AROUND;
	}
	if (ahead_is(r, ">")) { /* atomic */
		r->at++;
		r->spoilable = true;
		return GROUP;
	}
	if (ahead_is(r, "<") || ahead_is(r, "P<")) {
		name = bytes_index(bytes_from(r->in, r->at), '>');
		r->lost |= name == SIZE_MAX;
		r->at += r->lost ? 0 : name + 1;
		return GROUP;
	}
	r->lost |= !flags(r); /* or a comment, a condition, ... */
	setting = peek(r, 0) == ')';
	r->at++;
	return setting ? SETTING : GROUP;
}

/* At '('. True: a group was read, and its literal is in *out. */
static bool group(struct reader *r, struct literal *out)
{
	enum kind kind;

	bool extended = r->extended; /* what a group sets ends with it */

	r->at++;
	kind = introduction(r);
	if (kind == SETTING)
		return false;
	if (r->lost || r->depth == DEPTH_MAX) {
		r->lost = true;
		return false;
	}
	r->depth++;
	*out = alternatives(r);
	r->depth--;
	r->extended = extended;
	r->lost |= r->at >= r->in.len;
	r->at++;
	if (kind == LOOK_AROUND)
		*out = (struct literal){ 0 };
	return true;
}

struct branch {
	struct text run; /* what is being collected */
	struct literal best;
};

static void end_run(struct reader *r, struct branch *b)
{
	if (b->run.len > b->best.least) {
		b->best.text = arena_copy(r->arena, text_bytes(&b->run));
		b->best.least = b->run.len;
		r->lost |= !b->best.text.at;
	}
	b->run.len = 0;
}

/* One atom with its quantifier. */
static void atom(struct reader *r, struct branch *b)
{
	struct literal inner = { 0 };
	enum atom kind = ATOM_UNKNOWN;
	enum often often;
	char byte = '\0';

	if (peek(r, 0) == '(') {
		if (!group(r, &inner))
			return;
	} else if (peek(r, 0) == '[') {
		kind = class(r, &byte) ? ATOM_BYTE : ATOM_UNKNOWN;
	} else if (peek(r, 0) == '\\') {
		kind = escape(r, &byte);
	} else {
		byte = peek(r, 0);
		kind = byte == '^' || byte == '$' ? ATOM_EMPTY : byte == '.' ? ATOM_UNKNOWN : ATOM_BYTE;
		r->at++;
	}
	often = quantifier(r);
	if (kind == ATOM_EMPTY)
		return;
	if (kind == ATOM_BYTE && often != MAYBE)
		text_byte(&b->run, byte);
	if (kind != ATOM_BYTE || often != ONCE)
		end_run(r, b);
	if (often != MAYBE && inner.least > b->best.least)
		b->best = inner;
}

static struct literal branch(struct reader *r)
{
	struct branch b = { .run = text_over(arena_raw(r->arena, r->in.len), r->in.len) };

	r->lost |= !b.run.at;
	while (skip_blank(r), more(r) && peek(r, 0) != '|' && peek(r, 0) != ')')
		atom(r, &b);
	end_run(r, &b);
	return b.best;
}

static struct literal alternatives(struct reader *r)
{
	struct literal all = branch(r);

	while (more(r) && peek(r, 0) == '|') {
		struct literal one;

		r->at++;
		one = branch(r);
		if (one.least < all.least)
			all.least = one.least;
		all.text = (struct bytes){ 0 };
	}
	return all;
}

struct literal literal_of(struct arena *a, struct bytes expression)
{
	struct reader r = { .arena = a, .in = expression };
	struct literal found = alternatives(&r);

	if (r.lost || r.at != r.in.len)
		return (struct literal){ 0 };
	found.joinable = !r.spoilable;
	if (!found.least)
		found.text = (struct bytes){ 0 };
	return found;
}
