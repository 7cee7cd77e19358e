/* shop.c -- the demo shop, asked over a real connection. */
#include "tests/test.h"
#include "base/arena.h"
#include "demo/shop.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

struct house {
	struct loop *loop;
	struct shop *shop;
	uint16_t port;
	pthread_t thread;
};

static void *serve(void *arg)
{
	struct house *h = arg;

	loop_run(h->loop);
	arena_thread_end();
	return NULL;
}

static void shut(void *arg)
{
	struct house *h = arg;

	demo_shop_stop(h->shop);
	loop_stop(h->loop);
}

static int open_shop(void **state)
{
	struct house *h = calloc(1, sizeof *h);
	struct err e;

	*state = h;
	h->loop = loop_new();
	h->shop = demo_shop_start(h->loop, &h->port, &e);
	return h->shop ? pthread_create(&h->thread, NULL, serve, h) : -1;
}

static int close_shop(void **state)
{
	struct house *h = *state;

	loop_post(h->loop, shut, h);
	pthread_join(h->thread, NULL);
	loop_free(h->loop);
	free(h);
	return 0;
}

static int visit(const struct house *h)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(h->port),
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval wait = { 5, 0 };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
	return fd;
}

/* Sends all of it and reads until the shop closes. */
static struct bytes talk(const struct house *h, struct bytes ask, char *room, size_t cap)
{
	int fd = visit(h);
	size_t n = 0;
	ssize_t got;

	assert_int_equal(send(fd, ask.at, ask.len, MSG_NOSIGNAL), (ssize_t)ask.len);
	shutdown(fd, SHUT_WR);
	while (n < cap && (got = recv(fd, room + n, cap - n, 0)) > 0)
		n += (size_t)got;
	close(fd);
	return (struct bytes){ room, n };
}

#define REQUEST(line) line " HTTP/1.1\r\nHost: shop\r\n"

static void answers_each_of_its_pages(void **state)
{
	static const struct {
		const char *ask, *status, *holds;
	} cases[] = {
		{ REQUEST("GET /") "\r\n",                           "200", "Oak chair" },
		{ REQUEST("GET /") "\r\n",                           "200", "/.git/config" },
		{ REQUEST("GET /product/3") "\r\n",                  "200", "Tea kettle" },
		{ REQUEST("GET /product/99") "\r\n",                 "404", "Not on our" },
		{ REQUEST("GET /nowhere?x=1") "\r\n",                "404", "/nowhere" },
		{ REQUEST("DELETE /") "\r\n",                        "404", "Not on our" },
		{ REQUEST("GET /search?q=%3Cb%3E+%26x") "\r\n",      "200", "&lt;b&gt; &amp;x" },
		{ REQUEST("GET /search?q=KETTLE") "\r\n",            "200", "/product/3" },
		{ REQUEST("GET /style.css") "\r\n",                  "200", "text/css" },
		{ REQUEST("GET /login") "\r\n",                      "200", "name=password" },
		{ REQUEST("POST /login") "Content-Length: 23\r\n\r\nuser=me&password=ember!", "401", "not the password" },
		{ REQUEST("POST /login") "Content-Length: 22\r\n\r\nuser=me&password=ember", "303", "visitor=known" },
		{ REQUEST("POST /cart") "Content-Length: 9\r\nCookie: a=b; cart=1\r\n\r\nproduct=2", "303", "cart=1.2" },
		{ REQUEST("GET /cart") "Cookie: cart=1.2.77.x\r\n\r\n", "200", "2 in all, together 103.50" },
		{ REQUEST("GET /api/products") "\r\n",               "200", "\"name\":\"Fire bell\"" },
		{ REQUEST("GET /api/products/2") "\r\n",             "200", "{\"id\":2," },
		{ REQUEST("GET /api/products/0") "\r\n",             "404", "problem+json" },
		{ REQUEST("POST /api/cart") "Content-Length: 28\r\n\r\n{\"product\": 2, \"quantity\":3}", "201", "\"cents\":4350" },
		{ REQUEST("POST /api/cart") "Transfer-Encoding: chunked\r\n\r\n4\r\n{\"pr\r\n0\r\n\r\n", "400", "wanted" },
		{ "GET / HTTP/1.1\r\n\r\n",                          "400", "Connection: close" },
		{ "GET /\n\n",                                       "400", "Connection: close" },
	};
	static char room[64 << 10];

	for (size_t i = 0; i < nelems(cases); i++) {
		struct bytes got = talk(*state, bytes_of(cases[i].ask), room, sizeof room);

		if (got.len < 13 || !bytes_eq(bytes_sub(got, 9, 12), bytes_of(cases[i].status)) ||
		    bytes_find(got, bytes_of(cases[i].holds)) == SIZE_MAX)
			fail_msg("%s\nwanted %s and \"%s\", got:\n%.*s", cases[i].ask, cases[i].status,
				 cases[i].holds, BYTES_ARG(got));
	}
}

static size_t count(struct bytes in, struct bytes what)
{
	size_t n = 0, at;

	while ((at = bytes_find(in, what)) != SIZE_MAX) {
		n++;
		in = bytes_from(in, at + what.len);
	}
	return n;
}

static void answers_in_order_on_one_connection(void **state)
{
	static char room[64 << 10];
	struct bytes got = talk(*state, BYTES(
		REQUEST("GET /style.css") "\r\n"
		REQUEST("POST /login") "Content-Length: 3\r\n\r\na=b"
		REQUEST("HEAD /") "\r\n"
		REQUEST("GET /api/products/1") "Connection: close\r\n\r\n"
		REQUEST("GET /never") "\r\n"), room, sizeof room);

	assert_int_equal(count(got, BYTES("HTTP/1.1 ")), 4);
	assert_true(bytes_starts(got, BYTES("HTTP/1.1 200")));
	assert_int_equal(count(got, BYTES("Goods for careful houses")), 0);
	assert_true(bytes_ends(got, BYTES("\"cents\":8900}")));
}

static void reads_a_request_in_pieces(void **state)
{
	static const char ask[] = REQUEST("POST /login") "Connection: close\r\nContent-Length: 14\r\n\r\npassword=ember";
	char room[1024];
	int fd = visit(*state);
	ssize_t got;

	for (size_t i = 0; i < sizeof ask - 1; i++)
		assert_int_equal(send(fd, ask + i, 1, MSG_NOSIGNAL), 1);
	got = recv(fd, room, sizeof room, MSG_WAITALL);
	assert_true(got > 12 && memcmp(room, "HTTP/1.1 303", 12) == 0);
	close(fd);
}

static void bounds_what_it_reads(void **state)
{
	static char ask[2 << 20], room[4096];
	struct bytes got;
	int n = snprintf(ask, sizeof ask, REQUEST("POST /login") "Content-Length: 1500000\r\n\r\n");

	memset(ask + n, 'a', sizeof ask - (size_t)n);
	got = talk(*state, (struct bytes){ ask, (size_t)n + 1100000 }, room, sizeof room);
	assert_true(bytes_starts(got, BYTES("HTTP/1.1 413")));
	memset(ask, 'a', 20000);
	memcpy(ask, BYTES("GET / HTTP/1.1\r\nX: ").at, 19);
	got = talk(*state, (struct bytes){ ask, 20000 }, room, sizeof room);
	assert_true(bytes_starts(got, BYTES("HTTP/1.1 431")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_each_of_its_pages),
		cmocka_unit_test(answers_in_order_on_one_connection),
		cmocka_unit_test(reads_a_request_in_pieces),
		cmocka_unit_test(bounds_what_it_reads),
	};

	return cmocka_run_group_tests(tests, open_shop, close_shop);
}
