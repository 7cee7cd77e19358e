/* api_events.c -- what was seen: lists of events, and each with all that is known of it. */
#include "admin/api/api_replay.h"
#include "admin/api/api_tables.h"
#include "admin/api/peers.h"
#include "admin/archive.h"

/* ---- shapes ---- */

static const char *const actions[] = { "allow", "log", "throttle", "challenge", "captcha", "tarpit", "deny", NULL };
static const char *const sources[] = { "protocol", "rule", "own_rule", "limit", "cti", "scenario", "bot", "attack_mode", NULL };
static const char *const levels[] = { "none", "wait", "pow", "captcha", NULL };

static const struct api_field query_fields[] = {
	{ "app", API_TEXT, .optional = true, .help = "its name" },
	{ "action", API_TEXT, .optional = true, .words = actions, .help = "what was done" },
	{ "source", API_TEXT, .optional = true, .words = sources, .help = "who decided it" },
	{ "rule", API_TEXT, .optional = true, .max = 128, .help = "the id of a rule that matched" },
	{ "address", API_TEXT, .optional = true, .max = 64, .help = "of the client, or a network: 192.0.2.0/24" },
	{ "country", API_TEXT, .optional = true, .max = 2, .help = "two letters" },
	{ "as", API_INT, .optional = true, .help = "number of the autonomous system" },
	{ "ja4", API_TEXT, .optional = true, .max = 36, .help = "the beginning of the client's TLS fingerprint" },
	{ "path", API_TEXT, .optional = true, .help = "is in the path" },
	{ "method", API_TEXT, .optional = true, .max = 64, .help = "of the request" },
	{ "status", API_INT, .optional = true, .help = "that was answered" },
	{ "id", API_TEXT, .optional = true, .max = 26, .help = "the beginning of a request id" },
	{ "q", API_TEXT, .optional = true, .max = 200, .help = "is in host, path, query, reason, user agent or a rule's id, in any case" },
	{ "from", API_TIME, .optional = true, .help = "not earlier" },
	{ "to", API_TIME, .optional = true, .help = "earlier" },
	{ "after", API_TEXT, .optional = true, .max = 20, .help = "`next` of the page before" },
	{ "limit", API_INT, .optional = true, .min = 1, .help = "of entries; 50 without it, at most 500" },
	{ "nodes", API_TEXT, .optional = true, .words = api_all_nodes, .help = "of all gates of the cluster, half a second at most; `after` goes by time then" },
};
static const struct api_shape query_shape = API_SHAPE("EventsQuery", query_fields);

#define EVENT_FIELDS \
	{ "id", API_TEXT, .help = "the request's, as on the page that its client saw" }, \
	{ "time", API_TIME, .help = "when it ended" }, \
	{ "app", API_TEXT, .help = "empty: none took it" }, \
	{ "client", API_TEXT, .help = "its address" }, \
	{ "country", API_TEXT, .optional = true, .help = "of the client" }, \
	{ "as", API_INT, .optional = true, .help = "of the client" }, \
	{ "as_name", API_TEXT, .optional = true, .help = "of the client" }, \
	{ "ja4", API_TEXT, .optional = true, .help = "fingerprint of the client's TLS, of who connected" }, \
	{ "method", API_TEXT, .help = "of the request" }, \
	{ "host", API_TEXT, .help = "without port" }, \
	{ "path", API_TEXT, .help = "as it came, at most 1 KiB" }, \
	{ "status", API_INT, .help = "that was answered; 0: nothing was" }, \
	{ "action", API_TEXT, .words = actions, .help = "what was done" }, \
	{ "would", API_TEXT, .words = actions, .help = "what would have been done outside detect mode" }, \
	{ "source", API_TEXT, .words = sources, .help = "who decided it" }, \
	{ "reason", API_TEXT, .help = "a line" }, \
	{ "rule", API_TEXT, .optional = true, .help = "the rule that told most" }, \
	{ "rules", API_TEXT, .list = true, .help = "those that matched, 48 at most" }, \
	{ "score", API_INT, .help = "of all that matched" }, \
	{ "threshold", API_INT, .help = "from which the score denies; 0: not known" }, \
	{ "bot", API_TEXT, .optional = true, .help = "what it says it is" }, \
	{ "pass", API_TEXT, .words = levels, .help = "what the pass was worth that it showed" }, \
	{ "node", API_TEXT, .optional = true, .help = "the gate that saw it" }, \
	{ "duration_us", API_INT, .help = "from the head to the last byte of the answer" }, \
	{ "inspection_us", API_INT, .help = "of that, inspection" }

static const struct api_field event_fields[] = { EVENT_FIELDS };
const struct api_shape api_event_shape = API_SHAPE("Event", event_fields);

static const struct api_field list_fields[] = {
	{ "items", API_OBJECT, .list = true, .of = &api_event_shape, .help = "newest first" },
	{ "next", API_TEXT, .optional = true, .help = "`after` of the next page; null: there is none. "
	  "A page that takes too long to be found has fewer than `limit`, perhaps none, and the next one goes on" },
	{ "silent", API_TEXT, .list = true, .optional = true, .help = "with `nodes=all`: gates that did not answer" },
};
static const struct api_shape list_shape = API_SHAPE("Events", list_fields);

static const struct api_field header_fields[] = {
	{ "name", API_TEXT, .help = "as it came" },
	{ "value", API_TEXT, .help = "redacted" },
};
static const struct api_shape header_shape = API_SHAPE("EventHeader", header_fields);

static const char *const severities[] = { "notice", "warning", "error", "critical", NULL };
static const struct api_field hit_fields[] = {
	{ "rule", API_TEXT, .help = "its id" },
	{ "message", API_TEXT, .help = "what it says" },
	{ "category", API_TEXT, .help = "of the rule" },
	{ "variable", API_TEXT, .help = "where it matched" },
	{ "offset", API_INT, .help = "of the match in the whole value" },
	{ "length", API_INT, .help = "of the match; 0: it has no extent" },
	{ "snippet", API_TEXT, .help = "of the value, round the match, redacted" },
	{ "before", API_FLAG, .help = "the value begins before the snippet" },
	{ "after", API_FLAG, .help = "and goes on behind it" },
	{ "data", API_TEXT, .optional = true, .help = "what the rule says of its match" },
	{ "score", API_INT, .help = "that it added" },
	{ "severity", API_TEXT, .optional = true, .words = severities, .help = "of the rule" },
};
const struct api_shape api_hit_shape = API_SHAPE("EventHit", hit_fields);

static const struct api_field held_fields[] = {
	{ "id", API_TEXT, .help = "of the decision" },
	{ "scope", API_TEXT, .help = "what it is about" },
	{ "value", API_TEXT, .help = "whom" },
	{ "remedy", API_TEXT, .words = actions, .help = "what it asks for" },
	{ "reason", API_TEXT, .help = "a scenario, or an administrator's words" },
	{ "origin", API_TEXT, .help = "who made it" },
	{ "made", API_TIME, .optional = true, .help = "when" },
	{ "until", API_TIME, .optional = true, .help = "its end" },
};
static const struct api_shape held_shape = API_SHAPE("EventHeld", held_fields);

static const struct api_field seen_fields[] = {
	{ "time", API_TIME, .optional = true, .help = "of that request" },
	{ "method", API_TEXT, .help = "of it" },
	{ "target", API_TEXT, .help = "redacted" },
	{ "status", API_TEXT, .help = "empty: not known" },
};
static const struct api_shape seen_shape = API_SHAPE("EventSeen", seen_fields);

static const struct api_field overflow_fields[] = {
	{ "scenario", API_TEXT, .help = "its name" },
	{ "scope", API_TEXT, .help = "of whom it counted" },
	{ "value", API_TEXT, .help = "whom" },
	{ "count", API_INT, .help = "of its events" },
	{ "remedy", API_TEXT, .words = actions, .help = "decided; allow: nothing was" },
	{ "until", API_TIME, .optional = true, .help = "of the decision" },
	{ "simulated", API_FLAG, .help = "told, not enforced" },
	{ "seen", API_OBJECT, .list = true, .of = &seen_shape, .help = "the newest of its events that are known" },
};
static const struct api_shape overflow_shape = API_SHAPE("EventOverflow", overflow_fields);

static const struct api_field trace_fields[] = {
	{ "step", API_TEXT, .help = "client, bot, reputation, limits, scenarios, rules, score, remedy: those that were asked" },
	{ "outcome", API_TEXT, .help = "a word" },
	{ "text", API_TEXT, .help = "a line for people" },
};
static const struct api_shape trace_shape = API_SHAPE("EventTrace", trace_fields);

static const struct api_field detail_fields[] = {
	EVENT_FIELDS,
	{ "query", API_TEXT, .optional = true, .help = "redacted" },
	{ "referer", API_TEXT, .optional = true, .help = "redacted" },
	{ "user_agent", API_TEXT, .optional = true, .help = "as it came" },
	{ "http", API_TEXT, .help = "1.0, 1.1" },
	{ "peer", API_TEXT, .help = "who connected" },
	{ "client_from", API_TEXT, .help = "how the client's address was found" },
	{ "tls", API_TEXT, .optional = true, .help = "its version" },
	{ "upstream", API_TEXT, .optional = true, .help = "the server that was asked" },
	{ "request_bytes", API_INT, .help = "of the body" },
	{ "response_bytes", API_INT, .help = "of the body" },
	{ "headers", API_OBJECT, .list = true, .of = &header_shape, .help = "as received, 8 KiB at most" },
	{ "more_headers", API_INT, .help = "that had no room" },
	{ "body", API_TEXT, .optional = true, .help = "its first 4 KiB, redacted; only where the app's `log: {body: on}` says so" },
	{ "body_truncated", API_FLAG, .help = "there was more of it" },
	{ "hits", API_OBJECT, .list = true, .of = &api_hit_shape, .help = "rules that matched" },
	{ "more_hits", API_INT, .help = "that had no room" },
	{ "held", API_OBJECT, .optional = true, .of = &held_shape, .help = "the strictest decision against it" },
	{ "overflows", API_OBJECT, .list = true, .of = &overflow_shape, .help = "scenarios that it made overflow" },
	{ "trace", API_OBJECT, .list = true, .of = &trace_shape, .help = "what was asked, in that order" },
	{ "explain", API_TEXT, .help = "as `embergate ctl explain` says it" },
	{ "exception", API_TEXT, .optional = true, .help = "YAML that would let it through" },
	{ "exceptions", API_OBJECT, .list = true, .optional = true, .of = &api_exception_shape, .help = "the same, as POST /exceptions takes them" },
	{ "similar", API_INT, .help = "events of the same rule, app and path in the last 7 days" },
};
const struct api_shape api_event_detail_shape = API_SHAPE("EventDetail", detail_fields);

static const struct api_field one_query_fields[] = {
	{ "nodes", API_TEXT, .optional = true, .words = api_all_nodes, .help = "any gate of the cluster may keep it; `node` says which, half a second at most" },
};
static const struct api_shape one_query_shape = API_SHAPE("EventQuery", one_query_fields);

/* ---- lists ---- */

static bool no_archive(struct api_call *c)
{
	if (c->admin->archive)
		return false;
	api_problem(c, 503, "events are not kept: the log says why");
	return true;
}

static void put_page(struct json_out *o, const struct archive_page *p)
{
	char next[24];

	out_object(o, NULL);
	out_list(o, "items");
	for (size_t i = 0; i < p->n; i++)
		out_raw(o, NULL, p->rows[i].json);
	out_end(o);
	snprintf(next, sizeof next, "%lld", (long long)p->next);
	out_str(o, "next", p->next ? next : NULL);
	out_end(o);
}

static void on_listed(void *owner, const struct archive_page *p)
{
	struct json_out o = json_out(API_ANSWER_MAX);

	if (p->failed) {
		api_problem(owner, 503, "the events cannot be read: the log says why");
		return;
	}
	put_page(&o, p);
	api_answer(owner, 200, &o);
}

/* False: it was answered. */
static bool read_ask(struct api_call *c, struct archive_ask *ask)
{
	struct bytes address = api_query(c, "address"), after = api_query(c, "after");
	uint64_t before = 0;

	*ask = (struct archive_ask){
		.app = api_query(c, "app"), .action = api_query(c, "action"), .source = api_query(c, "source"),
		.rule = api_query(c, "rule"), .country = api_query(c, "country"), .method = api_query(c, "method"),
		.path = api_query(c, "path"), .id = api_query(c, "id"), .ja4 = api_query(c, "ja4"), .q = api_query(c, "q"),
		.has_net = address.at != NULL, .has_as = api_query(c, "as").at != NULL, .as = api_query_int(c, "as", 0, UINT32_MAX),
		.status = api_query_int(c, "status", 0, 999), .from_ms = api_query_time(c, "from"), .to_ms = api_query_time(c, "to"),
		.limit = (size_t)api_query_int(c, "limit", API_PAGE, API_PAGE_MAX),
	};
	if (address.at && !ip_net_parse(address, &ask->net))
		api_problem(c, 400, "address: an address or a network is wanted");
	else if (after.at && (!bytes_u64(after, &before) || before == 0 || before > INT64_MAX))
		api_problem(c, 400, "after: what `next` of a page said is wanted");
	else if (!ask->limit)
		api_problem(c, 400, "limit: at least 1");
	else
		return (ask->before = (int64_t)before, true);
	return false;
}

static void get_events(struct api_call *c)
{
	struct archive_ask ask;

	if (peers_wanted(c)) {
		peers_events(c);
		return;
	}
	if (no_archive(c) || !read_ask(c, &ask) || !api_has_turn(c))
		return;
	if (!archive_list(c->admin->archive, &ask, c->admin->loop, on_listed, c))
		api_problem(c, 503, "too much is asked at a time");
}

/* ---- one ---- */

static void on_found(void *owner, struct bytes json)
{
	struct json_out o = json_out(API_ANSWER_MAX);

	if (!json.len) {
		api_problem(owner, 404, "no event of that id is kept");
		return;
	}
	out_raw(&o, NULL, json);
	api_answer(owner, 200, &o);
}

static void get_event(struct api_call *c)
{
	if (peers_wanted(c))
		peers_event(c);
	else if (!no_archive(c) && !archive_find(c->admin->archive, c->params[0], c->admin->loop, on_found, c))
		api_problem(c, 503, "too much is asked at a time");
}

static const struct api_route routes[] = {
	{ "GET", "/events", ROLE_VIEWER, "events", "what rules, limits, decisions or the protocol had something against, newest first",
	  &query_shape, NULL, &list_shape, get_events },
	{ "GET", "/events/{id}", ROLE_VIEWER, "events", "one of them, with the trace of what was decided",
	  &one_query_shape, NULL, &api_event_detail_shape, get_event },
};
const struct api_routes api_events_routes = API_ROUTES(routes);
