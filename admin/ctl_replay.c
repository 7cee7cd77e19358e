/* ctl_replay.c -- `embergate ctl replay`: an event once more before the rules of now. */
#include "admin/ctl.h"
#include "admin/event_json.h"
#include "admin/replay_past.h"
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
