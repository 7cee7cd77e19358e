/* literal_part.h -- what is known of the matches of a part of an expression; for
 * literal*.c.
 *
 * A part is known by three lists: every match of it is one of `texts`, begins with one of
 * `heads`, or holds one of `marks`. "colou?r" has the texts "color" and "colour";
 * "(?:cat|dog)\s.*" the heads "cat" and "dog"; "c['\\]*at", as rules against evasion have
 * it, the text "cat" and the marks "'" and "\". Of parts that follow one another the texts
 * are multiplied with texts and heads, and the marks united, while they are few; then all
 * of it becomes marks, and the rarest list of a branch is kept. Of alternatives all are
 * united. (RE2 has the plain form of this; Cox 2012, "Regular Expression Matching with a
 * Trigram Index", tells how.) */
#ifndef RULES_LITERAL_PART_H
#define RULES_LITERAL_PART_H
#include "base/arena.h"

struct list {
	struct bytes *at;
	size_t n;
};

struct part {
	bool known; /* else: it may match anything */
	bool never; /* it matches nothing that is within the bytes asked about */
	struct list texts, heads, marks;
};

/* Where lists come from. */
struct parts {
	struct arena *arena;
	bool lost; /* memory, or (the reader's) understanding: nothing holds */
	struct list paid; /* texts that are looked for anyway: one more use of them is no cost */
	const uint64_t *within; /* bits of the bytes that a match may hold; NULL: any */
};

struct part part_unknown(void);
struct part part_never(void);
bool part_may_hold(const struct parts *, unsigned char byte);
struct part part_of_text(struct parts *, struct bytes text);
struct part part_nothing(struct parts *); /* the empty text */
struct part part_of_marks(struct list);
struct part part_begun(struct parts *, const struct part *); /* and anything behind it */
/* One behind the other; only where part_can_multiply says that it stays small. */
bool part_can_multiply(const struct part *, const struct part *);
struct part part_product(struct parts *, const struct part *, const struct part *);
struct part part_either(struct parts *, struct part, struct part);
struct part part_any_number(struct parts *, const struct part *); /* or none */
struct part part_optional(struct parts *, const struct part *);
/* One of these is in every match; none: a match may hold nothing of note. */
struct list part_required(struct parts *, const struct part *);
/* In which share of ordinary values one of them is, about. */
double list_common(const struct list *);
/* The same of those that are not paid for, added up: also more than 1. */
double list_cost(const struct parts *, const struct list *);
struct list list_rarer(const struct parts *, struct list, struct list);
#endif
