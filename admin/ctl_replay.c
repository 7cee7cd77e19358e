/* ctl_replay.c -- `embergate ctl replay`: an event once more before the rules of now; `exceptions suggest`: which of them
 * look like mistakes. */
#include "admin/ctl.h"
#include "admin/event_json.h"
#include "admin/impact.h"
#include "admin/replay_past.h"
#include "base/clock.h"
#include <stdlib.h>

static void put_rules(struct text *t, const struct record_hit *hits, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t first = 0;

		while (!bytes_eq(hits[first].rule, hits[i].rule))
			first++;
		if (first < i)
			continue;
		text_str(t, "  ");
		text_plain(t, hits[i].rule);
	}
	text_byte(t, '\n');
}

static void write_table(void *ctx, struct text *t)
{
	const struct replay_past *p = ctx;
	const struct replay_event *x = &p->event;
	const struct replay_outcome *now = &p->job.outcomes[0];
	const struct record *r = now->record;

	text_str(t, "was  ");
	text_plain(t, x->action);
	text_printf(t, "  score %d", x->score);
	put_rules(t, x->hits, x->nhits);
	text_printf(t, "now  %s  score %d", remedy_word(now->action), now->score);
	put_rules(t, r ? r->hits : NULL, r ? r->nhits : 0);
	if (now->held)
		text_printf(t, "     %u exceptions hold for it\n", now->held);
	for (size_t i = 0; i < x->nnotes; i++) {
		text_str(t, "note ");
		text_plain(t, x->notes[i]);
		text_byte(t, '\n');
	}
}

static void write_json(void *ctx, struct text *t)
{
	const struct replay_past *p = ctx;
	const struct replay_outcome *now = &p->job.outcomes[0];

	text_str(t, "{\"id\":");
	text_json(t, p->event.id);
	text_str(t, ",\"was\":");
	text_json(t, p->event.action);
	text_printf(t, ",\"now\":\"%s\",\"would\":\"%s\",\"score\":%d,\"threshold\":%d,\"exact\":%s}\n", remedy_word(now->action),
		    remedy_word(now->would), now->score, now->threshold, p->event.exact ? "true" : "false");
}

static void replayed(struct replay_past *p, const struct err *e)
{
	struct admin_answer *asked = p->ctx;

	if (e)
		admin_answer(asked, false, e->text);
	else
		ctl_reply_text(asked, asked->json ? write_json : write_table, p);
}

void ctl_replay(const struct ctl_ask *ask)
{
	struct replay_past *p = replay_past_new(ask->admin);

	if (!p) {
		admin_answer(ask->answer, false, "out of memory");
		return;
	}
	p->done = replayed;
	p->ctx = ask->answer;
	replay_past_start(p, ask->args[0]);
}

/* ---- suggestions ---- */

enum { DAYS = 7, DAY_MS = 24 * 3600 * 1000 };

static void put_suggestion(struct text *t, const struct suggest_cluster *c)
{
	text_plain(t, c->app);
	text_byte(t, ' ');
	text_plain(t, c->path);
	text_printf(t, "  %s%s", propose_key_word(c->target.key), c->target.name.len ? ":" : "");
	text_plain(t, c->target.name);
	text_printf(t, "  %zu requests of %u clients; %s\n  ", c->n, c->clients, suggest_likely_word(c->likely));
	text_plain(t, c->rule);
	text_str(t, "  ");
	text_plain(t, c->message);
	text_str(t, "\n  - ");
	propose_yaml(t, &c->exception);
	text_str(t, "\n  ");
	impact_line(t, &c->unblock, &c->open);
	text_byte(t, '\n');
}

static void write_suggestions(void *ctx, struct text *t)
{
	const struct suggest_set *s = ctx;
	size_t n = 0;

	for (size_t i = 0; i < s->nclusters; i++) {
		if (s->clusters[i].over || s->clusters[i].kept)
			continue;
		put_suggestion(t, &s->clusters[i]);
		n++;
	}
	if (!n)
		text_str(t, "nothing: in the last 7 days no rule stopped anything that was not decided on\n");
	if (s->more)
		text_printf(t, "only the newest %d alerts were looked at\n", SUGGEST_EVENTS);
}

static void put_json(struct text *t, const struct suggest_cluster *c)
{
	const struct bytes members[][2] = { { BYTES("app"), c->app }, { BYTES("path"), c->path }, { BYTES("parameter"), c->target.name },
					    { BYTES("rule"), c->rule }, { BYTES("likely"), bytes_of(suggest_likely_word(c->likely)) } };
	char yaml[4096];
	struct text y = text_over(yaml, sizeof yaml);

	propose_yaml(&y, &c->exception);
	text_str(t, "{\"id\":");
	text_json(t, bytes_of(c->id));
	for (size_t i = 0; i < nelems(members); i++) {
		text_byte(t, ',');
		text_json(t, members[i][0]);
		text_byte(t, ':');
		text_json(t, members[i][1]);
	}
	text_printf(t, ",\"events\":%zu,\"clients\":%u,\"would_unblock\":%u,\"would_open\":%u,\"kept\":%s,\"exception\":", c->n, c->clients,
		    c->unblock.events, c->open.events, c->kept ? "true" : "false");
	text_json(t, text_bytes(&y));
	text_byte(t, '}');
}

static void write_suggestions_json(void *ctx, struct text *t)
{
	const struct suggest_set *s = ctx;

	text_byte(t, '[');
	for (size_t i = 0; i < s->nclusters; i++) {
		text_str(t, i ? "," : "");
		put_json(t, &s->clusters[i]);
	}
	text_str(t, "]\n");
}

static void suggested(struct suggest_ask *ask, const struct err *e)
{
	struct admin_answer *asked = ask->ctx;

	if (e)
		admin_answer(asked, false, e->text);
	else
		ctl_reply_text(asked, asked->json ? write_suggestions_json : write_suggestions, &ask->set);
}

void ctl_suggestions(const struct ctl_ask *ask)
{
	struct suggest_ask *s = suggest_ask_new(ask->admin);

	if (!s) {
		admin_answer(ask->answer, false, "out of memory");
		return;
	}
	if (ask->nargs > 1)
		s->app = arena_copy(s->set.arena, ask->args[1]);
	s->since_ms = clock_wall_ms() - (uint64_t)DAYS * DAY_MS;
	s->done = suggested;
	s->ctx = ask->answer;
	suggest_ask_start(s);
}
