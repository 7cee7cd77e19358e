/* reputation.c -- the parts of cti/ that the gate opens, and how they meet the rest of it. */
#include "proxy/reputation.h"
#include "base/clock.h"
#include "base/log.h"
#include "proxy/access.h"
#include "proxy/appsec.h"
#include "proxy/judge.h"
#include "proxy/gate.h"
#include "proxy/secret.h"
#include <stdio.h>
#include <unistd.h>

enum {
	CONFIG_BYTES = 1 << 20,
	LAPI_GRACE_MS = 1000,
	ALERT_BYTES = 64 << 10,
};

static bool key_for(const struct gate *g, const char *purpose, uint8_t out[32], struct err *err)
{
	return tls_derive_key((struct bytes){ (const char *)g->process.secret, sizeof g->process.secret }, purpose, out) ||
	       err_set(err, SIDE_SELF, 0, "no key can be derived");
}

/* ---- the store, and what is in it ---- */

static bool store_start(struct reputation *r, const struct config *c, struct err *err)
{
	char path[4096];

	snprintf(path, sizeof path, "%s/embergate.db", c->state);
	return (r->store = store_open(path, err)) && (r->alerts = alerts_open(r->store, err)) && (r->keys = keys_open(r->store, err));
}

/* ---- the guard ---- */

static bool is_in_country(void *ctx, const struct ip *client)
{
	const struct decision *d = ((void **)ctx)[0];
	const struct geo *geo = ((void **)ctx)[1];
	struct bytes as_told = d->value;
	struct geo_found found;
	char as[16];
	struct text t = text_over(as, sizeof as);

	if (!geo_find(geo, client, &found))
		return false;
	text_u64(&t, found.as);
	if (d->scope == SCOPE_AS && bytes_starts_nocase(as_told, BYTES("AS")))
		as_told = bytes_from(as_told, 2);
	return d->scope == SCOPE_COUNTRY ? bytes_eq_nocase(d->value, bytes_of(found.country)) : bytes_eq(as_told, text_bytes(&t));
}

static unsigned share_covered(struct reputation *r, const struct decision *d)
{
	void *ctx[2] = { (void *)(uintptr_t)d, (void *)(uintptr_t)r->gate->site->geo };
	struct ip_net net;

	if (d->scope == SCOPE_RANGE)
		return ip_net_parse(d->value, &net) ? guard_share(r->guard, &net, clock_mono_ms()) : 0;
	if (d->scope == SCOPE_AS || d->scope == SCOPE_COUNTRY)
		return guard_share_of(r->guard, is_in_country, ctx, clock_mono_ms());
	return 0;
}

static bool may_hold(void *ctx, const struct decision *d)
{
	struct reputation *r = ctx;
	unsigned percent = share_covered(r, d);

	if (percent <= r->gate->site->config->cti.guard_percent)
		return true;
	log_error("refused: %s of %s %.*s, as %.*s says: it would cover %u %% of the clients of the last ten minutes",
		  remedy_word(d->remedy), scope_word(d->scope), BYTES_ARG(d->value), BYTES_ARG(d->origin), percent);
	return false;
}

/* ---- other gates ---- */

static void on_told(void *ctx, enum share_kind kind, struct bytes b)
{
	struct reputation *r = ctx;
	struct gate *g = r->gate;
	struct pass_news news;

	switch (kind) {
	case SHARE_BUCKET: behaviour_heard(&g->shared, g->site, g->observer, b); break;
	case SHARE_LIMIT: limits_heard(g->shared.limits, clock_mono_ms(), b); break;
	case SHARE_PASS:
		if (b.len == sizeof news) {
			memcpy(&news, b.at, sizeof news);
			passes_heard(g->shared.passes, &news, (uint32_t)(clock_mono_ms() / 1000));
		}
		break;
	case SHARE_ASK:
	case SHARE_ANSWERED:
	case SHARE_KINDS: break;
	}
}

static void tell_limit(void *ctx, struct bytes b)
{
	share_tell(((struct reputation *)ctx)->share, SHARE_LIMIT, b);
}

static void on_limits(void *arg)
{
	struct reputation *r = arg;

	limits_tell(r->gate->shared.limits, tell_limit, r);
	deadline_set(r->gate->loop, &r->limits, LIMITS_TELL_MS, on_limits, r);
}

static bool redis_of(const struct redis_table *t, struct arena *a, struct redis_config *out, struct err *err)
{
	*out = (struct redis_config){ .urls = t->urls.at, .nurls = t->urls.n, .sentinel = t->sentinel, .cluster = t->cluster,
				      .user = t->user, .ca = t->ca, .verify = t->verify };
	return !t->password_from || secret_read(t->password_from, a, &out->password, err);
}

bool reputation_check(const struct config *c, struct err *err)
{
	struct redis_config redis;
	struct err why = { 0 };

	if (!c->redis.urls.n || (redis_of(&c->redis, c->arena, &redis, &why) && redis_check(&redis, &why)))
		return true;
	return yaml_err(c->redis.where, err, "redis: %s", why.text);
}

static bool share_start(struct reputation *r, const struct config *c, struct err *err)
{
	char machine[64] = "gate", prefix[65], name[64];
	struct share_options o = { .prefix = prefix, .name = name, .version = EMBERGATE_VERSION, .config_hash = c->hash, .state = c->state,
				   .decisions = r->gate->shared.decisions, .told = on_told, .ctx = r };

	if (!c->redis.urls.n)
		return true;
	gethostname(machine, sizeof machine - 1);
	snprintf(prefix, sizeof prefix, "%.*s", BYTES_ARG(c->redis.prefix));
	snprintf(name, sizeof name, "%.*s", BYTES_ARG(c->redis.name.len ? c->redis.name : bytes_of(machine)));
	if (!redis_of(&c->redis, r->configs, &o.redis, err) || !key_for(r->gate, "redis", o.key, err) ||
	    !(r->share = share_open(r->gate->loop, &o, err)))
		return err_at(err, "redis");
	limits_share(r->gate->shared.limits);
	on_limits(r);
	return true;
}

void reputation_tell_pass(struct reputation *r, const struct pass_news *news)
{
	if (r->share)
		share_tell(r->share, SHARE_PASS, (struct bytes){ (const char *)news, sizeof *news });
}

void reputation_tell_bucket(struct reputation *r, struct bytes message)
{
	if (r->share)
		share_tell(r->share, SHARE_BUCKET, message);
}

/* ---- lists ---- */

static bool is_spared(void *ctx, const struct ip_net *net)
{
	return decisions_spares(((struct reputation *)ctx)->gate->shared.decisions, net);
}

static struct list_config *lists_of(struct reputation *r, const struct config *c, struct arena *a)
{
	struct list_config *at = arena_get(a, (c->cti.nlists + 1) * sizeof *at);

	for (size_t i = 0; at && i < c->cti.nlists; i++) {
		const struct cti_list_config *l = &c->cti.lists[i];

		at[i] = (struct list_config){
			.name = l->name, .file = l->file, .url = l->url, .format = l->format, .column = l->column, .act = l->act,
			.level = l->level, .every_ms = l->every_ms, .age_ms = l->age_ms, .max_bytes = l->max_bytes,
			.max_entries = l->max_entries, .sha256 = l->sha256, .allow_shrink = l->allow_shrink,
			.spared = is_spared, .spared_ctx = r,
		};
	}
	return at;
}

static bool lists_start(struct reputation *r, const struct config *c, struct err *err)
{
	struct list_config *configs = lists_of(r, c, r->configs);
	struct fetcher *fetcher = process_fetcher(&r->gate->process, err);

	return configs && fetcher && (r->lists = lists_open(r->gate->loop, fetcher, c->state, configs, c->cti.nlists, err));
}

/* ---- CrowdSec ---- */

static bool crowdsec_start(struct reputation *r, const struct config *c, struct err *err)
{
	const struct cti_crowdsec_config *from = &c->cti.crowdsec;
	struct lapi_client_config to = { .url = from->lapi, .machine = from->machine, .every_ms = from->every_ms, .most = from->most,
					 .hearsay = !from->own, .full = from->full };
	struct fetcher *fetcher;

	if (!from->lapi.len)
		return true;
	if ((from->key_from && !secret_read(from->key_from, r->configs, &to.key, err)) ||
	    (from->password_from && !secret_read(from->password_from, r->configs, &to.password, err)) ||
	    !(fetcher = process_fetcher(&r->gate->process, err)))
		return err_at(err, "cti: crowdsec");
	r->crowdsec = lapi_client_open(r->gate->loop, fetcher, &to, r->gate->shared.decisions, err);
	return r->crowdsec || err_at(err, "cti: crowdsec");
}

/* What an agent told is worth what a scenario of the same name would be here. */
static bool profile_alert(void *ctx, const struct alert *a, struct arena *arena, struct decision *out)
{
	struct reputation *r = ctx;

	return behaviour_profile(&r->gate->shared, r->gate->site, a, arena, out);
}

/* ---- AppSec: what our rules think of another proxy's request ---- */

static const struct app *app_for(const struct site *s, struct bytes hostname)
{
	const struct app *app = NULL;

	for (size_t i = 0; i < s->nlistens && !app; i++)
		app = listen_app(&s->listens[i], hostname);
	return app;
}

static bool appsec_choose(void *ctx, const struct request *q, struct arena *arena, struct appsec_app *out)
{
	const struct app *app = app_for(((struct reputation *)ctx)->gate->site, q->hostname);
	const struct exclusion **list = app ? arena_get(arena, (app->nexceptions + 1) * sizeof *list) : NULL;

	if (!app || app_mode(app) == WAF_OFF)
		return false;
	*out = (struct appsec_app){ .rules = app->rules, .enforced = app_mode(app) == WAF_BLOCK };
	out->inspect.window = app->config->waf.window;
	out->inspect.exclusions = list;
	out->inspect.nexclusions = list ? judge_exclusions(app->exceptions, app->nexceptions, q, list) : 0;
	return true;
}

static void appsec_told(void *ctx, const struct appsec_told *t)
{
	(void)ctx;
	if (t->denied && t->verdict && t->verdict->nhits)
		log_info("appsec: %.*s %.*s%.*s: rule %s", BYTES_ARG(t->request.method), BYTES_ARG(t->request.hostname),
			 BYTES_ARG(bytes_sub(t->request.path, 0, 256)), t->verdict->hits[0].rule->id);
}

static void on_appsec(void *ctx, struct serve_request *q, const struct key_info *key)
{
	appsec_take(((struct reputation *)ctx)->appsec, q, key);
}

static struct tls_context *lapi_tls(const struct reputation *r, const struct config *c, struct err *err)
{
	struct tls_cert_file cert = { c->lapi.cert, c->lapi.key };
	struct tls_server_options o = { .certs = &cert, .ncerts = 1, .min_version = c->tls_min };

	return key_for(r->gate, "lapi tickets", o.ticket_secret, err) ? tls_server_new(&o, err) : NULL;
}

static bool lapi_start(struct reputation *r, const struct config *c, struct err *err)
{
	struct lapi_options o = { .decisions = r->gate->shared.decisions, .alerts = r->alerts, .keys = r->keys, .share = r->share,
				  .registration = c->lapi.registration, .profile = profile_alert,
				  .appsec = c->lapi.appsec ? on_appsec : NULL, .ctx = r };
	struct appsec_options appsec = { appsec_choose, appsec_told, r };
	struct listen_config bind;
	int fd;

	if (!c->lapi.bind.at)
		return true;
	if (c->lapi.appsec && !(r->appsec = appsec_new(&appsec)))
		return err_set(err, SIDE_SELF, 0, "out of memory");
	if ((c->lapi.cert && !(o.serve.tls = r->lapi_tls = lapi_tls(r, c, err))) || !key_for(r->gate, "lapi", o.key, err) ||
	    !handover_parse(c->lapi.bind, &bind, err) ||
	    !handover_bind(r->gate->supervisor, &bind, 1, &fd, err))
		return err_at(err, "lapi");
	o.serve.fds = &fd;
	o.serve.nfds = 1;
	r->lapi = lapi_open(r->gate->loop, &o, err);
	return r->lapi || err_at(err, "lapi");
}

/* ---- what was seen ---- */

struct told_alert {
	struct reputation *reputation;
	struct arena *arena;
	struct alert alert;
};

static void on_alert(void *arg)
{
	struct told_alert *t = arg;

	if (t->reputation->crowdsec)
		lapi_client_push(t->reputation->crowdsec, &t->alert);
	arena_free(t->arena);
}

/* The client is the control thread's. */
static void push(struct reputation *r, const struct alert *a)
{
	struct arena *arena = arena_new(ALERT_BYTES);
	struct told_alert *t = arena ? arena_get(arena, sizeof *t) : NULL;
	struct decision *d = t ? arena_get(arena, (a->ndecisions + 1) * sizeof *d) : NULL;

	if (!d) {
		arena_free(arena);
		return;
	}
	*t = (struct told_alert){ r, arena, *a };
	t->alert.scenario = arena_copy(arena, a->scenario);
	t->alert.message = arena_copy(arena, a->message);
	t->alert.value = arena_copy(arena, a->value);
	t->alert.decisions = d;
	for (size_t i = 0; i < a->ndecisions; i++) {
		d[i] = a->decisions[i];
		d[i].value = arena_copy(arena, d[i].value);
		d[i].reason = arena_copy(arena, d[i].reason);
		d[i].origin = arena_copy(arena, d[i].origin);
	}
	if (!loop_post(r->gate->loop, on_alert, t))
		arena_free(arena);
}

void reputation_alert(struct reputation *r, const struct overflow *o, const struct decision *d, size_t n)
{
	char room[512];
	struct text t = text_over(room, sizeof room);
	struct alert a = { .made_ms = clock_wall_ms(), .scenario = o->scenario->name, .scope = o->scope, .value = o->value,
			   .events = o->count, .first_ms = o->first_ms, .last_ms = o->last_ms,
			   .simulated = n && d->simulated, .decisions = d, .ndecisions = n };

	text_str(&t, scope_word(o->scope));
	text_byte(&t, ' ');
	text_put(&t, bytes_sub(o->value, 0, 128));
	text_str(&t, " performed '");
	text_put(&t, bytes_sub(o->scenario->name, 0, 128));
	text_printf(&t, "' (%u events over %llu s)", o->count, (unsigned long long)(o->last_ms - o->first_ms) / 1000);
	a.message = text_bytes(&t);
	if (r->alerts)
		a.id = alerts_add(r->alerts, &a);
	if (r->crowdsec)
		push(r, &a);
}

unsigned reputation_node(const struct reputation *r)
{
	return decisions_number(r->gate->shared.decisions);
}

/* ---- beginning and end ---- */

bool reputation_open(struct reputation *r, struct gate *g, struct err *err)
{
	const struct config *c = g->site->config;

	r->gate = g;
	err_set(err, SIDE_SELF, 0, "out of memory");
	if (!(r->configs = arena_new(CONFIG_BYTES)) || !(r->guard = guard_new(c->cti.guard_clients)))
		return false;
	decisions_set_guard(g->shared.decisions, may_hold, r);
	return store_start(r, c, err) && share_start(r, c, err) && lists_start(r, c, err) && crowdsec_start(r, c, err) &&
	       lapi_start(r, c, err);
}

/* Connections and listeners are those of the start. */
static void say_what_stays(const struct reputation *r, const struct config *c)
{
	bool had_redis = r->share, had_lapi = r->lapi, had_crowdsec = r->crowdsec;

	if (had_redis != (c->redis.urls.n > 0) || had_lapi != (c->lapi.bind.at != NULL) || had_crowdsec != (c->cti.crowdsec.lapi.len > 0))
		log_warn("redis, lapi and cti: crowdsec are those of the start: what was changed there takes a restart");
}

void reputation_reload(struct reputation *r)
{
	const struct config *c = r->gate->site->config;
	struct arena *fresh = arena_new(CONFIG_BYTES);
	struct list_config *configs = fresh ? lists_of(r, c, fresh) : NULL;
	struct err err = { 0 };

	if (!configs || !lists_reload(r->lists, configs, c->cti.nlists, &err))
		log_error("lists: %s: the old ones stay", configs ? err.text : "out of memory");
	arena_free(fresh); /* they have a copy */
	if (r->share)
		share_config_hash(r->share, c->hash);
	say_what_stays(r, c);
}

static void on_lapi_closed(void *ctx)
{
	struct reputation *r = ctx;

	r->lapi = NULL;
	tls_context_free(r->lapi_tls);
	r->lapi_tls = NULL;
}

void reputation_drain(struct reputation *r)
{
	if (r->lapi)
		lapi_close(r->lapi, on_lapi_closed, r);
	if (r->crowdsec)
		lapi_client_rest(r->crowdsec);
}

/* The loop has ended: nothing is called back any more. */
void reputation_close(struct reputation *r)
{
	keys_close(r->keys);
	alerts_close(r->alerts);
	store_close(r->store);
}
