/* facts.c -- what follows from a request target, and that each fact has its name. */
#include "scenarios/facts.h"
#include "tests/test.h"

static void each_fact_is_found_by_its_own_name(void **state)
{
	(void)state;
	for (int i = 0; i < FACT_COUNT; i++)
		assert_int_equal(fact_find(bytes_of(fact_name((enum fact)i))), i);
	assert_int_equal(fact_find(BYTES("Meta.nothing")), FACT_COUNT);
}

static void a_target_falls_into_its_parts(void **state)
{
	static const struct {
		const char *target, *request, *args, *len, *dir, *name, *frag, *ext, *is_static;
	} rows[] = {
		{ "/", "/", "", "0", "/", "", "", "", "false" },
		{ "/a/b.css", "/a/b.css", "", "0", "/a/", "b.css", "b", ".css", "true" },
		{ "/a/b.min.JS?v=1", "/a/b.min.JS", "v=1", "3", "/a/", "b.min.JS", "b.min", ".JS", "true" },
		{ "/a?b?c", "/a?b", "c", "1", "/", "a?b", "a?b", "", "false" }, /* at the last mark */
		{ "/.env", "/.env", "", "0", "/", ".env", ".env", "", "false" },
		{ "/a.b/", "/a.b/", "", "0", "/a.b/", "", "", "", "false" },
		{ "/a.tar.gz", "/a.tar.gz", "", "0", "/", "a.tar.gz", "a.tar", ".gz", "true" },
		{ "/a?", "/a", "", "0", "/", "a", "a", "", "false" },
		{ "*", "*", "", "0", "", "", "", "", "" },
	};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct facts f = { .at_us = 0 };
		const char *want[] = { rows[i].target, rows[i].request, rows[i].args, rows[i].len, rows[i].dir,
				       rows[i].name, rows[i].frag, rows[i].ext, rows[i].is_static };
		enum fact got[] = { FACT_HTTP_PATH, FACT_REQUEST, FACT_HTTP_ARGS, FACT_HTTP_ARGS_LEN, FACT_FILE_DIR,
				    FACT_FILE_NAME, FACT_FILE_FRAG, FACT_FILE_EXT, FACT_STATIC };

		facts_target(&f, a, bytes_of(rows[i].target));
		for (size_t k = 0; k < nelems(want); k++)
			if (!bytes_eq(f.at[got[k]], bytes_of(want[k])))
				fail_msg("%s: %s is \"%.*s\", not \"%s\"", rows[i].target, fact_name(got[k]),
					 BYTES_ARG(f.at[got[k]]), want[k]);
	}
	arena_free(a);
}

static void what_has_no_number_is_kept_by_name(void **state)
{
	struct arena *a = arena_new(1 << 20);
	struct facts f = { .at_us = 0 };

	(void)state;
	assert_true(facts_put(&f, a, BYTES("Meta.cve"), BYTES("old")));
	assert_true(facts_put(&f, a, BYTES("Meta.cve"), BYTES("new")));
	assert_true(facts_put(&f, a, BYTES("Parsed.verb"), BYTES("GET")));
	assert_true(bytes_eq(facts_get(&f, BYTES("Meta.cve")), BYTES("new")));
	assert_true(bytes_eq(f.at[FACT_VERB], BYTES("GET")));
	assert_true(bytes_eq(facts_get(&f, BYTES("Meta.http_verb")), BYTES("GET")));
	assert_int_equal(facts_get(&f, BYTES("Meta.none")).len, 0);
	arena_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_fact_is_found_by_its_own_name),
		cmocka_unit_test(a_target_falls_into_its_parts),
		cmocka_unit_test(what_has_no_number_is_kept_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
