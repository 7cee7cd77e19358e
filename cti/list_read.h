/* list_read.h -- lists of addresses as others write them, read piece by piece.
 *
 *   plain   an address, a block (CIDR) or a range `a-b` a line; comments behind `#`, `;` and `//`. A second word that is no
 *           number makes the line something else (a hosts file), and it is left out.
 *   CSV     `,` `;` tab or `|`, quotes; the column by name or number (from 1), else in each line the first cell that is one
 *   JSON    values one after the other or in a list; of each object the member of that name, else the first that is one;
 *           texts in lists are members too. Nothing below a member `deleted` counts (CrowdSec's stream).
 *   gzip    of any of them, told by its first bytes
 *
 * Everything has a bound: the whole (unpacked), how much it grows in unpacking, a line, a text, depth. Lines and objects
 * that hold no address are counted; broken JSON or gzip, and a column that is not there, are errors with the line. */
#ifndef CTI_LIST_READ_H
#define CTI_LIST_READ_H
#include "base/ip.h"

enum list_format { LIST_AUTO, LIST_PLAIN, LIST_CSV, LIST_JSON };

enum {
	LIST_LINE_MAX = 8 << 10, /* of plain and CSV; a longer one is left out */
	LIST_TEXT_MAX = 512,     /* of JSON; a longer one is as if it were not there */
	LIST_DEPTH_MAX = 32,
	LIST_RATIO_MAX = 200,    /* unpacked to packed, from the second MiB on */
};

/* All addresses from the first to the last; of one family. */
struct list_block {
	struct ip first, last;
};
bool list_block_parse(struct bytes, struct list_block *); /* "a", "a/bits", "a-b" */
/* As few nets as make it up, ascending, until `each` returns false; false: it did. */
bool list_block_nets(const struct list_block *, bool (*each)(void *ctx, const struct ip_net *), void *ctx);

/* What a line or an object says; slices are borrowed. */
struct list_record {
	struct bytes value;
	bool is_block;           /* false: only where decisions are read, "FR" of scope Country */
	struct list_block block;
	struct bytes scope, type, duration, reason, origin; /* where it has members or columns so named; empty: it has not */
	unsigned long line;
};

struct list_read_options {
	enum list_format format;
	struct bytes column;     /* outlives the reader */
	uint64_t max_bytes;      /* unpacked; 0: no bound */
	bool decisions;          /* what CrowdSec exports and imports: `value` need be no address, and only what is named so counts */
	void (*skipped)(void *ctx, unsigned long line); /* told of each that holds no address; NULL: they are only counted */
};

struct list_reader;
/* Takes a record; false ends the reading, and err says why. */
typedef bool list_take(void *ctx, const struct list_record *, struct err *);

struct list_reader *list_reader_new(const struct list_read_options *, list_take *, void *ctx); /* NULL: out of memory */
bool list_reader_put(struct list_reader *, struct bytes piece, struct err *); /* false: no more of it may be put */
bool list_reader_end(struct list_reader *, struct err *);                     /* what was put was all */
size_t list_reader_skipped(const struct list_reader *);
void list_reader_free(struct list_reader *); /* NULL is allowed */
#endif
