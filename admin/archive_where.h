/* archive_where.h -- inside the archive: what is asked, as a condition on `events e`.
 *
 *   archive_where(&w, ask);  text: "SELECT ... FROM events e " archive_where_index(&w) " WHERE 1" + archive_where_put(&w)
 *   archive_where_bind(&w, statement)
 *
 * It is good as long as what `ask` points to. */
#ifndef ADMIN_ARCHIVE_WHERE_H
#define ADMIN_ARCHIVE_WHERE_H
#include "admin/archive_parts.h"

enum { ARCHIVE_SQL_MAX = 2048, ARCHIVE_VALUES = 24, ARCHIVE_LOWER = 256 };

struct archive_where {
	struct archive_ask ask;
	char id[32], end[32], q[ARCHIVE_LOWER], rule[ARCHIVE_LOWER + 2]; /* as they are looked for */
	struct ip first, last;   /* of the net */
	char text[ARCHIVE_SQL_MAX];
	struct text t;           /* over it */
	struct { struct bytes text; int64_t number; bool is_blob; } values[ARCHIVE_VALUES];
	int n;
};

void archive_where(struct archive_where *, const struct archive_ask *);
const char *archive_where_index(const struct archive_where *); /* which one, said to SQLite */
void archive_where_put(struct archive_where *);                /* " AND ..." for all that is asked */
void archive_where_number(struct archive_where *, const char *sql, int64_t); /* a parameter behind it */
/* Prepared, and its values bound; NULL: it cannot be, which is counted. */
sqlite3_stmt *archive_where_prepare(struct archive_where *, struct archive *, sqlite3 *);
#endif
