/* bound.c -- sockets bound to an address. */
#include "proxy/bound.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum { QUEUE = 4096 };

static bool address_of(const char *host, unsigned port, struct sockaddr_in6 *six, struct sockaddr_in *four)
{
	*six = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port) };
	*four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	if (strcmp(host, "any") == 0)
		return true;
	if (inet_pton(AF_INET, host, &four->sin_addr) == 1) {
		six->sin6_family = AF_UNSPEC;
		return true;
	}
	four->sin_family = AF_UNSPEC;
	return inet_pton(AF_INET6, host, &six->sin6_addr) == 1;
}

static int bind_one(const struct sockaddr *sa, socklen_t len, bool dual)
{
	int fd = socket(sa->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), on = 1, off = 0;
	int why;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
	if (sa->sa_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, dual ? &off : &on, sizeof on);
	/* At once: who comes before a worker accepts waits, and is not refused. */
	if (bind(fd, sa, len) == 0 && listen(fd, QUEUE) == 0)
		return fd;
	why = errno;
	close(fd);
	errno = why;
	return -1;
}

static int bind_any(const char *host, unsigned port)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	int fd = -1;

	if (!address_of(host, port, &six, &four)) {
		errno = EINVAL;
		return -1;
	}
	if (six.sin6_family == AF_INET6)
		fd = bind_one((struct sockaddr *)&six, sizeof six, four.sin_family == AF_INET);
	if (fd < 0 && four.sin_family == AF_INET && errno != EADDRINUSE && errno != EACCES)
		fd = bind_one((struct sockaddr *)&four, sizeof four, false);
	return fd;
}

/* Does a stranger listen there? SO_REUSEPORT would let us share its port. */
static bool taken_by_other(const char *host, unsigned port)
{
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	bool taken = false;
	int on = 1, fd;

	address_of(host, port, &six, &four);
	fd = socket(six.sin6_family == AF_INET6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	taken = (six.sin6_family == AF_INET6 ? bind(fd, (struct sockaddr *)&six, sizeof six)
					     : bind(fd, (struct sockaddr *)&four, sizeof four)) != 0 &&
		errno == EADDRINUSE;
	close(fd);
	return taken;
}

void bound_close(struct bound *b)
{
	while (b->n > 0)
		close(b->fds[--b->n]);
}

bool bound_open(struct bound *b, unsigned n, const char *host, unsigned port, struct err *err)
{
	int why;

	*b = (struct bound){ .n = 0 };
	if (n == 0 || n > SOCKETS_MAX)
		return err_set(err, SIDE_CONFIG, 0, "more than %d workers", SOCKETS_MAX);
	if (taken_by_other(host, port))
		return err_set(err, SIDE_CONFIG, EADDRINUSE, "cannot listen on %s port %u: another program does",
			       host, port);
	snprintf(b->key, sizeof b->key, "%s %u", host, port);
	while (b->n < n && (b->fds[b->n] = bind_any(host, port)) >= 0)
		b->n++;
	if (b->n == n)
		return true;
	why = errno;
	bound_close(b);
	return err_set(err, SIDE_CONFIG, why, "cannot listen on %s port %u: %s%s", host, port, strerror(why),
		       why == EACCES ? " (ports below 1024 need root or CAP_NET_BIND_SERVICE)" : "");
}
