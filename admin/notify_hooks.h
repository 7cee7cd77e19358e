/* notify_hooks.h -- who is told what happens: webhooks and a syslog receiver, how that goes, and a test of it; the gate fills
 * these (proxy/hooks_notify.c). Control thread. */
#ifndef ADMIN_NOTIFY_HOOKS_H
#define ADMIN_NOTIFY_HOOKS_H
#include "admin/edit_hooks.h"

struct notify_outlet {
	uint64_t id;              /* the same as long as it is told the same way */
	bool is_webhook;          /* else syslog */
	struct bytes host, url;   /* url: whole, perhaps a secret; of syslog both are as configured */
	struct edit_words events; /* of which it is told */
	uint32_t min;             /* attacks in one `every`; 0: of syslog */
	uint64_t every_ms;
	bool full, is_signed;
	struct edit_place where;
	/* how it goes, since the start; times are unix, 0: never */
	uint64_t taken, failures; /* messages; tries that failed. Of syslog not counted */
	uint64_t taken_ms, failed_ms, next_ms; /* next_ms: of the next try of what failed */
	const char *why;          /* it failed; NULL: the log says */
	bool down;                /* its last try failed */
	uint64_t waiting;         /* happenings that are to be told; of syslog bytes */
	uint64_t dropped;         /* lines of syslog, for good */
};

/* What became of a test: taken, or why not. */
struct notify_tested {
	unsigned status;          /* 200; of HTTP for why it was not tried */
	bool taken;
	const char *text;
};
typedef void notify_told(void *arg, const struct notify_tested *);

/* ctx: of the admin_hooks. */
struct notify_hooks {
	/* NULL: out of memory. */
	const struct notify_outlet *(*outlets)(void *ctx, struct arena *, size_t *n);
	/* Tells it of a test at once; told() once, perhaps from inside. */
	void (*test)(void *ctx, uint64_t id, struct bytes by, notify_told *, void *arg);
};
#endif
