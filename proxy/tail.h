/* tail.h -- files of logs, read as they grow.
 *
 * Globs are looked at again every few seconds; a file that appears is read from its start. Rotation loses nothing and
 * reads nothing twice: a renamed file is read on until it has been quiet for a while, a truncated one is read on in its
 * copy beside it. Names that rotation makes (.1, -20240131, .gz, ...) are not taken for new logs by a glob. A line counts
 * when its newline has come. */
#ifndef PROXY_TAIL_H
#define PROXY_TAIL_H
#include "base/loop.h"
#include "proxy/log_source.h"
#include "proxy/places.h"

struct tail_setup {
	const char *const *globs; /* names, absolute, wildcards in the last part */
	size_t nglobs;
	const struct log_reader *reader;
	bool from_start; /* of a file that is there at the start and not known from before; else its end */
};

struct tail;
/* The setup's strings and the places must live as long. NULL: out of memory. */
struct tail *tail_open(struct loop *, const struct tail_setup *, struct places *, const struct log_taker *);
void tail_close(struct tail *); /* from the loop's thread; the places are up to date then */
size_t tail_files(const struct tail *);
#endif
