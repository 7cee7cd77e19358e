/* lists.h -- block lists and allow lists, from files and URLs.
 *
 * A list is a set of addresses and blocks that share a name, a remedy and an age. It is read on a thread of its own, kept in
 * the state directory (lists/NAME), and replaced whole: a list that cannot be had, parses to nothing, or shrinks by more
 * than 90 % keeps the old one, with an alarm. Readers take no lock. */
#ifndef CTI_LISTS_H
#define CTI_LISTS_H
#include "base/arena.h"
#include "base/decision.h"
#include "base/err.h"
#include "base/fetch.h"

enum list_format { LIST_AUTO, LIST_PLAIN, LIST_CSV, LIST_JSON };

struct list_config {
	struct bytes name;
	const char *file;          /* or: */
	struct bytes url;          /* http, https */
	uint32_t format;           /* enum list_format; AUTO: by what it looks like */
	struct bytes column;       /* of CSV and JSON: the member that holds the address; empty: the first that is one */
	enum remedy_kind act;      /* challenge by default: it is hearsay. allow: outranks every decision */
	unsigned level;
	uint32_t every_ms;         /* how often it is looked at, with a tenth of jitter */
	uint64_t age_ms;           /* what has not been confirmed for so long is not held: 72 h at most for a URL */
	uint64_t max_bytes, max_entries;
	struct bytes sha256;       /* pinned, hex; needed for an allow list by URL */
	bool allow_shrink;
};

struct lists;
/* Reads what is kept in `state` before it returns; the rest follows on the loop. */
struct lists *lists_open(struct loop *, struct fetcher *, const char *state, const struct list_config *, size_t n, struct err *);
/* Another configuration: lists of the same name keep what they hold. What the configs point at must live until the next. */
bool lists_reload(struct lists *, const struct list_config *, size_t n, struct err *);
void lists_close(struct lists *, void (*closed)(void *), void *ctx);

/* The strictest list that has it, or an allowing one. Slices live until the arena's end. Any thread. */
bool lists_find(struct lists *, const struct ip *, uint64_t now_ms, struct arena *, struct decision *out);

struct list_status {
	struct bytes name;
	size_t entries, bytes;
	unsigned skipped;          /* lines that are none */
	uint64_t read_ms, confirmed_ms; /* wall clock */
	char trouble[160];         /* why the last attempt failed; empty: it did not */
};
size_t lists_status(struct lists *, struct list_status *, size_t max);
void lists_refresh(struct lists *, struct bytes name); /* now; empty: all */
#endif
