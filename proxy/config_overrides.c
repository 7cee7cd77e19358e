/* config_overrides.c -- what the API and ctl have changed stands over what the files say.
 *
 * It is one file in the state directory, with `apps` and `notify` alone: who may change an app from afar does not change who
 * may reach the gate. Receivers of `notify` stand beside those of the other files. Of an app in both, mappings are joined key by key, lists are joined with the changes in front (of an app's rules
 * the first that matches wins), and any other value of the changes wins. The tables of keys say what a short form stands
 * for, so that `waf: detect` and `waf: {paranoia: 2}` join. */
#include "proxy/config_parts.h"
#include <errno.h>
#include <sys/stat.h>

struct join {
	struct config *config;
	const struct config_how *how;
	struct err *err;
};

static bool no_memory(struct join *j, const struct yaml_node *n)
{
	return yaml_err(n->where, j->err, "out of memory");
}

/* ---- values ---- */

static struct yaml_node *node_new(struct join *j, const struct yaml_node *like, enum yaml_kind kind, size_t room)
{
	struct arena *a = j->config->arena;
	struct yaml_node *n = arena_get(a, sizeof *n);

	if (!n)
		return NULL;
	*n = (struct yaml_node){ .kind = kind, .where = like->where };
	n->items = arena_get(a, room * sizeof *n->items + 1);
	n->keys = arena_get(a, room * sizeof *n->keys + 1);
	return n->items && n->keys ? n : NULL;
}

static const struct schema_row *row_of(const struct schema_table *t, struct bytes key)
{
	for (size_t i = 0; t && i < t->n; i++)
		if (t->rows[i].key && bytes_eq(key, bytes_of(t->rows[i].key)))
			return &t->rows[i];
	return NULL;
}

/* The mapping that the short form stands for. */
static const struct yaml_node *long_form(struct join *j, const struct schema_table *t, const struct yaml_node *n)
{
	struct yaml_node *map, *key;

	if (n->kind == YAML_MAPPING || !t->shorthand)
		return n;
	map = node_new(j, n, YAML_MAPPING, 1);
	key = map ? node_new(j, n, YAML_SCALAR, 0) : NULL;
	if (!key)
		return NULL;
	key->text = bytes_of(t->shorthand);
	map->keys[0] = key;
	map->items[0] = n;
	map->n = 1;
	return map;
}

static const struct yaml_node *as_list(struct join *j, const struct yaml_node *n)
{
	struct yaml_node *list;

	if (n->kind == YAML_SEQUENCE)
		return n;
	if ((list = node_new(j, n, YAML_SEQUENCE, 1))) {
		list->items[0] = n;
		list->n = 1;
	}
	return list;
}

static bool has_text(const struct yaml_node *list, const struct yaml_node *item)
{
	for (size_t i = 0; item->kind == YAML_SCALAR && i < list->n; i++)
		if (list->items[i]->kind == YAML_SCALAR && bytes_eq(list->items[i]->text, item->text))
			return true;
	return false;
}

/* A text that is in both is there once. */
static const struct yaml_node *lists_join(struct join *j, const struct yaml_node *base, const struct yaml_node *over)
{
	const struct yaml_node *x = as_list(j, over), *y = as_list(j, base);
	struct yaml_node *both = x && y ? node_new(j, base, YAML_SEQUENCE, x->n + y->n) : NULL;

	if (!both)
		return NULL;
	for (size_t i = 0; i < x->n; i++)
		both->items[both->n++] = x->items[i];
	for (size_t i = 0; i < y->n; i++)
		if (!has_text(x, y->items[i]))
			both->items[both->n++] = y->items[i];
	return both;
}

static const struct yaml_node *value_over(struct join *, const struct schema_row *, const struct yaml_node *base,
					  const struct yaml_node *over);

static size_t key_at(const struct yaml_node *map, struct bytes key)
{
	size_t i = 0;

	while (i < map->n && !bytes_eq(map->keys[i]->text, key))
		i++;
	return i;
}

/* Two mappings. table: of their keys; or, where each value has one form whatever its key is, `each` says which. */
static const struct yaml_node *maps_join(struct join *j, const struct schema_table *table, const struct schema_row *each,
					 const struct yaml_node *base, const struct yaml_node *over)
{
	struct yaml_node *both = node_new(j, base, YAML_MAPPING, base->n + over->n);

	if (!both)
		return NULL;
	both->n = base->n;
	for (size_t i = 0; i < base->n; i++) {
		both->keys[i] = base->keys[i];
		both->items[i] = base->items[i];
	}
	for (size_t i = 0; i < over->n; i++) {
		size_t at = key_at(base, over->keys[i]->text);

		if (at == base->n)
			at = both->n++;
		both->items[at] = at < base->n ? value_over(j, each ? each : row_of(table, over->keys[i]->text), base->items[at],
							    over->items[i]) : over->items[i];
		both->keys[at] = at < base->n ? base->keys[at] : over->keys[i];
		if (!both->items[at])
			return NULL;
	}
	return both;
}

static const struct yaml_node *tables_join(struct join *j, const struct schema_table *t, const struct yaml_node *base,
					   const struct yaml_node *over)
{
	const struct yaml_node *x = long_form(j, t, base), *y = long_form(j, t, over);

	if (!x || !y)
		return NULL;
	return x->kind == YAML_MAPPING && y->kind == YAML_MAPPING ? maps_join(j, t, NULL, x, y) : over;
}

/* NULL: out of memory. */
static const struct yaml_node *value_over(struct join *j, const struct schema_row *row, const struct yaml_node *base,
					  const struct yaml_node *over)
{
	struct schema_row one;

	if (!row)
		return over;
	switch (row->many) {
	case SCHEMA_LIST:
		return lists_join(j, base, over);
	case SCHEMA_MAP:
		one = *row;
		one.many = SCHEMA_ONE;
		return base->kind == YAML_MAPPING && over->kind == YAML_MAPPING ? maps_join(j, NULL, &one, base, over) : over;
	case SCHEMA_ONE:
		break;
	}
	return row->table ? tables_join(j, row->table, base, over) : over;
}

/* ---- the file ---- */

/* An app that the files do not have (any more) is one of its own if it says where its servers are. */
static bool stands_alone(struct join *j, const struct yaml_node *key, const struct yaml_node *app)
{
	struct err e;

	if (yaml_get(app, "upstream"))
		return true;
	yaml_err(key->where, &e, "apps.%.*s is in no other file any more: what is changed of it does not apply", YAML_SHOWN(key->text));
	if (j->how && j->how->warn)
		j->how->warn(j->how->ctx, e.text);
	return false;
}

/* What there is of `apps` to stand over the others. */
static const struct yaml_node *apps_kept(struct join *j, const struct yaml_node *base, const struct yaml_node *over)
{
	struct yaml_node *kept = node_new(j, over, YAML_MAPPING, over->n);

	for (size_t i = 0; kept && i < over->n; i++)
		if (key_at(base, over->keys[i]->text) < base->n || stands_alone(j, over->keys[i], over->items[i])) {
			kept->keys[kept->n] = over->keys[i];
			kept->items[kept->n++] = over->items[i];
		}
	return kept;
}

static bool is_allowed(struct join *j, const struct yaml_node *key)
{
	return bytes_eq(key->text, BYTES("apps")) || bytes_eq(key->text, BYTES("notify")) ||
	       yaml_err(key->where, j->err, "'%.*s': only `apps` and `notify` may stand in this file", YAML_SHOWN(key->text));
}

static const struct yaml_node *root_over(struct join *j, const struct yaml_node *base, const struct yaml_node *over)
{
	const struct yaml_node *apps = yaml_get(base, "apps"), *changed = yaml_get(over, "apps"), *both;
	struct yaml_node *none = node_new(j, base, YAML_MAPPING, 0), *top = node_new(j, over, YAML_MAPPING, over->n);
	bool has_apps = changed && !yaml_is_empty(changed) && !(apps && apps->kind != YAML_MAPPING);

	for (size_t i = 0; i < over->n; i++)
		if (!is_allowed(j, over->keys[i]))
			return NULL;
	if (has_apps && changed->kind != YAML_MAPPING) {
		yaml_err(changed->where, j->err, "apps: %s is not a mapping of names to apps", yaml_kind_word(changed->kind));
		return NULL;
	}
	for (size_t i = 0; none && top && i < over->n; i++) {
		bool is_apps = over->items[i] == changed;

		if (is_apps ? !has_apps : yaml_is_empty(over->items[i]))
			continue;
		top->keys[top->n] = over->keys[i];
		top->items[top->n] = is_apps ? apps_kept(j, apps ? apps : none, changed) : over->items[i];
		if (!top->items[top->n++])
			top = NULL;
	}
	if (!none || !top) {
		no_memory(j, over);
		return NULL;
	}
	if (!top->n)
		return base;
	if (!(both = maps_join(j, &config_table, NULL, base, top)))
		no_memory(j, over);
	return both;
}

static const char *overrides_path(struct join *j, const struct yaml_node *root)
{
	const struct yaml_node *state = yaml_get(root, "state");
	struct arena *a = j->config->arena;
	const char *dir = state && state->kind == YAML_SCALAR ? schema_resolve(a, state, state->text) :
								arena_str(a, config_state_directory());
	size_t len = dir ? strlen(dir) + sizeof "/" OVERRIDES_NAME : 0;
	char *path = dir ? arena_raw(a, len) : NULL;

	if (path)
		snprintf(path, len, "%s/%s", dir, OVERRIDES_NAME);
	return path;
}

static void unload(void *doc)
{
	yaml_unload(doc);
}

/* False: err. *root NULL: there is nothing in it. */
static bool overrides_read_file(struct join *j, const char *path, const struct yaml_node **root)
{
	const struct bytes *text = j->how ? j->how->overrides : NULL;
	struct config *c = j->config;
	struct yaml_doc *d;
	struct stat st;

	*root = NULL;
	if (!text && stat(path, &st) != 0 && (errno == ENOENT || errno == ENOTDIR))
		return true;
	if (!(d = text ? yaml_load(*text, path, j->err) : yaml_load_file(path, j->err)))
		return false;
	if (!arena_defer(c->arena, unload, d)) {
		yaml_unload(d);
		return yaml_err((struct where){ path, 1, 1 }, j->err, "out of memory");
	}
	if (!config_files_keep(c, d, j->err))
		return false;
	c->overrides = yaml_source(d);
	if (yaml_count(d) > 1)
		return yaml_err(yaml_root(d, 1)->where, j->err, "a second document (---) is not read here");
	*root = yaml_root(d, 0);
	if (*root && yaml_is_empty(*root))
		*root = NULL;
	return !*root || (*root)->kind == YAML_MAPPING ||
	       yaml_err((*root)->where, j->err, "%s is not a mapping of keys to values", yaml_kind_word((*root)->kind));
}

const struct yaml_node *config_overrides_join(struct config *c, const struct yaml_node *root, const struct config_how *how,
					      struct err *e)
{
	struct join j = { c, how, e };
	const struct yaml_node *over;

	if (!(c->overrides_file = overrides_path(&j, root))) {
		no_memory(&j, root);
		return NULL;
	}
	if (!overrides_read_file(&j, c->overrides_file, &over))
		return NULL;
	return over ? root_over(&j, root, over) : root;
}
