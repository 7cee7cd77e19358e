/* list_read_lines.c -- plain lists and CSV: a line is a member. */
#include "cti/list_read_parts.h"

/* ---- plain ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static bool is_comment(struct bytes b)
{
	return b.len && (*b.at == '#' || *b.at == ';' || bytes_starts(b, BYTES("//")));
}

static struct bytes trim(struct bytes b)
{
	while (b.len && is_blank(b.at[b.len - 1]))
		b.len--;
	while (b.len && is_blank(*b.at))
		b = bytes_from(b, 1);
	return b;
}

static size_t word_end(struct bytes b)
{
	size_t i = 0;

	while (i < b.len && !is_blank(b.at[i]) && b.at[i] != '#' && b.at[i] != ';' && b.at[i] != ',')
		i++;
	return i;
}

/* "a", "a - b"; behind it a comment, a number (a count, a date), or nothing. */
static bool plain_line(struct list_reader *r, struct bytes line, struct err *err)
{
	size_t end = word_end(line);
	struct bytes fields[LIST_FIELDS] = { [LIST_VALUE] = bytes_sub(line, 0, end) }, rest = trim(bytes_from(line, end));

	if (rest.len && *rest.at == '-') {
		struct bytes to = trim(bytes_from(rest, 1));

		end = (size_t)(to.at - line.at) + word_end(to);
		fields[LIST_VALUE] = bytes_sub(line, 0, end);
		rest = trim(bytes_from(line, end));
	}
	if (rest.len && !is_comment(rest) && *rest.at != ',' && (*rest.at < '0' || *rest.at > '9')) {
		list_reader_skip(r);
		return true;
	}
	return list_reader_take(r, fields, err);
}

/* ---- CSV ---- */

struct cells {
	size_t n;
	struct bytes at[LIST_CELLS];
};

/* "a ""quoted"" cell" is taken apart in `room`, which is as long as the line. False: the quotes do not end. */
static bool quoted_cell(struct bytes line, size_t *i, char *room, size_t *used, struct bytes *out)
{
	size_t from = *used;

	for (++*i; *i < line.len; ++*i) {
		if (line.at[*i] == '"' && (++*i == line.len || line.at[*i] != '"')) {
			*out = (struct bytes){ room + from, *used - from };
			return true;
		}
		room[(*used)++] = line.at[*i];
	}
	return false;
}

static bool cut_cells(struct list_lines *l, struct bytes line, struct cells *out)
{
	size_t used = 0;

	out->n = 0;
	for (size_t i = 0; i <= line.len && out->n < LIST_CELLS; i++) {
		size_t from = i;
		struct bytes cell;

		while (i < line.len && line.at[i] == ' ')
			i++;
		if (i < line.len && line.at[i] == '"') {
			if (!quoted_cell(line, &i, l->unquoted, &used, &cell))
				return false;
			while (i < line.len && line.at[i] != l->separator)
				i++;
		} else {
			for (i = from; i < line.len && line.at[i] != l->separator; i++)
				;
			cell = bytes_sub(line, from, i);
		}
		out->at[out->n++] = trim(cell);
	}
	return true;
}

static char separator_of(struct bytes line)
{
	static const char all[] = { ',', ';', '\t', '|' };
	size_t best = 0, most = 0;

	for (size_t k = 0; k < nelems(all); k++) {
		size_t n = 0;
		bool quoted = false;

		for (size_t i = 0; i < line.len; i++) {
			quoted ^= line.at[i] == '"';
			n += !quoted && line.at[i] == all[k];
		}
		if (n > most) {
			most = n;
			best = k;
		}
	}
	return all[best];
}

static bool holds_block(const struct cells *c, struct bytes *out)
{
	struct list_block b;

	for (size_t i = 0; i < c->n; i++)
		if (list_block_parse(c->at[i], &b)) {
			*out = c->at[i];
			return true;
		}
	return false;
}

/* The first line may name the columns. */
static bool read_names(struct list_reader *r, const struct cells *c, bool *is_header, struct err *err)
{
	struct list_lines *l = r->lines;
	uint64_t number = 0;
	struct bytes any;
	bool by_number = r->o.column.len && bytes_u64(r->o.column, &number);
	struct list_block b;

	if (by_number && (!number || number > LIST_CELLS))
		return err_set(err, SIDE_CONFIG, 0, "columns are numbered from 1 to %d", LIST_CELLS);
	*is_header = !holds_block(c, &any) || (by_number && (number > c->n || !list_block_parse(c->at[number - 1], &b)));
	for (size_t i = 0; *is_header && i < c->n; i++) {
		enum list_field f = list_field_named(c->at[i]);

		if (f < LIST_FIELDS && !l->column_of[f] && (f != LIST_VALUE || r->o.decisions))
			l->column_of[f] = (unsigned)i + 1;
		if (r->o.column.len && !by_number && bytes_eq_nocase(c->at[i], r->o.column))
			number = i + 1;
	}
	if (r->o.column.len && !number)
		return err_set(err, SIDE_CONFIG, 0, "line %lu: no column is called '%.*s'", r->line, BYTES_ARG(bytes_sub(r->o.column, 0, 64)));
	if (number)
		l->column_of[LIST_VALUE] = (unsigned)number;
	return true;
}

static bool csv_line(struct list_reader *r, struct bytes line, struct err *err)
{
	struct list_lines *l = r->lines;
	struct bytes fields[LIST_FIELDS] = { 0 };
	bool is_header = false, first = !l->named;
	struct cells c;

	if (!l->separator)
		l->separator = separator_of(line);
	if (!cut_cells(l, line, &c)) {
		list_reader_skip(r);
		return true;
	}
	l->named = true;
	if (first && !read_names(r, &c, &is_header, err))
		return false;
	if (is_header)
		return true;
	for (size_t f = 0; f < LIST_FIELDS; f++)
		if (l->column_of[f] && l->column_of[f] <= c.n)
			fields[f] = c.at[l->column_of[f] - 1];
	if (!l->column_of[LIST_VALUE])
		holds_block(&c, &fields[LIST_VALUE]);
	return list_reader_take(r, fields, err);
}

/* ---- lines ---- */

/* A comma outside comments, or quotes, make it CSV; where a column is named nothing else has one. */
static enum list_format format_of(const struct list_reader *r, struct bytes line)
{
	size_t i = 0;

	if (r->o.column.len || *line.at == '"')
		return LIST_CSV;
	while (i < line.len && line.at[i] != '#' && line.at[i] != ';' && line.at[i] != ',')
		i++;
	if (i < line.len && line.at[i] == ',')
		return LIST_CSV;
	/* One column with a name on it, as `cscli decisions import` takes it. */
	return r->o.decisions && list_field_named(line) == LIST_VALUE ? LIST_CSV : LIST_PLAIN;
}

static bool take_line(struct list_reader *r, struct bytes line, struct err *err)
{
	struct list_lines *l = r->lines;
	bool ok = true;

	if (l->format != LIST_CSV || l->separator != '\t')
		line = trim(line);
	if (line.len && !is_comment(line)) {
		if (l->format == LIST_AUTO)
			l->format = format_of(r, line);
		ok = l->format == LIST_CSV ? csv_line(r, line, err) : plain_line(r, line, err);
	}
	r->line++;
	return ok;
}

/* What is not whole yet waits for more. */
static void keep(struct list_reader *r, struct bytes b)
{
	struct list_lines *l = r->lines;

	if (b.len > LIST_LINE_MAX - l->len)
		l->too_long = true;
	if (l->too_long)
		return;
	memcpy(l->line + l->len, b.at, b.len);
	l->len += b.len;
}

static bool take_kept(struct list_reader *r, struct err *err)
{
	struct list_lines *l = r->lines;
	struct bytes line = { l->line, l->len };
	bool too_long = l->too_long;

	l->len = 0;
	l->too_long = false;
	if (!too_long)
		return take_line(r, line, err);
	list_reader_skip(r);
	r->line++;
	return true;
}

bool list_lines_put(struct list_reader *r, struct bytes b, struct err *err)
{
	struct list_lines *l = r->lines;

	while (b.len) {
		const char *newline = memchr(b.at, '\n', b.len);
		size_t end = newline ? (size_t)(newline - b.at) : b.len;

		if (!newline || l->len || l->too_long || end > LIST_LINE_MAX) {
			keep(r, bytes_sub(b, 0, end));
			if (newline && !take_kept(r, err))
				return false;
		} else if (!take_line(r, bytes_sub(b, 0, end), err)) {
			return false;
		}
		b = bytes_from(b, end + (newline != NULL));
	}
	return true;
}

bool list_lines_end(struct list_reader *r, struct err *err)
{
	return (!r->lines->len && !r->lines->too_long) || take_kept(r, err);
}
