/* course.h -- what is to be made of a value with certain traits: worked out once for all that have them. */
#ifndef RULES_COURSE_H
#define RULES_COURSE_H
#include "rules/ruleset.h"

enum { COURSES = 256, COURSE_NODES = 64 };

struct course {
	uint64_t want;   /* of its salt */
	uint32_t traits; /* 0: none */
	uint64_t same;   /* plan.node_bits of nodes after which the value is as it came */
	uint16_t n, nodes[COURSE_NODES]; /* after these it may be another */
};

/* A worker's own. */
struct courses {
	struct course at[COURSES]; /* by a hash */
};

/* The want is of that zone. NULL: it has too many nodes. */
const struct course *course_of(struct courses *, const struct ruleset *, enum zone, const struct want *, uint32_t traits);
#endif
