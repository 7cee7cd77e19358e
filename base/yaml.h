/* yaml.h -- YAML documents as a tree in which every node knows its place.
 *
 * A smaller YAML than the standard's, without its traps. A scalar stays the
 * text that was written: `off`, `no`, `1e3` and `1.20` mean nothing until a
 * reader asks for a type. Keys are scalars and stand once in a mapping.
 * Anchors, aliases, merge keys (`<<`) and tags are refused, so a small file
 * cannot become a large tree; size, depth and number of nodes are bounded.
 *
 * A file may hold several documents (`---`). A doc owns everything in it:
 * nodes, text and the file name in each place. */
#ifndef BASE_YAML_H
#define BASE_YAML_H
#include "base/arena.h"
#include "base/err.h"

enum {
	YAML_MAX_BYTES = 4 << 20,  /* of one file */
	YAML_MAX_NODES = 200000,   /* of all documents of a file */
	YAML_MAX_DEPTH = 32,       /* of mappings and sequences in each other */
};

/* Line and column count from 1, columns in characters. Line 0: `file` is the
 * name of an option of the command line. */
struct where {
	const char *file;
	unsigned line, column;
};

enum yaml_kind { YAML_SCALAR, YAML_SEQUENCE, YAML_MAPPING };

struct yaml_node {
	enum yaml_kind kind;
	bool quoted;       /* a scalar in quotes or as a block (`|`, `>`) */
	struct where where;
	struct bytes text; /* of a scalar; a NUL stands behind it */
	size_t n;
	const struct yaml_node **items; /* sequence: its n items; mapping: the n values */
	const struct yaml_node **keys;  /* mapping: keys[i] names items[i] */
};

struct yaml_doc;

/* NULL with an error that starts with "name:line:column: ". The name is copied. */
struct yaml_doc *yaml_load(struct bytes text, const char *name, struct err *);
/* Regular files only; what cannot be opened is an error at 1:1. */
struct yaml_doc *yaml_load_file(const char *path, struct err *);
/* How many documents: 0 for a file of nothing but comments. */
size_t yaml_count(const struct yaml_doc *);
const struct yaml_node *yaml_root(const struct yaml_doc *, size_t i);
/* The bytes that were read, and under which name. */
struct bytes yaml_source(const struct yaml_doc *);
const char *yaml_name(const struct yaml_doc *);
/* NULL is allowed. (libyaml exports a yaml_free of its own.) */
void yaml_unload(struct yaml_doc *);

/* The value of a key; NULL when there is none or `map` is no mapping. */
const struct yaml_node *yaml_get(const struct yaml_node *map, const char *key);
/* A plain scalar without text: what `key:` leaves when nothing follows. */
bool yaml_is_empty(const struct yaml_node *);
const char *yaml_kind_word(enum yaml_kind); /* "a text", "a list", "a mapping" */

enum { YAML_KEY_MAX = 128 }; /* bytes of a key that is printed: a longer one may not read back */
/* A mapping in the one form that we write; it reads back the same, but that a scalar may have been quoted. `above` (NULL: none)
 * gives the comment lines above a key or an item: "# ...", apart by LF. at == NULL: out of memory, or a key is too long. */
struct bytes yaml_print(struct arena *, const struct yaml_node *, struct bytes (*above)(const struct yaml_node *));

/* Sets "file:line:column: fmt" (SIDE_CONFIG), on one line; returns false.
 * Show a value of the input by "%.*s" and YAML_SHOWN, which cuts long ones. */
bool yaml_err(struct where, struct err *, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
#define YAML_SHOWN(b) (int)((b).len > 48 ? 48 : (b).len), (b).at ? (b).at : ""
#endif
