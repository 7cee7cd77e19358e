/* judge.h -- what rules say of a request that is no exchange: of another proxy (appsec.c), of the past or made up (replay.c).
 *
 *   a head -> judge_read -> judge_exclusions -> judge_inspect with a whole body -> verdict
 *
 * No socket, no loop; the same reading, exceptions and inspection as on the data path. */
#ifndef PROXY_JUDGE_H
#define PROXY_JUDGE_H
#include "proxy/site.h"

enum { JUDGE_HEAD_MAX = 64 << 10 };

/* A line of a head. */
void judge_put_field(struct text *, struct bytes name, struct bytes value);
/* 0: it is well formed; else what it would be refused with, and *out has what can be read of it all the same. */
unsigned judge_read(struct arena *, struct bytes head, struct request *out, struct err *);
/* Those of n exceptions that hold for it are written to `out`, for inspect_options; returns how many. */
size_t judge_exclusions(const struct app_exception *, size_t n, const struct request *, const struct exclusion **out);

struct judge {
	const struct ruleset *rules;
	struct rules_scratch *scratch;
	const struct inspect_options *inspect;
};
/* The status that it would be denied with, 0: it would not; malformed: what judge_read() said. *verdict is NULL when memory
 * was short. */
unsigned judge_inspect(struct arena *, const struct judge *, const struct request *, struct bytes body, unsigned malformed,
		       const struct verdict **verdict);
#endif
