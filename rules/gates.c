/* gates.c -- which condition of each group the union database looks for.
 *
 * A group holds only if all its conditions do, so finding one of them is
 * enough to look at the rest. Taken is the one whose literals are rarest in
 * ordinary values, paths and named values before others. An expression is found
 * by the literals of which any match contains one; one that has none goes into
 * the database itself, unless Hyperscan refuses it, a joined string could
 * mislead it, or ordinary values match it as a rule ("[^0-9]"). What has no
 * gate is always asked; these are few, and cheap ones are asked first. */
#include "rules/everyday.h"
#include "rules/literal.h"
#include "rules/ruleset.h"

enum {
	ARENA_CAP = 256 << 20,
	PERCENT_MAX = 8, /* of ordinary values that an expression may match */
};

enum how { NO_GATE, BY_TEXTS, BY_WORDS, BY_REGEX };

struct gate {
	enum how how;
	const struct bytes *texts;
	size_t ntexts;
	double common; /* share of ordinary values that have it, about */
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

static double common_of(const struct bytes *texts, size_t n)
{
	double share = n ? 0 : 1;

	for (size_t i = 0; i < n; i++)
		share += literal_common(texts[i]);
	return share < 1 ? share : 1;
}

static struct gate gate_by_regex(struct build *b, const struct condition *c)
{
	const struct operand *o = &c->operand;
	struct literals l = literals_of(b->arena, o->texts[0]);
	unsigned percent;

	if (l.n)
		return (struct gate){ l.caseless ? BY_WORDS : BY_TEXTS, l.at, l.n, l.common };
	if (!l.joinable || is_refused(b, o->texts[0]))
		return (struct gate){ 0 };
	percent = everyday_percent(c->op, o);
	return (struct gate){ percent > PERCENT_MAX ? NO_GATE : BY_REGEX, o->texts, 1, percent / 100.0 };
}

static bool has_empty(const struct operand *o)
{
	for (size_t i = 0; i < o->ntexts; i++)
		if (!o->texts[i].len)
			return true;
	return false;
}

static struct gate gate_of(struct build *b, const struct condition *c)
{
	const struct operand *o = &c->operand;

	if (c->negate || c->count || !c->op->holds ||
	    condition_only_in(c, 1u << ZONE_METHOD | 1u << ZONE_PROTOCOL | 1u << ZONE_BODY_TYPE))
		return (struct gate){ 0 };
	if (c->op->operand == OPERAND_REGEX)
		return gate_by_regex(b, c);
	if (has_empty(o))
		return (struct gate){ 0 };
	return (struct gate){ c->op->operand == OPERAND_FILE ? BY_WORDS : BY_TEXTS, o->texts, o->ntexts,
			      common_of(o->texts, o->ntexts) };
}

static bool all_named(const struct condition *c)
{
	for (size_t i = 0; i < c->ntargets; i++)
		if (!c->targets[i].name.at)
			return false;
	return true;
}

/* How much would have to be asked in vain; more than 1: no gate. */
static double burden(const struct gate *g, const struct condition *c)
{
	double share = g->common;

	if (!g->how)
		return 2;
	if (condition_only_in(c, 1u << ZONE_URI))
		share *= 0.2;
	return all_named(c) ? share * 0.1 : share;
}

/* ---- one text for all cases ---- */

/* Transformations that do not care about the case of letters: lower case may
 * come before or after them. */
static bool is_case_blind(const struct transform *t)
{
	static const char *const names[] = { "urlDecode", "urlDecodeUni", "removeNulls", "replaceNulls", "removeComments",
					     "replaceComments", "compressWhitespace", "removeWhitespace", "trim",
					     "trimLeft", "trimRight", "normalizePath", "normalizePathWin", "lowercase" };

	for (size_t i = 0; i < nelems(names); i++)
		if (t == transform_find(bytes_of(names[i])))
			return true;
	return false;
}

/* The same way without the steps to lower case that can be left to a search
 * without case: so the text that came and its lower case are scanned once. */
static bool without_case(struct build *b, uint16_t node, bool blind, uint16_t *out, bool *dropped)
{
	struct step s = b->rs->ir->steps[node];

	if (!node) {
		*out = 0;
		return true;
	}
	if (!without_case(b, s.parent, blind && is_case_blind(s.transform), out, dropped))
		return false;
	if (blind && s.transform == transform_find(BYTES("lowercase")))
		return *dropped = true;
	return ir_step(b->rs->ir, out, s.transform) || short_of_memory(b);
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
static bool gate_id(struct build *b, struct gate *g, struct condition *c)
{
	bool caseless = false;

	c->scanned = c->node;
	if (g->how != BY_REGEX && !without_case(b, c->node, true, &c->scanned, &caseless))
		return false;
	if (caseless)
		g->how = BY_WORDS;
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
	size_t best_at = 0;
	double least = 1.5;

	for (size_t i = 0; i < g->n; i++) {
		struct gate gate = gate_of(b, &g->at[i]);
		double share = burden(&gate, &g->at[i]);

		g->at[i].pattern = NO_PATTERN;
		if (share < least) {
			best = gate;
			best_at = i;
			least = share;
		}
	}
	return !best.how || gate_id(b, &best, &g->at[best_at]);
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

static struct matcher *database(struct build *b, unsigned each, const char *cache_dir)
{
	for (size_t i = 0; i < b->npatterns; i++)
		b->patterns[i].flags = (b->patterns[i].flags & ~(unsigned)PATTERN_EACH) | each;
	return b->rs->kind->compile(b->patterns, b->npatterns, cache_dir, b->err);
}

/* Expressions need line ends. With literals alone a byte will do that is in none
 * of them, so that the separators are no hits. */
static char separator_of(const struct build *b)
{
	bool used[256] = { false };
	int c = 255;

	for (size_t i = 0; i < b->npatterns; i++) {
		if (!(b->patterns[i].flags & PATTERN_LITERAL))
			return '\n';
		for (size_t k = 0; k < b->patterns[i].text.len; k++)
			used[(unsigned char)b->patterns[i].text.at[k]] = true;
	}
	while (c && used[c])
		c--;
	return c ? (char)c : '\n';
}

static bool note_kinds(struct build *b)
{
	struct ruleset *rs = b->rs;

	rs->npatterns = b->ngates;
	rs->separator = separator_of(b);
	rs->users = arena_get(rs->ir->arena, (rs->npatterns + 1) * sizeof *rs->users);
	for (size_t i = 0; rs->users && i < b->ngates; i++)
		rs->users[i].anywhere = b->gates[i].how == BY_REGEX;
	return rs->users || short_of_memory(b);
}

/* Each refusal makes one choice anew; most come before any real work is done. */
static bool compile(struct build *b, const char *cache_dir)
{
	do {
		if (!choose_all(b))
			return false;
		b->rs->matcher = database(b, PATTERN_EACH, cache_dir);
	} while (!b->rs->matcher && note_refused(b));
	if (!b->rs->matcher)
		return false;
	b->rs->once = database(b, 0, cache_dir);
	return b->rs->once && note_kinds(b);
}

bool gates_build(struct ruleset *rs, const char *cache_dir, struct err *e)
{
	struct build b = { .rs = rs, .arena = arena_new(ARENA_CAP), .err = e };
	bool ok = b.arena ? compile(&b, cache_dir) : short_of_memory(&b);

	arena_free(b.arena);
	return ok;
}
