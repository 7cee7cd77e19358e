/* literal_part.c -- lists of texts, heads and marks, multiplied and united. */
#include "rules/literal_part.h"
#include "base/text.h"
#include "rules/literal.h"

enum {
	EXACT_MAX = 64,  /* texts and heads of a product: more become marks */
	TEXT_MAX = 24,   /* bytes of a text: a longer one tells no more */
};

static const double RARE = 0.1;    /* what is optional and rarer than this is a mark */
static const double COMMON = 0.5;  /* marks that are more common would say nothing, */
static const double MARK = 0.25;   /* nor would one that is */

static bool list_has(const struct list *l, struct bytes text)
{
	for (size_t i = 0; i < l->n; i++)
		if (bytes_eq(l->at[i], text))
			return true;
	return false;
}

/* Both, each text once. */
static struct list united(struct parts *in, struct list a, struct list b)
{
	struct list all = { NULL, a.n };

	if (!a.n || !b.n)
		return a.n ? a : b;
	all.at = arena_get(in->arena, (a.n + b.n) * sizeof *all.at);
	in->lost |= !all.at;
	if (!all.at)
		return (struct list){ 0 };
	memcpy(all.at, a.at, a.n * sizeof *a.at);
	for (size_t i = 0; i < b.n; i++)
		if (!list_has(&all, b.at[i]))
			all.at[all.n++] = b.at[i];
	return all;
}

static struct list list_of(struct parts *in, struct bytes text)
{
	struct list l = { arena_get(in->arena, sizeof *l.at), 1 };

	if (l.at)
		l.at[0] = arena_copy(in->arena, text);
	in->lost |= !l.at || !l.at[0].at;
	return l.at ? l : (struct list){ 0 };
}

struct part part_unknown(void)
{
	return (struct part){ 0 };
}

struct part part_never(void)
{
	return (struct part){ .known = true, .never = true };
}

bool part_may_hold(const struct parts *in, unsigned char byte)
{
	return !in->within || in->within[byte / 64] >> byte % 64 & 1;
}

struct part part_of_text(struct parts *in, struct bytes text)
{
	for (size_t i = 0; i < text.len; i++)
		if (!part_may_hold(in, (unsigned char)text.at[i]))
			return part_never();
	return (struct part){ .known = true, .texts = list_of(in, text) };
}

struct part part_nothing(struct parts *in)
{
	return part_of_text(in, (struct bytes){ "", 0 });
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

double list_common(const struct list *l)
{
	double share = l->n ? 0 : 1;

	for (size_t i = 0; i < l->n; i++)
		share += literal_common(l->at[i]);
	return share < 1 ? share : 1;
}

double list_cost(const struct parts *in, const struct list *l)
{
	double cost = 0;

	for (size_t i = 0; i < l->n; i++)
		cost += list_has(&in->paid, l->at[i]) ? 0 : literal_common(l->at[i]);
	return cost;
}

/* One of these is in every match; none: a match may hold nothing of note. */
struct list part_required(struct parts *in, const struct part *p)
{
	if (!p->known)
		return (struct list){ 0 };
	for (size_t i = 0; i < p->texts.n; i++)
		if (!p->texts.at[i].len)
			return (struct list){ 0 };
	return united(in, united(in, p->texts, p->heads), p->marks);
}

struct list list_rarer(const struct parts *in, struct list a, struct list b)
{
	if (!a.n || !b.n)
		return a.n ? a : b;
	return list_cost(in, &a) <= list_cost(in, &b) ? a : b;
}

struct part part_of_marks(struct list marks)
{
	return (struct part){ .known = marks.n > 0, .marks = marks };
}

struct part part_begun(struct parts *in, const struct part *p)
{
	return (struct part){ .known = p->known, .heads = united(in, p->texts, p->heads), .marks = p->marks };
}

static struct bytes joined(struct parts *in, struct bytes a, struct bytes b)
{
	struct text t = text_over(arena_raw(in->arena, a.len + b.len + 1), a.len + b.len);

	in->lost |= !t.at;
	if (t.at) {
		text_put(&t, a);
		text_put(&t, b);
	}
	return text_bytes(&t);
}

bool part_can_multiply(const struct part *a, const struct part *b)
{
	if (!a->known || !b->known || b->never || !a->texts.n || a->texts.n * (b->texts.n + b->heads.n) > EXACT_MAX ||
	    a->marks.n + b->marks.n > LITERALS_MAX)
		return false;
	for (size_t i = 0; i < a->texts.n; i++)
		if (a->texts.at[i].len >= TEXT_MAX)
			return false;
	return true;
}

static struct list product(struct parts *in, const struct list *a, const struct list *b)
{
	struct list l = { arena_get(in->arena, (a->n * b->n + 1) * sizeof *l.at), 0 };

	in->lost |= !l.at;
	for (size_t i = 0; l.at && i < a->n; i++)
		for (size_t k = 0; k < b->n; k++)
			l.at[l.n++] = joined(in, a->at[i], b->at[k]);
	return l;
}

struct part part_product(struct parts *in, const struct part *a, const struct part *b)
{
	return (struct part){ .known = true, .texts = product(in, &a->texts, &b->texts),
			      .heads = united(in, a->heads, product(in, &a->texts, &b->heads)),
			      .marks = united(in, a->marks, b->marks) };
}

static size_t size(const struct part *p)
{
	return p->texts.n + p->heads.n + p->marks.n;
}

struct part part_either(struct parts *in, struct part a, struct part b)
{
	if (a.never || b.never)
		return a.never ? b : a;
	if (!a.known || !b.known || size(&a) + size(&b) > LITERALS_MAX)
		return part_unknown();
	return (struct part){ .known = true, .texts = united(in, a.texts, b.texts), .heads = united(in, a.heads, b.heads),
			      .marks = united(in, a.marks, b.marks) };
}

static bool are_telling(const struct list *marks)
{
	for (size_t i = 0; i < marks->n; i++)
		if (literal_common(marks->at[i]) > MARK)
			return false;
	return !marks->n || list_common(marks) <= COMMON;
}

/* Any number of times, or none: whatever is not empty holds a match that is not. */
struct part part_any_number(struct parts *in, const struct part *p)
{
	struct part all = part_nothing(in);
	struct list texts = { arena_get(in->arena, (p->texts.n + 1) * sizeof *texts.at), 0 };

	in->lost |= !texts.at;
	if (p->never)
		return all;
	if (!p->known || !texts.at)
		return part_unknown();
	for (size_t i = 0; i < p->texts.n; i++)
		if (p->texts.at[i].len)
			texts.at[texts.n++] = p->texts.at[i];
	all.marks = united(in, united(in, texts, p->heads), p->marks);
	return are_telling(&all.marks) ? all : part_unknown();
}

/* Once or not at all. A rare one is a mark: else each of them would double the texts. */
struct part part_optional(struct parts *in, const struct part *p)
{
	struct list all = united(in, united(in, p->texts, p->heads), p->marks);

	if (p->never)
		return part_nothing(in);
	if (!p->known)
		return part_unknown();
	if (!are_telling(&p->marks))
		return part_unknown();
	return list_common(&all) < RARE || p->texts.n >= EXACT_MAX ? part_any_number(in, p) : part_either(in, *p, part_nothing(in));
}
