/* relay.c -- the floor: what a libuv proxy costs that knows nothing of HTTP.
 *
 * Each client gets a connection to the origin, and bytes go both ways unread.
 *
 *   relay PORT ORIGIN_PORT */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

struct pair {
	uv_tcp_t client, origin;
	uv_connect_t connect;
	int open;
};

struct relay {
	uv_loop_t *loop;
	struct sockaddr_in origin;
	char room[64 << 10];
};

struct pending {
	uv_write_t request;
	char data[];
};

static void on_room(uv_handle_t *h, size_t hint, uv_buf_t *b)
{
	struct relay *r = h->loop->data;

	(void)hint;
	*b = uv_buf_init(r->room, sizeof r->room);
}

static void on_closed(uv_handle_t *h)
{
	struct pair *p = h->data;

	if (--p->open == 0)
		free(p);
}

static void pair_close(struct pair *p)
{
	if (uv_is_closing((uv_handle_t *)&p->client))
		return;
	uv_close((uv_handle_t *)&p->client, on_closed);
	uv_close((uv_handle_t *)&p->origin, on_closed);
}

static void on_written(uv_write_t *request, int status)
{
	(void)status;
	free(request);
}

/* The rest that the kernel did not take at once. */
static int write_later(uv_stream_t *to, const char *at, size_t n)
{
	struct pending *w = malloc(sizeof *w + n);
	uv_buf_t b;

	if (!w)
		return UV_ENOMEM;
	memcpy(w->data, at, n);
	b = uv_buf_init(w->data, (unsigned)n);
	return uv_write(&w->request, to, &b, 1, on_written);
}

static void on_read(uv_stream_t *from, ssize_t n, const uv_buf_t *b)
{
	struct pair *p = from->data;
	uv_stream_t *to = (uv_stream_t *)(from == (uv_stream_t *)&p->client ? &p->origin : &p->client);
	uv_buf_t out = uv_buf_init(b->base, n > 0 ? (unsigned)n : 0);
	int taken = n > 0 ? uv_try_write(to, &out, 1) : 0;

	if (taken == UV_EAGAIN)
		taken = 0;
	if (n < 0 || taken < 0 || (taken < n && write_later(to, b->base + taken, (size_t)(n - taken)) != 0))
		pair_close(p);
}

static void on_connected(uv_connect_t *request, int status)
{
	struct pair *p = request->data;

	if (uv_is_closing((uv_handle_t *)&p->client))
		return;
	if (status != 0) {
		pair_close(p);
		return;
	}
	uv_tcp_nodelay(&p->origin, 1);
	uv_read_start((uv_stream_t *)&p->client, on_room, on_read);
	uv_read_start((uv_stream_t *)&p->origin, on_room, on_read);
}

static void on_client(uv_stream_t *listener, int status)
{
	struct relay *r = listener->loop->data;
	struct pair *p = status == 0 ? calloc(1, sizeof *p) : NULL;

	if (!p)
		return;
	p->open = 2;
	uv_tcp_init(r->loop, &p->client);
	uv_tcp_init(r->loop, &p->origin);
	p->client.data = p->origin.data = p->connect.data = p;
	if (uv_accept(listener, (uv_stream_t *)&p->client) != 0 ||
	    uv_tcp_connect(&p->connect, &p->origin, (struct sockaddr *)&r->origin, on_connected) != 0)
		pair_close(p);
	else
		uv_tcp_nodelay(&p->client, 1);
}

int main(int argc, char **argv)
{
	static struct relay r;
	struct sockaddr_in at;
	uv_tcp_t listener;

	if (argc < 3)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	r.loop = uv_default_loop();
	r.loop->data = &r;
	uv_ip4_addr("127.0.0.1", (int)strtol(argv[1], NULL, 10), &at);
	uv_ip4_addr("127.0.0.1", (int)strtol(argv[2], NULL, 10), &r.origin);
	uv_tcp_init(r.loop, &listener);
	if (uv_tcp_bind(&listener, (struct sockaddr *)&at, 0) != 0 ||
	    uv_listen((uv_stream_t *)&listener, 4096, on_client) != 0)
		return 1;
	return uv_run(r.loop, UV_RUN_DEFAULT);
}
