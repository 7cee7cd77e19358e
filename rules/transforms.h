/* transforms.h -- what a value may be decoded or folded by before it is matched.
 *
 * ModSecurity's transformations (v3 behaviour, proved by its vectors) under
 * their names and CrowdSec's; names are compared without case and underscores.
 * Each is pure: (arena, in) -> out. Unchanged means the very same slice, and a
 * changed value may be a part of the input, so nothing is copied in vain.
 *
 * Most change nothing most of the time. transform_traits() reads a value once;
 * then one AND per transformation says whether it can be skipped:
 *
 *   uint32_t traits = transform_traits(value);
 *   if (transform_may_change(t, traits))
 *           value = t->fn(arena, value), traits = transform_traits(value); */
#ifndef RULES_TRANSFORMS_H
#define RULES_TRANSFORMS_H
#include "base/arena.h"

struct transform {
	const char *name;  /* "urlDecodeUni" */
	const char *alias; /* CrowdSec's or the other spelling; NULL: none */
	/* out.at == NULL: the arena is at its cap. */
	struct bytes (*fn)(struct arena *, struct bytes in);
	uint32_t needs;    /* traits of which one must be there for a change */
	uint8_t grow, plus; /* out.len <= in.len * grow + plus */
	bool idempotent;   /* twice is once */
	bool keeps_plain;  /* a plain text (plain.h) stays one */
	const char *help;
};

/* The classes of bytes in a value, as bits; never 0, as some transformations
 * change every value. */
enum { TRAIT_RICH = 1 << 20 }; /* it is not plain */
uint32_t transform_traits(struct bytes);

static inline bool transform_may_change(const struct transform *t, uint32_t traits)
{
	return (t->needs & traits) != 0;
}

/* NULL: no such name. A leading "t:" is not part of it. */
const struct transform *transform_find(struct bytes name);
/* The same name in CrowdSec's rules, which rest on Coraza's transformations. */
const struct transform *transform_of_crowdsec(struct bytes name);
/* The name nearest in spelling, for "did you mean"; NULL: nothing is near. */
const char *transform_nearest(struct bytes name);
size_t transform_count(void);
const struct transform *transform_at(size_t i); /* in the order of the manual */
#endif
