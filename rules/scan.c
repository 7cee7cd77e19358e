/* scan.c -- joins, scans, asks, remembers.
 *
 * A batch is what one call of the matcher sees. Its values are short, so its
 * hits are few; where they are not (somebody sends ten thousand quotes), and
 * for long values, the scan is done value by value and reports a pattern only
 * once. */
#include "rules/scan.h"
#include "rules/memo.h"
#include <stdlib.h>

enum {
	ALONE_BYTES = 2 << 10,  /* a longer value is not copied but scanned where it is */
	BATCH_BYTES = 16 << 10, /* a batch that has reached this is scanned */
	BATCH_VALUES = 512,
	BATCH_PARTS = 2048,
	TEXTS_OF_ONE = 64,      /* that are compared; more are scanned although they may be equal */
	MEMO_BYTES = 2 << 10,   /* longer values are seldom sent twice */
	MEMO_BYTES_ONCE = 64,   /* the same for arguments and bodies */
	LUMP_VALUES = 400,      /* names that are remembered in one */
	FLOOD = 256,            /* hits in a batch, beside one for every second byte */
	ANYWHERE_MAX = 64,      /* expressions found in a batch */
};

struct batched {
	struct value *value;
	enum zone zone;
	struct hash128 key;
	bool keyed;
	bool suspect;    /* some gate holds on it, or was not asked */
	uint64_t serial; /* its number in the life of the scratch */
};

struct part {
	uint32_t value;    /* index in batch.values */
	uint32_t from, to; /* in joined; the separator is at `to` */
};

struct rules_scratch {
	struct matcher_scratch *matcher;
	struct memo *memo;
	char *joined;
	size_t len, cap;
	struct batched values[BATCH_VALUES];
	size_t nvalues;
	struct part parts[BATCH_PARTS];
	size_t nparts;
	uint64_t serial;
	uint64_t *asked; /* by pattern: the serial it was last asked about */
	size_t asked_cap;
};

/* One call of scan_new_values. */
struct scan {
	struct rules_scratch *scratch;
	const struct ruleset *rules;
	struct values *values;
	uint64_t *groups;
	struct hash128 lumps[ZONE_COUNT]; /* names of a zone, being scanned for the first time */
	uint32_t lumped;    /* zones that have one */
	uint32_t suspect;   /* zones with a suspect value */
	size_t hits, part;  /* in the batch; the part that the last one was in */
	uint32_t anywhere[ANYWHERE_MAX];
	size_t nanywhere;
	struct batched *one; /* being scanned by itself */
};

struct rules_scratch *rules_scratch_new(void)
{
	struct rules_scratch *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->matcher = matcher_scratch_new();
	s->memo = memo_new();
	if (s->matcher && s->memo)
		return s;
	rules_scratch_free(s);
	return NULL;
}

void rules_scratch_free(struct rules_scratch *s)
{
	if (!s)
		return;
	matcher_scratch_free(s->matcher);
	memo_free(s->memo);
	free(s->joined);
	free(s->asked);
	free(s);
}

/* ---- a pattern was found in a value ---- */

static bool targets(const struct condition *c, const struct batched *b)
{
	bool taken = false;

	for (size_t i = 0; i < c->ntargets; i++) {
		const struct target *t = &c->targets[i];

		if (t->zone != b->zone || !target_takes(t, b->value))
			continue;
		if (t->except)
			return false;
		taken = true;
	}
	return taken;
}

static bool gate_holds(struct scan *s, uint32_t group, const struct batched *b)
{
	const struct condition *c = group_gate(&s->rules->ir->groups[group]);
	struct bytes text;
	struct span where;

	if (!targets(c, b))
		return false;
	text = value_after(s->values, b->value, c->node);
	return !text.at || c->op->test(&c->operand, text, &where) != ANSWER_NO;
}

static void ask(struct scan *s, struct batched *b, uint32_t pattern)
{
	const struct users *u = &s->rules->users[pattern];

	if (s->scratch->asked[pattern] == b->serial)
		return;
	s->scratch->asked[pattern] = b->serial;
	for (size_t i = 0; i < u->n; i++) {
		bool known = bit_is(s->groups, u->groups[i]);

		if (!known && !gate_holds(s, u->groups[i], b))
			continue;
		bit_set(s->groups, u->groups[i]);
		b->suspect = true;
		s->suspect |= 1u << b->zone;
	}
}

static bool on_hit_of_one(void *ctx, uint32_t pattern, size_t end)
{
	struct scan *s = ctx;

	(void)end;
	ask(s, s->one, pattern);
	return false;
}

/* The part in which a text ends; NULL: it is the separator itself. Ends come in
 * order but for a few, so the search goes on from where the last one was. */
static const struct part *part_at(struct scan *s, size_t end)
{
	const struct part *parts = s->scratch->parts;

	while (s->part && end <= parts[s->part].from)
		s->part--;
	while (s->part + 1 < s->scratch->nparts && end > parts[s->part + 1].from)
		s->part++;
	return end <= parts[s->part].to ? &parts[s->part] : NULL;
}

static size_t flood(const struct scan *s)
{
	return FLOOD + s->scratch->len / 2;
}

static bool on_hit(void *ctx, uint32_t pattern, size_t end)
{
	struct scan *s = ctx;
	const struct part *part;

	if (++s->hits > flood(s))
		return true;
	if (s->rules->users[pattern].anywhere) {
		if (s->nanywhere < ANYWHERE_MAX)
			s->anywhere[s->nanywhere] = pattern;
		s->nanywhere++;
		return false;
	}
	part = part_at(s, end);
	if (part)
		ask(s, &s->scratch->values[part->value], pattern);
	return false;
}

/* ---- a batch ---- */

static bool scan_alone(struct scan *s, struct batched *b, struct bytes text)
{
	s->one = b;
	return s->rules->kind->scan(s->rules->once, s->scratch->matcher, text, on_hit_of_one, s);
}

static bool scan_one_by_one(struct scan *s)
{
	struct rules_scratch *b = s->scratch;

	for (const struct part *p = b->parts; p < b->parts + b->nparts; p++)
		if (!scan_alone(s, &b->values[p->value], (struct bytes){ b->joined + p->from, p->to + 1 - p->from }))
			return false;
	return true;
}

static bool scan_joined(struct scan *s)
{
	struct rules_scratch *b = s->scratch;

	s->hits = s->part = s->nanywhere = 0;
	if (!s->rules->kind->scan(s->rules->matcher, b->matcher, (struct bytes){ b->joined, b->len }, on_hit, s))
		return false;
	if (s->hits > flood(s) || s->nanywhere > ANYWHERE_MAX)
		return scan_one_by_one(s);
	for (size_t i = 0; i < s->nanywhere; i++)
		for (size_t k = 0; k < b->nvalues; k++)
			ask(s, &b->values[k], s->anywhere[i]);
	return true;
}

static bool flush(struct scan *s)
{
	struct rules_scratch *b = s->scratch;
	bool ok = !b->nparts || scan_joined(s);

	for (size_t i = 0; ok && i < b->nvalues; i++)
		if (b->values[i].keyed && !b->values[i].suspect)
			memo_add(b->memo, b->values[i].key);
	b->len = b->nparts = b->nvalues = 0;
	return ok;
}

static bool reserve(struct rules_scratch *b, size_t n)
{
	size_t cap = b->cap ? b->cap : 4096;
	char *at;

	if (n <= b->cap - b->len)
		return true;
	while (cap - b->len < n)
		cap *= 2;
	at = realloc(b->joined, cap);
	if (!at)
		return false;
	b->joined = at;
	b->cap = cap;
	return true;
}

static bool join(struct scan *s, struct bytes text)
{
	struct rules_scratch *b = s->scratch;

	if (!reserve(b, text.len + 1) || b->nparts == BATCH_PARTS)
		return false;
	memcpy(b->joined + b->len, text.at, text.len);
	b->joined[b->len + text.len] = s->rules->separator;
	b->parts[b->nparts++] = (struct part){ (uint32_t)b->nvalues - 1, (uint32_t)b->len, (uint32_t)(b->len + text.len) };
	b->len += text.len + 1;
	return true;
}

/* ---- a value ---- */

static bool seen_before(const struct bytes *seen, size_t n, struct bytes text)
{
	for (size_t i = 0; i < n; i++)
		if (seen[i].at == text.at ? seen[i].len == text.len : bytes_eq(seen[i], text))
			return true;
	return false;
}

/* Every different text that the steps wanted make of the value. */
static bool scan_texts(struct scan *s, struct batched *b, const struct want *w, bool alone)
{
	struct bytes seen[TEXTS_OF_ONE];
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		struct bytes text = value_after(s->values, b->value, w->nodes[i]);

		if (!text.at)
			return false;
		if (seen_before(seen, n, text))
			continue;
		if (n < TEXTS_OF_ONE)
			seen[n++] = text;
		if (!(alone ? scan_alone(s, b, text) : join(s, text)))
			return false;
	}
	return true;
}

/* Long arguments and bodies are seldom sent twice; they would only push out the
 * rest. */
static bool in_memo(struct scan *s, struct batched *b, const struct want *w)
{
	static const uint32_t again = 1u << ZONE_URI | 1u << ZONE_URI_FULL | 1u << ZONE_HEADERS | 1u << ZONE_HEADERS_NAMES |
				      1u << ZONE_COOKIES | 1u << ZONE_COOKIES_NAMES;
	size_t longest = again >> b->zone & 1 ? MEMO_BYTES : MEMO_BYTES_ONCE;
	struct hash128 salt = w->salt;

	if (b->value->text.len > longest)
		return false;
	if (s->rules->wants[b->zone].by_name)
		salt = hash128(salt, b->value->name);
	b->key = memo_key(s->scratch->memo, salt, b->value->text);
	b->keyed = true;
	return memo_has(s->scratch->memo, b->key);
}

static bool scan_value(struct scan *s, enum zone zone, struct value *v)
{
	const struct want *w = ruleset_want(s->rules, zone, v->name);
	struct rules_scratch *b = s->scratch;
	struct batched one = { .value = v, .zone = zone };

	if (!w || in_memo(s, &one, w))
		return true;
	one.serial = ++b->serial;
	if (v->text.len > ALONE_BYTES)
		return scan_texts(s, &one, w, true);
	if ((b->len >= BATCH_BYTES || b->nvalues == BATCH_VALUES || b->nparts + w->n > BATCH_PARTS) && !flush(s))
		return false;
	b->values[b->nvalues] = one;
	return scan_texts(s, &b->values[b->nvalues++], w, false);
}

/* A page or form asks with the same names each time, so they are remembered in a
 * lump: their texts are joined, and taken back if that was clean before. */
static bool scan_names(struct scan *s, enum zone zone, struct zone_values *z)
{
	struct rules_scratch *b = s->scratch;
	size_t len = b->len, nparts = b->nparts, nvalues = b->nvalues;
	struct hash128 key;

	for (; z->scanned < z->n; z->scanned++) {
		struct batched one = { .value = &z->at[z->scanned], .zone = zone, .serial = ++b->serial };
		const struct want *w = ruleset_want(s->rules, zone, one.value->name);

		b->values[b->nvalues] = one;
		if (w && !scan_texts(s, &b->values[b->nvalues++], w, false))
			return false;
	}
	key = memo_key(b->memo, s->rules->wants[zone].any.salt, (struct bytes){ b->joined + len, b->len - len });
	if (memo_has(b->memo, key)) {
		b->len = len;
		b->nparts = nparts;
		b->nvalues = nvalues;
	} else {
		s->lumps[zone] = key;
		s->lumped |= 1u << zone;
	}
	return true;
}

/* Few enough to stay in one batch, and short. */
static bool is_lump(struct scan *s, enum zone zone, const struct zone_values *z)
{
	static const uint32_t names = 1u << ZONE_ARGS_NAMES | 1u << ZONE_HEADERS_NAMES | 1u << ZONE_COOKIES_NAMES |
				      1u << ZONE_BODY_ARGS_NAMES;
	size_t n = z->n - z->scanned;

	if (!(names >> zone & 1) || !n || n > LUMP_VALUES || n * s->rules->wants[zone].widest > BATCH_PARTS)
		return false;
	for (size_t i = z->scanned; i < z->n; i++)
		if (z->at[i].text.len > MEMO_BYTES_ONCE)
			return false;
	return (s->scratch->nvalues + n <= BATCH_VALUES &&
		s->scratch->nparts + n * s->rules->wants[zone].widest <= BATCH_PARTS) || flush(s);
}

static bool scan_zone(struct scan *s, enum zone zone, struct zone_values *z)
{
	bool ok = true;

	if (is_lump(s, zone, z))
		return scan_names(s, zone, z);
	for (; ok && z->scanned < z->n; z->scanned++)
		ok = scan_value(s, zone, &z->at[z->scanned]);
	return ok;
}

static void remember_lumps(struct scan *s)
{
	for (uint32_t due = s->lumped & ~s->suspect; due; due &= due - 1) {
		unsigned zone = (unsigned)__builtin_ctz(due);

		memo_add(s->scratch->memo, s->lumps[zone]);
	}
}

static bool room_to_ask(struct rules_scratch *b, size_t npatterns)
{
	uint64_t *at;

	if (npatterns <= b->asked_cap)
		return true;
	at = realloc(b->asked, npatterns * sizeof *at);
	if (!at)
		return false;
	memset(at + b->asked_cap, 0, (npatterns - b->asked_cap) * sizeof *at);
	b->asked = at;
	b->asked_cap = npatterns;
	return true;
}

bool scan_new_values(struct rules_scratch *scratch, const struct ruleset *rules, struct values *values,
		     uint64_t *groups)
{
	struct scan s = { .scratch = scratch, .rules = rules, .values = values, .groups = groups };
	bool ok = room_to_ask(scratch, rules->npatterns);

	for (enum zone z = 0; ok && z < ZONE_COUNT; z++)
		ok = scan_zone(&s, z, &values->zones[z]);
	ok = ok && flush(&s);
	if (ok)
		remember_lumps(&s);
	scratch->len = scratch->nparts = scratch->nvalues = 0; /* whatever happened */
	return ok;
}
