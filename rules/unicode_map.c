/* unicode_map.c -- best-fit folding: a table of runs, or a file. */
#include "rules/unicode_map.h"
#include "rules/transform_steps.h"
#include <errno.h>
#include <stdio.h>

enum { FILE_CAP = 4 << 20, CODES = 0x10000 };

/* From a first code point on, the ASCII of each following one; '\1' marks a
 * code point that has none. Ordered. */
static const struct {
	uint16_t first;
	struct bytes ascii;
} runs[] = {
	/* Latin Extended-A; OE, IJ and their like by the first letter */
	{ 0x0100, { "AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGg", 32 } },
	{ 0x0120, { "GgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlL", 32 } },
	{ 0x0140, { "lLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSs", 32 } },
	{ 0x0160, { "SsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs", 32 } },
	{ 0x01cd, { "AaIiOoUuUuUuUuUu", 16 } },
	{ 0x01e4, { "GgGgKkOoOo", 10 } },
	{ 0x02b9, { "'\"'''", 5 } },
	{ 0x02c6, { "^\1\1\1\1`", 6 } },
	{ 0x02dc, { "~", 1 } },
	{ 0x0300, { "`", 1 } },
	{ 0x0302, { "^~", 2 } },
	{ 0x2000, { "           ", 11 } },          /* blanks of all widths */
	{ 0x2010, { "------|\1''''\"\"\"\"", 16 } }, /* dashes, quotes */
	{ 0x2024, { ".\1.", 3 } },
	{ 0x202f, { " ", 1 } },
	{ 0x2032, { "'\"\1`", 4 } },
	{ 0x2039, { "<>", 2 } },
	{ 0x2044, { "/", 1 } },                     /* fraction slash */
	{ 0x205f, { " ", 1 } },
	{ 0x2102, { "C", 1 } },                     /* letter-like symbols */
	{ 0x210a, { "gHHHhhIILl\1N\1\1PPQRRR", 20 } },
	{ 0x2124, { "Z", 1 } },
	{ 0x212a, { "KABC\1eEF\1Mo", 11 } },
	{ 0x2212, { "-", 1 } },
	{ 0x2215, { "/\\*", 3 } },                  /* division slash, set minus */
	{ 0x2223, { "|", 1 } },
	{ 0x2236, { ":", 1 } },
	{ 0x223c, { "~", 1 } },
	{ 0x2329, { "<>", 2 } },
	{ 0x3000, { " ", 1 } },
	{ 0x3008, { "<>", 2 } },
};

struct unicode_map {
	uint8_t byte[CODES];
	bool known[CODES];
};

char unicode_best_fit(unsigned code)
{
	if (code < runs[0].first)
		return (char)code;
	for (size_t i = 0; i < nelems(runs) && code >= runs[i].first; i++) {
		size_t at = code - runs[i].first;

		if (at < runs[i].ascii.len && runs[i].ascii.at[at] != '\1')
			return runs[i].ascii.at[at];
	}
	return code_to_byte(code);
}

char unicode_map_fit(const struct unicode_map *m, unsigned code)
{
	return code < CODES && m->known[code] ? (char)m->byte[code] : unicode_best_fit(code);
}

static bool cut_line(struct bytes *rest, struct bytes *line)
{
	if (!bytes_cut(rest, '\n', line))
		return false;
	if (bytes_ends(*line, BYTES("\r")))
		line->len--;
	return true;
}

/* "20127 (US-ASCII)" */
static bool is_heading(struct bytes line, unsigned code_page)
{
	struct bytes number;
	uint64_t n;

	return bytes_cut(&line, ' ', &number) && bytes_u64(number, &n) && n == code_page;
}

/* "00a0:20 00a1:21 ..." */
static bool read_pairs(struct unicode_map *m, struct bytes line)
{
	for (struct bytes pair; bytes_cut(&line, ' ', &pair);) {
		unsigned code;

		if (pair.len == 0)
			continue;
		if (pair.len != 7 || pair.at[4] != ':' || !is_hex(pair.at, 4) ||
		    !is_hex(pair.at + 5, 2))
			return false;
		code = hex_value(pair.at, 4);
		m->byte[code] = (uint8_t)hex_value(pair.at + 5, 2);
		m->known[code] = true;
	}
	return true;
}

static bool read_file(struct arena *a, const char *path, struct bytes *text, struct err *e)
{
	FILE *f = fopen(path, "rbe");
	char *at = arena_raw(a, FILE_CAP);
	size_t n;

	if (!f)
		return err_set(e, SIDE_CONFIG, errno, "%s", strerror(errno));
	n = at ? fread(at, 1, FILE_CAP, f) : 0;
	fclose(f);
	*text = (struct bytes){ at, n };
	return (at && n < FILE_CAP) || err_set(e, SIDE_CONFIG, 0, "larger than 4 MiB");
}

static bool read_page(struct unicode_map *m, struct bytes text, unsigned code_page, struct err *e)
{
	bool found = false;
	struct bytes line;

	while (!found && cut_line(&text, &line))
		found = is_heading(line, code_page);
	if (!found || !cut_line(&text, &line))
		return err_set(e, SIDE_CONFIG, 0, "has no code page %u", code_page);
	return read_pairs(m, line) ||
	       err_set(e, SIDE_CONFIG, 0, "code page %u: not pairs of 00a0:20", code_page);
}

const struct unicode_map *unicode_map_load(struct arena *a, const char *path, unsigned code_page,
					   struct err *e)
{
	struct arena *file = arena_new(2 * FILE_CAP);
	struct unicode_map *m = arena_get(a, sizeof *m);
	struct bytes text;
	bool ok = m && file ? read_file(file, path, &text, e) && read_page(m, text, code_page, e)
			    : err_set(e, SIDE_SELF, ENOMEM, "no memory");

	arena_free(file);
	return ok || err_at(e, "%s", path) ? m : NULL;
}
