/* syslog_in.c -- lines from UDP and TCP. */
#include "proxy/syslog_in.h"
#include "base/stream.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	CONNECTIONS_MAX = 256,
	COUNT_DIGITS = 5,          /* of a counted line: LOG_READ_MAX has so many */
	ROOM_FIRST = 4096,
	ROOM_MAX = 4 * LOG_READ_MAX, /* a line that is not whole, and one read behind it */
	TURN_DATAGRAMS = 256,      /* before others have their turn */
	SECOND_MS = 1000,
};

struct syslog_conn {
	struct syslog_conn *next, **link;
	struct syslog_in *in;
	struct stream *stream;
	char *room;
	size_t len, cap;
	bool skipping; /* the rest of a line that was cut */
};

struct syslog_in {
	struct loop *loop;
	struct syslog_setup setup;
	struct log_source source;
	struct log_taker taker;
	struct watch *watch;       /* UDP */
	struct listener *listener; /* TCP */
	int fd;
	struct syslog_conn *conns;
	size_t nconns;
	uint64_t second_ms; /* in which `lines` were counted */
	uint32_t lines;
	struct deadline resume;
	bool paused;
	void (*closed)(void *ctx); /* set: closing */
	void *closed_ctx;
};

/* ---- lines, at a rate ---- */

static bool within_rate(struct syslog_in *in)
{
	uint64_t now = loop_now_ms(in->loop);

	if (now - in->second_ms >= SECOND_MS) {
		in->second_ms = now;
		in->lines = 0;
	}
	return in->lines < in->setup.rate;
}

static void give(struct syslog_in *in, struct bytes line, bool cut)
{
	if (cut)
		in->taker.lost(in->taker.ctx, LOG_CUT, 1);
	if (!line.len)
		return;
	in->lines++;
	in->taker.line(in->taker.ctx, &in->source, line);
}

static void lost(struct syslog_in *in)
{
	in->taker.lost(in->taker.ctx, LOG_DROPPED, 1);
}

static bool is_heard(const struct syslog_in *in, const struct ip *from)
{
	return in->setup.nfrom == 0 || ip_in_nets(from, in->setup.from, in->setup.nfrom);
}

/* ---- UDP ---- */

static void on_datagrams(void *arg)
{
	struct syslog_in *in = arg;
	static _Thread_local char room[LOG_READ_MAX];

	for (unsigned i = 0; i < TURN_DATAGRAMS; i++) {
		struct sockaddr_storage from;
		socklen_t size = sizeof from;
		ssize_t n = recvfrom(in->fd, room, sizeof room, MSG_DONTWAIT | MSG_TRUNC, (struct sockaddr *)&from, &size);
		bool cut = n > (ssize_t)sizeof room;
		struct ip ip;
		uint16_t port;

		if (n < 0)
			return;
		if (!ip_from_sockaddr((struct sockaddr *)&from, &ip, &port) || !is_heard(in, &ip) || !within_rate(in))
			lost(in);
		else
			give(in, (struct bytes){ room, cut ? sizeof room : (size_t)n }, cut);
	}
}

/* ---- TCP ---- */

static void conn_end(struct syslog_conn *c)
{
	if (c->stream)
		stream_close(c->stream);
	c->stream = NULL;
}

/* "64 <13>...": the number and its blank; SIZE_MAX: not whole yet; 0: not counted, or no such number. */
static size_t count_of(struct bytes in, size_t *digits)
{
	size_t n = 0, i = 0;

	while (i < in.len && i < COUNT_DIGITS && in.at[i] >= '0' && in.at[i] <= '9')
		n = n * 10 + (size_t)(in.at[i++] - '0');
	*digits = i + 1;
	if (i == in.len)
		return i ? SIZE_MAX : 0;
	return i && in.at[i] == ' ' && in.at[0] != '0' && n <= LOG_READ_MAX ? n : 0;
}

/* One line off the front; false: more bytes are needed. *used may be a part that is skipped. */
static bool take_line(struct syslog_conn *c, struct bytes in, size_t *used)
{
	size_t digits, count = c->skipping ? 0 : count_of(in, &digits), end;

	*used = 0;
	if (count == SIZE_MAX || (count && in.len < digits + count))
		return false;
	if (count) {
		*used = digits + count;
		give(c->in, bytes_sub(in, digits, *used), false);
		return true;
	}
	end = bytes_index(in, '\n');
	if (end == SIZE_MAX && in.len < LOG_READ_MAX)
		return false;
	if (!c->skipping)
		give(c->in, bytes_sub(in, 0, end < LOG_READ_MAX ? end : LOG_READ_MAX), end == SIZE_MAX || end > LOG_READ_MAX);
	c->skipping = end == SIZE_MAX;
	*used = end == SIZE_MAX ? in.len : end + 1;
	return true;
}

static void on_resume(void *arg);

static void pause_all(struct syslog_in *in)
{
	in->paused = true;
	for (struct syslog_conn *c = in->conns; c; c = c->next)
		if (c->stream)
			stream_pause(c->stream);
	deadline_set(in->loop, &in->resume, SECOND_MS - (loop_now_ms(in->loop) - in->second_ms), on_resume, in);
}

static void take_lines(struct syslog_conn *c)
{
	size_t at = 0, used;
	bool more = true;

	while (at < c->len && (more = within_rate(c->in)) && take_line(c, (struct bytes){ c->room + at, c->len - at }, &used))
		at += used;
	c->len -= at;
	memmove(c->room, c->room + at, c->len);
	if (!more && !c->in->paused)
		pause_all(c->in);
}

static void on_resume(void *arg)
{
	struct syslog_in *in = arg;

	in->paused = false;
	for (struct syslog_conn *c = in->conns; c; c = c->next)
		take_lines(c);
	for (struct syslog_conn *c = in->conns; c && !in->paused; c = c->next)
		if (c->stream)
			stream_resume(c->stream);
}

static bool conn_room(struct syslog_conn *c)
{
	size_t cap = c->cap ? c->cap * 4 : ROOM_FIRST;
	char *grown;

	if (c->len < c->cap)
		return true;
	if (cap > ROOM_MAX)
		cap = ROOM_MAX;
	if (cap == c->cap || !(grown = realloc(c->room, cap)))
		return false;
	c->room = grown;
	c->cap = cap;
	return true;
}

/* Paused in the midst of these bytes, by the rate: what has no room is lost, and said to be. */
static void on_bytes(void *owner, struct bytes b)
{
	struct syslog_conn *c = owner;

	while (b.len && c->stream) {
		size_t n;

		if (!conn_room(c)) {
			lost(c->in);
			conn_end(c);
			return;
		}
		n = b.len < c->cap - c->len ? b.len : c->cap - c->len;
		memcpy(c->room + c->len, b.at, n);
		c->len += n;
		b = bytes_from(b, n);
		take_lines(c);
	}
}

/* What came last may lack its LF. */
static void on_ended(void *owner, enum stream_end end, const char *why)
{
	struct syslog_conn *c = owner;

	(void)why;
	if (end == END_CLEAN && c->len && !c->skipping)
		give(c->in, (struct bytes){ c->room, c->len < LOG_READ_MAX ? c->len : LOG_READ_MAX }, false);
	conn_end(c);
}

static void finish(struct syslog_in *in)
{
	void (*closed)(void *) = in->closed;
	void *ctx = in->closed_ctx;

	if (!closed || in->nconns)
		return;
	free(in);
	closed(ctx);
}

static void on_closed(void *owner)
{
	struct syslog_conn *c = owner;
	struct syslog_in *in = c->in;

	*c->link = c->next;
	if (c->next)
		c->next->link = c->link;
	in->nconns--;
	free(c->room);
	free(c);
	finish(in);
}

static void drop_closed(void *owner)
{
	(void)owner;
}

static void drop_bytes(void *owner, struct bytes b)
{
	(void)owner, (void)b;
}

static void drop_ended(void *owner, enum stream_end end, const char *why)
{
	(void)owner, (void)end, (void)why;
}

static void refuse(struct syslog_in *in, struct stream *s)
{
	static const struct stream_events none = { .bytes = drop_bytes, .ended = drop_ended, .closed = drop_closed };

	lost(in);
	if (stream_start(s, &none, in, NULL))
		stream_reset(s);
}

static void on_accepted(void *ctx, struct stream *s)
{
	static const struct stream_events events = { .bytes = on_bytes, .ended = on_ended, .closed = on_closed };
	struct syslog_in *in = ctx;
	struct syslog_conn *c;
	struct ip ip;
	uint16_t port;

	if (in->closed || in->nconns >= CONNECTIONS_MAX || !stream_peer(s, &ip, &port) || !is_heard(in, &ip) ||
	    !(c = calloc(1, sizeof *c))) {
		refuse(in, s);
		return;
	}
	c->in = in;
	c->stream = s;
	c->next = in->conns;
	c->link = &in->conns;
	if (c->next)
		c->next->link = &c->next;
	in->conns = c;
	in->nconns++;
	if (!stream_start(s, &events, c, NULL))
		conn_end(c);
	else if (in->paused)
		stream_pause(s);
}

/* ---- opening ---- */

static int bind_to(const struct syslog_setup *s, struct err *err)
{
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = htons(s->port) };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = htons(s->port) };
	bool is4 = ip_is4(&s->address);
	int fd = socket(is4 ? AF_INET : AF_INET6, (s->udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), yes = 1;

	memcpy(&to6.sin6_addr, s->address.b, 16);
	memcpy(&to4.sin_addr, s->address.b + 12, 4);
	if (fd < 0 || (!s->udp && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0) ||
	    bind(fd, is4 ? (struct sockaddr *)&to4 : (struct sockaddr *)&to6, is4 ? sizeof to4 : sizeof to6) != 0) {
		err_set(err, SIDE_CONFIG, errno, "%.*s: %s", BYTES_ARG(s->name), strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

struct syslog_in *syslog_in_open(struct loop *loop, const struct syslog_setup *setup, const struct log_taker *taker, struct err *err)
{
	struct syslog_in *in = calloc(1, sizeof *in);
	int fd = in ? bind_to(setup, err) : -1;

	if (fd < 0) {
		if (!in)
			err_set(err, SIDE_SELF, 0, "out of memory");
		free(in);
		return NULL;
	}
	*in = (struct syslog_in){ .loop = loop, .setup = *setup, .taker = *taker, .fd = fd,
				  .source = { setup->reader, BYTES("syslog"), setup->name } };
	if (setup->udp && !(in->watch = watch_readable(loop, fd, on_datagrams, in))) {
		err_set(err, SIDE_SELF, 0, "out of memory");
		close(fd);
	} else if (!setup->udp) {
		in->listener = listener_open(loop, fd, on_accepted, in, err);
	}
	if (in->watch || in->listener)
		return in;
	free(in);
	return NULL;
}

void syslog_in_close(struct syslog_in *in, void (*closed)(void *ctx), void *ctx)
{
	in->closed = closed;
	in->closed_ctx = ctx;
	deadline_clear(&in->resume);
	if (in->watch) {
		watch_free(in->watch);
		close(in->fd);
	}
	if (in->listener)
		listener_close(in->listener);
	for (struct syslog_conn *c = in->conns; c; c = c->next)
		conn_end(c);
	finish(in);
}

uint16_t syslog_in_port(const struct syslog_in *in)
{
	struct sockaddr_storage at;
	socklen_t size = sizeof at;
	struct ip ip;
	uint16_t port;

	if (getsockname(in->fd, (struct sockaddr *)&at, &size) != 0 || !ip_from_sockaddr((struct sockaddr *)&at, &ip, &port))
		return 0;
	return port;
}
