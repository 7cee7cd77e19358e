/* list_read.c -- pieces of a list, packed or not, to whoever can read it. */
#include "cti/list_read_parts.h"
#include <stdlib.h>

static const struct {
	const char *name;
	enum list_field field;
} names[] = {
	{ "value", LIST_VALUE },       { "ip", LIST_VALUE },        { "range", LIST_VALUE },
	{ "cidr", LIST_VALUE },        { "address", LIST_VALUE },   { "network", LIST_VALUE },
	{ "scope", LIST_SCOPE },       { "type", LIST_TYPE },       { "remedy", LIST_TYPE },
	{ "action", LIST_TYPE },       { "duration", LIST_DURATION }, { "reason", LIST_REASON },
	{ "scenario", LIST_REASON },   { "origin", LIST_ORIGIN },   { "source", LIST_ORIGIN },
};

enum list_field list_field_named(struct bytes name)
{
	for (size_t i = 0; i < nelems(names); i++)
		if (bytes_eq_nocase(name, bytes_of(names[i].name)))
			return names[i].field;
	return LIST_FIELDS;
}

struct list_reader *list_reader_new(const struct list_read_options *o, list_take *take, void *ctx)
{
	struct list_reader *r = calloc(1, sizeof *r);

	if (r)
		*r = (struct list_reader){ .o = *o, .take = take, .ctx = ctx, .line = 1, .form = o->format };
	return r;
}

void list_reader_free(struct list_reader *r)
{
	if (!r)
		return;
	free(r->lines);
	list_json_free(r->json);
	list_gzip_free(r->gzip);
	free(r);
}

size_t list_reader_skipped(const struct list_reader *r)
{
	return r->skipped;
}

static bool is_address_scope(struct bytes scope)
{
	return !scope.len || bytes_eq_nocase(scope, BYTES("ip")) || bytes_eq_nocase(scope, BYTES("range"));
}

void list_reader_skip(struct list_reader *r)
{
	r->skipped++;
	if (r->o.skipped)
		r->o.skipped(r->ctx, r->line);
}

bool list_reader_take(struct list_reader *r, const struct bytes fields[LIST_FIELDS], struct err *err)
{
	struct list_record k = { .value = fields[LIST_VALUE], .scope = fields[LIST_SCOPE], .type = fields[LIST_TYPE],
				 .duration = fields[LIST_DURATION], .reason = fields[LIST_REASON], .origin = fields[LIST_ORIGIN],
				 .line = r->line };

	if (is_address_scope(k.scope) || !r->o.decisions)
		k.is_block = list_block_parse(k.value, &k.block);
	if (!k.is_block && (!r->o.decisions || !k.value.len || is_address_scope(k.scope))) {
		list_reader_skip(r);
		return true;
	}
	return r->take(r->ctx, &k, err) || err_at(err, "line %lu", r->line);
}

/* ---- text ---- */

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Which of the two it is, by its first byte that is no blank. */
static bool choose(struct list_reader *r, struct bytes b, struct err *err)
{
	size_t i = 0;

	while (i < b.len && is_blank(b.at[i]))
		i++;
	if (r->form == LIST_AUTO && i < b.len)
		r->form = b.at[i] == '{' || b.at[i] == '[' ? LIST_JSON : LIST_PLAIN;
	if (r->form == LIST_JSON && !r->json && !(r->json = list_json_new()))
		return err_set(err, SIDE_SELF, 0, "out of memory");
	if (r->form != LIST_AUTO && r->form != LIST_JSON && !r->lines) {
		if (!(r->lines = calloc(1, sizeof *r->lines)))
			return err_set(err, SIDE_SELF, 0, "out of memory");
		r->lines->format = r->o.format;
	}
	return true;
}

static void count_lines(struct list_reader *r, struct bytes b)
{
	for (size_t i = 0; i < b.len; i++)
		r->line += b.at[i] == '\n';
}

bool list_reader_text(struct list_reader *r, struct bytes b, struct err *err)
{
	static const char bom[] = "\xef\xbb\xbf";

	if (!r->bytes && b.len >= 3 && memcmp(b.at, bom, 3) == 0)
		b = bytes_from(b, 3);
	r->bytes += b.len;
	if (r->o.max_bytes && r->bytes > r->o.max_bytes)
		return err_set(err, SIDE_UPSTREAM, 0, "more than %llu bytes", (unsigned long long)r->o.max_bytes);
	if (!choose(r, b, err))
		return false;
	if (r->json)
		return list_json_put(r, b, err);
	if (r->lines)
		return list_lines_put(r, b, err);
	count_lines(r, b);
	return true;
}

/* ---- pieces ---- */

/* The first bytes say whether it is packed. */
static bool open_head(struct list_reader *r, struct err *err)
{
	r->begun = true;
	if (r->nhead >= 2 && (uint8_t)r->head[0] == 0x1f && (uint8_t)r->head[1] == 0x8b && !(r->gzip = list_gzip_new()))
		return err_set(err, SIDE_SELF, 0, "out of memory");
	return list_reader_put(r, (struct bytes){ r->head, r->nhead }, err);
}

bool list_reader_put(struct list_reader *r, struct bytes b, struct err *err)
{
	while (!r->begun && b.len) {
		r->head[r->nhead++] = *b.at;
		b = bytes_from(b, 1);
		if (r->nhead == sizeof r->head && !open_head(r, err))
			return false;
	}
	if (!r->begun || !b.len)
		return true;
	return r->gzip ? list_gzip_put(r, b, err) : list_reader_text(r, b, err);
}

bool list_reader_end(struct list_reader *r, struct err *err)
{
	if (!r->begun && !open_head(r, err))
		return false;
	if (r->gzip && !list_gzip_end(r, err))
		return false;
	if (r->json)
		return list_json_end(r, err);
	return !r->lines || list_lines_end(r, err);
}
