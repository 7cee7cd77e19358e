/* lapi_decisions.c -- decisions asked for one by one, and lifted. */
#include "base/clock.h"
#include "cti/lapi_parts.h"
#include <stdio.h>

enum { ANSWER_MAX = 1000 /* decisions; a bouncer asks about one address, all are what the stream is for */ };

struct listing {
	struct call *call;
	struct lapi_filter filter;
	struct text text;
	uint64_t ids[ANSWER_MAX];
	uint64_t now_ms;
	size_t n;
};

static bool list(void *ctx, const struct decision *d)
{
	struct listing *l = ctx;
	size_t before = l->text.len;

	if (!lapi_filter_takes(&l->filter, d))
		return true;
	text_byte(&l->text, l->n ? ',' : '[');
	lapi_decision(&l->text, d, l->now_ms, 0);
	if (l->text.full) {
		l->text.full = false;
		l->text.len = before;
		return false;
	}
	l->ids[l->n++] = d->id;
	return l->n < ANSWER_MAX;
}

/* NULL: it is answered. */
static struct listing *begin(struct call *c)
{
	enum { CAP = 512 << 10 };
	struct arena *arena = serve_arena(c->request);
	struct listing *l = arena_get(arena, sizeof *l);
	char *room = l ? arena_raw(arena, CAP) : NULL;
	struct lapi_error why;

	if (!room) {
		lapi_message(c, 503, "out of memory");
		return NULL;
	}
	l->call = c;
	l->now_ms = clock_wall_ms();
	l->text = text_over(room, CAP - 1); /* there is room for ']' */
	if (lapi_filter_read(&l->filter, lapi_param_of, c, false, &why))
		return l;
	lapi_error(c, &why);
	return NULL;
}

/* About an address only what is held against it is looked at; else the whole table. */
static void collect(struct listing *l)
{
	if (l->filter.has_net && l->filter.contains)
		decisions_about(l->call->lapi->options.decisions, &l->filter.net, l->now_ms, list, l);
	else
		decisions_each(l->call->lapi->options.decisions, l->now_ms, list, l);
}

void lapi_decisions_get(struct call *c)
{
	struct listing *l = begin(c);

	if (!l)
		return;
	collect(l);
	l->text.cap++;
	text_byte(&l->text, ']');
	lapi_answer(c, 200, l->n ? text_bytes(&l->text) : BYTES("null"));
}

void lapi_decisions_delete(struct call *c)
{
	struct listing *l = begin(c);
	size_t n = 0;

	if (!l)
		return;
	collect(l);
	for (size_t i = 0; i < l->n; i++)
		n += decisions_lift_id(c->lapi->options.decisions, l->ids[i]);
	lapi_deleted(c, n);
}

void lapi_decision_delete(struct call *c)
{
	char text[128];
	uint64_t id;

	if (bytes_u64(c->last, &id) && decisions_lift_id(c->lapi->options.decisions, id)) {
		lapi_deleted(c, 1);
		return;
	}
	snprintf(text, sizeof text, "decision with id '%.*s' doesn't exist: unable to delete", c->last.len < 32 ? (int)c->last.len : 32,
		 c->last.at);
	lapi_message(c, 500, text);
}
