/* operators.c -- operators answer what ModSecurity's vectors say; what a rule has
 * wrong is refused with its reason; and what the table says of a row holds. */
#include "tests/vectors.h"
#include "tests/made.h"

/* ---- ModSecurity's vectors ---- */

static const struct { const char *name, *param, *why; } excluded[] = {
	{ "validateByteRange", "", "no byte is listed: the rule is refused, by ModSecurity's parser too" },
	{ "validateByteRange", "xxx", "no number: we refuse the rule, ModSecurity 3.0.9 allows no byte at all" },
	{ "ipMatch", "10.0.0.0/100", "no block: the rule is refused, by ModSecurity 3.0.9 too" },
};

static bool is_excluded(const struct vector *v)
{
	for (size_t i = 0; i < nelems(excluded); i++)
		if (bytes_eq(v->name, bytes_of(excluded[i].name)) && bytes_eq(v->param, bytes_of(excluded[i].param)))
			return true;
	return false;
}

static bool holds_byte(const struct op *op, const struct operand *o, struct bytes v)
{
	uint64_t set[4];

	op_bytes_held(op, o, set);
	for (size_t i = 0; i < v.len; i++)
		if (set[(unsigned char)v.at[i] / 64] >> (unsigned char)v.at[i] % 64 & 1)
			return true;
	return false;
}

static bool holds_one(const struct op *op, const struct operand *o, struct bytes v)
{
	if (op->holds == HOLDS_BYTE)
		return holds_byte(op, o, v);
	for (size_t i = 0; i < o->ntexts; i++)
		if ((op->holds == HOLDS_WORD ? bytes_find_nocase : bytes_find)(v, o->texts[i]) != SIZE_MAX)
			return true;
	return false;
}

/* The answer, its place, what the row says of a match, and the same answer for an argument filled in by a request. */
static void check_vector(const struct vector *v, const char *beside)
{
	struct made m = make(v->name, v->param, beside);
	struct arena *a = arena_new(1 << 20);
	struct span s = { 0 };
	struct operand o;
	enum answer answer;

	if (is_excluded(v)) {
		assert_false(m.ok);
	} else {
		if (!m.ok)
			fail_msg("@%.*s: %s", BYTES_ARG(v->name), m.err.text);
		answer = m.op->test(&m.operand, v->input, &s);
		if (answer != (v->ret ? ANSWER_YES : ANSWER_NO))
			fail_msg("@%.*s %.*s on \"%.*s\": %d", BYTES_ARG(v->name), BYTES_ARG(v->param),
				 BYTES_ARG(v->input), answer);
		if (v->group.at)
			assert_bytes(bytes_sub(v->input, s.at, s.at + s.len), v->group);
		if (answer == ANSWER_YES)
			assert_true(s.at + s.len <= v->input.len);
		if (answer == ANSWER_YES && m.op->holds && m.op->operand != OPERAND_REGEX)
			assert_true(holds_one(m.op, &m.operand, v->input));
		if (op_expanded(m.op, a, v->param, &o))
			assert_int_equal(m.op->test(&o, v->input, &s), answer);
	}
	arena_free(a);
	ir_free(m.ir);
}

/* The file that some of them name lies where their harness has it. */
static char *vectors_folder(struct arena *a)
{
	static char dir[] = "/tmp/operators-XXXXXX";
	char command[512];

	assert_non_null(mkdtemp(dir));
	snprintf(command, sizeof command,
		 "tar -xJf '" SOURCE_DIR "/" VECTORS_ARCHIVE "' -C %s "
		 "--transform='s,^modsec-unit-tests,test-cases/secrules-language-tests,'", dir);
	assert_int_equal(system(command), 0);
	return arena_str(a, bytes_of(dir));
}

static void modsecurity_vectors_give_their_answers(void **state)
{
	static struct vectors all;
	struct arena *a = arena_new(128 << 20);
	struct bytes rest = vectors_text(a, "modsec-unit-tests/operators/*.json");
	size_t passed = 0, out = 0, files = 0;
	char beside[256], command[256], *dir;

	(void)state;
	if (!rest.len) {
		print_message("skipped: %s is not there\n", VECTORS_ARCHIVE);
		arena_free(a);
		skip();
	}
	dir = vectors_folder(a);
	snprintf(beside, sizeof beside, "%s/rules.conf", dir);
	for (; vectors_next(a, &rest, &all); files++) {
		for (size_t i = 0; i < all.n; i++) {
			check_vector(&all.at[i], beside);
			*(is_excluded(&all.at[i]) ? &out : &passed) += 1;
		}
		print_message("%5zu %.*s\n", all.n, BYTES_ARG(all.at[0].name));
	}
	for (size_t i = 0; i < nelems(excluded); i++)
		print_message("excluded: @%s \"%s\": %s\n", excluded[i].name, excluded[i].param, excluded[i].why);
	print_message("%zu vectors passed, %zu excluded, in %zu files\n", passed, out, files);
	assert_int_equal(files, 29);
	assert_int_equal(out, 4);
	assert_int_equal(passed, 3955 - 4);
	snprintf(command, sizeof command, "rm -r '%s'", dir);
	assert_int_equal(system(command), 0);
	arena_free(a);
}

/* ---- what a rule has wrong ---- */

static void a_fault_of_the_argument_is_named(void **state)
{
	static const struct { const char *name, *argument, *says; } rows[] = {
		{ "rx", "a(b", "the expression is not one: missing closing parenthesis (at byte 3)" },
		{ "verifyCC", "[", "the expression is not one: " },
		{ "pm", "", "no words to look for" },
		{ "pm", " \t ", "no words to look for" },
		{ "pmFromFile", "", "the name of a file is missing" },
		{ "pmf", "nowhere.data", "nowhere.data: No such file" },
		{ "pmFromFile", "/dev/null", "/dev/null: not a file" },
		{ "pmFromFile", "/", "/: not a file" },
		{ "pmFromFile", "https://example.com/x", "No such file" },
		{ "ipMatch", "", "no address to compare with" },
		{ "ipMatch", ",", "no address to compare with" },
		{ "ipMatch", "10.0.0.1,10.0.0.256", "'10.0.0.256' is neither an address nor a block of addresses" },
		{ "ipMatch", "10.0.0.0/33", "'10.0.0.0/33' is neither" },
		{ "ipMatch", "::/129", "'::/129' is neither" },
		{ "ipMatch", "10.0.0.0/", "'10.0.0.0/' is neither" },
		{ "ipMatchFromFile", "nowhere", "nowhere: No such file" },
		{ "validateByteRange", "", "no bytes are listed" },
		{ "validateByteRange", "1-256", "'1-256' is neither a byte nor a range of bytes" },
		{ "validateByteRange", "9-1", "'9-1' is neither" },
		{ "validateByteRange", "1,,2", "'' is neither" },
		{ "validateByteRange", "-5", "'-5' is neither" },
		{ "validateByteRange", "1-2-3", "'1-2-3' is neither" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct made m = made_of(rows[i].name, rows[i].argument);

		if (m.ok)
			fail_msg("taken: @%s %s", rows[i].name, rows[i].argument);
		if (!strstr(m.err.text, rows[i].says))
			fail_msg("want \"%s\", got \"%s\"", rows[i].says, m.err.text);
		assert_int_equal(m.err.side, SIDE_CONFIG);
		ir_free(m.ir);
	}
}

static void unknown_names_get_the_nearest_and_refused_ones_the_reason(void **state)
{
	static const struct { const char *name, *says; } rows[] = {
		{ "rz", "unknown operator 'rz', did you mean 'rx'?" },
		{ "beginWith", "did you mean 'beginsWith'?" },
		{ "notAnOperatorAtAll", "unknown operator 'notAnOperatorAtAll'" },
		{ "", "unknown operator ''" },
		{ "inspectFile", "operator 'inspectFile' is not supported: no program is run" },
		{ "FUZZYHASH", "operator 'FUZZYHASH' is not supported: " },
		{ "validateDTD", "not supported" }, { "validateSchema", "not supported" },
		{ "validateHash", "not supported" },
		{ "gsbLookup", "not supported" }, { "rsub", "not supported" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct err e = { 0 };

		assert_null(op_named(bytes_of(rows[i].name), &e));
		if (!strstr(e.text, rows[i].says))
			fail_msg("want \"%s\", got \"%s\"", rows[i].says, e.text);
		assert_null(op_find(bytes_of(rows[i].name)));
	}
	assert_string_equal(op_nearest(BYTES("strq")), "streq");
	assert_string_equal(op_nearest_alias(BYTES("equal")), "equals");
	assert_null(op_refused(BYTES("rx")));
}

static void every_row_is_found_by_its_names(void **state)
{
	(void)state;
	for (size_t i = 0; i < op_count(); i++) {
		const struct op *op = op_at(i);

		assert_true((op->name || op->alias) && op->test && op->help && op->cost);
		if (op->name)
			assert_ptr_equal(op_find(bytes_of(op->name)), op);
		if (op->alias)
			assert_ptr_equal(op_by_alias(bytes_of(op->alias)), op);
	}
	assert_ptr_equal(op_find(BYTES("STREQ")), op_find(BYTES("streq")));
	assert_null(op_by_alias(BYTES("streq")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modsecurity_vectors_give_their_answers),
		cmocka_unit_test(a_fault_of_the_argument_is_named),
		cmocka_unit_test(unknown_names_get_the_nearest_and_refused_ones_the_reason),
		cmocka_unit_test(every_row_is_found_by_its_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
