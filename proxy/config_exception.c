/* config_exception.c -- an exception says something, names what there may be, and does not switch inspection off by the way. */
#include "proxy/config_parts.h"
#include "rules/rules.h"

/* CRS rules that set up, count up or report what others found: taking one out
 * switches everything off (949110, 959100) or breaks it. */
static bool is_evaluation_rule(struct bytes word)
{
	static const char *const families[] = { "901", "949", "959", "980" };
	uint64_t id;

	for (size_t i = 0; i < nelems(families); i++)
		if (word.len == 6 && bytes_u64(word, &id) && bytes_starts(word, bytes_of(families[i])))
			return true;
	return false;
}

static bool is_skip_word(struct bytes word)
{
	static const char *const parts[] = { "arg:", "cookie:", "header:" };

	for (size_t i = 0; i < nelems(parts); i++)
		if (bytes_starts(word, bytes_of(parts[i])))
			return word.len > strlen(parts[i]);
	for (size_t i = 0; i < word.len; i++) {
		char c = byte_lower(word.at[i]);

		if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("/_.-", c)))
			return false;
	}
	return true;
}

static bool refuse_evaluation(struct schema *s, const struct yaml_node *n, const char *key, struct bytes word)
{
	return schema_err(s, n, "%s: %.*s sums up what other rules found: without it nothing is denied. Name the rule, "
			  "category or argument that is wrong instead; `embergate ctl explain` proposes one", key, BYTES_ARG(word));
}

static bool skip_word(struct schema *s, const struct yaml_node *n, struct bytes word)
{
	if (is_evaluation_rule(word))
		return refuse_evaluation(s, n, "skip", word);
	if (!is_skip_word(word))
		return schema_err(s, n, "skip: '%.*s' is neither a rule's id, a category, body, arg:NAME, "
				  "cookie:NAME, header:NAME nor all", YAML_SHOWN(word));
	return true;
}

/* The word of a list, which may have been written without its brackets. */
static const struct yaml_node *item(const struct yaml_node *list, size_t i)
{
	return list->kind == YAML_SEQUENCE ? list->items[i] : list;
}

static bool rule_word(struct schema *s, const struct yaml_node *n, struct bytes word)
{
	struct bytes to = word, from;
	uint64_t first, last;

	if (is_evaluation_rule(word))
		return refuse_evaluation(s, n, "rules", word);
	if (bytes_cut(&to, '-', &from) && bytes_u64(from, &first) && bytes_u64(to, &last) && first > last)
		return schema_err(s, n, "rules: '%.*s' ends before it begins", YAML_SHOWN(word));
	return true;
}

/* Neither rules nor anything that they would look at. */
static bool is_bare(const struct exception_config *e)
{
	return !(e->rules.n + e->categories.n + e->tags.n + e->args.n + e->cookies.n + e->headers.n + e->nparts);
}

static bool skips_all(const struct exception_config *e)
{
	for (size_t i = 0; i < e->skip.n; i++)
		if (bytes_eq(e->skip.at[i], BYTES("all")))
			return true;
	return false;
}

/* Nothing but '*' (and '/', of a path). */
static bool is_any(struct bytes pattern, bool of_path)
{
	for (size_t i = 0; i < pattern.len; i++)
		if (pattern.at[i] != '*' && !(of_path && pattern.at[i] == '/'))
			return false;
	return pattern.len > 0;
}

static bool every_path(struct bytes path)
{
	return !path.at || is_any(path, true);
}

static bool has_any(const struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		if (is_any(w->at[i], false))
			return true;
	return false;
}

static bool has_part(const struct exception_config *e, enum exclusion_part part)
{
	for (size_t i = 0; i < e->nparts; i++)
		if (e->parts[i] == part)
			return true;
	return false;
}

static bool names_rules(const struct exception_config *e)
{
	return e->rules.n || e->categories.n || e->tags.n;
}

/* All that comes with a request but its path: what is left is hardly an inspection. */
static bool takes_all_parts(const struct exception_config *e)
{
	return (has_part(e, EXCLUDE_ALL_ARGS) || has_any(&e->args)) && (has_part(e, EXCLUDE_ALL_COOKIES) || has_any(&e->cookies)) &&
	       (has_part(e, EXCLUDE_ALL_HEADERS) || has_any(&e->headers));
}

/* A family of the Core Rule Set has a thousand ids; ten of them are all that it finds. */
static bool takes_all_rules(const struct exception_config *e)
{
	enum { FAMILIES = 10 * 1000 };
	uint64_t ids = 0, first, last;
	struct bytes to, from;

	for (size_t i = 0; i < e->rules.n; i++) {
		to = e->rules.at[i];
		if (bytes_cut(&to, '-', &from) && bytes_u64(from, &first) && bytes_u64(to, &last) && first <= last)
			ids = last - first >= FAMILIES ? FAMILIES : ids + (last - first + 1);
	}
	return ids >= FAMILIES || has_any(&e->tags);
}

static bool takes_some_part(const struct exception_config *e)
{
	return e->args.n || e->cookies.n || e->headers.n || e->nparts;
}

/* What switches inspection off under another name. */
static const char *what_is_wide(const struct exception_config *e)
{
	if (!names_rules(e))
		return takes_all_parts(e) ? "parts" : NULL;
	if (takes_all_rules(e) && (!takes_some_part(e) || takes_all_parts(e)))
		return e->rules.n ? "rules" : "tags";
	return NULL;
}

static bool is_forced(const struct yaml_node *n)
{
	const struct yaml_node *force = yaml_get(n, "force");
	uint64_t on = 0;

	return force && schema_bool.number(force->text, &on) && on;
}

bool config_exception_end(struct schema *s, const struct yaml_node *n, void *out)
{
	struct exception_config *e = out;
	const struct yaml_node *skip = schema_at(n, "skip"), *rules = schema_at(n, "rules");
	const char *wide;

	e->has_path = e->path.at != NULL;
	if (!e->skip.n && is_bare(e) && !e->max_body)
		return schema_err(s, n, "excepts nothing; give `rules` or `categories`, `args`, `cookies`, `headers` or `parts`, "
				  "or `max_body`");
	if (e->skip.n && !is_bare(e))
		return schema_err(s, skip, "`skip` stands alone: its words say by themselves what they take out. In place of "
				  "arg:NAME beside `rules` write args: [NAME]");
	for (size_t i = 0; i < e->skip.n; i++)
		if (!skip_word(s, item(skip, i), e->skip.at[i]))
			return false;
	for (size_t i = 0; i < e->rules.n; i++)
		if (!rule_word(s, item(rules, i), e->rules.at[i]))
			return false;
	if (skips_all(e) && every_path(e->path) && !is_forced(n))
		return schema_err(s, skip, "skip: all, for every path, switches inspection off; name a path, "
				  "set waf.mode: off, or add force: true");
	wide = every_path(e->path) && !is_forced(n) ? what_is_wide(e) : NULL;
	if (wide)
		return schema_err(s, schema_at(n, wide), "%s: so many, for every path, switch inspection off; name a path or less, "
				  "set waf.mode: off, or add force: true", wide);
	return true;
}
