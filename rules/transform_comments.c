/* transform_comments.c -- comments of C and SQL, HTML and shells.
 *
 * What removeComments does is odd and kept, since rules and vectors count on
 * it: the byte behind a comment is copied unread (a NUL at the very end), a
 * comment may be closed by the other kind's end, and "--" or '#' cut the rest. */
#include "rules/transform_steps.h"

static bool at(struct bytes in, size_t i, struct bytes mark)
{
	return in.len - i >= mark.len && memcmp(in.at + i, mark.at, mark.len) == 0;
}

/* Length of the mark at i, 0 when there is none. The first byte decides for
 * most of a text. */
static size_t opens(struct bytes in, size_t i)
{
	switch (in.at[i]) {
	case '/': return at(in, i, BYTES("/*")) ? 2 : 0;
	case '<': return at(in, i, BYTES("<!--")) ? 4 : 0;
	default: return 0;
	}
}

static size_t closes(struct bytes in, size_t i)
{
	switch (in.at[i]) {
	case '*': return at(in, i, BYTES("*/")) ? 2 : 0;
	case '-': return at(in, i, BYTES("-->")) ? 3 : 0;
	default: return 0;
	}
}

static size_t cuts(struct bytes in, size_t i)
{
	return in.at[i] == '#' ? 1 : in.at[i] == '-' && at(in, i, BYTES("--")) ? 2 : 0;
}

/* Behind the mark that closes a comment, SIZE_MAX when nothing does. */
static size_t comment_end(struct bytes in, size_t i)
{
	for (; i < in.len; i++)
		if (closes(in, i))
			return i + closes(in, i);
	return SIZE_MAX;
}

struct bytes t_remove_comments(struct arena *a, struct bytes in)
{
	char *out = arena_raw(a, in.len);
	size_t n = 0, skip;

	if (!out)
		return (struct bytes){ 0 };
	for (size_t i = 0; i < in.len; i++) {
		skip = opens(in, i);
		if (!skip && cuts(in, i))
			break;
		if (skip && (i = comment_end(in, i + skip)) == SIZE_MAX) {
			out[n++] = ' ';
			break;
		}
		out[n++] = i < in.len ? in.at[i] : '\0';
	}
	return transform_result(in, out, n);
}

static size_t mark_len(struct bytes in, size_t i)
{
	size_t n = opens(in, i);

	n = n ? n : closes(in, i);
	return n ? n : cuts(in, i);
}

struct bytes t_remove_comments_char(struct arena *a, struct bytes in)
{
	char *out = arena_raw(a, in.len);
	size_t n = 0, skip;

	if (!out)
		return (struct bytes){ 0 };
	for (size_t i = 0; i < in.len; i += skip) {
		skip = mark_len(in, i);
		if (skip)
			continue;
		out[n++] = in.at[i];
		skip = 1;
	}
	return transform_result(in, out, n);
}

/* A comment that does not end takes the rest. */
static size_t replace_step(const char *p, size_t left, char **out)
{
	struct bytes rest = { p, left };
	size_t end;

	if (!bytes_starts(rest, BYTES("/*"))) {
		*(*out)++ = *p;
		return 1;
	}
	end = bytes_find(bytes_from(rest, 2), BYTES("*/"));
	*(*out)++ = ' ';
	return end == SIZE_MAX ? left : end + 4;
}

struct bytes t_replace_comments(struct arena *a, struct bytes in)
{
	return transform_decode(a, in, "//", replace_step);
}
