/* expr_data.c -- the files that expressions ask, read once.
 *
 * The expressions of a file are one Hyperscan database; those that Hyperscan refuses are asked one by one. A map has its
 * texts and expressions in one database too, numbered in the order in which CrowdSec would try them: whole texts, then
 * texts inside, then expressions. */
#include "base/expr_tree.h"
#include "base/matcher.h"
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REFUSED_MAX = 64 /* that are taken out of a database one at a time; then all are asked singly */ };

/* Patterns whose ids say which counts first. */
struct bank {
	struct matcher *matcher;
	struct pattern *late; /* what Hyperscan refuses */
	struct regex **regexes;
	size_t n_late;
};

struct expr_file {
	struct expr_file *next;
	struct bytes name, text;
	enum expr_data_type type;
	struct expr_value *lines;
	size_t n, cap;
	struct expr_file_row *rows;
	size_t n_rows, cap_rows;
	struct bank bank;
};

struct expr_data {
	struct arena *arena;
	const char *cache_dir;
	struct expr_file *files;
};

static bool no_memory(struct err *e)
{
	return err_set(e, SIDE_SELF, 0, "out of memory");
}

struct expr_data *expr_data_new(struct arena *a, const char *cache_dir)
{
	struct expr_data *d = arena_get(a, sizeof *d);

	if (!d)
		return NULL;
	d->arena = a;
	d->cache_dir = cache_dir ? arena_str(a, bytes_of(cache_dir)) : NULL;
	return d;
}

const char *expr_data_cache(const struct expr_data *d)
{
	return d ? d->cache_dir : NULL;
}

const struct expr_file *expr_data_find(const struct expr_data *d, struct bytes name, enum expr_data_type type)
{
	for (const struct expr_file *f = d->files; f; f = f->next)
		if (f->type == type && bytes_eq(f->name, name))
			return f;
	return NULL;
}

const struct expr_value *expr_file_lines(const struct expr_file *f, size_t *n)
{
	*n = f->n;
	return f->lines;
}

const struct expr_file_row *expr_file_rows(const struct expr_file *f, size_t *n)
{
	*n = f->n_rows;
	return f->rows;
}

/* ---- many expressions ---- */

static void matcher_free_late(void *m)
{
	matcher_hs.free(m);
}

static void regex_free_late(void *r)
{
	regex_free(r);
}

static struct regex *regex_of(struct arena *a, const struct pattern *p, struct err *e)
{
	struct regex *r = regex_new(p->text, p->flags, e);

	if (!r || arena_defer(a, regex_free_late, r))
		return r;
	regex_free(r);
	no_memory(e);
	return NULL;
}

static bool bank_late(struct arena *a, struct bank *b, const struct pattern *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		b->late[b->n_late] = p[i];
		if (!(b->regexes[b->n_late++] = regex_of(a, &p[i], NULL)))
			return false;
	}
	return true;
}

/* All patterns are such that regex_new() takes them. */
static bool bank_make(struct expr_data *d, struct bank *b, struct pattern *p, size_t n, struct err *e)
{
	struct err why;

	b->late = arena_get(d->arena, (n + 1) * sizeof *b->late);
	b->regexes = arena_get(d->arena, (n + 1) * sizeof(struct regex *));
	if (!b->late || !b->regexes)
		return no_memory(e);
	for (unsigned refused = 0; n && !(b->matcher = matcher_hs.compile(p, n, d->cache_dir, &why)); refused++) {
		size_t at = why.code >= 0 && (size_t)why.code < n && refused < REFUSED_MAX ? (size_t)why.code : SIZE_MAX;
		size_t out = at == SIZE_MAX ? n : 1;

		if (!bank_late(d->arena, b, at == SIZE_MAX ? p : &p[at], out))
			return no_memory(e);
		n -= out;
		if (at != SIZE_MAX)
			memmove(&p[at], &p[at + 1], (n - at) * sizeof *p);
	}
	if (!b->matcher || arena_defer(d->arena, matcher_free_late, b->matcher))
		return true;
	matcher_hs.free(b->matcher);
	b->matcher = NULL;
	return no_memory(e);
}

static bool lowest(void *ctx, uint32_t id, size_t end)
{
	uint32_t *least = ctx;

	(void)end;
	if (id < *least)
		*least = id;
	return *least == 0;
}

/* The lowest id of those that match; UINT32_MAX: none does. */
static bool bank_ask(struct expr_run *run, const struct bank *b, struct bytes text, uint32_t *id)
{
	struct matcher_scratch *s = b->matcher ? expr_scratch() : NULL;
	size_t from, to;

	*id = UINT32_MAX;
	if (b->matcher && (!s || !matcher_hs.scan(b->matcher, s, text, lowest, id)))
		return expr_fail(run, "out of memory");
	for (size_t i = 0; i < b->n_late && *id; i++) {
		enum regex_result r = b->late[i].id < *id ? regex_find(b->regexes[i], text, &from, &to) : REGEX_NO;

		if (r == REGEX_LIMIT)
			return expr_fail(run, "an expression backtracks too much");
		if (r == REGEX_YES)
			*id = b->late[i].id;
	}
	return true;
}

bool expr_file_match(struct expr_run *run, const struct expr_file *f, struct bytes text, bool *yes)
{
	uint32_t id;

	*yes = bank_ask(run, &f->bank, text, &id) && id != UINT32_MAX;
	return !run->failed;
}

bool expr_file_look_up(struct expr_run *run, const struct expr_file *f, struct bytes text, struct bytes *tag)
{
	uint32_t id;

	*tag = BYTES("");
	for (size_t i = 0; i < f->n_rows; i++)
		if (f->rows[i].test == EXPR_EQUALS && bytes_eq(f->rows[i].pattern, text)) {
			*tag = f->rows[i].tag;
			return true;
		}
	if (!bank_ask(run, &f->bank, text, &id))
		return false;
	if (id != UINT32_MAX)
		*tag = f->rows[id].tag;
	return true;
}

/* ---- reading ---- */

static bool add_line(struct expr_data *d, struct expr_file *f, struct bytes line, struct err *e)
{
	struct expr_value *lines = arena_grow(d->arena, f->lines, &f->cap, f->n + 1, sizeof *lines);

	if (!lines)
		return no_memory(e);
	f->lines = lines;
	lines[f->n++] = expr_text_value(line);
	return true;
}

/* An expression that is one; which is kept as a line. */
static bool add_regexp(struct expr_data *d, struct expr_file *f, struct bytes line, struct err *e)
{
	struct regex *r = regex_new(line, PATTERN_GO, e);

	if (!r)
		return false;
	regex_free(r);
	return add_line(d, f, line, e);
}

static bool json_text(struct expr_data *d, struct bytes line, struct bytes name, struct bytes *out)
{
	bool is_text;

	if (!expr_json_find(line, name, out, &is_text) || !is_text)
		return false;
	*out = expr_json_unescape(d->arena, *out);
	return out->at != NULL;
}

static bool add_row(struct expr_data *d, struct expr_file *f, struct bytes line, struct err *e)
{
	struct expr_file_row row = { .test = EXPR_EQUALS }, *rows;
	struct bytes type;

	if (!json_text(d, line, BYTES("pattern"), &row.pattern) || !json_text(d, line, BYTES("tag"), &row.tag))
		return err_set(e, SIDE_CONFIG, 0, "expected JSON with \"pattern\" and \"tag\"");
	if (!json_text(d, line, BYTES("type"), &type))
		type = BYTES("equals");
	if (bytes_eq(type, BYTES("contains")))
		row.test = EXPR_CONTAINS;
	else if (bytes_eq(type, BYTES("regex")))
		row.test = EXPR_MATCHES;
	else if (type.len && !bytes_eq(type, BYTES("equals")))
		return err_set(e, SIDE_CONFIG, 0, "unknown type, expected \"equals\", \"contains\" or \"regex\"");
	if (row.test == EXPR_MATCHES &&
	    !(row.regex = regex_of(d->arena, &(struct pattern){ row.pattern, PATTERN_GO, 0 }, e)))
		return false;
	rows = arena_grow(d->arena, f->rows, &f->cap_rows, f->n_rows + 1, sizeof *rows);
	if (!rows)
		return no_memory(e);
	f->rows = rows;
	rows[f->n_rows++] = row;
	return true;
}

/* Whole texts first, then texts inside, then expressions, each as they stand in the file. */
static bool sort_rows(struct expr_data *d, struct expr_file *f)
{
	static const enum expr_test order[] = { EXPR_EQUALS, EXPR_CONTAINS, EXPR_MATCHES };
	struct expr_file_row *rows = arena_get(d->arena, (f->n_rows + 1) * sizeof *rows);
	size_t n = 0;

	for (size_t k = 0; rows && k < nelems(order); k++)
		for (size_t i = 0; i < f->n_rows; i++)
			if (f->rows[i].test == order[k])
				rows[n++] = f->rows[i];
	f->rows = rows;
	f->n_rows = n;
	return rows != NULL;
}

static bool finish(struct expr_data *d, struct expr_file *f, struct err *e)
{
	struct pattern *p = arena_get(d->arena, (f->n + f->n_rows + 1) * sizeof *p);
	size_t n = 0;

	if (f->type == EXPR_DATA_STRING)
		return true;
	if (!p || (f->type == EXPR_DATA_MAP && !sort_rows(d, f)))
		return no_memory(e);
	for (size_t i = 0; f->type == EXPR_DATA_REGEXP && i < f->n; i++)
		p[n++] = (struct pattern){ f->lines[i].text, PATTERN_GO, (uint32_t)i };
	for (size_t i = 0; i < f->n_rows; i++)
		if (f->rows[i].test != EXPR_EQUALS)
			p[n++] = (struct pattern){ f->rows[i].pattern,
						   f->rows[i].test == EXPR_MATCHES ? PATTERN_GO : PATTERN_LITERAL,
						   (uint32_t)i };
	return bank_make(d, &f->bank, p, n, e);
}

/* The first line that is wrong is what `e` tells; the others are there. */
static bool read_lines(struct expr_data *d, struct expr_file *f, const char *path, struct err *e)
{
	bool (*const add[])(struct expr_data *, struct expr_file *, struct bytes, struct err *) = {
		[EXPR_DATA_STRING] = add_line, [EXPR_DATA_REGEXP] = add_regexp, [EXPR_DATA_MAP] = add_row,
	};
	struct bytes rest = f->text, line;
	unsigned number = 0;
	bool good = true;

	while (bytes_cut(&rest, '\n', &line)) {
		struct err why = { 0 };

		number++;
		if (bytes_ends(line, BYTES("\r")))
			line.len--;
		if (!bytes_trim(line).len || line.at[0] == '#' || add[f->type](d, f, line, &why))
			continue;
		err_at(&why, "%s:%u", path, number);
		if (good && e)
			*e = why;
		good = false;
		if (why.side == SIDE_SELF)
			break;
	}
	return good;
}

static bool read_text(struct arena *a, int fd, size_t size, struct bytes *out)
{
	char *at = arena_raw(a, size + 1);
	size_t n = 0;

	while (at && n < size) {
		ssize_t got = read(fd, at + n, size - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return false;
		if (got == 0)
			break;
		n += (size_t)got;
	}
	*out = (struct bytes){ at, n };
	return at != NULL;
}

static bool read_file(struct expr_data *d, struct expr_file *f, const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	bool ok;

	if (fd < 0)
		return err_set(e, SIDE_CONFIG, errno, "%s: %s", path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		ok = err_set(e, SIDE_CONFIG, 0, "%s: not a file", path);
	else if (st.st_size > EXPR_DATA_MAX_BYTES)
		ok = err_set(e, SIDE_CONFIG, 0, "%s: larger than %d MiB", path, EXPR_DATA_MAX_BYTES >> 20);
	else
		ok = read_text(d->arena, fd, (size_t)st.st_size, &f->text) ||
		     err_set(e, SIDE_SELF, 0, "%s: it cannot be read", path);
	close(fd);
	return ok;
}

bool expr_data_add(struct expr_data *d, struct bytes name, enum expr_data_type type, const char *path, struct err *e)
{
	struct expr_file *f;
	struct err why;
	bool good;

	if (expr_data_find(d, name, type))
		return true;
	f = arena_get(d->arena, sizeof *f);
	if (!f || !(f->name = arena_copy(d->arena, name)).at)
		return no_memory(e);
	f->type = type;
	f->next = d->files;
	d->files = f;
	if (!read_file(d, f, path, e))
		return false;
	good = read_lines(d, f, path, e);
	if (finish(d, f, &why))
		return good;
	f->n = f->n_rows = 0; /* better known and empty than half */
	f->bank = (struct bank){ 0 };
	if (e)
		*e = why;
	return err_at(e, "%s", path);
}
