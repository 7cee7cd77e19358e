/* serve.c -- the small server, over real sockets: strict, bounded, and an end in every case. */
#include "tests/ends.h"
#include "base/serve.h"
#include <fcntl.h>
#include <sys/un.h>
#include <zlib.h>

enum { BODY_MAX = 100000 };

struct house {
	struct loop *loop;
	struct server_http *server;
	struct sockaddr_in at;
	struct serve_request *kept; /* for /later and /pieces */
	unsigned takes, heads, gone, mores, closed;
	size_t want;                /* bytes that /pieces still has */
	bool answer_when_gone, keep_all;
};

static void answer(struct serve_request *r, unsigned status, struct bytes body)
{
	serve_answer(r, &(struct serve_answer){ .status = status, .content_type = BYTES("text/plain"), .body = body });
}

static void on_gone(void *ctx)
{
	struct house *h = ctx;

	h->gone++;
	if (h->answer_when_gone)
		answer(h->kept, 200, BYTES("to nobody"));
	loop_stop(h->loop);
}

static void on_more(void *ctx)
{
	static char many[64 << 10];
	struct house *h = ctx;
	size_t n;

	h->mores++;
	memset(many, 'x', sizeof many);
	while (h->want && serve_backlog(h->kept) < sizeof many && !serve_is_gone(h->kept)) {
		n = h->want < sizeof many ? h->want : sizeof many;
		serve_piece(h->kept, (struct bytes){ many, n });
		h->want -= n;
	}
	if (!h->want && !serve_is_gone(h->kept))
		serve_end(h->kept, true);
}

static void take(void *ctx, struct serve_request *r)
{
	struct house *h = ctx;
	struct bytes path = serve_head(r)->path;
	uint64_t n = 0;

	h->takes++;
	if (h->keep_all || bytes_eq(path, BYTES("/later"))) {
		h->kept = r;
		serve_on_gone(r, on_gone, h);
		loop_stop(h->loop);
	} else if (bytes_eq(path, BYTES("/pieces"))) {
		bytes_u64(serve_query(r, BYTES("n")), &n);
		h->kept = r;
		h->want = n;
		serve_on_gone(r, on_gone, h);
		serve_begin(r, &(struct serve_answer){ .status = 200 }, on_more, h);
		on_more(h);
	} else if (bytes_eq(path, BYTES("/big"))) {
		size_t size = 32 << 20;
		char *big = calloc(1, size);

		answer(r, 200, (struct bytes){ big, size });
		free(big);
	} else if (bytes_eq(path, BYTES("/nothing"))) {
		answer(r, 204, BYTES("never sent"));
	} else {
		answer(r, 200, serve_body(r).len ? serve_body(r) : path);
	}
}

static bool head(void *ctx, struct serve_request *r)
{
	struct house *h = ctx;

	h->heads++;
	assert_int_equal(serve_body(r).len, 0);
	if (!bytes_starts(serve_head(r)->path, BYTES("/secret")))
		return true;
	serve_refuse(r, 403, "access forbidden");
	return false;
}

static void closed(void *ctx)
{
	struct house *h = ctx;

	h->closed++;
	loop_stop(h->loop);
}

static int bound(struct sockaddr_in *at)
{
	socklen_t len = sizeof *at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*at = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	assert_int_equal(bind(fd, (struct sockaddr *)at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)at, &len), 0);
	return fd;
}

static void open_with(struct house *h, struct serve_options o)
{
	int fd = bound(&h->at);

	o.fds = &fd;
	o.nfds = 1;
	o.take = take;
	o.head = head;
	o.ctx = h;
	o.body_max = o.body_max ? o.body_max : BODY_MAX;
	o.connections_max = o.connections_max ? o.connections_max : 64;
	o.address_max = o.address_max ? o.address_max : 64;
	h->server = serve_open(h->loop, &o, NULL);
	assert_non_null(h->server);
}

static void turn(struct house *h)
{
	assert_true(loop_post(h->loop, stop_loop, h->loop));
	loop_run(h->loop);
}

static int begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);

	signal(SIGPIPE, SIG_IGN);
	h->loop = loop_new();
	*state = h;
	return h->loop ? 0 : -1;
}

static int end(void **state)
{
	struct house *h = *state;

	if (h->server && !h->closed) {
		serve_close(h->server, 0, closed, h);
		RUN_UNTIL(h->loop, h->closed);
	}
	turn(h); /* it may have been told to stop while it did not run */
	loop_free(h->loop);
	free(h);
	return 0;
}

/* ---- a client on the same loop ---- */

static void dial(struct house *h, struct end *e)
{
	*e = (struct end){ .loop = h->loop, .got = calloc(1, 1) };
	e->stream = stream_connect(h->loop, (struct sockaddr *)&h->at, &end_events, e, NULL, NULL);
	assert_non_null(e->stream);
	RUN_UNTIL(h->loop, e->readied || e->ended);
}

static void hang_up(struct end *e)
{
	char *got = e->got;

	if (!e->closed)
		stream_close(e->stream);
	RUN_UNTIL(e->loop, e->closed);
	free(got);
}

static void say_in_pieces(struct house *h, struct end *e, struct bytes b, size_t piece)
{
	for (size_t i = 0; i < b.len; i += piece) {
		if (!say(e, bytes_sub(b, i, i + piece)))
			return;
		if (piece < b.len)
			turn(h);
	}
}

static unsigned count(const char *hay, const char *needle)
{
	unsigned n = 0;

	for (; (hay = strstr(hay, needle)); hay++)
		n++;
	return n;
}

/* What the server says to those bytes, and to the client's FIN. The caller frees it. */
static char *asked(struct house *h, struct bytes b, size_t piece)
{
	struct end e;

	dial(h, &e);
	say_in_pieces(h, &e, b, piece);
	stream_finish(e.stream);
	RUN_UNTIL(h->loop, e.ended);
	stream_close(e.stream);
	RUN_UNTIL(h->loop, e.closed);
	return e.got;
}

/* ---- what is said to what ---- */

#define HOST "Host: h\r\n"

/* The answers' statuses in order; bodies that must be in there. */
static const struct conversation {
	const char *say, *statuses, *holds;
} conversations[] = {
	{ "GET /a HTTP/1.1\r\n" HOST "\r\n", "200", "\r\n\r\n/a" },
	{ "\r\n\r\nGET /a HTTP/1.1\r\n" HOST "\r\n", "200", "\r\n\r\n/a" },
	{ "GET /a HTTP/1.0\r\n\r\n", "200", "Connection: close\r\n" },
	{ "GET /a HTTP/1.1\r\n" HOST "Connection: close\r\n\r\nGET /b HTTP/1.1\r\n" HOST "\r\n", "200", "/a" },
	{ "GET /a HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\nHEAD /c HTTP/1.1\r\n" HOST "\r\n", "200 200 200",
	  "Content-Length: 2\r\n\r\n" },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\n" HOST "\r\n", "200 200", "\r\n\r\nhello" },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n2;x=y\r\nhe\r\n3\r\nllo\r\n0\r\nT: x\r\n\r\n", "200",
	  "\r\n\r\nhello" },
	{ "GET /nothing HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n", "204 200", "/b" },
	{ "GET /pieces?n=3 HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n", "200 200", "3\r\nxxx\r\n0\r\n\r\nHTTP/1.1 200" },
	{ "GET /pieces?n=3 HTTP/1.0\r\n\r\n", "200", "\r\n\r\nxxx" },
	{ "HEAD /pieces?n=3 HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n", "200 200", "chunked\r\n\r\nHTTP/1.1 200" },
	{ "GET http://h/abs HTTP/1.1\r\n" HOST "\r\n", "200", "\r\n\r\n/abs" },
	/* not wanted: the body is not read, so the connection is over; without one it goes on */
	{ "POST /secret HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nGET GET /b HTTP/1.1\r\n" HOST "\r\n", "403", "access forbidden\n" },
	{ "GET /secret HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n", "403 200", "/b" },
	/* half a request is none */
	{ "GET /a HTTP/1.1\r\n" HOST, "", NULL },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhell", "", NULL },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "", NULL },
	/* what has two readings is refused, and what follows it is not read */
	{ "GET /a HTTP/1.1\n" HOST "\n", "400", NULL },
	{ "GET /a HTTP/1.1\r\n" HOST "X: a\r\n b\r\n\r\nGET /b HTTP/1.1\r\n" HOST "\r\n", "400", NULL },
	{ "GET /a HTTP/1.1\r\n\r\n", "400", NULL },
	{ "GET /a HTTP/1.1\r\n" HOST HOST "\r\n", "400", NULL },
	{ "GET /a HTTP/2.0\r\n" HOST "\r\n", "505", NULL },
	{ "CONNECT h:1 HTTP/1.1\r\n" HOST "\r\n", "405", NULL },
	{ "GET /a b HTTP/1.1\r\n" HOST "\r\n", "400", NULL },
	{ "\x16\x03\x01\x02\x00\x01", "400", NULL },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello", "400", NULL },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: +5\r\n\r\nhello", "400", NULL },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", NULL },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "400", NULL },
	{ "POST / HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "400", NULL },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n-1\r\n", "400", "chunk size" },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\r\nab\r\n0\r\n\r\n", "400", NULL },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n1\nab\r\n0\r\n\r\n", "400", NULL },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", "400", NULL },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Length: 100001\r\n\r\n", "413", "too large" },
	{ "POST / HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n186a1\r\nx", "", NULL }, /* not yet too large */
	{ "POST / HTTP/1.1\r\n" HOST "Expect: the-worst\r\nContent-Length: 1\r\n\r\nx", "417", NULL },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Encoding: br\r\nContent-Length: 1\r\n\r\nx", "415", "only gzip" },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone", "400", "content-encoding" },
	{ "POST / HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\nContent-Length: 3\r\n\r\n\x1f\x8b\x08", "400", "is cut" },
};

static void statuses_of(const char *got, char *out, size_t cap)
{
	struct text t = text_over(out, cap - 1);

	for (const char *p = got; (p = strstr(p, "HTTP/1.1 ")); p++) {
		text_str(&t, t.len ? " " : "");
		text_put(&t, (struct bytes){ p + 9, 3 });
	}
	out[t.len] = '\0';
}

static void what_is_said_does_not_depend_on_the_pieces(void **state)
{
	static const size_t pieces[] = { 4096, 1, 7 };
	struct house *h = *state;
	char got_statuses[256], *got;

	open_with(h, (struct serve_options){ 0 });
	for (size_t i = 0; i < nelems(conversations); i++)
		for (size_t k = 0; k < nelems(pieces); k++) {
			const struct conversation *c = &conversations[i];

			got = asked(h, bytes_of(c->say), pieces[k]);
			statuses_of(got, got_statuses, sizeof got_statuses);
			if (strcmp(got_statuses, c->statuses) != 0 || (c->holds && !strstr(got, c->holds)))
				fail_msg("%s\nin pieces of %zu, got \"%s\"", c->say, pieces[k], got);
			free(got);
		}
}

/* ---- bodies ---- */

static struct bytes gzipped(const void *at, size_t n, char *out, size_t cap)
{
	z_stream z = { .next_in = (unsigned char *)(uintptr_t)at, .avail_in = (unsigned)n, .next_out = (unsigned char *)out,
		       .avail_out = (unsigned)cap };

	assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	deflateEnd(&z);
	return (struct bytes){ out, z.total_out };
}

static char *asked_gzip(struct house *h, struct bytes packed)
{
	char head_of_it[256], *all = malloc(packed.len + sizeof head_of_it), *got;
	int n = snprintf(head_of_it, sizeof head_of_it,
			 "POST / HTTP/1.1\r\n" HOST "Content-Encoding: gzip\r\nContent-Length: %zu\r\n\r\n", packed.len);

	memcpy(all, head_of_it, (size_t)n);
	memcpy(all + n, packed.at, packed.len);
	got = asked(h, (struct bytes){ all, (size_t)n + packed.len }, 1000);
	free(all);
	return got;
}

static void gzip_is_inflated_within_the_bound_and_the_ratio(void **state)
{
	struct house *h = *state;
	size_t n = BODY_MAX + 1;
	char *plain = malloc(2 << 20), *packed = malloc(2 << 20), *got;

	open_with(h, (struct serve_options){ 0 });
	for (size_t i = 0, x = 1; i < n; i++, x = x * 1103515245 % 2147483648)
		plain[i] = (char)('a' + (x >> 20) % 8);
	got = asked_gzip(h, gzipped(plain, n - 1, packed, 2 << 20));
	assert_non_null(strstr(got, "200 OK"));
	assert_memory_equal(strstr(got, "\r\n\r\n") + 4, plain, n - 1);
	free(got);
	got = asked_gzip(h, gzipped(plain, n, packed, 2 << 20));
	assert_non_null(strstr(got, "413 "));
	free(got);
	memset(plain, 'a', 2 << 20);
	got = asked_gzip(h, gzipped(plain, 2 << 20, packed, 2 << 20));
	assert_non_null(strstr(got, "400 Bad Request"));
	assert_non_null(strstr(got, "200 times its size"));
	free(got);
	free(plain);
	free(packed);
}

static void a_client_that_asks_is_invited_to_send_its_body(void **state)
{
	struct house *h = *state;
	struct end e;

	open_with(h, (struct serve_options){ 0 });
	dial(h, &e);
	say(&e, BYTES("POST / HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
	RUN_UNTIL(h->loop, strstr(e.got, "\r\n\r\n"));
	assert_string_equal(e.got, "HTTP/1.1 100 Continue\r\n\r\n");
	say(&e, BYTES("hello"));
	RUN_UNTIL(h->loop, strstr(e.got, "hello"));
	hang_up(&e);
	dial(h, &e);
	say(&e, BYTES("POST /secret HTTP/1.1\r\n" HOST "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n"));
	RUN_UNTIL(h->loop, e.ended);
	assert_null(strstr(e.got, "100 Continue"));
	assert_non_null(strstr(e.got, "403 Forbidden"));
	hang_up(&e);
	assert_int_equal(h->takes, 1);
}

static void all_that_is_collected_has_a_bound(void **state)
{
	struct house *h = *state;
	struct end e[3];
	static char half[60000];

	open_with(h, (struct serve_options){ .held_max = 150000 });
	for (size_t i = 0; i < 3; i++) {
		dial(h, &e[i]);
		say(&e[i], BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 60001\r\n\r\n"));
		say(&e[i], (struct bytes){ half, sizeof half });
		if (i < 2)
			for (int k = 0; k < 20; k++)
				turn(h);
	}
	RUN_UNTIL(h->loop, e[2].ended);
	assert_non_null(strstr(e[2].got, "503 Service Unavailable"));
	say(&e[0], BYTES("!"));
	RUN_UNTIL(h->loop, strstr(e[0].got, "200 OK"));
	for (size_t i = 0; i < 3; i++)
		hang_up(&e[i]);
}

/* ---- time ---- */

static void who_sends_too_slowly_is_told_and_cut(void **state)
{
	static const char *const says[] = { "GET / HT", "POST / HTTP/1.1\r\n" HOST "Content-Length: 5\r\n\r\nhe" };
	struct house *h = *state;
	struct end e;

	open_with(h, (struct serve_options){ .request_ms = 100, .idle_ms = 100 });
	for (size_t i = 0; i < nelems(says); i++) {
		dial(h, &e);
		say(&e, bytes_of(says[i]));
		RUN_UNTIL(h->loop, e.ended);
		assert_non_null(strstr(e.got, "408 Request Timeout"));
		hang_up(&e);
	}
	dial(h, &e); /* says nothing at all */
	RUN_UNTIL(h->loop, e.ended);
	assert_string_equal(e.got, "");
	hang_up(&e);
	dial(h, &e);
	say(&e, BYTES("GET / HTTP/1.1\r\n" HOST "\r\n"));
	RUN_UNTIL(h->loop, e.ended); /* idles */
	assert_int_equal(e.how, END_CLEAN);
	hang_up(&e);
}

static void who_does_not_read_is_cut(void **state)
{
	static const char *const says[] = { "GET /big HTTP/1.1\r\n" HOST "\r\n", "GET /pieces?n=99999999 HTTP/1.1\r\n" HOST "\r\n" };
	struct house *h = *state;
	struct serve_counts counts;
	struct end e;

	open_with(h, (struct serve_options){ .stall_ms = 200 });
	for (size_t i = 0; i < nelems(says); i++) {
		dial(h, &e);
		stream_pause(e.stream);
		say(&e, bytes_of(says[i]));
		do {
			run_for(h->loop, 50);
			serve_count(h->server, &counts);
		} while (counts.cut == i);
		stream_resume(e.stream);
		RUN_UNTIL(h->loop, e.ended);
		assert_int_equal(e.how, END_BROKEN); /* it never looks whole */
		hang_up(&e);
	}
	assert_int_equal(h->gone, 1); /* the second is answered in pieces */
	serve_end(h->kept, false);
}

static void who_reads_gets_it_all_paced(void **state)
{
	struct house *h = *state;
	struct end e;

	open_with(h, (struct serve_options){ .stall_ms = 200 });
	dial(h, &e);
	free(e.got);
	e.got = NULL;
	say(&e, BYTES("GET /pieces?n=20000000 HTTP/1.0\r\n\r\n"));
	RUN_UNTIL(h->loop, e.ended);
	assert_int_equal(e.how, END_CLEAN);
	assert_in_range(e.n, 20000000, 20000200);
	assert_true(h->mores > 3);
	hang_up(&e);
}

/* ---- answers later ---- */

static void an_answer_may_come_later_and_pipelined_requests_wait(void **state)
{
	struct house *h = *state;
	struct end e;

	open_with(h, (struct serve_options){ 0 });
	dial(h, &e);
	say(&e, BYTES("GET /later HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n"));
	RUN_UNTIL(h->loop, h->kept);
	turn(h);
	assert_int_equal(h->takes, 1);
	answer(h->kept, 201, BYTES("now"));
	RUN_UNTIL(h->loop, strstr(e.got, "/b"));
	assert_int_equal(count(e.got, "HTTP/1.1 "), 2);
	hang_up(&e);
}

static void many_pipelined_requests_are_all_answered(void **state)
{
	struct house *h = *state;
	char all[64 * 40], want[16];
	struct text t = text_over(all, sizeof all);
	struct end e;

	open_with(h, (struct serve_options){ 0 });
	for (unsigned i = 0; i < 50; i++)
		text_printf(&t, "GET /%u HTTP/1.1\r\n" HOST "\r\n", i);
	assert_false(t.full);
	dial(h, &e);
	say(&e, text_bytes(&t));
	snprintf(want, sizeof want, "\r\n\r\n/49");
	RUN_UNTIL(h->loop, strstr(e.got, want));
	assert_int_equal(count(e.got, "HTTP/1.1 200"), 50);
	hang_up(&e);
}

static void who_went_away_is_told_and_its_answer_is_owed_all_the_same(void **state)
{
	struct house *h = *state;
	struct end e;

	open_with(h, (struct serve_options){ 0 });
	for (int early = 0; early < 2; early++) {
		h->kept = NULL;
		h->gone = 0;
		h->answer_when_gone = early;
		dial(h, &e);
		say(&e, BYTES("GET /later HTTP/1.1\r\n" HOST "\r\n"));
		RUN_UNTIL(h->loop, h->kept);
		assert_false(serve_is_gone(h->kept));
		stream_reset(e.stream);
		RUN_UNTIL(h->loop, h->gone && e.closed);
		free(e.got);
		if (early)
			continue;
		assert_true(serve_is_gone(h->kept));
		assert_bytes(serve_head(h->kept)->path, BYTES("/later"));
		answer(h->kept, 200, BYTES("to nobody"));
	}
}

static void an_answer_that_is_cut_does_not_look_whole(void **state)
{
	struct house *h = *state;
	struct end e;

	open_with(h, (struct serve_options){ 0 });
	dial(h, &e);
	say(&e, BYTES("GET /later HTTP/1.1\r\n" HOST "\r\n"));
	RUN_UNTIL(h->loop, h->kept);
	serve_begin(h->kept, &(struct serve_answer){ .status = 200, .body = BYTES("first") }, NULL, NULL);
	RUN_UNTIL(h->loop, strstr(e.got, "first"));
	serve_end(h->kept, false);
	RUN_UNTIL(h->loop, e.ended);
	assert_int_equal(e.how, END_BROKEN);
	hang_up(&e);
}

static void a_field_cannot_make_another(void **state)
{
	static const struct field fields[] = {
		{ .name = BYTES_INIT("Location"), .value = BYTES_INIT("/a\r\nSet-Cookie: x") },
		{ .name = BYTES_INIT("X-Good"), .value = BYTES_INIT("yes") },
	};
	struct house *h = *state;
	struct end e;

	open_with(h, (struct serve_options){ 0 });
	dial(h, &e);
	say(&e, BYTES("GET /later HTTP/1.1\r\n" HOST "\r\n"));
	RUN_UNTIL(h->loop, h->kept);
	serve_answer(h->kept, &(struct serve_answer){ .status = 302, .fields = fields, .nfields = 2, .close = true });
	RUN_UNTIL(h->loop, e.ended);
	assert_null(strstr(e.got, "Set-Cookie"));
	assert_non_null(strstr(e.got, "X-Good: yes\r\n"));
	hang_up(&e);
}

/* ---- who may come ---- */

static void one_address_does_not_keep_the_others_out(void **state)
{
	struct house *h = *state;
	struct end busy[3], e;
	struct serve_counts counts;

	open_with(h, (struct serve_options){ .address_max = 3 });
	for (size_t i = 0; i < 3; i++) {
		dial(h, &busy[i]);
		say(&busy[i], BYTES("POST / HTTP/1.1\r\n" HOST "Content-Length: 2\r\n\r\n"));
		turn(h);
	}
	dial(h, &e);
	RUN_UNTIL(h->loop, e.ended);
	assert_non_null(strstr(e.got, "too many connections from your address"));
	hang_up(&e);
	say(&busy[0], BYTES("ab")); /* idles from here on, and gives way */
	RUN_UNTIL(h->loop, strstr(busy[0].got, "ab"));
	dial(h, &e);
	say(&e, BYTES("GET /in HTTP/1.1\r\n" HOST "\r\n"));
	RUN_UNTIL(h->loop, strstr(e.got, "/in"));
	RUN_UNTIL(h->loop, busy[0].ended);
	hang_up(&e);
	for (size_t i = 0; i < 3; i++)
		hang_up(&busy[i]);
	serve_count(h->server, &counts);
	assert_int_equal(counts.shut_out, 1);
	assert_int_equal(counts.requests, 2);
}

static void when_it_is_full_some_are_told_and_the_rest_is_closed(void **state)
{
	struct house *h = *state;
	struct end busy[8], e[4];
	unsigned told = 0;

	open_with(h, (struct serve_options){ .connections_max = 8 });
	for (size_t i = 0; i < 8; i++) {
		dial(h, &busy[i]);
		say(&busy[i], BYTES("GET"));
		turn(h);
	}
	for (size_t i = 0; i < 4; i++)
		dial(h, &e[i]);
	for (size_t i = 0; i < 4; i++) {
		RUN_UNTIL(h->loop, e[i].ended);
		told += strstr(e[i].got, "503 Service Unavailable") != NULL;
		hang_up(&e[i]);
	}
	assert_in_range(told, 1, 2);
	for (size_t i = 0; i < 8; i++)
		hang_up(&busy[i]);
}

static void a_unix_socket_serves_too(void **state)
{
	struct house *h = *state;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
	struct serve_options o = { .fds = &fd, .nfds = 1, .take = take, .ctx = h, .body_max = 10, .connections_max = 4 };
	char got[512] = { 0 };

	snprintf(at.sun_path, sizeof at.sun_path, "/tmp/embergate-test-serve.%d", (int)getpid());
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	h->server = serve_open(h->loop, &o, NULL);
	assert_non_null(h->server);
	assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof at), 0);
	unlink(at.sun_path);
	assert_int_equal(write(client, "GET /later HTTP/1.1\r\n" HOST "\r\n", 32), 32);
	RUN_UNTIL(h->loop, h->kept);
	assert_true(ip_is_loopback(serve_peer(h->kept)));
	answer(h->kept, 200, BYTES("here"));
	turn(h);
	assert_true(read(client, got, sizeof got - 1) > 0);
	assert_non_null(strstr(got, "\r\n\r\nhere"));
	close(client);
}

static void tls_serves_too(void **state)
{
	char dir[64] = "/tmp/embergate-test-serve.XXXXXX", cert[96], key[96];
	struct tls_cert_file file = { cert, key };
	struct tls_server_options t = { .certs = &file, .ncerts = 1, .min_version = 12 };
	struct house *h = *state;
	struct tls_context *server, *client;
	struct end e = { .loop = h->loop, .got = calloc(1, 1) };

	assert_non_null(mkdtemp(dir));
	snprintf(cert, sizeof cert, "%s/cert", dir);
	snprintf(key, sizeof key, "%s/key", dir);
	assert_true(tls_self_signed("gate.example", cert, key, NULL));
	server = tls_server_new(&t, NULL);
	client = tls_client_new(false, NULL, NULL);
	unlink(cert);
	unlink(key);
	rmdir(dir);
	open_with(h, (struct serve_options){ .tls = server, .idle_ms = 200 });
	e.stream = stream_connect(h->loop, (struct sockaddr *)&h->at, &end_events, &e, client, "gate.example");
	RUN_UNTIL(h->loop, e.readied);
	say(&e, BYTES("GET /a HTTP/1.1\r\n" HOST "\r\nGET /b HTTP/1.1\r\n" HOST "\r\n"));
	RUN_UNTIL(h->loop, strstr(e.got, "\r\n\r\n/b"));
	RUN_UNTIL(h->loop, e.ended);
	assert_int_equal(e.how, END_CLEAN);
	hang_up(&e);
	dial(h, &e); /* who speaks no TLS is closed, without a word that could be taken for an answer */
	say(&e, BYTES("GET /a HTTP/1.1\r\n" HOST "\r\n"));
	RUN_UNTIL(h->loop, e.ended);
	assert_null(strstr(e.got, "HTTP"));
	hang_up(&e);
	serve_close(h->server, 0, closed, h);
	RUN_UNTIL(h->loop, h->closed);
	tls_context_free(server);
	tls_context_free(client);
}

/* ---- parts of a request ---- */

static void the_query_and_the_path_are_decoded(void **state)
{
	struct house *h = *state;
	struct serve_request *r;
	struct end e;

	open_with(h, (struct serve_options){ 0 });
	dial(h, &e);
	say(&e, BYTES("GET /later?a=1&b&c%5b%5D=x+y%2&a=2&d=%00= HTTP/1.1\r\n" HOST "\r\n"));
	RUN_UNTIL(h->loop, h->kept);
	r = h->kept;
	assert_bytes(serve_query(r, BYTES("a")), BYTES("1"));
	assert_bytes(serve_query(r, BYTES("b")), BYTES(""));
	assert_non_null(serve_query(r, BYTES("b")).at);
	assert_bytes(serve_query(r, BYTES("c[]")), BYTES("x y%2"));
	assert_bytes(serve_query(r, BYTES("d")), BYTES("\0="));
	assert_null(serve_query(r, BYTES("e")).at);
	assert_bytes(serve_segment(r, 0), BYTES("later"));
	assert_null(serve_segment(r, 1).at);
	hang_up(&e);
	answer(r, 200, BYTES(""));
}

static void segments_of_a_path(void **state)
{
	static const struct { const char *target; unsigned i; const char *want; } rows[] = {
		{ "/", 0, "" }, { "/", 1, NULL }, { "/v1/", 1, "" }, { "/v1/", 2, NULL }, { "//a", 0, "" }, { "//a", 1, "a" },
		{ "/a%2Fb/c?d/e", 0, "a/b" }, { "/a%2Fb/c?d/e", 1, "c" }, { "/a%2Fb/c?d/e", 2, NULL }, { "*", 0, NULL },
	};
	struct house *h = *state;
	struct bytes got;
	char line[128];
	struct end e;

	open_with(h, (struct serve_options){ 0 });
	h->keep_all = true;
	for (size_t i = 0; i < nelems(rows); i++) {
		h->kept = NULL;
		dial(h, &e);
		snprintf(line, sizeof line, "OPTIONS %s HTTP/1.1\r\n" HOST "\r\n", rows[i].target);
		say(&e, bytes_of(line));
		RUN_UNTIL(h->loop, h->kept);
		got = serve_segment(h->kept, rows[i].i);
		assert_int_equal(!got.at, !rows[i].want);
		assert_bytes(got, bytes_of(rows[i].want));
		answer(h->kept, 200, BYTES(""));
		hang_up(&e);
	}
}

/* ---- the end ---- */

static void closing_waits_for_what_is_under_way(void **state)
{
	struct house *h = *state;
	struct end idle, busy;

	open_with(h, (struct serve_options){ 0 });
	dial(h, &idle);
	dial(h, &busy);
	say(&busy, BYTES("GET /later HTTP/1.1\r\n" HOST "\r\n"));
	RUN_UNTIL(h->loop, h->kept);
	serve_close(h->server, 5000, closed, h);
	RUN_UNTIL(h->loop, idle.ended);
	assert_int_equal(h->closed, 0);
	answer(h->kept, 200, BYTES("the last"));
	RUN_UNTIL(h->loop, busy.ended);
	assert_non_null(strstr(busy.got, "Connection: close"));
	assert_non_null(strstr(busy.got, "the last"));
	hang_up(&idle);
	hang_up(&busy);
	RUN_UNTIL(h->loop, h->closed);
}

static void closing_does_not_wait_for_ever(void **state)
{
	struct house *h = *state;
	struct end e;

	h->answer_when_gone = true;
	open_with(h, (struct serve_options){ 0 });
	dial(h, &e);
	say(&e, BYTES("GET /later HTTP/1.1\r\n" HOST "\r\n"));
	RUN_UNTIL(h->loop, h->kept);
	serve_close(h->server, 50, closed, h);
	RUN_UNTIL(h->loop, h->closed);
	assert_int_equal(h->gone, 1);
	hang_up(&e);
}

static void what_is_no_socket_is_an_error(void **state)
{
	struct house *h = *state;
	struct sockaddr_in at;
	int fds[] = { bound(&at), open("/dev/null", O_RDONLY) };
	struct serve_options o = { .fds = fds, .nfds = 2, .take = take, .body_max = 10, .connections_max = 4 };
	struct err e = { 0 };

	assert_null(serve_open(h->loop, &o, &e));
	assert_string_equal(e.text, "not a socket");
	turn(h);
}

/* ---- from inside ---- */

struct told { unsigned times, status; char body[64]; };

static void on_inside(void *ctx, unsigned status, struct bytes body)
{
	struct told *t = ctx;

	t->times++;
	t->status = status;
	snprintf(t->body, sizeof t->body, "%.*s", BYTES_ARG(body));
}

static void one_from_inside_is_answered_once_and_read_as_strictly(void **state)
{
	static const char *const wrong[] = { "", "no slash", "/a b", "/a\r\nX: y", "/a\x7f", "http://a/" };
	struct house *h = *state;
	struct serve_request *r;
	struct told t = { 0 };

	open_with(h, (struct serve_options){ 0 });
	for (size_t i = 0; i < nelems(wrong); i++)
		assert_null(serve_inside(h->server, bytes_of(wrong[i]), on_inside, &t));
	r = serve_inside(h->server, BYTES("/a/b%20c?q=1"), on_inside, &t);
	assert_non_null(r);
	assert_bytes(serve_segment(r, 1), BYTES("b c"));
	assert_bytes(serve_query(r, BYTES("q")), BYTES("1"));
	assert_true(serve_is_gone(r));
	answer(r, 418, BYTES("tea"));
	assert_int_equal(t.times, 1);
	assert_int_equal(t.status, 418);
	assert_string_equal(t.body, "tea");
	r = serve_inside(h->server, BYTES("/pieces"), on_inside, &t); /* a stream goes nowhere */
	serve_begin(r, &(struct serve_answer){ .status = 200, .body = BYTES("a") }, NULL, NULL);
	serve_piece(r, BYTES("b"));
	serve_end(r, true);
	assert_int_equal(t.times, 2);
	assert_int_equal(t.status, 0);
	r = serve_inside(h->server, BYTES("/"), on_inside, &t);
	serve_close(h->server, 0, closed, h);
	turn(h);
	assert_int_equal(h->closed, 0); /* an answer is owed */
	answer(r, 200, BYTES("late"));
	RUN_UNTIL(h->loop, h->closed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_is_said_does_not_depend_on_the_pieces),
		TEST(gzip_is_inflated_within_the_bound_and_the_ratio),
		TEST(a_client_that_asks_is_invited_to_send_its_body),
		TEST(all_that_is_collected_has_a_bound),
		TEST(who_sends_too_slowly_is_told_and_cut),
		TEST(who_does_not_read_is_cut),
		TEST(who_reads_gets_it_all_paced),
		TEST(an_answer_may_come_later_and_pipelined_requests_wait),
		TEST(many_pipelined_requests_are_all_answered),
		TEST(who_went_away_is_told_and_its_answer_is_owed_all_the_same),
		TEST(an_answer_that_is_cut_does_not_look_whole),
		TEST(a_field_cannot_make_another),
		TEST(one_address_does_not_keep_the_others_out),
		TEST(when_it_is_full_some_are_told_and_the_rest_is_closed),
		TEST(a_unix_socket_serves_too),
		TEST(tls_serves_too),
		TEST(the_query_and_the_path_are_decoded),
		TEST(segments_of_a_path),
		TEST(closing_waits_for_what_is_under_way),
		TEST(closing_does_not_wait_for_ever),
		TEST(what_is_no_socket_is_an_error),
		TEST(one_from_inside_is_answered_once_and_read_as_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
