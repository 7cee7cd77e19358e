/* yaml_build.c -- the events of libyaml, built into a tree.
 *
 * The builder is a loop over events with a stack of the containers that are
 * open, so depth is a bound and not a matter of the C stack. */
#include "base/yaml_doc.h"
#include <yaml.h>

struct open {
	struct yaml_node *node;
	size_t cap, key_cap;
	const struct yaml_node *key; /* of a mapping: waits for its value */
};

struct builder {
	struct yaml_doc *doc;
	struct err *err;
	struct open stack[YAML_MAX_DEPTH];
	unsigned depth;
};

static struct where place(const struct yaml_doc *d, yaml_mark_t m)
{
	return (struct where){ d->name, (unsigned)m.line + 1, (unsigned)m.column + 1 };
}

static bool too_large(struct where w, struct err *e)
{
	return yaml_err(w, e, "too large: more than %d values", YAML_MAX_NODES);
}

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

static bool attach_key(struct builder *b, struct open *o, const struct yaml_node *key)
{
	if (key->kind != YAML_SCALAR)
		return yaml_err(key->where, b->err, "a key must be a text, not %s",
				yaml_kind_word(key->kind));
	if (!key->quoted && bytes_eq(key->text, BYTES("<<")))
		return yaml_err(key->where, b->err, "merge keys (<<) are not allowed");
	o->key = key;
	if (!push(b->doc->arena, &o->node->keys, o->node->n, &o->key_cap, key))
		return too_large(key->where, b->err);
	return true;
}

/* Puts a new node where it belongs: as root, item, key or value. */
static bool attach(struct builder *b, const struct yaml_node *n)
{
	struct open *o = b->depth ? &b->stack[b->depth - 1] : NULL;
	struct yaml_doc *d = b->doc;

	if (!o) {
		if (!push(d->arena, &d->roots, d->nroots, &d->cap, n))
			return too_large(n->where, b->err);
		d->nroots++;
		return true;
	}
	if (o->node->kind == YAML_MAPPING && !o->key)
		return attach_key(b, o, n);
	if (!push(d->arena, &o->node->items, o->node->n, &o->cap, n))
		return too_large(n->where, b->err);
	o->node->n++;
	o->key = NULL;
	return true;
}

static struct yaml_node *node_new(struct builder *b, enum yaml_kind kind, yaml_mark_t at)
{
	struct yaml_node *n = NULL;

	if (b->doc->nodes < YAML_MAX_NODES && (n = arena_get(b->doc->arena, sizeof *n))) {
		b->doc->nodes++;
		*n = (struct yaml_node){ .kind = kind, .where = place(b->doc, at) };
	} else {
		too_large(place(b->doc, at), b->err);
	}
	return n;
}

static bool on_scalar(struct builder *b, const yaml_event_t *ev)
{
	struct bytes text = { (const char *)ev->data.scalar.value, ev->data.scalar.length };
	struct yaml_node *n = node_new(b, YAML_SCALAR, ev->start_mark);

	if (!n)
		return false;
	n->quoted = ev->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
	n->text = arena_copy(b->doc->arena, text);
	if (!n->text.at)
		return too_large(n->where, b->err);
	return attach(b, n);
}

static bool on_open(struct builder *b, enum yaml_kind kind, const yaml_event_t *ev)
{
	struct yaml_node *n = node_new(b, kind, ev->start_mark);

	if (!n || !attach(b, n))
		return false;
	if (b->depth == YAML_MAX_DEPTH)
		return yaml_err(n->where, b->err, "nested more than %d deep", YAML_MAX_DEPTH);
	b->stack[b->depth++] = (struct open){ .node = n };
	return true;
}

/* By text, then by place: the repeated one follows the one it repeats. */
static int key_order(const void *pa, const void *pb)
{
	const struct yaml_node *const *pka = pa, *const *pkb = pb;
	const struct where *a = &(*pka)->where, *b = &(*pkb)->where;
	int d = bytes_cmp((*pka)->text, (*pkb)->text);

	if (d == 0)
		d = (a->line > b->line) - (a->line < b->line);
	return d ? d : (a->column > b->column) - (a->column < b->column);
}

/* Sorted, so that a mapping of a hundred thousand keys costs no square. */
static bool keys_differ(struct builder *b, const struct yaml_node *map)
{
	const struct yaml_node **keys;

	if (map->n < 2)
		return true;
	keys = arena_get(b->doc->arena, map->n * sizeof *keys);
	if (!keys)
		return too_large(map->where, b->err);
	memcpy(keys, map->keys, map->n * sizeof *keys);
	qsort(keys, map->n, sizeof *keys, key_order);
	for (size_t i = 1; i < map->n; i++)
		if (bytes_eq(keys[i]->text, keys[i - 1]->text))
			return yaml_err(keys[i]->where, b->err,
					"key '%.*s' is there twice, first in line %u",
					YAML_SHOWN(keys[i]->text), keys[i - 1]->where.line);
	return true;
}

static bool on_close(struct builder *b)
{
	const struct yaml_node *n = b->stack[--b->depth].node;

	return n->kind != YAML_MAPPING || keys_differ(b, n);
}

/* Who writes `path: *.php` means a text. */
static bool alias_err(struct err *e, struct where w)
{
	return yaml_err(w, e, "a text that starts with * needs quotes (aliases are not allowed)");
}

static bool refuse_anchor(struct builder *b, const yaml_event_t *ev, const yaml_char_t *anchor)
{
	return !anchor || yaml_err(place(b->doc, ev->start_mark), b->err,
				   "a text that starts with & needs quotes (anchors are not allowed: %.*s)",
				   YAML_SHOWN(bytes_of((const char *)anchor)));
}

static bool refuse_tag(struct builder *b, const yaml_event_t *ev, const yaml_char_t *tag)
{
	return !tag || yaml_err(place(b->doc, ev->start_mark), b->err,
				"tags are not allowed (%.*s)",
				YAML_SHOWN(bytes_of((const char *)tag)));
}

static bool on_event(struct builder *b, const yaml_event_t *ev)
{
	switch (ev->type) {
	case YAML_ALIAS_EVENT:
		return alias_err(b->err, place(b->doc, ev->start_mark));
	case YAML_SCALAR_EVENT:
		return refuse_anchor(b, ev, ev->data.scalar.anchor) &&
		       refuse_tag(b, ev, ev->data.scalar.tag) && on_scalar(b, ev);
	case YAML_SEQUENCE_START_EVENT:
		return refuse_anchor(b, ev, ev->data.sequence_start.anchor) &&
		       refuse_tag(b, ev, ev->data.sequence_start.tag) &&
		       on_open(b, YAML_SEQUENCE, ev);
	case YAML_MAPPING_START_EVENT:
		return refuse_anchor(b, ev, ev->data.mapping_start.anchor) &&
		       refuse_tag(b, ev, ev->data.mapping_start.tag) &&
		       on_open(b, YAML_MAPPING, ev);
	case YAML_SEQUENCE_END_EVENT:
	case YAML_MAPPING_END_EVENT:
		return on_close(b);
	default:
		return true; /* starts and ends of the stream and of documents */
	}
}

/* The reader knows only a byte offset where the bytes are no UTF-8. */
static struct where place_of_offset(const struct yaml_doc *d, size_t offset)
{
	struct where w = { d->name, 1, 1 };

	for (size_t i = 0; i < offset && i < d->source.len; i++) {
		unsigned char c = (unsigned char)d->source.at[i];

		if (c == '\n') {
			w.line++;
			w.column = 1;
		} else if ((c & 0xc0) != 0x80) {
			w.column++;
		}
	}
	return w;
}

/* The mark counts characters. */
static char char_at(const struct yaml_doc *d, yaml_mark_t m)
{
	size_t at = 0;

	for (size_t i = 0; i < d->source.len; i++)
		if (((unsigned char)d->source.at[i] & 0xc0) != 0x80 && at++ == m.index)
			return d->source.at[i];
	return '\0';
}

/* The hint is for `[:80, :443]`, where libyaml's own words would puzzle. */
static bool parser_err(const struct yaml_doc *d, const yaml_parser_t *p, struct err *e)
{
	const char *problem = p->problem ? p->problem : "not YAML";
	bool colon = !strcmp(problem, "did not find expected node content") &&
		     char_at(d, p->problem_mark) == ':';
	const char *hint = colon ? " (a text that starts with : needs quotes here)" : "";

	if (p->error == YAML_MEMORY_ERROR)
		return yaml_err((struct where){ d->name, 1, 1 }, e, "out of memory");
	if (p->error == YAML_READER_ERROR)
		return yaml_err(place_of_offset(d, p->problem_offset), e, "%s", problem);
	if (p->context && strstr(p->context, "scanning an alias"))
		return alias_err(e, place(d, p->context_mark));
	if (p->context && p->context_mark.line != p->problem_mark.line)
		return yaml_err(place(d, p->problem_mark), e, "%s %s that starts in line %u%s",
				problem, p->context, (unsigned)p->context_mark.line + 1, hint);
	if (p->context)
		return yaml_err(place(d, p->problem_mark), e, "%s %s%s", problem, p->context, hint);
	return yaml_err(place(d, p->problem_mark), e, "%s", problem);
}

static bool run_parser(struct builder *b, yaml_parser_t *p)
{
	yaml_event_t ev;
	bool ok, end;

	do {
		if (!yaml_parser_parse(p, &ev))
			return parser_err(b->doc, p, b->err);
		ok = on_event(b, &ev);
		end = ev.type == YAML_STREAM_END_EVENT;
		yaml_event_delete(&ev);
	} while (ok && !end);
	return ok;
}

/* libyaml compares each %TAG with all before it: 4 MiB of them take minutes. */
static bool few_directives(const struct yaml_doc *d, struct err *e)
{
	enum { MAX_DIRECTIVES = 100 };
	size_t from = 0, at;

	for (unsigned n = 0; (at = bytes_find(bytes_from(d->source, from), BYTES("%TAG"))) != SIZE_MAX; n++) {
		from += at + strlen("%TAG");
		if (n == MAX_DIRECTIVES)
			return yaml_err(place_of_offset(d, from - strlen("%TAG")), e,
					"more than %d times %%TAG", MAX_DIRECTIVES);
	}
	return true;
}

bool yaml_build(struct yaml_doc *d, struct err *e)
{
	struct builder b = { .doc = d, .err = e };
	yaml_parser_t p;
	bool ok;

	if (!few_directives(d, e))
		return false;
	if (!yaml_parser_initialize(&p))
		return yaml_err((struct where){ d->name, 1, 1 }, e, "out of memory");
	yaml_parser_set_encoding(&p, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&p, (const unsigned char *)d->source.at, d->source.len);
	ok = run_parser(&b, &p);
	yaml_parser_delete(&p);
	return ok;
}
