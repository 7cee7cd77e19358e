/* json.c -- jansson, bounded. Its own bound of depth is fixed when it is built,
 * so brackets are counted before it sees the document. */
#include "base/json.h"
#include <jansson.h>

static const struct json *ours(const json_t *v)
{
	return (const struct json *)v;
}

static json_t *theirs(const struct json *v)
{
	return (json_t *)(uintptr_t)v;
}

/* Where it is no JSON this counts nonsense, which the parser then refuses. */
static unsigned depth_of(struct bytes b)
{
	unsigned depth = 0, most = 0;
	bool quoted = false;

	for (size_t i = 0; i < b.len; i++) {
		char c = b.at[i];

		if (quoted && c == '\\')
			i++;
		else if (c == '"')
			quoted = !quoted;
		else if (!quoted && (c == '[' || c == '{'))
			most = ++depth > most ? depth : most;
		else if (!quoted && (c == ']' || c == '}') && depth)
			depth--;
	}
	return most;
}

struct json *json_read(struct bytes b, const struct json_limits *limits, struct err *e)
{
	json_error_t why;
	json_t *v;

	if (b.len > limits->bytes) {
		err_set(e, SIDE_UPSTREAM, 0, "more than %zu bytes of JSON", limits->bytes);
		return NULL;
	}
	if (depth_of(b) > limits->depth) {
		err_set(e, SIDE_UPSTREAM, 0, "JSON nested more than %u deep", limits->depth);
		return NULL;
	}
	v = json_loadb(b.at ? b.at : "", b.len, JSON_REJECT_DUPLICATES, &why);
	if (!v)
		err_set(e, SIDE_UPSTREAM, 0, "no JSON: line %d: %s", why.line, why.text);
	return (struct json *)v;
}

void json_free(struct json *v)
{
	json_decref(theirs(v));
}

static const json_t *step(const json_t *v, struct bytes name)
{
	uint64_t i;

	if (json_is_array(v))
		return bytes_u64(name, &i) ? json_array_get(v, i) : NULL;
	return json_object_getn(v, name.at, name.len);
}

const struct json *json_at(const struct json *from, const char *path)
{
	struct bytes rest = bytes_of(path), name;
	const json_t *v = theirs(from);

	if (rest.len == 0)
		return from;
	while (v && bytes_cut(&rest, '.', &name))
		v = step(v, name);
	return ours(v);
}

bool json_text(const struct json *from, const char *path, struct bytes *out)
{
	const json_t *v = theirs(json_at(from, path));

	if (!json_is_string(v))
		return false;
	*out = (struct bytes){ json_string_value(v), json_string_length(v) };
	return true;
}

bool json_flag(const struct json *from, const char *path, bool *out)
{
	const json_t *v = theirs(json_at(from, path));

	if (!json_is_boolean(v))
		return false;
	*out = json_is_true(v);
	return true;
}

bool json_number(const struct json *from, const char *path, int64_t *out)
{
	const json_t *v = theirs(json_at(from, path));

	if (!json_is_integer(v))
		return false;
	*out = json_integer_value(v);
	return true;
}

bool json_decimal(const struct json *from, const char *path, double *out)
{
	const json_t *v = theirs(json_at(from, path));

	if (!json_is_number(v))
		return false;
	*out = json_number_value(v);
	return true;
}

size_t json_length(const struct json *from, const char *path)
{
	return json_array_size(theirs(json_at(from, path))); /* 0 of what is no list */
}

const struct json *json_item(const struct json *list, size_t i)
{
	return ours(json_array_get(theirs(list), i));
}

bool json_of_list(const struct json *v)
{
	return json_is_array(theirs(v));
}

bool json_of_object(const struct json *v)
{
	return v && json_typeof(theirs(v)) == JSON_OBJECT;
}

bool json_of_null(const struct json *v)
{
	return v && json_typeof(theirs(v)) == JSON_NULL;
}

bool json_keys(const struct json *object, bool (*each)(void *, const char *, const struct json *), void *ctx)
{
	const char *key;
	json_t *value;

	json_object_foreach(theirs(object), key, value)
		if (!each(ctx, key, ours(value)))
			return false;
	return true;
}
