/* tail.c -- files of logs, by looking at them four times a second.
 *
 * Looking, not inotify: it is the same on every file system, an idle file costs two system calls, and what is behind by
 * a quarter of a second is no different for buckets that leak over seconds. A file is read at its own offset with pread,
 * whole lines at a time, so a line that is not complete yet costs no memory. */
#include "proxy/tail.h"
#include "base/hash.h"
#include "base/log.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
	LOOK_MS = 250,
	SCAN_LOOKS = 8,         /* globs are looked at every so many looks */
	QUIET_MS = 30 * 1000,   /* a file that was rotated away is given up after so long without a byte */
	READ_BYTES = 256 << 10, /* more than a line */
	TURN_READS = 16,        /* of one file before others have their turn */
	FILES_MAX = 1000,
};

struct tail_file {
	struct tail_file *next;
	char *path; /* by which it was found */
	struct log_source source;
	int fd;
	uint64_t device, inode, offset;
	uint64_t seen_size, seen_ns; /* size and time of change when last looked at */
	uint64_t print, print_len; /* hash of its first bytes, to notice that it is another file now */
	bool skipping; /* the rest of a line that was cut */
	bool retired;  /* rotated away */
	uint64_t quiet_ms;
};

struct tail {
	struct loop *loop;
	struct tail_setup setup;
	struct places *places;
	struct log_taker taker;
	struct tail_file *files;
	size_t nfiles;
	unsigned looks;
	bool started; /* the first scan is over */
	struct deadline look;
	char *room; /* READ_BYTES */
};

/* ---- one file: its place ---- */

static bool print_of(int fd, uint64_t len, uint64_t *print)
{
	char first[PRINT_MAX];

	if (pread(fd, first, len, 0) != (ssize_t)len)
		return false;
	*print = hash_content(HASH_CONTENT_START, (struct bytes){ first, len });
	return true;
}

/* What has been read of the first bytes is what the file is known by. */
static void print_more(struct tail_file *f)
{
	uint64_t len = f->offset < PRINT_MAX ? f->offset : PRINT_MAX;

	if (len > f->print_len && print_of(f->fd, len, &f->print))
		f->print_len = len;
}

static bool is_still(int fd, uint64_t size, uint64_t offset, uint64_t print, uint64_t print_len)
{
	uint64_t now;

	return size >= offset && print_of(fd, print_len, &now) && (print_len == 0 || now == print);
}

static void place_note(struct tail *t, struct tail_file *f)
{
	places_put(t->places, &(struct place){ f->device, f->inode, f->offset, f->print, f->print_len, f->path, NULL });
}

/* ---- one file: coming and going ---- */

static void file_free(struct tail_file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	free(f->path);
	free(f);
}

/* Takes `fd` over. */
static struct tail_file *file_add(struct tail *t, const char *path, int fd, const struct stat *st)
{
	struct tail_file *f = t->nfiles < FILES_MAX ? calloc(1, sizeof *f) : NULL;

	if (!f || !(f->path = strdup(path))) {
		free(f);
		close(fd);
		log_warn("%s: too many logs are open", path);
		return NULL;
	}
	f->fd = fd;
	f->device = st->st_dev;
	f->inode = st->st_ino;
	f->source = (struct log_source){ t->setup.reader, BYTES("file"), bytes_of(f->path) };
	f->next = t->files;
	t->files = f;
	t->nfiles++;
	return f;
}

/* -1: it is not there, or no plain file. O_NONBLOCK: opening a pipe must not wait. */
static int open_plain(const char *path, struct stat *st)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0 && errno != ENOENT)
		log_warn("%s: %s", path, strerror(errno));
	if (fd >= 0 && (fstat(fd, st) != 0 || !S_ISREG(st->st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

static void file_retire(struct tail *t, struct tail_file *f)
{
	f->retired = true;
	f->quiet_ms = loop_now_ms(t->loop);
}

/* ---- lines ---- */

static void give(struct tail *t, struct tail_file *f, struct bytes line)
{
	if (line.len > LOG_READ_MAX) {
		t->taker.lost(t->taker.ctx, LOG_CUT, 1);
		line.len = LOG_READ_MAX;
	}
	if (line.len)
		t->taker.line(t->taker.ctx, &f->source, line);
}

/* How many bytes of `in` were used up: whole lines, or the beginning of one that is too long. */
static size_t take_lines(struct tail *t, struct tail_file *f, struct bytes in)
{
	const char *at = in.at, *end = in.at + in.len, *newline;

	while (at < end && (newline = memchr(at, '\n', (size_t)(end - at)))) {
		if (!f->skipping)
			give(t, f, (struct bytes){ at, (size_t)(newline - at) });
		f->skipping = false;
		at = newline + 1;
	}
	if (f->skipping || (size_t)(end - at) > LOG_READ_MAX) {
		if (!f->skipping)
			give(t, f, (struct bytes){ at, (size_t)(end - at) });
		f->skipping = true;
		at = end;
	}
	return (size_t)(at - in.at);
}

/* Reads what there is, to a bound; true: there is more. */
static bool file_read(struct tail *t, struct tail_file *f)
{
	for (unsigned i = 0; i < TURN_READS; i++) {
		ssize_t n = pread(f->fd, t->room, READ_BYTES, (off_t)f->offset);
		size_t used = n > 0 ? take_lines(t, f, (struct bytes){ t->room, (size_t)n }) : 0;

		if (used == 0)
			return false;
		f->offset += used;
		f->quiet_ms = loop_now_ms(t->loop);
		print_more(f);
		if (n < READ_BYTES)
			return false;
	}
	return true;
}

/* A last line without a newline, of a file to which nothing is written any more. */
static void file_read_last(struct tail *t, struct tail_file *f)
{
	ssize_t n = pread(f->fd, t->room, READ_BYTES, (off_t)f->offset);

	if (n > 0 && !f->skipping)
		give(t, f, (struct bytes){ t->room, (size_t)n });
}

/* ---- rotation ---- */

static bool is_open_inode(const struct tail *t, uint64_t device, uint64_t inode)
{
	for (const struct tail_file *f = t->files; f; f = f->next)
		if (f->inode == inode && f->device == device)
			return true;
	return false;
}

static bool is_open(const struct tail *t, const struct stat *st)
{
	return is_open_inode(t, st->st_dev, st->st_ino);
}

/* "access.log" -> "access.log.1", "access.log-20240131"; not what is compressed. */
static bool is_beside(const char *name, const char *base)
{
	size_t n = strlen(base);

	return strncmp(name, base, n) == 0 && (name[n] == '.' || name[n] == '-');
}

/* Goes on in the file beside `path` that fits: the one that was it (same inode), or a copy of it. */
static struct tail_file *find_beside(struct tail *t, const struct place *was, bool copy)
{
	const char *slash = strrchr(was->path, '/'), *base = slash ? slash + 1 : was->path;
	char dir[4096], name[sizeof dir + 300];
	struct tail_file *found = NULL;
	struct dirent *e;
	DIR *d;

	snprintf(dir, sizeof dir, "%.*s", slash ? (int)(slash - was->path) : 1, slash ? was->path : ".");
	if (!(d = opendir(*dir ? dir : "/")))
		return NULL;
	while (!found && (e = readdir(d))) {
		struct stat st;
		int fd;

		if (!is_beside(e->d_name, base))
			continue;
		snprintf(name, sizeof name, "%s/%s", dir, e->d_name);
		if ((fd = open_plain(name, &st)) < 0)
			continue;
		if ((copy ? was->print_len > 0 : st.st_ino == was->inode && st.st_dev == was->device) && !is_open(t, &st) &&
		    is_still(fd, (uint64_t)st.st_size, was->offset, was->print, was->print_len))
			found = file_add(t, was->path, fd, &st);
		else
			close(fd);
	}
	closedir(d);
	return found;
}

static bool resume_beside(struct tail *t, const struct place *was, bool copy)
{
	struct tail_file *f = find_beside(t, was, copy);

	if (!f)
		return false;
	f->offset = was->offset;
	f->print = was->print;
	f->print_len = was->print_len;
	file_retire(t, f);
	return true;
}

/* Truncated, or written anew: its copy has what was not read yet, and it starts over. */
static void file_start_over(struct tail *t, struct tail_file *f)
{
	struct place was = { f->device, f->inode, f->offset, f->print, f->print_len, f->path, NULL };

	if (!f->retired)
		resume_beside(t, &was, true);
	f->offset = f->print_len = f->print = 0;
	f->skipping = false;
}

/* True: there is more to read at once. */
static bool file_look(struct tail *t, struct tail_file *f)
{
	struct stat st;
	uint64_t ns;

	if (fstat(f->fd, &st) != 0)
		return false;
	ns = (uint64_t)st.st_mtim.tv_sec * 1000000000 + (uint64_t)st.st_mtim.tv_nsec;
	if ((uint64_t)st.st_size != f->seen_size || ns != f->seen_ns) {
		if (!is_still(f->fd, (uint64_t)st.st_size, f->offset, f->print, f->print_len))
			file_start_over(t, f);
		f->seen_size = (uint64_t)st.st_size;
		f->seen_ns = ns;
	}
	return f->offset < f->seen_size && file_read(t, f);
}

/* Is another file, or none, where this one was? */
static bool is_moved(const struct tail_file *f)
{
	struct stat st;

	return stat(f->path, &st) != 0 ? errno == ENOENT : st.st_ino != f->inode || st.st_dev != f->device;
}

/* ---- finding ---- */

static struct tail_file *by_path(struct tail *t, const char *path)
{
	for (struct tail_file *f = t->files; f; f = f->next)
		if (!f->retired && strcmp(f->path, path) == 0)
			return f;
	return NULL;
}

static const struct place *place_of(const struct tail *t, const struct stat *st)
{
	const struct place *p;

	for (size_t i = 0; (p = places_get(t->places, i)); i++)
		if (!p->cursor && p->inode == st->st_ino && p->device == st->st_dev)
			return p;
	return NULL;
}

/* What was read under this name before the restart and is now beside it. */
static bool resume_others(struct tail *t, const char *path, const struct stat *now)
{
	const struct place *p;
	bool known = false;

	for (size_t i = 0; (p = places_get(t->places, i));) {
		i++;
		if (p->cursor || strcmp(p->path, path) != 0 || (p->inode == now->st_ino && p->device == now->st_dev))
			continue;
		known = true;
		if (!resume_beside(t, p, false) && !is_open_inode(t, p->device, p->inode))
			places_drop(t->places, p->device, p->inode), i--; /* the last one is in its place */
	}
	return known;
}

/* Where to begin with a file that was not open until now. */
static void file_begin(struct tail *t, struct tail_file *f, const struct stat *st)
{
	const struct place *p = place_of(t, st);
	bool known = resume_others(t, f->path, st);

	if (p && is_still(f->fd, (uint64_t)st->st_size, p->offset, p->print, p->print_len)) {
		f->offset = p->offset;
		f->print = p->print;
		f->print_len = p->print_len;
	} else if (p) { /* truncated meanwhile */
		resume_beside(t, p, true);
	} else if (!t->started && !known && !t->setup.from_start) {
		char last = '\n';

		f->offset = (uint64_t)st->st_size;
		print_more(f);
		f->skipping = f->offset && pread(f->fd, &last, 1, (off_t)f->offset - 1) == 1 && last != '\n';
	}
}

static void file_find(struct tail *t, const char *path)
{
	struct stat st;
	struct tail_file *f;
	int fd;

	if (by_path(t, path) || (fd = open_plain(path, &st)) < 0)
		return;
	if (is_open(t, &st)) {
		close(fd); /* a renamed one that the glob finds too */
		return;
	}
	if ((f = file_add(t, path, fd, &st)))
		file_begin(t, f, &st);
}

/* ".gz", ".1", "-20240131": made by rotation. */
static bool is_rotated(const char *path)
{
	static const char *const ends[] = { ".gz", ".xz", ".bz2", ".zst", ".zip", ".old" };
	struct bytes b = bytes_of(path);
	size_t digits = 0;
	char before;

	for (size_t i = 0; i < nelems(ends); i++)
		if (bytes_ends(b, bytes_of(ends[i])))
			return true;
	while (digits < b.len && b.at[b.len - 1 - digits] >= '0' && b.at[b.len - 1 - digits] <= '9')
		digits++;
	before = digits && digits < b.len ? b.at[b.len - 1 - digits] : 0;
	return (before == '.' && digits <= 10) || (before == '-' && digits >= 8);
}

static void scan_one(struct tail *t, const char *pattern)
{
	glob_t g = { 0 };

	if (!strpbrk(pattern, "*?[")) {
		file_find(t, pattern);
		return;
	}
	if (glob(pattern, 0, NULL, &g) == 0)
		for (size_t i = 0; i < g.gl_pathc && i < FILES_MAX; i++)
			if (!is_rotated(g.gl_pathv[i]))
				file_find(t, g.gl_pathv[i]);
	globfree(&g);
}

static void scan(struct tail *t)
{
	for (size_t i = 0; i < t->setup.nglobs; i++)
		scan_one(t, t->setup.globs[i]);
	t->started = true;
}

/* ---- the look ---- */

static void on_look(void *arg);

/* Goes on at once with what was left, but lets the loop have its turn. */
static void look_after(struct tail *t, bool more)
{
	deadline_set(t->loop, &t->look, more ? 1 : LOOK_MS, on_look, t);
}

/* False: the file is gone for good, with a last line that may not be complete. */
static bool file_visit(struct tail *t, struct tail_file *f, bool *more)
{
	bool moved = !f->retired && is_moved(f);

	*more |= file_look(t, f);
	if (moved) {
		file_retire(t, f);
		file_find(t, f->path);
	}
	place_note(t, f);
	return !f->retired || loop_now_ms(t->loop) - f->quiet_ms <= QUIET_MS;
}

static void on_look(void *arg)
{
	struct tail *t = arg;
	bool more = false;

	if (t->looks++ % SCAN_LOOKS == 0)
		scan(t);
	for (struct tail_file **link = &t->files, *f; (f = *link);) {
		if (file_visit(t, f, &more)) {
			link = &f->next;
			continue;
		}
		link = &t->files; /* files may have been added in front: look for it anew */
		while (*link != f)
			link = &(*link)->next;
		*link = f->next;
		file_read_last(t, f);
		places_drop(t->places, f->device, f->inode);
		file_free(f);
		t->nfiles--;
	}
	look_after(t, more);
}

struct tail *tail_open(struct loop *loop, const struct tail_setup *setup, struct places *places, const struct log_taker *taker)
{
	struct tail *t = calloc(1, sizeof *t);

	if (!t || !(t->room = malloc(READ_BYTES))) {
		free(t);
		return NULL;
	}
	t->loop = loop;
	t->setup = *setup;
	t->places = places;
	t->taker = *taker;
	scan(t); /* now: what is written from here on is behind the end of a file */
	t->looks = 1;
	look_after(t, true);
	return t;
}

void tail_close(struct tail *t)
{
	struct tail_file *next;

	if (!t)
		return;
	deadline_clear(&t->look);
	for (struct tail_file *f = t->files; f; f = next) {
		next = f->next;
		place_note(t, f);
		file_free(f);
	}
	free(t->room);
	free(t);
}

size_t tail_files(const struct tail *t)
{
	return t->nfiles;
}
