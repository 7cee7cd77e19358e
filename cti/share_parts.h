/* share_parts.h -- what the files behind share.h share; nobody else's.
 *
 *   share.c           opening, closing, what the decisions tell      share_send.c      outbox -> Redis
 *   share_check.c     where this gate stands to the stream           share_read.c      stream -> decisions
 *   share_join.c      snapshot -> decisions                          share_push.c      what Redis lacks -> Redis
 *   share_snapshot.c  decisions -> snapshot, by one gate             share_nodes.c     heartbeats, numbers
 *   share_kv.c        small values                               share_ask.c       questions and answers
 *
 * On each connection, and whenever the stream is not what it was, a gate joins: it reads the snapshot and the stream to its
 * end, remembers which operations it saw, and pushes what it holds beside them. A first start, a Redis that came back empty,
 * a stream trimmed past our place and an outbox that was too small are all the same to it. */
#ifndef CTI_SHARE_PARTS_H
#define CTI_SHARE_PARTS_H
#include "base/hlc.h"
#include "cti/share.h"
#include "cti/share_ask.h"
#include "cti/share_known.h"
#include "cti/share_outbox.h"
#include "cti/share_record.h"
#include <stdatomic.h>

enum {
	SHARE_OUTBOX = 65536, SHARE_OUTBOX_BYTES = 64 << 20, SHARE_GRAVES = 65536,
	SHARE_BODY = 8 << 10,        /* of a frame in the stream */
	SHARE_PART = 64 << 10,       /* of a snapshot */
	SHARE_LOG_MAX = 100000,      /* frames of the stream, about; where nobody writes snapshots */
	SHARE_WINDOW = 8,            /* frames under way at once */
	SHARE_READ = 256,            /* frames at once */
	SHARE_BLOCK_MS = 1000, SHARE_RETRY_MS = 250, SHARE_BEAT_MS = 5000,
	SHARE_NODES = 256,
	SHARE_RUNS = 64, SHARE_ENDED = 32,
};

enum share_key { KEY_LOG, KEY_TOLD, KEY_SNAP, KEY_LEAD, KEY_TERM, KEY_NODES, KEY_ERA, KEY_COUNT };

/* A place in a stream: "MS-SEQ". */
struct share_place { uint64_t ms, seq; };
bool share_place_read(struct bytes, struct share_place *);
void share_place_text(struct text *, const struct share_place *);
static inline bool share_place_before(struct share_place a, struct share_place b)
{
	return a.ms != b.ms ? a.ms < b.ms : a.seq < b.seq;
}

/* AWAY -> CHECKING -> (JOINING ->) FOLLOWING; any -> AWAY */
enum share_state { SHARE_AWAY, SHARE_CHECKING, SHARE_JOINING, SHARE_FOLLOWING };
enum share_trouble { TROUBLE_FORGED, TROUBLE_AHEAD, TROUBLE_REFUSED, TROUBLE_LOST, TROUBLES };

struct share_frame_out {
	struct share_frame_out *next;
	struct share *share;
	struct share_place after; /* read up to there when it was sent */
	bool under_way;
	unsigned ops;
	size_t len;
	char at[];
};
struct share_buffer { char *at; size_t len, cap; bool failed; };

struct share {
	struct loop *loop;
	struct redis *redis;
	struct decisions *decisions;
	struct share_options options; /* its texts are those below */
	char prefix[96], name[64], version[32], id[20], state_file[4096];
	char keys[KEY_COUNT][128];
	uint8_t key[32];
	uint64_t run;                /* of this process */
	unsigned node;
	struct hlc clock;
	atomic_bool up, woken, following, leading;
	bool closing;
	void (*closed)(void *);
	void *closed_ctx;

	enum share_state state;
	struct share_place at, told_at; /* read up to here */
	struct share_place goal;        /* where the stream ended when joining began */
	bool joined;                    /* once: `at` is a place in that stream */
	bool reading;                   /* an XREAD is under way, of the state's turn below */
	uint64_t turn, reading_turn;    /* counts what becomes of the state, so that late replies are told apart */
	uint64_t lost_seen;             /* of the outbox, when joining began */
	bool full;                      /* an operation did not fit into the decisions: this gate writes no snapshot */
	struct share_place first;       /* of the stream, then; 0-0: it is empty */
	bool mended;                    /* on this connection a gap was told, or another gate told one */
	char era[20];                   /* drawn by who found this Redis empty */
	struct seen *seen;              /* while joining and until what was not seen is pushed */
	struct graves *graves;
	struct deadline retry, beat;
	struct share_heard { uint64_t run, stamp; } heard[SHARE_RUNS]; /* the last message of a process */

	struct outbox *log, *told;
	struct share_frame_out *frames, **frames_tail;
	unsigned under_way, told_under_way;
	bool refused;                   /* the last answer was an error: wait */
	struct deadline refused_until;

	struct share_push {
		bool begun;
		unsigned pass;          /* 0: none (now) */
		size_t part, sent;      /* of `buffer` */
		struct share_buffer buffer;
		struct deadline next;
	} push;

	struct share_joining { uint64_t term, serial; struct share_place at; size_t part, parts; unsigned waiting; bool failed; } join;
	struct share_writing {
		bool under_way, failed;
		uint64_t term, serial, done_ms, frames; /* frames: read since it was written */
		struct share_place at, before;
		size_t part, parts;
		unsigned waiting;
		struct share_buffer buffer;
	} snap;
	struct share_asks {
		struct share_asking *open;   /* of ours, that are not told yet */
		struct share_question *owed; /* of other gates */
		unsigned nopen, nowed;
		uint64_t ended[SHARE_ENDED]; /* ids of the last that are told: what comes for them is late */
		unsigned nended;
		void (*asked)(void *ctx, struct share_question *, struct bytes what);
		void *ctx;
	} asks;
	struct share_node nodes[SHARE_NODES];
	size_t nnodes;
	int64_t lag_ms, skew_ms;
	uint64_t asked_ms;              /* when the server's time was asked for */
	struct share_place asked_at;
	bool numbered;

	atomic_ullong sent, applied, messages, forged, ahead, broken, untold, late, unanswered, resyncs, snapshots;
	uint64_t warned_ms[TROUBLES];
};

/* share.c */
void share_wake(struct share *);                /* any thread */
void share_warn(struct share *, enum share_trouble, const char *about); /* at most one a minute of a kind */
bool share_send(struct share *, const struct bytes *args, unsigned n, unsigned key, redis_told *);
struct bytes share_key(const struct share *, enum share_key);
/* With `kind`, as one frame into `room`; empty: it did not fit. */
struct bytes share_sealed(struct share *, char *room, size_t cap, struct bytes context, enum share_frame_kind, struct bytes body);
bool share_opened(struct share *, struct bytes, struct bytes context, enum share_frame_kind, struct share_frame *); /* counts, warns */
/* Appends to a buffer that grows; used as graves_each() wants it. */
void share_buffer_op(struct share_buffer *, const struct share_op *);

/* share_send.c */
void share_flush(struct share *);
void share_unsend(struct share *);              /* Redis went away: what was under way is sent again */
void share_send_free(struct share *);

/* share_check.c */
void share_check(struct share *);               /* where do we stand? and join, or go on */
void share_ask_era(struct share *);             /* with each heartbeat: has Redis lost all? then join anew */
void share_end_era(struct share *);             /* something is missing: all join anew, and push what they have */
void share_again(struct share *);               /* join, whatever was */
bool share_judge(struct share *, const struct redis_reply *, struct share_place from); /* of XINFO STREAM; false: join anew */
void share_retry(struct share *, uint32_t ms);

/* share_read.c */
void share_follow(struct share *);
void share_apply_ops(struct share *, struct bytes body, bool own);

/* share_join.c */
void share_join(struct share *);

/* share_push.c */
void share_push_begin(struct share *);
void share_push_end(struct share *);
bool share_push_more(struct share *, struct text *, unsigned *ops); /* false: nothing (now) */

/* share_snapshot.c */
struct share_manifest { uint64_t term, serial, parts; struct share_place at; };
bool share_manifest_read(struct bytes body, struct share_manifest *);
void share_part_context(struct text *, uint64_t term, uint64_t serial, size_t part);
void share_lead(struct share *);                /* with each heartbeat */
void share_unlead(struct share *);

/* share_ask.c */
void share_ask_heard(struct share *, enum share_kind, struct bytes message);
void share_ask_end(struct share *);             /* all that wait are told; what is answered later goes nowhere */

/* share_nodes.c */
void share_identify(struct share *);            /* before anything else: id and number */
void share_beat(void *);
#endif
