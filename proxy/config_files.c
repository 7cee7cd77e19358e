/* config_files.c -- a file and its includes become one tree.
 *
 * A list that stands in several files is joined in the order in which they are
 * read; so are the apps. Everything else stands in one file. A file is read
 * once: a second time would be a circle or a mistake. */
#include "proxy/config_parts.h"
#include "base/hash.h"
#include <errno.h>
#include <sys/stat.h>

enum { MAX_FILES = 256, MAX_INCLUDES = 8 /* in each other */ };

struct file_id {
	dev_t dev;
	ino_t ino;
	const char *from; /* the file that included it */
};

struct merge {
	struct config *config;
	struct err *err;
	struct yaml_node *root;
	size_t keys_cap, items_cap;
	struct file_id files[MAX_FILES];
	size_t nfiles;
};

static bool no_memory(struct merge *m, const struct yaml_node *n)
{
	return yaml_err(n->where, m->err, "out of memory");
}

/* ---- joining ---- */

static bool push(struct arena *a, const struct yaml_node ***at, size_t n, size_t *cap,
		 const struct yaml_node *item)
{
	const struct yaml_node **grown = arena_grow(a, *at, cap, n + 1, sizeof *grown);

	if (!grown)
		return false;
	*at = grown;
	grown[n] = item;
	return true;
}

static bool add_key(struct merge *m, const struct yaml_node *key, const struct yaml_node *item)
{
	struct yaml_node *r = m->root;

	if (!push(m->config->arena, &r->keys, r->n, &m->keys_cap, key) ||
	    !push(m->config->arena, &r->items, r->n, &m->items_cap, item))
		return no_memory(m, key);
	r->n++;
	return true;
}

static const struct yaml_node **concat(struct arena *a, const struct yaml_node **x, size_t nx,
				       const struct yaml_node **y, size_t ny)
{
	const struct yaml_node **both = arena_get(a, (nx + ny) * sizeof *both);

	if (both && nx)
		memcpy(both, x, nx * sizeof *both);
	if (both && ny)
		memcpy(both + nx, y, ny * sizeof *both);
	return both;
}

/* Two lists, or the apps of two files. */
static const struct yaml_node *joined(struct merge *m, const struct yaml_node *a,
				      const struct yaml_node *b)
{
	struct yaml_node *both = arena_get(m->config->arena, sizeof *both);

	if (!both)
		return NULL;
	*both = *a;
	both->n = a->n + b->n;
	both->items = concat(m->config->arena, a->items, a->n, b->items, b->n);
	if (a->kind == YAML_MAPPING)
		both->keys = concat(m->config->arena, a->keys, a->n, b->keys, b->n);
	return both->items && (a->kind == YAML_SEQUENCE || both->keys) ? both : NULL;
}

static bool apps_differ(struct merge *m, const struct yaml_node *a, const struct yaml_node *b)
{
	for (size_t i = 0; i < b->n; i++)
		for (size_t j = 0; j < a->n; j++)
			if (bytes_eq(a->keys[j]->text, b->keys[i]->text))
				return yaml_err(b->keys[i]->where, m->err,
						"apps: '%.*s' is also in %s:%u:%u",
						YAML_SHOWN(b->keys[i]->text), a->keys[j]->where.file,
						a->keys[j]->where.line, a->keys[j]->where.column);
	return true;
}

static bool join_key(struct merge *m, size_t at, const struct yaml_node *key,
		     const struct yaml_node *item)
{
	const struct yaml_node *have = m->root->items[at], *first = m->root->keys[at];
	bool apps = bytes_eq(key->text, BYTES("apps")) && item->kind == YAML_MAPPING;

	if (have->kind != item->kind || !(item->kind == YAML_SEQUENCE || apps))
		return yaml_err(key->where, m->err, "'%.*s' is also in %s:%u:%u", YAML_SHOWN(key->text),
				first->where.file, first->where.line, first->where.column);
	if (apps && !apps_differ(m, have, item))
		return false;
	if (!(m->root->items[at] = joined(m, have, item)))
		return no_memory(m, key);
	return true;
}

/* Keys of one file differ already: only those of files before it are asked. */
static bool add_keys(struct merge *m, const struct yaml_node *root)
{
	size_t before = m->root->n;

	for (size_t i = 0; i < root->n; i++) {
		const struct yaml_node *key = root->keys[i];
		size_t at = 0;

		if (bytes_eq(key->text, BYTES("include")))
			continue;
		while (at < before && !bytes_eq(m->root->keys[at]->text, key->text))
			at++;
		if (at < before ? !join_key(m, at, key, root->items[i]) :
				  !add_key(m, key, root->items[i]))
			return false;
	}
	return true;
}

/* ---- files ---- */

static bool add_doc(struct merge *m, struct yaml_doc *, unsigned depth);

static void unload(void *doc)
{
	yaml_unload(doc);
}

static bool mark_seen(struct merge *m, const struct yaml_node *item, const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0)
		return yaml_err(item->where, m->err, "include: %s: %s", path, strerror(errno));
	for (size_t i = 0; i < m->nfiles; i++)
		if (m->files[i].dev == st.st_dev && m->files[i].ino == st.st_ino)
			return yaml_err(item->where, m->err, "include: %s is read twice, first from %s",
					path, m->files[i].from);
	if (m->nfiles == MAX_FILES)
		return yaml_err(item->where, m->err, "include: more than %d files", MAX_FILES);
	m->files[m->nfiles++] = (struct file_id){ st.st_dev, st.st_ino, item->where.file };
	return true;
}

static bool include_one(struct merge *m, const struct yaml_node *item, unsigned depth)
{
	struct config_names names = { 0 };
	const char *why = config_glob(m->config->arena, item, &names);

	if (why)
		return yaml_err(item->where, m->err, "include: '%.*s': %s", YAML_SHOWN(item->text), why);
	if (names.n && depth == MAX_INCLUDES)
		return yaml_err(item->where, m->err, "include: more than %d files in each other",
				MAX_INCLUDES);
	for (size_t i = 0; i < names.n; i++)
		if (!mark_seen(m, item, names.at[i]) ||
		    !add_doc(m, yaml_load_file(names.at[i], m->err), depth + 1))
			return false;
	return true;
}

static bool include(struct merge *m, const struct yaml_node *list, unsigned depth)
{
	if (list && list->kind != YAML_SEQUENCE && !yaml_is_empty(list))
		return include_one(m, list, depth);
	for (size_t i = 0; list && i < list->n; i++)
		if (!include_one(m, list->items[i], depth))
			return false;
	return true;
}

bool config_files_keep(struct config *c, const struct yaml_doc *d, struct err *e)
{
	struct config_file *grown = arena_grow(c->arena, c->files, &c->files_cap, c->nfiles + 1, sizeof *grown);

	if (!grown)
		return yaml_err((struct where){ yaml_name(d), 1, 1 }, e, "out of memory");
	c->files = grown;
	c->files[c->nfiles++] = (struct config_file){ yaml_name(d), yaml_source(d) };
	c->hash = hash_content(c->hash, yaml_source(d));
	return true;
}

/* Takes the doc over; NULL: its error is set already. */
static bool add_doc(struct merge *m, struct yaml_doc *d, unsigned depth)
{
	const struct yaml_node *root;

	if (!d)
		return false;
	if (!arena_defer(m->config->arena, unload, d)) {
		yaml_unload(d);
		return no_memory(m, m->root);
	}
	if (!config_files_keep(m->config, d, m->err))
		return false;
	if (yaml_count(d) > 1)
		return yaml_err(yaml_root(d, 1)->where, m->err, "a second document (---) is not read here");
	if (!(root = yaml_root(d, 0)) || yaml_is_empty(root))
		return true;
	if (root->kind != YAML_MAPPING)
		return yaml_err(root->where, m->err, "%s is not a mapping of keys to values",
				yaml_kind_word(root->kind));
	return add_keys(m, root) && include(m, yaml_get(root, "include"), depth);
}

/* The main file is seen too, unless it came from memory or cannot be opened. */
static void mark_first(struct merge *m, const char *path)
{
	struct stat st;

	if (stat(path, &st) == 0)
		m->files[m->nfiles++] = (struct file_id){ st.st_dev, st.st_ino, "the command line" };
}

const struct yaml_node *config_files_load(struct config *c, const char *path, const struct bytes *text,
					  struct err *e)
{
	struct merge m = { .config = c, .err = e, .root = arena_get(c->arena, sizeof *m.root) };

	if (!m.root || !(c->file = arena_str(c->arena, bytes_of(path)))) {
		yaml_err((struct where){ path, 1, 1 }, e, "out of memory");
		return NULL;
	}
	*m.root = (struct yaml_node){ .kind = YAML_MAPPING, .where = { c->file, 1, 1 } };
	c->hash = HASH_CONTENT_START;
	if (!text)
		mark_first(&m, path);
	if (!add_doc(&m, text ? yaml_load(*text, path, e) : yaml_load_file(path, e), 0))
		return NULL;
	return m.root;
}
