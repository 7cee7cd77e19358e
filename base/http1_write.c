/* http1_write.c -- heads for the next hop.
 *
 * One look at the fields counts the bytes, a second copies them. What frames
 * the message is never copied but said anew, so that nobody behind us can find
 * another length than the one we read. */
#include "base/http1_parts.h"

enum { LENGTH_MAX = 20 }; /* digits of UINT64_MAX */

#define BIT(id) (UINT64_C(1) << (id))
_Static_assert(FIELD_ID_COUNT <= 64, "a set of field ids is one word");

static const struct bytes chunked = BYTES_INIT("Transfer-Encoding: chunked\r\n");
static const struct bytes length_name = BYTES_INIT("Content-Length: ");
static const struct bytes host_name = BYTES_INIT("Host: ");
static const struct bytes crlf = BYTES_INIT("\r\n");

static bool is_written(const struct field *f, uint64_t skip)
{
	return !f->drop && !(skip >> f->id & 1);
}

static size_t fields_size(const struct field *f, size_t n, uint64_t skip)
{
	size_t size = 0;

	for (size_t i = 0; i < n; i++)
		if (is_written(&f[i], skip))
			size += f[i].name.len + f[i].value.len + 4; /* ": " CRLF */
	return size;
}

static char *put(char *p, struct bytes b)
{
	return b.len ? (char *)memcpy(p, b.at, b.len) + b.len : p;
}

/* Does f stand in memory as it is written, "name: value"? */
static bool is_ready(const struct field *f)
{
	const char *end = f->name.at + f->name.len;

	return f->value.at == end + 2 && end[0] == ':' && end[1] == ' ';
}

static bool is_next_line(const struct field *f, const struct field *next)
{
	const char *end = f->value.at + f->value.len;

	return next->name.at == end + 2 && end[0] == '\r' && end[1] == '\n' && is_ready(next);
}

/* From f[i] on, the last field of a run that is copied in one piece: most heads
 * come as we would write them. */
static size_t run_end(const struct field *f, size_t n, size_t i, uint64_t skip)
{
	while (i + 1 < n && is_written(&f[i + 1], skip) && is_next_line(&f[i], &f[i + 1]))
		i++;
	return i;
}

static char *put_line(char *p, const struct field *f)
{
	p = put(p, f->name);
	*p++ = ':';
	*p++ = ' ';
	return put(put(p, f->value), crlf);
}

/* The lines from `first` to the end of `last`, as they stand in memory. */
static char *put_run(char *p, const struct field *first, const struct field *last)
{
	const char *from = first->name.at, *to = last->value.at + last->value.len;

	return put(put(p, (struct bytes){ from, (size_t)(to - from) }), crlf);
}

static char *put_fields(char *p, const struct field *f, size_t n, uint64_t skip)
{
	size_t last;

	for (size_t i = 0; i < n; i++) {
		if (!is_written(&f[i], skip))
			continue;
		if (!is_ready(&f[i])) {
			p = put_line(p, &f[i]);
			continue;
		}
		last = run_end(f, n, i, skip);
		p = put_run(p, &f[i], &f[last]);
		i = last;
	}
	return p;
}

/* Decimal digits, at the end of buf. */
static struct bytes digits(char buf[LENGTH_MAX], uint64_t n)
{
	char *p = buf + LENGTH_MAX;

	do
		*--p = (char)('0' + n % 10);
	while (n /= 10);
	return (struct bytes){ p, (size_t)(buf + LENGTH_MAX - p) };
}

/* What a head is put together from, behind its start line. */
struct tail {
	const struct fields *fields;
	const struct field *extra;
	size_t nextra;
	uint64_t skip;       /* ids that are not copied from `fields` */
	struct bytes number; /* of Content-Length; empty: none */
	bool chunked;
	char buf[LENGTH_MAX];
};

/* A received Content-Length is copied only where it frames nothing: in answers
 * to HEAD and 304, and as the 0 of a request without a body. */
static void tail_begin(struct tail *t, enum framing framing, uint64_t length, bool bodiless)
{
	t->skip = BIT(FIELD_TRANSFER_ENCODING);
	for (size_t i = 0; i < t->nextra; i++)
		t->skip |= BIT(t->extra[i].id) & ~BIT(FIELD_OTHER);
	if (framing != BODY_NONE || !bodiless)
		t->skip |= BIT(FIELD_CONTENT_LENGTH);
	t->chunked = framing == BODY_CHUNKED;
	t->number = framing == BODY_LENGTH ? digits(t->buf, length) : (struct bytes){ 0 };
}

static size_t tail_size(const struct tail *t)
{
	return fields_size(t->fields->at, t->fields->n, t->skip) +
	       fields_size(t->extra, t->nextra, 0) + (t->chunked ? chunked.len : 0) +
	       (t->number.len ? length_name.len + t->number.len + crlf.len : 0) + crlf.len;
}

static char *put_tail(char *p, const struct tail *t)
{
	p = put_fields(p, t->fields->at, t->fields->n, t->skip);
	p = put_fields(p, t->extra, t->nextra, 0);
	if (t->chunked)
		p = put(p, chunked);
	if (t->number.len)
		p = put(put(put(p, length_name), t->number), crlf);
	return put(p, crlf);
}

static bool in_extra(const struct field *extra, size_t n, enum field_id id)
{
	for (size_t i = 0; i < n; i++)
		if (extra[i].id == id)
			return true;
	return false;
}

struct bytes http1_write_request(struct arena *a, const struct request *q,
				 const struct field *extra, size_t nextra, enum framing framing,
				 uint64_t length)
{
	static const struct bytes version = BYTES_INIT(" HTTP/1.1\r\n");
	struct tail t = { .fields = &q->fields, .extra = extra, .nextra = nextra };
	bool own_host = !in_extra(extra, nextra, FIELD_HOST);
	size_t size;
	char *at, *p;

	tail_begin(&t, framing, length, q->framing == BODY_NONE);
	t.skip |= BIT(FIELD_HOST);
	size = q->method.len + 1 + q->path.len + (q->query.at ? 1 + q->query.len : 0) +
	       version.len + (own_host ? host_name.len + q->host.len + crlf.len : 0) +
	       tail_size(&t);
	if (!(at = p = arena_raw(a, size)))
		return (struct bytes){ 0 };
	p = put(p, q->method);
	*p++ = ' ';
	p = put(p, q->path);
	if (q->query.at) {
		*p++ = '?';
		p = put(p, q->query);
	}
	p = put(p, version);
	if (own_host)
		p = put(put(put(p, host_name), q->host), crlf);
	p = put_tail(p, &t);
	return (struct bytes){ at, (size_t)(p - at) };
}

struct bytes http1_write_response(struct arena *a, const struct response *s,
				  const struct field *extra, size_t nextra, enum framing framing,
				  uint64_t length)
{
	static const struct bytes version = BYTES_INIT("HTTP/1.1 ");
	struct tail t = { .fields = &s->fields, .extra = extra, .nextra = nextra };
	size_t size;
	char *at, *p;

	tail_begin(&t, framing, length, s->framing == BODY_NONE);
	size = version.len + 4 + s->reason.len + crlf.len + tail_size(&t);
	if (!(at = p = arena_raw(a, size)))
		return (struct bytes){ 0 };
	p = put(p, version);
	*p++ = (char)('0' + s->status / 100 % 10);
	*p++ = (char)('0' + s->status / 10 % 10);
	*p++ = (char)('0' + s->status % 10);
	*p++ = ' ';
	p = put(put(p, s->reason), crlf);
	p = put_tail(p, &t);
	return (struct bytes){ at, (size_t)(p - at) };
}

size_t http1_chunk_head(char out[18], uint64_t size)
{
	static const char hex[] = "0123456789abcdef";
	size_t n = 1;

	while (n < 16 && size >> 4 * n)
		n++;
	for (size_t i = 0; i < n; i++)
		out[i] = hex[size >> 4 * (n - 1 - i) & 15];
	memcpy(out + n, "\r\n", 2);
	return n + 2;
}

struct bytes http1_write_trailers(struct arena *a, const struct fields *f)
{
	char *at = arena_raw(a, fields_size(f->at, f->n, 0) + crlf.len), *p;

	if (!at)
		return (struct bytes){ 0 };
	p = put(put_fields(at, f->at, f->n, 0), crlf);
	return (struct bytes){ at, (size_t)(p - at) };
}
