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
	uint64_t samples, ns, asked;  /* inspections that were timed; what the rule took in them; those in which it was asked */
};

/* What all inspections that were timed took, of rules and of what rules share. */
struct admin_costs {
	uint64_t samples, shared_ns, rules_ns;
};

/* ctx: of the admin_hooks. */
struct rules_hooks {
	/* By id. NULL: out of memory. */
	const struct admin_rule *(*rules)(void *ctx, struct arena *, size_t *n);
	/* Of the app, and of others with the same rules; app.at == NULL: of all. */
	struct admin_costs (*costs)(void *ctx, struct bytes app);
	/* Of scenario i of the set in force: "on", "simulate", "off" (for every app). */
	const char *(*scenario_mode)(void *ctx, size_t i);
	/* False: too many wait, and done() is not called. */
	bool (*replay)(void *ctx, struct replay_job *);
};
#endif
