/* share_join.c -- the snapshot, part by part, and then the stream from where it ends.
 *
 * Of several snapshots that of the highest term counts. A part that is no more there has been replaced while we read: what
 * was taken stays, since operations may come twice, and joining begins again. */
#include "base/clock.h"
#include "base/log.h"
#include "cti/share_parts.h"

static void next_parts(struct share *);

bool share_manifest_read(struct bytes body, struct share_manifest *m)
{
	return frame_take(&body, 8, &m->term) && frame_take(&body, 8, &m->serial) && frame_take(&body, 8, &m->at.ms) &&
	       frame_take(&body, 8, &m->at.seq) && frame_take(&body, 4, &m->parts) && !body.len;
}

void share_part_context(struct text *t, uint64_t term, uint64_t serial, size_t part)
{
	text_printf(t, "%llu.%llu.%zu", (unsigned long long)term, (unsigned long long)serial, part);
}

/* Between the snapshot and what is left of the stream something is missing. */
static bool has_gap(const struct share *s)
{
	struct share_place none = { 0 }, at = s->join.at;

	if (!share_place_before(none, s->first)) /* empty: cut away up to its end */
		return share_place_before(at, s->goal);
	return share_place_before(none, at) && share_place_before(at, s->first);
}

static void go_on(struct share *s)
{
	if (!s->mended && has_gap(s)) {
		s->mended = true;
		share_end_era(s);
	}
	s->at = s->join.at;
	s->joined = true;
	s->turn++;
	s->state = SHARE_FOLLOWING;
	s->snap.frames = s->snap.done_ms = 0; /* who leads writes it anew */
	atomic_store(&s->following, true);
	share_flush(s);
	share_follow(s);
}

static void on_part(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;
	struct share_joining *j = &s->join;
	char name[64];
	struct text t = text_over(name, sizeof name);
	struct share_frame f;
	size_t part = j->part - j->waiting; /* answers come in order */

	j->waiting--;
	if (s->closing || s->state != SHARE_JOINING)
		return;
	share_part_context(&t, j->term, j->serial, part);
	if (r && r->kind == REDIS_TEXT && share_opened(s, r->text, text_bytes(&t), FRAME_PART, &f))
		share_apply_ops(s, f.body, false);
	else
		j->failed = true;
	next_parts(s);
}

static void next_parts(struct share *s)
{
	struct share_joining *j = &s->join;

	while (!j->failed && j->part < j->parts && j->waiting < 4) {
		char key[192], field[32];
		struct text k = text_over(key, sizeof key), f = text_over(field, sizeof field);
		struct bytes args[3] = { BYTES("HGET") };

		text_printf(&k, "%s:%llu.%llu", s->keys[KEY_SNAP], (unsigned long long)j->term, (unsigned long long)j->serial);
		text_u64(&f, j->part);
		args[1] = text_bytes(&k);
		args[2] = text_bytes(&f);
		if (!share_send(s, args, 3, 1, on_part)) {
			j->failed = true;
			break;
		}
		j->waiting++;
		j->part++;
	}
	if (j->waiting)
		return;
	if (j->failed)
		share_retry(s, SHARE_RETRY_MS); /* checks and joins once more */
	else if (j->part == j->parts)
		go_on(s);
}

/* name and value in turn: TERM -> manifest */
static void choose(struct share *s, const struct redis_reply *r)
{
	struct share_manifest m, best = { 0 };
	struct share_frame f;

	for (size_t i = 0; i + 1 < r->n; i += 2)
		if (share_opened(s, r->items[i + 1].text, (struct bytes){ 0 }, FRAME_SNAPSHOT, &f) && share_manifest_read(f.body, &m) &&
		    m.term >= best.term)
			best = m;
	s->join.term = best.term;
	s->join.serial = best.serial;
	s->join.at = best.at;
	s->join.parts = (size_t)best.parts;
}

static void on_manifests(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;

	if (s->closing || s->state != SHARE_JOINING)
		return;
	s->join = (struct share_joining){ .waiting = s->join.waiting };
	if (!r || r->kind != REDIS_ARRAY) {
		share_retry(s, SHARE_RETRY_MS);
		return;
	}
	choose(s, r);
	if (share_place_before(s->goal, s->join.at))
		s->join.at = (struct share_place){ 0 }; /* of a stream that is no more: this one is read from its beginning */
	next_parts(s);
}

void share_join(struct share *s)
{
	struct bytes args[] = { BYTES("HGETALL"), share_key(s, KEY_SNAP) };

	s->state = SHARE_JOINING;
	s->turn++;
	s->lost_seen = outbox_lost(s->log);
	s->full = false;
	atomic_fetch_add(&s->resyncs, 1);
	share_push_end(s);
	s->seen = seen_new();
	if (s->join.waiting || !share_send(s, args, nelems(args), 1, on_manifests))
		share_retry(s, SHARE_RETRY_MS);
}
