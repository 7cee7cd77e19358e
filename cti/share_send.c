/* share_send.c -- from the outboxes into the streams.
 *
 * While nothing is under way whatever there is goes out at once; while something is, what comes meanwhile is gathered into
 * whole frames. So a lone decision waits for nothing, and many share frames. Operations that were not answered are sent
 * again, since doing one twice changes nothing; messages are not. */
#include "base/log.h"
#include "cti/share_parts.h"
#include <stdio.h>
#include <stdlib.h>

static void on_patience(void *owner)
{
	struct share *s = owner;

	s->refused = false;
	share_flush(s);
}

static void refuse(struct share *s, const struct redis_reply *r)
{
	char about[256];

	if (r) {
		snprintf(about, sizeof about, "it refuses what is to be shared: %.*s", (int)(r->text.len < 160 ? r->text.len : 160), r->text.at);
		share_warn(s, TROUBLE_REFUSED, about);
	}
	s->refused = true;
	deadline_set(s->loop, &s->refused_until, SHARE_RETRY_MS, on_patience, s);
}

/* ---- operations ---- */

static void forget_frame(struct share *s, struct share_frame_out *f)
{
	struct share_frame_out **link = &s->frames;

	while (*link != f)
		link = &(*link)->next;
	*link = f->next;
	if (!f->next)
		s->frames_tail = link;
	free(f);
}

static void on_added(void *owner, const struct redis_reply *r)
{
	struct share_frame_out *f = owner;
	struct share *s = f->share;
	struct share_place at;
	bool anew;

	s->under_way--;
	f->under_way = false;
	if (s->closing)
		return;
	if (!r || r->kind != REDIS_TEXT) {
		refuse(s, r);
		return;
	}
	atomic_fetch_add(&s->sent, f->ops);
	/* The stream begins anew: it ended before where we had read to. */
	anew = s->state == SHARE_FOLLOWING && share_place_read(r->text, &at) && !share_place_before(f->after, at);
	forget_frame(s, f);
	if (anew)
		share_again(s);
	share_flush(s);
}

static struct share_frame_out *unsent_frame(const struct share *s)
{
	struct share_frame_out *f = s->frames;

	while (f && f->under_way)
		f = f->next;
	return f;
}

static struct share_frame_out *new_frame(struct share *s)
{
	char room[SHARE_BODY], sealed[SHARE_BODY + SHARE_FRAME_MORE];
	struct text t = text_over(room, sizeof room);
	struct share_frame_out *f;
	unsigned ops = 0;
	struct bytes b;

	if (s->under_way && outbox_bytes(s->log) < SHARE_BODY && !s->push.pass)
		return NULL;
	ops = (unsigned)outbox_take(s->log, &t);
	if (!ops && !share_push_more(s, &t, &ops))
		return NULL;
	b = share_sealed(s, sealed, sizeof sealed, (struct bytes){ 0 }, FRAME_OPS, text_bytes(&t));
	if (!b.len || !(f = malloc(sizeof *f + b.len)))
		return NULL;
	*f = (struct share_frame_out){ .share = s, .ops = ops, .len = b.len };
	memcpy(f->at, b.at, b.len);
	*s->frames_tail = f;
	s->frames_tail = &f->next;
	return f;
}

static bool add_frame(struct share *s, struct share_frame_out *f)
{
	struct bytes args[] = { BYTES("XADD"), share_key(s, KEY_LOG), BYTES("MAXLEN"), BYTES("~"), BYTES("100000"), BYTES("*"), BYTES("f"),
				{ f->at, f->len } };

	f->after = s->at;
	f->under_way = redis_send(s->redis, args, nelems(args), 1, on_added, f);
	s->under_way += f->under_way;
	return f->under_way;
}

/* ---- messages ---- */

static void on_told(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;

	s->told_under_way--;
	if (s->closing)
		return;
	if (!r || r->kind != REDIS_TEXT)
		atomic_fetch_add(&s->untold, 1);
	share_flush(s);
}

/* A stream of its own, and short: XREAD takes it with the other in one round trip, in order, and it is bounded by Redis; a
 * channel would need a connection more, and drops whoever is slow. */
static void tell(struct share *s)
{
	char room[SHARE_BODY], sealed[SHARE_BODY + SHARE_FRAME_MORE];
	struct text t = text_over(room, sizeof room);
	struct bytes args[] = { BYTES("XADD"), share_key(s, KEY_TOLD), BYTES("MAXLEN"), BYTES("~"), BYTES("2000"), BYTES("*"), BYTES("f"),
				{ 0 } };

	if (s->told_under_way || s->state != SHARE_FOLLOWING || !outbox_take(s->told, &t))
		return;
	args[7] = share_sealed(s, sealed, sizeof sealed, (struct bytes){ 0 }, FRAME_TOLD, text_bytes(&t));
	if (args[7].len && share_send(s, args, nelems(args), 1, on_told))
		s->told_under_way++;
	else
		atomic_fetch_add(&s->untold, 1);
}

/* ---- */

void share_flush(struct share *s)
{
	struct share_frame_out *f;

	if (s->closing || !atomic_load(&s->up))
		return;
	tell(s);
	while (!s->refused && s->under_way < SHARE_WINDOW) {
		f = unsent_frame(s);
		if (!f && !(f = new_frame(s)))
			return;
		if (!add_frame(s, f))
			refuse(s, NULL);
	}
}

void share_unsend(struct share *s)
{
	deadline_clear(&s->refused_until);
	s->refused = false;
}

void share_send_free(struct share *s)
{
	for (struct share_frame_out *f = s->frames, *next; f; f = next) {
		next = f->next;
		free(f);
	}
}
