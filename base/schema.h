/* schema.h -- a table says how a YAML mapping becomes a struct.
 *
 * A row names a key, the type of its value, the field that takes it, bounds,
 * the default as one would write it, and help. Reading, errors with "did you
 * mean", the manual and the JSON Schema all come from the rows. Unknown keys
 * are errors; reserved ones say 'not built yet'; nothing is ignored.
 *
 * Slices that are read point into the YAML doc, which must live as long. */
#ifndef BASE_SCHEMA_H
#define BASE_SCHEMA_H
#include "base/yaml.h"
#include <stdio.h>

struct schema;       /* one reading: base/schema_type.h */
struct schema_type;
struct schema_table;

extern const struct schema_type schema_bool, schema_int, schema_size, schema_duration,
	schema_date,     /* "2026-12-31": the second at which that day (UTC) is over */
	schema_enum,     /* one of the row's words */
	schema_rate,     /* "5/min": count, and the period in ms */
	schema_text,     /* struct bytes; not empty, no control characters */
	schema_path,     /* const char *; relative to the directory of the file it stands in */
	schema_secret,   /* const char *; env:NAME, file:PATH or cred:NAME, never the secret itself */
	schema_nets,     /* struct ip_net * and their number; also `private`, `cloudflare`, ... */
	schema_nested,   /* a mapping read by the row's table */
	schema_reserved, /* a key that is known and not built yet */
	/* Two that are no keys: */
	schema_place,    /* struct where: where the value stands */
	schema_name;     /* struct bytes: under which key of a SCHEMA_MAP it stands */

struct schema_word {
	const char *word;
	uint64_t value;
	bool reserved; /* not built yet */
};

/* A list of one may be written without its brackets. */
enum schema_many { SCHEMA_ONE, SCHEMA_LIST, SCHEMA_MAP };

struct schema_row {
	const char *key;
	const struct schema_type *type;
	enum schema_many many;
	size_t at, size; /* the field: its offset, bytes of it (of one item); size 0: checked, not kept */
	size_t also;     /* offset of the second field; of a list or map: of its size_t count */
	const struct schema_table *table;
	const struct schema_word *words; /* ends with word NULL; beside the type's own values */
	uint64_t min, max;               /* in the unit of the field; of a text: bytes; 0: none */
	const char *unset;               /* the default, as written (a list: with commas); NULL: zeros */
	bool needed;
	bool inherits; /* left as it is when the key is absent: no defaults of a nested table */
	const char *help;
};

#define SCHEMA_FIELD(s, f) .at = offsetof(struct s, f), .size = sizeof(((struct s *)0)->f)
#define SCHEMA_FIELDS(s, f, second) SCHEMA_FIELD(s, f), .also = offsetof(struct s, second)
#define SCHEMA_ITEMS(s, f, n) \
	.many = SCHEMA_LIST, .at = offsetof(struct s, f), .size = sizeof(*((struct s *)0)->f), \
	.also = offsetof(struct s, n)
#define SCHEMA_NAMED(s, f, n) \
	.many = SCHEMA_MAP, .at = offsetof(struct s, f), .size = sizeof(*((struct s *)0)->f), \
	.also = offsetof(struct s, n)

struct schema_table {
	const char *name; /* heading in the manual, name in the JSON Schema */
	const char *help;
	const struct schema_row *rows;
	size_t n;
	const char *shorthand; /* the key that a value which is no mapping is for; NULL: none */
	bool (*begin)(struct schema *, const struct yaml_node *, void *out); /* after the defaults */
	bool (*end)(struct schema *, const struct yaml_node *, void *out);   /* after the keys */
};

/* Defaults, then the keys of `node`, into *out (zeroed by the caller). What
 * is not in the doc itself comes from the arena; `user` is for the hooks. */
bool schema_read(struct schema *, const struct schema_table *, const struct yaml_node *, void *out);
void schema_print_manual(FILE *, const struct schema_table *); /* Markdown: a section a table */
void schema_print_json(FILE *, const struct schema_table *, const char *title); /* JSON Schema */
#endif
