/* facts.h -- single values that SecLang asks for by name: REMOTE_ADDR,
 * REQBODY_ERROR, RESPONSE_CONTENT_TYPE. Only those that some rule looks at are made. */
#ifndef RULES_FACTS_H
#define RULES_FACTS_H
#include "rules/inspect.h"

enum { FACTS_MAX = 64 };

/* Its bit in plan.facts; 0: that zone has no such fact. */
uint64_t fact_bit(enum zone, struct bytes name);
/* Fills ZONE_HEAD_FACTS, ZONE_BODY_FACTS or ZONE_ANSWER_FACTS, from scratch. */
void facts_add(struct inspection *, enum zone);
#endif
