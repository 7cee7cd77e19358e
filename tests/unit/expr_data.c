/* expr_data.c -- the files that expressions ask: what is read, what is told, what is left out. */
#include "tests/test.h"
#include "base/expr_tree.h"
#include "base/text.h"
#include <stdlib.h>
#include <unistd.h>

enum { ARENA = 64 << 20 };

struct made {
	struct arena *arena;
	struct expr_data *data;
	const struct expr_file *file;
	struct err err;
	bool good;
};

static struct made made(enum expr_data_type type, struct bytes text)
{
	char path[] = "/tmp/embergate-expr-data-XXXXXX";
	struct made m = { .arena = arena_new(ARENA) };
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text.at, text.len), text.len);
	close(fd);
	m.data = expr_data_new(m.arena, NULL);
	m.good = expr_data_add(m.data, BYTES("f"), type, path, &m.err);
	m.file = expr_data_find(m.data, BYTES("f"), type);
	assert_non_null(m.file);
	unlink(path);
	return m;
}

static void lines_are_without_comments_and_blanks(void **state)
{
	static const char *const want[] = { " # no comment", "a b", "c\td", "last" };
	struct made m = made(EXPR_DATA_STRING, BYTES("# a comment\n\n # no comment\na b\r\n \t \r\nc\td\n#x\nlast"));
	size_t n;
	const struct expr_value *lines = expr_file_lines(m.file, &n);

	(void)state;
	assert_true(m.good);
	assert_int_equal(n, nelems(want));
	for (size_t i = 0; i < n; i++)
		assert_bytes(lines[i].text, bytes_of(want[i]));
	assert_null(expr_data_find(m.data, BYTES("f"), EXPR_DATA_REGEXP));
	assert_null(expr_data_find(m.data, BYTES("g"), EXPR_DATA_STRING));
	arena_free(m.arena);
}

static bool matches(const struct made *m, const char *text)
{
	struct expr_run run = { .arena = m->arena, .steps = EXPR_STEPS };
	bool yes;

	assert_true(expr_file_match(&run, m->file, bytes_of(text), &yes));
	return yes;
}

static void a_wrong_expression_is_told_and_left_out(void **state)
{
	struct made m = made(EXPR_DATA_REGEXP, BYTES("ab+\n(unclosed\n[z-a]\n^x$\n"));

	(void)state;
	assert_false(m.good);
	assert_non_null(strstr(m.err.text, ":2: missing closing parenthesis"));
	assert_true(matches(&m, "xabb"));
	assert_true(matches(&m, "x"));
	assert_false(matches(&m, "xx"));
	assert_false(matches(&m, "x\n")); /* $ is the very end, as in Go */
	arena_free(m.arena);
}

static void what_hyperscan_refuses_is_asked_all_the_same(void **state)
{
	struct made m = made(EXPR_DATA_REGEXP, BYTES("a(?=b)\n(x|y)\\1z\nplain\na.c\n"));

	(void)state;
	assert_true(m.good);
	assert_true(matches(&m, "-ab"));
	assert_false(matches(&m, "-ac"));
	assert_true(matches(&m, "xxz"));
	assert_false(matches(&m, "xyz"));
	assert_true(matches(&m, "a plain one"));
	assert_true(matches(&m, "abc"));
	assert_false(matches(&m, "a\nc")); /* . is no line feed, as in Go */
	arena_free(m.arena);
}

static void a_map_gives_whole_texts_first_then_parts_then_expressions(void **state)
{
	static const struct { const char *text, *tag; } rows[] = {
		{ "/wp", "whole" }, { "/wp2", "part" }, { "x/wpz", "part" }, { "yz", "regex" }, { "a\tb", "tab" }, { "none", "" }, { "", "" },
	};
	struct made m = made(EXPR_DATA_MAP, BYTES("{\"tag\": \"regex\", \"pattern\": \"z$\", \"type\": \"regex\"}\n"
						  "{\"pattern\": \"/wp\", \"tag\": \"part\", \"type\": \"contains\"}\n"
						  "{\"pattern\": \"/wp\", \"tag\": \"whole\"}\n"
						  "{\"pattern\": \"a\\tb\", \"tag\": \"tab\", \"type\": \"equals\"}\n"));

	(void)state;
	assert_true(m.good);
	for (size_t i = 0; i < nelems(rows); i++) {
		struct expr_run run = { .arena = m.arena, .steps = EXPR_STEPS };
		struct bytes tag;

		assert_true(expr_file_look_up(&run, m.file, bytes_of(rows[i].text), &tag));
		assert_bytes(tag, bytes_of(rows[i].tag));
	}
	arena_free(m.arena);
}

static void a_wrong_row_is_told_and_left_out(void **state)
{
	static const struct { const char *line, *want; } rows[] = {
		{ "x", ":2: expected JSON with \"pattern\" and \"tag\"" },
		{ "{\"pattern\": \"a\"}", ":2: expected JSON with" },
		{ "{\"pattern\": 1, \"tag\": \"t\"}", ":2: expected JSON with" },
		{ "{\"pattern\": \"a\", \"tag\": \"t\", \"type\": \"glob\"}", ":2: unknown type" },
		{ "{\"pattern\": \"(\", \"tag\": \"t\", \"type\": \"regex\"}", ":2: missing closing parenthesis" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		char text[200];
		struct text t = text_over(text, sizeof text);
		struct made m;
		size_t n;

		text_printf(&t, "{\"pattern\": \"a\", \"tag\": \"b\"}\n%s\n{\"pattern\": \"c\", \"tag\": \"d\"}\n",
			    rows[i].line);
		m = made(EXPR_DATA_MAP, text_bytes(&t));
		assert_false(m.good);
		if (!strstr(m.err.text, rows[i].want))
			fail_msg("%s: %s", rows[i].line, m.err.text);
		expr_file_rows(m.file, &n);
		assert_int_equal(n, 2);
		arena_free(m.arena);
	}
}

static void a_file_that_is_not_there_is_known_and_empty(void **state)
{
	struct arena *a = arena_new(ARENA);
	struct expr_data *d = expr_data_new(a, NULL);
	struct err e = { 0 };
	size_t n;

	(void)state;
	assert_false(expr_data_add(d, BYTES("gone"), EXPR_DATA_STRING, "/nowhere/gone.txt", &e));
	assert_string_equal(e.text, "/nowhere/gone.txt: No such file or directory");
	assert_non_null(expr_data_find(d, BYTES("gone"), EXPR_DATA_STRING));
	expr_file_lines(expr_data_find(d, BYTES("gone"), EXPR_DATA_STRING), &n);
	assert_int_equal(n, 0);
	assert_true(expr_data_add(d, BYTES("gone"), EXPR_DATA_STRING, "/nowhere/gone.txt", &e)); /* known already */
	assert_false(expr_data_add(d, BYTES("dir"), EXPR_DATA_REGEXP, "/tmp", &e));
	assert_string_equal(e.text, "/tmp: not a file");
	arena_free(a);
}

static void ten_thousand_lines_are_one_test(void **state)
{
	char *text = malloc(200000);
	struct text t = text_over(text, 200000);
	struct made m;
	size_t n;

	(void)state;
	assert_non_null(text);
	for (int i = 0; i < 10000; i++)
		text_printf(&t, "line-%d\n", i);
	assert_false(t.full);
	m = made(EXPR_DATA_STRING, text_bytes(&t));
	expr_file_lines(m.file, &n);
	assert_int_equal(n, 10000);
	for (int test = EXPR_EQUALS; test <= EXPR_CONTAINS; test++) {
		struct bytes *texts = arena_get(m.arena, n * sizeof *texts);
		struct expr_run run = { .arena = m.arena, .steps = EXPR_STEPS };
		struct expr_set *set;
		bool yes;

		for (size_t i = 0; i < n; i++)
			texts[i] = expr_file_lines(m.file, &n)[i].text;
		set = expr_set_new(m.arena, texts, n, (enum expr_test)test, true, NULL);
		assert_non_null(set);
		assert_true(expr_set_has(&run, set, BYTES("LINE-9999"), &yes) && yes);
		assert_true(expr_set_has(&run, set, BYTES("LINE-"), &yes) && !yes);
		assert_true(expr_set_has(&run, set, BYTES("line-77x"), &yes));
		assert_int_equal(yes, test == EXPR_STARTS || test == EXPR_CONTAINS);
		assert_true(expr_set_has(&run, set, BYTES("xline-77"), &yes));
		assert_int_equal(yes, test == EXPR_ENDS || test == EXPR_CONTAINS);
		assert_true(run.steps > EXPR_STEPS - 10);
	}
	arena_free(m.arena);
	free(text);
}

/* Few texts are a database, many are sorted: with and without what begins with another, at all places, they find the same
 * as a search for each. */
static void sets_find_what_a_search_for_each_finds(void **state)
{
	static const char letters[] = "abAB/";
	struct arena *a = arena_new(ARENA);
	struct bytes *texts = arena_get(a, 600 * sizeof *texts);
	uint32_t random = 1;
	size_t hits = 0;

	(void)state;
	for (unsigned round = 0; round < 40; round++) {
		size_t n = round % 2 ? 300 + round : 1 + round;
		bool caseless = round & 2;
		struct expr_set *set;

		for (size_t i = 0; i < n; i++) {
			size_t len = 1 + (random >> 20) % (round % 3 ? 9 : 3) + (round % 2) * 3;
			char *at = arena_raw(a, len);

			for (size_t k = 0; k < len; k++)
				at[k] = letters[((random = random * 1664525 + 1013904223) >> 16) % 5];
			texts[i] = (struct bytes){ at, len };
		}
		set = expr_set_new(a, texts, n, EXPR_CONTAINS, caseless, NULL);
		assert_non_null(set);
		for (unsigned turn = 0; turn < 300; turn++) {
			struct expr_run run = { .arena = a, .steps = EXPR_STEPS };
			char at[24];
			struct bytes b = { at, (random >> 20) % sizeof at };
			bool want = false, yes;

			for (size_t k = 0; k < b.len; k++)
				at[k] = letters[((random = random * 1664525 + 1013904223) >> 16) % 5];
			for (size_t i = 0; i < n; i++)
				want = want || (caseless ? bytes_find_nocase(b, texts[i]) : bytes_find(b, texts[i])) != SIZE_MAX;
			assert_true(expr_set_has(&run, set, b, &yes));
			assert_int_equal(yes, want);
			hits += yes;
		}
	}
	assert_in_range(hits, 500, 11000);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_are_without_comments_and_blanks),
		cmocka_unit_test(a_wrong_expression_is_told_and_left_out),
		cmocka_unit_test(what_hyperscan_refuses_is_asked_all_the_same),
		cmocka_unit_test(a_map_gives_whole_texts_first_then_parts_then_expressions),
		cmocka_unit_test(a_wrong_row_is_told_and_left_out),
		cmocka_unit_test(a_file_that_is_not_there_is_known_and_empty),
		cmocka_unit_test(ten_thousand_lines_are_one_test),
		cmocka_unit_test(sets_find_what_a_search_for_each_finds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
