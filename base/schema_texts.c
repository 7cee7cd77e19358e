/* schema_texts.c -- values that stay text, and the types that say something
 * about the table. */
#include "base/schema_type.h"

/* The words of a file end in messages, heads and pages: one line of text. */
static bool is_text(const struct yaml_node *n)
{
	for (size_t i = 0; n->kind == YAML_SCALAR && i < n->text.len; i++)
		if ((unsigned char)n->text.at[i] < 0x20 || n->text.at[i] == 0x7f)
			return false;
	return n->kind == YAML_SCALAR && n->text.len > 0;
}

static bool text_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		      void *out, void *also)
{
	size_t max = row->max ? row->max : 1024;

	(void)also;
	if (!is_text(n))
		return schema_not(s, row->type, n);
	if (n->text.len > max)
		return schema_err(s, n, "longer than %zu bytes", max);
	if (out)
		*(struct bytes *)out = n->text;
	return true;
}

const struct schema_type schema_text = {
	.name = "text",
	.want = "a text of one line",
	.json = "\"type\": [\"string\", \"number\", \"boolean\"]",
	.read = text_read,
};

const char *schema_resolve(struct arena *a, const struct yaml_node *n, struct bytes path)
{
	const char *slash = n->where.line ? strrchr(n->where.file, '/') : NULL;
	size_t dir = slash ? (size_t)(slash - n->where.file) + 1 : 0;
	char *p;

	if (path.len && path.at[0] == '/')
		dir = 0;
	if (!(p = arena_raw(a, dir + path.len + 1)))
		return NULL;
	memcpy(p, n->where.file, dir);
	memcpy(p + dir, path.at, path.len);
	p[dir + path.len] = '\0';
	return p;
}

static bool path_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		      void *out, void *also)
{
	const char *path;

	(void)also;
	if (!is_text(n))
		return schema_not(s, row->type, n);
	if (!(path = schema_resolve(s->arena, n, n->text)))
		return schema_err(s, n, "out of memory");
	*(const char **)out = path;
	return true;
}

const struct schema_type schema_path = {
	.name = "file name",
	.want = "a file name",
	.json = "\"type\": \"string\"",
	.read = path_read,
};

/* "file:key" as "file:/etc/embergate/key", the others as they are. */
static const char *secret_ref(struct schema *s, const struct yaml_node *n)
{
	const char *path;
	size_t len;
	char *ref;

	if (!bytes_starts(n->text, BYTES("file:")))
		return n->text.at;
	if (!(path = schema_resolve(s->arena, n, bytes_from(n->text, strlen("file:")))))
		return NULL;
	len = strlen("file:") + strlen(path) + 1;
	if ((ref = arena_raw(s->arena, len)))
		snprintf(ref, len, "file:%s", path);
	return ref;
}

static bool is_secret_ref(const struct yaml_node *n)
{
	const struct bytes kinds[] = { BYTES("env:"), BYTES("file:"), BYTES("cred:") };

	for (size_t i = 0; i < nelems(kinds); i++)
		if (is_text(n) && bytes_starts(n->text, kinds[i]) && n->text.len > kinds[i].len)
			return true;
	return false;
}

/* A value that is no reference may be the secret itself: it is not repeated. */
static bool secret_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
			void *out, void *also)
{
	const char *ref;

	(void)also;
	if (!is_secret_ref(n))
		return schema_err(s, n, "is not %s", row->type->want);
	if (!(ref = secret_ref(s, n)))
		return schema_err(s, n, "out of memory");
	*(const char **)out = ref;
	return true;
}

const struct schema_type schema_secret = {
	.name = "secret",
	.want = "a reference to a secret; write env:NAME, file:PATH or cred:NAME",
	.json = "\"type\": \"string\", \"pattern\": \"^(env|file|cred):.+$\"",
	.read = secret_read,
};

/* ---- types that say something about the table ---- */

const struct schema_type schema_enum = {
	.name = "word",
	.want = "a word",
	.json = "",
};

const struct schema_type schema_nested = {
	.name = "mapping",
	.want = "a mapping of keys to values",
	.json = "\"type\": \"object\"",
};

const struct schema_type schema_reserved = {
	.name = "not built yet",
	.want = "built yet",
	.json = "\"not\": {}",
};

static bool place_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		       void *out, void *also)
{
	(void)s, (void)row, (void)also;
	*(struct where *)out = n->where;
	return true;
}

const struct schema_type schema_place = {
	.name = "place",
	.read = place_read,
};

static bool name_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
		      void *out, void *also)
{
	(void)s, (void)row, (void)also;
	*(struct bytes *)out = n->text;
	return true;
}

const struct schema_type schema_name = {
	.name = "name",
	.read = name_read,
};
