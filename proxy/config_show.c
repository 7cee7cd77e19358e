/* config_show.c -- the configuration that is in use, for others to read: YAML without comments and without secrets.
 *
 * Secrets are named, not written, in this language (env:, file:, cred:); what is taken out here is what someone
 * wrote all the same, and what URLs carry: a password, a query, a webhook's whole path. */
#include "proxy/config.h"
#include "base/yaml.h"

static bool is_secret_key(struct bytes key)
{
	static const char *const words[] = { "password", "secret", "token", "passphrase", "credential" };

	for (size_t i = 0; i < nelems(words); i++)
		if (bytes_find_nocase(key, bytes_of(words[i])) != SIZE_MAX)
			return true;
	return bytes_eq(key, BYTES("key"));
}

static bool is_named(struct bytes value)
{
	return bytes_starts(value, BYTES("env:")) || bytes_starts(value, BYTES("file:")) || bytes_starts(value, BYTES("cred:"));
}

#define OUT "(taken out)"

struct showing { struct text *t; bool bare; /* of a URL only the host */ };

/* `rest` begins behind "://". */
static void put_url(const struct showing *s, struct bytes scheme, struct bytes rest)
{
	char room[2048];
	struct text clean = text_over(room, sizeof room);
	struct bytes host = bytes_sub(rest, 0, bytes_index(rest, '/'));
	size_t at = bytes_index(host, '@'), query = bytes_index(rest, '?');

	text_put(&clean, scheme);
	if (at != SIZE_MAX) {
		text_str(&clean, OUT "@");
		rest = bytes_from(rest, at + 1);
		host = bytes_from(host, at + 1);
		query = bytes_index(rest, '?');
	}
	text_put(&clean, s->bare ? host : bytes_sub(rest, 0, query));
	if (s->bare ? host.len < rest.len : query != SIZE_MAX)
		text_str(&clean, s->bare ? "/" OUT : "?" OUT);
	text_json(s->t, clean.full ? BYTES(OUT) : text_bytes(&clean));
}

static void put_scalar(const struct showing *s, struct bytes key, struct bytes value)
{
	size_t url = bytes_find(value, BYTES("://"));

	if (is_secret_key(key) && value.len && !is_named(value))
		text_json(s->t, BYTES(OUT));
	else if (url != SIZE_MAX)
		put_url(s, bytes_sub(value, 0, url + 3), bytes_from(value, url + 3));
	else
		text_json(s->t, value);
}

/* In the flow style below the first two levels: a line a thing. */
static void put_node(const struct showing *s, struct bytes key, const struct yaml_node *n)
{
	if (n->kind == YAML_SCALAR) {
		if (!yaml_is_empty(n))
			put_scalar(s, key, n->text);
		return;
	}
	text_byte(s->t, n->kind == YAML_MAPPING ? '{' : '[');
	for (size_t i = 0; i < n->n; i++) {
		text_str(s->t, i ? ", " : "");
		if (n->kind == YAML_MAPPING) {
			text_json(s->t, n->keys[i]->text);
			text_str(s->t, ": ");
		}
		put_node(s, n->kind == YAML_MAPPING ? n->keys[i]->text : key, n->items[i]);
	}
	text_byte(s->t, n->kind == YAML_MAPPING ? '}' : ']');
}

static void put_lines(const struct showing *s, const struct yaml_node *map, unsigned depth)
{
	for (size_t i = 0; i < map->n; i++) {
		const struct showing of = { s->t, s->bare || (depth == 0 && bytes_eq(map->keys[i]->text, BYTES("notify"))) };
		bool deeper = depth < 2 && map->items[i]->kind == YAML_MAPPING && map->items[i]->n;

		text_printf(s->t, "%*s", (int)(2 * depth), "");
		text_json(s->t, map->keys[i]->text);
		text_str(s->t, deeper ? ":\n" : ": ");
		if (deeper) {
			put_lines(&of, map->items[i], depth + 1);
			continue;
		}
		put_node(&of, map->keys[i]->text, map->items[i]);
		text_byte(s->t, '\n');
	}
}

void config_show(const struct config *c, struct text *t)
{
	if (c->root)
		put_lines(&(struct showing){ t, false }, c->root, 0);
	else
		text_str(t, "# made from options of the command line\n");
}
