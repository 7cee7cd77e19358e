/* path.c -- what servers make of a path.
 *
 * A reading is the product of four habits: how often percent escapes are
 * decoded, whether `\` parts segments, when `;` parameters are cut, and what is
 * done about empty and dot segments. Any combination may be some server's, so
 * all are tried and the distinct results kept. Most paths show none of the
 * habits: that is found out in one pass, and they are their only reading. */
#include "base/path.h"

enum params {
	KEEP,
	CUT_RAW,     /* before decoding: Tomcat */
	CUT_DECODED,
};

enum dots {
	MERGE, /* runs of '/' are one, then dot segments go: nginx, Apache */
	RFC,   /* RFC 3986 5.2.4 takes empty segments for segments: WHATWG URL, Java */
	RAW,   /* they go before decoding: what was escaped then stays */
	AS_IS, /* frameworks that route on the path as it came */
};

struct reading {
	bool twice, backslash;
	enum params params;
	enum dots dots;
};

static const struct reading readings[] = {
	{ false, false, KEEP,        MERGE },
	{ false, false, KEEP,        RFC },
	{ false, false, KEEP,        RAW },
	{ false, false, KEEP,        AS_IS },
	{ false, false, CUT_RAW,     MERGE },
	{ false, false, CUT_RAW,     RFC },
	{ false, false, CUT_DECODED, MERGE },
	{ false, false, CUT_DECODED, RFC },
	{ false, true,  KEEP,        MERGE },
	{ false, true,  KEEP,        RFC },
	{ false, true,  CUT_RAW,     MERGE },
	{ false, true,  CUT_RAW,     RFC },
	{ false, true,  CUT_DECODED, MERGE },
	{ false, true,  CUT_DECODED, RFC },
	{ true,  false, KEEP,        MERGE },
	{ true,  false, KEEP,        RFC },
	{ true,  false, CUT_RAW,     MERGE },
	{ true,  false, CUT_RAW,     RFC },
	{ true,  false, CUT_DECODED, MERGE },
	{ true,  false, CUT_DECODED, RFC },
	{ true,  true,  KEEP,        MERGE },
	{ true,  true,  KEEP,        RFC },
	{ true,  true,  CUT_RAW,     MERGE },
	{ true,  true,  CUT_RAW,     RFC },
	{ true,  true,  CUT_DECODED, MERGE },
	{ true,  true,  CUT_DECODED, RFC },
};
_Static_assert(nelems(readings) <= PATH_READINGS_MAX, "every reading has a place");

/* The byte that an escape at p stands for, or -1. */
static int escape_at(const char *p, const char *end)
{
	int hi, lo;

	if (end - p < 3 || *p != '%' || (hi = byte_hex(p[1])) < 0 || (lo = byte_hex(p[2])) < 0)
		return -1;
	return hi << 4 | lo;
}

/* In place; what is no escape stays as it is. */
static size_t decode(char *s, size_t n)
{
	const char *end = s + n;
	char *out = s;
	int c;

	for (const char *p = s; p < end; p++)
		if ((c = escape_at(p, end)) >= 0) {
			*out++ = (char)c;
			p += 2;
		} else {
			*out++ = *p;
		}
	return (size_t)(out - s);
}

static size_t cut_params(char *s, size_t n)
{
	size_t len = 0;
	bool in_params = false;

	for (size_t i = 0; i < n; i++) {
		in_params = s[i] == ';' || (in_params && s[i] != '/');
		if (!in_params)
			s[len++] = s[i];
	}
	return len;
}

static size_t merge_slashes(char *s, size_t n)
{
	size_t len = 0;

	for (size_t i = 0; i < n; i++)
		if (s[i] != '/' || len == 0 || s[len - 1] != '/')
			s[len++] = s[i];
	return len;
}

static size_t parent(const char *s, size_t len)
{
	while (len > 0 && s[--len] != '/')
		;
	return len;
}

/* RFC 3986 5.2.4, in place. Each turn takes one segment with the '/' before it;
 * a dot segment at the end leaves its '/'. */
static size_t remove_dots(char *s, size_t n)
{
	size_t len = 0, i = 0, from, k;

	while (i < n) {
		from = i++;
		while (i < n && s[i] != '/')
			i++;
		k = i - from;
		if (k == 2 && s[from + 1] == '.') {
			;
		} else if (k == 3 && s[from + 1] == '.' && s[from + 2] == '.') {
			len = parent(s, len);
		} else {
			memmove(s + len, s + from, k);
			len += k;
			continue;
		}
		if (i == n)
			s[len++] = '/';
	}
	return len;
}

/* The reading of n bytes at s, in place. */
static size_t read_as(const struct reading *how, char *s, size_t n)
{
	if (how->params == CUT_RAW)
		n = cut_params(s, n);
	if (how->dots == RAW)
		n = remove_dots(s, n);
	n = decode(s, n);
	if (how->twice)
		n = decode(s, n);
	for (size_t i = 0; how->backslash && i < n; i++)
		if (s[i] == '\\')
			s[i] = '/';
	if (how->params == CUT_DECODED)
		n = cut_params(s, n);
	if (how->dots == AS_IS)
		return n;
	if (how->dots == MERGE)
		n = merge_slashes(s, n);
	if (how->dots != RAW)
		n = remove_dots(s, n);
	return merge_slashes(s, n);
}

/* What in a path some server has a habit about. */
enum { ESCAPE = 1, PARAMS = 2, BACKSLASH = 4, SEGMENTS = 8 };

static unsigned marks_of(struct bytes path)
{
	unsigned marks = 0;

	for (size_t i = 0; i < path.len; i++)
		switch (path.at[i]) {
		case '%':
			if (escape_at(path.at + i, path.at + path.len) >= 0)
				marks |= ESCAPE;
			break;
		case ';':
			marks |= PARAMS;
			break;
		case '\\':
			marks |= BACKSLASH;
			break;
		case '/':
			if (i + 1 < path.len && (path.at[i + 1] == '/' || path.at[i + 1] == '.'))
				marks |= SEGMENTS;
		}
	return marks;
}

/* Could this reading differ, of a path that has these marks once decoded? An
 * escape that is left may stand for any of the others. */
static bool may_differ(const struct reading *how, unsigned marks)
{
	return (marks & ESCAPE) || (!how->twice && (!how->backslash || (marks & BACKSLASH)) &&
				    (how->params == KEEP || (marks & PARAMS)));
}

static bool is_new(struct bytes reading, const struct bytes *out, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bytes_eq(reading, out[i]))
			return false;
	return true;
}

size_t path_readings(struct arena *a, struct bytes path, struct bytes out[PATH_READINGS_MAX])
{
	struct bytes reading;
	unsigned marks;
	char *room;
	size_t n = 0;

	out[0] = path;
	if (path.len == 0 || path.at[0] != '/' || !marks_of(path))
		return 1;
	if (!(room = arena_raw(a, path.len)))
		return 0;
	memcpy(room, path.at, path.len);
	out[0] = (struct bytes){ room, decode(room, path.len) };
	if (!(marks = marks_of(out[0])))
		return 1;
	for (size_t i = 0; i < nelems(readings); i++) {
		if (!may_differ(&readings[i], marks))
			continue;
		if (!room && !(room = arena_raw(a, path.len)))
			return 0;
		memcpy(room, path.at, path.len);
		reading = (struct bytes){ room, read_as(&readings[i], room, path.len) };
		if (!is_new(reading, out, n))
			continue;
		out[n++] = reading;
		room = NULL;
	}
	return n;
}

/* The next byte after one decoding, or -1. */
static int next_byte(const char **p, const char *end, bool *escaped)
{
	int c;

	if (*p == end)
		return -1;
	*escaped = (c = escape_at(*p, end)) >= 0;
	if (!*escaped)
		return (unsigned char)*(*p)++;
	*p += 3;
	return c;
}

/* Do the bytes behind `lead` make it an overlong form of ASCII? The bits of
 * U+0000..U+007F all lie in the last two bytes; those between are 0x80. C0 and
 * C1 with a plain byte behind them are what lenient decoders still take for a
 * separator: "%c0%2f". */
static bool is_overlong(int lead, const char *p, const char *end)
{
	int zeros, c;
	bool escaped = false;

	if (lead == 0xc0 || lead == 0xc1) {
		c = next_byte(&p, end, &escaped);
		if (c >= 0x80 && c <= 0xbf)
			return true;
		c = (lead & 1) << 6 | (c & 0x3f);
		return escaped && (c == '/' || c == '\\' || c == '.' || c == 0);
	}
	switch (lead) {
	case 0xe0: zeros = 0; break;
	case 0xf0: zeros = 1; break;
	case 0xf8: zeros = 2; break;
	case 0xfc: zeros = 3; break;
	default: return false;
	}
	while (zeros-- > 0)
		if (next_byte(&p, end, &escaped) != 0x80)
			return false;
	c = next_byte(&p, end, &escaped);
	if (c != 0x80 && c != 0x81)
		return false;
	c = next_byte(&p, end, &escaped);
	return c >= 0x80 && c <= 0xbf;
}

static bool check_special(const char **p, const char *end, struct err *e)
{
	bool escaped;
	int c;

	if (**p == '%' && escape_at(*p, end) < 0)
		return err_set(e, SIDE_CLIENT, 400, "a broken percent escape in the path");
	c = next_byte(p, end, &escaped);
	if (c == 0)
		return err_set(e, SIDE_CLIENT, 400, "a NUL in the path");
	if (c >= 0xc0 && is_overlong(c, *p, end))
		return err_set(e, SIDE_CLIENT, 400, "overlong UTF-8 in the path");
	return true;
}

bool path_check(struct bytes path, struct err *e)
{
	const char *p = path.at, *end = path.at + path.len;

	while (p < end) {
		unsigned char c = (unsigned char)*p;

		if (c != '%' && c != 0 && c < 0x80)
			p++;
		else if (!check_special(&p, end, e))
			return false;
	}
	return true;
}

/* Remembers the last star only: what it stands for grows by one byte when the
 * rest does not fit, and no earlier star need be asked again. */
bool path_matches(struct bytes pattern, struct bytes reading, bool nocase)
{
	size_t p = 0, r = 0, star = SIZE_MAX, mark = 0;

	while (r < reading.len) {
		if (p < pattern.len && pattern.at[p] == '*') {
			star = p++;
			mark = r;
		} else if (p < pattern.len &&
			   (pattern.at[p] == reading.at[r] ||
			    (nocase && byte_lower(pattern.at[p]) == byte_lower(reading.at[r])))) {
			p++;
			r++;
		} else if (star != SIZE_MAX) {
			p = star + 1;
			r = ++mark;
		} else {
			return false;
		}
	}
	while (p < pattern.len && pattern.at[p] == '*')
		p++;
	return p == pattern.len;
}
