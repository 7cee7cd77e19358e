/* share_check.c -- where this gate stands to the stream: is its place still one of it, and what lies between? */
#include "base/clock.h"
#include "base/log.h"
#include "cti/share_parts.h"

bool share_place_read(struct bytes b, struct share_place *out)
{
	struct bytes ms;

	*out = (struct share_place){ 0 };
	return bytes_cut(&b, '-', &ms) && bytes_u64(ms, &out->ms) && bytes_u64(b, &out->seq);
}

void share_place_text(struct text *t, const struct share_place *p)
{
	text_u64(t, p->ms);
	text_byte(t, '-');
	text_u64(t, p->seq);
}

static void on_retry(void *owner)
{
	struct share *s = owner;

	if (s->state == SHARE_FOLLOWING)
		share_follow(s);
	else if (atomic_load(&s->up))
		share_check(s);
}

void share_retry(struct share *s, uint32_t ms)
{
	deadline_set(s->loop, &s->retry, ms, on_retry, s);
}

/* ---- what XINFO STREAM says: names and values in turn ---- */

struct stream_info { bool there, has_first; struct share_place first, last; };

static const struct redis_reply *member(const struct redis_reply *r, struct bytes name)
{
	for (size_t i = 0; i + 1 < r->n; i += 2)
		if (bytes_eq(r->items[i].text, name))
			return &r->items[i + 1];
	return NULL;
}

/* False: it is no answer to that. An error is that there is no stream, or one that join will meet again. */
static bool take_info(const struct redis_reply *r, struct stream_info *out)
{
	const struct redis_reply *first, *last;

	*out = (struct stream_info){ 0 };
	if (r->kind == REDIS_ERROR)
		return bytes_find(r->text, BYTES("no such key")) != SIZE_MAX;
	if (r->kind != REDIS_ARRAY || !(last = member(r, BYTES("last-generated-id"))) || !share_place_read(last->text, &out->last))
		return false;
	out->there = true;
	first = member(r, BYTES("first-entry"));
	out->has_first = first && first->kind == REDIS_ARRAY && first->n && share_place_read(first->items[0].text, &out->first);
	return true;
}

/* All that came after our place is there still. */
static bool is_whole(const struct stream_info *i, struct share_place from)
{
	struct share_place start = { 0 };

	if (!share_place_before(start, from))
		return true; /* from its beginning, whatever that is */
	if (!i->there || share_place_before(i->last, from))
		return false;
	return i->has_first ? !share_place_before(from, i->first) : !share_place_before(from, i->last);
}

bool share_judge(struct share *s, const struct redis_reply *r, struct share_place from)
{
	struct stream_info i;

	if (!take_info(r, &i))
		return true;
	s->lag_ms = i.there && i.last.ms > s->at.ms ? (int64_t)(i.last.ms - s->at.ms) : 0;
	s->goal = i.last;
	return is_whole(&i, from);
}

/* ---- what a stream's ids cannot tell: that all was lost, and others have written since ---- */

static void on_set(void *owner, const struct redis_reply *r)
{
	(void)owner;
	(void)r;
}

static void on_era(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;
	bool other;

	if (s->closing || !r || r->kind != REDIS_TEXT || r->text.len >= sizeof s->era)
		return;
	other = s->era[0] && !bytes_eq(r->text, bytes_of(s->era));
	memset(s->era, 0, sizeof s->era);
	memcpy(s->era, r->text.at, r->text.len);
	if (!other)
		return;
	s->joined = false;
	s->mended = true; /* what is missing is known to all by now */
	if (s->state == SHARE_FOLLOWING)
		share_again(s);
}

void share_ask_era(struct share *s)
{
	char own[20];
	struct text t = text_over(own, sizeof own);

	text_hex(&t, s->run ^ hlc_now(&s->clock, clock_wall_ms())); /* never the same twice */
	if (share_send(s, (struct bytes[]){ BYTES("SET"), share_key(s, KEY_ERA), text_bytes(&t), BYTES("NX") }, 4, 1, on_set))
		share_send(s, (struct bytes[]){ BYTES("GET"), share_key(s, KEY_ERA) }, 2, 1, on_era);
}

void share_end_era(struct share *s)
{
	struct text t = text_over(s->era, sizeof s->era);

	memset(s->era, 0, sizeof s->era);
	text_hex(&t, s->run ^ hlc_now(&s->clock, clock_wall_ms()));
	share_send(s, (struct bytes[]){ BYTES("SET"), share_key(s, KEY_ERA), text_bytes(&t) }, 3, 1, on_set);
}

/* ---- */

static void on_told_end(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;

	if (!s->closing && r && r->kind == REDIS_ARRAY)
		if (!r->n || !r->items[0].n || !share_place_read(r->items[0].items[0].text, &s->told_at))
			s->told_at = (struct share_place){ 0 };
}

static void on_info(void *owner, const struct redis_reply *r)
{
	struct share *s = owner;
	struct stream_info i;

	if (s->closing || s->state != SHARE_CHECKING)
		return;
	if (!r || !take_info(r, &i)) {
		if (r && r->kind == REDIS_ERROR)
			share_warn(s, TROUBLE_REFUSED, "it does not tell of the stream: see docs/cluster.md for what is needed");
		share_retry(s, r ? 4 * SHARE_RETRY_MS : SHARE_RETRY_MS);
		return;
	}
	if (s->joined && share_judge(s, r, s->at) && outbox_lost(s->log) == s->lost_seen) {
		s->state = SHARE_FOLLOWING;
		atomic_store(&s->following, true);
		share_flush(s);
		share_follow(s);
		return;
	}
	s->goal = i.last;
	s->first = i.first;
	if (atomic_load(&s->resyncs))
		log_info("redis: what it has is read anew");
	share_join(s);
}

void share_check(struct share *s)
{
	struct bytes end[] = { BYTES("XREVRANGE"), share_key(s, KEY_TOLD), BYTES("+"), BYTES("-"), BYTES("COUNT"), BYTES("1") };
	struct bytes info[] = { BYTES("XINFO"), BYTES("STREAM"), share_key(s, KEY_LOG) };

	s->state = SHARE_CHECKING;
	s->turn++;
	share_ask_era(s); /* is answered first */
	if (!share_send(s, end, nelems(end), 1, on_told_end) || !share_send(s, info, nelems(info), 2, on_info))
		share_retry(s, SHARE_RETRY_MS);
}

void share_again(struct share *s)
{
	s->joined = false;
	atomic_store(&s->following, false);
	share_check(s);
}
