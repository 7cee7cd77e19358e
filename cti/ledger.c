/* ledger.c -- the file, and the thread that writes it. */
#include "cti/ledger.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/ring.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
	QUEUE_BYTES = 1 << 20,
	ROOM = 256 << 10,            /* read and written at once; holds any line */
	NAME = 4096,
	SMALL_BYTES = 4 << 20,       /* not written anew before it is so long */
	TURN_MS = 2000,              /* how often it is looked whether the other process has written */
	ANEW_MS = 10000,             /* between two attempts to write it anew where something is missing */
	LOCK_MS = 3000,              /* the other process holds it for a turn; one that is stopped is not waited for */
};

struct ledger {
	struct decisions *decisions;
	struct ring *queue;
	sem_t wake;
	pthread_t thread;
	atomic_bool woken, stop;
	atomic_ullong dropped;
	atomic_ullong read, broken, failed;
	/* of the thread, and of ledger_open() before it */
	int fd;
	uint64_t at;                 /* read, or written, up to here */
	uint64_t first_bytes;        /* when it was last written anew */
	bool overtaken;              /* another process has written it anew, and will from now on */
	bool lacking;                /* something is missing in the file */
	uint64_t seen_dropped, tried_ms;
	char file[NAME], fresh[NAME + 8];
	char room[ROOM];
};

/* ---- telling it: any thread, under a lock of the decisions ---- */

static void tell(struct ledger *l, const struct ledger_line *line)
{
	char room[LEDGER_LINE_MAX + 1];
	struct text t = text_over(room, sizeof room);
	struct bytes all;

	if (!ledger_write_line(&t, line))
		return;
	text_byte(&t, '\n');
	all = text_bytes(&t);
	if (!ring_put(l->queue, &all, 1))
		atomic_fetch_add(&l->dropped, 1);
	if (!atomic_exchange(&l->woken, true))
		sem_post(&l->wake);
}

/* What is restored was read from the file. */
static void on_held(void *ctx, const struct decision *d, unsigned times, enum decision_from from)
{
	if (from == DECISION_RESTORED)
		return;
	tell(ctx, &(struct ledger_line){ .decision = *d, .times = times });
}

static void on_lifted(void *ctx, const struct decision *d, enum decision_from from)
{
	if (from == DECISION_RESTORED)
		return;
	tell(ctx, &(struct ledger_line){ .lifted = true, .decision = *d });
}

/* ---- reading ---- */

static void take_line(struct ledger *l, struct bytes line, uint64_t now_ms)
{
	char room[LEDGER_LINE_MAX];
	struct ledger_line k;

	if (!ledger_read_line(line, room, &k)) {
		atomic_fetch_add(&l->broken, 1);
		return;
	}
	atomic_fetch_add(&l->read, 1);
	if (k.lifted)
		decisions_forget(l->decisions, &k.decision);
	else if (!decision_is_past(&k.decision, now_ms))
		decisions_restore(l->decisions, &k.decision, k.times);
}

/* Takes whole lines; returns how many bytes those were. One that is longer than the room is none. */
static size_t take_lines(struct ledger *l, size_t have, bool last, uint64_t now_ms)
{
	struct bytes rest = { l->room, have };
	size_t end;

	while ((end = bytes_index(rest, '\n')) != SIZE_MAX) {
		if (end)
			take_line(l, bytes_sub(rest, 0, end), now_ms);
		rest = bytes_from(rest, end + 1);
	}
	if (rest.len && (last || rest.len == ROOM)) {
		atomic_fetch_add(&l->broken, 1);
		rest.len = 0;
	}
	return have - rest.len;
}

/* From where it was read up to, to its end. What is torn there is ended by a newline before more is written. */
static bool follow(struct ledger *l)
{
	uint64_t now_ms = clock_wall_ms();
	size_t have = 0, taken;
	ssize_t n;

	while ((n = pread(l->fd, l->room + have, ROOM - have, (off_t)(l->at + have))) > 0) {
		have += (size_t)n;
		taken = take_lines(l, have, false, now_ms);
		have -= taken;
		l->at += taken;
		memmove(l->room, l->room + taken, have);
	}
	if (n < 0)
		return false;
	if (have) {
		take_lines(l, have, true, now_ms);
		l->at += have;
		l->at += write(l->fd, "\n", 1) == 1;
	}
	return true;
}

/* ---- writing ---- */

static bool write_all(int fd, const char *at, size_t len)
{
	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		at += n;
		len -= (size_t)n;
	}
	return true;
}

/* The first of a row of failures is said, with what it means. */
static void fail(struct ledger *l, const char *file)
{
	if (!l->lacking)
		log_error("%s: %s: a restart would forget decisions", file, strerror(errno));
	l->lacking = true;
	atomic_fetch_add(&l->failed, 1);
}

static void append(struct ledger *l)
{
	size_t n;

	while ((n = ring_take(l->queue, l->room, ROOM))) {
		if (write_all(l->fd, l->room, n)) {
			l->at += n;
			continue;
		}
		fail(l, l->file);
		if (ftruncate(l->fd, (off_t)l->at) != 0) /* half a line is told by its sum */
			l->at = (uint64_t)lseek(l->fd, 0, SEEK_END);
	}
}

struct copying {
	char *text;
	size_t len, cap;
	bool failed;
	uint64_t now_ms;
};

static void copy_one(void *ctx, const struct decision *d, unsigned times)
{
	struct copying *c = ctx;
	struct text t;
	char *grown;

	if (c->failed || decision_is_past(d, c->now_ms))
		return;
	if (c->cap - c->len <= LEDGER_LINE_MAX) {
		if (!(grown = realloc(c->text, c->cap * 2 + ROOM))) {
			c->failed = true;
			return;
		}
		c->text = grown;
		c->cap = c->cap * 2 + ROOM;
	}
	t = text_over(c->text + c->len, LEDGER_LINE_MAX + 1);
	if (!ledger_write_line(&t, &(struct ledger_line){ .decision = *d, .times = times }))
		return;
	text_byte(&t, '\n');
	c->len += t.len;
}

/* A part is gathered in memory: no disk is waited for under its lock. */
static bool copy_all(struct ledger *l, int fd)
{
	struct copying c = { .now_ms = clock_wall_ms() };
	bool ok = true;

	for (size_t part = 0; ok && decisions_part(l->decisions, part, copy_one, &c); part++) {
		ok = !c.failed && write_all(fd, c.text, c.len);
		c.len = 0;
	}
	free(c.text);
	if (c.failed)
		errno = ENOMEM;
	return ok && fdatasync(fd) == 0;
}

/* Whoever has the old one open finds that out by its inode. What is queued meanwhile is appended, and says the same. */
static bool write_anew(struct ledger *l)
{
	int fd = open(l->fresh, O_RDWR | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
	struct stat st;

	l->tried_ms = clock_mono_ms();
	if (fd < 0)
		return false;
	if (!copy_all(l, fd) || fstat(fd, &st) != 0 || flock(fd, LOCK_EX | LOCK_NB) != 0 || rename(l->fresh, l->file) != 0) {
		int why = errno;

		close(fd);
		unlink(l->fresh);
		errno = why;
		return false;
	}
	if (l->fd >= 0)
		close(l->fd); /* with its lock */
	l->fd = fd;
	l->at = l->first_bytes = (uint64_t)st.st_size;
	l->lacking = false;
	return true;
}

/* ---- turns ---- */

/* Not for ever: without it two processes may write over each other's heads, which appending survives. */
static void lock(struct ledger *l)
{
	for (unsigned ms = 0; flock(l->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK && ms < LOCK_MS; ms += 10)
		nanosleep(&(struct timespec){ 0, 10000000 }, NULL);
}

/* The process that was started later has written it anew: it alone does so from now on. */
static void catch_up(struct ledger *l)
{
	struct stat own, there;
	int fd;

	if (fstat(l->fd, &own) != 0 || stat(l->file, &there) != 0 || (own.st_ino == there.st_ino && own.st_dev == there.st_dev))
		return;
	fd = open(l->file, O_RDWR | O_APPEND | O_CLOEXEC);
	if (fd < 0)
		return;
	close(l->fd);
	l->fd = fd;
	l->overtaken = true;
	lock(l);
	l->at = (uint64_t)lseek(fd, 0, SEEK_END);
}

static bool is_due(struct ledger *l)
{
	uint64_t dropped = atomic_load(&l->dropped);

	if (l->overtaken)
		return false;
	l->lacking |= dropped != l->seen_dropped;
	l->seen_dropped = dropped;
	if (l->lacking)
		return atomic_load(&l->stop) || clock_mono_ms() - l->tried_ms >= ANEW_MS;
	return l->at > SMALL_BYTES && l->at > 2 * l->first_bytes;
}

static void turn(struct ledger *l)
{
	lock(l);
	catch_up(l);
	if (!follow(l))
		fail(l, l->file);
	append(l);
	if (is_due(l) && !write_anew(l))
		fail(l, l->fresh);
	flock(l->fd, LOCK_UN);
}

static void *run(void *arg)
{
	struct ledger *l = arg;
	struct timespec until;

	while (!atomic_load(&l->stop)) {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += TURN_MS / 1000;
		while (sem_clockwait(&l->wake, CLOCK_MONOTONIC, &until) != 0 && errno == EINTR)
			;
		atomic_store(&l->woken, false);
		turn(l);
	}
	arena_thread_end();
	return NULL;
}

/* ---- opening ---- */

static void ledger_free(struct ledger *l)
{
	if (!l)
		return;
	if (l->fd >= 0)
		close(l->fd);
	ring_free(l->queue);
	sem_destroy(&l->wake);
	free(l);
}

static bool read_all(struct ledger *l, struct err *err)
{
	uint64_t begun = clock_mono_ms(), broken;

	l->fd = open(l->file, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (l->fd < 0)
		return err_set(err, SIDE_SELF, errno, "%s: %s", l->file, strerror(errno));
	lock(l);
	if (!follow(l) || !write_anew(l))
		return err_set(err, SIDE_SELF, errno, "%s: %s", l->file, strerror(errno));
	flock(l->fd, LOCK_UN);
	broken = atomic_load(&l->broken);
	if (broken)
		log_warn("%s: %llu lines that are none are left out", l->file, (unsigned long long)broken);
	if (decisions_held(l->decisions))
		log_info("%zu decisions of before, in %llu ms", decisions_held(l->decisions),
			 (unsigned long long)(clock_mono_ms() - begun));
	return true;
}

struct ledger *ledger_open(const char *dir, struct decisions *decisions, struct err *err)
{
	struct ledger *l = calloc(1, sizeof *l);

	if (!l || !(l->queue = ring_new(QUEUE_BYTES))) {
		free(l);
		err_set(err, SIDE_SELF, ENOMEM, "out of memory");
		return NULL;
	}
	l->decisions = decisions;
	l->fd = -1;
	sem_init(&l->wake, 0, 0);
	snprintf(l->file, sizeof l->file, "%s/decisions", dir);
	snprintf(l->fresh, sizeof l->fresh, "%s.new", l->file);
	if (!read_all(l, err)) {
		ledger_free(l);
		return NULL;
	}
	if (pthread_create(&l->thread, NULL, run, l) != 0) {
		ledger_free(l);
		err_set(err, SIDE_SELF, 0, "cannot start a thread");
		return NULL;
	}
	if (decisions_watch(decisions, &(struct decisions_watch){ on_held, on_lifted, l }))
		return l;
	ledger_close(l);
	err_set(err, SIDE_SELF, 0, "decisions are watched by too many");
	return NULL;
}

void ledger_close(struct ledger *l)
{
	if (!l)
		return;
	decisions_unwatch(l->decisions, l);
	atomic_store(&l->stop, true);
	sem_post(&l->wake);
	pthread_join(l->thread, NULL);
	turn(l);
	ledger_free(l);
}

void ledger_count(const struct ledger *l, struct ledger_counts *out)
{
	struct ledger *own = (struct ledger *)(uintptr_t)l;

	*out = (struct ledger_counts){ .read = atomic_load(&own->read), .broken = atomic_load(&own->broken),
				       .dropped = atomic_load(&own->dropped), .failed = atomic_load(&own->failed) };
}
