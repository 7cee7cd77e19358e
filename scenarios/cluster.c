/* cluster.c -- buckets that several gates fill together.
 *
 * Each gate has the bucket, and pours what the others have seen into it a moment after they have: no request waits, and it
 * overflows at its capacity wherever the last event comes in. What two gates poured at the same moment may overflow at
 * both: of those that poured, the one with the lower number tells it. A message is
 *
 *     format, number of facts, flags, 0    one byte each
 *     node                                 two bytes
 *     scenario, key, value                 eight bytes each: keyed hashes
 *     the event, as buckets keep it        cut to what fits
 *
 * in the byte order of little endian. */
#include "scenarios/pouring.h"

enum { FORMAT = 2, HEAD = 30, OVER = 1, CANCEL = 2, DISTINCT = 4, SCRATCH = 1 << 20 };

static void put_number(struct text *t, uint64_t n, unsigned bytes)
{
	for (unsigned i = 0; i < bytes; i++)
		text_byte(t, (char)(n >> 8 * i));
}

static uint64_t number_at(struct bytes b, size_t at, unsigned bytes)
{
	uint64_t n = 0;

	for (unsigned i = bytes; i-- > 0;)
		n = n << 8 | (unsigned char)b.at[at + i];
	return n;
}

void cluster_tell(const struct pouring *p, const struct pour *pour, enum poured how)
{
	char room[SCENARIOS_MESSAGE_MAX];
	struct text t = text_over(room, sizeof room);
	unsigned flags = (how == POURED_OVER || how == POURED_SILENT ? OVER : 0) | (pour->cancel ? CANCEL : 0) |
			 (pour->is_distinct ? DISTINCT : 0);

	if (how == POURED_SEEN)
		return; /* whoever told the first of it has told the others */
	put_number(&t, FORMAT, 1);
	put_number(&t, FACT_COUNT, 1);
	put_number(&t, flags, 2);
	put_number(&t, p->o->node, 2);
	put_number(&t, p->s->key.a, 8);
	put_number(&t, pour->key, 8);
	put_number(&t, pour->value, 8);
	t.len += evidence_pack(true, p->facts, room + t.len, sizeof room - t.len).len;
	p->o->poured(p->o->ctx, text_bytes(&t));
}

/* Another gate has told of the overflow: the bucket is gone here too, and is silent as long. */
static void follow(const struct observe *o, const struct pour *pour)
{
	struct bucket_kind kind = *pour->kind;
	struct pour over = { .key = pour->key, .kind = &kind, .now_us = pour->now_us };
	struct bucket_events out;

	kind.type = BUCKET_TRIGGER;
	bucket_pour(o->buckets, &over, &out);
}

static void take(struct pouring *p, struct bytes message, uint64_t now_us)
{
	unsigned flags = (unsigned)message.at[2];
	struct bucket_events out;
	enum poured how;
	struct pour pour = {
		.key = number_at(message, 14, 8), .kind = &p->s->kind, .now_us = now_us,
		.is_distinct = flags & DISTINCT, .value = number_at(message, 22, 8), .cancel = flags & CANCEL, .heard = true,
		.event = bytes_from(message, HEAD),
		.judge = p->s->condition || p->s->nbayes ? pouring_judge : NULL,
		.allow = p->s->overflow_filter ? pouring_allow : NULL, .ctx = p, .arena = p->o->arena,
	};

	if (flags & OVER) {
		follow(p->o, &pour);
		return;
	}
	how = bucket_pour(p->o->buckets, &pour, &out);
	if (how != POURED_OVER || (out.ours && p->o->node < number_at(message, 4, 2)))
		pouring_done(p, &pour, how, &out, 0);
}

bool scenarios_heard(const struct observe *o, struct bytes message, uint64_t now_us)
{
	struct observe own = *o;
	struct facts f;
	struct pouring p = { .o = &own, .facts = &f };

	if (message.len < HEAD || message.len > SCENARIOS_MESSAGE_MAX || message.at[0] != FORMAT || message.at[1] != FACT_COUNT)
		return false;
	p.number = scenario_by_key(o->set, number_at(message, 6, 8));
	if (p.number == o->set->n || !(own.arena = arena_new(SCRATCH)))
		return false;
	p.s = o->set->at[p.number];
	evidence_unpack(own.arena, bytes_from(message, HEAD), &f);
	f.at_us = now_us;
	p.world = (struct world_run){ .set = o->set, .arena = own.arena, .facts = &f };
	if (p.s->cluster)
		take(&p, message, now_us);
	arena_free(own.arena);
	return p.s->cluster;
}
