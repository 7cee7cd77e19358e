/* store.h -- a SQLite file, and the thread that alone speaks to it.
 *
 * A job is a function that is run on that thread, in the order of asking; whoever asked is told on its loop. Jobs that come
 * together share a transaction, so a job never begins or ends one; what one of them has written is kept when another fails,
 * but a full disk loses them all, which is counted and logged. The queue is bounded: what it does not take is refused, never
 * waited for. Whoever owns a table makes it by its first job (CREATE TABLE IF NOT EXISTS, PRAGMA user_version is the
 * store's). WAL; a second process, during an upgrade, is waited for. */
#ifndef BASE_STORE_H
#define BASE_STORE_H
#include "base/err.h"
#include "base/loop.h"

struct sqlite3;
struct store;
enum { STORE_JOBS_MAX = 65536 };

/* For its owner's eyes only (0600). A file that is damaged (one of more than 64 MiB is only looked into at the next start
 * after damage was met) is put aside (NAME.damaged) with an error in the log, and another
 * begun. NULL: err. */
struct store *store_open(const char *path, struct err *);
void store_close(struct store *); /* after all jobs; blocks; NULL is allowed */

/* From any thread: `run` on the store's thread; it may read and write, and must not keep the handle. Then `done`
 * on the loop, when what it wrote is on disk or known to be lost; where loop is NULL, on the store's thread. It may be NULL
 * (then `run` frees arg). False: not taken, and neither is called. */
bool store_do(struct store *, void (*run)(struct sqlite3 *, void *arg), struct loop *, void (*done)(void *arg), void *arg);
/* The same, and waits for it: before the loop does, and in tests. */
bool store_do_now(struct store *, void (*run)(struct sqlite3 *, void *arg), void *arg);

struct store_counts { uint64_t jobs, failed, refused, bytes; };
void store_count(const struct store *, struct store_counts *);
void store_note_failure(struct store *); /* by a job whose statement failed */
#endif
