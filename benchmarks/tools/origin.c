/* origin.c -- the application behind every peer: cheap, and the same for all.
 *
 * It reads a whole request (Content-Length or chunked), then answers with a fixed
 * page of 1 KiB, keep-alive. (nginx's `return 200` answers before it has read a
 * body, which would disturb the upload measurements.) It trusts the proxies in
 * front: heads are searched, not parsed.
 *
 *   origin PORT */
#include "base/bytes.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { HEAD_BYTES = 16 << 10, READ_BYTES = 128 << 10, PAGE_BYTES = 1024, EVENTS = 256 };

struct conn {
	int fd;
	size_t nhead;
	uint64_t left; /* of a body with a length */
	bool chunked;
	char head[HEAD_BYTES], tail[5];
};

static struct bytes page(char *room, size_t cap)
{
	static const char line[] = "<p>lorem ipsum dolor sit amet</p>\n";
	int n = snprintf(room, cap, "HTTP/1.1 200 OK\r\nServer: origin\r\nDate: Tue, 24 Nov 2026 00:00:00 GMT\r\n"
			 "Content-Type: text/html; charset=utf-8\r\nCache-Control: no-cache\r\n"
			 "Content-Length: %d\r\n\r\n", PAGE_BYTES);

	for (int i = 0; i < PAGE_BYTES; i++)
		room[n++] = line[(size_t)i % (sizeof line - 1)];
	return (struct bytes){ room, (size_t)n };
}

/* Both take bytes off the front of *in; true when a request ends there. */
static bool body_feed(struct conn *c, struct bytes *in)
{
	size_t n = in->len, take = n < sizeof c->tail ? n : sizeof c->tail;

	if (!c->chunked) {
		n = n < c->left ? n : (size_t)c->left;
		c->left -= n;
		*in = bytes_from(*in, n);
		return c->left == 0;
	}
	memmove(c->tail, c->tail + take, sizeof c->tail - take);
	memcpy(c->tail + sizeof c->tail - take, in->at + n - take, take);
	*in = BYTES("");
	c->chunked = memcmp(c->tail, "0\r\n\r\n", 5) != 0;
	return !c->chunked;
}

static bool head_feed(struct conn *c, struct bytes *in)
{
	size_t had = c->nhead, take = bytes_sub(*in, 0, HEAD_BYTES - had).len, end, at;
	struct bytes head;

	memcpy(c->head + had, in->at, take);
	c->nhead += take;
	end = bytes_find((struct bytes){ c->head, c->nhead }, BYTES("\r\n\r\n"));
	if (end == SIZE_MAX) {
		*in = bytes_from(*in, take);
		return false;
	}
	*in = bytes_from(*in, end + 4 - had);
	c->nhead = 0;
	head = (struct bytes){ c->head, end };
	at = bytes_find_nocase(head, BYTES("\ncontent-length:"));
	c->left = at == SIZE_MAX ? 0 : strtoull(c->head + at + 16, NULL, 10);
	c->chunked = at == SIZE_MAX && bytes_find_nocase(head, BYTES("\ntransfer-encoding:")) != SIZE_MAX;
	memset(c->tail, 0, sizeof c->tail);
	return c->left == 0 && !c->chunked;
}

static bool conn_serve(struct conn *c, struct bytes in, struct bytes answer)
{
	while (in.len) {
		bool whole = c->left || c->chunked ? body_feed(c, &in) : head_feed(c, &in);

		if (c->nhead == HEAD_BYTES || (whole && send(c->fd, answer.at, answer.len, MSG_NOSIGNAL) < 0))
			return false;
	}
	return true;
}

static void accept_all(int poll, int listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		struct conn *c = calloc(1, sizeof *c);
		struct epoll_event e = { .events = EPOLLIN, .data.ptr = c };

		if (!c)
			exit(2);
		c->fd = fd;
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
		epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e);
	}
}

static int listen_on(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) != 0 || listen(fd, 4096) != 0) {
		perror("origin");
		exit(2);
	}
	return fd;
}

int main(int argc, char **argv)
{
	static char room[2048], in[READ_BYTES];
	struct epoll_event e = { .events = EPOLLIN }, events[EVENTS];
	struct bytes answer = page(room, sizeof room);
	int poll = epoll_create1(0), listener;

	if (argc < 2)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	listener = listen_on((uint16_t)strtoul(argv[1], NULL, 10));
	epoll_ctl(poll, EPOLL_CTL_ADD, listener, &e);
	for (;;)
		for (int i = 0, n = epoll_wait(poll, events, EVENTS, -1); i < n; i++) {
			struct conn *c = events[i].data.ptr;
			ssize_t got = c ? recv(c->fd, in, sizeof in, 0) : 0;

			if (!c) {
				accept_all(poll, listener);
			} else if (got <= 0 || !conn_serve(c, (struct bytes){ in, (size_t)got }, answer)) {
				close(c->fd);
				free(c);
			}
		}
}
