/* SecLang as text: lines, arguments, sections, includes; and the Core Rule Set. */
#include "tests/test.h"
#include "base/text.h"
#include "rules/seclang.h"
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

struct row {
	const char *text, *want; /* or the error */
};

/* ---- what was read, as text: name[arg][arg] line; ... ---- */

struct told {
	struct text text;
	char room[8 << 10];
};

static bool tell(void *ctx, const struct seclang_directive *d, struct err *e)
{
	struct text *t = ctx;

	(void)e;
	text_put(t, d->name);
	for (size_t i = 0; i < d->nargs; i++)
		text_printf(t, "[%.*s]", BYTES_ARG(d->args[i]));
	text_printf(t, "%u;", d->place.line);
	return true;
}

/* The error's text when it is refused. */
static struct bytes told(struct told *to, const char *seclang)
{
	struct arena *a = arena_new(1 << 20);
	struct seclang_sink sink = { tell, &to->text };
	struct err e = { 0 };

	to->text = text_over(to->room, sizeof to->room);
	if (!seclang_text(a, (struct seclang_place){ "a.conf", 1 }, bytes_of(seclang), &sink, &e)) {
		assert_int_equal(e.side, SIDE_CONFIG);
		to->text.len = 0;
		text_str(&to->text, e.text);
	}
	arena_free(a);
	return text_bytes(&to->text);
}

static void lines_become_directives(void **state)
{
	static const struct row rows[] = {
		{ "", "" },
		{ "\n  \n# SecRuleEngine On\n   # x\n", "" },
		{ "SecRuleEngine On", "SecRuleEngine[On]1;" },
		{ "  SecMarker\t'END'  \n\nSecMarker \"E N D\"\n", "SecMarker[END]1;SecMarker[E N D]3;" },
		{ "SecRule A \\\n    \"@rx b\" \\\n \"id:1,\\\n  deny\"\nSecAction x\n",
		  "SecRule[A][@rx b][id:1,  deny]1;SecAction[x]5;" },
		{ "SecRule A \\\r\n\"@rx b\"\r\nSecAction x\r\n", "SecRule[A][@rx b]1;SecAction[x]3;" },
		{ "SecRule A \"a\\\nb\"", "SecRule[A][ab]1;" },
		{ "SecAction x \\\n\nSecAction y \\", "SecAction[x]1;SecAction[y]3;" },
		{ "SecRule A \"a\\\"b\\\\\" \"c\\'d\\e\"", "SecRule[A][a\"b\\\\][c\\'d\\e]1;" },
		{ "SecRule A 'a\\'b\"\\\"' \"c'd\"", "SecRule[A][a'b\"\\\"][c'd]1;" },
		{ "SecRule REQUEST_HEADERS:'/foo/' a\"b \"\"", "SecRule[REQUEST_HEADERS:'/foo/'][a\"b][]1;" },
		{ "\xef\xbb\xbfSecAction x", "a.conf:1: a directive is wanted, not '\xef\xbb\xbfSecAction x'" },
		/* Comments. */
		{ "# a \\\nSecAction x\n", "SecAction[x]2;" },
		{ "SecRuleEngine On # a\nSecAction #b", "SecRuleEngine[On]1;SecAction2;" },
		{ "SecRule A \"a # b\" c#d \\\n # e\nSecAction x", "SecRule[A][a # b][c#d]1;SecAction[x]3;" },
		{ "SecRule A \\\n# a \\\nb\n", "a.conf:1: a comment within a directive" },
		{ " \\\n# a \\\nSecAction b\n", "a.conf:1: a directive is wanted, not '# a SecAction b'" },
		/* Sections. */
		{ "<IfModule mod_security2.c>\nSecAction a\n  <ifmodule x>\n SecAction b\n </IfModule >\n</IfModule>\n",
		  "SecAction[a]2;SecAction[b]4;" },
		{ "SecAction a\n<LocationMatch \"^/a\">\n",
		  "a.conf:2: a section <LocationMatch> is Apache's and not taken; only <IfModule> is" },
		{ "<Location /a>", "a.conf:1: a section <Location> is Apache's and not taken; only <IfModule> is" },
		{ "\n</Location>", "a.conf:2: a section <Location> is Apache's and not taken; only <IfModule> is" },
		{ "<IfModule !x>", "a.conf:1: <IfModule !...>: what is for a missing module is not taken" },
		{ "</IfModule>", "a.conf:1: </IfModule> closes nothing" },
		{ "\n<IfModule x>\nSecAction a\n", "a.conf:2: <IfModule> is not closed" },
		{ "<IfModule x", "a.conf:1: '<' begins no section: there is no name or no '>'" },
		{ "<", "a.conf:1: '<' begins no section: there is no name or no '>'" },
		{ "<>", "a.conf:1: '<' begins no section: there is no name or no '>'" },
		/* What is malformed. */
		{ "SecRule A \"b\n\"id:1\"", "a.conf:1: the quote that begins at '\"b' has no end" },
		{ "SecAction \\\n 'a\\'", "a.conf:1: the quote that begins at ''a\\'' has no end" },
		{ "SecRule A \"b\"\"id:1\"", "a.conf:1: a blank is wanted behind the quote, not '\"id:1\"'" },
		{ "SecRule A \"id:1,\\ \n deny\"", "a.conf:1: the quote that begins at '\"id:1,\\ ' has no end" },
		{ "\"id:1\"", "a.conf:1: a directive is wanted, not '\"id:1\"'" },
		{ "Sec-Rule a", "a.conf:1: a directive is wanted, not 'Sec-Rule a'" },
		{ "Include b.conf", "a.conf:1: Include stands in a file only" },
	};
	struct told got;

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++)
		assert_bytes(told(&got, rows[i].text), bytes_of(rows[i].want));
}

static void no_line_grows_without_bound(void **state)
{
	static char text[SECLANG_LINE_MAX + 64];
	struct text t = text_over(text, sizeof text - 1);
	struct told got;

	(void)state;
	for (int i = 0; i <= SECLANG_ARGS_MAX; i++)
		text_str(&t, "x ");
	assert_true(bytes_ends(told(&got, text), BYTES("[x][x]1;")));
	text_str(&t, "x ");
	assert_bytes(told(&got, text), BYTES("a.conf:1: more than 1024 arguments"));
	memset(text, 'x', sizeof text - 1);
	assert_bytes(told(&got, text), BYTES("a.conf:1: a directive of more than 262144 bytes"));
}

static void a_full_arena_is_not_the_texts_fault(void **state)
{
	static char text[128 << 10];
	struct arena *a = arena_new(1);
	struct seclang_sink sink = { tell, NULL };
	struct err e = { 0 };

	(void)state;
	memset(text, 'x', sizeof text);
	assert_false(seclang_text(a, (struct seclang_place){ "a.conf", 1 }, (struct bytes){ text, sizeof text }, &sink, &e));
	assert_int_equal(e.side, SIDE_SELF);
	assert_string_equal(e.text, "a.conf: out of memory");
	arena_free(a);
}

/* ---- files ---- */

static char dir[] = "/tmp/embergate-seclang-XXXXXX";
static const char *const made[] = { "a.conf", "c.conf", "nul.conf", "bom.conf", "b/10.conf", "b/9.conf",
				    "b/deep.conf" };

static const char *in_dir(const char *name)
{
	static char path[128];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void put(const char *name, struct bytes text)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fwrite(text.at, 1, text.len, f);
	fclose(f);
}

/* The error has the directory taken out. */
static struct bytes told_file(struct told *to, const char *name)
{
	struct arena *a = arena_new(16 << 20);
	struct seclang_sink sink = { tell, &to->text };
	struct err e = { 0 };

	to->text = text_over(to->room, sizeof to->room);
	if (!seclang_read(a, in_dir(name), &sink, &e)) {
		to->text.len = 0;
		for (const char *at = e.text; *at; at++) {
			if (!strncmp(at, dir, strlen(dir)))
				at += strlen(dir) + 1;
			text_byte(&to->text, *at);
		}
	}
	arena_free(a);
	return text_bytes(&to->text);
}

static void includes_are_read_where_they_stand_sorted_and_beside_their_file(void **state)
{
	char absolute[160];
	struct told got;

	(void)state;
	put("a.conf", BYTES("SecAction 1\nInclude b/[0-9]*.conf\r\nSecAction 2\nincludeoptional \"nothing/*.conf\"\n"));
	put("b/9.conf", BYTES("SecAction 9\n"));
	put("b/10.conf", BYTES("\nSecAction 10\nInclude deep.conf\nSecAction 11"));
	put("b/deep.conf", BYTES("SecAction deep\n"));
	assert_bytes(told_file(&got, "a.conf"),
		     BYTES("SecAction[1]1;SecAction[10]2;SecAction[deep]1;SecAction[11]4;SecAction[9]1;SecAction[2]3;"));
	snprintf(absolute, sizeof absolute, "Include %s", in_dir("b/9.conf"));
	put("c.conf", bytes_of(absolute));
	assert_bytes(told_file(&got, "c.conf"), BYTES("SecAction[9]1;"));
	put("bom.conf", BYTES("\xef\xbb\xbfSecAction bom\n"));
	assert_bytes(told_file(&got, "bom.conf"), BYTES("SecAction[bom]1;"));
}

static void what_cannot_be_read_is_named_with_its_place(void **state)
{
	static const struct row rows[] = {
		{ "SecAction 1\nInclude nothing.conf", "c.conf:2: no such file: nothing.conf" },
		{ "Include nothing*.conf", "c.conf:1: no such file: nothing*.conf" },
		{ "Include", "c.conf:1: Include wants one name" },
		{ "Include a.conf b", "c.conf:1: Include wants one name" },
		{ "IncludeOptional \"\"", "c.conf:1: IncludeOptional wants one name" },
		{ "\nInclude b", "c.conf:2: b: not a regular file" },
		{ "Include b/deep.conf", "b/deep.conf:2: the quote that begins at ''x' has no end" },
		{ "Include c.conf", "c.conf:1: included more than 32 files deep" },
		{ "IncludeOptional c.con[f]\nInclude c.conf", "c.conf:1: included more than 32 files deep" },
		{ "Include nul.conf", "nul.conf:3: a NUL byte: this is no text" },
	};
	struct told got;

	(void)state;
	put("b/deep.conf", BYTES("SecAction 1\nSecAction 'x\n"));
	put("nul.conf", BYTES("SecAction 1\n\nSecAction \0\n"));
	for (size_t i = 0; i < nelems(rows); i++) {
		put("c.conf", bytes_of(rows[i].text));
		assert_bytes(told_file(&got, "c.conf"), bytes_of(rows[i].want));
	}
	assert_bytes(told_file(&got, "nothing.conf"), BYTES("nothing.conf: cannot open: No such file or directory"));
	assert_bytes(told_file(&got, "b"), BYTES("b: not a regular file"));
}

static void a_few_files_cannot_include_each_other_for_ever(void **state)
{
	char name[32], text[64];
	struct told got;

	(void)state;
	for (int i = 0; i < 20; i++) { /* each includes the next one twice: 2^20 files */
		snprintf(name, sizeof name, "b/n%d.conf", i);
		snprintf(text, sizeof text, "Include n%d.conf\nInclude n%d.conf\n", i + 1, i + 1);
		put(name, i < 19 ? bytes_of(text) : BYTES(""));
	}
	assert_true(bytes_ends(told_file(&got, "b/n0.conf"), BYTES(".conf: more than 2000 files")));
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "b/n%d.conf", i);
		unlink(in_dir(name));
	}
}

static bool refuse(void *ctx, const struct seclang_directive *d, struct err *e)
{
	++*(int *)ctx;
	return err_set(e, SIDE_CONFIG, 0, "%s:%u: no", strrchr(d->place.file, '/'), d->place.line);
}

static void a_sink_ends_the_reading(void **state)
{
	struct arena *a = arena_new(1 << 20);
	int asked = 0;
	struct err e = { 0 };

	(void)state;
	put("c.conf", BYTES("\nSecAction 1\nSecAction 2\n"));
	assert_false(seclang_read(a, in_dir("c.conf"), &(struct seclang_sink){ refuse, &asked }, &e));
	assert_int_equal(asked, 1);
	assert_string_equal(e.text, "/c.conf:2: no");
	arena_free(a);
}

/* ---- the Core Rule Set ---- */

struct counts {
	struct arena *arena;
	unsigned rules, actions, markers, variables, taken;
};

static bool take_apart(struct arena *a, const struct seclang_directive *d, struct counts *n, struct err *e)
{
	struct seclang_variable *variables;
	struct seclang_operator op;
	struct seclang_action *actions;
	size_t many;

	if (d->nargs < 2 || !seclang_variables(a, d->args[0], &variables, &many, e) || !seclang_operator(d->args[1], &op, e))
		return false;
	n->variables += (unsigned)many;
	return d->nargs == 2 || seclang_actions(a, d->args[2], &actions, &many, e);
}

static bool count(void *ctx, const struct seclang_directive *d, struct err *e)
{
	struct counts *n = ctx;
	struct seclang_action *actions;
	size_t many;

	n->rules += bytes_eq(d->name, BYTES("SecRule"));
	n->actions += bytes_eq(d->name, BYTES("SecAction"));
	n->markers += bytes_eq(d->name, BYTES("SecMarker"));
	n->taken++;
	if (bytes_eq(d->name, BYTES("SecRule")) && !take_apart(n->arena, d, n, e))
		return err_at(e, "%s:%u", d->place.file, d->place.line);
	if (bytes_eq(d->name, BYTES("SecAction")) && !seclang_actions(n->arena, d->args[0], &actions, &many, e))
		return err_at(e, "%s:%u", d->place.file, d->place.line);
	return true;
}

static struct counts count_files(const char *pattern)
{
	struct counts n = { .arena = arena_new(256 << 20) };
	struct err e = { 0 };
	glob_t found;

	if (glob(pattern, 0, NULL, &found))
		fail_msg("nothing at %s", pattern);
	for (size_t i = 0; i < found.gl_pathc; i++)
		if (!seclang_read(n.arena, found.gl_pathv[i], &(struct seclang_sink){ count, &n }, &e))
			fail_msg("%s", e.text);
	globfree(&found);
	arena_free(n.arena);
	return n;
}

/* Debian's package, of which the rules are CRS 3.3.4. */
static void the_core_rule_set_is_read(void **state)
{
	static const char package[] = "/usr/share/modsecurity-crs/rules/*.conf";
	const char *own = getenv("EMBERGATE_CRS_DIR");
	char pattern[512];
	struct counts n;
	glob_t found;

	(void)state;
	if (!glob(package, 0, NULL, &found)) {
		globfree(&found);
		n = count_files(package);
		assert_int_equal(n.rules, 790);
		assert_int_equal(n.markers, 40);
	} else {
		print_message("without CRS 3.3.4: the package modsecurity-crs is not installed\n");
	}
	if (own) {
		snprintf(pattern, sizeof pattern, "%s/rules/*.conf", own);
		n = count_files(pattern);
		print_message("%s: %u rules, %u actions, %u markers, %u variables, %u directives\n", pattern, n.rules, n.actions,
			      n.markers, n.variables, n.taken);
		assert_true(n.rules > 500);
	} else {
		print_message("without CRS 4: EMBERGATE_CRS_DIR names no directory\n");
	}
}

static int make_dir(void **state)
{
	(void)state;
	return !mkdtemp(dir) || mkdir(in_dir("b"), 0700);
}

static int remove_dir(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(made); i++)
		unlink(in_dir(made[i]));
	return rmdir(in_dir("b")) || rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_become_directives),
		cmocka_unit_test(no_line_grows_without_bound),
		cmocka_unit_test(a_full_arena_is_not_the_texts_fault),
		cmocka_unit_test(includes_are_read_where_they_stand_sorted_and_beside_their_file),
		cmocka_unit_test(what_cannot_be_read_is_named_with_its_place),
		cmocka_unit_test(a_few_files_cannot_include_each_other_for_ever),
		cmocka_unit_test(a_sink_ends_the_reading),
		cmocka_unit_test(the_core_rule_set_is_read),
	};

	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
