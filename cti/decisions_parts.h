/* decisions_parts.h -- inside decisions*.c.
 *
 *   decisions.c        the table, and what is held in it
 *   decisions_find.c   what holds for a request
 *   decisions_lift.c   what is lifted, forgotten
 *   decisions_list.c   all of them, those against an address, a page of them
 *   decisions_watch.c  for whoever keeps them or passes them on
 *   decisions_front.c  is there anything against someone, without a lock */
#ifndef CTI_DECISIONS_PARTS_H
#define CTI_DECISIONS_PARTS_H
#include "base/clock.h"
#include "base/hlc.h"
#include "cti/cti.h"
#include "cti/decisions_front.h"
#include <pthread.h>
#include <stdatomic.h>

enum {
	SHARDS = 64, HEADS = 16384, /* ten in a chain where there are ten million */
	SPARED_MAX = 256, TEXT_MAX = 256,
	SWEEP_HEADS = 256, /* at once under a lock */
	OWN_SHARE = 8,     /* of the table, for what scenarios decide: who has an IPv6 network has any number of /64 */
	PIECES = SHARDS * HEADS / SWEEP_HEADS,
	GRAVE_SETS = 16384, GRAVE_WAYS = 4, SEQUENCE_BITS = 11, NODE_BITS = 10,
};

struct record {
	struct record *next;
	uint64_t hash;
	struct decision d;
	struct ip_net net; /* of an address or a range */
	unsigned times;    /* it was made so often */
	bool active;       /* it is counted so */
	char text[];
};

struct shard {
	pthread_rwlock_t lock;
	struct record *heads[HEADS];
};

/* A decision that was lifted, so that one that comes late from another gate is not held again. */
struct grave { uint64_t id, until_ms; };

struct decisions {
	struct shard shards[SHARDS];
	struct front *front;
	struct hlc clock;
	atomic_uint node;
	decisions_guard *guard;
	void *guard_ctx;
	pthread_mutex_t graves_lock;
	struct grave graves[GRAVE_SETS][GRAVE_WAYS];
	atomic_size_t records, own;
	atomic_ullong ids;
	unsigned first; /* of a millisecond's ids: another in a process that drains beside this one */
	atomic_uint hand; /* of the sweep: the next heads, over all shards */
	size_t max;
	pthread_rwlock_t spared_lock;
	struct ip_net spared[SPARED_MAX];
	size_t nspared;
	struct decisions_watch watches[DECISIONS_WATCHES];
	size_t nwatches;
	atomic_ullong made[REMEDY_COUNT], nspares, fulls, guardeds;
	atomic_ullong active[SCOPE_COUNT][REMEDY_COUNT];
};

/* Where a decision belongs, and what it is about. */
struct place {
	char room[TEXT_MAX];
	struct bytes value;
	struct ip_net net;
	uint64_t hash;
	struct shard *shard;
	struct record **list;
};

/* The value as it is kept, and the addresses of one that has some. False: it is none of its scope. */
bool decisions_normal(const struct decision *d, char room[TEXT_MAX], struct bytes *value, struct ip_net *net);
struct bytes decisions_range_text(const struct ip_net *net, struct text *t);
struct bytes decisions_block_of(const struct ip *, unsigned bits, struct text *t); /* the block of that many bits around it */
uint64_t decisions_key(enum scope scope, struct bytes value);
struct record **decisions_list(struct decisions *d, uint64_t hash, struct shard **shard);
bool decisions_place(struct decisions *d, const struct decision *about, struct place *p); /* all of these at once */
bool record_is_about(const struct record *r, enum scope scope, uint64_t hash, struct bytes value);
bool record_is_same(const struct record *r, const struct decision *d, uint64_t hash, struct bytes value);
bool decision_is_own(const struct decision *d);

/* Under the lock of its shard: */
void record_activate(struct decisions *d, struct record *r, bool active);
void record_drop(struct decisions *d, struct record **at);
void record_note_lifted(struct decisions *d, struct record *r); /* by someone here: others are told, and it stays so */
void decisions_tell_lifted(struct decisions *d, const struct record *r, enum decision_from from);
/* One that comes late from another gate is not held again. */
void decisions_bury(struct decisions *d, uint64_t id, uint64_t until_ms);
#endif
