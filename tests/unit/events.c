/* events.c -- the newest alerts are kept, within count and bytes, whoever offers them. */
#include "tests/test.h"
#include "admin/events.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static bool offer(struct events *v, const char *id, size_t reason)
{
	static char text[256];
	struct event e = { .id = bytes_of(id), .reason = { text, reason }, .status = 403, .source = SOURCE_RULE };

	return events_offer(v, &e, NULL);
}

static bool is_kept(struct events *v, const char *id)
{
	struct err e;
	struct record *r = events_find(v, bytes_of(id), &e);
	bool found = r && bytes_eq(r->id, bytes_of(id));

	free(r);
	return found;
}

static void the_oldest_goes_first(void **state)
{
	struct events *v = events_new(3, 1 << 20);
	char id[16];

	(void)state;
	for (int i = 0; i < 10; i++) {
		snprintf(id, sizeof id, "ID%d", i);
		assert_true(offer(v, id, 10));
	}
	for (int i = 0; i < 10; i++) {
		snprintf(id, sizeof id, "ID%d", i);
		assert_int_equal(is_kept(v, id), i >= 7);
	}
	events_free(v);
}

static void bytes_are_bounded_too(void **state)
{
	struct event e = { .id = BYTES("A") };
	struct record r;
	size_t each;
	struct events *v;

	(void)state;
	record_of(&r, &e, NULL);
	free(record_copy(&r, &each));
	v = events_new(1000, 3 * each + 100);
	assert_true(offer(v, "A", 0) && offer(v, "B", 0) && offer(v, "C", 0));
	assert_true(is_kept(v, "A") && is_kept(v, "C"));
	assert_true(offer(v, "D", 200)); /* two must go for it */
	assert_false(is_kept(v, "A") || is_kept(v, "B"));
	assert_true(is_kept(v, "C") && is_kept(v, "D"));
	events_free(v);
	v = events_new(10, each - 1);
	assert_false(offer(v, "A", 0)); /* never fits */
	assert_int_equal(events_dropped(v), 1);
	events_free(v);
}

static void the_start_of_an_id_is_enough_when_it_is_one(void **state)
{
	struct events *v = events_new(8, 1 << 20);
	struct err e = { 0 };
	struct record *r;

	(void)state;
	offer(v, "01JD3AAA", 0);
	offer(v, "01JD3AAB", 0);
	offer(v, "01JD4", 0);
	offer(v, "01JD4X", 0); /* no ULID is the start of another, but were it: */
	assert_null(events_find(v, BYTES("01JD3AA"), &e));
	assert_non_null(strstr(e.text, "several alerts begin with 01JD3AA"));
	r = events_find(v, BYTES("01jd3aab"), &e);
	assert_bytes(r->id, BYTES("01JD3AAB"));
	free(r);
	r = events_find(v, BYTES("01JD4"), &e);
	assert_bytes(r->id, BYTES("01JD4"));
	free(r);
	assert_null(events_find(v, BYTES(""), &e));
	assert_null(events_find(v, BYTES("nope"), &e));
	assert_non_null(strstr(e.text, "nope is not among the 4 alerts"));
	events_free(v);
}

enum { THREADS = 3, EACH = 2000 };

static void *offer_many(void *v)
{
	char id[32];

	for (int i = 0; i < EACH; i++) {
		snprintf(id, sizeof id, "T%d", i);
		offer(v, id, (size_t)i % 200);
	}
	return NULL;
}

static void many_may_offer_while_one_looks(void **state)
{
	struct events *v = events_new(64, 40000);
	pthread_t threads[THREADS];

	(void)state;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, offer_many, v);
	for (int i = 0; i < 1000; i++)
		is_kept(v, "T1999");
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_true(is_kept(v, "T1999"));
	assert_int_equal(events_dropped(v), 0);
	events_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_oldest_goes_first),
		cmocka_unit_test(bytes_are_bounded_too),
		cmocka_unit_test(the_start_of_an_id_is_enough_when_it_is_one),
		cmocka_unit_test(many_may_offer_while_one_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
