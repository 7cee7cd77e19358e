/* matcher_none.h -- a matcher that finds nothing out: every rule is then asked about
 * every value, which is what gates, words and memo must not differ from. */
#ifndef TESTS_MATCHER_NONE_H
#define TESTS_MATCHER_NONE_H
#include "base/matcher.h"

static inline struct matcher *none_compile(const struct pattern *p, size_t n, const char *cache_dir, struct err *e)
{
	static char some;

	(void)p, (void)n, (void)cache_dir, (void)e;
	return (struct matcher *)&some; /* never looked into */
}

static inline bool none_scan(const struct matcher *m, struct matcher_scratch *s, struct bytes b, matcher_hit *hit, void *ctx)
{
	(void)m, (void)s, (void)b, (void)hit, (void)ctx;
	return false; /* it could not be done, so all must be asked */
}

static inline void none_free(struct matcher *m)
{
	(void)m;
}

static const struct matcher_kind matcher_none = { "none", none_compile, none_scan, none_free };
#endif
