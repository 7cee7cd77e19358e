/* gates.c -- what must be found in a value before a group of conditions is asked.
 *
 * A group holds only if all its conditions do, so finding one of them is
 * enough to look at the rest. That one, the gate, is looked for in one of two ways:
 *
 *   by a text    a set of texts of which every match holds one; all texts of all
 *                groups are one database, and one scan finds them. Taken where the
 *                texts are rare in ordinary values.
 *   by a value   the condition itself is asked of each new value, and the memo
 *                remembers a value on which none of these holds. Taken for what has
 *                no texts, and only where ordinary values do not hold as a rule.
 *
 * A link of a SecLang chain can be the gate only when those before it do nothing
 * that is seen when the chain ends without it. What has no gate is always asked. */
#include "rules/carry.h"
#include "rules/everyday.h"
#include "rules/literal.h"
#include "rules/plain.h"
#include "rules/ruleset.h"

enum {
	ARENA_CAP = 256 << 20,
	THIN = 150, /* texts: where no more are looked for, these are in BOOK_THIN */
};

static const double COMMON_TEXT = 0.45;  /* of ordinary values: a text that is in more of them saves nothing */
static const double WORTH = 0.05;        /* of ordinary values: for what is in fewer, another set is not looked for */
static const double PRESENT = 0.2;       /* that there is a value at all where one may be missing */
static const double COMMON_VALUE = 0.25; /* a condition that holds on more of them is no gate */

enum how { NO_GATE, BY_TEXTS, BY_WORDS, BY_VALUE };

struct gate {
	enum how how;
	enum texts kind;
	const struct bytes *texts, *also; /* one of each */
	size_t ntexts, nalso;
	double common; /* share of ordinary values that have it, about */
};

/* One direction being built. */
struct build {
	struct compiled *compiled;
	struct ir *ir;
	enum direction direction;
	struct arena *arena; /* dies when the database is made */
	struct err *err;
	struct gate *gates;  /* one a pattern id, from unions[].first on */
	size_t ngates, gates_cap;
	struct pattern *patterns;
	size_t npatterns, patterns_cap;
};

static bool short_of_memory(struct build *b)
{
	return err_set(b->err, SIDE_SELF, 0, "out of memory while compiling rules");
}

/* As seen in a few ordinary values, or as reckoned, for these are too few to have what is rare. */
static double common_of(const struct bytes *texts, size_t n, bool caseless)
{
	double seen = everyday_share(texts, n, caseless), reckoned = 0;

	for (size_t i = 0; i < n; i++)
		reckoned += literal_common(texts[i]);
	return seen < reckoned && seen > 0.02 ? seen : reckoned < 1 ? reckoned : 1;
}

static bool has_empty(const struct operand *o)
{
	for (size_t i = 0; i < o->ntexts; i++)
		if (!o->texts[i].len)
			return true;
	return false;
}

/* Single bytes; a text for each. */
static struct gate by_byte(struct build *b, const struct condition *c)
{
	struct gate g = { .how = BY_TEXTS };
	char *bytes = arena_raw(b->arena, 256);
	struct bytes *texts = arena_get(b->arena, 256 * sizeof *texts);
	uint64_t set[4];

	if (!bytes || !texts)
		return (struct gate){ 0 };
	op_bytes_held(c->op, &c->operand, set);
	for (unsigned i = 0; i < 256; i++)
		if (bit_is(set, i)) {
			bytes[i] = (char)i;
			texts[g.ntexts++] = (struct bytes){ bytes + i, 1 };
		}
	g.texts = texts;
	g.common = everyday_share(texts, g.ntexts, false);
	return g.ntexts ? g : (struct gate){ 0 };
}

static struct gate by_literals(const struct literals *l)
{
	struct gate g = { .how = l->caseless ? BY_WORDS : BY_TEXTS, .texts = l->at, .ntexts = l->n,
			  .common = common_of(l->at, l->n, l->caseless) };
	double alone = everyday_share(l->at, l->n, l->caseless);

	if (l->nalso && alone > WORTH && everyday_share(l->also, l->nalso, l->caseless) < COMMON_TEXT) {
		g.also = l->also;
		g.nalso = l->nalso;
	}
	return g;
}

static struct gate by_text(struct build *b, const struct condition *c)
{
	const struct operand *o = &c->operand;
	struct literals l;

	if (c->negate || c->op->holds == HOLDS_NOTHING)
		return (struct gate){ 0 };
	if (c->op->holds == HOLDS_BYTE)
		return by_byte(b, c);
	if (c->op->operand != OPERAND_REGEX)
		return has_empty(o) ? (struct gate){ 0 }
				    : (struct gate){ .how = c->op->holds == HOLDS_WORD ? BY_WORDS : BY_TEXTS, .texts = o->texts,
						     .ntexts = o->ntexts,
						     .common = common_of(o->texts, o->ntexts, c->op->holds == HOLDS_WORD) };
	l = literals_of(b->arena, o->texts[0], NULL);
	return l.n ? by_literals(&l) : (struct gate){ 0 };
}

/* Of the values that such a place usually has. */
static double share_of(const struct condition *c)
{
	static const char *const methods[] = { "GET", "GET", "POST", "HEAD" };
	static const char *const protocols[] = { "HTTP/1.1" };
	const char *const *at = NULL;
	size_t n = 0, passed = 0;
	double share;

	if (condition_only_in(c, ZONE_BIT(ZONE_METHOD)))
		at = methods, n = nelems(methods);
	else if (condition_only_in(c, ZONE_BIT(ZONE_PROTOCOL)))
		at = protocols, n = nelems(protocols);
	for (size_t i = 0; i < n; i++) {
		struct span s;

		passed += c->op->test(&c->operand, bytes_of(at[i]), &s) != ANSWER_NO;
	}
	share = n ? (double)passed / (double)n : everyday_percent(c->op, &c->operand) / 100.0;
	return c->negate ? 1 - share : share;
}

static struct gate gate_of(struct build *b, const struct condition *c)
{
	struct gate g;

	if (!c->ntargets || !condition_is_of(c, b->direction))
		return (struct gate){ 0 };
	if (condition_needs_value(c))
		return (struct gate){ .how = BY_VALUE, .common = PRESENT };
	if (!condition_is_pure(c))
		return (struct gate){ 0 };
	if (c->macro) /* what is allowed, as a rule: the operand is not known here */
		return (struct gate){ .how = BY_VALUE, .common = PRESENT };
	g = by_text(b, c);
	if (g.how && g.common < COMMON_TEXT && !condition_only_in(c, ZONE_BIT(ZONE_METHOD) | ZONE_BIT(ZONE_PROTOCOL)))
		return g;
	return (struct gate){ .how = BY_VALUE, .common = share_of(c) };
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
	if (condition_only_in(c, ZONE_BIT(ZONE_URI) | ZONE_BIT(ZONE_BODY_TYPE)))
		share *= 0.2;
	if (all_named(c))
		share *= 0.1;
	return g->how == BY_VALUE && share > COMMON_VALUE ? 2 : share;
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
	struct step s = b->ir->steps[node];

	if (!node) {
		*out = 0;
		return true;
	}
	if (!without_case(b, s.parent, blind && is_case_blind(s.transform), out, dropped))
		return false;
	if (blind && s.transform == transform_find(BYTES("lowercase")))
		return *dropped = true;
	return ir_step(b->ir, out, s.transform) || short_of_memory(b);
}

static bool add_pattern(struct build *b, struct bytes text, unsigned flags, uint32_t id)
{
	struct pattern *at = arena_grow(b->arena, b->patterns, &b->patterns_cap, b->npatterns + 1, sizeof *at);

	if (!at)
		return short_of_memory(b);
	b->patterns = at;
	at[b->npatterns++] = (struct pattern){ text, flags | PATTERN_LITERAL, id };
	return true;
}

static bool add_byte(struct build *b, char byte, enum texts kind, uint32_t id)
{
	struct byte_users *u = &b->compiled->unions[b->direction].bytes[kind][(unsigned char)byte];
	uint32_t *at = arena_grow(b->ir->arena, u->patterns, &u->cap, u->n + 1, sizeof *at);

	if (!at)
		return short_of_memory(b);
	u->patterns = at;
	at[u->n++] = id;
	return true;
}

static bool add_text(struct build *b, struct bytes text, const struct gate *g, uint32_t id)
{
	bool caseless = g->how == BY_WORDS;
	char lower = byte_lower(text.at[0]), upper = lower >= 'a' && lower <= 'z' ? (char)(lower & ~0x20) : lower;

	if (text.len > 1)
		return add_pattern(b, text, caseless ? PATTERN_CASELESS : 0, id);
	if (!caseless)
		return add_byte(b, text.at[0], g->kind, id);
	return add_byte(b, lower, g->kind, id) && (upper == lower || add_byte(b, upper, g->kind, id));
}

static bool add_gate(struct build *b, const struct gate *g)
{
	struct gate *at = arena_grow(b->arena, b->gates, &b->gates_cap, b->ngates + 1, sizeof *at);
	uint32_t id = b->compiled->unions[b->direction].first + (uint32_t)b->ngates;

	if (!at)
		return short_of_memory(b);
	b->gates = at;
	for (size_t i = 0; i < g->ntexts; i++)
		if (!add_text(b, g->texts[i], g, id))
			return false;
	at[b->ngates++] = *g;
	return true;
}

static bool same_gate(const struct gate *a, const struct gate *b)
{
	if (a->how != b->how || a->kind != b->kind || a->ntexts != b->ntexts)
		return false;
	for (size_t i = 0; i < a->ntexts; i++)
		if (!bytes_eq(a->texts[i], b->texts[i]))
			return false;
	return true;
}

/* The id of a gate; equal ones share it. */
static bool pattern_of(struct build *b, const struct gate *g, uint32_t *id)
{
	uint32_t first = b->compiled->unions[b->direction].first;

	for (size_t i = 0; i < b->ngates; i++)
		if (same_gate(&b->gates[i], g)) {
			*id = first + (uint32_t)i;
			return true;
		}
	*id = first + (uint32_t)b->ngates;
	return add_gate(b, g);
}

/* Those of the texts that are plain. */
static const struct bytes *plain_ones(struct build *b, const struct bytes *texts, size_t n, size_t *nplain)
{
	struct bytes *at = arena_get(b->arena, (n + 1) * sizeof *at);

	*nplain = 0;
	for (size_t i = 0; at && i < n; i++)
		if (is_plain(texts[i]))
			at[(*nplain)++] = texts[i];
	return at;
}

/* What a plain text must hold: less, or what the expression leaves when all is taken out that cannot match
 * there. No texts: the condition cannot hold on one. */
static bool plain_gate(struct build *b, const struct gate *g, const struct condition *c, struct gate *plain)
{
	struct literals l;

	*plain = (struct gate){ .how = g->how, .kind = TEXTS_PLAIN };
	plain->texts = plain_ones(b, g->texts, g->ntexts, &plain->ntexts);
	plain->also = plain_ones(b, g->also, g->nalso, &plain->nalso);
	if (!plain->texts || !plain->also)
		return short_of_memory(b);
	if (g->nalso && !plain->nalso)
		plain->ntexts = 0;
	if (!plain->ntexts || c->op->operand != OPERAND_REGEX || c->op->holds == HOLDS_BYTE)
		return true;
	plain->common = common_of(plain->texts, plain->ntexts, g->how == BY_WORDS);
	l = literals_of(b->arena, c->operand.texts[0], plain_bytes);
	if (l.never)
		plain->ntexts = 0;
	else if (l.n && common_of(l.at, l.n, l.caseless) <= plain->common) {
		*plain = by_literals(&l);
		plain->kind = TEXTS_PLAIN;
	}
	return true;
}

/* The same texts without case, and their ids. */
static bool patterns_of(struct build *b, const struct gate *g, bool caseless, struct gate_patterns *out)
{
	struct gate one = { .how = caseless ? BY_WORDS : g->how, .kind = g->kind, .texts = g->texts, .ntexts = g->ntexts };
	struct gate also = { .how = one.how, .kind = g->kind, .texts = g->also, .ntexts = g->nalso };

	*out = (struct gate_patterns){ NO_PATTERN, NO_PATTERN };
	return (!one.ntexts || pattern_of(b, &one, &out->pattern)) && (!also.ntexts || pattern_of(b, &also, &out->also));
}

static bool gate_by_text(struct build *b, const struct gate *g, struct condition *c)
{
	struct gate plain;
	bool caseless = false;

	c->gate = GATE_TEXT;
	c->scanned = c->node;
	if (!c->multi && !without_case(b, c->node, true, &c->scanned, &caseless))
		return false;
	return plain_gate(b, g, c, &plain) && patterns_of(b, g, caseless, &c->gates[TEXTS_RICH]) &&
	       patterns_of(b, &plain, caseless, &c->gates[TEXTS_PLAIN]);
}

/* How many of the group's conditions may be its gate, from the first on. */
static size_t candidates(const struct group *g)
{
	size_t n = 0;

	if (!g->links)
		return g->n;
	while (n < g->n && !g->links[n].nsets && !g->links[n].nchanges)
		n++;
	return n < g->n ? n + 1 : n;
}

static bool choose(struct build *b, struct group *g)
{
	size_t n = candidates(g), best_at = 0;
	struct gate best = { 0 };
	double least = 1.5;

	for (size_t i = 0; i < n; i++) {
		struct gate gate = gate_of(b, &g->at[i]);
		double share = burden(&gate, &g->at[i]);

		if (share < least) {
			best = gate;
			best_at = i;
			least = share;
		}
	}
	if (best.how == BY_VALUE)
		g->at[best_at].gate = GATE_VALUE;
	if (best.how == NO_GATE && g->n && condition_is_of(&g->at[0], b->direction) && (g->at[0].carries = carry_of(b->ir, g)))
		g->at[0].gate = GATE_VALUE;
	return best.how == NO_GATE || best.how == BY_VALUE || gate_by_text(b, &best, &g->at[best_at]);
}

static bool choose_all(struct build *b)
{
	for (size_t i = 0; i < b->ir->ngroups; i++)
		if (!group_gate(&b->ir->groups[i]) && !choose(b, &b->ir->groups[i]))
			return false;
	return true;
}

/* ---- databases ---- */

/* How many texts are looked for in a zone after a node, about. */
static unsigned *weight_of(unsigned *weights, const struct build *b, enum zone z, uint16_t node)
{
	return &weights[(size_t)z * (b->ir->nsteps + 1) + node];
}

/* Adds up what a gate weighs where it looks, or tells whether it is alone with few somewhere. */
static bool weigh(struct build *b, unsigned *weights, const struct condition *c, bool add)
{
	uint32_t first = b->compiled->unions[b->direction].first;
	const struct gate_patterns *g = &c->gates[TEXTS_RICH];
	unsigned texts = (unsigned)(b->gates[g->pattern - first].ntexts + (g->also == NO_PATTERN ? 0 : b->gates[g->also - first].ntexts));
	bool thin = false;

	for (size_t i = 0; i < c->ntargets; i++)
		for (uint16_t node = c->scanned, more = 1; more; node = b->ir->steps[node].parent) {
			unsigned *w = weight_of(weights, b, c->targets[i].zone, node);

			*w += add ? texts : 0;
			thin |= *w <= THIN;
			more = c->multi && node;
		}
	return thin;
}

static bool find_thin(struct build *b)
{
	struct union_database *u = &b->compiled->unions[b->direction];
	unsigned *weights = arena_get(b->arena, ZONE_COUNT * (b->ir->nsteps + 1) * sizeof *weights);

	u->thin = arena_get(b->ir->arena, b->ngates + 1);
	if (!weights || !u->thin)
		return short_of_memory(b);
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < b->ir->ngroups; i++) {
			const struct condition *c = group_gate(&b->ir->groups[i]);

			if (!c || c->gate != GATE_TEXT || !condition_is_of(c, b->direction))
				continue;
			if (!weigh(b, weights, c, !pass) || !pass)
				continue;
			u->thin[c->gates[TEXTS_RICH].pattern - u->first] = true;
			if (c->gates[TEXTS_RICH].also != NO_PATTERN)
				u->thin[c->gates[TEXTS_RICH].also - u->first] = true;
		}
	return true;
}

static bool is_in(const struct union_database *u, enum book book, uint32_t nth)
{
	return (u->kinds[nth] == TEXTS_PLAIN) == (book == BOOK_PLAIN) && (book != BOOK_THIN || u->thin[nth]);
}

static struct matcher *database(struct build *b, enum book book, unsigned each, const char *cache_dir)
{
	struct union_database *u = &b->compiled->unions[b->direction];
	struct pattern *at = arena_get(b->arena, (b->npatterns + 1) * sizeof *at);
	size_t n = 0;

	if (!at) {
		short_of_memory(b);
		return NULL;
	}
	for (size_t i = 0; i < b->npatterns; i++)
		if (is_in(u, book, b->patterns[i].id - u->first)) {
			at[n] = b->patterns[i];
			at[n++].flags |= each;
		}
	return b->compiled->kind->compile(at, n, cache_dir, b->err);
}

static bool databases(struct build *b, const char *cache_dir)
{
	struct union_database *u = &b->compiled->unions[b->direction];

	for (enum book book = 0; book < BOOKS; book++)
		if (!(u->joined[book] = database(b, book, PATTERN_EACH, cache_dir)) ||
		    !(u->once[book] = database(b, book, 0, cache_dir)))
			return false;
	return true;
}

/* A byte that is in no text, so that what stands between values is no hit. */
static char separator_of(const struct build *b)
{
	bool used[256] = { false };
	int c = 255;

	for (size_t i = 0; i < b->npatterns; i++)
		for (size_t k = 0; k < b->patterns[i].text.len; k++)
			used[(unsigned char)b->patterns[i].text.at[k]] = true;
	while (c && used[c])
		c--;
	return c ? (char)c : '\n';
}

static bool build(struct build *b, const char *cache_dir)
{
	struct union_database *u = &b->compiled->unions[b->direction];

	u->first = (uint32_t)b->compiled->npatterns;
	if (!choose_all(b))
		return false;
	u->npatterns = b->ngates;
	b->compiled->npatterns += b->ngates;
	u->separator = separator_of(b);
	u->kinds = arena_get(b->ir->arena, b->ngates + 1);
	if (!u->kinds)
		return short_of_memory(b);
	for (size_t i = 0; i < b->ngates; i++)
		u->kinds[i] = (uint8_t)b->gates[i].kind;
	return find_thin(b) && databases(b, cache_dir);
}

bool gates_build(struct compiled *c, const char *cache_dir, struct err *e)
{
	bool ok = true;

	for (enum direction d = 0; ok && d < DIRECTIONS; d++) {
		struct build b = { .compiled = c, .ir = c->ir, .direction = d, .arena = arena_new(ARENA_CAP), .err = e };

		ok = b.arena ? build(&b, cache_dir) : short_of_memory(&b);
		arena_free(b.arena);
	}
	return ok;
}
