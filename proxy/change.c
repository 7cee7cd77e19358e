/* change.c -- a change of the configuration, verified before it is written. */
#include "proxy/change.h"
#include "base/clock.h"
#include "base/diff.h"
#include "base/hash.h"
#include "base/log.h"
#include "proxy/overrides.h"
#include <stdarg.h>

enum { CHANGE_ARENA = 256 << 20, WARNINGS_MAX = 32, RETRY_MS = 10000 };

struct change {
	struct gate *gate;
	struct arena *arena;
	const struct edit_ask *ask;
	edit_done *done;
	void *arg;
	struct bytes before, after;    /* texts of the file; before.at == NULL: there is none */
	unsigned line;                 /* EDIT_DROP: where the entry is */
	struct bytes diff;
	struct bytes warnings[WARNINGS_MAX];
	size_t nwarnings;
	uint64_t id;
	struct overrides_pending pending;
	bool written;
};

static const char *path_of(const struct change *c)
{
	return c->gate->site->config->overrides_file;
}

/* ---- asking ---- */

__attribute__((format(printf, 4, 5)))
static void refuse(edit_done *done, void *arg, unsigned status, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	done(arg, &(struct edit_outcome){ .status = status, .error = text });
}

static const struct exception_config *exception_find(const struct config *c, uint64_t id, struct bytes *app)
{
	for (size_t i = 0; i < c->napps; i++)
		for (size_t k = 0; k < c->apps[i].nexceptions + c->apps[i].nexceptions_over; k++)
			if (c->apps[i].exceptions[k].id == id) {
				*app = c->apps[i].name;
				return &c->apps[i].exceptions[k];
			}
	return NULL;
}

static bool is_ours(const struct config *c, const struct where *w)
{
	return c->overrides_file && strcmp(w->file, c->overrides_file) == 0;
}

/* False: it was refused. */
static bool may(struct gate *g, const struct edit_ask *ask, edit_done *done, void *arg)
{
	bool changes = !ask->dry && ask->kind != EDIT_CHECK, waits = g->pending.until_ms != 0;

	if (g->stopping)
		refuse(done, arg, 503, "the gate is shutting down");
	else if (g->reload)
		refuse(done, arg, 409, "another change or a reload is under way");
	else if (ask->kind == EDIT_UNDO && !waits)
		refuse(done, arg, 409, "no change waits to be confirmed");
	else if (changes && waits && ask->kind != EDIT_UNDO)
		refuse(done, arg, 409, "a change by %s waits to be confirmed: confirm it or take it back first", g->pending.by);
	else
		return true;
	return false;
}

/* Where the entry is that shall go. False: it was refused. */
static bool find_entry(struct change *c, struct bytes *app)
{
	const struct config *config = c->gate->site->config;
	const struct exception_config *e = exception_find(config, c->ask->id, app);

	if (!e)
		refuse(c->done, c->arg, 404, "there is no exception with this id");
	else if (!is_ours(config, &e->where))
		refuse(c->done, c->arg, 409, "it is in a file of the administrator's: %s:%u", e->where.file, e->where.line);
	else
		c->line = e->where.line;
	return c->line != 0;
}

static struct change *change_new(struct gate *g, const struct edit_ask *ask, edit_done *done, void *arg)
{
	struct arena *a = arena_new(CHANGE_ARENA);
	struct change *c = a ? arena_get(a, sizeof *c) : NULL;

	if (c)
		*c = (struct change){ .gate = g, .arena = a, .ask = ask, .done = done, .arg = arg, .before = g->site->config->overrides };
	else
		arena_free(a);
	return c;
}

void change_start(struct gate *g, const struct edit_ask *ask, edit_done *done, void *arg)
{
	struct change *c;
	struct bytes app;

	if (!may(g, ask, done, arg))
		return;
	if (!(c = change_new(g, ask, done, arg))) {
		refuse(done, arg, 503, "out of memory");
		return;
	}
	if (ask->kind == EDIT_DROP && !find_entry(c, &app)) {
		arena_free(c->arena);
		return;
	}
	if (!reload_change(g, c)) {
		arena_free(c->arena);
		refuse(done, arg, 503, "out of memory");
	}
}

/* ---- the new text, on the thread ---- */

static bool is_as_it_runs(struct change *c, struct err *e)
{
	struct bytes now;

	if (!overrides_file_read(c->arena, path_of(c), 0, &now, e))
		return false;
	return (!now.at == !c->before.at && bytes_eq(now, c->before)) ||
	       err_set(e, SIDE_CLIENT, 409, "%s was changed by hand: reload first", path_of(c));
}

static bool patch(struct change *c, struct overrides *o, struct bytes note, struct err *e)
{
	const struct edit_ask *ask = c->ask;
	struct bytes app = ask->app;

	switch (ask->kind) {
	case EDIT_SET:
		for (size_t i = 0; i < ask->nkeys; i++)
			if (!overrides_set(o, app, ask->keys[i].path, ask->keys[i].value, note, e))
				return false;
		return true;
	case EDIT_ADD:
		return overrides_add(o, app, "exceptions", ask->entry, note, e);
	default:
		return exception_find(c->gate->site->config, ask->id, &app) && overrides_drop(o, app, "exceptions", c->line, e);
	}
}

static bool patched(struct change *c, struct err *e)
{
	struct overrides *o = overrides_read(c->arena, c->before, path_of(c), e);
	struct bytes note = overrides_note(c->arena, c->ask->by, clock_wall_ms());

	if (!o || !patch(c, o, note, e))
		return false;
	c->after = overrides_print(c->arena, o);
	return c->after.at || err_set(e, SIDE_CONFIG, 0, "%s:1:1: would be larger than %d KiB", path_of(c), OVERRIDES_MAX >> 10);
}

/* What the file shall be. */
static bool text_make(struct change *c, struct err *e)
{
	switch (c->ask->kind) {
	case EDIT_CHECK:
		return true;
	case EDIT_TEXT:
		c->after = c->ask->text;
		return c->after.len <= OVERRIDES_MAX || err_set(e, SIDE_CONFIG, 0, "%s:1:1: larger than %d KiB", path_of(c), OVERRIDES_MAX >> 10);
	case EDIT_UNDO:
		if (c->gate->pending.had && !overrides_file_read(c->arena, path_of(c), 1, &c->after, e))
			return false;
		c->after = c->after.at ? c->after : BYTES("");
		return true;
	default:
		return patched(c, e);
	}
}

static void on_warning(void *ctx, const char *text)
{
	struct change *c = ctx;
	struct bytes b = arena_copy(c->arena, bytes_of(text));

	if (b.at && c->nwarnings < WARNINGS_MAX)
		c->warnings[c->nwarnings++] = b;
}

struct config *change_config(struct change *c, struct err *e)
{
	bool check = c->ask->kind == EDIT_CHECK;
	const struct config_how how = { check ? NULL : &c->after, on_warning, c };

	if (!check && (!is_as_it_runs(c, e) || !text_make(c, e)))
		return NULL;
	if (!check)
		c->diff = diff_unified(c->arena, OVERRIDES_NAME, c->before, OVERRIDES_NAME, c->after);
	return options_config(&c->gate->options, &how, e);
}

/* ---- what was built, on the thread ---- */

__attribute__((format(printf, 2, 3)))
static void warn(struct change *c, const char *fmt, ...)
{
	char text[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	on_warning(c, text);
}

/* Says what protects less than now. */
static void look_at(struct change *c, const struct site *candidate)
{
	for (size_t i = 0; i < candidate->napps; i++) {
		const struct app *new = &candidate->apps[i], *old = site_app(c->gate->site, new->config->name);
		size_t rules = new->rules ? ruleset_count(new->rules) : 0, had = old && old->rules ? ruleset_count(old->rules) : 0;

		if (rules < had)
			warn(c, "apps.%.*s: %zu rules in place of %zu", BYTES_ARG(new->config->name), rules, had);
		if (old && new->config->waf.mode > old->config->waf.mode)
			warn(c, "apps.%.*s: mode %s in place of %s", BYTES_ARG(new->config->name),
			     mode_word(new->config->waf.mode), mode_word(old->config->waf.mode));
	}
}

/* The entry was put behind all others of its app. */
static bool find_added(struct change *c, const struct config *config, struct err *e)
{
	const struct exception_config *added = NULL;
	size_t same = 0;

	for (size_t i = 0; i < config->napps; i++) {
		const struct app_config *a = &config->apps[i];

		for (size_t k = 0; bytes_eq(a->name, c->ask->app) && k < a->nexceptions + a->nexceptions_over; k++)
			if (is_ours(config, &a->exceptions[k].where) && (!added || a->exceptions[k].where.line > added->where.line))
				added = &a->exceptions[k];
		for (size_t k = 0; added && bytes_eq(a->name, c->ask->app) && k < a->nexceptions + a->nexceptions_over; k++)
			same += a->exceptions[k].id == added->id;
	}
	c->id = added ? added->id : 0;
	return same < 2 || err_set(e, SIDE_CLIENT, 409, "the same exception is there already");
}

static struct bytes canonical(struct change *c, const struct config *config)
{
	return config->root ? yaml_print(c->arena, config->root, NULL) : config->overrides;
}

static bool write_file(struct change *c, struct err *e)
{
	const char *path = path_of(c);

	if (c->ask->confirm_s) {
		c->pending = (struct overrides_pending){ .until_ms = clock_wall_ms() + c->ask->confirm_s * 1000ull,
							 .hash = hash_content(HASH_CONTENT_START, c->after), .had = c->before.at != NULL };
		snprintf(c->pending.by, sizeof c->pending.by, "%.*s", BYTES_ARG(c->ask->by));
		if (!overrides_pending_write(path, &c->pending, e))
			return false;
	}
	c->written = overrides_file_write(path, c->after, e);
	if (!c->written && c->ask->confirm_s)
		overrides_pending_drop(path);
	return c->written;
}

bool change_keep(struct change *c, const struct site *candidate, struct err *e)
{
	if (c->ask->kind == EDIT_CHECK)
		c->diff = diff_unified(c->arena, "running", canonical(c, c->gate->site->config), "files", canonical(c, candidate->config));
	if (!c->diff.at)
		return err_set(e, SIDE_SELF, 0, "out of memory");
	if (c->ask->kind == EDIT_ADD && !find_added(c, candidate->config, e))
		return false;
	look_at(c, candidate);
	return change_is_dry(c) || write_file(c, e);
}

bool change_is_dry(const struct change *c)
{
	return c->ask->dry || c->ask->kind == EDIT_CHECK;
}

/* ---- the end ---- */

static void pending_set(struct gate *g, uint64_t after_ms);

static void settle(struct change *c, bool ok)
{
	struct gate *g = c->gate;
	const char *path = path_of(c);

	if (!ok && c->written) {
		overrides_file_back(path, c->before.at != NULL);
		if (c->ask->confirm_s)
			overrides_pending_drop(path);
	}
	if (!ok || change_is_dry(c))
		return;
	if (c->ask->kind == EDIT_UNDO) {
		overrides_pending_drop(path);
		change_rest(g);
	}
	if (c->ask->confirm_s) {
		g->pending = c->pending;
		pending_set(g, c->ask->confirm_s * 1000ull);
	}
	log_warn("the configuration was changed by %.*s: %s", BYTES_ARG(c->ask->by), path);
}

/* "file:line:column: text" taken apart; what has no place stays as it is. */
static void place(struct edit_outcome *o, const char *text)
{
	struct bytes rest = bytes_of(text), line, column;
	size_t at = 0, colon;
	uint64_t l, n;

	o->error = text;
	while ((colon = bytes_index(bytes_from(rest, at), ':')) != SIZE_MAX) {
		struct bytes behind = bytes_from(rest, at + colon + 1);

		if (bytes_cut(&behind, ':', &line) && bytes_u64(line, &l) && bytes_cut(&behind, ':', &column) && bytes_u64(column, &n)) {
			o->file = bytes_sub(rest, 0, at + colon);
			o->line = (unsigned)l;
			o->column = (unsigned)n;
			o->error = behind.at && behind.len > 1 ? behind.at + 1 : "";
			return;
		}
		at += colon + 1;
	}
}

static unsigned status_of(const struct err *e)
{
	if (e->side == SIDE_CLIENT && e->code >= 400)
		return (unsigned)e->code;
	return e->side == SIDE_SELF ? 503 : 422;
}

void change_end(struct change *c, bool ok, const struct err *e)
{
	struct edit_outcome o = { .status = ok ? 200 : status_of(e), .diff = c->diff.at ? c->diff : BYTES(""),
				  .warnings = { c->warnings, c->nwarnings }, .applied = ok && !change_is_dry(c) };

	settle(c, ok);
	if (!ok)
		place(&o, e->text);
	if (o.applied && c->ask->confirm_s)
		o.confirm_by_ms = c->pending.until_ms;
	o.id = ok ? c->id : 0;
	c->done(c->arg, &o);
	arena_free(c->arena);
}

/* ---- what waits to be confirmed ---- */

static void on_lapsed(void *arg);

static void undone(void *arg, const struct edit_outcome *o)
{
	struct gate *g = arg;

	if (o->status == 200) {
		log_warn("nobody confirmed the change of the configuration: it is undone");
		edit_undone(g->admin, bytes_of(g->undoing), o->diff);
		return;
	}
	log_error("the change of the configuration that nobody confirmed cannot be undone yet: %s", o->error);
	if (g->pending.until_ms)
		pending_set(g, RETRY_MS);
}

/* During an upgrade another process may have settled it: then its file is gone, and only what runs here is to follow. What
 * was written by hand and reloaded since is no longer that change. */
static void on_lapsed(void *arg)
{
	static const struct edit_ask undo = { .kind = EDIT_UNDO, .by = BYTES_INIT("embergate") };
	struct gate *g = arg;
	struct overrides_pending p;

	if (!overrides_pending_read(g->site->config->overrides_file, &p)) {
		change_rest(g);
		reload_start(g, NULL, NULL);
		return;
	}
	if (p.hash != hash_content(HASH_CONTENT_START, g->site->config->overrides)) {
		log_warn("nobody confirmed the change of the configuration by %s, but it was changed by hand since: nothing is undone", p.by);
		overrides_pending_drop(g->site->config->overrides_file);
		change_rest(g);
		return;
	}
	snprintf(g->undoing, sizeof g->undoing, "%s", g->pending.by);
	change_start(g, &undo, undone, g);
}

static void pending_set(struct gate *g, uint64_t after_ms)
{
	deadline_set(g->loop, &g->lapse, after_ms, on_lapsed, g);
}

void change_rest(struct gate *g)
{
	deadline_clear(&g->lapse);
	g->pending = (struct overrides_pending){ 0 };
}

bool change_confirm(struct gate *g, struct err *e)
{
	if (!g->pending.until_ms)
		return err_set(e, SIDE_CLIENT, 409, "no change waits to be confirmed");
	if (g->reload)
		return err_set(e, SIDE_CLIENT, 409, "another change or a reload is under way");
	overrides_pending_drop(g->site->config->overrides_file);
	change_rest(g);
	return true;
}

/* Before anything is served by it. */
static bool undo_now(const char *path, const struct overrides_pending *p, struct err *e)
{
	struct arena *a = arena_new(2 * OVERRIDES_MAX);
	struct bytes text = { 0 };
	bool ok = a && (!p->had || overrides_file_read(a, path, 1, &text, e)) && overrides_file_write(path, text.at ? text : BYTES(""), e);

	arena_free(a);
	return ok;
}

bool change_resume(struct gate *g, const struct config *c)
{
	struct overrides_pending p;
	uint64_t now_ms = clock_wall_ms();
	struct err e = { .text = "out of memory" };

	if (!overrides_pending_read(c->overrides_file, &p) || p.hash != hash_content(HASH_CONTENT_START, c->overrides)) {
		overrides_pending_drop(c->overrides_file);
		return false;
	}
	if (p.until_ms <= now_ms && undo_now(c->overrides_file, &p, &e)) {
		overrides_pending_drop(c->overrides_file);
		log_warn("nobody confirmed the change of the configuration by %s: it is undone", p.by);
		return true;
	}
	if (p.until_ms <= now_ms)
		log_error("the change of the configuration that nobody confirmed cannot be undone yet: %s", e.text);
	g->pending = p;
	pending_set(g, p.until_ms > now_ms ? p.until_ms - now_ms : RETRY_MS);
	return false;
}
