/* turns.c -- one asker does not take them all, and what is given back is there again. */
#include "tests/test.h"
#include "admin/api/turns.h"
#include <stdio.h>

static struct caller caller(enum caller_way way, const char *name, uint64_t id)
{
	struct caller c = { .way = way, .id = id };

	snprintf(c.name, sizeof c.name, "%s", name);
	return c;
}

static void one_asker_has_his_own_and_no_more(void **state)
{
	struct turns *t = turns_new();
	struct turn *had[TURNS_EACH];

	(void)state;
	for (unsigned i = 0; i < TURNS_EACH; i++) {
		struct caller anna = caller(CALLER_SESSION, "anna", i); /* another session each time */

		assert_non_null(had[i] = turn_take(t, &anna));
	}
	assert_null(turn_take(t, &(struct caller){ .way = CALLER_SESSION, .name = "anna" }));
	assert_non_null(turn_take(t, &(struct caller){ .way = CALLER_SESSION, .name = "ben" }));
	assert_non_null(turn_take(t, &(struct caller){ .way = CALLER_TOKEN, .name = "anna" }));
	turn_give(had[3]);
	assert_non_null(turn_take(t, &(struct caller){ .way = CALLER_SESSION, .name = "anna" }));
	assert_null(turn_take(t, &(struct caller){ .way = CALLER_SESSION, .name = "anna" }));
	turn_give(NULL);
	turns_free(t);
}

static void all_together_have_so_many(void **state)
{
	struct turns *t = turns_new();
	struct turn *last = NULL;
	struct caller late = caller(CALLER_SESSION, "late", 0);
	char name[16];

	(void)state;
	for (unsigned i = 0; i < TURNS_MAX; i++) {
		struct caller c;

		snprintf(name, sizeof name, "user-%u", i / 2);
		c = caller(CALLER_SESSION, name, 0);
		assert_non_null(last = turn_take(t, &c));
	}
	assert_null(turn_take(t, &late));
	turn_give(last);
	assert_non_null(turn_take(t, &late));
	turns_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_asker_has_his_own_and_no_more),
		cmocka_unit_test(all_together_have_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
