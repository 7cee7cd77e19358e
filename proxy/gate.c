/* gate.c -- the serving child: workers, and the control thread that this is.
 *
 * The control thread takes signals, reloads (reload.c), answers `ctl` and the
 * admin address (hooks.c), and checks servers; workers serve and never wait for
 * it. */
#include "proxy/behaviour.h"
#include "proxy/bots.h"
#include "proxy/change.h"
#include "proxy/gate.h"
#include "proxy/gate_admin.h"
#include "admin/series.h"
#include "base/clock.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/tls.h"
#include "demo/shop.h"
#include "proxy/secret.h"
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LIMIT_BUCKETS = 256 << 10,
	PASSES = 64 << 10,
	FD_RESERVE = 256,     /* descriptors kept for logs, admin, lists */
	FDS_A_CONNECTION = 2, /* a client and a server */
	LOG_STOP_MS = 2000,
	RELOAD_STOP_MS = 2000,
	ALIVE_MS = 2000,
	ADMIN_GRACE_MS = 2000,
	ADMIN_STOP_MS = 2000,
	DECISIONS_MAX = 10000000,
};

/* ---- signals ---- */

static void on_hup(void *arg)
{
	reload_start(arg, NULL, NULL);
}

static void on_usr1(void *arg)
{
	struct gate *g = arg;

	log_reopen(g->process.log);
}

/* ---- the end ---- */

static void on_stop(void *arg)
{
	struct gate *g = arg;

	loop_stop(g->loop);
}

static void on_admin_closed(void *arg)
{
	struct gate *g = arg;

	g->admin = NULL;
	loop_stop(g->loop);
}

/* Whoever still waits for an answer of the admin's, for a change that is being built say, has that long. */
static void on_drain_over(void *arg)
{
	struct gate *g = arg;

	if (g->ending)
		return;
	g->ending = true;
	deadline_set(g->loop, &g->drain, ADMIN_STOP_MS, on_stop, g);
	admin_close(g->admin, on_admin_closed, g);
}

/* On a worker's thread. */
static void on_worker_drained(void *ctx)
{
	struct gate *g = ctx;

	if (atomic_fetch_sub(&g->undrained, 1) == 1)
		loop_post(g->loop, on_drain_over, g);
}

/* The supervisor's word that another process serves: it says so before it says SIGTERM. */
static void on_succeeded(void *arg)
{
	struct gate *g = arg;

	if (!g->ending)
		admin_cede(g->admin, ADMIN_GRACE_MS);
}

static void on_term(void *arg)
{
	struct gate *g = arg;

	if (g->stopping)
		return;
	g->stopping = true;
	change_rest(g);
	log_info("draining: what is in flight completes, at most %u s",
		 g->site->config->timeouts.drain_ms / 1000);
	atomic_store(&g->shared.draining, true);
	atomic_store(&g->undrained, g->nworkers);
	deadline_set(g->loop, &g->drain, g->site->config->timeouts.drain_ms, on_drain_over, g);
	reputation_drain(&g->reputation);
	for (unsigned i = 0; i < g->nworkers; i++)
		worker_drain(g->workers[i], on_worker_drained, g);
}

/* ---- logs of other servers ---- */

/* On the agent's thread. */
static void on_log_event(void *ctx, struct facts *f)
{
	struct gate *g = ctx;

	bots_note(g->site->bots, g->log_bots, f);
	behaviour_log_event(&g->shared, g->site, g->log_observer, f);
}

void gate_watch_logs(struct gate *g)
{
	struct err err = { 0 };

	g->agent = agent_start(g->site->config, &g->log_counts, on_log_event, g, &err);
	if (!g->agent && err.text[0])
		log_error("logs: %s", err.text);
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
	uint8_t key[32];

	g->nworkers = c->workers ? c->workers : cores > 0 ? (unsigned)cores : 1;
	if (g->nworkers > SOCKETS_MAX)
		g->nworkers = SOCKETS_MAX;
	if (!state_make(c, err) || !secret_load(c, p->secret, err))
		return false;
	if (!tls_derive_key((struct bytes){ (const char *)p->secret, sizeof p->secret }, "hash seeds", key))
		return err_set(err, SIDE_SELF, 0, "no key can be derived");
	hash_seed(key);
	if (!tls_derive_key((struct bytes){ (const char *)p->secret, sizeof p->secret }, "hashes", key))
		return err_set(err, SIDE_SELF, 0, "no key can be derived");
	memcpy(&p->hash_key, key, sizeof p->hash_key);
	p->servers = servers_new();
	p->metrics = metrics_new(g->nworkers);
	g->shared.process = p;
	g->shared.reputation = &g->reputation;
	g->shared.events = events_new(EVENTS_COUNT, EVENTS_BYTES);
	g->shared.addresses = addresses_new();
	g->shared.limits = limits_new(LIMIT_BUCKETS);
	g->shared.passes = passes_new(PASSES);
	g->shared.buckets = buckets_new(c->scenarios.buckets, c->scenarios.bucket_bytes);
	g->shared.decisions = decisions_new(DECISIONS_MAX);
	g->observer = observer_new();
	g->log_observer = observer_new();
	g->log_bots = bots_memo_new();
	g->shared.connections_max = connections_max();
	if (!p->servers || !p->metrics || !g->shared.events || !g->shared.addresses || !g->shared.limits ||
	    !g->shared.passes || !g->shared.buckets || !g->shared.decisions || !g->observer || !g->log_observer || !g->log_bots)
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
	if (!reload_serve(g, NULL, g->site, err))
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
	watch_signal(g->loop, SIGUSR2, on_succeeded, g);
	watch_signal(g->loop, SIGTERM, on_term, g);
	/* Blocked since before this process began. */
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGUSR2);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
}

static void on_alive(void *arg)
{
	struct gate *g = arg;

	handover_say(g->supervisor, "alive");
	behaviour_tick(&g->shared, g->site, g->observer);
	attack_tick(g->site);
	webhook_watch_tick(g->webhook_watch);
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

/* A gate that cannot keep what it saw serves all the same. */
static void watch_events(struct gate *g)
{
	const struct events_config *c = &g->site->config->events;
	const struct archive_bounds bounds = { c->count, c->bytes, c->age_ms };
	struct err err = { 0 };
	char path[4096];

	snprintf(path, sizeof path, "%s/events.db", g->site->config->state);
	g->archive = archive_open(path, g->shared.events, g->loop, &bounds, &err);
	if (!g->archive)
		log_error("events are not kept: %s", err.text);
	g->series = series_open(g->archive, g->process.metrics, g->loop);
}

/* Before anyone is answered. A gate that cannot keep what is decided serves all the same. */
static void remember(struct gate *g)
{
	struct err err = { 0 };

	behaviour_spare(&g->shared, g->site);
	g->ledger = ledger_open(g->site->config->state, g->shared.decisions, &err);
	if (!g->ledger)
		log_error("decisions do not outlive this process: %s", err.text);
}

/* Webhooks; before the workers, who note attacks. */
static bool tell(struct gate *g, struct err *err)
{
	struct fetcher *fetcher = process_fetcher(&g->process, err);

	if (!fetcher)
		return false;
	g->shared.webhooks = webhooks_new(g->loop, fetcher);
	g->webhook_watch = g->shared.webhooks ? webhook_watch_new(g) : NULL;
	if (!g->webhook_watch)
		return err_set(err, SIDE_SELF, 0, "out of memory");
	webhooks_configure(g->shared.webhooks, g->site->config);
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
	c = options_config(&g->options, NULL, err);
	if (c && change_resume(g, c)) {
		config_free(c);
		c = options_config(&g->options, NULL, err);
	}
	if (!c)
		return false;
	if (!process_start(g, c, err)) {
		config_free(c);
		return false;
	}
	g->site = site_build(&g->process, c, err);
	if (!g->site)
		return false;
	remember(g);
	watch_events(g);
	if (!tell(g, err) || !reputation_open(&g->reputation, g, err) || !workers_start(g, err) || !(g->replay = replay_new(g->loop, err)) ||
	    !gate_admin_open(g, err))
		return false;
	g->started_ms = clock_wall_ms();
	metrics_reloaded(g->process.metrics, true, g->started_ms, g->site->config->hash);
	signals_open(g);
	g->health = health_start(g->loop, g->site);
	gate_watch_logs(g);
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
		       mode_word(app_mode(&g->site->apps[i])));
	printf("  State     %s\n", c->state);
	if (c->admin.bind.at)
		printf("  Admin     %s, /metrics, /healthz, /readyz; `embergate ctl -s %s status`\n", g->admin_url, c->ctl_socket);
	printf("  Nothing is sent outside this machine.\n");
}

/* For who tries it by hand: what is there, and two requests to try. */
/* While nobody can log in: whoever reads this may make the first user. */
static void invite(struct gate *g)
{
	char link[ADMIN_LINK_MAX];

	if (!admin_setup_link(g->admin, link))
		return;
	if (g->options.config)
		log_warn("nobody can log in yet; within 15 minutes, open %s", link);
	else
		printf("  Log in    open %s within 15 minutes\n", link);
}

static void greet(struct gate *g)
{
	struct bytes bind = g->site->nlistens ? g->site->listens[0].config->bind : (struct bytes){ 0 };
	const char *host = bind.len && bind.at[0] == ':' ? "localhost" : "";
	const char *scheme = g->site->nlistens && g->site->listens[0].tls ? "https" : "http";

	printf("embergate %s\n", EMBERGATE_VERSION);
	say_where(g);
	invite(g);
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
	if (!options->config) {
		greet(&g);
	} else {
		log_info("serving %s with %u workers", options->config, g.nworkers);
		invite(&g);
	}
	loop_run(g.loop);
	agent_stop(g.agent);
	for (unsigned i = 0; i < g.nworkers; i++)
		worker_stop(g.workers[i]);
	webhook_watch_free(g.webhook_watch);
	webhooks_free(g.shared.webhooks);
	series_close(g.series);
	archive_close(g.archive);
	replay_free(g.replay);
	ledger_close(g.ledger);
	reputation_close(&g.reputation);
	if (!reload_end(&g, RELOAD_STOP_MS))
		_exit(EXIT_OK); /* the logs' thread has written all by now */
	log_stop(g.process.log, LOG_STOP_MS);
	arena_thread_end();
	return EXIT_OK;
}
