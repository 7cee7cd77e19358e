/* overrides.c -- the file of changes: read, changed, printed. */
#include "proxy/overrides.h"
#include "base/clock.h"
#include "proxy/config_rows.h"

static const char head[] = "# What the API, the dashboard and ctl have changed: it stands over the configuration's own files.\n"
			   "# Comments on lines of their own stay with the entry below them.";

/* Every node of the tree is one: `above` is of a key or of an item of a list. */
struct entry {
	struct yaml_node node;
	struct bytes above; /* lines, "# ..." each */
};

struct overrides {
	struct arena *arena;
	const char *name;
	struct entry *root;
};

static bool no_memory(const struct overrides *o, struct err *e)
{
	return yaml_err((struct where){ o->name, 1, 1 }, e, "out of memory");
}

static struct entry *entry_of(const struct yaml_node *n)
{
	return (struct entry *)n; /* it is the entry's first member, and ours */
}

/* ---- lines, as libyaml counts them ---- */

struct lines {
	struct bytes *at; /* blanks around each taken off */
	size_t n;
	bool *taken;      /* a comment that has its entry */
};

/* The bytes of a break at the front: CR LF, CR, LF, NEL, LS, PS; 0: none is there. */
static size_t break_at(struct bytes b)
{
	static const struct bytes breaks[] = { BYTES_INIT("\r\n"), BYTES_INIT("\r"), BYTES_INIT("\n"), BYTES_INIT("\xc2\x85"),
					       BYTES_INIT("\xe2\x80\xa8"), BYTES_INIT("\xe2\x80\xa9") };

	for (size_t i = 0; i < nelems(breaks); i++)
		if (bytes_starts(b, breaks[i]))
			return breaks[i].len;
	return 0;
}

/* False: there is no more. */
static bool line_cut(struct bytes *rest, struct bytes *line)
{
	size_t end = 0, len = 0;

	if (!rest->len)
		return false;
	while (end < rest->len && !(len = break_at(bytes_from(*rest, end))))
		end++;
	*line = bytes_trim(bytes_sub(*rest, 0, end));
	*rest = bytes_from(*rest, end + len);
	return true;
}

static bool lines_split(struct arena *a, struct bytes text, struct lines *l)
{
	struct bytes rest = text, line;
	size_t n = 0;

	while (line_cut(&rest, &line))
		n++;
	l->at = arena_get(a, n * sizeof *l->at + 1);
	l->taken = arena_get(a, n + 1);
	if (!l->at || !l->taken)
		return false;
	for (rest = text; line_cut(&rest, &line);)
		l->at[l->n++] = line;
	return true;
}

static bool is_comment(struct bytes line)
{
	return line.len && line.at[0] == '#';
}

/* ---- reading ---- */

struct reader {
	struct overrides *o;
	struct lines lines;
	struct err *err;
};

/* The comment lines right above a line, which nothing before has taken. */
static bool take_above(struct reader *r, unsigned line, struct bytes *above)
{
	size_t to = line ? line - 1 : 0, from, len = 0;
	struct text t;

	if (to > r->lines.n)
		to = r->lines.n;
	for (from = to; from > 0 && is_comment(r->lines.at[from - 1]) && !r->lines.taken[from - 1]; from--)
		len += r->lines.at[from - 1].len + 1;
	*above = (struct bytes){ 0 };
	if (from == to)
		return true;
	t = text_over(arena_raw(r->o->arena, len), len);
	if (!t.at)
		return no_memory(r->o, r->err);
	for (size_t i = from; i < to; i++) {
		r->lines.taken[i] = true;
		text_str(&t, i > from ? "\n" : "");
		text_put(&t, r->lines.at[i]);
	}
	*above = text_bytes(&t);
	return true;
}

static struct entry *entry_new(struct overrides *o, const struct yaml_node *like)
{
	struct entry *e = arena_get(o->arena, sizeof *e);

	if (!e)
		return NULL;
	e->node = *like;
	e->node.text = arena_copy(o->arena, like->text.at ? like->text : BYTES(""));
	e->node.where.file = o->name;
	e->node.items = arena_get(o->arena, like->n * sizeof *e->node.items + 1);
	e->node.keys = arena_get(o->arena, like->n * sizeof *e->node.keys + 1);
	return e->node.text.at && e->node.items && e->node.keys ? e : NULL;
}

static struct entry *copy(struct reader *, const struct yaml_node *);

/* The i-th of a mapping or list, with its comment. */
static bool copy_one(struct reader *r, const struct yaml_node *n, size_t i, struct yaml_node *to)
{
	const struct yaml_node *first = n->kind == YAML_MAPPING ? n->keys[i] : n->items[i];
	struct entry *key = n->kind == YAML_MAPPING ? entry_new(r->o, first) : NULL, *item;
	struct bytes above;

	if (n->kind == YAML_MAPPING && !key)
		return no_memory(r->o, r->err);
	if (key && first->text.len > YAML_KEY_MAX)
		return yaml_err(first->where, r->err, "a key of more than %d bytes", YAML_KEY_MAX);
	if (!take_above(r, first->where.line, &above) || !(item = copy(r, n->items[i])))
		return false;
	(key ? key : item)->above = above;
	to->items[i] = &item->node;
	if (key)
		to->keys[i] = &key->node;
	return true;
}

/* With all that is in it. NULL: err. */
static struct entry *copy(struct reader *r, const struct yaml_node *n)
{
	struct entry *e = entry_new(r->o, n);

	if (!e)
		no_memory(r->o, r->err);
	for (size_t i = 0; e && i < n->n; i++)
		if (!copy_one(r, n, i, &e->node))
			return NULL;
	return e;
}

static const struct yaml_node nothing = { .kind = YAML_MAPPING };

static bool read_root(struct reader *r, const struct yaml_doc *d)
{
	const struct yaml_node *root = yaml_root(d, 0);

	if (yaml_count(d) > 1)
		return yaml_err(yaml_root(d, 1)->where, r->err, "a second document (---) is not read here");
	if (!root || yaml_is_empty(root))
		root = &nothing;
	if (root->kind != YAML_MAPPING)
		return yaml_err(root->where, r->err, "%s is not a mapping of keys to values", yaml_kind_word(root->kind));
	r->o->root = copy(r, root);
	return r->o->root;
}

struct overrides *overrides_read(struct arena *a, struct bytes text, const char *name, struct err *e)
{
	struct overrides *o = arena_get(a, sizeof *o);
	struct reader r = { .o = o, .err = e };
	struct yaml_doc *d = NULL;
	bool ok;

	if (!o || !(o->name = arena_str(a, bytes_of(name))) || !lines_split(a, text, &r.lines)) {
		yaml_err((struct where){ name, 1, 1 }, e, "out of memory");
		return NULL;
	}
	o->arena = a;
	if (text.len > OVERRIDES_MAX)
		yaml_err((struct where){ name, 1, 1 }, e, "larger than %d KiB", OVERRIDES_MAX >> 10);
	else
		d = yaml_load(text, name, e);
	ok = d && read_root(&r, d);
	yaml_unload(d);
	return ok ? o : NULL;
}

/* ---- changing ---- */

/* As libyaml gives it for a text that was typed. */
static struct yaml_node scalar(struct bytes text)
{
	return (struct yaml_node){ .kind = YAML_SCALAR, .text = text };
}

static size_t key_at(const struct entry *map, struct bytes key)
{
	size_t i = 0;

	while (i < map->node.n && !bytes_eq(map->node.keys[i]->text, key))
		i++;
	return i;
}

/* Room for one more at the end; the caller fills it. */
static bool grow(struct overrides *o, struct entry *e)
{
	size_t n = e->node.n;
	const struct yaml_node **items = arena_get(o->arena, (n + 1) * sizeof *items);
	const struct yaml_node **keys = arena_get(o->arena, (n + 1) * sizeof *keys);

	if (!items || !keys)
		return false;
	for (size_t i = 0; i < n; i++) {
		items[i] = e->node.items[i];
		keys[i] = e->node.kind == YAML_MAPPING ? e->node.keys[i] : NULL;
	}
	e->node.items = items;
	e->node.keys = keys;
	e->node.n++;
	return true;
}

static bool add_key(struct overrides *o, struct entry *map, struct bytes name, struct entry *value)
{
	struct yaml_node text = scalar(name);
	struct entry *key = entry_new(o, &text);

	if (!key || !value || !grow(o, map))
		return false;
	map->node.keys[map->node.n - 1] = &key->node;
	map->node.items[map->node.n - 1] = &value->node;
	return true;
}

static void take_out(struct entry *e, size_t at)
{
	for (size_t i = at + 1; i < e->node.n; i++) {
		e->node.items[i - 1] = e->node.items[i];
		if (e->node.kind == YAML_MAPPING)
			e->node.keys[i - 1] = e->node.keys[i];
	}
	e->node.n--;
}

/* The note in place of the one that is there. */
static bool sign(struct overrides *o, struct entry *e, struct bytes note)
{
	size_t room = e->above.len + note.len + sizeof "\n# ";
	struct text t = text_over(arena_raw(o->arena, room), room);
	struct bytes rest = e->above, line;

	if (!t.at)
		return false;
	while (rest.len && bytes_cut(&rest, '\n', &line))
		if (!bytes_starts(line, BYTES("# by "))) {
			text_put(&t, line);
			text_byte(&t, '\n');
		}
	text_str(&t, "# ");
	text_put(&t, note);
	e->above = text_bytes(&t);
	return true;
}

/* The value of a key as a container: made where it is not there; of a short form, what it stands for (`kind` a list: one item).
 * NULL: err. */
static struct entry *container(struct overrides *o, struct entry *map, struct bytes key, enum yaml_kind kind, const char *shorthand,
			       struct err *e)
{
	size_t at = key_at(map, key);
	struct entry *have = at < map->node.n ? entry_of(map->node.items[at]) : NULL, *made;

	if (have && have->node.kind == kind)
		return have;
	if (have && !yaml_is_empty(&have->node) && kind == YAML_MAPPING && !shorthand) {
		yaml_err(have->node.where, e, "%.*s: %s is not a mapping", BYTES_ARG(key), yaml_kind_word(have->node.kind));
		return NULL;
	}
	made = entry_new(o, &(struct yaml_node){ .kind = kind });
	if (!made || (!have && !add_key(o, map, key, made))) {
		no_memory(o, e);
		return NULL;
	}
	if (have && !yaml_is_empty(&have->node) && !(kind == YAML_SEQUENCE ? grow(o, made) : add_key(o, made, bytes_of(shorthand), have))) {
		no_memory(o, e);
		return NULL;
	}
	if (have && kind == YAML_SEQUENCE && made->node.n)
		made->node.items[0] = &have->node;
	if (have)
		map->node.items[at] = &made->node;
	return made;
}

static struct entry *app_of(struct overrides *o, struct bytes app, struct err *e)
{
	struct entry *apps = container(o, o->root, BYTES("apps"), YAML_MAPPING, NULL, e);

	if (apps && o->root->node.n == 1 && !entry_of(o->root->node.keys[0])->above.len)
		entry_of(o->root->node.keys[0])->above = bytes_of(head);
	return apps ? container(o, apps, app, YAML_MAPPING, NULL, e) : NULL;
}

static const struct schema_table *table_of(const struct schema_table *t, struct bytes key)
{
	for (size_t i = 0; t && i < t->n; i++)
		if (t->rows[i].key && bytes_eq(key, bytes_of(t->rows[i].key)))
			return t->rows[i].table;
	return NULL;
}

/* Takes a key out, and then what that leaves empty. True: the first one is out of the map. */
static bool unset(struct entry *map, struct bytes path)
{
	struct bytes key;
	bool last = !bytes_cut(&path, '.', &key) || !path.len;
	size_t at = key_at(map, key);
	struct entry *value = at < map->node.n ? entry_of(map->node.items[at]) : NULL;

	if (!value || (!last && value->node.kind != YAML_MAPPING))
		return false;
	if (!last && (!unset(value, path) || value->node.n))
		return false;
	take_out(map, at);
	return true;
}

/* An app of which nothing is changed any more. */
static void prune(struct overrides *o, struct bytes app)
{
	struct entry *apps = entry_of(o->root->node.items[key_at(o->root, BYTES("apps"))]);
	size_t at = key_at(apps, app);

	if (at < apps->node.n && !apps->node.items[at]->n)
		take_out(apps, at);
}

static struct entry *bring(struct overrides *o, const struct yaml_node *value, struct err *e)
{
	struct reader r = { .o = o, .err = e };

	return copy(&r, value);
}

bool overrides_set(struct overrides *o, struct bytes app, const char *path, const struct yaml_node *value, struct bytes note,
		   struct err *e)
{
	const struct schema_table *table = &config_app_table;
	struct entry *map = app_of(o, app, e), *new = map && value ? bring(o, value, e) : NULL;
	struct bytes rest = bytes_of(path), key = rest;
	size_t at;

	if (map && !value) {
		unset(map, rest);
		prune(o, app);
		return true;
	}
	while (map && new && bytes_cut(&rest, '.', &key) && rest.len) {
		table = table_of(table, key);
		map = container(o, map, key, YAML_MAPPING, table ? table->shorthand : NULL, e);
	}
	if (!map || !new)
		return false;
	at = key_at(map, key);
	if (at == map->node.n && !add_key(o, map, key, new))
		return no_memory(o, e);
	map->node.items[at] = &new->node;
	return sign(o, entry_of(map->node.keys[at]), note) || no_memory(o, e);
}

bool overrides_add(struct overrides *o, struct bytes app, const char *list, const struct yaml_node *value, struct bytes note,
		   struct err *e)
{
	struct entry *map = app_of(o, app, e);
	struct entry *all = map ? container(o, map, bytes_of(list), YAML_SEQUENCE, NULL, e) : NULL;
	struct entry *new = all ? bring(o, value, e) : NULL;

	if (!new)
		return false;
	if (!grow(o, all))
		return no_memory(o, e);
	all->node.items[all->node.n - 1] = &new->node;
	return sign(o, new, note) || no_memory(o, e);
}

bool overrides_drop(struct overrides *o, struct bytes app, const char *list, unsigned line, struct err *e)
{
	struct entry *map = app_of(o, app, e);
	struct entry *all = map ? container(o, map, bytes_of(list), YAML_SEQUENCE, NULL, e) : NULL;

	for (size_t i = 0; all && i < all->node.n; i++) {
		if (all->node.items[i]->where.line != line)
			continue;
		take_out(all, i);
		if (!all->node.n)
			unset(map, bytes_of(list));
		prune(o, app);
		return true;
	}
	return all && yaml_err((struct where){ o->name, line, 1 }, e, "no entry of `%s` begins here", list);
}

/* ---- printing ---- */

static struct bytes above_of(const struct yaml_node *n)
{
	return entry_of(n)->above;
}

struct bytes overrides_print(struct arena *a, const struct overrides *o)
{
	struct bytes b = yaml_print(a, &o->root->node, above_of);

	return b.len > OVERRIDES_MAX ? (struct bytes){ 0 } : b;
}

struct bytes overrides_note(struct arena *a, struct bytes by, uint64_t wall_ms)
{
	size_t room = 4 * by.len + 64;
	struct text t = text_over(arena_raw(a, room), room);

	if (!t.at)
		return (struct bytes){ 0 };
	text_str(&t, "by ");
	text_plain(&t, by);
	text_str(&t, ", ");
	clock_rfc3339(&t, wall_ms);
	return text_bytes(&t);
}

void overrides_maker(struct bytes text, unsigned line, struct bytes *by, struct bytes *made)
{
	struct bytes rest = text, at, last = { 0 };

	*by = *made = (struct bytes){ 0 };
	for (unsigned i = 1; i < line && line_cut(&rest, &at); i++)
		last = !is_comment(at) ? (struct bytes){ 0 } : bytes_starts(at, BYTES("# by ")) || !last.at ? at : last;
	if (!bytes_starts(last, BYTES("# by ")))
		return;
	last = bytes_from(last, strlen("# by "));
	for (size_t i = last.len; i-- > 0;)
		if (bytes_starts(bytes_from(last, i), BYTES(", "))) {
			*by = bytes_sub(last, 0, i);
			*made = bytes_from(last, i + 2);
			return;
		}
}
