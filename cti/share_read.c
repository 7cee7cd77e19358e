/* share_read.c -- from the streams into the decisions, and to who is told. */
#include "base/clock.h"
#include "base/log.h"
#include "cti/share_parts.h"
#include <stdio.h>

/* ---- operations ---- */

static bool is_ahead(struct share *s, const struct share_op *op, uint64_t now_ms)
{
	char about[160];

	if (hlc_ms(op->decision.stamp) <= now_ms + HLC_AHEAD_MAX_MS)
		return false;
	atomic_fetch_add(&s->ahead, 1);
	snprintf(about, sizeof about, "gate %u is more than 5 minutes ahead of this clock: what it decides is not taken", op->decision.node);
	share_warn(s, TROUBLE_AHEAD, about);
	return true;
}

void share_apply_ops(struct share *s, struct bytes body, bool own)
{
	uint64_t now_ms = clock_wall_ms();
	struct share_op op;

	while (share_op_read(&body, &op)) {
		if (s->seen)
			seen_add(s->seen, &op);
		if (own || is_ahead(s, &op, now_ms))
			continue;
		hlc_heard(&s->clock, op.decision.stamp, now_ms);
		if (op.lifted) {
			decisions_apply_lift(s->decisions, &op.decision);
			graves_put(s->graves, &op);
		} else if (decisions_apply(s->decisions, &op.decision) == DECISION_FULL) {
			s->full = true;
		}
		atomic_fetch_add(&s->applied, 1);
	}
	if (body.len)
		atomic_fetch_add(&s->broken, 1);
}

/* ---- messages ---- */

/* A process's messages have rising stamps: one that was there before is played back by someone. */
static bool is_news(struct share *s, const struct share_frame *f)
{
	uint64_t now_ms = clock_wall_ms();
	struct share_heard *h = NULL;

	if (hlc_ms(f->stamp) > now_ms + HLC_AHEAD_MAX_MS || hlc_ms(f->stamp) + HLC_AHEAD_MAX_MS < now_ms)
		return false;
	for (unsigned i = 0; i < SHARE_RUNS; i++) {
		if (s->heard[i].run == f->run) {
			h = &s->heard[i];
			break;
		}
		if (!h || s->heard[i].stamp < h->stamp)
			h = &s->heard[i];
	}
	if (h->run == f->run && f->stamp <= h->stamp)
		return false;
	*h = (struct share_heard){ f->run, f->stamp };
	return true;
}

static void take_messages(struct share *s, const struct share_frame *f)
{
	struct bytes rest = f->body;
	uint64_t kind, len;

	while (frame_take(&rest, 1, &kind) && frame_take(&rest, 2, &len) && rest.len >= len && kind < SHARE_KINDS) {
		atomic_fetch_add(&s->messages, 1);
		if (kind == SHARE_ASK || kind == SHARE_ANSWERED)
			share_ask_heard(s, (enum share_kind)kind, bytes_sub(rest, 0, (size_t)len));
		else if (s->options.told)
			s->options.told(s->options.ctx, (enum share_kind)kind, bytes_sub(rest, 0, (size_t)len));
		rest = bytes_from(rest, (size_t)len);
	}
}

/* ---- entries ---- */

static void take_entry(struct share *s, bool told, const struct redis_reply *fields)
{
	struct share_frame f;

	if (fields->kind != REDIS_ARRAY || fields->n != 2) {
		atomic_fetch_add(&s->broken, 1);
		return;
	}
	if (!share_opened(s, fields->items[1].text, (struct bytes){ 0 }, told ? FRAME_TOLD : FRAME_OPS, &f))
		return;
	if (!told)
		share_apply_ops(s, f.body, f.run == s->run);
	else if (f.run != s->run && is_news(s, &f))
		take_messages(s, &f);
}

/* [id, [field, value]] */
static void take_entries(struct share *s, bool told, const struct redis_reply *entries)
{
	struct share_place *at = told ? &s->told_at : &s->at, place;

	for (size_t i = 0; i < entries->n; i++) {
		const struct redis_reply *e = &entries->items[i];

		if (e->n != 2 || !share_place_read(e->items[0].text, &place))
			continue;
		take_entry(s, told, &e->items[1]);
		*at = place;
		s->snap.frames += !told;
	}
}

/* [[key, entries], ...] */
static void take_streams(struct share *s, const struct redis_reply *r)
{
	for (size_t i = 0; i < r->n; i++)
		if (r->items[i].n == 2)
			take_entries(s, bytes_eq(r->items[i].items[0].text, share_key(s, KEY_TOLD)), &r->items[i].items[1]);
}

static void on_read(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;
	bool late = s->reading_turn != s->turn;

	s->reading = false;
	if (s->closing || s->state != SHARE_FOLLOWING)
		return;
	if (!late && r && r->kind == REDIS_ARRAY)
		take_streams(s, r);
	if (!late && r && r->kind == REDIS_NIL)
		s->goal = s->at; /* what lay between was cut away */
	if (!late && (!r || r->kind == REDIS_ERROR)) {
		if (r)
			share_warn(s, TROUBLE_REFUSED, "it does not let the stream be read: see docs/cluster.md for what is needed");
		share_retry(s, SHARE_RETRY_MS);
		return;
	}
	share_follow(s);
}

void share_follow(struct share *s)
{
	char places[2][48];
	struct text t[2] = { text_over(places[0], sizeof places[0]), text_over(places[1], sizeof places[1]) };
	struct bytes args[] = { BYTES("XREAD"), BYTES("COUNT"), BYTES("256"), BYTES("BLOCK"), BYTES("1000"), BYTES("STREAMS"),
				share_key(s, KEY_LOG), share_key(s, KEY_TOLD), { 0 }, { 0 } };

	if (s->seen && !s->push.begun && !share_place_before(s->at, s->goal))
		share_push_begin(s);
	if (s->reading)
		return;
	share_place_text(&t[0], &s->at);
	share_place_text(&t[1], &s->told_at);
	args[8] = text_bytes(&t[0]);
	args[9] = text_bytes(&t[1]);
	s->reading_turn = s->turn;
	s->reading = redis_block(s->redis, args, nelems(args), 6, SHARE_BLOCK_MS, on_read, s);
	if (!s->reading)
		share_retry(s, SHARE_RETRY_MS);
}
