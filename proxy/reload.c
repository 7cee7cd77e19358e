/* reload.c -- from a changed file to what is served by, with nothing dropped.
 *
 * A reload is built on a thread of its own (it may resolve names and compile
 * rules) and swapped in on the control thread: sockets bound, workers switched,
 * listeners opened, the old site let go. On any failure the old one stays. */
#include "base/clock.h"
#include "base/json_out.h"
#include "base/log.h"
#include "proxy/behaviour.h"
#include "proxy/change.h"
#include <poll.h>
#include <pthread.h>
#include <time.h>
#include <unistd.h>

enum { NO_MEMORY_MS = 100 };

/* ---- listening ---- */

/* Does the site listen where the other one (NULL: none) did not? */
static bool is_new(const struct listen *l, const struct site *old)
{
	return !old || !site_listen(old, l->config->bind);
}

static void sockets_drop(struct gate *g, const struct listen *l, const int *fds)
{
	for (unsigned i = 0; i < g->nworkers; i++)
		close(fds[i]);
	handover_drop(g->supervisor, l->config);
}

/* Sockets for what is new, a row of `fds` each; on failure none is left. */
static bool sockets_bind(struct gate *g, const struct site *old, const struct site *new, int (*fds)[SOCKETS_MAX],
			 struct err *err)
{
	for (size_t i = 0; i < new->nlistens; i++) {
		const struct listen_config *l = new->listens[i].config;

		if (!is_new(&new->listens[i], old) || handover_bind(g->supervisor, l, g->nworkers, fds[i], err))
			continue;
		while (i-- > 0)
			if (is_new(&new->listens[i], old))
				sockets_drop(g, &new->listens[i], fds[i]);
		return err_at(err, "%s:%u:%u: listen", l->where.file ? l->where.file : "--listen",
			      l->where.line, l->where.column);
	}
	return true;
}

static void sockets_open(struct gate *g, const struct site *old, const struct site *new, int (*fds)[SOCKETS_MAX])
{
	for (size_t i = 0; i < new->nlistens; i++)
		for (unsigned k = 0; is_new(&new->listens[i], old) && k < g->nworkers; k++)
			if (!worker_listen(g->workers[k], new->listens[i].config->bind, fds[i][k]))
				close(fds[i][k]);
}

/* The workers take over `new` before they accept where it is the first to listen. */
bool reload_serve(struct gate *g, const struct site *old, struct site *new, struct err *err)
{
	int (*fds)[SOCKETS_MAX] = calloc(new->nlistens + 1, sizeof *fds);
	bool ok = fds ? sockets_bind(g, old, new, fds, err) : err_set(err, SIDE_SELF, 0, "out of memory");

	for (unsigned i = 0; ok && old && i < g->nworkers; i++)
		worker_switch(g->workers[i], new);
	if (ok)
		sockets_open(g, old, new, fds);
	free(fds);
	return ok;
}

static void listens_close(struct gate *g, const struct site *old, const struct site *new)
{
	for (size_t i = 0; i < old->nlistens; i++) {
		const struct listen_config *l = old->listens[i].config;

		if (!is_new(&old->listens[i], new))
			continue;
		for (unsigned k = 0; k < g->nworkers; k++)
			worker_unlisten(g->workers[k], l->bind);
		handover_drop(g->supervisor, l);
	}
}

/* ---- reload ---- */

struct reload {
	struct gate *gate;
	struct site *site; /* built; NULL: err */
	struct err err;
	struct change *change; /* NULL: of what the files say */
	struct { reload_told *told; void *arg; } askers[16]; /* who waits for the outcome */
	size_t naskers;
	pthread_t thread;
};

static bool reload_apply(struct gate *g, struct site *new, struct err *err)
{
	struct site *old = g->site;

	if (!reload_serve(g, old, new, err))
		return false;
	listens_close(g, old, new);
	agent_stop(g->agent); /* before its configuration goes */
	g->site = new;
	behaviour_spare(&g->shared, new);
	reputation_reload(&g->reputation);
	webhooks_configure(g->shared.webhooks, new->config);
	gate_watch_logs(g);
	health_stop(g->health);
	g->health = health_start(g->loop, new);
	site_release(old);
	return true;
}

/* By the stream of the API. */
static void reload_tell(struct gate *g)
{
	struct json_out o = json_out(4096);
	char hash[17];

	snprintf(hash, sizeof hash, "%016llx", (unsigned long long)g->site->config->hash);
	out_object(&o, NULL);
	out_str(&o, "hash", hash);
	out_time(&o, "reloaded", g->reloaded_ms);
	if (g->reload_error[0])
		out_str(&o, "error", g->reload_error);
	out_end(&o);
	if (!o.failed)
		admin_tell(g->admin, "config", json_out_bytes(&o));
	json_out_free(&o);
}

/* What is now in force, or is not, for those who watch. */
static void reload_note(struct gate *g, const struct reload *r, bool ok)
{
	uint64_t hash;

	g->reloaded_ms = clock_wall_ms();
	hash = g->site->config->hash;
	metrics_reloaded(g->process.metrics, ok, g->reloaded_ms, hash);
	snprintf(g->reload_error, sizeof g->reload_error, "%s", ok ? "" : r->err.text);
	webhooks_note(g->shared.webhooks, &(struct webhook_note){
		.kind = NOTIFY_RELOAD, .wall_ms = g->reloaded_ms, .behaviour = ok ? BYTES("taken") : BYTES("refused"),
		.detail = ok ? (struct bytes){ 0 } : bytes_of(r->err.text) });
	reload_tell(g);
	if (ok)
		log_info("reloaded %s", g->site->config->file ? g->site->config->file : "");
	else
		log_error("reload refused, the running configuration stays: %s", r->err.text);
}

static void reload_done(void *arg)
{
	struct reload *r = arg;
	struct gate *g = r->gate;
	bool dry = r->change && change_is_dry(r->change), ok;

	pthread_join(r->thread, NULL);
	if (g->stopping)
		err_set(&r->err, SIDE_SELF, 0, "the gate is shutting down");
	ok = r->site && !g->stopping && (dry || reload_apply(g, r->site, &r->err));
	if (r->site && (dry || !ok))
		site_release(r->site);
	g->reload = NULL;
	if (!r->change || (ok && !dry))
		reload_note(g, r, ok);
	if (r->change)
		change_end(r->change, ok, &r->err);
	for (size_t i = 0; i < r->naskers; i++)
		r->askers[i].told(r->askers[i].arg, ok, ok ? "reloaded" : r->err.text);
	free(r);
	if (g->reload_again) {
		g->reload_again = false;
		reload_start(g, NULL, NULL);
	}
}

static void *reload_build(void *arg)
{
	struct reload *r = arg;
	struct gate *g = r->gate;
	struct config *c = r->change ? change_config(r->change, &r->err) : options_config(&g->options, NULL, &r->err);

	if (c)
		r->site = site_build(&g->process, c, &r->err);
	if (r->site && r->change && !change_keep(r->change, r->site, &r->err)) {
		site_release(r->site);
		r->site = NULL;
	}
	arena_thread_end();
	while (!loop_post(g->loop, reload_done, r))
		poll(NULL, 0, NO_MEMORY_MS);
	return NULL;
}

bool reload_end(struct gate *g, unsigned within_ms)
{
	struct timespec by;

	if (!g->reload)
		return true;
	clock_gettime(CLOCK_REALTIME, &by);
	by.tv_sec += within_ms / 1000;
	return pthread_timedjoin_np(g->reload->thread, NULL, &by) == 0;
}

/* NULL: out of memory; nothing is under way. */
static struct reload *reload_begin(struct gate *g, struct change *change)
{
	struct reload *r = calloc(1, sizeof *r);

	if (!r)
		return NULL;
	r->gate = g;
	r->change = change;
	g->reload = r;
	if (pthread_create(&r->thread, NULL, reload_build, r) == 0)
		return r;
	g->reload = NULL;
	free(r);
	return NULL;
}

bool reload_change(struct gate *g, struct change *change)
{
	return reload_begin(g, change) != NULL;
}

void reload_start(struct gate *g, reload_told *told, void *arg)
{
	struct reload *r = g->reload;
	const char *why = NULL;

	if (!g->stopping)
		log_reopen(g->process.log);
	if (g->stopping)
		why = "the gate is shutting down";
	else if (r) /* the file may have changed since that one read it */
		g->reload_again = true;
	else if (!(r = reload_begin(g, NULL)))
		log_error("reload: %s", why = "out of memory");
	if (!why && told && (r->change || r->naskers == nelems(r->askers)))
		why = "a reload is under way";
	if (!told)
		return;
	if (why) {
		told(arg, false, why);
		return;
	}
	r->askers[r->naskers].told = told;
	r->askers[r->naskers++].arg = arg;
}
