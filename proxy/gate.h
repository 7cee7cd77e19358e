/* gate.h -- the serving child, as its control thread sees it: gate.c starts and
 * ends it, reload.c changes its configuration, hooks.c answers for it. All of it
 * runs on the control thread. */
#ifndef PROXY_GATE_H
#define PROXY_GATE_H
#include "admin/edit_hooks.h"
#include "admin/archive.h"
#include "admin/rules_hooks.h"
#include "cti/ledger.h"
#include "proxy/agent.h"
#include "proxy/handover.h"
#include "proxy/health.h"
#include "proxy/options.h"
#include "proxy/overrides_file.h"
#include "proxy/replay.h"
#include "proxy/reputation.h"
#include "proxy/webhook.h"
#include "proxy/worker.h"

struct gate {
	struct options options;
	char demo_url[40];
	int supervisor;
	struct loop *loop;
	struct process process;
	struct shared shared;
	struct worker *workers[SOCKETS_MAX];
	unsigned nworkers;
	struct site *site;
	struct health *health;
	struct agent *agent;        /* reads logs of other servers; NULL: there are none to read */
	struct agent_counts log_counts;
	struct series *series;      /* figures over time; NULL: no memory for them */
	struct archive *archive;    /* alerts on disk; NULL: they are not kept */
	struct ledger *ledger;      /* keeps decisions over a restart; NULL: it cannot */
	struct reputation reputation;
	struct webhook_watch *webhook_watch;
	struct admin *admin;
	struct replay *replay;      /* judges requests of the past */
	struct tls_context *admin_tls; /* NULL: its address is plain */
	char admin_url[160];           /* by which a browser reaches it; empty: not at all */
	struct reload *reload;      /* under way */
	bool reload_again;          /* asked for once more meanwhile */
	struct overrides_pending pending; /* a change that waits to be confirmed ... */
	struct deadline lapse;      /* ... until then */
	char undoing[64];           /* whose it was, while it is undone */
	uint64_t started_ms, reloaded_ms;
	char reload_error[256];
	struct deadline alive, drain;
	struct observer *observer;  /* of counters that end by the clock */
	struct bots_memo *log_bots;    /* of them too */
	struct observer *log_observer; /* of events of logs; the agent's thread */
	atomic_uint undrained;
	bool stopping, ending; /* draining; after it, while the admin closes */
};

/* Reads the configuration anew and swaps it in, or keeps the old one. `told`
 * (may be NULL) is told the outcome, which may be later. */
typedef void reload_told(void *arg, bool ok, const char *text);
void reload_start(struct gate *, reload_told *told, void *arg);
/* The same with a change of it (change.h); none may be under way. False: out of memory. */
struct change;
bool reload_change(struct gate *, struct change *);
/* At the end of the process: false: one is still being built, and uses what exit() takes down. */
bool reload_end(struct gate *, unsigned within_ms);
/* Opens listeners for what `new` has and `old` (NULL: none) had not, and has the
 * workers switch. On failure nothing has changed. */
bool reload_serve(struct gate *, const struct site *old, struct site *new, struct err *);

/* Starts the agent that the site's `logs` ask for; one that runs must be stopped first. */
void gate_watch_logs(struct gate *);

/* What the admin folder may ask of the gate. */
struct admin_hooks hooks_of(struct gate *);
extern const struct client_hooks hooks_client; /* hooks_client.c: of an address */
void hooks_metrics(void *gate, struct text *); /* hooks_metrics.c */
size_t hooks_certs(struct arena *, const struct gate *, struct admin_cert *out); /* counts them, and fills `out` where there is one */
/* The log-in routes of an app that were learned. */
const struct admin_login *hooks_logins(struct arena *, const struct app *, size_t *n);
extern const struct edit_hooks hooks_edit; /* hooks_edit.c: of the configuration */
extern const struct notify_hooks hooks_notify; /* hooks_notify.c: who is told what happens */
extern const struct rules_hooks hooks_rules; /* hooks_rules.c: of rules and scenarios */
const char *mode_word(enum waf_mode);
#endif
