/* turns.h -- for tests: a loop that runs until something has happened. */
#ifndef TESTS_TURNS_H
#define TESTS_TURNS_H
#include "tests/test.h"
#include "base/loop.h"

static inline void too_late(void *owner)
{
	(void)owner;
	fail_msg("it did not happen within half a minute");
}

/* Runs the loop until `condition` holds. */
#define RUN_UNTIL(l, condition)                                \
	do {                                                   \
		struct deadline late_ = { 0 };                 \
		deadline_set((l), &late_, 30000, too_late, NULL); \
		while (!(condition))                           \
			loop_run(l);                           \
		deadline_clear(&late_);                        \
	} while (0)

static inline void stop_loop(void *owner)
{
	loop_stop(owner);
}

/* Runs the loop for so long. */
static inline void run_for(struct loop *l, uint64_t ms)
{
	struct deadline d = { 0 };
	uint64_t until = loop_now_ms(l) + ms;

	while (loop_now_ms(l) < until) {
		deadline_set(l, &d, until - loop_now_ms(l), stop_loop, l);
		loop_run(l);
	}
	deadline_clear(&d);
}

static inline int loop_begin(void **state)
{
	return (*state = loop_new()) ? 0 : -1;
}

static inline int loop_end(void **state)
{
	loop_free(*state);
	return 0;
}
#endif
