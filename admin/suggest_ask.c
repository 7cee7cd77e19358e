/* suggest_ask.c -- what the replay says of clusters and their exceptions. */
#include "admin/suggest_ask.h"
#include "admin/archive.h"
#include "admin/rules_hooks.h"

enum { ASKS_MAX = 4 };

/* A request of the job: which event, and the cluster whose exception is tried; of the first ones none is. */
struct trial { uint32_t event, cluster; };

struct suggest_work {
	size_t next;             /* event whose app is asked next */
	bool *asked;             /* by event: its app was */
	struct replay_job job;
	struct trial *trials;
	uint32_t *seen, *tried;  /* by client, by event: which cluster counted it last */
	uint32_t mark;
};

/* ---- the job of an app; on the loop, as all that follows ---- */

static void end(struct suggest_ask *ask, const struct err *e)
{
	ask->admin->suggests--; /* with the answer the admin may be gone */
	ask->done(ask, e);
	suggest_ask_free(ask);
}

static void fail(struct suggest_ask *ask, const char *why)
{
	struct err e;

	err_set(&e, SIDE_SELF, 0, "%s", why);
	end(ask, &e);
}

static void add_trial(struct suggest_work *w, const struct suggest_set *s, uint32_t event, uint32_t cluster, uint32_t tries)
{
	struct replay_request *q = (struct replay_request *)(uintptr_t)w->job.requests + w->job.n;

	if (w->job.n == REPLAY_MAX)
		return;
	*q = s->events[event].kept.request;
	q->tries = tries;
	w->trials[w->job.n++] = (struct trial){ event, cluster };
}

static bool room(struct suggest_ask *ask)
{
	struct suggest_work *w = ask->work;
	struct suggest_set *s = &ask->set;
	struct replay_exception *x = arena_get(s->arena, (s->nclusters + 1) * sizeof *x);

	w->job = (struct replay_job){ .arena = s->arena, .exceptions = x, .nexceptions = s->nclusters, .lenient = !ask->only, .ctx = ask };
	w->job.requests = arena_get(s->arena, REPLAY_MAX * sizeof *w->job.requests);
	w->trials = arena_get(s->arena, REPLAY_MAX * sizeof *w->trials);
	for (size_t i = 0; x && i < s->nclusters; i++)
		x[i] = s->clusters[i].exception;
	return x && w->job.requests && w->trials;
}

/* As they are, then cluster by cluster with its exception. What has no room is reckoned. */
static void put_trials(struct suggest_ask *ask)
{
	struct suggest_work *w = ask->work;
	struct suggest_set *s = &ask->set;

	for (uint32_t i = 0; i < s->n; i++) {
		if (!bytes_eq(s->events[i].kept.app, w->job.app))
			continue;
		w->asked[i] = true;
		if (s->events[i].kept.whole)
			add_trial(w, s, i, 0, REPLAY_NONE);
	}
	for (uint32_t c = 0; c < s->nclusters; c++)
		for (size_t i = 0; bytes_eq(s->clusters[c].app, w->job.app) && i < s->clusters[c].nnear; i++)
			if (s->events[s->clusters[c].near[i]].kept.whole)
				add_trial(w, s, s->clusters[c].near[i], c, c + 1);
}

/* ---- what came of it ---- */

static void count(struct suggest_ask *ask, struct suggest_cluster *c, uint32_t event)
{
	const struct suggest_event *x = &ask->set.events[event];
	uint32_t *seen = &ask->work->seen[x->client], mark = 2 * ask->work->mark;
	bool bad = x->kept.marked || suggest_is_bad(&ask->set.clients[x->client]), first = *seen < mark;

	c->unblock.events++;
	c->unblock.clients += first;
	if (bad) {
		c->open.events++;
		c->open.clients += *seen <= mark; /* mark + 1: it was counted as open too */
	}
	if (first || bad)
		*seen = mark + bad;
}

static bool was_stopped(const struct replay_event *x)
{
	static const char *const passes[] = { "allow", "log" };

	return !bytes_eq(x->would, bytes_of(passes[0])) && !bytes_eq(x->would, bytes_of(passes[1]));
}

enum { UNKNOWN, STOPPED, PASSES };

/* By event: what it comes to as it is. */
static uint8_t *bases(struct suggest_ask *ask)
{
	const struct suggest_work *w = ask->work;
	uint8_t *at = arena_get(ask->set.arena, ask->set.n + 1);

	for (size_t i = 0; at && i < w->job.judged; i++)
		if (w->job.requests[i].tries == REPLAY_NONE)
			at[w->trials[i].event] = w->job.outcomes[i].would > REMEDY_LOG ? STOPPED : PASSES;
	return at;
}

/* Trials of a cluster stand together. */
static size_t count_replayed(struct suggest_ask *ask, uint32_t number, const uint8_t *base, size_t from)
{
	const struct suggest_work *w = ask->work;
	struct suggest_cluster *c = &ask->set.clusters[number];

	while (from < w->job.n && (w->job.requests[from].tries == REPLAY_NONE || w->trials[from].cluster < number))
		from++;
	for (; from < w->job.judged && w->trials[from].cluster == number; from++) {
		c->replayed++;
		w->tried[w->trials[from].event] = w->mark;
		if (base[w->trials[from].event] == STOPPED && w->job.outcomes[from].would <= REMEDY_LOG)
			count(ask, c, w->trials[from].event);
	}
	return from;
}

static void count_reckoned(struct suggest_ask *ask, struct suggest_cluster *c, const uint8_t *base)
{
	for (size_t k = 0; k < c->nnear; k++) {
		uint32_t i = c->near[k];
		const struct suggest_event *x = &ask->set.events[i];

		if (ask->work->tried[i] == ask->work->mark)
			continue;
		c->reckoned++;
		if ((base[i] == UNKNOWN ? was_stopped(&x->kept) : base[i] == STOPPED) && suggest_reckon(&c->exception, 1, &x->kept))
			count(ask, c, i);
	}
}

/* Nothing of it is stopped any more, and of all of it that is known. */
static bool is_over(const struct suggest_cluster *c, const uint8_t *base)
{
	for (size_t i = 0; i < c->n; i++)
		if (base[c->events[i]] != PASSES)
			return false;
	return c->n > 0;
}

static void count_all(struct suggest_ask *ask)
{
	struct suggest_set *s = &ask->set;
	const uint8_t *base = bases(ask);
	size_t at = 0;

	for (uint32_t c = 0; base && c < s->nclusters; c++) {
		if (!bytes_eq(s->clusters[c].app, ask->work->job.app))
			continue;
		ask->work->mark++;
		at = count_replayed(ask, c, base, at);
		count_reckoned(ask, &s->clusters[c], base);
		s->clusters[c].over = is_over(&s->clusters[c], base);
	}
}

static void next_app(struct suggest_ask *);

/* An app that is gone has nothing that could be asked: its clusters are as they were reckoned. */
static void judged(struct replay_job *j)
{
	struct suggest_ask *ask = j->ctx;

	if (j->failed && ask->only) {
		end(ask, &j->err);
		return;
	}
	if (j->failed)
		j->judged = 0;
	count_all(ask);
	next_app(ask);
}

static void next_app(struct suggest_ask *ask)
{
	const struct admin_hooks *h = &ask->admin->hooks;
	struct suggest_work *w = ask->work;

	while (w->next < ask->set.n && w->asked[w->next])
		w->next++;
	if (w->next == ask->set.n) {
		end(ask, NULL);
		return;
	}
	if (!room(ask)) {
		fail(ask, "out of memory");
		return;
	}
	w->job.app = ask->set.events[w->next].kept.app;
	w->job.done = judged;
	put_trials(ask);
	if (!h->rules->replay(h->ctx, &w->job))
		fail(ask, "too many questions of this kind wait already");
}

static void loaded(void *arg)
{
	struct suggest_ask *ask = arg;
	struct suggest_work *w = ask->work;

	w->asked = arena_get(ask->set.arena, ask->set.n + 1);
	w->seen = arena_get(ask->set.arena, (ask->set.nclients + 1) * sizeof *w->seen);
	w->tried = arena_get(ask->set.arena, (ask->set.n + 1) * sizeof *w->tried);
	if (!ask->loaded || !w->asked || !w->seen || !w->tried)
		fail(ask, "the events cannot be read: the log says why");
	else if (ask->unjudged)
		end(ask, NULL);
	else
		next_app(ask);
}

/* ---- the beginning ---- */

struct suggest_ask *suggest_ask_new(struct admin *admin)
{
	struct arena *a = arena_new(REPLAY_ARENA);
	struct suggest_ask *ask = a ? arena_get(a, sizeof *ask) : NULL;

	if (ask)
		*ask = (struct suggest_ask){ .admin = admin, .set.arena = a, .work = arena_get(a, sizeof *ask->work) };
	if (ask && ask->work)
		return ask;
	arena_free(a);
	return NULL;
}

void suggest_ask_free(struct suggest_ask *ask)
{
	arena_free(ask->set.arena); /* ask with it */
}

void suggest_ask_start(struct suggest_ask *ask)
{
	struct archive *archive = ask->admin->archive;

	if (ask->admin->suggests++ >= ASKS_MAX)
		fail(ask, "too many questions of this kind wait already");
	else if (!archive)
		fail(ask, "events are not kept: the log says why");
	else if (!store_do(archive_store(archive), suggest_load, ask->admin->loop, loaded, ask))
		fail(ask, "too much is asked at a time");
}
