/* lapi_answer.h -- what a local API answers to GET /v1/decisions/stream, read.
 *
 * {"new": [...], "deleted": [...]} in any order, null for an empty list, other members ignored. Nothing is built of the
 * whole, which may have any number of decisions: it is walked, and one decision at a time is read strictly as JSON. */
#ifndef CTI_LAPI_ANSWER_H
#define CTI_LAPI_ANSWER_H
#include "base/decision.h"
#include "base/err.h"

enum {
	LAPI_ANSWER_MAX = 128 << 20, /* bytes of an answer */
	LAPI_ITEM_MAX = 4096,        /* bytes of a decision in it */
	LAPI_TEXT_MAX = 255,         /* of each of its texts; a reason or origin that is longer is cut */
};

struct lapi_item {
	enum scope scope;   /* Ip, Range, AS or Country */
	struct bytes value; /* as told, but for the AS' letters and the country's case */
	struct bytes type;  /* "ban", "captcha", ... */
	struct bytes scenario, origin;
	uint64_t left_ms;   /* 0: it is over */
};

enum lapi_part { LAPI_NEW, LAPI_DELETED };

/* The places of both lists; what is between is not looked at yet. */
struct lapi_answer { struct bytes part[2]; };
/* False: err (SIDE_UPSTREAM): it is no such answer, or is cut short. */
bool lapi_answer_read(struct bytes, struct lapi_answer *, struct err *);
/* Each that can be held here, until `each` returns false; its slices live while it runs. Returns how many were left out: of
 * another scope, simulated, or wrong. */
size_t lapi_answer_each(const struct lapi_answer *, enum lapi_part, bool (*each)(void *ctx, const struct lapi_item *), void *ctx);
#endif
