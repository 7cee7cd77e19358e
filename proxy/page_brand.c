/* page_brand.c -- an app's template: read, checked and cut up once. */
#include "proxy/page_parts.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { TEMPLATE_MAX = 64 << 10 };

static const struct {
	const char *name;
	enum page_slot slot;
} slots[] = {
	{ "id", SLOT_ID }, { "status", SLOT_STATUS }, { "title", SLOT_TITLE }, { "message", SLOT_MESSAGE },
	{ "site", SLOT_SITE }, { "contact", SLOT_CONTACT }, { "logo", SLOT_LOGO },
};

static enum page_slot slot_named(struct bytes name)
{
	for (size_t i = 0; i < nelems(slots); i++)
		if (bytes_eq(name, bytes_of(slots[i].name)))
			return slots[i].slot;
	return SLOT_NONE;
}

static bool read_file(struct page_brand *b, struct err *e)
{
	FILE *f = fopen(b->config->file, "re");
	int failed;

	if (!f)
		return err_set(e, SIDE_CONFIG, errno, "%s: %s", b->config->file, strerror(errno));
	b->file = malloc(TEMPLATE_MAX + 1);
	if (b->file)
		b->size = fread(b->file, 1, TEMPLATE_MAX + 1, f);
	failed = ferror(f) ? EIO : !b->file ? ENOMEM : 0;
	fclose(f);
	if (failed)
		return err_set(e, SIDE_CONFIG, failed, "%s: %s", b->config->file, strerror(failed));
	if (b->size > TEMPLATE_MAX)
		return err_set(e, SIDE_CONFIG, 0, "%s: larger than %d KiB", b->config->file, TEMPLATE_MAX >> 10);
	if (b->size == 0)
		return err_set(e, SIDE_CONFIG, 0, "%s: empty", b->config->file);
	return true;
}

static unsigned line_of(const struct page_brand *b, size_t offset)
{
	unsigned line = 1;

	for (size_t i = 0; i < offset; i++)
		line += b->file[i] == '\n';
	return line;
}

static bool refuse(const struct page_brand *b, size_t offset, struct bytes name, struct err *e)
{
	return err_set(e, SIDE_CONFIG, 0,
		       "%s:%u: unknown placeholder '{{%.*s}}'; there are id, status, title, message, site, contact and logo",
		       b->config->file, line_of(b, offset), (int)(name.len < 40 ? name.len : 40), name.at);
}

/* One part more than there are placeholders, for what follows the last. */
static bool parts_room(struct page_brand *b)
{
	struct bytes rest = { b->file, b->size };
	size_t n = 1, open;

	for (; (open = bytes_find(rest, BYTES("{{"))) != SIZE_MAX; n++)
		rest = bytes_from(rest, open + 2);
	b->parts = calloc(n, sizeof *b->parts);
	return b->parts;
}

static bool cut_up(struct page_brand *b, struct err *e)
{
	struct bytes all = { b->file, b->size }, rest = all;
	size_t open;

	if (!parts_room(b))
		return err_set(e, SIDE_SELF, ENOMEM, "%s: out of memory", b->config->file);
	while ((open = bytes_find(rest, BYTES("{{"))) != SIZE_MAX) {
		struct bytes after = bytes_from(rest, open + 2);
		size_t close = bytes_find(after, BYTES("}}"));
		struct bytes name = bytes_trim(bytes_sub(after, 0, close));
		enum page_slot slot = slot_named(name);

		if (close == SIZE_MAX || slot == SLOT_NONE)
			return refuse(b, all.len - after.len, name, e);
		b->parts[b->nparts++] = (struct page_part){ bytes_sub(rest, 0, open), slot };
		rest = bytes_from(after, close + 2);
	}
	b->parts[b->nparts++] = (struct page_part){ rest, SLOT_NONE };
	return true;
}

/* Nothing that could run as a script may stand in src=. */
static bool check_logo(const struct page_config *c, struct err *e)
{
	static const char *const starts[] = { "https://", "http://", "/", "data:image/" };

	if (c->logo_url.len == 0)
		return true;
	for (size_t i = 0; i < nelems(starts); i++)
		if (bytes_starts_nocase(c->logo_url, bytes_of(starts[i])))
			return true;
	return err_set(e, SIDE_CONFIG, 0, "logo_url: begins with https://, http://, / or data:image/");
}

struct page_brand *page_brand_new(const struct page_config *c, struct err *e)
{
	struct page_brand *b = calloc(1, sizeof *b);

	if (!b) {
		err_set(e, SIDE_SELF, ENOMEM, "page: out of memory");
		return NULL;
	}
	b->config = c;
	if (check_logo(c, e) && (!c->file || (read_file(b, e) && cut_up(b, e))))
		return b;
	page_brand_free(b);
	return NULL;
}

void page_brand_free(struct page_brand *b)
{
	if (!b)
		return;
	free(b->parts);
	free(b->file);
	free(b);
}
