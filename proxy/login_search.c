/* login_search.c -- a text in a page that passes in pieces. */
#include "proxy/login.h"

enum { SEARCH_BYTES = 64 << 10 };

struct login_search {
	struct bytes marker;
	char *tail;      /* the last bytes of what came before, fewer than the marker has */
	size_t ntail;
	uint64_t seen;
	bool found;
};

struct login_search *login_search_new(struct arena *a, struct bytes marker)
{
	struct login_search *s = arena_get(a, sizeof *s);

	if (!s || !(s->tail = arena_raw(a, marker.len * 2 + 1)))
		return NULL;
	s->marker = marker;
	return s;
}

void login_search_take(struct login_search *s, struct bytes b)
{
	size_t keep = s->marker.len - 1, head = b.len < keep ? b.len : keep;

	if (s->found || s->seen > SEARCH_BYTES || !b.len)
		return;
	s->seen += b.len;
	/* Over the seam, then within. */
	memcpy(s->tail + s->ntail, b.at, head);
	s->found = bytes_find((struct bytes){ s->tail, s->ntail + head }, s->marker) != SIZE_MAX ||
		   bytes_find(b, s->marker) != SIZE_MAX;
	if (b.len >= keep) {
		memcpy(s->tail, b.at + b.len - keep, keep);
		s->ntail = keep;
	} else {
		size_t all = s->ntail + head, drop = all > keep ? all - keep : 0;

		memmove(s->tail, s->tail + drop, all - drop);
		s->ntail = all - drop;
	}
}

enum login_found login_search_says(const struct login_search *s, bool whole)
{
	if (s->found)
		return LOGIN_TEXT_FOUND;
	return whole && s->seen <= SEARCH_BYTES ? LOGIN_TEXT_ABSENT : LOGIN_TEXT_UNSURE;
}
