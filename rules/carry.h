/* carry.h -- a chain whose first link hands each value on to the second.
 *
 *   SecRule REQUEST_HEADERS_NAMES "@rx ^.*$" "capture,setvar:'tx.name_%{tx.0}=/%{tx.0}/',chain"
 *       SecRule TX:/^name_/ "@within %{tx.restricted_headers}"
 *
 * The first link holds on every request, and what it sets is for the second alone. When
 * nobody else could notice, the chain is as good as one condition on each value: does the
 * first hold, and the second on what it makes of this value? So it has a gate after all.
 * Others may look for variables by an expression: where it fits the name that a value
 * gets, the chain runs, whatever the second link says. */
#ifndef RULES_CARRY_H
#define RULES_CARRY_H
#include "rules/conditions.h"

struct carry {
	struct regex **readers; /* names that others look for */
	size_t n, cap;
};

/* NULL: the group is no such chain, another reads or writes what it sets and captures, or memory is short. */
const struct carry *carry_of(struct ir *, const struct group *);
/* Whether the second link, with this operand, may hold because of this match of the first; or another rule
 * may notice that the first did. */
bool carry_holds(struct arena *, const struct group *, const struct operand *, const struct match *first);
#endif
