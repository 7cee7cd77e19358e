/* database.h -- a directory with a file for a store, and its end. */
#ifndef TESTS_DATABASE_H
#define TESTS_DATABASE_H
#include "tests/test.h"
#include <stdlib.h>
#include <unistd.h>

struct database { char dir[40], file[64]; };

static inline void database_begin(struct database *d)
{
	snprintf(d->dir, sizeof d->dir, "/tmp/embergate-test.XXXXXX");
	assert_non_null(mkdtemp(d->dir));
	snprintf(d->file, sizeof d->file, "%s/db", d->dir);
}

/* With what SQLite puts beside it. */
static inline void database_end(const struct database *d)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	char name[80];

	for (size_t i = 0; i < nelems(parts); i++) {
		snprintf(name, sizeof name, "%s%s", d->file, parts[i]);
		unlink(name);
	}
	assert_int_equal(rmdir(d->dir), 0);
}
#endif
