/* literal.c -- reads an expression, left to right, into what literal_part.c knows
 * of its parts; literal_class.c reads classes and escapes. What it does not understand is lost: nothing is claimed then. */
#include "rules/literal.h"
#include "rules/literal_reader.h"

enum {
	DEPTH_MAX = 100,
	TIMES_MAX = 8,   /* of "{n,}": what comes more often is looked for n times */
};

static const double RARE = 0.25;

static struct part alternatives(struct reader *r);

/* Under (?x), blanks and comments. */
static void skip_blank(struct reader *r)
{
	while (r->extended && more(r) && peek(r, 0) && strchr(" \t\n\v\f\r#\x85", peek(r, 0))) {
		size_t line = bytes_index(bytes_from(r->in, r->at), '\n');

		if (peek(r, 0) != '#')
			r->at++;
		else
			r->at = line == SIZE_MAX ? r->in.len : r->at + line + 1;
	}
}

/* How often an atom must be there. */
enum often { ONCE, AT_MOST_ONCE, MAYBE, REPEATED };

/* "{3}", "{3,}" or "{0,3}", the lower bound in *times; any other brace is a byte like others. PCRE2's next
 * release takes "{,3}" for a quantifier too, so that one is not understood. */
static enum often braces(struct reader *r, unsigned *times)
{
	size_t low = digits(r, 1), end = 1 + low;
	uint64_t least = 0;

	r->parts.lost |= peek(r, 1) == ',';
	if (peek(r, end) == ',')
		end += 1 + digits(r, end + 1);
	if (!low || peek(r, end) != '}')
		return ONCE;
	r->parts.lost |= !bytes_u64(bytes_sub(r->in, r->at + 1, r->at + 1 + low), &least);
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
	if (more(r) && peek(r, 0) == '+') /* possessive */
		r->at++;
	/* Under (?x) these may stand apart from their quantifier: "a+ ?" is lazy. Read
	 * as a byte, it would be one that no match needs. */
	skip_blank(r);
	r->parts.lost |= more(r) && (peek(r, 0) == '?' || peek(r, 0) == '+' || peek(r, 0) == '*');
	return often;
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
		r->parts.lost |= peek(r, 0) == '*'; /* (*VERB) */
		return GROUP;
	}
	r->at++;
	if (ahead_is(r, "=") || ahead_is(r, "!") || ahead_is(r, "<=") || ahead_is(r, "<!")) {
		r->at += peek(r, 0) == '<' ? 2 : 1;
		return LOOK_AROUND;
	}
	if (ahead_is(r, ">")) { /* atomic */
		r->at++;
		return GROUP;
	}
	if (ahead_is(r, "<") || ahead_is(r, "P<")) {
		r->at += peek(r, 0) == '<' ? 1 : 2;
		r->parts.lost |= !name(r);
		r->at++;
		return GROUP;
	}
	r->parts.lost |= !flags(r); /* or a comment, a condition, ... */
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
		return part_nothing(&r->parts);
	r->parts.lost |= r->depth == DEPTH_MAX;
	if (r->parts.lost)
		return part_unknown();
	r->depth++;
	inner = alternatives(r);
	r->depth--;
	r->extended = extended;
	r->parts.lost |= r->at >= r->in.len;
	r->at++;
	return kind == LOOK_AROUND ? part_unknown() : inner;
}

/* One atom, without its quantifier. */
static struct part atom(struct reader *r)
{
	char c = peek(r, 0);

	switch (c) {
	case '(':
		return group(r);
	case '[':
		return reader_class(r);
	case '\\':
		return reader_escape(r);
	default:
		r->at++;
		return c == '.' ? part_unknown() : c == '^' || c == '$' ? part_nothing(&r->parts) : part_of_text(&r->parts, (struct bytes){ &c, 1 });
	}
}

/* What a branch is known to hold while it is read from left to right. */
struct reading {
	struct part run;   /* the end of what has been read */
	struct part plain; /* the same since the last part with marks, which may be common */
	struct list best;  /* the rarest list that is required so far */
	bool whole;        /* the run is the branch so far */
	bool never;        /* some part of it is */
	struct part begun; /* the run that was, when it ended */
};

static void note(struct reader *r, struct reading *b, const struct part *p)
{
	struct list l = part_required(&r->parts, p);

	b->best = list_rarer(&r->parts, b->best, l);
	if (!r->depth && l.n && r->nnoted < NOTED_MAX)
		r->noted[r->nnoted++] = l;
}

static void end_run(struct reader *r, struct reading *b)
{
	note(r, b, &b->run);
	if (b->whole)
		b->begun = part_begun(&r->parts, &b->run);
	b->whole = false;
}

static void append_plain(struct reader *r, struct reading *b, const struct part *p)
{
	bool plain = p->known && !p->marks.n && !p->heads.n;

	if (plain && part_can_multiply(&b->plain, p)) {
		b->plain = part_product(&r->parts, &b->plain, p);
		return;
	}
	note(r, b, &b->plain);
	note(r, b, p);
	b->plain = plain ? *p : part_nothing(&r->parts);
}

static void append(struct reader *r, struct reading *b, struct part p)
{
	if (p.never) {
		b->never = true;
		return;
	}
	append_plain(r, b, &p);
	if (part_can_multiply(&b->run, &p)) {
		b->run = part_product(&r->parts, &b->run, &p);
		return;
	}
	end_run(r, b);
	b->run = p.known ? p : part_nothing(&r->parts);
}

/* "(?:ab){2,}c" holds "abab" and "abc". */
static void append_repeated(struct reader *r, struct reading *b, struct part p, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		append(r, b, p);
	if (p.never)
		return;
	end_run(r, b);
	note(r, b, &b->plain);
	b->run = p.known ? p : part_nothing(&r->parts);
	b->plain = p.known && !p.marks.n && !p.heads.n ? p : part_nothing(&r->parts);
}

/* The branch itself, how it begins, or what it holds. Marks are the same in many alternatives,
 * and count once in the end; a beginning may become longer yet by what stands before it. */
static struct part branch_end(struct reader *r, struct reading *b)
{
	struct list last = part_required(&r->parts, &b->run), best = list_rarer(&r->parts, b->best, last), begun;

	if (b->whole && (!b->best.n || list_cost(&r->parts, &last) <= 2 * list_cost(&r->parts, &b->best)))
		return b->run;
	begun = part_required(&r->parts, &b->begun);
	if (!b->whole && begun.n && list_cost(&r->parts, &begun) <= 2 * list_cost(&r->parts, &best))
		return b->begun;
	return part_of_marks(best);
}

static struct part branch(struct reader *r)
{
	struct reading b = { .run = part_nothing(&r->parts), .plain = part_nothing(&r->parts), .whole = true };

	while (skip_blank(r), more(r) && peek(r, 0) != '|' && peek(r, 0) != ')') {
		struct part p = atom(r);
		unsigned times;

		switch (quantifier(r, &times)) {
		case ONCE: append(r, &b, p); break;
		case AT_MOST_ONCE: append(r, &b, part_optional(&r->parts, &p)); break;
		case MAYBE: append(r, &b, part_any_number(&r->parts, &p)); break;
		case REPEATED: append_repeated(r, &b, p, times); break;
		}
	}
	if (b.never)
		return part_never();
	note(r, &b, &b.plain);
	return branch_end(r, &b);
}

static struct part alternatives(struct reader *r)
{
	struct part all = branch(r);

	while (more(r) && peek(r, 0) == '|') {
		r->at++;
		r->alternatives |= !r->depth;
		all = part_either(&r->parts, all, branch(r));
	}
	return all;
}

/* A text of `l` may be there without any of `also`. */
static bool is_news(const struct list *l, const struct list *also)
{
	for (size_t i = 0; i < l->n; i++) {
		bool has = false;

		for (size_t k = 0; k < also->n && !has; k++)
			has = bytes_find_nocase(l->at[i], also->at[k]) != SIZE_MAX;
		if (!has)
			return true;
	}
	return false;
}

/* The rarest of what is required beside `l`. */
static struct list also_of(const struct reader *r, const struct list *l)
{
	struct list best = { 0 };

	for (size_t i = 0; !r->alternatives && i < r->nnoted; i++)
		if (is_news(l, &r->noted[i]) && is_news(&r->noted[i], l))
			best = list_rarer(&r->parts, best, r->noted[i]);
	return best;
}

static struct literals read_once(struct arena *a, struct bytes expression, struct list paid, const uint64_t *within)
{
	struct reader r = { .parts = { .arena = a, .paid = paid, .within = within }, .in = expression };
	struct part p = alternatives(&r);
	struct list l = part_required(&r.parts, &p), also = also_of(&r, &l);

	if (r.parts.lost || r.at != r.in.len)
		return (struct literals){ 0 };
	if (p.never)
		return (struct literals){ .never = true };
	return (struct literals){ .at = l.at, .n = l.n, .also = also.at, .nalso = l.n ? also.n : 0, .common = list_common(&l),
				  .caseless = r.caseless };
}

static bool has_word(struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (is_word(text.at[i]))
			return true;
	return false;
}

/* Rare ones without letters: what is common must not pay for itself. */
static struct list marks_of(struct arena *a, const struct literals *l)
{
	struct list marks = { arena_get(a, l->n * sizeof *marks.at), 0 };

	for (size_t i = 0; marks.at && i < l->n; i++)
		if (!has_word(l->at[i]) && literal_common(l->at[i]) < RARE)
			marks.at[marks.n++] = l->at[i];
	return marks;
}

/* A branch cannot know what others have to look for. So all is read a second time, when the
 * marks of the first cost nothing: "'" stands in a thousand branches for the price of one. */
struct literals literals_of(struct arena *a, struct bytes expression, const uint64_t *within)
{
	struct literals first = read_once(a, expression, (struct list){ 0 }, within), second;
	struct parts known = { .arena = a, .paid = marks_of(a, &first) };
	struct list was = { first.at, first.n }, is;

	if (!known.paid.n)
		return first;
	second = read_once(a, expression, known.paid, within);
	is = (struct list){ second.at, second.n };
	return second.n && list_cost(&known, &is) < list_cost(&known, &was) ? second : first;
}
