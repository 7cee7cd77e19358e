/* lapi.h -- CrowdSec's local API, served: its agents, bouncers and cscli work with the gate as they are.
 *
 * The endpoints and their answers: docs/lapi.md. A bouncer's position is kept per key and address, in Redis where there is
 * one, so that any gate may answer the next pull. Control thread. */
#ifndef CTI_LAPI_H
#define CTI_LAPI_H
#include "base/serve.h"
#include "cti/alerts.h"
#include "cti/cti.h"
#include "cti/keys.h"
#include "cti/share.h"

struct lapi;
struct lapi_options {
	struct serve_options serve;  /* fds, tls; the rest is set by lapi_open() */
	struct decisions *decisions;
	struct alerts *alerts;
	struct keys *keys;
	struct share *share;         /* NULL: one gate */
	uint8_t key[32];             /* derived, for "lapi": of the tokens machines are given */
	bool registration;           /* POST /v1/watchers; off by default */
	/* What an alert that a machine told is worth; false: nothing. The first of `out` to be set is scope, value, remedy,
	 * level, until_ms, reason. Ip, and ranges no wider than /24 and /48. */
	bool (*profile)(void *ctx, const struct alert *, struct arena *, struct decision *out);
	/* The AppSec protocol (proxy/appsec.c); NULL: not served. Takes the request over. */
	void (*appsec)(void *ctx, struct serve_request *, const struct key_info *);
	void *ctx;
};
struct lapi *lapi_open(struct loop *, const struct lapi_options *, struct err *);
void lapi_close(struct lapi *, void (*closed)(void *), void *ctx);

struct lapi_counts { uint64_t requests, refused, alerts, streams, metrics; };
void lapi_count(const struct lapi *, struct lapi_counts *);
#endif
