/* replay_past.c -- from the id of an event to what the gate would do with it now. */
#include "admin/replay_past.h"
#include "admin/archive.h"
#include "admin/edit_hooks.h"
#include "admin/rules_hooks.h"
#include "admin/suggest.h"
#include "base/path.h"

static void end(struct replay_past *p, const struct err *e)
{
	p->done(p, e);
	replay_past_free(p);
}

static void fail(struct replay_past *p, enum side side, int code, const char *why)
{
	struct err e;

	err_set(&e, side, code, "%s", why);
	end(p, &e);
}

/* What stopped it then may not be what is asked now. */
static void note_source(struct arena *a, struct replay_event *x)
{
	static const char *const asked[] = { "rule", "own_rule", "protocol", "none" };

	for (size_t i = 0; i < nelems(asked); i++)
		if (bytes_eq(x->source, bytes_of(asked[i])))
			return;
	replay_event_note(a, x, "%.*s decided it then; limits, decisions, scenarios, bots and challenges are not asked now",
			  BYTES_ARG(x->source));
}

/* ---- what was not kept, reckoned ---- */

static struct exclusion_words words_of(const struct edit_words *w)
{
	return (struct exclusion_words){ w->at, w->n };
}

static struct replay_exception exception_of(const struct edit_exception *e)
{
	struct replay_exception x = { .path = e->path };

	x.what.words[EXCLUDE_SKIP] = words_of(&e->skip);
	x.what.words[EXCLUDE_RULES] = words_of(&e->rules);
	x.what.words[EXCLUDE_CATEGORIES] = words_of(&e->categories);
	x.what.words[EXCLUDE_TAGS] = words_of(&e->tags);
	x.what.words[EXCLUDE_ARGS] = words_of(&e->args);
	x.what.words[EXCLUDE_COOKIES] = words_of(&e->cookies);
	x.what.words[EXCLUDE_HEADERS] = words_of(&e->headers);
	for (size_t i = 0; i < e->parts.n; i++)
		for (unsigned k = 0; k < EXCLUDE_PARTS; k++)
			if (bytes_eq(e->parts.at[i], bytes_of(propose_part_word((enum exclusion_part)k))))
				x.what.parts |= 1u << k;
	return x;
}

static bool has_method(const struct exclusion_words *methods, struct bytes method)
{
	for (size_t i = 0; i < methods->n; i++)
		if (bytes_eq(methods->at[i], method))
			return true;
	return !methods->n;
}

struct holding { struct replay_exception *at; size_t n; struct bytes path; };

static void add_if_holds(struct holding *h, const struct replay_event *x, struct replay_exception e)
{
	if ((!e.path.at || path_matches(e.path, h->path, false)) && has_method(&e.methods, x->request.method))
		h->at[h->n++] = e;
}

/* Those in force, and those that are tried. */
static struct holding holding_for(struct replay_past *p)
{
	const struct admin_hooks *hooks = &p->admin->hooks;
	struct arena *a = p->job.arena;
	size_t napps = 0, most = p->job.nexceptions;
	const struct edit_app *apps = hooks->edit->apps(hooks->ctx, a, &napps);
	struct holding h = { .path = propose_path(a, p->event.path) };

	for (size_t i = 0; apps && i < napps; i++)
		most += apps[i].nexceptions;
	h.at = arena_get(a, (most + 1) * sizeof *h.at);
	for (size_t i = 0; h.at && i < p->job.nexceptions; i++)
		add_if_holds(&h, &p->event, p->job.exceptions[i]);
	for (size_t i = 0; h.at && apps && i < napps; i++)
		for (size_t k = 0; bytes_eq(apps[i].name, p->event.app) && k < apps[i].nexceptions; k++) {
			struct replay_exception e = exception_of(&apps[i].exceptions[k]);

			e.methods = words_of(&apps[i].exceptions[k].methods);
			if (!apps[i].exceptions[k].over)
				add_if_holds(&h, &p->event, e);
		}
	return h;
}

/* What has no body to look at passes too easily: rules that had matched still do, unless an exception says otherwise. */
static void reckon(struct replay_past *p)
{
	struct replay_outcome *now = &p->job.outcomes[0];
	struct holding h;

	if (p->event.whole || now->would > REMEDY_LOG || !bytes_eq(p->event.source, BYTES("rule")))
		return;
	h = holding_for(p);
	if (suggest_reckon(h.at, h.n, &p->event))
		return;
	remedy_from_word(p->event.would, &now->would);
	remedy_from_word(p->event.action, &now->action);
	now->source = SOURCE_RULE;
	replay_event_note(p->job.arena, &p->event, "rules that matched on what was not kept are taken to match still");
}

static void judged(struct replay_job *j)
{
	struct replay_past *p = j->ctx;

	if (j->judged)
		reckon(p);
	if (j->failed)
		end(p, &j->err);
	else if (!j->judged)
		fail(p, SIDE_SELF, 0, "there was no time for it");
	else
		end(p, NULL);
}

static bool read_event(struct replay_past *p, struct bytes text, struct err *e)
{
	const struct json_limits limits = { 2 << 20, 16 };
	struct arena *a = p->job.arena;
	struct json *v = json_read(text, &limits, e);
	bool good = v && replay_event_read(a, v, v, &p->event, e);

	json_free(v);
	if (!good)
		return false;
	note_source(a, &p->event);
	p->job.app = p->event.app;
	p->job.requests = &p->event.request;
	p->job.n = 1;
	return p->job.app.len || err_set(e, SIDE_CLIENT, 422, "no app took it");
}

static void found(void *owner, struct bytes json)
{
	struct replay_past *p = owner;
	const struct admin_hooks *h = &p->admin->hooks;
	struct err e;

	if (!json.len)
		fail(p, SIDE_CLIENT, 404, "no event of that id is kept");
	else if (!read_event(p, json, &e))
		end(p, &e);
	else if (!h->rules->replay(h->ctx, &p->job))
		fail(p, SIDE_SELF, 0, "too many questions of this kind wait already");
}

struct replay_past *replay_past_new(struct admin *admin)
{
	struct arena *a = arena_new(REPLAY_ARENA);
	struct replay_past *p = a ? arena_get(a, sizeof *p) : NULL;

	if (!p) {
		arena_free(a);
		return NULL;
	}
	*p = (struct replay_past){ .admin = admin };
	p->job = (struct replay_job){ .arena = a, .records = true, .done = judged, .ctx = p };
	return p;
}

void replay_past_start(struct replay_past *p, struct bytes id)
{
	if (!p->admin->archive)
		fail(p, SIDE_SELF, 0, "events are not kept: the log says why");
	else if (!archive_find(p->admin->archive, id, p->admin->loop, found, p))
		fail(p, SIDE_SELF, 0, "too much is asked at a time");
}

void replay_past_free(struct replay_past *p)
{
	arena_free(p->job.arena); /* p with it */
}
