/* suggest_rules.c -- which suggestions were accepted, and how often that makes a rule mistaken. */
#include "admin/suggest_ask.h"
#include "admin/edit_hooks.h"

_Static_assert(RECORD_HITS <= 64, "a bit a hit");

/* ---- is such an exception in force? ---- */

static bool has_all(const struct edit_words *have, const struct exclusion_words *want)
{
	for (size_t i = 0; i < want->n; i++) {
		size_t k = 0;

		while (k < have->n && !bytes_eq(have->at[k], want->at[i]))
			k++;
		if (k == have->n)
			return false;
	}
	return true;
}

static bool names(const struct edit_exception *e)
{
	return e->args.n || e->cookies.n || e->headers.n || e->parts.n;
}

static bool has_parts(const struct edit_exception *e, uint32_t bits)
{
	struct bytes at[EXCLUDE_PARTS];
	struct exclusion_words want = { at, 0 };

	for (size_t k = 0; k < EXCLUDE_PARTS; k++)
		if (bits >> k & 1)
			at[want.n++] = bytes_of(propose_part_word((enum exclusion_part)k));
	return has_all(&e->parts, &want);
}

static bool covers(const struct edit_exception *e, const struct replay_exception *x)
{
	const struct exclusion_words *w = x->what.words;

	return !e->over && !e->methods.n && !e->skip.n && !e->categories.n && !e->tags.n && (!e->path.at || bytes_eq(e->path, x->path)) &&
	       ((!e->rules.n && names(e)) || has_all(&e->rules, &w[EXCLUDE_RULES])) &&
	       (!names(e) || (has_all(&e->args, &w[EXCLUDE_ARGS]) && has_all(&e->cookies, &w[EXCLUDE_COOKIES]) &&
			      has_all(&e->headers, &w[EXCLUDE_HEADERS]) && has_parts(e, x->what.parts) &&
			      (w[EXCLUDE_ARGS].n || w[EXCLUDE_COOKIES].n || w[EXCLUDE_HEADERS].n || x->what.parts)));
}

bool suggest_is_accepted(const struct suggest_cluster *c, const struct edit_app *apps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; bytes_eq(apps[i].name, c->app) && k < apps[i].nexceptions; k++)
			if (covers(&apps[i].exceptions[k], &c->exception))
				return true;
	return false;
}

/* ---- rules ---- */

static bool is_mistake(const struct suggest_cluster *c, const struct edit_app *apps, size_t n)
{
	return !c->kept && (c->likely == SUGGEST_FALSE_POSITIVE || suggest_is_accepted(c, apps, n));
}

static bool is_of(const struct suggest_cluster *c, const struct record_hit *h)
{
	const struct propose_target target = propose_target(h->variable);

	return propose_counts(h) && bytes_eq(h->category, c->category) && propose_same(&target, &c->target) &&
	       (target.key != PROPOSE_WHOLE || bytes_eq(h->rule, c->rule));
}

static void mark(const struct suggest_set *s, const struct suggest_cluster *c, uint64_t *marks)
{
	for (size_t i = 0; i < c->n; i++) {
		const struct replay_event *x = &s->events[c->events[i]].kept;

		for (size_t h = 0; h < x->nhits; h++)
			if (is_of(c, &x->hits[h]))
				marks[c->events[i]] |= (uint64_t)1 << h;
	}
}

struct rules { struct arena *arena; struct suggest_rule *at; size_t n, cap; };

/* NULL: out of memory. */
static struct suggest_rule *rule_of(struct rules *r, struct bytes id)
{
	for (size_t i = 0; i < r->n; i++)
		if (bytes_eq(r->at[i].id, id))
			return &r->at[i];
	r->at = arena_grow(r->arena, r->at, &r->cap, r->n + 1, sizeof *r->at);
	if (!r->at)
		return NULL;
	r->at[r->n] = (struct suggest_rule){ .id = id };
	return &r->at[r->n++];
}

/* A rule that matched twice in one event was in one. */
static bool count_event(struct rules *r, const struct replay_event *x, uint64_t marks)
{
	for (size_t h = 0; h < x->nhits; h++) {
		bool first = propose_counts(&x->hits[h]), mistaken = false;
		struct suggest_rule *rule;

		for (size_t k = 0; k < x->nhits; k++) {
			bool same = bytes_eq(x->hits[k].rule, x->hits[h].rule);

			first = first && !(same && k < h && propose_counts(&x->hits[k]));
			mistaken = mistaken || (same && marks >> k & 1);
		}
		if (!first)
			continue;
		if (!(rule = rule_of(r, x->hits[h].rule)))
			return false;
		rule->alerts++;
		rule->mistaken += mistaken;
	}
	return true;
}

const struct suggest_rule *suggest_rules(const struct suggest_set *s, const struct edit_app *apps, size_t napps, size_t *n)
{
	uint64_t *marks = arena_get(s->arena, (s->n + 1) * sizeof *marks);
	struct rules r = { .arena = s->arena };

	*n = 0;
	r.at = arena_grow(s->arena, NULL, &r.cap, 1, sizeof *r.at);
	if (!marks || !r.at)
		return NULL;
	for (size_t i = 0; i < s->nclusters; i++)
		if (is_mistake(&s->clusters[i], apps, napps))
			mark(s, &s->clusters[i], marks);
	for (size_t i = 0; i < s->n; i++)
		if (!count_event(&r, &s->events[i].kept, marks[i]))
			return NULL;
	*n = r.n;
	return r.at;
}
