/* matcher_places.h -- where a matcher finds literals, to be held against another one's. */
#ifndef TESTS_MATCHER_PLACES_H
#define TESTS_MATCHER_PLACES_H
#include "base/matcher.h"

enum { PLACES_IDS = 8, PLACES_ENDS = 256 };

struct places {
	bool ends[PLACES_IDS][PLACES_ENDS];
	bool ids[PLACES_IDS];
	bool wrong; /* an id or an end that cannot be */
	size_t len; /* of the value */
};

static inline bool places_mark(void *ctx, uint32_t id, size_t end)
{
	struct places *p = ctx;

	if (id >= PLACES_IDS || end > p->len || !end)
		return p->wrong = true;
	p->ids[id] = p->ends[id][end] = true;
	return false;
}

/* Of a value shorter than PLACES_ENDS; false: the patterns were refused. */
static inline bool places_of(const struct matcher_kind *kind, const struct pattern *p, size_t n, struct bytes in, struct places *out)
{
	struct matcher *m = kind->compile(p, n, NULL, NULL);
	struct matcher_scratch *s = matcher_scratch_new();

	*out = (struct places){ .len = in.len };
	out->wrong = m && (!s || !kind->scan(m, s, in, places_mark, out) || out->wrong);
	kind->free(m);
	matcher_scratch_free(s);
	return m != NULL;
}

/* `each`: of literals of which each place is told; else only that there is one. */
static inline bool places_eq(const struct places *a, const struct places *b, bool each)
{
	return !a->wrong && !b->wrong && memcmp(a->ids, b->ids, sizeof a->ids) == 0 &&
	       (!each || memcmp(a->ends, b->ends, sizeof a->ends) == 0);
}
#endif
