/* shop.c -- connections to the shop.
 *
 * A visit is a connection. Its bytes are a head, then a body, then the next head;
 * each request has an arena of its own and is answered when its body has ended.
 * The call that may end a visit is the last of its function. */
#include "demo/shop.h"
#include "demo/pages.h"
#include "base/http1.h"
#include "base/stream.h"
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	HEAD_BYTES = 8 << 10,
	KEPT_BYTES = 8 << 10,    /* of a body; what is longer is read and not looked at */
	BODY_BYTES = 1 << 20,    /* 413 beyond */
	BACKLOG_BYTES = 256 << 10, /* a visitor who does not read is not read either */
	IDLE_MS = 60000,
	LINGER_MS = 2000,        /* for the visitor to close after the last answer */
};

/* One less than there is room for: a head that is too long is seen to be. */
static const struct http1_limits limits = { HEAD_BYTES - 1, 4 << 10, 100 };

struct shop {
	struct loop *loop;
	struct listener *listener;
	struct visit *visits;
	bool closing;
};

struct visit {
	struct shop *shop;
	struct visit *next, **link; /* in shop->visits */
	struct stream *stream;
	struct deadline deadline;
	struct arena *arena; /* of the request at hand; NULL between two */
	struct request request;
	struct http1_body body;
	bool last; /* nothing more is read from it */
	size_t nhead, scanned, nkept;
	char head[HEAD_BYTES], kept[KEPT_BYTES];
};

static void too_late(void *owner)
{
	struct visit *v = owner;

	stream_close(v->stream);
}

/* Sends what is queued, and closes once the visitor has closed. */
static void end(struct visit *v)
{
	v->last = true;
	deadline_set(v->shop->loop, &v->deadline, LINGER_MS, too_late, v);
	stream_finish(v->stream);
}

static void refuse(struct visit *v, const struct err *e)
{
	char room[512];
	struct text t = text_over(room, sizeof room);
	struct bytes out;

	text_printf(&t, "HTTP/1.1 %d \r\nConnection: close\r\nContent-Type: text/plain\r\n"
		    "Content-Length: %zu\r\n\r\n%s\n", e->code, strlen(e->text) + 1, e->text);
	out = text_bytes(&t);
	stream_write(v->stream, &out, 1);
	end(v);
}

static void keep(struct visit *v, struct bytes piece)
{
	struct bytes fits = bytes_sub(piece, 0, KEPT_BYTES - v->nkept);

	memcpy(v->kept + v->nkept, fits.at, fits.len);
	v->nkept += fits.len;
}

static void write_page(struct visit *v, const struct page *p)
{
	struct response head = { .status = p->status, .minor = 1 };
	struct field extra[4];
	size_t n = 0;
	struct bytes out[2];

	extra[n++] = (struct field){ BYTES("Content-Type"), bytes_of(p->type), FIELD_CONTENT_TYPE, false };
	if (p->location.len)
		extra[n++] = (struct field){ BYTES("Location"), p->location, FIELD_LOCATION, false };
	if (p->cookie.len)
		extra[n++] = (struct field){ BYTES("Set-Cookie"), p->cookie, FIELD_SET_COOKIE, false };
	if (!v->request.keep_alive)
		extra[n++] = (struct field){ BYTES("Connection"), BYTES("close"), FIELD_CONNECTION, false };
	else if (v->request.minor == 0)
		extra[n++] = (struct field){ BYTES("Connection"), BYTES("keep-alive"), FIELD_CONNECTION, false };
	out[0] = http1_write_response(v->arena, &head, extra, n, BODY_LENGTH, p->body.len);
	out[1] = text_bytes(&p->body);
	stream_write(v->stream, out, bytes_eq(v->request.method, BYTES("HEAD")) ? 1 : 2);
}

/* One request is done; the next one starts afresh. */
static void answer(struct visit *v)
{
	struct bytes body = { v->kept, v->nkept };
	struct page p;

	if (!page_make(v->arena, &v->request, body, &p)) {
		refuse(v, &(struct err){ SIDE_SELF, 500, "the page is too long" });
		return;
	}
	write_page(v, &p);
	arena_free(v->arena);
	v->arena = NULL;
	v->nhead = v->scanned = v->nkept = 0;
	if (stream_backlog(v->stream) > BACKLOG_BYTES)
		stream_pause(v->stream);
	if (!v->request.keep_alive)
		end(v);
}

static void begin(struct visit *v)
{
	struct bytes head = { v->head, v->scanned }, go_on = BYTES("HTTP/1.1 100 Continue\r\n\r\n");
	struct err e = { SIDE_SELF, 503, "out of memory" };

	v->arena = arena_new(2 * PAGE_BYTES + 4 * HEAD_BYTES);
	if (!v->arena || !http1_parse_request(v->arena, head, &limits, &v->request, &e)) {
		refuse(v, &e);
		return;
	}
	http1_body_start(&v->body, v->request.framing, v->request.length);
	if (v->request.expect_continue)
		stream_write(v->stream, &go_on, 1);
}

/* Both take bytes off the front of *in; false: no more to be done with it. */
static bool read_head(struct visit *v, struct bytes *in)
{
	struct err e = { 0 };
	size_t had, take;

	if (v->nhead == 0)
		*in = bytes_from(*in, http1_skip_blank(*in));
	had = v->nhead;
	take = bytes_sub(*in, 0, HEAD_BYTES - had).len;
	memcpy(v->head + had, in->at, take);
	v->nhead += take;
	switch (http1_head_end((struct bytes){ v->head, v->nhead }, &v->scanned, &limits, &e)) {
	case HTTP1_DONE:
		*in = bytes_from(*in, v->scanned - had);
		begin(v);
		return true;
	case HTTP1_BAD:
		refuse(v, &e);
		return false;
	default:
		return false;
	}
}

static bool read_body(struct visit *v, struct bytes *in)
{
	struct err e = { 0 };
	struct bytes piece;

	switch (http1_body_next(&v->body, v->arena, &limits, in, &piece, NULL, &e)) {
	case HTTP1_DATA:
		keep(v, piece);
		if (v->body.total <= BODY_BYTES)
			return true;
		refuse(v, &(struct err){ SIDE_CLIENT, 413, "the shop takes no more than 1 MiB" });
		return false;
	case HTTP1_DONE:
		answer(v);
		return in->len > 0;
	case HTTP1_BAD:
		refuse(v, &e);
		return false;
	default:
		return false;
	}
}

static void on_bytes(void *owner, struct bytes in)
{
	struct visit *v = owner;

	if (!v->last)
		deadline_set(v->shop->loop, &v->deadline, IDLE_MS, too_late, v);
	while (!v->last && (v->arena ? read_body(v, &in) : read_head(v, &in)))
		;
}

static void on_ended(void *owner, enum stream_end how, const char *why)
{
	struct visit *v = owner;

	(void)why;
	if (how == END_CLEAN && stream_backlog(v->stream))
		end(v);
	else
		stream_close(v->stream);
}

static void on_drained(void *owner)
{
	struct visit *v = owner;

	stream_resume(v->stream);
}

static void shop_free_when_empty(struct shop *shop)
{
	if (shop->closing && !shop->visits)
		free(shop);
}

static void on_closed(void *owner)
{
	struct visit *v = owner;
	struct shop *shop = v->shop;

	deadline_clear(&v->deadline);
	arena_free(v->arena);
	*v->link = v->next;
	if (v->next)
		v->next->link = v->link;
	free(v);
	shop_free_when_empty(shop);
}

static const struct stream_events visit_events = {
	.bytes = on_bytes, .ended = on_ended, .drained = on_drained, .closed = on_closed,
};

static void on_accepted(void *ctx, struct stream *stream)
{
	struct shop *shop = ctx;
	struct visit *v = calloc(1, sizeof *v);

	if (!v) {
		stream_close(stream);
		return;
	}
	*v = (struct visit){ .shop = shop, .stream = stream, .next = shop->visits, .link = &shop->visits };
	if (v->next)
		v->next->link = &v->next;
	shop->visits = v;
	deadline_set(shop->loop, &v->deadline, IDLE_MS, too_late, v);
	if (!stream_start(stream, &visit_events, v, NULL))
		stream_close(stream);
}

/* A bound socket on a port that the kernel picks; -1: errno says why. */
static int loopback_socket(uint16_t *port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof at;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (bind(fd, (struct sockaddr *)&at, len) != 0 || getsockname(fd, (struct sockaddr *)&at, &len) != 0) {
		close(fd);
		return -1;
	}
	*port = ntohs(at.sin_port);
	return fd;
}

struct shop *demo_shop_start(struct loop *loop, uint16_t *port, struct err *e)
{
	struct shop *shop = calloc(1, sizeof *shop);
	int fd = shop ? loopback_socket(port) : -1;

	if (fd < 0) {
		free(shop);
		err_set(e, SIDE_SELF, errno, "the demo shop has no socket: %s", strerror(errno));
		return NULL;
	}
	shop->loop = loop;
	shop->listener = listener_open(loop, fd, on_accepted, shop, e);
	if (!shop->listener) {
		free(shop);
		return NULL;
	}
	return shop;
}

void demo_shop_stop(struct shop *shop)
{
	shop->closing = true;
	listener_close(shop->listener);
	for (struct visit *v = shop->visits; v; v = v->next)
		stream_close(v->stream);
	shop_free_when_empty(shop);
}
