/* arena.c -- memory with a cap, and one end. */
#include "tests/test.h"
#include "base/arena.h"

static void what_is_got_is_zeroed_and_aligned(void **state)
{
	static const size_t sizes[] = { 1, 7, 16, 100, 4000, 4096, 5000, 8192, 100000 };

	(void)state;
	for (int round = 0; round < 3; round++) { /* chunks of the round before are used again */
		struct arena *a = arena_new(1 << 20);

		for (size_t i = 0; i < nelems(sizes); i++) {
			char *raw = arena_raw(a, sizes[i]), *p;

			assert_non_null(raw);
			memset(raw, 0xee, sizes[i]);
			p = arena_get(a, sizes[i]);
			assert_int_equal((uintptr_t)p % 16, 0);
			for (size_t k = 0; k < sizes[i]; k++)
				assert_int_equal(p[k], 0);
			memset(p, 0xee, sizes[i]);
		}
		arena_free(a);
	}
}

static void nothing_is_given_past_the_cap(void **state)
{
	struct arena *a = arena_new(64 << 10);
	size_t sum = 0, cap = 0;

	(void)state;
	assert_null(arena_get(a, 64 << 10));
	assert_null(arena_raw(a, SIZE_MAX / 2));
	assert_null(arena_str(a, (struct bytes){ "", SIZE_MAX }));
	assert_null(arena_grow(a, NULL, &cap, SIZE_MAX / 4, 8));
	while (arena_raw(a, 1000))
		sum += 1000;
	assert_in_range(sum, 48 << 10, 64 << 10);
	assert_true(arena_used(a) <= 64 << 10);
	assert_null(arena_copy(a, (struct bytes){ "x", 5000 }).at);
	arena_free(a);
	arena_free(NULL);
}

static void copies_stand_by_themselves(void **state)
{
	struct arena *a = arena_new(64 << 10);
	char text[] = "a\0b";
	struct bytes copy = arena_copy(a, (struct bytes){ text, 3 });

	(void)state;
	text[0] = 'x';
	assert_bytes(copy, BYTES("a\0b"));
	assert_int_equal(copy.at[3], 0);
	assert_non_null(arena_copy(a, (struct bytes){ 0 }).at);
	arena_free(a);
}

static void an_array_grows_and_keeps_what_it_has(void **state)
{
	struct arena *a = arena_new(1 << 20);
	size_t cap = 0;
	unsigned *at = NULL;

	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		at = arena_grow(a, at, &cap, i + 1, sizeof *at);
		assert_non_null(at);
		assert_true(cap > i);
		at[i] = i;
	}
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(at[i], i);
	arena_free(a);
}

static char order[4];

static void append(void *arg)
{
	order[strlen(order)] = *(const char *)arg;
}

static void the_last_deferred_is_the_first_to_run(void **state)
{
	struct arena *a = arena_new(64 << 10);
	char letters[] = "abc";

	(void)state;
	for (size_t i = 0; i < 3; i++)
		assert_true(arena_defer(a, append, letters + i));
	assert_string_equal(order, "");
	arena_free(a);
	assert_string_equal(order, "cba");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_got_is_zeroed_and_aligned),
		cmocka_unit_test(nothing_is_given_past_the_cap),
		cmocka_unit_test(copies_stand_by_themselves),
		cmocka_unit_test(an_array_grows_and_keeps_what_it_has),
		cmocka_unit_test(the_last_deferred_is_the_first_to_run),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);

	arena_thread_end();
	return failed;
}
