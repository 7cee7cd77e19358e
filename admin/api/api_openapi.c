/* api_openapi.c -- the routes as an OpenAPI 3.1 document. */
#include "admin/api/api.h"

enum { SHAPES_MAX = 256 };

/* ---- schemas ---- */

static void out_schema_ref(struct json_out *o, const char *key, const struct api_shape *shape)
{
	char ref[96];

	snprintf(ref, sizeof ref, "#/components/schemas/%s", shape->name);
	out_object(o, key);
	out_str(o, "$ref", ref);
	out_end(o);
}

/* `null` is among the types of what may be absent from an answer. */
static void out_type(struct json_out *o, const char *type, bool nullable)
{
	if (!nullable) {
		out_str(o, "type", type);
		return;
	}
	out_list(o, "type");
	out_str(o, NULL, type);
	out_str(o, NULL, "null");
	out_end(o);
}

static void out_words(struct json_out *o, const struct api_field *f, bool nullable)
{
	if (!f->words)
		return;
	out_list(o, "enum");
	for (const char *const *w = f->words; *w; w++)
		out_str(o, NULL, *w);
	if (nullable)
		out_null(o, NULL);
	out_end(o);
}

/* The members of the schema of one value. */
static void out_one(struct json_out *o, const struct api_field *f, bool nullable)
{
	static const char *const types[] = { [API_TEXT] = "string", [API_TIME] = "string", [API_INT] = "integer",
					     [API_DECIMAL] = "number", [API_FLAG] = "boolean", [API_MAP] = "object" };

	switch (f->type) {
	case API_ANY:
		break;
	case API_OBJECT:
		out_list(o, "anyOf");
		out_schema_ref(o, NULL, f->of);
		if (nullable) {
			out_object(o, NULL);
			out_str(o, "type", "null");
			out_end(o);
		}
		out_end(o);
		break;
	case API_MAP:
		out_type(o, "object", nullable);
		if (f->of)
			out_schema_ref(o, "additionalProperties", f->of);
		break;
	default:
		out_type(o, types[f->type], nullable);
		out_words(o, f, nullable);
		if (f->type == API_TIME)
			out_str(o, "format", "date-time");
		if (f->type == API_INT && f->min)
			out_int(o, "minimum", (int64_t)f->min);
		if (f->type == API_INT && f->max)
			out_int(o, "maximum", (int64_t)f->max);
		if (f->type == API_TEXT && f->max && !f->words)
			out_int(o, "maxLength", (int64_t)f->max);
	}
}

static void out_field(struct json_out *o, const char *key, const struct api_field *f)
{
	out_object(o, key);
	if (f->list) {
		out_type(o, "array", f->optional);
		out_object(o, "items");
		out_one(o, f, f->gaps);
		out_end(o);
	} else {
		out_one(o, f, f->optional);
	}
	if (f->help)
		out_str(o, "description", f->help);
	out_end(o);
}

static void out_shape(struct json_out *o, const struct api_shape *s)
{
	out_object(o, s->name);
	out_str(o, "type", "object");
	out_list(o, "required");
	for (size_t i = 0; i < s->n; i++)
		if (!s->fields[i].optional)
			out_str(o, NULL, s->fields[i].name);
	out_end(o);
	out_object(o, "properties");
	for (size_t i = 0; i < s->n; i++)
		out_field(o, s->fields[i].name, &s->fields[i]);
	out_end(o);
	out_flag(o, "additionalProperties", false);
	out_end(o);
}

/* Every shape that a route speaks of, once. */
struct shapes { const struct api_shape *at[SHAPES_MAX]; size_t n; };

static void gather(struct shapes *to, const struct api_shape *s)
{
	for (size_t i = 0; s && i < to->n; i++)
		if (to->at[i] == s)
			return;
	if (!s || to->n == SHAPES_MAX)
		return;
	to->at[to->n++] = s;
	for (size_t i = 0; i < s->n; i++)
		gather(to, s->fields[i].of);
}

/* ---- operations ---- */

static void out_json_content(struct json_out *o, const char *type, const struct api_shape *s)
{
	out_object(o, "content");
	out_object(o, type);
	out_schema_ref(o, "schema", s);
	out_end(o);
	out_end(o);
}

static void out_path_parameters(struct json_out *o, const char *path)
{
	struct bytes rest = bytes_of(path), part;

	while (bytes_cut(&rest, '/', &part)) {
		if (!bytes_starts(part, BYTES("{")))
			continue;
		out_object(o, NULL);
		out_text(o, "name", bytes_sub(part, 1, part.len - 1));
		out_str(o, "in", "path");
		out_flag(o, "required", true);
		out_object(o, "schema");
		out_str(o, "type", "string");
		out_end(o);
		out_end(o);
	}
}

static void out_key_parameter(struct json_out *o)
{
	out_object(o, NULL);
	out_str(o, "name", "Idempotency-Key");
	out_str(o, "in", "header");
	out_flag(o, "required", false);
	out_str(o, "description", "names the request: sent again within 24 hours it is answered as before, and nothing is done twice");
	out_object(o, "schema");
	out_str(o, "type", "string");
	out_end(o);
	out_end(o);
}

static void out_parameters(struct json_out *o, const struct api_route *r)
{
	out_list(o, "parameters");
	out_path_parameters(o, r->path);
	for (size_t i = 0; r->query && i < r->query->n; i++) {
		const struct api_field *f = &r->query->fields[i];

		out_object(o, NULL);
		out_str(o, "name", f->name);
		out_str(o, "in", "query");
		out_flag(o, "required", !f->optional);
		out_str(o, "description", f->help);
		out_object(o, "schema");
		out_one(o, f, false);
		out_end(o);
		out_end(o);
	}
	if (api_takes_key(r))
		out_key_parameter(o);
	out_end(o);
}

static void out_responses(struct json_out *o, const struct api_route *r)
{
	out_object(o, "responses");
	out_object(o, r->answer ? "200" : "2XX");
	out_str(o, "description", "done");
	if (r->answer)
		out_json_content(o, "application/json", r->answer);
	out_end(o);
	out_object(o, "default");
	out_str(o, "description", "what is wrong (RFC 9457)");
	out_object(o, "content");
	out_object(o, "application/problem+json");
	out_object(o, "schema");
	out_str(o, "$ref", "#/components/schemas/Problem");
	for (int i = 0; i < 5; i++)
		out_end(o);
}

static void out_lower(struct json_out *o, const char *method)
{
	char room[16];
	size_t n = 0;

	for (; method[n] && n + 1 < sizeof room; n++)
		room[n] = byte_lower(method[n]);
	room[n] = '\0';
	out_object(o, room);
}

static void out_operation(struct json_out *o, const struct api_route *r)
{
	out_lower(o, r->method);
	out_str(o, "summary", r->help);
	out_list(o, "tags");
	out_str(o, NULL, r->tag);
	out_end(o);
	out_str(o, "x-role", role_word(r->role));
	out_parameters(o, r);
	if (r->body) {
		out_object(o, "requestBody");
		out_flag(o, "required", true);
		out_json_content(o, "application/json", r->body);
		out_end(o);
	}
	if (!r->role) {
		out_list(o, "security");
		out_end(o);
	}
	out_responses(o, r);
	out_end(o);
}

static bool is_first_of_path(size_t table, size_t row)
{
	const char *path = api_tables[table]->at[row].path;

	for (size_t t = 0; t <= table; t++)
		for (size_t i = 0; i < (t == table ? row : api_tables[t]->n); i++)
			if (strcmp(api_tables[t]->at[i].path, path) == 0)
				return false;
	return true;
}

static void out_path(struct json_out *o, const char *path)
{
	out_object(o, path);
	for (size_t t = 0; t < api_ntables; t++)
		for (size_t i = 0; i < api_tables[t]->n; i++)
			if (strcmp(api_tables[t]->at[i].path, path) == 0)
				out_operation(o, &api_tables[t]->at[i]);
	out_end(o);
}

/* ---- the document ---- */

static void out_info(struct json_out *o)
{
	out_str(o, "openapi", "3.1.0");
	out_object(o, "info");
	out_str(o, "title", "Embergate");
	out_str(o, "version", EMBERGATE_VERSION);
	out_object(o, "license");
	out_str(o, "name", "MIT");
	out_str(o, "identifier", "MIT");
	out_end(o);
	out_end(o);
	out_list(o, "servers");
	out_object(o, NULL);
	out_str(o, "url", "/api/v1");
	out_end(o);
	out_end(o);
	out_raw(o, "security", BYTES("[{\"token\":[]},{\"session\":[]}]"));
}

static void out_components(struct json_out *o, const struct shapes *shapes)
{
	static const struct api_field fields[] = {
		{ "type", API_TEXT, .help = "about:blank" },
		{ "title", API_TEXT, .help = "of the status" },
		{ "status", API_INT, .help = "the same as the answer's" },
		{ "detail", API_TEXT, .help = "what is wrong, in words" },
	};
	static const struct api_shape problem = API_SHAPE("Problem", fields);

	out_object(o, "components");
	out_object(o, "schemas");
	out_shape(o, &problem);
	for (size_t i = 0; i < shapes->n; i++)
		out_shape(o, shapes->at[i]);
	out_end(o);
	out_raw(o, "securitySchemes", BYTES("{\"token\":{\"type\":\"http\",\"scheme\":\"bearer\"},"
					    "\"session\":{\"type\":\"apiKey\",\"in\":\"cookie\",\"name\":\"embergate\"}}"));
	out_end(o);
}

void api_openapi(struct json_out *o)
{
	struct shapes shapes = { .n = 0 };

	out_object(o, NULL);
	out_info(o);
	out_object(o, "paths");
	for (size_t t = 0; t < api_ntables; t++)
		for (size_t i = 0; i < api_tables[t]->n; i++) {
			gather(&shapes, api_tables[t]->at[i].body);
			gather(&shapes, api_tables[t]->at[i].answer);
			if (is_first_of_path(t, i))
				out_path(o, api_tables[t]->at[i].path);
		}
	out_end(o);
	out_components(o, &shapes);
	out_end(o);
}
