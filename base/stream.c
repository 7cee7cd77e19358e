/* stream.c -- connections: libuv at the edge.
 *
 * Trampolines convert, call one function and decide nothing. Bytes are read into
 * a buffer of the loop, so an idle connection holds none of its own. */
#include "base/stream_parts.h"
#include <sys/socket.h>

void stream_tell_end(struct stream *s, enum stream_end end, const char *why)
{
	if (s->closing || s->at_end)
		return;
	s->at_end = true;
	if (end == END_BROKEN)
		s->broken = true;
	s->on->ended(s->owner, end, why);
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
		stream_tls_input(s, (struct bytes){ buf->base, (size_t)n });
	else if (n > 0)
		s->on->bytes(s->owner, (struct bytes){ buf->base, (size_t)n });
	else if (n == UV_EOF && s->tls)
		stream_tell_end(s, END_BROKEN, s->secured ? "TLS connection cut without close_notify"
						   : "connection closed during the TLS handshake");
	else if (n < 0)
		stream_tell_end(s, n == UV_EOF ? END_CLEAN : END_BROKEN, uv_strerror((int)n));
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
		s->soon.fn = stream_tls_go_on;
		s->soon.arg = s;
		loop_soon(s->loop, &s->soon);
		return;
	}
	read_start(s);
}

/* ---- life ---- */

static void on_closed(uv_handle_t *h)
{
	struct stream *s = h->data;

	if (s->on && s->on->closed)
		s->on->closed(s->owner);
	tls_conn_free(s->tls);
	free(s->stash);
	stream_forget_waiting(s);
	free(s);
}

static void shut(struct stream *s, bool reset)
{
	if (s->closing)
		return;
	stream_send_held(s);
	stream_forget_held(s);
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

struct stream *stream_new(struct loop *l, bool unix_socket)
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

bool stream_start(struct stream *s, const struct stream_events *on, void *owner, struct tls_context *tls)
{
	s->on = on;
	s->owner = owner;
	if (tls && !stream_secure(s, tls, NULL))
		return false;
	read_start(s);
	return true;
}

bool stream_start_tls(struct stream *s, struct tls_context *tls, struct bytes rest)
{
	if (!stream_secure(s, tls, NULL))
		return false;
	stream_tls_input(s, rest);
	return true;
}

static void on_connected(uv_connect_t *req, int status)
{
	struct stream *s = req->handle->data;

	free(req);
	if (s->closing)
		return;
	if (status < 0) {
		stream_tell_end(s, END_BROKEN, uv_strerror(status));
		return;
	}
	read_start(s);
	if (s->tls)
		stream_tls_input(s, (struct bytes){ 0 });
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
		if (req && (!tls || stream_secure(s, tls, server_name)) &&
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

struct bytes stream_tls_ja4(const struct stream *s)
{
	return s->tls ? tls_conn_ja4(s->tls) : (struct bytes){ 0 };
}

struct loop *stream_loop(const struct stream *s)
{
	return s->loop;
}
