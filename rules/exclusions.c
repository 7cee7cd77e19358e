/* exclusions.c -- skip words: "all", "body", a rule id, a category, "arg:NAME",
 * "cookie:NAME", "header:NAME". */
#include "rules/exclusions.h"
#include "rules/fields.h"
#include "base/schema_type.h"
#include "rules/ruleset.h"
#include <stdlib.h>

static const char *const kinds[] = { "arg:", "cookie:", "header:" };

typedef bool word_test(struct bytes word, const void *what);

static bool any_word(const struct exclusions *x, word_test *test, const void *what)
{
	for (size_t i = 0; i < x->n; i++)
		for (size_t k = 0; k < x->at[i]->nskip; k++)
			if (test(x->at[i]->skip[k], what))
				return true;
	return false;
}

static bool word_is(struct bytes word, const void *text)
{
	return bytes_eq_nocase(word, bytes_of(text));
}

static bool word_starts(struct bytes word, const void *text)
{
	return bytes_starts_nocase(word, bytes_of(text));
}

void exclusions_read(struct exclusions *x, const struct inspect_options *o)
{
	*x = (struct exclusions){ .at = o->exclusions, .n = o->nexclusions };
	if (!x->n)
		return;
	x->all = any_word(x, word_is, "all");
	x->body = any_word(x, word_is, "body");
	x->args = any_word(x, word_starts, kinds[0]);
	x->cookies = any_word(x, word_starts, kinds[1]);
	x->headers = any_word(x, word_starts, kinds[2]);
}

struct named {
	const char *kind;
	struct bytes name;
};

static bool word_names(struct bytes word, const void *what)
{
	const struct named *n = what;
	struct bytes name = bytes_from(word, strlen(n->kind));

	return bytes_starts_nocase(word, bytes_of(n->kind)) &&
	       (value_is_named(n->name, name) ||
		(bytes_starts(n->name, BYTES("json.")) && value_is_named(bytes_from(n->name, 5), name)));
}

bool exclusions_name(const struct exclusions *x, const char *kind, struct bytes name)
{
	return any_word(x, word_names, &(struct named){ kind, name });
}

static bool word_is_of_rule(struct bytes word, const void *what)
{
	const struct rule_info *r = what;

	return word_is(word, r->id) || word_is(word, r->category);
}

bool exclusions_rule(const struct exclusions *x, const struct rule_info *r)
{
	return any_word(x, word_is_of_rule, r);
}

/* The nearest of all words that there are. */
static const char *nearest(const struct ruleset *s, struct bytes word)
{
	size_t n = 0, nrules = ruleset_count(s);
	const char **all = calloc(2 * nrules + 2, sizeof *all);
	const char *found;

	if (!all)
		return NULL;
	all[n++] = "all";
	all[n++] = "body";
	for (size_t i = 0; i < nrules; i++) {
		all[n++] = ruleset_rule(s, i)->id;
		all[n++] = ruleset_rule(s, i)->category;
	}
	found = schema_nearest(word, all, n);
	free(all);
	return found;
}

bool exclusion_check(const struct ruleset *s, struct bytes word, struct err *e)
{
	const char *near;

	if (word_is(word, "all") || word_is(word, "body"))
		return true;
	for (size_t i = 0; i < nelems(kinds); i++)
		if (bytes_starts_nocase(word, bytes_of(kinds[i])) && word.len > strlen(kinds[i]))
			return true;
	for (size_t i = 0; i < ruleset_count(s); i++)
		if (word_is_of_rule(word, ruleset_rule(s, i)))
			return true;
	near = nearest(s, word);
	return err_set(e, SIDE_CONFIG, 0, "no rule, category or part is called '%.*s'%s%s%s",
		       YAML_SHOWN(word), near ? "; did you mean '" : "", near ? near : "",
		       near ? "'?" : "; write a rule id, a category, body, arg:NAME, cookie:NAME or header:NAME");
}
