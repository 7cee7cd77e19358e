/* load_conn.c -- one connection of the load generator, and the answers on it.
 *
 * It trusts the servers that it measures: heads are searched, not parsed. */
#include "tools/load.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

void die(const char *what)
{
	perror(what);
	exit(2);
}

void conn_close(struct conn *c)
{
	struct linger at_once = { 1, 0 };

	if (c->ssl) {
		SSL_set_quiet_shutdown(c->ssl, 1);
		SSL_free(c->ssl);
		c->ssl = NULL;
	}
	if (c->fd >= 0) {
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
		close(c->fd);
	}
	c->fd = -1;
	c->connected = c->shaken = false;
}

bool conn_open(struct load *l, struct conn *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(l->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct epoll_event e = { .events = EPOLLIN | EPOLLOUT | EPOLLET, .data.ptr = c };
	int one = 1;

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (c->fd < 0)
		die("socket");
	setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
	if (connect(c->fd, (struct sockaddr *)&to, sizeof to) != 0 && errno != EINPROGRESS) {
		conn_close(c);
		return false;
	}
	if (l->tls) {
		c->ssl = SSL_new(l->ctx);
		SSL_set_fd(c->ssl, c->fd);
		SSL_set_connect_state(c->ssl);
		SSL_set_tlsext_host_name(c->ssl, "shop.example.com");
	}
	return epoll_ctl(l->poll, EPOLL_CTL_ADD, c->fd, &e) == 0;
}

static bool tls_waits(const struct conn *c, int r)
{
	int e = SSL_get_error(c->ssl, r);

	return e == SSL_ERROR_WANT_READ || e == SSL_ERROR_WANT_WRITE;
}

ssize_t conn_send(struct conn *c, struct bytes b)
{
	ssize_t r;

	if (c->ssl) {
		int n = SSL_write(c->ssl, b.at, (int)b.len);

		return n > 0 ? n : tls_waits(c, n) ? 0 : -1;
	}
	r = send(c->fd, b.at, b.len, MSG_NOSIGNAL);
	return r >= 0 ? r : errno == EAGAIN ? 0 : -1;
}

ssize_t conn_receive(struct conn *c, char *room)
{
	ssize_t r;

	if (c->ssl) {
		int n = SSL_read(c->ssl, room, READ_BYTES);

		return n > 0 ? n : tls_waits(c, n) ? 0 : -1;
	}
	r = recv(c->fd, room, READ_BYTES, 0);
	return r > 0 ? r : r < 0 && errno == EAGAIN ? 0 : -1;
}

int conn_ready(struct load *l, struct conn *c)
{
	struct sockaddr_in peer;
	socklen_t len = sizeof peer, elen = sizeof(int);
	int fault = 0, r;

	if (!c->connected && getpeername(c->fd, (struct sockaddr *)&peer, &len) != 0) {
		getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &fault, &elen);
		return fault ? -1 : 0;
	}
	c->connected = true;
	if (!c->ssl || c->shaken)
		return 1;
	r = SSL_do_handshake(c->ssl);
	if (r != 1)
		return tls_waits(c, r) ? 0 : -1;
	c->shaken = true;
	l->handshakes++;
	l->resumed += SSL_session_reused(c->ssl) != 0;
	return 1;
}

/* ---- one answer ---- */

static void head_read(struct conn *c, size_t end)
{
	struct bytes head = { c->head, end };
	size_t length = bytes_find_nocase(head, BYTES("\r\ncontent-length:"));

	c->head_done = true;
	c->status = end > 12 ? (unsigned)strtoul(c->head + 9, NULL, 10) : 0;
	c->closes = bytes_find_nocase(head, BYTES("\r\nconnection: close")) != SIZE_MAX;
	c->chunked = bytes_find_nocase(head, BYTES("\r\ntransfer-encoding: chunked")) != SIZE_MAX;
	c->left = length == SIZE_MAX ? 0 : strtoll(c->head + length + 17, NULL, 10);
	memset(c->tail, 0, sizeof c->tail);
}

/* True once the last chunk has come; no chunk here ends in what looks like one. */
static bool chunks_end(struct conn *c, const char *at, size_t n)
{
	size_t keep = n < sizeof c->tail ? sizeof c->tail - n : 0;

	memmove(c->tail, c->tail + sizeof c->tail - keep, keep);
	memcpy(c->tail + keep, at + n - (sizeof c->tail - keep), sizeof c->tail - keep);
	return memcmp(c->tail, "0\r\n\r\n", 5) == 0;
}

bool answer_feed(struct conn *c, const char *at, size_t n)
{
	if (!c->head_done) {
		size_t had = c->nhead, take = n < HEAD_BYTES - had ? n : HEAD_BYTES - had, end;

		memcpy(c->head + had, at, take);
		c->nhead += take;
		end = bytes_find((struct bytes){ c->head, c->nhead }, BYTES("\r\n\r\n"));
		if (end == SIZE_MAX)
			return false;
		head_read(c, end);
		at += end + 4 - had;
		n -= end + 4 - had;
	}
	if (c->chunked)
		return chunks_end(c, at, n);
	c->left -= (int64_t)n;
	return c->left <= 0;
}
