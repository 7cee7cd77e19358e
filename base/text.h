/* text.h -- a bounded writer: log lines, pages, heads and JSON are put
 * together in memory that the caller owns.
 *
 * A write that does not fit sets `full` and writes nothing more; the caller
 * looks once, at the end. */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H
#include "base/bytes.h"

struct text {
	char *at;
	size_t len, cap;
	bool full;
};

static inline struct text text_over(char *at, size_t cap)
{
	return (struct text){ at, 0, cap, false };
}

static inline struct bytes text_bytes(const struct text *t)
{
	return (struct bytes){ t->at, t->len };
}

static inline void text_put(struct text *t, struct bytes b)
{
	if (t->full || b.len > t->cap - t->len) {
		t->full = true;
		return;
	}
	if (b.len)
		memcpy(t->at + t->len, b.at, b.len);
	t->len += b.len;
}

static inline void text_byte(struct text *t, char c)
{
	text_put(t, (struct bytes){ &c, 1 });
}

static inline void text_str(struct text *t, const char *s)
{
	text_put(t, bytes_of(s));
}

void text_u64(struct text *, uint64_t);
void text_hex(struct text *, uint64_t); /* lower case, no leading zeros */
void text_printf(struct text *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* A JSON string with its quotes. Control characters and bytes that are not
 * UTF-8 become \u00XX, so any input gives valid JSON. */
void text_json(struct text *, struct bytes);
/* Text for HTML bodies and attributes: & < > " ' escaped. */
void text_html(struct text *, struct bytes);
/* For terminals and plain logs: control and non-ASCII bytes as \xNN. */
void text_plain(struct text *, struct bytes);
#endif
