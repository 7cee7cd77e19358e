/* form.c -- a parser of body/ over one piece, without a ruleset. */
#include "rules/form.h"
#include "rules/body/body.h"

struct form {
	form_field *field;
	void *ctx;
	bool is_json;
};

static bool on_value(void *owner, const struct body_value *v)
{
	struct form *f = owner;
	struct bytes name = v->name;

	if (v->kind != VALUE_ARG)
		return true;
	if (f->is_json && bytes_starts(name, BYTES("json.")))
		name = bytes_from(name, 5);
	f->field(f->ctx, name, v->value);
	return true;
}

static bool on_file(void *owner, const struct body_file *file)
{
	(void)owner, (void)file;
	return true;
}

static void read_with(struct arena *a, const struct body_parser *p, const struct content_type *type, struct bytes body, struct form *f)
{
	static const struct body_sink sink = { on_value, on_file };
	struct body_setup setup = {
		.limits = { .look_bytes = 1 }, .sink = &sink, .owner = f, .type = type,
	};
	struct body *b = body_new(a, p, &setup);

	f->is_json = p == &body_json;
	if (b && body_push(b, body) == FAULT_NONE)
		body_end(b);
}

/* What the client itself calls neither a form nor text is none. */
static const struct body_parser *parser_of(const struct content_type *type, struct bytes body)
{
	const struct body_parser *p = body_parser_of(type);

	if (!p && (!type->media.len || bytes_starts(type->media, BYTES("text/"))))
		p = body_parser_by_looks(body);
	return p == &body_xml ? NULL : p;
}

void form_read(struct bytes content_type, struct bytes body, form_field *field, void *ctx)
{
	struct arena *a = arena_new(FORM_BYTES);
	struct form f = { .field = field, .ctx = ctx };
	const struct body_parser *p = NULL;
	struct content_type type;

	if (a && content_type_parse(a, content_type, &type))
		p = parser_of(&type, body);
	if (p)
		read_with(a, p, &type, body, &f);
	arena_free(a);
}

void form_read_query(struct bytes query, form_field *field, void *ctx)
{
	form_read(BYTES("application/x-www-form-urlencoded"), query, field, ctx);
}
