/* shop.c -- whatever a visitor of the demo shop sends, the page has no more markup
 * than the shop gave it, and a location or cookie stays one line. */
#include "demo/pages.h"

static size_t count(struct bytes in, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < in.len; i++)
		n += in.at[i] == c;
	return n;
}

static struct bytes page_of(struct arena *a, struct bytes method, struct bytes path, struct bytes input)
{
	struct field cookie = { BYTES("Cookie"), input, FIELD_COOKIE, false };
	struct request r = { .method = method, .path = path, .query = input, .fields = { &cookie, 1, 1 } };
	struct page p;

	if (!page_make(a, &r, input, &p))
		return BYTES("");
	if (count(p.location, '\n') + count(p.cookie, '\n') + count(p.cookie, '\r') > 0)
		abort();
	return text_bytes(&p.body);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct {
		const char *method, *path;
	} pages[] = { { "GET", "/search" }, { "GET", "/cart" }, { "POST", "/cart" }, { "POST", "/login" }, { "POST", "/api/cart" } };
	struct bytes input = { (const char *)data, size };
	struct arena *a = arena_new(1 << 20);

	for (size_t i = 0; i < nelems(pages); i++) {
		struct bytes method = bytes_of(pages[i].method), path = bytes_of(pages[i].path);
		bool whole_shelf = i == 0; /* an empty search finds everything */
		size_t most = whole_shelf ? count(page_of(a, method, path, BYTES("")), '<') : 60 * 2;

		if (count(page_of(a, method, path, input), '<') > most)
			abort();
	}
	arena_free(a);
	return 0;
}
