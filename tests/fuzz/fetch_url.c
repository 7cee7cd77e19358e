/* fetch_url.c -- what a URL was read as, written again, reads the same and cannot
 * break a request's head; and a redirect (behind the first newline) never leaves TLS. */
#include "base/fetch_url.h"
#include "base/text.h"
#include "tests/fuzz/must.h"

static void must_be_clean(struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		must(b.at[i] > ' ' && b.at[i] <= '~' && b.at[i] != '#');
}

static void must_read_back(struct arena *a, const struct fetch_url *u)
{
	char buf[2 * FETCH_URL_MAX];
	struct text t = text_over(buf, sizeof buf);
	struct fetch_url back;

	must(u->host.len && u->host.at[u->host.len] == '\0' && u->port && u->path.len && u->path.at[0] == '/');
	must_be_clean(u->authority);
	must_be_clean(u->path);
	must_be_clean(u->query);
	text_str(&t, u->tls ? "https://" : "http://");
	text_put(&t, u->authority);
	text_put(&t, u->path);
	if (u->query.at) {
		text_byte(&t, '?');
		text_put(&t, u->query);
	}
	must(!t.full);
	if (t.len > FETCH_URL_MAX)
		return; /* "http://a" has grown a "/" */
	must(fetch_url_parse(a, text_bytes(&t), &back, NULL));
	must(fetch_url_same_origin(u, &back) && bytes_eq(u->authority, back.authority));
	must(bytes_eq(u->path, back.path) && bytes_eq(u->query, back.query) && !u->query.at == !back.query.at);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes rest = { (const char *)data, size }, url;
	struct arena *a = arena_new(64 << 10);
	struct fetch_url u, to;
	struct err e = { 0 };

	bytes_cut(&rest, '\n', &url);
	if (!fetch_url_parse(a, url, &u, &e)) {
		must(e.side == SIDE_CONFIG && e.text[0]);
	} else {
		must_read_back(a, &u);
		if (fetch_url_follow(a, &u, rest, &to, NULL)) {
			must(to.tls || !u.tls);
			must_read_back(a, &to);
		}
	}
	arena_free(a);
	return 0;
}
