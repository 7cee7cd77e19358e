/* ulid.c -- request ids. */
#include "tests/test.h"
#include "base/ulid.h"
#include <stdlib.h>

static void the_time_is_in_front_and_sorts(void **state)
{
	static const struct { uint64_t ms; const char *front; } rows[] = {
		{ 0, "0000000000" }, { 1, "0000000001" }, { 31, "000000000Z" }, { 1469918176385, "01ARYZ6S41" },
		{ 281474976710655, "7ZZZZZZZZZ" }, /* all 48 bits */
	};
	struct ulid_source s;
	char before[ULID_LEN] = "", id[ULID_LEN];

	(void)state;
	ulid_seed(&s, (const uint8_t[16]){ 0 });
	for (size_t i = 0; i < nelems(rows); i++) {
		ulid_next(&s, rows[i].ms, id);
		assert_memory_equal(id, rows[i].front, 10);
		assert_true(memcmp(before, id, ULID_LEN) < 0);
		memcpy(before, id, ULID_LEN);
	}
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, ULID_LEN);
}

static void ids_of_one_millisecond_differ_in_known_letters(void **state)
{
	enum { COUNT = 20000 };
	char (*ids)[ULID_LEN] = malloc(COUNT * sizeof *ids);
	struct ulid_source s;

	(void)state;
	ulid_seed(&s, (const uint8_t[16]){ 1, 2, 3 });
	for (size_t i = 0; i < COUNT; i++) {
		ulid_next(&s, 1469918176385, ids[i]);
		for (size_t k = 0; k < ULID_LEN; k++)
			assert_non_null(memchr("0123456789ABCDEFGHJKMNPQRSTVWXYZ", ids[i][k], 32));
	}
	qsort(ids, COUNT, sizeof *ids, by_bytes);
	for (size_t i = 1; i < COUNT; i++)
		assert_true(memcmp(ids[i - 1], ids[i], ULID_LEN) != 0);
	free(ids);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_time_is_in_front_and_sorts),
		cmocka_unit_test(ids_of_one_millisecond_differ_in_known_letters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
