/* streams.c -- a list of streams, and one clock for them all. */
#include "admin/streams_nodes.h"
#include "admin/archive.h"
#include "admin/api/api.h"
#include "admin/series.h"
#include <stdlib.h>

enum {
	TICK_MS = 1000,
	FULL = 64 << 10,   /* bytes that wait for a client: beyond, it gets no figures, and no events until it has taken them */
	BATCH = 100,       /* events at a time */
	EVENT_ROOM = 128,  /* what stands round the JSON */
	RETRY_MS = 2000,   /* after which a client comes back */
};

struct stream_client {
	struct stream_client *next, **link;
	struct streams *all;
	struct serve_request *http; /* NULL: it is gone, and the archive still owes an answer */
	struct caller caller;
	unsigned topics;
	int64_t last;
	bool asking, again;         /* for events behind `last`; there may be more of them */
};

struct streams {
	struct admin *admin;
	struct stream_client *first;
	unsigned n, beat;
	uint64_t dropped;
	struct deadline tick;
	struct streams_nodes nodes;
	bool draining;
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

static bool follows(const struct stream_client *c, enum stream_topic topic)
{
	return c->topics >> topic & 1;
}

static bool is_full(const struct stream_client *c)
{
	return serve_backlog(c->http) > FULL;
}

/* JSON has no line ends of its own, so it is one line. One piece: it is one write. */
static void write_event(struct stream_client *c, enum stream_topic topic, int64_t number, struct bytes json)
{
	size_t room = json.len + EVENT_ROOM;
	char *at = malloc(room);
	struct text t = text_over(at, room);

	if (!at)
		return;
	if (number)
		text_printf(&t, "id: %lld\n", (long long)number);
	text_printf(&t, "event: %s\ndata: ", topics[topic]);
	text_put(&t, json);
	text_str(&t, "\n\n");
	serve_piece(c->http, text_bytes(&t));
	free(at);
}

void streams_tell(struct streams *s, enum stream_topic topic, struct bytes json)
{
	for (struct stream_client *c = s ? s->first : NULL; c; c = c->next)
		if (follows(c, topic) && !is_full(c))
			write_event(c, topic, 0, json);
		else if (follows(c, topic))
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
	for (size_t i = 0; i < p->n; i++)
		write_event(c, STREAM_SECURITY, c->last = p->rows[i].number, p->rows[i].json);
	if (p->next > c->last)
		c->last = p->next; /* it looked so far */
	if (again && !p->failed)
		ask(c);
}

/* One that is full asks when it has taken what waits (on_more), or at the next tick. */
static void ask(struct stream_client *c)
{
	const struct archive_ask behind = { .is_behind = true, .behind = c->last, .limit = BATCH };
	struct archive *a = c->all->admin->archive;

	if (c->asking) {
		c->again = true;
		return;
	}
	if (a && follows(c, STREAM_SECURITY) && c->last >= 0 && !is_full(c))
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
		c->last = p->n ? p->rows[0].number : 0;
	ask(c);
}

/* From now on: behind the newest that there is. */
static void ask_newest(struct stream_client *c)
{
	const struct archive_ask newest = { .limit = 1 };
	struct archive *a = c->all->admin->archive;

	if (a && follows(c, STREAM_SECURITY))
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
		if (follows(c, topic))
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
	for (struct stream_client *c = s->first; c; c = c->next) {
		if (beats)
			serve_piece(c->http, BYTES(":\n\n"));
		if (c->last < 0 && !c->asking)
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

bool streams_add(struct streams *s, struct serve_request *http, const struct caller *caller, unsigned wanted, int64_t last)
{
	struct stream_client *c = s->n < STREAMS_MAX ? calloc(1, sizeof *c) : NULL;

	if (!c)
		return false;
	*c = (struct stream_client){ .next = s->first, .link = &s->first, .all = s, .http = http, .caller = *caller, .topics = wanted,
				      .last = last };
	if (s->first)
		s->first->link = &c->next;
	s->first = c;
	s->n++;
	begin(c);
	if (s->draining) {
		end(c, true);
		return true;
	}
	if (last < 0)
		ask_newest(c);
	else
		ask(c);
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
	if (s->admin->archive)
		archive_follow(s->admin->archive, NULL, NULL);
	free(s);
}

uint64_t streams_dropped(const struct streams *s)
{
	return s->dropped;
}
