/* list_read_gzip.c -- unpacks a list; several members in a row are one file (RFC 1952 2.2). */
#include "cti/list_read_parts.h"
#include <stdlib.h>
#include <zlib.h>

enum { ROOM = 64 << 10, FREE_BYTES = 1 << 20, WINDOW_GZIP = 15 + 16 };

struct list_gzip {
	z_stream z;
	bool ended;         /* a member has, and no other has begun */
	uint64_t in, out;
	unsigned char room[ROOM];
};

struct list_gzip *list_gzip_new(void)
{
	struct list_gzip *g = calloc(1, sizeof *g);

	if (g && inflateInit2(&g->z, WINDOW_GZIP) == Z_OK)
		return g;
	free(g);
	return NULL;
}

void list_gzip_free(struct list_gzip *g)
{
	if (g)
		inflateEnd(&g->z);
	free(g);
}

static bool is_bomb(const struct list_gzip *g)
{
	return g->out > FREE_BYTES && g->out / LIST_RATIO_MAX > g->in;
}

/* Zeros behind the last member are padding (tar, block devices). */
static bool next_member(struct list_gzip *g)
{
	while (g->z.avail_in && *g->z.next_in == 0) {
		g->z.next_in++;
		g->z.avail_in--;
	}
	if (!g->z.avail_in)
		return false;
	g->ended = inflateReset(&g->z) != Z_OK;
	return !g->ended;
}

bool list_gzip_put(struct list_reader *r, struct bytes b, struct err *err)
{
	struct list_gzip *g = r->gzip;
	int rc;

	g->z.next_in = (unsigned char *)(uintptr_t)b.at;
	g->z.avail_in = (unsigned)b.len; /* pieces are small */
	g->in += b.len;
	do {
		if (g->ended && !next_member(g))
			return true;
		g->z.next_out = g->room;
		g->z.avail_out = ROOM;
		rc = inflate(&g->z, Z_NO_FLUSH);
		if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
			return err_set(err, SIDE_UPSTREAM, 0, "line %lu: broken gzip: %s", r->line, g->z.msg ? g->z.msg : "no reason told");
		g->ended = rc == Z_STREAM_END;
		g->out += ROOM - g->z.avail_out;
		if (is_bomb(g))
			return err_set(err, SIDE_UPSTREAM, 0, "it unpacks to more than %d times its size", LIST_RATIO_MAX);
		if (!list_reader_text(r, (struct bytes){ (char *)g->room, ROOM - g->z.avail_out }, err))
			return false;
	} while (g->z.avail_in || !g->z.avail_out);
	return true;
}

bool list_gzip_end(struct list_reader *r, struct err *err)
{
	return r->gzip->ended || err_set(err, SIDE_UPSTREAM, 0, "line %lu: the gzip file is cut short", r->line);
}
