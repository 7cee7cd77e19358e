/* convert_exception.c -- SecRuleRemove*, SecRuleUpdateTarget* and ctl: which rules, and what
 * they do not look at. What would except more than was written is not converted. */
#include "proxy/convert_parts.h"

void convert_add_word(struct convert *c, struct convert_words *w, struct bytes word)
{
	struct bytes *at;

	for (size_t i = 0; i < w->n; i++)
		if (bytes_eq(w->at[i], word))
			return;
	at = arena_grow(c->arena, w->at, &w->cap, w->n + 1, sizeof *at);
	c->spent |= !at;
	if (!at)
		return;
	w->at = at;
	at[w->n++] = word;
}

/* ---- which rules ---- */

static const char *id_or_range(struct convert *c, struct bytes word, struct convert_exception *x)
{
	static const uint64_t families[] = { 901, 949, 959, 980 };
	struct bytes to = word, from = { 0 };
	uint64_t first, last;

	bytes_cut(&to, '-', &from);
	if (bytes_index(word, '-') == SIZE_MAX)
		to = from;
	if (!bytes_u64(from, &first) || !bytes_u64(to, &last) || first > last)
		return "it names no id and no range of ids";
	for (size_t i = 0; i < nelems(families); i++)
		if (first / 1000 == families[i] && last / 1000 == families[i])
			return "these rules sum up what others found: an exception may not name them. Take out the rules that are wrong, "
			       "or set waf.threshold or waf.mode: detect";
	convert_add_word(c, &x->words[CONVERT_RULES], word);
	return NULL;
}

static const char *tag(struct convert *c, struct bytes regex, struct convert_exception *x)
{
	struct bytes pattern;

	/* Searched for in tags, which mostly means a whole one. */
	if (convert_is_plain(regex) && convert_pattern(c, regex, &pattern) && pattern.len == regex.len + 2)
		pattern = regex;
	else if (!convert_pattern(c, regex, &pattern))
		return "an expression for tags is more than a pattern with `*`";
	convert_add_word(c, &x->words[CONVERT_TAGS], pattern);
	return NULL;
}

const char *convert_select(struct convert *c, struct bytes text, enum convert_key key, struct convert_exception *x)
{
	const char *why = NULL;
	struct bytes one;

	if (key == CONVERT_TAGS)
		return tag(c, text, x);
	while (!why && bytes_cut(&text, ',', &one))
		why = id_or_range(c, bytes_trim(one), x);
	return why || x->words[CONVERT_RULES].n ? why : "it names no rule";
}

/* ---- what they do not look at ---- */

static const struct {
	const char *variable;
	enum convert_key key; /* with a selector */
	const char *part;     /* without */
	const char *why;      /* neither can be said */
} variables[] = {
	{ "ARGS", CONVERT_ARGS, "args", NULL },
	{ "REQUEST_COOKIES", CONVERT_COOKIES, "cookies", NULL },
	{ "REQUEST_HEADERS", CONVERT_HEADERS, "headers", NULL },
	{ "ARGS_GET", 0, NULL, "`args` means those of the query and the body; write it if that is meant" },
	{ "ARGS_POST", 0, NULL, "`args` means those of the query and the body; write it if that is meant" },
	{ "ARGS_NAMES", 0, NULL, "`args` means the value and the name; write it if that is meant" },
	{ "REQUEST_BODY", 0, NULL, "`parts: [body]` means arguments of the body too; write it if that is meant" },
};

static const char *target(struct convert *c, const struct seclang_variable *v, struct convert_exception *x)
{
	struct bytes name = v->selector;

	for (size_t i = 0; i < nelems(variables); i++) {
		if (!bytes_eq_nocase(v->name, bytes_of(variables[i].variable)))
			continue;
		if (variables[i].why)
			return variables[i].why;
		if (!name.at) {
			convert_add_word(c, &x->words[CONVERT_PARTS], bytes_of(variables[i].part));
			return NULL;
		}
		if (v->regex ? !convert_pattern(c, v->selector, &name) : !convert_is_plain(name))
			return "the selector is more than a name with `*`";
		convert_add_word(c, &x->words[variables[i].key], name);
		return NULL;
	}
	return "an exception is about arguments, cookies and header fields, not about this variable";
}

const char *convert_targets(struct convert *c, struct bytes text, bool except, struct convert_exception *x)
{
	struct seclang_variable *v;
	struct err e = { 0 };
	const char *why = NULL;
	size_t n;

	if (!seclang_variables(c->arena, text, &v, &n, &e))
		return "its variables cannot be read";
	for (size_t i = 0; !why && i < n; i++)
		why = v[i].except != except ? "it adds to what a rule looks at"
		      : v[i].count	    ? "a count is not a value"
					    : target(c, &v[i], x);
	return why;
}

/* ---- ctl ---- */

static const char *by_id(struct convert *c, struct bytes v, struct convert_exception *x)
{
	return convert_select(c, v, CONVERT_RULES, x);
}

static const char *by_tag(struct convert *c, struct bytes v, struct convert_exception *x)
{
	return convert_select(c, v, CONVERT_TAGS, x);
}

static const char *target_by(struct convert *c, struct bytes v, enum convert_key key, struct convert_exception *x)
{
	struct bytes rules = { 0 };
	const char *why;

	bytes_cut(&v, ';', &rules);
	why = convert_select(c, rules, key, x);
	return why ? why : v.len ? convert_targets(c, v, false, x) : "it names no variable";
}

static const char *target_by_id(struct convert *c, struct bytes v, struct convert_exception *x)
{
	return target_by(c, v, CONVERT_RULES, x);
}

static const char *target_by_tag(struct convert *c, struct bytes v, struct convert_exception *x)
{
	return target_by(c, v, CONVERT_TAGS, x);
}

static const char *by_message(struct convert *c, struct bytes v, struct convert_exception *x)
{
	(void)c, (void)v, (void)x;
	return "an exception names rules by id, category or tag, not by message";
}

static const char *engine(struct convert *c, struct bytes v, struct convert_exception *x)
{
	(void)c;
	x->all = bytes_eq_nocase(v, BYTES("off")) && (x->path.at || x->words[CONVERT_METHODS].n);
	return x->all ? NULL : "for all requests waf.mode says it; for some only Off can be said";
}

static const char *body_access(struct convert *c, struct bytes v, struct convert_exception *x)
{
	if (!bytes_eq_nocase(v, BYTES("off")))
		return "bodies are inspected anyhow";
	convert_add_word(c, &x->words[CONVERT_PARTS], BYTES("body"));
	return NULL;
}

static const struct {
	const char *name;
	const char *(*read)(struct convert *, struct bytes, struct convert_exception *);
} verbs[] = {
	{ "ruleRemoveById", by_id },
	{ "ruleRemoveByTag", by_tag },
	{ "ruleRemoveByMsg", by_message },
	{ "ruleRemoveTargetById", target_by_id },
	{ "ruleRemoveTargetByTag", target_by_tag },
	{ "ruleRemoveTargetByMsg", by_message },
	{ "ruleEngine", engine },
	{ "requestBodyAccess", body_access },
};

const char *convert_ctl(struct convert *c, struct bytes text, struct convert_exception *x)
{
	struct bytes verb = { 0 };

	bytes_cut(&text, '=', &verb);
	for (size_t i = 0; i < nelems(verbs); i++)
		if (bytes_eq_nocase(verb, bytes_of(verbs[i].name)))
			return verbs[i].read(c, bytes_trim(text), x);
	return "an exception cannot do what this ctl does";
}

/* ---- one entry for what belongs together ---- */

static bool same_words(const struct convert_exception *a, const struct convert_exception *b, enum convert_key from, enum convert_key to)
{
	for (enum convert_key k = from; k <= to; k++) {
		if (a->words[k].n != b->words[k].n)
			return false;
		for (size_t i = 0; i < a->words[k].n; i++)
			if (!bytes_eq(a->words[k].at[i], b->words[k].at[i]))
				return false;
	}
	return true;
}

static void take_over(struct convert *c, struct convert_exception *to, struct convert_exception *from)
{
	for (enum convert_key k = 0; k < CONVERT_KEYS; k++)
		for (size_t i = 0; i < from->words[k].n; i++)
			convert_add_word(c, &to->words[k], from->words[k].at[i]);
	if (from->from.line != to->from.line || strcmp(from->from.file, to->from.file) != 0)
		to->more += 1 + from->more;
	from->merged = true;
}

static bool selects(const struct convert_exception *x)
{
	return x->words[CONVERT_RULES].n + x->words[CONVERT_TAGS].n > 0;
}

/* Same place, and either the same rules, or the same that they do not look at. Rules alone and
 * what is named without rules are other things. */
static bool belong_together(const struct convert_exception *a, const struct convert_exception *b)
{
	if (a->merged || b->merged || a->all != b->all || !a->path.at != !b->path.at || !bytes_eq(a->path, b->path) ||
	    !same_words(a, b, CONVERT_METHODS, CONVERT_METHODS))
		return false;
	if (a->all)
		return true;
	if (selects(a) != selects(b))
		return false;
	if (same_words(a, b, CONVERT_ARGS, CONVERT_PARTS))
		return true;
	return same_words(a, b, CONVERT_RULES, CONVERT_TAGS) && !same_words(a, &(struct convert_exception){ 0 }, CONVERT_ARGS, CONVERT_PARTS) &&
	       !same_words(b, &(struct convert_exception){ 0 }, CONVERT_ARGS, CONVERT_PARTS);
}

void convert_add(struct convert *c, const struct convert_exception *x)
{
	struct convert_exception *at = arena_grow(c->arena, c->exceptions, &c->exceptions_cap, c->nexceptions + 1, sizeof *at);

	c->spent |= !at;
	if (!at)
		return;
	c->exceptions = at;
	at[c->nexceptions++] = *x;
}

/* Twice: what was made one by its rules may be so by its arguments now. */
void convert_merge(struct convert *c)
{
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < c->nexceptions; i++)
			for (size_t k = i + 1; k < c->nexceptions; k++)
				if (belong_together(&c->exceptions[i], &c->exceptions[k]))
					take_over(c, &c->exceptions[i], &c->exceptions[k]);
}
