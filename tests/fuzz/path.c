/* path.c -- the readings are exactly those that a plain and slow reader finds who
 * skips nothing, and the first is stable: read again, it is itself. */
#include "base/path.h"
#include "base/text.h"
#include "tests/fuzz/must.h"
#include <ctype.h>

enum { MOST = 512 };

struct naive {
	char at[3 * MOST];
	size_t len;
};

static void add(struct naive *p, struct bytes b)
{
	memcpy(p->at + p->len, b.at, b.len);
	p->len += b.len;
}

static struct bytes of(const struct naive *p)
{
	return (struct bytes){ p->at, p->len };
}

static void decode(struct naive *p)
{
	struct naive out = { .len = 0 };
	char hex[3] = "", *end;

	for (size_t i = 0; i < p->len; i++) {
		char c = p->at[i];

		if (c == '%' && i + 2 < p->len && isxdigit((unsigned char)p->at[i + 1]) &&
		    isxdigit((unsigned char)p->at[i + 2])) {
			memcpy(hex, p->at + i + 1, 2);
			c = (char)strtol(hex, &end, 16);
			i += 2;
		}
		out.at[out.len++] = c;
	}
	*p = out;
}

/* Segment by segment; `merge` leaves empty ones out from the start. */
static void normalise(struct naive *p, bool merge)
{
	struct bytes stack[MOST + 1], rest = bytes_from(of(p), 1), segment;
	struct naive out = { .len = 0 };
	bool open = false; /* ends in '/' */
	size_t n = 0;

	while (bytes_cut(&rest, '/', &segment)) {
		open = segment.len == 0;
		if (bytes_eq(segment, BYTES(".")) || bytes_eq(segment, BYTES(".."))) {
			n -= segment.len == 2 && n > 0;
			open = true;
		} else if (segment.len || (!merge && rest.at)) {
			stack[n++] = segment;
		}
	}
	for (size_t i = 0; i < n; i++) {
		add(&out, BYTES("/"));
		add(&out, stack[i]);
	}
	if (open || n == 0)
		add(&out, BYTES("/"));
	*p = out;
}

static void cut_params(struct naive *p)
{
	struct bytes rest = of(p), segment;
	struct naive out = { .len = 0 };

	for (bool first = true; bytes_cut(&rest, '/', &segment); first = false) {
		if (!first)
			add(&out, BYTES("/"));
		add(&out, bytes_sub(segment, 0, bytes_index(segment, ';')));
	}
	*p = out;
}

static void merge_slashes(struct naive *p)
{
	size_t at;

	while ((at = bytes_find(of(p), BYTES("//"))) != SIZE_MAX) {
		memmove(p->at + at, p->at + at + 1, p->len - at - 1);
		p->len--;
	}
}

static void backslashes(struct naive *p)
{
	for (size_t i = 0; i < p->len; i++)
		if (p->at[i] == '\\')
			p->at[i] = '/';
}

enum { MERGE, RFC };

static struct naive reading(struct bytes path, int decodings, bool backslash, int params, int dots)
{
	struct naive p = { .len = 0 };

	add(&p, path);
	if (params == 1)
		cut_params(&p);
	while (decodings-- > 0)
		decode(&p);
	if (backslash)
		backslashes(&p);
	if (params == 2)
		cut_params(&p);
	normalise(&p, dots == MERGE);
	merge_slashes(&p);
	return p;
}

static size_t index_of(struct bytes b, const struct bytes *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_eq(b, all[i]))
			return i;
	return SIZE_MAX;
}

static void must_hold_all(struct bytes path, const struct bytes *out, size_t n)
{
	bool found[PATH_READINGS_MAX] = { false };
	size_t at;

	for (int i = 0; i < 2 * 2 * 3 * 2; i++) {
		struct naive p = reading(path, 1 + i % 2, i / 2 % 2, i / 4 % 3, i / 12);

		must((at = index_of(of(&p), out, n)) != SIZE_MAX);
		found[at] = true;
	}
	for (size_t i = 0, extra = 0; i < n; i++)
		must(found[i] || ++extra <= 2); /* the two that keep segments */
}

static bool has_dots(struct bytes b)
{
	struct bytes segment;

	while (bytes_cut(&b, '/', &segment))
		if (bytes_eq(segment, BYTES(".")) || bytes_eq(segment, BYTES("..")))
			return true;
	return false;
}

/* Every byte of the first reading escaped: decoded, it must be itself. */
static void must_be_stable(struct arena *a, struct bytes first)
{
	struct bytes again[PATH_READINGS_MAX];
	struct text t = text_over(arena_raw(a, 3 * first.len), 3 * first.len);

	for (size_t i = 0; i < first.len; i++)
		if (first.at[i] == '/')
			text_byte(&t, '/');
		else
			text_printf(&t, "%%%02x", (unsigned char)first.at[i]);
	must(path_readings(a, text_bytes(&t), again) >= 1);
	must(bytes_eq(again[0], first));
}

static void must_match_itself(struct bytes reading_)
{
	must(path_matches(BYTES("*"), reading_, false));
	must(path_matches(BYTES("/*"), reading_, true));
	must(path_matches(reading_, reading_, false));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes path = { (const char *)data, size }, out[PATH_READINGS_MAX];
	struct arena *a = arena_new(1 << 20);
	struct err e = { 0 };
	size_t n;

	must(path_check(path, &e) || (e.code == 400 && e.text[0]));
	n = path_readings(a, path, out);
	must(n >= 1 && n <= PATH_READINGS_MAX);
	if (size > 0 && size <= MOST && data[0] == '/') {
		must_hold_all(path, out, n);
		must(!has_dots(out[0]) && bytes_find(out[0], BYTES("//")) == SIZE_MAX);
		for (size_t i = 0; i < n; i++) {
			must(out[i].at[0] == '/' && index_of(out[i], out, n) == i);
			must_match_itself(out[i]);
		}
		must_be_stable(a, out[0]);
	}
	arena_free(a);
	return 0;
}
