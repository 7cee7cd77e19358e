/* diff.c -- how one text becomes another.
 *
 * What both begin and end with is put aside, the rest is walked greedily: after d changes, the furthest that each diagonal
 * k = x - y has come. The walk back along the kept rows marks lines as taken out or put in; hunks are printed from the marks. */
#include "base/diff.h"
#include "base/text.h"

enum {
	AROUND = 3,         /* equal lines shown before and after a change */
	CHANGES_MAX = 1000, /* more: everything between is replaced. Rows take 4 bytes times its square */
	HEAD_ROOM = 64,     /* of a hunk's head, and of the note on a missing end of line */
};

struct lines {
	struct bytes *at;
	size_t n;
	bool *changed;      /* taken out (of a), put in (of b) */
};

struct diff {
	struct lines a, b;
	size_t same_before, na, nb; /* what is walked: at[same_before..] */
	int *rows[CHANGES_MAX + 1]; /* rows[changes][k + changes + 1]: x on diagonal k */
};

static bool split(struct arena *arena, struct bytes text, struct lines *l)
{
	size_t n = 1, from = 0;

	for (size_t i = 0; i < text.len; i++)
		n += text.at[i] == '\n';
	l->at = arena_get(arena, n * sizeof *l->at);
	l->changed = arena_get(arena, n * sizeof *l->changed);
	if (!l->at || !l->changed)
		return false;
	while (from < text.len) {
		size_t end = bytes_index(bytes_from(text, from), '\n');
		size_t len = end == SIZE_MAX ? text.len - from : end + 1;

		l->at[l->n++] = bytes_sub(text, from, from + len);
		from += len;
	}
	return true;
}

static void put_aside(struct diff *d)
{
	size_t na = d->a.n, nb = d->b.n, before = 0;

	while (before < na && before < nb && bytes_eq(d->a.at[before], d->b.at[before]))
		before++;
	while (na > before && nb > before && bytes_eq(d->a.at[na - 1], d->b.at[nb - 1])) {
		na--;
		nb--;
	}
	d->same_before = before;
	d->na = na - before;
	d->nb = nb - before;
}

static bool same(const struct diff *d, int x, int y)
{
	return bytes_eq(d->a.at[d->same_before + (size_t)x], d->b.at[d->same_before + (size_t)y]);
}

/* Does the furthest way to diagonal k come from the one above, by a line put in? Else by one taken out. */
static bool puts_in(const int *before, int changes, int k)
{
	return k == -changes || (k != changes && before[k - 1 + changes] < before[k + 1 + changes]);
}

/* The row for d changes. True: the end is reached. */
static bool walk_row(struct diff *d, int changes)
{
	int *row = d->rows[changes], na = (int)d->na, nb = (int)d->nb;
	const int *before = changes ? d->rows[changes - 1] : NULL;

	for (int k = -changes; k <= changes; k += 2) {
		int x = !changes ? 0 : puts_in(before, changes, k) ? before[k + 1 + changes] : before[k - 1 + changes] + 1;
		int y = x - k;

		while (x < na && y < nb && same(d, x, y)) {
			x++;
			y++;
		}
		row[k + changes + 1] = x;
		if (x >= na && y >= nb)
			return true;
	}
	return false;
}

static void mark_all(struct diff *d)
{
	memset(d->a.changed + d->same_before, true, d->na);
	memset(d->b.changed + d->same_before, true, d->nb);
}

static void walk_back(struct diff *d, int changes)
{
	int x = (int)d->na, y = (int)d->nb;

	for (; changes > 0; changes--) {
		const int *before = d->rows[changes - 1];
		int k = x - y;
		bool put_in = puts_in(before, changes, k);

		k += put_in ? 1 : -1;
		x = before[k + changes];
		y = x - k;
		if (put_in)
			d->b.changed[d->same_before + (size_t)y] = true;
		else
			d->a.changed[d->same_before + (size_t)x] = true;
	}
}

static bool walk(struct arena *arena, struct diff *d)
{
	size_t most = d->na + d->nb < CHANGES_MAX ? d->na + d->nb : CHANGES_MAX;

	for (size_t changes = 0; changes <= most; changes++) {
		if (!(d->rows[changes] = arena_get(arena, (2 * changes + 3) * sizeof(int))))
			return false;
		if (walk_row(d, (int)changes)) {
			walk_back(d, (int)changes);
			return true;
		}
	}
	mark_all(d);
	return true;
}

/* ---- printing ---- */

static void put_line(struct text *t, char sign, struct bytes line)
{
	text_byte(t, sign);
	text_put(t, line);
	if (!bytes_ends(line, BYTES("\n")))
		text_str(t, "\n\\ No newline at end of file\n");
}

/* The lines from (x, y) to (xe, ye), of which some are changed. */
static void put_hunk(struct text *t, const struct diff *d, size_t x, size_t y, size_t xe, size_t ye)
{
	text_printf(t, "@@ -%zu,%zu +%zu,%zu @@\n", xe > x ? x + 1 : x, xe - x, ye > y ? y + 1 : y, ye - y);
	while (x < xe || y < ye) {
		if (x < xe && d->a.changed[x])
			put_line(t, '-', d->a.at[x++]);
		else if (y < ye && d->b.changed[y])
			put_line(t, '+', d->b.at[y++]);
		else {
			put_line(t, ' ', d->a.at[x++]);
			y++;
		}
	}
}

static bool is_equal(const struct diff *d, size_t x, size_t y)
{
	return x < d->a.n && y < d->b.n && !d->a.changed[x] && !d->b.changed[y];
}

/* Moves past changes and the equal lines between them, as long as these are too few to part two hunks. */
static void hunk_end(const struct diff *d, size_t *x, size_t *y)
{
	for (;;) {
		size_t run = 0;

		while (*x < d->a.n && d->a.changed[*x])
			++*x;
		while (*y < d->b.n && d->b.changed[*y])
			++*y;
		while (run <= 2 * AROUND && is_equal(d, *x + run, *y + run))
			run++;
		if (run > 2 * AROUND || (*x + run == d->a.n && *y + run == d->b.n)) {
			*x += run < AROUND ? run : AROUND;
			*y += run < AROUND ? run : AROUND;
			return;
		}
		*x += run;
		*y += run;
	}
}

static void put_hunks(struct text *t, const struct diff *d)
{
	size_t x = 0, y = 0;

	for (;;) {
		size_t back, xe, ye;

		while (is_equal(d, x, y)) {
			x++;
			y++;
		}
		if (x == d->a.n && y == d->b.n)
			return;
		back = x < AROUND ? x : AROUND;
		xe = x;
		ye = y;
		hunk_end(d, &xe, &ye);
		put_hunk(t, d, x - back, y - back, xe, ye);
		x = xe;
		y = ye;
	}
}

struct bytes diff_unified(struct arena *arena, const char *from, struct bytes a, const char *to, struct bytes b)
{
	struct diff *d;
	struct text t;
	size_t room;

	if (bytes_eq(a, b))
		return BYTES("");
	d = arena_get(arena, sizeof *d);
	if (!d || !split(arena, a, &d->a) || !split(arena, b, &d->b))
		return (struct bytes){ 0 };
	put_aside(d);
	if (!walk(arena, d))
		return (struct bytes){ 0 };
	room = a.len + b.len + (d->a.n + d->b.n + 2) * HEAD_ROOM + strlen(from) + strlen(to);
	t = text_over(arena_raw(arena, room), room);
	if (!t.at)
		return (struct bytes){ 0 };
	text_printf(&t, "--- %s\n+++ %s\n", from, to);
	put_hunks(&t, d);
	return t.full ? (struct bytes){ 0 } : text_bytes(&t);
}
