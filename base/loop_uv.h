/* loop_uv.h -- what loops and streams share of libuv; nobody else's. */
#ifndef BASE_LOOP_UV_H
#define BASE_LOOP_UV_H
#include "base/loop.h"
#include <uv.h>

enum { READ_BUFFER = 64 << 10, TLS_RECORD = 16 << 10, WHEEL_SLOTS = 512, TICK_MS = 50 };

/* Work for the end of this turn, in the order of asking; lives in its owner. */
struct soon {
	struct soon *next;
	bool queued;
	void (*fn)(void *);
	void *arg;
};

struct posted {
	struct posted *next;
	void (*fn)(void *);
	void *arg;
};

struct loop {
	uv_loop_t uv;
	char *read_buffer;                /* READ_BUFFER: for one read callback at a time */
	char *plain_in, *plain_out;       /* TLS_RECORD each */
	struct deadline *wheel[WHEEL_SLOTS];
	uint64_t seen;                    /* ticks up to here have been looked at */
	uint64_t due;                     /* tick the timer is set for; 0: not set */
	uv_timer_t timer;
	uv_idle_t idle;                   /* keeps the poll from blocking while `soon` has work */
	struct soon *soon, **soon_tail;
	struct soon send;                 /* the streams that hold something, and how many do */
	struct stream *held, **held_tail;
	unsigned nheld;
	uv_async_t wake;
	uv_mutex_t lock;                  /* of the two below */
	struct posted *posted, **posted_tail;
};

void loop_soon(struct loop *, struct soon *);
void loop_not_soon(struct loop *, struct soon *);
#endif
