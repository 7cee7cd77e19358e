/* serve.c -- what a connection's bytes are answered does not depend on the pieces that they come in, every request that
 * its owner was given is answered, and the answers are answers. */
#include "base/http1.h"
#include "base/serve.h"
#include "tests/fuzz/must.h"
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { SAID_MAX = 1 << 20, BODY_MAX = 4096 };

struct world {
	struct loop *loop;
	struct server_http *server;
	struct sockaddr_un at;
	socklen_t at_len;
	unsigned takes;
};

static void take(void *ctx, struct serve_request *r)
{
	struct world *w = ctx;
	struct bytes body = arena_copy(serve_arena(r), serve_body(r));

	w->takes++;
	for (size_t i = 0; body.at && i < body.len; i++) /* never looks like another answer */
		((char *)(uintptr_t)body.at)[i] = (char)((body.at[i] & 0x1f) | 0x60);
	must(body.len <= BODY_MAX);
	serve_segment(r, 1);
	serve_query(r, BYTES("a"));
	if (bytes_ends(serve_head(r)->path, BYTES("p"))) {
		serve_begin(r, &(struct serve_answer){ .status = 200 }, NULL, NULL);
		serve_piece(r, body);
		serve_end(r, true);
	} else {
		serve_answer(r, &(struct serve_answer){ .status = 200, .body = body });
	}
}

static void stop(void *loop)
{
	loop_stop(loop);
}

static void turn(struct world *w)
{
	must(loop_post(w->loop, stop, w->loop));
	loop_run(w->loop);
}

static void open_world(struct world *w)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct serve_options o = { .fds = &fd, .nfds = 1, .take = take, .ctx = w, .body_max = BODY_MAX, .connections_max = 8 };

	w->loop = loop_new();
	w->at = (struct sockaddr_un){ .sun_family = AF_UNIX };
	/* A name of no file: it begins with NUL. */
	w->at_len = (socklen_t)(sizeof w->at.sun_family + 1 +
				(size_t)snprintf(w->at.sun_path + 1, 64, "embergate-fuzz-%d", (int)getpid()));
	must(bind(fd, (struct sockaddr *)&w->at, w->at_len) == 0);
	must((w->server = serve_open(w->loop, &o, NULL)) != NULL);
}

/* All that is answered. The date is made a constant. */
static struct bytes converse(struct world *w, struct bytes in, size_t piece, char *out)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct bytes all = { out, 0 };
	bool said = false;
	ssize_t n = 1;

	must(connect(fd, (struct sockaddr *)&w->at, w->at_len) == 0);
	for (size_t i = 0, turns = 0; n != 0 && turns < 100000; turns++) {
		size_t some = in.len - i < piece ? in.len - i : piece;

		if (i < in.len && send(fd, in.at + i, some, MSG_NOSIGNAL) != (ssize_t)some)
			break;
		i += some;
		if (i == in.len && !said)
			said = shutdown(fd, SHUT_WR) == 0;
		turn(w);
		while ((n = recv(fd, out + all.len, SAID_MAX - all.len, 0)) > 0)
			all.len += (size_t)n;
		if (n < 0 && errno != EAGAIN)
			break;
	}
	close(fd);
	for (size_t at = 0, next; (next = bytes_find(bytes_from(all, at), BYTES("\r\nDate: "))) != SIZE_MAX; at += next + 8)
		if (all.len - at - next >= 37)
			memset(out + at + next + 8, '-', 29);
	return all;
}

static void must_be_answers(struct bytes all, unsigned takes)
{
	static const struct http1_limits limits = { .head_bytes = 8192, .fields = 32 };
	struct arena *a = arena_new(1 << 20);
	struct response s;
	unsigned given = 0, others = 0;
	struct err e;
	size_t end;

	for (size_t at; (at = bytes_find(all, BYTES("HTTP/1.1 "))) != SIZE_MAX; all = bytes_from(all, end)) {
		all = bytes_from(all, at);
		end = 0;
		must(http1_head_end(all, &end, &limits, &e) == HTTP1_DONE);
		must(http1_parse_response(a, bytes_sub(all, 0, end), &limits, NULL, &s, &e));
		given += s.status == 200;
		others += s.status >= 400;
		must(s.status == 100 || s.status == 200 || !s.keep_alive);
		if (s.framing == BODY_LENGTH && s.length <= all.len - end && s.status == 200)
			end += (size_t)s.length; /* a HEAD's answer is followed by another's head: the search finds it or not */
	}
	must(given <= takes && others <= 1);
	arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world w;
	static char whole[SAID_MAX], parts[SAID_MAX];
	struct bytes in = bytes_from((struct bytes){ (const char *)data, size }, 1), first, second;
	unsigned takes;

	if (size < 2 || size > 8192)
		return 0;
	if (!w.loop)
		open_world(&w);
	w.takes = 0;
	first = converse(&w, in, SIZE_MAX / 2, whole);
	takes = w.takes;
	must_be_answers(first, takes);
	w.takes = 0;
	second = converse(&w, in, data[0] % 64 + 1u, parts);
	must(w.takes == takes);
	/* Nobody is invited who has sent already. */
	must(bytes_eq(first, second) || bytes_find(second, BYTES("100 Continue")) != SIZE_MAX);
	return 0;
}
