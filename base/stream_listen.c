/* stream_listen.c -- sockets that connections come from. */
#include "base/stream_parts.h"
#include <sys/socket.h>
#include <unistd.h>

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
