/* stream.h -- a connection on a loop, plain or TLS: the same to its owner.
 *
 * The owner gives functions at open and is called through them, never by name.
 * Reading is always on unless paused. Small writes leave together when the turn of
 * the loop ends, large ones at once; what the kernel does not take is kept and sent
 * later. That a stream has broken its owner learns by reading, by the next write, or
 * by `drained`. After stream_close() nothing but `closed` is called, once, from the
 * loop: it is the one end to wait for. Any call may be made from inside any callback. */
#ifndef BASE_STREAM_H
#define BASE_STREAM_H
#include "base/err.h"
#include "base/ip.h"
#include "base/loop.h"

struct stream;
struct tls_context; /* base/tls.h */
struct sockaddr;

enum stream_end {
	END_CLEAN,  /* FIN, or close_notify and FIN: no more bytes, writing is still possible */
	END_BROKEN, /* reset, time-out of the kernel, TLS failure or truncation */
};

struct stream_events {
	void (*ready)(void *owner);  /* connected and, with TLS, shaken hands; not for plain accepted ones */
	void (*bytes)(void *owner, struct bytes); /* borrowed until return */
	void (*ended)(void *owner, enum stream_end, const char *why);
	void (*drained)(void *owner); /* the backlog fell to nothing: sent, or lost (stream_is_broken) */
	void (*closed)(void *owner);
};

/* Listening. `accepted` owns the stream it is given and calls stream_start(). The
 * descriptor is a bound TCP or unix socket; the listener owns it, also when it fails. */
struct listener;
struct listener *listener_open(struct loop *, int fd, void (*accepted)(void *ctx, struct stream *),
			       void *ctx, struct err *);
/* Called when a connection waits and no descriptor is left: close some, or the loop
 * spins until others do. */
void listener_on_starved(struct listener *, void (*starved)(void *ctx));
void listener_close(struct listener *);

/* `tls` NULL: plain. For TLS `ready` comes before the first bytes. */
bool stream_start(struct stream *, const struct stream_events *, void *owner, struct tls_context *tls);
/* The same after some bytes were read plainly (PROXY protocol in front of TLS): call from `bytes`. */
bool stream_start_tls(struct stream *, struct tls_context *, struct bytes rest);

/* `server_name` is for SNI and certificate checks; only with tls. */
struct stream *stream_connect(struct loop *, const struct sockaddr *, const struct stream_events *,
			      void *owner, struct tls_context *tls, const char *server_name);

enum { STREAM_PIECES = 8 };
/* At most STREAM_PIECES slices. False: broken for writing, and what is written from now on
 * is swallowed. What had arrived before is still given to `bytes`, then comes `ended`. */
bool stream_write(struct stream *, const struct bytes *, size_t n);
bool stream_is_broken(const struct stream *);
size_t stream_backlog(const struct stream *); /* bytes that the kernel was offered and did not take yet */
uint64_t stream_taken(const struct stream *); /* bytes that the kernel took, in all; with TLS, of ciphertext */
uint64_t stream_delivered(const struct stream *); /* of them, those that the other side has acknowledged */
void stream_pause(struct stream *);  /* no more `bytes` until resumed */
void stream_resume(struct stream *);
void stream_probe(struct stream *);  /* let the kernel ask a silent peer whether it is still there */
void stream_finish(struct stream *); /* sends what is queued, then FIN */
void stream_close(struct stream *);  /* at once; what is queued is lost */
void stream_reset(struct stream *);  /* as close, but the peer sees RST: a cut answer never looks whole */

bool stream_peer(const struct stream *, struct ip *, uint16_t *port); /* false for unix sockets */
bool stream_local(const struct stream *, struct ip *, uint16_t *port);
const char *stream_tls_version(const struct stream *); /* "TLSv1.3"; NULL when plain */
const char *stream_tls_cipher(const struct stream *);
const char *stream_tls_server_name(const struct stream *); /* SNI; NULL: none */
struct bytes stream_tls_ja4(const struct stream *); /* of who connected (ja4.h); empty: plain, or not known */
struct loop *stream_loop(const struct stream *);
#endif
