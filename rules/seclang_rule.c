/* seclang_rule.c -- what stands in the arguments of SecRule: variables, an operator, actions.
 *
 * Where readers of the language differ, this one does what ModSecurity 3 was seen to do: ',' separates variables as '|'
 * does, TX.a is TX:a, blanks belong to an operator's argument. It departs where ModSecurity 3 makes of a slip a rule
 * that never matches: " @rx a" and "! @rx a" name the operator, as in ModSecurity 2, and a quote without an end, a
 * selector "/a" that is no expression, or an empty name is refused. */
#include "rules/seclang.h"
#include "base/yaml.h"
#include "rules/seclang_cursor.h"

static bool cursor_over(struct arena *a, struct bytes text, struct cursor *c, struct err *e)
{
	char *copy = arena_raw(a, text.len + 1);

	if (!copy)
		return err_set(e, SIDE_SELF, 0, "out of memory");
	if (text.len)
		memcpy(copy, text.at, text.len);
	*c = (struct cursor){ copy, copy + text.len };
	cursor_skip_blanks(c);
	return true;
}

/* Up to `stop` or `also`, without the blanks before it. */
static struct bytes take_until(struct cursor *c, char stop, char also)
{
	char *from = c->at;

	while (c->at < c->end && *c->at != stop && *c->at != also)
		c->at++;
	return bytes_trim((struct bytes){ from, (size_t)(c->at - from) });
}

/* ---- variables ---- */

static bool is_separator(char c)
{
	return c == '|' || c == ',';
}

/* The slash that ends an expression, for the cursor is on the one that begins it; NULL: there is none. */
static char *expression_end(const struct cursor *c)
{
	for (char *p = c->at + 1; p < c->end; p++) {
		if (*p == '\\')
			p++;
		else if (*p == '/' && (p + 1 == c->end || is_separator(p[1]) || byte_is_blank(p[1])))
			return p;
	}
	return NULL;
}

static bool take_quoted_selector(struct cursor *c, struct seclang_variable *v, bool path, struct err *e)
{
	struct bytes s;

	if (!cursor_quoted(c, &v->selector))
		return err_set(e, SIDE_CONFIG, 0, "the quoted selector of '%.*s' has no end", YAML_SHOWN(v->name));
	s = v->selector;
	v->regex = !path && s.len >= 2 && s.at[0] == '/' && s.at[s.len - 1] == '/';
	if (v->regex)
		v->selector = bytes_sub(s, 1, s.len - 1);
	return true;
}

static bool take_expression(struct cursor *c, struct seclang_variable *v, struct err *e)
{
	char *end = expression_end(c);

	if (!end)
		return err_set(e, SIDE_CONFIG, 0, "the expression '%.*s' has no '/' at its end (a name with a '/' in front "
			       "stands in quotes)", YAML_SHOWN(cursor_rest(c)));
	v->selector = (struct bytes){ c->at + 1, (size_t)(end - c->at - 1) };
	v->regex = true;
	c->at = end + 1;
	return true;
}

/* XML's selectors are paths of their own: `/` in front is no expression. */
static bool take_selector(struct cursor *c, struct seclang_variable *v, struct err *e)
{
	bool path = bytes_eq_nocase(v->name, BYTES("XML")), ok = true;

	if (cursor_on(c, '\''))
		ok = take_quoted_selector(c, v, path, e);
	else if (cursor_on(c, '/') && !path)
		ok = take_expression(c, v, e);
	else if (c->at < c->end && !byte_is_blank(*c->at))
		v->selector = take_until(c, '|', ',');
	if (ok && !v->selector.len)
		return err_set(e, SIDE_CONFIG, 0, "the selector of '%.*s' is empty", YAML_SHOWN(v->name));
	return ok;
}

static bool take_variable(struct cursor *c, struct seclang_variable *v, struct err *e)
{
	for (; cursor_on(c, '!') || cursor_on(c, '&'); c->at++) {
		bool *mark = *c->at == '!' ? &v->except : &v->count;

		if (*mark)
			return err_set(e, SIDE_CONFIG, 0, "'%c' stands twice before a variable", *c->at);
		*mark = true;
	}
	v->name = cursor_name(c);
	if (!v->name.len)
		return err_set(e, SIDE_CONFIG, 0, "a variable is wanted at '%.*s'", YAML_SHOWN(cursor_rest(c)));
	if (cursor_on(c, ':') || cursor_on(c, '.')) {
		c->at++;
		if (!take_selector(c, v, e))
			return false;
	}
	cursor_skip_blanks(c);
	if (c->at < c->end && !is_separator(*c->at))
		return err_set(e, SIDE_CONFIG, 0, "'|' is wanted behind the variable '%.*s', not '%.*s'", YAML_SHOWN(v->name),
			       YAML_SHOWN(cursor_rest(c)));
	return true;
}

bool seclang_variables(struct arena *a, struct bytes text, struct seclang_variable **out, size_t *n, struct err *e)
{
	struct seclang_variable *all = NULL;
	size_t cap = 0;
	struct cursor c;

	if (!cursor_over(a, text, &c, e))
		return false;
	for (*n = 0;; c.at++) {
		if (*n == SECLANG_ARGS_MAX)
			return err_set(e, SIDE_CONFIG, 0, "more than %d variables", SECLANG_ARGS_MAX);
		if (!(all = arena_grow(a, all, &cap, *n + 1, sizeof *all)))
			return err_set(e, SIDE_SELF, 0, "out of memory");
		all[*n] = (struct seclang_variable){ 0 };
		cursor_skip_blanks(&c);
		if (!take_variable(&c, &all[(*n)++], e))
			return false;
		if (c.at == c.end)
			break;
	}
	*out = all;
	return true;
}

/* ---- operator ---- */

static struct bytes without_blanks(struct bytes b)
{
	while (b.len && byte_is_blank(*b.at))
		b = bytes_from(b, 1);
	return b;
}

/* Behind '@'. */
static bool named_operator(struct bytes b, struct seclang_operator *op, struct err *e)
{
	size_t n = 0;

	while (n < b.len && byte_is_name(b.at[n]))
		n++;
	if (!n || (n < b.len && !byte_is_blank(b.at[n])))
		return err_set(e, SIDE_CONFIG, 0, "'@%.*s' is not the name of an operator and a blank", YAML_SHOWN(b));
	op->name = bytes_sub(b, 0, n);
	op->argument = bytes_from(b, n + 1);
	return true;
}

bool seclang_operator(struct bytes text, struct seclang_operator *op, struct err *e)
{
	struct bytes named = without_blanks(text);

	*op = (struct seclang_operator){ .name = BYTES("rx") };
	if (bytes_starts(named, BYTES("!"))) {
		op->negate = true;
		named = without_blanks(bytes_from(named, 1));
	}
	if (bytes_starts(named, BYTES("@")))
		return named_operator(bytes_from(named, 1), op, e);
	op->negate = bytes_starts(text, BYTES("!"));
	op->argument = bytes_from(text, op->negate);
	if (!op->argument.len)
		return err_set(e, SIDE_CONFIG, 0, "there is no operator");
	return true;
}

/* ---- actions ---- */

static bool take_value(struct cursor *c, struct seclang_action *action, struct err *e)
{
	cursor_skip_blanks(c);
	if (!cursor_on(c, '\''))
		action->value = take_until(c, ',', ',');
	else if (!cursor_quoted(c, &action->value))
		return err_set(e, SIDE_CONFIG, 0, "the quoted value of '%.*s' has no end", YAML_SHOWN(action->name));
	return true;
}

static bool take_action(struct cursor *c, struct seclang_action *action, struct err *e)
{
	action->name = cursor_name(c);
	if (!action->name.len && (c->at == c->end || *c->at == ','))
		return err_set(e, SIDE_CONFIG, 0, "an action is empty");
	if (!action->name.len)
		return err_set(e, SIDE_CONFIG, 0, "an action is wanted at '%.*s'", YAML_SHOWN(cursor_rest(c)));
	cursor_skip_blanks(c);
	if (cursor_on(c, ':')) {
		c->at++;
		if (!take_value(c, action, e))
			return false;
	}
	cursor_skip_blanks(c);
	if (c->at < c->end && *c->at != ',')
		return err_set(e, SIDE_CONFIG, 0, "',' is wanted behind the action '%.*s', not '%.*s'",
			       YAML_SHOWN(action->name), YAML_SHOWN(cursor_rest(c)));
	return true;
}

bool seclang_actions(struct arena *a, struct bytes text, struct seclang_action **out, size_t *n, struct err *e)
{
	struct seclang_action *all = NULL;
	size_t cap = 0;
	struct cursor c;

	*n = 0;
	*out = NULL;
	if (!cursor_over(a, text, &c, e))
		return false;
	if (c.at == c.end)
		return true;
	for (;; c.at++) {
		if (*n == SECLANG_ARGS_MAX)
			return err_set(e, SIDE_CONFIG, 0, "more than %d actions", SECLANG_ARGS_MAX);
		if (!(all = arena_grow(a, all, &cap, *n + 1, sizeof *all)))
			return err_set(e, SIDE_SELF, 0, "out of memory");
		all[*n] = (struct seclang_action){ 0 };
		cursor_skip_blanks(&c);
		if (!take_action(&c, &all[(*n)++], e))
			return false;
		if (c.at == c.end)
			break;
	}
	*out = all;
	return true;
}
