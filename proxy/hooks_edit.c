/* hooks_edit.c -- the configuration, for the API and ctl: as it runs. */
#include "base/clock.h"
#include "base/hash.h"
#include "proxy/bots.h"
#include "proxy/change.h"
#include "proxy/config_parts.h"
#include "proxy/overrides.h"

/* Is it the file that changes are written to? */
static bool is_ours(const struct config *c, const char *file)
{
	return c->overrides_file && strcmp(file, c->overrides_file) == 0;
}

static void show_config(void *ctx, struct arena *a, struct edit_config *out)
{
	const struct gate *g = ctx;
	const struct config *c = g->site->config;
	struct edit_file *files = arena_get(a, (c->nfiles + 1) * sizeof *files);

	*out = (struct edit_config){ .hash = c->hash, .files = files, .nfiles = files ? c->nfiles : 0, .overrides = c->overrides,
				     .confirm_by_ms = g->pending.until_ms, .changed_by = bytes_of(g->pending.by),
				     .writes = c->admin.writes, .cluster_writes = c->admin.cluster_writes };
	for (size_t i = 0; i < out->nfiles; i++)
		files[i] = (struct edit_file){ bytes_of(c->files[i].path), c->files[i].text,
					       hash_content(HASH_CONTENT_START, c->files[i].text),
					       is_ours(c, c->files[i].path) && c->admin.writes };
}

/* ---- apps ---- */

static struct edit_words words_of(const struct words *w)
{
	return (struct edit_words){ w->at, w->n };
}

static struct edit_place place_of(const struct where *w)
{
	return (struct edit_place){ w->file, w->line };
}

static struct edit_words parts_of(struct arena *a, const struct exception_config *e)
{
	struct bytes *at = arena_get(a, e->nparts * sizeof *at + 1);

	for (size_t i = 0; at && i < e->nparts; i++)
		at[i] = bytes_of(config_word(config_exception_parts, e->parts[i]));
	return (struct edit_words){ at, at ? e->nparts : 0 };
}

static struct edit_exception exception_of(struct arena *a, const struct config *c, const struct app_config *app, size_t i)
{
	const struct exception_config *e = &app->exceptions[i];
	bool ours = is_ours(c, e->where.file);
	struct bytes by = { 0 }, made = { 0 };

	if (ours)
		overrides_maker(c->overrides, e->where.line, &by, &made);
	return (struct edit_exception){
		.id = e->id, .app = app->name, .path = e->path, .methods = words_of(&e->methods), .rules = words_of(&e->rules),
		.categories = words_of(&e->categories), .tags = words_of(&e->tags), .args = words_of(&e->args),
		.cookies = words_of(&e->cookies), .headers = words_of(&e->headers), .parts = parts_of(a, e),
		.skip = words_of(&e->skip), .max_body = e->max_body, .until_ms = e->until_s * 1000,
		.over = config_over(e->until_s, clock_wall_ms() / 1000), .reason = e->reason, .where = place_of(&e->where),
		.by = by, .made = made, .writable = ours && c->admin.writes,
	};
}

static bool add_servers(struct arena *a, const struct app *app, struct edit_app *out)
{
	const struct upstream *u = &app->upstream;
	struct edit_server *at = arena_get(a, u->n * sizeof *at + 1);

	for (unsigned i = 0; at && i < u->n; i++) {
		const struct server *s = u->backends[i].server;

		at[i] = (struct edit_server){ bytes_of(s->name), app->config->upstream.servers[i].url, u->backends[i].weight,
					      server_is_up(s, clock_mono_ms()), atomic_load(&s->inflight) };
	}
	out->servers = at;
	out->nservers = at ? u->n : 0;
	return at;
}

/* Where it listens, and the certificates there. */
static bool add_listeners(struct arena *a, const struct site *s, const struct app_config *c, struct edit_app *out)
{
	const struct listen_config *listens = c->nlistens ? c->listens : s->config->listens;
	size_t n = c->nlistens ? c->nlistens : s->config->nlistens;
	struct bytes *names = arena_get(a, n * sizeof *names + 1);
	struct edit_cert *certs = arena_get(a, n * sizeof *certs + 1);

	if (!names || !certs)
		return false;
	for (size_t i = 0; i < n; i++) {
		const struct listen *l = site_listen(s, listens[i].bind);

		names[i] = listens[i].bind;
		if (l && l->tls)
			certs[out->ncerts++] = (struct edit_cert){ listens[i].bind, (uint64_t)tls_context_expiry(l->tls) * 1000 };
	}
	out->listeners = (struct edit_words){ names, n };
	out->certs = certs;
	return true;
}

static bool add_bots(struct arena *a, const struct app_bots_config *c, struct edit_app *out)
{
	struct edit_bot *at = arena_get(a, (BOT_CATEGORIES + 1) * sizeof *at);

	for (unsigned i = 0; at && i < BOT_CATEGORIES; i++)
		at[i] = (struct edit_bot){ bot_category_word((enum bot_category)i), remedy_word((enum remedy_kind)c->act[i]) };
	if (at)
		at[BOT_CATEGORIES] = (struct edit_bot){ "impostors", remedy_word((enum remedy_kind)c->impostors) };
	out->bots = at;
	out->nbots = at ? BOT_CATEGORIES + 1 : 0;
	return at;
}

static bool add_lists(struct arena *a, const struct config *config, const struct app_config *c, struct edit_app *out)
{
	size_t n = c->nexceptions + c->nexceptions_over;
	struct edit_limit *limits = arena_get(a, c->nlimits * sizeof *limits + 1);
	struct edit_exception *exceptions = arena_get(a, n * sizeof *exceptions + 1);

	for (size_t i = 0; limits && i < c->nlimits; i++) {
		const struct limit_config *l = &c->limits[i];

		limits[i] = (struct edit_limit){ l->path, words_of(&l->methods), l->count, l->per_ms, l->burst, remedy_word(l->then) };
	}
	for (size_t i = 0; exceptions && i < n; i++)
		exceptions[i] = exception_of(a, config, c, i);
	out->limits = limits;
	out->nlimits = limits ? c->nlimits : 0;
	out->exceptions = exceptions;
	out->nexceptions = exceptions ? n : 0;
	return limits && exceptions;
}

static bool app_of(struct arena *a, const struct site *s, const struct app *app, struct edit_app *out)
{
	const struct app_config *c = app->config;
	const char *level = config_word(config_levels, c->challenge.level);

	*out = (struct edit_app){
		.name = c->name, .hosts = words_of(&c->hosts), .mode = mode_word(app_mode(app)),
		.configured_mode = mode_word(c->waf.mode), .ruleset = config_word(config_rulesets, c->waf.ruleset),
		.balance = config_word(config_balances, c->upstream.balance), .challenge_level = level ? level : "none",
		.bots_mode = config_word(config_bots_modes, c->bots.mode), .attack_mode = attack_mode_word(attack_mode(app)),
		.paranoia = c->waf.paranoia, .threshold = c->waf.threshold, .rules = app->rules ? ruleset_count(app->rules) : 0,
		.window = c->waf.window, .challenge_bits = c->challenge.bits, .pass_ms = c->challenge.pass_ms,
		.under_attack = attack_is_on(app), .where = place_of(&c->where),
	};
	out->logins = hooks_logins(a, app, &out->nlogins);
	return add_servers(a, app, out) && add_listeners(a, s, c, out) && add_bots(a, &c->bots, out) && add_lists(a, s->config, c, out);
}

static const struct edit_app *show_apps(void *ctx, struct arena *a, size_t *n)
{
	const struct site *s = ((struct gate *)ctx)->site;
	struct edit_app *apps = arena_get(a, s->napps * sizeof *apps + 1);

	for (size_t i = 0; apps && i < s->napps; i++)
		if (!app_of(a, s, &s->apps[i], &apps[i]))
			return NULL;
	*n = s->napps;
	return apps;
}

/* ---- changing ---- */

static void start_change(void *ctx, const struct edit_ask *ask, edit_done *done, void *arg)
{
	change_start(ctx, ask, done, arg);
}

static bool confirm(void *ctx, struct err *e)
{
	return change_confirm(ctx, e);
}

static void reload(void *ctx, void (*done)(void *arg, bool ok, const char *text), void *arg)
{
	reload_start(ctx, done, arg);
}

const struct edit_hooks hooks_edit = {
	.config = show_config, .apps = show_apps, .change = start_change, .confirm = confirm, .reload = reload,
};
