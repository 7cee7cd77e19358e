/* stream_parts.h -- what the files of a stream share; nobody else includes it.
 *
 *   stream.c        life, reading, facts
 *   stream_write.c  what the kernel does not take at once, and the last word
 *   stream_held.c   small writes, sent together
 *   stream_tls.c    TLS between a stream and its owner
 *   stream_listen.c where streams come from */
#ifndef BASE_STREAM_PARTS_H
#define BASE_STREAM_PARTS_H
#include "base/loop_uv.h"
#include "base/stream.h"
#include "base/tls.h"

struct pending;
struct held;

struct stream {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} u;
	struct loop *loop;
	const struct stream_events *on;
	void *owner;
	struct tls_conn *tls;
	char *stash; /* ciphertext read before a pause */
	size_t nstash;
	struct held *held;       /* written in this turn; not yet backlog */
	struct stream *held_next, **held_link; /* in the loop's row; link NULL: in none */
	struct pending *waiting; /* behind what is in flight */
	unsigned flying;         /* writes that libuv has */
	size_t backlog;          /* bytes of both */
	uint64_t taken;          /* by the kernel, so far */
	struct soon soon; /* goes on with the stash */
	bool unix_socket, secured, paused, reading, closing, broken, finishing, at_end;
};

struct stream *stream_new(struct loop *, bool unix_socket);
/* Calls `ended`, once. */
void stream_tell_end(struct stream *, enum stream_end, const char *why);
/* Past TLS, to the kernel or the queue. */
bool stream_write_raw(struct stream *, const struct bytes *, size_t n);
void stream_forget_waiting(struct stream *);
/* What the kernel takes goes, the rest is queued. False: broken. */
bool stream_send(struct stream *, const uv_buf_t *, size_t n, size_t total);
/* False: it is not for holding, or there is no memory. */
bool stream_hold(struct stream *, const uv_buf_t *, size_t n, size_t total);
bool stream_send_held(struct stream *); /* false: broken */
void stream_forget_held(struct stream *);

bool stream_secure(struct stream *, struct tls_context *, const char *server_name);
void stream_tls_input(struct stream *, struct bytes); /* ciphertext */
void stream_tls_go_on(void *stream);                  /* after a pause */
bool stream_tls_write(struct stream *, const struct bytes *, size_t n);
#endif
