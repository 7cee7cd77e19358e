/* syslog_wire.c -- a socket to the receiver, on the thread that sends: everything waits, nothing for long.
 *
 * A receiver says nothing; what comes from it is its end, or TLS's own. It is looked for before each message, so that one
 * that was restarted costs few of them. */
#include "base/syslog_parts.h"
#include "base/clock.h"
#include "base/tls.h"
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { WAIT_MS = 5000, HURRY_MS = 500, SLICE_MS = 100, RECORD = 16 << 10, IN = 16 << 10, SEND_BUFFER = 32 << 10, READS = 16 };

struct syslog_wire {
	struct syslog_target to;
	struct tls_context *context;
	struct tls_conn *tls;
	int fd; /* -1: not connected */
	bool broken;
	const _Atomic bool *hurry; /* of this call */
};

static void wire_close(struct syslog_wire *w)
{
	tls_conn_free(w->tls);
	w->tls = NULL;
	if (w->fd >= 0)
		close(w->fd);
	w->fd = -1;
}

static bool failed(struct syslog_wire *w, struct err *e, const char *what)
{
	err_set(e, SIDE_UPSTREAM, errno, "%s", what); /* `what` may be the connection's */
	wire_close(w);
	return false;
}

/* False: time is up. */
static bool wait_for(const struct syslog_wire *w, short events)
{
	uint64_t from = clock_mono_ms();

	for (;;) {
		struct pollfd p = { .fd = w->fd, .events = events };
		uint64_t waited = clock_mono_ms() - from;

		if (poll(&p, 1, SLICE_MS) == 1)
			return true;
		if (waited >= (*w->hurry ? HURRY_MS : WAIT_MS)) {
			errno = ETIMEDOUT;
			return false;
		}
	}
}

/* ---- sending ---- */

static void put_bytes(void *arg, struct bytes b)
{
	struct syslog_wire *w = arg;

	while (b.len && !w->broken) {
		ssize_t n = send(w->fd, b.at, b.len, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n >= 0)
			b = bytes_from(b, (size_t)n);
		else if (errno != EINTR && (errno != EAGAIN || !wait_for(w, POLLOUT)))
			w->broken = true;
	}
}

/* False: the receiver has closed, or sends what is no TLS. */
static bool read_tls(struct syslog_wire *w, struct bytes in)
{
	char buf[512];
	size_t n;
	enum tls_want want;

	tls_conn_feed(w->tls, in);
	while ((want = tls_conn_read(w->tls, buf, sizeof buf, &n)) == TLS_OK)
		;
	return want == TLS_WANT_MORE;
}

static bool is_there(struct syslog_wire *w)
{
	char buf[IN];
	ssize_t n = 0;

	/* The end may stand behind tickets of TLS; who talks on and on is no receiver. */
	for (unsigned i = 0; i < READS && (n = recv(w->fd, buf, sizeof buf, MSG_DONTWAIT)) > 0; i++)
		if (w->tls && !read_tls(w, (struct bytes){ buf, (size_t)n }))
			return false;
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static bool send_stream(struct syslog_wire *w, struct bytes frame)
{
	w->broken = false;
	for (; frame.len && !w->broken; frame = bytes_from(frame, RECORD)) {
		struct bytes piece = bytes_sub(frame, 0, RECORD);

		if (!w->tls)
			put_bytes(w, piece);
		else if (!tls_conn_write(w->tls, piece))
			w->broken = true;
	}
	return !w->broken;
}

/* An error is of the datagram before: nobody was there. A message that is too long for the way is nobody's fault but ours,
 * and would be it again. */
static bool send_datagram(struct syslog_wire *w, struct bytes frame)
{
	for (;;) {
		if (send(w->fd, frame.at, frame.len, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0 || errno == EMSGSIZE)
			return true;
		if (errno != EINTR && (errno != EAGAIN || !wait_for(w, POLLOUT)))
			return false;
	}
}

bool syslog_wire_send(struct syslog_wire *w, struct bytes frame, const _Atomic bool *hurry, struct err *e)
{
	w->hurry = hurry;
	if (w->to.transport == SYSLOG_UDP ? send_datagram(w, frame) : send_stream(w, frame))
		return true;
	return failed(w, e, errno ? strerror(errno) : "it does not take lines");
}

/* ---- connecting ---- */

static bool connected(struct syslog_wire *w)
{
	int error = 0;
	socklen_t len = sizeof error;

	if (!wait_for(w, POLLOUT))
		return false;
	if (getsockopt(w->fd, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0)
		return true;
	errno = error;
	return false;
}

static bool connect_to(struct syslog_wire *w, const struct addrinfo *a)
{
	int on = 1, few = SEND_BUFFER, failure;

	w->fd = socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, a->ai_protocol);
	if (w->fd < 0)
		return false;
	if (connect(w->fd, a->ai_addr, a->ai_addrlen) == 0 || (errno == EINPROGRESS && connected(w))) {
		if (w->to.transport != SYSLOG_UDP) {
			setsockopt(w->fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
			setsockopt(w->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
			setsockopt(w->fd, SOL_SOCKET, SO_SNDBUF, &few, sizeof few); /* a broken connection loses no more */
		}
		return true;
	}
	failure = errno;
	wire_close(w);
	errno = failure;
	return false;
}

static bool find(const struct syslog_target *to, struct addrinfo **out, struct err *e)
{
	const struct addrinfo hints = { .ai_socktype = to->transport == SYSLOG_UDP ? SOCK_DGRAM : SOCK_STREAM };
	char port[8];
	int failure;

	snprintf(port, sizeof port, "%u", to->port);
	failure = getaddrinfo(to->host, port, &hints, out);
	return failure == 0 || err_set(e, SIDE_UPSTREAM, 0, "%s", gai_strerror(failure));
}

static bool shake_hands(struct syslog_wire *w, struct err *e)
{
	char buf[IN];
	enum tls_want want;

	w->broken = false;
	w->tls = tls_conn_new(w->context, w->to.host, put_bytes, w);
	if (!w->tls)
		return failed(w, e, "out of memory");
	while ((want = tls_conn_handshake(w->tls)) == TLS_WANT_MORE && !w->broken) {
		ssize_t n = wait_for(w, POLLIN) ? recv(w->fd, buf, sizeof buf, 0) : -1;

		if (n <= 0)
			return failed(w, e, n < 0 ? strerror(errno) : "it closed instead of speaking TLS");
		tls_conn_feed(w->tls, (struct bytes){ buf, (size_t)n });
		while (tls_conn_rest(w->tls).len && (want = tls_conn_handshake(w->tls)) == TLS_WANT_MORE)
			;
		if (want != TLS_WANT_MORE)
			break;
	}
	if (want != TLS_OK || w->broken)
		return failed(w, e, tls_conn_failure(w->tls));
	return read_tls(w, tls_conn_rest(w->tls)) || failed(w, e, "it closed after the handshake"); /* tickets */
}

static bool wire_open(struct syslog_wire *w, struct err *e)
{
	struct addrinfo *all = NULL;
	bool ok = false;

	if (!find(&w->to, &all, e))
		return false;
	errno = 0;
	for (const struct addrinfo *a = all; a && !ok; a = a->ai_next)
		ok = connect_to(w, a);
	freeaddrinfo(all);
	if (!ok)
		return err_set(e, SIDE_UPSTREAM, errno, "%s", strerror(errno));
	return !w->context || shake_hands(w, e);
}

bool syslog_wire_ready(struct syslog_wire *w, const _Atomic bool *hurry, struct err *e)
{
	w->hurry = hurry;
	if (w->fd >= 0 && w->to.transport != SYSLOG_UDP && !is_there(w))
		wire_close(w);
	return w->fd >= 0 || wire_open(w, e);
}

/* ---- birth and death ---- */

struct syslog_wire *syslog_wire_new(const struct syslog_target *to, struct tls_context *context)
{
	struct syslog_wire *w = calloc(1, sizeof *w);

	if (!w) {
		tls_context_free(context);
		return NULL;
	}
	w->to = *to;
	w->context = context;
	w->fd = -1;
	return w;
}

/* TLS says goodbye; a receiver that has gone does not hear it. */
void syslog_wire_free(struct syslog_wire *w)
{
	static const _Atomic bool hurry = true;

	if (!w)
		return;
	w->hurry = &hurry;
	w->broken = false;
	if (w->tls)
		tls_conn_shutdown(w->tls);
	wire_close(w);
	tls_context_free(w->context);
	free(w);
}
