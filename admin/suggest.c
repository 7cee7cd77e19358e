/* suggest.c -- events -> clusters, and what they look like. */
#include "admin/suggest.h"
#include "base/hash.h"
#include "base/path.h"
#include <stdlib.h>

enum { CLUSTERS_BUILT = 4096, SLOTS = 4 * CLUSTERS_BUILT, HOUR_MS = 3600 * 1000 };

/* What a cluster is one by. */
struct key {
	struct bytes app, path, category, rule; /* rule: only where nothing but the rule can be excepted */
	struct propose_target target;
};

/* A hit of an event, as a member. */
struct member { uint32_t cluster, event; };

struct building {
	struct suggest_set *set;
	struct arena *arena;
	struct key *keys;
	uint64_t *hashes;
	uint32_t *slots;    /* 1 + the cluster; 0: free */
	size_t nkeys;
	struct member *members;
	size_t nmembers, cap;
};

/* ---- keys ---- */

static uint64_t hash_of(const struct key *k)
{
	const struct bytes all[] = { k->app, k->path, k->category, k->rule, bytes_of(propose_key_word(k->target.key)), k->target.name };
	uint64_t h = HASH_CONTENT_START;

	for (size_t i = 0; i < nelems(all); i++)
		h = hash_content(hash_content(h, all[i]), (struct bytes){ "", 1 });
	return h;
}

static bool same(const struct key *a, const struct key *b)
{
	return bytes_eq(a->app, b->app) && bytes_eq(a->path, b->path) && bytes_eq(a->category, b->category) &&
	       bytes_eq(a->rule, b->rule) && propose_same(&a->target, &b->target);
}

static struct key key_of(struct bytes app, struct bytes path, const struct record_hit *h)
{
	struct key k = { .app = app, .path = path, .category = h->category, .target = propose_target(h->variable) };

	if (k.target.key == PROPOSE_WHOLE)
		k.rule = h->rule;
	return k;
}

/* False: there are too many; what is one of a kind is not worth a suggestion anyway. */
static bool cluster_of(struct building *b, const struct key *k, uint32_t *out)
{
	uint64_t hash = hash_of(k);
	size_t i = hash % SLOTS;

	for (; b->slots[i]; i = (i + 1) % SLOTS)
		if (same(&b->keys[*out = b->slots[i] - 1], k))
			return true;
	if (b->nkeys == CLUSTERS_BUILT)
		return false;
	*out = (uint32_t)b->nkeys;
	b->keys[b->nkeys] = *k;
	b->hashes[b->nkeys] = hash;
	b->slots[i] = (uint32_t)++b->nkeys;
	return true;
}

/* ---- members ---- */

static bool is_member(const struct building *b, size_t from, uint32_t cluster)
{
	for (size_t i = from; i < b->nmembers; i++)
		if (b->members[i].cluster == cluster)
			return true;
	return false;
}

static bool add_event(struct building *b, uint32_t event)
{
	const struct replay_event *x = &b->set->events[event].kept;
	struct bytes path = suggest_path(b->arena, b->set->events[event].path);
	size_t from = b->nmembers;

	for (size_t i = 0; i < x->nhits; i++) {
		struct key k = key_of(x->app, path, &x->hits[i]);
		uint32_t cluster;

		if (!propose_counts(&x->hits[i]) || !cluster_of(b, &k, &cluster) || is_member(b, from, cluster))
			continue;
		b->members = arena_grow(b->arena, b->members, &b->cap, b->nmembers + 1, sizeof *b->members);
		if (!b->members)
			return false;
		b->members[b->nmembers++] = (struct member){ cluster, event };
	}
	return true;
}

static bool gather(struct building *b)
{
	b->keys = arena_get(b->arena, CLUSTERS_BUILT * sizeof *b->keys);
	b->hashes = arena_get(b->arena, CLUSTERS_BUILT * sizeof *b->hashes);
	b->slots = arena_get(b->arena, SLOTS * sizeof *b->slots);
	if (!b->keys || !b->hashes || !b->slots)
		return false;
	for (uint32_t i = 0; i < b->set->n; i++)
		if (!add_event(b, i))
			return false;
	return true;
}

/* ---- one cluster ---- */

/* Its hits, each rule on each variable once; `rule` and `message` are the most frequent one's. */
static size_t hits_of(const struct building *b, const struct key *k, struct suggest_cluster *c, struct record_hit *out)
{
	uint32_t counts[RECORD_HITS] = { 0 }, most = 0;
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++) {
		const struct replay_event *x = &b->set->events[c->events[i]].kept;

		for (size_t h = 0; h < x->nhits; h++) {
			struct key of = key_of(k->app, k->path, &x->hits[h]);
			size_t at = 0;

			if (!propose_counts(&x->hits[h]) || !same(&of, k))
				continue;
			while (at < n && !(bytes_eq(out[at].rule, x->hits[h].rule) && bytes_eq(out[at].variable, x->hits[h].variable)))
				at++;
			if (at == n && n < RECORD_HITS)
				out[n++] = x->hits[h];
			if (at < n && ++counts[at] > most) {
				most = counts[at];
				c->rule = out[at].rule;
				c->message = out[at].message;
			}
		}
	}
	return n;
}

bool suggest_is_bad(const struct suggest_client *c)
{
	return c->marked || c->clusters >= SUGGEST_SCANNER;
}

/* The clients of a cluster, each once: `seen` has a mark for each client of the set. NULL: that was the last. */
struct walk { const struct suggest_cluster *cluster; uint32_t *seen, mark; size_t at; };

static struct suggest_client *next_client(const struct suggest_set *s, struct walk *w)
{
	while (w->at < w->cluster->n) {
		uint32_t client = s->events[w->cluster->events[w->at++]].client;

		if (w->seen[client] == w->mark)
			continue;
		w->seen[client] = w->mark;
		return &s->clients[client];
	}
	return NULL;
}

static void count_clients(const struct suggest_set *s, struct suggest_cluster *c, uint32_t *seen, uint32_t mark)
{
	struct walk w = { c, seen, mark, 0 };
	const struct suggest_client *who;

	while ((who = next_client(s, &w))) {
		c->clients++;
		c->with_pass += who->pass;
		c->with_success += who->success;
		c->bad += suggest_is_bad(who);
	}
}

enum suggest_likely suggest_judge(uint32_t clients, bool has_pass, bool has_success, uint32_t bad, uint64_t span_ms)
{
	int points = clients >= 4 ? 2 : clients >= 2 ? 1 : -1;

	points += has_pass;
	points += has_success;
	points += span_ms > HOUR_MS;
	points -= 3 * bad >= clients ? 2 : 0;
	return points >= 3 ? SUGGEST_FALSE_POSITIVE : points <= 0 ? SUGGEST_ATTACK : SUGGEST_UNCLEAR;
}

const char *suggest_likely_word(enum suggest_likely l)
{
	static const char *const words[] = { "attack", "unclear", "false positive" };

	return words[l];
}

/* False: out of memory. */
static bool describe(struct building *b, size_t number, struct suggest_cluster *c)
{
	const struct key *k = &b->keys[number];
	struct record_hit hits[RECORD_HITS];
	const struct replay_exception *x;

	snprintf(c->id, sizeof c->id, "%016llx", (unsigned long long)b->hashes[number]);
	c->app = k->app;
	c->path = k->path;
	c->category = k->category;
	c->target = k->target;
	c->last_ms = b->set->events[c->events[0]].time_ms;
	c->first_ms = b->set->events[c->events[c->n - 1]].time_ms;
	if (!propose(b->set->arena, suggest_pattern(b->set->arena, k->path), hits, hits_of(b, k, c, hits), &x))
		return false;
	c->exception = x[0];
	return true;
}

/* ---- all ---- */

static int by_events(const void *a, const void *b)
{
	const struct suggest_cluster *x = a, *y = b;

	return x->n != y->n ? (x->n < y->n ? 1 : -1) : strcmp(x->id, y->id);
}

/* Each cluster with its events. */
static struct suggest_cluster *share_out(struct building *b)
{
	struct suggest_cluster *at = arena_get(b->arena, (b->nkeys + 1) * sizeof *at);
	uint32_t *events = arena_get(b->set->arena, (b->nmembers + 1) * sizeof *events);
	size_t from = 0;

	if (!at || !events)
		return NULL;
	for (size_t i = 0; i < b->nmembers; i++)
		at[b->members[i].cluster].n++;
	for (size_t i = 0; i < b->nkeys; i++) {
		at[i].events = events + from;
		from += at[i].n;
		at[i].n = 0;
	}
	for (size_t i = 0; i < b->nmembers; i++) {
		struct suggest_cluster *c = &at[b->members[i].cluster];

		((uint32_t *)(uintptr_t)c->events)[c->n++] = b->members[i].event;
	}
	return at;
}

static bool build(struct building *b)
{
	struct suggest_set *s = b->set;
	uint32_t *seen = arena_get(b->arena, (s->nclients + 1) * sizeof *seen);
	struct suggest_cluster *all = seen && gather(b) ? share_out(b) : NULL;

	if (!all)
		return false;
	for (size_t i = 0; i < b->nkeys; i++)
		if (!describe(b, i, &all[i]))
			return false;
	for (size_t i = 0; i < b->nkeys; i++) {
		struct walk w = { &all[i], seen, (uint32_t)i + 1, 0 };
		struct suggest_client *who;

		while ((who = next_client(s, &w)))
			who->clusters++;
	}
	for (size_t i = 0; i < b->nkeys; i++) {
		count_clients(s, &all[i], seen, (uint32_t)(b->nkeys + i) + 1);
		all[i].likely = suggest_judge(all[i].clients, all[i].with_pass, all[i].with_success, all[i].bad, all[i].last_ms - all[i].first_ms);
	}
	qsort(all, b->nkeys, sizeof *all, by_events);
	s->nclusters = b->nkeys < SUGGEST_CLUSTERS ? b->nkeys : SUGGEST_CLUSTERS;
	s->clusters = arena_get(s->arena, (s->nclusters + 1) * sizeof *s->clusters);
	if (s->clusters && s->nclusters)
		memcpy(s->clusters, all, s->nclusters * sizeof *all);
	return s->clusters != NULL;
}

bool suggest_clusters(struct suggest_set *s)
{
	struct building b = { .set = s, .arena = s->arena };

	return build(&b);
}

/* ---- what an exception would do ---- */

static bool has_word(const struct exclusion_words *w, struct bytes word)
{
	for (size_t i = 0; i < w->n; i++)
		if (path_matches(w->at[i], word, false))
			return true;
	return false;
}

/* "942100-942199" */
static bool in_range(struct bytes range, struct bytes rule)
{
	struct bytes first;
	uint64_t from, to, id;

	return bytes_cut(&range, '-', &first) && bytes_u64(first, &from) && bytes_u64(range, &to) && bytes_u64(rule, &id) &&
	       from <= id && id <= to;
}

/* Without a word on rules it is for all of them. */
static bool has_rule(const struct replay_exception *x, const struct record_hit *h)
{
	const struct exclusion_words *w = &x->what.words[EXCLUDE_RULES];

	for (size_t i = 0; i < w->n; i++)
		if (bytes_eq(w->at[i], h->rule) || in_range(w->at[i], h->rule))
			return true;
	return !w->n;
}

static bool concerns(const struct suggest_cluster *c, const struct suggest_event *x, bool any_rule)
{
	bool rule = any_rule;

	if (!bytes_eq(c->app, x->kept.app))
		return false;
	for (size_t i = 0; i < x->kept.nhits && !rule; i++)
		rule = propose_counts(&x->kept.hits[i]) && has_rule(&c->exception, &x->kept.hits[i]);
	return rule && (!c->exception.path.at || path_matches(c->exception.path, x->path, false));
}

bool suggest_near(const struct suggest_set *s, struct suggest_cluster *c, bool any_rule)
{
	uint32_t *at = arena_get(s->arena, (s->n + 1) * sizeof *at);

	for (uint32_t i = 0; at && i < s->n; i++)
		if (concerns(c, &s->events[i], any_rule))
			at[c->nnear++] = i;
	c->near = at;
	return at != NULL;
}

static bool covers(const struct replay_exception *x, const struct record_hit *h)
{
	static const enum exclusion_key key_of[] = { [PROPOSE_ARGS] = EXCLUDE_ARGS, [PROPOSE_COOKIES] = EXCLUDE_COOKIES,
						     [PROPOSE_HEADERS] = EXCLUDE_HEADERS };
	const struct exclusion_words *w = x->what.words;
	struct propose_target t = propose_target(h->variable);

	if (x->what.words[EXCLUDE_SKIP].n || w[EXCLUDE_TAGS].n || !has_rule(x, h) || (w[EXCLUDE_CATEGORIES].n && !has_word(&w[EXCLUDE_CATEGORIES], h->category)))
		return false;
	if (!w[EXCLUDE_ARGS].n && !w[EXCLUDE_COOKIES].n && !w[EXCLUDE_HEADERS].n && !x->what.parts)
		return true;
	if (t.key == PROPOSE_PARTS)
		return x->what.parts >> t.part & 1;
	return t.key != PROPOSE_WHOLE && has_word(&w[key_of[t.key]], t.name);
}

/* Rules of our packs stop by themselves; those that score do together. */
static bool any_covers(const struct replay_exception *at, size_t n, const struct record_hit *h)
{
	for (size_t i = 0; i < n; i++)
		if (covers(&at[i], h))
			return true;
	return false;
}

bool suggest_reckon(const struct replay_exception *at, size_t n, const struct replay_event *e)
{
	int score = 0;

	for (size_t i = 0; i < e->nhits; i++) {
		const struct record_hit *h = &e->hits[i];

		if (!propose_counts(h) || any_covers(at, n, h))
			continue;
		if (!h->score)
			return false;
		score += h->score;
	}
	return !score || score < e->threshold;
}
