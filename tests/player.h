/* player.h -- for tests: a server that is a thread with a blocking socket on 127.0.0.1.
 * It plays one script a connection, and keeps what it was asked. */
#ifndef TESTS_PLAYER_H
#define TESTS_PLAYER_H
#include "tests/test.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

enum then { CLOSE, RESET, HOLD };

struct script {
	const char *say;
	enum then then;     /* HOLD: until the other end has gone */
	bool by_bytes;      /* every byte on its own */
	size_t more;        /* so many 'x' behind it */
	bool unread;        /* does not read the request first */
};

struct player {
	int fd;
	uint16_t port;
	const struct script *scripts;
	size_t n;
	char asked[32][4096]; /* by connection */
	pthread_t thread;
};

static inline void player_read(int fd, char *out, size_t cap)
{
	size_t n = 0, length;
	const char *end, *at;
	ssize_t got;

	while (n + 1 < cap && (got = recv(fd, out + n, cap - 1 - n, 0)) > 0) {
		n += (size_t)got;
		out[n] = '\0';
		end = strstr(out, "\r\n\r\n");
		at = strstr(out, "Content-Length: ");
		length = at ? strtoul(at + 16, NULL, 10) : 0;
		if (end && n >= (size_t)(end + 4 - out) + length)
			return;
	}
}

static inline void player_play(int fd, const struct script *s)
{
	char many[4096];
	struct linger now = { 1, 0 };
	char drop[512];

	memset(many, 'x', sizeof many);
	for (size_t i = 0, n = strlen(s->say), step = s->by_bytes ? 1 : n; i < n; i += step)
		if (send(fd, s->say + i, step, MSG_NOSIGNAL) < 0)
			break;
		else if (s->by_bytes)
			usleep(300);
	for (size_t left = s->more, n; left; left -= n) {
		n = left < sizeof many ? left : sizeof many;
		if (send(fd, many, n, MSG_NOSIGNAL) < 0)
			break;
	}
	if (s->then == RESET)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	while (s->then == HOLD && recv(fd, drop, sizeof drop, 0) > 0)
		;
	close(fd);
}

static inline void *player_run(void *arg)
{
	struct player *s = arg;
	struct timeval patience = { 20, 0 };

	for (size_t i = 0; i < s->n; i++) {
		int fd = accept(s->fd, NULL, NULL);

		if (fd < 0)
			break;
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
		if (!s->scripts[i].unread && i < 32)
			player_read(fd, s->asked[i], sizeof s->asked[i]);
		player_play(fd, &s->scripts[i]);
	}
	return NULL;
}

static inline void player_open(struct player *p)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;

	p->fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(p->fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(listen(p->fd, 64), 0);
	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&at, &len), 0);
	p->port = ntohs(at.sin_port);
}

static inline void player_start(struct player *p, const struct script *scripts, size_t n)
{
	memset(p->asked, 0, sizeof p->asked);
	p->scripts = scripts;
	p->n = n;
	assert_int_equal(pthread_create(&p->thread, NULL, player_run, p), 0);
}

/* Once every script has been played. */
static inline void player_done(struct player *p)
{
	pthread_join(p->thread, NULL);
}

static inline void player_close(struct player *p)
{
	close(p->fd);
}
#endif
