/* yaml_print.c -- a tree as text, in one form: blocks by two blanks, lists of short texts in brackets, and quotes only where
 * a reader could take a text for something else. */
#include "base/text.h"
#include "base/yaml.h"

enum { FIRST_ROOM = 64 << 10, ROOM_MAX = 64 << 20, LINE = 100, STEP = 2 };

struct printer {
	struct text out;
	struct bytes (*above)(const struct yaml_node *);
	bool failed;
};

/* ---- scalars ---- */

static bool is_plain(struct bytes b, bool in_list)
{
	for (size_t i = 0; i < b.len; i++) {
		char c = b.at[i], l = byte_lower(c);
		bool letter = (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '/' || c == '_';

		if (letter || (i > 0 && strchr(".-+%@=*~", c) && c))
			continue;
		if (c != ':' || in_list || i == 0 || i + 1 == b.len)
			return false;
	}
	return b.len > 0;
}

static void put_escape(struct text *t, uint32_t c)
{
	if (c == '"' || c == '\\')
		text_printf(t, "\\%c", (char)c);
	else if (c == '\n')
		text_str(t, "\\n");
	else if (c == '\t')
		text_str(t, "\\t");
	else
		text_printf(t, c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x", c);
}

/* A reader has checked that it is UTF-8. */
static uint32_t point_at(struct bytes b, size_t *len)
{
	unsigned char first = (unsigned char)b.at[0];
	uint32_t c = first;

	*len = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (*len > b.len)
		*len = b.len;
	if (*len > 1)
		c = first & (0x7fU >> *len);
	for (size_t i = 1; i < *len; i++)
		c = c << 6 | ((unsigned char)b.at[i] & 0x3f);
	return c;
}

/* What would break a line, or is not to be seen. */
static bool needs_escape(uint32_t c)
{
	return c < 0x20 || c == '"' || c == '\\' || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029 || c == 0xfeff ||
	       (c >= 0xd800 && c < 0xe000) || c == 0xfffe || c == 0xffff;
}

static void put_quoted(struct text *t, struct bytes b)
{
	text_byte(t, '"');
	while (b.len) {
		size_t len;
		uint32_t c = point_at(b, &len);

		if (needs_escape(c))
			put_escape(t, c);
		else
			text_put(t, bytes_sub(b, 0, len));
		b = bytes_from(b, len);
	}
	text_byte(t, '"');
}

static void put_scalar(struct printer *p, const struct yaml_node *n, bool in_list)
{
	if (is_plain(n->text, in_list))
		text_put(&p->out, n->text);
	else if (!yaml_is_empty(n))
		put_quoted(&p->out, n->text);
}

/* ---- mappings and lists ---- */

static void put_indent(struct printer *p, unsigned indent)
{
	while (indent-- > 0)
		text_byte(&p->out, ' ');
}

static bool has_comment(const struct printer *p, const struct yaml_node *n)
{
	return p->above && p->above(n).len;
}

static void put_above(struct printer *p, const struct yaml_node *n, unsigned indent)
{
	struct bytes rest = p->above ? p->above(n) : (struct bytes){ 0 }, line;

	while (rest.len && bytes_cut(&rest, '\n', &line)) {
		put_indent(p, indent);
		text_put(&p->out, line);
		text_byte(&p->out, '\n');
	}
}

static bool fits_brackets(const struct printer *p, const struct yaml_node *list)
{
	size_t len = 0;

	for (size_t i = 0; i < list->n; i++) {
		const struct yaml_node *n = list->items[i];

		len += n->text.len + 2;
		if (n->kind != YAML_SCALAR || yaml_is_empty(n) || has_comment(p, n) || len > LINE)
			return false;
	}
	return true;
}

static void put_value(struct printer *, const struct yaml_node *, unsigned indent);

static void put_key(struct printer *p, const struct yaml_node *map, size_t i, unsigned indent)
{
	const struct yaml_node *key = map->keys[i];

	if (key->text.len > YAML_KEY_MAX)
		p->failed = true;
	if (is_plain(key->text, false))
		text_put(&p->out, key->text);
	else
		put_quoted(&p->out, key->text);
	text_byte(&p->out, ':');
	put_value(p, map->items[i], indent + STEP);
}

/* The keys from the one at `from`. */
static void put_keys(struct printer *p, const struct yaml_node *map, size_t from, unsigned indent)
{
	for (size_t i = from; i < map->n; i++) {
		put_above(p, map->keys[i], indent);
		put_indent(p, indent);
		put_key(p, map, i, indent);
	}
}

static bool is_block(const struct printer *p, const struct yaml_node *n)
{
	return n->n && (n->kind == YAML_MAPPING || !fits_brackets(p, n));
}

/* What is in an item stands in its line: a reader knows it by that line. `inside`: so does the first one here. */
static void put_items(struct printer *p, const struct yaml_node *list, unsigned indent, bool inside)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct yaml_node *n = list->items[i];

		if (i > 0 || !inside) {
			put_above(p, n, indent);
			put_indent(p, indent);
		}
		text_byte(&p->out, '-');
		if (!is_block(p, n)) {
			put_value(p, n, indent + STEP);
			continue;
		}
		text_byte(&p->out, ' ');
		if (n->kind == YAML_SEQUENCE) {
			put_items(p, n, indent + STEP, true);
		} else {
			put_key(p, n, 0, indent + STEP);
			put_keys(p, n, 1, indent + STEP);
		}
	}
}

static void put_brackets(struct printer *p, const struct yaml_node *list)
{
	text_str(&p->out, " [");
	for (size_t i = 0; i < list->n; i++) {
		text_str(&p->out, i ? ", " : "");
		put_scalar(p, list->items[i], true);
	}
	text_str(&p->out, "]\n");
}

/* What follows "key:" or "-". */
static void put_value(struct printer *p, const struct yaml_node *n, unsigned indent)
{
	if (n->kind == YAML_SCALAR) {
		text_str(&p->out, yaml_is_empty(n) ? "" : " ");
		put_scalar(p, n, false);
		text_byte(&p->out, '\n');
	} else if (is_block(p, n)) {
		text_byte(&p->out, '\n');
		if (n->kind == YAML_SEQUENCE)
			put_items(p, n, indent, false);
		else
			put_keys(p, n, 0, indent);
	} else if (n->kind == YAML_SEQUENCE) {
		put_brackets(p, n);
	} else {
		text_str(&p->out, " {}\n");
	}
}

static bool print(struct printer *p, const struct yaml_node *map, size_t room)
{
	char *at = malloc(room);

	p->out = text_over(at, room);
	p->failed = !at;
	if (at && map->n)
		put_keys(p, map, 0, 0);
	else if (at)
		text_str(&p->out, "{}\n");
	return !p->failed && !p->out.full;
}

struct bytes yaml_print(struct arena *a, const struct yaml_node *map, struct bytes (*above)(const struct yaml_node *))
{
	struct printer p = { .above = above };
	struct bytes out = { 0 };
	bool done = false;

	for (size_t room = FIRST_ROOM; !done && room <= ROOM_MAX; room *= 4) {
		if (print(&p, map, room))
			out = arena_copy(a, text_bytes(&p.out));
		done = p.failed || !p.out.full;
		free(p.out.at);
	}
	return out;
}
