/* matcher_soon.c -- who waits for Hyperscan, and the thread that compiles.
 *
 * The line of those who wait is the process's, for one thread compiles for all
 * sites, and a site may be gone before its turn comes. Everything in it belongs to
 * the lock; of a matcher only `fast` and `readers` are touched by those who scan.
 *
 * Words are freed when the database is there: who scans by them counts himself in
 * before he looks for a database, so nobody can begin to use words after the
 * thread has seen no reader behind it. */
#include "base/matcher_soon.h"
#include "base/log.h"
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum {
	NICE = 10,        /* a busy gate still leaves it a tenth of a core */
	LOOK_NS = 1000000, /* between looks whether somebody still scans */
	PATIENCE_S = 3     /* of a process that ends */
};

struct matcher {
	struct matcher *_Atomic fast; /* matcher_hs's; NULL: not yet */
	struct matcher *words;        /* matcher_words's; NULL: not needed, or no more */
	atomic_uint readers;          /* of words */
	/* What is to be compiled; of the line from here on. */
	struct pattern *patterns;
	size_t n;
	char *texts, *cache_dir;
	struct matcher *next;
	bool dropped; /* freed while it was being compiled */
};

static struct {
	pthread_mutex_t lock;
	pthread_cond_t rests;   /* nothing is being compiled, and nobody waits */
	struct matcher *first, *now;
	bool runs, known;       /* there is a thread; exit() knows of it */
} line = { .lock = PTHREAD_MUTEX_INITIALIZER, .rests = PTHREAD_COND_INITIALIZER };

static atomic_ullong refused;

static void order_free(struct matcher *m)
{
	free(m->patterns);
	free(m->texts);
	free(m->cache_dir);
	m->patterns = NULL;
	m->texts = m->cache_dir = NULL;
}

static void matcher_end(struct matcher *m)
{
	order_free(m);
	matcher_hs.free(atomic_load(&m->fast));
	matcher_words.free(m->words);
	free(m);
}

/* ---- the thread ---- */

static void words_end(struct matcher *m)
{
	static const struct timespec look = { .tv_nsec = LOOK_NS };

	while (atomic_load(&m->readers))
		nanosleep(&look, NULL);
	matcher_words.free(m->words);
	m->words = NULL;
}

static void compile_one(struct matcher *m)
{
	struct err e = { 0 };
	struct matcher *fast = matcher_hs.compile(m->patterns, m->n, m->cache_dir, &e);

	if (!fast) {
		atomic_fetch_add(&refused, 1);
		log_warn("rules: a database of %zu words cannot be compiled: %s; they are looked for the slow way", m->n, e.text);
		return;
	}
	atomic_store(&m->fast, fast);
	words_end(m);
}

/* The first in line, which is then `now`; NULL: none. Under the lock. */
static struct matcher *take(void)
{
	struct matcher *m = line.first;

	line.now = m;
	if (m)
		line.first = m->next;
	return m;
}

static void *compile_all(void *unused)
{
	struct matcher *m;

	(void)unused;
	setpriority(PRIO_PROCESS, 0, NICE); /* on Linux: this thread's */
	pthread_mutex_lock(&line.lock);
	while ((m = take())) {
		pthread_mutex_unlock(&line.lock);
		compile_one(m);
		order_free(m);
		pthread_mutex_lock(&line.lock);
		if (m->dropped)
			matcher_end(m);
	}
	arena_thread_end();
	line.runs = false;
	pthread_cond_broadcast(&line.rests);
	pthread_mutex_unlock(&line.lock);
	return NULL;
}

void matcher_soon_wait(void)
{
	pthread_mutex_lock(&line.lock);
	while (line.runs)
		pthread_cond_wait(&line.rests, &line.lock);
	pthread_mutex_unlock(&line.lock);
}

size_t matcher_soon_due(void)
{
	size_t n = 0;

	pthread_mutex_lock(&line.lock);
	n = line.now != NULL;
	for (const struct matcher *m = line.first; m; m = m->next)
		n++;
	pthread_mutex_unlock(&line.lock);
	return n;
}

/* What waits is left as it is; what is being compiled ends before Hyperscan's own memory does. On a busy machine
 * a thread of low priority may take too long for that: then the process goes without tidying up. */
static void at_exit(int status, void *unused)
{
	struct timespec until;
	int late = 0;

	(void)unused;
	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	pthread_mutex_lock(&line.lock);
	line.first = NULL;
	while (line.runs && !late)
		late = pthread_cond_timedwait(&line.rests, &line.lock, &until);
	pthread_mutex_unlock(&line.lock);
	if (late) {
		fflush(NULL);
		_exit(status);
	}
}

uint64_t matcher_soon_refused(void)
{
	return atomic_load(&refused);
}

/* Signals are for the control thread. Under the lock. */
static bool thread_start(void)
{
	sigset_t all, before;
	pthread_attr_t detached;
	pthread_t thread;

	if (!line.known && on_exit(at_exit, NULL) != 0)
		return false;
	line.known = true;
	if (pthread_attr_init(&detached) != 0)
		return false;
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	line.runs = pthread_create(&thread, &detached, compile_all, NULL) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&detached);
	return line.runs;
}

/* False: there is no thread, and it is not in line. */
static bool stand_in_line(struct matcher *m)
{
	struct matcher **at = &line.first;
	bool ok;

	pthread_mutex_lock(&line.lock);
	while (*at)
		at = &(*at)->next;
	*at = m;
	ok = line.runs || thread_start();
	if (!ok)
		*at = NULL;
	pthread_mutex_unlock(&line.lock);
	return ok;
}

/* ---- the kind ---- */

/* The caller's patterns do not outlive the call. */
static bool order_copy(struct matcher *m, const struct pattern *p, size_t n, const char *cache_dir)
{
	size_t bytes = 0, at = 0;

	for (size_t i = 0; i < n; i++)
		bytes += p[i].text.len;
	m->n = n;
	m->patterns = calloc(n + 1, sizeof *m->patterns);
	m->texts = malloc(bytes + 1);
	m->cache_dir = cache_dir ? strdup(cache_dir) : NULL;
	if (!m->patterns || !m->texts || (cache_dir && !m->cache_dir))
		return false;
	for (size_t i = 0; i < n; i++) {
		m->patterns[i] = p[i];
		m->patterns[i].text.at = memcpy(m->texts + at, p[i].text.at, p[i].text.len);
		at += p[i].text.len;
	}
	return true;
}

static bool begin(struct matcher *m, const struct pattern *p, size_t n, const char *cache_dir, struct err *e)
{
	struct err ignored = { 0 };
	struct matcher *fast = matcher_hs_cached(p, n, cache_dir);

	if (!fast && n && (m->words = matcher_words.compile(p, n, NULL, &ignored)) && order_copy(m, p, n, cache_dir) &&
	    stand_in_line(m))
		return true;
	if (!fast)
		fast = matcher_hs.compile(p, n, cache_dir, e);
	matcher_words.free(m->words);
	m->words = NULL;
	order_free(m);
	atomic_store(&m->fast, fast);
	return fast != NULL;
}

static struct matcher *soon_compile(const struct pattern *p, size_t n, const char *cache_dir, struct err *e)
{
	struct matcher *m = calloc(1, sizeof *m);

	if (m && begin(m, p, n, cache_dir, e))
		return m;
	if (!m)
		err_set(e, SIDE_SELF, -1, "out of memory while compiling patterns");
	free(m);
	return NULL;
}

static bool soon_scan(const struct matcher *m, struct matcher_scratch *s, struct bytes in, matcher_hit *hit, void *ctx)
{
	atomic_uint *readers = (atomic_uint *)(uintptr_t)&m->readers; /* a count is no change of the matcher */
	struct matcher *fast = atomic_load_explicit(&m->fast, memory_order_acquire);
	bool ok;

	if (fast)
		return matcher_hs.scan(fast, s, in, hit, ctx);
	atomic_fetch_add(readers, 1);
	fast = atomic_load(&m->fast);
	ok = fast ? matcher_hs.scan(fast, s, in, hit, ctx) : matcher_words.scan(m->words, s, in, hit, ctx);
	atomic_fetch_sub(readers, 1);
	return ok;
}

static void soon_free(struct matcher *m)
{
	struct matcher **at = &line.first;
	bool busy;

	if (!m)
		return;
	pthread_mutex_lock(&line.lock);
	while (*at && *at != m)
		at = &(*at)->next;
	if (*at)
		*at = m->next;
	busy = m->dropped = line.now == m; /* the thread frees it */
	pthread_mutex_unlock(&line.lock);
	if (!busy)
		matcher_end(m);
}

const struct matcher_kind matcher_soon = { "soon", soon_compile, soon_scan, soon_free };
