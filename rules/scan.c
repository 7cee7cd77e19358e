/* scan.c -- joins, scans, asks, remembers.
 *
 * A batch is what one call of the matcher sees. Its values are short, so its
 * hits are few; where they are not (somebody sends ten thousand quotes), and
 * for long values, the scan is done value by value and reports a pattern only
 * once. */
#include "rules/scan.h"
#include "rules/carry.h"
#include "rules/course.h"
#include "base/costs.h"
#include "rules/memo.h"
#include "rules/plain.h"
#include <stdlib.h>

enum {
	ALONE_BYTES = 2 << 10,  /* a longer value is not copied but scanned where it is */
	BATCH_BYTES = 16 << 10, /* a batch that has reached this is scanned */
	BATCH_VALUES = 512,
	BATCH_PARTS = 2048,
	TEXTS_OF_ONE = 64,      /* that are kept to be compared; more are scanned although they may be equal */
	MEMO_BYTES = 2 << 10,   /* longer values are seldom sent twice */
	MEMO_BYTES_ONCE = 64,   /* the same for arguments and bodies; less than 256 */
	LUMP_VALUES = 400,      /* names that are remembered in one */
	FLOOD = 256,            /* hits in a batch, beside one for every second byte */
};

struct batched {
	struct value *value;
	enum zone zone;
	struct hash128 key;
	bool keyed;
	bool suspect;    /* some gate holds on it, or was not asked */
};

/* One text of a value. */
struct version {
	struct bytes text;
	uint64_t nodes;  /* plan.node_bits of those after which it is the text */
	uint64_t found;  /* plan.paired of patterns */
	uint64_t serial; /* its number in the life of the scratch */
	enum texts kind;
};

struct part {
	uint32_t value;    /* index in batch.values */
	uint32_t from, to; /* in joined; the separator is at `to` */
	struct version version;
};

/* The texts that are looked up in one book. */
struct batch {
	char *joined;
	size_t len, cap;
	struct part parts[BATCH_PARTS];
	size_t nparts;
};

struct rules_scratch {
	struct matcher_scratch *matcher;
	struct memo *memo;
	struct batched values[BATCH_VALUES];
	size_t nvalues;
	struct batch batches[BOOKS];
	uint64_t serial;
	struct courses courses;
	uint64_t *asked; /* by pattern: the serial it was last asked about */
	size_t asked_cap;
	struct cost_pace pace;
};

/* One call of scan_new_values. */
struct scan {
	struct rules_scratch *scratch;
	const struct ruleset *rules;
	const struct union_database *texts;
	struct values *values;
	uint64_t *groups;
	struct hash128 lumps[ZONE_COUNT]; /* names of a zone, being scanned for the first time */
	zone_set lumped;    /* zones that have one */
	zone_set suspect;   /* zones with a suspect value */
	struct batch *batch; /* being scanned */
	size_t hits, part;  /* in it; the part that the last one was in */
	struct batched *one; /* being scanned by itself */
	struct version *version; /* of it */
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
	for (size_t i = 0; i < BOOKS; i++)
		free(s->batches[i].joined);
	free(s->asked);
	free(s);
}

struct cost_pace *scratch_pace(struct rules_scratch *s)
{
	return &s->pace;
}

void rules_scratch_time(struct rules_scratch *s, unsigned every)
{
	cost_pace_set(&s->pace, every);
}

/* ---- a gate may hold on a value ---- */

static const struct operand *operand_of(struct scan *s, const struct condition *c)
{
	return c->macro ? s->rules->plan.settled[c->nth_macro] : &c->operand;
}

static bool gate_holds(struct scan *s, uint32_t group, const struct batched *b)
{
	const struct group *g = &s->rules->ir->groups[group];
	const struct condition *c = group_gate(g);

	for (size_t i = 0; i < c->ntargets; i++) {
		const struct target *t = &c->targets[i];
		struct match m = { 0 };

		if (t->zone == b->zone && !t->except && condition_takes(c, t, b->value))
			return t->count || (condition_test(s->values, c, operand_of(s, c), b->value, &m) &&
					    (!c->carries || carry_holds(s->values->arena, g, operand_of(s, c + 1), &m)));
	}
	return false;
}

static bool gate_holds_timed(struct scan *s, uint32_t group, const struct batched *b)
{
	uint64_t began = cost_begin();
	bool holds = gate_holds(s, group, b);

	cost_end(s->values->sample, s->rules->ir->groups[group].rule, began);
	return holds;
}

/* Sets the group's bit when its gate holds. */
static void ask_group(struct scan *s, struct batched *b, uint32_t group)
{
	/* Asked even when the group is known to be due: only a value on which no gate holds can be remembered. */
	if (!bit_is(s->rules->plan.live, group) ||
	    !(s->values->sample ? gate_holds_timed(s, group, b) : gate_holds(s, group, b)))
		return;
	bit_set(s->groups, group);
	b->suspect = true;
	s->suspect |= ZONE_BIT(b->zone);
}

/* Of two patterns that must be there, the one that is found last asks. */
static void ask(struct scan *s, struct batched *b, struct version *v, uint32_t pattern)
{
	const struct users *u = &s->texts->users[pattern - s->texts->first];
	const struct plan *p = &s->rules->plan;

	if (!(p->patterns[pattern].nodes & v->nodes) || !(p->patterns[pattern].zones >> b->zone & 1) ||
	    s->scratch->asked[pattern] == v->serial)
		return;
	s->scratch->asked[pattern] = v->serial; /* another version may take the place: then it is asked again */
	v->found |= p->paired[pattern];
	for (size_t i = 0; i < u->n; i++) {
		const struct gate_watch *g = &p->gates[u->groups[i]];

		if (g->where.nodes & v->nodes && g->where.zones >> b->zone & 1 && (g->both[v->kind] & v->found) == g->both[v->kind])
			ask_group(s, b, u->groups[i]);
	}
}

static bool on_hit_of_one(void *ctx, uint32_t pattern, size_t end)
{
	struct scan *s = ctx;

	(void)end;
	ask(s, s->one, s->version, pattern);
	return false;
}

/* The part in which a text ends; NULL: it is the separator itself. Ends come in
 * order but for a few, so the search goes on from where the last one was. */
static struct part *part_at(struct scan *s, size_t end)
{
	struct part *parts = s->batch->parts;

	while (s->part && end <= parts[s->part].from)
		s->part--;
	while (s->part + 1 < s->batch->nparts && end > parts[s->part + 1].from)
		s->part++;
	return end <= parts[s->part].to ? &parts[s->part] : NULL;
}

static size_t flood(const struct scan *s)
{
	return FLOOD + s->batch->len / 2;
}

static bool on_hit(void *ctx, uint32_t pattern, size_t end)
{
	struct scan *s = ctx;
	struct part *part;

	if (++s->hits > flood(s))
		return true;
	part = part_at(s, end);
	if (part)
		ask(s, &s->scratch->values[part->value], &part->version, pattern);
	return false;
}

/* What single bytes of it stand for. */
static void ask_bytes(struct scan *s, struct batched *b, struct version *v)
{
	const uint64_t *telling = s->rules->plan.telling[v->kind][b->zone];
	uint64_t seen[4] = { 0 };

	if (!(s->rules->plan.tells[v->kind][b->zone] & v->nodes))
		return;
	for (size_t i = 0; i < v->text.len; i++) {
		unsigned char c = (unsigned char)v->text.at[i];
		const struct byte_users *u = &s->texts->bytes[v->kind][c];

		if (!(telling[c] & v->nodes) || bit_is(seen, c))
			continue;
		bit_set(seen, c);
		for (size_t k = 0; k < u->n; k++)
			ask(s, b, v, u->patterns[k]);
	}
}

/* ---- a batch ---- */

static enum book book_of(const struct scan *s, enum zone z, const struct version *v)
{
	if (v->kind == TEXTS_PLAIN)
		return BOOK_PLAIN;
	return s->rules->plan.thick[z] & v->nodes ? BOOK_ALL : BOOK_THIN;
}

static bool scan_alone(struct scan *s, struct batched *b, struct version *v)
{
	s->one = b;
	s->version = v;
	return s->rules->compiled->kind->scan(s->texts->once[book_of(s, b->zone, v)], s->scratch->matcher, v->text, on_hit_of_one, s);
}

static bool scan_one_by_one(struct scan *s)
{
	for (struct part *p = s->batch->parts; p < s->batch->parts + s->batch->nparts; p++)
		if (!scan_alone(s, &s->scratch->values[p->value], &p->version))
			return false;
	return true;
}

static bool scan_joined(struct scan *s, enum book book)
{
	struct batch *b = &s->scratch->batches[book];

	if (!b->nparts)
		return true;
	s->batch = b;
	s->hits = s->part = 0;
	if (!s->rules->compiled->kind->scan(s->texts->joined[book], s->scratch->matcher, (struct bytes){ b->joined, b->len }, on_hit, s))
		return false;
	return s->hits > flood(s) ? scan_one_by_one(s) : true;
}

static void empty(struct rules_scratch *b)
{
	for (size_t i = 0; i < BOOKS; i++)
		b->batches[i].len = b->batches[i].nparts = 0;
	b->nvalues = 0;
}

static bool flush(struct scan *s)
{
	struct rules_scratch *b = s->scratch;
	bool ok = true;

	for (enum book book = 0; ok && book < BOOKS; book++)
		ok = scan_joined(s, book);
	for (size_t i = 0; ok && i < b->nvalues; i++)
		if (b->values[i].keyed && !b->values[i].suspect)
			memo_add(b->memo, b->values[i].key);
	empty(b);
	return ok;
}

static bool reserve(struct batch *b, size_t n)
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

static bool join(struct scan *s, const struct batched *of, const struct version *v)
{
	struct batch *b = &s->scratch->batches[book_of(s, of->zone, v)];
	struct bytes text = v->text;

	if (!reserve(b, text.len + 1) || b->nparts == BATCH_PARTS)
		return false;
	memcpy(b->joined + b->len, text.at, text.len);
	b->joined[b->len + text.len] = s->texts->separator;
	b->parts[b->nparts++] = (struct part){ (uint32_t)(of - s->scratch->values), (uint32_t)b->len, (uint32_t)(b->len + text.len), *v };
	b->len += text.len + 1;
	return true;
}

/* No room for as many texts more. */
static bool is_full(const struct rules_scratch *b, size_t values, size_t texts)
{
	bool full = b->nvalues + values > BATCH_VALUES;

	for (size_t i = 0; i < BOOKS; i++)
		full |= b->batches[i].len >= BATCH_BYTES || b->batches[i].nparts + texts > BATCH_PARTS;
	return full;
}

/* ---- a value ---- */

static bool scan_version(struct scan *s, struct batched *b, struct version *v, bool alone)
{
	v->serial = ++s->scratch->serial;
	ask_bytes(s, b, v);
	if (v->kind == TEXTS_PLAIN && !(s->rules->plan.plain[b->zone] & v->nodes))
		return true;
	return alone ? scan_alone(s, b, v) : join(s, b, v);
}

static enum texts kind_of(struct bytes text)
{
	return is_plain(text) ? TEXTS_PLAIN : TEXTS_RICH;
}

/* The place of a text among those of a value; *n grows when it is new. */
static struct version *version_of(struct version *at, size_t *n, struct bytes text)
{
	for (size_t i = 0; i < *n; i++)
		if (at[i].text.at == text.at ? at[i].text.len == text.len : bytes_eq(at[i].text, text))
			return &at[i];
	if (*n == TEXTS_OF_ONE)
		return NULL;
	at[*n] = (struct version){ .text = text, .kind = kind_of(text) };
	return &at[(*n)++];
}

/* Every different text that the steps wanted make of the value. */
static bool scan_changed(struct scan *s, struct batched *b, const struct want *w, enum texts kind, bool alone)
{
	const uint64_t *bits = s->rules->plan.node_bits;
	const struct course *c = course_of(&s->scratch->courses, s->rules, b->zone, w, b->value->traits);
	const uint16_t *nodes = c ? c->nodes : w->nodes;
	struct version versions[TEXTS_OF_ONE], as_it_came = { .text = b->value->text, .nodes = c ? c->same : 0, .kind = kind };
	size_t n = 0;

	for (size_t i = 0; i < (c ? c->n : w->n); i++) {
		struct version more = { .text = value_after(s->values, b->value, nodes[i]), .nodes = bits[nodes[i]] }, *v;

		if (!more.text.at)
			return false;
		v = more.text.at == as_it_came.text.at && more.text.len == as_it_came.text.len ? &as_it_came
											      : version_of(versions, &n, more.text);
		if (v) {
			v->nodes |= more.nodes;
			continue;
		}
		more.kind = kind_of(more.text);
		if (!scan_version(s, b, &more, alone))
			return false;
	}
	for (size_t i = 0; i < n; i++)
		if (!scan_version(s, b, &versions[i], alone))
			return false;
	return !as_it_came.nodes || scan_version(s, b, &as_it_came, alone);
}

/* What has no text is asked at once; the rest when its texts are found. */
static bool scan_texts(struct scan *s, struct batched *b, const struct want *w, bool alone)
{
	struct version as_it_came = { .text = b->value->text, .nodes = UINT64_MAX };
	uint32_t traits;

	for (size_t i = 0; i < w->nasks; i++)
		ask_group(s, b, w->asks[i]);
	if (!w->n)
		return true;
	if (w->needs && !b->value->traits)
		b->value->traits = transform_traits(b->value->text);
	traits = b->value->traits;
	if (!traits)
		as_it_came.kind = kind_of(as_it_came.text);
	else
		as_it_came.kind = traits & TRAIT_RICH ? TEXTS_RICH : TEXTS_PLAIN;
	return w->needs & traits ? scan_changed(s, b, w, as_it_came.kind, alone) : scan_version(s, b, &as_it_came, alone);
}

/* Long arguments and bodies are seldom sent twice; they would only push out the
 * rest. */
static bool in_memo(struct scan *s, struct batched *b, const struct want *w)
{
	static const zone_set again = ZONE_BIT(ZONE_URI) | ZONE_BIT(ZONE_URI_FULL) | ZONE_BIT(ZONE_HEADERS) |
				      ZONE_BIT(ZONE_HEADERS_NAMES) | ZONE_BIT(ZONE_COOKIES) | ZONE_BIT(ZONE_COOKIES_NAMES) |
				      ZONE_BIT(ZONE_PATH) | ZONE_BIT(ZONE_PATH_QUERY) | ZONE_BIT(ZONE_LINE) |
				      ZONE_BIT(ZONE_ANSWER_HEADERS) | ZONE_BIT(ZONE_ANSWER_HEADERS_NAMES);
	size_t longest = again >> b->zone & 1 ? MEMO_BYTES : MEMO_BYTES_ONCE;
	struct hash128 salt = w->salt;

	if (b->value->text.len > longest)
		return false;
	if (s->rules->plan.wants[b->zone].by_name)
		salt = hash128(salt, b->value->name);
	b->key = memo_key(s->scratch->memo, salt, b->value->text);
	b->keyed = true;
	return memo_has(s->scratch->memo, b->key);
}

static bool scan_value(struct scan *s, enum zone zone, struct value *v)
{
	const struct want *w = plan_want(&s->rules->plan, zone, v->name);
	struct rules_scratch *b = s->scratch;
	struct batched one = { .value = v, .zone = zone };

	if (!w || in_memo(s, &one, w))
		return true;
	if (v->text.len > ALONE_BYTES)
		return scan_texts(s, &one, w, true);
	if (is_full(b, 1, w->n) && !flush(s))
		return false;
	b->values[b->nvalues] = one;
	return scan_texts(s, &b->values[b->nvalues++], w, false);
}

/* The names of a zone as one value, each behind its length. */
static bool lump_key(struct scan *s, enum zone zone, const struct zone_values *z, struct hash128 *key)
{
	struct batch *b = &s->scratch->batches[BOOK_ALL]; /* it has room, which is used for a while */
	size_t from = b->len;

	for (size_t i = z->scanned; i < z->n; i++) {
		struct bytes name = z->at[i].text;

		if (!reserve(b, name.len + 1))
			return false;
		b->joined[b->len++] = (char)name.len;
		memcpy(b->joined + b->len, name.at, name.len);
		b->len += name.len;
	}
	*key = memo_key(s->scratch->memo, s->rules->plan.wants[zone].any.salt, (struct bytes){ b->joined + from, b->len - from });
	b->len = from;
	return true;
}

/* A page or form asks with the same names each time, so they are remembered in a
 * lump. */
static bool scan_names(struct scan *s, enum zone zone, struct zone_values *z)
{
	struct rules_scratch *b = s->scratch;

	if (!lump_key(s, zone, z, &s->lumps[zone]))
		return false;
	if (memo_has(b->memo, s->lumps[zone])) {
		z->scanned = z->n;
		return true;
	}
	s->lumped |= ZONE_BIT(zone);
	for (; z->scanned < z->n; z->scanned++) {
		struct value *v = &z->at[z->scanned];
		const struct want *w = plan_want(&s->rules->plan, zone, v->name);

		b->values[b->nvalues] = (struct batched){ .value = v, .zone = zone };
		if (w && !scan_texts(s, &b->values[b->nvalues++], w, false))
			return false;
	}
	return true;
}

/* Few enough to stay in one batch, and short. */
static bool is_lump(struct scan *s, enum zone zone, const struct zone_values *z)
{
	static const zone_set names = ZONE_BIT(ZONE_ARGS_NAMES) | ZONE_BIT(ZONE_HEADERS_NAMES) |
				      ZONE_BIT(ZONE_COOKIES_NAMES) | ZONE_BIT(ZONE_BODY_ARGS_NAMES) |
				      ZONE_BIT(ZONE_ANSWER_HEADERS_NAMES);
	size_t n = z->n - z->scanned;

	if (!(names >> zone & 1) || !n || n > LUMP_VALUES || n * s->rules->plan.wants[zone].widest > BATCH_PARTS)
		return false;
	for (size_t i = z->scanned; i < z->n; i++)
		if (z->at[i].text.len > MEMO_BYTES_ONCE)
			return false;
	return !is_full(s->scratch, n, n * s->rules->plan.wants[zone].widest) || flush(s);
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
	for (zone_set due = s->lumped & ~s->suspect; due; due &= due - 1) {
		unsigned zone = (unsigned)__builtin_ctzll(due);

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
		     enum direction direction, uint64_t *groups)
{
	enum zone first = direction == OF_ANSWER ? ZONE_ANSWER_FIRST : 0;
	enum zone end = direction == OF_ANSWER ? ZONE_MADE_FIRST : ZONE_ANSWER_FIRST;
	struct scan s = { .scratch = scratch, .rules = rules, .texts = &rules->compiled->unions[direction],
			  .values = values, .groups = groups };
	bool ok = room_to_ask(scratch, rules->compiled->npatterns);

	for (enum zone z = first; ok && z < end; z++)
		ok = scan_zone(&s, z, &values->zones[z]);
	ok = ok && flush(&s);
	if (ok)
		remember_lumps(&s);
	empty(scratch); /* whatever happened */
	return ok;
}
