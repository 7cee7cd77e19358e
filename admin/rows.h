/* rows.h -- inside admin/: small tables that are in memory whole: read at the start, each change written behind.
 *
 * Statements are ours, and static. A change that could not be written is counted and logged by the store; memory has it. */
#ifndef ADMIN_ROWS_H
#define ADMIN_ROWS_H
#include "base/store.h"

struct sqlite3_stmt;

/* Makes the table, then gives each row of `select` to `take`, before it returns. */
bool rows_read(struct store *, const char *create, const char *select,
	       void (*take)(void *ctx, struct sqlite3_stmt *), void *ctx, struct err *);
/* `size` bytes of `row` are copied; `bind` is called with the copy, on the store's thread. False: the store takes no more. */
bool rows_write(struct store *, const char *sql, void (*bind)(struct sqlite3_stmt *, const void *row), const void *row,
		size_t size);

/* Columns; what is too long or of another size stays zero. */
void row_text(struct sqlite3_stmt *, int column, char *to, size_t cap);
bool row_blob(struct sqlite3_stmt *, int column, void *to, size_t n);
#endif
