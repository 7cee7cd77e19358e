/* appsec.h -- CrowdSec's AppSec protocol, served: another proxy's bouncer asks what our rules think of a request.
 *
 * The bouncer sends the client's fields and body, and in X-Crowdsec-Appsec-* the address, method, target and host. They are
 * put together to a request as the client must have sent it, which is then read and inspected as if it had come here. No
 * socket, no loop: the answer is there when appsec_judge() returns. What it may take is bounded by the body that
 * the server lets in and the app's window. */
#ifndef PROXY_APPSEC_H
#define PROXY_APPSEC_H
#include "base/serve.h"
#include "cti/keys.h"
#include "rules/rules.h"

/* By which rules; `exclusions` may be in the arena that appsec_choose is given. */
struct appsec_app {
	const struct ruleset *rules; /* NULL: none, everything is allowed */
	struct inspect_options inspect;
	bool enforced;               /* false: what would be denied is only told */
};
struct appsec_asked {
	const struct request *head;  /* the bouncer's */
	struct bytes body;           /* decoded */
	struct ip peer;
	const struct key_info *key;  /* NULL: it has none that we know */
};
struct appsec_told {
	unsigned status;             /* of our answer: 200, 401, 403, 500 */
	struct bytes answer;         /* JSON */
	const char *why;             /* of 401, 500; else NULL */
	struct request request;      /* what was inspected; line.at == NULL: nothing was */
	const struct verdict *verdict; /* NULL: nothing was inspected */
	bool denied;                 /* or would be, where it is not enforced */
};

struct appsec;
struct appsec_options {
	/* The app that serves request->hostname; false: none does, and it is allowed. */
	bool (*choose)(void *ctx, const struct request *, struct arena *, struct appsec_app *out);
	/* For events and metrics; may be NULL. Everything it is given lives while it runs. */
	void (*told)(void *ctx, const struct appsec_told *);
	void *ctx;
};
struct appsec *appsec_new(const struct appsec_options *); /* NULL: out of memory; one thread */
void appsec_free(struct appsec *); /* NULL is allowed */

/* What is told lives in the arena, which should have APPSEC_ARENA bytes and the body's. */
enum { APPSEC_ARENA = 32 << 20 };
void appsec_judge(struct appsec *, struct arena *, const struct appsec_asked *, struct appsec_told *);
/* For lapi_options.appsec, with a struct appsec as context. Answers before it returns. */
void appsec_take(void *appsec, struct serve_request *, const struct key_info *);
#endif
