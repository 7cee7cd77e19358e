/* json_edit.c -- jansson's objects, changed and printed. */
#include "base/json_edit.h"
#include <jansson.h>

static json_t *theirs(const struct json *v)
{
	return (json_t *)(uintptr_t)v;
}

struct json *json_edit(const struct json *v)
{
	return (struct json *)(uintptr_t)v;
}

void json_drop(struct json *object, const char *key)
{
	json_object_del(theirs(object), key);
}

bool json_put(struct json *object, const char *key, struct bytes value)
{
	json_t *v = json_loadb(value.at ? value.at : "", value.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);

	return v && !json_object_set_new(theirs(object), key, v); /* takes it over, also when it fails */
}

struct bytes json_print(const struct json *v, struct arena *arena, size_t max)
{
	size_t n = json_dumpb(theirs(v), NULL, 0, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	char *room = n && n <= max ? arena_raw(arena, n) : NULL;

	if (room)
		json_dumpb(theirs(v), room, n, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	return (struct bytes){ room, room ? n : 0 };
}
