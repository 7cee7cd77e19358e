/* transform_path.c -- paths without empty, self and back references.
 *
 * A relative path keeps the back references that nothing is left for, an
 * absolute one drops them. A trailing slash stays where there was one. Unlike
 * ModSecurity's, this one does not take the segment "foo.." for "..". */
#include "rules/transform_steps.h"

struct path {
	char *out;
	size_t n;
	size_t root;  /* what may not be taken back: the slash, or leading ".." */
	bool absolute;
};

static bool is_slash(char c, bool win)
{
	return c == '/' || (win && c == '\\');
}

static void segment_add(struct path *p, struct bytes segment)
{
	if (p->n && p->out[p->n - 1] != '/')
		p->out[p->n++] = '/';
	memcpy(p->out + p->n, segment.at, segment.len);
	p->n += segment.len;
}

static void segment_back(struct path *p)
{
	if (p->n == p->root) {
		if (!p->absolute)
			segment_add(p, BYTES(".."));
		p->root = p->n;
		return;
	}
	while (p->n > p->root && p->out[p->n - 1] != '/')
		p->n--;
	if (p->n > p->root)
		p->n--;
}

static struct bytes normalize(struct arena *a, struct bytes in, bool win)
{
	struct path p = { .out = arena_raw(a, in.len + 1) };
	size_t from, to;

	if (!p.out)
		return (struct bytes){ 0 };
	if (in.len == 0)
		return in;
	p.absolute = is_slash(in.at[0], win);
	if (p.absolute)
		p.out[p.n++] = '/';
	p.root = p.n;
	for (from = 0; from < in.len; from = to + 1) {
		struct bytes segment;

		for (to = from; to < in.len && !is_slash(in.at[to], win);)
			to++;
		segment = bytes_sub(in, from, to);
		if (bytes_eq(segment, BYTES("..")))
			segment_back(&p);
		else if (segment.len && !bytes_eq(segment, BYTES(".")))
			segment_add(&p, segment);
	}
	if (p.n && p.out[p.n - 1] != '/' && is_slash(in.at[in.len - 1], win))
		p.out[p.n++] = '/';
	return transform_result(in, p.out, p.n);
}

struct bytes t_normalize_path(struct arena *a, struct bytes in)
{
	return normalize(a, in, false);
}

struct bytes t_normalize_path_win(struct arena *a, struct bytes in)
{
	return normalize(a, in, true);
}
