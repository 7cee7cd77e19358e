/* archive_parts.h -- inside the archive: what its files share. */
#ifndef ADMIN_ARCHIVE_PARTS_H
#define ADMIN_ARCHIVE_PARTS_H
#include "admin/archive.h"
#include <sqlite3.h>
#include <stdatomic.h>

struct archive {
	struct store *store;
	struct events *events;
	struct loop *loop;
	struct archive_bounds bounds;
	struct deadline deadline; /* of the next batch */
	bool writing;             /* a batch is under way */
	bool asked;               /* there is more since it began */
	atomic_bool more;         /* the last one did not take everything */
	atomic_ullong written, lost;
	bool good;                /* of the first job */
	struct archive_look {     /* of the list that is being made; the store's thread */
		uint64_t until_us;
		int64_t last;     /* number of the row that was looked at */
		unsigned n;
		bool over;        /* the time is */
	} look;
	void (*told)(void *ctx);
	void *told_ctx;
};

/* ---- archive_write.c, on the store's thread ---- */
/* Tables and functions. False: as SQLite says. */
bool archive_make(struct archive *, sqlite3 *);
/* What the ring has, so much at a time; false: there may be more. */
bool archive_write(struct archive *, sqlite3 *);
/* Deletes what is over the bounds, so much at a time. */
void archive_trim(struct archive *, sqlite3 *);

/* NULL: it cannot be prepared, which is counted. */
sqlite3_stmt *archive_prepare(struct archive *, sqlite3 *, const char *sql);
static inline void archive_bind(sqlite3_stmt *s, int i, struct bytes b)
{
	sqlite3_bind_text(s, i, b.at ? b.at : "", (int)b.len, SQLITE_STATIC);
}
static inline struct bytes archive_column(sqlite3_stmt *s, int i)
{
	const char *at = sqlite3_column_blob(s, i);

	return (struct bytes){ at ? at : "", (size_t)sqlite3_column_bytes(s, i) };
}
#endif
