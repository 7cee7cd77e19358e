/* log.c -- the sinks, and the thread that writes them.
 *
 * A sink's ring is filled by any thread; everything else of a sink belongs to
 * the writing thread, but for `users`, which the lock guards. The thread
 * sleeps until a line comes, then waits a little so that the next ones share
 * the write. What cannot be written stays in the batch and is tried again;
 * meanwhile the ring fills and lines are dropped there, in one place. */
#include "base/log_parts.h"
#include "base/clock.h"
#include "base/ring.h"
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	GATHER_MS = 5,
	RETRY_MS = 10,  /* while a pipe is full or a disk refuses */
	TELL_MS = 1000, /* between two words about dropped lines */
};

struct log {
	pthread_t thread;
	pthread_mutex_t lock; /* of the list and of users */
	struct log_sink *sinks;
	struct log_sleeper sleeper;
	_Atomic bool reopen;
	_Atomic uint64_t stop_by_ms; /* 0: not asked to stop */
};

/* --- any thread -------------------------------------------------------- */

void log_wake(struct log_sleeper *s)
{
	if (atomic_load(&s->asleep) && atomic_exchange(&s->asleep, false))
		sem_post(&s->wake);
}

struct log_sleeper *log_sleeper_of(struct log *log)
{
	return &log->sleeper;
}

bool log_line(struct log_sink *s, struct bytes line)
{
	const struct bytes parts[] = { line, BYTES("\n") };

	if (line.len >= LOG_LINE_MAX || !ring_put(s->ring, parts, nelems(parts))) {
		atomic_fetch_add_explicit(&s->dropped, 1, memory_order_relaxed);
		return false;
	}
	atomic_thread_fence(memory_order_seq_cst);
	log_wake(s->remote ? &s->remote->sleeper : &s->log->sleeper);
	return true;
}

uint64_t log_dropped(const struct log_sink *s)
{
	return atomic_load_explicit(&s->dropped, memory_order_relaxed);
}

bool log_is_tty(const struct log_sink *s)
{
	return s->tty;
}

bool log_in_colour(const struct log_sink *s)
{
	return s->tty && !getenv("NO_COLOR");
}

const char *log_name(const struct log_sink *s)
{
	return s->name;
}

void log_reopen(struct log *log)
{
	atomic_store(&log->reopen, true);
	log_wake(&log->sleeper);
}

/* --- opening and closing ----------------------------------------------- */

static int open_file(const char *name)
{
	if (strcmp(name, "-") == 0)
		return STDOUT_FILENO;
	/* O_NONBLOCK: a FIFO that nobody reads fails instead of waiting. */
	return open(name, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0640);
}

static void sink_free(struct log_sink *s)
{
	if (!s)
		return;
	if (s->fd > STDOUT_FILENO)
		close(s->fd);
	ring_free(s->ring);
	free(s->name);
	free(s);
}

static struct log_sink *sink_new(struct log *log, const char *name, struct err *e)
{
	struct log_sink *s = calloc(1, sizeof *s);

	if (s) {
		s->log = log;
		s->users = 1;
		s->fd = -1;
		s->ring = ring_new(LOG_RING_BYTES);
		s->name = strdup(name);
	}
	if (s && s->ring && s->name)
		return s;
	sink_free(s);
	err_set(e, SIDE_SELF, ENOMEM, "%s: out of memory", name);
	return NULL;
}

static struct log_sink *file_new(struct log *log, const char *file, struct err *e)
{
	struct log_sink *s = sink_new(log, file, e);
	struct stat st;

	if (!s)
		return NULL;
	s->fd = open_file(file);
	if (s->fd < 0 || fstat(s->fd, &st) != 0) {
		err_set(e, SIDE_CONFIG, errno, "%s: %s", file, strerror(errno));
		sink_free(s);
		return NULL;
	}
	s->regular = S_ISREG(st.st_mode);
	s->tty = isatty(s->fd);
	return s;
}

static struct log_sink *sink_named(struct log *log, const char *file)
{
	struct log_sink *s = log->sinks;

	/* A remote one that nobody uses is about to end. */
	while (s && (strcmp(s->name, file) != 0 || (s->remote && !s->users)))
		s = s->next;
	return s;
}

static struct log_sink *remote_new(struct log *log, const char *name, const struct log_outlet *outlet, void *ctx, struct err *e)
{
	struct log_sink *s = sink_new(log, name, e);

	if (s && log_remote_start(s, outlet, ctx, e))
		return s;
	sink_free(s);
	outlet->free(ctx);
	return NULL;
}

/* `outlet` NULL: a file. */
static struct log_sink *open_named(struct log *log, const char *name, const struct log_outlet *outlet, void *ctx, struct err *e)
{
	struct log_sink *s;

	pthread_mutex_lock(&log->lock);
	s = sink_named(log, name);
	if (s) {
		s->users++;
		if (outlet)
			outlet->free(ctx);
	} else if ((s = outlet ? remote_new(log, name, outlet, ctx, e) : file_new(log, name, e)) != NULL) {
		s->next = log->sinks;
		log->sinks = s;
	}
	pthread_mutex_unlock(&log->lock);
	return s;
}

struct log_sink *log_open(struct log *log, const char *file, struct err *e)
{
	return open_named(log, file, NULL, NULL, e);
}

struct log_sink *log_open_outlet(struct log *log, const char *name, const struct log_outlet *outlet, void *ctx, struct err *e)
{
	return open_named(log, name, outlet, ctx, e);
}

void log_close(struct log_sink *s)
{
	struct log *log;

	if (!s)
		return;
	log = s->log; /* s may be gone once the lock is */
	pthread_mutex_lock(&log->lock);
	assert(s->users > 0);
	s->users--;
	if (s->remote && !s->users)
		log_remote_hurry(s);
	pthread_mutex_unlock(&log->lock);
	sem_post(&log->sleeper.wake);
}

/* --- the writing thread ------------------------------------------------ */

static struct log_sink *first_sink(struct log *log)
{
	struct log_sink *s;

	pthread_mutex_lock(&log->lock);
	s = log->sinks;
	pthread_mutex_unlock(&log->lock);
	return s; /* only this thread takes sinks out */
}

/* A pipe that polls writable takes PIPE_BUF bytes without waiting. */
static ssize_t write_some(const struct log_sink *s)
{
	struct pollfd out = { .fd = s->fd, .events = POLLOUT };
	size_t n = s->to - s->from;

	if (s->regular)
		return write(s->fd, s->batch + s->from, n);
	if (poll(&out, 1, 0) != 1)
		return -1;
	return write(s->fd, s->batch + s->from, n < PIPE_BUF ? n : PIPE_BUF);
}

/* True when everything there was is written. */
static bool sink_flush(struct log_sink *s)
{
	for (;;) {
		ssize_t n;

		if (s->from == s->to) {
			s->from = 0;
			s->to = ring_take(s->ring, s->batch, sizeof s->batch);
			if (s->to == 0)
				return ring_is_empty(s->ring);
		}
		n = write_some(s);
		if (n <= 0)
			return false;
		s->from += (size_t)n;
	}
}

/* A line that was cut by the trouble before is begun again in the new file. */
static void sink_reopen(struct log_sink *s)
{
	int fd = open_file(s->name);

	if (fd < 0) {
		log_error("%s: not opened anew: %s", s->name, strerror(errno));
		return;
	}
	if (fd == s->fd)
		return;
	while (s->from > 0 && s->batch[s->from - 1] != '\n')
		s->from--;
	close(s->fd);
	s->fd = fd;
}

void log_sink_tell(struct log_sink *s)
{
	uint64_t n = log_dropped(s), now = clock_mono_ms();

	if (n == s->told || (s->told_ms && now - s->told_ms < TELL_MS))
		return;
	log_warn("%s: %llu lines dropped, %llu in all: it takes them too slowly",
		 s->name, (unsigned long long)(n - s->told), (unsigned long long)n);
	s->told = n;
	s->told_ms = now;
}

/* Takes out what nobody uses any more, once it is written. */
static void reap(struct log *log)
{
	struct log_sink *gone = NULL;

	pthread_mutex_lock(&log->lock);
	for (struct log_sink **at = &log->sinks, *s; (s = *at) != NULL;)
		if (s->users == 0 && (s->remote ? atomic_load(&s->remote->ended) : s->from == s->to && ring_is_empty(s->ring))) {
			*at = s->next;
			s->next = gone;
			gone = s;
		} else {
			at = &s->next;
		}
	pthread_mutex_unlock(&log->lock);
	while (gone) {
		struct log_sink *next = gone->next;

		if (gone->remote)
			log_remote_join(gone, NULL);
		sink_free(gone);
		gone = next;
	}
}

static bool write_all(struct log *log)
{
	bool again = atomic_exchange(&log->reopen, false), all = true;

	for (struct log_sink *s = first_sink(log); s; s = s->next) {
		if (s->remote)
			continue;
		all &= sink_flush(s);
		if (again)
			sink_reopen(s);
		log_sink_tell(s);
	}
	reap(log);
	return all;
}

static bool is_work(struct log *log)
{
	if (atomic_load(&log->reopen) || atomic_load(&log->stop_by_ms))
		return true;
	for (struct log_sink *s = first_sink(log); s; s = s->next)
		if (s->remote ? atomic_load(&s->remote->ended) : !ring_is_empty(s->ring))
			return true;
	return false;
}

static void sleep_ms(unsigned ms)
{
	struct timespec t = { .tv_nsec = ms * 1000000L };

	nanosleep(&t, NULL);
}

static void sleep_until_work(struct log *log)
{
	atomic_store(&log->sleeper.asleep, true);
	if (!is_work(log))
		while (sem_wait(&log->sleeper.wake) != 0 && errno == EINTR)
			;
	atomic_store(&log->sleeper.asleep, false);
	sleep_ms(GATHER_MS);
}

static void *write_out(void *arg)
{
	struct log *log = arg;
	uint64_t stop;

	for (;;) {
		bool all = write_all(log);

		stop = atomic_load(&log->stop_by_ms);
		if (stop && (all || clock_mono_ms() >= stop))
			return NULL;
		if (all)
			sleep_until_work(log);
		else
			sleep_ms(RETRY_MS);
	}
}

/* --- birth and death ---------------------------------------------------- */

/* Signals are for the control thread; SIGPIPE is an error like another. */
static int thread_start(struct log *log)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&log->thread, NULL, write_out, log);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

struct log *log_start(struct err *e)
{
	struct log *log = calloc(1, sizeof *log);
	int failed = ENOMEM;

	if (log) {
		pthread_mutex_init(&log->lock, NULL);
		sem_init(&log->sleeper.wake, 0, 0);
		failed = thread_start(log);
	}
	if (!failed)
		return log;
	free(log);
	err_set(e, SIDE_SELF, failed, "log thread: %s", strerror(failed));
	return NULL;
}

void log_stop(struct log *log, unsigned bound_ms)
{
	struct timespec by;

	if (!log)
		return;
	pthread_mutex_lock(&log->lock);
	for (struct log_sink *s = log->sinks; s; s = s->next)
		if (s->remote)
			log_remote_hurry(s);
	pthread_mutex_unlock(&log->lock);
	atomic_store(&log->stop_by_ms, clock_mono_ms() + bound_ms + 1);
	sem_post(&log->sleeper.wake);
	clock_gettime(CLOCK_REALTIME, &by);
	by.tv_sec += 1 + (time_t)(bound_ms / 1000); /* a disk that hangs may hang the thread */
	by.tv_nsec += bound_ms % 1000 * 1000000L;
	if (by.tv_nsec >= 1000000000L) {
		by.tv_sec++;
		by.tv_nsec -= 1000000000L;
	}
	if (pthread_timedjoin_np(log->thread, NULL, &by) != 0)
		return; /* it still uses all this, and the process ends */
	for (struct log_sink *s = log->sinks; s; s = s->next)
		if (s->remote && !log_remote_join(s, &by))
			return; /* likewise */
	for (struct log_sink *s = log->sinks, *next; s; s = next) {
		next = s->next;
		sink_free(s);
	}
	sem_destroy(&log->sleeper.wake);
	pthread_mutex_destroy(&log->lock);
	free(log);
}
