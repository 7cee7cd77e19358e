/* hooks.c -- what the admin folder may ask of the gate. */
#include "base/clock.h"
#include "base/log.h"
#include "proxy/gate.h"
#include "proxy/logins_learned.h"
#include <unistd.h>

static const char *const modes[] = { [WAF_BLOCK] = "block", [WAF_DETECT] = "detect", [WAF_OFF] = "off" };

const char *mode_word(enum waf_mode m)
{
	return modes[m];
}

const struct admin_login *hooks_logins(struct arena *a, const struct app *app, size_t *n)
{
	struct login_route *routes = arena_get(a, LOGINS_LEARNED_MAX * sizeof *routes);
	struct admin_login *out = arena_get(a, LOGINS_LEARNED_MAX * sizeof *out);

	*n = routes && out ? logins_learned_list(app->state->logins, routes, LOGINS_LEARNED_MAX) : 0;
	for (size_t i = 0; i < *n; i++)
		out[i] = (struct admin_login){ bytes_of(routes[i].path), routes[i].failed, routes[i].succeeded };
	return out;
}

static void app_status(struct arena *a, const struct app *app, struct admin_app *out)
{
	struct admin_server *servers = arena_get(a, (app->upstream.n + 1) * sizeof *servers);

	*out = (struct admin_app){ .name = app->config->name, .mode = modes[app_mode(app)],
				   .rules = app->rules ? ruleset_count(app->rules) : 0,
				   .servers = servers, .nservers = servers ? app->upstream.n : 0,
				   .under_attack = attack_is_on(app) };
	out->logins = hooks_logins(a, app, &out->nlogins);
	for (unsigned i = 0; servers && i < app->upstream.n; i++) {
		const struct server *s = app->upstream.backends[i].server;

		servers[i] = (struct admin_server){ bytes_of(s->name), server_is_up(s, clock_mono_ms()),
						    atomic_load(&s->inflight) };
	}
}

struct cert_list { struct arena *arena; struct admin_cert *out; size_t n; };

static void list_certs(struct cert_list *l, struct bytes listener, const struct tls_context *tls)
{
	struct tls_cert_info info;

	for (size_t i = 0; tls && tls_context_cert(tls, i, &info); i++, l->n++)
		if (l->out)
			l->out[l->n] = (struct admin_cert){ listener, arena_copy(l->arena, bytes_of(info.hosts)),
							    arena_copy(l->arena, bytes_of(info.issuer)), (uint64_t)info.expires_s };
}

size_t hooks_certs(struct arena *a, const struct gate *g, struct admin_cert *out)
{
	struct cert_list l = { a, out, 0 };

	for (size_t i = 0; i < g->site->nlistens; i++)
		list_certs(&l, g->site->listens[i].config->bind, g->site->listens[i].tls);
	list_certs(&l, BYTES("admin"), g->admin_tls);
	list_certs(&l, BYTES("lapi"), g->reputation.lapi_tls);
	return l.n;
}

static void hook_status(void *ctx, struct arena *a, struct admin_status *out)
{
	struct gate *g = ctx;
	const struct site *s = g->site;
	struct admin_app *apps = arena_get(a, (s->napps + 1) * sizeof *apps);
	struct bytes *listeners = arena_get(a, (s->nlistens + 1) * sizeof *listeners);
	size_t ncerts = hooks_certs(a, g, NULL);
	struct admin_cert *certs = arena_get(a, (ncerts + 1) * sizeof *certs);

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
	out->certs = certs;
	out->ncerts = certs ? hooks_certs(a, g, certs) : 0;
}

static void reload_told_ctl(void *asker, bool ok, const char *text)
{
	admin_answer(asker, ok, text);
}

static void hook_reload(void *ctx, struct admin_answer *asker)
{
	reload_start(ctx, asker ? reload_told_ctl : NULL, asker);
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

static bool hook_attack(void *ctx, struct bytes name, struct bytes mode, struct err *err)
{
	struct gate *g = ctx;
	const struct app *app = site_app(g->site, name);

	if (!app)
		return err_set(err, SIDE_CLIENT, 404, "no app '%.*s'", BYTES_ARG(name));
	for (int m = ATTACK_OFF; m <= ATTACK_AUTO; m++)
		if (bytes_eq(mode, bytes_of(attack_mode_word((enum attack_mode)m)))) {
			atomic_store(&app->state->attack.by_hand, m);
			log_warn("app %.*s: attack mode %.*s, by ctl", BYTES_ARG(name), BYTES_ARG(mode));
			attack_tick(g->site);
			return true;
		}
	return err_set(err, SIDE_CLIENT, 400, "'%.*s' is no attack mode: on, off or auto", BYTES_ARG(mode));
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

static const struct scenarios *hook_scenarios(void *ctx)
{
	return ((struct gate *)ctx)->site->scenarios;
}

/* Not the whole URL: it may be a secret. */
static void put_webhook(struct text *t, const struct notify_config *n)
{
	size_t scheme = bytes_find(n->url, BYTES("://"));
	struct bytes host = bytes_from(n->url, scheme == SIZE_MAX ? 0 : scheme + 3);

	host = bytes_sub(host, 0, bytes_index(host, '/'));
	text_printf(t, "A webhook that the configuration names, at %.*s, gets what happened when, whence and of what kind, and how often%s.\n",
		    BYTES_ARG(host), n->full ? ", and of attacks the app, the path and the id" : "; no path, no user name, no body");
}

/* To receivers of this installation's own, by name. */
static void hook_leaves(void *ctx, struct text *t)
{
	const struct config *c = ((struct gate *)ctx)->site->config;

	if (c->log.syslog.to.len)
		text_printf(t, "A receiver that the configuration names, %.*s, gets %s as syslog: addresses, paths, users' agents and rules, redacted as in the logs.\n",
			    BYTES_ARG(c->log.syslog.to), c->log.syslog.access ? "each request and alert" : "each alert");
	for (size_t i = 0; i < c->nnotify; i++)
		put_webhook(t, &c->notify[i]);
}

static void hook_config_text(void *ctx, struct text *t)
{
	config_show(((struct gate *)ctx)->site->config, t);
}

struct admin_hooks hooks_of(struct gate *g)
{
	return (struct admin_hooks){
		.ctx = g, .status = hook_status, .reload = hook_reload, .mode = hook_mode, .drain = hook_drain, .ready = hook_ready,
		.metrics = hooks_metrics, .scenarios = hook_scenarios, .decisions = g->shared.decisions, .keys = g->reputation.keys, .attack = hook_attack,
		.alerts = g->reputation.alerts, .share = g->reputation.share, .lists = g->reputation.lists, .client = &hooks_client, .counts = g->process.metrics,
		.config_text = hook_config_text, .leaves = hook_leaves, .sharing = g->site->config->cti.share, .edit = &hooks_edit, .notify = &hooks_notify, .rules = &hooks_rules,
	};
}
