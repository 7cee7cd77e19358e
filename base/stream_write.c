/* stream_write.c -- writing: what is small at the end of the turn (stream_held.c),
 * other things at once, and what the kernel does not take, later.
 *
 * What is left is copied, so nobody's memory is borrowed beyond the call. One
 * piece is in flight; what is written meanwhile gathers in the next, so that
 * many small writes cost their bytes alone. */
#include "base/stream_parts.h"
#include <assert.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

struct pending {
	uv_write_t req;
	size_t len, cap;
	char data[];
};

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

void stream_forget_waiting(struct stream *s)
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
		stream_forget_waiting(s);
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

bool stream_send(struct stream *s, const uv_buf_t *bufs, size_t n, size_t total)
{
	int taken = UV_EAGAIN;

	if (s->backlog == 0)
		taken = uv_try_write(&s->u.stream, bufs, (unsigned)n);
	if (taken == UV_EAGAIN)
		taken = 0;
	if (taken > 0)
		s->taken += (size_t)taken;
	if (taken < 0 || ((size_t)taken < total && !queue(s, bufs, n, (size_t)taken)))
		s->broken = true;
	return !s->broken;
}

bool stream_write_raw(struct stream *s, const struct bytes *v, size_t n)
{
	uv_buf_t bufs[STREAM_PIECES];
	size_t total = 0, nbufs = 0;

	assert(n <= STREAM_PIECES);
	if (s->closing || s->broken || s->finishing)
		return false;
	for (size_t i = 0; i < n; i++)
		if (v[i].len) {
			bufs[nbufs++] = uv_buf_init((char *)(uintptr_t)v[i].at, (unsigned)v[i].len);
			total += v[i].len;
		}
	if (total == 0 || stream_hold(s, bufs, nbufs, total))
		return true;
	return stream_send_held(s) && stream_send(s, bufs, nbufs, total);
}

bool stream_write(struct stream *s, const struct bytes *v, size_t n)
{
	if (s->closing || s->broken || s->finishing)
		return false;
	return s->tls ? stream_tls_write(s, v, n) : stream_write_raw(s, v, n);
}

size_t stream_backlog(const struct stream *s)
{
	return s->backlog;
}

uint64_t stream_taken(const struct stream *s)
{
	return s->taken;
}

/* The kernel holds megabytes, and takes from us in large steps: only this tells that
 * a slow reader reads. Asks the kernel. */
uint64_t stream_delivered(const struct stream *s)
{
	uv_os_fd_t fd;
	int held = 0;

	if (uv_fileno(&s->u.handle, &fd) != 0 || ioctl(fd, SIOCOUTQ, &held) != 0 || held < 0)
		held = 0;
	return s->taken - ((uint64_t)held < s->taken ? (uint64_t)held : s->taken);
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
	stream_send_held(s);
	s->finishing = true;
	submit(s); /* libuv's shutdown waits for what it has */
	req = malloc(sizeof *req);
	if (!req)
		shutdown_now(s);
	else if (uv_shutdown(req, &s->u.stream, on_shutdown) != 0)
		free(req);
}
