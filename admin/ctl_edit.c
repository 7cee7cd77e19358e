/* ctl_edit.c -- `embergate ctl diff` and `ctl exceptions`: the same changes as the API's, by the owner of the socket. */
#include "admin/audit.h"
#include "admin/ctl.h"
#include "admin/edit.h"
#include "admin/impact.h"
#include "admin/spread.h"
#include "base/clock.h"
#include "base/json_out.h"
#include <stdlib.h>

enum { EDIT_ARENA = 4 << 20, WORDS_MAX = 32, ANSWER_MAX = 4 << 20 };

/* A change that ctl asked for; lives until it is answered, though the asker may go. */
struct editing {
	struct admin *admin;
	struct admin_answer *answer;
	struct arena *arena;
	struct edit_ask ask;
	const char *action;      /* for the audit log */
	struct bytes subject;
	const char *done;        /* what is said then */
	struct impact impact;    /* of EDIT_ADD */
	uint64_t base;           /* hash of the overrides before */
};

/* ---- answers ---- */

static void put_json(struct json_out *o, const struct editing *e, const struct edit_outcome *x)
{
	out_object(o, NULL);
	out_flag(o, "ok", x->status == 200);
	out_flag(o, "applied", x->applied);
	out_str(o, "error", x->error);
	out_text(o, "diff", x->diff.at ? x->diff : BYTES(""));
	out_list(o, "warnings");
	for (size_t i = 0; i < x->warnings.n; i++)
		out_text(o, NULL, x->warnings.at[i]);
	out_end(o);
	if (x->id)
		out_id(o, "id", x->id);
	if (e->ask.kind == EDIT_ADD && !x->error)
		impact_json(o, "impact", &e->impact);
	out_end(o);
}

struct outcome { const struct editing *editing; const struct edit_outcome *outcome; };

static void put_error(struct text *t, const struct edit_outcome *x)
{
	if (x->file.at) {
		text_plain(t, x->file);
		text_printf(t, ":%u:%u: ", x->line, x->column);
	}
	text_plain(t, bytes_of(x->error));
	text_byte(t, '\n');
}

static void write_outcome(void *arg, struct text *t)
{
	const struct outcome *o = arg;
	const struct edit_outcome *x = o->outcome;

	if (x->error)
		put_error(t, x);
	else
		text_put(t, x->diff);
	for (size_t i = 0; i < x->warnings.n; i++) {
		text_str(t, "warning: ");
		text_plain(t, x->warnings.at[i]);
		text_byte(t, '\n');
	}
	if (x->error)
		return;
	if (o->editing->ask.kind == EDIT_ADD && o->editing->impact.known) {
		impact_line(t, &o->editing->impact.unblock, &o->editing->impact.open);
		text_str(t, o->editing->impact.more ? "; only the newest 1000 alerts were looked at\n" : "\n");
	}
	if (x->id)
		text_printf(t, "%016llx: ", (unsigned long long)x->id);
	text_str(t, x->diff.len || x->id ? o->editing->done : "nothing would change\n");
}

static void write_json(void *arg, struct text *t)
{
	const struct outcome *o = arg;
	struct json_out out = json_out(ANSWER_MAX);

	put_json(&out, o->editing, o->outcome);
	text_put(t, out.failed ? BYTES("{\"ok\":false}") : json_out_bytes(&out));
	text_byte(t, '\n');
	json_out_free(&out);
}

static void changed(void *arg, const struct edit_outcome *x)
{
	struct editing *e = arg;
	struct edit_outcome all = *x;
	struct outcome o = { e, &all };
	struct bytes note = x->diff;
	struct text t;

	if (e->ask.kind == EDIT_ADD && !x->error) {
		all.warnings = impact_warnings(e->arena, &e->impact, &x->warnings);
		note = impact_note(e->arena, &e->impact, x->diff);
	}
	if (x->applied)
		audit_note(e->admin, &caller_ctl, e->action, e->subject, note);
	spread_changed(e->admin, &e->ask, x, e->base, NULL, NULL);
	if (admin_text(e->answer->json ? write_json : write_outcome, &o, &t)) {
		ctl_reply(e->answer, x->status == 200 ? CTL_OK : CTL_FAILED, text_bytes(&t));
		free(t.at);
	} else {
		admin_answer(e->answer, false, "out of memory");
	}
	arena_free(e->arena);
}

static struct editing *editing_new(const struct ctl_ask *ask, enum edit_kind kind)
{
	struct arena *a = arena_new(EDIT_ARENA);
	struct editing *e = a ? arena_get(a, sizeof *e) : NULL;

	if (!e) {
		arena_free(a);
		admin_answer(ask->answer, false, "out of memory");
		return NULL;
	}
	*e = (struct editing){ .admin = ask->admin, .answer = ask->answer, .arena = a, .ask = { .kind = kind, .by = BYTES("ctl") } };
	return e;
}

static void editing_end(struct editing *e, const char *why)
{
	admin_answer(e->answer, false, why);
	arena_free(e->arena);
}

static void start(struct editing *e)
{
	const struct admin_hooks *h = &e->admin->hooks;
	const char *why = e->ask.kind == EDIT_CHECK ? NULL : edit_why_not(e->admin, e->arena);

	if (why) {
		editing_end(e, why);
		return;
	}
	e->base = spread_hash(e->admin, e->arena);
	h->edit->change(h->ctx, &e->ask, changed, e);
}

void ctl_diff(const struct ctl_ask *ask)
{
	struct editing *e = editing_new(ask, EDIT_CHECK);

	if (!e)
		return;
	e->done = "";
	start(e);
}

/* ---- exceptions add ---- */

static const struct option {
	const char *name;
	size_t text, words; /* offsets in struct edit_exception; one of them */
} options[] = {
	{ "--app", offsetof(struct edit_exception, app), 0 },
	{ "--path", offsetof(struct edit_exception, path), 0 },
	{ "--reason", offsetof(struct edit_exception, reason), 0 },
	{ "--method", 0, offsetof(struct edit_exception, methods) },
	{ "--rule", 0, offsetof(struct edit_exception, rules) },
	{ "--category", 0, offsetof(struct edit_exception, categories) },
	{ "--tag", 0, offsetof(struct edit_exception, tags) },
	{ "--arg", 0, offsetof(struct edit_exception, args) },
	{ "--cookie", 0, offsetof(struct edit_exception, cookies) },
	{ "--header", 0, offsetof(struct edit_exception, headers) },
	{ "--part", 0, offsetof(struct edit_exception, parts) },
};

static const struct option *option_named(struct bytes name)
{
	for (size_t i = 0; i < nelems(options); i++)
		if (bytes_eq(name, bytes_of(options[i].name)))
			return &options[i];
	return NULL;
}

/* A list may be given with commas, or again. False: too long, or out of memory. */
static bool add_words(struct arena *a, struct edit_words *w, struct bytes given)
{
	struct bytes *all = arena_get(a, WORDS_MAX * sizeof *all), word;

	for (size_t i = 0; all && i < w->n; i++)
		all[i] = w->at[i];
	while (all && bytes_cut(&given, ',', &word)) {
		if (w->n == WORDS_MAX)
			return false;
		all[w->n] = arena_copy(a, word);
		if (!all[w->n++].at)
			return false;
	}
	w->at = all;
	return all;
}

/* The words from args[*i] to the next option, as one text: a reason has several. */
static struct bytes text_at(struct arena *a, const struct ctl_ask *ask, unsigned *i)
{
	char *room = arena_raw(a, CTL_LINE_MAX);
	struct text t = text_over(room, room ? CTL_LINE_MAX : 0);

	for (; *i < ask->nargs && !bytes_starts(ask->args[*i], BYTES("--")); ++*i) {
		text_str(&t, t.len ? " " : "");
		text_put(&t, ask->args[*i]);
	}
	return t.full || !t.len ? (struct bytes){ 0 } : text_bytes(&t);
}

/* NULL, or what is wrong. */
static const char *take_option(struct editing *e, struct edit_exception *x, const struct ctl_ask *ask, unsigned *i)
{
	struct bytes name = ask->args[(*i)++], value;
	const struct option *o = option_named(name);

	if (bytes_eq(name, BYTES("--dry-run"))) {
		e->ask.dry = true;
		return NULL;
	}
	value = text_at(e->arena, ask, i);
	if (!value.len)
		return "an option without a value, or too long a one";
	if (bytes_eq(name, BYTES("--until")))
		return edit_until(value, clock_wall_ms(), &x->until_ms) ? NULL : "--until: write a day (2026-12-31) or a length of time (90d)";
	if (!o)
		return "unknown option: `embergate ctl exceptions --help` lists them";
	if (o->text)
		*(struct bytes *)((char *)x + o->text) = value;
	else if (!add_words(e->arena, (struct edit_words *)((char *)x + o->words), value))
		return "too many words";
	return NULL;
}

static bool has_app(struct editing *e, struct bytes name)
{
	const struct admin_hooks *h = &e->admin->hooks;
	size_t n = 0;
	const struct edit_app *apps = h->edit->apps(h->ctx, e->arena, &n);

	for (size_t i = 0; apps && i < n; i++)
		if (bytes_eq(apps[i].name, name))
			return true;
	return false;
}

static void weighed(void *ctx, const struct impact *i)
{
	struct editing *e = ctx;

	e->impact = *i;
	start(e);
}

static void add(const struct ctl_ask *ask)
{
	struct editing *e = editing_new(ask, EDIT_ADD);
	struct edit_exception x = { 0 };
	const char *why = NULL;

	if (!e)
		return;
	for (unsigned i = 1; !why && i < ask->nargs;)
		why = take_option(e, &x, ask, &i);
	if (!why && !x.app.len)
		why = "--app: whose requests?";
	else if (!why && !has_app(e, x.app))
		why = "--app: there is none of that name";
	else if (!why && !x.reason.len)
		why = "--reason: why?";
	else if (!why && !(e->ask.entry = edit_entry(e->arena, &x)))
		why = "out of memory";
	if (why) {
		editing_end(e, why);
		return;
	}
	e->ask.app = e->subject = x.app;
	e->action = "exception.add";
	e->done = e->ask.dry ? "would be in force\n" : "in force\n";
	impact_ask(e->admin, &x, weighed, e);
}

static void drop(const struct ctl_ask *ask)
{
	struct editing *e = editing_new(ask, EDIT_DROP);

	if (!e)
		return;
	if (ask->nargs != 2 || !edit_id(ask->args[1], &e->ask.id)) {
		editing_end(e, "write: exceptions rm ID, as `exceptions list` shows it");
		return;
	}
	e->subject = arena_copy(e->arena, ask->args[1]);
	e->action = "exception.delete";
	e->done = "it is gone\n";
	start(e);
}

/* ---- exceptions list ---- */

struct listing {
	const struct edit_app *apps;
	size_t n;
	struct bytes only; /* empty: all apps */
	bool json;
};

static void put_words(struct text *t, const char *what, const struct edit_words *w)
{
	if (w->n)
		text_printf(t, "  %s", what);
	for (size_t i = 0; i < w->n; i++) {
		text_str(t, i ? "," : " ");
		text_plain(t, w->at[i]);
	}
}

static void put_row(struct text *t, const struct edit_exception *x)
{
	text_printf(t, "%016llx  ", (unsigned long long)x->id);
	text_plain(t, x->app);
	text_str(t, "  ");
	text_plain(t, x->path.at ? x->path : BYTES("every path"));
	put_words(t, "methods", &x->methods);
	put_words(t, "skip", &x->skip);
	put_words(t, "rules", &x->rules);
	put_words(t, "categories", &x->categories);
	put_words(t, "tags", &x->tags);
	put_words(t, "args", &x->args);
	put_words(t, "cookies", &x->cookies);
	put_words(t, "headers", &x->headers);
	put_words(t, "parts", &x->parts);
	if (x->max_body)
		text_printf(t, "  max_body %llu", (unsigned long long)x->max_body);
	if (x->until_ms) {
		text_str(t, x->over ? "  OVER since " : "  until ");
		clock_rfc3339(t, x->until_ms);
	}
	text_printf(t, "\n                  %s:%u", x->where.file, x->where.line);
	if (x->by.len) {
		text_str(t, ", by ");
		text_plain(t, x->by);
	}
	if (x->reason.at) {
		text_str(t, ": ");
		text_plain(t, x->reason);
	}
	text_byte(t, '\n');
}

static void put_row_json(struct json_out *o, const struct edit_exception *x)
{
	char id[17];

	snprintf(id, sizeof id, "%016llx", (unsigned long long)x->id);
	out_object(o, NULL);
	out_str(o, "id", id);
	out_text(o, "app", x->app);
	out_text(o, "path", x->path);
	out_text(o, "reason", x->reason);
	out_time(o, "until", x->until_ms);
	out_flag(o, "over", x->over);
	out_text(o, "by", x->by);
	out_flag(o, "writable", x->writable);
	out_end(o);
}

static bool is_asked(const struct listing *l, const struct edit_app *a)
{
	return !l->only.len || bytes_eq(a->name, l->only);
}

static void write_list_json(const struct listing *l, struct text *t)
{
	struct json_out o = json_out(ANSWER_MAX);

	out_list(&o, NULL);
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; is_asked(l, &l->apps[i]) && k < l->apps[i].nexceptions; k++)
			put_row_json(&o, &l->apps[i].exceptions[k]);
	out_end(&o);
	text_put(t, o.failed ? BYTES("[]") : json_out_bytes(&o));
	text_byte(t, '\n');
	json_out_free(&o);
}

static void write_list(void *arg, struct text *t)
{
	const struct listing *l = arg;
	bool any = false;

	if (l->json) {
		write_list_json(l, t);
		return;
	}
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; is_asked(l, &l->apps[i]) && k < l->apps[i].nexceptions; k++) {
			put_row(t, &l->apps[i].exceptions[k]);
			any = true;
		}
	text_str(t, any ? "" : "there is none\n");
}

static void list(const struct ctl_ask *ask)
{
	const struct admin_hooks *h = &ask->admin->hooks;
	struct arena *a = arena_new(EDIT_ARENA);
	struct listing l = { .only = ask->nargs > 1 ? ask->args[1] : (struct bytes){ 0 }, .json = ask->answer->json };

	l.apps = a ? h->edit->apps(h->ctx, a, &l.n) : NULL;
	if (l.apps)
		ctl_reply_text(ask->answer, write_list, &l);
	else
		admin_answer(ask->answer, false, "out of memory");
	arena_free(a);
}

void ctl_exceptions(const struct ctl_ask *ask)
{
	struct bytes verb = ask->nargs ? ask->args[0] : BYTES("list");

	if (bytes_eq(verb, BYTES("list")) && ask->nargs <= 2)
		list(ask);
	else if (bytes_eq(verb, BYTES("suggest")) && ask->nargs <= 2)
		ctl_suggestions(ask);
	else if (bytes_eq(verb, BYTES("add")))
		add(ask);
	else if (bytes_eq(verb, BYTES("rm")))
		drop(ask);
	else
		admin_answer(ask->answer, false, "write: exceptions list [APP], exceptions suggest [APP], exceptions add --app APP ..., or exceptions rm ID");
}

/* ---- the client ---- */

/* A reason in quotes becomes words: the line to the gate knows nothing else. */
static enum ctl_outcome exceptions_ask(const struct ctl_client *c, int argc, char **argv)
{
	char *words[CTL_ARGS_MAX + 1], *copies[CTL_ARGS_MAX + 1], *rest;
	enum ctl_outcome outcome = CTL_USAGE;
	int n = 0, copied = 0;

	while (copied < argc && copied <= CTL_ARGS_MAX && (copies[copied] = strdup(argv[copied]))) {
		for (char *word = strtok_r(copies[copied], " \t", &rest); word && n <= CTL_ARGS_MAX; word = strtok_r(NULL, " \t", &rest))
			words[n++] = word;
		copied++;
	}
	if (copied == argc && n <= CTL_ARGS_MAX)
		outcome = ctl_client_ask(c, words, n, ctl_client_quiet(c) ? NULL : stdout);
	else
		fputs("the arguments are too long\n", stderr);
	while (copied > 0)
		free(copies[--copied]);
	return outcome;
}

static const char details[] =
	"  --app NAME        whose requests\n"
	"  --path PATTERN    `*` is any run of characters; without it every path\n"
	"  --rule ID         or a range of ids; several with commas, as of all that follow\n"
	"  --category WORD   sqli, xss, ...\n"
	"  --tag TAG         of SecLang rules\n"
	"  --arg NAME        what is not looked at; --cookie, --header, --part likewise\n"
	"  --method WORD     without it every method\n"
	"  --until WHEN      the last day (2026-12-31) or a length of time (90d); without it for ever\n"
	"  --reason TEXT     why\n"
	"  --dry-run         verify it only\n";

const struct ctl_local ctl_exceptions_local = { "exceptions", exceptions_ask, details };
