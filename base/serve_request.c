/* serve_request.c -- what a request tells. */
#include "base/serve_parts.h"

const struct request *serve_head(const struct serve_request *r)
{
	return &r->head;
}

struct bytes serve_body(const struct serve_request *r)
{
	return (struct bytes){ r->body, r->nbody };
}

struct arena *serve_arena(struct serve_request *r)
{
	return r->arena;
}

const struct ip *serve_peer(const struct serve_request *r)
{
	return &r->from;
}

/* %XX, and '+' where it is a blank; what is no escape stays as it is. at == NULL past the arena's cap. */
static struct bytes decoded(struct arena *a, struct bytes in, bool plus)
{
	char *at = arena_raw(a, in.len + 1);
	size_t n = 0;
	int high, low;

	if (!at)
		return (struct bytes){ 0 };
	for (size_t i = 0; i < in.len; i++) {
		high = in.at[i] == '%' && in.len - i > 2 ? byte_hex(in.at[i + 1]) : -1;
		low = high >= 0 ? byte_hex(in.at[i + 2]) : -1;
		at[n++] = low >= 0 ? (char)(high << 4 | low) : plus && in.at[i] == '+' ? ' ' : in.at[i];
		i += low >= 0 ? 2 : 0;
	}
	at[n] = '\0';
	return (struct bytes){ at, n };
}

struct bytes serve_query(struct serve_request *r, struct bytes name)
{
	struct bytes rest = r->head.query, part, key;

	while (bytes_cut(&rest, '&', &part)) {
		bytes_cut(&part, '=', &key);
		if (bytes_eq(key, name) || (key.len > name.len && bytes_eq(decoded(r->arena, key, true), name)))
			return decoded(r->arena, part, true);
	}
	return (struct bytes){ 0 };
}

struct bytes serve_segment(struct serve_request *r, unsigned i)
{
	struct bytes rest = r->head.path, part;

	if (!bytes_starts(rest, BYTES("/")))
		return (struct bytes){ 0 };
	rest = bytes_from(rest, 1);
	while (bytes_cut(&rest, '/', &part))
		if (i-- == 0)
			return bytes_index(part, '%') == SIZE_MAX ? part : decoded(r->arena, part, false);
	return (struct bytes){ 0 };
}

bool serve_is_gone(const struct serve_request *r)
{
	return !r->conn || r->conn->lost;
}

void serve_on_gone(struct serve_request *r, void (*gone)(void *), void *ctx)
{
	r->gone = gone;
	r->gone_ctx = ctx;
}
