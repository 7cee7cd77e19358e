/* seclang_change.c -- setvar and ctl: what one rule does to others. */
#include "base/matcher.h"
#include "base/schema_type.h"
#include "rules/seclang_load.h"

/* ---- setvar ---- */

/* "TX.a" -> TX, a; the name may hold macros. */
static bool variable(struct seclang *s, struct bytes text, struct assignment *a)
{
	size_t dot = bytes_index(text, '.');
	struct bytes collection = bytes_sub(text, 0, dot), name = bytes_from(text, dot == SIZE_MAX ? text.len : dot + 1);

	if (dot == SIZE_MAX || !seclang_collection(collection, &a->collection))
		return seclang_fail(s, "setvar:%.*s: tx.NAME, or another collection, is wanted", BYTES_ARG(bytes_sub(text, 0, 60)));
	if (!name.len)
		return seclang_fail(s, "setvar:%.*s: a name is missing", BYTES_ARG(bytes_sub(text, 0, 60)));
	a->scores = bytes_find_nocase(name, BYTES("anomaly_score")) != SIZE_MAX;
	if (seclang_has_macro(name))
		return seclang_macro(s, name, &a->name);
	return ir_slot(s->ir, a->collection, name, &a->slot) || seclang_short_of_memory(s);
}

/* The '=' that ends the name: not one inside %{}. */
static size_t equals_at(struct bytes text)
{
	unsigned depth = 0;

	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] == '{')
			depth++;
		else if (text.at[i] == '}' && depth)
			depth--;
		else if (text.at[i] == '=' && !depth)
			return i;
	return SIZE_MAX;
}

bool seclang_assignment(struct seclang *s, struct bytes text, struct assignment *a)
{
	size_t equals = equals_at(text);
	struct bytes value = equals == SIZE_MAX ? BYTES("1") : bytes_from(text, equals + 1);

	if (text.len && text.at[0] == '!') {
		a->how = ASSIGN_UNSET;
		return variable(s, bytes_from(text, 1), a);
	}
	if (value.len && (value.at[0] == '+' || value.at[0] == '-')) {
		a->how = value.at[0] == '+' ? ASSIGN_ADD : ASSIGN_SUBTRACT;
		value = bytes_from(value, 1);
	}
	if (!seclang_macro(s, value, &a->value) || !variable(s, bytes_sub(text, 0, equals), a))
		return false;
	a->scores &= a->how == ASSIGN_ADD;
	return true;
}

/* ---- which rules ---- */

static bool id_range(struct seclang *s, struct bytes text, struct selection *out)
{
	struct bytes from = { 0 }, to = bytes_trim(text);

	bytes_cut(&to, '-', &from);
	if (!to.len)
		to = from;
	from = bytes_trim(from);
	to = bytes_trim(to);
	if (!bytes_u64(from, &out->from) || !bytes_u64(to, &out->to) || out->from > out->to)
		return seclang_fail(s, "'%.*s' is no id and no range of ids", BYTES_ARG(bytes_sub(text, 0, 60)));
	return true;
}

/* Tags and messages are searched for with an expression, as ModSecurity does. */
bool seclang_selection(struct seclang *s, enum select by, struct bytes text, struct selection *out)
{
	struct err why = { 0 };

	*out = (struct selection){ .by = by, .text = text };
	if (by == SELECT_ID)
		return id_range(s, text, out);
	out->regex = ir_regex(s->ir, text, PATTERN_CASELESS, &why);
	return out->regex || seclang_fail(s, "'%.*s': %s", BYTES_ARG(bytes_sub(text, 0, 60)), why.text);
}

/* ---- ctl ---- */

static bool on_or_off(struct seclang *s, struct bytes v, bool *on)
{
	*on = bytes_eq_nocase(v, BYTES("on"));
	return *on || bytes_eq_nocase(v, BYTES("off")) || seclang_fail(s, "'%.*s': On or Off is wanted", BYTES_ARG(bytes_sub(v, 0, 60)));
}

bool seclang_engine(struct seclang *s, struct bytes v, enum engine *out)
{
	static const char *const words[] = { [ENGINE_ON] = "On", [ENGINE_DETECT] = "DetectionOnly", [ENGINE_OFF] = "Off" };

	for (size_t i = 0; i < nelems(words); i++)
		if (bytes_eq_nocase(v, bytes_of(words[i]))) {
			*out = (enum engine)i;
			return true;
		}
	return seclang_fail(s, "'%.*s': On, Off or DetectionOnly is wanted", BYTES_ARG(bytes_sub(v, 0, 60)));
}

static bool engine(struct seclang *s, struct bytes v, struct change *c)
{
	return seclang_engine(s, v, &c->engine);
}

static bool on(struct seclang *s, struct bytes v, struct change *c)
{
	return on_or_off(s, v, &c->on);
}

static bool processor(struct seclang *s, struct bytes v, struct change *c)
{
	static const char *const words[] = { "URLENCODED", "MULTIPART", "JSON", "XML" };

	for (size_t i = 0; i < nelems(words); i++)
		if (bytes_eq_nocase(v, bytes_of(words[i]))) {
			c->word = bytes_of(words[i]);
			return true;
		}
	return seclang_fail(s, "requestBodyProcessor=%.*s: URLENCODED, MULTIPART, JSON or XML is wanted", BYTES_ARG(bytes_sub(v, 0, 60)));
}

static bool by_id(struct seclang *s, struct bytes v, struct change *c)
{
	return seclang_selection(s, SELECT_ID, v, &c->rules);
}

static bool by_tag(struct seclang *s, struct bytes v, struct change *c)
{
	return seclang_selection(s, SELECT_TAG, v, &c->rules);
}

static bool by_msg(struct seclang *s, struct bytes v, struct change *c)
{
	return seclang_selection(s, SELECT_MSG, v, &c->rules);
}

/* "942100;ARGS:x" */
static bool target_of(struct seclang *s, enum select by, struct bytes v, struct change *c)
{
	struct bytes rules = { 0 };
	struct target *targets;

	bytes_cut(&v, ';', &rules);
	if (!v.len)
		return seclang_fail(s, "'%.*s': RULES;VARIABLE is wanted", BYTES_ARG(bytes_sub(rules, 0, 60)));
	if (!seclang_selection(s, by, rules, &c->rules) || !seclang_targets(s, v, &targets, &c->ntargets))
		return false;
	c->targets = targets;
	return true;
}

static bool target_by_id(struct seclang *s, struct bytes v, struct change *c)
{
	return target_of(s, SELECT_ID, v, c);
}

static bool target_by_tag(struct seclang *s, struct bytes v, struct change *c)
{
	return target_of(s, SELECT_TAG, v, c);
}

static bool target_by_msg(struct seclang *s, struct bytes v, struct change *c)
{
	return target_of(s, SELECT_MSG, v, c);
}

static const struct {
	const char *name;
	enum change_kind kind;
	bool (*read)(struct seclang *, struct bytes, struct change *); /* NULL: means nothing here */
} verbs[] = {
	{ "auditEngine",                   0,                     NULL          },
	{ "auditLogParts",                 0,                     NULL          },
	{ "debugLogLevel",                 0,                     NULL          },
	{ "forceRequestBodyVariable",      CHANGE_BODY_VARIABLE,  on            },
	{ "hashEnforcement",               0,                     NULL          },
	{ "hashEngine",                    0,                     NULL          },
	{ "parseXmlIntoArgs",              0,                     NULL          },
	{ "requestBodyAccess",             CHANGE_BODY_ACCESS,    on            },
	{ "requestBodyLimit",              0,                     NULL          }, /* the app's window stands */
	{ "requestBodyProcessor",          CHANGE_BODY_PROCESSOR, processor     },
	{ "responseBodyAccess",            CHANGE_ANSWER_ACCESS,  on            },
	{ "responseBodyLimit",             0,                     NULL          },
	{ "ruleEngine",                    CHANGE_ENGINE,         engine        },
	{ "ruleRemoveById",                CHANGE_REMOVE_RULES,   by_id         },
	{ "ruleRemoveByMsg",               CHANGE_REMOVE_RULES,   by_msg        },
	{ "ruleRemoveByTag",               CHANGE_REMOVE_RULES,   by_tag        },
	{ "ruleRemoveTargetById",          CHANGE_REMOVE_TARGET,  target_by_id  },
	{ "ruleRemoveTargetByMsg",         CHANGE_REMOVE_TARGET,  target_by_msg },
	{ "ruleRemoveTargetByTag",         CHANGE_REMOVE_TARGET,  target_by_tag },
};

static bool unknown(struct seclang *s, struct bytes name)
{
	const char *all[nelems(verbs)], *near;

	for (size_t i = 0; i < nelems(verbs); i++)
		all[i] = verbs[i].name;
	near = schema_nearest(name, all, nelems(verbs));
	return seclang_fail(s, "ctl: unknown verb '%.*s'%s%s%s", BYTES_ARG(bytes_sub(name, 0, 60)), near ? ", did you mean '" : "",
			    near ? near : "", near ? "'?" : "");
}

bool seclang_change(struct seclang *s, struct bytes text, struct change *all, size_t *n)
{
	struct bytes name = { 0 };

	bytes_cut(&text, '=', &name);
	for (size_t i = 0; i < nelems(verbs); i++) {
		if (!bytes_eq_nocase(name, bytes_of(verbs[i].name)))
			continue;
		if (!verbs[i].read)
			return true;
		all[*n] = (struct change){ .kind = verbs[i].kind };
		return verbs[i].read(s, bytes_trim(text), &all[(*n)++]);
	}
	return unknown(s, name);
}
