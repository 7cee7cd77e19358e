/* http1_fields.c -- field lines (RFC 9112 5), of heads and of trailers. */
#include "base/http1_parts.h"

enum { FIELDS_AT_FIRST = 32 }; /* room for what a browser sends, in one step */

#define BIT(id) (UINT64_C(1) << (id))

/* Never forwarded (RFC 9110 7.6.1), the obsolete and the proxy's own included;
 * Expect is answered here. */
static const uint64_t hop_by_hop =
	BIT(FIELD_CONNECTION) | BIT(FIELD_KEEP_ALIVE) | BIT(FIELD_PROXY_CONNECTION) |
	BIT(FIELD_PROXY_AUTHORIZATION) | BIT(FIELD_PROXY_AUTHENTICATE) | BIT(FIELD_TE) |
	BIT(FIELD_TRAILER) | BIT(FIELD_TRANSFER_ENCODING) | BIT(FIELD_UPGRADE) |
	BIT(FIELD_HTTP2_SETTINGS) | BIT(FIELD_EXPECT);

bool http1_read_crlf(struct http1_reader *r, const char *after_what)
{
	if (r->end - r->at >= 2 && r->at[0] == '\r' && r->at[1] == '\n') {
		r->at += 2;
		return true;
	}
	if (r->at == r->end)
		return reader_bad(r, 400, "the head ends within %s", after_what);
	if (*r->at == '\r')
		return reader_bad(r, 400, "a bare CR after %s", after_what);
	if (*r->at == '\n')
		return reader_bad(r, 400, "a bare LF after %s", after_what);
	return reader_bad(r, 400, "byte 0x%02x in %s", (unsigned char)*r->at, after_what);
}

static bool bad_name(struct http1_reader *r, const char *at)
{
	if (at == r->end)
		return reader_bad(r, 400, "the head ends within a field name");
	if (byte_is_blank(*at) && at == r->at)
		return reader_bad(r, 400, "a folded field line");
	if (byte_is_blank(*at))
		return reader_bad(r, 400, "a blank in a field name or before its colon");
	if (*at == ':')
		return reader_bad(r, 400, "an empty field name");
	return reader_bad(r, 400, "byte 0x%02x in a field name", (unsigned char)*at);
}

/* `classes` gathers what kinds of bytes the name has. */
static bool read_name(struct http1_reader *r, struct bytes *name, unsigned *classes)
{
	const char *p = r->at;
	unsigned c;

	*classes = 0;
	while (p < r->end && (c = byte_class(*p)) & BYTE_TOKEN) {
		*classes |= c;
		p++;
	}
	if (p == r->end || *p != ':' || p == r->at)
		return bad_name(r, p);
	*name = (struct bytes){ r->at, (size_t)(p - r->at) };
	r->at = p + 1;
	return true;
}

static bool read_value(struct http1_reader *r, struct bytes *value)
{
	const char *from = r->at, *to;

	while (from < r->end && byte_is_blank(*from))
		from++;
	for (r->at = from; (r->at = http1_control(r->at, r->end)) < r->end && *r->at == '\t';)
		r->at++;
	for (to = r->at; to > from && byte_is_blank(to[-1]);)
		to--;
	*value = (struct bytes){ from, (size_t)(to - from) };
	return http1_read_crlf(r, "a field value");
}

/* CGI-like servers read `_` in a name as `-`. A name that becomes one of ours
 * so is refused where it would frame the message, else dropped. */
static bool judge_underscore(struct http1_reader *r, struct field *f)
{
	char name[32];
	enum field_id id;

	if (f->name.len > sizeof name)
		return true;
	for (size_t i = 0; i < f->name.len; i++)
		name[i] = f->name.at[i] == '_' ? '-' : f->name.at[i];
	id = field_id_of((struct bytes){ name, f->name.len });
	if (r->side == SIDE_CLIENT && (id == FIELD_CONTENT_LENGTH || id == FIELD_TRANSFER_ENCODING))
		return reader_bad(r, 400, "a field name that imitates a framing field with '_'");
	f->drop = id != FIELD_OTHER;
	return true;
}

static bool read_field(struct http1_reader *r, struct field *f)
{
	unsigned classes;

	if (!read_name(r, &f->name, &classes) || !read_value(r, &f->value))
		return false;
	f->id = field_id_of(f->name);
	f->drop = hop_by_hop >> f->id & 1;
	r->twice |= r->seen & BIT(f->id);
	r->seen |= BIT(f->id);
	return !(classes & BYTE_UNDERSCORE) || judge_underscore(r, f);
}

static bool make_room(struct http1_reader *r, struct fields *f)
{
	size_t want = f->n ? f->n + 1 : FIELDS_AT_FIRST;
	struct field *grown = arena_grow(r->arena, f->at, &f->cap, want, sizeof *grown);

	if (!grown)
		return reader_bad(r, 431, "the fields are larger than a request may be");
	f->at = grown;
	return true;
}

bool http1_read_fields(struct http1_reader *r, struct fields *out)
{
	while (r->at < r->end && *r->at != '\r') {
		if (out->n >= r->limits->fields)
			return reader_bad(r, 431, "more than %zu fields", r->limits->fields);
		if (out->n == out->cap && !make_room(r, out))
			return false;
		if (!read_field(r, &out->at[out->n]))
			return false;
		out->n++;
	}
	return http1_read_crlf(r, "the fields");
}
