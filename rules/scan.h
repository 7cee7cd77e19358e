/* scan.h -- values -> groups worth asking.
 *
 * The texts of many values are joined, a '\n' behind each, and scanned in one
 * call: no hit is proof for all of them. Hits name groups; asking these is the
 * inspection's business, so a hit too many costs time and nothing else.
 * Values that were clean are remembered, and not scanned again when the same
 * client sends them again. */
#ifndef RULES_SCAN_H
#define RULES_SCAN_H
#include "rules/fields.h"
#include "rules/ruleset.h"

/* Scans what is new in `values` and sets the bits of groups whose gate was hit.
 * False: it could not be done, so every group must be asked. */
bool scan_new_values(struct rules_scratch *, const struct ruleset *, struct values *, uint64_t *groups);
/* May this value hold the pattern? No: it was scanned by itself and does not. */
bool scan_may_hold(const struct value *, uint32_t pattern);
#endif
