/* fold.h -- what of SecLang's bookkeeping is known before any request comes.
 *
 * CRS begins each request by giving some fifty variables their values, and skips
 * the rules of higher paranoia levels again and again. All that depends on
 * nothing of the request is done once, for each app: variables that are known
 * start with their value, rules that only set them are dropped, and what a known
 * skip passes over is dropped too. */
#ifndef RULES_FOLD_H
#define RULES_FOLD_H
#include "rules/ruleset.h"

/* Fills plan->start and takes bits out of plan->live. */
bool fold(struct ruleset *, const struct ruleset_tuning *, struct err *);
#endif
