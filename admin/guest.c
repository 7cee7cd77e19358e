/* guest.c -- bytes in, requests out, and an end in every case. */
#include "admin/guest.h"
#include <stdlib.h>

enum { LINGER_MS = 1000, TAKE_MS = 30000 };

static void on_deadline(void *owner)
{
	guest_close(owner);
}

static void set_deadline(struct guest *g, uint32_t ms)
{
	deadline_set(g->admin->loop, &g->deadline, ms, on_deadline, g);
}

static bool is_busy(const struct guest *g)
{
	return g->answer || stream_backlog(g->stream) > 0;
}

static bool is_over(const struct guest *g)
{
	return g->ending || g->closing;
}

/* What it may take its time for, from now on. */
static void rearm(struct guest *g)
{
	if (is_over(g))
		return;
	if (g->answer)
		deadline_clear(&g->deadline);
	else if (is_busy(g))
		set_deadline(g, TAKE_MS);
	else
		set_deadline(g, g->len ? g->kind->request_ms : g->kind->idle_ms);
}

static void consume(struct guest *g, size_t n)
{
	g->len -= n;
	memmove(g->buf, g->buf + n, g->len);
}

static void guest_work(struct guest *g)
{
	bool some = false;
	size_t n;

	if (g->working)
		return;
	g->working = true;
	while (!is_over(g) && !is_busy(g) && g->len && (n = g->kind->read(g)) > 0) {
		consume(g, n);
		some = true;
	}
	g->working = false;
	if (g->ended && !is_busy(g))
		guest_end(g);
	else if (some)
		rearm(g);
}

void guest_answered(struct guest *g)
{
	g->answer = NULL;
	if (g->working)
		return; /* answered from inside read() */
	rearm(g);
	guest_work(g);
}

static void on_bytes(void *owner, struct bytes piece)
{
	struct guest *g = owner;

	while (piece.len && !is_over(g)) {
		size_t n = sizeof g->buf - g->len;

		if (n == 0) {
			guest_close(g);
			return;
		}
		n = piece.len < n ? piece.len : n;
		memcpy(g->buf + g->len, piece.at, n);
		g->len += n;
		piece = bytes_from(piece, n);
		if (g->len == n) /* the first bytes of a request */
			rearm(g);
		guest_work(g);
	}
}

static void on_ended(void *owner, enum stream_end end, const char *why)
{
	struct guest *g = owner;

	(void)why;
	g->ended = true;
	if (end == END_BROKEN || (g->ending && stream_backlog(g->stream) == 0))
		guest_close(g);
	else if (!is_busy(g))
		guest_end(g);
}

static void on_drained(void *owner)
{
	struct guest *g = owner;

	if (g->ending && g->ended) {
		guest_close(g);
		return;
	}
	rearm(g);
	guest_work(g);
}

static void on_closed(void *owner)
{
	struct guest *g = owner;
	struct admin *a = g->admin;

	*g->link = g->next;
	if (g->next)
		g->next->link = g->link;
	a->nguests--;
	free(g);
	admin_left(a);
}

static const struct stream_events events = {
	.bytes = on_bytes, .ended = on_ended, .drained = on_drained, .closed = on_closed,
};

void guest_new(struct admin *a, struct stream *s, const struct guest_kind *kind)
{
	struct guest *g = a->nguests < GUESTS_MAX ? calloc(1, sizeof *g) : NULL;

	if (!g) {
		stream_close(s);
		return;
	}
	g->admin = a;
	g->stream = s;
	g->kind = kind;
	g->link = &a->guests;
	g->next = a->guests;
	if (g->next)
		g->next->link = &g->next;
	a->guests = g;
	a->nguests++;
	set_deadline(g, kind->request_ms);
	if (!stream_start(s, &events, g, NULL))
		guest_close(g);
}

void guest_write(struct guest *g, const struct bytes *v, size_t n)
{
	if (!is_over(g))
		stream_write(g->stream, v, n);
}

void guest_end(struct guest *g)
{
	if (is_over(g))
		return;
	g->ending = true;
	if (g->ended && stream_backlog(g->stream) == 0) {
		guest_close(g);
		return;
	}
	stream_finish(g->stream);
	set_deadline(g, stream_backlog(g->stream) ? TAKE_MS : LINGER_MS);
}

void guest_close(struct guest *g)
{
	if (g->closing)
		return;
	g->closing = true;
	deadline_clear(&g->deadline);
	if (g->answer)
		g->answer->guest = NULL;
	g->answer = NULL;
	stream_close(g->stream);
}
