/* lapi_told.h -- what another local API has told, and how it is held here.
 *
 * To it a decision is a scope, a value and a type; here several of them may become one (two addresses of a /64, two types
 * that the cap makes equal), which is held as long as the longest of them and lifted with the last. One thread at a time. */
#ifndef CTI_LAPI_TOLD_H
#define CTI_LAPI_TOLD_H
#include "cti/cti.h"
#include "cti/lapi_answer.h"
#include <stdatomic.h>

#define LAPI_ORIGIN "crowdsec:" /* before the origin that was told: of all that is held by this, and by nothing else */
enum { LAPI_TOLD_MAX = 1000000 };

struct lapi_told;
/* NULL: out of memory. `most`: of remedies. */
struct lapi_told *lapi_told_new(struct decisions *, enum remedy_kind most, bool hearsay);
void lapi_told_free(struct lapi_told *); /* what is held stays so; NULL is allowed */

struct lapi_applied { size_t held, lifted, refused, left_out; };
/* `whole`: it is everything, so what it does not name is lifted, also what a process before was told. Stops half way when
 * `stop` becomes true. */
void lapi_told_apply(struct lapi_told *, const struct lapi_answer *, bool whole, uint64_t now_ms, const atomic_bool *stop,
		     struct lapi_applied *);
size_t lapi_told_count(const struct lapi_told *);
#endif
