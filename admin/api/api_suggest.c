/* api_suggest.c -- what looks like false positives, and the smallest exception for each. */
#include "admin/api/api_edit.h"
#include "admin/api/api_replay.h"
#include "admin/api/api_tables.h"
#include "admin/api/peers.h"
#include "admin/audit.h"
#include "admin/impact.h"
#include "base/clock.h"

enum { DAY_MS = 24 * 3600 * 1000, DAYS = IMPACT_DAYS, DAYS_MAX = 90, ID = 16 };

static const struct api_field query_fields[] = {
	{ "days", API_INT, .optional = true, .help = "of alerts that are looked at; 7, at most 90" },
	{ "app", API_TEXT, .optional = true, .help = "only its" },
	{ "limit", API_INT, .optional = true, .min = 1, .help = "those with most events; 100" },
	{ "who", API_FLAG, .optional = true, .help = "with the clients of each, by which another gate counts them once, and verdicts" },
	{ "nodes", API_TEXT, .optional = true, .words = api_all_nodes, .help = "of all gates of the cluster as one list; each is waited for 5 seconds" },
};
static const struct api_shape query_shape = API_SHAPE("SuggestionsQuery", query_fields);

static const struct api_field impact_fields[] = {
	{ "events", API_INT, .help = "requests" },
	{ "clients", API_INT, .help = "addresses that they came from" },
};
const struct api_shape api_impact_shape = API_SHAPE("Impact", impact_fields);

static const char *const likelies[] = { "false positive", "unclear", "attack", NULL };
static const char *const states[] = { "open", "kept", "accepted", NULL };

static const struct api_field who_fields[] = {
	{ "address", API_TEXT, .help = "of the client" },
	{ "has_pass", API_FLAG, .help = "it had solved a challenge" },
	{ "has_success", API_FLAG, .help = "it was answered 2xx" },
	{ "is_bad", API_FLAG, .help = "it has other marks against it" },
};
static const struct api_shape who_shape = API_SHAPE("SuggestionClient", who_fields);

static const struct api_field node_fields[] = {
	{ "node", API_TEXT, .help = "the gate's name" },
	{ "events", API_INT, .help = "that it held" },
	{ "state", API_TEXT, .words = states, .help = "there" },
};
static const struct api_shape node_shape = API_SHAPE("SuggestionNode", node_fields);

static const struct api_field said_fields[] = {
	{ "id", API_TEXT, .help = "of a suggestion" },
	{ "keep", API_FLAG, .help = "it is to stay as it is; false: it is a question again" },
	{ "time", API_TIME, .help = "when that was said; the newest holds" },
};
static const struct api_shape said_shape = API_SHAPE("SuggestionVerdict", said_fields);

static const struct api_field suggestion_fields[] = {
	{ "id", API_TEXT, .help = "the same as long as it is about the same" },
	{ "rule", API_TEXT, .help = "the most frequent of its rules" },
	{ "message", API_TEXT, .help = "of that rule" },
	{ "category", API_TEXT, .help = "of all its rules" },
	{ "app", API_TEXT, .help = "whose requests" },
	{ "path", API_TEXT, .help = "with {} for numbers, UUIDs, hashes, long random words" },
	{ "parameter", API_TEXT, .help = "what was matched on: args:q, cookies:x, headers:x, parts:path; empty: none that could be named" },
	{ "events", API_INT, .help = "requests that it was seen in" },
	{ "clients", API_INT, .help = "addresses that they came from" },
	{ "clients_with_pass", API_INT, .help = "of these, those that had solved a challenge" },
	{ "clients_with_success", API_INT, .help = "those that were answered 2xx in an event of that time" },
	{ "first", API_TIME, .help = "the first of them" },
	{ "last", API_TIME, .help = "the last" },
	{ "sample", API_TEXT, .help = "id of the newest event" },
	{ "likely", API_TEXT, .words = likelies, .help = "by points: +2 four clients or more, +1 two or three, -1 one; +1 one had a pass; "
	  "+1 one had success; +1 over more than an hour; -2 a third of the clients are otherwise bad. 3: a false positive; 0: an attack" },
	{ "exception", API_OBJECT, .of = &api_exception_shape, .help = "the smallest, as POST /exceptions takes it" },
	{ "would_unblock", API_OBJECT, .of = &api_impact_shape, .help = "of all alerts of that time: stopped now, and not with the exception" },
	{ "would_open", API_OBJECT, .of = &api_impact_shape, .help = "of those: held for something else too, or of a client that "
	  "decisions or scenarios have something against or that is in three suggestions or more" },
	{ "replayed", API_INT, .help = "requests that were judged again for these two" },
	{ "reckoned", API_INT, .help = "of which too little was kept: by the rules that had matched" },
	{ "state", API_TEXT, .words = states, .help = "kept: somebody said so; accepted: an exception is in force, or none of it is stopped any more; "
	  "of all gates: open while it is at one of them" },
	{ "who", API_OBJECT, .list = true, .optional = true, .of = &who_shape, .help = "64 at most" },
	{ "sample_node", API_TEXT, .optional = true, .help = "of all gates: the one that keeps the sample" },
	{ "nodes", API_OBJECT, .list = true, .optional = true, .of = &node_shape, .help = "of all gates: those that have some of it" },
};
static const struct api_shape suggestion_shape = API_SHAPE("Suggestion", suggestion_fields);

static const struct api_field list_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &suggestion_shape, .help = "most events first" },
	{ "more", API_FLAG, .help = "alerts than were looked at: the newest 1,000" },
	{ "verdicts", API_OBJECT, .list = true, .optional = true, .of = &said_shape, .help = "what was said at this gate, newest first; with `who`" },
	{ "silent", API_TEXT, .list = true, .optional = true, .help = "of all gates: those that did not answer" },
};
static const struct api_shape list_shape = API_SHAPE("Suggestions", list_fields);

static const char *const verdict_words[] = { "keep", "open", NULL };
static const struct api_field verdict_fields[] = {
	{ "verdict", API_TEXT, .words = verdict_words, .help = "keep: it is to stay as it is; open: it is a question again" },
};
static const struct api_shape verdict_shape = API_SHAPE("Verdict", verdict_fields);

/* ---- the list ---- */

static void put_parameter(struct json_out *o, const struct propose_target *p)
{
	char room[512];
	struct text t = text_over(room, sizeof room);

	text_str(&t, propose_key_word(p->key));
	if (p->key != PROPOSE_WHOLE)
		text_byte(&t, ':');
	text_put(&t, bytes_sub(p->name, 0, sizeof room - 16));
	out_text(o, "parameter", text_bytes(&t));
}

static void put_client(struct json_out *o, const struct suggest_client *who)
{
	char room[64];
	struct text t = text_over(room, sizeof room);

	ip_text(&t, &who->address);
	out_object(o, NULL);
	out_text(o, "address", text_bytes(&t));
	out_flag(o, "has_pass", who->pass);
	out_flag(o, "has_success", who->success);
	out_flag(o, "is_bad", suggest_is_bad(who));
	out_end(o);
}

static bool has(const uint32_t *at, size_t n, uint32_t client)
{
	for (size_t i = 0; i < n; i++)
		if (at[i] == client)
			return true;
	return false;
}

static void put_who(struct json_out *o, const struct suggest_set *s, const struct suggest_cluster *c)
{
	uint32_t named[SUGGEST_WHO];
	size_t n = 0;

	out_list(o, "who");
	for (size_t i = 0; i < c->n && n < SUGGEST_WHO; i++) {
		uint32_t client = s->events[c->events[i]].client;

		if (has(named, n, client))
			continue;
		named[n++] = client;
		put_client(o, &s->clients[client]);
	}
	out_end(o);
}

static void put_said(struct json_out *o, const struct suggest_set *s)
{
	out_list(o, "verdicts");
	for (size_t i = 0; i < s->nverdicts; i++) {
		out_object(o, NULL);
		out_str(o, "id", s->verdicts[i].id);
		out_flag(o, "keep", s->verdicts[i].keep);
		out_time(o, "time", s->verdicts[i].time_ms);
		out_end(o);
	}
	out_end(o);
}

static void put_suggestion(struct json_out *o, const struct suggest_set *s, const struct suggest_cluster *c, bool in_force, bool who)
{
	out_object(o, NULL);
	out_str(o, "id", c->id);
	out_text(o, "rule", c->rule);
	out_text(o, "message", c->message);
	out_text(o, "category", c->category);
	out_text(o, "app", c->app);
	out_text(o, "path", c->path);
	put_parameter(o, &c->target);
	out_int(o, "events", (int64_t)c->n);
	out_int(o, "clients", c->clients);
	out_int(o, "clients_with_pass", c->with_pass);
	out_int(o, "clients_with_success", c->with_success);
	out_time(o, "first", c->first_ms);
	out_time(o, "last", c->last_ms);
	out_text(o, "sample", s->events[c->events[0]].kept.id);
	out_str(o, "likely", suggest_likely_word(c->likely));
	propose_json(o, "exception", &c->exception);
	impact_put(o, "would_unblock", &c->unblock);
	impact_put(o, "would_open", &c->open);
	out_int(o, "replayed", c->replayed);
	out_int(o, "reckoned", c->reckoned);
	out_str(o, "state", in_force || c->over ? "accepted" : c->kept ? "kept" : "open");
	if (who)
		put_who(o, s, c);
	out_end(o);
}

static void suggested(struct suggest_ask *ask, const struct err *e)
{
	struct api_call *c = ask->ctx;
	const struct suggest_set *s = &ask->set;
	struct json_out o = json_out(API_ANSWER_MAX);
	bool who = bytes_eq(api_query(c, "who"), BYTES("true"));
	uint64_t limit = api_query_int(c, "limit", SUGGEST_CLUSTERS, SUGGEST_CLUSTERS);
	const struct edit_app *apps;
	size_t n;

	if (e) {
		api_failed(c, e);
		return;
	}
	if (!(apps = edit_apps_of(c, &n)))
		return;
	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < s->nclusters && i < limit; i++)
		put_suggestion(&o, s, &s->clusters[i], suggest_is_accepted(&s->clusters[i], apps, n), who);
	out_end(&o);
	out_flag(&o, "more", s->more);
	if (who)
		put_said(&o, s);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void get_suggestions(struct api_call *c)
{
	uint64_t days = api_query_int(c, "days", DAYS, DAYS_MAX);
	struct suggest_ask *ask;

	if (peers_wanted(c)) {
		peers_suggestions(c);
		return;
	}
	ask = suggest_ask_new(c->admin);
	if (!ask) {
		api_problem(c, 503, "out of memory");
		return;
	}
	ask->app = api_query(c, "app");
	ask->since_ms = clock_wall_ms() - days * DAY_MS;
	ask->done = suggested;
	ask->ctx = c;
	suggest_ask_start(ask);
}

/* ---- a verdict ---- */

static void verdict_kept(void *ctx)
{
	api_done(ctx);
}

static void post_verdict(struct api_call *c)
{
	struct bytes verdict, id = c->params[0];

	json_text(c->body, "verdict", &verdict);
	if (id.len != ID) {
		api_problem(c, 404, "no suggestion has such an id");
		return;
	}
	audit_note(c->admin, &c->caller, "suggestion.verdict", id, verdict);
	if (!suggest_verdict(c->admin, id, bytes_eq(verdict, BYTES("keep")), verdict_kept, c))
		api_problem(c, 503, "it cannot be written down now");
}

/* ---- what one exception would do ---- */

static const struct api_field whose_fields[] = {
	{ "app", API_TEXT, .help = "whose it would be" },
	{ "exception", API_OBJECT, .of = &api_exception_shape, .help = "that is thought of" },
	{ "days", API_INT, .optional = true, .max = DAYS_MAX, .help = "of alerts that are looked at; 7" },
};
static const struct api_shape whose_shape = API_SHAPE("ImpactAsked", whose_fields);

static const struct api_field told_fields[] = {
	{ "would_unblock", API_OBJECT, .of = &api_impact_shape, .help = "stopped now, and not with it" },
	{ "would_open", API_OBJECT, .of = &api_impact_shape, .help = "of those, the ones with other marks against them or their clients" },
	{ "replayed", API_INT, .help = "requests that were judged again" },
	{ "reckoned", API_INT, .help = "of which too little was kept: by the rules that had matched" },
	{ "more", API_FLAG, .help = "alerts than were looked at: the newest 1,000" },
};
static const struct api_shape told_shape = API_SHAPE("ExceptionImpact", told_fields);

static void told(struct suggest_ask *ask, const struct err *e)
{
	static const struct suggest_cluster none;
	const struct suggest_cluster *x = ask->set.nclusters ? &ask->set.clusters[0] : &none;
	struct json_out o = json_out(API_ANSWER_MAX);

	if (e) {
		api_failed(ask->ctx, e);
		return;
	}
	out_object(&o, NULL);
	impact_put(&o, "would_unblock", &x->unblock);
	impact_put(&o, "would_open", &x->open);
	out_int(&o, "replayed", x->replayed);
	out_int(&o, "reckoned", x->reckoned);
	out_flag(&o, "more", ask->set.more);
	out_end(&o);
	api_answer(ask->ctx, 200, &o);
}

static void post_impact(struct api_call *c)
{
	struct suggest_ask *ask = suggest_ask_new(c->admin);
	struct replay_exception *x = ask ? arena_get(ask->set.arena, sizeof *x) : NULL;
	int64_t days = DAYS;
	struct err e = { SIDE_SELF, 0, "out of memory" };

	if (x && replay_read_exception(ask->set.arena, json_at(c->body, "exception"), x, &e)) {
		json_text(c->body, "app", &ask->app);
		json_number(c->body, "days", &days);
		ask->since_ms = clock_wall_ms() - (uint64_t)days * DAY_MS;
		ask->only = x;
		ask->done = told;
		ask->ctx = c;
		suggest_ask_start(ask);
		return;
	}
	if (ask)
		suggest_ask_free(ask);
	api_failed(c, &e);
}

static const struct api_route routes[] = {
	{ "GET", "/suggestions", ROLE_VIEWER, "exceptions", "what looks like false positives, and the smallest exception for each", &query_shape,
	  NULL, &list_shape, get_suggestions },
	{ "POST", "/suggestions/{id}", ROLE_OPERATOR, "exceptions", "that one of them is to stay as it is; an exception accepts it", NULL,
	  &verdict_shape, NULL, post_verdict },
	{ "POST", "/exceptions/impact", ROLE_OPERATOR, "exceptions", "what an exception would have let through, and who else", NULL, &whose_shape,
	  &told_shape, post_impact },
};
const struct api_routes api_suggest_routes = API_ROUTES(routes);
