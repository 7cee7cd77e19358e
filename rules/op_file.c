/* op_file.c -- files that operators read: one text a line, beside the rule's file.
 *
 * Blanks at a line's ends, lines of nothing and comments (a '#' before anything
 * else) do not count, as in ModSecurity 2 and Coraza. */
#include "rules/op_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	PATH_LEN = 4096,
	FILE_MAX = 16 << 20, /* bytes */
	LINES_MAX = 1 << 20,
};

static bool no_file(struct err *e, const char *path, const char *why)
{
	return err_set(e, SIDE_CONFIG, errno, "%s: %s", path, why);
}

static bool read_open(struct arena *a, const char *path, int fd, struct bytes *out, struct err *e)
{
	struct stat st;
	char *at;

	errno = 0;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return no_file(e, path, "not a file");
	if (st.st_size > FILE_MAX)
		return no_file(e, path, "too large");
	at = arena_raw(a, (size_t)st.st_size + 1);
	if (!at)
		return op_no_memory(e);
	if (read(fd, at, (size_t)st.st_size) != st.st_size)
		return no_file(e, path, "cannot be read");
	*out = (struct bytes){ at, (size_t)st.st_size };
	return true;
}

static bool read_beside(struct arena *a, struct bytes name, const char *beside, struct bytes *out, struct err *e)
{
	const char *slash = beside ? strrchr(beside, '/') : NULL;
	int dir = slash && name.len && name.at[0] != '/' ? (int)(slash + 1 - beside) : 0, fd;
	char path[PATH_LEN];
	bool ok;

	if (!name.len || memchr(name.at, '\0', name.len))
		return err_set(e, SIDE_CONFIG, 0, "the name of a file is missing");
	if (name.len + (size_t)dir >= sizeof path)
		return err_set(e, SIDE_CONFIG, 0, "the name of the file is too long");
	snprintf(path, sizeof path, "%.*s%.*s", dir, beside ? beside : "", BYTES_ARG(name));
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC); /* a pipe must not hold us */
	if (fd < 0)
		return no_file(e, path, strerror(errno));
	ok = read_open(a, path, fd, out, e);
	close(fd);
	return ok;
}

/* What counts of a line. */
static struct bytes content(struct bytes line)
{
	if (line.len && line.at[line.len - 1] == '\r')
		line.len--;
	line = bytes_trim(line);
	return line.len && line.at[0] == '#' ? (struct bytes){ 0 } : line;
}

bool op_lines(struct arena *a, struct bytes name, const char *beside, struct op_lines *out, struct err *e)
{
	struct bytes all, line;
	size_t cap = 0;

	*out = (struct op_lines){ 0 };
	if (!read_beside(a, name, beside, &all, e))
		return false;
	while (bytes_cut(&all, '\n', &line)) {
		line = content(line);
		if (!line.len)
			continue;
		if (out->n == LINES_MAX)
			return err_set(e, SIDE_CONFIG, 0, "more than %d lines in '%.*s'", LINES_MAX, BYTES_ARG(name));
		out->at = arena_grow(a, out->at, &cap, out->n + 1, sizeof *out->at);
		if (!out->at)
			return op_no_memory(e);
		out->at[out->n++] = line;
	}
	return out->n || err_set(e, SIDE_CONFIG, 0, "no lines in '%.*s'", BYTES_ARG(name));
}
