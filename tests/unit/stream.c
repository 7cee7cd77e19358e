/* stream.c -- plain connections, over real sockets. */
#include "tests/ends.h"
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/un.h>

enum { BIG = 8 << 20 };

struct plain {
	struct loop *loop;
	struct door door;
};

static int begin(void **state)
{
	struct plain *p = calloc(1, sizeof *p);

	signal(SIGPIPE, SIG_IGN);
	*state = p;
	p->loop = loop_new();
	door_open(&p->door, p->loop, NULL);
	return 0;
}

static int end(void **state)
{
	struct plain *p = *state;

	listener_close(p->door.listener);
	loop_free(p->loop);
	free(p);
	return 0;
}

static char *text(void)
{
	return calloc(1, 1);
}

static void reset(int fd)
{
	struct linger now = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
	close(fd);
}

static void bytes_pass_both_ways_and_the_end_is_told_once(void **state)
{
	struct plain *p = *state;
	struct end e = { .got = text() };
	int fd = door_knock(&p->door, &e);
	char buf[16];

	send(fd, "hello", 5, 0);
	RUN_UNTIL(p->loop, e.n == 5);
	assert_string_equal(e.got, "hello");
	assert_true(say(&e, BYTES("you")));
	run_for(p->loop, 1);
	assert_int_equal(recv(fd, buf, sizeof buf, 0), 3);
	close(fd);
	RUN_UNTIL(p->loop, e.ended);
	run_for(p->loop, 60);
	assert_int_equal(e.ended, 1);
	assert_int_equal(e.how, END_CLEAN);
	assert_int_equal(e.readied, 0);
	end_close(&e);
	assert_int_equal(e.closed, 1);
}

/* Reads to the end; the bytes must count up from 0, modulo 251. */
static void *read_all(void *arg)
{
	int fd = *(int *)arg;
	size_t *n = calloc(1, sizeof *n);
	unsigned char buf[65536];
	ssize_t got;

	while ((got = recv(fd, buf, sizeof buf, 0)) > 0)
		for (ssize_t i = 0; i < got; i++, (*n)++)
			if (buf[i] != *n % 251) {
				*n = SIZE_MAX;
				return n;
			}
	return n;
}

static unsigned char *counting(size_t n)
{
	unsigned char *b = malloc(n);

	for (size_t i = 0; i < n; i++)
		b[i] = (unsigned char)(i % 251);
	return b;
}

static void what_the_kernel_does_not_take_is_sent_later_in_order(void **state)
{
	static const size_t pieces[] = { BIG, 1, 70000, 3 }; /* then the same again and again */
	struct plain *p = *state;
	struct end e = { 0 };
	int fd = door_knock(&p->door, &e);
	unsigned char *b = counting(3 * BIG);
	size_t at = 0, *read;
	pthread_t reader;

	for (unsigned i = 0; at < 2 * BIG; at += pieces[i++ % nelems(pieces)]) {
		struct bytes v[] = { { (char *)b + at, 0 }, { (char *)b + at, pieces[i % nelems(pieces)] } };

		assert_true(stream_write(e.stream, v, 2));
	}
	assert_true(stream_backlog(e.stream) > 0);
	assert_int_equal(stream_taken(e.stream) + stream_backlog(e.stream), at);
	pthread_create(&reader, NULL, read_all, &fd);
	assert_true(stream_delivered(e.stream) <= stream_taken(e.stream));
	RUN_UNTIL(p->loop, e.drained);
	assert_int_equal(stream_backlog(e.stream), 0);
	assert_int_equal(stream_taken(e.stream), at);
	for (int i = 0; i < 100 && stream_delivered(e.stream) < at; i++)
		run_for(p->loop, 10);
	assert_int_equal(stream_delivered(e.stream), at);
	stream_finish(e.stream);
	run_for(p->loop, 10);
	pthread_join(reader, (void **)&read);
	assert_int_equal(*read, at);
	assert_int_equal(e.drained, 1);
	free(read);
	free(b);
	close(fd);
	end_close(&e);
}

static void what_is_queued_goes_before_the_last_word(void **state)
{
	struct plain *p = *state;
	struct end e = { 0 };
	int fd = door_knock(&p->door, &e);
	unsigned char *b = counting(2 * BIG);
	struct bytes half = { (char *)b, BIG };
	size_t *read;
	pthread_t reader;

	assert_true(say(&e, half));
	assert_true(say(&e, (struct bytes){ (char *)b + BIG, 1000 })); /* behind one in flight */
	stream_finish(e.stream);
	assert_false(say(&e, half)); /* nothing follows */
	pthread_create(&reader, NULL, read_all, &fd);
	RUN_UNTIL(p->loop, stream_backlog(e.stream) == 0);
	run_for(p->loop, 10);
	pthread_join(reader, (void **)&read);
	assert_int_equal(*read, BIG + 1000);
	free(read);
	free(b);
	close(fd);
	end_close(&e);
}

static void who_half_closed_can_still_be_written_to(void **state)
{
	struct plain *p = *state;
	struct end e = { 0 };
	int fd = door_knock(&p->door, &e);
	char buf[8];

	shutdown(fd, SHUT_WR);
	RUN_UNTIL(p->loop, e.ended);
	assert_int_equal(e.how, END_CLEAN);
	assert_true(say(&e, BYTES("still")));
	run_for(p->loop, 1);
	assert_int_equal(recv(fd, buf, sizeof buf, 0), 5);
	stream_finish(e.stream);
	run_for(p->loop, 10);
	assert_int_equal(recv(fd, buf, sizeof buf, 0), 0);
	close(fd);
	end_close(&e);
}

static void bytes_before_a_reset_are_given_then_it_is_told(void **state)
{
	struct plain *p = *state;
	struct end e = { .got = text() };
	int fd = door_knock(&p->door, &e);

	send(fd, "last", 4, 0);
	reset(fd);
	RUN_UNTIL(p->loop, e.ended);
	assert_string_equal(e.got, "last");
	assert_int_equal(e.how, END_BROKEN);
	assert_true(stream_is_broken(e.stream));
	assert_false(say(&e, BYTES("x")));
	end_close(&e);
}

static void a_reset_of_ours_is_seen_as_one(void **state)
{
	for (int finished = 0; finished < 2; finished++) {
		struct plain *p = *state;
		struct end e = { 0 };
		int fd = door_knock(&p->door, &e);
		char buf[8];
		ssize_t n;

		say(&e, BYTES("part"));
		if (finished)
			stream_finish(e.stream);
		stream_reset(e.stream);
		RUN_UNTIL(p->loop, e.closed);
		while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
			;
		assert_int_equal(n, -1);
		assert_int_equal(errno, ECONNRESET);
		close(fd);
		end_close(&e);
	}
}

static void a_paused_stream_is_silent_until_it_is_resumed(void **state)
{
	struct plain *p = *state;
	struct end e = { .got = text() };
	int fd = door_knock(&p->door, &e);

	stream_pause(e.stream);
	send(fd, "later", 5, 0);
	close(fd);
	run_for(p->loop, 60);
	assert_int_equal(e.n + e.ended, 0);
	stream_resume(e.stream);
	RUN_UNTIL(p->loop, e.ended);
	assert_string_equal(e.got, "later");
	end_close(&e);
}

static void a_write_tells_of_a_break_where_nothing_is_read(void **state)
{
	struct plain *p = *state;
	struct end e = { 0 };
	int fd = door_knock(&p->door, &e);
	unsigned char *b = counting(BIG);

	stream_pause(e.stream);
	assert_true(say(&e, (struct bytes){ (char *)b, BIG }));
	assert_true(say(&e, (struct bytes){ (char *)b, BIG }));
	assert_false(stream_is_broken(e.stream));
	reset(fd);
	RUN_UNTIL(p->loop, e.drained);
	assert_true(stream_is_broken(e.stream));
	assert_int_equal(stream_backlog(e.stream), 0);
	assert_int_equal(e.ended, 0);
	free(b);
	end_close(&e);
}

static void nothing_is_heard_after_a_close_in_any_callback(void **state)
{
	static const struct { bool bytes, end, drained; } rows[] = {
		{ true, false, false }, { false, true, false }, { false, false, true },
	};
	struct plain *p = *state;
	unsigned char *b = counting(BIG);

	for (size_t i = 0; i < nelems(rows); i++) {
		struct end e = { .close_at_bytes = rows[i].bytes, .close_at_end = rows[i].end,
				 .close_at_drained = rows[i].drained };
		int fd = door_knock(&p->door, &e);
		pthread_t reader;
		void *read;

		if (rows[i].drained) {
			say(&e, (struct bytes){ (char *)b, BIG });
			pthread_create(&reader, NULL, read_all, &fd);
		} else {
			send(fd, "hello", 5, 0);
			shutdown(fd, SHUT_WR);
		}
		RUN_UNTIL(p->loop, e.closed);
		run_for(p->loop, 10);
		assert_int_equal(e.closed, 1);
		assert_int_equal(e.ended, rows[i].end);
		if (rows[i].drained) {
			pthread_join(reader, &read);
			free(read);
		}
		close(fd);
	}
	free(b);
}

static void a_connection_is_made_and_ready_once(void **state)
{
	struct plain *p = *state;
	struct end server = { .got = text() }, client = { .loop = p->loop };
	struct ip ip;
	uint16_t port;

	p->door.next = &server;
	client.stream = stream_connect(p->loop, (struct sockaddr *)&p->door.at, &end_events, &client, NULL, NULL);
	assert_non_null(client.stream);
	RUN_UNTIL(p->loop, client.readied && server.events);
	assert_true(stream_peer(client.stream, &ip, &port));
	assert_true(ip_is_loopback(&ip));
	assert_int_equal(port, ntohs(p->door.at.sin_port));
	say(&client, BYTES("hi"));
	RUN_UNTIL(p->loop, server.n == 2);
	assert_int_equal(client.readied, 1);
	assert_null(stream_tls_version(client.stream));
	end_close(&client);
	RUN_UNTIL(p->loop, server.ended);
	end_close(&server);
}

static void a_refused_connection_ends_broken(void **state)
{
	struct plain *p = *state;
	struct end e = { .loop = p->loop };
	struct sockaddr_in nobody = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
				      .sin_port = htons(1) };

	e.stream = stream_connect(p->loop, (struct sockaddr *)&nobody, &end_events, &e, NULL, NULL);
	assert_non_null(e.stream);
	RUN_UNTIL(p->loop, e.ended);
	assert_int_equal(e.how, END_BROKEN);
	assert_string_equal(e.why, "connection refused");
	assert_int_equal(e.readied, 0);
	end_close(&e);
}

static void a_connection_may_be_closed_before_it_is_made(void **state)
{
	struct plain *p = *state;
	struct end server = { 0 }, client = { .loop = p->loop };

	p->door.next = &server;
	client.stream = stream_connect(p->loop, (struct sockaddr *)&p->door.at, &end_events, &client, NULL, NULL);
	stream_close(client.stream);
	stream_close(client.stream);
	RUN_UNTIL(p->loop, client.closed);
	assert_int_equal(client.readied + client.ended, 0);
	run_for(p->loop, 20);
	if (server.events)
		end_close(&server);
}

static void a_unix_socket_is_a_stream_without_an_address(void **state)
{
	struct plain *p = *state;
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0);
	struct door d = { .loop = p->loop };
	struct end e = { .got = text() };
	struct ip ip;
	uint16_t port;

	snprintf(at.sun_path, sizeof at.sun_path, "/tmp/embergate-test-stream.%d", (int)getpid());
	unlink(at.sun_path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
	d.listener = listener_open(p->loop, fd, door_accepted, &d, NULL);
	assert_non_null(d.listener);
	d.next = &e;
	assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof at), 0);
	send(client, "hello", 5, 0);
	RUN_UNTIL(p->loop, e.n == 5);
	assert_false(stream_peer(e.stream, &ip, &port));
	stream_reset(e.stream);
	end_close(&e);
	close(client);
	listener_close(d.listener);
	unlink(at.sun_path);
}

static void a_listener_takes_nothing_but_sockets(void **state)
{
	struct plain *p = *state;
	struct err e = { 0 };
	int fd = dup(0);

	assert_null(listener_open(p->loop, fd, door_accepted, NULL, &e));
	assert_string_equal(e.text, "not a socket");
	assert_int_equal(close(fd), -1); /* it was the listener's, to the last */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(bytes_pass_both_ways_and_the_end_is_told_once),
		TEST(what_the_kernel_does_not_take_is_sent_later_in_order),
		TEST(what_is_queued_goes_before_the_last_word),
		TEST(who_half_closed_can_still_be_written_to),
		TEST(bytes_before_a_reset_are_given_then_it_is_told),
		TEST(a_reset_of_ours_is_seen_as_one),
		TEST(a_paused_stream_is_silent_until_it_is_resumed),
		TEST(a_write_tells_of_a_break_where_nothing_is_read),
		TEST(nothing_is_heard_after_a_close_in_any_callback),
		TEST(a_connection_is_made_and_ready_once),
		TEST(a_refused_connection_ends_broken),
		TEST(a_connection_may_be_closed_before_it_is_made),
		TEST(a_unix_socket_is_a_stream_without_an_address),
		TEST(a_listener_takes_nothing_but_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
