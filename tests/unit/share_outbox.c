/* share_outbox.c -- what waits for Redis is bounded, loses what is mild first, and says what it lost. */
#include "cti/share_outbox.h"
#include "tests/test.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

static void put(struct outbox *o, const char *s, bool mild, bool whole)
{
	assert_true(outbox_put(o, bytes_of(s), mild) == whole);
}

static void took(struct outbox *o, size_t cap, const char *want)
{
	char room[64];
	struct text t = text_over(room, cap);

	outbox_take(o, &t);
	assert_bytes(text_bytes(&t), bytes_of(want));
}

static void when_full_the_oldest_mild_goes_first(void **state)
{
	static const struct { const char *at; bool mild, whole; } puts[] = {
		{ "D1", false, true }, { "c1", true, true }, { "c2", true, true }, /* full */
		{ "D2", false, false }, /* for c1 */
		{ "c3", true, false },  /* for c2 */
		{ "D3", false, false }, /* for c3 */
		{ "c4", true, false },  /* is itself what is lost: nothing else is mild */
		{ "D4", false, false }, /* for D1 */
	};
	struct outbox *o = outbox_new(3, 1000);

	(void)state;
	for (size_t i = 0; i < nelems(puts); i++)
		put(o, puts[i].at, puts[i].mild, puts[i].whole);
	assert_int_equal(outbox_lost(o), 5);
	assert_int_equal(outbox_items(o), 3);
	took(o, 64, "D2D3D4");
	assert_int_equal(outbox_items(o) + outbox_bytes(o), 0);
	outbox_free(o);
}

static void bytes_are_bounded_too(void **state)
{
	struct outbox *o = outbox_new(100, 10);

	(void)state;
	put(o, "aaaa", true, true);
	put(o, "bbbb", false, true);
	put(o, "cccccccccc", false, false);
	put(o, "longer than all", false, false);
	took(o, 64, "");
	assert_int_equal(outbox_lost(o), 4);
	outbox_free(o);
}

static void takes_what_fits_and_strict_first(void **state)
{
	struct outbox *o = outbox_new(100, 1000);

	(void)state;
	put(o, "cc", true, true);
	put(o, "DDDD", false, true);
	put(o, "EEEE", false, true);
	took(o, 7, "DDDDcc");
	took(o, 7, "EEEE");
	put(o, "x", true, true);
	outbox_clear(o);
	took(o, 7, "");
	assert_int_equal(outbox_lost(o), 0);
	outbox_free(o);
}

enum { WRITERS = 4, EACH = 20000 };
static struct outbox *met;
static atomic_int ended;

static void *writer(void *arg)
{
	for (int i = 0; i < EACH; i++)
		outbox_put(met, BYTES("12345678"), (i + (int)(intptr_t)arg) & 1);
	atomic_fetch_add(&ended, 1);
	return NULL;
}

static void nothing_is_lost_uncounted_between_threads(void **state)
{
	pthread_t threads[WRITERS];
	char room[256];
	uint64_t got = 0;
	size_t n;

	(void)state;
	met = outbox_new(1000, 1 << 20);
	for (intptr_t i = 0; i < WRITERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, writer, (void *)i), 0);
	for (bool last = false; !last;) {
		last = atomic_load(&ended) == WRITERS;
		do {
			struct text t = text_over(room, sizeof room);

			n = outbox_take(met, &t);
			assert_int_equal(t.len, 8 * n);
			got += n;
		} while (n);
	}
	for (int i = 0; i < WRITERS; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(got + outbox_lost(met), WRITERS * EACH);
	assert_int_equal(outbox_items(met), 0);
	outbox_free(met);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(when_full_the_oldest_mild_goes_first),
		cmocka_unit_test(bytes_are_bounded_too),
		cmocka_unit_test(takes_what_fits_and_strict_first),
		cmocka_unit_test(nothing_is_lost_uncounted_between_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
