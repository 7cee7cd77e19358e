/* share_snapshot.c -- one gate writes down what all hold, so that who joins need not read all that ever was.
 *
 * Whoever holds the lease leads. A term counts how often that changed, and is the name of a snapshot: what a gate writes that
 * led before, and does not know yet, has a lower one and is not read. The parts are written first, then the manifest that
 * names them; the one before is taken away, and the stream is cut where that one ended: who is slow has a snapshot's time. */
#include "base/clock.h"
#include "base/log.h"
#include "cti/share_parts.h"
#include <stdio.h>
#include <stdlib.h>

enum { AFTER_FRAMES = 50000, AFTER_MS = 600000, PARTS_MAX = 1 << 20 };

static void next_parts(struct share *);

static struct bytes data_key(struct share *s, uint64_t serial, char room[192])
{
	struct text t = text_over(room, 192);

	text_printf(&t, "%s:%llu.%llu", s->keys[KEY_SNAP], (unsigned long long)s->snap.term, (unsigned long long)serial);
	return text_bytes(&t);
}

static void on_nothing(void *owner, const struct redis_reply *r)
{
	(void)owner;
	(void)r;
}

static void stop(struct share *s)
{
	s->snap.under_way = false;
	free(s->snap.buffer.at);
	s->snap.buffer = (struct share_buffer){ 0 };
}

/* ---- the end: the manifest, and what it makes superfluous ---- */

static void drop_others(struct share *s, const struct redis_reply *fields)
{
	for (size_t i = 0; i < fields->n; i++) {
		uint64_t term;

		if (bytes_u64(fields->items[i].text, &term) && term < s->snap.term)
			share_send(s, (struct bytes[]){ BYTES("HDEL"), share_key(s, KEY_SNAP), fields->items[i].text }, 3, 1, on_nothing);
	}
}

static void on_terms(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;

	if (!s->closing && r && r->kind == REDIS_ARRAY && atomic_load(&s->leading))
		drop_others(s, r);
}

static void tidy(struct share *s)
{
	char room[192], place[48];
	struct text t = text_over(place, sizeof place);

	if (s->snap.serial > 1)
		share_send(s, (struct bytes[]){ BYTES("UNLINK"), data_key(s, s->snap.serial - 1, room) }, 2, 1, on_nothing);
	share_place_text(&t, &s->snap.before);
	if (s->snap.before.ms)
		share_send(s, (struct bytes[]){ BYTES("XTRIM"), share_key(s, KEY_LOG), BYTES("MINID"), BYTES("~"), text_bytes(&t) }, 5, 1, on_nothing);
	share_send(s, (struct bytes[]){ BYTES("HKEYS"), share_key(s, KEY_SNAP) }, 2, 1, on_terms);
	s->snap.before = s->snap.at;
}

static void on_manifest(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;

	if (s->closing || !s->snap.under_way)
		return;
	stop(s);
	if (!r || r->kind == REDIS_ERROR)
		return;
	s->snap.done_ms = clock_mono_ms();
	atomic_fetch_add(&s->snapshots, 1);
	tidy(s);
}

static void write_manifest(struct share *s)
{
	char body[64], sealed[64 + SHARE_FRAME_MORE], key[192], term[24];
	struct text t = text_over(body, sizeof body), name = text_over(term, sizeof term);
	struct bytes life = BYTES("345600"); /* four days: longer than any shared decision lives */

	frame_put(&t, s->snap.term, 8);
	frame_put(&t, s->snap.serial, 8);
	frame_put(&t, s->snap.at.ms, 8);
	frame_put(&t, s->snap.at.seq, 8);
	frame_put(&t, s->snap.parts, 4);
	text_u64(&name, s->snap.term);
	share_send(s, (struct bytes[]){ BYTES("EXPIRE"), data_key(s, s->snap.serial, key), life }, 3, 1, on_nothing);
	if (!share_send(s, (struct bytes[]){ BYTES("HSET"), share_key(s, KEY_SNAP), text_bytes(&name),
			share_sealed(s, sealed, sizeof sealed, (struct bytes){ 0 }, FRAME_SNAPSHOT, text_bytes(&t)) }, 4, 1, on_manifest))
		stop(s);
}

/* ---- parts ---- */

static void on_part(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;

	s->snap.waiting--;
	if (s->closing || !s->snap.under_way)
		return;
	s->snap.failed |= !r || r->kind == REDIS_ERROR;
	next_parts(s);
}

static bool write_part(struct share *s, struct bytes body)
{
	static const char life[] = "600"; /* until its manifest is there */
	char key[192], name[64], field[24], *sealed = malloc(body.len + SHARE_FRAME_MORE);
	struct text context = text_over(name, sizeof name), number = text_over(field, sizeof field);
	struct bytes data = data_key(s, s->snap.serial, key), frame = { 0 };
	bool sent;

	share_part_context(&context, s->snap.term, s->snap.serial, s->snap.parts);
	text_u64(&number, s->snap.parts);
	if (sealed)
		frame = share_sealed(s, sealed, body.len + SHARE_FRAME_MORE, text_bytes(&context), FRAME_PART, body);
	sent = frame.len && share_send(s, (struct bytes[]){ BYTES("HSET"), data, text_bytes(&number), frame }, 4, 1, on_part);
	free(sealed);
	s->snap.waiting += sent;
	if (sent && !s->snap.parts++)
		share_send(s, (struct bytes[]){ BYTES("EXPIRE"), data, bytes_of(life) }, 3, 1, on_nothing);
	return sent;
}

static void pick(void *ctx, const struct decision *d, unsigned times)
{
	(void)times;
	if (d->until_ms > clock_wall_ms() && share_is_ours(d))
		share_buffer_op(ctx, &(struct share_op){ false, *d });
}

static void pick_grave(void *ctx, const struct share_op *op)
{
	share_buffer_op(ctx, op);
}

/* Gathers from the next part of the decisions, then of the graves; false: there is no more. */
static bool gather(struct share *s)
{
	size_t part = s->snap.part++;

	s->snap.buffer.len = 0;
	if (part >= GRAVES_PARTS)
		return decisions_part(s->decisions, part - GRAVES_PARTS, pick, &s->snap.buffer);
	graves_each(s->graves, part, clock_wall_ms(), pick_grave, &s->snap.buffer);
	return true;
}

/* A part in Redis is at most SHARE_PART: a part of the decisions may be several. */
static bool write_gathered(struct share *s)
{
	struct bytes rest = { s->snap.buffer.at, s->snap.buffer.len }, from = rest, before = rest;
	struct share_op op;

	for (; share_op_read(&rest, &op); before = rest)
		if (from.len - rest.len > SHARE_PART) {
			if (!write_part(s, bytes_sub(from, 0, from.len - before.len)))
				return false;
			from = before;
		}
	return !from.len || write_part(s, from);
}

static void next_parts(struct share *s)
{
	while (!s->snap.failed && s->snap.waiting < 4) {
		if (!gather(s)) {
			if (!s->snap.waiting)
				write_manifest(s);
			else
				s->snap.part--; /* once more when all is answered */
			return;
		}
		s->snap.failed = s->snap.buffer.failed || s->snap.parts > PARTS_MAX || !write_gathered(s);
	}
	if (s->snap.failed && !s->snap.waiting)
		stop(s);
}

static void write_snapshot(struct share *s)
{
	s->snap.under_way = true;
	s->snap.failed = false;
	s->snap.serial++;
	s->snap.at = s->at; /* all up to here is applied, and more may be */
	s->snap.frames = 0;
	s->snap.part = s->snap.parts = 0;
	next_parts(s);
}

/* ---- who leads ---- */

static void on_term(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;

	if (s->closing || !r || r->kind != REDIS_INTEGER || s->state != SHARE_FOLLOWING || s->snap.waiting)
		return;
	s->snap.term = (uint64_t)r->integer;
	s->snap.serial = s->snap.done_ms = 0;
	s->snap.before = (struct share_place){ 0 };
	atomic_store(&s->leading, true);
	if (!s->snap.under_way)
		write_snapshot(s);
}

static void on_lease(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;

	if (!s->closing && r && r->kind == REDIS_STATUS)
		share_send(s, (struct bytes[]){ BYTES("INCR"), share_key(s, KEY_TERM) }, 2, 1, on_term);
}

static void run_text(const struct share *s, char room[20])
{
	snprintf(room, 20, "%016llx", (unsigned long long)s->run);
}

static bool is_due(const struct share *s)
{
	return s->snap.frames >= AFTER_FRAMES || !s->snap.done_ms ||
	       (s->snap.frames && clock_mono_ms() - s->snap.done_ms >= AFTER_MS);
}

static void on_leader(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;
	char own[20];

	run_text(s, own);
	if (s->closing || !r || s->state != SHARE_FOLLOWING)
		return;
	if (r->kind != REDIS_TEXT || !bytes_eq(r->text, bytes_of(own))) {
		share_unlead(s);
		return;
	}
	share_send(s, (struct bytes[]){ BYTES("PEXPIRE"), share_key(s, KEY_LEAD), BYTES("30000") }, 3, 1, on_nothing);
	if (is_due(s) && !s->snap.under_way && !s->snap.waiting)
		write_snapshot(s);
}

void share_lead(struct share *s)
{
	char own[20];

	run_text(s, own);
	if (s->state != SHARE_FOLLOWING || s->full || (s->seen && !s->push.begun))
		return;
	if (atomic_load(&s->leading))
		share_send(s, (struct bytes[]){ BYTES("GET"), share_key(s, KEY_LEAD) }, 2, 1, on_leader);
	else
		share_send(s, (struct bytes[]){ BYTES("SET"), share_key(s, KEY_LEAD), bytes_of(own), BYTES("NX"), BYTES("PX"), BYTES("30000") }, 6,
			   1, on_lease);
}

void share_unlead(struct share *s)
{
	atomic_store(&s->leading, false);
	stop(s);
}
