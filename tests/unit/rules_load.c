/* Loading rules: what is wrong is said with its place and the nearest spelling. */
#include "tests/test.h"
#include "tests/inspected.h"
#include <sys/stat.h>

static void a_fault_is_named_with_its_place(void **state)
{
	static const struct {
		const char *yaml, *says;
	} rows[] = {
		{ "nme: a\n", "rules.yaml:1:1: unknown key 'nme', did you mean 'name'?" },
		{ "rules: []\n", "rules.yaml:1:1: 'name' is missing" },
		{ "name: a\n", "rules.yaml:1:1: no `rules` in 'a'" },
		{ "name: a\nseclang_rules: [x]\n", "rules.yaml:2:1: 'seclang_rules' is not built yet" },
		{ "name: a\nrules: [{zone: [URI]}]\n", "rules.yaml:2:10: rules[0]: unknown key 'zone', did you mean 'zones'?" },
		{ "name: a\nrules: [{zones: [URL], match: {type: equals, value: x}}]\n",
		  "rules.yaml:2:18: rules[0].zones[0]: unknown zone 'URL', did you mean 'URI'?" },
		{ "name: a\nrules: [{zones: [URI], match: {type: equal, value: x}}]\n", "unknown match type 'equal', did you mean 'equals'?" },
		{ "name: a\nrules: [{zones: [URI], transform: [lowercsae], match: {type: equals, value: x}}]\n",
		  "unknown transform 'lowercsae', did you mean 'lowercase'?" },
		{ "name: a\nrules: [{zones: [URI], body_type: jsn, match: {type: equals, value: x}}]\n",
		  "unknown word 'jsn', did you mean 'json'?" },
		{ "name: a\nseverity: criticl\nrules: []\n", "rules.yaml:2:11: severity: unknown word 'criticl', did you mean 'critical'?" },
		{ "name: a\ndo: ban\nrules: []\n", "unknown word 'ban'" },
		{ "name: a\nstatus: 200\nrules: []\n", "200 is below 400" },
		{ "name: a\nrules: [{zones: [URI]}]\n", "`zones` without `match`" },
		{ "name: a\nrules: [{match: {type: equals, value: x}}]\n", "neither `zones` nor `and` nor `or`" },
		{ "name: a\nrules: [{zones: [URI], match: {type: equals}}]\n", "`equals` needs a value" },
		{ "name: a\nrules: [{zones: [URI], match: {type: contains, value: ''}}]\n", "an empty text: every value would match" },
		{ "name: a\nrules: [{zones: [URI], match: {type: gt, value: 12a}}]\n", "'12a' is not a number" },
		{ "name: a\nrules: [{zones: [URI], match: {type: regex, value: 'a(b'}}]\n", "the expression is not one: missing closing parenthesis (at byte 3)" },
		{ "name: a\nrules: [{zones: [URI], variables: ['/a(/'], match: {type: equals, value: x}}]\n", "variable /a(/: missing" },
		{ "name: a\nrules: [{zones: [URI], match: {type: regex, values: [a, b]}}]\n", "`values` is for equals" },
		{ "name: a\nrules: [{zones: [URI], match: {type: equals, value: a, values: [b]}}]\n", "`values` is for equals" },
		{ "name: a\nrules: [{zones: [URI], match: {type: fromFile, value: nowhere.txt}}]\n", "nowhere.txt: No such file" },
		{ "name: a\nrules: [{zones: [URI], match: {type: equals, value: x}}]\n---\n"
		  "name: a\nrules: [{zones: [URI], match: {type: equals, value: y}}]\n", "rules.yaml:4:1: rule 'a' is there already" },
		{ "name: [a]\n", "rules.yaml:1:7: name: a list is not a text" },
		{ "name: a\nrules: [{zones: [URI], match: {type: equals, value: x}}\n", "rules.yaml:" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct err e = { 0 };
		struct ruleset *rs = rules_of_text(bytes_of(rows[i].yaml), &matcher_hs, &e);

		if (rs)
			fail_msg("loads: %s", rows[i].yaml);
		if (!strstr(e.text, rows[i].says))
			fail_msg("want \"%s\", got \"%s\"", rows[i].says, e.text);
		assert_int_equal(e.side, SIDE_CONFIG);
	}
}

static void trees_that_multiply_past_fifty_groups_are_refused(void **state)
{
	static char yaml[16 << 10];
	struct text t = text_over(yaml, sizeof yaml);
	struct ruleset *rs;
	struct err e = { 0 };

	(void)state;
	for (int n = 7; n <= 8; n++) { /* 7 x 7 are 49, 8 x 8 are 64 */
		t.len = 0;
		text_str(&t, "name: a\nrules:\n- and:\n");
		for (int half = 0; half < 2; half++) {
			text_str(&t, "  - or:\n");
			for (int i = 0; i < n; i++)
				text_printf(&t, "    - {zones: [ARGS], match: {type: equals, value: v%d}}\n", i);
		}
		rs = rules_of_text(text_bytes(&t), &matcher_hs, &e);
		assert_true((rs != NULL) == (n == 7));
		ruleset_free(rs);
	}
	assert_non_null(strstr(e.text, "rules.yaml:3:3: `and` and `or` multiply to 64 groups, at most 50 are taken"));
}

/* Everything that the hub's files have beside rules. */
static void what_crowdsec_writes_is_taken(void **state)
{
	static const char yaml[] =
		"name: crowdsecurity/vpatch-x\ndescription: 'X'\nrules:\n"
		"  - zones:\n    - URI\n    transform:\n    - lowercase\n    match:\n      type: endsWith\n      value: .env\n"
		"labels:\n  type: exploit\n  service: http\n  confidence: 3\n  spoofable: 0\n  behavior: 'http:exploit'\n"
		"  label: \"X\"\n  classification:\n   - cve.CVE-2024-1\n"
		"data:\n  - source_url: https://x\n    dest_file: y\n    type: string\n";
	struct err e = { 0 };
	struct ruleset *rs = rules_of_text(bytes_of(yaml), &matcher_hs, &e);

	(void)state;
	if (!rs)
		fail_msg("%s", e.text);
	assert_int_equal(ruleset_count(rs), 1);
	assert_string_equal(ruleset_rule(rs, 0)->id, "crowdsecurity/vpatch-x");
	assert_string_equal(ruleset_rule(rs, 0)->category, "exploit");
	assert_int_equal(ruleset_rule(rs, 0)->severity, SEVERITY_CRITICAL);
	ruleset_free(rs);
}

static char dir[] = "/tmp/embergate-load-XXXXXX";

static const char *in_dir(const char *name)
{
	static char path[4][128];
	static unsigned n;
	char *at = path[n++ % 4];

	snprintf(at, sizeof path[0], "%s/%s", dir, name);
	return at;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static size_t rules_in(const char *path, char *why)
{
	struct ruleset_options o = { .files = &path, .nfiles = 1 };
	struct err e = { 0 };
	struct ruleset *rs = ruleset_load(&o, &e);
	size_t n = rs ? ruleset_count(rs) : 0;

	memcpy(why, e.text, sizeof e.text);
	ruleset_free(rs);
	return n;
}

static void files_are_given_by_name_pattern_or_directory(void **state)
{
	static const char rule[] = "name: %s\nrules: [{zones: [ARGS], match: {type: fromFile, value: words.txt}}]\n";
	char a[200], b[200], why[sizeof((struct err *)0)->text];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(a, sizeof a, rule, "a");
	snprintf(b, sizeof b, rule, "b");
	put("a.yaml", a);
	put("b.yaml", b);
	put("b.test.yaml", "- not: a rule\n");
	put("words.txt", "# words\n\n  Evil word \r\nother\n");
	put("c.conf", "SecRule ARGS \"@rx a\" \"id:1\"\n");
	assert_int_equal(rules_in(in_dir("a.yaml"), why), 1);
	assert_int_equal(rules_in(in_dir("*.yaml"), why), 2);
	assert_int_equal(rules_in(dir, why), 2);
	assert_int_equal(rules_in(in_dir("nothing-*.yaml"), why), 0);
	assert_non_null(strstr(why, "nothing-*.yaml: no such file"));
	assert_int_equal(rules_in(in_dir("c.conf"), why), 1);
	put("words.txt", "# nothing\n");
	assert_int_equal(rules_in(in_dir("a.yaml"), why), 0);
	assert_non_null(strstr(why, "no lines in 'words.txt'"));
}

static void a_file_of_words_is_searched_without_case(void **state)
{
	const char *path = in_dir("a.yaml");
	struct ruleset_options o = { .files = &path, .nfiles = 1 };
	struct rules_scratch *scratch = rules_scratch_new();
	struct err e = { 0 };
	struct ruleset *rs;
	struct inspected got;

	(void)state;
	put("words.txt", "# words\n\n  Evil word \r\nother\n");
	rs = ruleset_load(&o, &e);
	assert_non_null(rs);
	got = inspect_text(rs, scratch, BYTES("GET /?q=an+eVIL+WORD+here HTTP/1.1\r\nHost: a\r\n\r\n"), 0, NULL);
	assert_bytes(got.outcome, BYTES("deny a"));
	arena_free(got.arena);
	got = inspect_text(rs, scratch, BYTES("GET /?q=words HTTP/1.1\r\nHost: a\r\n\r\n"), 0, NULL);
	assert_bytes(got.outcome, BYTES("allow"));
	arena_free(got.arena);
	ruleset_free(rs);
	rules_scratch_free(scratch);
	for (size_t i = 0; i < 5; i++)
		unlink(in_dir(((const char *[]){ "a.yaml", "b.yaml", "b.test.yaml", "words.txt", "c.conf" })[i]));
	rmdir(dir);
}

/* Loads a text beside a file; at the end err has what is wrong. */
static struct ruleset *with_text(const char *name, const char *text, struct err *e)
{
	const struct ruleset_text t = { name, bytes_of(text) };
	char path[] = "/tmp/embergate-rules-XXXXXX.yaml";
	const char *files[] = { path, name };
	struct ruleset_options o = { .files = files, .nfiles = 2, .text = &t, .matcher = &matcher_plain };
	int fd = mkstemps(path, 5);
	struct ruleset *rs;

	assert_true(fd >= 0 && dprintf(fd, "name: a\nrules: [{zones: [URI], match: {type: equals, value: /a}}]\n") > 0);
	close(fd);
	rs = ruleset_load(&o, e);
	unlink(path);
	return rs;
}

static void a_text_stands_for_a_file_and_names_none(void **state)
{
	static const struct { const char *name, *text, *says; } rows[] = {
		{ "rule.yaml", "name: b\nrules: [{zones: [URI], match: {type: equals, value: /b}}]\n", NULL },
		{ "rule.conf", "SecRule ARGS \"@streq x\" \"id:1,phase:2,deny\"\n", NULL },
		{ "rule.yaml", "name: b\nrules: [{zones: [URI], match: {type: equls, value: /b}}]\n", "rule.yaml:2:" },
		{ "rule.yaml", "name: a\nrules: [{zones: [URI], match: {type: equals, value: /b}}]\n", "rule 'a' is there already" },
		{ "rule.yaml", "name: b\nrules: [{zones: [URI], match: {type: fromFile, value: /etc/passwd}}]\n", "a rule of a text cannot read a file" },
		{ "rule.conf", "SecRule ARGS \"@pmFromFile /etc/passwd\" \"id:1\"\n", "rule.conf:1: a rule of a text cannot read a file" },
		{ "rule.conf", "SecRule REMOTE_ADDR \"@ipMatchFromFile /etc/hosts\" \"id:1\"\n", "a rule of a text cannot read a file" },
		{ "rule.conf", "Include /etc/passwd\n", "rule.conf:1:" },
		{ "rule.conf", "\nSecRule ARGS \"@rx (\" \"id:1\"\n", "rule.conf:2:" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct err e = { 0 };
		struct ruleset *rs = with_text(rows[i].name, rows[i].text, &e);

		if (!rs != !!rows[i].says || (rows[i].says && !strstr(e.text, rows[i].says)))
			fail_msg("row %zu: %s", i, e.text);
		if (rs)
			assert_int_equal(ruleset_count(rs), 2);
		ruleset_free(rs);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_is_named_with_its_place),
		cmocka_unit_test(trees_that_multiply_past_fifty_groups_are_refused),
		cmocka_unit_test(what_crowdsec_writes_is_taken),
		cmocka_unit_test(files_are_given_by_name_pattern_or_directory),
		cmocka_unit_test(a_file_of_words_is_searched_without_case),
		cmocka_unit_test(a_text_stands_for_a_file_and_names_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
