/* lists_parts.h -- what the files of the lists share; nobody else includes it.
 *
 *   lists.c       opened, asked, closed
 *   lists_config.c  the configured lists, and others in their place
 *   lists_turn.c  when a list is read again, and what becomes of what was read
 *   lists_read.c  one reading of one list: from a file or a URL to a set
 *   lists_set.c   the set, and what is left out of it
 *   lists_keep.c  what is kept in the state directory
 *
 * All of it happens on the lists' own thread and loop, but for lists_open() before that thread runs, lists_find() and
 * lists_status(). */
#ifndef CTI_LISTS_PARTS_H
#define CTI_LISTS_PARTS_H
#include "base/loop.h"
#include "base/tls.h"
#include "cti/lists.h"
#include "cti/netset.h"
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { LIST_MARK_MAX = 256, LIST_PATH_MAX = 4096 };

/* ---- the set ---- */

struct list_set {
	const struct list_config *c;   /* while it is built */
	struct netset *nets;
	size_t entries, skipped, left_out;
	char left_out_first[64];
};
struct list_set *list_set_new(const struct list_config *); /* NULL: out of memory */
void list_set_free(struct list_set *);                     /* NULL is allowed */
bool list_set_take(void *set, const struct list_record *, struct err *); /* a list_take */

/* ---- what is kept ---- */

/* What is known of the content that is held. */
struct list_mark {
	char etag[LIST_MARK_MAX], modified[LIST_MARK_MAX]; /* "" : the server told none */
	uint64_t read_ms, confirmed_ms;
	struct timespec mtime; uint64_t size, inode;       /* of a file */
};
struct list_keep {
	const char *dir;               /* NULL: nothing is kept */
	struct bytes name, url;
};
bool list_keep_ready(const char *dir, struct err *);       /* makes it, and removes what a crash left there */
int list_keep_open(const struct list_keep *);              /* what is kept, for reading; -1: nothing */
bool list_keep_mark(const struct list_keep *, struct list_mark *); /* false: there is none, or of another URL */
int list_keep_begin(const struct list_keep *);             /* a new one; -1: errno */
bool list_keep_end(const struct list_keep *, int fd, bool good); /* good: it takes the place of the old. Closes. */
bool list_keep_save(const struct list_keep *, const struct list_mark *);

/* ---- a reading ---- */

struct list;
struct list_reading {
	struct list *of;
	bool kept;                     /* from the state directory */
	int in, out;                   /* read from; kept in. -1: none */
	uint64_t bytes;
	struct list_reader *reader;
	struct tls_sha256 *sum;
	struct fetch *fetch;
	struct list_set *set;          /* until it is taken */
	struct list_mark mark;
	bool unchanged;                /* the server says so */
	struct err err;                /* side 0: none */
	bool posted, dropped;
};
/* Ends in list_turn_done(), later; NULL: it cannot begin, err. */
struct list_reading *list_reading_fetch(struct list *, struct err *);
struct list_reading *list_reading_file(struct list *, struct err *);
/* The same at once, without the loop; kept: of what is kept. */
void list_reading_now(struct list *, bool kept);
void list_reading_drop(struct list_reading *); /* NULL is allowed */

/* ---- lists ---- */

struct list {
	struct list_config c;
	struct lists *lists;
	struct list_keep keep;
	struct list_set *held;         /* NULL: nothing */
	struct list_mark mark;         /* of it */
	struct list_reading *reading;
	struct deadline due;
	unsigned failures;             /* in a row */
	char trouble[160];
};

/* What readers see, replaced whole. */
struct list_seen {
	char name[LISTS_NAME_MAX + 1];
	enum remedy_kind act;
	unsigned level;
	bool hearsay;
	uint64_t made_ms, until_ms;
	const struct netset *nets;
};
struct lists_view {
	size_t n;
	struct list_seen at[];
};

struct lists {
	struct loop *loop, *outside;   /* its own; where `closed` is told */
	struct fetcher *fetcher;
	char dir[LIST_PATH_MAX];       /* "" : nothing is kept */
	struct arena *configs;
	struct list **at;
	size_t n;
	_Atomic(struct lists_view *) view; /* read under RCU */
	pthread_t thread;
	void (*closed)(void *);
	void *closed_ctx;
	pthread_mutex_t lock;          /* of what follows */
	struct list_status *told;
	size_t ntold;
};

/* Configured lists; of them `at` and what each points to. */
struct lists_config {
	struct lists *lists;
	struct arena *arena;
	struct list **at;
	struct list_status *told;
	size_t n;
};
struct lists_config *lists_config_new(struct lists *, const struct list_config *, size_t n, struct err *);
void lists_config_take(struct lists *, struct lists_config *); /* they take the place of the old; all is read that is new */
void lists_config_free(struct lists_config *); /* NULL is allowed */
void lists_config_end(struct lists_config *);  /* what is in it */

bool lists_publish(struct lists *);    /* after it, no reader sees the old. False: out of memory, all do */
void lists_tell(struct lists *);       /* status */
void list_turn_begin(struct list *);   /* arms its clock */
void list_turn_now(void *list);        /* it is looked at */
/* Takes what was read, or says why not; the reading is gone. */
void list_turn_done(struct list_reading *);
#endif
