/* transform_space.c -- white space, NUL bytes and the shell's noise. */
#include "rules/transform_steps.h"

struct bytes t_trim_left(struct arena *a, struct bytes in)
{
	(void)a;
	while (in.len && byte_is_space(in.at[0]))
		in = bytes_from(in, 1);
	return in;
}

struct bytes t_trim_right(struct arena *a, struct bytes in)
{
	(void)a;
	while (in.len && byte_is_space(in.at[in.len - 1]))
		in.len--;
	return in;
}

struct bytes t_trim(struct arena *a, struct bytes in)
{
	return t_trim_left(a, t_trim_right(a, in));
}

/* Copies the bytes of which `drop` does not speak; nothing when it is silent. Inlined, so that it is not called
 * for each byte. */
static inline __attribute__((always_inline)) struct bytes without(struct arena *a, struct bytes in, bool (*drop)(char))
{
	size_t n = 0;
	char *out;

	while (n < in.len && !drop(in.at[n]))
		n++;
	if (n == in.len)
		return in;
	out = arena_raw(a, in.len);
	if (!out)
		return (struct bytes){ 0 };
	memcpy(out, in.at, n);
	for (size_t i = n; i < in.len; i++) {
		out[n] = in.at[i];
		n += !drop(in.at[i]);
	}
	return (struct bytes){ out, n };
}

static bool is_nul(char c)
{
	return c == '\0';
}

/* A no-break space is A0 in Latin-1 and C2 A0 in UTF-8. */
static bool is_space_or_nbsp(char c)
{
	return byte_is_space(c) || c == '\xa0' || c == '\xc2';
}

struct bytes t_remove_nulls(struct arena *a, struct bytes in)
{
	return without(a, in, is_nul);
}

struct bytes t_remove_whitespace(struct arena *a, struct bytes in)
{
	return without(a, in, is_space_or_nbsp);
}

struct bytes t_replace_nulls(struct arena *a, struct bytes in)
{
	char *out;

	if (bytes_index(in, '\0') == SIZE_MAX)
		return in;
	out = arena_raw(a, in.len);
	if (!out)
		return (struct bytes){ 0 };
	for (size_t i = 0; i < in.len; i++)
		out[i] = in.at[i] ? in.at[i] : ' ';
	return (struct bytes){ out, in.len };
}

struct bytes t_compress_whitespace(struct arena *a, struct bytes in)
{
	char *out = arena_raw(a, in.len);
	size_t n = 0;

	if (!out)
		return (struct bytes){ 0 };
	for (size_t i = 0; i < in.len; i++) {
		if (!byte_is_space(in.at[i]))
			out[n++] = in.at[i];
		else if (i == 0 || !byte_is_space(in.at[i - 1]))
			out[n++] = ' ';
	}
	return transform_result(in, out, n);
}

enum shell { KEEP, DROP, BLANK, TIGHT };

static enum shell shell_class(char c)
{
	switch (c) {
	case '"': case '\'': case '\\': case '^':
		return DROP;
	case ' ': case ',': case ';': case '\t': case '\r': case '\n':
		return BLANK;
	case '/': case '(':
		return TIGHT; /* takes the blank before it away */
	default:
		return KEEP;
	}
}

struct bytes t_cmd_line(struct arena *a, struct bytes in)
{
	char *out = arena_raw(a, in.len);
	size_t n = 0;
	bool blank = false;

	if (!out)
		return (struct bytes){ 0 };
	for (size_t i = 0; i < in.len; i++) {
		enum shell class = shell_class(in.at[i]);

		if (class == DROP || (class == BLANK && blank))
			continue;
		n -= class == TIGHT && blank;
		blank = class == BLANK;
		out[n++] = blank ? ' ' : byte_lower(in.at[i]);
	}
	return transform_result(in, out, n);
}
