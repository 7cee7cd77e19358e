/* lapi_told.c -- a table of what was told, by what it is about, so that all that may be held as one is in one chain.
 *
 * Nothing is changed that need not be: each change is written to the ledger and sent to the other gates. */
#include "cti/lapi_told.h"
#include "base/hash.h"
#include "cti/lapi_form.h"
#include <stdlib.h>

enum {
	HEADS = 1 << 16,
	SLACK_MS = 5000,               /* the rest of a life is told in whole seconds, and takes time to arrive */
	RENEW_MS = 6 * 3600 * 1000,    /* what outlives DECISION_LIFE_MAX_MS is prolonged so often */
	ORIGIN_MAX = sizeof LAPI_ORIGIN + LAPI_TEXT_MAX,
};

struct told {
	struct told *next;
	uint64_t hash;
	struct decision d;     /* as it is held: until_ms is the rest of its life */
	struct bytes type;
	uint64_t held_until_ms; /* as the decisions were told; 0: not held */
	unsigned turn;         /* it was last told */
	char text[];
};

struct lapi_told {
	struct decisions *decisions;
	enum remedy_kind most;
	bool hearsay;
	size_t n;
	unsigned turn;
	/* of the answer that is applied */
	uint64_t now_ms;
	const atomic_bool *stop;
	struct lapi_applied *applied;
	struct told *heads[HEADS];
};

struct lapi_told *lapi_told_new(struct decisions *d, enum remedy_kind most, bool hearsay)
{
	struct lapi_told *t = calloc(1, sizeof *t);

	if (t)
		*t = (struct lapi_told){ .decisions = d, .most = most, .hearsay = hearsay };
	return t;
}

void lapi_told_free(struct lapi_told *t)
{
	for (size_t i = 0; t && i < HEADS; i++)
		for (struct told *at = t->heads[i], *next; at; at = next) {
			next = at->next;
			free(at);
		}
	free(t);
}

size_t lapi_told_count(const struct lapi_told *t)
{
	return t->n;
}

/* ---- what it is here ---- */

/* False: it says that nothing is to be done, and who says it may not decide so. */
static bool remedy_of(const struct lapi_told *t, struct bytes type, enum remedy_kind *out)
{
	if (!lapi_remedy(type, out)) {
		if (bytes_eq_nocase(type, BYTES("allow")) || bytes_eq_nocase(type, BYTES("log")) ||
		    bytes_eq_nocase(type, BYTES("bypass")) || bytes_eq_nocase(type, BYTES("whitelist")))
			return false;
		*out = REMEDY_CHALLENGE; /* a word of someone's own */
	}
	if (*out > t->most)
		*out = t->most;
	return true;
}

/* What decisions hold as one has one hash: IPv6 by its /64. */
static uint64_t hash_of(enum scope scope, struct bytes value)
{
	struct ip_net net = { .bits = 0 };
	char room[sizeof net.base.b + 2];

	if (scope != SCOPE_IP && scope != SCOPE_RANGE)
		return hash_bytes(value) + scope;
	if (scope == SCOPE_RANGE)
		ip_net_parse(value, &net);
	else if (ip_parse(value, &net.base))
		net.base = ip_behaviour_key(&net.base);
	memcpy(room, net.base.b, sizeof net.base.b);
	room[sizeof net.base.b] = (char)net.bits;
	room[sizeof net.base.b + 1] = (char)scope;
	return hash_bytes((struct bytes){ room, sizeof room });
}

static bool is_held_as(const struct told *a, uint64_t hash, const struct decision *d)
{
	return a->hash == hash && a->d.scope == d->scope && a->d.remedy == d->remedy && bytes_eq(a->d.reason, d->reason) &&
	       bytes_eq(a->d.origin, d->origin);
}

static bool is_named(const struct told *a, uint64_t hash, const struct lapi_item *i)
{
	return a->hash == hash && a->d.scope == i->scope && bytes_eq(a->d.value, i->value) && bytes_eq(a->type, i->type);
}

/* ---- holding ---- */

static void note_held(struct lapi_told *t, uint64_t hash, const struct decision *as, uint64_t until_ms)
{
	for (struct told *at = t->heads[hash % HEADS]; at; at = at->next)
		if (is_held_as(at, hash, as))
			at->held_until_ms = until_ms;
}

/* Holds it as long as the longest that is told of it, but no longer than the bound from now. */
static void settle(struct lapi_told *t, uint64_t hash, const struct decision *of)
{
	uint64_t want = 0, held = 0, end;
	struct decision d = *of;

	for (const struct told *at = t->heads[hash % HEADS]; at; at = at->next)
		if (is_held_as(at, hash, of)) {
			want = at->d.until_ms > want ? at->d.until_ms : want;
			held = at->held_until_ms > held ? at->held_until_ms : held;
		}
	end = t->now_ms + DECISION_LIFE_MAX_MS;
	if (want > end ? held + RENEW_MS >= end : held && want <= held + SLACK_MS && held <= want + SLACK_MS) {
		note_held(t, hash, of, held);
		return;
	}
	d.until_ms = want < end ? want : end;
	d.made_ms = t->now_ms;
	if (held > d.until_ms + SLACK_MS)
		decisions_lift_same(t->decisions, &d);
	held = d.until_ms > t->now_ms && decisions_add(t->decisions, &d) == DECISION_HELD ? d.until_ms : 0;
	t->applied->held += held > 0;
	t->applied->refused += !held && d.until_ms > t->now_ms;
	note_held(t, hash, of, held);
}

static void copy_texts(struct bytes *parts, size_t n, char *to)
{
	for (size_t i = 0; i < n; i++) {
		if (parts[i].len)
			memcpy(to, parts[i].at, parts[i].len);
		parts[i].at = to;
		to += parts[i].len;
	}
}

static struct told *told_new(const struct lapi_told *t, const struct lapi_item *i, enum remedy_kind remedy, struct bytes origin)
{
	struct bytes parts[] = { i->value, i->scenario, origin, i->type };
	struct told *at = calloc(1, sizeof *at + i->value.len + i->scenario.len + origin.len + i->type.len);

	if (!at)
		return NULL;
	copy_texts(parts, nelems(parts), at->text);
	at->d = (struct decision){ .scope = i->scope, .value = parts[0], .remedy = remedy, .reason = parts[1], .origin = parts[2],
				   .hearsay = t->hearsay };
	at->type = parts[3];
	return at;
}

/* Takes it out; what others still say of the same is held as long as they say. */
static void untell(struct lapi_told *t, struct told **link)
{
	struct told *at = *link;
	bool others = false;

	*link = at->next;
	t->n--;
	for (struct told *o = t->heads[at->hash % HEADS]; o; o = o->next)
		others = others || is_held_as(o, at->hash, &at->d);
	if (others)
		settle(t, at->hash, &at->d);
	else if (at->held_until_ms)
		t->applied->lifted += decisions_lift_same(t->decisions, &at->d);
	free(at);
}

static struct told **find(struct lapi_told *t, uint64_t hash, const struct lapi_item *i)
{
	struct told **link = &t->heads[hash % HEADS];

	while (*link && !is_named(*link, hash, i))
		link = &(*link)->next;
	return link;
}

/* NULL: there is no room. */
static struct told *tell(struct lapi_told *t, const struct lapi_item *i, enum remedy_kind remedy, uint64_t hash)
{
	char room[ORIGIN_MAX];
	struct text origin = text_over(room, sizeof room);
	struct told **link = find(t, hash, i), *at;

	text_str(&origin, LAPI_ORIGIN);
	text_put(&origin, i->origin);
	if ((at = *link) && bytes_eq(at->d.reason, i->scenario) && bytes_eq(at->d.origin, text_bytes(&origin)))
		return at;
	if (at)
		untell(t, link);
	at = t->n < LAPI_TOLD_MAX ? told_new(t, i, remedy, text_bytes(&origin)) : NULL;
	if (!at)
		return NULL;
	at->hash = hash;
	at->next = t->heads[hash % HEADS];
	t->heads[hash % HEADS] = at;
	t->n++;
	return at;
}

/* ---- an answer ---- */

static bool apply_new(void *ctx, const struct lapi_item *i)
{
	struct lapi_told *t = ctx;
	uint64_t hash = hash_of(i->scope, i->value);
	enum remedy_kind remedy;
	struct told *at;

	/* What another gate was told by a LAPI: two that ask each other would keep it for ever. */
	if (!i->left_ms || !remedy_of(t, i->type, &remedy) || bytes_starts(i->origin, BYTES(LAPI_ORIGIN))) {
		t->applied->left_out++;
	} else if (!(at = tell(t, i, remedy, hash))) {
		t->applied->refused++;
	} else {
		at->turn = t->turn;
		at->d.until_ms = t->now_ms + i->left_ms;
		settle(t, hash, &at->d);
	}
	return !atomic_load(t->stop);
}

static bool apply_deleted(void *ctx, const struct lapi_item *i)
{
	struct lapi_told *t = ctx;
	struct told **link = find(t, hash_of(i->scope, i->value), i);

	if (*link)
		untell(t, link);
	return !atomic_load(t->stop);
}

static void drop_unnamed(struct lapi_told *t)
{
	for (size_t i = 0; i < HEADS; i++)
		for (struct told **link = &t->heads[i]; *link;)
			if ((*link)->turn != t->turn)
				untell(t, link);
			else
				link = &(*link)->next;
}

/* Those whose life is over: the API tells it some seconds later, or never when we were away. */
static void drop_over(struct lapi_told *t)
{
	for (size_t i = 0; i < HEADS; i++)
		for (struct told **link = &t->heads[i]; *link;)
			if ((*link)->d.until_ms <= t->now_ms)
				untell(t, link);
			else
				link = &(*link)->next;
}

/* ---- what a process before was told, and is not told any more ---- */

struct stray { struct stray *next; struct decision d; char text[]; };
struct strays { struct lapi_told *t; struct stray *first; };

static bool is_told(struct lapi_told *t, const struct decision *d)
{
	uint64_t hash = hash_of(d->scope, d->value);

	for (const struct told *at = t->heads[hash % HEADS]; at; at = at->next)
		if (is_held_as(at, hash, d))
			return true;
	return false;
}

static bool note_stray(void *ctx, const struct decision *d)
{
	struct strays *s = ctx;
	struct bytes parts[] = { d->value, d->reason, d->origin };
	struct stray *new;

	if (!bytes_starts(d->origin, BYTES(LAPI_ORIGIN)) || is_told(s->t, d) ||
	    !(new = malloc(sizeof *new + d->value.len + d->reason.len + d->origin.len)))
		return true;
	*new = (struct stray){ s->first, *d };
	copy_texts(parts, nelems(parts), new->text);
	new->d.value = parts[0];
	new->d.reason = parts[1];
	new->d.origin = parts[2];
	s->first = new;
	return true;
}

static void lift_strays(struct lapi_told *t)
{
	struct strays s = { t, NULL };

	decisions_each(t->decisions, t->now_ms, note_stray, &s);
	for (struct stray *next; s.first; s.first = next) {
		next = s.first->next;
		t->applied->lifted += decisions_lift_same(t->decisions, &s.first->d);
		free(s.first);
	}
}

void lapi_told_apply(struct lapi_told *t, const struct lapi_answer *s, bool whole, uint64_t now_ms, const atomic_bool *stop,
		     struct lapi_applied *out)
{
	*out = (struct lapi_applied){ 0 };
	t->now_ms = now_ms;
	t->stop = stop;
	t->applied = out;
	t->turn += whole;
	if (!whole) /* a whole answer lists what it has deleted, too */
		out->left_out += lapi_answer_each(s, LAPI_DELETED, apply_deleted, t);
	out->left_out += lapi_answer_each(s, LAPI_NEW, apply_new, t);
	drop_over(t);
	if (whole && !atomic_load(stop)) {
		drop_unnamed(t);
		lift_strays(t);
	}
	t->stop = NULL;
	t->applied = NULL;
}
