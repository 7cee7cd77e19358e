/* operators.c -- the operators and their table. Longer ones have a file: op_*.c. */
#include "rules/operators.h"
#include "base/schema_type.h"

static enum answer yes_at(struct span *s, size_t at, size_t len)
{
	*s = (struct span){ at, len };
	return ANSWER_YES;
}

static enum answer rx(const struct operand *o, struct bytes v, struct span *s)
{
	size_t from = 0, to = 0;

	switch (regex_find(o->regex, v, &from, &to)) {
	case REGEX_NO:
		return ANSWER_NO;
	case REGEX_YES:
		return yes_at(s, from, to - from);
	default:
		return ANSWER_LIMIT;
	}
}

/* A test that any of the operand's texts may pass. */
typedef bool text_test(struct bytes value, struct bytes text, struct span *);

static enum answer any_text(const struct operand *o, struct bytes v, struct span *s, text_test *test)
{
	for (size_t i = 0; i < o->ntexts; i++)
		if (test(v, o->texts[i], s))
			return ANSWER_YES;
	return ANSWER_NO;
}

static bool is_text(struct bytes v, struct bytes text, struct span *s)
{
	*s = (struct span){ 0, v.len };
	return bytes_eq(v, text);
}

static bool holds_text(struct bytes v, struct bytes text, struct span *s)
{
	*s = (struct span){ bytes_find(v, text), text.len };
	return s->at != SIZE_MAX;
}

static bool holds_word(struct bytes v, struct bytes text, struct span *s)
{
	*s = (struct span){ bytes_find_nocase(v, text), text.len };
	return s->at != SIZE_MAX;
}

static bool starts_with_text(struct bytes v, struct bytes text, struct span *s)
{
	*s = (struct span){ 0, text.len };
	return bytes_starts(v, text);
}

static bool ends_with_text(struct bytes v, struct bytes text, struct span *s)
{
	*s = (struct span){ v.len - text.len, text.len };
	return bytes_ends(v, text);
}

static enum answer streq(const struct operand *o, struct bytes v, struct span *s)
{
	return any_text(o, v, s, is_text);
}

static enum answer contains(const struct operand *o, struct bytes v, struct span *s)
{
	return any_text(o, v, s, holds_text);
}

static enum answer begins_with(const struct operand *o, struct bytes v, struct span *s)
{
	return any_text(o, v, s, starts_with_text);
}

static enum answer ends_with(const struct operand *o, struct bytes v, struct span *s)
{
	return any_text(o, v, s, ends_with_text);
}

static enum answer words(const struct operand *o, struct bytes v, struct span *s)
{
	return any_text(o, v, s, holds_word);
}

/* As Go's strconv.Atoi, on which CrowdSec's rules rest: what is no number counts
 * as 0. Past 64 bits the nearest one counts, where Go would say 0 again. */
static int64_t number_of(struct bytes v)
{
	bool minus = v.len && v.at[0] == '-';
	struct bytes digits = bytes_from(v, minus || (v.len && v.at[0] == '+'));
	uint64_t n;

	for (size_t i = 0; i < digits.len; i++)
		if (digits.at[i] < '0' || digits.at[i] > '9')
			return 0;
	if (!digits.len)
		return 0;
	if (!bytes_u64(digits, &n) || n > INT64_MAX)
		n = INT64_MAX;
	return minus ? -(int64_t)n : (int64_t)n;
}

static enum answer when(bool holds, struct bytes v, struct span *s)
{
	return holds ? yes_at(s, 0, v.len) : ANSWER_NO;
}

static enum answer eq(const struct operand *o, struct bytes v, struct span *s)
{
	return when(number_of(v) == o->number, v, s);
}

static enum answer gt(const struct operand *o, struct bytes v, struct span *s)
{
	return when(number_of(v) > o->number, v, s);
}

static enum answer ge(const struct operand *o, struct bytes v, struct span *s)
{
	return when(number_of(v) >= o->number, v, s);
}

static enum answer lt(const struct operand *o, struct bytes v, struct span *s)
{
	return when(number_of(v) < o->number, v, s);
}

static enum answer le(const struct operand *o, struct bytes v, struct span *s)
{
	return when(number_of(v) <= o->number, v, s);
}

static const struct op ops[] = {
	{ "rx",         "regex",           OPERAND_REGEX,  true,  rx,             100,  "an expression matches anywhere in it"   },
	{ "streq",      "equals",          OPERAND_TEXTS,  true,  streq,          2,    "it is the text, case and all"           },
	{ "contains",   "contains",        OPERAND_TEXTS,  true,  contains,       20,   "the text is somewhere in it"            },
	{ "beginsWith", "startsWith",      OPERAND_TEXTS,  true,  begins_with,    2,    "the text is its beginning"              },
	{ "endsWith",   "endsWith",        OPERAND_TEXTS,  true,  ends_with,      2,    "the text is its end"                    },
	{ "pmFromFile", "fromFile",        OPERAND_FILE,   true,  words,          1000, "a line of the file is in it, whatever its case" },
	{ "detectSQLi", "libinjectionSQL", OPERAND_NONE,   false, op_detect_sqli, 400,  "libinjection takes it for SQL injection" },
	{ "detectXSS",  "libinjectionXSS", OPERAND_NONE,   false, op_detect_xss,  100,  "libinjection takes it for script injection" },
	{ "eq",         "eq",              OPERAND_NUMBER, false, eq,             5,    "as a number it is equal"                },
	{ "gt",         "gt",              OPERAND_NUMBER, false, gt,             5,    "as a number it is greater"              },
	{ "ge",         "gte",             OPERAND_NUMBER, false, ge,             5,    "as a number it is greater or equal"     },
	{ "lt",         "lt",              OPERAND_NUMBER, false, lt,             5,    "as a number it is less"                 },
	{ "le",         "lte",             OPERAND_NUMBER, false, le,             5,    "as a number it is less or equal"        },
};

const struct op *op_find(struct bytes name)
{
	for (size_t i = 0; i < nelems(ops); i++)
		if (bytes_eq_nocase(name, bytes_of(ops[i].name)))
			return &ops[i];
	return NULL;
}

const struct op *op_by_alias(struct bytes name)
{
	for (size_t i = 0; i < nelems(ops); i++)
		if (bytes_eq(name, bytes_of(ops[i].alias)))
			return &ops[i];
	return NULL;
}

const char *op_nearest_alias(struct bytes name)
{
	const char *all[nelems(ops)];

	for (size_t i = 0; i < nelems(ops); i++)
		all[i] = ops[i].alias;
	return schema_nearest(name, all, nelems(ops));
}

size_t op_count(void)
{
	return nelems(ops);
}

const struct op *op_at(size_t i)
{
	return &ops[i];
}
