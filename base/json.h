/* json.h -- JSON that others answer with, as a tree.
 *
 * For small documents whose shape we know: a provider's answer, a decision of a
 * LAPI. Read strictly (one value, UTF-8, no key twice, no NUL in a text) and within
 * the caller's bounds. A path names a value: keys, and places in lists, between
 * dots ("error-codes.0"); what is not there, or of another kind, is simply not
 * found. Bodies that are inspected have a reader of their own (rules/body). */
#ifndef BASE_JSON_H
#define BASE_JSON_H
#include "base/bytes.h"
#include "base/err.h"

struct json;

struct json_limits {
	size_t bytes;
	unsigned depth; /* of lists and objects in each other, the outermost included */
};

/* NULL: err (SIDE_UPSTREAM) with the line, or what bound it broke. */
struct json *json_read(struct bytes, const struct json_limits *, struct err *);
void json_free(struct json *); /* NULL is allowed; only what json_read() gave */

/* Values live as long as the document. "" is the value itself; NULL: not there. */
const struct json *json_at(const struct json *, const char *path);
bool json_text(const struct json *, const char *path, struct bytes *out); /* ends in NUL, not counted */
bool json_flag(const struct json *, const char *path, bool *out);
bool json_number(const struct json *, const char *path, int64_t *out); /* whole ones only */
bool json_decimal(const struct json *, const char *path, double *out); /* any number */
size_t json_length(const struct json *, const char *path); /* of a list; 0 for all else */
const struct json *json_item(const struct json *list, size_t i); /* NULL: no list, or not so long */
bool json_of_list(const struct json *);
bool json_of_object(const struct json *);
bool json_of_null(const struct json *);
/* The keys of an object, in the document's order, until `each` says false; of all else none. False: it did. */
bool json_keys(const struct json *object, bool (*each)(void *ctx, const char *key, const struct json *value), void *ctx);
#endif
