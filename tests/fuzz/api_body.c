/* api_body.c -- a body that a route of the API takes has every member that its shape needs, each of its type and within its
 * bounds, and none that the shape does not know: what a handler reads is there. "METHOD /path", a line end, the body. */
#include "admin/api/api.h"
#include "tests/fuzz/must.h"
#include <math.h>

static const struct json_limits limits = { API_BODY_MAX, 16 };

/* By its name, else any: what the fuzzer makes of the name is a route too. */
static const struct api_shape *shape_for(struct bytes line)
{
	const struct api_shape *shape = NULL;
	uint8_t n = line.len ? (uint8_t)line.at[line.len - 1] : 0;
	char name[128];

	for (size_t t = 0; t < api_ntables; t++)
		for (size_t i = 0; i < api_tables[t]->n; i++) {
			const struct api_route *r = &api_tables[t]->at[i];

			snprintf(name, sizeof name, "%s %s", r->method, r->path);
			if (r->body && bytes_eq(line, bytes_of(name)))
				return r->body;
			if (r->body && (!shape || n-- > 0))
				shape = r->body;
		}
	return shape;
}

/* ---- the same claim, said another way ---- */

static void must_be(const struct json *, const struct api_shape *);

static void must_be_text(const struct json *v, const struct api_field *f)
{
	struct bytes b = { 0 };
	bool found = !f->words;

	must(json_text(v, "", &b));
	must(b.len <= (f->max ? f->max : 1024) && strlen(b.at) == b.len);
	for (size_t i = 0; f->words && f->words[i]; i++)
		found = found || strcmp(f->words[i], b.at) == 0;
	must(found);
	must(f->type != API_TIME || api_time(b, 1000) != 0);
}

static bool must_be_value(void *shape, const char *key, const struct json *v)
{
	(void)key;
	must_be(v, shape);
	return true;
}

static void must_be_one(const struct json *v, const struct api_field *f)
{
	int64_t n = -1;
	double d = NAN;
	bool on;

	switch (f->type) {
	case API_TEXT:
	case API_TIME: must_be_text(v, f); break;
	case API_INT: must(json_number(v, "", &n) && n >= 0 && (uint64_t)n >= f->min && (!f->max || (uint64_t)n <= f->max)); break;
	case API_DECIMAL: must(json_decimal(v, "", &d) && isfinite(d)); break;
	case API_FLAG: must(json_flag(v, "", &on)); break;
	case API_OBJECT: must_be(v, f->of); break;
	case API_MAP:
		must(json_of_object(v));
		if (f->of)
			json_keys(v, must_be_value, (void *)(uintptr_t)f->of);
		break;
	case API_ANY: break;
	}
}

struct count { const struct api_shape *shape; size_t members, known; };

static bool count_member(void *ctx, const char *key, const struct json *v)
{
	struct count *c = ctx;

	(void)v;
	c->members++;
	for (size_t i = 0; i < c->shape->n; i++)
		c->known += strcmp(c->shape->fields[i].name, key) == 0;
	return true;
}

static void must_be(const struct json *value, const struct api_shape *shape)
{
	struct count c = { .shape = shape };

	must(json_of_object(value));
	json_keys(value, count_member, &c);
	must(c.members == c.known);
	for (size_t i = 0; i < shape->n; i++) {
		const struct api_field *f = &shape->fields[i];
		const struct json *v = json_at(value, f->name);

		if (!v || (json_of_null(v) && f->type != API_ANY)) {
			must(f->optional);
			continue;
		}
		for (size_t k = 0; f->list && k < json_length(v, ""); k++)
			must_be_one(json_item(v, k), f);
		must(!f->list || json_of_list(v));
		if (!f->list)
			must_be_one(v, f);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes in = { (const char *)data, size }, line;
	const struct api_shape *shape;
	struct json *body;
	struct err e = { 0 };

	if (!bytes_cut(&in, '\n', &line) || !(shape = shape_for(line)))
		return 0;
	body = json_read(in, &limits, &e);
	if (!body)
		return 0;
	if (api_check(body, shape, &e))
		must_be(body, shape);
	else
		must(e.side == SIDE_CLIENT && e.code == 422 && e.text[0]);
	json_free(body);
	return 0;
}
