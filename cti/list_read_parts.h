/* list_read_parts.h -- what the files of a list's reader share; nobody else includes it.
 *
 *   list_read.c        pieces, packed or not, go to one of
 *   list_read_lines.c  plain and CSV
 *   list_read_json.c   JSON
 *   list_read_gzip.c   unpacks
 *   list_block.c       addresses, blocks and ranges */
#ifndef CTI_LIST_READ_PARTS_H
#define CTI_LIST_READ_PARTS_H
#include "cti/list_read.h"

enum list_field { LIST_VALUE, LIST_SCOPE, LIST_TYPE, LIST_DURATION, LIST_REASON, LIST_ORIGIN, LIST_FIELDS };
enum { LIST_CELLS = 64 };

struct list_lines {
	enum list_format format; /* AUTO: no line has been seen that tells */
	char separator;
	bool begun, named;       /* a first line with content was seen; it named the columns */
	bool too_long;           /* the line that is being read */
	unsigned column_of[LIST_FIELDS]; /* from 1; 0: none */
	size_t len;              /* of a line that is not whole yet */
	char line[LIST_LINE_MAX];
	char unquoted[LIST_LINE_MAX];
};

struct list_json;
struct list_gzip;

struct list_reader {
	struct list_read_options o;
	list_take *take;
	void *ctx;
	uint64_t bytes;          /* unpacked */
	size_t skipped;
	unsigned long line;      /* that is being read, from 1 */
	size_t nhead;            /* of the first bytes, which tell what it is */
	char head[4];
	bool begun;              /* they have been looked at */
	enum list_format form;   /* JSON or lines; AUTO: only blanks so far */
	struct list_lines *lines;
	struct list_json *json;
	struct list_gzip *gzip;
};

/* A member or column so named; LIST_FIELDS: none of them. */
enum list_field list_field_named(struct bytes name);
void list_reader_skip(struct list_reader *);
/* Gives the record on; counts one that is none. */
bool list_reader_take(struct list_reader *, const struct bytes fields[LIST_FIELDS], struct err *);
/* Unpacked. */
bool list_reader_text(struct list_reader *, struct bytes, struct err *);

bool list_lines_put(struct list_reader *, struct bytes, struct err *);
bool list_lines_end(struct list_reader *, struct err *);

struct list_json *list_json_new(void);
void list_json_free(struct list_json *);
bool list_json_put(struct list_reader *, struct bytes, struct err *);
bool list_json_end(struct list_reader *, struct err *);

struct list_gzip *list_gzip_new(void);
void list_gzip_free(struct list_gzip *);
bool list_gzip_put(struct list_reader *, struct bytes, struct err *);
bool list_gzip_end(struct list_reader *, struct err *);
#endif
