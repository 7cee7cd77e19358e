/* lists.h -- block lists and allow lists, from files and URLs.
 *
 * A list is a set of addresses and blocks that share a name, a remedy and an age. It is read on a thread of its own, kept in
 * the state directory (lists/NAME), and replaced whole: a list that cannot be had, parses to nothing, or shrinks by more
 * than 90 % keeps the old one, with an alarm. Readers take no lock. Blocks wider than /8 (IPv6: /16), what would cover a
 * spared network, and of lists by URL also networks that nobody on the internet has are left out and counted. */
#ifndef CTI_LISTS_H
#define CTI_LISTS_H
#include "base/arena.h"
#include "base/decision.h"
#include "base/err.h"
#include "base/fetch.h"
#include "cti/list_read.h"

enum { LISTS_NAME_MAX = 64 };

struct list_config {
	struct bytes name;
	const char *file;          /* or: */
	struct bytes url;          /* http, https */
	uint32_t format;           /* enum list_format; AUTO: by what it looks like */
	struct bytes column;       /* of CSV and JSON: the member that holds the address; empty: the first that is one */
	enum remedy_kind act;      /* challenge by default: it is hearsay. allow: outranks every decision */
	unsigned level;
	uint32_t every_ms;         /* how often a URL is asked, give or take a tenth; a file is looked at every other second */
	uint64_t age_ms;           /* what has not been confirmed for so long is not held; 0: for ever, which only a file may be */
	uint64_t max_bytes, max_entries;
	struct bytes sha256;       /* pinned, hex; needed for an allow list by URL */
	bool allow_shrink;
	/* What covers one of these is left out, of all but allow lists; asked on the thread of the lists. NULL: nothing is spared. */
	bool (*spared)(void *ctx, const struct ip_net *);
	void *spared_ctx;
	uint32_t fetch_ms;         /* for a whole answer; 0: five minutes */
};

struct lists;
/* Reads files, and what is kept in `state` of URLs, before it returns; the rest follows on a thread. The loop is where
 * `closed` is told. A list that cannot be read is no failure, but an alarm. Copies the configs. */
struct lists *lists_open(struct loop *, struct fetcher *, const char *state, const struct list_config *, size_t n, struct err *);
/* Another configuration: lists of the same name and source keep what they hold. */
bool lists_reload(struct lists *, const struct list_config *, size_t n, struct err *);
/* No thread asks any more. `closed` comes later, on the loop; NULL is allowed, and nothing is called for it. */
void lists_close(struct lists *, void (*closed)(void *), void *ctx);

/* The strictest list that has it, or an allowing one. Slices live until the arena's end. Any thread. NULL lists: false. */
bool lists_find(struct lists *, const struct ip *, uint64_t now_ms, struct arena *, struct decision *out);

/* Every list that has it, a decision each, as far as there is room. */
size_t lists_having(struct lists *, const struct ip *, uint64_t now_ms, struct arena *, struct decision *out, size_t max);

struct list_status {
	char name[LISTS_NAME_MAX + 1];
	char source[256];          /* file, or the URL without its query; cut */
	enum remedy_kind act;
	size_t entries, bytes;     /* of memory */
	size_t skipped;            /* lines and objects without an address */
	size_t left_out;           /* too wide, spared, or nobody's */
	uint64_t read_ms, confirmed_ms; /* wall clock */
	char trouble[160];         /* why the last attempt failed; empty: it did not */
};
size_t lists_status(struct lists *, struct list_status *, size_t max);
void lists_refresh(struct lists *, struct bytes name); /* now; empty: all */
#endif
