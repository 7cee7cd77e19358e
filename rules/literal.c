/* literal.c -- reads an expression for the literals that its matches share.
 *
 * A part of it is known by two lists: every match of the part is one of `texts`, or
 * holds one of `marks`. "colou?r" has the texts "color" and "colour"; "c['\\]*at", as
 * rules against evasion have it, the text "cat" and the marks "'" and "\". Of parts
 * that follow one another the texts are multiplied and the marks united, while they
 * are few; then all of it becomes marks, and the rarest list of a branch is kept. Of
 * alternatives both are united. (RE2 has the plain form of this; Cox 2012, "Regular
 * Expression Matching with a Trigram Index", tells how.) */
#include "rules/literal.h"
#include "base/matcher_anchors.h"
#include "base/text.h"
#include "rules/everyday.h"

enum {
	DEPTH_MAX = 100,
	EXACT_MAX = 64,  /* texts of a product: more become marks */
	CLASS_MAX = 8,   /* bytes of a class that is spelt out */
	TIMES_MAX = 8,   /* of "{n,}": what comes more often is looked for n times */
	TEXT_MAX = 24,   /* bytes of a text: a longer one tells no more */
};

static const double RARE = 0.1;    /* what is optional and rarer than this is a mark */
static const double COMMON = 0.5;  /* marks that are more common would say nothing */

struct list {
	struct bytes *at;
	size_t n;
};

struct part {
	bool known; /* else: it may match anything */
	struct list texts, marks;
};

struct reader {
	struct arena *arena;
	struct bytes in;
	size_t at;
	unsigned depth;
	bool extended;  /* (?x): blanks and comments mean nothing */
	bool caseless;
	bool lost;      /* not understood: nothing holds */
	bool spoilable; /* a neighbour in a joined string could change the outcome */
};

static struct part alternatives(struct reader *r);

/* ---- lists ---- */

static bool list_has(const struct list *l, struct bytes text)
{
	for (size_t i = 0; i < l->n; i++)
		if (bytes_eq(l->at[i], text))
			return true;
	return false;
}

/* Both, each text once. */
static struct list united(struct reader *r, struct list a, struct list b)
{
	struct list all = { a.at, a.n };

	if (!b.n)
		return a;
	if (a.n) {
		all.at = arena_get(r->arena, (a.n + b.n) * sizeof *all.at);
		r->lost |= !all.at;
		if (!all.at)
			return (struct list){ 0 };
		memcpy(all.at, a.at, a.n * sizeof *a.at);
	} else {
		return b;
	}
	for (size_t i = 0; i < b.n; i++)
		if (!list_has(&all, b.at[i]))
			all.at[all.n++] = b.at[i];
	return all;
}

static struct list list_of(struct reader *r, struct bytes text)
{
	struct list l = { arena_get(r->arena, sizeof *l.at), 1 };

	if (l.at)
		l.at[0] = arena_copy(r->arena, text);
	r->lost |= !l.at || !l.at[0].at;
	return l.at ? l : (struct list){ 0 };
}

static struct part unknown(void)
{
	return (struct part){ 0 };
}

static struct part one_text(struct reader *r, struct bytes text)
{
	return (struct part){ .known = true, .texts = list_of(r, text) };
}

static struct part nothing(struct reader *r)
{
	return one_text(r, (struct bytes){ "", 0 });
}

/* How often a byte stands at a given place of an ordinary value. */
static double byte_common(char c)
{
	static const struct {
		const char *bytes;
		double share;
	} classes[] = {
		{ "etaoinsr", 0.05 }, { "lhdcumpgbfwyvkxqjz0123456789", 0.02 }, { "/-._ =", 0.02 },
		{ ",:&%+;?()\"", 0.01 }, { "'<>[]{}|$`\\^*!#@~", 0.001 },
	};

	for (size_t i = 0; i < nelems(classes); i++)
		if (c && strchr(classes[i].bytes, byte_lower(c)))
			return classes[i].share;
	return 0.0005; /* control bytes and what is not ASCII */
}

double literal_common(struct bytes text)
{
	double share = 20; /* places in a value */

	for (size_t i = 0; i < text.len; i++)
		share *= byte_common(text.at[i]);
	return share < 1 ? share : 1;
}

static double common_of(const struct list *l)
{
	double share = l->n ? 0 : 1;

	for (size_t i = 0; i < l->n; i++)
		share += literal_common(l->at[i]);
	return share < 1 ? share : 1;
}

/* One of these is in every match; none: a match may hold nothing of note. */
static struct list required(struct reader *r, const struct part *p)
{
	if (!p->known)
		return (struct list){ 0 };
	for (size_t i = 0; i < p->texts.n; i++)
		if (!p->texts.at[i].len)
			return (struct list){ 0 };
	return united(r, p->texts, p->marks);
}

static struct list rarer(struct list a, struct list b)
{
	if (!a.n || !b.n)
		return a.n ? a : b;
	return common_of(&a) <= common_of(&b) ? a : b;
}

static struct part part_of_marks(struct list marks)
{
	return (struct part){ .known = marks.n > 0, .marks = marks };
}

static struct bytes joined(struct reader *r, struct bytes a, struct bytes b)
{
	struct text t = text_over(arena_raw(r->arena, a.len + b.len + 1), a.len + b.len);

	r->lost |= !t.at;
	if (t.at) {
		text_put(&t, a);
		text_put(&t, b);
	}
	return text_bytes(&t);
}

static bool can_multiply(const struct part *a, const struct part *b)
{
	if (!a->known || !b->known || a->texts.n * b->texts.n > EXACT_MAX || a->marks.n + b->marks.n > LITERALS_MAX)
		return false;
	for (size_t i = 0; i < a->texts.n; i++)
		if (a->texts.at[i].len >= TEXT_MAX)
			return false;
	return true;
}

static struct part product(struct reader *r, const struct part *a, const struct part *b)
{
	struct part p = { .known = true, .marks = united(r, a->marks, b->marks) };

	p.texts.at = arena_get(r->arena, (a->texts.n * b->texts.n + 1) * sizeof *p.texts.at);
	r->lost |= !p.texts.at;
	for (size_t i = 0; p.texts.at && i < a->texts.n; i++)
		for (size_t k = 0; k < b->texts.n; k++)
			p.texts.at[p.texts.n++] = joined(r, a->texts.at[i], b->texts.at[k]);
	return p;
}

static struct part either(struct reader *r, struct part a, struct part b)
{
	if (!a.known || !b.known || a.texts.n + b.texts.n + a.marks.n + b.marks.n > LITERALS_MAX)
		return unknown();
	return (struct part){ .known = true, .texts = united(r, a.texts, b.texts), .marks = united(r, a.marks, b.marks) };
}

/* Any number of times, or none: whatever is not empty holds a match that is not. */
static struct part any_number(struct reader *r, const struct part *p)
{
	struct part all = nothing(r);
	struct list texts = { arena_get(r->arena, (p->texts.n + 1) * sizeof *texts.at), 0 };

	r->lost |= !texts.at;
	if (!p->known || !texts.at)
		return unknown();
	for (size_t i = 0; i < p->texts.n; i++)
		if (p->texts.at[i].len)
			texts.at[texts.n++] = p->texts.at[i];
	all.marks = united(r, texts, p->marks);
	return !all.marks.n || common_of(&all.marks) <= COMMON ? all : unknown();
}

/* Once or not at all. A rare one is a mark: else each of them would double the texts. */
static struct part optional(struct reader *r, const struct part *p)
{
	struct list all = united(r, p->texts, p->marks);

	if (!p->known)
		return unknown();
	return common_of(&all) < RARE || p->texts.n >= EXACT_MAX ? any_number(r, p) : either(r, *p, nothing(r));
}

/* ---- the syntax ---- */

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

/* Under (?x), blanks and comments. */
static void skip_blank(struct reader *r)
{
	while (r->extended && more(r) && peek(r, 0) && strchr(" \t\n\v\f\r#\x85", peek(r, 0))) {
		size_t line = bytes_index(bytes_from(r->in, r->at), '\n');

		r->spoilable |= peek(r, 0) == '\x85'; /* a blank to PCRE2 alone */
		if (peek(r, 0) != '#')
			r->at++;
		else
			r->at = line == SIZE_MAX ? r->in.len : r->at + line + 1;
	}
}

/* How often an atom must be there. */
enum often { ONCE, AT_MOST_ONCE, MAYBE, REPEATED };

static size_t digits(const struct reader *r, size_t from)
{
	size_t i = from;

	while (peek(r, i) >= '0' && peek(r, i) <= '9')
		i++;
	return i - from;
}

/* "{3}", "{3,}" or "{0,3}", the lower bound in *times; any other brace is a byte like others. PCRE2's next
 * release takes "{,3}" for a quantifier too, so that one is not understood. */
static enum often braces(struct reader *r, unsigned *times)
{
	size_t low = digits(r, 1), end = 1 + low;
	uint64_t least = 0;

	r->lost |= peek(r, 1) == ',';
	if (peek(r, end) == ',')
		end += 1 + digits(r, end + 1);
	if (!low || peek(r, end) != '}')
		return ONCE;
	r->lost |= !bytes_u64(bytes_sub(r->in, r->at + 1, r->at + 1 + low), &least);
	*times = least > TIMES_MAX ? TIMES_MAX : (unsigned)least;
	r->at += end + 1;
	return least ? REPEATED : MAYBE;
}

/* *times: how often at least, of REPEATED. */
static enum often quantifier(struct reader *r, unsigned *times)
{
	enum often often = ONCE;
	size_t was;

	*times = 1;
	skip_blank(r);
	was = r->at;
	switch (more(r) ? peek(r, 0) : '\0') {
	case '{':
		often = braces(r, times);
		break;
	case '+':
		often = REPEATED;
		r->at++;
		break;
	case '*':
	case '?':
		often = peek(r, 0) == '?' ? AT_MOST_ONCE : MAYBE;
		r->at++;
		break;
	default:
		break;
	}
	if (r->at == was)
		return ONCE;
	if (more(r) && peek(r, 0) == '?') /* lazy */
		r->at++;
	if (more(r) && peek(r, 0) == '+') { /* possessive */
		r->spoilable = true;
		r->at++;
	}
	/* Under (?x) these may stand apart from their quantifier: "a+ ?" is lazy. Read
	 * as a byte, it would be one that no match needs. */
	skip_blank(r);
	r->lost |= more(r) && (peek(r, 0) == '?' || peek(r, 0) == '+' || peek(r, 0) == '*');
	return often;
}

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
				      : -1;
}

/* "\xNN" and the like: the byte, or -1 for what is no single byte. */
static int escaped_byte(struct reader *r)
{
	static const char named[] = "nrtfea", bytes[] = "\n\r\t\f\033\a";
	char c = peek(r, 1);

	if (c == 'x' && hex(peek(r, 2)) >= 0 && hex(peek(r, 3)) >= 0) {
		int byte = hex(peek(r, 2)) << 4 | hex(peek(r, 3));

		r->at += 4;
		return byte;
	}
	if (!c || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z' && !strchr(named, c)))
		return -1;
	r->at += 2;
	return strchr(named, c) ? (unsigned char)bytes[strchr(named, c) - named] : (unsigned char)c;
}

static struct part escape(struct reader *r)
{
	int byte = escaped_byte(r);
	char c = peek(r, 1), text = (char)byte;

	if (byte >= 0)
		return one_text(r, (struct bytes){ &text, 1 });
	r->at += 2;
	if (c && strchr("bBAzZ", c))
		return nothing(r);
	if (c >= '1' && c <= '9') { /* a back reference, or octal */
		r->at += digits(r, 0);
		r->spoilable = true;
	} else if (!c || !strchr("dDsSwWvVhHNR", c)) {
		r->lost = true; /* \Q, \K, \G, properties, ... */
	}
	return unknown();
}

/* "alpha", "^digit" */
static bool is_posix_name(struct bytes name)
{
	for (size_t i = 0; i < name.len; i++)
		if (!(name.at[i] >= 'a' && name.at[i] <= 'z') && !(i == 0 && name.at[i] == '^'))
			return false;
	return name.len > 0;
}

/* Skips one item of a class; true and *byte: it is a single byte. */
static bool class_item(struct reader *r, char *byte)
{
	size_t posix = matcher_posix_class(bytes_from(r->in, r->at));
	int escaped;

	if (posix) {
		r->at += posix;
		r->lost |= !is_posix_name(bytes_sub(r->in, r->at - posix + 2, r->at - 2));
		return false;
	}
	/* PCRE2 looks for its end past escapes and brackets: not understood. */
	r->lost |= ahead_is(r, "[:") || ahead_is(r, "[.") || ahead_is(r, "[=");
	if (peek(r, 0) != '\\') {
		*byte = peek(r, 0);
		r->at++;
		return true;
	}
	r->lost |= ahead_is(r, "\\Q") || ahead_is(r, "\\E") || ahead_is(r, "\\c"); /* "\c]" is one byte */
	escaped = escaped_byte(r);
	if (escaped < 0)
		r->at += 2;
	*byte = (char)escaped;
	return escaped >= 0;
}

/* A few single bytes are spelt out; more, ranges and the like are unknown. */
static struct part class(struct reader *r)
{
	struct part p = { .known = true, .texts = { arena_get(r->arena, CLASS_MAX * sizeof(struct bytes)), 0 } };
	bool plain = peek(r, 1) != '^', first = true;

	r->lost |= !p.texts.at;
	if (r->lost)
		return unknown();

	r->at += plain ? 1 : 2;
	for (; more(r) && (first || peek(r, 0) != ']'); first = false) {
		char byte;

		plain &= class_item(r, &byte) && p.texts.n < CLASS_MAX;
		plain &= peek(r, 0) != '-' || peek(r, 1) == ']'; /* a range */
		if (!plain)
			continue;
		p.texts.at[p.texts.n++] = arena_copy(r->arena, (struct bytes){ &byte, 1 });
		r->lost |= !p.texts.at[p.texts.n - 1].at;
	}
	r->lost |= r->at >= r->in.len;
	r->at++;
	return plain ? p : unknown();
}

/* Behind "(?": flags only, as "(?i)" or "(?s:". */
static bool flags(struct reader *r)
{
	for (; more(r) && !ahead_is(r, "xx"); r->at++) {
		char c = peek(r, 0);

		if (c == ')' || c == ':')
			return true;
		r->extended |= c == 'x';
		r->caseless |= c == 'i';
		if (!c || !strchr("ismx", c))
			break; /* - may switch m off, xx changes classes */
	}
	return false;
}

/* Behind '(': what kind of group it is, and past its introduction. */
enum kind { GROUP, LOOK_AROUND, SETTING };

static bool is_word(char c)
{
	return c == '_' || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z');
}

static bool name(struct reader *r)
{
	size_t from = r->at;

	while (more(r) && is_word(peek(r, 0)))
		r->at++;
	return r->at > from && peek(r, 0) == '>';
}

static enum kind introduction(struct reader *r)
{
	bool setting;

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
		r->spoilable = true;
		r->at++;
		return GROUP;
	}
	if (ahead_is(r, "<") || ahead_is(r, "P<")) {
		r->at += peek(r, 0) == '<' ? 1 : 2;
		r->lost |= !name(r);
		r->at++;
		return GROUP;
	}
	r->lost |= !flags(r); /* or a comment, a condition, ... */
	setting = peek(r, 0) == ')';
	r->at++;
	return setting ? SETTING : GROUP;
}

static struct part group(struct reader *r)
{
	bool extended = r->extended; /* what a group sets ends with it */
	struct part inner;
	enum kind kind;

	r->at++;
	kind = introduction(r);
	if (kind == SETTING)
		return nothing(r);
	r->lost |= r->depth == DEPTH_MAX;
	if (r->lost)
		return unknown();
	r->depth++;
	inner = alternatives(r);
	r->depth--;
	r->extended = extended;
	r->lost |= r->at >= r->in.len;
	r->at++;
	return kind == LOOK_AROUND ? unknown() : inner;
}

/* One atom, without its quantifier. */
static struct part atom(struct reader *r)
{
	char c = peek(r, 0);

	switch (c) {
	case '(':
		return group(r);
	case '[':
		return class(r);
	case '\\':
		return escape(r);
	default:
		r->at++;
		return c == '.' ? unknown() : c == '^' || c == '$' ? nothing(r) : one_text(r, (struct bytes){ &c, 1 });
	}
}

/* What a branch is known to hold while it is read from left to right. */
struct reading {
	struct part run;  /* the end of what has been read */
	struct list best; /* the rarest list that is required so far */
	bool whole;       /* the run is the branch so far */
};

static void end_run(struct reader *r, struct reading *b)
{
	b->best = rarer(b->best, required(r, &b->run));
	b->whole = false;
}

static void append(struct reader *r, struct reading *b, struct part p)
{
	if (p.marks.n) { /* each alone may be rarer than both together */
		b->best = rarer(b->best, required(r, &b->run));
		b->best = rarer(b->best, required(r, &p));
	}
	if (can_multiply(&b->run, &p)) {
		b->run = product(r, &b->run, &p);
		return;
	}
	end_run(r, b);
	b->run = p.known ? p : nothing(r);
}

/* "(?:ab){2,}c" holds "abab" and "abc". */
static void append_repeated(struct reader *r, struct reading *b, struct part p, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		append(r, b, p);
	end_run(r, b);
	b->run = p.known ? p : nothing(r);
}

static struct part branch(struct reader *r)
{
	struct reading b = { .run = nothing(r), .whole = true };
	struct list last;

	while (skip_blank(r), more(r) && peek(r, 0) != '|' && peek(r, 0) != ')') {
		struct part p = atom(r);
		unsigned times;

		switch (quantifier(r, &times)) {
		case ONCE: append(r, &b, p); break;
		case AT_MOST_ONCE: append(r, &b, optional(r, &p)); break;
		case MAYBE: append(r, &b, any_number(r, &p)); break;
		case REPEATED: append_repeated(r, &b, p, times); break;
		}
	}
	last = required(r, &b.run);
	/* Marks are the same in many alternatives, and count once in the end. */
	return b.whole && (!b.best.n || common_of(&last) <= 2 * common_of(&b.best)) ? b.run : part_of_marks(rarer(b.best, last));
}

static struct part alternatives(struct reader *r)
{
	struct part all = branch(r);

	while (more(r) && peek(r, 0) == '|') {
		r->at++;
		all = either(r, all, branch(r));
	}
	return all;
}

struct literals literals_of(struct arena *a, struct bytes expression)
{
	struct reader r = { .arena = a, .in = expression };
	struct part p = alternatives(&r);
	struct list l = required(&r, &p);

	if (r.lost || r.at != r.in.len)
		return (struct literals){ 0 };
	return (struct literals){ l.at, l.n, common_of(&l), r.caseless, !r.spoilable };
}
