/* share.c -- opening and closing, and what the decisions tell. */
#include "base/clock.h"
#include "base/log.h"
#include "base/tls.h"
#include "cti/share_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- what all files use ---- */

struct bytes share_key(const struct share *s, enum share_key k)
{
	return bytes_of(s->keys[k]);
}

bool share_send(struct share *s, const struct bytes *args, unsigned n, unsigned key, redis_told *told)
{
	return redis_send(s->redis, args, n, key, told, s);
}

struct bytes share_sealed(struct share *s, char *room, size_t cap, struct bytes context, enum share_frame_kind kind, struct bytes body)
{
	struct share_frame f = { kind, s->run, hlc_now(&s->clock, clock_wall_ms()), body };
	struct text t = text_over(room, cap);

	return share_frame_write(&t, s->key, context, &f) ? text_bytes(&t) : (struct bytes){ 0 };
}

bool share_opened(struct share *s, struct bytes b, struct bytes context, enum share_frame_kind kind, struct share_frame *f)
{
	switch (share_frame_read(b, s->key, context, kind, f)) {
	case FRAME_GOOD:
		return true;
	case FRAME_FORGED:
		atomic_fetch_add(&s->forged, 1);
		share_warn(s, TROUBLE_FORGED, "a record bears no valid signature and is ignored: another secret, or someone else writes there");
		return false;
	case FRAME_BROKEN:
		break;
	}
	atomic_fetch_add(&s->broken, 1);
	return false;
}

void share_warn(struct share *s, enum share_trouble trouble, const char *about)
{
	uint64_t now_ms = clock_mono_ms();

	if (s->warned_ms[trouble] && now_ms - s->warned_ms[trouble] < 60000)
		return;
	s->warned_ms[trouble] = now_ms;
	log_warn("redis: %s", about);
}

void share_buffer_op(struct share_buffer *b, const struct share_op *op)
{
	struct text t;
	char *grown;

	if (b->failed)
		return;
	if (b->cap - b->len < SHARE_OP_MAX) {
		if (!(grown = realloc(b->at, b->cap * 2 + SHARE_PART))) {
			b->failed = true;
			return;
		}
		b->at = grown;
		b->cap = b->cap * 2 + SHARE_PART;
	}
	t = text_over(b->at + b->len, b->cap - b->len);
	if (share_op_write(&t, op))
		b->len += t.len;
}

/* ---- from any thread ---- */

static void on_wake(void *arg)
{
	struct share *s = arg;

	atomic_store(&s->woken, false);
	if (!s->closing)
		share_flush(s);
}

void share_wake(struct share *s)
{
	if (!atomic_exchange(&s->woken, true) && !loop_post(s->loop, on_wake, s))
		atomic_store(&s->woken, false); /* the next one tries again */
}

bool share_is_ours(const struct decision *d)
{
	static const struct bytes pulled[] = { BYTES_INIT("lists"), BYTES_INIT("crowdsec:"), BYTES_INIT("CAPI") };

	for (size_t i = 0; i < nelems(pulled); i++)
		if (bytes_starts_nocase(d->origin, pulled[i]))
			return false;
	return !d->hearsay && d->scope < SCOPE_OTHER;
}

static void queue(struct share *s, const struct share_op *op)
{
	char room[SHARE_OP_MAX];
	struct text t = text_over(room, sizeof room);
	const struct decision *d = &op->decision;
	bool mild = !op->lifted && (d->simulated || (d->remedy != REMEDY_ALLOW && d->remedy < REMEDY_TARPIT));

	if (!share_op_write(&t, op))
		return;
	outbox_put(s->log, text_bytes(&t), mild);
	share_wake(s);
}

static void on_held(void *ctx, const struct decision *d, unsigned times, enum decision_from from)
{
	(void)times;
	if (from == DECISION_MADE && share_is_ours(d))
		queue(ctx, &(struct share_op){ false, *d });
}

/* The stamp of a lift is that of the record, or of now: what was lifted does not come back whatever its stamp is. */
static void on_lifted(void *ctx, const struct decision *d, enum decision_from from)
{
	struct share *s = ctx;
	struct share_op op = { true, *d };

	if (from != DECISION_MADE || !share_is_ours(d))
		return;
	op.decision.stamp = hlc_now(&s->clock, clock_wall_ms());
	graves_put(s->graves, &op);
	queue(s, &op);
}

bool share_tell(struct share *s, enum share_kind kind, struct bytes b)
{
	char room[SHARE_MESSAGE_MAX + 3];
	struct text t = text_over(room, sizeof room);

	frame_put(&t, kind, 1);
	frame_put(&t, b.len, 2);
	text_put(&t, b);
	if (kind >= SHARE_KINDS || t.full || !atomic_load(&s->following) || outbox_items(s->told) >= 4096 ||
	    !outbox_put(s->told, text_bytes(&t), true)) {
		atomic_fetch_add(&s->untold, 1);
		return false;
	}
	share_wake(s);
	return true;
}

/* ---- opening ---- */

static void on_up(void *owner, bool is)
{
	struct share *s = owner;

	if (s->closing)
		return;
	atomic_store(&s->up, is);
	s->turn++;
	if (is) {
		s->refused = false;
		share_check(s);
		share_beat(s);
		return;
	}
	s->state = SHARE_AWAY;
	s->mended = false;
	atomic_store(&s->following, false);
	atomic_fetch_add(&s->untold, outbox_items(s->told));
	outbox_clear(s->told);
	share_push_end(s);
	share_unlead(s);
	share_unsend(s);
}

static bool prepare(struct share *s, const struct share_options *o)
{
	static const char *const words[KEY_COUNT] = { "log", "told", "snap", "lead", "term", "nodes", "era" };

	s->options = *o;
	s->decisions = o->decisions;
	s->frames_tail = &s->frames;
	snprintf(s->prefix, sizeof s->prefix, "%s", o->prefix);
	snprintf(s->name, sizeof s->name, "%s", o->name);
	snprintf(s->version, sizeof s->version, "%s", o->version);
	for (int i = 0; i < KEY_COUNT; i++)
		snprintf(s->keys[i], sizeof s->keys[i], "{%s}:%s", s->prefix, words[i]);
	s->log = outbox_new(SHARE_OUTBOX, SHARE_OUTBOX_BYTES);
	s->told = outbox_new(4096, 1 << 20);
	s->graves = graves_new(SHARE_GRAVES);
	if (!s->log || !s->told || !s->graves || !tls_random(&s->run, sizeof s->run))
		return false;
	/* Two prefixes under one secret are two installations. */
	return tls_mac(o->key, (struct bytes[]){ bytes_of(s->prefix) }, 1, s->key);
}

static void share_free(void *arg)
{
	struct share *s = arg;
	void (*closed)(void *) = s->closed;
	void *ctx = s->closed_ctx;

	share_send_free(s);
	outbox_free(s->log);
	outbox_free(s->told);
	if (s->graves)
		graves_free(s->graves);
	seen_free(s->seen);
	free(s->push.buffer.at);
	free(s->snap.buffer.at);
	free(s);
	if (closed)
		closed(ctx);
}

struct share *share_open(struct loop *l, const struct share_options *o, struct err *err)
{
	struct share *s = calloc(1, sizeof *s);

	if (!s)
		return err_set(err, SIDE_SELF, ENOMEM, "out of memory"), NULL;
	s->loop = l;
	if (!prepare(s, o)) {
		err_set(err, SIDE_SELF, ENOMEM, "out of memory");
		share_free(s);
		return NULL;
	}
	share_identify(s);
	if (!decisions_watch(s->decisions, &(struct decisions_watch){ on_held, on_lifted, s })) {
		err_set(err, SIDE_SELF, 0, "decisions are watched by too many");
		share_free(s);
		return NULL;
	}
	s->redis = redis_open(l, &o->redis, &(struct redis_events){ on_up, s }, err);
	if (s->redis)
		return s;
	decisions_unwatch(s->decisions, s);
	share_free(s);
	return NULL;
}

/* What was posted before runs before. */
static void on_redis_closed(void *ctx)
{
	struct share *s = ctx;

	if (!loop_post(s->loop, share_free, s))
		share_free(s);
}

void share_close(struct share *s, void (*closed)(void *), void *ctx)
{
	decisions_unwatch(s->decisions, s);
	share_ask_end(s);
	s->closing = true;
	s->closed = closed;
	s->closed_ctx = ctx;
	deadline_clear(&s->retry);
	deadline_clear(&s->beat);
	deadline_clear(&s->refused_until);
	deadline_clear(&s->push.next);
	redis_close(s->redis, on_redis_closed, s);
}

void share_config_hash(struct share *s, uint64_t hash)
{
	s->options.config_hash = hash;
}

void share_redis(const struct share *s, struct redis_counts *out)
{
	redis_count(s->redis, out);
}

void share_count(const struct share *c, struct share_counts *out)
{
	struct share *s = (struct share *)(uintptr_t)c;

	*out = (struct share_counts){ .up = atomic_load(&s->up), .sent = atomic_load(&s->sent), .applied = atomic_load(&s->applied),
		.told = atomic_load(&s->messages), .forged = atomic_load(&s->forged), .ahead = atomic_load(&s->ahead),
		.broken = atomic_load(&s->broken), .queued = outbox_items(s->log), .dropped = outbox_lost(s->log),
		.untold = atomic_load(&s->untold), .late = atomic_load(&s->late), .unanswered = atomic_load(&s->unanswered), .resyncs = atomic_load(&s->resyncs), .snapshots = atomic_load(&s->snapshots),
		.following = atomic_load(&s->following), .leading = atomic_load(&s->leading) };
}
