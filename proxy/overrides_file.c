/* overrides_file.c -- the file of changes on disk. */
#include "proxy/overrides_file.h"
#include "base/log.h"
#include "base/text.h"
#include "proxy/overrides.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 4096, PENDING_ROOM = 512 };

static bool name_of(char out[PATH_ROOM], const char *path, const char *end)
{
	return (size_t)snprintf(out, PATH_ROOM, "%s%s", path, end) < PATH_ROOM;
}

/* 0: the file itself. */
static bool version_name(char out[PATH_ROOM], const char *path, unsigned version)
{
	char end[16];

	snprintf(end, sizeof end, ".%u", version);
	return name_of(out, path, version ? end : "");
}

/* In the same directory, named without the `.yaml`. */
static bool pending_name(char out[PATH_ROOM], const char *path)
{
	size_t len = strlen(path), cut = len > 5 ? len - 5 : 0;

	return (size_t)snprintf(out, PATH_ROOM, "%.*s.pending", (int)cut, path) < PATH_ROOM;
}

/* ---- whole files ---- */

static bool read_whole(int fd, char *at, size_t room, size_t *len)
{
	ssize_t n;

	for (*len = 0; *len < room; *len += (size_t)n) {
		n = read(fd, at + *len, room - *len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n <= 0)
			return n == 0;
	}
	return true;
}

static bool write_whole(int fd, struct bytes b)
{
	while (b.len) {
		ssize_t n = write(fd, b.at, b.len);

		if (n < 0 && errno != EINTR)
			return false;
		b = bytes_from(b, n > 0 ? (size_t)n : 0);
	}
	return fsync(fd) == 0;
}

static bool failed(struct err *e, const char *path, const char *what)
{
	return err_set(e, SIDE_SELF, errno, "%s: cannot %s it: %s", path, what, strerror(errno));
}

/* A name lasts when its directory is on the disk. */
static bool directory_sync(const char *path)
{
	const char *slash = strrchr(path, '/');
	char dir[PATH_ROOM];
	int fd;
	bool ok;

	snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
	fd = open(dir[0] ? dir : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ok = fd >= 0 && fsync(fd) == 0;
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool create(const char *path, struct bytes text, struct err *e)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
	bool ok;

	if (fd < 0)
		return failed(e, path, "write");
	ok = write_whole(fd, text) || failed(e, path, "write");
	close(fd);
	if (!ok)
		unlink(path);
	return ok;
}

bool overrides_file_read(struct arena *a, const char *path, unsigned version, struct bytes *text, struct err *e)
{
	char name[PATH_ROOM], *room = arena_raw(a, OVERRIDES_MAX + 1);
	bool ok;
	int fd;

	*text = (struct bytes){ 0 };
	if (!room || !version_name(name, path, version))
		return err_set(e, SIDE_SELF, 0, "out of memory");
	fd = open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return errno == ENOENT || failed(e, name, "read");
	text->at = room;
	ok = read_whole(fd, room, OVERRIDES_MAX + 1, &text->len) || failed(e, name, "read");
	close(fd);
	return ok && (text->len <= OVERRIDES_MAX || err_set(e, SIDE_CONFIG, 0, "%s:1:1: larger than %d KiB", name, OVERRIDES_MAX >> 10));
}

/* ---- versions ---- */

/* Each one further away, the last is lost; what is there stays there too. */
static void keep(const char *path)
{
	char from[PATH_ROOM], to[PATH_ROOM];

	for (unsigned i = OVERRIDES_KEPT; i-- > 1;)
		if (version_name(from, path, i) && version_name(to, path, i + 1))
			rename(from, to);
	if (version_name(to, path, 1) && access(path, F_OK) == 0 && link(path, to) != 0)
		rename(path, to); /* no hard links here: for a moment there is none */
}

bool overrides_file_write(const char *path, struct bytes text, struct err *e)
{
	char new[PATH_ROOM];

	if (!name_of(new, path, ".new"))
		return err_set(e, SIDE_SELF, 0, "%s: the path is too long", path);
	if (!create(new, text, e))
		return false;
	if (access(path, F_OK) == 0)
		keep(path);
	if (rename(new, path) == 0 && directory_sync(path))
		return true;
	return failed(e, path, "replace");
}

void overrides_file_back(const char *path, bool had)
{
	char from[PATH_ROOM], to[PATH_ROOM];

	if (!had)
		unlink(path);
	for (unsigned i = 0; had && i < OVERRIDES_KEPT; i++)
		if (version_name(to, path, i) && version_name(from, path, i + 1))
			rename(from, to);
	if (!directory_sync(path))
		log_error("%s: cannot be put back: %s", path, strerror(errno));
}

/* ---- what waits ---- */

bool overrides_pending_write(const char *path, const struct overrides_pending *p, struct err *e)
{
	char name[PATH_ROOM], room[PENDING_ROOM];
	struct text t = text_over(room, sizeof room);

	text_printf(&t, "until %llu\nhash %016llx\nbefore %d\nby ", (unsigned long long)p->until_ms, (unsigned long long)p->hash, p->had);
	text_plain(&t, bytes_of(p->by));
	text_byte(&t, '\n');
	if (t.full || !pending_name(name, path))
		return err_set(e, SIDE_SELF, 0, "%s: the path is too long", path);
	return create(name, text_bytes(&t), e) && (directory_sync(path) || failed(e, name, "write"));
}

static bool word_after(struct bytes *rest, const char *key, struct bytes *word)
{
	size_t len = strlen(key);

	if (!bytes_cut(rest, '\n', word) || !bytes_starts(*word, bytes_of(key)))
		return false;
	*word = bytes_from(*word, len);
	return true;
}

static bool hex_parse(struct bytes b, uint64_t *n)
{
	*n = 0;
	for (size_t i = 0; i < b.len; i++) {
		int digit = byte_hex(b.at[i]);

		if (digit < 0)
			return false;
		*n = *n << 4 | (uint64_t)digit;
	}
	return b.len == 16;
}

bool overrides_pending_parse(struct bytes text, struct overrides_pending *p)
{
	struct bytes rest = text, word;
	uint64_t had;

	*p = (struct overrides_pending){ 0 };
	if (!word_after(&rest, "until ", &word) || !bytes_u64(word, &p->until_ms) || !word_after(&rest, "hash ", &word) ||
	    !hex_parse(word, &p->hash) || !word_after(&rest, "before ", &word) || !bytes_u64(word, &had) ||
	    !word_after(&rest, "by ", &word) || !rest.at || rest.len || word.len >= sizeof p->by)
		return false;
	p->had = had != 0;
	memcpy(p->by, word.at, word.len);
	return p->until_ms != 0;
}

bool overrides_pending_read(const char *path, struct overrides_pending *p)
{
	char name[PATH_ROOM], room[PENDING_ROOM];
	size_t len = 0;
	bool ok;
	int fd = pending_name(name, path) ? open(name, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;

	if (fd < 0)
		return false;
	ok = read_whole(fd, room, sizeof room, &len) && overrides_pending_parse((struct bytes){ room, len }, p);
	close(fd);
	return ok;
}

void overrides_pending_drop(const char *path)
{
	char name[PATH_ROOM];

	if (pending_name(name, path) && unlink(name) == 0)
		directory_sync(path);
}
