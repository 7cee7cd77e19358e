/* calibrate.c -- how fast this core is right now.
 *
 * Prints the nanoseconds of CPU that one message of 500 bytes over loopback costs
 * (send, epoll_wait, recv): what a proxy mostly does. A shared machine drifts, and
 * the measurement beside it is corrected by this figure. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

enum { ROUNDS = 6, MESSAGES = 1500, BYTES_EACH = 500 };

static double cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A connection to ourselves. */
static int connect_pair(int ends[2])
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	ends[0] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&at, len) != 0 || listen(listener, 1) != 0 ||
	    getsockname(listener, (struct sockaddr *)&at, &len) != 0 ||
	    connect(ends[0], (struct sockaddr *)&at, len) != 0)
		return -1;
	ends[1] = accept(listener, NULL, NULL);
	return ends[1];
}

int main(void)
{
	static char room[4096];
	struct epoll_event e = { .events = EPOLLIN };
	int ends[2], poll = epoll_create1(0);
	double best = 1e18;

	if (connect_pair(ends) < 0 || epoll_ctl(poll, EPOLL_CTL_ADD, ends[1], &e) != 0)
		return 1;
	for (int round = 0; round < ROUNDS; round++) {
		double t = cpu_ns();

		for (int i = 0; i < MESSAGES; i++)
			if (send(ends[0], room, BYTES_EACH, 0) < 0 || epoll_wait(poll, &e, 1, 1000) != 1 ||
			    recv(ends[1], room, sizeof room, 0) < 0)
				return 1;
		t = (cpu_ns() - t) / MESSAGES;
		best = t < best ? t : best;
	}
	printf("%.1f\n", best);
	return 0;
}
