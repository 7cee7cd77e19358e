/* share.h -- one set for all gates of an installation, through Redis.
 *
 * What a gate decides it appends to a stream, signed with a key that never leaves the gates; every gate reads the stream
 * from its own position. State is a map of ids, so replaying in any order converges: what was decided while apart is merged
 * when gates meet again. A snapshot is for joining. No request ever waits for any of this: while Redis is away a gate serves
 * from its own set, and keeps what it decides in a bounded outbox.
 *
 * Keys, with the configured prefix P: {P}:log the stream of operations, {P}:told that of messages, {P}:snap which snapshot
 * there is, {P}:snap:TERM.SERIAL its parts, {P}:lead who writes it, {P}:term how often that changed, {P}:era
 * who found this Redis empty, {P}:nodes the gates that live, {P}:number:N whose a number in ids is, {P}:kv:NAME small values,
 * {P}:answer:ID:GATE what a gate answered (share_ask.h).
 *
 * What bears no valid MAC is ignored and counted; an operation whose stamp is more than 5 minutes ahead is too. Shared is what
 * gates of this installation decide: not hearsay, nor what has an origin that each gate pulls for itself (share_is_ours()). */
#ifndef CTI_SHARE_H
#define CTI_SHARE_H
#include "cti/cti.h"
#include "cti/redis.h"

struct share;

/* What gates tell each other beside decisions: short-lived, lost while apart. */
enum share_kind {
	SHARE_BUCKET, /* an event of a scenario that counts cluster-wide */
	SHARE_PASS,   /* how far a challenge's pass has been used, or that it is revoked */
	SHARE_LIMIT,  /* a delta of a limit */
	SHARE_ASK, SHARE_ANSWERED, /* share_ask.h: not told to `told` */
	SHARE_KINDS
};
enum { SHARE_MESSAGE_MAX = 1024 };

struct share_options {
	struct redis_config redis;
	const char *prefix;      /* "embergate" */
	uint8_t key[32];         /* derived from the secret, for "redis" */
	const char *name;        /* of this gate, for people */
	const char *state;       /* directory that keeps its id and number over a restart; NULL: new ones each time */
	const char *version;
	uint64_t config_hash;
	struct decisions *decisions; /* watched while it is open; its node is set */
	void (*told)(void *ctx, enum share_kind, struct bytes); /* by another gate; control thread */
	void *ctx;
};
/* On the control thread's loop; before other threads use the decisions. `redis` may be away: NULL is an error of the
 * configuration only. */
struct share *share_open(struct loop *, const struct share_options *, struct err *);
void share_close(struct share *, void (*closed)(void *), void *ctx);

/* From any thread; goes out with what else is told within 10 ms. False: not told (away, or too much at once). */
bool share_tell(struct share *, enum share_kind, struct bytes);

/* Small values that all gates know, as LAPI cursors: control thread. `got` is told an empty value when there is none, and
 * false when Redis is away. */
bool share_put(struct share *, struct bytes name, struct bytes value, uint32_t life_s);
bool share_get(struct share *, struct bytes name, void (*got)(void *owner, bool known, struct bytes value), void *owner);

struct share_node {
	char name[64], version[32], id[32];
	unsigned node;           /* in ids */
	uint64_t config_hash;
	uint64_t seen_ms;        /* wall clock, of its last heartbeat */
	int64_t lag_ms;          /* how far behind the stream it said it is */
	int64_t skew_ms;         /* of its clock, as far as can be told */
	bool up;                 /* heard of in the last 15 s; else in the last hour */
	bool self;
};
size_t share_nodes(const struct share *, struct share_node *, size_t max); /* as of the last look; control thread */
size_t share_nodes_up(const struct share *);
void share_config_hash(struct share *, uint64_t); /* after a reload */

struct share_counts {
	bool up;
	uint64_t sent, applied, told; /* records out, in; messages in */
	uint64_t forged, ahead, broken; /* records that were ignored: no valid MAC, a clock ahead, no record */
	uint64_t queued, dropped;       /* outbox: now; what did not fit, and is sent with the whole set later */
	uint64_t untold;                /* messages that were lost: away, or too many at once */
	uint64_t late;                  /* answers of other gates that came when nobody waited any more */
	uint64_t unanswered;            /* questions of theirs: too many at once, or the answer was too long */
	uint64_t resyncs;               /* the whole set was read anew */
	uint64_t snapshots;             /* written by this gate */
	bool following, leading;        /* it has all that Redis has; it writes the snapshots */
};
void share_count(const struct share *, struct share_counts *); /* any thread */
void share_redis(const struct share *, struct redis_counts *);  /* of its connection; control thread */
bool share_is_ours(const struct decision *);
#endif
