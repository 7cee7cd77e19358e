/* site.c -- from a configuration to what workers serve by. */
#include "proxy/logins_learned.h"
#include "proxy/site.h"
#include "base/fetch.h"
#include "base/hash.h"
#include "base/log.h"
#include "base/syslog.h"
#include "proxy/webhook.h"
#include "proxy/bots_dns.h"
#include "proxy/captcha.h"
#include "proxy/certs.h"
#include "proxy/gate_admin.h"
#include "proxy/reputation.h"
#include "proxy/secret.h"
#include "proxy/site_rules.h"
#include "proxy/site_scenarios.h"

/* ---- apps ---- */

static struct app_state *state_of(struct process *p, struct bytes name)
{
	struct app_metrics *metrics = metrics_app(p->metrics, name); /* asked for by every configuration */
	struct app_state *s;

	for (s = p->app_states; s; s = s->next)
		if (bytes_eq(bytes_of(s->name), name))
			return s;
	s = metrics ? calloc(1, sizeof *s) : NULL;
	if (!s || !(s->name = strndup(name.at, name.len)) || !(s->logins = logins_learned_new())) {
		if (s)
			free(s->name);
		free(s);
		return NULL;
	}
	s->metrics = metrics;
	s->mode = -1;
	attack_init(&s->attack);
	s->next = p->app_states;
	p->app_states = s;
	return s;
}

enum waf_mode app_mode(const struct app *a)
{
	int by_hand = atomic_load_explicit(&a->state->mode, memory_order_relaxed);

	return by_hand >= 0 ? (enum waf_mode)by_hand : a->config->waf.mode;
}

const struct exclusion *site_exclusion(struct arena *a, const struct ruleset *rules, const struct exception_config *e, struct err *err)
{
	struct exclusion_text t = { .words = {
		[EXCLUDE_SKIP] = { e->skip.at, e->skip.n },       [EXCLUDE_RULES] = { e->rules.at, e->rules.n },
		[EXCLUDE_CATEGORIES] = { e->categories.at, e->categories.n },
		[EXCLUDE_TAGS] = { e->tags.at, e->tags.n },       [EXCLUDE_ARGS] = { e->args.at, e->args.n },
		[EXCLUDE_COOKIES] = { e->cookies.at, e->cookies.n }, [EXCLUDE_HEADERS] = { e->headers.at, e->headers.n },
	} };

	for (size_t i = 0; i < e->nparts; i++)
		t.parts |= 1u << e->parts[i];
	return exclusion_new(a, rules, &t, err);
}

static bool exceptions_of(struct site *s, struct app *a, struct err *err)
{
	const struct app_config *c = a->config;

	a->exceptions = arena_get(s->config->arena, (c->nexceptions + 1) * sizeof *a->exceptions);
	if (!a->exceptions)
		return err_set(err, SIDE_SELF, 0, "out of memory");
	for (size_t i = 0; i < c->nexceptions; i++) {
		const struct exception_config *e = &c->exceptions[i];
		struct app_exception *x = &a->exceptions[a->nexceptions++];

		*x = (struct app_exception){ .config = e };
		if (a->rules && !(x->exclusion = site_exclusion(s->config->arena, a->rules, e, err)))
			return err_at(err, "%s:%u:%u: apps.%.*s.exceptions[%zu]", e->where.file, e->where.line, e->where.column,
				      BYTES_ARG(c->name), i);
	}
	return true;
}

static bool captcha_of(struct process *p, struct site *s, struct app_config *c, const struct app *a, struct err *err)
{
	struct captcha_config *k = &c->challenge.captcha;

	return !k->provider || captcha_open(p, s->config->arena, k, a->state->metrics, err) ||
	       err_at(err, "apps.%.*s", BYTES_ARG(c->name));
}

static bool app_build(struct process *p, struct site *s, struct app_config *c, struct err *err)
{
	struct app *a = &s->apps[s->napps++];

	*a = (struct app){ .config = c, .state = state_of(p, c->name) };
	a->limit_seed = hash_content(HASH_CONTENT_START, c->name);
	if (!a->state)
		return err_set(err, SIDE_SELF, 0, "out of memory");
	a->brand = page_brand_new(&c->page, err);
	return a->brand && captcha_of(p, s, c, a, err) && site_rules(p, s, a, err) && exceptions_of(s, a, err) &&
	       upstream_build(&a->upstream, p->servers, c, a->state->metrics, err);
}

/* ---- listeners ---- */

static struct bytes lower(struct arena *a, struct bytes b)
{
	struct bytes copy = arena_copy(a, b);

	for (size_t i = 0; i < copy.len; i++)
		((char *)(uintptr_t)copy.at)[i] = byte_lower(copy.at[i]);
	return copy;
}

static int by_name(const void *a, const void *b)
{
	return bytes_cmp(((const struct host *)a)->name, ((const struct host *)b)->name);
}

static bool serves(const struct site *s, const struct app *a, const struct listen_config *l)
{
	if (a->config->nlistens == 0) {
		for (size_t i = 0; i < s->config->nlistens; i++)
			if (bytes_eq(s->config->listens[i].bind, l->bind))
				return true;
		return false;
	}
	for (size_t i = 0; i < a->config->nlistens; i++)
		if (bytes_eq(a->config->listens[i].bind, l->bind))
			return true;
	return false;
}

static bool hosts_of(struct site *s, struct listen *l, struct err *err)
{
	size_t n = 0;

	for (size_t i = 0; i < s->napps; i++)
		n += s->apps[i].config->hosts.n;
	l->hosts = arena_get(s->config->arena, (n + 1) * sizeof *l->hosts);
	if (!l->hosts)
		return err_set(err, SIDE_SELF, 0, "out of memory");
	for (size_t i = 0; i < s->napps; i++) {
		const struct app *a = &s->apps[i];

		if (!serves(s, a, l->config))
			continue;
		if (a->config->hosts.n == 0)
			l->fallback = a;
		for (size_t k = 0; k < a->config->hosts.n; k++) {
			struct bytes name = lower(s->config->arena, a->config->hosts.at[k]);

			if (bytes_starts(name, BYTES("*.")))
				name = bytes_from(name, 1);
			l->hosts[l->nhosts++] = (struct host){ name, a };
		}
	}
	qsort(l->hosts, l->nhosts, sizeof *l->hosts, by_name);
	return true;
}

static const struct app *host_find(const struct listen *l, struct bytes name)
{
	struct host ask = { .name = name };
	const struct host *h = l->nhosts ? bsearch(&ask, l->hosts, l->nhosts, sizeof ask, by_name) : NULL;

	return h ? h->app : NULL;
}

const struct app *listen_app(const struct listen *l, struct bytes hostname)
{
	char buf[256];
	struct bytes name = { buf, hostname.len };
	const struct app *a = NULL;
	size_t dot;

	if (l->nhosts == 0 || hostname.len > sizeof buf)
		return l->fallback;
	for (size_t i = 0; i < hostname.len; i++)
		buf[i] = byte_lower(hostname.at[i]);
	a = host_find(l, name);
	/* The nearest star above it. */
	while (!a && (dot = bytes_index(bytes_from(name, 1), '.')) != SIZE_MAX) {
		name = bytes_from(name, dot + 1);
		a = host_find(l, name);
	}
	return a ? a : l->fallback;
}

const struct listen *site_listen(const struct site *s, struct bytes bind)
{
	for (size_t i = 0; i < s->nlistens; i++)
		if (bytes_eq(s->listens[i].config->bind, bind))
			return &s->listens[i];
	return NULL;
}

const struct app *site_app(const struct site *s, struct bytes name)
{
	for (size_t i = 0; i < s->napps; i++)
		if (bytes_eq(s->apps[i].config->name, name))
			return &s->apps[i];
	return NULL;
}

static bool listen_add(struct process *p, struct site *s, const struct listen_config *c, struct err *err)
{
	struct listen *l = &s->listens[s->nlistens];

	if (site_listen(s, c->bind))
		return true; /* several apps may name the same one */
	s->nlistens++;
	if (c->tls && (!s->https_port || c->port == 443))
		s->https_port = c->port;
	*l = (struct listen){ .config = c, .metrics = metrics_listener(p->metrics, c->bind) };
	return hosts_of(s, l, err) && (!c->tls || certs_open(p, s, l, err));
}

static bool listens_build(struct process *p, struct site *s, struct err *err)
{
	const struct config *c = s->config;

	for (size_t i = 0; i < c->nlistens; i++)
		if (!listen_add(p, s, &c->listens[i], err))
			return false;
	for (size_t i = 0; i < c->napps; i++)
		for (size_t k = 0; k < c->apps[i].nlistens; k++)
			if (!listen_add(p, s, &c->apps[i].listens[k], err))
				return false;
	return true;
}

/* ---- logs ---- */

static enum event_format format_of(const struct log_config *l, const struct log_sink *sink)
{
	switch (l->format) {
	case LOG_COMBINED: return EVENT_COMBINED;
	case LOG_CEF: return EVENT_CEF;
	case LOG_LOGFMT: return EVENT_LOGFMT;
	case LOG_HUMAN: return EVENT_HUMAN;
	case LOG_AUTO: return sink && log_is_tty(sink) ? EVENT_HUMAN : EVENT_ECS;
	default: return EVENT_ECS;
	}
}

static bool redact_of(struct site *s, struct err *err)
{
	struct bytes *names;
	size_t n = 0;

	for (size_t i = 0; i < s->config->napps; i++)
		n += s->config->apps[i].redact.n;
	names = arena_get(s->config->arena, (n + 1) * sizeof *names);
	if (!names)
		return err_set(err, SIDE_SELF, 0, "out of memory");
	s->style.redact = (struct redact){ names, n };
	for (size_t i = 0; i < s->config->napps; i++)
		for (size_t k = 0; k < s->config->apps[i].redact.n; k++)
			*names++ = s->config->apps[i].redact.at[k];
	return true;
}

static bool logs_open(struct process *p, struct site *s, struct err *err)
{
	const struct log_config *l = &s->config->log;

	if (p->log && l->access && !(s->access = log_open(p->log, l->access, err)))
		return false;
	if (p->log && l->security && !(s->security = log_open(p->log, l->security, err)))
		return false;
	if (!webhooks_check(s->config, err))
		return false;
	if (p->log && l->syslog.to.len && !(s->syslog = syslog_open(p->log, &l->syslog.target, err)))
		return err_at(err, "log.syslog");
	s->style.format = format_of(l, s->security ? s->security : s->access);
	s->style.colour = s->style.format == EVENT_HUMAN && !getenv("NO_COLOR");
	if (!redact_of(s, err))
		return false;
	s->syslog_style = (struct event_style){ .format = l->syslog.format == LOG_CEF ? EVENT_CEF : EVENT_ECS, .redact = s->style.redact };
	return true;
}

/* ---- the whole ---- */

static void site_free(struct site *s)
{
	for (size_t i = 0; i < s->napps; i++) {
		upstream_clear(&s->apps[i].upstream);
		page_brand_free(s->apps[i].brand);
	}
	for (size_t i = 0; i < s->nlistens; i++)
		tls_context_free(s->listens[i].tls);
	for (size_t i = 0; i < s->nrulesets; i++)
		ruleset_free(s->rulesets[i]);
	scenarios_free(s->scenarios);
	profiles_free(s->profiles);
	bots_free(s->bots);
	geo_close(s->geo);
	if (s->access)
		log_close(s->access);
	if (s->security)
		log_close(s->security);
	if (s->syslog)
		log_close(s->syslog);
	config_free(s->config);
	free(s);
}

enum { EXCHANGE_BYTES = 4 << 20, WINDOWS = 4 /* its bytes, as they come, decoded, and taken apart */ };

/* The most that any app may need, for a body and for an answer. */
static size_t exchange_bytes(const struct site *s)
{
	size_t most = 0;

	for (size_t i = 0; i < s->napps; i++) {
		const struct app *a = &s->apps[i];
		size_t held = a->config->waf.window + (a->rules ? ruleset_answer_window(a->rules) : 0);

		most = held > most ? held : most;
	}
	return EXCHANGE_BYTES + WINDOWS * most;
}

struct fetcher *process_fetcher(struct process *p, struct err *err)
{
	if (!p->fetcher)
		p->fetcher = fetcher_new(NULL, NULL, NULL, err);
	return p->fetcher;
}

static bool geo_start(struct site *s, struct err *err)
{
	const struct config *c = s->config;

	return !c->ngeo || (s->geo = geo_open(c->geo, c->ngeo, err)) || err_at(err, "geo");
}

static bool bots_open(struct process *p, struct site *s, struct err *err)
{
	char shipped[4096], cache[4096];
	bool found = packs_directory(PACKS_BOTS, shipped, sizeof shipped);

	snprintf(cache, sizeof cache, "%s/cache", s->config->state);
	s->bots = bots_new(&s->config->bots, found ? shipped : NULL, cache, err);
	if (s->bots && s->config->bots.dns && !p->dry && !p->bots_dns && !(p->bots_dns = bots_dns_new(NULL)))
		return err_set(err, SIDE_SELF, 0, "out of memory");
	return s->bots != NULL;
}

static bool build(struct process *p, struct site *s, struct err *err)
{
	const struct config *c = s->config;
	size_t nlistens = c->nlistens;

	for (size_t i = 0; i < c->napps; i++)
		nlistens += c->apps[i].nlistens;
	s->apps = arena_get(c->arena, (c->napps + 1) * sizeof *s->apps);
	s->rulesets = arena_get(c->arena, (c->napps + 1) * sizeof *s->rulesets);
	s->listens = arena_get(c->arena, (nlistens + 1) * sizeof *s->listens);
	s->no_app = metrics_app(p->metrics, (struct bytes){ 0 });
	if (!s->apps || !s->rulesets || !s->listens || !s->no_app)
		return err_set(err, SIDE_SELF, 0, "out of memory");
	for (size_t i = 0; i < c->napps; i++)
		if (!app_build(p, s, &c->apps[i], err))
			return false;
	s->exchange_bytes = exchange_bytes(s);
	return reputation_check(c, err) && gate_admin_check(c, err) && bots_open(p, s, err) && geo_start(s, err) && site_scenarios(p, s, err) &&
	       listens_build(p, s, err) && logs_open(p, s, err);
}

struct site *site_build(struct process *p, struct config *config, struct err *err)
{
	struct site *s = calloc(1, sizeof *s);

	if (!s) {
		config_free(config);
		err_set(err, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	s->config = config;
	s->users = 1;
	if (build(p, s, err))
		return s;
	site_free(s);
	return NULL;
}

void site_hold(struct site *s)
{
	atomic_fetch_add(&s->users, 1);
}

void site_release(struct site *s)
{
	if (s && atomic_fetch_sub(&s->users, 1) == 1)
		site_free(s);
}

struct site_use *site_use_new(struct site *s)
{
	struct site_use *u = calloc(1, sizeof *u);

	if (!u)
		return NULL;
	site_hold(s);
	*u = (struct site_use){ s, 1 };
	return u;
}

void site_use_drop(struct site_use *u)
{
	if (--u->users)
		return;
	site_release(u->site);
	free(u);
}
