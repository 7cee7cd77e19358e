/* yaml.c -- documents: loading, asking, and errors that name a place. */
#include "base/yaml_doc.h"
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ARENA_CAP = 128 << 20 }; /* bytes: the tree at YAML_MAX_NODES needs less */

/* Paths can be longer than an error; their end says more than their start. */
static const char *name_end(const char *name, const char **dots)
{
	enum { SHOWN = 120 };
	size_t n = strlen(name);

	*dots = n > SHOWN ? "..." : "";
	return n > SHOWN ? name + n - SHOWN : name;
}

bool yaml_err(struct where w, struct err *e, const char *fmt, ...)
{
	char text[sizeof e->text];
	const char *dots, *name = name_end(w.file, &dots);
	va_list ap;

	if (!e)
		return false;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	err_set(e, SIDE_CONFIG, 0, "%s", text);
	if (w.line)
		err_at(e, "%s%s:%u:%u", dots, name, w.line, w.column);
	else
		err_at(e, "%s%s", dots, name);
	for (char *p = e->text; *p; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?'; /* one line, and nothing that moves a cursor */
	return false;
}

static struct yaml_doc *doc_new(const char *name)
{
	struct arena *a = arena_new(ARENA_CAP);
	struct yaml_doc *d = a ? arena_get(a, sizeof *d) : NULL;

	if (d) {
		d->arena = a;
		d->name = arena_str(a, bytes_of(name));
	}
	if (d && d->name)
		return d;
	arena_free(a);
	return NULL;
}

static bool check_size(uint64_t len, const char *name, struct err *e)
{
	return len <= YAML_MAX_BYTES ||
	       yaml_err((struct where){ name, 1, 1 }, e, "larger than %d MiB", YAML_MAX_BYTES >> 20);
}

struct yaml_doc *yaml_load(struct bytes text, const char *name, struct err *e)
{
	struct yaml_doc *d;

	if (!check_size(text.len, name, e))
		return NULL;
	d = doc_new(name);
	if (d)
		d->source = arena_copy(d->arena, text);
	if (!d || !d->source.at)
		yaml_err((struct where){ name, 1, 1 }, e, "out of memory");
	else if (yaml_build(d, e))
		return d;
	yaml_unload(d);
	return NULL;
}

static bool read_all(int fd, char *buf, size_t cap, size_t *len)
{
	ssize_t n;

	for (*len = 0; *len < cap; *len += (size_t)n) {
		n = read(fd, buf + *len, cap - *len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n == 0;
	}
	return true;
}

/* One byte more than allowed is read, to tell a full file from a larger one. */
static struct yaml_doc *load_fd(int fd, const char *path, struct err *e)
{
	struct where top = { path, 1, 1 };
	struct yaml_doc *d = NULL;
	struct stat st;
	size_t len;
	char *buf;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		yaml_err(top, e, "not a regular file");
		return NULL;
	}
	if (!(buf = malloc(YAML_MAX_BYTES + 1)))
		yaml_err(top, e, "out of memory");
	else if (!read_all(fd, buf, YAML_MAX_BYTES + 1, &len))
		yaml_err(top, e, "cannot read: %s", strerror(errno));
	else
		d = yaml_load((struct bytes){ buf, len }, path, e);
	free(buf);
	return d;
}

struct yaml_doc *yaml_load_file(const char *path, struct err *e)
{
	/* Non-blocking, so that a FIFO by mistake does not hang the start. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct yaml_doc *d;

	if (fd < 0) {
		yaml_err((struct where){ path, 1, 1 }, e, "cannot open: %s", strerror(errno));
		return NULL;
	}
	d = load_fd(fd, path, e);
	close(fd);
	return d;
}

void yaml_unload(struct yaml_doc *d)
{
	if (d)
		arena_free(d->arena);
}

size_t yaml_count(const struct yaml_doc *d)
{
	return d->nroots;
}

const struct yaml_node *yaml_root(const struct yaml_doc *d, size_t i)
{
	return i < d->nroots ? d->roots[i] : NULL;
}

struct bytes yaml_source(const struct yaml_doc *d)
{
	return d->source;
}

const char *yaml_name(const struct yaml_doc *d)
{
	return d->name;
}

const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key)
{
	struct bytes name = bytes_of(key);

	if (!map || map->kind != YAML_MAPPING)
		return NULL;
	for (size_t i = 0; i < map->n; i++)
		if (bytes_eq(map->keys[i]->text, name))
			return map->items[i];
	return NULL;
}

bool yaml_is_empty(const struct yaml_node *n)
{
	return n->kind == YAML_SCALAR && !n->quoted && n->text.len == 0;
}

const char *yaml_kind_word(enum yaml_kind k)
{
	static const char *const words[] = {
		[YAML_SCALAR] = "a text", [YAML_SEQUENCE] = "a list", [YAML_MAPPING] = "a mapping",
	};

	return words[k];
}
