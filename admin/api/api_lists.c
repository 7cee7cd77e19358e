/* api_lists.c -- lists of addresses, and which gates are there. */
#include "admin/api/api_tables.h"
#include "admin/api/reputation_shapes.h"
#include "admin/audit.h"
#include "admin/privacy.h"
#include "base/clock.h"

enum { LISTS_MAX = 64, NODES_MAX = 256 };

/* ---- lists ---- */

static const struct api_field lists_fields[] = { { "items", API_OBJECT, .list = true, .of = &list_shape, .help = "as configured" } };
static const struct api_shape lists_shape = API_SHAPE("ReputationLists", lists_fields);

static void get_lists(struct api_call *c)
{
	struct list_status at[LISTS_MAX];
	size_t n = lists_status(c->admin->hooks.lists, at, LISTS_MAX);
	struct json_out o = json_out(API_ANSWER_MAX);

	out_object(&o, NULL);
	out_list(&o, "items");
	for (size_t i = 0; i < n; i++)
		list_out(&o, &at[i], clock_wall_ms());
	out_end(&o);
	out_end(&o);
	api_answer(c, 200, &o);
}

static void post_refresh(struct api_call *c)
{
	struct list_status at[LISTS_MAX];
	size_t n = lists_status(c->admin->hooks.lists, at, LISTS_MAX), i = 0;

	while (i < n && !bytes_eq(bytes_of(at[i].name), c->params[0]))
		i++;
	if (i == n) {
		api_problem(c, 404, "there is no list of that name");
		return;
	}
	lists_refresh(c->admin->hooks.lists, c->params[0]);
	audit_note(c->admin, &c->caller, "list.refresh", c->params[0], (struct bytes){ 0 });
	api_done(c);
}

/* ---- gates ---- */

static const struct api_field redis_fields[] = {
	{ "up", API_FLAG, .help = "connected" },
	{ "state", API_TEXT, .help = "away, joining, following: only then all that Redis has is here" },
	{ "leading", API_FLAG, .help = "it writes the snapshots" },
	{ "sent", API_INT, .help = "operations out" },
	{ "applied", API_INT, .help = "operations in" },
	{ "told", API_INT, .help = "messages in" },
	{ "queued", API_INT, .help = "that wait to go out" },
	{ "dropped", API_INT, .help = "that did not fit, and are sent with the whole set" },
	{ "untold", API_INT, .help = "messages that were lost" },
	{ "errors", API_INT, .help = "records without a valid signature, or that are none" },
	{ "ahead", API_INT, .help = "of gates whose clock is more than five minutes ahead" },
	{ "resyncs", API_INT, .help = "the whole set was read anew" },
};
static const struct api_shape redis_shape = API_SHAPE("ClusterRedis", redis_fields);
static const struct api_field nodes_fields[] = {
	{ "self", API_TEXT, .optional = true, .help = "name of this gate, as the others know it; null: it is alone" },
	{ "redis", API_OBJECT, .optional = true, .of = &redis_shape, .help = "null: this gate is alone" },
	{ "items", API_OBJECT, .list = true, .of = &node_shape, .help = "heard of in the last hour" },
	{ "silent", API_TEXT, .list = true, .help = "names of those that have not been heard of for 15 seconds" },
};
static const struct api_shape nodes_shape = API_SHAPE("Nodes", nodes_fields);

static void put_redis(struct json_out *o, const struct share *share)
{
	struct share_counts n;

	share_count(share, &n);
	out_object(o, "redis");
	out_flag(o, "up", n.up);
	out_str(o, "state", n.following ? "following" : n.up ? "joining" : "away");
	out_flag(o, "leading", n.leading);
	out_int(o, "sent", (int64_t)n.sent);
	out_int(o, "applied", (int64_t)n.applied);
	out_int(o, "told", (int64_t)n.told);
	out_int(o, "queued", (int64_t)n.queued);
	out_int(o, "dropped", (int64_t)n.dropped);
	out_int(o, "untold", (int64_t)n.untold);
	out_int(o, "errors", (int64_t)(n.forged + n.broken));
	out_int(o, "ahead", (int64_t)n.ahead);
	out_int(o, "resyncs", (int64_t)n.resyncs);
	out_end(o);
}

static void put_nodes(struct json_out *o, const struct share_node *at, size_t n)
{
	const char *self = NULL;

	out_list(o, "items");
	for (size_t i = 0; i < n; i++) {
		node_out(o, &at[i]);
		if (at[i].self)
			self = at[i].name;
	}
	out_end(o);
	out_list(o, "silent");
	for (size_t i = 0; i < n; i++)
		if (!at[i].up)
			out_str(o, NULL, at[i].name);
	out_end(o);
	out_str(o, "self", self);
}

static void get_nodes(struct api_call *c)
{
	const struct share *share = c->admin->hooks.share;
	struct share_node at[NODES_MAX];
	size_t n = share ? share_nodes(share, at, NODES_MAX) : 0;
	struct json_out o = json_out(API_ANSWER_MAX);

	out_object(&o, NULL);
	if (share)
		put_redis(&o, share);
	else
		out_null(&o, "redis");
	put_nodes(&o, at, n);
	out_end(&o);
	api_answer(c, 200, &o);
}

/* ---- what leaves ---- */

static const struct api_field signal_fields[] = {
	{ "ts", API_INT, .help = "unix seconds" },
	{ "ip", API_TEXT, .help = "of IPv6 the /64" },
	{ "behaviour", API_TEXT, .help = "what it did" },
};
static const struct api_shape signal_shape = API_SHAPE("Signal", signal_fields);
static const struct api_field privacy_fields[] = {
	{ "sharing", API_FLAG, .help = "`cti: {share: on}`" },
	{ "redis", API_FLAG, .help = "gates of this installation tell each other decisions and counts" },
	{ "signals", API_OBJECT, .list = true, .of = &signal_shape, .help = "what leaves now; without sharing: what would, and nothing else" },
	{ "text", API_TEXT, .help = "the same in words" },
};
static const struct api_shape privacy_shape = API_SHAPE("Privacy", privacy_fields);

static void get_privacy(struct api_call *c)
{
	struct json_out o = json_out(API_ANSWER_MAX);

	privacy_out(&o, c->admin);
	api_answer(c, 200, &o);
}

static const struct api_route routes[] = {
	{ "GET", "/lists", ROLE_VIEWER, "lists", "lists of addresses: how many entries, how old", NULL, NULL, &lists_shape, get_lists },
	{ "POST", "/lists/{name}/refresh", ROLE_OPERATOR, "lists", "fetch it now", NULL, NULL, NULL, post_refresh },
	{ "GET", "/nodes", ROLE_VIEWER, "cluster", "the gates that share a Redis", NULL, NULL, &nodes_shape, get_nodes },
	{ "GET", "/privacy", ROLE_VIEWER, "privacy", "what leaves this installation", NULL, NULL, &privacy_shape, get_privacy },
};
const struct api_routes api_lists_routes = API_ROUTES(routes);
