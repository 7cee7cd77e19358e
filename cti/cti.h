/* cti.h -- who is held to be what: the decisions of this node.
 *
 * A decision says: until then, that remedy, against an address, a block of addresses, an AS, a country, a session or a user.
 * Several may hold for one request: the strictest counts, and of equal ones the longest. Everything here may be called from
 * any thread. While nothing is held, asking is one atomic load. */
#ifndef CTI_CTI_H
#define CTI_CTI_H
#include "base/decision.h"
#include "base/arena.h"

struct decisions;
/* Of `max` records an eighth is for what scenarios decide (origin "embergate"). NULL: out of memory. */
struct decisions *decisions_new(size_t max);
void decisions_free(struct decisions *); /* NULL is allowed */

/* Never held, whatever is decided, nor a range that covers one: loopback is always among them. */
void decisions_spare(struct decisions *, const struct ip_net *, size_t n);

enum decisions_added { DECISION_HELD, DECISION_SPARED, DECISION_FULL, DECISION_WRONG /* its value is none of its scope */ };
/* Copies it, gives it an id. A second one of the same scope, value, remedy and reason prolongs the first. */
enum decisions_added decisions_add(struct decisions *, const struct decision *);
/* Lifts all that is held against that value; returns how many. */
size_t decisions_lift(struct decisions *, enum scope, struct bytes value);
bool decisions_lift_id(struct decisions *, uint64_t id);
/* How many were made and enforced against that value in the last 72 hours, those that are over too. */
unsigned decisions_past(struct decisions *, enum scope, struct bytes value, uint64_t now_ms);

struct decisions_ask {
	const struct ip *client; /* NULL: not asked */
	struct bytes country, as, session, user; /* empty: not known */
};
/* The strictest that holds; what it points at is copied to the arena. False: nothing is held. */
bool decisions_find(struct decisions *, const struct decisions_ask *, uint64_t now_ms, struct arena *, struct decision *out);

/* All of them, until `each` returns false; under locks, so `each` must be quick. */
void decisions_each(struct decisions *, uint64_t now_ms, bool (*each)(void *ctx, const struct decision *), void *ctx);
size_t decisions_held(struct decisions *);
/* Forgets some of what is over; call it about once a second. The whole table is looked at in DECISIONS_SWEEPS calls, a few
 * thousand records under a lock at a time. */
enum { DECISIONS_SWEEPS = 64 };
void decisions_sweep(struct decisions *, uint64_t now_ms);

struct decisions_stats {
	uint64_t active[SCOPE_COUNT][REMEDY_COUNT]; /* not those that are only told; one that is over until it is swept */
	uint64_t made[REMEDY_COUNT];                /* prolonged ones too */
	uint64_t spared, full;                      /* asked for and not held */
};
void decisions_count(struct decisions *, struct decisions_stats *);

/* ---- for whoever keeps them (ledger.h; in its place may come another store) ---- */

/* What becomes of them, as it happens: under a lock, so both must be quick. */
struct decisions_watch {
	void (*held)(void *ctx, const struct decision *, unsigned times); /* made or prolonged: as it is now */
	void (*lifted)(void *ctx, const struct decision *);               /* by someone, not by time */
	void *ctx;
};
/* NULL: nobody. While no other thread uses them. Ids go on from the next thousand: the process before, which still drains,
 * gives those in between. */
void decisions_watch(struct decisions *, const struct decisions_watch *);
/* One as it was kept; it replaces one of the same scope, value, remedy and reason. The watch is not told, of these two. */
enum decisions_added decisions_restore(struct decisions *, const struct decision *, unsigned times);
bool decisions_forget(struct decisions *, const struct decision *);
/* What is to be kept, those that are over and count as past too, in parts 0, 1, ...; false: there is no such part. */
bool decisions_part(struct decisions *, size_t part, void (*each)(void *ctx, const struct decision *, unsigned times), void *ctx);
#endif
