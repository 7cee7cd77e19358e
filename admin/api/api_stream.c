/* api_stream.c -- GET /stream: what happens, as it happens. */
#include "admin/api/api_tables.h"
#include "admin/api/peers.h"
#include "admin/streams.h"

static const struct api_field query_fields[] = {
	{ "topics", API_TEXT, .optional = true, .max = 64, .help = "with commas between them: stats, security, node, config; all without it" },
	{ "nodes", API_TEXT, .optional = true, .words = api_all_nodes, .help = "events of all gates of the cluster, with their `node`; then also `tail`: "
	  "{silent: [names]} and {node, missed: events that were left out}" },
};
static const struct api_shape query_shape = API_SHAPE("StreamQuery", query_fields);

/* 0: something is no topic. */
static unsigned topics_of(struct bytes list)
{
	enum stream_topic topic;
	unsigned topics = 0;
	struct bytes word;

	if (!list.at)
		return (1U << STREAM_TOPICS) - 1;
	while (bytes_cut(&list, ',', &word)) {
		if (!streams_topic(word, &topic))
			return 0;
		topics |= 1U << topic;
	}
	return topics;
}

/* What is no place of ours is as none: the stream begins now. */
static void place_of(const struct api_call *c, struct streams_place *out)
{
	const struct field *f = fields_named(&serve_head(c->http)->fields, BYTES("Last-Event-ID"));

	streams_place_read(f ? f->value : (struct bytes){ 0 }, out);
}

static void get_stream(struct api_call *c)
{
	struct streams_wanted wanted = { topics_of(api_query(c, "topics")), api_query(c, "nodes").at, { 0 } };

	place_of(c, &wanted.place);
	if (!wanted.topics)
		api_problem(c, 400, "topics: of stats, security, node and config");
	else if (!bytes_eq(serve_head(c->http)->method, BYTES("GET")))
		api_problem(c, 405, "a stream has no head of its own: GET only");
	else if (!c->admin->streams || !streams_add(c->admin->streams, c->http, &c->caller, &wanted))
		api_problem(c, 503, "%d streams are open, and there may be no more", STREAMS_MAX);
}

static const struct api_route routes[] = {
	{ "GET", "/stream", ROLE_VIEWER, "stream",
	  "server-sent events: `security` (Event; with Last-Event-ID from there on), `stats` (Stats), `config`, `node`", &query_shape, NULL, NULL,
	  get_stream },
};
const struct api_routes api_stream_routes = API_ROUTES(routes);
