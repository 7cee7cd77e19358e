/* literal.h -- what every match of an expression must contain.
 *
 * The reader finds a set of literals of which no match can do without one:
 * "(?:union|insert) +(?:all|into)" has { "union ", "insert " }. They are looked for in
 * place of the expression, which is only asked where one of them is.
 *
 * A missed literal costs time, a wrong one costs security: what the reader does
 * not know for certain counts as nothing. */
#ifndef RULES_LITERAL_H
#define RULES_LITERAL_H
#include "base/arena.h"

enum { LITERALS_MAX = 2048 };

struct literals {
	struct bytes *at;
	size_t n;      /* 0: nothing is known that must be there */
	struct bytes *also; /* and of these one, elsewhere in the match: a separator and a command */
	size_t nalso;  /* 0: nothing more is known */
	double common; /* in which share of ordinary values one of them is, about */
	bool caseless; /* the expression switches case off somewhere */
	bool never;    /* no match is within the bytes asked about; all else says nothing */
};

/* How common the text is in ordinary values, by its bytes: 0 to 1. */
double literal_common(struct bytes);
/* Everything is from the arena. `within`: of matches that hold no other bytes than these (bits of a set
 * that has each letter in both cases, or neither); NULL: of all. */
struct literals literals_of(struct arena *, struct bytes expression, const uint64_t *within);
#endif
