/* transform_url.c -- percent escapes, IIS's %uXXXX, and their making. */
#include "rules/transform_steps.h"
#include "rules/unicode_map.h"

/* %XX; a '%' that begins no escape stays. */
static size_t url_step(const char *p, size_t left, char **out)
{
	if (left >= 3 && is_hex(p + 1, 2)) {
		*(*out)++ = (char)hex_value(p + 1, 2);
		return 3;
	}
	*(*out)++ = '%';
	return 1;
}

static size_t url_uni_step(const char *p, size_t left, char **out)
{
	if (left < 6 || byte_lower(p[1]) != 'u' || !is_hex(p + 2, 4))
		return url_step(p, left, out);
	*(*out)++ = unicode_best_fit(hex_value(p + 2, 4));
	return 6;
}

/* A '+' stands between any two words of a form, so it is no reason for a call. */
static inline __attribute__((always_inline)) struct bytes url_decode(struct arena *a, struct bytes in, transform_step *step)
{
	const char *p = in.at, *end = p + in.len;
	char *out, *to;

	while (p < end && *p != '%' && *p != '+')
		p++;
	if (p == end)
		return in;
	out = arena_raw(a, in.len);
	if (!out)
		return (struct bytes){ 0 };
	memcpy(out, in.at, (size_t)(p - in.at));
	for (to = out + (p - in.at); p < end;) {
		if (*p == '%') {
			p += step(p, (size_t)(end - p), &to);
		} else {
			*to++ = *p == '+' ? ' ' : *p;
			p++;
		}
	}
	return transform_result(in, out, (size_t)(to - out));
}

struct bytes t_url_decode(struct arena *a, struct bytes in)
{
	return url_decode(a, in, url_step);
}

struct bytes t_url_decode_uni(struct arena *a, struct bytes in)
{
	return url_decode(a, in, url_uni_step);
}

static bool is_kept(char c)
{
	char l = byte_lower(c);

	return (c >= '0' && c <= '9') || (l >= 'a' && l <= 'z') || c == '*';
}

struct bytes t_url_encode(struct arena *a, struct bytes in)
{
	static const char digits[] = "0123456789abcdef";
	char *out = in.len <= SIZE_MAX / 3 ? arena_raw(a, in.len * 3) : NULL;
	size_t n = 0;

	if (!out)
		return (struct bytes){ 0 };
	for (size_t i = 0; i < in.len; i++) {
		unsigned char c = (unsigned char)in.at[i];

		if (c == ' ' || is_kept(in.at[i])) {
			out[n++] = c == ' ' ? '+' : in.at[i];
			continue;
		}
		out[n++] = '%';
		out[n++] = digits[c >> 4];
		out[n++] = digits[c & 15];
	}
	return transform_result(in, out, n);
}
