/* schema_type.h -- for those who write a type or a hook of a schema.
 *
 * A type is a const struct of at most three functions; a hook of a table
 * fills in what depends on several keys, and checks it. */
#ifndef BASE_SCHEMA_TYPE_H
#define BASE_SCHEMA_TYPE_H
#include "base/arena.h"
#include "base/schema.h"

/* One reading. The caller sets the first three; path starts zeroed. */
struct schema {
	struct arena *arena;
	struct err *err;
	void *user;     /* for the hooks of tables */
	char path[192]; /* "apps.shop.limits[0]"; cut when longer */
	size_t path_len;
};

/* How a kind of value is written: by number() when it is one, else by read(). */
struct schema_type {
	const char *name; /* in the manual: "duration" */
	const char *want; /* after "'5x' is not ": "a duration; write for example 250ms or 1h30m" */
	const char *json; /* members of its JSON Schema */
	bool (*number)(struct bytes, uint64_t *);
	void (*show)(char *out, size_t cap, uint64_t); /* and back, for bounds */
	/* The value goes to *out, a second one (a count, a period) to *also.
	 * Reports its own errors, by schema_err or schema_not. */
	bool (*read)(struct schema *, const struct schema_row *, const struct yaml_node *,
		     void *out, void *also);
};

/* For hooks and types: "file:line:column: path: fmt"; false. */
bool schema_err(struct schema *, const struct yaml_node *, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* "'5x' is not " and what the type wants; false. */
bool schema_not(struct schema *, const struct schema_type *, const struct yaml_node *);
/* The value under `key`, or `node` itself where shorthand was written. */
const struct yaml_node *schema_at(const struct yaml_node *, const char *key);
/* `path` as seen from the directory of the file that `node` stands in; NULL past the cap. */
const char *schema_resolve(struct arena *, const struct yaml_node *, struct bytes path);
/* The nearest of n names, or NULL when none is near enough for "did you mean". */
const char *schema_nearest(struct bytes word, const char *const *names, size_t n);
#endif
