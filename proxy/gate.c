/* gate.c -- the serving child: workers, and the control thread that this is.
 *
 * The control thread takes signals, reloads, answers `ctl` and the admin
 * address, and checks servers; workers serve and never wait for it. A reload is
 * built by a thread of its own (it may resolve names and compile rules), then
 * swapped in here: listeners opened, workers switched, the old site let go. On
 * any failure the old one stays. */
#include "admin/admin.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/tls.h"
#include "demo/shop.h"
#include "proxy/handover.h"
#include "proxy/health.h"
#include "proxy/options.h"
#include "proxy/secret.h"
#include "proxy/worker.h"
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	WORKERS_MAX = 256,
	LIMIT_BUCKETS = 256 << 10,
	FD_RESERVE = 256,     /* descriptors kept for logs, admin, lists */
	FDS_A_CONNECTION = 2, /* a client and a server */
	LOG_STOP_MS = 2000,
	ALIVE_MS = 2000,
};

struct gate {
	struct options options;
	char demo_url[40];
	int supervisor;
	struct loop *loop;
	struct process process;
	struct shared shared;
	struct worker *workers[WORKERS_MAX];
	unsigned nworkers;
	struct site *site;
	struct health *health;
	struct admin *admin;
	struct reload *reload;      /* under way */
	bool reload_again;          /* asked for once more meanwhile */
	uint64_t started_ms, reloaded_ms;
	char reload_error[256];
	struct deadline alive, drain;
	struct arena *status_arena;
	atomic_uint undrained;
	bool stopping;
};

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
static bool sockets_bind(struct gate *g, const struct site *old, const struct site *new, int (*fds)[WORKERS_MAX],
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

static void sockets_open(struct gate *g, const struct site *old, const struct site *new, int (*fds)[WORKERS_MAX])
{
	for (size_t i = 0; i < new->nlistens; i++)
		for (unsigned k = 0; is_new(&new->listens[i], old) && k < g->nworkers; k++)
			if (!worker_listen(g->workers[k], new->listens[i].config->bind, fds[i][k]))
				close(fds[i][k]);
}

/* The workers take over `new` before they accept where it is the first to listen. */
static bool site_serve(struct gate *g, const struct site *old, struct site *new, struct err *err)
{
	int (*fds)[WORKERS_MAX] = calloc(new->nlistens + 1, sizeof *fds);
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
	struct admin_answer *answers[16]; /* who waits for the outcome */
	size_t nanswers;
	pthread_t thread;
};

static void reload_start(struct gate *, struct admin_answer *);

static bool reload_apply(struct gate *g, struct site *new, struct err *err)
{
	struct site *old = g->site;

	if (!site_serve(g, old, new, err))
		return false;
	listens_close(g, old, new);
	g->site = new;
	health_stop(g->health);
	g->health = health_start(g->loop, new);
	site_release(old);
	return true;
}

static void reload_done(void *arg)
{
	struct reload *r = arg;
	struct gate *g = r->gate;
	uint64_t hash = 0;
	bool ok;

	pthread_join(r->thread, NULL);
	ok = r->site && reload_apply(g, r->site, &r->err);
	if (r->site && !ok)
		site_release(r->site);
	g->reload = NULL;
	g->reloaded_ms = clock_wall_ms();
	hash = g->site->config->hash;
	metrics_reloaded(g->process.metrics, ok, g->reloaded_ms, hash);
	snprintf(g->reload_error, sizeof g->reload_error, "%s", ok ? "" : r->err.text);
	if (ok)
		log_info("reloaded %s", g->site->config->file ? g->site->config->file : "");
	else
		log_error("reload refused, the running configuration stays: %s", r->err.text);
	for (size_t i = 0; i < r->nanswers; i++)
		admin_answer(r->answers[i], ok, ok ? "reloaded" : r->err.text);
	free(r);
	if (g->reload_again) {
		g->reload_again = false;
		reload_start(g, NULL);
	}
}

static void *reload_build(void *arg)
{
	struct reload *r = arg;
	struct gate *g = r->gate;
	struct config *c = options_config(&g->options, &r->err);

	if (c)
		r->site = site_build(&g->process, c, &r->err);
	arena_thread_end();
	loop_post(g->loop, reload_done, r);
	return NULL;
}

static void reload_start(struct gate *g, struct admin_answer *asker)
{
	struct reload *r = g->reload;

	if (g->stopping) {
		if (asker)
			admin_answer(asker, false, "the gate is shutting down");
		return;
	}
	log_reopen(g->process.log);
	if (r) { /* the file may have changed since that one read it */
		g->reload_again = true;
		if (asker && r->nanswers < nelems(r->answers))
			r->answers[r->nanswers++] = asker;
		else if (asker)
			admin_answer(asker, false, "a reload is under way");
		return;
	}
	r = calloc(1, sizeof *r);
	if (r) {
		r->gate = g;
		g->reload = r;
		if (asker)
			r->answers[r->nanswers++] = asker;
	}
	if (!r || pthread_create(&r->thread, NULL, reload_build, r) != 0) {
		log_error("reload: out of memory");
		if (asker)
			admin_answer(asker, false, "out of memory");
		g->reload = NULL;
		free(r);
	}
}

static void on_hup(void *arg)
{
	reload_start(arg, NULL);
}

static void on_usr1(void *arg)
{
	struct gate *g = arg;

	log_reopen(g->process.log);
}

/* ---- the end ---- */

static void on_drain_over(void *arg)
{
	struct gate *g = arg;

	loop_stop(g->loop);
}

/* On a worker's thread. */
static void on_worker_drained(void *ctx)
{
	struct gate *g = ctx;

	if (atomic_fetch_sub(&g->undrained, 1) == 1)
		loop_post(g->loop, on_drain_over, g);
}

static void on_term(void *arg)
{
	struct gate *g = arg;

	if (g->stopping)
		return;
	g->stopping = true;
	log_info("draining: what is in flight completes, at most %u s",
		 g->site->config->timeouts.drain_ms / 1000);
	atomic_store(&g->shared.draining, true);
	atomic_store(&g->undrained, g->nworkers);
	deadline_set(g->loop, &g->drain, g->site->config->timeouts.drain_ms, on_drain_over, g);
	for (unsigned i = 0; i < g->nworkers; i++)
		worker_drain(g->workers[i], on_worker_drained, g);
}

/* ---- what the admin folder may ask ---- */

static const char *const modes[] = { [WAF_BLOCK] = "block", [WAF_DETECT] = "detect", [WAF_OFF] = "off" };

static void app_status(struct arena *a, const struct app *app, struct admin_app *out)
{
	struct admin_server *servers = arena_get(a, (app->upstream.n + 1) * sizeof *servers);

	*out = (struct admin_app){ .name = app->config->name, .mode = modes[app_mode(app)],
				   .rules = app->rules ? ruleset_count(app->rules) : 0,
				   .servers = servers, .nservers = servers ? app->upstream.n : 0 };
	for (unsigned i = 0; servers && i < app->upstream.n; i++) {
		const struct server *s = app->upstream.backends[i].server;

		servers[i] = (struct admin_server){ bytes_of(s->name), server_is_up(s, clock_mono_ms()),
						    atomic_load(&s->inflight) };
	}
}

static void hook_status(void *ctx, struct arena *a, struct admin_status *out)
{
	struct gate *g = ctx;
	const struct site *s = g->site;
	struct admin_app *apps = arena_get(a, (s->napps + 1) * sizeof *apps);
	struct bytes *listeners = arena_get(a, (s->nlistens + 1) * sizeof *listeners);

	*out = (struct admin_status){
		.started_ms = g->started_ms, .reloaded_ms = g->reloaded_ms, .pid = (unsigned)getpid(),
		.workers = g->nworkers, .config = s->config->file ? s->config->file : "command line",
		.config_hash = s->config->hash, .reload_error = bytes_of(g->reload_error),
		.draining = atomic_load(&g->shared.draining),
	};
	metrics_totals(g->process.metrics, &out->connections, &out->requests);
	for (size_t i = 0; apps && i < s->napps; i++)
		app_status(a, &s->apps[i], &apps[i]);
	for (size_t i = 0; listeners && i < s->nlistens; i++)
		listeners[i] = s->listens[i].config->bind;
	out->apps = apps;
	out->napps = apps ? s->napps : 0;
	out->listeners = listeners;
	out->nlisteners = listeners ? s->nlistens : 0;
}

static void hook_reload(void *ctx, struct admin_answer *asker)
{
	reload_start(ctx, asker);
}

static bool hook_mode(void *ctx, struct bytes name, struct bytes mode, struct err *err)
{
	struct gate *g = ctx;
	const struct app *app = site_app(g->site, name);

	if (!app)
		return err_set(err, SIDE_CLIENT, 404, "no app '%.*s'", BYTES_ARG(name));
	for (size_t i = 0; i < nelems(modes); i++)
		if (bytes_eq(mode, bytes_of(modes[i]))) {
			atomic_store(&app->state->mode, (int)i);
			log_warn("app %.*s: mode %s, by ctl", BYTES_ARG(name), modes[i]);
			return true;
		}
	return err_set(err, SIDE_CLIENT, 400, "'%.*s' is no mode: block, detect or off", BYTES_ARG(mode));
}

static void hook_drain(void *ctx)
{
	struct gate *g = ctx;

	atomic_store(&g->shared.draining, true);
	log_warn("draining by ctl: not ready any more, clients are sent away");
}

static bool hook_ready(void *ctx, struct text *why)
{
	struct gate *g = ctx;

	if (atomic_load(&g->shared.draining))
		text_str(why, "draining");
	return !atomic_load(&g->shared.draining);
}

static void hook_metrics(void *ctx, struct text *out)
{
	struct gate *g = ctx;
	const struct site *s = g->site;
	struct metrics_drops drops[3] = { { "events", events_dropped(g->shared.events) } };
	struct metrics_cert certs[64];
	struct metrics_now now = { .drops = drops, .ndrops = 1, .certs = certs };

	if (s->access)
		drops[now.ndrops++] = (struct metrics_drops){ "access", log_dropped(s->access) };
	if (s->security)
		drops[now.ndrops++] = (struct metrics_drops){ "security", log_dropped(s->security) };
	for (size_t i = 0; i < s->nlistens && now.ncerts < nelems(certs); i++)
		if (s->listens[i].tls)
			certs[now.ncerts++] = (struct metrics_cert){
				s->listens[i].config->bind,
				(uint64_t)tls_context_expiry(s->listens[i].tls) };
	for (unsigned i = 0; i < g->nworkers; i++)
		worker_probe(g->workers[i]);
	metrics_print(g->process.metrics, &now, out);
}

static bool admin_start(struct gate *g, struct err *err)
{
	const struct config *c = g->site->config;
	struct admin_options o = {
		.events = g->shared.events, .ctl_socket = c->ctl_socket,
		.hooks = { g, hook_status, hook_reload, hook_mode, hook_drain, hook_ready, hook_metrics },
	};
	struct listen_config bind;
	int fd;

	if (c->admin.at) {
		if (!handover_parse(c->admin, &bind, err) || !handover_bind(g->supervisor, &bind, 1, &fd, err))
			return err_at(err, "admin");
		o.fds = &fd;
		o.nfds = 1;
	}
	g->admin = admin_open(g->loop, &o, err);
	return g->admin != NULL;
}

/* ---- start ---- */

static unsigned long connections_max(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) != 0)
		return 1024;
	if (r.rlim_cur < r.rlim_max) {
		r.rlim_cur = r.rlim_max;
		setrlimit(RLIMIT_NOFILE, &r);
	}
	if (r.rlim_cur > 4 * FD_RESERVE)
		return (r.rlim_cur - FD_RESERVE) / FDS_A_CONNECTION;
	return r.rlim_cur / 4;
}

static bool state_make(const struct config *c, struct err *err)
{
	char dir[4096];

	for (int cache = 0; cache < 2; cache++) {
		snprintf(dir, sizeof dir, "%s%s", c->state, cache ? "/cache" : "");
		if (mkdir(dir, 0700) != 0 && errno != EEXIST)
			return err_set(err, SIDE_CONFIG, errno, "state: %s: %s", dir, strerror(errno));
	}
	return true;
}

static bool process_start(struct gate *g, const struct config *c, struct err *err)
{
	struct process *p = &g->process;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	uint8_t seed[16];

	g->nworkers = c->workers ? c->workers : cores > 0 ? (unsigned)cores : 1;
	if (g->nworkers > WORKERS_MAX)
		g->nworkers = WORKERS_MAX;
	if (!state_make(c, err) || !secret_load(c, p->secret, err))
		return false;
	if (!tls_random(seed, sizeof seed))
		return err_set(err, SIDE_SELF, 0, "no random bytes");
	hash_seed(seed);
	p->servers = servers_new();
	p->metrics = metrics_new(g->nworkers);
	g->shared.process = p;
	g->shared.events = events_new(EVENTS_COUNT, EVENTS_BYTES);
	g->shared.addresses = addresses_new();
	g->shared.limits = limits_new(LIMIT_BUCKETS);
	g->shared.connections_max = connections_max();
	if (!p->servers || !p->metrics || !g->shared.events || !g->shared.addresses || !g->shared.limits)
		return err_set(err, SIDE_SELF, 0, "out of memory");
	p->log = log_start(err);
	return p->log != NULL;
}

static bool workers_start(struct gate *g, struct err *err)
{
	for (unsigned i = 0; i < g->nworkers; i++)
		if (!(g->workers[i] = worker_new(i, &g->shared, g->site, err)))
			return false;
	/* Orders wait in the loop until its thread runs. */
	if (!site_serve(g, NULL, g->site, err))
		return false;
	for (unsigned i = 0; i < g->nworkers; i++)
		if (!worker_start(g->workers[i]))
			return err_set(err, SIDE_SELF, 0, "cannot start worker %u", i);
	return true;
}

static void signals_open(struct gate *g)
{
	sigset_t set;

	watch_signal(g->loop, SIGHUP, on_hup, g);
	watch_signal(g->loop, SIGUSR1, on_usr1, g);
	watch_signal(g->loop, SIGTERM, on_term, g);
	/* Blocked since before this process began. */
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void on_alive(void *arg)
{
	struct gate *g = arg;

	handover_say(g->supervisor, "alive");
	deadline_set(g->loop, &g->alive, ALIVE_MS, on_alive, g);
}

/* The shop runs on the control thread's loop: it is only for a look. */
static bool demo_start(struct gate *g, struct err *err)
{
	uint16_t port;

	if (!demo_shop_start(g->loop, &port, err))
		return false;
	snprintf(g->demo_url, sizeof g->demo_url, "http://127.0.0.1:%u", port);
	g->options.quick.upstream = g->demo_url;
	return true;
}

static bool start(struct gate *g, struct err *err)
{
	struct config *c;

	g->loop = loop_new();
	if (!g->loop)
		return err_set(err, SIDE_SELF, 0, "out of memory");
	if (g->options.demo && !demo_start(g, err))
		return false;
	c = options_config(&g->options, err);
	if (!c)
		return false;
	if (!process_start(g, c, err)) {
		config_free(c);
		return false;
	}
	g->site = site_build(&g->process, c, err);
	if (!g->site || !workers_start(g, err) || !admin_start(g, err))
		return false;
	g->started_ms = clock_wall_ms();
	metrics_reloaded(g->process.metrics, true, g->started_ms, g->site->config->hash);
	signals_open(g);
	g->health = health_start(g->loop, g->site);
	return true;
}

/* ---- the first words ---- */

static void say_where(const struct gate *g)
{
	const struct config *c = g->site->config;

	for (size_t i = 0; i < g->site->nlistens; i++) {
		const struct listen *l = &g->site->listens[i];
		struct bytes bind = l->config->bind;

		printf("  listening %s://%s%.*s", l->tls ? "https" : "http",
		       bind.len && bind.at[0] == ':' ? "localhost" : "", BYTES_ARG(bind));
		if (l->fallback && l->fallback->upstream.n)
			printf("  ->  %.*s", BYTES_ARG(l->fallback->config->upstream.servers[0].url));
		printf("\n");
	}
	for (size_t i = 0; i < g->site->napps; i++)
		printf("  WAF       %.*s: %zu rules, mode %s\n", BYTES_ARG(c->apps[i].name),
		       g->site->apps[i].rules ? ruleset_count(g->site->apps[i].rules) : 0,
		       modes[app_mode(&g->site->apps[i])]);
	printf("  State     %s\n", c->state);
	if (c->admin.at)
		printf("  Admin     http://%.*s/metrics, /healthz, /readyz; `embergate ctl -s %s status`\n",
		       BYTES_ARG(c->admin), c->ctl_socket);
	printf("  Nothing is sent outside this machine.\n");
}

/* For who tries it by hand: what is there, and two requests to try. */
static void greet(const struct gate *g)
{
	struct bytes bind = g->site->nlistens ? g->site->listens[0].config->bind : (struct bytes){ 0 };
	const char *host = bind.len && bind.at[0] == ':' ? "localhost" : "";
	const char *scheme = g->site->nlistens && g->site->listens[0].tls ? "https" : "http";

	printf("embergate %s\n", EMBERGATE_VERSION);
	say_where(g);
	printf("Try:\n  curl -i '%s://%s%.*s/'\n  curl -i '%s://%s%.*s/?q=<script>alert(1)</script>'\n"
	       "The second is answered 403 with a request id; `embergate ctl -s %s explain ID` says why.\n",
	       scheme, host, BYTES_ARG(bind), scheme, host, BYTES_ARG(bind), g->site->config->ctl_socket);
	fflush(stdout);
}

int gate_main(const struct options *options, int fd)
{
	static struct gate g; /* reachable to the last, for leak checks */
	struct err err = { 0 };

	g.options = *options;
	g.supervisor = fd;
	if (!start(&g, &err)) {
		log_error("%s", err.text);
		if (g.process.log)
			log_stop(g.process.log, LOG_STOP_MS);
		return err.side == SIDE_CONFIG ? EXIT_USAGE : EXIT_FAILED;
	}
	handover_say(fd, "ready");
	on_alive(&g);
	if (!options->config)
		greet(&g);
	else
		log_info("serving %s with %u workers", options->config, g.nworkers);
	loop_run(g.loop);
	for (unsigned i = 0; i < g.nworkers; i++)
		worker_stop(g.workers[i]);
	log_stop(g.process.log, LOG_STOP_MS);
	return EXIT_OK;
}
