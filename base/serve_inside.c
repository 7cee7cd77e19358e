/* serve_inside.c -- a request that no connection brought. */
#include "base/serve_parts.h"

enum { ARENA = 8 << 20, HEAD_ROOM = 16 << 10 };

static bool is_target(struct bytes target)
{
	for (size_t i = 0; i < target.len; i++)
		if ((unsigned char)target.at[i] <= ' ' || target.at[i] == 0x7f)
			return false;
	return bytes_starts(target, BYTES("/"));
}

static bool read_head(struct serve_request *r, struct bytes target)
{
	static const struct http1_limits limits = { .head_bytes = HEAD_ROOM, .target_bytes = HEAD_ROOM, .fields = 4 };
	char *room = arena_raw(r->arena, HEAD_ROOM);
	struct text t = text_over(room, room ? HEAD_ROOM : 0);
	struct err e;

	text_str(&t, "GET ");
	text_put(&t, target);
	text_str(&t, " HTTP/1.1\r\nHost: localhost\r\n\r\n");
	return !t.full && is_target(target) && http1_parse_request(r->arena, text_bytes(&t), &limits, &r->head, &e);
}

struct serve_request *serve_inside(struct server_http *s, struct bytes target, void (*answered)(void *ctx, unsigned status, struct bytes body),
				   void *ctx)
{
	struct arena *a = arena_new(ARENA);
	struct serve_request *r = a ? arena_get(a, sizeof *r) : NULL;

	if (!r) {
		arena_free(a);
		return NULL;
	}
	*r = (struct serve_request){ .server = s, .arena = a, .taken = true, .answered = answered, .answered_ctx = ctx };
	r->from.b[15] = 1; /* ::1, as of a unix socket */
	if (!read_head(r, target)) {
		arena_free(a);
		return NULL;
	}
	s->nrequests++;
	return r;
}

void serve_tell_inside(struct serve_request *r, unsigned status, struct bytes body)
{
	void (*answered)(void *, unsigned, struct bytes) = r->answered;

	r->answered = NULL;
	answered(r->answered_ctx, status, body);
}
