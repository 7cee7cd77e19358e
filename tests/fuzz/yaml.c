/* Any bytes give a bounded tree with true places, or an error that names one. */
#include "base/yaml.h"

#define CLAIM(x) do { if (!(x)) abort(); } while (0)

static void error_names_a_place(const struct err *e)
{
	unsigned line, column;
	char colon;

	CLAIM(sscanf(e->text, "fuzz.yaml:%u:%u%c", &line, &column, &colon) == 3);
	CLAIM(line > 0 && column > 0 && colon == ':');
	CLAIM(!strchr(e->text, '\n'));
}

static void walk(const struct yaml_node *n, unsigned depth, unsigned lines)
{
	CLAIM(depth <= YAML_MAX_DEPTH);
	CLAIM(n->where.line >= 1 && n->where.line <= lines && n->where.column >= 1);
	if (n->kind == YAML_SCALAR) {
		CLAIM(n->text.at && n->text.at[n->text.len] == '\0');
		return;
	}
	for (size_t i = 0; i < n->n; i++) {
		if (n->kind == YAML_MAPPING)
			CLAIM(n->keys[i]->kind == YAML_SCALAR);
		walk(n->items[i], depth + 1, lines);
	}
}

/* A key stands once, so looking it up by name finds it. */
static void keys_are_found(const struct yaml_node *n)
{
	for (size_t i = 0; n->kind == YAML_MAPPING && i < n->n; i++)
		if (!memchr(n->keys[i]->text.at, 0, n->keys[i]->text.len))
			CLAIM(yaml_get(n, n->keys[i]->text.at) == n->items[i]);
}

/* NEL, LS and PS end lines too, so bytes are the one sure bound. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct err e = { 0 };
	struct yaml_doc *d = yaml_load((struct bytes){ (const char *)data, size }, "fuzz.yaml", &e);

	if (!d)
		error_names_a_place(&e);
	for (size_t i = 0; d && i < yaml_count(d); i++) {
		walk(yaml_root(d, i), 0, (unsigned)size + 1);
		keys_are_found(yaml_root(d, i));
	}
	yaml_unload(d);
	return 0;
}
