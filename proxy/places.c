/* places.c -- places of logs in a file: "file DEVICE INODE OFFSET PRINT PRINT_LEN PATH", "journal CURSOR UNITS". */
#include "proxy/places.h"
#include "base/log.h"
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { FILE_MAX = 4 << 20, NAME = 4096 };

struct places {
	struct place *at;
	size_t n, cap;
	bool changed;
	char file[NAME];
};

static void place_free(struct place *p)
{
	free(p->path);
	free(p->cursor);
}

const struct place *places_get(const struct places *ps, size_t i)
{
	return i < ps->n ? &ps->at[i] : NULL;
}

/* ---- changing ---- */

static bool is_same(const struct place *a, const struct place *b)
{
	if (a->cursor || b->cursor)
		return a->cursor && b->cursor && strcmp(a->path, b->path) == 0;
	return a->device == b->device && a->inode == b->inode;
}

static struct place *slot_for(struct places *ps, const struct place *p)
{
	struct place *grown;

	for (size_t i = 0; i < ps->n; i++)
		if (is_same(&ps->at[i], p))
			return &ps->at[i];
	if (ps->n == ps->cap) {
		if (ps->n >= PLACES_MAX || !(grown = realloc(ps->at, (ps->cap * 2 + 16) * sizeof *grown)))
			return NULL;
		ps->at = grown;
		ps->cap = ps->cap * 2 + 16;
	}
	ps->at[ps->n] = (struct place){ 0 };
	return &ps->at[ps->n++];
}

static bool is_unchanged(const struct place *a, const struct place *b)
{
	return a->path && is_same(a, b) && a->offset == b->offset && a->print == b->print && a->print_len == b->print_len &&
	       strcmp(a->path, b->path) == 0 && (!a->cursor || strcmp(a->cursor, b->cursor) == 0);
}

bool places_put(struct places *ps, const struct place *p)
{
	struct place *slot = slot_for(ps, p), copy = *p;

	if (!slot)
		return false;
	if (is_unchanged(slot, p))
		return true;
	copy.path = strdup(p->path);
	copy.cursor = p->cursor ? strdup(p->cursor) : NULL;
	ps->changed = true;
	if (!copy.path || (p->cursor && !copy.cursor)) {
		place_free(&copy);
		if (!slot->path)
			ps->n--;
		return false;
	}
	place_free(slot);
	*slot = copy;
	return true;
}

void places_drop(struct places *ps, uint64_t device, uint64_t inode)
{
	for (size_t i = 0; i < ps->n; i++) {
		if (ps->at[i].cursor || ps->at[i].device != device || ps->at[i].inode != inode)
			continue;
		place_free(&ps->at[i]);
		ps->at[i] = ps->at[--ps->n];
		ps->changed = true;
		return;
	}
}

/* ---- reading ---- */

/* A path is the rest of the line: it may hold blanks; one with a newline is not written. */
static bool read_file_line(struct bytes rest, struct place *p)
{
	uint64_t *numbers[] = { &p->device, &p->inode, &p->offset, &p->print, &p->print_len };
	struct bytes part;

	for (size_t i = 0; i < nelems(numbers); i++)
		if (!bytes_cut(&rest, ' ', &part) || !bytes_u64(part, numbers[i]))
			return false;
	p->path = p->print_len <= PRINT_MAX && rest.len ? strndup(rest.at, rest.len) : NULL;
	return p->path != NULL;
}

static bool read_journal_line(struct bytes rest, struct place *p)
{
	struct bytes cursor;

	if (!bytes_cut(&rest, ' ', &cursor) || !cursor.len)
		return false;
	p->cursor = strndup(cursor.at, cursor.len);
	p->path = strndup(rest.len ? rest.at : "", rest.len);
	return p->cursor && p->path;
}

static void read_line(struct places *ps, struct bytes line)
{
	struct place p = { 0 };
	struct bytes kind, rest = line;
	bool ok = bytes_cut(&rest, ' ', &kind);

	ok = ok && (bytes_eq(kind, BYTES("file")) ? read_file_line(rest, &p)
						   : bytes_eq(kind, BYTES("journal")) && read_journal_line(rest, &p));
	if (!ok || !places_put(ps, &p))
		log_warn("%s: a line that is none is left out", ps->file);
	place_free(&p);
}

static void read_all(struct places *ps)
{
	int fd = open(ps->file, O_RDONLY | O_CLOEXEC);
	char *room = fd < 0 ? NULL : malloc(FILE_MAX);
	ssize_t n = room ? read(fd, room, FILE_MAX) : 0;
	struct bytes rest = { room, n > 0 ? (size_t)n : 0 }, line;

	while (rest.len && bytes_cut(&rest, '\n', &line))
		if (line.len)
			read_line(ps, line);
	free(room);
	if (fd >= 0)
		close(fd);
	ps->changed = false;
}

struct places *places_open(const char *state_dir)
{
	struct places *ps = calloc(1, sizeof *ps);

	if (!ps)
		return NULL;
	snprintf(ps->file, sizeof ps->file, "%s/logs.places", state_dir);
	read_all(ps);
	return ps;
}

/* ---- writing ---- */

static void print_place(FILE *out, const struct place *p)
{
	if (strchr(p->path, '\n'))
		return;
	if (p->cursor)
		fprintf(out, "journal %s %s\n", p->cursor, p->path);
	else
		fprintf(out, "file %llu %llu %llu %llu %llu %s\n", (unsigned long long)p->device, (unsigned long long)p->inode,
			(unsigned long long)p->offset, (unsigned long long)p->print, (unsigned long long)p->print_len, p->path);
}

bool places_save(struct places *ps, struct err *err)
{
	char beside[NAME + 8];
	FILE *out;
	bool ok;

	if (!ps->changed)
		return true;
	snprintf(beside, sizeof beside, "%s.new", ps->file);
	if (!(out = fopen(beside, "we")))
		return err_set(err, SIDE_SELF, errno, "%s: %s", beside, strerror(errno));
	for (size_t i = 0; i < ps->n; i++)
		print_place(out, &ps->at[i]);
	ok = !ferror(out);
	ok = fclose(out) == 0 && ok;
	if (!ok || rename(beside, ps->file) != 0)
		return err_set(err, SIDE_SELF, errno, "%s: %s", ps->file, strerror(errno));
	ps->changed = false;
	return true;
}

void places_close(struct places *ps)
{
	struct err err = { 0 };

	if (!ps)
		return;
	if (!places_save(ps, &err))
		log_error("places of logs are not kept: %s", err.text);
	for (size_t i = 0; i < ps->n; i++)
		place_free(&ps->at[i]);
	free(ps->at);
	free(ps);
}
