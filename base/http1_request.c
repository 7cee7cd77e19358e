/* http1_request.c -- a request head (RFC 9112 3). */
#include "base/http1_parts.h"

/* "HTTP/" DIGIT "." DIGIT, of which we speak two. */
static bool read_version(struct http1_reader *r, struct bytes v, struct request *out)
{
	if (bytes_eq(v, BYTES("HTTP/1.1")) || bytes_eq(v, BYTES("HTTP/1.0"))) {
		out->minor = (uint8_t)(v.at[7] - '0');
		return true;
	}
	if (v.len == 8 && bytes_starts(v, BYTES("HTTP/")) && v.at[6] == '.' &&
	    v.at[5] >= '0' && v.at[5] <= '9' && v.at[7] >= '0' && v.at[7] <= '9')
		return reader_bad(r, 505, "%.*s is not spoken here", BYTES_ARG(v));
	return reader_bad(r, 400, "the request line does not end in HTTP/1.1");
}

/* Takes a run of bytes of one class and the SP behind it. */
static bool read_word(struct http1_reader *r, unsigned of_class, struct bytes *word,
		      const char *what)
{
	const char *p = r->at;

	while (p < r->end && byte_class(*p) & of_class)
		p++;
	*word = (struct bytes){ r->at, (size_t)(p - r->at) };
	if (p == r->end || *p == '\r' || *p == '\n')
		return reader_bad(r, 400, "the request line ends within %s", what);
	if (*p != ' ')
		return reader_bad(r, 400, "byte 0x%02x in %s", (unsigned char)*p, what);
	if (word->len == 0)
		return reader_bad(r, 400, "a blank too many before %s", what);
	r->at = p + 1;
	return true;
}

static bool read_line(struct http1_reader *r, struct request *out)
{
	const char *line = r->at, *p;
	struct bytes version;

	if (!read_word(r, BYTE_TOKEN, &out->method, "the method") ||
	    !read_word(r, BYTE_TARGET, &out->target, "the target"))
		return false;
	p = http1_control(r->at, r->end);
	version = (struct bytes){ r->at, (size_t)(p - r->at) };
	out->line = (struct bytes){ line, (size_t)(p - line) };
	r->at = p;
	if (!read_version(r, version, out) || !http1_read_crlf(r, "the request line"))
		return false;
	if (out->target.len > r->limits->target_bytes)
		return reader_bad(r, 414, "the request target is too long");
	if (bytes_eq(out->method, BYTES("CONNECT")))
		return reader_bad(r, 405, "CONNECT is for forward proxies");
	return http1_read_target(r, out);
}

/* RFC 9110 10.1.1: in HTTP/1.0 there is no such expectation to obey. */
static bool read_expect(struct http1_reader *r, struct request *out)
{
	if (!reader_saw(r, FIELD_EXPECT))
		return true;
	for (size_t i = 0; i < out->fields.n; i++)
		if (out->fields.at[i].id == FIELD_EXPECT &&
		    !bytes_eq_nocase(out->fields.at[i].value, BYTES("100-continue")))
			return reader_bad(r, 417, "an expectation other than 100-continue");
	out->expect_continue = out->minor == 1 && out->framing != BODY_NONE;
	return true;
}

/* name ["/" version], and not HTTP under any of its names. */
static bool may_upgrade_to(struct bytes protocol)
{
	struct bytes version = protocol, name;

	return bytes_cut(&version, '/', &name) && http1_is_token(name) &&
	       (!version.at || http1_is_token(version)) && !bytes_eq_nocase(name, BYTES("http")) &&
	       !bytes_starts_nocase(name, BYTES("h2"));
}

/* What is asked for besides HTTP/2: an upstream that took up h2c would be out
 * of our sight from then on. */
static bool read_upgrade(struct http1_reader *r, struct request *out)
{
	size_t room = (size_t)(r->end - out->line.at);
	struct bytes list, word;
	struct text t = { 0 };

	for (size_t i = 0; i < out->fields.n; i++) {
		if (out->fields.at[i].id != FIELD_UPGRADE)
			continue;
		if (!t.at && !(t = text_over(arena_raw(r->arena, room), room)).at)
			return reader_bad(r, 431, "the fields are larger than a request may be");
		list = out->fields.at[i].value;
		while (bytes_cut(&list, ',', &word)) {
			word = bytes_trim(word);
			if (!may_upgrade_to(word))
				continue;
			text_str(&t, t.len ? "," : "");
			text_put(&t, word);
		}
	}
	if (t.len)
		out->upgrade = text_bytes(&t);
	return true;
}

static bool read_meaning(struct http1_reader *r, struct request *out)
{
	struct http1_options o;

	if (!http1_read_host(r, out) ||
	    !http1_read_framing(r, &out->fields, out->minor, &out->framing, &out->length) ||
	    !http1_read_options(r, &out->fields, &o) || !read_expect(r, out))
		return false;
	out->keep_alive = !o.close && (out->minor == 1 || o.keep_alive);
	if (o.upgrade && out->minor == 1 && out->framing == BODY_NONE)
		return read_upgrade(r, out);
	return true;
}

bool http1_parse_request(struct arena *a, struct bytes head, const struct http1_limits *limits,
			 struct request *out, struct err *e)
{
	struct http1_reader r = { .at = head.at, .end = head.at + head.len, .limits = limits,
				  .arena = a, .err = e, .side = SIDE_CLIENT };

	*out = (struct request){ 0 };
	if ((head.len <= limits->head_bytes || reader_bad(&r, 431, "the head is too long")) &&
	    read_line(&r, out) && http1_read_fields(&r, &out->fields) &&
	    (r.at == r.end || reader_bad(&r, 400, "bytes behind the head")) &&
	    read_meaning(&r, out) && http1_agrees_request(&r, head, out))
		return true;
	http1_salvage(a, head, limits, out);
	return false;
}
