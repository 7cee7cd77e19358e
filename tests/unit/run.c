/* SecLang's rules while a request passes: what their actions come to. */
#include "tests/test.h"
#include "tests/inspected.h"

#define POST(type, body) "POST /?q=evil HTTP/1.1\r\nHost: a\r\nContent-Type: " type "\r\nContent-Length: 9999\r\n\r\n" body
#define GET "GET /?q=evil HTTP/1.1\r\nHost: a\r\n\r\n"
#define FORM "multipart/form-data; boundary=b"
#define PART(body) "--b\r\nContent-Disposition: form-data; name=\"q\"\r\n\r\n" body

struct row {
	const char *rules, *request, *want; /* the outcome; of a denial its status behind it */
};

static struct rules_scratch *scratch;

static struct ruleset *rules_of(const char *rules)
{
	struct err e = { 0 };
	struct ruleset *rs = rules_of_file("rules.conf", bytes_of(rules), &matcher_plain, &e);

	if (!rs)
		fail_msg("%s: %s", rules, e.text);
	return rs;
}

static void check(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ruleset *rs = rules_of(rows[i].rules);
		struct inspected got = inspect_text(rs, scratch, bytes_of(rows[i].request), 0, NULL);
		char said[256];

		snprintf(said, sizeof said, "%.*s", BYTES_ARG(got.outcome));
		if (got.verdict->remedy == REMEDY_DENY)
			snprintf(said + strlen(said), sizeof said - strlen(said), " %u", got.verdict->status);
		if (strcmp(said, rows[i].want) != 0)
			fail_msg("%s\n\"%s\", not \"%s\"", rows[i].rules, said, rows[i].want);
		arena_free(got.arena);
		ruleset_free(rs);
	}
}

static void a_rule_that_turns_the_engine_off_denies_nothing(void **state)
{
	static const struct row rows[] = {
		{ "SecRule ARGS:q \"@streq evil\" \"id:1,phase:1,deny,log\"", GET, "deny 1 403" },
		{ "SecRule ARGS:q \"@streq evil\" \"id:1,phase:1,deny,log,ctl:ruleEngine=Off\"", GET, "log 1" },
		{ "SecRule ARGS:q \"@streq evil\" \"id:1,phase:1,deny,log,ctl:ruleEngine=DetectionOnly\"", GET, "log 1" },
		{ "SecRuleEngine DetectionOnly\nSecRule ARGS:q \"@streq evil\" \"id:1,phase:1,deny,log,ctl:ruleEngine=Off\"\n"
		  "SecRule ARGS:q \"@streq evil\" \"id:2,phase:1,deny,log\"", GET, "log 1" },
		{ "SecRuleEngine DetectionOnly\nSecRule ARGS:q \"@streq evil\" \"id:1,phase:1,deny,log,ctl:ruleEngine=On\"", GET,
		  "deny 1 403" },
	};

	(void)state;
	check(rows, nelems(rows));
}

static void the_first_link_that_says_a_status_has_it(void **state)
{
	static const struct row rows[] = {
		{ "SecRule ARGS:q \"evil\" \"id:1,deny,chain\"\nSecRule ARGS:q \"evil\" \"status:437\"", GET, "deny 1 437" },
		{ "SecRule ARGS:q \"evil\" \"id:1,deny,chain\"\nSecRule ARGS:q \"evil\" \"chain\"\n"
		  "SecRule ARGS:q \"evil\" \"status:437\"", GET, "deny 1 437" },
		{ "SecRule ARGS:q \"evil\" \"id:1,deny,chain\"\nSecRule ARGS:q \"evil\" \"status:438,chain\"\n"
		  "SecRule ARGS:q \"evil\" \"status:437\"", GET, "deny 1 438" },
		{ "SecRule ARGS:q \"evil\" \"id:1,deny,status:439,chain\"\nSecRule ARGS:q \"evil\" \"status:437\"", GET, "deny 1 439" },
		{ "SecDefaultAction \"phase:2,deny,status:440\"\n"
		  "SecRule ARGS:q \"evil\" \"id:1,block,chain\"\nSecRule ARGS:q \"evil\" \"status:437\"", GET, "deny 1 437" },
		/* Of a link that is changed later it would say nothing about whose status it is. */
		{ "SecRule ARGS:q \"evil\" \"id:1,deny,chain\"\nSecRule ARGS:q \"evil\"\n"
		  "SecRule ARGS:none \"x\" \"id:2,deny\"\nSecRuleUpdateActionById 1:1 \"status:437\"", GET, "deny 1 403" },
	};

	(void)state;
	check(rows, nelems(rows));
}

static void the_rule_in_hand_is_a_variable(void **state)
{
	static const struct row rows[] = {
		{ "SecRule RULE:id \"^1$\" \"id:1,deny\"", GET, "deny 1 403" },
		{ "SecRule RULE:/^Id$/ \"^1$\" \"id:1,deny\"", GET, "deny 1 403" },
		{ "SecRule RULE:/^m/ \"^1$\" \"id:1,deny,msg:'2'\"", GET, "allow" },
		{ "SecRule &RULE:/i/ \"@eq 2\" \"id:1,deny\"", GET, "allow" }, /* each is counted by itself */
		{ "SecRule RULE:/i/ \"^1$\" \"id:1,deny\"", GET, "deny 1 403" },
	};
	static const char *const refused[] = { "RULE:rev", "RULE:/x/", "RULE" };

	(void)state;
	check(rows, nelems(rows));
	for (size_t i = 0; i < nelems(refused); i++) {
		char rule[64];
		struct err e = { 0 };

		snprintf(rule, sizeof rule, "SecRule %s \"1\" \"id:1,deny\"", refused[i]);
		assert_null(rules_of_file("rules.conf", bytes_of(rule), &matcher_plain, &e));
		assert_non_null(strstr(e.text, "rules.conf:1: RULE needs one of :id, :msg, :severity"));
	}
}

static void names_are_whole_and_an_exception_is_of_its_own_variable(void **state)
{
	static const struct row rows[] = {
		{ "SecAction \"id:1,nolog,pass,setvar:tx.partial_match=1\"\nSecRule TX:partial \"@gt 0\" \"id:2,deny\"", GET, "allow" },
		{ "SecAction \"id:1,nolog,pass,setvar:tx.a=10\"\nSecRule TX|!TX:/a/ \"10\" \"id:2,deny\"", GET, "allow" },
		{ "SecRuleUpdateTargetById 1 \"!ARGS:/q/\"\nSecRule ARGS|ARGS_NAMES \"evil|q\" \"id:1,deny\"", GET, "deny 1 403" },
		{ "SecRuleUpdateTargetById 1 \"!ARGS:/q/\"\nSecRule ARGS \"evil|q\" \"id:1,deny\"", GET, "allow" },
	};

	(void)state;
	check(rows, nelems(rows));
}

static void limits_of_bodies_are_the_rules_own_too(void **state)
{
	static const char four[] = "{\"a\":{\"b\":{\"c\":{\"d\":1}}}}";
	static const char deny[] = "SecRule REQBODY_ERROR \"!@eq 0\" \"id:1,phase:2,deny\"";
	static char rules[5][256], posts[2][512];
	struct row rows[] = {
		{ rules[0], posts[0], "allow" },
		{ rules[1], posts[0], "deny 1 403" },
		{ rules[2], posts[0], "allow" }, /* no more than the built-in bound, and no XML: see below */
		{ rules[3], posts[1], "allow" },
		{ rules[4], posts[1], "deny 1 403" },
	};
	static const char *const said[] = { "SecRequestBodyJsonDepthLimit 4", "SecRequestBodyJsonDepthLimit 3",
					    "SecRequestBodyJsonDepthLimit 10000", "SecArgumentsLimit 2", "SecArgumentsLimit 1" };

	(void)state;
	for (size_t i = 0; i < nelems(rules); i++)
		snprintf(rules[i], sizeof rules[i], "%s\n%s", said[i], deny);
	snprintf(posts[0], sizeof posts[0], POST("application/json", "%s"), four);
	snprintf(posts[1], sizeof posts[1], "%s", POST("application/x-www-form-urlencoded", "a=1&b=2"));
	check(rows, nelems(rows));
}

static void an_unmatched_boundary_is_of_two_kinds(void **state)
{
	static const char strict[] = "SecRule MULTIPART_UNMATCHED_BOUNDARY \"!@eq 0\" \"id:1,phase:2,deny\"";
	static const char lax[] = "SecRule MULTIPART_UNMATCHED_BOUNDARY \"@eq 1\" \"id:1,phase:2,deny\"";
	static const struct row rows[] = {
		{ strict, POST(FORM, PART("v\r\n--b--\r\n")), "allow" },
		{ strict, POST(FORM, PART("-----BEGIN\r\n--b--\r\n")), "deny 1 403" },
		{ lax, POST(FORM, PART("-----BEGIN\r\n--b--\r\n")), "allow" },
		{ strict, POST(FORM, "--c\r\n" PART("v\r\n--b--\r\n")), "deny 1 403" },
		{ lax, POST(FORM, PART("v\r\n--bc\r\n--b--\r\n")), "deny 1 403" },
		{ lax, POST(FORM, PART("v\r\n--c--\r\n")), "deny 1 403" },
	};

	(void)state;
	check(rows, nelems(rows));
}

static void a_content_type_that_is_not_well_formed_is_a_strict_error(void **state)
{
	static const char strict[] = "SecRule MULTIPART_STRICT_ERROR \"@eq 1\" \"id:1,phase:2,deny\"\n"
				     "SecRule MULTIPART_BOUNDARY_WHITESPACE \"@eq 1\" \"id:2,phase:2,deny\"";
	static const struct row rows[] = {
		{ strict, POST(FORM, PART("v\r\n--b--\r\n")), "allow" },
		{ strict, POST("multipart/form-data; boundary= b", PART("v\r\n--b--\r\n")), "deny 1 2 403" },
		{ strict, POST("multipart/form-data; boundary =b", PART("v\r\n--b--\r\n")), "deny 1 2 403" },
		{ strict, POST("multipart/form-data; boundary=b c", PART("v\r\n--b--\r\n")), "deny 1 2 403" },
	};

	(void)state;
	check(rows, nelems(rows));
}

static void a_hit_names_what_it_may_quote(void **state)
{
	static const struct { const char *rules, *quoted; } cases[] = {
		{ "SecRule ARGS:q \"evil\" \"id:1,pass,log,msg:'plain'\"", "" },
		{ "SecRule ARGS:q \"evil\" \"id:1,pass,log,msg:'%{MATCHED_VAR}'\"", "ARGS:q MATCHED_VAR" },
		{ "SecRule REQUEST_METHOD \"GET\" \"id:1,pass,log,logdata:'%{TX.0}',chain\"\nSecRule ARGS:q \"evil\" \"capture\"",
		  "REQUEST_METHOD ARGS:q" },
		{ "SecRule REQUEST_METHOD \"GET\" \"id:1,pass,log,logdata:'%{ARGS.q}'\"", "REQUEST_METHOD ARGS:q" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(cases); i++) {
		struct ruleset *rs = rules_of(cases[i].rules);
		struct inspected got = inspect_text(rs, scratch, BYTES(GET), 0, NULL);
		char room[256];
		struct text t = text_over(room, sizeof room);

		assert_int_equal(got.verdict->nhits, 1);
		for (size_t k = 0; k < got.verdict->hits[0].nquoted; k++)
			text_printf(&t, "%s%.*s", k ? " " : "", BYTES_ARG(got.verdict->hits[0].quoted[k]));
		assert_bytes(text_bytes(&t), bytes_of(cases[i].quoted));
		arena_free(got.arena);
		ruleset_free(rs);
	}
}

static int set_up(void **state)
{
	(void)state;
	return (scratch = rules_scratch_new()) ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	rules_scratch_free(scratch);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_that_turns_the_engine_off_denies_nothing),
		cmocka_unit_test(the_first_link_that_says_a_status_has_it),
		cmocka_unit_test(the_rule_in_hand_is_a_variable),
		cmocka_unit_test(names_are_whole_and_an_exception_is_of_its_own_variable),
		cmocka_unit_test(limits_of_bodies_are_the_rules_own_too),
		cmocka_unit_test(an_unmatched_boundary_is_of_two_kinds),
		cmocka_unit_test(a_hit_names_what_it_may_quote),
		cmocka_unit_test(a_content_type_that_is_not_well_formed_is_a_strict_error),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
