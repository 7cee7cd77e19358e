/* decisions_find.c -- what holds for a request. */
#include "cti/decisions_parts.h"

struct search {
	uint64_t now_ms;
	struct arena *arena;
	struct decision *out;
	bool found, allowed;
};

static void weigh(struct search *q, const struct decision *d)
{
	if (d->until_ms <= q->now_ms || d->simulated || q->allowed)
		return;
	q->allowed = d->remedy == REMEDY_ALLOW;
	if (!q->allowed && q->found && (d->remedy < q->out->remedy || (d->remedy == q->out->remedy && d->until_ms <= q->out->until_ms)))
		return;
	*q->out = *d;
	q->out->value = arena_copy(q->arena, d->value);
	q->out->reason = arena_copy(q->arena, d->reason);
	q->out->origin = arena_copy(q->arena, d->origin);
	q->found = true;
}

static void ask_hash(struct decisions *d, struct search *q, enum scope scope, uint64_t hash, struct bytes value)
{
	struct shard *s;
	struct record **list = decisions_list(d, hash, &s);

	pthread_rwlock_rdlock(&s->lock);
	for (struct record *r = *list; r; r = r->next)
		if (record_is_about(r, scope, hash, value))
			weigh(q, &r->d);
	pthread_rwlock_unlock(&s->lock);
}

static void ask_value(struct decisions *d, struct search *q, enum scope scope, struct bytes value)
{
	uint64_t hash;

	if (!value.len || !decisions_any(d, scope))
		return;
	hash = decisions_key(scope, value);
	if (front_has_value(d->front, hash))
		ask_hash(d, q, scope, hash, value);
}

static void ask_range(struct decisions *d, struct search *q, const struct ip *client, unsigned bits)
{
	char room[64];
	struct text t = text_over(room, sizeof room);
	struct bytes value = decisions_block_of(client, bits, &t);

	ask_hash(d, q, SCOPE_RANGE, decisions_key(SCOPE_RANGE, value), value);
}

/* Where it is not known which blocks there are, each is asked for. */
static void ask_ranges(struct decisions *d, struct search *q, const struct ip *client)
{
	uint8_t bits[128];
	unsigned n;

	if (front_blocks(d->front, client, bits, &n))
		for (unsigned i = 0; i < n; i++)
			ask_range(d, q, client, bits[i]);
	else
		for (unsigned i = ip_is4(client) ? 96 : 0; i <= 128; i++)
			ask_range(d, q, client, i);
}

static void ask_client(struct decisions *d, struct search *q, const struct ip *client)
{
	char room[64];
	struct text t = text_over(room, sizeof room);
	struct ip key = ip_behaviour_key(client);

	if (!front_has_ip(d->front, client))
		return;
	ip_text(&t, &key);
	ask_hash(d, q, SCOPE_IP, decisions_key(SCOPE_IP, text_bytes(&t)), text_bytes(&t));
	ask_ranges(d, q, client);
}

bool decisions_find(struct decisions *d, const struct decisions_ask *ask, uint64_t now_ms, struct arena *a, struct decision *out)
{
	struct search q = { .now_ms = now_ms, .arena = a, .out = out };

	if (!atomic_load_explicit(&d->records, memory_order_relaxed))
		return false;
	if (ask->client)
		ask_client(d, &q, ask->client);
	ask_value(d, &q, SCOPE_COUNTRY, ask->country);
	ask_value(d, &q, SCOPE_AS, ask->as);
	ask_value(d, &q, SCOPE_SESSION, ask->session);
	ask_value(d, &q, SCOPE_USERNAME, ask->user);
	return q.found;
}

unsigned decisions_past(struct decisions *d, enum scope scope, struct bytes value, uint64_t now_ms)
{
	struct decision about = { .scope = scope, .value = value };
	char room[TEXT_MAX];
	struct ip_net net;
	struct record **list;
	struct shard *s;
	unsigned n = 0;
	uint64_t hash;

	if (!decisions_normal(&about, room, &value, &net))
		return 0;
	hash = decisions_key(scope, value);
	list = decisions_list(d, hash, &s);
	pthread_rwlock_rdlock(&s->lock);
	for (struct record *r = *list; r; r = r->next)
		if (record_is_about(r, scope, hash, value) && !r->d.simulated && r->d.remedy != REMEDY_ALLOW &&
		    r->d.made_ms + DECISION_LIFE_MAX_MS > now_ms)
			n += r->times;
	pthread_rwlock_unlock(&s->lock);
	return n;
}
