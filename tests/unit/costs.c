/* What rules cost by themselves, and what all of them share. */
#include "tests/test.h"
#include "tests/inspected.h"
#include "base/clock.h"

#define FORM "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 9999\r\n\r\n"

enum { REQUESTS = 50, DEAR = 1, CHEAP = 2, NEVER = 3, RULES = 4 };

/* The dear one goes back over all the words for each of them; what it needs is in the value, but not together. */
static const char seclang[] =
	"SecRequestBodyAccess On\n"
	"SecAction \"id:1,phase:1,pass,nolog\"\n"
	"SecRule ARGS \"@rx (?:[a-z]+[ +])*needle(?:[a-z]+[ +])*!\" \"id:2,phase:2,deny\"\n"
	"SecRule ARGS \"@rx needle$\" \"id:3,phase:2,deny\"\n"
	"SecRule ARGS \"@rx elsewhere[0-9]\" \"id:4,phase:2,deny\"\n";
static const char appsec[] =
	"name: a/always\nrules:\n  - zones: [METHOD]\n    match: {type: equals, value: PURGE}\n---\n"
	"name: a/dear\nrules:\n  - zones: [ARGS, BODY_ARGS]\n    match: {type: regex, value: '(?:[a-z]+[ +])*needle(?:[a-z]+[ +])*!'}\n---\n"
	"name: a/cheap\nrules:\n  - zones: [ARGS, BODY_ARGS]\n    match: {type: endsWith, value: needle}\n---\n"
	"name: a/never\nrules:\n  - zones: [ARGS, BODY_ARGS]\n    match: {type: regex, value: 'elsewhere[0-9]'}\n";

struct bench {
	struct ruleset *rules;
	struct rules_scratch *scratch;
	uint64_t took_ns;
};

static struct bench bench_of(const char *file, const char *text, unsigned every)
{
	struct err e = { 0 };
	struct bench b = { .rules = rules_of_file(file, bytes_of(text), &matcher_plain, &e), .scratch = rules_scratch_new() };

	if (!b.rules)
		fail_msg("%s", e.text);
	rules_scratch_time(b.scratch, every);
	return b;
}

static void bench_end(struct bench *b)
{
	rules_scratch_free(b->scratch);
	ruleset_free(b->rules);
}

static void inspect(struct bench *b, unsigned n)
{
	char room[8192];
	struct text t = text_over(room, sizeof room);
	struct inspected got;
	uint64_t from;

	text_str(&t, FORM);
	text_printf(&t, "n=%u&q=", n);
	for (int i = 0; i < 400; i++)
		text_str(&t, "word+");
	text_str(&t, "needle+and+more%21");
	from = clock_mono_ns();
	got = inspect_text(b->rules, b->scratch, text_bytes(&t), 0, NULL);
	b->took_ns += clock_mono_ns() - from;
	if (!bytes_eq(got.outcome, BYTES("allow")))
		fail_msg("%.*s", BYTES_ARG(got.outcome));
	arena_free(got.arena);
}

static void check_costs(const char *file, const char *text)
{
	struct bench b = bench_of(file, text, 1);
	uint64_t sum;

	assert_int_equal(ruleset_count(b.rules), RULES);
	for (unsigned i = 0; i < REQUESTS; i++)
		inspect(&b, i);
	assert_int_equal(ruleset_costs(b.rules).samples, REQUESTS);
	sum = ruleset_costs(b.rules).shared_ns;
	assert_true(sum > 0);
	for (size_t i = 0; i < RULES; i++) {
		sum += ruleset_cost(b.rules, i).ns;
		if (i != DEAR && ruleset_cost(b.rules, i).ns >= ruleset_cost(b.rules, DEAR).ns)
			fail_msg("%s is dearer than %s", ruleset_rule(b.rules, i)->id, ruleset_rule(b.rules, DEAR)->id);
	}
	assert_true(sum <= b.took_ns);
	assert_int_equal(ruleset_cost(b.rules, DEAR).asked, REQUESTS);
	assert_int_equal(ruleset_cost(b.rules, CHEAP).asked, REQUESTS);
	assert_int_equal(ruleset_cost(b.rules, NEVER).asked, 0);
	assert_int_equal(ruleset_cost(b.rules, NEVER).ns, 0);
	bench_end(&b);
}

static void the_dearest_rule_costs_most_and_one_that_is_never_asked_nothing(void **state)
{
	(void)state;
	check_costs("rules.conf", seclang);
	check_costs("rules.yaml", appsec);
}

static void about_one_inspection_in_so_many_is_timed(void **state)
{
	struct bench b = bench_of("rules.conf", seclang, 8);

	(void)state;
	for (unsigned i = 0; i < 400; i++)
		inspect(&b, i);
	assert_in_range(ruleset_costs(b.rules).samples, 400 / 8 / 2, 400 / 8 * 2);
	bench_end(&b);
}

static void nothing_is_timed_unless_asked(void **state)
{
	struct bench b = bench_of("rules.conf", seclang, 0);

	(void)state;
	for (unsigned i = 0; i < REQUESTS; i++)
		inspect(&b, i);
	assert_int_equal(ruleset_costs(b.rules).samples, 0);
	assert_int_equal(ruleset_costs(b.rules).shared_ns, 0);
	for (size_t i = 0; i < RULES; i++)
		assert_int_equal(ruleset_cost(b.rules, i).ns, 0);
	bench_end(&b);
}

static void apps_with_the_same_rules_are_counted_together(void **state)
{
	struct bench b = bench_of("rules.conf", seclang, 1);
	struct bench tuned = b;
	struct err e = { 0 };

	(void)state;
	tuned.rules = ruleset_tuned(b.rules, NULL, &e);
	assert_non_null(tuned.rules);
	inspect(&b, 0);
	inspect(&tuned, 1);
	assert_int_equal(ruleset_costs(b.rules).samples, 2);
	assert_int_equal(ruleset_cost(tuned.rules, DEAR).asked, 2);
	ruleset_free(tuned.rules);
	bench_end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_dearest_rule_costs_most_and_one_that_is_never_asked_nothing),
		cmocka_unit_test(about_one_inspection_in_so_many_is_timed),
		cmocka_unit_test(nothing_is_timed_unless_asked),
		cmocka_unit_test(apps_with_the_same_rules_are_counted_together),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
