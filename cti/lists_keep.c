/* lists_keep.c -- a URL's list in the state directory: NAME as it came, and NAME~mark with what is known of it.
 *
 * Both are written beside and renamed, the content first: after a crash between the two, marks are of the content before,
 * and the worst that follows is one more download. */
#include "cti/lists_parts.h"
#include "base/log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MARK_BYTES = 8 << 10 };

/* A name is a file's: what might mean something there is written %XX, '~' too, so that no list is named like a mark. */
static bool path_of(const struct list_keep *k, const char *tail, char out[LIST_PATH_MAX])
{
	static const char hex[] = "0123456789ABCDEF";
	struct text t = text_over(out, LIST_PATH_MAX - 1);

	text_str(&t, k->dir);
	text_byte(&t, '/');
	for (size_t i = 0; i < k->name.len; i++) {
		unsigned char c = (unsigned char)k->name.at[i], low = (unsigned char)byte_lower((char)c);

		if ((low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || (c == '.' && i))
			text_byte(&t, (char)c);
		else
			text_put(&t, (struct bytes){ (char[]){ '%', hex[c >> 4], hex[c & 15] }, 3 });
	}
	text_str(&t, tail);
	out[t.len] = '\0';
	return !t.full;
}

static bool fresh_path(const struct list_keep *k, const char *what, char out[LIST_PATH_MAX])
{
	char tail[48];

	snprintf(tail, sizeof tail, "~new-%ld%s", (long)getpid(), what);
	return path_of(k, tail, out);
}

/* Two processes may be here during an upgrade: only what a dead one left is removed. */
static void remove_left(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		const char *tail = strstr(e->d_name, "~new-");
		long pid = tail ? strtol(tail + 5, NULL, 10) : 0;

		if (pid > 0 && (pid == (long)getpid() || (kill((pid_t)pid, 0) != 0 && errno == ESRCH)))
			unlinkat(dirfd(d), e->d_name, 0);
	}
	if (d)
		closedir(d);
}

bool list_keep_ready(const char *dir, struct err *err)
{
	if (mkdir(dir, 0700) != 0 && errno != EEXIST)
		return err_set(err, SIDE_SELF, errno, "%s: %s", dir, strerror(errno));
	remove_left(dir);
	return true;
}

int list_keep_open(const struct list_keep *k)
{
	char path[LIST_PATH_MAX];

	return k->dir && path_of(k, "", path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

int list_keep_begin(const struct list_keep *k)
{
	char path[LIST_PATH_MAX];

	return fresh_path(k, "", path) ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
}

bool list_keep_end(const struct list_keep *k, int fd, bool good)
{
	char fresh[LIST_PATH_MAX], path[LIST_PATH_MAX];
	bool named = fresh_path(k, "", fresh) && path_of(k, "", path);

	good = good && named && fdatasync(fd) == 0;
	close(fd);
	if (good && rename(fresh, path) == 0)
		return true;
	if (named)
		unlink(fresh);
	return false;
}

/* ---- marks ---- */

static void line(struct text *t, const char *key, struct bytes value)
{
	text_str(t, key);
	text_byte(t, ' ');
	text_put(t, value);
	text_byte(t, '\n');
}

static void number(struct text *t, const char *key, uint64_t value)
{
	char room[24];
	struct text n = text_over(room, sizeof room);

	text_u64(&n, value);
	line(t, key, text_bytes(&n));
}

bool list_keep_save(const struct list_keep *k, const struct list_mark *m)
{
	char room[MARK_BYTES], path[LIST_PATH_MAX], fresh[LIST_PATH_MAX];
	struct text t = text_over(room, sizeof room);
	bool ok;
	int fd;

	if (!k->dir || !path_of(k, "~mark", path) || !fresh_path(k, "-mark", fresh))
		return false;
	line(&t, "url", k->url);
	line(&t, "etag", bytes_of(m->etag));
	line(&t, "modified", bytes_of(m->modified));
	number(&t, "read_ms", m->read_ms);
	number(&t, "confirmed_ms", m->confirmed_ms);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	ok = !t.full && write(fd, t.at, t.len) == (ssize_t)t.len;
	close(fd);
	if (ok && rename(fresh, path) == 0)
		return true;
	unlink(fresh);
	return false;
}

static void take_text(struct bytes value, char out[LIST_MARK_MAX])
{
	if (value.len < LIST_MARK_MAX)
		snprintf(out, LIST_MARK_MAX, "%.*s", BYTES_ARG(value));
}

bool list_keep_mark(const struct list_keep *k, struct list_mark *m)
{
	char room[MARK_BYTES], path[LIST_PATH_MAX];
	struct bytes rest = { room, 0 }, part;
	bool ours = false;
	ssize_t n;
	int fd = k->dir && path_of(k, "~mark", path) ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return false;
	n = read(fd, room, sizeof room);
	close(fd);
	rest.len = n > 0 ? (size_t)n : 0;
	*m = (struct list_mark){ 0 };
	while (bytes_cut(&rest, '\n', &part)) {
		size_t space = bytes_index(part, ' ');
		struct bytes key = bytes_sub(part, 0, space), value = space == SIZE_MAX ? (struct bytes){ 0 } : bytes_from(part, space + 1);

		if (bytes_eq(key, BYTES("url")))
			ours = bytes_eq(value, k->url);
		else if (bytes_eq(key, BYTES("etag")))
			take_text(value, m->etag);
		else if (bytes_eq(key, BYTES("modified")))
			take_text(value, m->modified);
		else if (bytes_eq(key, BYTES("read_ms")))
			bytes_u64(value, &m->read_ms);
		else if (bytes_eq(key, BYTES("confirmed_ms")))
			bytes_u64(value, &m->confirmed_ms);
	}
	return ours;
}
