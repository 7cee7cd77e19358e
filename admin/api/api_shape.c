/* api_shape.c -- is a value as its shape says? */
#include "admin/api/api.h"
#include "base/json_edit.h"

enum { TEXT_DEFAULT_MAX = 1024, LIST_MAX = 10000 };

struct check {
	const struct api_shape *shape;
	struct err *err;
};

static bool is_word(const struct api_field *f, struct bytes b)
{
	for (const char *const *w = f->words; *w; w++)
		if (bytes_eq(b, bytes_of(*w)))
			return true;
	return false;
}

static bool text_is(const struct json *v, const struct api_field *f, struct err *e)
{
	size_t max = f->max ? f->max : TEXT_DEFAULT_MAX;
	struct bytes b;

	if (!json_text(v, "", &b))
		return err_set(e, SIDE_CLIENT, 422, "%s: a text is wanted", f->name);
	if (b.len > max)
		return err_set(e, SIDE_CLIENT, 422, "%s: longer than %zu bytes", f->name, max);
	if (f->words && !is_word(f, b))
		return err_set(e, SIDE_CLIENT, 422, "%s: '%.*s' is none of its words", f->name, (int)(b.len < 64 ? b.len : 64), b.at);
	if (f->type == API_TIME && !api_time(b, 1))
		return err_set(e, SIDE_CLIENT, 422, "%s: a time is wanted, as 2026-11-24T20:00:00Z", f->name);
	return true;
}

static bool one_is(const struct json *v, const struct api_field *f, struct err *e);

struct map { const struct api_field *field; struct err *err; };

static bool map_value(void *ctx, const char *key, const struct json *v)
{
	const struct map *m = ctx;

	return api_check(v, m->field->of, m->err) || err_at(m->err, "%s", key);
}

static bool one_is(const struct json *v, const struct api_field *f, struct err *e)
{
	struct map m = { f, e };
	int64_t n;
	double d;
	bool on;

	switch (f->type) {
	case API_TEXT:
	case API_TIME:
		return text_is(v, f, e);
	case API_INT:
		if (!json_number(v, "", &n) || n < 0)
			return err_set(e, SIDE_CLIENT, 422, "%s: a whole number is wanted", f->name);
		if ((uint64_t)n < f->min)
			return err_set(e, SIDE_CLIENT, 422, "%s: less than %llu", f->name, (unsigned long long)f->min);
		return !f->max || (uint64_t)n <= f->max ||
		       err_set(e, SIDE_CLIENT, 422, "%s: more than %llu", f->name, (unsigned long long)f->max);
	case API_DECIMAL:
		return json_decimal(v, "", &d) || err_set(e, SIDE_CLIENT, 422, "%s: a number is wanted", f->name);
	case API_FLAG:
		return json_flag(v, "", &on) || err_set(e, SIDE_CLIENT, 422, "%s: true or false is wanted", f->name);
	case API_OBJECT:
		return api_check(v, f->of, e) || err_at(e, "%s", f->name);
	case API_MAP:
		if (!json_of_object(v))
			return err_set(e, SIDE_CLIENT, 422, "%s: an object is wanted", f->name);
		return !f->of || json_keys(v, map_value, &m) || err_at(e, "%s", f->name);
	case API_ANY:
		return true;
	}
	return false;
}

static bool field_is(const struct json *v, const struct api_field *f, struct err *e)
{
	size_t n;

	if (f->optional && json_of_null(v))
		return true;
	if (!f->list)
		return one_is(v, f, e);
	if (!json_of_list(v))
		return err_set(e, SIDE_CLIENT, 422, "%s: a list is wanted", f->name);
	n = json_length(v, "");
	if (n > LIST_MAX)
		return err_set(e, SIDE_CLIENT, 422, "%s: more than %d entries", f->name, LIST_MAX);
	for (size_t i = 0; i < n; i++)
		if (!one_is(json_item(v, i), f, e))
			return false;
	return true;
}

static bool is_known(void *ctx, const char *key, const struct json *value)
{
	const struct check *c = ctx;

	(void)value;
	for (size_t i = 0; i < c->shape->n; i++)
		if (strcmp(c->shape->fields[i].name, key) == 0)
			return true;
	return err_set(c->err, SIDE_CLIENT, 422, "'%.64s' is not known here", key);
}

/* A key of ours has no dot, so it is a path as it is. */
bool api_check(const struct json *value, const struct api_shape *shape, struct err *e)
{
	struct check c = { shape, e };

	if (!json_of_object(value))
		return err_set(e, SIDE_CLIENT, 422, "an object is wanted");
	if (!json_keys(value, is_known, &c))
		return false;
	for (size_t i = 0; i < shape->n; i++) {
		const struct api_field *f = &shape->fields[i];
		const struct json *v = json_at(value, f->name);

		if (!v && !f->optional)
			return err_set(e, SIDE_CLIENT, 422, "%s is wanted", f->name);
		if (v && !field_is(v, f, e))
			return false;
	}
	return true;
}
