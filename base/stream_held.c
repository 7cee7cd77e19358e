/* stream_held.c -- small writes of one turn of the loop, sent in a row when it ends.
 *
 * A write to a process that sleeps wakes it, which costs more than the write does.
 * Sent in a row, the first piece wakes whoever it is for, and the others find him
 * awake. What is held is not yet backlog: it is offered to the kernel before the
 * loop waits, before the stream is closed, and before anything larger. */
#include "base/stream_parts.h"

enum {
	HELD_BYTES = 4 << 10, /* of one stream */
	HELD_STREAMS = 32,    /* none waits for more than these */
};

struct held {
	size_t len;
	char data[HELD_BYTES];
};

static void take_out(struct stream *s)
{
	struct loop *l = s->loop;

	if (!s->held_link)
		return;
	*s->held_link = s->held_next;
	if (s->held_next)
		s->held_next->held_link = s->held_link;
	else
		l->held_tail = s->held_link;
	s->held_link = NULL;
}

static void put_in(struct stream *s)
{
	struct loop *l = s->loop;

	s->held_next = NULL;
	s->held_link = l->held_tail;
	*l->held_tail = s;
	l->held_tail = &s->held_next;
}

/* Sends. A stream that turns out broken stays in the row: its owner is told when the turn ends. */
static void let_go(struct stream *s)
{
	struct held *h = s->held;
	uv_buf_t buf = uv_buf_init(h->data, (unsigned)h->len);

	s->held = NULL;
	s->loop->nheld--;
	if (stream_send(s, &buf, 1, h->len))
		take_out(s);
	free(h);
}

bool stream_send_held(struct stream *s)
{
	if (s->held)
		let_go(s);
	return !s->broken;
}

void stream_forget_held(struct stream *s)
{
	if (s->held)
		s->loop->nheld--;
	free(s->held);
	s->held = NULL;
	take_out(s);
}

static void on_turn_ends(void *loop)
{
	struct loop *l = loop;
	struct stream *s;

	while ((s = l->held)) {
		if (stream_send_held(s))
			continue;
		take_out(s);
		if (s->on->drained)
			s->on->drained(s->owner);
	}
}

static void send_all(struct loop *l)
{
	for (struct stream *s = l->held, *next; s; s = next) {
		next = s->held_next;
		stream_send_held(s);
	}
}

bool stream_hold(struct stream *s, const uv_buf_t *bufs, size_t n, size_t total)
{
	struct loop *l = s->loop;
	struct held *h = s->held;

	if (s->backlog || total > HELD_BYTES - (h ? h->len : 0))
		return false;
	if (!h) {
		if (l->nheld == HELD_STREAMS)
			send_all(l);
		h = malloc(sizeof *h);
		if (!h)
			return false;
		h->len = 0;
		s->held = h;
		put_in(s);
		l->nheld++;
		l->send.fn = on_turn_ends;
		l->send.arg = l;
		loop_soon(l, &l->send);
	}
	for (size_t i = 0; i < n; i++) {
		memcpy(h->data + h->len, bufs[i].base, bufs[i].len);
		h->len += bufs[i].len;
	}
	return true;
}
