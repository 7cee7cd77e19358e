/* streams.c -- a list of streams, and one clock for them all. */
#include "admin/streams_parts.h"
#include "admin/archive.h"
#include "admin/api/api.h"
#include "admin/series.h"
#include "cti/share.h"
#include <stdlib.h>

enum {
	TICK_MS = 1000,
	FULL = 64 << 10,   /* bytes that wait for a client: beyond, it gets no figures, and no events until it has taken them */
	BATCH = 100,       /* events at a time */
	EVENT_ROOM = STREAMS_PLACE + 512, /* what stands round the JSON: a place, and the name of a gate */
	RETRY_MS = 2000,   /* after which a client comes back */
};

static const char *const topics[STREAM_TOPICS] = {
	[STREAM_STATS] = "stats", [STREAM_SECURITY] = "security", [STREAM_NODE] = "node", [STREAM_CONFIG] = "config",
};

bool streams_topic(struct bytes word, enum stream_topic *out)
{
	for (int i = 0; i < STREAM_TOPICS; i++)
		if (bytes_eq(word, bytes_of(topics[i]))) {
			*out = (enum stream_topic)i;
			return true;
		}
	return false;
}

/* ---- what is written ---- */

bool streams_follows(const struct stream_client *c, enum stream_topic topic)
{
	return c->topics >> topic & 1;
}

bool streams_is_full(const struct stream_client *c)
{
	return serve_backlog(c->http) > FULL;
}

/* JSON has no line ends of its own, so it is one line. One piece: it is one write. `node`, unless NULL, goes into the object. */
static void write_event(struct stream_client *c, const char *event, const struct streams_place *id, const char *node, struct bytes json)
{
	size_t room = json.len + EVENT_ROOM;
	char *at = malloc(room);
	struct text t = text_over(at, room);

	if (!at)
		return;
	if (id) {
		text_str(&t, "id: ");
		streams_place_text(&t, id);
		text_byte(&t, '\n');
	}
	text_printf(&t, "event: %s\ndata: ", event);
	text_put(&t, bytes_sub(json, 0, json.len - (node && json.len)));
	if (node) {
		text_str(&t, ",\"node\":");
		text_json(&t, bytes_of(node));
		text_byte(&t, '}');
	}
	text_str(&t, "\n\n");
	if (!t.full)
		serve_piece(c->http, text_bytes(&t));
	free(at);
}

void streams_write(struct stream_client *c, const char *event, struct bytes json)
{
	write_event(c, event, NULL, NULL, json);
}

void streams_write_event(struct stream_client *c, const char *node, struct bytes json)
{
	write_event(c, topics[STREAM_SECURITY], &c->place, c->all_gates ? node : NULL, json);
}

void streams_tell(struct streams *s, enum stream_topic topic, struct bytes json)
{
	for (struct stream_client *c = s ? s->first : NULL; c; c = c->next)
		if (streams_follows(c, topic) && !streams_is_full(c))
			streams_write(c, topics[topic], json);
		else if (streams_follows(c, topic))
			s->dropped++;
}

/* ---- events ---- */

static void ask(struct stream_client *);

static void on_page(void *owner, const struct archive_page *p)
{
	struct stream_client *c = owner;
	bool again = c->again || p->next;

	c->asking = c->again = false;
	if (!c->http) {
		free(c);
		return;
	}
	for (size_t i = 0; i < p->n; i++) {
		c->place.own = p->rows[i].number;
		streams_write_event(c, c->all->self, p->rows[i].json);
	}
	if (p->next > c->place.own)
		c->place.own = p->next; /* it looked so far */
	if (again && !p->failed)
		ask(c);
}

/* One that is full asks when it has taken what waits (on_more), or at the next tick. */
static void ask(struct stream_client *c)
{
	const struct archive_ask behind = { .is_behind = true, .behind = c->place.own, .limit = BATCH };
	struct archive *a = c->all->admin->archive;

	if (c->asking) {
		c->again = true;
		return;
	}
	if (a && streams_follows(c, STREAM_SECURITY) && c->place.own >= 0 && !streams_is_full(c))
		c->asking = archive_list(a, &behind, c->all->admin->loop, on_page, c);
}

static void on_newest(void *owner, const struct archive_page *p)
{
	struct stream_client *c = owner;

	c->asking = c->again = false;
	if (!c->http) {
		free(c);
		return;
	}
	if (!p->failed)
		c->place.own = p->n ? p->rows[0].number : 0;
	ask(c);
}

/* From now on: behind the newest that there is. */
static void ask_newest(struct stream_client *c)
{
	const struct archive_ask newest = { .limit = 1 };
	struct archive *a = c->all->admin->archive;

	if (a && streams_follows(c, STREAM_SECURITY))
		c->asking = archive_list(a, &newest, c->all->admin->loop, on_newest, c);
}

static void on_told(void *ctx)
{
	struct streams *s = ctx;

	for (struct stream_client *c = s->first; c; c = c->next)
		ask(c);
}

/* ---- the clock ---- */

static void tell_stats(struct streams *s)
{
	struct json_out o = json_out(API_ANSWER_MAX);

	series_stats_json(s->admin, (struct bytes){ 0 }, &o);
	if (!o.failed)
		streams_tell(s, STREAM_STATS, json_out_bytes(&o));
	json_out_free(&o);
}

static bool has_followers(const struct streams *s, enum stream_topic topic)
{
	for (const struct stream_client *c = s->first; c; c = c->next)
		if (streams_follows(c, topic))
			return true;
	return false;
}

static void end(struct stream_client *, bool whole);

/* Whose session or token ended hears no more. */
static void end_strangers(struct streams *s)
{
	struct stream_client *next;

	for (struct stream_client *c = s->first; c; c = next) {
		next = c->next;
		if (!door_holds(s->admin, &c->caller))
			end(c, true);
	}
}

/* The archive is asked too: another process, of before or behind an upgrade, tells nobody here. */
static void on_tick(void *arg)
{
	struct streams *s = arg;
	bool beats = ++s->beat % STREAMS_BEAT_S == 0;

	end_strangers(s);
	if (has_followers(s, STREAM_STATS))
		tell_stats(s);
	if (s->admin->hooks.share && has_followers(s, STREAM_NODE))
		streams_nodes_look(&s->nodes, s->admin->hooks.share, s);
	else
		s->nodes = (struct streams_nodes){ 0 };
	streams_peers_look(s);
	for (struct stream_client *c = s->first; c; c = c->next) {
		if (beats)
			serve_piece(c->http, BYTES(":\n\n"));
		if (c->place.own < 0 && !c->asking)
			ask_newest(c);
		else if (!c->asking)
			ask(c);
	}
	if (s->first)
		deadline_set(s->admin->loop, &s->tick, TICK_MS, on_tick, s);
}

/* ---- coming and going ---- */

static void forget(struct stream_client *c)
{
	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	c->all->n--;
	if (!c->all->first)
		deadline_clear(&c->all->tick);
	c->http = NULL;
	if (!c->asking)
		free(c);
}

static void end(struct stream_client *c, bool whole)
{
	struct serve_request *http = c->http;

	forget(c);
	serve_end(http, whole);
}

static void on_gone(void *ctx)
{
	end(ctx, false);
}

static void on_more(void *ctx)
{
	struct stream_client *c = ctx;

	if (c->http && !c->asking)
		ask(c);
}

static void begin(struct stream_client *c)
{
	struct field fields[6];
	size_t n = api_fields(fields, nelems(fields) - 1);
	char text[32];
	struct text retry = text_over(text, sizeof text);

	fields[n++] = (struct field){ .name = BYTES("X-Accel-Buffering"), .value = BYTES("no") };
	text_printf(&retry, "retry: %d\n\n", RETRY_MS);
	serve_on_gone(c->http, on_gone, c);
	/* Closed behind it: who comes back must be free to reach a successor. */
	serve_begin(c->http, &(struct serve_answer){ .status = 200, .content_type = BYTES("text/event-stream"), .fields = fields,
						     .nfields = n, .body = text_bytes(&retry), .close = true }, on_more, c);
}

/* How gates are told apart; it can be the last to know its own name. */
static void name_self(struct streams *s)
{
	struct share_node at[STREAMS_NODES];
	size_t n = s->admin->hooks.share ? share_nodes(s->admin->hooks.share, at, STREAMS_NODES) : 0;

	snprintf(s->self, sizeof s->self, "this gate");
	for (size_t i = 0; i < n; i++)
		if (at[i].self)
			snprintf(s->self, sizeof s->self, "%.*s", (int)sizeof s->self - 1, at[i].name);
}

bool streams_add(struct streams *s, struct serve_request *http, const struct caller *caller, const struct streams_wanted *wanted)
{
	struct stream_client *c = s->n < STREAMS_MAX ? calloc(1, sizeof *c) : NULL;

	if (!c)
		return false;
	*c = (struct stream_client){ .next = s->first, .link = &s->first, .all = s, .http = http, .caller = *caller,
				      .topics = wanted->topics, .all_gates = wanted->all_gates, .place = wanted->place };
	if (s->first)
		s->first->link = &c->next;
	s->first = c;
	s->n++;
	begin(c);
	if (s->draining) {
		end(c, true);
		return true;
	}
	if (c->place.own < 0)
		ask_newest(c);
	else
		ask(c);
	name_self(s);
	streams_peers_look(s);
	if (!s->tick.link)
		deadline_set(s->admin->loop, &s->tick, TICK_MS, on_tick, s);
	return true;
}

/* ---- life ---- */

struct streams *streams_open(struct admin *a)
{
	struct streams *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->admin = a;
	if (a->archive)
		archive_follow(a->archive, on_told, s);
	return s;
}

void streams_drain(struct streams *s)
{
	struct stream_client *next;

	s->draining = true;
	for (struct stream_client *c = s->first; c; c = next) {
		next = c->next;
		end(c, true);
	}
}

void streams_close(struct streams *s)
{
	if (!s)
		return;
	streams_drain(s);
	streams_peers_close(s);
	if (s->admin->archive)
		archive_follow(s->admin->archive, NULL, NULL);
	free(s);
}

uint64_t streams_dropped(const struct streams *s)
{
	return s->dropped;
}
