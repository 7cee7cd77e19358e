/* streams_peers.c -- events of other gates, in the streams of those that follow all.
 *
 *   a tick, while somebody follows all  ->  /tail?behind=3:77,9:90 to all gates (cti/share_ask.h)
 *   each answers the newest that are behind its number in it, TAIL at most  ->  to each client what is behind its own place
 *
 * So nothing goes through Redis while nobody looks; a gate that is silent for a while tells then what was meanwhile; and what a
 * flood left out is a number: {"node", "missed"}. */
#include "admin/streams_parts.h"
#include "admin/api/api.h"
#include "admin/event_json.h"
#include "base/json_edit.h"
#include "cti/share_ask.h"
#include <stdlib.h>

enum { TAIL = 100, DEPTH = 16, EVENT_MAX = 2 * EVENT_ROW_MAX };

struct streams_asking { struct streams *streams; }; /* NULL: they are closed */

/* ---- who waits for what ---- */

static bool waits(const struct stream_client *c)
{
	return c->all_gates && streams_follows(c, STREAM_SECURITY) && !streams_is_full(c);
}

static void add_lowest(struct streams_place *to, const struct streams_place *from)
{
	for (size_t i = 0; i < from->n; i++) {
		int64_t *at = streams_place_of(to, from->others[i].gate);

		if (!at)
			streams_place_add(to, from->others[i].gate, from->others[i].at);
		else if (from->others[i].at < *at)
			*at = from->others[i].at;
	}
}

/* ---- what is told ---- */

static void tell_missed(struct stream_client *c, const char *node, int64_t n)
{
	char room[8 * 64];
	struct text t = text_over(room, sizeof room);

	text_str(&t, "{\"node\":");
	text_json(&t, bytes_of(node));
	text_printf(&t, ",\"missed\":%lld}", (long long)n);
	streams_write(c, "tail", text_bytes(&t));
}

/* The place of who has none at this gate yet is the newest: from now on. So is that of who saw more than there is: its archive is
 * another. NULL: this client does not follow that gate. */
static int64_t *place_at(struct stream_client *c, unsigned gate, int64_t newest)
{
	int64_t *at = streams_place_of(&c->place, gate);

	if (at && *at > newest)
		*at = newest;
	if (!at)
		streams_place_add(&c->place, gate, newest);
	return at;
}

struct tail { const char *node; unsigned gate; int64_t newest, first; const struct json *items; };

/* What there is no room for is asked again, and is then perhaps not among the newest any more. */
static void tell_tail(struct stream_client *c, const struct tail *t, struct arena *a)
{
	int64_t *at = place_at(c, t->gate, t->newest), number;
	const struct json *item;

	if (!at)
		return;
	if (t->first > *at + 1)
		tell_missed(c, t->node, t->first - *at - 1);
	for (size_t i = 0; (item = json_item(t->items, i)); i++) {
		struct bytes event;

		if (!json_number(item, "number", &number) || number <= *at)
			continue;
		if (streams_is_full(c))
			return;
		*at = number;
		event = json_print(json_at(item, "event"), a, EVENT_MAX);
		if (event.at)
			streams_write_event(c, t->node, event);
	}
}

static void take_answer(struct streams *s, const struct share_answered *answer)
{
	const struct json_limits limits = { SHARE_ANSWER_MAX, DEPTH };
	struct err e;
	struct json *json = json_read(answer->body, &limits, &e);
	struct arena *a = arena_new(API_ANSWER_MAX);
	struct tail t = { .node = answer->name, .items = json_at(json, "items") };
	int64_t gate;

	if (a && json_number(json, "number", &gate) && gate >= 0 && gate <= STREAMS_GATE_MAX && json_number(json, "newest", &t.newest)) {
		t.gate = (unsigned)gate;
		json_number(json_item(t.items, 0), "number", &t.first);
		for (struct stream_client *c = s->first; c; c = c->next)
			if (waits(c))
				tell_tail(c, &t, a);
	}
	arena_free(a);
	json_free(json);
}

static void tell_silent(struct streams *s, const struct share_answers *answers)
{
	char room[sizeof s->silent];
	struct text t = text_over(room, sizeof room - 2);

	for (size_t i = 0; i < answers->nsilent; i++) {
		struct text before = t;

		text_str(&t, i ? "," : "");
		text_json(&t, bytes_of(answers->silent[i]));
		if (t.full) {
			t = before;
			break;
		}
	}
	room[t.len] = 0;
	if (!s->silents || strcmp(room, s->silent) != 0) {
		memcpy(s->silent, room, t.len + 1);
		s->silents++;
	}
}

static void tell_followers(struct streams *s)
{
	char room[sizeof s->silent + 32];
	struct text t = text_over(room, sizeof room);

	text_printf(&t, "{\"silent\":[%s]}", s->silent);
	for (struct stream_client *c = s->first; c; c = c->next)
		if (waits(c) && c->silent_told != s->silents) {
			streams_write(c, "tail", text_bytes(&t));
			c->silent_told = s->silents;
		}
}

static void on_answers(void *owner, const struct share_answers *answers)
{
	struct streams_asking *asking = owner;
	struct streams *s = asking->streams;

	free(asking);
	if (!s)
		return;
	s->asking = NULL;
	for (size_t i = 0; i < answers->n; i++)
		take_answer(s, &answers->at[i]);
	tell_silent(s, answers);
	tell_followers(s);
}

/* ---- asking ---- */

/* It may answer at once. */
static void ask(struct streams *s, const struct streams_place *behind)
{
	struct streams_asking *asking = malloc(sizeof *asking);
	char room[SHARE_QUESTION_MAX];
	struct text t = text_over(room, sizeof room);

	text_printf(&t, "/tail?limit=%d%s", TAIL, behind->n ? "&behind=" : "");
	streams_place_text_others(&t, behind);
	if (!asking)
		return;
	asking->streams = s;
	s->asking = asking;
	if (!share_ask(s->admin->hooks.share, text_bytes(&t), SHARE_ASK_MS, on_answers, asking)) {
		s->asking = NULL;
		free(asking);
	}
}

void streams_peers_look(struct streams *s)
{
	struct streams_place behind = { 0 };
	bool any = false;

	if (!s->admin->hooks.share || s->asking)
		return;
	for (const struct stream_client *c = s->first; c; c = c->next)
		if (waits(c)) {
			add_lowest(&behind, &c->place);
			any = true;
		}
	if (any)
		ask(s, &behind);
}

void streams_peers_close(struct streams *s)
{
	if (s->asking)
		s->asking->streams = NULL;
}
