/* share.c -- threads that decide, lift and tell while there is no Redis: none of them waits, and what is lost is counted. */
#include "cti/share.h"
#include "base/clock.h"
#include "tests/turns.h"
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

enum { THREADS = 4, EACH = 5000, HOUR = 3600 * 1000 };

static struct decisions *decisions;
static struct share *share;
static atomic_int ended;

static void *decide(void *arg)
{
	uint64_t now_ms = clock_wall_ms();
	char value[32];

	for (int i = 0; i < EACH; i++) {
		struct decision d = { .scope = SCOPE_IP, .remedy = i % 2 ? REMEDY_DENY : REMEDY_CHALLENGE, .origin = BYTES("cscli"),
				      .made_ms = now_ms, .until_ms = now_ms + HOUR };

		snprintf(value, sizeof value, "10.%d.%d.%d", (int)(intptr_t)arg, i >> 8, i & 255);
		d.value = bytes_of(value);
		decisions_add(decisions, &d);
		if (i % 5 == 0)
			decisions_lift_id(decisions, d.id);
		share_tell(share, SHARE_BUCKET, BYTES("event"));
	}
	atomic_fetch_add(&ended, 1);
	return NULL;
}

static void on_closed(void *ctx)
{
	*(bool *)ctx = true;
}

static void nobody_waits_for_a_redis_that_is_not_there(void **state)
{
	struct bytes urls[] = { BYTES("redis://127.0.0.1:1") };
	struct share_options o = { .redis = { .urls = urls, .nurls = 1 }, .prefix = "test", .name = "one", .version = "1" };
	struct loop *l = *state;
	struct share_counts c;
	pthread_t threads[THREADS];
	bool closed = false;
	struct err e = { 0 };

	o.decisions = decisions = decisions_new(1 << 18);
	share = share_open(l, &o, &e);
	if (!share)
		fail_msg("%s", e.text);
	for (intptr_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, decide, (void *)i), 0);
	while (atomic_load(&ended) < THREADS)
		run_for(l, 50);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	share_count(share, &c);
	assert_false(c.up);
	assert_int_equal(c.queued + c.dropped, THREADS * (EACH + EACH / 5));
	assert_int_equal(c.untold, THREADS * EACH);
	share_close(share, on_closed, &closed);
	while (!closed)
		run_for(l, 20);
	decisions_free(decisions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_waits_for_a_redis_that_is_not_there, loop_begin, loop_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
