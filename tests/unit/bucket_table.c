/* The table of buckets stays within its bounds, and threads do not lose an event. */
#include "scenarios/bucket.h"
#include "tests/test.h"
#include <pthread.h>
#include <stdatomic.h>

enum { MS = 1000, SHARD = 256 }; /* keys that are multiples of it share a shard */
#define HOUR_US UINT64_C(3600000000)

static const struct bucket_kind hourly = {
	.type = BUCKET_LEAKY, .capacity = 3, .leak_us = HOUR_US, .life_us = 4 * HOUR_US, .keep = 4,
};

static uint32_t pour_text(struct buckets *all, uint64_t key, uint64_t now_us, struct bytes event)
{
	struct pour p = { .key = key, .kind = &hourly, .now_us = now_us, .event = event };
	struct bucket_events out;

	assert_int_equal(bucket_pour(all, &p, &out), POURED);
	return out.count;
}

static struct buckets_stats stats(struct buckets *all)
{
	struct buckets_stats s;

	buckets_count(all, &s);
	return s;
}

static void a_full_table_gives_up_what_was_touched_longest_ago(void **state)
{
	enum { A_SHARD = 10 };
	struct buckets *all = buckets_new((A_SHARD - 1) * SHARD, 1 << 20);

	(void)state;
	for (uint64_t i = 1; i <= A_SHARD; i++)
		pour_text(all, i * SHARD, i, BYTES(""));
	assert_int_equal(stats(all).evicted, 0);
	assert_int_equal(pour_text(all, 1 * SHARD, 20, BYTES("")), 2); /* the oldest becomes the newest */
	assert_int_equal(pour_text(all, 11 * SHARD, 21, BYTES("")), 1);
	assert_int_equal(stats(all).live, A_SHARD);
	assert_int_equal(stats(all).evicted, 1);
	assert_int_equal(bucket_count(all, 1 * SHARD, 22), 2);
	assert_int_equal(bucket_count(all, 2 * SHARD, 22), 0); /* it is this one that went */
	assert_int_equal(bucket_count(all, 3 * SHARD, 22), 1);
	for (uint64_t i = 100; i < 5000; i++)
		pour_text(all, i * SHARD, i, BYTES(""));
	assert_int_equal(stats(all).live, A_SHARD);
	assert_int_equal(bucket_count(all, 4999 * SHARD, 5000), 1);
	buckets_free(all);
}

static void so_does_one_whose_bytes_are_too_many(void **state)
{
	static char text[1000];
	enum { A_SHARD = 20000 };
	struct buckets *all = buckets_new(1000000, (size_t)A_SHARD * SHARD);

	(void)state;
	for (uint64_t i = 1; i <= 1000; i++) {
		pour_text(all, i * SHARD, i, (struct bytes){ text, sizeof text });
		assert_true(stats(all).bytes < A_SHARD + 2 * sizeof text);
	}
	assert_true(stats(all).live >= 15);
	assert_int_equal(stats(all).live + stats(all).evicted, 1000);
	assert_int_equal(bucket_count(all, 1000 * SHARD, 1000), 1);
	assert_int_equal(bucket_count(all, 1 * SHARD, 1000), 0);
	buckets_free(all);
}

static void buckets_that_are_there_cannot_grow_past_the_bound(void **state)
{
	static char text[4000];
	enum { A_SHARD = 100000, KEYS = 20 };
	struct buckets *all = buckets_new(1000000, (size_t)A_SHARD * SHARD);

	(void)state;
	for (uint64_t i = 1; i <= KEYS; i++)
		pour_text(all, i * SHARD, i, BYTES(""));
	for (uint64_t round = 0; round < 3; round++) /* 20 * 3 * 4000 bytes in 100,000 */
		for (uint64_t i = 1; i <= KEYS; i++) {
			struct pour p = { .key = i * SHARD, .kind = &hourly, .now_us = 100,
					  .event = { text, sizeof text } };
			struct bucket_events out;

			bucket_pour(all, &p, &out);
			assert_true(stats(all).bytes < A_SHARD + 4 * sizeof text);
		}
	assert_true(stats(all).evicted > 0);
	buckets_free(all);
}

/* As the scenarios of one client, and far more of them than a line has heads. */
static void keys_of_one_place_are_told_apart(void **state)
{
	enum { KEYS = 3000 };
	struct buckets *all = buckets_new(KEYS * 256, 1 << 30);

	(void)state;
	for (uint64_t i = 0; i < KEYS; i++)
		for (uint64_t k = 0; k <= i % 3; k++)
			pour_text(all, 77 | i * 0x9e3779b97f4a7c15u << 24, 1000 + i, BYTES(""));
	for (uint64_t i = 0; i < KEYS; i++)
		assert_int_equal(bucket_count(all, 77 | i * 0x9e3779b97f4a7c15u << 24, 1000 + KEYS), 1 + i % 3);
	buckets_free(all);
}

static void even_a_table_without_room_holds_one(void **state)
{
	struct buckets *all = buckets_new(0, 0);

	(void)state;
	assert_int_equal(pour_text(all, SHARD, 1, BYTES("text")), 1);
	assert_int_equal(pour_text(all, SHARD, 1, BYTES("text")), 2);
	assert_int_equal(pour_text(all, 2 * SHARD, 1, BYTES("text")), 1);
	assert_int_equal(stats(all).live, 1);
	buckets_free(all);
}

static void the_dead_are_swept_in_sixteen_calls(void **state)
{
	enum { MANY = 100000 };
	struct buckets *all = buckets_new(1000000, 1 << 28);

	(void)state;
	for (uint64_t i = 0; i < MANY; i++)
		pour_text(all, i * 0x9e3779b97f4a7c15u, i % 2 ? hourly.life_us : 1, BYTES("some text"));
	assert_int_equal(stats(all).live, MANY);
	for (int i = 0; i < 16; i++)
		buckets_sweep(all, 1 + hourly.life_us); /* not yet */
	assert_int_equal(stats(all).died, 0);
	for (int i = 0; i < 16; i++)
		buckets_sweep(all, 2 + hourly.life_us);
	assert_int_equal(stats(all).live, MANY / 2);
	assert_int_equal(stats(all).died, MANY / 2);
	for (int i = 0; i < 16; i++)
		buckets_sweep(all, 3 * hourly.life_us);
	assert_int_equal(stats(all).live, 0);
	assert_int_equal(stats(all).bytes, 0);
	buckets_free(all);
}

static void who_makes_buckets_frees_the_dead_in_passing(void **state)
{
	struct buckets *all = buckets_new(1000000, 1 << 28);

	(void)state;
	for (uint64_t i = 0; i < 1000; i++) /* 1,000 at a time live */
		for (uint64_t k = 0; k < 100; k++)
			pour_text(all, (i * 1000 + k) * 0x9e3779b97f4a7c15u, i * (hourly.life_us / 10), BYTES("e"));
	assert_true(stats(all).live < 4000);
	buckets_free(all);
}

static void a_silence_is_not_swept_before_its_end(void **state)
{
	static const struct bucket_kind k = { .type = BUCKET_TRIGGER, .blackhole_us = 10000 * MS };
	struct buckets *all = buckets_new(1000, 1 << 20);
	struct pour p = { .key = 5, .kind = &k, .now_us = 1000 * MS };
	struct bucket_events out;

	(void)state;
	assert_int_equal(bucket_pour(all, &p, &out), POURED_OVER);
	for (int i = 0; i < 16; i++)
		buckets_sweep(all, 10999 * MS);
	p.now_us = 10999 * MS;
	assert_int_equal(bucket_pour(all, &p, &out), POURED_SILENT);
	for (int i = 0; i < 16; i++)
		buckets_sweep(all, 11000 * MS);
	assert_int_equal(stats(all).live, 0);
	buckets_free(all);
}

static void what_has_ended_is_not_counted_as_live(void **state)
{
	static const struct bucket_kind k = {
		.type = BUCKET_LEAKY, .capacity = 1, .leak_us = 1000, .life_us = 2000, .keep = 2,
	};
	struct buckets *all = buckets_new(1000, 1 << 20);
	struct pour p = { .key = 5, .kind = &k, .event = BYTES("e") };
	struct bucket_events out;

	(void)state;
	bucket_pour(all, &p, &out);
	assert_int_equal(bucket_pour(all, &p, &out), POURED_OVER);
	assert_int_equal(stats(all).live, 0);
	bucket_pour(all, &p, &out);
	p.cancel = true;
	assert_int_equal(bucket_pour(all, &p, &out), POURED_CANCELED);
	assert_int_equal(stats(all).live, 0);
	assert_int_equal(stats(all).bytes, 0);
	buckets_free(all);
}

/* ---- threads ---- */

enum { THREADS = 4, KEYS = 500, ROUNDS = 42 };

struct crowd {
	struct buckets *all;
	atomic_uint over, events;
	atomic_bool done;
};

static void *pour_all(void *arg)
{
	struct crowd *c = arg;

	for (uint32_t i = 0; i < ROUNDS * KEYS; i++) {
		struct arena *a = arena_new(1 << 16);
		struct pour p = { .key = i % KEYS * 0x9e3779b97f4a7c15u, .kind = &hourly, .now_us = 1000 + i,
				  .event = BYTES("event"), .arena = a };
		struct bucket_events out;

		if (bucket_pour(c->all, &p, &out) == POURED_OVER) {
			atomic_fetch_add(&c->over, 1);
			atomic_fetch_add(&c->events, (unsigned)out.nkept);
		}
		arena_free(a);
	}
	arena_thread_end();
	return NULL;
}

static void *look_on(void *arg)
{
	struct crowd *c = arg;

	while (!atomic_load(&c->done)) {
		buckets_sweep(c->all, 1000);
		stats(c->all);
		bucket_count(c->all, 0, 1000);
	}
	return NULL;
}

static void threads_that_pour_the_same_keys_lose_no_event(void **state)
{
	struct crowd c = { .all = buckets_new(10000, 1 << 24) };
	pthread_t threads[THREADS], other;

	(void)state;
	assert_int_equal(pthread_create(&other, NULL, look_on, &c), 0);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, pour_all, &c), 0);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&c.done, true);
	pthread_join(other, NULL);
	/* All pours are within 21 ms: nothing leaks of an event an hour. */
	assert_int_equal(c.over, KEYS * (THREADS * ROUNDS / (hourly.capacity + 1)));
	assert_int_equal(c.events, c.over * (hourly.capacity + 1));
	assert_int_equal(stats(c.all).live, 0); /* 168 events are 42 overflows */
	assert_int_equal(stats(c.all).bytes, 0);
	buckets_free(c.all);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_full_table_gives_up_what_was_touched_longest_ago),
		cmocka_unit_test(so_does_one_whose_bytes_are_too_many),
		cmocka_unit_test(buckets_that_are_there_cannot_grow_past_the_bound),
		cmocka_unit_test(keys_of_one_place_are_told_apart),
		cmocka_unit_test(even_a_table_without_room_holds_one),
		cmocka_unit_test(the_dead_are_swept_in_sixteen_calls),
		cmocka_unit_test(who_makes_buckets_frees_the_dead_in_passing),
		cmocka_unit_test(a_silence_is_not_swept_before_its_end),
		cmocka_unit_test(what_has_ended_is_not_counted_as_live),
		cmocka_unit_test(threads_that_pour_the_same_keys_lose_no_event),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
