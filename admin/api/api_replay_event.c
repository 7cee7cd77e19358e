/* api_replay_event.c -- POST /events/{id}/replay: a request of the past before the rules of now, perhaps with an exception
 * that is not in force. */
#include "admin/api/api_replay.h"
#include "admin/api/api_tables.h"
#include "admin/replay_past.h"

static const struct api_field asked_fields[] = {
	{ "exceptions", API_OBJECT, .list = true, .optional = true, .of = &api_exception_shape, .help = "tried beside those in force" },
};
static const struct api_shape asked_shape = API_SHAPE("ReplayAsked", asked_fields);

static const struct api_field was_fields[] = {
	{ "action", API_TEXT, .help = "what was done" },
	{ "would", API_TEXT, .help = "were the app to block" },
	{ "score", API_INT, .help = "of all that matched" },
	{ "rules", API_TEXT, .list = true, .help = "that matched" },
};
static const struct api_shape was_shape = API_SHAPE("ReplayWas", was_fields);

static const struct api_field told_fields[] = {
	{ "was", API_OBJECT, .of = &was_shape, .help = "when it came" },
	{ "now", API_OBJECT, .of = &api_outcome_shape, .help = "by the configuration that runs" },
	{ "exact", API_FLAG, .help = "the request was kept as it came" },
	{ "notes", API_TEXT, .list = true, .help = "what was not kept, and what was not asked" },
};
static const struct api_shape told_shape = API_SHAPE("Replay", told_fields);

static void put_was(struct json_out *o, const struct replay_event *x)
{
	out_object(o, "was");
	out_text(o, "action", x->action);
	out_text(o, "would", x->would);
	out_int(o, "score", x->score);
	out_list(o, "rules");
	for (size_t i = 0; i < x->nhits; i++)
		out_text(o, NULL, x->hits[i].rule);
	out_end(o);
	out_end(o);
}

static void put_replay(struct json_out *o, const struct replay_event *x, const struct replay_outcome *now)
{
	out_object(o, NULL);
	put_was(o, x);
	out_object(o, "now");
	api_put_outcome(o, now);
	out_list(o, "errors");
	out_end(o);
	out_end(o);
	out_flag(o, "exact", x->exact);
	out_list(o, "notes");
	for (size_t i = 0; i < x->nnotes; i++)
		out_text(o, NULL, x->notes[i]);
	out_end(o);
	out_end(o);
}

static void replayed(struct replay_past *p, const struct err *e)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	struct api_call *c = p->ctx;

	if (e) {
		api_failed(c, e);
		return;
	}
	put_replay(&o, &p->event, &p->job.outcomes[0]);
	api_answer(c, 200, &o);
}

static void post_replay(struct api_call *c)
{
	struct replay_past *p = replay_past_new(c->admin);
	struct err e;

	if (!p) {
		api_problem(c, 503, "out of memory");
		return;
	}
	p->done = replayed;
	p->ctx = c;
	if (replay_read_exceptions(p->job.arena, json_at(c->body, "exceptions"), &p->job, &e)) {
		replay_past_start(p, c->params[0]);
		return;
	}
	replay_past_free(p);
	api_failed(c, &e);
}

static const struct api_route routes[] = {
	{ "POST", "/events/{id}/replay", ROLE_OPERATOR, "events", "the request once more, by the configuration that runs", NULL, &asked_shape,
	  &told_shape, post_replay },
};
const struct api_routes api_replay_event_routes = API_ROUTES(routes);
