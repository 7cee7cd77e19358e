/* exclusions_load.c -- the words of an exception -> bits of groups, patterns, zones. */
#include "base/path.h"
#include "base/schema_type.h"
#include "rules/exclusions.h"
#include "rules/ruleset.h"
#include <stdlib.h>

static const struct {
	const char *key; /* in the configuration */
	const char *prefix; /* of a skip word; NULL: none */
	enum excluded_kind kind;
} named[] = {
	[EXCLUDE_ARGS] = { "args", "arg:", EXCLUDED_ARG },
	[EXCLUDE_COOKIES] = { "cookies", "cookie:", EXCLUDED_COOKIE },
	[EXCLUDE_HEADERS] = { "headers", "header:", EXCLUDED_HEADER },
};

#define BIT(z) ZONE_BIT(ZONE_##z)
#define TARGET (BIT(URI_FULL) | BIT(PATH_QUERY) | BIT(LINE))
#define QUERY (BIT(ARGS) | BIT(ARGS_NAMES) | BIT(QUERY))
#define BODY_ARGUMENTS (BIT(BODY_ARGS) | BIT(BODY_ARGS_NAMES) | BIT(XML_ARGS) | BIT(XML_ARGS_NAMES))
#define UPLOADS (BIT(FILES) | BIT(FILES_NAMES) | BIT(FILES_SIZES) | BIT(FILES_TOTAL_SIZE) | BIT(PART_HEADERS))

static const zone_set parts[EXCLUDE_PARTS] = {
	[EXCLUDE_BODY] = BODY_ARGUMENTS | UPLOADS | BIT(XML_TEXT) | BIT(XML_ATTRIBUTES) | BIT(RAW_BODY) | BIT(FORM_BODY),
	[EXCLUDE_ALL_ARGS] = QUERY | BODY_ARGUMENTS,
	[EXCLUDE_ALL_COOKIES] = BIT(COOKIES) | BIT(COOKIES_NAMES),
	[EXCLUDE_ALL_HEADERS] = BIT(HEADERS) | BIT(HEADERS_NAMES),
	[EXCLUDE_FILES] = UPLOADS,
	[EXCLUDE_PATH] = BIT(URI) | BIT(PATH) | BIT(BASENAME) | TARGET,
	[EXCLUDE_QUERY] = QUERY | TARGET,
	[EXCLUDE_ANSWER] = BIT(STATUS) | BIT(ANSWER_HEADERS) | BIT(ANSWER_HEADERS_NAMES) | BIT(ANSWER_FACTS) | BIT(ANSWER_BODY),
};

struct loading {
	struct arena *arena;
	const struct ruleset *rules;
	uint64_t *groups; /* selected so far; NULL: none */
	struct err *err;
};

static bool no_memory(const struct loading *l)
{
	return err_set(l->err, SIDE_SELF, 0, "out of memory");
}

/* ---- which rules ---- */

static bool looks_only_at(const struct group *g, bool (*test)(const struct target *))
{
	for (size_t i = 0; i < g->n; i++)
		for (size_t k = 0; k < g->at[i].ntargets; k++)
			if (!test(&g->at[i].targets[k]))
				return false;
	return true;
}

static bool is_left_behind(const struct target *t)
{
	return t->zone == ZONE_MATCHED || (t->zone == ZONE_VARS && t->collection == COLLECTION_TX);
}

static bool is_no_score(const struct target *t)
{
	return t->zone != ZONE_VARS || bytes_find(t->name, BYTES("anomaly_score")) == SIZE_MAX;
}

static bool scores(const struct group *g)
{
	for (size_t i = 0; g->links && i < g->n; i++)
		for (size_t k = 0; k < g->links[i].nsets; k++)
			if (g->links[i].sets[k].scores)
				return true;
	return false;
}

/* Sets up, counts up or reports: it looks at nothing but what other rules left behind. A rule
 * that scores by itself and reads no score is none, whatever it looks at (921180). */
static bool is_evaluation(const struct ruleset *s, const struct rule *r)
{
	static const uint64_t families[] = { 901, 949, 959, 980 }; /* of the Core Rule Set */
	const struct group *g = &s->ir->groups[r->first];

	if (!r->ordered || !r->n)
		return false;
	for (size_t i = 0; i < nelems(families); i++)
		if (r->number / 1000 == families[i])
			return true;
	return looks_only_at(g, is_left_behind) && !(scores(g) && looks_only_at(g, is_no_score));
}

static bool select_rule(struct loading *l, const struct rule *r)
{
	if (!l->groups && !(l->groups = arena_get(l->arena, l->rules->plan.nwords * sizeof *l->groups)))
		return no_memory(l);
	for (uint32_t i = 0; i < r->n; i++)
		bit_set(l->groups, r->first + i);
	return true;
}

typedef bool rule_test(const struct rule *, struct bytes word);

static bool has_id(const struct rule *r, struct bytes word)
{
	return bytes_eq_nocase(word, bytes_of(r->info.id));
}

static bool has_category(const struct rule *r, struct bytes word)
{
	return bytes_eq_nocase(word, bytes_of(r->info.category));
}

static bool has_tag(const struct rule *r, struct bytes word)
{
	for (size_t i = 0; i < r->ntags; i++)
		if (path_matches(word, r->tags[i], true))
			return true;
	return false;
}

static bool is_range(struct bytes word, uint64_t *from, uint64_t *to)
{
	struct bytes first;

	return bytes_index(word, '-') != SIZE_MAX && bytes_cut(&word, '-', &first) && bytes_u64(first, from) && bytes_u64(word, to);
}

static bool in_range(const struct rule *r, struct bytes word)
{
	uint64_t from, to;

	return is_range(word, &from, &to) && r->number >= from && r->number <= to && r->number;
}

/* All that the word means, but for those that only sum up; *evaluations counts these. False: out of memory. */
static bool select_by(struct loading *l, rule_test *test, struct bytes word, size_t *found, size_t *evaluations)
{
	const struct ir *ir = l->rules->ir;

	*found = *evaluations = 0;
	for (size_t i = 0; i < ir->nrules; i++) {
		if (!test(&ir->rules[i], word))
			continue;
		if (is_evaluation(l->rules, &ir->rules[i])) {
			++*evaluations;
			continue;
		}
		++*found;
		if (!select_rule(l, &ir->rules[i]))
			return false;
	}
	return true;
}

/* ---- words that mean nothing ---- */

static bool refuse_evaluation(const struct loading *l, const char *key, struct bytes word)
{
	return err_set(l->err, SIDE_CONFIG, 0, "%s: %.*s sums up what other rules found; without it nothing is denied. "
		       "Name the rule, category or argument that is wrong: `embergate ctl explain` proposes one", key, BYTES_ARG(word));
}

/* The nearest of all words that there are. */
static const char *nearest(const struct ruleset *s, struct bytes word, bool ids, bool categories, bool tags)
{
	const struct ir *ir = s->ir;
	size_t n = 0, most = 2;
	const char **all, *found;

	for (size_t i = 0; i < ir->nrules; i++)
		most += 2 + (tags ? ir->rules[i].ntags : 0);
	if (!(all = calloc(most, sizeof *all)))
		return NULL;
	if (ids && categories) {
		all[n++] = "all";
		all[n++] = "body";
	}
	for (size_t i = 0; i < ir->nrules; i++) {
		if (ids)
			all[n++] = ir->rules[i].info.id;
		if (categories)
			all[n++] = ir->rules[i].info.category;
		for (size_t k = 0; tags && k < ir->rules[i].ntags; k++)
			all[n++] = ir->rules[i].tags[k].at; /* with a NUL behind it, as arena_copy() has it */
	}
	found = schema_nearest(word, all, n);
	free(all);
	return found;
}

static bool unknown(const struct loading *l, const char *what, struct bytes word, const char *near, const char *otherwise)
{
	return err_set(l->err, SIDE_CONFIG, 0, "%s '%.*s'%s%s%s", what, YAML_SHOWN(word), near ? "; did you mean '" : "; ",
		       near ? near : otherwise, near ? "'?" : "");
}

static bool by_category(struct loading *l, struct bytes word)
{
	size_t found, evaluations;

	if (!select_by(l, has_category, word, &found, &evaluations))
		return false;
	return found || unknown(l, "categories: no rule is of category", word, nearest(l->rules, word, false, true, false),
				"write for example sqli, xss, rce or lfi");
}

static bool by_tag(struct loading *l, struct bytes word)
{
	size_t found, evaluations;

	if (!select_by(l, has_tag, word, &found, &evaluations))
		return false;
	return found || unknown(l, "tags: no rule has the tag", word, nearest(l->rules, word, false, false, true),
				"write a tag of a SecLang rule");
}

static bool by_rule(struct loading *l, struct bytes word)
{
	size_t found, evaluations;
	uint64_t from, to;
	bool range = is_range(word, &from, &to);

	if (!select_by(l, range ? in_range : has_id, word, &found, &evaluations))
		return false;
	if (!found && evaluations)
		return refuse_evaluation(l, "rules", word);
	if (found)
		return true;
	for (size_t i = 0; i < l->rules->ir->nrules; i++)
		if (has_category(&l->rules->ir->rules[i], word))
			return err_set(l->err, SIDE_CONFIG, 0, "rules: '%.*s' is no rule's id but a category: write categories: [%.*s]",
				       BYTES_ARG(word), BYTES_ARG(word));
	return unknown(l, range ? "rules: no rule's id is in" : "rules: no rule is called", word,
		       range ? NULL : nearest(l->rules, word, true, false, false), "write a rule's id, or a range as 942100-942199");
}

/* ---- what they do not look at ---- */

static bool add(struct loading *l, struct excluded_list *to, struct excluded e)
{
	struct excluded *at = arena_get(l->arena, (to->n + 1) * sizeof *at);

	if (!at)
		return no_memory(l);
	if (to->n)
		memcpy(at, to->at, to->n * sizeof *at);
	at[to->n++] = e;
	to->at = at;
	return true;
}

static bool add_names(struct loading *l, const struct exclusion_text *t, struct excluded_list *to)
{
	for (size_t key = EXCLUDE_ARGS; key <= EXCLUDE_HEADERS; key++)
		for (size_t i = 0; i < t->words[key].n; i++)
			if (!add(l, to, (struct excluded){ .kind = named[key].kind, .name = t->words[key].at[i] }))
				return false;
	return true;
}

static zone_set zones_of(uint32_t bits)
{
	zone_set all = 0;

	for (size_t i = 0; i < EXCLUDE_PARTS; i++)
		if (bits >> i & 1)
			all |= parts[i];
	return all;
}

/* ---- skip ---- */

static bool skip(struct loading *l, struct exclusion *x, struct bytes word)
{
	size_t ids, categories, evaluations, none;
	const char *near;

	if (bytes_eq_nocase(word, BYTES("all")) || bytes_eq_nocase(word, BYTES("body"))) {
		x->all |= word.len == 3;
		x->body |= word.len == 4;
		return true;
	}
	for (size_t key = EXCLUDE_ARGS; key <= EXCLUDE_HEADERS; key++)
		if (bytes_starts_nocase(word, bytes_of(named[key].prefix)) && word.len > strlen(named[key].prefix))
			return add(l, &x->out, (struct excluded){ .kind = named[key].kind, .name = bytes_from(word, strlen(named[key].prefix)) });
	if (!select_by(l, has_id, word, &ids, &evaluations) || !select_by(l, has_category, word, &categories, &none))
		return false;
	if (ids + categories)
		return true;
	if (evaluations)
		return refuse_evaluation(l, "skip", word);
	near = nearest(l->rules, word, true, true, false);
	return unknown(l, "skip: no rule, category or part is called", word, near,
		       "write a rule id, a category, body, arg:NAME, cookie:NAME or header:NAME");
}

/* ---- the whole ---- */

static bool each(struct loading *l, const struct exclusion_words *w, bool (*take)(struct loading *, struct bytes))
{
	for (size_t i = 0; i < w->n; i++)
		if (!take(l, w->at[i]))
			return false;
	return true;
}

static bool load(struct loading *l, struct exclusion *x, const struct exclusion_text *t)
{
	zone_set zones = zones_of(t->parts);
	bool for_rules;

	for (size_t i = 0; i < t->words[EXCLUDE_SKIP].n; i++)
		if (!skip(l, x, t->words[EXCLUDE_SKIP].at[i]))
			return false;
	if (!each(l, &t->words[EXCLUDE_RULES], by_rule) || !each(l, &t->words[EXCLUDE_CATEGORIES], by_category) ||
	    !each(l, &t->words[EXCLUDE_TAGS], by_tag))
		return false;
	for_rules = t->words[EXCLUDE_RULES].n + t->words[EXCLUDE_CATEGORIES].n + t->words[EXCLUDE_TAGS].n > 0;
	x->body |= !for_rules && t->parts >> EXCLUDE_BODY & 1;
	if (!add_names(l, t, for_rules ? &x->cut : &x->out) ||
	    (zones && !add(l, &x->cut, (struct excluded){ .kind = EXCLUDED_ZONES, .zones = zones })))
		return false;
	x->cut_groups = for_rules ? l->groups : NULL;
	x->off = for_rules && x->cut.n ? NULL : l->groups;
	return true;
}

const struct exclusion *exclusion_new(struct arena *a, const struct ruleset *s, const struct exclusion_text *t, struct err *e)
{
	struct exclusion *x = arena_get(a, sizeof *x);
	struct loading l = { .arena = a, .rules = s, .err = e };

	if (!x) {
		no_memory(&l);
		return NULL;
	}
	return load(&l, x, t) ? x : NULL;
}
