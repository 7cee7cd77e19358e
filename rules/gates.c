/* gates.c -- which condition of each group the union database looks for.
 *
 * A group holds only if all its conditions do, so finding one of them is
 * enough to look at the rest. Taken is the one that ordinary values pass least,
 * and of equals the one with the longest literal, paths before arguments.
 * Expressions that Hyperscan refuses, or that a joined string could mislead,
 * are found by the literal that any match contains. What passes too often, or
 * cannot be scanned for, is no gate: a group without one is always asked. */
#include "rules/everyday.h"
#include "rules/literal.h"
#include "rules/ruleset.h"

enum {
	ARENA_CAP = 256 << 20,
	PERCENT_MAX = 4, /* of ordinary values: beyond it, asking is cheaper than finding */
	WORDS_PERCENT_MAX = 12,
	TELLING = 16,    /* bytes of a literal: more tell no more */
	PATH_BONUS = 8,
};

enum how { NO_GATE, BY_TEXTS, BY_WORDS, BY_REGEX };

struct gate {
	enum how how;
	const struct bytes *texts;
	size_t ntexts;
	size_t least; /* bytes that a value must hold */
};

struct build {
	struct ruleset *rs;
	struct arena *arena; /* dies when the database is made */
	struct err *err;
	struct gate *gates;  /* one an id */
	size_t ngates, gates_cap;
	struct pattern *patterns;
	size_t npatterns, patterns_cap;
	struct bytes *refused; /* expressions that the matcher does not take */
	size_t nrefused, refused_cap;
};

static bool short_of_memory(struct build *b)
{
	return err_set(b->err, SIDE_SELF, 0, "out of memory while compiling rules");
}

static bool is_refused(const struct build *b, struct bytes expression)
{
	for (size_t i = 0; i < b->nrefused; i++)
		if (bytes_eq(b->refused[i], expression))
			return true;
	return false;
}

static size_t shortest(const struct operand *o)
{
	size_t least = o->ntexts ? SIZE_MAX : 0;

	for (size_t i = 0; i < o->ntexts; i++)
		if (o->texts[i].len < least)
			least = o->texts[i].len;
	return least;
}

static bool in_separator(const struct literals *l)
{
	for (size_t i = 0; i < l->n; i++)
		if (bytes_eq(l->at[i], BYTES("\n")))
			return true;
	return false;
}

static struct gate gate_by_regex(struct build *b, const struct operand *o)
{
	struct literals l = literals_of(b->arena, o->texts[0]);

	struct gate words = { l.n ? BY_WORDS : NO_GATE, l.at, l.n, l.least };

	/* Words that ordinary values hold, or that a joined string always does,
	 * would call for the expression all the time. */
	if (l.n && everyday_words_percent(l.at, l.n) <= WORDS_PERCENT_MAX && !in_separator(&l))
		return words;
	if (l.joinable && !is_refused(b, o->texts[0]))
		return (struct gate){ BY_REGEX, o->texts, 1, 0 };
	return words;
}

static struct gate gate_of(struct build *b, const struct condition *c)
{
	const struct operand *o = &c->operand;

	if (c->negate || c->count || !c->op->holds ||
	    condition_only_in(c, 1u << ZONE_METHOD | 1u << ZONE_PROTOCOL | 1u << ZONE_BODY_TYPE))
		return (struct gate){ 0 };
	if (c->op->operand == OPERAND_REGEX)
		return gate_by_regex(b, o);
	return (struct gate){ c->op->operand == OPERAND_FILE ? BY_WORDS : BY_TEXTS, o->texts, o->ntexts, shortest(o) };
}

/* 0: no gate; else the higher the better. */
static size_t worth(const struct gate *g, const struct condition *c)
{
	unsigned percent;

	if (!g->how || (g->how != BY_REGEX && !g->least))
		return 0;
	percent = everyday_percent(c->op, &c->operand);
	if (percent > PERCENT_MAX)
		return 0;
	return (PERCENT_MAX - percent) * (TELLING + PATH_BONUS) + 1 + (g->least < TELLING ? g->least : TELLING) +
	       (condition_only_in(c, 1u << ZONE_URI) ? PATH_BONUS : 0);
}

static bool add_pattern(struct build *b, struct bytes text, unsigned flags)
{
	struct pattern *at = arena_grow(b->arena, b->patterns, &b->patterns_cap, b->npatterns + 1, sizeof *at);

	if (!at)
		return short_of_memory(b);
	b->patterns = at;
	at[b->npatterns++] = (struct pattern){ text, flags | PATTERN_JOINED, (uint32_t)b->ngates };
	return true;
}

static bool add_gate(struct build *b, const struct gate *g)
{
	static const unsigned flags[] = { [BY_TEXTS] = PATTERN_LITERAL, [BY_WORDS] = PATTERN_LITERAL | PATTERN_CASELESS,
					  [BY_REGEX] = 0 };
	struct gate *at = arena_grow(b->arena, b->gates, &b->gates_cap, b->ngates + 1, sizeof *at);

	if (!at)
		return short_of_memory(b);
	b->gates = at;
	for (size_t i = 0; i < g->ntexts; i++)
		if (!add_pattern(b, g->texts[i], flags[g->how]))
			return false;
	at[b->ngates++] = *g;
	return true;
}

static bool same_gate(const struct gate *a, const struct gate *b)
{
	if (a->how != b->how || a->ntexts != b->ntexts)
		return false;
	for (size_t i = 0; i < a->ntexts; i++)
		if (!bytes_eq(a->texts[i], b->texts[i]))
			return false;
	return true;
}

/* The id of a gate; equal ones share it. */
static bool gate_id(struct build *b, const struct gate *g, struct condition *c)
{
	for (size_t i = 0; i < b->ngates; i++)
		if (same_gate(&b->gates[i], g)) {
			c->pattern = (uint32_t)i;
			return true;
		}
	c->pattern = (uint32_t)b->ngates;
	return add_gate(b, g);
}

static bool choose(struct build *b, struct group *g)
{
	struct gate best = { 0 };
	size_t best_at = 0, most = 0;

	for (size_t i = 0; i < g->n; i++) {
		struct gate gate = gate_of(b, &g->at[i]);
		size_t w = worth(&gate, &g->at[i]);

		g->at[i].pattern = NO_PATTERN;
		if (w > most) {
			best = gate;
			best_at = i;
			most = w;
		}
	}
	return !most || gate_id(b, &best, &g->at[best_at]);
}

static bool choose_all(struct build *b)
{
	b->ngates = b->npatterns = 0;
	for (size_t i = 0; i < b->rs->ir->ngroups; i++)
		if (!choose(b, &b->rs->ir->groups[i]))
			return false;
	return true;
}

/* Notes the expression that was refused; false: it was none. */
static bool note_refused(struct build *b)
{
	int index = b->err->code;
	struct bytes *at;

	if (index < 0 || (size_t)index >= b->npatterns || b->patterns[index].flags & PATTERN_LITERAL)
		return false;
	at = arena_grow(b->arena, b->refused, &b->refused_cap, b->nrefused + 1, sizeof *at);
	if (!at)
		return short_of_memory(b);
	b->refused = at;
	at[b->nrefused++] = b->patterns[index].text;
	return true;
}

/* Each refusal makes one choice anew; most come before any real work is done. */
static bool compile(struct build *b, const char *cache_dir)
{
	do {
		if (!choose_all(b))
			return false;
		b->rs->matcher = b->rs->kind->compile(b->patterns, b->npatterns, cache_dir, b->err);
	} while (!b->rs->matcher && note_refused(b));
	b->rs->npatterns = b->ngates;
	return b->rs->matcher != NULL;
}

bool gates_build(struct ruleset *rs, const char *cache_dir, struct err *e)
{
	struct build b = { .rs = rs, .arena = arena_new(ARENA_CAP), .err = e };
	bool ok = b.arena ? compile(&b, cache_dir) : short_of_memory(&b);

	arena_free(b.arena);
	return ok;
}
