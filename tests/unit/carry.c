/* Chains whose first link hands its values on: who may notice, and what comes of it. */
#include "tests/test.h"
#include "tests/inspected.h"
#include "tests/matcher_none.h"
#include "rules/carry.h"
#include "rules/ruleset.h"

#define CHAIN                                                                                       \
	"SecRule REQUEST_HEADERS_NAMES \"@rx ^.*$\" \"id:1,phase:1,deny,capture,t:lowercase,"       \
	"setvar:'tx.name_%{tx.0}=/%{tx.0}/',chain\"\n"                                              \
	"SecRule TX:/^name_/ \"@within /proxy/ /x-bad/\"\n"
#define OTHER(rest) CHAIN "SecRule " rest "\n"

static const struct row {
	const char *rules, *field;
	bool carries;
	size_t hits;
} rows[] = {
	{ CHAIN, "Accept: a", true, 0 },
	{ CHAIN, "X-Bad: a", true, 1 },
	{ CHAIN, "PROXY: a", true, 1 },
	/* Who looks by an expression sees the names that fit it. */
	{ OTHER("TX:/odd_.*/ \"!@rx ^a\" \"id:2,phase:2,deny\""), "Accept: a", true, 0 },
	{ OTHER("TX:/odd_.*/ \"!@rx ^a\" \"id:2,phase:2,deny\""), "Odd_Name: a", true, 1 },
	{ OTHER("TX:/^other_/ \"@rx a\" \"id:2,phase:2,deny\""), "X-Bad: a", true, 1 },
	/* These could notice. */
	{ OTHER("TX \"@rx /accept/\" \"id:2,phase:2,deny\""), "Accept: a", false, 1 },
	{ OTHER("TX:name_accept \"@rx a\" \"id:2,phase:2,deny\""), "Accept: a", false, 1 },
	{ OTHER("TX:0 \"@rx accept\" \"id:2,phase:2,deny\""), "Accept: a", false, 1 },
	{ OTHER("ARGS \"@rx x\" \"id:2,phase:2,pass,setvar:tx.name_%{ARGS.q}=/proxy/\""), "Accept: a", false, 0 },
	{ OTHER("ARGS \"@rx x\" \"id:2,phase:2,pass,setvar:tx.a=%{tx.0}\""), "Accept: a", false, 0 },
	/* What another captures itself is its own. */
	{ OTHER("ARGS \"@rx (x)\" \"id:2,phase:2,deny,capture,chain\"\nSecRule TX:1 \"@streq x\""), "Accept: a", true, 0 },
};

static size_t hits_of(const struct matcher_kind *kind, const struct row *row, bool *carries)
{
	static const struct inspect_options options = { .window = 4096 };
	struct rules_scratch *scratch = rules_scratch_new();
	struct err e = { 0 };
	struct ruleset *rs = rules_of_file("rules.conf", bytes_of(row->rules), kind, &e);
	struct text request;
	char room[256];
	size_t hits[2];

	if (!rs)
		fail_msg("%s: %s", row->rules, e.text);
	*carries = rs->ir->groups[0].at[0].carries != NULL;
	request = text_over(room, sizeof room);
	text_printf(&request, "GET /?q=y HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n", row->field);
	for (size_t i = 0; i < 2; i++) { /* the second time the memo knows it */
		struct inspected got = inspect_text(rs, scratch, text_bytes(&request), 0, &options);

		hits[i] = got.verdict->nhits;
		arena_free(got.arena);
	}
	assert_int_equal(hits[0], hits[1]);
	rules_scratch_free(scratch);
	ruleset_free(rs);
	return hits[0];
}

static void a_chain_that_hands_on_is_gated_unless_others_notice(void **state)
{
	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		bool carries, asked;
		size_t gated = hits_of(&matcher_hs, &rows[i], &carries), all = hits_of(&matcher_none, &rows[i], &asked);

		if (carries != rows[i].carries || gated != rows[i].hits || all != rows[i].hits)
			fail_msg("%s with %s: carries %d, %zu hits, %zu when asked", rows[i].rules, rows[i].field, carries, gated, all);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_that_hands_on_is_gated_unless_others_notice),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
