/* What was written for ModSecurity, as YAML. */
#include <stdlib.h>
#include "tests/test.h"
#include "proxy/config.h"
#include "proxy/convert.h"

static char *converted(const char *text, struct err *e)
{
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);
	bool ok = convert_text(bytes_of(text), "x.conf", f, e);

	fclose(f);
	if (ok)
		return out;
	free(out);
	return NULL;
}

/* What is printed is a configuration, when an app stands above it. */
static void must_be_read(const char *yaml)
{
	char *all = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&all, &n);
	struct err e = { 0 };
	struct config *c;

	fprintf(f, "apps:\n  shop:\n    upstream: http://127.0.0.1:3000\n%s", yaml);
	fclose(f);
	c = config_parse((struct bytes){ all, n }, "t.yaml", NULL, NULL, &e);
	if (!c)
		fail_msg("%s\n%s", e.text, all);
	config_free(c);
	free(all);
}

struct row {
	const char *text, *want; /* a line of what is printed, or a part of one */
};

static void expect(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct err e = { 0 };
		char *got = converted(rows[i].text, &e);

		if (!got)
			fail_msg("%s: %s", rows[i].text, e.text);
		if (!strstr(got, rows[i].want))
			fail_msg("%s\nwant: %s\ngot: %s", rows[i].text, rows[i].want, got);
		must_be_read(got);
		free(got);
	}
}

static void settings_become_keys_of_waf(void **state)
{
	static const struct row rows[] = {
		{ "SecAction \"id:900000,phase:1,nolog,pass,t:none,setvar:tx.paranoia_level=2\"", "      paranoia: 2\n" },
		{ "SecAction \"id:900000,phase:1,pass,setvar:tx.blocking_paranoia_level=3\"", "      paranoia: 3\n" },
		{ "SecAction \"id:900110,phase:1,pass,setvar:tx.inbound_anomaly_score_threshold=10,setvar:tx.outbound_anomaly_score_threshold=4\"",
		  "      threshold: 10\n" },
		{ "SecRuleEngine DetectionOnly", "      mode: detect\n" },
		{ "SecRuleEngine On", "      mode: block\n" },
		{ "SecAction \"id:1,phase:1,pass,setvar:'tx.allowed_methods=GET POST'\"",
		  "# x.conf:1: setvar:tx.allowed_methods=GET POST\n    #     a variable that has no key in YAML" },
		{ "SecAction \"id:1,phase:1,pass,setvar:tx.outbound_anomaly_score_threshold=9\"", "# x.conf:1: setvar:tx.outbound" },
		{ "SecAction \"id:1,phase:1,pass,setvar:tx.paranoia_level=9\"", "# x.conf:1: setvar:tx.paranoia_level=9" },
		{ "SecAction \"id:1,phase:1,pass,setvar:tx.blocking_paranoia_level=1,setvar:tx.detection_paranoia_level=2\"",
		  "# x.conf:1: the level that only logs\n    #     waf.paranoia sets both levels" },
		{ "SecDefaultAction \"phase:1,log,deny,status:403\"", "# x.conf:1: SecDefaultAction phase:1,log,deny,status:403" },
	};

	(void)state;
	expect(rows, nelems(rows));
}

static void exclusions_become_exceptions(void **state)
{
	static const struct row rows[] = {
		{ "SecRuleRemoveById 942100 \"942110-942120\"", "      - {rules: [942100, 942110-942120], reason: \"x.conf:1\"}\n" },
		{ "SecRuleRemoveById 1,2\nSecRuleRemoveById 3", "      - {rules: [1, 2, 3], reason: \"x.conf:1 and 1 more\"}\n" },
		{ "SecRuleRemoveByTag attack-sqli", "      - {tags: [\"attack-sqli\"], " },
		{ "SecRuleRemoveByTag \"^OWASP_CRS/.*SQL\"", "      - {tags: [\"OWASP_CRS/*SQL*\"], " },
		{ "SecRuleUpdateTargetById 942100 \"!ARGS:body\"", "      - {rules: [942100], args: [\"body\"], " },
		{ "SecRuleUpdateTargetById 942100-942999 \"!ARGS:/^re_/|!REQUEST_COOKIES:c,!REQUEST_HEADERS:X-A\"",
		  "      - {rules: [942100-942999], args: [\"re_*\"], cookies: [\"c\"], headers: [\"X-A\"], " },
		{ "SecRuleUpdateTargetByTag attack-xss '!ARGS:a'", "      - {tags: [\"attack-xss\"], args: [\"a\"], " },
		{ "SecRuleUpdateTargetById 942100 \"!ARGS\"", "      - {rules: [942100], parts: [args], " },
		{ "SecRule REQUEST_URI \"@beginsWith /a\" \"id:1,phase:1,pass,nolog,t:none,ctl:ruleRemoveById=942100\"",
		  "      - {path: \"/a*\", rules: [942100], " },
		{ "SecRule REQUEST_FILENAME \"@streq /a\" \"id:1,phase:2,nolog,pass,ctl:ruleRemoveByTag=attack-sqli\"",
		  "      - {path: \"/a\", tags: [\"attack-sqli\"], " },
		{ "SecRule REQUEST_FILENAME \"@rx ^/a/.*\\.php$\" \"id:1,phase:1,nolog,pass,ctl:ruleRemoveTargetById=942100;ARGS:x\"",
		  "      - {path: \"/a/*.php\", rules: [942100], args: [\"x\"], " },
		{ "SecRule REQUEST_FILENAME \"@endsWith .php\" \"id:1,phase:1,nolog,pass,ctl:ruleRemoveTargetByTag=attack-xss;REQUEST_COOKIES:/^s_/\"",
		  "      - {path: \"*.php\", tags: [\"attack-xss\"], cookies: [\"s_*\"], " },
		{ "SecRule REQUEST_FILENAME \"/a\" \"id:1,phase:1,nolog,pass,ctl:ruleEngine=Off\"", "      - {path: \"*/a*\", skip: [all], " },
		{ "SecRule REQUEST_METHOD \"@rx ^(?:GET|HEAD)$\" \"id:1,phase:1,nolog,pass,chain\"\n"
		  "SecRule REQUEST_FILENAME \"@streq /a\" \"ctl:ruleRemoveById=1\"", "      - {path: \"/a\", methods: [GET, HEAD], rules: [1], " },
		{ "SecRule REQUEST_URI \"@streq /a\" \"id:1,phase:1,pass,ctl:ruleRemoveTargetById=1;ARGS:x,ctl:ruleRemoveTargetById=2;ARGS:x,"
		  "ctl:ruleRemoveTargetById=1;ARGS:y,ctl:ruleRemoveTargetById=2;ARGS:y\"",
		  "      - {path: \"/a\", rules: [1, 2], args: [\"x\", \"y\"], reason: \"x.conf:1\"}\n" },
		{ "SecAction \"id:1,phase:1,pass,nolog,ctl:ruleRemoveById=942100\"", "      - {rules: [942100], " },
		{ "SecRule REQUEST_FILENAME \"@streq /up\" \"id:1,phase:1,pass,nolog,ctl:requestBodyAccess=Off\"",
		  "      - {path: \"/up\", parts: [body], " },
	};

	(void)state;
	expect(rows, nelems(rows));
}

static void what_cannot_be_said_stays_with_its_place_and_reason(void **state)
{
	static const struct row rows[] = {
		{ "\nSecRuleRemoveById 949110", "# x.conf:2: SecRuleRemoveById 949110\n    #     these rules sum up what others found" },
		{ "SecRuleRemoveById abc", "it names no id" },
		{ "SecRuleRemoveById 5-1", "it names no id" },
		{ "SecRuleRemoveByMsg \"SQL\"", "not by message" },
		{ "SecRuleRemoveByTag \"a|b\"", "an expression for tags is more than a pattern" },
		{ "SecRuleUpdateTargetById 1 \"ARGS:x\"", "it adds to what a rule looks at" },
		{ "SecRuleUpdateTargetById 1 \"!ARGS:x\" \"ARGS\"", "other variables in the place of some" },
		{ "SecRuleUpdateTargetById 1 \"!ARGS_NAMES:x\"", "`args` means the value and the name" },
		{ "SecRuleUpdateTargetById 1 \"!TX:x\"", "not about this variable" },
		{ "SecRuleUpdateTargetById 1 \"!ARGS:/^a[0-9]/\"", "the selector is more than a name" },
		{ "SecRuleUpdateActionById 1 \"pass\"", "# x.conf:1: SecRuleUpdateActionById 1 pass\n    #     it has no key" },
		{ "SecRule ARGS:x \"@streq 1\" \"id:1,phase:1,pass,ctl:ruleRemoveById=1\"", "an exception is about the path and the method" },
		{ "SecRule !REQUEST_URI \"@streq /a\" \"id:1,phase:1,pass,ctl:ruleRemoveById=1\"", "an exception is about the path" },
		{ "SecRule REQUEST_URI \"!@streq /a\" \"id:1,phase:1,pass,ctl:ruleRemoveById=1\"", "an exception is about the path" },
		{ "SecRule REQUEST_URI \"@rx ^/(a|b)\" \"id:1,phase:1,pass,ctl:ruleRemoveById=1\"", "more than a pattern" },
		{ "SecRule REQUEST_URI \"@beginsWith /a?b=\" \"id:1,phase:1,pass,ctl:ruleRemoveById=1\"", "a path has no query" },
		{ "SecRule REQUEST_URI \"@beginsWith a\" \"id:1,phase:1,pass,ctl:ruleRemoveById=1\"", "a path begins with a slash" },
		{ "SecRule REQUEST_URI \"@streq /a\" \"id:1,phase:1,t:lowercase,pass,ctl:ruleRemoveById=1\"", "it changes what it looks at" },
		{ "SecRule REQUEST_URI \"@streq /a\" \"id:1,phase:3,pass,ctl:ruleRemoveById=1\"", "it comes after the request" },
		{ "SecRule REQUEST_URI \"@streq /a\" \"id:1,phase:1,deny\"", "it does more than to take out rules" },
		{ "SecRule REQUEST_URI \"@streq /a\" \"id:1,phase:1,pass,nolog\"", "a rule of its own" },
		{ "SecRule REQUEST_URI \"@streq /a\" \"id:1,phase:1,pass,setvar:tx.a=1,ctl:ruleRemoveById=1\"", "it sets variables" },
		{ "SecRule REQUEST_URI \"@streq /a\" \"id:1,phase:1,pass,chain\"", "its chain has no end" },
		{ "SecAction \"id:1,phase:1,pass,ctl:ruleEngine=Off\"", "waf.mode says it" },
		{ "SecRule TX:wp \"@eq 0\" \"id:1,phase:1,pass,skipAfter:END\"\n"
		  "SecRule REQUEST_URI \"@streq /a\" \"id:2,phase:1,pass,ctl:ruleRemoveById=1\"\nSecMarker END\n",
		  "# x.conf:2: SecRule REQUEST_URI @streq /a\n    #     a rule before it may skip it" },
		{ "SecRule TX:wp \"@eq 0\" \"id:1,phase:1,pass,skipAfter:END\"\nSecMarker END\n"
		  "SecRule REQUEST_URI \"@streq /a\" \"id:2,phase:1,pass,ctl:ruleRemoveById=1\"\n", "{path: \"/a\", rules: [1], " },
		{ "Nonsense a b", "# x.conf:1: Nonsense a b\n    #     it has no key" },
		{ "SecRule REQUEST_URI", "an argument is missing" },
		{ "SecRuleRemoveById \"\"", "it names no" },
		{ "SecRuleRemoveByTag \"\"", "more than a pattern" },
		{ "SecRuleUpdateTargetById \"\" \"!ARGS:x\"", "it names no" },
		{ "SecAction \"id:1,phase:1,pass,ctl:ruleRemoveTargetById=;ARGS:x\"", "it names no" },
		{ "SecAction \"id:1,phase:1,pass,ctl:ruleRemoveTargetById=\"", "it names no" },
		{ "SecAction \"id:1,phase:1,pass,ctl:ruleRemoveTargetById=1\"", "it names no variable" },
		{ "SecAction \"id:1,phase:1,pass,ctl:''\"", "an exception cannot do what this ctl does" },
		{ "SecAction \"id:1,phase:1,pass,setvar:''\"", "# x.conf:1" },
		{ "SecRuleRemoveById \"\x1b[31m\"", "# x.conf:1: SecRuleRemoveById \\x1b[31m\n" },
	};

	(void)state;
	expect(rows, nelems(rows));
}

static void what_cannot_be_read_is_an_error_with_its_place(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_null(converted("SecAction \"id:1", &e));
	assert_int_equal(e.side, SIDE_CONFIG);
	if (!strstr(e.text, "x.conf:1"))
		fail_msg("%s", e.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(settings_become_keys_of_waf),
		cmocka_unit_test(exclusions_become_exceptions),
		cmocka_unit_test(what_cannot_be_said_stays_with_its_place_and_reason),
		cmocka_unit_test(what_cannot_be_read_is_an_error_with_its_place),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
