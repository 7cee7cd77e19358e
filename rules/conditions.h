/* conditions.h -- one condition on one value. */
#ifndef RULES_CONDITIONS_H
#define RULES_CONDITIONS_H
#include "rules/fields.h"

/* Where a condition holds. */
struct match {
	const struct target *target;
	struct value *value; /* NULL: the number of values */
	struct bytes text;   /* after the transformations */
	struct span span;    /* of the match in it */
	bool gave_up;        /* an expression reached its limit, which counts as a match */
};

/* The target takes the value, and no exception of the condition takes it out. */
bool condition_takes(const struct condition *, const struct target *, const struct value *);
/* Tests one value with this operand, which is the condition's own or made of its
 * macro; fills all of *m but its target. True also when memory is short, which
 * values->spent tells. */
bool condition_test(struct values *, const struct condition *, const struct operand *, struct value *, struct match *m);
/* Tests a text that needs no transformation: a count. */
bool condition_test_text(const struct condition *, const struct operand *, struct bytes text, struct match *m);
/* Nothing but the value decides: no count, no variable that rules set, and no operand but one that is made of
 * variables, which a plan may know beforehand. */
bool condition_is_pure(const struct condition *);
/* A number of values, and none does not fit: it can hold only where there is one. */
bool condition_needs_value(const struct condition *);
/* All targets are in these zones. */
bool condition_only_in(const struct condition *, zone_set);
#endif
