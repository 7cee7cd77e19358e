/* test.h -- cmocka wants these four in this order. */
#ifndef TESTS_TEST_H
#define TESTS_TEST_H
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "base/bytes.h"

/* Shows both sides when they differ. */
#define assert_bytes(got, want)                                                        \
	do {                                                                           \
		struct bytes g_ = (got), w_ = (want);                                  \
		if (!bytes_eq(g_, w_))                                                 \
			fail_msg("got \"%.*s\", want \"%.*s\"", BYTES_ARG(g_), BYTES_ARG(w_)); \
	} while (0)
#endif
