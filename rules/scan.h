/* scan.h -- values -> groups worth asking.
 *
 * The texts of many values are joined, a separator behind each, and scanned in
 * one call. A hit tells by its place which value it is in; the conditions behind
 * the pattern are then asked about that value, and so are those that no text
 * stands for. A value for which none of them holds is clean and remembered: a
 * client that comes again with it costs a hash. */
#ifndef RULES_SCAN_H
#define RULES_SCAN_H
#include "rules/fields.h"
#include "rules/ruleset.h"

/* Which inspections are timed: costs.h. */
struct cost_pace *scratch_pace(struct rules_scratch *);
/* Scans what is new in `values` of this direction and sets the bits of groups whose
 * gate holds. False: it could not be done, so every group must be asked. */
bool scan_new_values(struct rules_scratch *, const struct ruleset *, struct values *, enum direction, uint64_t *groups);
#endif
