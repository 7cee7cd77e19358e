/* worker.c -- the threads that serve. */
#include "proxy/worker.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/tls.h"
#include "proxy/bots.h"
#include "proxy/client.h"
#include <pthread.h>
#include <unistd.h>

enum {
	GRACE_MS = 2000,
	CLOCK_MS = 500,
	TIMED_EVERY = 256, /* requests: of one of them it is known what each rule and scenario costs */
};

/* One address this worker accepts on. Its name is kept for as long as the
 * process runs: clients name their listener by it. */
struct listening {
	struct listening *next;
	struct worker *worker;
	struct listener *listener; /* NULL: closed */
	struct bytes bind;
};

/* What is handed from the control thread to the worker's own. */
struct order {
	struct worker *worker;
	struct site *site;
	struct bytes bind;
	int fd;
	struct drain drain;
	uint64_t given_us;
};

static bool give(struct worker *w, void (*fn)(void *), struct order order)
{
	struct order *o = malloc(sizeof *o);

	if (!o)
		return false;
	*o = order;
	o->worker = w;
	if (loop_post(w->loop, fn, o))
		return true;
	free(o);
	return false;
}

/* ---- listening ---- */

static void on_accepted(void *ctx, struct stream *s)
{
	struct listening *l = ctx;

	client_accept(l->worker, l->bind, s);
}

/* Descriptors have run out: kept connections to servers go first, then clients. */
static void on_starved(void *ctx)
{
	struct listening *l = ctx;

	if (!pool_close(l->worker))
		client_shed(l->worker);
}

static struct listening *listening_of(struct worker *w, struct bytes bind)
{
	struct listening *l;

	for (l = w->listening; l; l = l->next)
		if (bytes_eq(l->bind, bind))
			return l;
	l = calloc(1, sizeof *l);
	if (!l)
		return NULL;
	*l = (struct listening){ .next = w->listening, .worker = w };
	l->bind = (struct bytes){ strndup(bind.at, bind.len), bind.len };
	w->listening = l;
	return l;
}

static void do_listen(void *arg)
{
	struct order *o = arg;
	struct listening *l = listening_of(o->worker, o->bind);
	struct err err = { 0 };

	if (l && !l->listener) {
		l->listener = listener_open(o->worker->loop, o->fd, on_accepted, l, &err);
		if (l->listener)
			listener_on_starved(l->listener, on_starved);
		else
			log_error("worker %u: %.*s: %s", o->worker->number, BYTES_ARG(o->bind), err.text);
	} else {
		close(o->fd);
	}
	free((char *)(uintptr_t)o->bind.at);
	free(o);
}

bool worker_listen(struct worker *w, struct bytes bind, int fd)
{
	struct bytes copy = { strndup(bind.at, bind.len), bind.len };

	return copy.at && give(w, do_listen, (struct order){ .bind = copy, .fd = fd });
}

static void do_unlisten(void *arg)
{
	struct order *o = arg;
	struct listening *l = listening_of(o->worker, o->bind);

	if (l && l->listener) {
		listener_close(l->listener);
		l->listener = NULL;
	}
	for (struct client *c = o->worker->clients; l && c; c = c->next)
		if (c->bind.at == l->bind.at)
			client_drain(c, GRACE_MS); /* nothing is behind its address any more */
	free((char *)(uintptr_t)o->bind.at);
	free(o);
}

bool worker_unlisten(struct worker *w, struct bytes bind)
{
	struct bytes copy = { strndup(bind.at, bind.len), bind.len };

	return copy.at && give(w, do_unlisten, (struct order){ .bind = copy });
}

/* ---- the site ---- */

static void do_switch(void *arg)
{
	struct order *o = arg;
	struct worker *w = o->worker;
	struct site_use *use = site_use_new(o->site), *old = w->use;

	if (use) {
		w->use = use;
		site_use_drop(old);
	} else {
		log_error("worker %u: out of memory: keeps the old configuration", w->number);
	}
	site_release(o->site);
	free(o);
}

bool worker_switch(struct worker *w, struct site *s)
{
	site_hold(s);
	if (give(w, do_switch, (struct order){ .site = s }))
		return true;
	site_release(s);
	return false;
}

/* ---- the end ---- */

static void check_drained(struct worker *w)
{
	struct drain d = w->drain;

	if (!d.done || w->clients)
		return;
	w->drain = (struct drain){ 0 };
	d.done(d.ctx);
}

void worker_client_gone(struct worker *w)
{
	check_drained(w);
}

static void do_drain(void *arg)
{
	struct order *o = arg;
	struct worker *w = o->worker;

	w->draining = true;
	w->drain = o->drain;
	for (struct listening *l = w->listening; l; l = l->next)
		if (l->listener) {
			listener_close(l->listener);
			l->listener = NULL;
		}
	for (struct client *c = w->clients; c; c = c->next)
		client_drain(c, GRACE_MS);
	free(o);
	check_drained(w);
}

bool worker_drain(struct worker *w, void (*done)(void *), void *ctx)
{
	return give(w, do_drain, (struct order){ .drain = { done, ctx } });
}

static void do_probe(void *arg)
{
	struct order *o = arg;

	metrics_loop_lag(o->worker->shared->process->metrics, o->worker->number,
			 clock_mono_us() - o->given_us);
	free(o);
}

void worker_probe(struct worker *w)
{
	give(w, do_probe, (struct order){ .given_us = clock_mono_us() });
}

static void do_stop(void *arg)
{
	struct order *o = arg;

	loop_stop(o->worker->loop);
	free(o);
}

/* The process is about to end: what is open is cut by its exit. */
void worker_stop(struct worker *w)
{
	if (give(w, do_stop, (struct order){ 0 }))
		pthread_join(w->thread, NULL);
}

/* ---- life ---- */

uint64_t worker_wall_ms(struct worker *w)
{
	uint64_t now = loop_now_ms(w->loop);

	if (now - w->clock_read_ms > CLOCK_MS) {
		w->wall_offset_ms = clock_wall_ms() - now;
		w->clock_read_ms = now;
	}
	return now + w->wall_offset_ms;
}

unsigned long worker_connections_max(const struct worker *w)
{
	unsigned long asked = w->use->site->config->size.connections;

	return asked && asked < w->shared->connections_max ? asked : w->shared->connections_max;
}

struct worker *worker_new(unsigned number, struct shared *shared, struct site *site, struct err *err)
{
	struct worker *w = calloc(1, sizeof *w);
	uint8_t seed[16];

	if (w)
		*w = (struct worker){ .number = number, .shared = shared, .loop = loop_new(),
				      .use = site_use_new(site), .scratch = rules_scratch_new(),
				      .observer = observer_new(), .bots = bots_memo_new() };
	if (!w || !w->loop || !w->use || !w->scratch || !w->observer || !w->bots || !tls_random(seed, sizeof seed)) {
		err_set(err, SIDE_SELF, 0, "out of memory for worker %u", number);
		return NULL;
	}
	rules_scratch_time(w->scratch, TIMED_EVERY);
	observer_time(w->observer, TIMED_EVERY);
	ulid_seed(&w->ids, seed);
	memcpy(w->keys.secret, shared->process->secret, sizeof w->keys.secret);
	w->wall_offset_ms = clock_wall_ms() - loop_now_ms(w->loop);
	w->clock_read_ms = loop_now_ms(w->loop);
	return w;
}

static void *run(void *arg)
{
	struct worker *w = arg;
	char name[16];

	snprintf(name, sizeof name, "worker %u", w->number % 1000);
	pthread_setname_np(pthread_self(), name);
	loop_run(w->loop);
	arena_thread_end();
	return NULL;
}

bool worker_start(struct worker *w)
{
	return pthread_create(&w->thread, NULL, run, w) == 0;
}
