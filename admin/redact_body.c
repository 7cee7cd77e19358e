/* redact_body.c -- bodies by what their Content-Type says. */
#include "admin/redact.h"

static struct bytes param_value(struct bytes rest)
{
	size_t end = 0;

	if (rest.len && rest.at[0] == '"')
		return bytes_sub(bytes_from(rest, 1), 0, bytes_index(bytes_from(rest, 1), '"'));
	while (end < rest.len && !(rest.at[end] && strchr(" \t\r\n;,\"", rest.at[end])))
		end++;
	return bytes_sub(rest, 0, end);
}

/* name="v", name=v, name*=utf-8''v; not filename="v". */
static struct bytes param(struct bytes head, struct bytes name)
{
	for (size_t at; (at = bytes_find_nocase(head, name)) != SIZE_MAX; head = bytes_from(head, at + 1)) {
		struct bytes rest = bytes_from(head, at + name.len);
		bool extended;

		if (at > 0 && !strchr(" \t\r\n;\"", head.at[at - 1]))
			continue;
		extended = bytes_starts(rest, BYTES("*"));
		rest = bytes_trim(bytes_from(rest, extended));
		if (!bytes_starts(rest, BYTES("=")))
			continue;
		rest = param_value(bytes_trim(bytes_from(rest, 1)));
		for (int i = 0; i < 2 && extended; i++) /* charset'language'value (RFC 8187) */
			rest = bytes_from(rest, bytes_index(rest, '\'') + 1);
		return rest;
	}
	return (struct bytes){ 0 };
}

/* The head of a part with its empty line; all of it where that never comes. */
static size_t head_end(struct bytes part)
{
	size_t crlf = bytes_find(part, BYTES("\r\n\r\n")), lf = bytes_find(part, BYTES("\n\n"));

	if (crlf == SIZE_MAX && lf == SIZE_MAX)
		return part.len;
	return crlf < lf ? crlf + 4 : lf + 2;
}

static void put_part(struct text *t, const struct redact *r, struct bytes part)
{
	size_t head = head_end(part);
	struct bytes content = bytes_from(part, head), name = param(bytes_sub(part, 0, head), BYTES("name"));
	size_t end = content.len;

	text_put(t, bytes_sub(part, 0, head));
	if (!redact_is_secret_argument(r, name)) {
		redact_loose(t, r, content, 0, content.len);
		return;
	}
	if (bytes_ends(content, BYTES("\n--")))
		end -= bytes_ends(content, BYTES("\r\n--")) ? 4 : 3;
	if (end)
		text_put(t, redacted);
	text_put(t, bytes_from(content, end));
}

/* Multipart (RFC 2046 5.1): of a part with a secret name, what stands behind its head. */
static void put_parts(struct text *t, const struct redact *r, struct bytes boundary, struct bytes body)
{
	for (size_t at; body.len; body = bytes_from(body, at + boundary.len)) {
		at = bytes_find(body, boundary);
		put_part(t, r, bytes_sub(body, 0, at));
		if (at == SIZE_MAX)
			return;
		text_put(t, boundary);
	}
}

void redact_body(struct text *t, const struct redact *r, struct bytes content_type, struct bytes body)
{
	struct bytes boundary = param(content_type, BYTES("boundary"));

	if (bytes_starts_nocase(content_type, BYTES("application/x-www-form-urlencoded")))
		redact_query(t, r, body);
	else if (bytes_starts_nocase(content_type, BYTES("multipart/")) && boundary.len)
		put_parts(t, r, boundary, body);
	else
		redact_loose(t, r, body, 0, body.len);
}
