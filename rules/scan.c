/* scan.c -- joins, scans, remembers.
 *
 * A batch is what one call of the matcher sees. A hit in it says only that some
 * value holds something like a gate, so each value is then asked for the
 * conditions behind the patterns that were hit; in a large batch it is scanned
 * by itself first. A value for which none of them holds is clean, and
 * remembered: a client that comes again with it costs a hash. */
#include "rules/scan.h"
#include "rules/memo.h"
#include <stdlib.h>

enum {
	ALONE_BYTES = 16 << 10,  /* a longer value is not copied but scanned where it is */
	BATCH_BYTES = 64 << 10,  /* a batch that has reached this is scanned */
	BATCH_VALUES = 512,
	BATCH_PARTS = 2048,
	TEXTS_OF_ONE = 64,       /* that are compared; more are scanned although they may be equal */
	MEMO_BYTES = 4096,       /* longer values are seldom sent twice */
	MEMO_BYTES_ONCE = 64,    /* the same for arguments and bodies */
	HITS_MAX = 64,           /* patterns hit in a batch that are kept apart */
	TESTS_MAX = 512,         /* hits x values: beyond it values are scanned one by one */
};

struct batched {
	struct value *value;
	enum zone zone;
	struct hash128 key;
	bool keyed;
};

struct part {
	uint32_t value; /* index in batch.values */
	uint32_t from, len; /* in joined */
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
};

/* One call of scan_new_values. */
struct scan {
	struct rules_scratch *scratch;
	const struct ruleset *rules;
	struct values *values;
	uint64_t *groups;
	uint32_t hit[HITS_MAX];  /* patterns hit in the batch */
	size_t nhits;            /* more than HITS_MAX: not all are kept */
	struct batched *one;     /* being scanned by itself */
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
	free(s);
}

/* For values too long to be told apart: all groups of the pattern are asked. */
static bool on_hit_alone(void *ctx, uint32_t pattern)
{
	struct scan *s = ctx;
	const struct users *u = &s->rules->users[pattern];

	for (size_t i = 0; i < u->n; i++)
		bit_set(s->groups, u->groups[i]);
	return false;
}

static bool on_hit(void *ctx, uint32_t pattern)
{
	struct scan *s = ctx;

	if (s->nhits < HITS_MAX)
		s->hit[s->nhits] = pattern;
	s->nhits++;
	return false;
}

static bool targets(const struct condition *c, enum zone zone, const struct value *v)
{
	for (size_t i = 0; i < c->ntargets; i++)
		if (c->targets[i].zone == zone && !c->targets[i].except && target_takes(&c->targets[i], v))
			return true;
	return false;
}

/* Does the gate of the group really hold on the value? */
static bool gate_holds(struct scan *s, uint32_t group, const struct batched *b)
{
	const struct condition *c = group_gate(&s->rules->ir->groups[group]);
	struct bytes text;
	struct span where;

	if (!targets(c, b->zone, b->value))
		return false;
	text = value_after(s->values, b->value, c->node);
	return !text.at || c->op->test(&c->operand, text, &where) != ANSWER_NO;
}

/* The groups that the pattern is for on this value, and a note that it is. */
static bool note(struct scan *s, struct batched *b, uint32_t pattern)
{
	const struct users *u = &s->rules->users[pattern];
	struct found_pattern *f;
	bool any = false;

	for (size_t i = 0; i < u->n; i++)
		if (gate_holds(s, u->groups[i], b)) {
			bit_set(s->groups, u->groups[i]);
			any = true;
		}
	if (!any)
		return true;
	f = arena_get(s->values->arena, sizeof *f);
	if (!f)
		return !(s->values->spent = true);
	*f = (struct found_pattern){ b->value->found, pattern };
	b->value->found = f;
	return true;
}

static bool on_hit_of_one(void *ctx, uint32_t pattern)
{
	struct scan *s = ctx;

	return !note(s, s->one, pattern);
}

static bool scan_text(struct scan *s, struct bytes text, bool (*hit)(void *, uint32_t))
{
	return s->rules->kind->scan(s->rules->matcher, s->scratch->matcher, text, hit, s);
}

static bool scan_one_by_one(struct scan *s)
{
	struct rules_scratch *b = s->scratch;

	for (size_t i = 0; i < b->nparts; i++) {
		s->one = &b->values[b->parts[i].value];
		if (!scan_text(s, (struct bytes){ b->joined + b->parts[i].from, b->parts[i].len }, on_hit_of_one) ||
		    s->values->spent)
			return false;
	}
	return true;
}

static bool ask_each(struct scan *s)
{
	struct rules_scratch *b = s->scratch;

	for (size_t i = 0; i < b->nvalues; i++)
		for (size_t k = 0; k < s->nhits; k++)
			if (!note(s, &b->values[i], s->hit[k]))
				return false;
	return true;
}

static bool tell_apart(struct scan *s)
{
	struct rules_scratch *b = s->scratch;

	for (size_t i = 0; i < b->nvalues; i++)
		b->values[i].value->listed = true;
	if (s->nhits == 0)
		return true;
	return s->nhits <= HITS_MAX && s->nhits * b->nvalues <= TESTS_MAX ? ask_each(s) : scan_one_by_one(s);
}

static void remember_clean(struct scan *s)
{
	struct rules_scratch *b = s->scratch;

	for (size_t i = 0; i < b->nvalues; i++)
		if (b->values[i].keyed && !b->values[i].value->found)
			memo_add(b->memo, b->values[i].key);
}

static bool flush(struct scan *s)
{
	struct rules_scratch *b = s->scratch;
	bool ok = true;

	s->nhits = 0;
	if (b->nparts)
		ok = scan_text(s, (struct bytes){ b->joined, b->len }, on_hit) && tell_apart(s);
	if (ok)
		remember_clean(s);
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
	b->parts[b->nparts++] = (struct part){ (uint32_t)b->nvalues - 1, (uint32_t)b->len, (uint32_t)text.len };
	memcpy(b->joined + b->len, text.at, text.len);
	b->len += text.len;
	b->joined[b->len++] = '\n';
	return true;
}

static bool seen_before(const struct bytes *seen, size_t n, struct bytes text)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_eq(seen[i], text))
			return true;
	return false;
}

/* Every different text that the steps wanted make of the value. */
static bool scan_texts(struct scan *s, struct value *v, const struct want *w, bool alone)
{
	struct bytes seen[TEXTS_OF_ONE];
	size_t n = 0;

	for (size_t i = 0; i < w->n; i++) {
		struct bytes text = value_after(s->values, v, w->nodes[i]);

		if (!text.at)
			return false;
		if (seen_before(seen, n, text))
			continue;
		if (n < TEXTS_OF_ONE)
			seen[n++] = text;
		if (!(alone ? scan_text(s, text, on_hit_alone) : join(s, text)))
			return false;
	}
	return true;
}

/* Long arguments and bodies are seldom sent twice; they would only push out the rest. */
static bool in_memo(struct scan *s, struct batched *b, enum zone zone, const struct want *w)
{
	static const uint32_t repeat = 1u << ZONE_URI | 1u << ZONE_HEADERS | 1u << ZONE_HEADERS_NAMES |
				       1u << ZONE_COOKIES | 1u << ZONE_COOKIES_NAMES;
	size_t longest = repeat >> zone & 1 ? MEMO_BYTES : MEMO_BYTES_ONCE;

	if (b->value->text.len > longest)
		return false;
	b->key = memo_key(s->scratch->memo, w->salt, b->value->text);
	b->keyed = true;
	return memo_has(s->scratch->memo, b->key);
}

static bool scan_value(struct scan *s, enum zone zone, struct value *v)
{
	const struct want *w = ruleset_want(s->rules, zone, v->name);
	struct rules_scratch *b = s->scratch;
	struct batched one = { .value = v, .zone = zone };

	if (!w)
		return true;
	if (v->text.len > ALONE_BYTES)
		return scan_texts(s, v, w, true);
	if (in_memo(s, &one, zone, w)) {
		v->listed = true;
		return true;
	}
	if ((b->len >= BATCH_BYTES || b->nvalues == BATCH_VALUES || b->nparts + w->n > BATCH_PARTS) && !flush(s))
		return false;
	b->values[b->nvalues++] = one;
	return scan_texts(s, v, w, false);
}

bool scan_new_values(struct rules_scratch *scratch, const struct ruleset *rules, struct values *values,
		     uint64_t *groups)
{
	struct scan s = { .scratch = scratch, .rules = rules, .values = values, .groups = groups };
	bool ok = true;

	for (enum zone z = 0; ok && z < ZONE_COUNT; z++) {
		struct zone_values *zone = &values->zones[z];

		for (; ok && zone->scanned < zone->n; zone->scanned++)
			ok = scan_value(&s, z, &zone->at[zone->scanned]);
	}
	ok = ok && flush(&s);
	scratch->len = scratch->nparts = scratch->nvalues = 0; /* whatever happened */
	return ok;
}

bool scan_may_hold(const struct value *v, uint32_t pattern)
{
	if (!v->listed)
		return true;
	for (const struct found_pattern *f = v->found; f; f = f->next)
		if (f->pattern == pattern)
			return true;
	return false;
}
