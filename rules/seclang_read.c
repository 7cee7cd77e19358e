/* seclang_read.c -- a file of SecLang -> lines -> directives.
 *
 * A file is read whole into the arena and taken apart where it lies: joining continued lines and unquoting arguments
 * only make it shorter, so a directive costs no copy. Includes are read where they stand, before the next line.
 *
 * A comment ends with its line even when that ends with a backslash: ModSecurity 3 reads on there, Apache would lose
 * the line that follows. For the same reason a comment behind a directive must stand on its last line. */
#include "rules/seclang.h"
#include "base/yaml.h"
#include "rules/seclang_cursor.h"
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

/* What one reading shares. */
struct reader {
	struct arena *arena;
	const struct seclang_sink *sink;
	unsigned files;
};

/* One file, or a text without one. */
struct source {
	struct reader *reader;
	struct cursor rest;
	struct seclang_place place;    /* of the directive being read */
	unsigned line;                 /* the next one */
	unsigned depth;                /* files around it, itself included; 0: a text */
	unsigned sections;             /* open ones */
	struct seclang_place opened;   /* the newest of them */
};

/* A directive's, continued ones joined. */
struct line {
	struct cursor text;
	char *last; /* where the last of the lines that were joined begins */
};

static bool fault(const struct source *s, struct err *e, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static bool fault(const struct source *s, struct err *e, const char *fmt, ...)
{
	char what[200];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof what, fmt, ap);
	va_end(ap);
	return err_set(e, SIDE_CONFIG, 0, "%s:%u: %s", s->place.file, s->place.line, what);
}

/* ---- lines ---- */

/* Without its end, which is LF or CRLF. */
static struct bytes cut_line(struct source *s)
{
	struct cursor *c = &s->rest;
	char *from = c->at, *end = memchr(from, '\n', (size_t)(c->end - from));
	size_t len = (size_t)((end ? end : c->end) - from);

	c->at = end ? end + 1 : c->end;
	s->line++;
	if (len && from[len - 1] == '\r')
		len--;
	return (struct bytes){ from, len };
}

static bool is_comment(struct bytes b)
{
	b = bytes_trim(b);
	return b.len && *b.at == '#';
}

/* The next line, moved together with those that continue it. */
static bool join_lines(struct source *s, struct line *l, struct err *e)
{
	char *from = s->rest.at, *to = from;
	bool more;

	s->place.line = s->line;
	do {
		struct bytes one = cut_line(s);

		more = one.len && one.at[one.len - 1] == '\\' && !(to == from && is_comment(one));
		one.len -= more;
		l->last = to;
		memmove(to, one.at, one.len);
		to += one.len;
		if (to - from > SECLANG_LINE_MAX)
			return fault(s, e, "a directive of more than %d bytes", SECLANG_LINE_MAX);
	} while (more && s->rest.at < s->rest.end);
	l->text = (struct cursor){ from, to };
	cursor_skip_blanks(&l->text);
	return true;
}

/* ---- a directive ---- */

static bool take_argument(struct source *s, struct cursor *c, struct bytes *arg, struct err *e)
{
	struct cursor begin = *c;

	if (!cursor_on(c, '"') && !cursor_on(c, '\'')) {
		while (c->at < c->end && !byte_is_blank(*c->at))
			c->at++;
		*arg = (struct bytes){ begin.at, (size_t)(c->at - begin.at) };
		return true;
	}
	if (!cursor_quoted(c, arg))
		return fault(s, e, "the quote that begins at '%.*s' has no end", YAML_SHOWN(cursor_rest(&begin)));
	if (c->at < c->end && !byte_is_blank(*c->at))
		return fault(s, e, "a blank is wanted behind the quote, not '%.*s'", YAML_SHOWN(cursor_rest(c)));
	return true;
}

/* What stands behind the name. */
static bool take_arguments(struct source *s, struct line *l, struct seclang_directive *d, struct err *e)
{
	struct cursor *c = &l->text;
	size_t cap = 0;

	for (cursor_skip_blanks(c); c->at < c->end && *c->at != '#'; cursor_skip_blanks(c)) {
		if (d->nargs == SECLANG_ARGS_MAX)
			return fault(s, e, "more than %d arguments", SECLANG_ARGS_MAX);
		d->args = arena_grow(s->reader->arena, d->args, &cap, d->nargs + 1, sizeof *d->args);
		if (!d->args)
			return err_set(e, SIDE_SELF, 0, "%s: out of memory", s->place.file);
		if (!take_argument(s, c, &d->args[d->nargs++], e))
			return false;
	}
	if (c->at < l->last)
		return fault(s, e, "a comment within a directive");
	return true;
}

/* ---- sections ---- */

/* <IfModule x>, </IfModule> */
static bool read_section(struct source *s, struct cursor c, struct err *e)
{
	bool closes = c.end - c.at > 1 && c.at[1] == '/';
	struct bytes name;

	c.at += 1 + closes;
	name = cursor_name(&c);
	cursor_skip_blanks(&c);
	while (c.end > c.at && byte_is_blank(c.end[-1]))
		c.end--;
	if (!name.len || c.end == c.at || c.end[-1] != '>')
		return fault(s, e, "'<' begins no section: there is no name or no '>'");
	if (!bytes_eq_nocase(name, BYTES("IfModule")))
		return fault(s, e, "a section <%.*s> is Apache's and not taken; only <IfModule> is", YAML_SHOWN(name));
	if (closes && !s->sections)
		return fault(s, e, "</IfModule> closes nothing");
	if (cursor_on(&c, '!'))
		return fault(s, e, "<IfModule !...>: what is for a missing module is not taken");
	s->opened = closes ? s->opened : s->place;
	s->sections += closes ? -1U : 1U;
	return true;
}

/* ---- files ---- */

static bool read_source(struct source *s, struct err *e);

static bool read_bytes(int fd, char *to, size_t len)
{
	for (size_t n = 0; n < len;) {
		ssize_t got = read(fd, to + n, len - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got == 0)
			errno = EIO; /* it was cut off meanwhile */
		if (got <= 0)
			return false;
		n += (size_t)got;
	}
	return true;
}

static bool load_fd(struct arena *a, int fd, const char *path, struct cursor *c, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, SIDE_CONFIG, 0, "%s: not a regular file", path);
	if (st.st_size > SECLANG_FILE_MAX)
		return err_set(e, SIDE_CONFIG, 0, "%s: a file of more than %d bytes", path, SECLANG_FILE_MAX);
	if (!(c->at = arena_raw(a, (size_t)st.st_size + 1)))
		return err_set(e, SIDE_SELF, 0, "%s: out of memory", path);
	c->end = c->at + st.st_size;
	if (!read_bytes(fd, c->at, (size_t)st.st_size))
		return err_set(e, SIDE_CONFIG, errno, "%s: cannot read: %s", path, strerror(errno));
	return true;
}

static bool load_file(struct reader *r, const char *path, struct cursor *c, struct err *e)
{
	/* Non-blocking, so that a FIFO by mistake does not hang the start. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	bool ok;

	if (fd < 0)
		return err_set(e, SIDE_CONFIG, errno, "%s: cannot open: %s", path, strerror(errno));
	ok = load_fd(r->arena, fd, path, c, e);
	close(fd);
	return ok;
}

/* `from` is the directive that includes it; NULL: none. */
static bool read_file(struct reader *r, const char *path, const struct source *from, struct err *e)
{
	struct source s = { .reader = r, .line = 1, .depth = from ? from->depth + 1 : 1 };

	s.place.file = arena_str(r->arena, bytes_of(path));
	if (!s.place.file)
		return err_set(e, SIDE_SELF, 0, "%s: out of memory", path);
	if (r->files++ == SECLANG_FILES_MAX)
		return err_set(e, SIDE_CONFIG, 0, "%s: more than %d files", path, SECLANG_FILES_MAX);
	if (!load_file(r, path, &s.rest, e))
		return from ? err_at(e, "%s:%u", from->place.file, from->place.line) : false;
	if (bytes_starts(cursor_rest(&s.rest), BYTES("\xef\xbb\xbf")))
		s.rest.at += 3;
	return read_source(&s, e);
}

/* ---- includes ---- */

/* What cannot be looked through must not pass for empty. */
static int glob_fault(const char *path, int code)
{
	(void)path;
	return code != ENOENT && code != ENOTDIR;
}

/* Relative names are beside the file that includes. */
static const char *include_path(const struct source *s, struct bytes name)
{
	const char *slash = strrchr(s->place.file, '/');
	size_t dir = slash && *name.at != '/' ? (size_t)(slash - s->place.file) + 1 : 0;
	char *path = arena_raw(s->reader->arena, dir + name.len + 1);

	if (!path)
		return NULL;
	memcpy(path, s->place.file, dir);
	memcpy(path + dir, name.at, name.len);
	path[dir + name.len] = '\0';
	return path;
}

static bool include_all(const struct source *s, const char *pattern, bool optional, struct err *e)
{
	glob_t found;
	int failed = glob(pattern, 0, glob_fault, &found);
	bool ok = true;

	if (failed == GLOB_NOMATCH)
		return optional || fault(s, e, "no such file: %s", pattern);
	if (failed) {
		globfree(&found);
		return fault(s, e, "cannot look through %s", pattern);
	}
	for (size_t i = 0; ok && i < found.gl_pathc; i++)
		ok = read_file(s->reader, found.gl_pathv[i], s, e);
	globfree(&found);
	return ok;
}

static bool include(const struct source *s, const struct seclang_directive *d, bool optional, struct err *e)
{
	const char *pattern;

	if (!s->depth)
		return fault(s, e, "%.*s stands in a file only", YAML_SHOWN(d->name));
	if (d->nargs != 1 || !d->args[0].len)
		return fault(s, e, "%.*s wants one name", YAML_SHOWN(d->name));
	if (s->depth == SECLANG_INCLUDES)
		return fault(s, e, "included more than %d files deep", SECLANG_INCLUDES);
	if (!(pattern = include_path(s, d->args[0])))
		return err_set(e, SIDE_SELF, 0, "%s: out of memory", s->place.file);
	return include_all(s, pattern, optional, e);
}

/* ---- the reading ---- */

static bool read_directive(struct source *s, struct line *l, struct err *e)
{
	struct seclang_directive d = { .place = s->place, .name = cursor_name(&l->text) };
	bool optional = bytes_eq_nocase(d.name, BYTES("IncludeOptional"));

	if (!d.name.len || (l->text.at < l->text.end && !byte_is_blank(*l->text.at)))
		return fault(s, e, "a directive is wanted, not '%.*s%.*s'", YAML_SHOWN(d.name),
			     YAML_SHOWN(cursor_rest(&l->text)));
	if (!take_arguments(s, l, &d, e))
		return false;
	if (optional || bytes_eq_nocase(d.name, BYTES("Include")))
		return include(s, &d, optional, e);
	return s->reader->sink->take(s->reader->sink->ctx, &d, e);
}

/* A NUL would end a name or a message early. */
static bool has_no_nul(struct source *s, struct err *e)
{
	const char *nul = memchr(s->rest.at, '\0', (size_t)(s->rest.end - s->rest.at));

	s->place.line = s->line;
	for (const char *p = s->rest.at; nul && p < nul; p++)
		s->place.line += *p == '\n';
	return !nul || fault(s, e, "a NUL byte: this is no text");
}

static bool read_source(struct source *s, struct err *e)
{
	if (!has_no_nul(s, e))
		return false;
	while (s->rest.at < s->rest.end) {
		struct line l = { 0 };

		if (!join_lines(s, &l, e))
			return false;
		if (l.text.at == l.text.end || (*l.text.at == '#' && l.text.at >= l.last))
			continue;
		if (!(*l.text.at == '<' ? read_section(s, l.text, e) : read_directive(s, &l, e)))
			return false;
	}
	s->place = s->opened;
	return !s->sections || fault(s, e, "<IfModule> is not closed");
}

bool seclang_read(struct arena *a, const char *path, const struct seclang_sink *sink, struct err *e)
{
	struct reader r = { .arena = a, .sink = sink };

	return read_file(&r, path, NULL, e);
}

bool seclang_text(struct arena *a, struct seclang_place place, struct bytes text, const struct seclang_sink *sink,
		  struct err *e)
{
	struct reader r = { .arena = a, .sink = sink };
	struct source s = { .reader = &r, .place = place, .line = place.line };
	char *copy = arena_raw(a, text.len + 1);

	if (!copy)
		return err_set(e, SIDE_SELF, 0, "%s: out of memory", place.file);
	if (text.len)
		memcpy(copy, text.at, text.len);
	s.rest = (struct cursor){ copy, copy + text.len };
	return read_source(&s, e);
}
