/* config_quick.c -- `embergate --upstream URL`: options as the tree of a file.
 *
 * Each value stands at the name of its option, without a line, and so do the
 * errors: "--upstream: 'foo' is not the URL of a server: ...". */
#include "proxy/config_parts.h"
#include "base/hash.h"

enum { MAX_KEYS = 6, MAX_LISTENS = 16 };

struct map {
	struct yaml_node node, names[MAX_KEYS];
	const struct yaml_node *keys[MAX_KEYS], *items[MAX_KEYS];
};

/* Quoted: an empty one is a value, and a wrong one. */
static struct yaml_node scalar(const char *option, struct bytes text)
{
	return (struct yaml_node){ YAML_SCALAR, .quoted = true, .where.file = option, .text = text };
}

static void map_start(struct map *m)
{
	m->node = (struct yaml_node){ .kind = YAML_MAPPING, .where.file = "--upstream" };
	m->node.keys = m->keys;
	m->node.items = m->items;
}

static void map_add(struct map *m, const char *key, const struct yaml_node *item)
{
	size_t i = m->node.n++;

	m->names[i] = scalar(item->where.file, bytes_of(key));
	m->keys[i] = &m->names[i];
	m->items[i] = item;
}

/* The option's value under `key`; nothing when the option was not given. */
static void map_option(struct map *m, const char *key, struct yaml_node *n, const char *option,
		       const char *value)
{
	if (!value)
		return;
	*n = scalar(option, bytes_of(value));
	map_add(m, key, n);
}

struct list {
	struct yaml_node node, nodes[MAX_LISTENS];
	const struct yaml_node *items[MAX_LISTENS];
};

static bool split(struct list *l, const char *option, const char *value, struct err *e)
{
	struct bytes rest = bytes_of(value), part;

	l->node = (struct yaml_node){ .kind = YAML_SEQUENCE, .where.file = option, .items = l->items };
	while (bytes_cut(&rest, ',', &part)) {
		if (l->node.n == MAX_LISTENS)
			return yaml_err(l->node.where, e, "more than %d addresses", MAX_LISTENS);
		l->nodes[l->node.n] = scalar(option, part);
		l->items[l->node.n] = &l->nodes[l->node.n];
		l->node.n++;
	}
	return true;
}

static uint64_t options_hash(const struct config_quick *q)
{
	const char *const all[] = { q->upstream, q->host, q->listen, q->admin, q->state,
				    q->detect ? "detect" : "block" };
	uint64_t h = HASH_CONTENT_START;

	for (size_t i = 0; i < nelems(all); i++)
		h = hash_content(hash_content(h, bytes_of(all[i] ? all[i] : "")), BYTES("\n"));
	return h;
}

static bool fill(struct config *c, const struct config_quick *q, const struct config_how *how, struct err *e)
{
	const struct yaml_node *all;
	struct yaml_node upstream, host, mode, admin, state;
	struct map root, apps, app;
	struct list listen;

	map_start(&app);
	map_option(&app, "upstream", &upstream, "--upstream", q->upstream);
	map_option(&app, "hosts", &host, "--host", q->host);
	map_option(&app, "waf", &mode, "--detect", q->detect ? "detect" : NULL);
	map_start(&apps);
	map_add(&apps, "app", &app.node);
	map_start(&root);
	map_add(&root, "apps", &apps.node);
	map_option(&root, "admin", &admin, "--admin", q->admin);
	map_option(&root, "state", &state, "--state", q->state);
	if (!split(&listen, "--listen", q->listen ? q->listen : ":8080", e))
		return false;
	map_add(&root, "listen", &listen.node);
	all = config_overrides_join(c, &root.node, how, e);
	return all && config_fill(c, all, how, e);
}

struct config *config_quick(const struct config_quick *q, const struct config_how *how, struct err *e)
{
	struct config *c = config_new();

	if (!c) {
		err_set(e, SIDE_SELF, 0, "out of memory");
		return NULL;
	}
	c->hash = options_hash(q);
	if (fill(c, q, how, e))
		return c;
	config_free(c);
	return NULL;
}
