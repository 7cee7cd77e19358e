/* literal.h -- what every match of an expression must contain.
 *
 * The longest run of bytes that no match can do without. It tells how telling
 * an expression is ("[^0-9]" matches nearly everything, "/wp-admin/.*\.php" nearly
 * nothing), and stands in the union database for one that Hyperscan refuses.
 * A missed literal costs time, a wrong one costs security: whatever the reader
 * does not know for certain counts as nothing. */
#ifndef RULES_LITERAL_H
#define RULES_LITERAL_H
#include "base/arena.h"

struct literal {
	/* Bytes that the least telling branch must contain. */
	size_t least;
	/* The run itself, of any case; at == NULL when branches differ. */
	struct bytes text;
	/* It holds in a joined string too (PATTERN_JOINED): no look-around, no back
	 * reference, nothing that a neighbour could spoil. */
	bool joinable;
};

/* least 0, not joinable: not understood. text is from the arena. */
struct literal literal_of(struct arena *, struct bytes expression);
#endif
