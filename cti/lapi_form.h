/* lapi_form.h -- CrowdSec's forms: decisions and alerts in JSON, lengths of time, what a query asks for.
 *
 * What is written has whole seconds and the order of keys of CrowdSec 1.7, which is that of the alphabet; 1.4.6 reads it
 * too. What is read is bounded, and an error has CrowdSec's own words where it has some. */
#ifndef CTI_LAPI_FORM_H
#define CTI_LAPI_FORM_H
#include "cti/alerts.h"

enum {
	LAPI_BODY_MAX = 8 << 20, /* bytes of a request, inflated */
	LAPI_DEPTH_MAX = 16,
	LAPI_ALERTS_MAX = 500,   /* in one request */
	LAPI_WORD_MAX = 255,     /* bytes of a scenario, a value, a machine */
};

const char *lapi_type(enum remedy_kind); /* "ban", ...; NULL: not for bouncers (allow, log) */
/* False: none that CrowdSec or we have, and none that a machine may ask for. */
bool lapi_remedy(struct bytes type, enum remedy_kind *);
void lapi_duration(struct text *, int64_t ms); /* "3h59m30s", "-8s": rounded away from nought */
/* {"duration":...}; `over_ms` of one that is over: when it ended; 0: it holds. */
void lapi_decision(struct text *, const struct decision *, uint64_t now_ms, uint64_t over_ms);

struct lapi_error {
	unsigned status;
	char text[1024]; /* for "message" */
};
/* An array of alerts. Each has its decisions where it names them (until_ms counted from now), and NULL where the profiles
 * are to decide; `other` is for types that are unknown. Slices live in the arena. NULL: why. */
struct alert *lapi_alerts_read(struct arena *, struct bytes json, uint64_t now_ms, enum remedy_kind other, size_t *n,
			       struct lapi_error *why);
/* One alert, in the arena. at == NULL: past its cap. */
struct bytes lapi_alert(struct arena *, const struct alert *, uint64_t now_ms);

/* Which decisions; slices are whose that gave them. */
struct lapi_filter {
	uint32_t scopes;     /* bits by enum scope; 0: any */
	bool has_net, contains; /* address or block; contains: also the blocks around it, else those within */
	struct ip_net net;
	struct bytes value;
	struct bytes type;
	struct bytes origins, with, without; /* lists between commas: of origins, of parts of a scenario's name */
};
typedef struct bytes lapi_param(void *ctx, struct bytes name); /* at == NULL: it is not there */
/* Of GET and DELETE /v1/decisions and, `stream`, of its stream, whose scopes are Ip and Range when it names none. */
bool lapi_filter_read(struct lapi_filter *, lapi_param *, void *ctx, bool stream, struct lapi_error *why);
bool lapi_filter_takes(const struct lapi_filter *, const struct decision *);
#endif
