/* suggest_ask.h -- inside admin/: suggestions, and what one exception would do, from what the archive has.
 *
 *   events.db, on its store's thread -> clusters -> replay, app by app, on its thread -> done, on the loop
 *
 * An event is asked twice: as it is, and with the exception. Of one of which too little was kept (a body, mostly) what had
 * matched is reckoned with instead. */
#ifndef ADMIN_SUGGEST_ASK_H
#define ADMIN_SUGGEST_ASK_H
#include "admin/guest.h"
#include "admin/suggest.h"

struct edit_app;
struct sqlite3;
struct suggest_ask {
	struct admin *admin;
	struct bytes app;        /* empty: all; asked, as `since_ms` and `only` */
	uint64_t since_ms;
	const struct replay_exception *only; /* in place of clusters: what would this one do? Needs an app */
	bool unjudged;           /* clusters, and nothing is replayed */
	/* Once, on the loop; all is gone when it returns. err NULL: `set` is told, of `only` its single cluster. */
	void (*done)(struct suggest_ask *, const struct err *);
	void *ctx;
	struct suggest_set set;
	bool loaded;
	struct suggest_work *work;
};

/* What is asked may be put in its arena, set.arena. NULL: out of memory. */
struct suggest_ask *suggest_ask_new(struct admin *);
/* Owns it from now on. Few at once: each reads for long, and the thread that reads writes events too. */
void suggest_ask_start(struct suggest_ask *);
void suggest_ask_free(struct suggest_ask *);  /* of one that was not started */

/* The first of its steps: events, clients, clusters. On the archive's store's thread. */
void suggest_load(struct sqlite3 *, void *ask);

/* Is an exception in force that holds for all that its own would? */
bool suggest_is_accepted(const struct suggest_cluster *, const struct edit_app *, size_t n);

/* In how many of the set's alerts a rule was, and in how many of these it was mistaken: one of its matches there is of a
 * cluster that was accepted, or that looks like a false positive and nobody said to keep. NULL: out of memory. */
enum { SUGGEST_RULE_MIN = 10 }; /* alerts; of fewer, a share says nothing */
struct suggest_rule { struct bytes id; uint32_t alerts, mistaken; };
const struct suggest_rule *suggest_rules(const struct suggest_set *, const struct edit_app *, size_t napps, size_t *n);

/* Keeps the verdict on a cluster: `keep`, it is to stay as it is. done(ctx) on the loop; false: not taken. */
bool suggest_verdict(struct admin *, struct bytes id, bool keep, void (*done)(void *ctx), void *ctx);
#endif
