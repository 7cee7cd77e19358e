/* replay_past.c -- from the id of an event to what the gate would do with it now. */
#include "admin/replay_past.h"
#include "admin/archive.h"
#include "admin/rules_hooks.h"

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

static void judged(struct replay_job *j)
{
	struct replay_past *p = j->ctx;

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
