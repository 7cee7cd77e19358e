/* scan.c -- joins, scans, remembers.
 *
 * A batch is what one call of the matcher sees. When it hits in a large batch
 * its values are scanned one by one as well, so that a thousand arguments and a
 * hundred hits do not make a hundred thousand tests. */
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
	TESTS_MAX = 256,         /* groups x values: beyond it values are scanned one by one */
};

struct batched {
	struct value *value;
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
	size_t nkeyed; /* of the values: may be remembered */
};

/* One call of scan_new_values. */
struct scan {
	struct rules_scratch *scratch;
	const struct ruleset *rules;
	struct values *values;
	uint64_t *groups;
	size_t hits; /* groups hit in the batch, some twice */
	struct value *one; /* being scanned by itself */
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

static bool on_hit(void *ctx, uint32_t pattern)
{
	struct scan *s = ctx;
	const struct users *u = &s->rules->users[pattern];

	for (size_t i = 0; i < u->n; i++)
		bit_set(s->groups, u->groups[i]);
	s->hits += u->n;
	return false;
}

static bool on_hit_of_one(void *ctx, uint32_t pattern)
{
	struct scan *s = ctx;
	struct found_pattern *f = arena_get(s->values->arena, sizeof *f);

	if (!f)
		return s->values->spent = true;
	*f = (struct found_pattern){ s->one->found, pattern };
	s->one->found = f;
	return false;
}

static bool scan_text(struct scan *s, struct bytes text, bool (*hit)(void *, uint32_t))
{
	return s->rules->kind->scan(s->rules->matcher, s->scratch->matcher, text, hit, s);
}

static bool scan_one_by_one(struct scan *s)
{
	struct rules_scratch *b = s->scratch;

	for (size_t i = 0; i < b->nparts; i++) {
		s->one = b->values[b->parts[i].value].value;
		s->one->listed = true;
		if (!scan_text(s, (struct bytes){ b->joined + b->parts[i].from, b->parts[i].len }, on_hit_of_one) ||
		    s->values->spent)
			return false;
	}
	return true;
}

static void remember_clean(struct scan *s)
{
	struct rules_scratch *b = s->scratch;

	for (size_t i = 0; i < b->nvalues; i++)
		if (b->values[i].keyed && (!s->hits || (b->values[i].value->listed && !b->values[i].value->found)))
			memo_add(b->memo, b->values[i].key);
}

static bool flush(struct scan *s)
{
	struct rules_scratch *b = s->scratch;
	bool ok = true;

	s->hits = 0;
	if (b->nparts)
		ok = scan_text(s, (struct bytes){ b->joined, b->len }, on_hit);
	/* Also to learn which of them are clean: clients come again. */
	if (ok && s->hits && (b->nkeyed || s->hits * b->nparts > TESTS_MAX))
		ok = scan_one_by_one(s);
	if (ok)
		remember_clean(s);
	b->len = b->nparts = b->nvalues = b->nkeyed = 0;
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
		if (!(alone ? scan_text(s, text, on_hit) : join(s, text)))
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
	struct batched one = { .value = v };

	if (!w)
		return true;
	if (v->text.len > ALONE_BYTES)
		return scan_texts(s, v, w, true);
	if (in_memo(s, &one, zone, w))
		return true;
	if ((b->len >= BATCH_BYTES || b->nvalues == BATCH_VALUES || b->nparts + w->n > BATCH_PARTS) && !flush(s))
		return false;
	b->values[b->nvalues++] = one;
	b->nkeyed += one.keyed;
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
	scratch->len = scratch->nparts = scratch->nvalues = scratch->nkeyed = 0; /* whatever happened */
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
