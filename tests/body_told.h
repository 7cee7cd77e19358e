/* body_told.h -- what a body parser told, as one text that can be compared.
 *
 * Pieces are copied into memory that is freed at once, so a parser that keeps a
 * pointer into a piece is found. */
#ifndef TESTS_BODY_TOLD_H
#define TESTS_BODY_TOLD_H
#include <stdlib.h>
#include "base/text.h"
#include "rules/body/multipart.h"

struct told {
	struct arena *arena;
	struct text text;
	enum body_fault fault;
	unsigned anomalies;
	const char *complaint;
};

static inline void told_pair(struct text *t, const char *mark, struct bytes name, struct bytes value)
{
	text_str(t, mark);
	text_plain(t, name);
	text_byte(t, '=');
	text_plain(t, value);
	text_byte(t, '\n');
}

/* "name=value" for arguments, other kinds behind a mark of their own. */
static inline bool told_value(void *owner, const struct body_value *v)
{
	static const char *const marks[] = {
		[VALUE_ARG] = "",           [VALUE_PART_HEADER] = "header ",
		[VALUE_FILE_NAME] = "file ", [VALUE_FILE_LOOK] = "look ",
		[VALUE_XML_TEXT] = "",      [VALUE_XML_ATTRIBUTE] = "",
		[VALUE_XML_ALL] = "all ",
	};

	told_pair(owner, marks[v->kind], v->name, v->value);
	return true;
}

static inline bool told_file(void *owner, const struct body_file *f)
{
	text_printf(owner, "size %llu%s ", (unsigned long long)f->size, f->again ? " again" : "");
	told_pair(owner, "", f->name, f->filename);
	return true;
}

/* cut: bytes a piece; 0: all at once. Free the arena afterwards. */
static inline struct told told_of(const struct body_parser *p, struct body_setup s,
				  struct bytes in, size_t cut)
{
	static const struct body_sink sink = { told_value, told_file };
	struct told t = { .arena = arena_new(64 << 20) };
	size_t cap = in.len * 16 + 8192, n; /* more is cut, alike for any split */
	struct body *b;

	t.text = text_over(arena_raw(t.arena, cap), cap);
	s.sink = &sink;
	s.owner = &t.text;
	b = body_new(t.arena, p, &s);
	for (struct bytes rest = in; rest.len && body_fault(b) == FAULT_NONE; rest = bytes_from(rest, n)) {
		char *piece;

		n = cut && cut < rest.len ? cut : rest.len;
		piece = malloc(n);
		memcpy(piece, rest.at, n);
		body_push(b, (struct bytes){ piece, n });
		free(piece);
	}
	t.fault = body_end(b);
	t.anomalies = body_anomalies(b);
	t.complaint = arena_str(t.arena, body_complaint(b));
	return t;
}
#endif
