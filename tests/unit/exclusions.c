/* Exceptions: which rules do not hold, and what rules do not look at. */
#include "tests/test.h"
#include "tests/inspected.h"

static const char packs[] =
	"name: own/arg\ncategory: own\nrules: [{zones: [ARGS, BODY_ARGS], match: {type: contains, value: evil}}]\n---\n"
	"name: own/raw\ncategory: own\nrules: [{zones: [RAW_BODY, URI_FULL], match: {type: contains, value: raw}}]\n";

static const char seclang[] =
	"SecDefaultAction \"phase:2,log,pass\"\n"
	"SecAction \"id:901100,phase:1,nolog,pass,setvar:tx.anomaly_score=0,setvar:tx.limit=5\"\n"
	"SecRule ARGS|ARGS_NAMES|REQUEST_BODY|QUERY_STRING|REQUEST_COOKIES \"@contains select\" \"id:942100,phase:2,block,"
	"tag:'attack-sqli',tag:'paranoia-level/1',setvar:tx.anomaly_score=+5\"\n"
	"SecRule ARGS|REQUEST_HEADERS|REQUEST_COOKIES \"@contains script\" \"id:941100,phase:2,block,tag:'attack-xss',"
	"setvar:tx.anomaly_score=+5\"\n"
	"SecRule REQUEST_FILENAME \"@contains select\" \"id:942110,phase:1,block,tag:'attack-sqli',setvar:tx.anomaly_score=+5\"\n"
	"SecRule &REQUEST_HEADERS:X-Token \"@eq 0\" \"id:920100,phase:1,block,tag:'attack-protocol',setvar:tx.anomaly_score=+2\"\n"
	"SecRule TX:/^seen_/ \"@eq 1\" \"id:921180,phase:2,block,setvar:tx.anomaly_score=+5\"\n"
	"SecRule ARGS:twice \"@eq 1\" \"id:921170,phase:1,nolog,pass,setvar:tx.seen_twice=1\"\n"
	"SecRule TX:ANOMALY_SCORE \"@ge %{tx.limit}\" \"id:949110,phase:2,deny\"\n"
	"SecRule TX:LIMIT \"@lt 1\" \"id:942011,phase:2,pass,nolog,skipAfter:END,tag:'attack-sqli'\"\n"
	"SecMarker END\n"
	"SecRule TX:ANOMALY_SCORE \"@ge 100\" \"id:7,phase:2,deny,setvar:tx.anomaly_score=+1\"\n";

static struct ruleset *rs;
static struct rules_scratch *scratch;

static void put_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int set_up(void **state)
{
	char dir[] = "/tmp/embergate-exclusions-XXXXXX", own[64], conf[64];
	const char *files[] = { own, conf };
	struct ruleset_options o = { .files = files, .nfiles = 2 };
	struct err e = { 0 };

	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(own, sizeof own, "%s/own.yaml", dir);
	snprintf(conf, sizeof conf, "%s/rules.conf", dir);
	put_file(own, packs);
	put_file(conf, seclang);
	rs = ruleset_load(&o, &e);
	unlink(own);
	unlink(conf);
	rmdir(dir);
	if (!rs)
		fail_msg("%s", e.text);
	scratch = rules_scratch_new();
	return scratch ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	rules_scratch_free(scratch);
	ruleset_free(rs);
	return 0;
}

/* ---- "rules=942100,941100 args=a parts=body" ---- */

static const char *const keys[EXCLUDE_KEYS] = { "skip", "rules", "categories", "tags", "args", "cookies", "headers" };
static const char *const part_words[EXCLUDE_PARTS] = { "body", "args", "cookies", "headers", "files", "path", "query", "answer" };

static void add_part(struct exclusion_text *t, struct bytes word)
{
	for (size_t i = 0; i < EXCLUDE_PARTS; i++)
		if (bytes_eq(word, bytes_of(part_words[i])))
			t->parts |= 1u << i;
}

static const struct exclusion *exclusion_of(struct arena *a, const char *written, struct err *e)
{
	struct exclusion_text t = { 0 };
	struct bytes rest = bytes_of(written), one, key, word;

	while (bytes_cut(&rest, ' ', &one)) {
		bytes_cut(&one, '=', &key);
		while (bytes_cut(&one, ',', &word))
			for (size_t k = 0; k < EXCLUDE_KEYS; k++) {
				struct exclusion_words *w = &t.words[k];
				struct bytes *at;

				if (!bytes_eq(key, bytes_of(keys[k])))
					continue;
				at = arena_get(a, (w->n + 1) * sizeof *at);
				if (w->n)
					memcpy(at, w->at, w->n * sizeof *at);
				at[w->n++] = word;
				w->at = at;
			}
		if (bytes_eq(key, BYTES("parts")))
			add_part(&t, word);
	}
	return exclusion_new(a, rs, &t, e);
}

/* Two exceptions may be given, with " + " between them. */
static void expect(const char *written, const char *target, const char *fields, const char *body, const char *want)
{
	static char room[4096];
	struct text t = text_over(room, sizeof room);
	struct arena *a = arena_new(1 << 20);
	const struct exclusion *list[2];
	struct inspect_options o = { .window = 4096, .exclusions = list };
	const char *plus = strstr(written, " + ");
	struct inspected got;
	struct err e = { 0 };

	if (written[0]) {
		const char *first = arena_str(a, bytes_sub(bytes_of(written), 0, plus ? (size_t)(plus - written) : SIZE_MAX));

		if (!(list[o.nexclusions++] = exclusion_of(a, first, &e)) || (plus && !(list[o.nexclusions++] = exclusion_of(a, plus + 3, &e))))
			fail_msg("%s: %s", written, e.text);
	}
	text_printf(&t, "POST %s HTTP/1.1\r\nHost: a\r\nX-Token: t\r\n%sContent-Length: %zu\r\n\r\n%s", target, fields, strlen(body), body);
	got = inspect_text(rs, scratch, text_bytes(&t), 0, &o);
	if (!bytes_eq(got.outcome, bytes_of(want)))
		fail_msg("%s: %s %s: want \"%s\", got \"%.*s\"", written, target, body, want, BYTES_ARG(got.outcome));
	arena_free(got.arena);
	arena_free(a);
}

#define FORM "Content-Type: application/x-www-form-urlencoded\r\n"

static void a_rule_that_is_excepted_does_not_score(void **state)
{
	(void)state;
	expect("", "/", FORM, "a=select", "deny 942100 949110");
	expect("rules=942100", "/", FORM, "a=select", "allow");
	expect("rules=942100", "/", FORM, "a=select+script", "deny 941100 949110");
	expect("rules=942000-942199", "/select", FORM, "a=select", "allow");
	expect("categories=sqli", "/select", FORM, "a=select", "allow");
	expect("categories=SQLI,xss", "/select", FORM, "a=select+script", "allow");
	expect("tags=paranoia-level/*", "/select", FORM, "a=select", "deny 942110 949110");
	expect("rules=942100 + rules=942110", "/select", FORM, "a=select", "allow");
	expect("rules=921180", "/?twice=1", "", "", "allow");
	expect("", "/?twice=1", "", "", "deny 921180 949110");
	expect("skip=sqli", "/select", FORM, "a=select", "allow");
	expect("skip=942100", "/", FORM, "a=select", "allow");
}

static void a_rule_does_not_look_at_an_excepted_argument_and_does_at_all_others(void **state)
{
	(void)state;
	expect("rules=942100 args=a", "/", FORM, "a=select", "allow");
	expect("rules=942100 args=a", "/", FORM, "b=select", "deny 942100 949110");
	expect("rules=942100 args=a", "/?a=select", "", "", "allow");
	expect("rules=942100 args=a", "/?a=select", FORM, "b=select", "deny 942100 949110");
	expect("rules=942100 args=a", "/", FORM, "a=script", "deny 941100 949110");
	expect("rules=942100 args=a*", "/", FORM, "abc=select", "allow");
	expect("rules=942100 args=A.B", "/", "Content-Type: application/json\r\n", "{\"a\":{\"b\":\"select\"}}", "allow");
	expect("rules=942100 args=a.c", "/", "Content-Type: application/json\r\n", "{\"a\":{\"b\":\"select\"}}", "deny 942100 949110");
	expect("rules=942100 cookies=c", "/", "Cookie: c=select; d=script\r\n", "", "deny 941100 949110");
	expect("rules=941100 headers=x-html", "/", "X-Html: script\r\n", "", "allow");
	expect("rules=941100 headers=x-html", "/", "X-Other: script\r\n", "", "deny 941100 949110");
	expect("categories=sqli args=a cookies=c", "/", "Cookie: c=select\r\n" FORM, "a=select", "allow");
	expect("rules=942110 parts=path", "/select", "", "", "allow");
	expect("rules=942100 parts=body", "/", FORM, "a=select", "allow");
	expect("rules=942100 parts=body", "/?a=select", "", "", "deny 942100 949110");
	expect("rules=942100 parts=query", "/?a=select", "", "", "allow");
}

static void rules_of_our_packs_are_excepted_alike(void **state)
{
	(void)state;
	expect("", "/", FORM, "a=evil", "deny own/arg");
	expect("rules=own/arg", "/", FORM, "a=evil", "allow");
	expect("rules=OWN/ARG args=a", "/", FORM, "a=evil", "allow");
	expect("rules=own/arg args=b", "/", FORM, "a=evil", "deny own/arg");
	expect("rules=own/raw args=a", "/", FORM, "a=raw", "allow");
	expect("rules=own/raw args=b", "/", FORM, "a=raw", "deny own/raw");
	expect("categories=own", "/?a=evil&b=raw", "", "", "allow");
	expect("skip=own", "/?a=evil", "", "", "allow");
	expect("skip=own/raw", "/?a=evil", "", "", "deny own/arg");
}

static void what_is_named_without_rules_nobody_looks_at(void **state)
{
	(void)state;
	expect("args=a", "/", FORM, "a=select+script+evil+raw", "allow");
	expect("args=a", "/?a=select", FORM, "b=script", "deny 941100 949110");
	expect("skip=arg:a", "/?a=select", "", "", "allow");
	expect("skip=arg:a,cookie:c", "/?a=select", "Cookie: c=script\r\n", "", "allow");
	expect("skip=arg:A", "/", FORM, "a=select", "allow");
	expect("skip=arg:a.b", "/", "Content-Type: application/json\r\n", "{\"a\":{\"b\":\"evil\"}}", "allow");
	expect("cookies=c", "/", "Cookie: c=script\r\n", "", "allow");
	expect("headers=x-*", "/", "X-Html: script\r\n", "", "allow");
	expect("parts=cookies", "/", "Cookie: c=select\r\n", "", "allow");
	expect("parts=path", "/select", "", "", "allow");
	expect("parts=body", "/", FORM, "a=select+evil+raw", "allow");
	expect("skip=body", "/", FORM, "a=evil", "allow");
	expect("skip=all", "/?a=select", FORM, "a=evil", "allow");
}

static void an_excepted_field_is_not_a_missing_one(void **state)
{
	(void)state;
	expect("headers=x-token", "/", "", "", "allow");
	expect("rules=920100 headers=x-token", "/", "", "", "allow");
}

static void what_an_exception_does_not_mean_is_an_error(void **state)
{
	static const struct {
		const char *written, *says;
	} rows[] = {
		{ "rules=94210", "rules: no rule is called '94210'; did you mean '942100'?" },
		{ "rules=zzzzzzzzzzzzzzzzzz", "rules: no rule is called 'zzzzzzzzzzzzzzzzzz'; write a rule's id" },
		{ "rules=sqli", "rules: 'sqli' is no rule's id but a category: write categories: [sqli]" },
		{ "rules=1-6", "rules: no rule's id is in '1-6'; write a rule's id, or a range" },
		{ "rules=949110", "rules: 949110 sums up what other rules found; without it nothing is denied. Name the rule" },
		{ "rules=949000-949999", "rules: 949000-949999 sums up" },
		{ "rules=901100 args=a", "rules: 901100 sums up" },
		{ "rules=942011", "rules: 942011 sums up" },
		{ "rules=7", "rules: 7 sums up" },
		{ "skip=949110", "skip: 949110 sums up" },
		{ "categories=slqi", "categories: no rule is of category 'slqi'; did you mean 'sqli'?" },
		{ "categories=zzzzzzzzzz", "categories: no rule is of category 'zzzzzzzzzz'; write for example sqli" },
		{ "tags=attack-sql", "tags: no rule has the tag 'attack-sql'; did you mean 'attack-sqli'?" },
		{ "skip=boddy", "skip: no rule, category or part is called 'boddy'; did you mean 'body'?" },
		{ "skip=arg:", "skip: no rule, category or part is called 'arg:'" },
		{ "skip=zzzzzzzzzz", "write a rule id" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *a = arena_new(1 << 20);
		struct err e = { 0 };

		assert_null(exclusion_of(a, rows[i].written, &e));
		assert_int_equal(e.side, SIDE_CONFIG);
		if (!strstr(e.text, rows[i].says))
			fail_msg("%s: %s", rows[i].written, e.text);
		arena_free(a);
	}
}

/* 942011 skips by the level, and bears the tag of all the rules around it. */
static void a_category_leaves_out_what_only_sums_up(void **state)
{
	(void)state;
	expect("tags=attack-*", "/select?twice=1", FORM, "a=select", "deny 921180 949110");
	expect("rules=1-999999", "/select?twice=1", FORM, "a=select+script", "allow");
	expect("rules=940000-999999", "/select?twice=1", FORM, "a=select", "deny 921180 949110");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_rule_that_is_excepted_does_not_score),
		cmocka_unit_test(a_rule_does_not_look_at_an_excepted_argument_and_does_at_all_others),
		cmocka_unit_test(rules_of_our_packs_are_excepted_alike),
		cmocka_unit_test(what_is_named_without_rules_nobody_looks_at),
		cmocka_unit_test(an_excepted_field_is_not_a_missing_one),
		cmocka_unit_test(what_an_exception_does_not_mean_is_an_error),
		cmocka_unit_test(a_category_leaves_out_what_only_sums_up),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
