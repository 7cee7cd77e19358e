/* stream.c -- connections: libuv at the edge, and TLS between it and the owner.
 *
 * Trampolines convert, call one function and decide nothing. Ciphertext and
 * plaintext pass through buffers of the loop, so an idle connection holds no
 * buffer of its own. Only what a paused TLS stream had already read is kept in
 * a stash. */
#include "base/stream.h"
#include "base/loop_uv.h"
#include "base/tls.h"
#include <assert.h>
#include <sys/socket.h>
#include <unistd.h>

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
	struct pending *waiting; /* behind what is in flight */
	unsigned flying;         /* writes that libuv has */
	size_t backlog;          /* bytes of both */
	uint64_t taken;          /* by the kernel, so far */
	struct soon soon; /* goes on with the stash */
	bool unix_socket, secured, paused, reading, closing, broken, finishing, at_end;
};

/* What the kernel did not take at once. One is in flight; what is written
 * meanwhile gathers in the next, so that small pieces cost their bytes alone. */
struct pending {
	uv_write_t req;
	size_t len, cap;
	char data[];
};

static bool raw_write(struct stream *, const struct bytes *, size_t n);
static void tls_go_on(void *);

static void tell_end(struct stream *s, enum stream_end end, const char *why)
{
	if (s->closing || s->at_end)
		return;
	s->at_end = true;
	if (end == END_BROKEN)
		s->broken = true;
	s->on->ended(s->owner, end, why);
}

/* ---- TLS in between ---- */

static void tls_send(void *arg, struct bytes b)
{
	raw_write(arg, &b, 1);
}

static void stash_rest(struct stream *s)
{
	struct bytes rest = tls_conn_rest(s->tls);
	char *copy = rest.len ? malloc(rest.len) : NULL;

	if (rest.len && !copy) {
		tell_end(s, END_BROKEN, "out of memory");
		return;
	}
	if (rest.len)
		memcpy(copy, rest.at, rest.len);
	free(s->stash);
	s->stash = copy;
	s->nstash = rest.len;
	tls_conn_feed(s->tls, (struct bytes){ copy, rest.len });
}

/* Reads what there is until more ciphertext is wanted. False: ended. */
static bool tls_pump(struct stream *s)
{
	enum tls_want want = TLS_OK;
	size_t n;

	if (!s->secured) {
		want = tls_conn_handshake(s->tls);
		if (want == TLS_OK) {
			s->secured = true;
			if (s->on->ready)
				s->on->ready(s->owner);
		}
	}
	while (want == TLS_OK && !s->closing && !s->paused) {
		want = tls_conn_read(s->tls, s->loop->plain_in, TLS_RECORD, &n);
		if (want == TLS_OK)
			s->on->bytes(s->owner, (struct bytes){ s->loop->plain_in, n });
	}
	if (s->closing)
		return false;
	if (want == TLS_CLOSED)
		tell_end(s, END_CLEAN, "closed");
	else if (want == TLS_FAILED)
		tell_end(s, END_BROKEN, tls_conn_failure(s->tls));
	return want == TLS_OK || want == TLS_WANT_MORE;
}

static void tls_input(struct stream *s, struct bytes b)
{
	tls_conn_feed(s->tls, b);
	if (tls_pump(s) && s->paused)
		stash_rest(s);
}

/* After a pause: first what was stashed, then the socket again. */
static void tls_go_on(void *arg)
{
	struct stream *s = arg;

	if (s->closing || s->paused || s->at_end || !s->tls)
		return;
	if (tls_pump(s) && s->paused) {
		stash_rest(s);
		return;
	}
	free(s->stash);
	s->stash = NULL;
	s->nstash = 0;
	if (!s->closing && !s->at_end)
		stream_resume(s);
}

/* ---- reading ---- */

static void on_alloc(uv_handle_t *h, size_t hint, uv_buf_t *buf)
{
	struct stream *s = h->data;

	(void)hint;
	*buf = uv_buf_init(s->loop->read_buffer, READ_BUFFER);
}

/* libuv says UV_EOF of a connection that was reset right behind its last bytes. */
static ssize_t true_end(const struct stream *s, ssize_t n)
{
	socklen_t len = sizeof(int);
	uv_os_fd_t fd;
	int e = 0;

	if (n == UV_EOF && uv_fileno(&s->u.handle, &fd) == 0 &&
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &len) == 0 && e != 0)
		return uv_translate_sys_error(e);
	return n;
}

static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
	struct stream *s = h->data;

	n = n < 0 ? true_end(s, n) : n;
	if (n > 0 && s->tls)
		tls_input(s, (struct bytes){ buf->base, (size_t)n });
	else if (n > 0)
		s->on->bytes(s->owner, (struct bytes){ buf->base, (size_t)n });
	else if (n == UV_EOF && s->tls)
		tell_end(s, END_BROKEN, s->secured ? "TLS connection cut without close_notify"
						   : "connection closed during the TLS handshake");
	else if (n < 0)
		tell_end(s, n == UV_EOF ? END_CLEAN : END_BROKEN, uv_strerror((int)n));
}

static void read_start(struct stream *s)
{
	if (s->reading || s->closing || s->at_end)
		return;
	s->reading = uv_read_start(&s->u.stream, on_alloc, on_read) == 0;
}

void stream_pause(struct stream *s)
{
	if (s->paused || s->closing)
		return;
	s->paused = true;
	s->reading = false;
	uv_read_stop(&s->u.stream);
}

void stream_resume(struct stream *s)
{
	if (s->closing)
		return;
	s->paused = false;
	if (s->nstash) {
		s->soon.fn = tls_go_on;
		s->soon.arg = s;
		loop_soon(s->loop, &s->soon);
		return;
	}
	read_start(s);
}

/* ---- writing ---- */

static bool submit(struct stream *);

static void on_written(uv_write_t *req, int status)
{
	struct pending *p = (struct pending *)req;
	struct stream *s = req->handle->data;

	s->flying--;
	s->backlog -= p->len;
	if (status == 0)
		s->taken += p->len;
	else
		s->broken = true;
	free(p);
	if (s->flying == 0 && !s->closing && !submit(s))
		s->broken = true;
	if (s->backlog == 0 && !s->closing && s->on->drained)
		s->on->drained(s->owner);
}

static void forget_waiting(struct stream *s)
{
	s->backlog -= s->waiting ? s->waiting->len : 0;
	free(s->waiting);
	s->waiting = NULL;
}

/* Gives libuv what waits; of a broken stream it is lost. */
static bool submit(struct stream *s)
{
	struct pending *p = s->waiting;
	uv_buf_t buf;

	if (!p)
		return true;
	buf = uv_buf_init(p->data, (unsigned)p->len);
	if (s->broken || uv_write(&p->req, &s->u.stream, &buf, 1, on_written) != 0) {
		forget_waiting(s);
		return false;
	}
	s->waiting = NULL;
	s->flying++;
	return true;
}

static bool reserve(struct stream *s, size_t more)
{
	size_t have = s->waiting ? s->waiting->len : 0, cap = have ? 2 * (have + more) : more;
	struct pending *p = s->waiting;

	if (p && p->cap - p->len >= more)
		return true;
	p = realloc(p, sizeof *p + cap);
	if (!p)
		return false;
	p->len = have;
	p->cap = cap;
	s->waiting = p;
	return true;
}

static bool queue(struct stream *s, const uv_buf_t *bufs, size_t n, size_t skip)
{
	size_t rest = 0;

	for (size_t i = 0; i < n; i++)
		rest += bufs[i].len;
	rest -= skip;
	if (!reserve(s, rest))
		return false;
	for (size_t i = 0; i < n; i++) {
		size_t from = skip < bufs[i].len ? skip : bufs[i].len;

		memcpy(s->waiting->data + s->waiting->len, bufs[i].base + from, bufs[i].len - from);
		s->waiting->len += bufs[i].len - from;
		skip -= from;
	}
	s->backlog += rest;
	return s->flying || submit(s);
}

static bool raw_write(struct stream *s, const struct bytes *v, size_t n)
{
	uv_buf_t bufs[STREAM_PIECES];
	size_t total = 0, nbufs = 0;
	int taken = UV_EAGAIN;

	assert(n <= STREAM_PIECES);
	if (s->closing || s->broken || s->finishing)
		return false;
	for (size_t i = 0; i < n; i++)
		if (v[i].len) {
			bufs[nbufs++] = uv_buf_init((char *)(uintptr_t)v[i].at, (unsigned)v[i].len);
			total += v[i].len;
		}
	if (total == 0)
		return true;
	if (s->backlog == 0)
		taken = uv_try_write(&s->u.stream, bufs, (unsigned)nbufs);
	if (taken == UV_EAGAIN)
		taken = 0;
	if (taken > 0)
		s->taken += (size_t)taken;
	if (taken < 0 || ((size_t)taken < total && !queue(s, bufs, nbufs, (size_t)taken)))
		s->broken = true;
	return !s->broken;
}

/* Gathers the pieces into records of at most 16 KiB: small pieces (a head and
 * its body) leave in one record and one system call. */
static bool tls_write(struct stream *s, const struct bytes *v, size_t n)
{
	char *out = s->loop->plain_out;
	size_t have = 0;

	for (size_t i = 0; i < n; i++)
		for (struct bytes b = v[i]; b.len;) {
			size_t take = TLS_RECORD - have < b.len ? TLS_RECORD - have : b.len;

			memcpy(out + have, b.at, take);
			have += take;
			b = bytes_from(b, take);
			if (have == TLS_RECORD) {
				if (!tls_conn_write(s->tls, (struct bytes){ out, have }))
					s->broken = true;
				have = 0;
			}
		}
	if (have && !tls_conn_write(s->tls, (struct bytes){ out, have }))
		s->broken = true;
	return !s->broken && !s->closing;
}

bool stream_write(struct stream *s, const struct bytes *v, size_t n)
{
	if (s->closing || s->broken || s->finishing)
		return false;
	return s->tls ? tls_write(s, v, n) : raw_write(s, v, n);
}

size_t stream_backlog(const struct stream *s)
{
	return s->backlog;
}

uint64_t stream_taken(const struct stream *s)
{
	return s->taken;
}

bool stream_is_broken(const struct stream *s)
{
	return s->broken;
}

enum { PROBE_S = 60 };

void stream_probe(struct stream *s)
{
	if (!s->unix_socket && !s->closing)
		uv_tcp_keepalive(&s->u.tcp, 1, PROBE_S);
}

static void on_shutdown(uv_shutdown_t *req, int status)
{
	(void)status;
	free(req);
}

/* Without memory the last word is said at once; what was queued is lost with the rest. */
static void shutdown_now(struct stream *s)
{
	uv_os_fd_t fd;

	if (uv_fileno(&s->u.handle, &fd) == 0)
		shutdown(fd, SHUT_WR);
}

void stream_finish(struct stream *s)
{
	uv_shutdown_t *req;

	if (s->closing || s->finishing)
		return;
	if (s->tls && s->secured && !s->broken)
		tls_conn_shutdown(s->tls);
	s->finishing = true;
	submit(s); /* libuv's shutdown waits for what it has */
	req = malloc(sizeof *req);
	if (!req)
		shutdown_now(s);
	else if (uv_shutdown(req, &s->u.stream, on_shutdown) != 0)
		free(req);
}

/* ---- life ---- */

static void on_closed(uv_handle_t *h)
{
	struct stream *s = h->data;

	if (s->on && s->on->closed)
		s->on->closed(s->owner);
	tls_conn_free(s->tls);
	free(s->stash);
	free(s->waiting);
	free(s);
}

static void shut(struct stream *s, bool reset)
{
	if (s->closing)
		return;
	s->closing = true;
	loop_not_soon(s->loop, &s->soon);
	if (!reset || s->unix_socket || uv_tcp_close_reset(&s->u.tcp, on_closed) != 0)
		uv_close(&s->u.handle, on_closed);
}

void stream_close(struct stream *s)
{
	shut(s, false);
}

void stream_reset(struct stream *s)
{
	if (s->finishing && !s->closing && !s->unix_socket) {
		/* libuv refuses a reset after a shutdown; the linger does the same. */
		struct linger now = { 1, 0 };
		uv_os_fd_t fd;

		if (uv_fileno(&s->u.handle, &fd) == 0)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	}
	shut(s, true);
}

static struct stream *stream_new(struct loop *l, bool unix_socket)
{
	struct stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->loop = l;
	s->unix_socket = unix_socket;
	if (unix_socket)
		uv_pipe_init(&l->uv, &s->u.pipe, 0);
	else
		uv_tcp_init(&l->uv, &s->u.tcp);
	s->u.handle.data = s;
	return s;
}

static bool secure(struct stream *s, struct tls_context *tls, const char *server_name)
{
	s->tls = tls_conn_new(tls, server_name, tls_send, s);
	return s->tls != NULL;
}

bool stream_start(struct stream *s, const struct stream_events *on, void *owner, struct tls_context *tls)
{
	s->on = on;
	s->owner = owner;
	if (tls && !secure(s, tls, NULL))
		return false;
	read_start(s);
	return true;
}

bool stream_start_tls(struct stream *s, struct tls_context *tls, struct bytes rest)
{
	if (!secure(s, tls, NULL))
		return false;
	tls_input(s, rest);
	return true;
}

static void on_connected(uv_connect_t *req, int status)
{
	struct stream *s = req->handle->data;

	free(req);
	if (s->closing)
		return;
	if (status < 0) {
		tell_end(s, END_BROKEN, uv_strerror(status));
		return;
	}
	read_start(s);
	if (s->tls)
		tls_input(s, (struct bytes){ 0 });
	else if (s->on->ready)
		s->on->ready(s->owner);
}

struct stream *stream_connect(struct loop *l, const struct sockaddr *to, const struct stream_events *on,
			      void *owner, struct tls_context *tls, const char *server_name)
{
	struct stream *s = stream_new(l, false);
	uv_connect_t *req = malloc(sizeof *req);

	if (s) {
		s->owner = owner;
		if (req && (!tls || secure(s, tls, server_name)) &&
		    uv_tcp_connect(req, &s->u.tcp, to, on_connected) == 0) {
			s->on = on;
			uv_tcp_nodelay(&s->u.tcp, 1);
			return s;
		}
		stream_close(s); /* `on` is not set: nobody is told */
	}
	free(req);
	return NULL;
}

/* ---- listening ---- */

struct listener {
	union {
		uv_handle_t handle;
		uv_stream_t stream;
		uv_tcp_t tcp;
		uv_pipe_t pipe;
	} u;
	struct loop *loop;
	void (*accepted)(void *, struct stream *);
	void (*starved)(void *);
	void *ctx;
	struct deadline again; /* when there was no memory for a stream */
	bool unix_socket;
};

enum { BACKLOG = 4096, AGAIN_MS = 100 };

static void on_connection(uv_stream_t *, int status);

/* libuv holds the connection until it is accepted, and takes no other. */
static void accept_again(void *listener)
{
	struct listener *l = listener;

	on_connection(&l->u.stream, 0);
}

static void on_connection(uv_stream_t *h, int status)
{
	struct listener *l = h->data;
	struct stream *s = status == 0 ? stream_new(l->loop, l->unix_socket) : NULL;

	/* Out of descriptors, libuv accepts and closes by means of one that it has spared;
	 * where another thread was quicker to take that, it tries again and again. */
	if (status < 0 && l->starved)
		l->starved(l->ctx);
	if (!s && status == 0)
		deadline_set(l->loop, &l->again, AGAIN_MS, accept_again, l);
	if (!s)
		return;
	if (uv_accept(h, &s->u.stream) != 0) {
		stream_close(s);
		return;
	}
	if (!l->unix_socket)
		uv_tcp_nodelay(&s->u.tcp, 1);
	l->accepted(l->ctx, s);
}

struct listener *listener_open(struct loop *loop, int fd, void (*accepted)(void *, struct stream *),
			       void *ctx, struct err *err)
{
	struct listener *l = calloc(1, sizeof *l);
	struct sockaddr_storage sa;
	socklen_t len = sizeof sa;
	int r;

	if (!l || getsockname(fd, (struct sockaddr *)&sa, &len) != 0) {
		err_set(err, SIDE_SELF, 0, l ? "not a socket" : "out of memory");
		close(fd);
		free(l);
		return NULL;
	}
	*l = (struct listener){ .loop = loop, .accepted = accepted, .ctx = ctx,
				.unix_socket = sa.ss_family == AF_UNIX };
	if (l->unix_socket) {
		uv_pipe_init(&loop->uv, &l->u.pipe, 0);
		r = uv_pipe_open(&l->u.pipe, fd);
	} else {
		uv_tcp_init(&loop->uv, &l->u.tcp);
		r = uv_tcp_open(&l->u.tcp, fd);
	}
	l->u.handle.data = l;
	if (r != 0)
		close(fd);
	else
		r = uv_listen(&l->u.stream, BACKLOG, on_connection);
	if (r == 0)
		return l;
	err_set(err, SIDE_SELF, r, "listen: %s", uv_strerror(r));
	listener_close(l);
	return NULL;
}

void listener_on_starved(struct listener *l, void (*starved)(void *))
{
	l->starved = starved;
}

static void on_listener_closed(uv_handle_t *h)
{
	free(h->data);
}

void listener_close(struct listener *l)
{
	if (!l)
		return;
	deadline_clear(&l->again);
	uv_close(&l->u.handle, on_listener_closed);
}

/* ---- facts ---- */

bool stream_peer(const struct stream *s, struct ip *ip, uint16_t *port)
{
	struct sockaddr_storage sa;
	int len = sizeof sa;

	return !s->unix_socket &&
	       uv_tcp_getpeername(&s->u.tcp, (struct sockaddr *)&sa, &len) == 0 &&
	       ip_from_sockaddr((struct sockaddr *)&sa, ip, port);
}

bool stream_local(const struct stream *s, struct ip *ip, uint16_t *port)
{
	struct sockaddr_storage sa;
	int len = sizeof sa;

	return !s->unix_socket &&
	       uv_tcp_getsockname(&s->u.tcp, (struct sockaddr *)&sa, &len) == 0 &&
	       ip_from_sockaddr((struct sockaddr *)&sa, ip, port);
}

const char *stream_tls_version(const struct stream *s)
{
	return s->tls ? tls_conn_version(s->tls) : NULL;
}

const char *stream_tls_cipher(const struct stream *s)
{
	return s->tls ? tls_conn_cipher(s->tls) : NULL;
}

const char *stream_tls_server_name(const struct stream *s)
{
	return s->tls ? tls_conn_server_name(s->tls) : NULL;
}

struct loop *stream_loop(const struct stream *s)
{
	return s->loop;
}
