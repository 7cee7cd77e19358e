/* load.c -- a bounded load generator: one thread, epoll, 127.0.0.1 only.
 *
 *   closed loop   each connection sends as soon as it has its answer: saturation
 *   open loop     -r: requests are due at fixed times and latency counts from the
 *                 due time, so a server that stalls cannot hide it
 *   idle          -i: opens connections, one request on each, then waits on stdin
 *
 *   load -p PORT -f REQUESTS [-c CONNECTIONS] [-r PER_SECOND] [-d SECONDS]
 *        [-w WARM_UP_SECONDS] [-t TLS] [-n a connection per request] [-i N]
 *
 * The request file repeats "REQ <length>\n<raw bytes>\n"; requests are used in
 * order, round and round. The result is one line of JSON. */
#include "tools/load.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, MAX_SECONDS = 120, IDLE_AHEAD = 32 };
static const uint64_t SECOND = 1000000000;

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

/* ---- requests ---- */

static void remember(struct load *l, uint64_t took_ns)
{
	if (l->nlatency == l->latency_cap) {
		l->latency_cap = l->latency_cap ? 2 * l->latency_cap : 1 << 20;
		l->latency_us = realloc(l->latency_us, l->latency_cap * sizeof *l->latency_us);
		if (!l->latency_us)
			die("memory");
	}
	l->latency_us[l->nlatency++] = (float)took_ns / 1000;
}

static void request_end(struct load *l, struct conn *c, bool answered)
{
	uint64_t t = now_ns();

	if (c->busy && t >= l->from_ns && t <= l->until_ns) {
		l->done += answered;
		l->errors += !answered;
		if (answered)
			l->by_class[c->status / 100 % 6]++;
		if (answered && c->due_ns >= l->from_ns)
			remember(l, t - c->due_ns);
	}
	if (c->busy && l->rate > 0)
		l->rested[l->nrested++] = (int)(c - l->conns);
	c->busy = false;
	if (!answered || l->fresh || c->closes)
		conn_close(c);
}

/* Sends and receives what can be. */
static void conn_go(struct load *l, struct conn *c)
{
	int ready = c->fd < 0 ? 0 : conn_ready(l, c);
	ssize_t r = 1;

	while (ready > 0 && c->busy && c->sent < c->ask->len && r > 0) {
		r = conn_send(c, bytes_from(*c->ask, c->sent));
		c->sent += r > 0 ? (size_t)r : 0;
	}
	while (ready > 0 && r >= 0) {
		r = conn_receive(c, l->room);
		if (r == 0)
			return;
		if (r > 0 && c->busy && answer_feed(c, l->room, (size_t)r)) {
			request_end(l, c, true);
			return;
		}
		if (r > 0 && !c->ssl && r < READ_BYTES)
			return; /* edge triggered: a short read has emptied the socket */
	}
	if (ready < 0 || r < 0)
		request_end(l, c, false);
}

static void request_start(struct load *l, struct conn *c, uint64_t due_ns)
{
	c->busy = true;
	c->due_ns = due_ns;
	c->ask = &l->asks[l->next_ask++ % l->nasks];
	c->sent = c->nhead = 0;
	c->head_done = false;
	if (c->fd < 0 && !conn_open(l, c))
		request_end(l, c, false);
	else
		conn_go(l, c);
}

static int wait_and_go(struct load *l, uint64_t at_most_ns)
{
	struct epoll_event events[EVENTS];
	struct timespec t = { (time_t)(at_most_ns / SECOND), (long)(at_most_ns % SECOND) };
	int n = epoll_pwait2(l->poll, events, EVENTS, &t, NULL);

	for (int i = 0; i < n; i++) {
		struct conn *c = events[i].data.ptr;

		conn_go(l, c);
		if (l->rate <= 0 && !l->idle && !c->busy && now_ns() < l->until_ns)
			request_start(l, c, now_ns());
	}
	return n;
}

/* ---- the three ways ---- */

static void run_closed(struct load *l)
{
	while (now_ns() < l->until_ns) {
		for (int i = 0; i < l->nconns; i++)
			if (!l->conns[i].busy)
				request_start(l, &l->conns[i], now_ns());
		/* Often enough, the loop above finds those that lost their connection. */
		for (int turns = 0; turns < 1000 && now_ns() < l->until_ns; turns++)
			if (wait_and_go(l, SECOND / 10) <= 0)
				break;
	}
}

static void run_open(struct load *l, uint64_t start_ns)
{
	double step = (double)SECOND / l->rate, next = (double)start_ns;
	uint64_t t, wait;

	for (int i = l->nconns - 1; i >= 0; i--)
		l->rested[l->nrested++] = i;
	while ((t = now_ns()) < l->until_ns + 2 * SECOND) {
		for (; next <= (double)t && next < (double)l->until_ns && l->nrested; next += step)
			request_start(l, &l->conns[l->rested[--l->nrested]], (uint64_t)next);
		if (next >= (double)l->until_ns && l->nrested == l->nconns)
			break;
		wait = next > (double)t && l->nrested ? (uint64_t)(next - (double)t) : SECOND / 100;
		wait_and_go(l, wait < SECOND / 100 ? wait : SECOND / 100);
	}
	/* What never got an answer counts with its age. */
	for (int i = 0; i < l->nconns; i++)
		if (l->conns[i].busy && l->conns[i].due_ns >= l->from_ns)
			remember(l, now_ns() - l->conns[i].due_ns);
}

static int count_busy(const struct load *l, int below)
{
	int n = 0;

	for (int i = below > 4 * IDLE_AHEAD ? below - 4 * IDLE_AHEAD : 0; i < below; i++)
		n += l->conns[i].busy;
	return n;
}

static void run_idle(struct load *l)
{
	int open = 0;
	char c;

	for (int i = 0; i < l->nconns; i++) {
		uint64_t limit = now_ns() + 2 * SECOND;

		request_start(l, &l->conns[i], now_ns());
		while (count_busy(l, i + 1) > (i + 1 < l->nconns ? IDLE_AHEAD : 0) && now_ns() < limit)
			wait_and_go(l, SECOND / 100);
	}
	for (int i = 0; i < l->nconns; i++)
		open += l->conns[i].fd >= 0 && !l->conns[i].busy;
	printf("{\"idle_open\":%d,\"errors\":%lu}\n", open, (unsigned long)l->errors);
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) < 0 && errno == EINTR)
		;
}

/* ---- in and out ---- */

static void asks_load(struct load *l, const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;
	char *at, *end;

	if (fd < 0 || fstat(fd, &st) != 0)
		die(path);
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		die(path);
	close(fd);
	for (end = at + st.st_size; end - at > 8 && memcmp(at, "REQ ", 4) == 0; l->nasks++) {
		size_t len = strtoul(at + 4, &at, 10);

		if ((size_t)(end - at) < len + 2)
			die("a request is cut short");
		l->asks = realloc(l->asks, (l->nasks + 1) * sizeof *l->asks);
		if (!l->asks)
			die("memory");
		l->asks[l->nasks] = (struct bytes){ at + 1, len };
		at += len + 2;
	}
	if (!l->nasks)
		die("no request in the file");
}

static int by_size(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;

	return x < y ? -1 : x > y;
}

static double percentile(const struct load *l, double p)
{
	size_t i = (size_t)(p * (double)l->nlatency);

	return l->nlatency ? (double)l->latency_us[i < l->nlatency ? i : l->nlatency - 1] : 0;
}

static void report(struct load *l)
{
	double sum = 0;
	int unfinished = 0;

	for (int i = 0; i < l->nconns; i++)
		unfinished += l->conns[i].busy;
	if (l->nlatency)
		qsort(l->latency_us, l->nlatency, sizeof *l->latency_us, by_size);
	for (size_t i = 0; i < l->nlatency; i++)
		sum += (double)l->latency_us[i];
	printf("{\"requests\":%lu,\"rps\":%.1f,\"errors\":%lu,\"unfinished\":%d,", (unsigned long)l->done,
	       (double)l->done / l->seconds, (unsigned long)l->errors, unfinished);
	for (int i = 1; i < 6; i++)
		printf("\"s%dxx\":%lu,", i, (unsigned long)l->by_class[i]);
	printf("\"handshakes\":%lu,\"resumed\":%lu,\"n\":%zu,\"mean_us\":%.1f,\"p50_us\":%.1f,\"p90_us\":%.1f,"
	       "\"p99_us\":%.1f,\"p999_us\":%.1f,\"max_us\":%.1f}\n", (unsigned long)l->handshakes,
	       (unsigned long)l->resumed, l->nlatency, l->nlatency ? sum / (double)l->nlatency : 0,
	       percentile(l, .5), percentile(l, .9), percentile(l, .99), percentile(l, .999), percentile(l, 1));
}

static const char *options(struct load *l, int argc, char **argv)
{
	const char *file = NULL;

	for (int o; (o = getopt(argc, argv, "p:f:c:r:d:w:tni:")) != -1;)
		switch (o) {
		case 'p': l->port = (uint16_t)strtoul(optarg, NULL, 10); break;
		case 'f': file = optarg; break;
		case 'c': l->nconns = (int)strtol(optarg, NULL, 10); break;
		case 'r': l->rate = strtod(optarg, NULL); break;
		case 'd': l->seconds = strtod(optarg, NULL); break;
		case 'w': l->warm_up = strtod(optarg, NULL); break;
		case 't': l->tls = true; break;
		case 'n': l->fresh = true; break;
		case 'i': l->idle = (int)strtol(optarg, NULL, 10); break;
		default: exit(2);
		}
	if (l->idle)
		l->nconns = l->idle;
	if (l->seconds > MAX_SECONDS)
		l->seconds = MAX_SECONDS;
	return file && l->port && l->nconns > 0 ? file : NULL;
}

static void ready(struct load *l)
{
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_TIMERSLACK, 1000); /* ns: open loop wakes when a request is due */
	l->poll = epoll_create1(0);
	l->room = malloc(READ_BYTES);
	l->conns = calloc((size_t)l->nconns, sizeof *l->conns);
	l->rested = calloc((size_t)l->nconns, sizeof *l->rested);
	if (l->poll < 0 || !l->room || !l->conns || !l->rested)
		die("start");
	for (int i = 0; i < l->nconns; i++)
		l->conns[i].fd = -1;
	if (l->tls) {
		l->ctx = SSL_CTX_new(TLS_client_method());
		SSL_CTX_set_min_proto_version(l->ctx, TLS1_3_VERSION);
		SSL_CTX_set_session_cache_mode(l->ctx, SSL_SESS_CACHE_OFF);
		SSL_CTX_set_mode(l->ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	}
}

int main(int argc, char **argv)
{
	struct load l = { .nconns = 64, .seconds = 3, .warm_up = 0.5 };
	const char *file = options(&l, argc, argv);
	uint64_t start;

	if (!file)
		return 2;
	asks_load(&l, file);
	ready(&l);
	start = now_ns();
	l.from_ns = start + (uint64_t)(l.warm_up * (double)SECOND);
	l.until_ns = l.idle ? UINT64_MAX : l.from_ns + (uint64_t)(l.seconds * (double)SECOND);
	if (l.idle) {
		run_idle(&l);
		return 0;
	}
	if (l.rate > 0)
		run_open(&l, start);
	else
		run_closed(&l);
	report(&l);
	return 0;
}
