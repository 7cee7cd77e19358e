/* everyday.h -- values as ordinary requests have them, to tell which patterns
 * say something and which match nearly everything. */
#ifndef RULES_EVERYDAY_H
#define RULES_EVERYDAY_H
#include "rules/operators.h"

/* How many of a hundred ordinary values pass the test. */
/* In which share of ordinary values one of these is: 0 to 1. */
double everyday_share(const struct bytes *texts, size_t n, bool caseless);
unsigned everyday_percent(const struct op *, const struct operand *);
#endif
