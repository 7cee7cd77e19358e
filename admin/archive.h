/* archive.h -- alerts on disk: STATE/events.db, for lists, their details, and whoever follows.
 *
 *   worker -> events.c, a bounded ring -> a batch on the store's thread -> events.db -> lists, pages, streams
 *
 * A worker only offers; what is new is written within ARCHIVE_DELAY_MS, in a flood so many a second (archive.c), and what the
 * ring had to push out before is counted.
 * A row's number is given by the file, which two processes share during an upgrade: numbers grow in the order in which rows
 * can be seen, so "all behind N" misses nothing and is what a stream resumes by. The file is its own (not embergate.db), so
 * that a long search never holds up keys. Bounded by count, bytes and age: the oldest give way.
 *
 * Everything but what says otherwise is the loop's thread. */
#ifndef ADMIN_ARCHIVE_H
#define ADMIN_ARCHIVE_H
#include "admin/events.h"
#include "base/json_out.h"
#include "base/store.h"

enum {
	ARCHIVE_DELAY_MS = 100,
	ARCHIVE_PAGE_MAX = 500,
	ARCHIVE_PAGE_US = 70000,
	ARCHIVE_SIMILAR_MS = 7 * 24 * 3600 * 1000,
};

struct archive_bounds { uint64_t count, bytes, age_ms; };

struct archive;
struct archive *archive_open(const char *path, struct events *, struct loop *, const struct archive_bounds *, struct err *);
void archive_close(struct archive *); /* writes what the ring has left; blocks; NULL is allowed */
/* Blocks until everything that was offered is written: before the loop runs, and in tests. */
void archive_flush(struct archive *);
/* For searches of others: tables as in archive_write.c, read only. */
struct store *archive_store(struct archive *);

struct archive_counts { uint64_t written, dropped, bytes; };
void archive_count(struct archive *, struct archive_counts *);
/* `told` after each batch, with the newest row's number; for streams. NULL: nobody. */
void archive_follow(struct archive *, void (*told)(void *ctx), void *ctx);

/* ---- lists ----
 *
 * A page takes ARCHIVE_PAGE_US at most, whatever is asked and however many events there are: it then has fewer rows than
 * wanted, perhaps none, and the next page goes on where it stopped. */

struct archive_ask {
	struct bytes app, action, source, rule, country, method; /* the whole word; at == NULL: any */
	struct bytes path;       /* is in it */
	struct bytes id;         /* the start of one, letters in any case */
	struct bytes ja4;        /* the start of one */
	struct bytes q;          /* is in host, path, query, reason, user agent or a rule's number, in any case */
	struct ip_net net; bool has_net;
	uint64_t as; bool has_as;
	uint64_t status;         /* 0: any */
	uint64_t from_ms, to_ms; /* from <= time < to; 0: no bound */
	int64_t before;          /* newest first, rows below that number; 0: from the newest */
	int64_t behind; bool is_behind; /* in place of it: oldest first, rows above that number */
	size_t limit;
};

struct archive_row { int64_t number; struct bytes json; };
struct archive_page {
	const struct archive_row *rows; size_t n;
	int64_t next;            /* `before`, or `behind`, of the next page; 0: there is none */
	bool failed;             /* the file could not be read */
};
/* On `loop`; the page lives while `done` runs, what `ask` points to must until then. False: not asked, and not called. */
typedef void archive_listed(void *owner, const struct archive_page *);
bool archive_list(struct archive *, const struct archive_ask *, struct loop *, archive_listed *done, void *owner);

/* What the events that `ask` names have in common: the `limit` most frequent. `by`: as in archive_top.c. */
struct archive_top {
	const struct tally_entry *at; size_t n; /* tally.h */
	bool partial;            /* its time was over: the newest only */
	bool failed;
};
typedef void archive_topped(void *owner, const struct archive_top *);
bool archive_top(struct archive *, struct bytes by, const struct archive_ask *, struct loop *, archive_topped *done, void *owner);

/* One event with all that is kept of it, as `GET /events/{id}` gives it; `id` is whole. An empty `json`: there is none. */
typedef void archive_found(void *owner, struct bytes json);
bool archive_find(struct archive *, struct bytes id, struct loop *, archive_found *done, void *owner);
#endif
