/* store.c -- a queue, a thread, and SQLite.
 *
 * A transaction costs a write to the disk, whatever is in it; so all jobs that wait share one, for a quarter of a second at
 * most: until it ends another process waits. Where it cannot be begun the jobs run all the same, for reading needs none. */
#include "base/store.h"
#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { VERSION = 1, BUSY_MS = 10000, TOGETHER_MS = 250, PATH_BYTES = 512, AGAIN_US = 10000, CHECK_MAX_BYTES = 64 << 20 };

struct job {
	struct job *next;
	void (*run)(sqlite3 *, void *);
	struct loop *loop;
	void (*done)(void *);
	void *arg;
};

struct jobs {
	struct job *first, **last;
};

struct store {
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t some;
	struct jobs waiting;
	size_t nwaiting;
	bool ending, in_trouble; /* in_trouble: said so already */
	sqlite3 *db;
	char path[PATH_BYTES];
	atomic_ullong jobs, failed, refused, bytes;
};

/* ---- the file ---- */

/* One value of one row; false: err says what SQLite says. */
static bool ask(sqlite3 *db, const char *sql, int64_t *number, char *word, size_t cap)
{
	sqlite3_stmt *s = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(s);
	if (rc == SQLITE_ROW && number)
		*number = sqlite3_column_int64(s, 0);
	if (rc == SQLITE_ROW && word)
		snprintf(word, cap, "%s", (const char *)sqlite3_column_text(s, 0));
	sqlite3_finalize(s);
	return rc == SQLITE_ROW || rc == SQLITE_DONE;
}

static bool is_damage(int rc)
{
	return rc == SQLITE_CORRUPT || rc == SQLITE_NOTADB;
}

/* To read a GiB at every start takes a second and more. So a large file is checked from end to end only where a process met
 * damage in it, and left this mark. */
static void suspect_path(const struct store *st, char path[PATH_BYTES + 16])
{
	snprintf(path, PATH_BYTES + 16, "%s.suspect", st->path);
}

static void suspect(const struct store *st)
{
	char path[PATH_BYTES + 16];
	int fd;

	suspect_path(st, path);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0)
		close(fd);
}

static bool is_suspect(const struct store *st)
{
	char path[PATH_BYTES + 16];

	suspect_path(st, path);
	return access(path, F_OK) == 0;
}

static void clear_suspect(const struct store *st)
{
	char path[PATH_BYTES + 16];

	suspect_path(st, path);
	unlink(path);
}

/* Which check; each gives "ok", or what is wrong. */
static const char *check_of(const struct store *st)
{
	struct stat s;

	if (stat(st->path, &s) == 0 && s.st_size > CHECK_MAX_BYTES && !is_suspect(st))
		return "SELECT 'ok' FROM (SELECT count(*) FROM sqlite_schema)";
	return "PRAGMA quick_check(1)";
}

/* Pages of 16 KiB, in files that are new: reading a table from end to end takes a fourth of the time that SQLite's own size does,
 * and appending to it a third. False: *damaged says whether another file would do. */
static bool open_file(struct store *st, bool *damaged, struct err *e)
{
	int fd = open(st->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* SQLite's own files take its mode */
	int64_t version = 0;
	char word[64] = "ok";

	*damaged = false;
	if (fd < 0)
		return err_set(e, SIDE_CONFIG, errno, "%s: %s", st->path, strerror(errno));
	close(fd);
	if (sqlite3_open_v2(st->path, &st->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK) {
		sqlite3_busy_timeout(st->db, BUSY_MS);
		if (ask(st->db, check_of(st), NULL, word, sizeof word) && strcmp(word, "ok") == 0 &&
		    ask(st->db, "PRAGMA page_size = 16384", NULL, NULL, 0) &&
		    ask(st->db, "PRAGMA journal_mode = WAL", NULL, NULL, 0) &&
		    ask(st->db, "PRAGMA synchronous = NORMAL", NULL, NULL, 0) &&
		    ask(st->db, "PRAGMA journal_size_limit = 16777216", NULL, NULL, 0) &&
		    ask(st->db, "PRAGMA user_version", &version, NULL, 0)) {
			if (version > VERSION)
				return err_set(e, SIDE_CONFIG, 0, "%s: was made by a later version", st->path);
			clear_suspect(st);
			if (version == VERSION || ask(st->db, "PRAGMA user_version = 1", NULL, NULL, 0))
				return true;
		}
	}
	*damaged = strcmp(word, "ok") != 0 || is_damage(sqlite3_errcode(st->db));
	return err_set(e, SIDE_CONFIG, 0, "%s: %s", st->path, strcmp(word, "ok") != 0 ? word : sqlite3_errmsg(st->db));
}

static void close_file(struct store *st)
{
	sqlite3_close_v2(st->db);
	st->db = NULL;
}

static bool put_aside(struct store *st, struct err *e)
{
	static const char *const parts[] = { "", "-wal", "-shm" };
	char from[PATH_BYTES + 16], to[PATH_BYTES + 32];

	log_error("%s; it is kept as %s.damaged, and another is begun", e->text, st->path);
	for (size_t i = 0; i < nelems(parts); i++) {
		snprintf(from, sizeof from, "%s%s", st->path, parts[i]);
		snprintf(to, sizeof to, "%s.damaged%s", st->path, parts[i]);
		if (rename(from, to) != 0 && i == 0)
			return err_set(e, SIDE_CONFIG, errno, "%s: %s", from, strerror(errno));
	}
	return true;
}

static bool open_or_begin(struct store *st, struct err *e)
{
	bool damaged;
	struct err why = { 0 };

	if (open_file(st, &damaged, &why))
		return true;
	close_file(st);
	if (damaged && put_aside(st, &why) && open_file(st, &damaged, &why))
		return true;
	close_file(st);
	return err_set(e, why.side, why.code, "%s", why.text);
}

/* ---- the thread ---- */

static void trouble(struct store *st, const char *what)
{
	atomic_fetch_add_explicit(&st->failed, 1, memory_order_relaxed);
	if (is_damage(sqlite3_errcode(st->db)))
		suspect(st);
	if (!st->in_trouble)
		log_error("%s: %s: %s", st->path, what, sqlite3_errmsg(st->db));
	st->in_trouble = true;
}

static bool transact(struct store *st, const char *sql)
{
	bool good = sqlite3_exec(st->db, sql, NULL, NULL, NULL) == SQLITE_OK;

	if (!good)
		trouble(st, sql);
	return good;
}

/* Runs some of them in one transaction; the rest is returned. */
static struct job *run_together(struct store *st, struct job *j)
{
	bool begun = transact(st, "BEGIN IMMEDIATE");
	uint64_t until = clock_mono_ms() + TOGETHER_MS;

	do {
		j->run(st->db, j->arg);
		atomic_fetch_add_explicit(&st->jobs, 1, memory_order_relaxed);
		if (begun && sqlite3_get_autocommit(st->db)) {
			trouble(st, "what was written is lost");
			begun = false;
		}
		j = j->next;
	} while (j && clock_mono_ms() < until);
	if (begun && transact(st, "COMMIT"))
		st->in_trouble = false;
	else if (!sqlite3_get_autocommit(st->db))
		sqlite3_exec(st->db, "ROLLBACK", NULL, NULL, NULL);
	return j;
}

/* Without memory to post with it is tried until there is: who asked must hear of it. */
static void tell(struct job *j, const struct job *end)
{
	struct job *next;

	for (; j != end; j = next) {
		next = j->next;
		if (j->done && !j->loop)
			j->done(j->arg);
		while (j->done && j->loop && !loop_post(j->loop, j->done, j->arg))
			usleep(AGAIN_US);
		free(j);
	}
}

static void measure(struct store *st)
{
	struct stat s;

	if (stat(st->path, &s) == 0)
		atomic_store_explicit(&st->bytes, (unsigned long long)s.st_size, memory_order_relaxed);
}

/* All that wait; NULL: the end. */
static struct job *next_jobs(struct store *st)
{
	struct job *j;

	pthread_mutex_lock(&st->lock);
	while (!st->waiting.first && !st->ending)
		pthread_cond_wait(&st->some, &st->lock);
	j = st->waiting.first;
	st->waiting = (struct jobs){ NULL, &st->waiting.first };
	st->nwaiting = 0;
	pthread_mutex_unlock(&st->lock);
	return j;
}

static void *run(void *store)
{
	struct store *st = store;
	struct job *j, *rest;

	while ((j = next_jobs(st))) {
		for (; j; j = rest) {
			rest = run_together(st, j);
			tell(j, rest);
		}
		measure(st);
	}
	arena_thread_end();
	return NULL;
}

/* ---- life ---- */

struct store *store_open(const char *path, struct err *e)
{
	struct store *st = calloc(1, sizeof *st);

	if (!st || strlen(path) >= sizeof st->path) {
		err_set(e, SIDE_CONFIG, 0, st ? "%s: too long a name" : "%s: out of memory", path);
		free(st);
		return NULL;
	}
	memcpy(st->path, path, strlen(path));
	st->waiting.last = &st->waiting.first;
	if (!open_or_begin(st, e)) {
		free(st);
		return NULL;
	}
	measure(st);
	pthread_mutex_init(&st->lock, NULL);
	pthread_cond_init(&st->some, NULL);
	if (pthread_create(&st->thread, NULL, run, st) != 0) {
		err_set(e, SIDE_SELF, 0, "%s: no thread for it", path);
		close_file(st);
		free(st);
		return NULL;
	}
	return st;
}

void store_close(struct store *st)
{
	if (!st)
		return;
	pthread_mutex_lock(&st->lock);
	st->ending = true;
	pthread_cond_signal(&st->some);
	pthread_mutex_unlock(&st->lock);
	pthread_join(st->thread, NULL);
	close_file(st);
	pthread_cond_destroy(&st->some);
	pthread_mutex_destroy(&st->lock);
	free(st);
}

bool store_do(struct store *st, void (*fn)(sqlite3 *, void *), struct loop *l, void (*done)(void *), void *arg)
{
	struct job *j = malloc(sizeof *j);
	bool room;

	if (!j) {
		atomic_fetch_add_explicit(&st->refused, 1, memory_order_relaxed);
		return false;
	}
	*j = (struct job){ NULL, fn, l, done, arg };
	pthread_mutex_lock(&st->lock);
	room = st->nwaiting < STORE_JOBS_MAX;
	if (room) {
		*st->waiting.last = j;
		st->waiting.last = &j->next;
		st->nwaiting++;
		pthread_cond_signal(&st->some);
	}
	pthread_mutex_unlock(&st->lock);
	if (!room) {
		atomic_fetch_add_explicit(&st->refused, 1, memory_order_relaxed);
		free(j);
	}
	return room;
}

/* ---- waiting for a job ---- */

struct waiter {
	void (*run)(sqlite3 *, void *);
	void *arg;
	pthread_mutex_t lock;
	pthread_cond_t over;
	bool is_over;
};

static void run_awaited(sqlite3 *db, void *arg)
{
	struct waiter *w = arg;

	w->run(db, w->arg);
}

static void end_wait(void *arg)
{
	struct waiter *w = arg;

	pthread_mutex_lock(&w->lock);
	w->is_over = true;
	pthread_cond_signal(&w->over);
	pthread_mutex_unlock(&w->lock);
}

bool store_do_now(struct store *st, void (*fn)(sqlite3 *, void *), void *arg)
{
	struct waiter w = { .run = fn, .arg = arg };
	bool taken;

	pthread_mutex_init(&w.lock, NULL);
	pthread_cond_init(&w.over, NULL);
	taken = store_do(st, run_awaited, NULL, end_wait, &w);
	pthread_mutex_lock(&w.lock);
	while (taken && !w.is_over)
		pthread_cond_wait(&w.over, &w.lock);
	pthread_mutex_unlock(&w.lock);
	pthread_cond_destroy(&w.over);
	pthread_mutex_destroy(&w.lock);
	return taken;
}

void store_count(const struct store *st, struct store_counts *out)
{
	*out = (struct store_counts){
		.jobs = atomic_load_explicit(&st->jobs, memory_order_relaxed),
		.failed = atomic_load_explicit(&st->failed, memory_order_relaxed),
		.refused = atomic_load_explicit(&st->refused, memory_order_relaxed),
		.bytes = atomic_load_explicit(&st->bytes, memory_order_relaxed),
	};
}

void store_note_failure(struct store *st)
{
	trouble(st, "a statement failed");
}
