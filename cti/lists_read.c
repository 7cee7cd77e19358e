/* lists_read.c -- one reading of one list: bytes of a file or an answer go to its reader, its digest, and what is kept.
 *
 * A file is read a slice a turn, so that an answer that comes meanwhile is not held up. */
#include "cti/lists_parts.h"
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SLICE = 64 << 10, FETCH_MS = 300000, REDIRECTS = 5 };

static bool failed(struct list_reading *r)
{
	return r->err.side != 0;
}

static void reading_free(struct list_reading *r)
{
	uint8_t sum[32];

	tls_sha256_end(r->sum, sum);
	list_reader_free(r->reader);
	list_set_free(r->set);
	if (r->in >= 0)
		close(r->in);
	if (r->out >= 0)
		list_keep_end(&r->of->keep, r->out, false);
	free(r);
}

static struct list_reading *reading_new(struct list *l, struct err *err)
{
	struct list_reading *r = calloc(1, sizeof *r);
	const struct list_read_options o = { .format = l->c.format, .column = l->c.column, .max_bytes = l->c.max_bytes };

	if (!r)
		return err_set(err, SIDE_SELF, ENOMEM, "out of memory") ? r : NULL;
	r->of = l;
	r->in = r->out = -1;
	r->set = list_set_new(&l->c);
	r->reader = r->set ? list_reader_new(&o, list_set_take, r->set) : NULL;
	r->sum = tls_sha256_new();
	if (r->set && r->reader && r->sum)
		return r;
	reading_free(r);
	err_set(err, SIDE_SELF, ENOMEM, "out of memory");
	return NULL;
}

void list_reading_drop(struct list_reading *r)
{
	if (!r)
		return;
	r->of->reading = NULL;
	if (r->fetch)
		fetch_cancel(r->fetch);
	r->fetch = NULL;
	r->dropped = true;
	if (!r->posted)
		reading_free(r);
}

/* What is to be kept is lost quietly here; it is missed when the whole is taken. */
static void keep(struct list_reading *r, struct bytes b)
{
	while (r->out >= 0 && b.len) {
		ssize_t n = write(r->out, b.at, b.len);

		if (n > 0) {
			b = bytes_from(b, (size_t)n);
		} else if (n == 0 || errno != EINTR) {
			list_keep_end(&r->of->keep, r->out, false);
			r->out = -1;
		}
	}
}

static bool put(struct list_reading *r, struct bytes b)
{
	const struct list_config *c = &r->of->c;

	r->bytes += b.len;
	if (c->max_bytes && r->bytes > c->max_bytes)
		return err_set(&r->err, SIDE_UPSTREAM, 0, "more than %llu bytes", (unsigned long long)c->max_bytes);
	tls_sha256_put(r->sum, b);
	keep(r, b);
	return list_reader_put(r->reader, b, &r->err);
}

static bool is_pinned(struct list_reading *r)
{
	struct bytes want = r->of->c.sha256;
	char hex[65];
	uint8_t sum[32];

	tls_sha256_end(r->sum, sum);
	r->sum = NULL;
	for (size_t i = 0; i < sizeof sum; i++)
		snprintf(hex + 2 * i, 3, "%02x", sum[i]);
	return !want.len || bytes_eq_nocase(want, bytes_of(hex)) ||
	       err_set(&r->err, SIDE_UPSTREAM, 0, "its sha256 is %s, which is not the one that is configured", hex);
}

static void end(struct list_reading *r)
{
	if (!failed(r) && !r->unchanged && list_reader_end(r->reader, &r->err) && is_pinned(r)) {
		r->set->entries = netset_count(r->set->nets);
		r->set->skipped = list_reader_skipped(r->reader);
	}
}

/* ---- files ---- */

/* True: there is more. */
static bool read_slice(struct list_reading *r)
{
	char room[SLICE];
	ssize_t n = read(r->in, room, sizeof room);

	if (n < 0 && errno == EINTR)
		return true;
	if (n < 0)
		err_set(&r->err, SIDE_CONFIG, errno, "%s", strerror(errno));
	return n > 0 && put(r, (struct bytes){ room, (size_t)n });
}

static bool open_file(struct list_reading *r, bool kept)
{
	const struct list_config *c = &r->of->c;
	struct stat st;

	r->kept = kept;
	/* A pipe that nobody writes would be waited for. */
	r->in = kept ? list_keep_open(&r->of->keep) : open(c->file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (r->in < 0 || fstat(r->in, &st) != 0)
		return err_set(&r->err, SIDE_CONFIG, errno, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(&r->err, SIDE_CONFIG, 0, "it is no file");
	r->mark.mtime = st.st_mtim;
	r->mark.size = (uint64_t)st.st_size;
	r->mark.inode = st.st_ino;
	return true;
}

static void on_turn(void *arg)
{
	struct list_reading *r = arg;

	r->posted = false;
	if (r->dropped) {
		reading_free(r);
		return;
	}
	if (!failed(r) && read_slice(r) && (r->posted = loop_post(r->of->lists->loop, on_turn, r)))
		return;
	end(r);
	list_turn_done(r);
}

struct list_reading *list_reading_file(struct list *l, struct err *err)
{
	struct list_reading *r = reading_new(l, err);

	if (!r)
		return NULL;
	open_file(r, false);
	if ((r->posted = loop_post(l->lists->loop, on_turn, r)))
		return r;
	reading_free(r);
	err_set(err, SIDE_SELF, ENOMEM, "out of memory");
	return NULL;
}

void list_reading_now(struct list *l, bool kept)
{
	struct list_reading *r = reading_new(l, NULL);

	if (!r)
		return;
	if (open_file(r, kept))
		while (read_slice(r))
			;
	end(r);
	l->reading = r;
	list_turn_done(r);
}

/* ---- URLs ---- */

static struct bytes value_of(const struct response *s, struct bytes name)
{
	for (size_t i = 0; i < s->fields.n; i++)
		if (bytes_eq_nocase(s->fields.at[i].name, name))
			return s->fields.at[i].value;
	return (struct bytes){ 0 };
}

static void note_mark(const struct response *s, struct bytes name, char out[LIST_MARK_MAX])
{
	struct bytes v = value_of(s, name);

	if (v.len < LIST_MARK_MAX)
		snprintf(out, LIST_MARK_MAX, "%.*s", BYTES_ARG(v));
}

/* The fetch goes on to its end, which is told by `done`; cancelling it here needs no second way out. */
static void give_up(struct list_reading *r)
{
	struct fetch *f = r->fetch;

	r->fetch = NULL;
	fetch_cancel(f);
	list_turn_done(r);
}

static void on_head(void *owner, const struct response *s)
{
	struct list_reading *r = owner;

	r->unchanged = s->status == 304 && r->of->held && (r->of->mark.etag[0] || r->of->mark.modified[0]);
	if (!r->unchanged && s->status != 200) {
		err_set(&r->err, SIDE_UPSTREAM, (int)s->status, "it is answered with status %u", s->status);
		give_up(r);
		return;
	}
	note_mark(s, BYTES("ETag"), r->mark.etag);
	note_mark(s, BYTES("Last-Modified"), r->mark.modified);
}

static void on_bytes(void *owner, struct bytes b)
{
	struct list_reading *r = owner;

	if (!r->unchanged && !put(r, b))
		give_up(r);
}

static void on_done(void *owner, const struct err *why)
{
	struct list_reading *r = owner;

	r->fetch = NULL;
	if (why)
		r->err = *why;
	end(r);
	list_turn_done(r);
}

/* Only of what is held: an answer "unchanged" must mean it. */
static size_t conditions(const struct list *l, struct field out[2])
{
	size_t n = 0;

	if (l->held && l->mark.etag[0])
		out[n++] = (struct field){ BYTES("If-None-Match"), bytes_of(l->mark.etag), FIELD_OTHER, false };
	if (l->held && l->mark.modified[0])
		out[n++] = (struct field){ BYTES("If-Modified-Since"), bytes_of(l->mark.modified), FIELD_OTHER, false };
	return n;
}

struct list_reading *list_reading_fetch(struct list *l, struct err *err)
{
	static const struct fetch_events events = { on_head, on_bytes, on_done };
	struct list_reading *r = reading_new(l, err);
	struct field fields[2];
	struct fetch_request q = { .url = l->c.url, .fields = fields, .nfields = conditions(l, fields), .packed = true,
				   .deadline_ms = l->c.fetch_ms ? l->c.fetch_ms : FETCH_MS,
				   .body_max = l->c.max_bytes ? l->c.max_bytes : UINT64_MAX, .redirects = REDIRECTS };

	if (!r)
		return NULL;
	if (l->keep.dir)
		r->out = list_keep_begin(&l->keep);
	if ((r->fetch = fetch_start(l->lists->fetcher, l->lists->loop, &q, &events, r)))
		return r;
	reading_free(r);
	err_set(err, SIDE_SELF, ENOMEM, "out of memory");
	return NULL;
}
