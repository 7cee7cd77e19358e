/* cti.h -- who is held to be what: the decisions that this gate knows.
 *
 * A decision says: until then, that remedy, against an address, a block of addresses, an AS, a country, a session or a user.
 * Several may hold for one request: an entry of remedy allow outranks all, else the strictest counts, and of equal ones the
 * longest. Where a decision came from (its origin) is no precedence. Everything here may be called from any thread; asking
 * takes no lock while nothing is held against whom is asked for.
 *
 *   decisions.h ... is this     netset.h  addresses and blocks by the million, for a list's members and the table's front
 *   ledger.h    over a restart  share.h   between gates, through Redis (redis.h)     lists.h  from files and URLs
 *   lapi.h      CrowdSec's local API, served    lapi_client.h  and asked    alerts.h  what was seen    geo.h  country and AS */
#ifndef CTI_CTI_H
#define CTI_CTI_H
#include "base/decision.h"
#include "base/arena.h"

struct decisions;
/* Of `max` records an eighth is for what scenarios decide (origin "embergate"). `node`: of this gate, in ids. NULL: out of
 * memory. */
struct decisions *decisions_new(size_t max);
void decisions_free(struct decisions *); /* NULL is allowed */
void decisions_node(struct decisions *, unsigned node); /* 0 until then; what is made from now on is of that node */
unsigned decisions_number(const struct decisions *);    /* that node */

/* Never held, whatever is decided, nor a range that covers one: loopback is always among them. */
void decisions_spare(struct decisions *, const struct ip_net *, size_t n);

/* Does it cover one of those, or lie in one? */
bool decisions_spares(struct decisions *, const struct ip_net *);

/* What a range, an AS or a country would cover of the clients of the last ten minutes; see guard.h. Asked of all but
 * scenarios of ours and administrators. */
typedef bool decisions_guard(void *ctx, const struct decision *);
void decisions_set_guard(struct decisions *, decisions_guard *, void *ctx);

enum decisions_added {
	DECISION_HELD, DECISION_SPARED, DECISION_FULL,
	DECISION_WRONG,   /* its value is none of its scope, or it would be over already */
	DECISION_GUARDED, /* it would cover too many of the clients */
};
/* Copies it; id, stamp, node and until_ms are set in it as it is held. A second one of the same scope, value, remedy, reason
 * and origin prolongs the first. What is hearsay, or of a scenario, lives 72 hours at most and is cut to that. */
enum decisions_added decisions_add(struct decisions *, struct decision *);
/* Lifts all that is held against that value; returns how many. */
size_t decisions_lift(struct decisions *, enum scope, struct bytes value);
size_t decisions_lift_allowing(struct decisions *, enum scope, struct bytes value); /* of these only those of remedy allow */
bool decisions_lift_id(struct decisions *, uint64_t id);
/* The one of that scope, value, remedy, reason and origin, and no other against that value. */
bool decisions_lift_same(struct decisions *, const struct decision *);
/* How many were made and enforced against that value in the last 72 hours, those that are over too; none that allow it. */
unsigned decisions_past(struct decisions *, enum scope, struct bytes value, uint64_t now_ms);

struct decisions_ask {
	const struct ip *client; /* NULL: not asked */
	struct bytes country, as, session, user; /* empty: not known */
};
/* The strictest that holds, or one of remedy allow; what it points at is copied to the arena. False: nothing is held. */
bool decisions_find(struct decisions *, const struct decisions_ask *, uint64_t now_ms, struct arena *, struct decision *out);
/* Is any of that scope held? For who must find out a country first. */
bool decisions_any(const struct decisions *, enum scope);

/* All of them, until `each` returns false; under locks, so `each` must be quick. */
void decisions_each(struct decisions *, uint64_t now_ms, bool (*each)(void *ctx, const struct decision *), void *ctx);
/* Those that a request of that address or those in that block would meet (a block that covers it too). */
void decisions_about(struct decisions *, const struct ip_net *, uint64_t now_ms, bool (*each)(void *ctx, const struct decision *),
		     void *ctx);
size_t decisions_held(struct decisions *);

/* ---- for people: the newest first, a page at a time ---- */

struct decisions_filter {
	enum scope scope;             /* SCOPE_COUNT: any */
	enum remedy_kind remedy;      /* REMEDY_COUNT: any */
	struct bytes origin;          /* empty: any */
	struct bytes text;            /* somewhere in value, reason or origin, without case; empty: any */
	const struct ip_net *against; /* as decisions_about() takes it; NULL: anyone */
	uint64_t before;              /* made before the one of that id; 0: from the newest */
};
enum { DECISIONS_PAGE_MAX = 500 };
struct decisions_page {
	size_t n, total;              /* entries of it; how many there are in all pages */
	uint64_t next;                /* for `before` of the page behind it; 0: there is none */
	struct decision at[DECISIONS_PAGE_MAX]; /* texts are the arena's */
};
/* At most `limit`. Looks at every record, some under a lock at a time: 50 ms of a core for a million, with `text` 250 ms, so
 * not on a loop's thread. False: out of memory. */
bool decisions_page(struct decisions *, const struct decisions_filter *, uint64_t now_ms, size_t limit, struct arena *,
		    struct decisions_page *);
/* Forgets some of what is over; call it about once a second. The whole table is looked at in DECISIONS_SWEEPS calls, a few
 * thousand records under a lock at a time. */
enum { DECISIONS_SWEEPS = 64 };
void decisions_sweep(struct decisions *, uint64_t now_ms);

struct decisions_stats {
	uint64_t active[SCOPE_COUNT][REMEDY_COUNT]; /* not those that are only told; one that is over until it is swept */
	uint64_t made[REMEDY_COUNT];                /* prolonged ones too */
	uint64_t spared, full, guarded;             /* asked for and not held */
};
void decisions_count(struct decisions *, struct decisions_stats *);

/* ---- for whoever keeps them or passes them on ---- */

enum decision_from {
	DECISION_MADE,     /* here: by a scenario, an administrator, an agent, a list of decisions */
	DECISION_APPLIED,  /* another gate made it */
	DECISION_RESTORED, /* it was kept over a restart */
};
/* What becomes of them, as it happens: under a lock, so both must be quick. */
struct decisions_watch {
	void (*held)(void *ctx, const struct decision *, unsigned times, enum decision_from); /* as it is now */
	void (*lifted)(void *ctx, const struct decision *, enum decision_from);               /* by someone, not by time */
	void *ctx;
};
enum { DECISIONS_WATCHES = 4 };
/* From any thread, but not from within a watch. False: there are that many. Once unwatched, it is told nothing more. */
bool decisions_watch(struct decisions *, const struct decisions_watch *);
void decisions_unwatch(struct decisions *, const void *ctx);

/* One as it was kept; it replaces one of the same scope, value, remedy, reason and origin. */
enum decisions_added decisions_restore(struct decisions *, const struct decision *, unsigned times);
bool decisions_forget(struct decisions *, const struct decision *);
/* What is to be kept, those that are over and count as past too, in parts 0, 1, ...; false: there is no such part. */
bool decisions_part(struct decisions *, size_t part, void (*each)(void *ctx, const struct decision *, unsigned times), void *ctx);

/* Of another gate: state is the map id -> record. Applying is idempotent and may come in any order: of two adds of one id
 * the later stamp counts; what was deleted stays so until `until_ms`, also when the add comes later. */
enum decisions_added decisions_apply(struct decisions *, const struct decision *);
void decisions_apply_lift(struct decisions *, const struct decision *); /* id, scope, value, until_ms, stamp count */
#endif
