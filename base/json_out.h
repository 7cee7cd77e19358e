/* json_out.h -- JSON being written: commas, quotes and room are its own affair.
 *
 * For answers of unknown length. What does not fit `max`, or memory, sets `failed` and writes nothing more; the writer looks
 * once, at the end. A `key` is one inside an object and NULL inside a list; both are ours, and need no escape. */
#ifndef BASE_JSON_OUT_H
#define BASE_JSON_OUT_H
#include "base/text.h"

enum { JSON_OUT_DEPTH = 64 };

struct json_out {
	char *at;        /* malloc'ed: json_out_free() */
	size_t len, cap, max;
	bool failed;
	unsigned depth;
	uint64_t some;   /* a bit a level: something stands there already */
	uint64_t lists;  /* a bit a level: it ends with ']' */
};

struct json_out json_out(size_t max);
void json_out_free(struct json_out *);
static inline struct bytes json_out_bytes(const struct json_out *o)
{
	return (struct bytes){ o->at, o->len };
}

void out_object(struct json_out *, const char *key);
void out_list(struct json_out *, const char *key);
void out_end(struct json_out *); /* of the innermost object or list */
void out_text(struct json_out *, const char *key, struct bytes); /* any bytes; at == NULL: null */
void out_str(struct json_out *, const char *key, const char *);  /* NULL: null */
void out_int(struct json_out *, const char *key, int64_t);
void out_decimal(struct json_out *, const char *key, double);    /* what is no number: null */
void out_flag(struct json_out *, const char *key, bool);
void out_null(struct json_out *, const char *key);
void out_time(struct json_out *, const char *key, uint64_t wall_ms); /* RFC 3339, milliseconds, UTC; 0: null */
void out_raw(struct json_out *, const char *key, struct bytes json); /* a whole value that is JSON already */
/* A 64-bit id, as text: a JavaScript number has 53 bits. */
void out_id(struct json_out *, const char *key, uint64_t);
#endif
