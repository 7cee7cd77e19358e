/* places.h -- how far logs have been read, across restarts.
 *
 * A small text file in the state directory, a line a place, written whole to a file beside it and renamed. A file of a log
 * is known by device, inode and a hash of its first bytes: an inode is used again, and a truncated file keeps its own. */
#ifndef PROXY_PLACES_H
#define PROXY_PLACES_H
#include "base/bytes.h"
#include "base/err.h"

enum { PRINT_MAX = 256, PLACES_MAX = 10000 };

struct place {
	uint64_t device, inode;
	uint64_t offset;
	uint64_t print;     /* hash of the first print_len bytes */
	uint64_t print_len; /* at most PRINT_MAX */
	char *path;         /* of a file; of a journal: its units, with `cursor` */
	char *cursor;       /* NULL: it is a file */
};

struct places;
struct places *places_open(const char *state_dir); /* reads what is there; NULL: out of memory */
void places_close(struct places *);                 /* writes, if anything has changed */
const struct place *places_get(const struct places *, size_t i); /* NULL behind the last */
/* Replaces what is known of that file (device and inode) or that journal (path). Copies. */
bool places_put(struct places *, const struct place *);
void places_drop(struct places *, uint64_t device, uint64_t inode);
bool places_save(struct places *, struct err *); /* nothing to do when nothing has changed */
#endif
