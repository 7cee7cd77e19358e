/* inspect.h -- one request under inspection; for inspect.c and inspect_body.c. */
#ifndef RULES_INSPECT_H
#define RULES_INSPECT_H
#include "base/costs.h"
#include "rules/fields.h"
#include "rules/ruleset.h"

struct hold; /* the body, as far as it has come: inspect_body.c */
struct answer_hold; /* of the answer: inspect_answer.c */
struct run;

struct inspection {
	struct arena *arena;
	const struct ruleset *rules;
	struct rules_scratch *scratch;
	const struct request *request;
	const struct response *response; /* NULL: there is none yet */
	struct inspect_options options;
	struct values values;
	enum phase phase;
	bool head_asked;  /* groups of the head have had their turn */
	uint64_t *groups; /* gate was hit: to be asked */
	uint64_t *fired;  /* AppSec rules that matched */
	struct verdict verdict;
	struct hit *hits;
	size_t hits_cap;
	struct hold *hold; /* NULL: no body has come yet */
	bool body_may_go_on; /* what has come of it is decided on, and more may follow */
	struct answer_hold *answer;
	struct run *run;   /* SecLang's rules; NULL: there are none */
};

/* Round whatever takes time; may nest. */
static inline void inspection_time(struct inspection *in, bool begins)
{
	if (in->values.sample)
		(begins ? cost_sample_begin : cost_sample_end)(in->values.sample);
}

/* Scans what is new and asks the groups that can be decided in `phase`. True
 * when the verdict is now one that ends the request. */
bool inspection_decide(struct inspection *, enum phase);
/* Denies with this status, and says why in the verdict's error. Returns true. */
bool inspection_fail(struct inspection *, unsigned status, struct bytes why);
/* A copy that lives as long as the inspection: slices of a body may not. */
struct bytes inspection_keep(struct inspection *, struct bytes);
/* Does what a matching rule says; detect: nothing stricter than LOG. */
void inspection_act(struct inspection *, const struct actions *, bool detect);
/* What the body was taken apart by; NULL: nothing (yet). */
struct reading *inspection_reading(const struct inspection *);
uint64_t inspection_body_length(const struct inspection *); /* bytes that have come */
struct hold *hold_new(struct inspection *); /* NULL: past the arena's cap */
#endif
