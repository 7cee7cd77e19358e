/* json_edit.h -- a document that was read (base/json.h) changed at its keys, and written again.
 *
 * For what is kept as others said it, less what is ours to say. */
#ifndef BASE_JSON_EDIT_H
#define BASE_JSON_EDIT_H
#include "base/arena.h"
#include "base/json.h"

struct json *json_edit(const struct json *); /* the same value, to be changed in place */
void json_drop(struct json *object, const char *key);
/* `value` is JSON that we wrote, any value; false: it is none, and nothing has changed. */
bool json_put(struct json *object, const char *key, struct bytes value);
/* Without blanks, keys in the order of the alphabet. at == NULL: longer than `max`, or past the arena's cap. */
struct bytes json_print(const struct json *, struct arena *, size_t max);
#endif
