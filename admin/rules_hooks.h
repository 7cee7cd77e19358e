/* rules_hooks.h -- what the admin asks of the gate's rules and scenarios, and has judged by them; the gate fills these
 * (proxy/hooks_rules.c). Control thread. */
#ifndef ADMIN_RULES_HOOKS_H
#define ADMIN_RULES_HOOKS_H
#include "admin/admin.h"
#include "admin/replay.h"

/* A rule, of all apps that have one of its id. */
struct admin_rule {
	const struct rule_info *info; /* as the first of them has it */
	uint64_t hits, blocked;       /* since the start; blocked: of requests that were stopped */
	const struct bytes *apps;
	size_t napps;
};

/* ctx: of the admin_hooks. */
struct rules_hooks {
	/* By id. NULL: out of memory. */
	const struct admin_rule *(*rules)(void *ctx, struct arena *, size_t *n);
	/* Of scenario i of the set in force: "on", "simulate", "off" (for every app). */
	const char *(*scenario_mode)(void *ctx, size_t i);
	/* False: too many wait, and done() is not called. */
	bool (*replay)(void *ctx, struct replay_job *);
};
#endif
