/* tally.c -- counts as a plain count would, whatever the keys. */
#include "tests/test.h"
#include "admin/tally.h"
#include <stdio.h>

static void add(struct tally *t, unsigned key, unsigned client)
{
	char k[16], c[16];

	snprintf(k, sizeof k, "key-%u", key);
	snprintf(c, sizeof c, "%u", client);
	tally_add(t, bytes_of(k), bytes_of(c));
}

static void keys_and_their_clients_are_counted(void **state)
{
	enum { KEYS = 5000 };
	struct tally t = { 0 };

	(void)state;
	for (unsigned i = 0; i < KEYS; i++)
		for (unsigned n = 0; n <= i % 10; n++)
			add(&t, i, n / 2); /* every client twice */
	tally_sort(&t);
	assert_int_equal(t.n, KEYS);
	for (size_t i = 0; i < t.n; i++) {
		unsigned key;

		assert_int_equal(sscanf(t.at[i].key.at, "key-%u", &key), 1);
		assert_int_equal(t.at[i].count, key % 10 + 1);
		assert_int_equal(t.at[i].clients, key % 10 / 2 + 1);
		assert_true(i == 0 || t.at[i - 1].count >= t.at[i].count);
	}
	tally_free(&t);
}

static void beyond_the_bounds_the_first_go_on_to_count(void **state)
{
	struct tally t = { 0 };
	struct bytes long_key = { (char[2 * TALLY_KEY_MAX]){ 0 }, 2 * TALLY_KEY_MAX };

	(void)state;
	for (unsigned i = 0; i < TALLY_KEYS + 1000; i++)
		add(&t, i, 1);
	add(&t, 0, 2);
	tally_add(&t, long_key, BYTES("1"));
	assert_int_equal(t.n, TALLY_KEYS);
	tally_sort(&t);
	assert_bytes(t.at[0].key, BYTES("key-0"));
	assert_int_equal(t.at[0].count, 2);
	tally_free(&t);
	tally_add(&t, long_key, BYTES("1"));
	tally_add(&t, BYTES(""), BYTES(""));
	assert_int_equal(t.at[0].key.len, TALLY_KEY_MAX);
	assert_int_equal(t.at[1].clients, 1);
	tally_free(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_and_their_clients_are_counted),
		cmocka_unit_test(beyond_the_bounds_the_first_go_on_to_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
