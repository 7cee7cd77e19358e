/* api_tail.c -- GET /tail: the newest events behind a place; what the streams of another gate ask (admin/streams_peers.c). */
#include "admin/api/api_tables.h"
#include "admin/archive.h"
#include "admin/streams_place.h"
#include "cti/share.h"

enum { TAIL = 100, NODES_MAX = 256 };

static const struct api_field query_fields[] = {
	{ "behind", API_TEXT, .optional = true, .max = STREAMS_OTHERS, .help = "\"3:77,9:90\": the last number that is known of each gate; "
	  "of one that is not in it no event is given" },
	{ "limit", API_INT, .optional = true, .min = 1, .max = TAIL, .help = "100" },
};
static const struct api_shape query_shape = API_SHAPE("TailQuery", query_fields);

static const struct api_field item_fields[] = {
	{ "number", API_INT, .help = "in the archive of that gate; one that is missing was left out" },
	{ "event", API_ANY, .help = "as in a list" },
};
static const struct api_shape item_shape = API_SHAPE("TailItem", item_fields);

static const struct api_field tail_fields[] = {
	{ "number", API_INT, .help = "of this gate" },
	{ "newest", API_INT, .help = "number of the newest event; 0: there is none" },
	{ "items", API_OBJECT, .list = true, .of = &item_shape, .help = "oldest first, of the newest" },
};
static const struct api_shape tail_shape = API_SHAPE("Tail", tail_fields);

struct tailing { struct api_call *call; unsigned gate; int64_t behind; /* -1: nothing is wanted but the newest number */ };

static void on_page(void *owner, const struct archive_page *p)
{
	struct tailing *t = owner;
	struct json_out o = json_out(API_ANSWER_MAX);

	if (p->failed) {
		json_out_free(&o);
		api_problem(t->call, 503, "the archive cannot be read");
		return;
	}
	out_object(&o, NULL);
	out_int(&o, "number", t->gate);
	out_int(&o, "newest", p->n ? p->rows[0].number : 0);
	out_list(&o, "items");
	for (size_t i = p->n; t->behind >= 0 && i-- > 0;) {
		if (p->rows[i].number <= t->behind)
			continue;
		out_object(&o, NULL);
		out_int(&o, "number", p->rows[i].number);
		out_raw(&o, "event", p->rows[i].json);
		out_end(&o);
	}
	out_end(&o);
	out_end(&o);
	api_answer(t->call, 200, &o);
}

/* Most often there is nothing new, and a row is all that is read. */
static void on_newest(void *owner, const struct archive_page *p)
{
	struct tailing *t = owner;
	const struct archive_ask newest = { .limit = api_query_int(t->call, "limit", TAIL, TAIL) };

	if (p->failed || !p->n || t->behind < 0 || p->rows[0].number <= t->behind) {
		t->behind = -1;
		on_page(t, p);
	} else if (!archive_list(t->call->admin->archive, &newest, t->call->admin->loop, on_page, t)) {
		api_problem(t->call, 503, "the archive cannot be read");
	}
}

static bool is_numbered(const struct admin *a, unsigned *number)
{
	struct share_node at[NODES_MAX];
	size_t n = a->hooks.share ? share_nodes(a->hooks.share, at, NODES_MAX) : 0;

	for (size_t i = 0; i < n; i++)
		if (at[i].self) {
			*number = at[i].node;
			return true;
		}
	*number = 0;
	return !a->hooks.share;
}

static void get_tail(struct api_call *c)
{
	const struct archive_ask newest = { .limit = 1 };
	struct bytes behind = api_query(c, "behind");
	struct tailing *t = arena_get(c->arena, sizeof *t);
	struct streams_place place;
	const int64_t *at;

	if (behind.at && !streams_place_read_others(behind, &place)) {
		api_problem(c, 400, "behind: as \"3:77,9:90\"");
		return;
	}
	if (!t || !c->admin->archive || !is_numbered(c->admin, &t->gate)) {
		api_problem(c, 503, "no events are kept, or this gate has no number yet");
		return;
	}
	at = behind.at ? streams_place_of(&place, t->gate) : NULL;
	t->call = c;
	t->behind = at ? *at : -1;
	if (!archive_list(c->admin->archive, &newest, c->admin->loop, on_newest, t))
		api_problem(c, 503, "the archive cannot be read");
}

static const struct api_route routes[] = {
	{ "GET", "/tail", ROLE_VIEWER, "stream", "the newest events behind a place; the streams of other gates are fed by it", &query_shape, NULL,
	  &tail_shape, get_tail },
};
const struct api_routes api_tail_routes = API_ROUTES(routes);
