/* json_out.c -- a growing text, and which level has something in it. */
#include "base/json_out.h"
#include "base/clock.h"
#include <math.h>
#include <stdlib.h>

enum { START = 1024 };

struct json_out json_out(size_t max)
{
	return (struct json_out){ .max = max };
}

void json_out_free(struct json_out *o)
{
	free(o->at);
	*o = (struct json_out){ .max = o->max };
}

static bool has_room(struct json_out *o, size_t n)
{
	size_t cap = o->cap ? o->cap : START;
	char *at;

	if (o->failed || n > o->max - o->len) {
		o->failed = true;
		return false;
	}
	while (cap - o->len < n)
		cap *= 2;
	if (cap == o->cap)
		return true;
	at = realloc(o->at, cap);
	if (!at) {
		o->failed = true;
		return false;
	}
	o->at = at;
	o->cap = cap;
	return true;
}

static void put(struct json_out *o, struct bytes b)
{
	if (b.len && has_room(o, b.len)) {
		memcpy(o->at + o->len, b.at, b.len);
		o->len += b.len;
	}
}

/* A string takes six times its bytes at most, and its quotes. */
static void put_string(struct json_out *o, struct bytes b)
{
	struct text t;

	if (!has_room(o, 6 * b.len + 2))
		return;
	t = text_over(o->at + o->len, o->cap - o->len);
	text_json(&t, b);
	o->len += t.len;
}

/* What stands before a value: a comma where it is not the first, its key. */
static void begin(struct json_out *o, const char *key)
{
	uint64_t level = (uint64_t)1 << o->depth;

	if (o->some & level)
		put(o, BYTES(","));
	o->some |= level;
	if (key) {
		put(o, BYTES("\""));
		put(o, bytes_of(key));
		put(o, BYTES("\":"));
	}
}

static void open_level(struct json_out *o, const char *key, bool list)
{
	begin(o, key);
	put(o, list ? BYTES("[") : BYTES("{"));
	if (o->depth + 1 == JSON_OUT_DEPTH) {
		o->failed = true;
		return;
	}
	o->depth++;
	o->some &= ~((uint64_t)1 << o->depth);
	o->lists &= ~((uint64_t)1 << o->depth);
	o->lists |= (uint64_t)list << o->depth;
}

void out_object(struct json_out *o, const char *key)
{
	open_level(o, key, false);
}

void out_list(struct json_out *o, const char *key)
{
	open_level(o, key, true);
}

void out_end(struct json_out *o)
{
	if (o->depth == 0) {
		o->failed = true;
		return;
	}
	put(o, o->lists >> o->depth & 1 ? BYTES("]") : BYTES("}"));
	o->depth--;
}

void out_raw(struct json_out *o, const char *key, struct bytes json)
{
	begin(o, key);
	put(o, json);
}

void out_null(struct json_out *o, const char *key)
{
	out_raw(o, key, BYTES("null"));
}

void out_text(struct json_out *o, const char *key, struct bytes b)
{
	if (!b.at) {
		out_null(o, key);
		return;
	}
	begin(o, key);
	put_string(o, b);
}

void out_str(struct json_out *o, const char *key, const char *s)
{
	out_text(o, key, bytes_of(s));
}

void out_flag(struct json_out *o, const char *key, bool on)
{
	out_raw(o, key, on ? BYTES("true") : BYTES("false"));
}

void out_int(struct json_out *o, const char *key, int64_t n)
{
	char room[24];
	struct text t = text_over(room, sizeof room);

	text_printf(&t, "%lld", (long long)n);
	out_raw(o, key, text_bytes(&t));
}

void out_decimal(struct json_out *o, const char *key, double n)
{
	char room[40];
	struct text t = text_over(room, sizeof room);

	if (!isfinite(n)) {
		out_null(o, key);
		return;
	}
	text_printf(&t, "%.6g", n);
	out_raw(o, key, text_bytes(&t));
}

void out_time(struct json_out *o, const char *key, uint64_t wall_ms)
{
	char room[32];
	struct text t = text_over(room, sizeof room);

	if (!wall_ms) {
		out_null(o, key);
		return;
	}
	clock_rfc3339(&t, wall_ms);
	out_text(o, key, text_bytes(&t));
}

void out_id(struct json_out *o, const char *key, uint64_t id)
{
	char room[24];
	struct text t = text_over(room, sizeof room);

	text_u64(&t, id);
	out_text(o, key, text_bytes(&t));
}
