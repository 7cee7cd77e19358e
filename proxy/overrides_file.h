/* overrides_file.h -- the file of changes on disk: written whole or not at all, and on the disk when that is said.
 *
 * The five before it are kept as overrides.yaml.1 to .5, the newest first. While a change waits to be confirmed a small file
 * beside it (overrides.pending) says so, so that a restart does not make it last. All of it may block. */
#ifndef PROXY_OVERRIDES_FILE_H
#define PROXY_OVERRIDES_FILE_H
#include "base/arena.h"
#include "base/err.h"

enum { OVERRIDES_KEPT = 5 };

/* version 0: the file, 1: the one before it. text->at == NULL: it is not there. False: err. */
bool overrides_file_read(struct arena *, const char *path, unsigned version, struct bytes *text, struct err *);
bool overrides_file_write(const char *path, struct bytes text, struct err *);
/* What was written just now does not run: the one before takes its place again; `had`: there was one. */
void overrides_file_back(const char *path, bool had);

struct overrides_pending {
	uint64_t until_ms; /* unix; 0: none waits */
	uint64_t hash;     /* of the text that waits: another one is none of its business */
	bool had;          /* there was a file before it */
	char by[64];
};
bool overrides_pending_write(const char *path, const struct overrides_pending *, struct err *);
bool overrides_pending_read(const char *path, struct overrides_pending *); /* false: none waits, or nobody can read it */
bool overrides_pending_parse(struct bytes text, struct overrides_pending *);
void overrides_pending_drop(const char *path);
#endif
