/* operators.c -- the operators, in the order of ModSecurity's manual, and what we
 * refuse of them. The tests are in op_*.c. */
#include "rules/op_parts.h"
#include "base/schema_type.h"

enum answer op_rx(const struct operand *o, struct bytes v, struct span *s)
{
	size_t from = 0, to = 0;

	switch (regex_find(o->regex, v, &from, &to)) {
	case REGEX_NO:
		return ANSWER_NO;
	case REGEX_YES:
		return op_yes_at(s, from, to - from);
	default:
		return ANSWER_LIMIT;
	}
}

static enum answer always(const struct operand *o, struct bytes v, struct span *s)
{
	(void)o;
	return op_yes_at(s, 0, v.len);
}

static enum answer never(const struct operand *o, struct bytes v, struct span *s)
{
	(void)o, (void)v, (void)s;
	return ANSWER_NO;
}

#define BYTE_BIT(c) ((uint64_t)1 << (c)) /* of the first 64 */
#define NEEDS_NOTHING OPERAND_NONE, HOLDS_NOTHING
#define NEEDS_BYTE OPERAND_NONE, HOLDS_BYTE
#define NEEDS_NUMBER OPERAND_NUMBER, HOLDS_NOTHING
#define NEEDS_REGEX OPERAND_REGEX, HOLDS_TEXT
#define NEEDS_TEXT OPERAND_TEXTS, HOLDS_TEXT

static const struct op ops[] = {
	{ "beginsWith", "startsWith", NEEDS_TEXT, op_begins_with, 2, "the text is its beginning" },
	{ "contains", "contains", NEEDS_TEXT, op_contains, 20, "the text is somewhere in it" },
	{ "containsWord", NULL, NEEDS_TEXT, op_contains_word, 20, "the text is in it, and no letter beside" },
	{ "detectSQLi", "libinjectionSQL", NEEDS_NOTHING, op_detect_sqli, 400, "libinjection sees SQL injection" },
	{ "detectXSS", "libinjectionXSS", NEEDS_BYTE, op_detect_xss, 100, "libinjection sees script injection" },
	{ "endsWith", "endsWith", NEEDS_TEXT, op_ends_with, 2, "the text is its end" },
	{ "eq", NULL, NEEDS_NUMBER, op_eq, 5, "as a number it is equal" },
	{ "ge", NULL, NEEDS_NUMBER, op_ge, 5, "as a number it is greater or equal" },
	{ "gt", NULL, NEEDS_NUMBER, op_gt, 5, "as a number it is greater" },
	{ "le", NULL, NEEDS_NUMBER, op_le, 5, "as a number it is less or equal" },
	{ "lt", NULL, NEEDS_NUMBER, op_lt, 5, "as a number it is less" },
	{ NULL, "eq", NEEDS_NUMBER, op_go_eq, 5, "as a number it is equal" },
	{ NULL, "gte", NEEDS_NUMBER, op_go_ge, 5, "as a number it is greater or equal" },
	{ NULL, "gt", NEEDS_NUMBER, op_go_gt, 5, "as a number it is greater" },
	{ NULL, "lte", NEEDS_NUMBER, op_go_le, 5, "as a number it is less or equal" },
	{ NULL, "lt", NEEDS_NUMBER, op_go_lt, 5, "as a number it is less" },
	{ "geoLookup", NULL, NEEDS_NOTHING, never, 1, "never: there is no database of places here" },
	{ "ipMatch", NULL, OPERAND_NETS, HOLDS_NOTHING, op_ip_match, 40, "it is an address in one of the blocks" },
	{ "ipMatchF", NULL, OPERAND_NETS_FILE, HOLDS_NOTHING, op_ip_match, 60, "it is in a block of the file" },
	{ "ipMatchFromFile", NULL, OPERAND_NETS_FILE, HOLDS_NOTHING, op_ip_match, 60, "it is in a block of the file" },
	{ "noMatch", NULL, NEEDS_NOTHING, never, 1, "never" },
	{ "pm", NULL, OPERAND_WORDS, HOLDS_WORD, op_pm, 50, "one of the words is in it, in any case" },
	{ "pmf", NULL, OPERAND_FILE, HOLDS_WORD, op_pm, 80, "a line of the file is in it, in any case" },
	{ "pmFromFile", "fromFile", OPERAND_FILE, HOLDS_WORD, op_pm, 80, "a line of the file is in it, in any case" },
	{ "rbl", NULL, NEEDS_NOTHING, never, 1, "never: no request waits for DNS here" },
	{ "rx", "regex", NEEDS_REGEX, op_rx, 100, "an expression matches anywhere in it" },
	{ "rxGlobal", NULL, NEEDS_REGEX, op_rx, 100, "an expression matches anywhere in it, once or more" },
	{ "streq", "equals", NEEDS_TEXT, op_streq, 2, "it is the text, case and all" },
	{ "strmatch", NULL, NEEDS_TEXT, op_contains, 20, "the text is somewhere in it" },
	{ "unconditionalMatch", NULL, NEEDS_NOTHING, always, 1, "always" },
	{ "validateByteRange", NULL, OPERAND_BYTES, HOLDS_BYTE, op_byte_range, 30, "a byte in it is not listed" },
	{ "validateUrlEncoding", NULL, NEEDS_BYTE, op_url_encoding, 20, "a '%' in it lacks its two digits" },
	{ "validateUtf8Encoding", NULL, NEEDS_BYTE, op_utf8_encoding, 60, "it is not UTF-8" },
	{ "verifyCC", NULL, NEEDS_REGEX, op_verify_cc, 150, "a match is the number of a payment card" },
	{ "verifyCPF", NULL, NEEDS_REGEX, op_verify_cpf, 150, "a match is a Brazilian taxpayer's number" },
	{ "verifySSN", NULL, NEEDS_REGEX, op_verify_ssn, 150, "a match is a social security number of the USA" },
	{ "verifySVNR", NULL, NEEDS_REGEX, op_verify_svnr, 150, "a match is an Austrian insurance number" },
	{ "within", NULL, OPERAND_TEXTS, HOLDS_NOTHING, op_within, 20, "it is somewhere in the text, or empty" },
};

static const struct { const char *name, *why; } refused[] = {
	{ "fuzzyHash", "likeness of files to known ones is not computed here" },
	{ "gsbLookup", "the service that it asked exists no more" },
	{ "inspectFile", "no program is run for a request" },
	{ "rsub", "what a client or an application sends is not rewritten here" },
	{ "validateDTD", "document types are never loaded: XML with one is refused" },
	{ "validateHash", "pages are not signed here" },
	{ "validateSchema", "XML schemas are not loaded here" },
};

const struct op *op_find(struct bytes name)
{
	for (size_t i = 0; i < nelems(ops); i++)
		if (ops[i].name && bytes_eq_nocase(name, bytes_of(ops[i].name)))
			return &ops[i];
	return NULL;
}

const char *op_refused(struct bytes name)
{
	for (size_t i = 0; i < nelems(refused); i++)
		if (bytes_eq_nocase(name, bytes_of(refused[i].name)))
			return refused[i].why;
	return NULL;
}

/* The nearest of one column. */
static const char *nearest(struct bytes word, bool alias)
{
	const char *all[nelems(ops)];
	size_t n = 0;

	for (size_t i = 0; i < nelems(ops); i++)
		if (alias ? ops[i].alias : ops[i].name)
			all[n++] = alias ? ops[i].alias : ops[i].name;
	return schema_nearest(word, all, n);
}

const char *op_nearest(struct bytes name)
{
	return nearest(name, false);
}

const struct op *op_named(struct bytes name, struct err *e)
{
	const struct op *op = op_find(name);
	const char *why = op_refused(name), *near = op ? NULL : op_nearest(name);
	int shown = (int)(name.len < 64 ? name.len : 64);
	const char *at = name.len ? name.at : "";

	if (op)
		return op;
	if (why)
		err_set(e, SIDE_CONFIG, 0, "operator '%.*s' is not supported: %s", shown, at, why);
	else
		err_set(e, SIDE_CONFIG, 0, "unknown operator '%.*s'%s%s%s", shown, at, near ? ", did you mean '" : "",
			near ? near : "", near ? "'?" : "");
	return NULL;
}

const struct op *op_by_alias(struct bytes name)
{
	for (size_t i = 0; i < nelems(ops); i++)
		if (ops[i].alias && bytes_eq(name, bytes_of(ops[i].alias)))
			return &ops[i];
	return NULL;
}

const char *op_nearest_alias(struct bytes name)
{
	return nearest(name, true);
}

void op_bytes_held(const struct op *op, const struct operand *o, uint64_t set[4])
{
	static const struct {
		op_test *test;
		uint64_t set[4];
	} held[] = {
		{ op_url_encoding, { BYTE_BIT('%') } },
		{ op_utf8_encoding, { 0, 0, UINT64_MAX, UINT64_MAX } },
		/* Outside of a tag libinjection looks for '<' alone; in one, where a value that came from a quoted attribute may
		 * be, the name of an attribute is nothing without '='. */
		{ op_detect_xss, { BYTE_BIT('<') | BYTE_BIT('=') } },
	};

	for (size_t i = 0; i < 4; i++)
		set[i] = o->bytes ? ~o->bytes[i] : UINT64_MAX;
	for (size_t i = 0; i < nelems(held); i++)
		if (held[i].test == op->test)
			memcpy(set, held[i].set, sizeof held[i].set);
}

size_t op_count(void)
{
	return nelems(ops);
}

const struct op *op_at(size_t i)
{
	return &ops[i];
}
