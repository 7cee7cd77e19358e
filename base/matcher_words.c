/* matcher_words.c -- literals only, by an automaton of Aho and Corasick: made in
 * milliseconds where Hyperscan takes seconds, and several times as slow to scan.
 *
 * Words are put in order, and each state is a run of them: those that begin with
 * the bytes that led there. Taking states level by level gives the children of one
 * state numbers in a row, so a state is four numbers. The root and its children
 * have a full row of where to go; from the others, which are seldom reached, a
 * byte is looked for among the children's and else the state falls back to the
 * longest end of what was read that begins a word too. In all that is at most two
 * steps a byte.
 *
 * The automaton knows no case; a word with case is compared once more where it is
 * found. Each place is told, asked for or not. */
#include "base/matcher.h"
#include <stdlib.h>

enum { WORDS_BYTES = 256 << 20 /* of all words: more is not ours */ };

struct word {
	const char *text;
	uint32_t len, id;
	bool exact; /* in this case alone */
	bool last;  /* of those that are equal but for case */
};

struct state {
	uint32_t first; /* child; the next state's is the end of them */
	uint32_t fail;  /* the state of the longest proper end of this one's bytes */
	uint32_t own;   /* the first word that is this one's bytes, counted from 1; 0: none */
	uint32_t link;  /* the next state on the way of fails that has words; 0: none */
};

struct matcher {
	unsigned char class[256]; /* of a byte; 0: in no word */
	unsigned nclasses;
	uint32_t *rows, nrows;    /* of the first states: where each class leads */
	struct state *states;
	unsigned char *labels;    /* by state: the class that leads to it */
	struct word *words;
	char *texts;
};

/* ---- building ---- */

/* A word on its way into order. */
struct sorted {
	const unsigned char *classes;
	struct word word;
};

struct span_of {
	uint32_t from, to; /* of the words in order */
};

struct build {
	struct matcher *m;
	struct sorted *sorted;
	unsigned char *classes; /* of all texts */
	struct span_of *spans;  /* by state */
	uint32_t nwords, nstates, cap;
};

static bool out_of_memory(struct err *e)
{
	return err_set(e, SIDE_SELF, -1, "out of memory while compiling patterns");
}

static int in_order(const void *a, const void *b)
{
	const struct sorted *x = a, *y = b;
	size_t n = x->word.len < y->word.len ? x->word.len : y->word.len;
	int order = memcmp(x->classes, y->classes, n);

	return order ? order : (x->word.len > y->word.len) - (x->word.len < y->word.len);
}

static bool are_words(const struct pattern *p, size_t n, size_t *bytes, struct err *e)
{
	*bytes = 0;
	for (size_t i = 0; i < n; i++) {
		if (!(p[i].flags & PATTERN_LITERAL) || !p[i].text.len)
			return err_set(e, SIDE_CONFIG, (int)i, "no literal, or an empty one");
		*bytes += p[i].text.len;
		if (*bytes > WORDS_BYTES)
			return out_of_memory(e);
	}
	return true;
}

static void class_all(struct matcher *m, const struct pattern *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < p[i].text.len; k++)
			m->class[(unsigned char)byte_lower(p[i].text.at[k])] = 1;
	m->nclasses = 1;
	for (unsigned c = 0; c < 256; c++)
		if (m->class[c])
			m->class[c] = (unsigned char)m->nclasses++;
	for (unsigned c = 'A'; c <= 'Z'; c++)
		m->class[c] = m->class[c | 0x20];
}

static void sort(struct build *b, const struct pattern *p, size_t n)
{
	char *text = b->m->texts;
	unsigned char *classes = b->classes;

	for (size_t i = 0; i < n; i++) {
		size_t len = p[i].text.len;

		memcpy(text, p[i].text.at, len);
		for (size_t k = 0; k < len; k++)
			classes[k] = b->m->class[(unsigned char)text[k]];
		b->sorted[i] = (struct sorted){ classes, { text, (uint32_t)len, p[i].id, !(p[i].flags & PATTERN_CASELESS), false } };
		text += len;
		classes += len;
	}
	qsort(b->sorted, n, sizeof *b->sorted, in_order);
	for (size_t i = 0; i < n; i++) {
		b->m->words[i] = b->sorted[i].word;
		b->m->words[i].last = i + 1 == n || in_order(&b->sorted[i], &b->sorted[i + 1]) != 0;
	}
}

static uint32_t child(const struct matcher *m, uint32_t s, unsigned char class)
{
	for (uint32_t t = m->states[s].first, end = m->states[s + 1].first; t < end; t++)
		if (m->labels[t] == class)
			return t;
	return 0;
}

static inline uint32_t step(const struct matcher *m, uint32_t s, unsigned char class)
{
	for (; s >= m->nrows; s = m->states[s].fail) {
		uint32_t t = child(m, s, class);

		if (t)
			return t;
	}
	return m->rows[s * m->nclasses + class];
}

/* The children of a state: its words by their next byte. All that a fail may lead to has a smaller number. */
static void add_children(struct build *b, uint32_t s, uint32_t at, uint32_t depth)
{
	struct matcher *m = b->m;

	m->states[s].first = b->nstates;
	for (uint32_t end = at; at < b->spans[s].to; at = end) {
		unsigned char class = b->sorted[at].classes[depth];
		uint32_t t = b->nstates++;

		while (end < b->spans[s].to && b->sorted[end].classes[depth] == class)
			end++;
		b->spans[t] = (struct span_of){ at, end };
		m->labels[t] = class;
		m->states[t].fail = s ? step(m, m->states[s].fail, class) : 0;
	}
}

static void add_row(struct matcher *m, uint32_t s, uint32_t nstates)
{
	uint32_t *row = m->rows + s * m->nclasses;

	if (s)
		memcpy(row, m->rows, m->nclasses * sizeof *row);
	for (uint32_t t = m->states[s].first; t < nstates; t++)
		row[m->labels[t]] = t;
}

static void add_states(struct build *b)
{
	struct matcher *m = b->m;

	b->spans[0] = (struct span_of){ 0, b->nwords };
	b->nstates = 1;
	for (uint32_t s = 0, depth = 0, level = 1; s < b->nstates; s++) {
		uint32_t at = b->spans[s].from, fail = m->states[s].fail;

		if (s == level) {
			level = b->nstates;
			depth++;
		}
		if (at < b->spans[s].to && b->sorted[at].word.len == depth)
			m->states[s].own = at + 1;
		while (at < b->spans[s].to && b->sorted[at].word.len == depth)
			at++;
		m->states[s].link = m->states[fail].own ? fail : m->states[fail].link;
		add_children(b, s, at, depth);
		if (depth < 2)
			add_row(m, s, b->nstates);
		if (!s)
			m->nrows = b->nstates;
	}
	m->states[b->nstates].first = b->nstates;
}

static void words_free(struct matcher *m)
{
	if (!m)
		return;
	free(m->rows);
	free(m->states);
	free(m->labels);
	free(m->words);
	free(m->texts);
	free(m);
}

static bool rooms(struct build *b, size_t n, size_t bytes)
{
	struct matcher *m = b->m;

	b->nwords = (uint32_t)n;
	b->cap = (uint32_t)bytes + 2;
	b->sorted = calloc(n + 1, sizeof *b->sorted);
	b->classes = malloc(bytes + 1);
	b->spans = calloc(b->cap, sizeof *b->spans);
	m->rows = calloc((size_t)m->nclasses * (m->nclasses + 1), sizeof *m->rows);
	m->states = calloc(b->cap, sizeof *m->states);
	m->labels = calloc(b->cap, 1);
	m->words = calloc(n + 1, sizeof *m->words);
	m->texts = malloc(bytes + 1);
	return b->sorted && b->classes && b->spans && m->rows && m->states && m->labels && m->words && m->texts;
}

/* Words share beginnings, so there are fewer states than bytes. */
static void give_back(struct build *b)
{
	struct state *states = realloc(b->m->states, (b->nstates + 1) * sizeof *states);
	unsigned char *labels = realloc(b->m->labels, b->nstates);

	b->m->states = states ? states : b->m->states;
	b->m->labels = labels ? labels : b->m->labels;
}

static struct matcher *words_compile(const struct pattern *p, size_t n, const char *cache_dir, struct err *e)
{
	struct build b = { .m = NULL };
	size_t bytes;
	bool ok;

	(void)cache_dir;
	if (!are_words(p, n, &bytes, e))
		return NULL;
	b.m = calloc(1, sizeof *b.m);
	if (b.m)
		class_all(b.m, p, n);
	ok = b.m && rooms(&b, n, bytes);
	if (ok) {
		sort(&b, p, n);
		add_states(&b);
		give_back(&b);
	} else {
		out_of_memory(e);
		words_free(b.m);
	}
	free(b.sorted);
	free(b.classes);
	free(b.spans);
	return ok ? b.m : NULL;
}

/* ---- scanning ---- */

/* Every word that ends here. */
static bool tell(const struct matcher *m, uint32_t s, struct bytes in, size_t end, matcher_hit *hit, void *ctx)
{
	for (; s; s = m->states[s].link) {
		const struct word *w = m->states[s].own ? &m->words[m->states[s].own - 1] : NULL;

		for (bool more = w != NULL; more; more = !w++->last)
			if ((!w->exact || memcmp(in.at + end - w->len, w->text, w->len) == 0) && hit(ctx, w->id, end))
				return true;
	}
	return false;
}

static bool words_scan(const struct matcher *m, struct matcher_scratch *scratch, struct bytes in, matcher_hit *hit, void *ctx)
{
	uint32_t s = 0;

	(void)scratch;
	for (size_t i = 0; i < in.len; i++) {
		s = step(m, s, m->class[(unsigned char)in.at[i]]);
		if ((m->states[s].own || m->states[s].link) && tell(m, s, in, i + 1, hit, ctx))
			break;
	}
	return true;
}

const struct matcher_kind matcher_words = { "words", words_compile, words_scan, words_free };
