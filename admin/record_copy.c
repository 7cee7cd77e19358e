/* record_copy.c -- a copy that stands alone: the slices of a record are in tables, so that none is forgotten. */
#include "admin/record.h"
#include <stdlib.h>

#define AT(field) offsetof(struct record, field)
static const size_t slices[] = {
	AT(id), AT(app), AT(client_from), AT(tls_version), AT(ja4), AT(upstream), AT(reason),
	AT(method), AT(host), AT(path), AT(query), AT(referer), AT(user_agent),
	AT(held.value), AT(held.reason), AT(held.origin),
	AT(country), AT(as), AT(as_name), AT(bot), AT(body),
};
#undef AT

#define AT(field) offsetof(struct record_hit, field)
static const size_t hit_slices[] = { AT(rule), AT(message), AT(category), AT(variable), AT(snippet), AT(data) };
#undef AT

#define AT(field) offsetof(struct record_overflow, field)
static const size_t overflow_slices[] = { AT(scenario), AT(scope), AT(value) };
#undef AT

#define AT(field) offsetof(struct record_seen, field)
static const size_t seen_slices[] = { AT(verb), AT(target), AT(status) };
#undef AT

#define AT(field) offsetof(struct record_field, field)
static const size_t field_slices[] = { AT(name), AT(value) };
#undef AT

static struct bytes *slice_in(void *base, size_t offset)
{
	return (struct bytes *)(void *)((char *)base + offset);
}

/* Calls fn on every slice of the record. */
static void each_slice(struct record *r, void (*fn)(void *ctx, struct bytes *), void *ctx)
{
	for (size_t i = 0; i < nelems(slices); i++)
		fn(ctx, slice_in(r, slices[i]));
	for (size_t h = 0; h < r->nhits; h++)
		for (size_t i = 0; i < nelems(hit_slices); i++)
			fn(ctx, slice_in(&r->hits[h], hit_slices[i]));
	for (size_t o = 0; o < r->noverflows; o++)
		for (size_t i = 0; i < nelems(overflow_slices); i++)
			fn(ctx, slice_in(&r->overflows[o], overflow_slices[i]));
	for (size_t s = 0; s < r->nseen; s++)
		for (size_t i = 0; i < nelems(seen_slices); i++)
			fn(ctx, slice_in(&r->seen[s], seen_slices[i]));
	for (size_t f = 0; f < r->nfields; f++)
		for (size_t i = 0; i < nelems(field_slices); i++)
			fn(ctx, slice_in(&r->fields[f], field_slices[i]));
}

static void add_length(void *total, struct bytes *b)
{
	*(size_t *)total += b->len;
}

static void move_in(void *text, struct bytes *b)
{
	struct text *t = text;
	char *at = t->at + t->len;

	text_put(t, *b);
	b->at = at;
}

struct record *record_copy(const struct record *r, size_t *bytes)
{
	const size_t head = offsetof(struct record, hits) + r->nhits * sizeof *r->hits;
	const size_t seen = r->nseen * sizeof *r->seen, fields = r->nfields * sizeof *r->fields;
	size_t total = 0;
	struct record *copy;
	struct text t;

	each_slice((struct record *)(uintptr_t)r, add_length, &total);
	copy = malloc(head + seen + fields + total);
	if (!copy)
		return NULL;
	memcpy(copy, r, head);
	copy->seen = (struct record_seen *)(void *)((char *)copy + head);
	memcpy(copy->seen, r->seen, seen);
	copy->fields = (struct record_field *)(void *)((char *)copy + head + seen);
	memcpy(copy->fields, r->fields, fields);
	t = text_over((char *)copy + head + seen + fields, total);
	each_slice(copy, move_in, &t);
	copy->scratch_used = total;
	*bytes = head + seen + fields + total;
	return copy;
}
