/* assets.c -- the dashboard's files: from the program, or from a directory while somebody works on them. */
#include "admin/api/assets.h"
#include "admin/api/api.h"
#include "admin/ui/embedded.h"
#include "base/inflate.h"
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 4 << 20, PATH_ROOM = 4096 };

struct asset {
	struct bytes type, etag, body;
	bool is_packed, is_hashed; /* gzipped; its name changes with its contents */
};

/* ---- the answer ---- */

static const struct field guards[] = {
	{ .name = BYTES_INIT("Content-Security-Policy"),
	  .value = BYTES_INIT("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
			      "frame-ancestors 'none'; base-uri 'none'") },
	{ .name = BYTES_INIT("X-Frame-Options"), .value = BYTES_INIT("DENY") },
	{ .name = BYTES_INIT("X-Content-Type-Options"), .value = BYTES_INIT("nosniff") },
	{ .name = BYTES_INIT("Referrer-Policy"), .value = BYTES_INIT("no-referrer") },
	{ .name = BYTES_INIT("Permissions-Policy"),
	  .value = BYTES_INIT("camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()") },
	{ .name = BYTES_INIT("Cross-Origin-Opener-Policy"), .value = BYTES_INIT("same-origin") },
	{ .name = BYTES_INIT("Cross-Origin-Resource-Policy"), .value = BYTES_INIT("same-origin") },
	{ .name = BYTES_INIT("Vary"), .value = BYTES_INIT("Accept-Encoding") },
};

static void send(struct serve_request *r, unsigned status, const struct asset *a)
{
	struct field fields[nelems(guards) + 3];
	size_t n = nelems(guards);

	memcpy(fields, guards, sizeof guards);
	fields[n++] = (struct field){ .name = BYTES("Cache-Control"),
				      .value = a->is_hashed ? BYTES("public, max-age=31536000, immutable") : BYTES("no-cache") };
	if (a->etag.len)
		fields[n++] = (struct field){ .name = BYTES("ETag"), .value = a->etag };
	if (a->is_packed)
		fields[n++] = (struct field){ .name = BYTES("Content-Encoding"), .value = BYTES("gzip") };
	serve_answer(r, &(struct serve_answer){ .status = status, .content_type = a->type, .fields = fields, .nfields = n,
						.body = a->body });
}

/* ---- from the program ---- */

static struct bytes field_of(const struct serve_request *r, struct bytes name)
{
	const struct field *f = fields_named(&serve_head(r)->fields, name);

	return f ? f->value : (struct bytes){ 0 };
}

/* Every browser says "gzip" without a weight; "gzip;q=0" and what else is odd get the file as it is. */
static bool takes_gzip(const struct serve_request *r)
{
	struct bytes list = field_of(r, BYTES("Accept-Encoding")), part;

	while (bytes_cut(&list, ',', &part))
		if (bytes_eq_nocase(bytes_trim(part), BYTES("gzip")))
			return true;
	return false;
}

static bool unpack(struct arena *arena, const struct ui_file *f, struct bytes *out)
{
	struct bytes in = ui_file_packed(f), piece;
	char *to = arena_get(arena, f->plain + 1);
	struct inflate *i;
	size_t n = 0;

	if (!to || !inflate_new(arena, BYTES("gzip"), &i) || !i)
		return false;
	while (inflate_next(i, &in, &piece) == INFLATE_DATA && piece.len <= f->plain - n) {
		memcpy(to + n, piece.at, piece.len);
		n += piece.len;
	}
	*out = (struct bytes){ to, n };
	return n == f->plain;
}

static bool from_program(struct serve_request *r)
{
	const struct request *q = serve_head(r);
	const struct ui_file *f = ui_file_find(q->path);
	struct asset a;

	if (!f)
		return false;
	a = (struct asset){ .etag = f->etag, .is_hashed = bytes_starts(f->path, BYTES("/assets/")) };
	if (api_names_tag(field_of(r, BYTES("If-None-Match")), bytes_from(a.etag, strlen("W/")))) {
		send(r, 304, &a);
		return true;
	}
	a.type = f->type;
	a.is_packed = takes_gzip(r);
	a.body = ui_file_packed(f);
	if (a.is_packed || unpack(serve_arena(r), f, &a.body))
		send(r, 200, &a);
	else
		serve_refuse(r, 503, "out of memory");
	return true;
}

/* ---- from a directory ---- */

/* Letters, digits and "-_." in segments that do not begin with a dot: no such path leads out of the directory. */
static bool is_plain(struct bytes path)
{
	for (size_t i = 0; i < path.len; i++) {
		char c = path.at[i];
		bool begins = i == 0 || path.at[i - 1] == '/';

		if (begins && i && (c == '/' || c == '.'))
			return false;
		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') && !memchr("-_./", c, 4))
			return false;
	}
	return path.len > 1 && path.at[0] == '/';
}

static struct bytes type_of(struct bytes path)
{
	static const struct { struct bytes end, type; } types[] = {
		{ BYTES_INIT(".html"), BYTES_INIT("text/html; charset=utf-8") },
		{ BYTES_INIT(".js"), BYTES_INIT("text/javascript; charset=utf-8") },
		{ BYTES_INIT(".css"), BYTES_INIT("text/css; charset=utf-8") },
		{ BYTES_INIT(".svg"), BYTES_INIT("image/svg+xml; charset=utf-8") },
	};

	for (size_t i = 0; i < nelems(types); i++)
		if (bytes_ends(path, types[i].end))
			return types[i].type;
	return BYTES("application/octet-stream");
}

static bool read_whole(int fd, struct arena *arena, struct bytes *out)
{
	struct stat st;
	char *at;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX ||
	    !(at = arena_get(arena, (size_t)st.st_size + 1)))
		return false;
	*out = (struct bytes){ at, (size_t)st.st_size };
	return read(fd, at, out->len) == st.st_size;
}

static bool from_directory(const char *dir, struct serve_request *r)
{
	struct bytes path = serve_head(r)->path;
	char name[PATH_ROOM];
	struct asset a = { 0 };
	bool good;
	int n, fd;

	if (bytes_eq(path, BYTES("/")))
		path = BYTES("/index.html");
	if (!is_plain(path))
		return false;
	n = snprintf(name, sizeof name, "%s%.*s", dir, (int)path.len, path.at);
	if (n < 0 || (size_t)n >= sizeof name || (fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)) < 0)
		return false;
	good = read_whole(fd, serve_arena(r), &a.body);
	close(fd);
	a.type = type_of(path);
	if (good)
		send(r, 200, &a);
	return good;
}

bool assets_serve(struct admin *a, struct serve_request *r)
{
	return a->ui_dir ? from_directory(a->ui_dir, r) : from_program(r);
}
