/* lapi_parts.h -- what the files of the local API share. */
#ifndef CTI_LAPI_PARTS_H
#define CTI_LAPI_PARTS_H
#include "cti/lapi.h"
#include "cti/lapi_form.h"
#include "cti/lapi_log.h"

enum { LAPI_TOKEN_MS = 3600 * 1000, LAPI_PULLS_MAX = 64, LAPI_RATE_MAX = 2000 /* decisions of one machine in a minute */ };

struct cursor;
struct rate;
struct lapi {
	struct loop *loop;
	struct lapi_options options;
	struct server_http *server;
	struct lapi_log *log;
	struct deadline tick;
	unsigned pulls;             /* under way */
	struct cursor *cursors;     /* of bouncers, by key and address */
	size_t ncursors;
	uint64_t who;               /* of this process, in cursors */
	struct rate *rates;
	size_t nrates;
	struct lapi_counts counts;
	void (*closed)(void *);
	void *closed_ctx;
};

/* One request. In the arena of the request. */
struct call {
	struct lapi *lapi;
	struct serve_request *request;
	const struct key_info *key;  /* a bouncer's */
	struct bytes machine;        /* its name, by its token */
	struct bytes last;           /* segment of the path that a '*' of the route stands for */
	bool head;                   /* HEAD */
};
typedef void lapi_route(struct call *);

void lapi_answer(struct call *, unsigned status, struct bytes json); /* empty: no body */
void lapi_message(struct call *, unsigned status, const char *message);
void lapi_error(struct call *, const struct lapi_error *);
void lapi_deleted(struct call *, size_t n);
struct bytes lapi_param_of(void *call, struct bytes name); /* lapi_param over a call */

/* lapi_auth.c: a bearer token names a machine and its end; opaque to clients. */
bool lapi_token(const uint8_t key[32], struct bytes machine, uint64_t until_ms, struct text *out);
/* The machine, in the arena; at == NULL: `why` says, in CrowdSec's words. */
struct bytes lapi_token_read(const uint8_t key[32], struct bytes token, uint64_t now_ms, struct arena *, const char **why);

lapi_route lapi_stream, lapi_decisions_get, lapi_decisions_delete, lapi_decision_delete, lapi_alerts_post, lapi_alerts_get,
	lapi_alert_get, lapi_alerts_delete, lapi_alert_delete, lapi_login, lapi_refresh, lapi_register, lapi_leave, lapi_heartbeat,
	lapi_metrics, lapi_health, lapi_nothing, lapi_allowlist, lapi_allowed;
void lapi_stream_free(struct lapi *);
#endif
