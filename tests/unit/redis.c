/* redis.c -- commands to a real redis-server, and to servers that are none. */
#include "base/stream.h"
#include "cti/redis.h"
#include "cti/redis_url.h"
#include "tests/redis_server.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATIENCE_MS = 10000, MANY = 5000 };

/* ---- urls ---- */

static void urls_are_read_strictly(void **state)
{
	static const struct {
		const char *url, *host, *user, *password;
		unsigned port, db;
		bool ok, tls;
	} rows[] = {
		{ "redis://r", "r", "", "", 0, 0, true, false },
		{ "rediss://r.example:7000/3", "r.example", "", "", 7000, 3, true, true },
		{ "redis://:p%40ss@r:1", "r", "", "p@ss", 1, 0, true, false },
		{ "redis://me:a:b@[2001:db8::1]:6380", "2001:db8::1", "me", "a:b", 6380, 0, true, false },
		{ .url = "http://r" }, { .url = "redis://" }, { .url = "redis://r:0" }, { .url = "redis://r:65536" },
		{ .url = "redis://r:x" }, { .url = "redis://r/x" }, { .url = "redis://[::1" }, { .url = "redis://[::1]x" },
		{ .url = "redis://a b" }, { .url = "redis://:%4@r" }, { .url = "redis://r\n" }, { .url = "" },
	};

	(void)state;
	for (size_t i = 0; i < nelems(rows); i++) {
		struct arena *a = arena_new(1 << 14);
		struct redis_url u;
		struct err err = { 0 };
		bool ok = redis_url_parse(a, bytes_of(rows[i].url), &u, &err);

		if (ok != rows[i].ok)
			fail_msg("%s: %s", rows[i].url, err.text);
		assert_true(ok || (err.text[0] && !strstr(err.text, "p@ss")));
		if (ok) {
			assert_true(bytes_eq(u.host, bytes_of(rows[i].host)) && bytes_eq(u.user, bytes_of(rows[i].user)));
			assert_true(bytes_eq(u.password, bytes_of(rows[i].password)));
			assert_int_equal(u.port, rows[i].port);
			assert_int_equal(u.db, rows[i].db);
			assert_true(u.tls == rows[i].tls);
		}
		arena_free(a);
	}
}

/* ---- a client on a loop ---- */

struct test {
	struct loop *loop;
	struct redis *redis;
	struct deadline patience;
	pid_t server;
	unsigned port, ups, downs, told, failed, readonly;
	struct lies *lies;
	int64_t expected;
	bool is_up, closed;
	char url[64];
};

static void on_impatient(void *arg)
{
	(void)arg;
	fail_msg("nothing came within %d s", PATIENCE_MS / 1000);
}

static void on_up(void *owner, bool up)
{
	struct test *t = owner;

	t->is_up = up;
	t->ups += up;
	t->downs += !up;
	loop_stop(t->loop);
}

static void server_start(struct test *t)
{
	t->server = redis_server(t->port);
}

static void server_stop(struct test *t, int by)
{
	int status;

	kill(t->server, by);
	waitpid(t->server, &status, 0);
	t->server = 0;
}

static void client_open(struct test *t)
{
	struct redis_events on = { on_up, t };
	struct bytes url;
	struct err err = { 0 };

	snprintf(t->url, sizeof t->url, "redis://127.0.0.1:%u", t->port);
	url = bytes_of(t->url);
	t->redis = redis_open(t->loop, &(struct redis_config){ .urls = &url, .nurls = 1, .reply_ms = 500 }, &on, &err);
	if (!t->redis)
		fail_msg("%s", err.text);
	deadline_set(t->loop, &t->patience, PATIENCE_MS, on_impatient, t);
}

static void on_closed(void *arg)
{
	struct test *t = arg;

	t->closed = true;
	loop_stop(t->loop);
}

static void client_close(struct test *t)
{
	redis_close(t->redis, on_closed, t);
	while (!t->closed)
		loop_run(t->loop);
	deadline_clear(&t->patience);
	loop_free(t->loop);
}

static bool has_server(void)
{
	return system("command -v redis-server >/dev/null") == 0;
}

static void on_count(void *owner, const struct redis_reply *r)
{
	struct test *t = owner;

	t->told++;
	if (!r) {
		t->failed++;
	} else {
		assert_int_equal(r->kind, REDIS_INTEGER);
		assert_int_equal(r->integer, ++t->expected); /* in order, none skipped */
	}
	if (t->told == MANY)
		loop_stop(t->loop);
}

static void count_up(struct test *t)
{
	struct bytes args[] = { BYTES("INCR"), BYTES("n") };

	for (unsigned i = 0; i < MANY; i++)
		assert_true(redis_send(t->redis, args, 2, 1, on_count, t));
}

static void replies_come_in_order_and_a_server_that_dies_fails_all(void **state)
{
	struct test t = { .loop = loop_new(), .port = port_free() };

	(void)state;
	if (!has_server()) {
		print_message("skipped: redis-server is not installed\n");
		loop_free(t.loop);
		return;
	}
	client_open(&t); /* before there is a server */
	server_start(&t);
	while (!t.is_up)
		loop_run(t.loop);
	count_up(&t);
	loop_run(t.loop);
	assert_int_equal(t.told, MANY);
	assert_int_equal(t.failed, 0);
	t.told = 0;
	kill(t.server, SIGSTOP); /* it takes them and does not answer */
	count_up(&t);
	while (t.told < MANY)
		loop_run(t.loop);
	assert_int_equal(t.failed, MANY);
	while (t.is_up)
		loop_run(t.loop);
	assert_false(redis_send(t.redis, (struct bytes[]){ BYTES("PING") }, 1, 0, on_count, &t));
	server_stop(&t, SIGKILL);
	server_start(&t);
	while (!t.is_up)
		loop_run(t.loop);
	t.told = t.failed = 0;
	t.expected = 0; /* it came back empty */
	count_up(&t);
	while (t.told < MANY)
		loop_run(t.loop);
	assert_int_equal(t.failed, 0);
	client_close(&t);
	server_stop(&t, SIGTERM);
}

/* ---- a server that is demoted ---- */

static void on_reply(void *owner, const struct redis_reply *r)
{
	struct test *t = owner;

	t->told++;
	t->failed += !r;
	t->readonly += r && r->kind == REDIS_ERROR && bytes_starts(r->text, BYTES("READONLY"));
	loop_stop(t->loop);
}

static void on_later(void *loop)
{
	loop_stop(loop);
}

static void a_replica_is_told_of_and_left(void **state)
{
	struct bytes demote[] = { BYTES("REPLICAOF"), BYTES("127.0.0.1"), BYTES("1") }, set[] = { BYTES("SET"), BYTES("k"), BYTES("v") };
	struct test t = { .loop = loop_new(), .port = port_free() };
	struct deadline later = { 0 };

	(void)state;
	if (!has_server()) {
		print_message("skipped: redis-server is not installed\n");
		loop_free(t.loop);
		return;
	}
	server_start(&t);
	client_open(&t);
	while (!t.is_up)
		loop_run(t.loop);
	assert_true(redis_send(t.redis, demote, nelems(demote), 0, on_reply, &t));
	while (t.told < 1)
		loop_run(t.loop);
	assert_true(redis_send(t.redis, set, nelems(set), 1, on_reply, &t));
	while (t.told < 2 || t.is_up)
		loop_run(t.loop);
	assert_int_equal(t.readonly, 1); /* an error is a reply */
	assert_int_equal(t.failed, 0);
	deadline_set(t.loop, &later, 1000, on_later, t.loop);
	loop_run(t.loop);
	assert_int_equal(t.ups, 1); /* and a replica is never up */
	client_close(&t);
	server_stop(&t, SIGKILL);
}

/* ---- a server that says too much ---- */

struct liar {
	struct test *test;
	struct stream *stream;
	unsigned asked;
};

struct lies {
	struct test *test;
	struct liar at[2]; /* the client's two lines */
	unsigned n, closed;
	const char *say;   /* to what comes behind the set-up */
};

static void liar_bytes(void *owner, struct bytes b)
{
	struct liar *l = owner;
	const struct lies *all = l->test->lies;
	const char *say = l->asked++ ? all->say : "*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n+PONG\r\n";
	struct bytes out = bytes_of(say);

	(void)b;
	if (l->asked == 1 && bytes_find(b, BYTES("PING")) == SIZE_MAX) {
		l->asked = 0; /* only a part of the set-up yet: ROLE */
		return;
	}
	stream_write(l->stream, &out, 1);
}

static void liar_ended(void *owner, enum stream_end how, const char *why)
{
	struct liar *l = owner;

	(void)how;
	(void)why;
	stream_close(l->stream);
}

static void liar_closed(void *owner)
{
	struct liar *l = owner;

	l->test->lies->closed++;
	loop_stop(l->test->loop);
}

static const struct stream_events liar_on = { NULL, liar_bytes, liar_ended, NULL, liar_closed };

static void liar_accepted(void *ctx, struct stream *s)
{
	struct lies *all = ctx;
	struct liar *l = &all->at[all->n % 2];

	if (all->n++ >= 2) { /* the client comes again: not what is tested */
		stream_close(s);
		return;
	}
	*l = (struct liar){ all->test, s, 0 };
	assert_true(stream_start(s, &liar_on, l, NULL));
}

/* The second reply in one piece must not be that of what is asked from within the first. */
static void on_first(void *owner, const struct redis_reply *r)
{
	struct test *t = owner;

	assert_true(r && bytes_eq(r->text, BYTES("A")));
	assert_true(redis_send(t->redis, (struct bytes[]){ BYTES("SECOND") }, 1, 0, on_reply, t));
}

static void on_nothing(void *owner, const struct redis_reply *r)
{
	assert_null(r);
	on_reply(owner, r);
}

static void lie(const char *say, redis_told *told)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct test t = { .loop = loop_new(), .port = port_free() };
	struct lies lies = { .test = &t, .say = say };
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;
	struct listener *door;

	t.lies = &lies;
	a.sin_port = htons((uint16_t)t.port);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof a), 0);
	door = listener_open(t.loop, fd, liar_accepted, &lies, NULL);
	assert_non_null(door);
	client_open(&t);
	while (!t.is_up)
		loop_run(t.loop);
	assert_true(redis_send(t.redis, (struct bytes[]){ BYTES("FIRST") }, 1, 0, told, &t));
	while (t.is_up)
		loop_run(t.loop);
	assert_int_equal(t.told, 1);
	assert_int_equal(t.failed, 1);
	listener_close(door);
	while (lies.closed < 2)
		loop_run(t.loop);
	client_close(&t);
}

static void no_reply_is_anothers(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	lie("+A\r\n+EXTRA\r\n", on_first);
	lie("HTTP/1.1 400 Bad Request\r\n\r\n", on_nothing);
	lie("*2147483648\r\n", on_nothing);
	lie("*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", on_nothing);
	lie("$2147483647\r\nx", on_nothing); /* in time it is not whole */
	lie("+no end", on_nothing);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_read_strictly),
		cmocka_unit_test(replies_come_in_order_and_a_server_that_dies_fails_all),
		cmocka_unit_test(a_replica_is_told_of_and_left),
		cmocka_unit_test(no_reply_is_anothers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
