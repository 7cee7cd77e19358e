/* redis.h -- commands to a Redis, and their replies, on our own loop and our own TLS.
 *
 * RESP2; hiredis formats and parses, nothing of it touches a socket. Commands are pipelined and answered in their order;
 * whoever asked is told exactly once, and never another's reply: a connection on which anything is late, extra or garbled is
 * closed, and all that waited on it fails. It is opened again with a back-off of 0.1 to 5 s with jitter, for ever. A
 * breaker fails commands at once while there is none. Nothing here blocks.
 *
 * Plain, password, user and TLS; a Sentinel's master, followed when it changes; a Cluster in which all our
 * keys share one slot (MOVED is followed, ASK is not). A server that says it is a replica is left and asked for anew. */
#ifndef CTI_REDIS_H
#define CTI_REDIS_H
#include "base/err.h"
#include "base/loop.h"

struct redis;
struct redis_config {
	const struct bytes *urls; /* redis://[user[:password]@]host[:port][/db], rediss:// with TLS */
	size_t nurls;             /* one; or the sentinels; or some nodes of a cluster */
	struct bytes sentinel;    /* the master's name; empty: no sentinels */
	bool cluster;
	struct bytes user, password; /* beside those of the urls */
	const char *ca;           /* bundle; NULL: the system's */
	bool verify;              /* certificates; default on */
	uint32_t connect_ms, reply_ms; /* 0: 2 s, 1 s; a blocking command is given its own time beside */
};
/* Checks a configuration without connecting; err (SIDE_CONFIG) names what is wrong. */
bool redis_check(const struct redis_config *, struct err *);

enum redis_kind { REDIS_NIL, REDIS_STATUS, REDIS_ERROR, REDIS_INTEGER, REDIS_TEXT, REDIS_ARRAY };
struct redis_reply {
	enum redis_kind kind;
	int64_t integer;
	struct bytes text;              /* of TEXT, STATUS, ERROR */
	const struct redis_reply *items; /* of ARRAY */
	size_t n;
};
enum { REDIS_ARGS_MAX = 64, REDIS_REPLY_MAX = 256 << 20 /* bytes */ };

struct redis_events {
	void (*up)(void *owner, bool is); /* each time it changes; from the loop */
	void *owner;
};
/* Starts connecting. NULL: err. */
struct redis *redis_open(struct loop *, const struct redis_config *, const struct redis_events *, struct err *);
/* All that waits fails from within this call; closed(ctx) once nothing of it is left on the loop. */
void redis_close(struct redis *, void (*closed)(void *), void *ctx);
bool redis_is_up(const struct redis *);

/* `reply` NULL: it failed (away, timed out, broken). An error of the server's is a reply. Borrowed until it returns; it may
 * send more, and may close. Not called from within redis_send(). */
typedef void redis_told(void *owner, const struct redis_reply *reply);
/* Copies the arguments. In a cluster the slot is that of the first key: `key` is its index among them, 0: none. False: it
 * could not be queued (away, too much queued), and `told` is not called. */
bool redis_send(struct redis *, const struct bytes *args, unsigned n, unsigned key, redis_told *, void *owner);
/* A command that waits at the server for up to block_ms; it gets a connection of its own, one at a time. */
bool redis_block(struct redis *, const struct bytes *args, unsigned n, unsigned key, uint32_t block_ms, redis_told *, void *owner);

struct redis_counts {
	uint64_t sent, replied, failed, errors, reconnects;
	uint64_t last_us;         /* of the last round trip */
	uint64_t timed, timed_us; /* round trips of commands that do not wait at the server */
};
void redis_count(const struct redis *, struct redis_counts *);
#endif
