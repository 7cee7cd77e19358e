/* serve_answer.c -- what a request is told, at once or in pieces. */
#include "base/serve_parts.h"
#include <assert.h>

enum { HEAD_MAX = 8 << 10, BACKLOG_MAX = 16 << 20 };

static const struct { unsigned status; const char *reason; } reasons[] = {
	{ 200, "OK" }, { 201, "Created" }, { 202, "Accepted" }, { 204, "No Content" }, { 301, "Moved Permanently" },
	{ 302, "Found" }, { 303, "See Other" }, { 304, "Not Modified" }, { 307, "Temporary Redirect" },
	{ 400, "Bad Request" }, { 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
	{ 405, "Method Not Allowed" }, { 406, "Not Acceptable" }, { 408, "Request Timeout" }, { 409, "Conflict" },
	{ 413, "Content Too Large" }, { 414, "URI Too Long" }, { 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" }, { 421, "Misdirected Request" }, { 422, "Unprocessable Content" },
	{ 429, "Too Many Requests" }, { 431, "Request Header Fields Too Large" }, { 500, "Internal Server Error" },
	{ 501, "Not Implemented" }, { 502, "Bad Gateway" }, { 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
};

static const char *reason_of(unsigned status)
{
	for (size_t i = 0; i < nelems(reasons); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "";
}

static bool has_body(unsigned status)
{
	return status >= 200 && status != 204 && status != 304;
}

/* ---- the head ---- */

static void put_field(struct text *t, struct bytes name, struct bytes value)
{
	text_put(t, name);
	text_str(t, ": ");
	text_put(t, value);
	text_str(t, "\r\n");
}

/* A value that a request had a part in may hold anything: a line of its own would be another field. */
static bool is_one_line(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		if ((unsigned char)b.at[i] < 0x20 || b.at[i] == 0x7f)
			return false;
	return true;
}

static void put_start(struct text *t, struct server_http *s, unsigned status)
{
	text_str(t, "HTTP/1.1 ");
	text_u64(t, status);
	text_byte(t, ' ');
	text_str(t, reason_of(status));
	text_str(t, "\r\n");
	put_field(t, BYTES("Date"), serve_date(s));
}

static void put_length(struct text *t, size_t n)
{
	text_str(t, "Content-Length: ");
	text_u64(t, n);
	text_str(t, "\r\n");
}

/* All but how the body is framed and the empty line. */
static void put_head(struct text *t, struct serve_request *r, const struct serve_answer *a)
{
	put_start(t, r->server, a->status);
	if (a->content_type.len)
		put_field(t, BYTES("Content-Type"), a->content_type);
	for (size_t i = 0; i < a->nfields; i++)
		if (is_one_line(a->fields[i].value))
			put_field(t, a->fields[i].name, a->fields[i].value);
	if (r->close)
		text_str(t, "Connection: close\r\n");
}

bool serve_write_refusal(struct text *t, struct server_http *s, unsigned status, const char *why)
{
	put_start(t, s, status);
	text_str(t, "Content-Type: text/plain; charset=utf-8\r\nConnection: close\r\n");
	put_length(t, strlen(why) + 1);
	text_str(t, "\r\n");
	text_str(t, why);
	text_byte(t, '\n');
	return !t->full;
}

/* ---- an answer at once ---- */

/* The request is over; the connection goes on. */
static void done(struct serve_request *r)
{
	struct serve_conn *c = r->conn;
	bool close = r->close;

	if (!c) {
		serve_request_free(r);
		return;
	}
	c->request = NULL;
	serve_request_free(r); /* the server stays, for the connection does */
	serve_conn_next(c, close);
}

static void end_keep_alive(struct serve_request *r, const struct serve_answer *a)
{
	r->close = r->close || a->close || r->unread || (r->conn && r->conn->last);
}

void serve_answer(struct serve_request *r, const struct serve_answer *a)
{
	char buf[HEAD_MAX];
	struct text t = text_over(buf, sizeof buf);
	struct bytes out[2];

	assert(r->taken && !r->begun);
	if (r->answered)
		serve_tell_inside(r, a->status, a->body);
	end_keep_alive(r, a);
	if (r->conn) {
		put_head(&t, r, a);
		if (has_body(a->status))
			put_length(&t, a->body.len);
		text_str(&t, "\r\n");
		if (t.full) {
			serve_refuse(r, 500, "the head of the answer is too long");
			return;
		}
		out[0] = text_bytes(&t);
		out[1] = a->body;
		serve_conn_write(r->conn, out, r->head_only || !has_body(a->status) ? 1 : 2);
	}
	done(r);
}

void serve_refuse(struct serve_request *r, unsigned status, const char *why)
{
	char buf[512];
	struct text t = text_over(buf, sizeof buf);
	struct serve_answer a = { .status = status, .content_type = BYTES("text/plain; charset=utf-8") };

	text_put(&t, bytes_sub(bytes_of(why), 0, sizeof buf - 1));
	text_byte(&t, '\n');
	a.body = text_bytes(&t);
	serve_answer(r, &a);
}

/* ---- an answer in pieces ---- */

void serve_begin(struct serve_request *r, const struct serve_answer *a, void (*more)(void *), void *ctx)
{
	char buf[HEAD_MAX];
	struct text t = text_over(buf, sizeof buf);
	struct bytes out;

	assert(r->taken && !r->begun);
	end_keep_alive(r, a);
	r->begun = true;
	r->chunked = r->head.minor == 1;
	r->more = more;
	r->more_ctx = ctx;
	if (!r->conn)
		return;
	put_head(&t, r, a);
	if (has_body(a->status) && r->chunked)
		text_str(&t, "Transfer-Encoding: chunked\r\n");
	text_str(&t, "\r\n");
	r->head_only = r->head_only || !has_body(a->status);
	out = t.full ? BYTES("HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\nContent-Length: 0\r\n\r\n") : text_bytes(&t);
	r->head_only = r->head_only || t.full;
	r->close = r->close || t.full;
	stream_probe(r->conn->stream);
	serve_conn_write(r->conn, &out, 1);
	serve_piece(r, a->body);
}

void serve_piece(struct serve_request *r, struct bytes piece)
{
	char head[18];
	struct bytes out[3] = { { head, 0 }, piece, BYTES_INIT("\r\n") };

	assert(r->begun);
	if (!r->conn || r->head_only || !piece.len)
		return;
	if (serve_backlog(r) > BACKLOG_MAX) {
		r->conn->server->counts.cut++;
		serve_conn_lose_soon(r->conn);
	}
	if (!r->chunked) {
		serve_conn_write(r->conn, &piece, 1);
		return;
	}
	out[0].len = http1_chunk_head(head, piece.len);
	serve_conn_write(r->conn, out, 3);
}

size_t serve_backlog(const struct serve_request *r)
{
	return serve_is_gone(r) ? 0 : stream_backlog(r->conn->stream);
}

void serve_end(struct serve_request *r, bool whole)
{
	static const struct bytes last = BYTES_INIT("0\r\n\r\n");

	assert(r->begun);
	if (r->conn && !whole && !r->head_only) {
		struct serve_conn *c = r->conn;

		c->request = NULL;
		serve_request_free(r);
		serve_conn_reset(c);
		return;
	}
	if (r->conn && r->chunked && !r->head_only)
		serve_conn_write(r->conn, &last, 1);
	done(r);
}
