/* redis.c -- commands to a real redis-server, and to servers that are none. */
#include "cti/redis.h"
#include "cti/redis_url.h"
#include "tests/test.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

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
	unsigned port, ups, downs, told, failed;
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

static unsigned free_port(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	socklen_t len = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, len), 0);
	getsockname(fd, (struct sockaddr *)&a, &len);
	close(fd);
	return ntohs(a.sin_port);
}

static void server_start(struct test *t)
{
	char port[16];

	snprintf(port, sizeof port, "%u", t->port);
	t->server = fork();
	if (t->server == 0) {
		int null = open("/dev/null", O_WRONLY);

		dup2(null, 1);
		dup2(null, 2);
		execlp("redis-server", "redis-server", "--port", port, "--bind", "127.0.0.1", "--save", "", "--dir", "/tmp", (char *)NULL);
		_exit(127);
	}
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
	struct test t = { .loop = loop_new(), .port = free_port() };

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(urls_are_read_strictly),
		cmocka_unit_test(replies_come_in_order_and_a_server_that_dies_fails_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
