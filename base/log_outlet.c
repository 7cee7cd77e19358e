/* log_outlet.c -- sinks that are emptied by a thread of their own: whatever they wait for holds up no file. */
#include "base/clock.h"
#include "base/log_parts.h"
#include "base/ring.h"
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

enum { SLICE_MS = 50 }; /* of a rest, to see whether there is a hurry */

static void rest(const struct log_remote *r, unsigned ms)
{
	for (unsigned slept = 0; slept < ms && !atomic_load(&r->hurry); slept += SLICE_MS) {
		struct timespec t = { .tv_nsec = SLICE_MS * 1000000L };

		nanosleep(&t, NULL);
	}
}

static void sleep_until_lines(struct log_sink *s)
{
	struct log_remote *r = s->remote;

	atomic_store(&r->sleeper.asleep, true);
	if (ring_is_empty(s->ring) && !atomic_load(&r->hurry))
		while (sem_wait(&r->sleeper.wake) != 0 && errno == EINTR)
			;
	atomic_store(&r->sleeper.asleep, false);
}

/* False: there is a hurry, and it does not go on. */
static bool send_batch(struct log_sink *s)
{
	struct log_remote *r = s->remote;
	bool hurry = atomic_load(&r->hurry);
	unsigned retry_ms = SLICE_MS;
	size_t sent;
	struct bytes lines = { s->batch + s->from, s->to - s->from };

	sent = r->outlet->send(r->ctx, lines, &r->hurry, &retry_ms);
	s->from += sent;
	atomic_store(&r->waiting, s->to - s->from);
	if (sent)
		atomic_store(&r->sent_ms, clock_wall_ms());
	if (s->from < s->to)
		atomic_store(&r->failed_ms, clock_wall_ms());
	log_sink_tell(s);
	if (s->from == s->to)
		return true;
	rest(r, retry_ms);
	return !hurry;
}

static void *empty(void *arg)
{
	struct log_sink *s = arg;
	bool on = true;

	while (on) {
		if (s->from == s->to) {
			s->from = 0;
			s->to = ring_take(s->ring, s->batch, sizeof s->batch);
		}
		if (s->from < s->to)
			on = send_batch(s);
		else if (atomic_load(&s->remote->hurry))
			on = false;
		else
			sleep_until_lines(s);
	}
	atomic_store(&s->remote->ended, true);
	log_wake(log_sleeper_of(s->log));
	return NULL;
}

/* Signals are for the control thread. */
static int thread_start(struct log_sink *s)
{
	sigset_t all, before;
	int failed;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	failed = pthread_create(&s->remote->thread, NULL, empty, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

bool log_remote_start(struct log_sink *s, const struct log_outlet *outlet, void *ctx, struct err *e)
{
	int failed = ENOMEM;

	s->remote = calloc(1, sizeof *s->remote);
	if (s->remote) {
		s->remote->outlet = outlet;
		s->remote->ctx = ctx;
		sem_init(&s->remote->sleeper.wake, 0, 0);
		failed = thread_start(s);
	}
	if (!failed)
		return true;
	free(s->remote);
	s->remote = NULL;
	return err_set(e, SIDE_SELF, failed, "%s: %s", s->name, strerror(failed));
}

void log_remote_hurry(struct log_sink *s)
{
	atomic_store(&s->remote->hurry, true);
	sem_post(&s->remote->sleeper.wake);
}

bool log_remote_join(struct log_sink *s, const struct timespec *by)
{
	struct log_remote *r = s->remote;

	if (by ? pthread_timedjoin_np(r->thread, NULL, by) != 0 : pthread_join(r->thread, NULL) != 0)
		return false;
	r->outlet->free(r->ctx);
	sem_destroy(&r->sleeper.wake);
	free(r);
	s->remote = NULL;
	return true;
}

void log_remote_state(const struct log_sink *s, struct log_remote_state *out)
{
	const struct log_remote *r = s->remote;

	*out = (struct log_remote_state){ 0 };
	if (r)
		*out = (struct log_remote_state){ atomic_load(&r->sent_ms), atomic_load(&r->failed_ms), atomic_load(&r->waiting) };
}
