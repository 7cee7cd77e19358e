/* inflate.c -- zlib, one piece at a time.
 *
 * A bomb is told by its ratio: text packs to a tenth, markup to a hundredth at
 * best; zlib's own limit is about 1030. The first KiB are free of the rule, as
 * short bodies repeat themselves. */
#include "base/inflate.h"
#include <zlib.h>

enum {
	PIECE = 16 << 10,     /* bytes given out at a time */
	RATIO_MAX = 200,
	RATIO_FREE = 64 << 10, /* bytes out that need no ratio */
	AUTO = 15 + 32,       /* zlib's windowBits: either header is recognised */
	RAW = -15,
};

struct inflate {
	z_stream z;
	bool gzip, started, ended, raw;
	const char *complaint;
	unsigned char out[PIECE];
};

static void end(void *arg)
{
	inflateEnd(arg);
}

bool inflate_new(struct arena *a, struct bytes encoding, struct inflate **out)
{
	bool gzip = bytes_eq_nocase(encoding, BYTES("gzip")) || bytes_eq_nocase(encoding, BYTES("x-gzip"));
	struct inflate *i;

	*out = NULL;
	if (!gzip && !bytes_eq_nocase(encoding, BYTES("deflate")))
		return false;
	i = arena_get(a, sizeof *i);
	if (!i || inflateInit2(&i->z, AUTO) != Z_OK)
		return true;
	i->gzip = gzip;
	if (arena_defer(a, end, &i->z))
		*out = i;
	else
		inflateEnd(&i->z);
	return true;
}

static enum inflate_step bad(struct inflate *i, const char *why)
{
	i->complaint = why;
	return INFLATE_BAD;
}

/* "deflate" without zlib's header, as some clients send it: the first two bytes
 * are no multiple of 31 then, or their method is not 8 (RFC 1950 2.2). */
static void start(struct inflate *i, struct bytes in)
{
	unsigned first = in.len ? (unsigned char)in.at[0] : 0, second = in.len > 1 ? (unsigned char)in.at[1] : 0;

	i->started = true;
	i->raw = !i->gzip && in.len > 1 && ((first & 15) != 8 || (first << 8 | second) % 31 != 0);
	if (i->raw)
		inflateReset2(&i->z, RAW);
}

/* Behind a member: another one, or nothing. */
static bool next_member(struct inflate *i)
{
	if (!i->gzip)
		return false;
	i->ended = false;
	return inflateReset(&i->z) == Z_OK;
}

static enum inflate_step step(struct inflate *i, struct bytes *in, struct bytes *out)
{
	int rc = Z_STREAM_END;

	if (i->ended && in->len && !next_member(i))
		return bad(i, "content-encoding: something follows the compressed body");
	i->z.next_in = (unsigned char *)(uintptr_t)in->at;
	i->z.avail_in = in->len > UINT32_MAX ? UINT32_MAX : (unsigned)in->len;
	i->z.next_out = i->out;
	i->z.avail_out = PIECE;
	if (!i->ended)
		rc = inflate(&i->z, Z_NO_FLUSH);
	*in = bytes_from(*in, (size_t)((const char *)i->z.next_in - in->at));
	*out = (struct bytes){ (const char *)i->out, PIECE - i->z.avail_out };
	if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
		return bad(i, "content-encoding: the compressed body is broken");
	i->ended = rc == Z_STREAM_END;
	if (i->z.total_out > RATIO_FREE && i->z.total_out / RATIO_MAX > i->z.total_in)
		return bad(i, "content-encoding: the body unpacks to more than 200 times its size");
	return out->len ? INFLATE_DATA : INFLATE_MORE;
}

/* A member that ends gives nothing more, but another one may follow it. */
enum inflate_step inflate_next(struct inflate *i, struct bytes *in, struct bytes *out)
{
	enum inflate_step s;

	if (!i->started)
		start(i, *in);
	do {
		s = step(i, in, out);
	} while (s == INFLATE_MORE && in->len);
	return s;
}

bool inflate_ended(const struct inflate *i)
{
	return i->ended;
}

const char *inflate_complaint(const struct inflate *i)
{
	return i->complaint;
}
