/* ends.h -- for the tests of streams: one end of a connection that remembers
 * what happened to it.
 *
 * Listeners are on 127.0.0.1, on a port of the kernel's choice. */
#ifndef TESTS_ENDS_H
#define TESTS_ENDS_H
#include "tests/turns.h"
#include "base/stream.h"
#include "base/tls.h"
#include <arpa/inet.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

struct end {
	struct loop *loop;
	struct stream *stream;
	char *got; /* NULL: bytes are only counted */
	size_t n, events;
	unsigned pieces, drained, readied, ended, closed;
	enum stream_end how;
	char why[128];
	void (*on_bytes)(struct end *);
	void *for_on_bytes;
	bool close_at_ready, close_at_bytes, close_at_end, close_at_drained;
};

static inline void note(struct end *e, bool close)
{
	e->events++;
	assert_int_equal(e->closed, 0);
	if (close)
		stream_close(e->stream);
	loop_stop(e->loop);
}

static inline void end_ready(void *owner)
{
	struct end *e = owner;

	e->readied++;
	note(e, e->close_at_ready);
}

static inline void end_bytes(void *owner, struct bytes b)
{
	struct end *e = owner;

	assert_true(b.len > 0);
	if (e->got) {
		e->got = realloc(e->got, e->n + b.len + 1);
		memcpy(e->got + e->n, b.at, b.len);
		e->got[e->n + b.len] = '\0';
	}
	e->n += b.len;
	e->pieces++;
	note(e, e->close_at_bytes);
	if (e->on_bytes)
		e->on_bytes(e);
}

static inline void end_ended(void *owner, enum stream_end how, const char *why)
{
	struct end *e = owner;

	e->ended++;
	e->how = how;
	snprintf(e->why, sizeof e->why, "%s", why);
	note(e, e->close_at_end);
}

static inline void end_drained(void *owner)
{
	struct end *e = owner;

	e->drained++;
	note(e, e->close_at_drained);
}

static inline void end_closed(void *owner)
{
	struct end *e = owner;

	e->closed++;
	loop_stop(e->loop);
}

static const struct stream_events end_events = { end_ready, end_bytes, end_ended, end_drained, end_closed };

/* Listens, and makes the next connection an end. */
struct door {
	struct loop *loop;
	struct listener *listener;
	struct tls_context *tls;
	struct end *next;
	struct sockaddr_in at;
};

static inline void door_accepted(void *ctx, struct stream *s)
{
	struct door *d = ctx;

	d->next->loop = d->loop;
	d->next->stream = s;
	d->next->events++;
	assert_true(stream_start(s, &end_events, d->next, d->tls));
	loop_stop(d->loop);
}

static inline void door_open(struct door *d, struct loop *l, struct tls_context *tls)
{
	socklen_t len = sizeof d->at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*d = (struct door){ .loop = l, .tls = tls };
	d->at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)&d->at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&d->at, &len), 0);
	d->listener = listener_open(l, fd, door_accepted, d, NULL);
	assert_non_null(d->listener);
}

/* A blocking socket that is connected to the door, whose end is `e`. */
static inline int door_knock(struct door *d, struct end *e)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	size_t before = e->events;

	d->next = e;
	assert_int_equal(connect(fd, (struct sockaddr *)&d->at, sizeof d->at), 0);
	RUN_UNTIL(d->loop, e->events > before);
	return fd;
}

static inline void end_close(struct end *e)
{
	if (!e->closed)
		stream_close(e->stream);
	RUN_UNTIL(e->loop, e->closed);
	free(e->got);
	e->got = NULL;
}

static inline bool say(struct end *e, struct bytes b)
{
	return stream_write(e->stream, &b, 1);
}

#endif
