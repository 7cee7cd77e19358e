/* login.c -- where people log in, and how that went. */
#include "base/path.h"
#include "proxy/access.h"
#include "proxy/behaviour.h"

enum { SEARCH_BYTES = 64 << 10 };

struct login_search {
	struct bytes marker;
	char *tail;      /* the last bytes of what came before, fewer than the marker has */
	size_t ntail;
	uint64_t seen;
	bool found;
};

const struct login_config *login_of(const struct exchange *x)
{
	const struct app_config *app = x->app->config;

	for (size_t i = 0; i < app->nlogins; i++)
		if (access_path_holds(x, app->logins[i].path) && access_method_holds(x, &app->logins[i].methods))
			return &app->logins[i];
	return NULL;
}

static bool leads_back(const struct login_config *l, const struct response *r)
{
	struct bytes to = fields_value(&r->fields, FIELD_LOCATION);
	size_t scheme = bytes_find(to, BYTES("://"));

	if (!l->redirect.at || !to.len)
		return false;
	if (scheme != SIZE_MAX) { /* the path of an absolute one */
		struct bytes rest = bytes_from(to, scheme + 3);

		to = bytes_from(rest, bytes_index(rest, '/'));
	}
	return path_matches(l->redirect, bytes_sub(to, 0, bytes_index(to, '?')), false) || path_matches(l->redirect, to, false);
}

static bool is_packed(const struct response *r)
{
	struct bytes coding = bytes_trim(fields_value(&r->fields, FIELD_CONTENT_ENCODING));

	return coding.len && !bytes_eq_nocase(coding, BYTES("identity"));
}

/* Success empties buckets, so nothing is one that a client could bring about: a page that is packed, in part, or not modified. */
enum login_outcome login_outcome(const struct login_config *l, const struct response *r)
{
	for (size_t i = 0; i < l->nstatuses; i++)
		if (l->statuses[i] == r->status)
			return LOGIN_FAILED;
	if (leads_back(l, r))
		return LOGIN_FAILED;
	if (r->status >= 400)
		return LOGIN_UNKNOWN; /* of a server in trouble, or a form that was not well filled */
	if (r->status < 200 || r->status == 206 || r->status == 304)
		return LOGIN_UNKNOWN;
	if (!l->marker.at || r->status >= 300)
		return LOGIN_SUCCEEDED;
	return is_packed(r) ? LOGIN_UNKNOWN : LOGIN_BY_MARKER;
}

void login_ask_plainly(const struct login_config *l, struct request *r)
{
	static const struct bytes names[] = {
		BYTES_INIT("Accept-Encoding"), BYTES_INIT("Range"), BYTES_INIT("If-Range"),
	};

	for (size_t i = 0; l->marker.at && i < r->fields.n; i++)
		for (size_t k = 0; k < nelems(names); k++)
			if (bytes_eq_nocase(r->fields.at[i].name, names[k]))
				r->fields.at[i].drop = true;
}

/* ---- the marker, across pieces ---- */

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

enum login_outcome login_search_says(const struct login_search *s, bool whole)
{
	if (s->found)
		return LOGIN_FAILED;
	return whole && s->seen <= SEARCH_BYTES ? LOGIN_SUCCEEDED : LOGIN_UNKNOWN;
}
