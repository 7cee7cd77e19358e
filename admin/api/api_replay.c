/* api_replay.c -- POST /rules/test: a request made up, before an app's rules and perhaps one more. */
#include "admin/api/api_replay.h"
#include "admin/api/api_tables.h"
#include "admin/event_json.h"

/* ---- an outcome ---- */

static bool is_first(const struct record *r, size_t hit)
{
	for (size_t i = 0; i < hit; i++)
		if (bytes_eq(r->hits[i].rule, r->hits[hit].rule))
			return false;
	return true;
}

void api_put_hits(struct json_out *o, const struct record *r)
{
	out_list(o, "hits");
	for (size_t i = 0; r && i < r->nhits; i++)
		event_json_hit(o, &r->hits[i]);
	out_end(o);
	out_list(o, "rules");
	for (size_t i = 0; r && i < r->nhits; i++)
		if (is_first(r, i))
			out_text(o, NULL, r->hits[i].rule);
	out_end(o);
}

static const struct api_field outcome_fields[] = {
	{ "action", API_TEXT, .optional = true, .help = "what is done with it; null: it could not be judged" },
	{ "would", API_TEXT, .optional = true, .help = "were the app to block" },
	{ "source", API_TEXT, .optional = true, .help = "rule, own_rule, protocol, ...; none" },
	{ "reason", API_TEXT, .optional = true, .help = "in words" },
	{ "status", API_INT, .help = "of a refusal; 0: there is none" },
	{ "score", API_INT, .help = "of all hits" },
	{ "threshold", API_INT, .help = "from which the score denies; 0: not known" },
	{ "own_rule", API_TEXT, .optional = true, .help = "of the app's own rules, the one that held" },
	{ "exceptions", API_INT, .help = "of the configuration that held" },
	{ "tried", API_INT, .help = "of those asked with it that held" },
	{ "hits", API_OBJECT, .list = true, .of = &api_hit_shape, .help = "in the order they were found" },
	{ "rules", API_TEXT, .list = true, .help = "ids of the hits, each once" },
	{ "errors", API_TEXT, .list = true, .help = "why it, or the rule, could not be" },
};
const struct api_shape api_outcome_shape = API_SHAPE("Outcome", outcome_fields);

void api_put_outcome(struct json_out *o, const struct replay_outcome *x)
{
	const struct record *r = x->record;

	out_str(o, "action", remedy_word(x->action));
	out_str(o, "would", remedy_word(x->would));
	out_str(o, "source", source_word(x->source));
	out_text(o, "reason", r && r->reason.len ? r->reason : (struct bytes){ 0 });
	out_int(o, "status", x->status);
	out_int(o, "score", x->score);
	out_int(o, "threshold", x->threshold);
	out_text(o, "own_rule", x->own_rule.len ? x->own_rule : (struct bytes){ 0 });
	out_int(o, "exceptions", x->held);
	out_int(o, "tried", x->tried);
	api_put_hits(o, r);
}

static void put_failure(struct json_out *o, const struct replay_job *j)
{
	static const struct replay_outcome none;

	out_null(o, "action");
	out_null(o, "would");
	out_null(o, "source");
	out_null(o, "reason");
	out_int(o, "status", 0);
	out_int(o, "score", 0);
	out_int(o, "threshold", 0);
	out_null(o, "own_rule");
	out_int(o, "exceptions", 0);
	out_int(o, "tried", 0);
	api_put_hits(o, none.record);
	out_list(o, "errors");
	out_str(o, NULL, j->err.text);
	out_end(o);
}

/* ---- a job ---- */

struct replay_job *api_replay_new(struct api_call *c, void (*done)(struct replay_job *))
{
	struct arena *a = arena_new(REPLAY_ARENA);
	struct replay_job *j = a ? arena_get(a, sizeof *j) : NULL;

	if (j) {
		*j = (struct replay_job){ .arena = a, .records = true, .done = done, .ctx = c };
		return j;
	}
	arena_free(a);
	api_problem(c, 503, "out of memory");
	return NULL;
}

void api_replay_start(struct api_call *c, struct replay_job *j)
{
	const struct admin_hooks *h = &c->admin->hooks;

	if (h->rules->replay(h->ctx, j))
		return;
	arena_free(j->arena);
	api_problem(c, 503, "%d questions of this kind wait already", REPLAY_JOBS);
}

static void test_done(struct replay_job *j)
{
	struct json_out o = json_out(API_ANSWER_MAX);
	struct api_call *c = j->ctx;
	bool failed = j->failed || !j->judged;

	out_object(&o, NULL);
	if (failed) {
		put_failure(&o, j);
	} else {
		api_put_outcome(&o, &j->outcomes[0]);
		out_list(&o, "errors");
		out_end(&o);
	}
	out_end(&o);
	arena_free(j->arena);
	api_answer(c, 200, &o);
}

/* The JSON lives as long as the call, and that until the job is told. */
static void post_test(struct api_call *c)
{
	struct replay_job *j = api_replay_new(c, test_done);
	struct replay_request *q = j ? arena_get(j->arena, sizeof *q) : NULL;
	struct err e = { 0 };

	if (!j)
		return;
	if (!q || !replay_read_request(j->arena, c->body, q, &e)) {
		arena_free(j->arena);
		api_failed(c, &e);
		return;
	}
	json_text(c->body, "app", &j->app);
	json_text(c->body, "rule", &j->rule);
	j->requests = q;
	j->n = 1;
	api_replay_start(c, j);
}

static const struct api_route routes[] = {
	{ "POST", "/rules/test", ROLE_OPERATOR, "rules", "what an app's rules, and perhaps one more, say of a request", NULL, &api_request_shape,
	  &api_outcome_shape, post_test },
};
const struct api_routes api_replay_routes = API_ROUTES(routes);
