/* loop.c -- deadlines and posted work. */
#include "tests/turns.h"
#include "base/clock.h"
#include <pthread.h>

enum { LATE_MS = 400 }; /* a machine that is busy with other tests */

struct alarm {
	struct deadline d;
	struct loop *loop;
	uint64_t set_ms, after_ms, rang_ms;
	unsigned rings, again;
	unsigned *count, place; /* in the order of ringing */
	struct alarm *other;
};

static void ring(void *owner)
{
	struct alarm *a = owner;

	a->rang_ms = clock_mono_ms();
	a->rings++;
	a->place = (*a->count)++;
	if (a->other)
		deadline_clear(&a->other->d);
	if (a->again && a->again--) {
		a->set_ms = clock_mono_ms();
		deadline_set(a->loop, &a->d, a->after_ms, ring, a);
	}
	loop_stop(a->loop);
}

static void set(struct alarm *a, struct loop *l, unsigned *count, uint64_t after_ms)
{
	a->loop = l;
	a->count = count;
	a->after_ms = after_ms;
	a->set_ms = loop_now_ms(l);
	deadline_set(l, &a->d, after_ms, ring, a);
}

static void rang_in_time(const struct alarm *a)
{
	assert_int_equal(a->rings, 1);
	assert_true(a->rang_ms >= a->set_ms + a->after_ms);
	assert_true(a->rang_ms <= a->set_ms + a->after_ms + LATE_MS);
}

static void deadlines_ring_in_order_and_not_early(void **state)
{
	static const struct { uint64_t after_ms; unsigned place; } rows[] = {
		{ 300, 3 }, { 0, 0 }, { 120, 2 }, { 60, 1 }, { 470, 4 },
	};
	struct alarm a[nelems(rows)] = { 0 };
	unsigned count = 0;

	run_for(*state, 1); /* now is now */
	for (size_t i = 0; i < nelems(rows); i++)
		set(&a[i], *state, &count, rows[i].after_ms);
	RUN_UNTIL(*state, count == nelems(rows));
	for (size_t i = 0; i < nelems(rows); i++) {
		rang_in_time(&a[i]);
		assert_int_equal(a[i].place, rows[i].place);
	}
}

static void a_moved_deadline_rings_once_when_it_was_moved_to(void **state)
{
	static const struct { uint64_t first_ms, then_ms; } rows[] = {
		{ 100, 300 }, { 300, 100 }, { 100, 101 }, { 26000, 60 }, { 200, 200 },
	};
	struct alarm a[nelems(rows)] = { 0 };
	unsigned count = 0;

	run_for(*state, 1);
	for (size_t i = 0; i < nelems(rows); i++) {
		set(&a[i], *state, &count, rows[i].first_ms);
		set(&a[i], *state, &count, rows[i].then_ms);
	}
	RUN_UNTIL(*state, count == nelems(rows));
	run_for(*state, 200);
	assert_int_equal(count, nelems(rows));
	for (size_t i = 0; i < nelems(rows); i++)
		rang_in_time(&a[i]);
}

static void a_cleared_deadline_does_not_ring(void **state)
{
	struct alarm a[4] = { 0 };
	unsigned count = 0;

	for (size_t i = 0; i < nelems(a); i++)
		set(&a[i], *state, &count, 100);
	deadline_clear(&a[3].d);
	deadline_clear(&a[3].d);
	a[0].other = &a[1]; /* of the same slot, and one of them clears the other */
	a[1].other = &a[0];
	run_for(*state, 300);
	assert_int_equal(a[0].rings + a[1].rings, 1);
	assert_int_equal(a[2].rings, 1);
	assert_int_equal(a[3].rings, 0);
}

static void a_deadline_may_be_set_again_where_it_rings(void **state)
{
	struct alarm a = { .again = 3 };
	unsigned count = 0;

	set(&a, *state, &count, 60);
	RUN_UNTIL(*state, count == 4);
	assert_true(a.rang_ms >= a.set_ms + 60);
	run_for(*state, 150);
	assert_int_equal(a.rings, 4);
}

struct mail {
	struct loop *loop;
	unsigned *at;
	unsigned number;
};

static void deliver(void *arg)
{
	struct mail *m = arg;

	assert_int_equal(m->number, *m->at);
	(*m->at)++;
	loop_stop(m->loop);
}

enum { LETTERS = 1000 };

static void *post_all(void *arg)
{
	struct mail *m = arg;

	for (unsigned i = 0; i < LETTERS; i++)
		assert_true(loop_post(m[i].loop, deliver, &m[i]));
	return NULL;
}

static void posted_work_runs_on_the_loop_in_the_order_of_posting(void **state)
{
	static struct mail m[LETTERS];
	unsigned at = 0;
	pthread_t thread;

	for (unsigned i = 0; i < LETTERS; i++)
		m[i] = (struct mail){ *state, &at, i };
	pthread_create(&thread, NULL, post_all, m);
	RUN_UNTIL(*state, at == LETTERS);
	pthread_join(thread, NULL);
}

static void unheard_mail_is_freed_with_its_loop(void **state)
{
	struct loop *l = loop_new();
	unsigned at = 0;
	struct mail m = { l, &at, 0 };

	(void)state;
	assert_true(loop_post(l, deliver, &m));
	assert_true(loop_post(l, deliver, &m));
	loop_free(l); /* a leak would be told */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(deadlines_ring_in_order_and_not_early, loop_begin, loop_end),
		cmocka_unit_test_setup_teardown(a_moved_deadline_rings_once_when_it_was_moved_to, loop_begin, loop_end),
		cmocka_unit_test_setup_teardown(a_cleared_deadline_does_not_ring, loop_begin, loop_end),
		cmocka_unit_test_setup_teardown(a_deadline_may_be_set_again_where_it_rings, loop_begin, loop_end),
		cmocka_unit_test_setup_teardown(posted_work_runs_on_the_loop_in_the_order_of_posting, loop_begin, loop_end),
		cmocka_unit_test(unheard_mail_is_freed_with_its_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
