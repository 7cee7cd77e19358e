/* expr_data.h -- the files that expressions ask: File(), RegexpInFile(), LookupFile().
 *
 * Read once, when scenarios are loaded, and immutable afterwards. Lines that are blank or begin with `#` are left out. A
 * file that is not there is known by name and empty, so that what asks it is never true; the caller is told and warns. */
#ifndef BASE_EXPR_DATA_H
#define BASE_EXPR_DATA_H
#include "base/arena.h"
#include "base/err.h"

enum expr_data_type {
	EXPR_DATA_STRING, /* File(): its lines */
	EXPR_DATA_REGEXP, /* RegexpInFile(): each line an expression; one that cannot be compiled is reported, and left out
			   */
	EXPR_DATA_MAP, /* LookupFile(): each line JSON {"pattern", "tag", "type": "equals" (or none), "contains", "regex"}
			*/
};
enum { EXPR_DATA_MAX_BYTES = 64 << 20 };

struct expr_data;
/* cache_dir: of compiled expressions, may be NULL. Freed with the arena. */
struct expr_data *expr_data_new(struct arena *, const char *cache_dir);
/* Adds `path` under `name`; a second time with the same name and type is nothing. False: it cannot be read (the name is
 * known all the same, and empty), or a line is wrong; the rest of it is there. */
bool expr_data_add(struct expr_data *, struct bytes name, enum expr_data_type, const char *path, struct err *);
#endif
