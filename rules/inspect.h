/* inspect.h -- one request under inspection; for inspect.c and inspect_body.c. */
#ifndef RULES_INSPECT_H
#define RULES_INSPECT_H
#include "rules/fields.h"
#include "rules/ruleset.h"

struct hold; /* the body, as far as it has come: inspect_body.c */

struct inspection {
	struct arena *arena;
	const struct ruleset *rules;
	struct rules_scratch *scratch;
	const struct request *request;
	struct inspect_options options;
	struct values values;
	enum phase phase;
	bool head_asked;  /* groups of the head have had their turn */
	uint64_t *groups; /* gate was hit: to be asked */
	uint64_t *fired;  /* rules that matched, also those that an exception took out */
	struct verdict verdict;
	struct hit *hits;
	size_t hits_cap;
	struct hold *hold; /* NULL: no body has come yet */
};

/* Scans what is new and asks the groups that can be decided in `phase`. True
 * when the verdict is now one that ends the request. */
bool inspection_decide(struct inspection *, enum phase);
/* Denies with this status, and says why in the verdict's error. Returns true. */
bool inspection_fail(struct inspection *, unsigned status, struct bytes why);
struct hold *hold_new(struct inspection *); /* NULL: past the arena's cap */
#endif
