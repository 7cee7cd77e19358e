/* fetch.c -- requests to a server that plays scripts. */
#include "base/fetch.h"
#include "base/fetch_url.h"
#include "tests/ends.h"
#include "tests/player.h"
#include <stdatomic.h>

struct house {
	struct loop *loop;
	struct fetcher *fetcher;
	struct player server;
	/* what was told */
	unsigned done, heads, pieces;
	unsigned status;
	char body[1 << 16];
	size_t nbody;
	struct err err;
	bool failed, starting, cancel_at_bytes;
	struct fetch *fetch;
	atomic_uint lookups, looked; /* begun, ended */
	atomic_bool hold;            /* lookups do not end before it is taken back */
};

/* ---- the house ---- */

static void look_up(void *arg, const char *host, struct dns_answer *out)
{
	struct house *h = arg;

	*out = (struct dns_answer){ 0 };
	atomic_fetch_add(&h->lookups, 1);
	while (atomic_load(&h->hold))
		usleep(1000);
	if (strcmp(host, "two.example") == 0) {
		ip_parse(BYTES("127.0.0.2"), &out->at[out->n++]); /* nobody listens there */
		ip_parse(BYTES("127.0.0.1"), &out->at[out->n++]);
	} else if (strcmp(host, "shop.example") == 0 || strcmp(host, "other.example") == 0) {
		ip_parse(BYTES("127.0.0.1"), &out->at[out->n++]);
	} else {
		snprintf(out->why, sizeof out->why, "no such name");
	}
	atomic_fetch_add(&h->looked, 1);
}

/* Until the thread has ended what it began, and so needs the house no more. */
static void let_lookups_end(struct house *h)
{
	atomic_store(&h->hold, false);
	while (atomic_load(&h->looked) < atomic_load(&h->lookups))
		usleep(1000);
}

static int begin(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	struct err e;

	signal(SIGPIPE, SIG_IGN);
	*state = h;
	h->loop = loop_new();
	h->fetcher = fetcher_new(NULL, look_up, h, &e);
	player_open(&h->server);
	return h->loop && h->fetcher ? 0 : -1;
}

static int end(void **state)
{
	struct house *h = *state;

	let_lookups_end(h);
	fetcher_free(h->fetcher);
	run_for(h->loop, 1);
	loop_free(h->loop);
	player_close(&h->server);
	free(h);
	return 0;
}

/* ---- asking ---- */

static void on_head(void *owner, const struct response *r)
{
	struct house *h = owner;

	assert_false(h->starting);
	h->heads++;
	h->status = r->status;
}

static void on_bytes(void *owner, struct bytes b)
{
	struct house *h = owner;

	assert_true(b.len > 0 && b.len <= sizeof h->body - h->nbody);
	memcpy(h->body + h->nbody, b.at, b.len);
	h->nbody += b.len;
	h->pieces++;
	if (h->cancel_at_bytes) {
		fetch_cancel(h->fetch);
		loop_stop(h->loop);
	}
}

static void on_done(void *owner, const struct err *failed)
{
	struct house *h = owner;

	assert_false(h->starting);
	h->done++;
	h->failed = failed != NULL;
	h->err = failed ? *failed : (struct err){ 0 };
	loop_stop(h->loop);
}

static const struct fetch_events events = { on_head, on_bytes, on_done };

static void start(struct house *h, const struct fetch_request *q)
{
	h->done = h->heads = h->pieces = h->status = 0;
	h->nbody = 0;
	h->starting = true;
	h->fetch = fetch_start(h->fetcher, h->loop, q, &events, h);
	h->starting = false;
	assert_non_null(h->fetch);
}

static void ask(struct house *h, const struct fetch_request *q)
{
	start(h, q);
	RUN_UNTIL(h->loop, h->done);
	run_for(h->loop, 5);
	assert_int_equal(h->done, 1);
}

static const char *url(const struct house *h, const char *host, const char *path)
{
	static char out[256];

	snprintf(out, sizeof out, "http://%s:%u%s", host, h->server.port, path);
	return out;
}

static struct fetch_request get(const struct house *h, const char *host, const char *path)
{
	return (struct fetch_request){ .url = bytes_of(url(h, host, path)), .deadline_ms = 8000, .body_max = 1000 };
}

/* ---- claims ---- */

static void whole_answers_are_given_as_they_came(void **state)
{
	static const struct { struct script script; unsigned status; const char *body; } rows[] = {
		{ { .say = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" }, 200, "hello" },
		{ { .say = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", .then = HOLD }, 200, "hello" },
		{ { .say = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", .by_bytes = true }, 200, "hello" },
		{ { .say = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhelloHTTP/1.1 500 X\r\n" }, 200, "hello" },
		{ { .say = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", .then = HOLD }, 200, "" },
		{ { .say = "HTTP/1.1 204 No Content\r\n\r\n", .then = HOLD }, 204, "" },
		{ { .say = "HTTP/1.1 500 Oops\r\n\r\nuntil the end" }, 500, "until the end" },
		{ { .say = "HTTP/1.0 200 OK\r\n\r\nold" }, 200, "old" },
		{ { .say = "HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 0\r\n\r\n" }, 302, "" },
		{ { .say = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nT: 1\r\n\r\n",
		    .then = HOLD }, 200, "abcde" },
		{ { .say = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n",
		    .then = HOLD, .by_bytes = true }, 200, "abcde" },
		{ { .say = "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n"
			   "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", .by_bytes = true }, 200, "ok" },
		{ { .say = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" }, 200, "ok" },
		{ { .say = "HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Length: 2\r\n\r\nok" }, 200, "ok" },
		{ { .say = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", .more = 1000 }, 200, NULL },
	};
	struct house *h = *state;

	for (size_t i = 0; i < nelems(rows); i++) {
		struct fetch_request q = get(h, "127.0.0.1", "/");

		player_start(&h->server, &rows[i].script, 1);
		ask(h, &q);
		player_done(&h->server);
		if (h->failed)
			fail_msg("row %zu: %s", i, h->err.text);
		assert_int_equal(h->status, rows[i].status);
		assert_int_equal(h->heads, 1);
		if (rows[i].body)
			assert_bytes(((struct bytes){ h->body, h->nbody }), bytes_of(rows[i].body));
		else
			assert_int_equal(h->nbody, rows[i].script.more);
	}
}

static void whatever_is_not_whole_or_not_right_fails(void **state)
{
#define OK "HTTP/1.1 200 OK\r\n"
	static const struct { struct script script; int code; const char *why; } rows[] = {
		{ { .say = "", .then = HOLD }, 504, "no answer within" },
		{ { .say = OK "Content-Length: 5", .then = HOLD }, 504, "no answer within" },
		{ { .say = OK "Content-Length: 5\r\n\r\nhel", .then = HOLD }, 504, "not whole within" },
		{ { .say = OK "Content-Length: 5\r\n\r\nhel" }, 502, "cut short" },
		{ { .say = OK "Content-Length: 5\r\n\r\nhel", .then = RESET }, 502, "cut short" },
		{ { .say = OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n" }, 502, "cut short" },
		{ { .say = OK "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n" }, 502, "" },
		{ { .say = OK "Transfer-Encoding: chunked\r\n\r\nxyz\r\n" }, 502, "" },
		{ { .say = OK "\r\nuntil", .then = RESET }, 502, "cut short" },
		{ { .say = "" }, 502, "without an answer" },
		{ { .say = "", .then = RESET }, 502, "without an answer" },
		{ { .say = "HTTP/1.1 2" }, 502, "without an answer" },
		{ { .say = "HTTP/1.1 200 OK\r\nContent-Le", .then = RESET }, 502, "without an answer" },
		{ { .say = "SSH-2.0-OpenSSH\r\n\r\n", .then = HOLD }, 502, "" },
		{ { .say = OK "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab" }, 502, "" },
		{ { .say = OK "Content-Length: -1\r\n\r\n" }, 502, "" },
		{ { .say = OK "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" }, 502, "" },
		{ { .say = OK "Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\nzz" }, 502, "compressed" },
		{ { .say = OK "Content-Length: 1001\r\n\r\n", .more = 1001 }, 502, "too long" },
		{ { .say = OK "\r\n", .more = 1 << 20 }, 502, "more than 1000 bytes" },
		{ { .say = OK "X: ", .more = 1 << 20 }, 502, "" },
		{ { .say = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" }, 502, "protocol" },
	};
	struct house *h = *state;

	for (size_t i = 0; i < nelems(rows); i++) {
		struct fetch_request q = get(h, "127.0.0.1", "/");

		if (rows[i].code == 504)
			q.deadline_ms = 150;
		player_start(&h->server, &rows[i].script, 1);
		ask(h, &q);
		player_done(&h->server);
		if (!h->failed || h->err.code != rows[i].code || !strstr(h->err.text, rows[i].why))
			fail_msg("row %zu: failed %d, code %d, %s", i, h->failed, h->err.code, h->err.text);
		assert_int_equal(h->err.side, SIDE_UPSTREAM);
		assert_true(h->nbody <= 1000);
	}
}

static void endless_interim_answers_are_bounded(void **state)
{
	static char many[80000];
	static struct script s = { .say = many };
	struct house *h = *state;
	struct fetch_request q = get(h, "127.0.0.1", "/");

	for (size_t n = 0; n + 26 < sizeof many; n += 25)
		memcpy(many + n, "HTTP/1.1 100 Continue\r\n\r\n", 25);
	player_start(&h->server, &s, 1);
	ask(h, &q);
	player_done(&h->server);
	assert_true(h->failed);
	assert_non_null(strstr(h->err.text, "head"));
}

static void the_request_says_what_it_was_given(void **state)
{
	static const struct script s[] = { { .say = "HTTP/1.1 204 X\r\n\r\n" }, { .say = "HTTP/1.1 204 X\r\n\r\n" } };
	struct house *h = *state;
	struct field own[] = { { BYTES("X-Api-Key"), BYTES("abc"), FIELD_OTHER, false } };
	struct fetch_request q = get(h, "Shop.Example", "/a/b?c=d#e");
	char want[512];

	q.fields = own;
	q.nfields = 1;
	player_start(&h->server, s, 2);
	ask(h, &q);
	snprintf(want, sizeof want,
		 "GET /a/b?c=d HTTP/1.1\r\nHost: Shop.Example:%u\r\nUser-Agent: embergate/" EMBERGATE_VERSION
		 "\r\nAccept-Encoding: identity\r\nConnection: close\r\nX-Api-Key: abc\r\n\r\n",
		 h->server.port);
	q.content_type = BYTES("text/plain");
	q.body = BYTES("a body");
	ask(h, &q);
	player_done(&h->server);
	assert_string_equal(h->server.asked[0], want);
	assert_memory_equal(h->server.asked[1], "POST /a/b?c=d HTTP/1.1\r\n", 24);
	assert_non_null(strstr(h->server.asked[1], "\r\nContent-Type: text/plain\r\n"));
	assert_non_null(strstr(h->server.asked[1], "\r\nContent-Length: 6\r\n\r\na body"));
}

static void what_may_not_be_asked_is_told_later_too(void **state)
{
	struct house *h = *state;
	struct field bad = { BYTES("X"), BYTES("a\r\nHost: evil"), FIELD_OTHER, false };
	struct fetch_request rows[] = {
		{ .url = BYTES("ftp://a/") }, { .url = BYTES("http://u:p@a/") }, { .url = BYTES("http://a b/") },
		{ .url = BYTES("http://a/"), .fields = &bad, .nfields = 1 },
		{ .url = BYTES("http://a/"), .method = BYTES("G\nT") },
		{ .url = BYTES("http://a/"), .content_type = BYTES("a\rb") },
	};

	for (size_t i = 0; i < nelems(rows); i++) {
		ask(h, &rows[i]);
		assert_true(h->failed);
		assert_int_equal(h->err.side, SIDE_CONFIG);
	}
	assert_int_equal(h->lookups, 0);
}

static void redirects_are_followed_as_often_as_allowed(void **state)
{
	static const struct script s[] = {
		{ .say = "HTTP/1.1 302 X\r\nLocation: /2\r\nContent-Length: 100\r\n\r\n", .then = HOLD },
		{ .say = "HTTP/1.1 307 X\r\nLocation: /3?x\r\nContent-Length: 0\r\n\r\n" },
		{ .say = "HTTP/1.1 200 X\r\nContent-Length: 2\r\n\r\nok" },
	};
	struct house *h = *state;
	struct fetch_request q = get(h, "shop.example", "/1");

	q.redirects = 2;
	player_start(&h->server, s, 3);
	ask(h, &q);
	player_done(&h->server);
	assert_false(h->failed);
	assert_bytes(((struct bytes){ h->body, h->nbody }), BYTES("ok"));
	assert_int_equal(h->heads, 1);
	assert_memory_equal(h->server.asked[1], "GET /2 ", 7);
	assert_memory_equal(h->server.asked[2], "GET /3?x ", 9);
	q.redirects = 1;
	q.url = bytes_of(url(h, "shop.example", "/1"));
	player_start(&h->server, s, 2);
	ask(h, &q);
	player_done(&h->server);
	assert_true(h->failed);
	assert_non_null(strstr(h->err.text, "more than 1 redirects"));
}

static void a_redirect_loop_ends(void **state)
{
	static const struct script loop = { .say = "HTTP/1.1 301 X\r\nLocation: /\r\nContent-Length: 0\r\n\r\n" };
	const struct script s[] = { loop, loop, loop, loop, loop, loop };
	struct house *h = *state;
	struct fetch_request q = get(h, "shop.example", "/");

	q.redirects = 5;
	player_start(&h->server, s, 6);
	ask(h, &q);
	player_done(&h->server);
	assert_true(h->failed);
}

static void secrets_stay_at_their_origin(void **state)
{
	static char to[128];
	static struct script s[] = { { .say = to }, { .say = "HTTP/1.1 204 X\r\n\r\n" } };
	struct house *h = *state;
	struct field own = { BYTES("X-Api-Key"), BYTES("abc"), FIELD_OTHER, false };
	struct fetch_request q = get(h, "shop.example", "/");

	snprintf(to, sizeof to, "HTTP/1.1 302 X\r\nLocation: http://other.example:%u/\r\nContent-Length: 0\r\n\r\n",
		 h->server.port);
	q.redirects = 1;
	q.fields = &own;
	q.nfields = 1;
	player_start(&h->server, s, 2);
	ask(h, &q);
	player_done(&h->server);
	assert_false(h->failed);
	assert_non_null(strstr(h->server.asked[0], "X-Api-Key"));
	assert_null(strstr(h->server.asked[1], "X-Api-Key"));
}

static void a_post_is_never_sent_elsewhere(void **state)
{
	static const struct script s = { .say = "HTTP/1.1 307 X\r\nLocation: /2\r\nContent-Length: 0\r\n\r\n" };
	struct house *h = *state;
	struct fetch_request q = get(h, "shop.example", "/");

	q.redirects = 5;
	q.body = BYTES("secret=1");
	player_start(&h->server, &s, 1);
	ask(h, &q);
	player_done(&h->server);
	assert_false(h->failed);
	assert_int_equal(h->status, 307);
}

static void names_are_looked_up_once_and_bad_ones_are_told(void **state)
{
	static const struct script s[] = { { .say = "HTTP/1.1 204 X\r\n\r\n" }, { .say = "HTTP/1.1 204 X\r\n\r\n" } };
	struct house *h = *state;
	struct fetch_request q = get(h, "shop.example", "/");

	player_start(&h->server, s, 2);
	ask(h, &q);
	assert_false(h->failed);
	ask(h, &q);
	player_done(&h->server);
	assert_false(h->failed);
	assert_int_equal(h->lookups, 1);
	q.url = BYTES("http://nowhere.example/");
	ask(h, &q);
	assert_true(h->failed);
	assert_non_null(strstr(h->err.text, "nowhere.example: no such name"));
	ask(h, &q);
	assert_int_equal(h->lookups, 2);
}

static void a_slow_name_blocks_no_loop(void **state)
{
	struct house *h = *state;
	struct fetch_request q = get(h, "shop.example", "/");

	h->hold = true; /* for as long as it takes */
	q.deadline_ms = 100;
	ask(h, &q);
	assert_int_equal(h->err.code, 504);
	assert_non_null(strstr(h->err.text, "name was not found within 100 ms"));
	let_lookups_end(h); /* its answer finds nobody */
	run_for(h->loop, 10);
	assert_int_equal(h->done, 1);
}

static void what_the_turn_took_before_is_not_its_time(void **state)
{
	static const struct script s = { .say = "HTTP/1.1 204 X\r\n\r\n" };
	struct house *h = *state;
	struct fetch_request q = get(h, "127.0.0.1", "/");

	q.deadline_ms = 1000;
	player_start(&h->server, &s, 1);
	run_for(h->loop, 1);
	usleep(1200000); /* the loop's clock stands still meanwhile */
	ask(h, &q);
	assert_false(h->failed);
	player_done(&h->server);
}

static void a_full_queue_of_names_refuses(void **state)
{
	struct house *h = *state;
	struct dns_answer a;
	struct dns_ask *asked[DNS_WAITING + 2];
	unsigned refused = 0;
	struct dns *d;
	char host[32];

	h->hold = true;
	d = dns_new(look_up, h);
	for (size_t i = 0; i < nelems(asked); i++) {
		snprintf(host, sizeof host, "n%zu.example", i);
		assert_false(dns_find(d, h->loop, bytes_of(host), &a, &asked[i], NULL, NULL));
		refused += !asked[i];
		while (i == 0 && !atomic_load(&h->lookups)) /* the first is under way, and waits no more */
			usleep(1000);
	}
	assert_int_equal(refused, 1);
	assert_non_null(strstr(a.why, "too many"));
	for (size_t i = 0; i < nelems(asked); i++)
		if (asked[i])
			dns_cancel(d, asked[i]);
	dns_free(d); /* with a lookup under way */
	let_lookups_end(h);
}

static void the_next_address_is_tried(void **state)
{
	static const struct script s = { .say = "HTTP/1.1 204 X\r\n\r\n" };
	struct house *h = *state;
	struct fetch_request q = get(h, "two.example", "/");

	player_start(&h->server, &s, 1);
	ask(h, &q);
	player_done(&h->server);
	assert_false(h->failed);
	assert_int_equal(h->status, 204);
}

static void a_port_where_nobody_listens_fails(void **state)
{
	struct house *h = *state;
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct fetch_request q = { .deadline_ms = 5000 };
	char to[64];

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0); /* bound, never listening */
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	snprintf(to, sizeof to, "http://127.0.0.1:%u/", ntohs(at.sin_port));
	q.url = bytes_of(to);
	ask(h, &q);
	close(fd);
	assert_true(h->failed);
	assert_non_null(strstr(h->err.text, "refused"));
}

static void a_cancelled_fetch_says_nothing(void **state)
{
	static const struct script s = { .say = "HTTP/1.1 200 X\r\nContent-Length: 9\r\n\r\nhello", .then = HOLD };
	struct house *h = *state;
	struct fetch_request q = get(h, "shop.example", "/");

	start(h, &q); /* at once */
	fetch_cancel(h->fetch);
	run_for(h->loop, 20);
	h->hold = true;
	start(h, &q); /* while its name is looked up */
	run_for(h->loop, 10);
	fetch_cancel(h->fetch);
	let_lookups_end(h);
	run_for(h->loop, 10);
	player_start(&h->server, &s, 1);
	h->cancel_at_bytes = true; /* in a callback */
	start(h, &q);
	RUN_UNTIL(h->loop, h->pieces);
	run_for(h->loop, 20);
	player_done(&h->server);
	assert_int_equal(h->done, 0);
	assert_int_equal(h->pieces, 1);
}

/* ---- whole ---- */

static void on_whole(void *owner, const struct fetch_answer *a, const struct err *failed)
{
	struct house *h = owner;

	if (a) {
		h->status = a->status;
		h->nbody = a->body.len;
		memcpy(h->body, a->body.at, a->body.len);
		assert_bytes(fields_value(a->fields, FIELD_CONTENT_TYPE), BYTES("text/x"));
	}
	on_done(h, failed);
}

static void a_body_is_collected(void **state)
{
	static const struct script s[] = {
		{ .say = "HTTP/1.1 400 X\r\nContent-Type: text/x\r\nTransfer-Encoding: chunked\r\n\r\n"
			 "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", .by_bytes = true },
		{ .say = "HTTP/1.1 200 X\r\nContent-Type: text/x\r\n\r\n", .more = 5000 },
	};
	struct house *h = *state;
	struct fetch_request q = get(h, "shop.example", "/");

	player_start(&h->server, s, 2);
	for (size_t i = 0; i < 2; i++) {
		h->done = 0;
		assert_non_null(fetch_whole(h->fetcher, h->loop, &q, on_whole, h));
		RUN_UNTIL(h->loop, h->done);
		assert_int_equal(h->failed, i == 1);
		assert_int_equal(h->status, 400);
		assert_bytes(((struct bytes){ h->body, h->nbody }), BYTES("abcde"));
	}
	player_done(&h->server);
}

/* ---- TLS ---- */

static void answer_tls(struct end *e)
{
	if (strstr(e->got, "\r\n\r\n")) {
		say(e, BYTES("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
		stream_finish(e->stream);
	}
}

static void certificates_are_checked_for_the_name(void **state)
{
	static const struct { const char *host; bool trusted, good; } rows[] = {
		{ "shop.example", true, true }, { "other.example", true, false }, { "127.0.0.1", true, false },
		{ "shop.example", false, false },
	};
	struct house *h = *state;
	char dir[] = "/tmp/embergate-test-fetch.XXXXXX", cert[64], key[64], to[64];
	struct err e;

	assert_non_null(mkdtemp(dir));
	snprintf(cert, sizeof cert, "%s/cert", dir);
	snprintf(key, sizeof key, "%s/key", dir);
	assert_true(tls_self_signed("shop.example", cert, key, &e));
	for (size_t i = 0; i < nelems(rows); i++) {
		struct tls_cert_file file = { cert, key };
		struct tls_server_options o = { .certs = &file, .ncerts = 1, .min_version = 12 };
		struct tls_context *ours = tls_server_new(&o, &e);
		struct fetcher *f = rows[i].trusted ? fetcher_new(cert, look_up, h, &e) : h->fetcher;
		struct fetch_request q = { .deadline_ms = 5000, .body_max = 10 };
		struct end server = { .got = calloc(1, 1), .on_bytes = answer_tls };
		struct door door;
		char want[32];

		door_open(&door, h->loop, ours);
		door.next = &server;
		snprintf(to, sizeof to, "https://%s:%u/", rows[i].host, ntohs(door.at.sin_port));
		snprintf(want, sizeof want, "%s", rows[i].good ? "" : "certificate refused");
		q.url = bytes_of(to);
		h->done = 0;
		assert_non_null(fetch_start(f, h->loop, &q, &events, h));
		RUN_UNTIL(h->loop, h->done);
		if (h->failed == rows[i].good || !strstr(h->err.text, want))
			fail_msg("row %zu: %s", i, h->err.text);
		assert_int_equal(server.n > 0, rows[i].good); /* nothing is said to a stranger */
		end_close(&server);
		listener_close(door.listener);
		run_for(h->loop, 10);
		if (rows[i].trusted)
			fetcher_free(f);
		tls_context_free(ours);
	}
	unlink(cert);
	unlink(key);
	rmdir(dir);
}

/* ---- URLs and forms ---- */

static void urls_are_read_strictly(void **state)
{
	static const struct { const char *url, *host, *authority, *path, *query; unsigned port; } good[] = {
		{ "http://a", "a", "a", "/", NULL, 80 },
		{ "HTTPS://A.b/", "A.b", "A.b", "/", NULL, 443 },
		{ "https://a:443/x?", "a", "a", "/x", "", 443 },
		{ "http://a:8080?q=/#f", "a", "a:8080", "/", "q=/", 8080 },
		{ "http://[2001:db8::1]:81/p#x?y", "2001:db8::1", "[2001:db8::1]:81", "/p", NULL, 81 },
		{ "http://127.0.0.1/%00", "127.0.0.1", "127.0.0.1", "/%00", NULL, 80 },
	};
	static const char *const bad[] = {
		"", "http:/a", "//a/", "gopher://a/", "http://", "http:///x", "http://a:0/", "http://a:65536/",
		"http://a:+1/", "http://a:/", "http://u@a/", "http://a\\b/", "http://a/\x01", "http://a/\xc3\xa9", "http://[a]/",
		"http://[::1/", "http://[::1]x/", "http://a%2fb/", "http://.a/", "http://[127.0.0.1]/", " http://a/",
	};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < nelems(good); i++) {
		struct fetch_url u;
		struct err e = { 0 };

		if (!fetch_url_parse(a, bytes_of(good[i].url), &u, &e))
			fail_msg("%s: %s", good[i].url, e.text);
		assert_bytes(u.host, bytes_of(good[i].host));
		assert_bytes(u.authority, bytes_of(good[i].authority));
		assert_bytes(u.path, bytes_of(good[i].path));
		assert_int_equal(u.query.at != NULL, good[i].query != NULL);
		assert_bytes(u.query, bytes_of(good[i].query));
		assert_int_equal(u.port, good[i].port);
	}
	for (size_t i = 0; i < nelems(bad); i++)
		if (fetch_url_check(bytes_of(bad[i]), NULL))
			fail_msg("'%s' is no URL of ours", bad[i]);
	arena_free(a);
}

static void a_redirect_stays_as_safe_as_it_was(void **state)
{
	static const struct { const char *from, *to; bool good; } rows[] = {
		{ "https://a/x", "/y", true }, { "https://a/x", "https://b/", true }, { "http://a/x", "https://b/", true },
		{ "https://a/x", "http://a/", false }, { "https://a/x", "//b/", false }, { "https://a/x", "y", false },
		{ "https://a/x", "/y z", false }, { "http://a/x", "file:///etc/passwd", false },
	};
	struct arena *a = arena_new(1 << 20);

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct fetch_url from, to;

		assert_true(fetch_url_parse(a, bytes_of(rows[i].from), &from, NULL));
		assert_int_equal(fetch_url_follow(a, &from, bytes_of(rows[i].to), &to, NULL), rows[i].good);
	}
	arena_free(a);
}

static void forms_are_encoded(void **state)
{
	char buf[64];
	struct text t = text_over(buf, sizeof buf);

	(void)state;
	fetch_form_put(&t, BYTES("a b"), BYTES("1&2=3%"));
	fetch_form_put(&t, BYTES("c"), BYTES("\xff\0-._*"));
	assert_bytes(text_bytes(&t), BYTES("a+b=1%262%3D3%25&c=%FF%00-._*"));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(whole_answers_are_given_as_they_came),
		TEST(whatever_is_not_whole_or_not_right_fails),
		TEST(endless_interim_answers_are_bounded),
		TEST(the_request_says_what_it_was_given),
		TEST(what_may_not_be_asked_is_told_later_too),
		TEST(redirects_are_followed_as_often_as_allowed),
		TEST(a_redirect_loop_ends),
		TEST(secrets_stay_at_their_origin),
		TEST(a_post_is_never_sent_elsewhere),
		TEST(names_are_looked_up_once_and_bad_ones_are_told),
		TEST(a_slow_name_blocks_no_loop),
		TEST(what_the_turn_took_before_is_not_its_time),
		TEST(a_full_queue_of_names_refuses),
		TEST(the_next_address_is_tried),
		TEST(a_port_where_nobody_listens_fails),
		TEST(a_cancelled_fetch_says_nothing),
		TEST(a_body_is_collected),
		TEST(certificates_are_checked_for_the_name),
		cmocka_unit_test(urls_are_read_strictly),
		cmocka_unit_test(a_redirect_stays_as_safe_as_it_was),
		cmocka_unit_test(forms_are_encoded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
