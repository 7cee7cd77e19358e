/* ring.c -- entries come out whole, in order and once, whoever puts them in. */
#include "tests/test.h"
#include "base/ring.h"
#include <pthread.h>
#include <stdio.h>

static bool put(struct ring *r, const char *s)
{
	struct bytes b = bytes_of(s);

	return ring_put(r, &b, 1);
}

static void entries_come_out_joined_in_order(void **state)
{
	struct bytes parts[] = { BYTES("two "), BYTES(""), BYTES("parts;") };
	struct ring *r = ring_new(256);
	char out[256];

	(void)state;
	assert_true(ring_is_empty(r));
	assert_true(put(r, "one;"));
	assert_true(ring_put(r, parts, nelems(parts)));
	assert_true(put(r, ""));
	assert_false(ring_is_empty(r));
	assert_bytes(((struct bytes){ out, ring_take(r, out, sizeof out) }), BYTES("one;two parts;"));
	assert_true(ring_is_empty(r));
	ring_free(r);
}

static void a_full_ring_refuses_and_recovers(void **state)
{
	struct ring *r = ring_new(64); /* four entries of 16 bytes */
	char out[64];

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_true(put(r, "12345678"));
	assert_false(put(r, ""));
	assert_int_equal(ring_take(r, out, 20), 16); /* whole ones only */
	assert_true(put(r, "abcdefgh"));
	assert_false(put(r, "123456789"));
	assert_bytes(((struct bytes){ out, ring_take(r, out, sizeof out) }), BYTES("1234567812345678abcdefgh"));
	assert_false(ring_put(r, (struct bytes[]){ { out, 60 } }, 1)); /* never fits */
	ring_free(r);
}

static void an_entry_may_wrap_at_any_byte(void **state)
{
	struct ring *r = ring_new(64);
	char out[64], want[64];

	(void)state;
	for (int round = 0; round < 1000; round++) {
		int n = snprintf(want, sizeof want, "%.*s%d", round % 41, "........................................", round);

		assert_true(put(r, want));
		assert_bytes(((struct bytes){ out, ring_take(r, out, sizeof out) }), ((struct bytes){ want, (size_t)n }));
	}
	ring_free(r);
}

enum { WRITERS = 4, EACH = 20000 };

struct writer {
	struct ring *ring;
	int number;
};

static void *write_numbers(void *arg)
{
	struct writer *w = arg;
	char line[32];

	for (int i = 0; i < EACH; i++) {
		snprintf(line, sizeof line, "%d %d\n", w->number, i);
		while (!put(w->ring, line))
			;
	}
	return NULL;
}

static void four_writers_lose_and_mix_nothing(void **state)
{
	struct ring *r = ring_new(4096);
	struct writer writers[WRITERS];
	pthread_t threads[WRITERS];
	int next[WRITERS] = { 0 }, seen = 0;
	char out[4096];

	(void)state;
	for (int i = 0; i < WRITERS; i++) {
		writers[i] = (struct writer){ r, i };
		pthread_create(&threads[i], NULL, write_numbers, &writers[i]);
	}
	while (seen < WRITERS * EACH) {
		struct bytes rest = { out, ring_take(r, out, sizeof out) }, line;

		while (rest.len && bytes_cut(&rest, '\n', &line)) {
			int who, number;

			assert_int_equal(sscanf(line.at, "%d %d", &who, &number), 2);
			assert_int_equal(number, next[who]++);
			seen++;
		}
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	assert_true(ring_is_empty(r));
	ring_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(entries_come_out_joined_in_order),
		cmocka_unit_test(a_full_ring_refuses_and_recovers),
		cmocka_unit_test(an_entry_may_wrap_at_any_byte),
		cmocka_unit_test(four_writers_lose_and_mix_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
