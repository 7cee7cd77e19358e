/* config_globs.c -- names of files with wildcards. */
#include "proxy/config_parts.h"
#include <errno.h>
#include <glob.h>
#include <sys/stat.h>

enum { MAX_NAMES = 1000 };

static bool add(struct arena *a, struct config_names *to, const char *name)
{
	const char **grown = arena_grow(a, to->at, &to->cap, to->n + 1, sizeof *grown);
	const char *copy = arena_str(a, bytes_of(name));

	if (!grown || !copy)
		return false;
	to->at = grown;
	to->at[to->n++] = copy;
	return true;
}

/* glob() has sorted them. */
static const char *add_matches(struct arena *a, const glob_t *g, struct config_names *to)
{
	if (g->gl_pathc > MAX_NAMES)
		return "it matches more than 1000 files";
	for (size_t i = 0; i < g->gl_pathc; i++)
		if (!add(a, to, g->gl_pathv[i]))
			return "out of memory";
	return NULL;
}

const char *config_glob(struct arena *a, const struct yaml_node *n, struct config_names *to)
{
	const char *pattern, *wild, *slash, *why;
	glob_t g = { 0 };

	if (n->kind != YAML_SCALAR || !n->text.len || memchr(n->text.at, 0, n->text.len))
		return "it is not a file name";
	if (!(pattern = schema_resolve(a, n, n->text)))
		return "out of memory";
	wild = strpbrk(pattern, "*?[");
	slash = strrchr(pattern, '/');
	if (!wild)
		return add(a, to, pattern) ? NULL : "out of memory";
	if (slash && wild < slash)
		return "only the last part of a path may hold wildcards";
	why = glob(pattern, 0, NULL, &g) == 0 ? add_matches(a, &g, to) : NULL;
	globfree(&g);
	return why;
}

/* ---- waf.rules ---- */

static bool is_rule_file(struct schema *s, const struct yaml_node *n, const char *name)
{
	struct bytes b = bytes_of(name);
	struct stat st;

	if (stat(name, &st) < 0)
		return schema_err(s, n, "%.*s: %s", YAML_SHOWN(b), strerror(errno));
	if (S_ISDIR(st.st_mode) || bytes_ends(b, BYTES(".yaml")) || bytes_ends(b, BYTES(".yml")) ||
	    bytes_ends(b, BYTES(".conf")))
		return true;
	return schema_err(s, n, "%.*s: rules are in *.yaml and *.conf files", YAML_SHOWN(b));
}

static bool add_rules(struct schema *s, const struct yaml_node *n, struct config_names *to)
{
	size_t was = to->n;
	const char *why = config_glob(s->arena, n, to);

	if (!why && to->n == was)
		why = "it matches no file";
	if (why)
		return schema_err(s, n, "'%.*s': %s", YAML_SHOWN(n->text), why);
	for (size_t i = was; i < to->n; i++)
		if (!is_rule_file(s, n, to->at[i]))
			return false;
	return true;
}

static bool rule_files_read(struct schema *s, const struct schema_row *row, const struct yaml_node *n,
			    void *out, void *also)
{
	struct config_names names = { 0 };

	(void)row;
	if (n->kind != YAML_SEQUENCE && !yaml_is_empty(n) && !add_rules(s, n, &names))
		return false;
	for (size_t i = 0; n->kind == YAML_SEQUENCE && i < n->n; i++)
		if (!add_rules(s, n->items[i], &names))
			return false;
	*(const char ***)out = names.at;
	*(size_t *)also = names.n;
	return true;
}

const struct schema_type config_type_rule_files = {
	.name = "list of files, globs or directories",
	.want = "a file name; write for example rules/shop.yaml or rules/*.yaml",
	.json = "\"type\": [\"string\", \"array\"], \"items\": {\"type\": \"string\"}",
	.read = rule_files_read,
};
