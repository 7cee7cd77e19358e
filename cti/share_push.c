/* share_push.c -- what this gate holds and Redis was seen not to have.
 *
 * First what it decided itself; after some seconds, which differ between gates, what others decided too: by then one of them
 * has mostly pushed it. Last what was lifted. Frames of the outbox go before. */
#include "base/clock.h"
#include "cti/share_parts.h"
#include <stdlib.h>

enum { NONE, OWN, GRAVES, OTHERS };

struct picking { struct share *share; uint64_t now_ms; };

static void pick(void *ctx, const struct decision *d, unsigned times)
{
	struct picking *p = ctx;
	struct share *s = p->share;
	struct share_op op = { false, *d };

	(void)times;
	if (d->until_ms <= p->now_ms || !share_is_ours(d) || (s->push.pass == OWN) != (d->node == s->node) || seen_has(s->seen, &op))
		return;
	share_buffer_op(&s->push.buffer, &op);
}

static void pick_grave(void *ctx, const struct share_op *op)
{
	struct share *s = ctx;

	if (!seen_has(s->seen, op))
		share_buffer_op(&s->push.buffer, op);
}

void share_push_end(struct share *s)
{
	deadline_clear(&s->push.next);
	free(s->push.buffer.at);
	s->push = (struct share_push){ 0 };
	seen_free(s->seen);
	s->seen = NULL;
}

static void on_next(void *owner)
{
	struct share *s = owner;

	s->push.pass = OTHERS;
	s->push.part = 0;
	share_flush(s);
}

void share_push_begin(struct share *s)
{
	if (!s->seen) {
		share_push_end(s);
		return;
	}
	s->push.begun = true;
	s->push.pass = OWN;
	share_flush(s);
}

/* Fills the buffer with the next part that has anything; false: this pass is at its end. */
static bool next_part(struct share *s)
{
	struct picking p = { s, clock_wall_ms() };
	struct share_push *u = &s->push;
	bool more = true;

	u->buffer.len = u->sent = 0;
	while (more && !u->buffer.len) {
		if (u->pass == GRAVES && (more = u->part < GRAVES_PARTS))
			graves_each(s->graves, u->part, p.now_ms, pick_grave, s);
		else if (u->pass != GRAVES)
			more = decisions_part(s->decisions, u->part, pick, &p);
		u->part++;
	}
	return more;
}

static bool next_pass(struct share *s)
{
	s->push.part = 0;
	if (s->push.pass == OWN) {
		s->push.pass = GRAVES;
		return true;
	}
	if (s->push.pass == GRAVES) {
		s->push.pass = NONE;
		deadline_set(s->loop, &s->push.next, 1000 + s->run % 4000, on_next, s);
		return false;
	}
	share_push_end(s);
	return false;
}

bool share_push_more(struct share *s, struct text *t, unsigned *ops)
{
	struct share_push *u = &s->push;
	struct bytes rest, before;
	struct share_op op;

	*ops = 0;
	while (u->pass && u->sent == u->buffer.len)
		if (!next_part(s) && !next_pass(s))
			return false;
	if (!u->pass)
		return false;
	rest = (struct bytes){ u->buffer.at + u->sent, u->buffer.len - u->sent };
	for (before = rest; share_op_read(&rest, &op) && before.len - rest.len <= t->cap - t->len; before = rest, ++*ops) {
		text_put(t, bytes_sub(before, 0, before.len - rest.len));
		u->sent += before.len - rest.len;
	}
	return *ops;
}
